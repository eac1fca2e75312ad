//! The directory as it was after some commit.

use std::sync::Arc;

use bytes::Bytes;
use uuid::Uuid;

use super::StoreError;
use super::engine::{Family, Go, Snapshot};
use super::index::{IndexKind, Indexes};
use super::key::{self, Postings};
use super::names::Names;
use super::planner::{Planner, failed};
use super::recent::Recent;
use super::record;
use crate::directory::filter::Matcher;
use crate::directory::tree::{Credentials, EntryId, Found, Node, Plan, Tree, TreeError, Version};
use crate::directory::{AttributeTypeId, Csn, Dn, Rdn, Schema};

/// The directory as it was after some commit. Everything read through it belongs together, however many commits follow.
#[derive(Debug)]
pub struct View {
    snapshot: Snapshot,
    fixed: Arc<Fixed>,
    names: Arc<Names>,
    moment: Moment,
}

/// One batch of entries is no larger, in octets.
const BATCH_OCTETS: usize = 4 << 20;

/// What is the same for every view of a store.
#[derive(Debug)]
pub(super) struct Fixed {
    pub(super) schema: Arc<Schema>,
    pub(super) suffixes: Vec<Dn>,
    pub(super) indexes: Indexes,
    pub(super) recent: Recent,
}

/// What a commit changes for the views that follow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Moment {
    pub(super) version: Version,
    pub(super) csn: Csn,
    pub(super) membership_version: Version,
}

impl View {
    pub(super) const fn new(snapshot: Snapshot, fixed: Arc<Fixed>, names: Arc<Names>, moment: Moment) -> Self {
        Self { snapshot, fixed, names, moment }
    }

    pub(super) const fn fixed(&self) -> &Arc<Fixed> {
        &self.fixed
    }

    pub(super) const fn names(&self) -> &Arc<Names> {
        &self.names
    }

    pub(super) const fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    pub(super) fn indexes(&self) -> &Indexes {
        &self.fixed.indexes
    }

    /// The number of the commit that it follows.
    pub const fn version(&self) -> Version {
        self.moment.version
    }

    /// Whether no entry can have the attribute, because the server derives it or the schema does not define it.
    pub(super) fn is_unused(&self, id: AttributeTypeId) -> bool {
        self.fixed.schema.attribute_type(id).oid.as_ref() == "0.0"
    }

    fn get(&self, family: Family, key: &[u8]) -> Result<Option<Bytes>, TreeError> {
        self.snapshot.get(family, key).map_err(|error| unreadable(&error))
    }

    fn child(&self, parent: Option<EntryId>, rdn_key: &[u8]) -> Result<Option<EntryId>, TreeError> {
        let name = key::name(parent, rdn_key);
        self.fixed
            .recent
            .named(&name, self.moment.version, || Ok(self.get(Family::Name, &name)?.as_deref().and_then(key::entry_id)))
    }

    /// The remembered entry above `dn`, if there is one, and how many parts of the name lead there.
    fn remembered(&self, dn: &Dn, suffix: &Dn) -> Option<(EntryId, usize)> {
        let below = dn.depth() - suffix.depth();
        let mut key = dn.key();
        let mut parts = dn.rdns();
        for steps in 0..=below {
            if let Some(id) = self.names.id(key) {
                return Some((id, dn.depth() - steps));
            }
            let (_, own) = parts.next()?;
            key = key.get(own.len()..)?;
        }
        None
    }
}

fn read_node(id: EntryId, record: &Bytes) -> Result<Node, TreeError> {
    record::decode_node(id, record).map_err(|error| TreeError::new("reading an entry", error))
}

fn unreadable(error: &StoreError) -> TreeError {
    TreeError::new("reading the store", error.to_string())
}

impl Tree for Arc<View> {
    fn schema(&self) -> &Arc<Schema> {
        View::schema(self)
    }

    fn suffixes(&self) -> &[Dn] {
        &self.fixed.suffixes
    }

    fn find(&self, dn: &Dn) -> Result<Found, TreeError> {
        View::find(self, dn)
    }

    fn node(&self, id: EntryId) -> Result<Option<Node>, TreeError> {
        View::node(self, id)
    }

