//! `keystead import`

mod entry;
mod pipeline;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::ops::ControlFlow;
use std::path::PathBuf;

use clap::Args;
use indicatif::ProgressBar;
use uuid::Uuid;

use super::{CliError, complain_of_access, open_options, output};
use crate::config::Config;
use crate::directory::ldif::{Reader, Record};
use crate::directory::tree::{Event, EventKind, EventResult, Means};
use crate::directory::{Csn, Identity};
use crate::server::Clock;
use crate::store::Existence;
use crate::store::bulk::BulkLoader;
use entry::EntryReader;
use pipeline::Made;

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
fn load<R: BufRead + Send>(
    args: &ImportArgs,
    config: &Config,
    mut loader: BulkLoader,
    records: Reader<R>,
    bar: &ProgressBar,
) -> Result<u64, CliError> {
    let clock = Clock::default();
    let reader = EntryReader::new(loader.schema(), config, args.keep_clear_text.into(), clock.now());
    let preparer = loader.preparer();
    let mut csn = loader.csn();
    let number = move || {
        csn = Csn::following(csn, clock.now());
        csn
    };
    let mut faults: Vec<String> = Vec::new();
    let mut count = 0;
    let prepare = |record: &Record, csn| Ok(preparer.prepare(reader.entry_of(record, csn)?));
    pipeline::run(records, number, prepare, |made| {
        match made {
            Err(error) => faults.push(error.to_string()),
            Ok(Made { line, dn, csn, result }) => {
                let added = result.and_then(|entry| loader.add(entry, csn).map_err(|error| error.to_string()));
                faults.extend(added.err().map(|reason| format!("line {line}: {dn}: {reason}")));
                count += 1;
                if count % 1_000 == 0 {
                    bar.set_message(format!("{count} entries"));
                }
            }
        }
        if faults.len() < MOST_FAULTS { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    if !faults.is_empty() {
        if faults.len() >= MOST_FAULTS {
            faults.push("there may be more".to_owned());
        }
        let listed = faults.join("\n");
        return Err(CliError::Message(format!("{listed}\nnothing was imported from {}", args.ldif.display())));
    }
    bar.set_message("building indexes");
    if loader.passwords() > 0 {
        loader.record(imported(loader.passwords(), args));
    }
    let failed = |error| format!("the store failed: {error}; whatever opens it next removes what was imported so far");
    loader.finish().map_err(|error| CliError::Message(failed(error)))?;
    Ok(count)
}

/// What is recorded of an import: that there was one, and of how many passwords.
fn imported(passwords: u32, args: &ImportArgs) -> Event {
    Event {
        time: Clock::default().now(),
        kind: EventKind::Imported,
        result: EventResult::Done,
        means: Means::Import,
        actor: Identity::LocalRoot.name().to_owned(),
        source: "local".to_owned(),
        target: String::new(),
        uuid: Uuid::nil(),
        policy: String::new(),
        reason: args.ldif.display().to_string(),
        times: passwords,
    }
}
