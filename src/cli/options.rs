//! Which of the options that every command accepts a command uses. The others are not in its help; they are accepted, as they
//! always were.

use clap::{Arg, Command};

/// The options of every command by their names in [`crate::cli::Global`].
const ALL: [&str; 5] = ["backend", "artifacts", "json", "quiet", "threads"];
/// Those of commands that read runs and compute nothing.
const OF_READERS: &[&str] = &["artifacts", "json", "quiet"];

/// The options that the command called `name` uses.
fn used(name: &str) -> &'static [&'static str] {
    match name {
        // A run resumes on its own backend: another one is refused.
        "resume" => &["artifacts", "json", "quiet", "threads"],
        "weights" | "report" | "compare" | "data" | "runs" => OF_READERS,
        "summary" => &["json", "quiet"],
        // Its runs go into the folder of its page.
        "lab" => &["backend", "json", "quiet", "threads"],
        "completions" => &[],
        _ => &ALL,
    }
}

/// Options of an experiment that a command takes and makes no use of, by the command.
const WITHOUT_USE: [(&str, &[&str]); 1] = [("lr-find", &["epochs", "lr"])];

/// Hides in each command's help what it does not use.
pub(super) fn hide_unused(command: Command) -> Command {
    of_each_command(command, |subcommand, global, used| {
        // An argument that is there already is not taken over from the program's own.
        let hidden = global.into_iter().filter(|argument| !used.contains(&argument.get_id().as_str()));
        subcommand.args(hidden.map(|argument| argument.hide(true)))
    })
}

/// Takes from each command what it does not use, for shells to complete.
pub(super) fn leave_out_unused(command: Command) -> Command {
    let command = of_each_command(command, |subcommand, global, used| {
        let used = global.into_iter().filter(|argument| used.contains(&argument.get_id().as_str()));
        subcommand.args(used.map(|argument| argument.global(false)))
    });
    ALL.iter().fold(command, |command, id| command.mut_arg(*id, |argument| argument.global(false)))
}

/// Changes each command, given the options of every command and the names of those that it uses.
fn of_each_command(mut command: Command, change: impl Fn(Command, Vec<Arg>, &[&str]) -> Command) -> Command {
    let global: Vec<Arg> = command
        .get_arguments()
        .filter(|argument| ALL.contains(&argument.get_id().as_str()))
        .cloned()
        .collect();
    let names: Vec<String> = command.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    for name in names {
        let without_use =
            WITHOUT_USE.iter().filter(|(command, _)| *command == name).flat_map(|(_, ids)| *ids);
        command = command.mut_subcommand(&name, |subcommand| {
            let subcommand = change(subcommand, global.clone(), used(&name));
            without_use
                .fold(subcommand, |subcommand, id| subcommand.mut_arg(*id, |argument| argument.hide(true)))
        });
    }
    command
}
