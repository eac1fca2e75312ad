//! `keystead manual`: man pages and completions, made from the command line's own definition, so that they are true.

use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory, ValueEnum};
use clap_complete::Shell;

use super::{Cli, CliError, output};

#[derive(Debug, Args)]
pub(super) struct ManualArgs {
    /// The folder for the man pages, one for each command, and for the completions of bash, zsh and fish.
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
}

pub(super) fn run(args: &ManualArgs) -> Result<(), CliError> {
    let failed = |cause| CliError::File { path: args.to.clone(), cause };
    std::fs::create_dir_all(&args.to).map_err(failed)?;
    clap_mangen::generate_to(Cli::command(), &args.to).map_err(failed)?;
    complete(&args.to)?;
    output::say(&format!("Man pages and completions are in {}", args.to.display()));
    Ok(())
}

fn complete(folder: &Path) -> Result<(), CliError> {
    let usual = [Shell::Bash, Shell::Zsh, Shell::Fish];
    for shell in Shell::value_variants().iter().copied().filter(|shell| usual.contains(shell)) {
        let made = clap_complete::generate_to(shell, &mut Cli::command(), "keystead", folder);
        made.map_err(|cause| CliError::File { path: folder.to_owned(), cause })?;
    }
    Ok(())
}