    fn nodes_after(&self, after: Option<EntryId>, limit: usize) -> Result<Vec<Node>, TreeError> {
        View::nodes_after(self, after, limit)
    }

    fn find_uuid(&self, uuid: Uuid) -> Result<Option<EntryId>, TreeError> {
        View::find_uuid(self, uuid)
    }

    fn dn(&self, id: EntryId) -> Result<Option<Arc<Dn>>, TreeError> {
        View::dn(self, id)
    }

    fn parent(&self, id: EntryId) -> Result<Option<EntryId>, TreeError> {
        View::parent(self, id)
    }

    fn children(&self, id: EntryId, after: Option<EntryId>, limit: usize) -> Result<Vec<EntryId>, TreeError> {
        View::children(self, id, after, limit)
    }

    fn credentials(&self, id: EntryId) -> Result<Option<Credentials>, TreeError> {
        View::credentials(self, id)
    }

    fn equal(&self, attribute_type: AttributeTypeId, normal: &[u8]) -> Result<Vec<EntryId>, TreeError> {
        View::equal(self, attribute_type, normal)
    }

    fn plan(&self, matcher: &Matcher) -> Result<Plan, TreeError> {
        Planner::plan(self, matcher)
    }

    fn csn(&self) -> Csn {
        self.moment.csn
    }

    fn membership_version(&self) -> Version {
        self.moment.membership_version
    }

    fn has_children(&self, id: EntryId) -> Result<bool, TreeError> {
        View::has_children(self, id)
    }
}

impl View {
    /// See [`Tree::schema`].
    pub fn schema(&self) -> &Arc<Schema> {
        &self.fixed.schema
    }

    /// See [`Tree::find`].
    pub fn find(&self, dn: &Dn) -> Result<Found, TreeError> {
        let Some(suffix) = self.fixed.suffixes.iter().find(|suffix| dn.is_within(suffix)) else {
            return Ok(Found::Outside);
        };
        let (mut at, depth) = match self.remembered(dn, suffix) {
            Some(remembered) => remembered,
            None => match self.child(None, suffix.key())? {
                Some(top) => (top, suffix.depth()),
                None => return Ok(Found::Missing(None)),
            },
        };
        for (_, rdn_key) in dn.rdns().rev().skip(depth) {
            match self.child(Some(at), rdn_key)? {
                Some(below) => at = below,
                None => return Ok(Found::Missing(Some(at))),
            }
        }
        Ok(Found::Entry(at))
    }

    /// See [`Tree::node`].
    pub fn node(&self, id: EntryId) -> Result<Option<Node>, TreeError> {
        self.fixed.recent.node(id, self.moment.version, || {
            let record = self.get(Family::Entry, &key::entry(id))?;
            record.map(|record| read_node(id, &record)).transpose()
        })
    }

    /// See [`Tree::nodes_after`].
    pub fn nodes_after(&self, after: Option<EntryId>, limit: usize) -> Result<Vec<Node>, TreeError> {
        let start = after.map_or(0, |id| id.0.saturating_add(1));
        let mut nodes = Vec::new();
        let mut octets = 0;
        let mut damaged = None;
        let visit = &mut |key: &[u8], record: &[u8]| {
            let id = key::entry_id(key).unwrap_or(EntryId(0));
            octets += record.len();
            match read_node(id, &Bytes::copy_from_slice(record)) {
                Ok(node) => nodes.push(node),
                Err(error) => damaged = Some(error),
            }
            if nodes.len() >= limit || octets > BATCH_OCTETS || damaged.is_some() { Go::Stop } else { Go::On }
        };
        if limit > 0 {
            let start = key::entry(EntryId(start));
            self.snapshot.scan(Family::Entry, &start, visit).map_err(|error| unreadable(&error))?;
        }
        damaged.map_or(Ok(nodes), Err)
    }

    /// See [`Tree::find_uuid`].
    pub fn find_uuid(&self, uuid: Uuid) -> Result<Option<EntryId>, TreeError> {
        Ok(self.get(Family::Uuid, uuid.as_bytes())?.as_deref().and_then(key::entry_id))
    }

