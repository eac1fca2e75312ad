//! Referential integrity: whoever names an entry names it by its new name when it is renamed, and no more when it is
//! deleted. Both happen in one change, which is not made if a reference has come up in the meantime.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

use uuid::Uuid;

use super::{IntegrityError, stored};
use crate::directory::schema::NormalForm;
use crate::directory::tree::{Change, Condition, EntryId, LogKind, Node, Write};
use crate::directory::{Attribute, AttributeTypeId, Attributes, Dn, Entry, Schema, ldif};
use crate::operations::{Context, Refusal};

/// The attributes whose values name entries, and follow them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct References {
    types: Vec<AttributeTypeId>,
    /// The one whose values stay when what they name is deleted.
    outliving: Option<AttributeTypeId>,
}

/// Those that follow unless the configuration names others.
const USUAL: &[&str] = &[
    "member",
    "uniqueMember",
    "owner",
    "manager",
    "secretary",
    "seeAlso",
    "roleOccupant",
    "aliasedObjectName",
    "pwdPolicySubentry",
    "pwdAppliesToGroup",
    "pwdAppliesToSubtree",
    "oathTOTPToken",
    "oathHOTPToken",
    "oathTOTPParams",
    "oathHOTPParams",
];

impl References {
    /// The attributes of these names.
    pub fn prepare(names: &[impl AsRef<str>], schema: &Schema) -> Result<Self, IntegrityError> {
        let find = |name: &str| {
            let attribute = stored(name, schema)?;
            match attribute.equality_or_fallback().normal_form() {
                NormalForm::Dn | NormalForm::NameAndUid => Ok(attribute.id),
                _ => Err(IntegrityError::NoReference(name.to_owned())),
            }
        };
        let types = names.iter().map(|name| find(name.as_ref())).collect::<Result<_, _>>()?;
        Ok(Self { types, outliving: None })
    }

    /// Those that follow unless the configuration names others. An alias cannot be without what it stands for, and keeps nobody
    /// from deleting that, so it stays and leads nowhere.
    pub fn usual(schema: &Schema) -> Self {
        let outliving = Some(schema.known().aliased_object_name);
        Self { outliving, ..Self::prepare(USUAL, schema).unwrap_or_default() }
    }

    /// The attributes; entries must be found quickly by each.
    pub fn attributes(&self) -> &[AttributeTypeId] {
        &self.types
    }
}

/// So much is written at once to have references follow, in octets.
const MOST_OCTETS: usize = 32 << 20;
/// So many values are looked at closely for it.
const MOST_VALUES: usize = 500_000;

/// What entries were called, and what they are called from now on.
#[derive(Debug, Default)]
pub(in crate::operations) struct Renames {
    /// By the key of the old name: the new one, or nothing for an entry that is deleted.
    by_key: HashMap<Box<[u8]>, Option<Box<str>>>,
    /// The keys of old names by their usual spelling, which is that of most references.
    by_text: HashMap<Box<str>, Box<[u8]>>,
}

impl Renames {
    /// The entries of these names are deleted.
    pub(in crate::operations) fn deleted<'d>(names: impl Iterator<Item = &'d Dn>) -> Self {
        let mut renames = Self::default();
        names.for_each(|name| renames.add(name, None));
        renames
    }

    /// Entries get other names: the old and the new one of each.
    pub(in crate::operations) fn given<'d>(names: impl Iterator<Item = (&'d Dn, &'d Dn)>) -> Self {
        let mut renames = Self::default();
        for (old, new) in names {
            renames.add(old, Some(new.as_str().into()));
        }
        renames
    }

    fn add(&mut self, old: &Dn, new: Option<Box<str>>) {
        self.by_text.insert(old.as_str().into(), old.key().into());
        self.by_key.insert(old.key().into(), new);
    }

    /// The old name that a value spells as its entry does.
    fn spelled(&self, value: &[u8]) -> Option<&[u8]> {
        self.by_text.get(std::str::from_utf8(value).ok()?).map(AsRef::as_ref)
    }

    /// For each of the values, the key of the old name that it is. No name stands twice in an attribute, but with different
    /// bit strings behind it; so when all have been found, which is mostly so by their spelling alone, it is looked no closer.
    fn find<'r>(&'r self, values: &[Vec<u8>], form: NormalForm, schema: &Schema) -> Vec<Option<&'r [u8]>> {
        let mut found: Vec<_> = values.iter().map(|value| self.spelled(form.name_in(value))).collect();
        let may_repeat = form == NormalForm::NameAndUid;
        let mut missing = self.by_key.len().saturating_sub(found.iter().flatten().count());
        for (found, value) in found.iter_mut().zip(values).filter(|(found, _)| found.is_none()) {
            if missing == 0 && !may_repeat {
                break;
            }
            let normal = form.of_value(schema, form.name_in(value)).ok();
            *found = normal.and_then(|normal| self.by_key.get_key_value(normal.as_ref())).map(|(key, _)| key.as_ref());
            missing = missing.saturating_sub(usize::from(found.is_some()));
        }
        found
    }
}

