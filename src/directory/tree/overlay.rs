//! A tree as it will be when changes have been made that have not been made yet, so that what comes behind them can be
//! planned.
//!
//! All of them together become one [`Change`]. What one of them has written has the version [`SAME_CHANGE`], and new entries
//! have numbers that no entry has and that mean nothing elsewhere.

mod pending;

use std::ops::RangeInclusive;
use std::sync::Arc;

use uuid::Uuid;

use pending::{Now, Pending};

use super::{
    Candidates, Change, CommitError, Condition, Credentials, EntryId, Found, LoggedChange, Node, Place, Plan,
    PlanBudget, SAME_CHANGE, Tree, TreeError, Version, Write,
};
use crate::directory::filter::Matcher;
use crate::directory::{AttributeTypeId, Csn, Dn, Entry, Rdn, Schema};

/// New entries have numbers from here on.
const FIRST_NEW: u32 = u32::MAX - (1 << 24);
/// And so far, so that those of a change that comes on top have room.
const MOST_NEW: u32 = u32::MAX - (1 << 20);
/// So many writes are one change at most.
const MOST_WRITES: usize = 20_000;
/// So many octets of entries are written at most.
const MOST_OCTETS: usize = 64 << 20;
/// So many octets of entries are written one after another, those included that are written over.
const MOST_WORK: usize = 256 << 20;

/// A tree, and changes that are to be made to it.
#[derive(Clone)]
pub struct Overlay<'t> {
    base: &'t dyn Tree,
    pending: Pending,
    /// New entries have numbers behind this.
    first: u32,
    change: Change,
    octets: usize,
    work: usize,
}

impl std::fmt::Debug for Overlay<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Overlay").field("writes", &self.change.writes.len()).finish_non_exhaustive()
    }
}

impl<'t> Overlay<'t> {
    /// A tree without changes.
    pub fn new(base: &'t dyn Tree) -> Result<Self, TreeError> {
        // Below there may be changes that are to be made as well, with new entries of their own.
        let mut first = FIRST_NEW;
        while let Some(last) = base.nodes_after(Some(EntryId(first)), MOST_WRITES)?.last() {
            first = last.id.0;
        }
        if first > MOST_NEW {
            return Err(TreeError::new("planning a transaction", "the numbers of entries are used up"));
        }
        Ok(Self { base, pending: Pending::new(first), first, change: Change::none(), octets: 0, work: 0 })
    }

    /// Adds a change that was planned on this tree. If it cannot be made, all of them cannot.
    pub fn apply(&mut self, change: Change) -> Result<(), CommitError> {
        for condition in change.conditions {
            self.require(condition).map_err(|error| unreadable(&error))??;
        }
        for write in change.writes {
            self.write(&write).map_err(|error| unreadable(&error))??;
            self.keep(write)?;
        }
        self.change.log.extend(change.log);
        self.change.events.extend(change.events);
        Ok(())
    }

    /// All changes as one, on the conditions that hold of the tree without them.
    pub fn into_change(self) -> Change {
        self.change
    }

    /// Takes over a condition, as far as it is about what others may change meanwhile.
    fn require(&mut self, condition: Condition) -> Result<Result<(), CommitError>, TreeError> {
        match condition {
            Condition::Unchanged { uuid, version } => {
                if self.unchanged(uuid, version)?.is_none() {
                    return Ok(Err(CommitError::Conflict));
                }
                if version != SAME_CHANGE {
                    self.change.conditions.push(condition);
                }
            }
            Condition::HeldOnlyBy { attribute_type, normal, mut holders } => {
                for id in self.equal(attribute_type, &normal)? {
                    if self.node(id)?.is_some_and(|node| !holders.contains(&node.uuid)) {
                        return Ok(Err(CommitError::Conflict));
                    }
                }
                // Who has it no more by a change before still has it when conditions are looked at.
                for id in self.base.equal(attribute_type, &normal)? {
                    if self.pending.has(id) {
                        holders.extend(self.base.node(id)?.map(|node| node.uuid));
                    }
                }
                self.change.conditions.push(Condition::HeldOnlyBy { attribute_type, normal, holders });
            }
            Condition::SchemaIs(_) | Condition::ExtensionUnusedSince(_) | Condition::NoEntryWrittenSince(_) => {
                self.change.conditions.push(condition);
            }
        }
        Ok(Ok(()))
    }