    /// See [`Tree::dn`]. Names of entries that have others below them are remembered.
    pub fn dn(&self, id: EntryId) -> Result<Option<Arc<Dn>>, TreeError> {
        if let Some(dn) = self.names.name(id) {
            return Ok(Some(dn));
        }
        let Some(node) = self.node(id)? else { return Ok(None) };
        let damaged = || TreeError::new("reading a name", record::DamagedRecord(id.0));
        let Some(parent) = node.parent else {
            let dn = Arc::new(Dn::parse(&self.fixed.schema, &node.rdn).map_err(|_| damaged())?);
            self.names.remember(id, &dn);
            return Ok(Some(dn));
        };
        let above = self.dn(parent)?.ok_or_else(damaged)?;
        self.names.remember(parent, &above);
        let rdn = Rdn::parse(&self.fixed.schema, &node.rdn).map_err(|_| damaged())?;
        Ok(Some(Arc::new(Dn::child(&above, rdn.as_str(), rdn.key()))))
    }

    /// See [`Tree::parent`].
    pub fn parent(&self, id: EntryId) -> Result<Option<EntryId>, TreeError> {
        Ok(self.node(id)?.and_then(|node| node.parent))
    }

    /// See [`Tree::children`].
    pub fn children(&self, id: EntryId, after: Option<EntryId>, limit: usize) -> Result<Vec<EntryId>, TreeError> {
        let mut ids = Vec::new();
        self.visit_children(id, &mut |child| {
            ids.push(child);
            Go::On
        })?;
        ids.retain(|id| Some(*id) > after);
        ids.sort_unstable();
        ids.truncate(limit);
        Ok(ids)
    }

    /// See [`Tree::has_children`].
    pub fn has_children(&self, id: EntryId) -> Result<bool, TreeError> {
        let mut has = false;
        self.visit_children(id, &mut |_| {
            has = true;
            Go::Stop
        })?;
        Ok(has)
    }

    fn visit_children(&self, id: EntryId, visit: &mut dyn FnMut(EntryId) -> Go) -> Result<(), TreeError> {
        let prefix = key::name_prefix(Some(id));
        let visit = &mut |key: &[u8], value: &[u8]| match key::entry_id(value) {
            Some(child) if key.starts_with(&prefix) => visit(child),
            _ => Go::Stop,
        };
        self.snapshot.scan(Family::Name, &prefix, visit).map_err(|error| unreadable(&error))
    }

    /// See [`Tree::credentials`].
    pub fn credentials(&self, id: EntryId) -> Result<Option<Credentials>, TreeError> {
        self.fixed.recent.credentials(id, self.moment.version, || {
            let record = self.get(Family::Credentials, &key::entry(id))?;
            let decode = |record: &Bytes| {
                record::decode_credentials(id, record).map_err(|error| TreeError::new("reading credentials", error))
            };
            record.as_ref().map(decode).transpose()
        })
    }

    /// See [`Tree::equal`]. Without an index, every entry is looked at.
    pub fn equal(&self, attribute_type: AttributeTypeId, normal: &[u8]) -> Result<Vec<EntryId>, TreeError> {
        let form = self.fixed.schema.attribute_type(attribute_type).equality_or_fallback().normal_form();
        let has = |node: &Node| {
            node.entry.values(attribute_type).any(|value| form.matches(&self.fixed.schema, value, normal))
        };
        if !self.fixed.indexes.has(attribute_type, IndexKind::Equality) {
            return self.scan_for(&has);
        }
        let mut ids = Vec::new();
        let postings = Postings::equality(attribute_type, normal);
        let visit = &mut |key: &[u8]| {
            ids.extend(key::posting_id(key));
            Go::On
        };
        self.snapshot.scan_postings(postings.octets(), visit).map_err(|error| failed(&error))?;
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            // Another value may share the hash.
            if self.node(id)?.is_some_and(|node| has(&node)) {
                found.push(id);
            }
        }
        Ok(found)
    }

    fn scan_for(&self, has: &dyn Fn(&Node) -> bool) -> Result<Vec<EntryId>, TreeError> {
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let nodes = self.nodes_after(after, 1000)?;
            let Some(last) = nodes.last() else { return Ok(found) };
            after = Some(last.id);
            found.extend(nodes.iter().filter(|node| has(node)).map(|node| node.id));
        }
    }
}
