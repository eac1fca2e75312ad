//! Definitions at the beginning of an LDIF file, as `keystead export` writes them.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::cli::{CliError, open_store, output};
use crate::config::{Config, ConfigError};
use crate::directory::ldif::Reader;
use crate::directory::schema::{Extension, Schema};
use crate::directory::tree::{Change, Condition, Directory, Tree, Write};
use crate::operations::root_dse::SUBSCHEMA;
use crate::server::Clock;
use crate::store::{Existence, IndexedAttribute};

/// The definitions that a file begins with.
pub(super) struct Definitions {
    line: usize,
    extension: Extension,
}

impl Definitions {
    /// Reads them, if the file begins with any. What is wrong with its first record is told when it is imported.
    pub(super) fn read(ldif: &Path) -> Result<Option<Self>, CliError> {
        let file = File::open(ldif).map_err(|cause| CliError::File { path: ldif.to_owned(), cause })?;
        let first = Reader::new(BufReader::new(file)).next().and_then(Result::ok);
        let Some(record) = first.filter(|record| record.dn.eq_ignore_ascii_case(SUBSCHEMA)) else { return Ok(None) };
        let mut extension = Extension::default();
        for (name, value) in record.attributes() {
            extension.take(name, value);
        }
        Ok(Some(Self { line: record.line, extension }))
    }

    /// Reads a configuration, which may name what is defined here.
    pub(super) fn configure(&self, path: &Path) -> Result<Config, ConfigError> {
        Config::read_before(path, &self.extension)
    }

    /// Adds them to those of the directory. What is defined already stays as it is.
    pub(super) fn take_in(&self, config: &Config) -> Result<(), CliError> {
        let message = |error: &dyn std::fmt::Display| CliError::Message(format!("line {}: {error}", self.line));
        let Some(stored) = config.stored_schema()? else { return Ok(()) };
        let mut extension = stored.with_additions(&self.extension).map_err(|error| message(&error))?;
        let count = extension.all().count() - stored.extension().all().count();
        if count == 0 {
            return Ok(());
        }
        // Indexes of what is defined here are made when it is.
        let store = open_store(&without_indexes_beyond(&stored, config), Existence::Required)?;
        let view = store.view();
        let before = Tree::schema(&view);
        let next = extension.modified.saturating_add(Duration::from_secs(1));
        extension.modified = Clock::default().now().max(next).whole_seconds();
        extension.modifier = String::new();
        let after = before.extended(extension).map_err(|error| message(&error))?;
        let change = Change {
            conditions: vec![Condition::SchemaIs(Arc::clone(before))],
            ..Change::of(vec![Write::SetSchema(Arc::new(after))], Vec::new())
        };
        store.commit(change).map_err(|error| message(&error))?;
        output::say(&format!("{count} definitions were added to the schema."));
        Ok(())
    }
}

/// The same configuration, with those indexes only that the schema has attributes for.
fn without_indexes_beyond(schema: &Schema, config: &Config) -> Config {
    let possible =
        |list: &Vec<IndexedAttribute>| list.iter().filter(|one| one.check(schema).is_ok()).cloned().collect();
    Config { indexes: config.indexes.as_ref().map(possible), ..config.clone() }
}
