//! Definitions at the beginning of an LDIF file, as `keystead export` writes them.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::cli::{CliError, open_store, output};
use crate::config::Config;
use crate::directory::ldif::{Reader, Record};
use crate::directory::schema::definition::first_component;
use crate::directory::schema::{DefinitionKind, Extension, Schema, read_addition};
use crate::directory::tree::{Change, Condition, Directory, Tree, Write};
use crate::operations::root_dse::SUBSCHEMA;
use crate::server::Clock;
use crate::store::Existence;

/// Whether a file begins with definitions.
pub(super) fn begins(ldif: &Path) -> Result<bool, CliError> {
    Ok(first(ldif)?.is_some_and(|record| record.dn.eq_ignore_ascii_case(SUBSCHEMA)))
}

/// What is wrong with the first record is told when it is imported.
fn first(ldif: &Path) -> Result<Option<Record>, CliError> {
    let file = File::open(ldif).map_err(|cause| CliError::File { path: ldif.to_owned(), cause })?;
    Ok(Reader::new(BufReader::new(file)).next().and_then(Result::ok))
}

/// Adds the definitions that a file begins with to those of the directory. What is defined already stays as it is.
pub(super) fn extend(config: &Config, ldif: &Path) -> Result<(), CliError> {
    let Some(record) = first(ldif)? else { return Ok(()) };
    let store = open_store(config, Existence::Required)?;
    let view = store.view();
    let before = Tree::schema(&view);
    let message = |error: &dyn std::fmt::Display| CliError::Message(format!("line {}: {error}", record.line));
    let mut brought = Extension::default();
    for (name, value) in record.attributes() {
        brought.take(name, value);
    }
    let mut extension = before.extension().clone();
    let mut count = 0;
    for kind in DefinitionKind::ALL {
        let own = extension.texts_mut(kind);
        for text in brought.texts(kind) {
            let (oid, text) = read_addition(text).map_err(|error| message(&error))?;
            if !is_defined(kind, &oid, own, before) {
                own.push(text);
                count += 1;
            }
        }
    }
    if count == 0 {
        return Ok(());
    }
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

fn is_defined(kind: DefinitionKind, oid: &str, own: &[String], schema: &Schema) -> bool {
    schema.is_fixed(kind, oid)
        || own.iter().any(|text| first_component(text.as_bytes()).is_some_and(|other| other == oid))
}
