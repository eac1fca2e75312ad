//! The reference tree: everything in maps, nothing indexed, nothing clever.
//!
//! Tests of operations run on it, and the store is tested against it. What it says is right by being obvious.

use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

use super::{
    Change, CommitError, Committed, Condition, Credentials, Directory, EntryId, Event, Found, LogRecord, LoggedChange,
    Node, Place, Plan, PlanBudget, Recorded, SAME_CHANGE, Tree, TreeError, Version, Write,
};
use crate::directory::filter::Matcher;
use crate::directory::{AttributeTypeId, Csn, Dn, Entry, Rdn, Schema, Timestamp};

/// A directory in memory.
#[derive(Debug)]
pub struct MemoryDirectory {
    state: Mutex<Arc<State>>,
}

/// A [`MemoryDirectory`] as it was at one moment.
#[derive(Clone, Debug)]
pub struct MemoryTree(Arc<State>);

#[derive(Clone, Debug)]
struct State {
    schema: Arc<Schema>,
    suffixes: Vec<Dn>,
    nodes: BTreeMap<EntryId, Node>,
    credentials: BTreeMap<EntryId, Credentials>,
    names: HashMap<(Option<EntryId>, Vec<u8>), EntryId>,
    log: Vec<LogRecord>,
    events: Vec<Event>,
    last_id: u32,
    version: Version,
    csn: Csn,
    /// When an entry was written last that has something of the schema's extension.
    extension_used: Csn,
    entry_written: Csn,
}

impl MemoryDirectory {
    /// A directory without entries.
    pub fn new(schema: Arc<Schema>, suffixes: Vec<Dn>) -> Self {
        let csn = Csn { time: Timestamp::default(), count: 0, sid: 1 };
        let (nodes, credentials, names, log, events) = Default::default();
        let (last_id, version, extension_used, entry_written) = (0, 0, csn, csn);
        let state = State {
            schema,
            suffixes,
            nodes,
            credentials,
            names,
            log,
            events,
            last_id,
            version,
            csn,
            extension_used,
            entry_written,
        };
        Self { state: Mutex::new(Arc::new(state)) }
    }

    /// What the change log holds.
    pub fn log(&self) -> Vec<LogRecord> {
        self.view().0.log.clone()
    }
}

impl Directory for MemoryDirectory {
    type View = MemoryTree;

