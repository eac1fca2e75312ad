//! What became of what was in an LDIF file. It names attributes and entries, and never a value.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::cli::{CliError, files, output};
use crate::directory::migration::{Fate, Note, Origin};
use crate::directory::{AttributeTypeId, Schema};

/// Counts what happened, and writes it line by line where that is wanted.
pub(super) struct Report {
    schema: Arc<Schema>,
    /// How many values of each operational attribute came along as they were.
    kept: BTreeMap<AttributeTypeId, u64>,
    /// How often each thing happened.
    notes: BTreeMap<Note, u64>,
    /// Why whole entries were left out, and how many.
    entries: BTreeMap<&'static str, u64>,
    lines: Option<(PathBuf, BufWriter<File>)>,
}

impl Report {
    /// Begins a report; the file is for its owner alone, since it says who is there.
    pub(super) fn open(path: Option<&Path>, schema: &Arc<Schema>) -> Result<Self, CliError> {
        let open = |path: &Path| {
            files::write_private(path, b"")?;
            let file = OpenOptions::new().append(true).open(path);
            let file = file.map_err(|cause| CliError::File { path: path.to_owned(), cause })?;
            Ok::<_, CliError>((path.to_owned(), BufWriter::new(file)))
        };
        let lines = path.map(open).transpose()?;
        let schema = Arc::clone(schema);
        Ok(Self { schema, kept: BTreeMap::new(), notes: BTreeMap::new(), entries: BTreeMap::new(), lines })
    }

    /// What became of an entry that was imported.
    pub(super) fn entry(
        &mut self,
        line: usize,
        dn: &str,
        notes: Vec<Note>,
        kept: &[AttributeTypeId],
    ) -> Result<(), String> {
        for id in kept {
            *self.kept.entry(*id).or_default() += 1;
        }
        for note in notes {
            if !note.is_routine() {
                let Note { fate, what, words } = &note;
                write(&mut self.lines, format_args!("line {line}: {dn}: {what}: {}: {words}\n", verb(*fate)))?;
            }
            *self.notes.entry(note).or_default() += 1;
        }
        Ok(())
    }

    /// An entry that was not.
    pub(super) fn entry_left_out(&mut self, line: usize, dn: &str, why: &'static str) -> Result<(), String> {
        *self.entries.entry(why).or_default() += 1;
        write(&mut self.lines, format_args!("line {line}: {dn}: the whole entry: left out: {why}\n"))
    }

    /// Says the sums. What was kept is told of an export of another server only: of our own that is everything.
    pub(super) fn finish(mut self, origin: Option<Origin>) -> Result<(), CliError> {
        if let Some((path, lines)) = &mut self.lines {
            lines.flush().map_err(|cause| CliError::File { path: path.clone(), cause })?;
        }
        if origin.is_some() && !self.kept.is_empty() {
            let name = |id| self.schema.attribute_type(id).name();
            let kept: Vec<_> = self.kept.iter().map(|(id, count)| format!("{} ({count})", name(*id))).collect();
            output::say(&format!("Kept, beside what users write: {}.", kept.join(", ")));
        }
        for (why, count) in &self.entries {
            output::say(&format!("Left out: {count} whole entries: {why}."));
        }
        for (Note { fate, what, words }, count) in &self.notes {
            let verb = verb(*fate);
            output::say(&format!("{}{}: {what} ({count}): {words}.", verb[..1].to_uppercase(), &verb[1..]));
        }
        if let Some((path, _)) = &self.lines {
            output::say(&format!("Line by line, it is in {}.", path.display()));
        }
        Ok(())
    }
}

const fn verb(fate: Fate) -> &'static str {
    match fate {
        Fate::Translated => "translated",
        Fate::LeftOut => "left out",
        Fate::Unusable => "unusable",
        Fate::Undated => "without a time",
    }
}

fn write(lines: &mut Option<(PathBuf, BufWriter<File>)>, text: std::fmt::Arguments<'_>) -> Result<(), String> {
    let Some((path, lines)) = lines else { return Ok(()) };
    lines.write_fmt(text).map_err(|error| format!("{}: {error}", path.display()))
}
