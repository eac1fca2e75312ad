//! `keystead hash-password`

use std::path::PathBuf;

use clap::Args;

use super::{CliError, files, output};
use crate::config::Config;
use crate::password::StoredPassword;
use crate::password::scheme::NewScheme;
use crate::server::random::SystemRandom;

#[derive(Debug, Args)]
pub(super) struct HashPasswordArgs {
    /// A configuration file, for the scheme and its cost; otherwise Argon2id at the usual one.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A file that holds the password; otherwise it is read from standard input.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

pub(super) fn run(args: &HashPasswordArgs) -> Result<(), CliError> {
    let scheme = match &args.config {
        Some(path) => Config::read(path)?.new_passwords,
        None => NewScheme::default(),
    };
    let password = match &args.password_file {
        Some(path) => files::read_secret(path)?,
        None => files::ask_secret("Password: ")?,
    };
    let stored = StoredPassword::create(&password, scheme, &SystemRandom);
    output::say(&String::from_utf8_lossy(stored.expose()));
    Ok(())
}
