//! Looking whether the conditions of a change hold, on disk and in the group that is being put together.

use std::sync::Arc;

use uuid::Uuid;

use super::{Node, Pending, Rejected, StoreError};
use crate::directory::AttributeTypeId;
use crate::directory::tree::Condition;
use crate::store::index::IndexKind;
use crate::store::key::Postings;
use crate::store::memo::ShortList;

impl Pending<'_> {
    pub(super) fn require(&self, condition: &Condition) -> Result<(), Rejected> {
        let holds = match condition {
            Condition::Unchanged { uuid, version } => return self.unchanged(*uuid, *version).map(drop),
            Condition::HeldOnlyBy { attribute_type, normal, holders } => {
                self.is_held_only_by(*attribute_type, normal, holders)?
            }
            Condition::SchemaIs(schema) => Arc::ptr_eq(schema, &self.schema),
            Condition::ExtensionUnusedSince(csn) => self.position.moment.extension_used <= *csn,
            Condition::NoEntryWrittenSince(csn) => self.position.moment.entry_written <= *csn,
        };
        if holds { Ok(()) } else { Err(Rejected::Conflict) }
    }

    fn is_held_only_by(
        &self,
        attribute_type: AttributeTypeId,
        normal: &[u8],
        holders: &[Uuid],
    ) -> Result<bool, StoreError> {
        if !self.view.indexes().has(attribute_type, IndexKind::Equality) {
            return Err(StoreError("a condition about an attribute without an equality index".to_owned()));
        }
        let form = self.view.schema().attribute_type(attribute_type).equality_or_fallback().normal_form();
        let holds = |node: &Node| {
            let mut values = node.entry.values(attribute_type);
            !holders.contains(&node.uuid) && values.any(|value| form.matches(self.view.schema(), value, normal))
        };
        for id in self.that_may_hold(&Postings::equality(attribute_type, normal))? {
            // Another value may share the hash, and the entry may be gone.
            if self.node(id)?.is_some_and(|node| holds(&node)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The entries of a posting list, with those that the group adds to it.
    fn that_may_hold(&self, postings: &Postings) -> Result<ShortList, StoreError> {
        let mut ids = self.view.listed(postings)?;
        ids.extend(self.overlay.gained.get(postings).into_iter().flatten().copied());
        Ok(ids)
    }
}
