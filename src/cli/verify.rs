//! `keystead verify`

use std::path::PathBuf;

use clap::Args;

use super::{CliError, open_store, output};
use crate::config::Config;
use crate::store::Existence;

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

pub(super) fn run(args: &VerifyArgs) -> Result<(), CliError> {
    let config = Config::read(&args.config)?;
    let store = open_store(&config, Existence::ReadOnly)?;
    let bar = output::progress(0, "{spinner} {pos} entries looked at ({per_sec})");
    let report = store
        .verify(&mut |entries| bar.set_position(entries))
        .map_err(|error| CliError::Message(format!("the store cannot be read: {error}")))?;
    bar.finish_and_clear();
    output::say(&format!(
        "{} entries, {} with a password or its state, {} postings in indexes",
        report.entries, report.credentials, report.postings
    ));
    for text in &report.dangling {
        output::say(&format!("note: {text}"));
    }
    for text in &report.faults {
        output::complain(text);
    }
    match report.faults.len() {
        0 => {
            output::say("Everything fits together.");
            Ok(())
        }
        count => Err(CliError::Message(format!("{count} faults were found; nothing was changed"))),
    }
}
