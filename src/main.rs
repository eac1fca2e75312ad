//! Reads the command line and hands over.

use std::process::ExitCode;

fn main() -> ExitCode {
    keystead::cli::main()
}
