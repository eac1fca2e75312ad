//! `keystead breach check`

use std::path::PathBuf;

use clap::Args;

use crate::cli::{CliError, files, output};
use crate::password::quality::BreachList;
use crate::server::breach_file::{BreachFile, BreachFileError};

#[derive(Debug, Args)]
pub(in crate::cli) struct CheckArgs {
    /// The filter.
    #[arg(long, value_name = "FILE")]
    filter: PathBuf,
    /// A file that holds the password; otherwise it is read from standard input.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

pub(super) fn run(args: &CheckArgs) -> Result<(), CliError> {
    let unusable = |error: BreachFileError| CliError::Message(error.to_string());
    let filter = BreachFile::open(&args.filter).map_err(unusable)?;
    filter.verify().map_err(unusable)?;
    let password = match &args.password_file {
        Some(path) => files::read_secret(path)?,
        None => files::ask_secret("Password: ")?,
    };
    let listed = filter.contains(&password).map_err(|error| CliError::Message(error.to_string()))?;
    let header = filter.header();
    let verdict = if listed { "is listed" } else { "is not listed" };
    let list = format!("{}, {} passwords, built {}", header.name, header.passwords, header.created);
    output::say(&format!("The password {verdict} ({list})."));
    if listed { Err(CliError::Listed) } else { Ok(()) }
}
