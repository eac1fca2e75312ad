//! What must hold of entries that a change does not write.

use uuid::Uuid;

use super::Version;
use crate::directory::AttributeTypeId;

/// What must still hold of entries that a change does not write, or it is not made and is planned again. It is looked at
/// before anything of the change is written, by the one who writes all changes, so nothing can come in between.
#[derive(Clone, PartialEq, Eq, Debug)]
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
}
