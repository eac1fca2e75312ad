//! What was read lately, kept decoded; and how a reader knows that it still holds at the moment that it looks at.
//!
//! Everything kept says with which commit it was read. Beside it stands, by the hash of its key, the last commit that
//! changed it, or something else of that hash. What was read at one commit is the same at another if nothing changed it
//! in between. The commit thread notes what it changes before readers see the change, so no lock is held and nothing is
//! thrown out: what no longer holds is found to be so, and read again.

use std::fmt;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use quick_cache::DefaultHashBuilder;
use uuid::Uuid;

use super::emptiness::Emptiness;
use super::engine::Family;
use super::index::{IndexKind, Indexes};
use super::key;
use super::memo::{Memo, ShortList};
use super::record;
use crate::directory::tree::{Credentials, EntryId, Node, Version};
use crate::directory::{AttributeTypeId, Dn};

/// Lists of postings that are longer are read anew each time.
pub(super) const SHORT: usize = 8;
/// How many keys of a family are told apart by their hashes. One entry that is added has tens of postings: each makes
/// everything unknown that shares its hash, so those have more.
const fn slots(family: Family) -> usize {
    match family {
        Family::Index => 1 << 19,
        Family::Entry | Family::Credentials => 1 << 17,
        Family::Name | Family::Uuid => 1 << 16,
        // Nothing of these is kept.
        Family::Log | Family::Event | Family::Meta => 0,
    }
}

/// What was read lately.
#[derive(Debug)]
pub(super) struct Recent {
    changes: Changes,
    emptiness: Emptiness,
    nodes: Memo<EntryId, Option<Node>>,
    credentials: Memo<EntryId, Option<Credentials>>,
    names: Memo<Box<[u8]>, Option<EntryId>>,
    uuids: Memo<Uuid, Option<EntryId>>,
    postings: Memo<Box<[u8]>, ShortList>,
    /// Which values entries have been found to hold, and at which version of the entry.
    holdings: Memo<Box<[u8]>, Version>,
    /// The last commit that renamed or moved an entry with others below it, and so all of these.
    last_rename: AtomicU64,
    /// Names: each entry that is found needs that of the one above.
    dns: Memo<EntryId, Arc<Dn>>,
    /// The same entries by the key of their names.
    ids: Memo<Box<[u8]>, EntryId>,
}

impl Recent {
    /// Keeps about so many octets.
    pub(super) fn new(octets: usize, indexes: &Indexes) -> Self {
        let part = |percent: usize| octets / 100 * percent;
        Self {
            changes: Changes::new(),
            emptiness: Emptiness::of(indexes.iter().map(|(attribute, kind)| key::index_prefix(attribute, kind))),
            nodes: Memo::new(part(58)),
            credentials: Memo::new(part(18)),
            names: Memo::new(part(6)),
            uuids: Memo::new(part(3)),
            postings: Memo::new(part(8)),
            holdings: Memo::new(part(3)),
            last_rename: AtomicU64::new(0),
            dns: Memo::new(part(2)),
            ids: Memo::new(part(2)),
        }
    }

    /// Says that a commit changes a record. To be called before any reader can see that commit.
    pub(super) fn note(&self, family: Family, key: &[u8], version: Version) {
        match family {
            Family::Index => {
                self.emptiness.note(key, version);
                if is_kept(key) {
                    self.changes.note(family, key::postings_of(key), version);
                }
            }
            _ => self.changes.note(family, key, version),
        }
    }

    /// Says that a commit gives other names to entries below one that is renamed or moved. Likewise to be called before.
    pub(super) fn note_rename(&self, version: Version) {
        self.last_rename.store(version, Ordering::Relaxed);
    }

    pub(super) fn node<E>(
        &self,
        id: EntryId,
        at: Version,
        read: impl FnOnce() -> Result<Option<Node>, E>,
    ) -> Result<Option<Node>, E> {
        let last = |_: &_| self.changes.last(Family::Entry, &key::entry(id));
        self.nodes.get_or_read(&id, at, last, read)
    }

