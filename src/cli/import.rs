//! `keystead import`

mod entry;
mod maker;
mod pipeline;
mod report;
mod schema;
mod wrap;

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::ops::ControlFlow;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use indicatif::ProgressBar;
use uuid::Uuid;

use super::{CliError, complain_of_access, open_options, output};
use crate::config::Config;
use crate::directory::ldif::{LdifError, Reader};
use crate::directory::migration::Origin;
use crate::directory::tree::{Event, EventKind, EventResult, Means};
use crate::directory::{Csn, Dn, Identity};
use crate::server::Clock;
use crate::store::Existence;
use crate::store::bulk::{BulkLoader, LoadError, PreparedEntry};
use entry::EntryReader;
use maker::{Arrival, Maker};
use pipeline::Made;
use report::Report;
use schema::Definitions;

#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The LDIF file (RFC 2849).
    #[arg(value_name = "LDIF")]
    ldif: PathBuf,
    /// The server that wrote it; otherwise the file is looked at. What that server says otherwise is translated.
    #[arg(long, value_name = "SERVER")]
    from: Option<From>,
    /// A file for what became of each attribute that did not come along as it was, line by line, without any value.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Leave out attributes and object classes of this name; several are possible.
    #[arg(long, value_name = "NAME")]
    leave_out: Vec<String>,
    /// Keep passwords in clear text as they are, until their owners bind; otherwise each is hashed now, which takes about
    /// 20 milliseconds.
    #[arg(long)]
    keep_clear_text: bool,
    /// Wrap fast hashes of other servers (SSHA, MD5, crypt and PBKDF2 with few rounds ...) in Argon2id now, also old ones in
    /// the password history, until their owners bind. Each takes about 20 milliseconds on one core: with two cores an
    /// import wraps about a hundred per second.
    #[arg(long, conflicts_with = "keep_clear_text")]
    wrap: bool,
}

/// Who may have written an LDIF file.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum From {
    /// slapcat
    Openldap,
    /// db2ldif of 389 Directory Server
    #[value(name = "389ds")]
    Ds389,
    /// export-ldif
    Opendj,
    /// keystead export, or anything that is to be taken as it is
    Keystead,
}

impl From {
    const fn origin(self) -> Option<Origin> {
        match self {
            Self::Openldap => Some(Origin::OpenLdap),
            Self::Ds389 => Some(Origin::Ds389),
            Self::Opendj => Some(Origin::OpenDj),
            Self::Keystead => None,
        }
    }
}

/// So many faults are told before the import gives up.
const MOST_FAULTS: usize = 20;
/// So much of a file is looked at for who wrote it, in octets.
const HEAD: usize = 1 << 20;

pub(super) fn run(args: &ImportArgs) -> Result<(), CliError> {
    let definitions = Definitions::read(&args.ldif)?;
    let config = match &definitions {
        Some(definitions) => definitions.configure(&args.config)?,
        None => Config::read(&args.config)?,
    };
    let failed = |cause| CliError::File { path: args.ldif.clone(), cause };
    let file = File::open(&args.ldif).map_err(failed)?;
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    let bar = output::progress(length, "{bar:40} {percent}% {msg} ({eta} left)");
    let mut source = BufReader::with_capacity(HEAD, bar.wrap_read(file));
    let head = source.fill_buf().map_err(failed)?;
    let origin = args.from.map_or_else(|| Origin::recognize(head), From::origin);
    let mut records = Reader::new(source);
    if let Some(definitions) = &definitions {
        // Its entries are read by what it defines.
        records.next().transpose().map_err(|error| CliError::Message(error.to_string()))?;
        definitions.take_in(&config)?;
    }
    let schema = |numbering| config.build_schema(numbering);
    let loader = BulkLoader::open(&open_options(&config, Existence::Required, &schema))?;
    complain_of_access(&config);
    let maker = Maker {
        reader: EntryReader::new(loader.schema(), &config, args.keep_clear_text.into(), Clock::default().now()),
        preparer: loader.preparer(),
        origin,
        leave_out: &args.leave_out,
        wrap: args.wrap.then(|| wrap::cost(config.new_passwords)),
        now: Clock::default().now(),
    };
    let report = Report::open(args.report.as_deref(), loader.schema())?;
    let import = Import {
        csn: loader.csn(),
        loader,
        report,
        faults: Vec::new(),
        held: Vec::new(),
        refused: HashSet::new(),
        count: 0,
    };
    let done = import.run(&maker, records, &bar, args);
    bar.finish_and_clear();
    let (count, report) = done?;
    let by = origin.map(|origin| format!(", an export of {}", origin.name())).unwrap_or_default();
    output::say(&format!("{count} entries were imported from {}{by}.", args.ldif.display()));
    report.finish(origin)
}

