//! A group of changes that is being put together: each is checked against what is on disk and what the group has changed
//! already, and is in the group whole or not at all.

mod conditions;

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use quick_cache::DefaultHashBuilder;
use uuid::Uuid;

use super::commit::{Position, size};
use super::engine::{Batch, Family, Go, Snapshot};
use super::index::IndexKind;
use super::key::{self, Key, Postings};
use super::view::{Moment, View};
use super::{Shared, StoreError, events, log, record};
use crate::directory::tree::{
    Change, CommitError, Committed, Credentials, EntryId, Node, Place, SAME_CHANGE, Version, Write,
};
use crate::directory::{AttributeTypeId, Csn, Entry, Schema};

/// A larger change is refused: RocksDB would take it, and keep everybody waiting.
const MAX_CHANGE_OCTETS: usize = 64 << 20;

type HashMap<K, V> = std::collections::HashMap<K, V, DefaultHashBuilder>;

/// What a group, or one change of it, has made of the directory so far.
#[derive(Default)]
struct Overlay {
    nodes: HashMap<EntryId, Option<Node>>,
    credentials: HashMap<EntryId, Option<Credentials>>,
    names: BTreeMap<Vec<u8>, Option<EntryId>>,
    uuids: HashMap<Uuid, Option<EntryId>>,
    /// Who has gained a value, by its posting list in an equality index.
    gained: HashMap<Postings, Vec<EntryId>>,
}

impl Overlay {
    fn absorb(&mut self, other: Self) {
        self.nodes.extend(other.nodes);
        self.credentials.extend(other.credentials);
        self.names.extend(other.names);
        self.uuids.extend(other.uuids);
        for (postings, ids) in other.gained {
            self.gained.entry(postings).or_default().extend(ids);
        }
    }
}

/// One write to the store.
enum Operation {
    Put(Family, Key, Vec<u8>),
    Delete(Family, Key),
}

/// A group that is being put together.
pub(super) struct Pending<'s> {
    shared: &'s Shared,
    view: Arc<View>,
    /// The schema in force after what the group has changed so far.
    schema: Arc<Schema>,
    batch: Batch<'s>,
    position: Position,
    overlay: Overlay,
    /// Of the change that is being added: kept apart until all its conditions have held.
    staged: Overlay,
    operations: Vec<Operation>,
    outdated: Outdated,
    /// Whether the change that is being added gives other names to entries below one that it renames.
    renames_below: bool,
}

/// What readers remember that is no longer true.
#[derive(Clone, Copy, Debug, Default)]
struct Outdated {
    /// Who is in which group.
    memberships: bool,
    /// Which policies say whom they govern.
    policies: bool,
}

/// Why a change is not added to a group.
enum Rejected {
    Conflict,
    Store(StoreError),
}

impl From<StoreError> for Rejected {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl<'s> Pending<'s> {
    pub(super) fn new(shared: &'s Shared, position: Position) -> Self {
        let view = shared.current.load_full();
        Self {
            shared,
            schema: Arc::clone(view.schema()),
            view,
            batch: shared.engine.batch(),
            position,
            overlay: Overlay::default(),
            staged: Overlay::default(),
            operations: Vec::new(),
            outdated: Outdated::default(),
            renames_below: false,
        }
    }

    /// Adds a change, or leaves everything as it was.
    pub(super) fn add(&mut self, change: Change) -> Result<Committed, CommitError> {
        if size(&change) > MAX_CHANGE_OCTETS {
            return Err(CommitError::TooLarge);
        }
        let before = (self.position, self.outdated);
        let schema = Arc::clone(&self.schema);
        self.renames_below = false;
        match self.stage(change) {
            Ok(committed) => {
                let staged = std::mem::take(&mut self.staged);
                self.overlay.absorb(staged);
                Ok(committed)
            }
            Err(rejected) => {
                self.staged = Overlay::default();
                self.operations.clear();
                (self.position, self.outdated) = before;
                self.schema = schema;
                Err(match rejected {
                    Rejected::Conflict => CommitError::Conflict,
                    Rejected::Store(error) => CommitError::Unavailable(error.to_string()),
                })
            }
        }
    }

