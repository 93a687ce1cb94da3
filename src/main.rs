//! Owns the entry point of the command `smallnet`. Depends on `cli`, which does everything.

fn main() -> std::process::ExitCode {
    smallnet::cli::main()
}