    fn write(&mut self, write: &Write) -> Result<Result<(), CommitError>, TreeError> {
        let made = match write {
            Write::Insert { uuid, place, entry, credentials } => {
                self.insert(*uuid, place, entry, credentials.as_ref())?
            }
            Write::Replace { uuid, version, entry } => self.unchanged(*uuid, *version)?.map(|node| {
                self.put(Node { entry: entry.clone(), ..node.clone() }, Some(&node));
            }),
            Write::Move { uuid, version, place, entry } => self.move_entry((*uuid, *version), place, entry)?,
            Write::Remove { uuid, version } => self.remove(*uuid, *version)?,
            Write::SetCredentials { uuid, version, credentials } => {
                self.set_credentials(*uuid, *version, credentials)?
            }
            // Nothing could be planned on another schema here.
            Write::SetSchema(_) => None,
        };
        Ok(made.ok_or(CommitError::Conflict))
    }

    fn insert(
        &mut self,
        uuid: Uuid,
        place: &Place,
        entry: &Entry,
        credentials: Option<&Entry>,
    ) -> Result<Option<()>, TreeError> {
        if self.find_uuid(uuid)?.is_some() {
            return Ok(None);
        }
        let Some((parent, rdn, key)) = self.free_name(place)? else { return Ok(None) };
        let id = self.pending.next_id();
        self.pending.set_name(parent, &key, Some(id));
        self.put(Node { id, uuid, parent, version: SAME_CHANGE, rdn, entry: entry.clone() }, None);
        self.pending.set_credentials(id, credentials.cloned());
        Ok(Some(()))
    }

    fn move_entry(
        &mut self,
        (uuid, version): (Uuid, Version),
        place: &Place,
        entry: &Entry,
    ) -> Result<Option<()>, TreeError> {
        let Some(node) = self.unchanged(uuid, version)? else { return Ok(None) };
        self.leave_name(&node);
        let Some((parent, rdn, key)) = self.free_name(place)? else { return Ok(None) };
        if let Some(parent) = parent
            && self.is_within(parent, node.id)?
        {
            return Ok(None);
        }
        self.pending.set_name(parent, &key, Some(node.id));
        self.pending.note_move();
        self.put(Node { parent, rdn, entry: entry.clone(), ..node.clone() }, Some(&node));
        Ok(Some(()))
    }

    fn remove(&mut self, uuid: Uuid, version: Version) -> Result<Option<()>, TreeError> {
        let Some(node) = self.unchanged(uuid, version)? else { return Ok(None) };
        if self.has_children(node.id)? {
            return Ok(None);
        }
        self.leave_name(&node);
        self.note_policies(&node.entry);
        self.pending.remove(&node);
        Ok(Some(()))
    }

    fn set_credentials(&mut self, uuid: Uuid, version: Version, credentials: &Entry) -> Result<Option<()>, TreeError> {
        let Some(id) = self.find_uuid(uuid)? else { return Ok(None) };
        if self.credentials(id)?.map_or(0, |own| own.version) != version {
            return Ok(None);
        }
        self.pending.set_credentials(id, Some(credentials.clone()));
        Ok(Some(()))
    }

    fn put(&mut self, node: Node, old: Option<&Node>) {
        if let Some(old) = old {
            self.note_policies(&old.entry);
        }
        self.note_policies(&node.entry);
        self.pending.put(Node { version: SAME_CHANGE, ..node }, old);
    }

    fn note_policies(&mut self, entry: &Entry) {
        let selecting = self.base.schema().known().selecting();
        if entry.attributes().any(|one| selecting.contains(&one.attribute_type)) {
            self.pending.note_policies();
        }
    }