    fn stage(&mut self, change: Change) -> Result<Committed, Rejected> {
        let moment = &mut self.position.moment;
        moment.version += 1;
        let now = change.log.first().map_or(moment.csn.time, |record| record.time);
        moment.csn = Csn::following(moment.csn, now);
        let committed = Committed { version: moment.version, csn: moment.csn };
        for condition in &change.conditions {
            self.require(condition)?;
        }
        for write in change.writes {
            self.stage_write(write)?;
        }
        let recent = &self.view.fixed().recent;
        if self.renames_below {
            recent.note_rename(committed.version);
        }
        for operation in std::mem::take(&mut self.operations) {
            match operation {
                Operation::Put(family, key, value) => {
                    recent.note(family, &key, committed.version);
                    self.batch.put(family, &key, &value)?;
                }
                Operation::Delete(family, key) => {
                    recent.note(family, &key, committed.version);
                    self.batch.delete(family, &key)?;
                }
            }
        }
        for record in &change.log {
            self.position.log_sequence += 1;
            log::put(&mut self.batch, self.position.log_sequence, committed.version, record)?;
        }
        for event in &change.events {
            self.position.event_sequence += 1;
            events::put(&mut self.batch, self.position.event_sequence, event)?;
        }
        Ok(committed)
    }

    fn stage_write(&mut self, write: Write) -> Result<(), Rejected> {
        match write {
            Write::Insert { uuid, place, entry, credentials } => self.insert(uuid, place, &entry, credentials),
            Write::Replace { uuid, version, entry } => {
                let old = self.unchanged(uuid, version)?;
                let new = self.stamped(Node { entry, ..old.clone() });
                self.note_effects(&old.entry, &new.entry);
                self.put_node(new, Some(&old));
                Ok(())
            }
            Write::Move { uuid, version, place, entry } => self.move_entry(uuid, version, place, entry),
            Write::Remove { uuid, version } => self.remove(uuid, version),
            Write::SetCredentials { uuid, version, credentials } => {
                let id = self.id_of(uuid)?.ok_or(Rejected::Conflict)?;
                let (own_version, was_locked) = self.credentials_now(id)?;
                if own_version != self.numbered(version) {
                    return Err(Rejected::Conflict);
                }
                if was_locked != Credentials::are_locked_by_hand(&credentials, self.view.schema()) {
                    self.outdated.memberships |= self.is_author(uuid)?;
                }
                self.put_credentials(id, credentials);
                Ok(())
            }
            Write::SetSchema(schema) => {
                for (key, value) in super::format::schema_records(&schema) {
                    self.operations.push(Operation::Put(Family::Meta, key.into(), value));
                }
                // Who may do what, and which policy governs whom, may be said with names that were not known before.
                self.outdated = Outdated { memberships: true, policies: true };
                self.schema = schema;
                Ok(())
            }
        }
    }

    fn insert(&mut self, uuid: Uuid, place: Place, entry: &Entry, credentials: Option<Entry>) -> Result<(), Rejected> {
        if self.id_of(uuid)?.is_some() {
            return Err(Rejected::Conflict);
        }
        self.position.last_id += 1;
        let id = EntryId(self.position.last_id);
        let (parent, rdn) = self.take_name(id, place)?;
        let entry = entry.clone();
        let node = self.stamped(Node { id, uuid, parent, version: 0, rdn: rdn.into(), entry });
        self.note_effects(&Entry::empty(), &node.entry);
        self.operations.push(Operation::Put(Family::Uuid, Key::from_slice(uuid.as_bytes()), key::entry(id).to_vec()));
        self.staged.uuids.insert(uuid, Some(id));
        self.put_node(node, None);
        if let Some(credentials) = credentials {
            self.put_credentials(id, credentials);
        } else {
            // None should be there. If some were, they would be somebody else's.
            self.operations.push(Operation::Delete(Family::Credentials, key::entry(id).into_iter().collect()));
            self.staged.credentials.insert(id, None);
        }
        Ok(())
    }

    fn move_entry(&mut self, uuid: Uuid, version: Version, place: Place, entry: Entry) -> Result<(), Rejected> {
        let old = self.unchanged(uuid, version)?;
        self.leave_name(&old);
        let (parent, rdn) = self.take_name(old.id, place)?;
        let mut above = parent;
        while let Some(ancestor) = above {
            if ancestor == old.id {
                return Err(Rejected::Conflict);
            }
            above = self.node(ancestor)?.and_then(|node| node.parent);
        }
        let new = self.stamped(Node { parent, rdn: rdn.into(), entry, ..old.clone() });
        self.outdated = Outdated { memberships: true, policies: true };
        self.renames_below |= self.has_children(old.id)?;
        self.put_node(new, Some(&old));
        Ok(())
    }

