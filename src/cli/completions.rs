//! `smallnet completions`

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, Command};
use clap_complete::Shell;

use crate::error::{Error, Result};

/// Arguments of `smallnet completions`.
#[derive(Debug, Args)]
#[command(after_help = WHERE)]
pub(super) struct CompletionsArgs {
    /// The shell to complete smallnet's commands and options in
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

const WHERE: &str = "\
Where the script goes:
  bash        smallnet completions bash > ~/.local/share/bash-completion/completions/smallnet
  zsh         smallnet completions zsh > DIR/_smallnet, DIR one of $fpath
  fish        smallnet completions fish > ~/.config/fish/completions/smallnet.fish
  powershell  smallnet completions powershell >> $PROFILE
  elvish      smallnet completions elvish >> ~/.config/elvish/rc.elv";

/// Prints the script that completes what `command` understands.
pub(super) fn run(args: &CompletionsArgs, mut command: Command) -> Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "smallnet", &mut script);
    let mut stdout = std::io::stdout();
    stdout
        .write_all(&script)
        .and_then(|()| stdout.flush())
        .map_err(|error| Error::new(format!("cannot print the script: {error}")))?;
    Ok(ExitCode::SUCCESS)
}