    /// The entry, if it still has the version that was read.
    fn unchanged(&self, uuid: Uuid, version: Version) -> Result<Option<Node>, TreeError> {
        let node = self.find_uuid(uuid)?.map(|id| self.node(id)).transpose()?.flatten();
        Ok(node.filter(|node| node.version == version))
    }

    /// A place whose name is free, below an entry that exists.
    fn free_name(&self, place: &Place) -> Result<Option<Named>, TreeError> {
        let (parent, rdn, key): (_, Arc<str>, &[u8]) = match place {
            Place::Suffix(dn) => (None, dn.as_str().into(), dn.key()),
            Place::Below { parent, rdn, key } => {
                let Some(parent) = self.find_uuid(*parent)? else { return Ok(None) };
                (Some(parent), (**rdn).into(), key)
            }
        };
        let is_free = self.named(parent, &rdn, key)?.is_none();
        Ok(is_free.then(|| (parent, rdn, key.into())))
    }

    fn leave_name(&mut self, node: &Node) {
        let schema = self.base.schema();
        let key: Box<[u8]> = match node.parent {
            Some(_) => Rdn::parse(schema, &node.rdn).map(|rdn| rdn.key().into()).unwrap_or_default(),
            None => Dn::parse(schema, &node.rdn).map(|dn| dn.key().into()).unwrap_or_default(),
        };
        self.pending.set_name(node.parent, &key, None);
    }

    /// The entry of that name below another.
    fn named(&self, parent: Option<EntryId>, rdn: &str, key: &[u8]) -> Result<Option<EntryId>, TreeError> {
        if let Some(Now(changed)) = self.pending.named(parent, key) {
            return Ok(changed);
        }
        let dn = match parent {
            Some(parent) => self.base.dn(parent)?.map(|above| Dn::child(&above, rdn, key)),
            None => self.base.suffixes().iter().find(|suffix| suffix.key() == key).cloned(),
        };
        dn.map_or(Ok(None), |dn| Ok(self.base.find(&dn)?.entry()))
    }

    /// Keeps a write for the change that all become: of what is written again only the last is kept.
    fn keep(&mut self, write: Write) -> Result<(), CommitError> {
        let octets = octets(&write);
        self.work += octets;
        self.octets += octets;
        if let Some(before) = self.pending.written_before(&write).and_then(|at| self.change.writes.get_mut(at)) {
            self.octets -= replace(before, write);
        } else {
            self.pending.note_write(&write, self.change.writes.len());
            self.change.writes.push(write);
        }
        let fits = self.octets <= MOST_OCTETS && self.work <= MOST_WORK && self.change.writes.len() <= MOST_WRITES;
        if fits { Ok(()) } else { Err(CommitError::TooLarge) }
    }
}

/// Where an entry is to stand: below which, and its RDN with what that is compared by.
type Named = (Option<EntryId>, Arc<str>, Box<[u8]>);

fn unreadable(error: &TreeError) -> CommitError {
    CommitError::Unavailable(error.to_string())
}

/// About what a write takes.
fn octets(write: &Write) -> usize {
    let len = |entry: &Entry| entry.octets().len();
    64 + match write {
        Write::Insert { entry, credentials, .. } => len(entry) + credentials.as_ref().map_or(0, len),
        Write::Replace { entry, .. } | Write::Move { entry, .. } => len(entry),
        Write::SetCredentials { credentials, .. } => len(credentials),
        Write::Remove { .. } | Write::SetSchema(_) => 0,
    }
}

/// Puts what a write says in the place of what one before it said of the same, and tells how many octets that frees.
fn replace(before: &mut Write, after: Write) -> usize {
    let freed = octets(before);
    match (before, after) {
        (
            Write::Insert { entry, .. } | Write::Replace { entry, .. } | Write::Move { entry, .. },
            Write::Replace { entry: new, .. },
        ) => {
            let kept = freed - entry.octets().len() - 64;
            *entry = new;
            freed - kept
        }
        (Write::SetCredentials { credentials, .. }, Write::SetCredentials { credentials: new, .. }) => {
            *credentials = new;
            freed
        }
        _ => 0,
    }
}

