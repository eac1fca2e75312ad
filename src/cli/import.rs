//! `keystead import`

mod entry;

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use clap::Args;
use indicatif::ProgressBar;

use super::{CliError, complain_of_access, open_options, output};
use crate::config::Config;
use crate::directory::ldif::{Body, Reader, Record};
use crate::server::Clock;
use crate::store::Existence;
use crate::store::bulk::BulkLoader;
use entry::EntryReader;

#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The LDIF file (RFC 2849), parents before their children.
    #[arg(value_name = "LDIF")]
    ldif: PathBuf,
    /// Keep passwords in clear text as they are, until their owners bind; otherwise each is hashed now, which takes about
    /// 20 milliseconds.
    #[arg(long)]
    keep_clear_text: bool,
}

/// So many faults are told before the import gives up.
const MOST_FAULTS: usize = 20;

pub(super) fn run(args: &ImportArgs) -> Result<(), CliError> {
    let config = Config::read(&args.config)?;
    let file = File::open(&args.ldif).map_err(|cause| CliError::File { path: args.ldif.clone(), cause })?;
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    let bar = output::progress(length, "{bar:40} {percent}% {msg} ({eta} left)");
    let source = BufReader::with_capacity(1 << 20, bar.wrap_read(file));
    let schema = |numbering| config.build_schema(numbering);
    let loader = BulkLoader::open(&open_options(&config, Existence::Required, &schema))?;
    complain_of_access(&config);
    let imported = load(args, &config, loader, Reader::new(source), &bar);
    bar.finish_and_clear();
    let count = imported?;
    output::say(&format!("{count} entries were imported from {}.", args.ldif.display()));
    Ok(())
}

/// Loads everything, or nothing: a file with faults is refused as a whole, and its faults are named.
fn load<R: std::io::BufRead>(
    args: &ImportArgs,
    config: &Config,
    mut loader: BulkLoader,
    records: Reader<R>,
    bar: &ProgressBar,
) -> Result<u64, CliError> {
    let clock = Clock::default();
    let reader = EntryReader::new(loader.schema(), config, args.keep_clear_text.into(), clock.now());
    let mut faults: Vec<String> = Vec::new();
    let mut count = 0;
    for record in records {
        match record {
            Err(error) => {
                // Behind a line that is no LDIF nothing can be told for certain.
                faults.push(error.to_string());
                break;
            }
            Ok(record) => {
                if let Err(reason) = load_one(&reader, &mut loader, &record, &clock) {
                    faults.push(format!("line {}: {}: {reason}", record.line, record.dn));
                }
                count += 1;
                if count % 1_000 == 0 {
                    bar.set_message(format!("{count} entries"));
                }
            }
        }
        if faults.len() >= MOST_FAULTS {
            faults.push("there may be more".to_owned());
            break;
        }
    }
    if !faults.is_empty() {
        let listed = faults.join("\n");
        return Err(CliError::Message(format!("{listed}\nnothing was imported from {}", args.ldif.display())));
    }
    bar.set_message("building indexes");
    let failed = |error| format!("the store failed: {error}; whatever opens it next removes what was imported so far");
    loader.finish().map_err(|error| CliError::Message(failed(error)))?;
    Ok(count)
}

fn load_one(reader: &EntryReader<'_>, loader: &mut BulkLoader, record: &Record, clock: &Clock) -> Result<(), String> {
    match &record.body {
        Body::Content(attributes) | Body::Add(attributes) => {
            let entry = reader.read(&record.dn, attributes)?;
            loader.add(entry, clock.now()).map_err(|error| error.to_string())
        }
        Body::Delete | Body::Modify(_) | Body::ModifyDn { .. } => {
            Err("this is a change of an entry, and an import takes whole entries; use ldapmodify".to_owned())
        }
    }
}
