//! `keystead export`

use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::{CliError, open_store, output};
use crate::config::Config;
use crate::directory::schema::AttributeSet;
use crate::directory::tree::{Directory, EntryId, Tree, TreeError};
use crate::directory::{Dn, Entry, ldif};
use crate::operations::root_dse::SUBSCHEMA;
use crate::store::{Existence, View};

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Only the entry of this name and those below it.
    #[arg(long, value_name = "DN")]
    base: Option<String>,
    /// The file to write; otherwise standard output. It will hold password hashes, and only its owner can read it.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Leave password hashes, their state, and all other secrets out.
    #[arg(long)]
    no_passwords: bool,
}

pub(super) fn run(args: &ExportArgs) -> Result<(), CliError> {
    let config = Config::read(&args.config)?;
    let store = open_store(&config, Existence::ReadOnly)?;
    let view = store.view();
    let tops = tops(args, &view)?;
    let out: Box<dyn Write> = match &args.output {
        Some(path) => {
            let mut options = OpenOptions::new();
            let file = options.write(true).create_new(true).mode(0o600).open(path);
            Box::new(file.map_err(|cause| CliError::File { path: path.clone(), cause })?)
        }
        None => Box::new(io::stdout().lock()),
    };
    let bar = output::progress(0, "{spinner} {pos} entries ({per_sec})");
    let mut writer = Exporter { view: &view, out: BufWriter::with_capacity(1 << 20, out), args, count: 0 };
    let written = writer.out.write_all(b"# Keystead\nversion: 1\n").map_err(Failure::Output);
    let written = written.and_then(|()| writer.export_schema());
    let written = written.and_then(|()| tops.into_iter().try_for_each(|top| writer.export(top, &bar)));
    let written = written.and_then(|()| writer.out.flush().map_err(Failure::Output));
    bar.finish_and_clear();
    written.map_err(|failure| match failure {
        Failure::Output(cause) => {
            CliError::File { path: args.output.clone().unwrap_or_else(|| "standard output".into()), cause }
        }
        Failure::Tree(error) => CliError::Message(format!("the store cannot be read: {error}")),
    })
}

fn tops(args: &ExportArgs, view: &Arc<View>) -> Result<Vec<EntryId>, CliError> {
    let find = |dn: &Dn| view.find(dn).map_err(|error| CliError::Message(error.to_string()));
    let Some(base) = &args.base else {
        let mut tops = Vec::new();
        for suffix in Tree::suffixes(view) {
            tops.extend(find(suffix)?.entry());
        }
        return Ok(tops);
    };
    let dn = Dn::parse(view.schema(), base).map_err(|error| CliError::Message(format!("{base:?}: {error}")))?;
    let found = find(&dn)?.entry();
    Ok(vec![found.ok_or_else(|| CliError::Message(format!("there is no entry {base}")))?])
}

enum Failure {
    Output(io::Error),
    Tree(TreeError),
}

impl From<TreeError> for Failure {
    fn from(error: TreeError) -> Self {
        Self::Tree(error)
    }
}

struct Exporter<'a> {
    view: &'a Arc<View>,
    out: BufWriter<Box<dyn Write>>,
    args: &'a ExportArgs,
    count: u64,
}

impl Exporter<'_> {
    /// Writes what clients have added to the schema, in front of the entries that need it.
    fn export_schema(&mut self) -> Result<(), Failure> {
        let extension = self.view.schema().extension();
        if extension.is_empty() || self.args.base.is_some() {
            return Ok(());
        }
        let mut record = b"\n".to_vec();
        ldif::write_dn(&mut record, SUBSCHEMA);
        extension.write_definitions(&mut record);
        self.out.write_all(&record).map_err(Failure::Output)
    }

    /// Writes an entry and those below it: parents first, as an import needs them.
    fn export(&mut self, top: EntryId, bar: &indicatif::ProgressBar) -> Result<(), Failure> {
        let mut pending = vec![top];
        while let Some(id) = pending.pop() {
            let (Some(node), Some(dn)) = (self.view.node(id)?, self.view.dn(id)?) else { continue };
            let mut record = b"\n".to_vec();
            ldif::write_dn(&mut record, dn.as_str());
            let left_out = if self.args.no_passwords { self.view.schema().secret() } else { &AttributeSet::EMPTY };
            write_entry(&mut record, &node.entry, left_out);
            if let (false, Some(credentials)) = (self.args.no_passwords, self.view.credentials(id)?) {
                write_entry(&mut record, &credentials.entry, left_out);
            }
            self.out.write_all(&record).map_err(Failure::Output)?;
            self.count += 1;
            bar.set_position(self.count);
            pending.extend(self.view.children(id, None, usize::MAX)?.into_iter().rev());
        }
        Ok(())
    }
}

fn write_entry(out: &mut Vec<u8>, entry: &Entry, left_out: &AttributeSet) {
    for attribute in entry.attributes().filter(|attribute| !left_out.contains(attribute.attribute_type)) {
        for value in attribute.values() {
            ldif::write_attribute(out, attribute.description(), value);
        }
    }
}