impl Context<'_> {
    /// Has the references within one entry follow; what was changed is told as lines of LDIF.
    pub(in crate::operations) fn follow(&self, renames: &Renames, attributes: &mut Attributes) -> String {
        let mut lines = Vec::new();
        for id in self.services.integrity.references.attributes() {
            let form = self.schema().attribute_type(*id).equality_or_fallback().normal_form();
            let of_type: Vec<_> =
                attributes.iter().filter(|one| one.description.attribute_type == *id).cloned().collect();
            for attribute in of_type {
                if let Some(values) = follow_in(self, &attribute, form, renames, &mut lines) {
                    *attributes.values_mut(&attribute.description) = values;
                }
            }
        }
        attributes.prune();
        String::from_utf8(lines).unwrap_or_default()
    }

    /// Adds to a change what has all other entries follow. `subjects` are what the change itself writes or deletes; their
    /// own references are the caller's to look after.
    pub(in crate::operations) fn follow_elsewhere(
        &self,
        renames: &Renames,
        subjects: &[EntryId],
        change: &mut Change,
    ) -> Result<(), Refusal> {
        let subjects = subjects.iter().copied().collect();
        let left = Left { octets: MOST_OCTETS, values: MOST_VALUES };
        let mut following = Following { ctx: self, renames, subjects, followed: BTreeMap::new(), left };
        for attribute_type in self.services.integrity.references.attributes().iter().copied() {
            for normal in renames.by_key.keys().cloned() {
                let holders = following.holders_follow(attribute_type, &normal, change)?;
                change.conditions.push(Condition::HeldOnlyBy { attribute_type, normal, holders });
            }
        }
        Ok(())
    }

    fn follow_in_entry(&self, renames: &Renames, node: &Node, change: &mut Change) -> Result<(), Refusal> {
        let references = self.services.integrity.references.attributes();
        let mut attributes = node.entry.decode();
        let lines = self.follow(renames, &mut attributes);
        if lines.is_empty() {
            // Another name has the same hash in the index.
            return Ok(());
        }
        let lost = |id: &&AttributeTypeId| node.entry.has(**id) && !attributes.has(**id);
        // Without its token an account would be open to the password alone, or to nobody.
        let of_tokens = self.schema().known().of_tokens();
        let is_needed = |id: &AttributeTypeId| of_tokens.contains(id) || self.schema().requires(&attributes, *id);
        if references.iter().filter(lost).any(is_needed) {
            return Err(Refusal::StillNamed);
        }
        if self.narrows_less(&node.entry, &attributes) {
            return Err(Refusal::Unwilling(
                "a password policy says by this entry, and by more than that, whom it governs, and would govern others without it: \
                 take it out of the policy first, or say there by what else",
            ));
        }
        self.stamp_changed(&mut attributes);
        let entry = Entry::encode(&attributes, self.schema());
        if entry.octets().len() > self.services.limits.entry_octets {
            return Err(Refusal::AdminLimit("an entry that names this one would become larger than this server takes"));
        }
        change.writes.push(Write::Replace { uuid: node.uuid, version: node.version, entry });
        let dn = self.tree.dn(node.id)?.ok_or(Refusal::Busy)?;
        change.log.push(self.log(LogKind::Modify, dn.as_str(), node.uuid, lines));
        Ok(())
    }

    /// Whether a policy has lost a kind of condition and not all: it would govern all for whom the rest holds. One that has lost
    /// all says of nobody any more that it governs them.
    fn narrows_less(&self, before: &Entry, after: &Attributes) -> bool {
        let known = self.schema().known();
        let kinds = [known.pwd_applies_to_group, known.pwd_applies_to_subtree, known.pwd_applies_to_filter];
        kinds.iter().any(|id| before.has(*id) && !after.has(*id)) && kinds.iter().any(|id| after.has(*id))
    }
}

