//! The directory as it was after some commit.

use std::ops::RangeInclusive;
use std::sync::Arc;

use bytes::Bytes;
use uuid::Uuid;

use super::StoreError;
use super::engine::{Family, Go, Snapshot};
use super::index::{IndexKind, Indexes};
use super::key::{self, Postings};
use super::memo::ShortList;
use super::planner::{Planner, failed};
use super::recent::Recent;
use super::record;
use crate::directory::filter::Matcher;
use crate::directory::tree::{
    Candidates, Credentials, EntryId, Found, LoggedChange, Node, Plan, PlanBudget, Tree, TreeError, Version,
};
use crate::directory::{AttributeTypeId, Csn, Dn, Rdn, Schema};

/// The directory as it was after some commit. Everything read through it belongs together, however many commits follow.
#[derive(Debug)]
pub struct View {
    snapshot: Snapshot,
    schema: Arc<Schema>,
    fixed: Arc<Fixed>,
    moment: Moment,
}

/// One batch of entries is no larger, in octets.
const BATCH_OCTETS: usize = 256 << 10;

/// The number of the first entry.
const FIRST: EntryId = EntryId(1);

/// Whether a larger entry holds a value, in octets, is remembered: a group may have as many members as there are people, each
/// of whom is asked for when they log in.
const LARGE: usize = 4 << 10;

/// What is the same for every view of a store.
#[derive(Debug)]
pub(super) struct Fixed {
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
    /// Not on disk: what was found out about policies does not outlive the process either.
    pub(super) policies_version: Version,
    /// When an entry was written last that has something of the schema's extension. Not on disk, since only changes that
    /// are being planned ask.
    pub(super) extension_used: Csn,
    /// When an entry was written last, likewise.
    pub(super) entry_written: Csn,
}

impl View {
    pub(super) const fn new(snapshot: Snapshot, schema: Arc<Schema>, fixed: Arc<Fixed>, moment: Moment) -> Self {
        Self { snapshot, schema, fixed, moment }
    }

    pub(super) const fn fixed(&self) -> &Arc<Fixed> {
        &self.fixed
    }