    /// The entry, if it is known. For those who look at everything: what they see does not stay longer for that.
    pub(super) fn known_node(&self, id: EntryId, at: Version) -> Option<Node> {
        self.nodes.peek(&id, at, |_| self.changes.last(Family::Entry, &key::entry(id))).flatten()
    }

    /// Keeps an entry as a commit has written it.
    pub(super) fn keep_node(&self, id: EntryId, at: Version, node: Option<Node>) {
        self.nodes.keep(id, at, |_| self.changes.last(Family::Entry, &key::entry(id)), node);
    }

    /// Whether something must go before more of a family can be kept.
    pub(super) fn is_full(&self, family: Family) -> bool {
        match family {
            Family::Entry => self.nodes.is_full(),
            Family::Credentials => self.credentials.is_full(),
            Family::Name => self.names.is_full(),
            Family::Index => self.postings.is_full(),
            Family::Uuid | Family::Log | Family::Event | Family::Meta => true,
        }
    }

    /// Keeps what stands on disk at a commit, if it can be read.
    pub(super) fn keep_record(&self, family: Family, key: &[u8], value: &[u8], at: Version) {
        let record = || Bytes::copy_from_slice(value);
        match (family, key::entry_id(key)) {
            (Family::Entry, Some(id)) => {
                let Ok(node) = record::decode_node(id, &record()) else { return };
                self.keep_uuid(node.uuid, at, id);
                self.keep_node(id, at, Some(node));
            }
            (Family::Credentials, Some(id)) => {
                let Ok(credentials) = record::decode_credentials(id, &record()) else { return };
                self.keep_credentials(id, at, Some(credentials));
            }
            (Family::Name, _) => {
                let Some(id) = key::entry_id(value) else { return };
                self.names.keep(key.into(), at, |_| self.changes.last(Family::Name, key), Some(id));
            }
            _ => {}
        }
    }

    /// Keeps which entry a UUID is of.
    pub(super) fn keep_uuid(&self, uuid: Uuid, at: Version, id: EntryId) {
        self.uuids.keep(uuid, at, |_| self.changes.last(Family::Uuid, uuid.as_bytes()), Some(id));
    }

    /// Keeps credentials as a commit has written them.
    pub(super) fn keep_credentials(&self, id: EntryId, at: Version, credentials: Option<Credentials>) {
        self.credentials.keep(id, at, |_| self.changes.last(Family::Credentials, &key::entry(id)), credentials);
    }

    pub(super) fn credentials<E>(
        &self,
        id: EntryId,
        at: Version,
        read: impl FnOnce() -> Result<Option<Credentials>, E>,
    ) -> Result<Option<Credentials>, E> {
        let last = |_: &_| self.changes.last(Family::Credentials, &key::entry(id));
        self.credentials.get_or_read(&id, at, last, read)
    }

    pub(super) fn named<E>(
        &self,
        name: &[u8],
        at: Version,
        read: impl FnOnce() -> Result<Option<EntryId>, E>,
    ) -> Result<Option<EntryId>, E> {
        self.names.get_or_read(name, at, |_| self.changes.last(Family::Name, name), read)
    }

    pub(super) fn identified<E>(
        &self,
        uuid: Uuid,
        at: Version,
        read: impl FnOnce() -> Result<Option<EntryId>, E>,
    ) -> Result<Option<EntryId>, E> {
        self.uuids.get_or_read(&uuid, at, |_| self.changes.last(Family::Uuid, uuid.as_bytes()), read)
    }