/// Entries that follow, one after another.
struct Following<'f> {
    ctx: &'f Context<'f>,
    renames: &'f Renames,
    subjects: HashSet<EntryId>,
    followed: BTreeMap<EntryId, Uuid>,
    left: Left,
}

impl Following<'_> {
    /// Has the entries that may hold an old name follow, and tells who they are.
    fn holders_follow(&mut self, id: AttributeTypeId, old: &[u8], change: &mut Change) -> Result<Vec<Uuid>, Refusal> {
        let mut holders = Vec::new();
        for holder in self.ctx.that_may_hold(id, old)? {
            let known = self.followed.get(&holder).copied();
            let uuid = if known.is_some() { known } else { self.entry_follows(holder, change)? };
            holders.extend(uuid);
        }
        Ok(holders)
    }

    fn entry_follows(&mut self, id: EntryId, change: &mut Change) -> Result<Option<Uuid>, Refusal> {
        let Some(node) = self.ctx.tree.node(id)? else { return Ok(None) };
        self.followed.insert(id, node.uuid);
        if !self.subjects.contains(&id) {
            self.left.take(&node, self.ctx.services.integrity.references.attributes())?;
            self.ctx.follow_in_entry(self.renames, &node, change)?;
        }
        Ok(Some(node.uuid))
    }
}

/// What is left of the bounds.
struct Left {
    octets: usize,
    values: usize,
}

impl Left {
    fn take(&mut self, node: &Node, references: &[AttributeTypeId]) -> Result<(), Refusal> {
        let values = references.iter().map(|id| node.entry.values(*id).count()).sum();
        let octets = node.entry.octets().len();
        match (self.octets.checked_sub(octets), self.values.checked_sub(values)) {
            (Some(octets), Some(values)) => {
                *self = Self { octets, values };
                Ok(())
            }
            _ => {
                Err(Refusal::AdminLimit("so many entries name this one, or one below it, that they cannot all follow"))
            }
        }
    }
}

/// The values of an attribute when its references have followed; `None` if none had to. A name that would then stand there
/// twice stands there once.
fn follow_in(
    ctx: &Context<'_>,
    attribute: &Attribute,
    form: NormalForm,
    renames: &Renames,
    lines: &mut Vec<u8>,
) -> Option<Vec<Vec<u8>>> {
    let found = renames.find(&attribute.values, form, ctx.schema());
    let stay = || attribute.values.iter().zip(&found).filter(|(_, found)| found.is_none()).map(|(value, _)| value);
    let mut taken: Option<HashSet<Vec<u8>>> = None;
    let mut is_new = |name: &Vec<u8>| {
        let normal = |value: &[u8]| form.of_value(ctx.schema(), value).map(Cow::into_owned).ok();
        let taken = taken.get_or_insert_with(|| stay().filter_map(|value| normal(value)).collect());
        normal(name).is_some_and(|normal| taken.insert(normal))
    };
    let outlives = ctx.services.integrity.references.outliving == Some(attribute.description.attribute_type);
    let (mut values, mut gone, mut new) = (Vec::new(), Vec::new(), Vec::new());
    for (value, found) in attribute.values.iter().zip(&found) {
        let Some(key) = found else {
            values.push(value.clone());
            continue;
        };
        let name = renames.by_key.get(*key)?.as_deref();
        if name.is_none() && outlives {
            values.push(value.clone());
            continue;
        }
        let bits = value.get(form.name_in(value).len()..).unwrap_or_default();
        let successor = name.map(|name| [name.as_bytes(), bits].concat()).filter(&mut is_new);
        if successor.as_ref() != Some(value) {
            gone.push(value.as_slice());
            new.extend(successor.clone());
        }
        values.extend(successor);
    }
    if gone.is_empty() {
        return None;
    }
    let name = attribute.description.to_text(ctx.schema());
    put_lines(lines, "delete", &name, &gone);
    put_lines(lines, "add", &name, &new.iter().map(Vec::as_slice).collect::<Vec<_>>());
    Some(values)
}

fn put_lines(lines: &mut Vec<u8>, verb: &str, name: &str, values: &[&[u8]]) {
    if values.is_empty() {
        return;
    }
    ldif::write_attribute(lines, verb, name.as_bytes());
    for value in values {
        ldif::write_attribute(lines, name, value);
    }
    lines.extend_from_slice(b"-\n");
}