    pub(super) fn recent(&self) -> &Recent {
        &self.fixed.recent
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

    /// Whether entries are found by a value of the attribute without looking at all of them.
    pub fn finds_by(&self, id: AttributeTypeId) -> bool {
        self.indexes().has(id, IndexKind::Equality)
    }

    /// Whether no entry can have the attribute, because the server derives it or the schema does not define it.
    pub(super) fn is_unused(&self, id: AttributeTypeId) -> bool {
        self.schema.attribute_type(id).oid.as_ref() == "0.0"
    }

    fn get(&self, family: Family, key: &[u8]) -> Result<Option<Bytes>, TreeError> {
        self.snapshot.get(family, key).map_err(|error| unreadable(&error))
    }

    fn child(&self, parent: Option<EntryId>, rdn_key: &[u8]) -> Result<Option<EntryId>, TreeError> {
        self.named(&key::name(parent, rdn_key))
    }

    /// The entry of the name that has that key on disk.
    pub(super) fn named(&self, name: &[u8]) -> Result<Option<EntryId>, TreeError> {
        self.fixed
            .recent
            .named(name, self.moment.version, || Ok(self.get(Family::Name, name)?.as_deref().and_then(key::entry_id)))
    }

    /// The remembered entry above `dn`, if there is one, and how many parts of the name lead there.
    fn remembered(&self, dn: &Dn, suffix: &Dn) -> Option<(EntryId, usize)> {
        let below = dn.depth() - suffix.depth();
        let mut key = dn.key();
        let mut parts = dn.rdns();
        for steps in 0..=below {
            if let Some(id) = self.fixed.recent.id(key, self.moment.version) {
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

    fn having(&self, attribute_type: AttributeTypeId) -> Result<Candidates, TreeError> {
        Planner::having(self, attribute_type)
    }

    fn plan(&self, matcher: &Matcher, budget: PlanBudget) -> Result<Plan, TreeError> {
        Planner::plan(self, matcher, budget)
    }

    fn changes_after(&self, after: u64, limit: usize) -> Result<Vec<LoggedChange>, TreeError> {
        super::log::read_after(&self.snapshot, after, limit).map_err(|error| unreadable(&error))
    }

    fn change_numbers(&self) -> Result<Option<RangeInclusive<u64>>, TreeError> {
        super::log::numbers(&self.snapshot).map_err(|error| unreadable(&error))
    }

    fn csn(&self) -> Csn {
        self.moment.csn
    }

    fn version(&self) -> Version {
        View::version(self)
    }

    fn membership_version(&self) -> Version {
        self.moment.membership_version
    }

    fn policies_version(&self) -> Version {
        self.moment.policies_version
    }

    fn some_children(&self, id: EntryId, limit: usize) -> Result<Vec<EntryId>, TreeError> {
        View::some_children(self, id, limit)
    }

    fn has_children(&self, id: EntryId) -> Result<bool, TreeError> {
        View::has_children(self, id)
    }
}

impl View {
    /// See [`Tree::schema`].
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
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
        let (recent, at) = (&self.fixed.recent, self.moment.version);
        recent.node(id, at, || {
            let record = self.get(Family::Entry, &key::entry(id))?;
            let node = record.map(|record| read_node(id, &record)).transpose()?;
            if let Some(node) = &node {
                recent.keep_uuid(node.uuid, at, id);
            }
            Ok(node)
        })
    }

    /// See [`Tree::nodes_after`].
    pub fn nodes_after(&self, after: Option<EntryId>, limit: usize) -> Result<Vec<Node>, TreeError> {
        let mut nodes = Vec::new();
        let mut octets = 0;
        let mut next = after.map_or(FIRST, |id| EntryId(id.0.saturating_add(1)));
        let is_enough = |nodes: &[Node], octets: usize| nodes.len() >= limit || octets > BATCH_OCTETS;
        // The disk is read from the first on that is not known.
        while !is_enough(&nodes, octets) {
            let Some(known) = self.recent().known_node(next, self.version()) else { break };
            octets += record::HEAD + known.rdn.len() + known.entry.octets().len();
            nodes.push(known);
            next = EntryId(next.0.saturating_add(1));
        }
        if is_enough(&nodes, octets) {
            return Ok(nodes);
        }
        let mut damaged = None;
        let visit = &mut |key: &[u8], record: &[u8]| {
            let id = key::entry_id(key).unwrap_or(EntryId(0));
            octets += record.len();
            match read_node(id, &Bytes::copy_from_slice(record)) {
                Ok(node) => nodes.push(node),
                Err(error) => damaged = Some(error),
            }
            if damaged.is_some() || is_enough(&nodes, octets) { Go::Stop } else { Go::On }
        };
        self.snapshot.scan(Family::Entry, &key::entry(next), visit).map_err(|error| unreadable(&error))?;
        damaged.map_or(Ok(nodes), Err)
    }

    /// See [`Tree::find_uuid`].
    pub fn find_uuid(&self, uuid: Uuid) -> Result<Option<EntryId>, TreeError> {
        self.fixed.recent.identified(uuid, self.moment.version, || {
            Ok(self.get(Family::Uuid, uuid.as_bytes())?.as_deref().and_then(key::entry_id))
        })
    }

    /// See [`Tree::dn`].
    pub fn dn(&self, id: EntryId) -> Result<Option<Arc<Dn>>, TreeError> {
        let (recent, at) = (&self.fixed.recent, self.moment.version);
        if let Some(dn) = recent.dn(id, at) {
            return Ok(Some(dn));
        }
        let Some(node) = self.node(id)? else { return Ok(None) };
        let dn = self.read_dn(&node)?;
        recent.keep_dn(id, at, &dn);
        Ok(Some(dn))
    }

    fn read_dn(&self, node: &Node) -> Result<Arc<Dn>, TreeError> {
        let damaged = || TreeError::new("reading a name", record::DamagedRecord(node.id.0));
        let Some(parent) = node.parent else {
            return Dn::parse(&self.schema, &node.rdn).map(Arc::new).map_err(|_| damaged());
        };
        let above = self.dn(parent)?.ok_or_else(damaged)?;
        let rdn = Rdn::parse(&self.schema, &node.rdn).map_err(|_| damaged())?;
        Ok(Arc::new(Dn::child(&above, rdn.as_str(), rdn.key())))
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

    /// See [`Tree::some_children`].
    pub fn some_children(&self, id: EntryId, limit: usize) -> Result<Vec<EntryId>, TreeError> {
        let mut ids = Vec::new();
        self.visit_children(id, &mut |child| {
            ids.push(child);
            if ids.len() < limit { Go::On } else { Go::Stop }
        })?;
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
        let form = self.schema.attribute_type(attribute_type).equality_or_fallback().normal_form();
        let looked_up = |node: &Node| form.matches_one_of(&self.schema, &node.entry, attribute_type, normal);
        let has = |node: &Node| {
            let is_large = node.entry.octets().len() > LARGE;
            if !is_large {
                return looked_up(node);
            }
            self.fixed.recent.holds((node.id, node.version), attribute_type, normal, || looked_up(node))
        };
        if !self.fixed.indexes.has(attribute_type, IndexKind::Equality) {
            return self.scan_for(&has);
        }
        if self.has_no(attribute_type, IndexKind::Equality)? {
            return Ok(Vec::new());
        }
        let ids = self.listed(&Postings::equality(attribute_type, normal))?;
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            // Another value may share the hash.
            if self.node(id)?.is_some_and(|node| has(&node)) {
                found.push(id);
            }
        }
        Ok(found)
    }

    /// Whether an index that there is holds nothing.
    pub(super) fn has_no(&self, attribute_type: AttributeTypeId, kind: IndexKind) -> Result<bool, TreeError> {
        let index = key::index_prefix(attribute_type, kind);
        self.recent().holds_nothing(index, self.version(), || {
            let mut holds_nothing = true;
            let visit = &mut |key: &[u8], _: &[u8]| {
                holds_nothing = !key.starts_with(&index);
                Go::Stop
            };
            self.snapshot.scan(Family::Index, &index, visit).map_err(|error| failed(&error))?;
            Ok(holds_nothing)
        })
    }

    /// The entries of a posting list.
    pub(super) fn listed(&self, postings: &Postings) -> Result<ShortList, TreeError> {
        let (recent, at) = (&self.fixed.recent, self.moment.version);
        if let Some(list) = recent.postings(postings.octets(), at) {
            return Ok(list);
        }
        let mut list = ShortList::new();
        let visit = &mut |key: &[u8]| {
            list.extend(key::posting_id(key));
            Go::On
        };
        self.snapshot.scan_postings(postings.octets(), visit).map_err(|error| failed(&error))?;
        recent.keep_postings(postings.octets(), at, list.clone());
        Ok(list)
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

#[cfg(test)]
mod tests {
    use super::super::testing::{SUFFIX, add, find, open, place, uuid, write};
    use super::super::{Existence, Store};
    use super::*;
    use crate::directory::tree::{Directory, Write};

    const OU: &str = "ou=a,dc=example";
    const PERSON: &str = "cn=ada,ou=b,ou=a,dc=example";
    const MOVED: &str = "cn=ada,ou=b,ou=new,dc=example";

    fn store(folder: &tempfile::TempDir) -> Store {
        let store = open(folder.path(), Existence::Forbidden).unwrap();
        for dn in [SUFFIX, OU, "ou=b,ou=a,dc=example", PERSON] {
            add(&store, dn);
        }
        store
    }

    fn node(store: &Store, dn: &str) -> Node {
        store.view().node(find(store, dn).unwrap()).unwrap().unwrap()
    }

    fn rename(store: &Store, from: &str, to: &str) {
        let Node { uuid, version, entry, .. } = node(store, from);
        write(store, Write::Move { uuid, version, place: place(store, to), entry });
    }

    fn remove(store: &Store, dn: &str) {
        let Node { uuid, version, .. } = node(store, dn);
        write(store, Write::Remove { uuid, version });
    }

    fn dn(view: &View, id: EntryId) -> String {
        view.dn(id).unwrap().unwrap().as_str().to_owned()
    }

    fn finds(view: &View, text: &str) -> Option<EntryId> {
        view.find(&Dn::parse(view.schema(), text).unwrap()).unwrap().entry()
    }

    #[test]
    fn who_still_looks_at_an_earlier_moment_does_not_name_entries_for_others() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder);
        let person = find(&store, PERSON).unwrap();
        let before = store.view();
        rename(&store, OU, "ou=new,dc=example");
        let after = store.view();
        // In this order: what the earlier one has read stands beside what the later one asks for.
        for _ in 0..2 {
            assert_eq!(dn(&before, person), PERSON);
            assert_eq!((finds(&before, PERSON), finds(&before, MOVED)), (Some(person), None));
            assert_eq!(dn(&after, person), MOVED);
            assert_eq!((finds(&after, PERSON), finds(&after, MOVED)), (None, Some(person)));
        }
    }

    #[test]
    fn what_was_known_of_a_name_ends_with_a_rename_and_not_for_those_who_look_at_an_earlier_moment() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder);
        let person = find(&store, PERSON).unwrap();
        let before = store.view();
        assert_eq!(dn(&before, person), PERSON);
        rename(&store, OU, "ou=new,dc=example");
        assert_eq!((dn(&store.view(), person), dn(&before, person)), (MOVED.to_owned(), PERSON.to_owned()));
        rename(&store, "ou=new,dc=example", OU);
        assert_eq!(dn(&store.view(), person), PERSON);
        rename(&store, "ou=b,ou=a,dc=example", "ou=b,dc=example");
        assert_eq!(dn(&store.view(), person), "cn=ada,ou=b,dc=example");
    }

    #[test]
    fn a_name_that_was_given_up_leads_to_who_has_it_now() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder);
        let (before, first) = (store.view(), find(&store, OU).unwrap());
        let person = find(&store, PERSON).unwrap();
        for dn in [PERSON, "ou=b,ou=a,dc=example", OU] {
            remove(&store, dn);
        }
        let between = store.view();
        add(&store, OU);
        let second = finds(&store.view(), OU);
        assert_ne!(second, Some(first));
        assert_eq!(dn(&before, person), PERSON);
        assert_eq!([finds(&before, OU), finds(&between, OU), finds(&store.view(), OU)], [Some(first), None, second]);
        assert_eq!(between.dn(first).unwrap(), None);
        assert_eq!(store.view().find_uuid(uuid(OU)).unwrap(), second);
    }

    #[test]
    fn a_large_group_has_those_members_that_it_has_now() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder);
        let known = *store.view().schema().known();
        let key = |name: &str| Dn::parse(store.view().schema(), name).unwrap().key().to_vec();
        let members = |range: std::ops::Range<usize>| -> Vec<Vec<u8>> {
            range.map(|number| format!("cn=member number {number},dc=example").into_bytes()).collect()
        };
        let set = |range| {
            let Node { uuid, version, entry, .. } = node(&store, OU);
            let mut attributes = entry.decode();
            attributes.set(known.member, members(range));
            let entry = crate::directory::Entry::encode(&attributes, store.view().schema());
            assert!(entry.octets().len() > LARGE);
            write(&store, Write::Replace { uuid, version, entry });
        };
        let groups = |view: &View, number: usize| {
            view.equal(known.member, &key(&format!("CN=Member Number {number},dc=example"))).unwrap()
        };
        let group = find(&store, OU).unwrap();
        set(0..400);
        let before = store.view();
        assert_eq!((groups(&before, 1), groups(&before, 1), groups(&before, 500)), (vec![group], vec![group], vec![]));
        set(200..600);
        let after = store.view();
        for _ in 0..2 {
            assert_eq!((groups(&after, 1), groups(&after, 500)), (vec![], vec![group]));
            assert_eq!((groups(&before, 1), groups(&before, 500)), (vec![group], vec![]));
        }
    }
}