    fn remove(&mut self, uuid: Uuid, version: Version) -> Result<(), Rejected> {
        let old = self.unchanged(uuid, version)?;
        if self.has_children(old.id)? {
            return Err(Rejected::Conflict);
        }
        self.leave_name(&old);
        for posting in self.view.indexes().postings(&old.entry, self.view.schema()) {
            self.operations.push(Operation::Delete(Family::Index, posting.key(old.id)));
        }
        let key = Key::from_slice(&key::entry(old.id));
        self.operations.push(Operation::Delete(Family::Entry, key.clone()));
        self.operations.push(Operation::Delete(Family::Credentials, key));
        self.operations.push(Operation::Delete(Family::Uuid, Key::from_slice(uuid.as_bytes())));
        self.staged.uuids.insert(uuid, None);
        self.staged.nodes.insert(old.id, None);
        self.note_effects(&old.entry, &Entry::empty());
        self.outdated.memberships |= self.is_author(uuid)?;
        Ok(())
    }

    /// Whether access rules have been written by an entry.
    fn is_author(&self, uuid: Uuid) -> Result<bool, Rejected> {
        let author = self.view.schema().known().access_author;
        let rules = self.view.equal(author, uuid.to_string().as_bytes());
        Ok(!rules.map_err(StoreError::from)?.is_empty())
    }

    /// The entry, if it still has the version that was read.
    fn unchanged(&self, uuid: Uuid, version: Version) -> Result<Node, Rejected> {
        let id = self.id_of(uuid)?.ok_or(Rejected::Conflict)?;
        self.node(id)?.filter(|node| node.version == self.numbered(version)).ok_or(Rejected::Conflict)
    }

    /// The number of a version: what this change has written has that of the change.
    const fn numbered(&self, version: Version) -> Version {
        if version == SAME_CHANGE { self.position.moment.version } else { version }
    }

    fn id_of(&self, uuid: Uuid) -> Result<Option<EntryId>, StoreError> {
        if let Some(id) = self.staged.uuids.get(&uuid).or_else(|| self.overlay.uuids.get(&uuid)) {
            return Ok(*id);
        }
        Ok(self.view.find_uuid(uuid)?)
    }

    fn node(&self, id: EntryId) -> Result<Option<Node>, StoreError> {
        if let Some(node) = self.staged.nodes.get(&id).or_else(|| self.overlay.nodes.get(&id)) {
            return Ok(node.clone());
        }
        Ok(self.view.node(id)?)
    }

    /// The version of credentials, and whether they are locked by hand, by which access rules may be suspended.
    fn credentials_now(&self, id: EntryId) -> Result<(Version, bool), StoreError> {
        let schema = self.view.schema();
        let of = |own: &Credentials| (own.version, Credentials::are_locked_by_hand(&own.entry, schema));
        if let Some(changed) = self.staged.credentials.get(&id).or_else(|| self.overlay.credentials.get(&id)) {
            return Ok(changed.as_ref().map_or((0, false), of));
        }
        Ok(self.view.credentials(id)?.as_ref().map_or((0, false), of))
    }

    fn named(&self, name: &[u8]) -> Result<Option<EntryId>, StoreError> {
        if let Some(id) = self.staged.names.get(name).or_else(|| self.overlay.names.get(name)) {
            return Ok(*id);
        }
        Ok(self.view.named(name)?)
    }

    fn has_children(&self, id: EntryId) -> Result<bool, StoreError> {
        let prefix = key::name_prefix(Some(id));
        let changed = |name: &[u8]| self.staged.names.get(name).or_else(|| self.overlay.names.get(name));
        let added = |overlay: &Overlay| {
            let from = (Bound::Included(prefix.as_slice()), Bound::Unbounded);
            let below = overlay.names.range::<[u8], _>(from).take_while(|(name, _)| name.starts_with(&prefix));
            below.into_iter().any(|(name, id)| id.is_some() && changed(name) == Some(id))
        };
        if added(&self.staged) || added(&self.overlay) {
            return Ok(true);
        }
        let mut has = false;
        self.shared.engine.scan(Family::Name, &prefix, &mut |name, _| {
            if !name.starts_with(&prefix) {
                return Go::Stop;
            }
            has = changed(name) != Some(&None);
            if has { Go::Stop } else { Go::On }
        })?;
        Ok(has)
    }

