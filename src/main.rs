//! Reads the command line and hands over.

use std::process::ExitCode;

/// Many threads allocate little things and free each other's: the system's allocator is slow at it, and lets memory lie.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    keystead::cli::main()
}