impl Tree for Overlay<'_> {
    fn schema(&self) -> &Arc<Schema> {
        self.base.schema()
    }

    fn suffixes(&self) -> &[Dn] {
        self.base.suffixes()
    }

    fn find(&self, dn: &Dn) -> Result<Found, TreeError> {
        if self.pending.has_no_names() {
            return self.base.find(dn);
        }
        let Some(suffix) = self.base.suffixes().iter().find(|suffix| dn.is_within(suffix)) else {
            return Ok(Found::Outside);
        };
        let Some(mut at) = self.named(None, suffix.as_str(), suffix.key())? else { return Ok(Found::Missing(None)) };
        for (rdn, key) in dn.rdns().rev().skip(suffix.depth()) {
            match self.named(Some(at), rdn, key)? {
                Some(below) => at = below,
                None => return Ok(Found::Missing(Some(at))),
            }
        }
        Ok(Found::Entry(at))
    }

    fn node(&self, id: EntryId) -> Result<Option<Node>, TreeError> {
        match self.pending.node(id) {
            Some(Now(changed)) => Ok(changed.cloned()),
            None => self.base.node(id),
        }
    }

    fn nodes_after(&self, after: Option<EntryId>, limit: usize) -> Result<Vec<Node>, TreeError> {
        let mut after = after;
        loop {
            let page = self.base.nodes_after(after, limit)?;
            let Some(last) = page.last().map(|node| node.id) else { break };
            let now = page.into_iter().filter_map(|node| match self.pending.node(node.id) {
                Some(Now(changed)) => changed.cloned(),
                None => Some(node),
            });
            let found: Vec<_> = now.collect();
            if !found.is_empty() {
                return Ok(found);
            }
            after = Some(last);
        }
        let after = after.filter(|after| after.0 >= self.first);
        let new = self.pending.nodes().filter(|node| node.id.0 > self.first && Some(node.id) > after);
        Ok(new.take(limit).cloned().collect())
    }

    fn find_uuid(&self, uuid: Uuid) -> Result<Option<EntryId>, TreeError> {
        match self.pending.find_uuid(uuid) {
            Some(Now(changed)) => Ok(changed),
            None => self.base.find_uuid(uuid),
        }
    }

    fn dn(&self, id: EntryId) -> Result<Option<Arc<Dn>>, TreeError> {
        if self.pending.node(id).is_none() && !self.pending.has_moves() {
            return self.base.dn(id);
        }
        let Some(node) = self.node(id)? else { return Ok(None) };
        let Some(parent) = node.parent else {
            return Ok(Dn::parse(self.schema(), &node.rdn).ok().map(Arc::new));
        };
        let rdn = Rdn::parse(self.schema(), &node.rdn).ok();
        let above = self.dn(parent)?;
        Ok(above.zip(rdn).map(|(above, rdn)| Arc::new(Dn::child(&above, rdn.as_str(), rdn.key()))))
    }

    fn parent(&self, id: EntryId) -> Result<Option<EntryId>, TreeError> {
        match self.pending.node(id) {
            Some(Now(changed)) => Ok(changed.and_then(|node| node.parent)),
            None => self.base.parent(id),
        }
    }

    fn children(&self, id: EntryId, after: Option<EntryId>, limit: usize) -> Result<Vec<EntryId>, TreeError> {
        let mut found: Vec<_> = self.pending.below(id).filter(|child| Some(*child) > after).collect();
        let (mut at, mut unchanged) = (after, 0);
        while unchanged < limit {
            let page = self.base.children(id, at, limit)?;
            let Some(last) = page.last() else { break };
            at = Some(*last);
            let before = found.len();
            found.extend(page.into_iter().filter(|child| !self.pending.has(*child)));
            unchanged += found.len() - before;
        }
        found.sort_unstable();
        found.truncate(limit);
        Ok(found)
    }

    fn credentials(&self, id: EntryId) -> Result<Option<Credentials>, TreeError> {
        match self.pending.credentials(id) {
            Some(Now(changed)) => Ok(changed.cloned()),
            None => self.base.credentials(id),
        }
    }

    fn equal(&self, attribute_type: AttributeTypeId, normal: &[u8]) -> Result<Vec<EntryId>, TreeError> {
        let schema = self.schema();
        let form = schema.attribute_type(attribute_type).equality_or_fallback().normal_form();
        let has = |node: &&Node| node.entry.values(attribute_type).any(|value| form.matches(schema, value, normal));
        let mut found = self.base.equal(attribute_type, normal)?;
        found.retain(|id| !self.pending.has(*id));
        found.extend(self.pending.nodes().filter(has).map(|node| node.id));
        found.sort_unstable();
        Ok(found)
    }

    fn having(&self, attribute_type: AttributeTypeId) -> Result<Candidates, TreeError> {
        let Candidates::These(mut ids) = self.base.having(attribute_type)? else { return Ok(Candidates::All) };
        for (id, node) in self.pending.changed() {
            ids.remove(id.0);
            if node.is_some_and(|node| node.entry.has(attribute_type)) {
                ids.insert(id.0);
            }
        }
        Ok(Candidates::These(ids))
    }

    fn plan(&self, matcher: &Matcher, budget: PlanBudget) -> Result<Plan, TreeError> {
        let mut plan = self.base.plan(matcher, budget)?;
        if let Candidates::These(ids) = &mut plan.candidates {
            for (id, node) in self.pending.changed() {
                if node.is_some() {
                    ids.insert(id.0)
                } else {
                    ids.remove(id.0)
                };
            }
        }
        Ok(plan)
    }

    fn csn(&self) -> Csn {
        self.base.csn()
    }

    fn version(&self) -> Version {
        self.base.version()
    }

    fn membership_version(&self) -> Version {
        self.base.membership_version()
    }

    fn policies_version(&self) -> Version {
        if self.pending.has_policies() { SAME_CHANGE } else { self.base.policies_version() }
    }

    fn change_numbers(&self) -> Result<Option<RangeInclusive<u64>>, TreeError> {
        self.base.change_numbers()
    }

    fn changes_after(&self, after: u64, limit: usize) -> Result<Vec<LoggedChange>, TreeError> {
        self.base.changes_after(after, limit)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::directory::Attributes;
    use crate::directory::tree::Directory;
    use crate::directory::tree::memory::MemoryDirectory;

    const SUFFIX: &str = "dc=example";

    /// Something that is done to one of a few entries; below which other, under which of a few names.
    #[derive(Clone, Debug)]
    enum Step {
        Insert { which: u8, below: u8, name: u8, credentials: bool },
        Replace { which: u8, value: u8 },
        Move { which: u8, below: u8, name: u8 },
        Remove { which: u8 },
        SetCredentials { which: u8, value: u8 },
        Claim { which: u8, value: u8 },
    }

    fn step() -> impl Strategy<Value = Step> {
        let (which, below, name, value) = (|| 1..6u8, || 0..6u8, || 0..3u8, || 0..3u8);
        prop_oneof![
            (which(), below(), name(), any::<bool>()).prop_map(|(which, below, name, credentials)| Step::Insert {
                which,
                below,
                name,
                credentials
            }),
            (which(), value()).prop_map(|(which, value)| Step::Replace { which, value }),
            (which(), below(), name()).prop_map(|(which, below, name)| Step::Move { which, below, name }),
            which().prop_map(|which| Step::Remove { which }),
            (which(), value()).prop_map(|(which, value)| Step::SetCredentials { which, value }),
            (which(), value()).prop_map(|(which, value)| Step::Claim { which, value }),
        ]
    }

    fn uuid(which: u8) -> Uuid {
        Uuid::from_u128(u128::from(which) + 1)
    }

    fn entry(schema: &Schema, value: u8) -> Entry {
        let mut attributes = Attributes::new();
        attributes.set_one(schema.known().sn, format!("value {value}"));
        attributes.set_one(schema.known().entry_csn, "-");
        Entry::encode(&attributes, schema)
    }

    fn place(schema: &Schema, below: u8, name: u8) -> Place {
        let rdn = Rdn::parse(schema, &format!("cn=name {name}")).unwrap();
        Place::Below { parent: uuid(below), rdn: rdn.as_str().into(), key: rdn.key().into() }
    }

    fn normal(schema: &Schema, value: u8) -> Vec<u8> {
        let form = schema.attribute_type(schema.known().sn).equality_or_fallback().normal_form();
        form.of_assertion(schema, format!("value {value}").as_bytes()).unwrap().to_vec()
    }

    /// The step as an operation would plan it on a tree.
    fn planned(step: &Step, tree: &dyn Tree) -> Change {
        let schema = tree.schema();
        let id = |which: u8| tree.find_uuid(uuid(which)).unwrap();
        let version = |which: u8| id(which).and_then(|id| tree.node(id).unwrap()).map_or(7, |node| node.version);
        let mut change = Change::none();
        change.writes.push(match *step {
            Step::Insert { which, below, name, credentials } => Write::Insert {
                uuid: uuid(which),
                place: place(schema, below, name),
                entry: entry(schema, which % 3),
                credentials: credentials.then(|| entry(schema, 0)),
            },
            Step::Replace { which, value } => {
                Write::Replace { uuid: uuid(which), version: version(which), entry: entry(schema, value) }
            }
            Step::Move { which, below, name } => Write::Move {
                uuid: uuid(which),
                version: version(which),
                place: place(schema, below, name),
                entry: entry(schema, name),
            },
            Step::Remove { which } => Write::Remove { uuid: uuid(which), version: version(which) },
            Step::SetCredentials { which, value } => {
                let own = id(which).and_then(|id| tree.credentials(id).unwrap());
                let version = own.map_or(0, |own| own.version);
                Write::SetCredentials { uuid: uuid(which), version, credentials: entry(schema, value) }
            }
            Step::Claim { which, value } => {
                let (attribute_type, holders) = (schema.known().sn, vec![uuid(which)]);
                let normal = normal(schema, value).into();
                change.conditions.push(Condition::HeldOnlyBy { attribute_type, normal, holders });
                change.conditions.push(Condition::Unchanged { uuid: uuid(which), version: version(which) });
                Write::Replace { uuid: uuid(which), version: version(which), entry: entry(schema, value) }
            }
        });
        change
    }

    /// Everything that a tree says, but for numbers.
    fn told(tree: &dyn Tree) -> Vec<String> {
        let schema = tree.schema();
        let texts = |entry: &Entry| {
            entry.values(schema.known().sn).map(|value| String::from_utf8_lossy(value).into_owned()).collect::<Vec<_>>()
        };
        let uuids =
            |ids: Vec<EntryId>| ids.into_iter().map(|id| tree.node(id).unwrap().unwrap().uuid).collect::<Vec<_>>();
        let mut lines = Vec::new();
        let (mut after, mut all) = (None, Vec::new());
        loop {
            let page = tree.nodes_after(after, 2).unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            all.extend(page);
        }
        for node in &all {
            let dn = tree.dn(node.id).unwrap().unwrap();
            assert_eq!(tree.find(&dn).unwrap(), Found::Entry(node.id));
            assert_eq!(tree.find_uuid(node.uuid).unwrap(), Some(node.id));
            assert_eq!(tree.parent(node.id).unwrap(), node.parent);
            let few = tree.children(node.id, None, 2).unwrap();
            let rest = few.last().map_or_else(Vec::new, |last| tree.children(node.id, Some(*last), 9).unwrap());
            let credentials = tree.credentials(node.id).unwrap().map(|own| texts(&own.entry));
            let (few, rest) = (uuids(few), uuids(rest));
            lines.push(format!("{} {dn} {:?} {few:?} {rest:?} {credentials:?}", node.uuid, texts(&node.entry)));
        }
        for value in 0..3 {
            lines.push(format!("{:?}", uuids(tree.equal(schema.known().sn, &normal(schema, value)).unwrap())));
        }
        for name in ["cn=name 1,dc=example", "cn=name 0,cn=name 1,dc=example", "cn=x,cn=name 0,dc=example", "dc=other"]
        {
            let found = match tree.find(&Dn::parse(schema, name).unwrap()).unwrap() {
                Found::Entry(id) => format!("{:?}", tree.node(id).unwrap().unwrap().uuid),
                Found::Missing(above) => format!("below {:?}", above.map(|id| tree.dn(id).unwrap().unwrap())),
                Found::Outside => "outside".to_owned(),
            };
            lines.push(found);
        }
        lines
    }

    fn directory(steps: &[Step]) -> MemoryDirectory {
        let schema = Schema::standard();
        let suffix = Dn::parse(&schema, SUFFIX).unwrap();
        let directory = MemoryDirectory::new(Arc::clone(&schema), vec![suffix.clone()]);
        let top =
            Write::Insert { uuid: uuid(0), place: Place::Suffix(suffix), entry: entry(&schema, 9), credentials: None };
        directory.commit(Change::of(vec![top], Vec::new())).unwrap();
        for step in steps {
            // What cannot be done is left out.
            let _ = directory.commit(planned(step, &directory.view()));
        }
        directory
    }

    proptest! {
        /// To plan on the overlay is to plan on the tree as the changes have made it; and all of them made at once are the
        /// same as one after another.
        #[test]
        fn an_overlay_is_the_tree_with_the_changes_made(before in vec(step(), 0..12), steps in vec(step(), 0..12)) {
            let (twin, directory) = (directory(&before), directory(&before));
            let base = directory.view();
            let mut overlay = Overlay::new(&base).unwrap();
            for step in &steps {
                let mut next = overlay.clone();
                let made = twin.commit(planned(step, &twin.view()));
                let applied = next.apply(planned(step, &overlay));
                prop_assert_eq!(made.is_ok(), applied.is_ok(), "{:?}: {:?} {:?}", step, made, applied);
                if applied.is_ok() {
                    overlay = next;
                }
                prop_assert_eq!(told(&twin.view()), told(&overlay), "{:?}", step);
            }
            let change = overlay.into_change();
            prop_assert!(directory.commit(change).is_ok());
            prop_assert_eq!(told(&twin.view()), told(&directory.view()));
        }
    }

    #[test]
    fn a_change_on_what_has_changed_meanwhile_is_not_made() {
        let directory = directory(&[Step::Insert { which: 1, below: 0, name: 0, credentials: false }]);
        let base = directory.view();
        let mut overlay = Overlay::new(&base).unwrap();
        for value in [1, 2] {
            overlay.apply(planned(&Step::Replace { which: 1, value }, &overlay)).unwrap();
        }
        let change = overlay.into_change();
        assert_eq!(change.writes.len(), 1, "the second says more than the first");
        directory.commit(planned(&Step::Replace { which: 1, value: 0 }, &directory.view())).unwrap();
        assert!(matches!(directory.commit(change), Err(CommitError::Conflict)));
    }

    #[test]
    fn what_is_too_much_is_refused() {
        let directory = directory(&[]);
        let base = directory.view();
        let mut overlay = Overlay::new(&base).unwrap();
        let mut attributes = Attributes::new();
        attributes.set_one(base.schema().known().sn, "x".repeat(1 << 20));
        let large = Entry::encode(&attributes, base.schema());
        let write = |overlay: &Overlay<'_>| {
            let version = overlay.node(overlay.find_uuid(uuid(0)).unwrap().unwrap()).unwrap().unwrap().version;
            Change::of(vec![Write::Replace { uuid: uuid(0), version, entry: large.clone() }], Vec::new())
        };
        let made = (0..1_000).take_while(|_| overlay.apply(write(&overlay)).is_ok()).count();
        assert!((200..256).contains(&made), "{made}");
    }
}