    fn view(&self) -> MemoryTree {
        MemoryTree(Arc::clone(&self.state.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    fn commit(&self, change: Change) -> Result<Committed, CommitError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = State::clone(&state);
        next.version += 1;
        next.csn = Csn::following(next.csn, change.log.first().map_or(next.csn.time, |record| record.time));
        if !change.conditions.iter().all(|condition| next.meets(condition)) {
            return Err(CommitError::Conflict);
        }
        for write in change.writes {
            next.write(write)?;
        }
        next.log.extend(change.log);
        next.events.extend(change.events);
        let committed = Committed { version: next.version, csn: next.csn };
        *state = Arc::new(next);
        drop(state);
        Ok(committed)
    }

    fn events_after(&self, after: u64, limit: usize) -> Result<Vec<Recorded>, TreeError> {
        let view = self.view();
        let numbered = (1..).zip(&view.0.events).map(|(sequence, event)| Recorded { sequence, event: event.clone() });
        Ok(numbered.filter(|one| one.sequence > after).take(limit).collect())
    }
}

impl State {
    fn meets(&self, condition: &Condition) -> bool {
        match condition {
            Condition::Unchanged { uuid, version } => self.unchanged(*uuid, *version).is_ok(),
            Condition::HeldOnlyBy { attribute_type, normal, holders } => {
                let form = self.schema.attribute_type(*attribute_type).equality_or_fallback().normal_form();
                let mut others = self.nodes.values().filter(|node| !holders.contains(&node.uuid));
                let has = |node: &Node| {
                    node.entry.values(*attribute_type).any(|value| form.matches(&self.schema, value, normal))
                };
                !others.any(has)
            }
            Condition::SchemaIs(schema) => Arc::ptr_eq(schema, &self.schema),
            Condition::ExtensionUnusedSince(csn) => self.extension_used <= *csn,
            Condition::NoEntryWrittenSince(csn) => self.entry_written <= *csn,
        }
    }

    fn write(&mut self, write: Write) -> Result<(), CommitError> {
        match write {
            Write::Insert { uuid, place, entry, credentials } => self.insert(uuid, place, &entry, credentials),
            Write::Replace { uuid, version, entry } => {
                let id = self.unchanged(uuid, version)?;
                let (version, entry) = (self.version, self.stamped(&entry));
                if let Some(node) = self.nodes.get_mut(&id) {
                    node.version = version;
                    node.entry = entry;
                }
                Ok(())
            }
            Write::Move { uuid, version, place, entry } => self.move_entry(uuid, version, place, &entry),
            Write::Remove { uuid, version } => {
                let id = self.unchanged(uuid, version)?;
                if self.nodes.values().any(|node| node.parent == Some(id)) {
                    return Err(CommitError::Conflict);
                }
                self.nodes.remove(&id);
                self.credentials.remove(&id);
                self.names.retain(|_, named| *named != id);
                Ok(())
            }
            Write::SetCredentials { uuid, version, credentials } => {
                let id = self.id_of(uuid).ok_or(CommitError::Conflict)?;
                if self.credentials.get(&id).map_or(0, |own| own.version) != self.numbered(version) {
                    return Err(CommitError::Conflict);
                }
                self.set_credentials(id, credentials);
                Ok(())
            }
            Write::SetSchema(schema) => {
                self.schema = schema;
                Ok(())
            }
        }
    }

    fn insert(
        &mut self,
        uuid: Uuid,
        place: Place,
        entry: &Entry,
        credentials: Option<Entry>,
    ) -> Result<(), CommitError> {
        if self.id_of(uuid).is_some() {
            return Err(CommitError::Conflict);
        }
        self.last_id += 1;
        let id = EntryId(self.last_id);
        let (parent, rdn) = self.take_name(id, place)?;
        let entry = self.stamped(entry);
        self.nodes.insert(id, Node { id, uuid, parent, version: self.version, rdn: rdn.into(), entry });
        if let Some(credentials) = credentials {
            self.set_credentials(id, credentials);
        }
        Ok(())
    }

    fn move_entry(&mut self, uuid: Uuid, version: Version, place: Place, entry: &Entry) -> Result<(), CommitError> {
        let id = self.unchanged(uuid, version)?;
        self.names.retain(|_, named| *named != id);
        let (parent, rdn) = self.take_name(id, place)?;
        let mut above = parent;
        while let Some(ancestor) = above {
            if ancestor == id {
                return Err(CommitError::Conflict);
            }
            above = self.nodes.get(&ancestor).and_then(|node| node.parent);
        }
        let entry = self.stamped(entry);
        self.nodes.insert(id, Node { id, uuid, parent, version: self.version, rdn: rdn.into(), entry });
        Ok(())
    }

    fn take_name(&mut self, id: EntryId, place: Place) -> Result<(Option<EntryId>, Box<str>), CommitError> {
        let (parent, rdn, key) = match place {
            Place::Suffix(dn) => (None, dn.as_str().into(), dn.key().to_vec()),
            Place::Below { parent, rdn, key } => {
                (Some(self.id_of(parent).ok_or(CommitError::Conflict)?), rdn, key.to_vec())
            }
        };
        if self.names.insert((parent, key), id).is_some() {
            return Err(CommitError::Conflict);
        }
        Ok((parent, rdn))
    }

    fn id_of(&self, uuid: Uuid) -> Option<EntryId> {
        self.nodes.values().find(|node| node.uuid == uuid).map(|node| node.id)
    }

    /// The number of a version: what this change has written has that of the change.
    const fn numbered(&self, version: Version) -> Version {
        if version == SAME_CHANGE { self.version } else { version }
    }

    fn unchanged(&self, uuid: Uuid, version: Version) -> Result<EntryId, CommitError> {
        let version = self.numbered(version);
        let node = self.nodes.values().find(|node| node.uuid == uuid && node.version == version);
        node.map(|node| node.id).ok_or(CommitError::Conflict)
    }

    fn set_credentials(&mut self, id: EntryId, entry: Entry) {
        self.credentials.insert(id, Credentials { version: self.version, entry });
    }

    fn stamped(&mut self, entry: &Entry) -> Entry {
        self.entry_written = self.csn;
        if self.schema.extension_is_used_by(entry) {
            self.extension_used = self.csn;
        }
        entry.stamped(self.schema.known().entry_csn, self.csn.to_string().as_bytes())
    }
}

impl Tree for MemoryTree {
    fn schema(&self) -> &Arc<Schema> {
        &self.0.schema
    }

    fn suffixes(&self) -> &[Dn] {
        &self.0.suffixes
    }

    fn find(&self, dn: &Dn) -> Result<Found, TreeError> {
        let Some(suffix) = self.0.suffixes.iter().find(|suffix| dn.is_within(suffix)) else {
            return Ok(Found::Outside);
        };
        let Some(top) = self.0.names.get(&(None, suffix.key().to_vec())) else {
            return Ok(Found::Missing(None));
        };
        let mut at = *top;
        for (_, key) in dn.rdns().rev().skip(suffix.depth()) {
            match self.0.names.get(&(Some(at), key.to_vec())) {
                Some(below) => at = *below,
                None => return Ok(Found::Missing(Some(at))),
            }
        }
        Ok(Found::Entry(at))
    }

    fn node(&self, id: EntryId) -> Result<Option<Node>, TreeError> {
        Ok(self.0.nodes.get(&id).cloned())
    }

    fn nodes_after(&self, after: Option<EntryId>, limit: usize) -> Result<Vec<Node>, TreeError> {
        let start = after.map_or(0, |id| id.0 + 1);
        Ok(self.0.nodes.range(EntryId(start)..).take(limit).map(|(_, node)| node.clone()).collect())
    }

    fn find_uuid(&self, uuid: Uuid) -> Result<Option<EntryId>, TreeError> {
        Ok(self.0.id_of(uuid))
    }

    fn dn(&self, id: EntryId) -> Result<Option<Arc<Dn>>, TreeError> {
        let Some(node) = self.0.nodes.get(&id) else { return Ok(None) };
        let Some(parent) = node.parent else {
            return Ok(Dn::parse(&self.0.schema, &node.rdn).ok().map(Arc::new));
        };
        let above = self.dn(parent)?;
        let rdn = Rdn::parse(&self.0.schema, &node.rdn).ok();
        Ok(above.zip(rdn).map(|(above, rdn)| Arc::new(Dn::child(&above, rdn.as_str(), rdn.key()))))
    }

    fn parent(&self, id: EntryId) -> Result<Option<EntryId>, TreeError> {
        Ok(self.0.nodes.get(&id).and_then(|node| node.parent))
    }

    fn children(&self, id: EntryId, after: Option<EntryId>, limit: usize) -> Result<Vec<EntryId>, TreeError> {
        let below = self.0.nodes.values().filter(|node| node.parent == Some(id) && Some(node.id) > after);
        Ok(below.map(|node| node.id).take(limit).collect())
    }

    fn credentials(&self, id: EntryId) -> Result<Option<Credentials>, TreeError> {
        Ok(self.0.credentials.get(&id).cloned())
    }

    fn equal(&self, attribute_type: AttributeTypeId, normal: &[u8]) -> Result<Vec<EntryId>, TreeError> {
        let form = self.0.schema.attribute_type(attribute_type).equality_or_fallback().normal_form();
        let has =
            |node: &&Node| node.entry.values(attribute_type).any(|value| form.matches(&self.0.schema, value, normal));
        Ok(self.0.nodes.values().filter(has).map(|node| node.id).collect())
    }

    fn plan(&self, _: &Matcher, _: PlanBudget) -> Result<Plan, TreeError> {
        Ok(Plan::every_entry("every entry"))
    }

    fn changes_after(&self, after: u64, limit: usize) -> Result<Vec<LoggedChange>, TreeError> {
        let all = (1..).zip(&self.0.log).map(|(sequence, record)| LoggedChange { sequence, record: record.clone() });
        Ok(all.filter(|change| change.sequence > after).take(limit).collect())
    }

    fn change_numbers(&self) -> Result<Option<RangeInclusive<u64>>, TreeError> {
        let last = self.0.log.len() as u64;
        Ok((last > 0).then_some(1..=last))
    }

    fn csn(&self) -> Csn {
        self.0.csn
    }

    fn version(&self) -> Version {
        self.0.version
    }

    fn membership_version(&self) -> Version {
        self.0.version
    }

    fn policies_version(&self) -> Version {
        self.0.version
    }
}
