//! Uniqueness: no two entries share a value. Two that are added at the same moment do not either, since the change says
//! who may have the value when it is made.

use uuid::Uuid;

use super::extent::{Extent, State};
use super::{IntegrityError, gains, stored};
use crate::directory::tree::{Condition, Node};
use crate::directory::{AttributeTypeId, Dn, Entry, Schema};
use crate::operations::{Context, Refusal};

/// What shall be unique, as the configuration has it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct UniqueText {
    /// The names of the attributes; each by itself is unique.
    pub attributes: Vec<String>,
    /// Where; below each suffix if it is left out.
    pub base: Option<String>,
    /// Among which entries; all if it is left out.
    pub filter: Option<String>,
}

/// What no two entries share.
#[derive(Clone, Debug, Default)]
pub struct Uniqueness(Vec<Unique>);

/// Attributes whose values no two entries of some kind share.
#[derive(Clone, Debug)]
pub struct Unique {
    attributes: Vec<AttributeTypeId>,
    extent: Extent,
}

/// Unique below each suffix unless the configuration says otherwise: people are known by these.
const USUAL: &[&str] = &["uid", "mail"];

impl Uniqueness {
    /// All of these.
    pub fn prepare(list: &[UniqueText], schema: &Schema) -> Result<Self, IntegrityError> {
        list.iter().map(|text| Unique::prepare(text, schema)).collect::<Result<_, _>>().map(Self)
    }

    /// What is unique unless the configuration says otherwise.
    pub fn usual(schema: &Schema) -> Self {
        let attributes = USUAL.iter().map(|&name| name.to_owned()).collect();
        Self::prepare(&[UniqueText { attributes, ..UniqueText::default() }], schema).unwrap_or_default()
    }

    /// The attributes; entries must be found quickly by each.
    pub fn attributes(&self) -> impl Iterator<Item = AttributeTypeId> {
        self.0.iter().flat_map(|unique| &unique.attributes).copied()
    }

    /// Whether a change to the attribute may make two entries share a value.
    pub(in crate::operations) fn depends_on(&self, id: AttributeTypeId) -> bool {
        self.0.iter().any(|unique| unique.extent.filter.is_some() || unique.attributes.contains(&id))
    }

    /// Whether something is demanded at a name that is not at another.
    pub(in crate::operations) fn differs(&self, old: &Dn, new: &Dn) -> bool {
        self.0.iter().any(|unique| unique.extent.differs(old, new))
    }
}

impl Unique {
    /// Makes it of its text.
    pub fn prepare(text: &UniqueText, schema: &Schema) -> Result<Self, IntegrityError> {
        Ok(Self {
            attributes: text
                .attributes
                .iter()
                .map(|name| stored(name, schema).map(|attribute| attribute.id))
                .collect::<Result<_, _>>()?,
            extent: Extent::prepare(text.base.as_deref(), text.filter.as_deref(), schema)?,
        })
    }
}

/// What an entry becomes.
#[derive(Clone, Copy, Debug)]
pub(in crate::operations) struct Transition<'s> {
    pub(in crate::operations) uuid: Uuid,
    /// What it is now; nothing for an entry that is being added.
    pub(in crate::operations) before: Option<State<'s>>,
    pub(in crate::operations) after: State<'s>,
}

impl Context<'_> {
    /// Requires that what an entry becomes breaks no constraint, and that nobody else has a value that it gains; says on which
    /// conditions that stays so.
    pub(in crate::operations) fn require_integrity(
        &self,
        entry: Transition<'_>,
        conditions: &mut Vec<Condition>,
    ) -> Result<(), Refusal> {
        self.services.integrity.constraints.require(entry.before, entry.after, self.schema())?;
        self.require_unique(entry, conditions)
    }

    /// Requires that nobody else has a value that an entry gains, and says on which conditions that stays so.
    fn require_unique(&self, entry: Transition<'_>, conditions: &mut Vec<Condition>) -> Result<(), Refusal> {
        let Transition { before, after, .. } = entry;
        for unique in self.services.integrity.unique.0.iter().filter(|unique| unique.extent.reaches(after.dn)) {
            let was_concerned = before.is_some_and(|before| unique.extent.concerns(before, self.schema()));
            let known = before.filter(|_| was_concerned).map(|before| before.entry);
            for id in unique.attributes.iter().filter(|id| gains(known, after.entry, **id)) {
                if unique.extent.concerns(after, self.schema()) {
                    self.require_unique_values(unique, *id, known, (entry, conditions))?;
                }
            }
        }
        Ok(())
    }

    /// The same for one attribute. `known` is what the entry has held under the same demand.
    fn require_unique_values(
        &self,
        unique: &Unique,
        id: AttributeTypeId,
        known: Option<&Entry>,
        (entry, conditions): (Transition<'_>, &mut Vec<Condition>),
    ) -> Result<(), Refusal> {
        let attribute = self.schema().attribute_type(id);
        let form = attribute.equality_or_fallback().normal_form();
        for value in entry.after.entry.values(id) {
            let Ok(normal) = form.of_value(self.schema(), value) else { continue };
            if known.is_some_and(|known| known.values(id).any(|own| form.matches(self.schema(), own, &normal))) {
                continue;
            }
            let mut holders = vec![entry.uuid];
            for holder in self.tree.equal(id, &normal)? {
                let Some(node) = self.tree.node(holder)?.filter(|node| node.uuid != entry.uuid) else { continue };
                if self.shares(unique, &node, entry.after.dn)? {
                    return Err(Refusal::NotUnique(attribute.name().to_owned()));
                }
                holders.push(node.uuid);
                self.require_unchanged(&node, conditions)?;
            }
            let normal = normal.into_owned().into();
            conditions.push(Condition::HeldOnlyBy { attribute_type: id, normal, holders });
        }
        Ok(())
    }

    /// Whether a demand holds between an entry and one called `dn`.
    fn shares(&self, unique: &Unique, node: &Node, dn: &Dn) -> Result<bool, Refusal> {
        let own = self.tree.dn(node.id)?.ok_or(Refusal::Busy)?;
        let suffix = |dn: &Dn| self.tree.suffixes().iter().position(|suffix| dn.is_within(suffix));
        let together = unique.extent.base.is_some() || suffix(&own) == suffix(dn);
        Ok(together && unique.extent.concerns(State { dn: &own, entry: &node.entry }, self.schema()))
    }

    /// An entry that has the value, and to which the demand does not extend, stays what and where it is.
    fn require_unchanged(&self, node: &Node, conditions: &mut Vec<Condition>) -> Result<(), Refusal> {
        let mut at = Some(node.clone());
        while let Some(node) = at {
            conditions.push(Condition::Unchanged { uuid: node.uuid, version: node.version });
            at = node.parent.map(|parent| self.tree.node(parent)).transpose()?.flatten();
        }
        Ok(())
    }
}