    /// Takes a name that must be free, below an entry that must exist.
    fn take_name(&mut self, id: EntryId, place: Place) -> Result<(Option<EntryId>, Box<str>), Rejected> {
        let (parent, rdn, rdn_key) = match place {
            Place::Suffix(dn) => (None, dn.as_str().into(), dn.key().into()),
            Place::Below { parent, rdn, key } => {
                let parent = self.id_of(parent)?.ok_or(Rejected::Conflict)?;
                (Some(parent), rdn, key)
            }
        };
        let name = key::name(parent, &rdn_key);
        if self.named(&name)?.is_some() {
            return Err(Rejected::Conflict);
        }
        self.operations.push(Operation::Put(Family::Name, name.as_slice().into(), key::entry(id).to_vec()));
        self.staged.names.insert(name, Some(id));
        Ok((parent, rdn))
    }

    fn leave_name(&mut self, node: &Node) {
        let schema = self.view.schema();
        let rdn_key: Box<[u8]> = match node.parent {
            Some(_) => crate::directory::Rdn::parse(schema, &node.rdn).map(|rdn| rdn.key().into()).unwrap_or_default(),
            None => crate::directory::Dn::parse(schema, &node.rdn).map(|dn| dn.key().into()).unwrap_or_default(),
        };
        let name = key::name(node.parent, &rdn_key);
        self.operations.push(Operation::Delete(Family::Name, name.as_slice().into()));
        self.staged.names.insert(name, None);
    }

    fn stamped(&mut self, node: Node) -> Node {
        let Moment { version, csn, .. } = self.position.moment;
        self.position.moment.entry_written = csn;
        if self.schema.extension_is_used_by(&node.entry) {
            self.position.moment.extension_used = csn;
        }
        let entry = node.entry.stamped(self.view.schema().known().entry_csn, csn.to_string().as_bytes());
        Node { version, entry, ..node }
    }

    fn put_node(&mut self, node: Node, old: Option<&Node>) {
        let (indexes, schema) = (self.view.indexes(), self.view.schema());
        let (gained, lost) = match old {
            Some(old) => indexes.difference(&old.entry, &node.entry, schema),
            None => (indexes.postings(&node.entry, schema), Vec::new()),
        };
        for posting in gained {
            self.operations.push(Operation::Put(Family::Index, posting.key(node.id), Vec::new()));
            if posting.kind() == Some(IndexKind::Equality) {
                self.staged.gained.entry(posting).or_default().push(node.id);
            }
        }
        for posting in lost {
            self.operations.push(Operation::Delete(Family::Index, posting.key(node.id)));
        }
        self.operations.push(Operation::Put(
            Family::Entry,
            key::entry(node.id).into_iter().collect(),
            record::encode_node(&node),
        ));
        self.staged.nodes.insert(node.id, Some(node));
    }

    fn put_credentials(&mut self, id: EntryId, entry: Entry) {
        let version = self.position.moment.version;
        let value = record::encode_credentials(version, &entry);
        self.operations.push(Operation::Put(Family::Credentials, key::entry(id).into_iter().collect(), value));
        self.staged.credentials.insert(id, Some(Credentials { version, entry }));
    }

    /// Notes what of that which readers remember the change may have made untrue.
    ///
    /// Groups hold names: who is in which group does not depend on whether an entry of that name exists, so only what
    /// holds members counts.
    fn note_effects(&mut self, old: &Entry, new: &Entry) {
        let known = self.view.schema().known();
        let same = |id| members(old, id).eq(members(new, id));
        self.outdated.memberships |= !same(known.member) || !same(known.unique_member) || !same(known.role_occupant);
        // Access rules are put together anew when one of them may have changed.
        self.outdated.memberships |= old.has(known.access_author) || new.has(known.access_author);
        let selecting = known.selecting();
        let selects = |entry: &Entry| entry.attributes().any(|one| selecting.contains(&one.attribute_type));
        self.outdated.policies |= selects(old) || selects(new);
    }

