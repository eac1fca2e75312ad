//! What changes that have not been made will have made of entries.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use uuid::Uuid;

use crate::directory::Entry;
use crate::directory::tree::{Credentials, EntryId, Node, SAME_CHANGE, Write};

/// What differs from the tree below: nothing where an entry is gone, or a name free.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    nodes: BTreeMap<EntryId, Option<Node>>,
    /// Of the entries that differ, those that stand below another.
    below: HashMap<EntryId, BTreeSet<EntryId>>,
    names: HashMap<Option<EntryId>, Names>,
    uuids: HashMap<Uuid, Option<EntryId>>,
    credentials: HashMap<EntryId, Option<Credentials>>,
    /// Where the last write of an entry stands in the change, and that of its credentials.
    written: HashMap<Uuid, usize>,
    credentials_written: HashMap<Uuid, usize>,
    next_id: u32,
    has_moves: bool,
    has_policies: bool,
}

/// Who bears a name, by what it is compared by.
type Names = HashMap<Box<[u8]>, Option<EntryId>>;

/// What there is of something that differs: nothing where it is gone.
pub(super) struct Now<T>(pub(super) Option<T>);

impl Pending {
    pub(super) fn new(first_id: u32) -> Self {
        Self {
            nodes: BTreeMap::new(),
            below: HashMap::new(),
            names: HashMap::new(),
            uuids: HashMap::new(),
            credentials: HashMap::new(),
            written: HashMap::new(),
            credentials_written: HashMap::new(),
            next_id: first_id,
            has_moves: false,
            has_policies: false,
        }
    }

    pub(super) const fn next_id(&mut self) -> EntryId {
        self.next_id = self.next_id.saturating_add(1);
        EntryId(self.next_id)
    }

    /// Whether the entry differs.
    pub(super) fn has(&self, id: EntryId) -> bool {
        self.nodes.contains_key(&id)
    }

    /// The entry, if it differs.
    pub(super) fn node(&self, id: EntryId) -> Option<Now<&Node>> {
        self.nodes.get(&id).map(|node| Now(node.as_ref()))
    }

    /// All entries that differ.
    pub(super) fn changed(&self) -> impl Iterator<Item = (EntryId, Option<&Node>)> {
        self.nodes.iter().map(|(id, node)| (*id, node.as_ref()))
    }

    /// Those of them that are there, in order.
    pub(super) fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.values().flatten()
    }

    pub(super) fn below(&self, id: EntryId) -> impl Iterator<Item = EntryId> {
        self.below.get(&id).into_iter().flatten().copied()
    }

    pub(super) fn named(&self, parent: Option<EntryId>, key: &[u8]) -> Option<Now<EntryId>> {
        self.names.get(&parent)?.get(key).copied().map(Now)
    }

    pub(super) fn has_no_names(&self) -> bool {
        self.names.is_empty()
    }

    pub(super) fn find_uuid(&self, uuid: Uuid) -> Option<Now<EntryId>> {
        self.uuids.get(&uuid).copied().map(Now)
    }

    pub(super) fn credentials(&self, id: EntryId) -> Option<Now<&Credentials>> {
        self.credentials.get(&id).map(|own| Now(own.as_ref()))
    }

    /// Whether entries are called otherwise than below, though they do not differ themselves.
    pub(super) const fn has_moves(&self) -> bool {
        self.has_moves
    }

    /// Whether other policies may govern than below.
    pub(super) const fn has_policies(&self) -> bool {
        self.has_policies
    }

    pub(super) const fn note_move(&mut self) {
        (self.has_moves, self.has_policies) = (true, true);
    }

    pub(super) const fn note_policies(&mut self) {
        self.has_policies = true;
    }

    pub(super) fn set_name(&mut self, parent: Option<EntryId>, key: &[u8], id: Option<EntryId>) {
        self.names.entry(parent).or_default().insert(key.into(), id);
    }

    pub(super) fn set_credentials(&mut self, id: EntryId, entry: Option<Entry>) {
        self.credentials.insert(id, entry.map(|entry| Credentials { version: SAME_CHANGE, entry }));
    }

    pub(super) fn put(&mut self, node: Node, old: Option<&Node>) {
        self.leave(old);
        if let Some(parent) = node.parent {
            self.below.entry(parent).or_default().insert(node.id);
        }
        self.uuids.insert(node.uuid, Some(node.id));
        self.nodes.insert(node.id, Some(node));
    }

    pub(super) fn remove(&mut self, node: &Node) {
        self.leave(Some(node));
        self.uuids.insert(node.uuid, None);
        self.nodes.insert(node.id, None);
        self.credentials.insert(node.id, None);
        self.written.remove(&node.uuid);
        self.credentials_written.remove(&node.uuid);
    }

    fn leave(&mut self, old: Option<&Node>) {
        if let Some(old) = old
            && let Some(siblings) = old.parent.and_then(|parent| self.below.get_mut(&parent))
        {
            siblings.remove(&old.id);
        }
    }

    /// Where a write stands in the change that this one says more of.
    pub(super) fn written_before(&self, write: &Write) -> Option<usize> {
        match write {
            Write::Replace { uuid, .. } => self.written.get(uuid).copied(),
            Write::SetCredentials { uuid, .. } => self.credentials_written.get(uuid).copied(),
            Write::Insert { .. } | Write::Move { .. } | Write::Remove { .. } | Write::SetSchema(_) => None,
        }
    }

    /// Notes where a write stands in the change.
    pub(super) fn note_write(&mut self, write: &Write, at: usize) {
        match write {
            Write::Insert { uuid, .. } | Write::Replace { uuid, .. } | Write::Move { uuid, .. } => {
                self.written.insert(*uuid, at);
            }
            Write::SetCredentials { uuid, .. } => {
                self.credentials_written.insert(*uuid, at);
            }
            Write::Remove { .. } | Write::SetSchema(_) => {}
        }
    }
}
