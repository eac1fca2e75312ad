//! What must hold of entries that a change does not write.

use std::sync::Arc;

use uuid::Uuid;

use super::Version;
use crate::directory::{AttributeTypeId, Csn, Schema};

/// What must still hold of entries that a change does not write, or it is not made and is planned again. It is looked at
/// before anything of the change is written, by the one who writes all changes, so nothing can come in between.
#[derive(Clone, Debug)]
pub enum Condition {
    /// Nobody but these has, in an attribute of the type, a value of that normal form.
    HeldOnlyBy {
        /// The attribute type, which has an equality index where there are indexes.
        attribute_type: AttributeTypeId,
        /// The normal form of the value.
        normal: Box<[u8]>,
        /// Those who may have it.
        holders: Vec<Uuid>,
    },
    /// The entry still has that version.
    Unchanged {
        /// The entry.
        uuid: Uuid,
        /// The version that was read.
        version: Version,
    },
    /// The schema is still the one that the change was planned by.
    SchemaIs(Arc<Schema>),
    /// Since then, no entry was written that has something of the schema's [extension](crate::directory::schema::Extension).
    ExtensionUnusedSince(Csn),
    /// Since then, no entry was written.
    NoEntryWrittenSince(Csn),
}