/// Loads everything, or nothing: a file with faults is refused as a whole, and its faults are named.
struct Import {
    loader: BulkLoader,
    report: Report,
    /// By the line of the record.
    faults: Vec<(usize, String)>,
    /// Entries that came before those above them, as they do where entries have been moved.
    held: Vec<(usize, Box<PreparedEntry>)>,
    /// Entries with faults: that those below them have none above them is told with theirs.
    refused: HashSet<Dn>,
    count: u64,
    /// The highest number that was given out.
    csn: Csn,
}

impl Import {
    fn run<R: BufRead + Send>(
        mut self,
        maker: &Maker<'_>,
        records: Reader<R>,
        bar: &ProgressBar,
        args: &ImportArgs,
    ) -> Result<(u64, Report), CliError> {
        let (clock, mut csn) = (Clock::default(), self.csn);
        let number = move || {
            csn = Csn::following(csn, clock.now());
            csn
        };
        pipeline::run(records, number, |record, csn| maker.make(record, csn), |made| self.take(made, bar));
        self.load_held();
        if !self.faults.is_empty() {
            let listed = self.listed_faults();
            return Err(CliError::Message(format!("{listed}\nnothing was imported from {}", args.ldif.display())));
        }
        bar.set_message("building indexes");
        if self.loader.passwords() > 0 {
            self.loader.record(imported(self.loader.passwords(), args));
        }
        let failed =
            |error| format!("the store failed: {error}; whatever opens it next removes what was imported so far");
        self.loader.finish().map_err(|error| CliError::Message(failed(error)))?;
        Ok((self.count, self.report))
    }

    fn take(&mut self, made: Result<Made<Arrival>, LdifError>, bar: &ProgressBar) -> ControlFlow<()> {
        match made {
            Err(error) => self.faults.push((usize::MAX, error.to_string())),
            Ok(Made { line, dn, csn, result }) => {
                self.csn = csn;
                let loaded = result.and_then(|arrival| self.load(line, &dn, arrival));
                if let Err(reason) = loaded {
                    self.faults.push((line, format!("line {line}: {dn}: {reason}")));
                    self.refused.extend(Dn::parse(self.loader.schema(), &dn));
                }
                if self.count.is_multiple_of(1_000) {
                    bar.set_message(format!("{} entries", self.count));
                }
            }
        }
        if self.faults.len() < MOST_FAULTS { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    fn load(&mut self, line: usize, dn: &str, arrival: Arrival) -> Result<(), String> {
        let (entry, notes, kept) = match arrival {
            Arrival::LeftOut(why) => return self.report.entry_left_out(line, dn, why),
            Arrival::Entry { entry, notes, kept } => (entry, notes, kept),
        };
        self.report.entry(line, dn, notes, &kept)?;
        match self.loader.add(*entry, self.csn) {
            Ok(()) => self.count += 1,
            Err(LoadError::NoParent(entry)) => self.held.push((line, entry)),
            Err(error) => return Err(error.to_string()),
        }
        Ok(())
    }

    /// Loads those that came before the entries above them, from the top down.
    fn load_held(&mut self) {
        let mut held = std::mem::take(&mut self.held);
        held.sort_by_key(|(_, entry)| entry.dn().rdns().count());
        for (line, entry) in held {
            let dn = entry.dn().clone();
            match self.loader.add(*entry, self.csn) {
                Ok(()) => self.count += 1,
                Err(_) if self.is_below_refused(&dn) => {}
                Err(error) => self.faults.push((line, format!("line {line}: {dn}: {error}"))),
            }
        }
    }

    fn is_below_refused(&self, dn: &Dn) -> bool {
        let mut above = (1..dn.depth()).filter_map(|steps| dn.ancestor(steps));
        above.any(|above| self.refused.contains(&above))
    }

    fn listed_faults(&mut self) -> String {
        self.faults.sort_by_key(|(line, _)| *line);
        let too_many = self.faults.len() >= MOST_FAULTS;
        let faults = self.faults.iter().take(MOST_FAULTS).map(|(_, fault)| fault.as_str());
        faults.chain(too_many.then_some("there may be more")).collect::<Vec<_>>().join("\n")
    }
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
