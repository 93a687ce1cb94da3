//! Owns which of the global options each command uses. Every command accepts all of them, as in
//! earlier versions, but its help and the shell completions show only those that it uses.

use clap::{Arg, Command};

/// Global options, by their field names in [`crate::cli::Global`].
const ALL: [&str; 7] = ["backend", "device", "engine", "artifacts", "json", "quiet", "threads"];
/// Options of commands that read runs and compute nothing.
const READ_ONLY: &[&str] = &["artifacts", "json", "quiet"];

/// Returns the global options that the command `name` uses.
fn used_options(name: &str) -> &'static [&'static str] {
    match name {
        // A run resumes on its own engine. Others are refused.
        "resume" => &["backend", "device", "artifacts", "json", "quiet", "threads"],
        "export" | "draw" | "weights" | "report" | "compare" | "data" | "runs" => READ_ONLY,
        "summary" | "fetch" => &["json", "quiet"],
        "devices" => &["json", "quiet", "threads"],
        // Its runs go into the folder of its page, so `--artifacts` has no meaning.
        "lab" => &["backend", "device", "json", "quiet", "threads"],
        "completions" | "man" => &[],
        _ => &ALL,
    }
}

/// Commands with the options of an experiment that they accept and do not use.
const UNUSED: [(&str, &[&str]); 1] = [("lr-find", &["epochs", "lr"])];

/// Hides the options that a command does not use in its help.
pub(super) fn hide_unused(command: Command) -> Command {
    map_subcommands(command, |subcommand, global, used| {
        // clap does not propagate a global argument to a subcommand that defines it itself.
        let hidden = global.into_iter().filter(|argument| !used.contains(&argument.get_id().as_str()));
        subcommand.args(hidden.map(|argument| argument.hide(true)))
    })
}

/// Removes the options that a command does not use, so that shells do not complete them.
pub(super) fn remove_unused(command: Command) -> Command {
    let command = map_subcommands(command, |subcommand, global, used| {
        let used = global.into_iter().filter(|argument| used.contains(&argument.get_id().as_str()));
        subcommand.args(used.map(|argument| argument.global(false)))
    });
    ALL.iter().fold(command, |command, id| command.mut_arg(*id, |argument| argument.global(false)))
}

/// Applies `change` to each command. `change` receives the command, all global options and the
/// names of those that the command uses.
fn map_subcommands(mut command: Command, change: impl Fn(Command, Vec<Arg>, &[&str]) -> Command) -> Command {
    let global: Vec<Arg> = command
        .get_arguments()
        .filter(|argument| ALL.contains(&argument.get_id().as_str()))
        .cloned()
        .collect();
    let names: Vec<String> = command.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    for name in names {
        let unused = UNUSED.iter().filter(|(command, _)| *command == name).flat_map(|(_, ids)| *ids);
        command = command.mut_subcommand(&name, |subcommand| {
            let subcommand = change(subcommand, global.clone(), used_options(&name));
            unused.fold(subcommand, |subcommand, id| subcommand.mut_arg(*id, |argument| argument.hide(true)))
        });
    }
    command
}