    /// Whether an entry, as it is at that version, holds a value of that normal form.
    pub(super) fn holds(
        &self,
        (id, version): (EntryId, Version),
        attribute_type: AttributeTypeId,
        normal: &[u8],
        look: impl FnOnce() -> bool,
    ) -> bool {
        let key = [&key::entry(id)[..], &attribute_type.0.to_be_bytes(), normal].concat();
        if self.holdings.get(key.as_slice(), Version::MAX, |_| 0) == Some(version) {
            return true;
        }
        let holds = look();
        if holds {
            self.holdings.keep(key.into(), 0, |_| 0, version);
        }
        holds
    }

    /// The list of these postings, if it is known and short.
    pub(super) fn postings(&self, postings: &[u8], at: Version) -> Option<ShortList> {
        self.postings.get(postings, at, |_| self.changes.last(Family::Index, postings))
    }

    /// Whether an index, as its keys begin, holds nothing; `look` looks.
    pub(super) fn holds_nothing<E>(
        &self,
        index: [u8; key::INDEX],
        at: Version,
        look: impl FnOnce() -> Result<bool, E>,
    ) -> Result<bool, E> {
        self.emptiness.holds_nothing(index, at, look)
    }

    /// Keeps the list of these postings, if it is short and of a kind of which lists are kept.
    pub(super) fn keep_postings(&self, postings: &[u8], at: Version, list: ShortList) {
        if !is_kept(postings) || list.len() > SHORT {
            return;
        }
        self.postings.keep(postings.into(), at, |_| self.changes.last(Family::Index, postings), list);
    }
}

impl Recent {
    /// The name of an entry, if it is known.
    pub(super) fn dn(&self, id: EntryId, at: Version) -> Option<Arc<Dn>> {
        self.dns.get(&id, at, |_| self.last_naming(id))
    }

    /// The entry whose name has that key, if it is known.
    pub(super) fn id(&self, dn_key: &[u8], at: Version) -> Option<EntryId> {
        self.ids.get(dn_key, at, |id| self.last_naming(*id))
    }

    /// Keeps the name of an entry.
    pub(super) fn keep_dn(&self, id: EntryId, at: Version, dn: &Arc<Dn>) {
        let last = self.last_naming(id);
        self.dns.keep(id, at, |_| last, Arc::clone(dn));
        self.ids.keep(dn.key().into(), at, |_| last, id);
    }

    /// The last commit that may have changed what an entry is called: one that wrote or removed itself, or one that
    /// renamed something above it.
    fn last_naming(&self, id: EntryId) -> Version {
        self.changes.last(Family::Entry, &key::entry(id)).max(self.last_rename.load(Ordering::Relaxed))
    }
}

/// Whether lists of the index that a key belongs to are kept. Those of pieces of values are not: most postings of an entry are
/// in them, and what they find is seldom asked for again.
fn is_kept(key: &[u8]) -> bool {
    key.get(2) != Some(&IndexKind::Substring.number())
}

/// The last commit that changed something, by the hash of its key.
struct Changes {
    /// In the order of [`Family::ALL`].
    families: [Box<[AtomicU64]>; Family::ALL.len()],
    hasher: DefaultHashBuilder,
}

impl Changes {
    fn new() -> Self {
        let families = Family::ALL.map(|family| (0..slots(family)).map(|_| AtomicU64::new(0)).collect());
        Self { families, hasher: DefaultHashBuilder::default() }
    }

    fn slot(&self, family: Family, key: &[u8]) -> Option<&AtomicU64> {
        let slots = self.families.get(family as usize)?;
        let hash = usize::try_from(self.hasher.hash_one(key)).unwrap_or_default();
        slots.get(hash.checked_rem(slots.len())?)
    }

    fn note(&self, family: Family, key: &[u8], version: Version) {
        // Readers see it at the latest when they see the commit, which is published with an order of its own.
        if let Some(slot) = self.slot(family, key) {
            slot.store(version, Ordering::Relaxed);
        }
    }

