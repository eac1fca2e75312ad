//! What a store keeps of the schema: the definitions that clients have added, and when the schema was changed.
//!
//! The schema changes by clients, and by a new configuration or release, which is noticed when the store is opened. So the
//! stamps that clients see tell of both, and of nothing else.

use std::hash::Hasher;
use std::sync::Arc;
use std::time::Duration;

use siphasher::sip::SipHasher13;

use super::engine::{Engine, Family};
use super::{OpenError, StoreError, format};
use crate::directory::schema::{Extension, SchemaError, SchemaErrorKind};
use crate::directory::{Schema, Timestamp};

/// The key of the record in the family `meta`.
pub(super) const KEY: &[u8] = b"schema";
/// What stands in front of the fingerprint.
const FINGERPRINT: &str = "# fingerprint ";

/// The configured schema with what the store adds to it. If it is another one than before, it was changed at `now`, or a
/// moment after the change before.
pub(super) fn extended(configured: &Schema, engine: &Engine, now: Timestamp) -> Result<Arc<Schema>, OpenError> {
    let text = engine.get(Family::Meta, KEY).map_err(|error| unreadable(&error))?;
    let Some(text) = text else {
        let extension = Extension { created: now, modified: now, ..Extension::default() };
        return Ok(Arc::new(configured.extended(extension)?));
    };
    let before = Extension::from_ldif(&text)?.without_defined(configured);
    let schema = configured.extended(before.clone())?;
    let kept = String::from_utf8_lossy(&text);
    let unchanged = kept.lines().any(|line| line.strip_prefix(FINGERPRINT) == Some(&fingerprint(&schema)));
    if unchanged {
        return Ok(Arc::new(schema));
    }
    let modified = now.max(before.modified.saturating_add(Duration::from_secs(1)));
    Ok(Arc::new(configured.extended(Extension { modified, modifier: String::new(), ..before })?))
}

fn unreadable(error: &StoreError) -> OpenError {
    OpenError::Schema(SchemaError {
        origin: "the store".to_owned(),
        definition: "the schema".to_owned(),
        kind: SchemaErrorKind::Ldif(error.to_string()),
    })
}

/// Writes the record, unless it is there already.
pub(super) fn keep(engine: &Engine, schema: &Schema) -> Result<(), StoreError> {
    let record = record(schema);
    match engine.get(Family::Meta, KEY)? {
        Some(kept) if kept == record => Ok(()),
        _ => format::put(engine, KEY, &record),
    }
}

/// The record for a schema.
pub(super) fn record(schema: &Schema) -> Vec<u8> {
    let mut record = format!("{FINGERPRINT}{}\n", fingerprint(schema)).into_bytes();
    record.extend(schema.extension().to_ldif());
    record
}

/// Tells a schema from others: two of the same fingerprint are published alike.
fn fingerprint(schema: &Schema) -> String {
    let published = schema.publish();
    let mut hasher = SipHasher13::new();
    let lists = [
        &published.attribute_types,
        &published.object_classes,
        &published.content_rules,
        &published.matching_rules,
        &published.matching_rule_use,
        &published.syntaxes,
    ];
    for text in lists.into_iter().flatten() {
        hasher.write(text.as_bytes());
        hasher.write_u8(0);
    }
    format!("{:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::super::testing::open_by;
    use super::super::{Existence, Store};
    use super::*;
    use crate::directory::schema::{DefinitionKind, SchemaBuilder};
    use crate::directory::tree::{Change, Condition, Directory, Write};

    const SIZE: &str = "( 1.3.6.1.4.1.99999.1.1 NAME 'shoeSize' SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 )";
    const FILE: &str = "attributeTypes: ( 1.3.6.1.4.1.99999.1.2 NAME 'weight' SUP name )";

    fn at(hour: u32) -> Timestamp {
        Timestamp::parse(format!("20260601{hour:02}0000Z").as_bytes()).unwrap()
    }

    /// Opens the store at that hour, with a schema file of the site's own.
    fn store(folder: &tempfile::TempDir, existence: Existence, hour: u32, file: &str) -> Store {
        let text = format!("dn: cn=schema\n{file}\n");
        let schema = |numbering| {
            let builder = SchemaBuilder::new().with_numbering(numbering).add_standard()?;
            if file.is_empty() { builder.build() } else { builder.add_foreign("site.ldif", &text)?.build() }
        };
        open_by(folder.path(), existence, at(hour), &schema).unwrap()
    }

    fn modified(store: &Store) -> Timestamp {
        store.view().schema().extension().modified
    }

    fn extend(store: &Store, hour: u32) {
        let before = Arc::clone(store.view().schema());
        let mut extension = before.extension().clone();
        extension.attribute_types.push(SIZE.to_owned());
        extension.modified = at(hour);
        let after = Arc::new(before.extended(extension).unwrap());
        let change = Change::of(vec![Write::SetSchema(after)], Vec::new());
        let change = Change { conditions: vec![Condition::SchemaIs(before)], ..change };
        store.commit(change).unwrap();
    }

    #[test]
    fn what_was_added_is_there_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let first = store(&folder, Existence::Forbidden, 1, "");
        assert_eq!(modified(&first), at(1));
        extend(&first, 2);
        let id = first.view().schema().find_attribute_type("shoeSize").unwrap().id;
        drop(first);
        let again = store(&folder, Existence::Required, 3, "");
        assert_eq!(again.view().schema().find_attribute_type("shoeSize").unwrap().id, id);
        assert_eq!((again.view().schema().extension().created, modified(&again)), (at(1), at(2)));
    }

    #[test]
    fn a_new_schema_file_is_a_change_and_a_restart_is_none() {
        let folder = tempfile::tempdir().unwrap();
        drop(store(&folder, Existence::Forbidden, 1, ""));
        assert_eq!(modified(&store(&folder, Existence::Required, 2, "")), at(1));
        assert_eq!(modified(&store(&folder, Existence::Required, 3, FILE)), at(3));
        assert_eq!(modified(&store(&folder, Existence::Required, 4, FILE)), at(3));
        // Even if the clock has been set back.
        let later = modified(&store(&folder, Existence::Required, 1, ""));
        assert_eq!(later, at(3).saturating_add(Duration::from_secs(1)));
    }

    #[test]
    fn a_definition_may_move_into_a_schema_file() {
        let folder = tempfile::tempdir().unwrap();
        let first = store(&folder, Existence::Forbidden, 1, "");
        extend(&first, 2);
        let id = first.view().schema().find_attribute_type("shoeSize").unwrap().id;
        drop(first);
        let moved = store(&folder, Existence::Required, 3, &format!("attributeTypes: {SIZE}"));
        let schema = Arc::clone(moved.view().schema());
        assert_eq!(schema.find_attribute_type("shoeSize").unwrap().id, id);
        assert!(
            schema.extension().is_empty() && schema.is_fixed(DefinitionKind::AttributeType, "1.3.6.1.4.1.99999.1.1")
        );
    }
}
