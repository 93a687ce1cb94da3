//! The `smallnet` command.

fn main() -> std::process::ExitCode {
    smallnet::cli::main()
}