    fn last(&self, family: Family, key: &[u8]) -> Version {
        self.slot(family, key).map_or(Version::MAX, |slot| slot.load(Ordering::Relaxed))
    }
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Changes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands on disk after each commit, for one name.
    fn read(recent: &Recent, at: Version, on_disk: Option<u32>) -> (Option<EntryId>, bool) {
        let mut was_read = false;
        let found = recent.named::<()>(b"name", at, || {
            was_read = true;
            Ok(on_disk.map(EntryId))
        });
        (found.unwrap(), was_read)
    }

    #[test]
    fn what_was_read_is_not_read_again_until_it_changes() {
        let recent = Recent::new(1 << 20, &Indexes::default());
        assert_eq!(read(&recent, 5, Some(7)), (Some(EntryId(7)), true));
        assert_eq!(read(&recent, 5, Some(7)), (Some(EntryId(7)), false));
        assert_eq!(read(&recent, 9, Some(7)), (Some(EntryId(7)), false));
        recent.note(Family::Name, b"name", 10);
        assert_eq!(read(&recent, 10, Some(8)), (Some(EntryId(8)), true));
        assert_eq!(read(&recent, 10, Some(8)), (Some(EntryId(8)), false));
    }

    #[test]
    fn who_looks_at_an_earlier_moment_sees_what_was_there_then() {
        let recent = Recent::new(1 << 20, &Indexes::default());
        assert_eq!(read(&recent, 9, Some(7)), (Some(EntryId(7)), true));
        recent.note(Family::Name, b"name", 10);
        assert_eq!(read(&recent, 9, Some(7)), (Some(EntryId(7)), true));
        assert_eq!(read(&recent, 10, None), (None, true));
        assert_eq!(read(&recent, 9, Some(7)), (Some(EntryId(7)), true));
        // What the one at the earlier moment read has not replaced what is newer.
        assert_eq!(read(&recent, 11, None), (None, false));
    }

    #[test]
    fn what_was_read_later_holds_before_if_nothing_changed() {
        let recent = Recent::new(1 << 20, &Indexes::default());
        recent.note(Family::Name, b"name", 3);
        assert_eq!(read(&recent, 8, Some(7)), (Some(EntryId(7)), true));
        assert_eq!(read(&recent, 3, Some(7)), (Some(EntryId(7)), false));
        assert_eq!(read(&recent, 2, None), (None, true));
    }

    #[test]
    fn a_change_of_one_posting_changes_its_list() {
        let recent = Recent::new(1 << 20, &Indexes::default());
        let postings = key::Postings::presence(AttributeTypeId(3));
        let list = ShortList::from_slice(&[EntryId(1), EntryId(2)]);
        recent.keep_postings(postings.octets(), 4, list.clone());
        assert_eq!(recent.postings(postings.octets(), 4), Some(list));
        recent.note(Family::Index, &postings.key(EntryId(3)), 5);
        assert_eq!(recent.postings(postings.octets(), 5), None);
    }

    #[test]
    fn a_name_holds_while_others_come_and_go() {
        let recent = Recent::new(1 << 20, &Indexes::default());
        let schema = crate::directory::Schema::standard();
        let dn = Arc::new(Dn::parse(&schema, "ou=people,dc=example").unwrap());
        let known = |at| (recent.dn(EntryId(2), at).is_some(), recent.id(dn.key(), at));
        recent.keep_dn(EntryId(2), 5, &dn);
        recent.note(Family::Entry, &key::entry(EntryId(9)), 6);
        assert_eq!(known(6), (true, Some(EntryId(2))));
        // Something above it may have been renamed.
        recent.note_rename(7);
        assert_eq!((known(6), known(7)), ((false, None), (false, None)));
        recent.keep_dn(EntryId(2), 6, &dn);
        assert_eq!(known(7), (false, None));
        recent.keep_dn(EntryId(2), 7, &dn);
        assert_eq!(known(8), (true, Some(EntryId(2))));
        // It is removed itself.
        recent.note(Family::Entry, &key::entry(EntryId(2)), 9);
        assert_eq!(known(9), (false, None));
    }
}