    /// Writes the group, and lets readers see it.
    pub(super) fn write(mut self) -> Result<Position, StoreError> {
        if self.batch.is_empty() {
            return Ok(self.position);
        }
        if self.outdated.memberships {
            self.position.moment.membership_version = self.position.moment.version;
        }
        if self.outdated.policies {
            self.position.moment.policies_version = self.position.moment.version;
        }
        super::format::put_position(&mut self.batch, self.position)?;
        self.batch.write()?;
        let recent = &self.view.fixed().recent;
        let at = self.position.moment.version;
        for (id, node) in self.overlay.nodes {
            recent.keep_node(id, at, node);
        }
        for (id, credentials) in self.overlay.credentials {
            recent.keep_credentials(id, at, credentials);
        }
        let snapshot = Snapshot::new(&self.shared.engine);
        let view = View::new(snapshot, self.schema, Arc::clone(self.view.fixed()), self.position.moment);
        self.shared.current.store(Arc::new(view));
        Ok(self.position)
    }
}

/// The attributes of a type, as they are stored.
fn members(entry: &Entry, id: AttributeTypeId) -> impl Iterator<Item = &[u8]> {
    entry.attributes().filter(move |one| one.attribute_type == id).map(|one| one.octets)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{SUFFIX, add, find, open, write};
    use super::super::{Existence, Store};
    use super::*;
    use crate::directory::tree::{Directory, Tree};

    const GROUP: &str = "cn=staff,dc=example";

    fn node(store: &Store, dn: &str) -> Node {
        store.view().node(find(store, dn).unwrap()).unwrap().unwrap()
    }

    /// Whether what is known of groups must be looked up again after some work.
    fn changes_groups(store: &Store, work: impl FnOnce(&Store)) -> bool {
        let before = store.view().membership_version();
        work(store);
        store.view().membership_version() != before
    }

    fn set(store: &Store, attribute: AttributeTypeId, value: &str) {
        let Node { uuid, version, entry, .. } = node(store, GROUP);
        let mut attributes = entry.decode();
        attributes.set_one(attribute, value);
        let entry = Entry::encode(&attributes, store.view().schema());
        write(store, Write::Replace { uuid, version, entry });
    }

    fn remove(store: &Store, dn: &str) {
        let Node { uuid, version, .. } = node(store, dn);
        write(store, Write::Remove { uuid, version });
    }

    #[test]
    fn groups_are_looked_up_again_only_when_a_membership_begins_or_ends() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path(), Existence::Forbidden).unwrap();
        let known = *store.view().schema().known();
        for dn in [SUFFIX, GROUP, "cn=ada,dc=example", "cn=bob,dc=example"] {
            assert!(!changes_groups(&store, |store| add(store, dn)), "{dn}");
        }
        assert!(changes_groups(&store, |store| set(store, known.member, "cn=ada,dc=example")));
        assert!(!changes_groups(&store, |store| set(store, known.sn, "other")));
        assert!(!changes_groups(&store, |store| set(store, known.member, "cn=ada,dc=example")));
        assert!(changes_groups(&store, |store| set(store, known.unique_member, "cn=bob,dc=example")));
        assert!(!changes_groups(&store, |store| remove(store, "cn=bob,dc=example")));
        assert!(changes_groups(&store, |store| remove(store, GROUP)));
    }

    #[test]
    fn policies_are_looked_for_again_only_when_one_may_say_otherwise_whom_it_governs() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path(), Existence::Forbidden).unwrap();
        let known = *store.view().schema().known();
        let changes = |work: &dyn Fn()| {
            let before = store.view().policies_version();
            work();
            store.view().policies_version() != before
        };
        assert!(!changes(&|| [SUFFIX, GROUP].iter().for_each(|dn| add(&store, dn))));
        assert!(!changes(&|| set(&store, known.sn, "other")));
        assert!(changes(&|| set(&store, known.pwd_applies_to_filter, "(uid=a)")));
        assert!(changes(&|| set(&store, known.sn, "what it says")));
        assert!(changes(&|| remove(&store, GROUP)));
        assert!(!changes(&|| add(&store, GROUP)));
    }
}
