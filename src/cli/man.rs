//! `smallnet man`

use std::process::ExitCode;

use clap::{Args, Command};
use clap_mangen::Man;

use crate::cli::output::print_generated;
use crate::error::{Error, ErrorKind, Result};
use crate::util::suggest::suggestion;

/// Arguments of `smallnet man`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ManArgs {
    /// The command whose page is printed [default: smallnet itself]
    #[arg(value_name = "COMMAND")]
    command: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  smallnet man train | man -l -                                   read a page
  smallnet man > ~/.local/share/man/man1/smallnet.1               then: man smallnet
  smallnet man train > ~/.local/share/man/man1/smallnet-train.1   then: man smallnet-train";

/// Prints the manual page of `command` or of one of its commands, in roff.
pub(super) fn run(args: &ManArgs, mut command: Command) -> Result<ExitCode> {
    // Gives each command its full name, such as `smallnet train`.
    command.build();
    let command = match &args.command {
        None => command,
        Some(name) => named(&command, name)?,
    };
    let mut page = Vec::new();
    let error = |error| Error::new("cannot make the page").with_kind(ErrorKind::Io).with_source(error);
    Man::new(command).render(&mut page).map_err(error)?;
    print_generated(&page)?;
    Ok(ExitCode::SUCCESS)
}

/// Returns the command of `parent` that `name` or an alias names.
fn named(parent: &Command, name: &str) -> Result<Command> {
    parent.find_subcommand(name).cloned().ok_or_else(|| {
        let names: Vec<String> =
            parent.get_subcommands().map(|command| command.get_name().to_owned()).collect();
        Error::usage(format!("smallnet has no command `{name}`"))
            .hint(suggestion("", name, &names, "commands"))
    })
}
