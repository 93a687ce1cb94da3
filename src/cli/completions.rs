//! `smallnet completions`

use std::process::ExitCode;

use clap::{Args, Command};
use clap_complete::Shell;

use crate::cli::output::print_generated;
use crate::error::Result;

/// Arguments of `smallnet completions`.
#[derive(Debug, Args)]
#[command(after_help = INSTALL_PATHS)]
pub(super) struct CompletionsArgs {
    /// The shell to complete smallnet's commands and options in
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

const INSTALL_PATHS: &str = "\
Where the script goes:
  bash        ~/.local/share/bash-completion/completions/smallnet
  zsh         _smallnet in a folder of $fpath
  fish        ~/.config/fish/completions/smallnet.fish
  powershell  the end of the file that $PROFILE names
  elvish      the end of ~/.config/elvish/rc.elv

Example: smallnet completions fish > ~/.config/fish/completions/smallnet.fish";

/// Prints the script that lets a shell complete the arguments of `command`.
pub(super) fn run(args: &CompletionsArgs, mut command: Command) -> Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "smallnet", &mut script);
    print_generated(&script)?;
    Ok(ExitCode::SUCCESS)
}
