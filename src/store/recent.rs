//! What was read lately, kept decoded; and how a reader knows that it still holds at the moment that it looks at.
//!
//! Everything kept says with which commit it was read. Beside it stands, by the hash of its key, the last commit that
//! changed it, or something else of that hash. What was read at one commit is the same at another if nothing changed it
//! in between. The commit thread notes what it changes before readers see the change, so no lock is held and nothing is
//! thrown out: what no longer holds is found to be so, and read again.

use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::sync::Cache;
use quick_cache::{DefaultHashBuilder, Equivalent, Weighter};
use smallvec::SmallVec;

use super::engine::Family;
use super::key;
use crate::directory::tree::{Credentials, EntryId, Node, Version};

/// Lists of postings that are longer are read anew each time.
pub(super) const SHORT: usize = 8;
/// How many hashes are told apart.
const SLOTS: usize = 1 << 16;
/// What keeping something costs besides its own octets.
const OVERHEAD: u64 = 160;

/// A list of postings.
pub(super) type ShortList = SmallVec<[EntryId; 2]>;

/// What was read lately.
#[derive(Debug)]
pub(super) struct Recent {
    changes: Changes,
    nodes: Memo<EntryId, Option<Node>>,
    credentials: Memo<EntryId, Option<Credentials>>,
    names: Memo<Box<[u8]>, Option<EntryId>>,
    postings: Memo<Box<[u8]>, ShortList>,
}

impl Recent {
    /// Keeps about so many octets.
    pub(super) fn new(octets: usize) -> Self {
        let part = |percent: usize| octets / 100 * percent;
        Self {
            changes: Changes::new(),
            nodes: Memo::new(part(60)),
            credentials: Memo::new(part(15)),
            names: Memo::new(part(10)),
            postings: Memo::new(part(15)),
        }
    }

    /// Says that a commit changes a record. To be called before any reader can see that commit.
    pub(super) fn note(&self, family: Family, key: &[u8], version: Version) {
        let of = match family {
            Family::Index => key::postings_of(key),
            _ => key,
        };
        self.changes.note(family, of, version);
    }

    pub(super) fn node<E>(
        &self,
        id: EntryId,
        at: Version,
        read: impl FnOnce() -> Result<Option<Node>, E>,
    ) -> Result<Option<Node>, E> {
        let last = || self.changes.last(Family::Entry, &key::entry(id));
        self.nodes.get_or_read(&id, at, last, read)
    }

    pub(super) fn credentials<E>(
        &self,
        id: EntryId,
        at: Version,
        read: impl FnOnce() -> Result<Option<Credentials>, E>,
    ) -> Result<Option<Credentials>, E> {
        let last = || self.changes.last(Family::Credentials, &key::entry(id));
        self.credentials.get_or_read(&id, at, last, read)
    }

    pub(super) fn named<E>(
        &self,
        name: &[u8],
        at: Version,
        read: impl FnOnce() -> Result<Option<EntryId>, E>,
    ) -> Result<Option<EntryId>, E> {
        self.names.get_or_read(name, at, || self.changes.last(Family::Name, name), read)
    }

    /// The list of these postings, if it is known and short.
    pub(super) fn postings(&self, postings: &[u8], at: Version) -> Option<ShortList> {
        self.postings.get(postings, at, || self.changes.last(Family::Index, postings))
    }

    pub(super) fn keep_postings(&self, postings: &[u8], at: Version, list: ShortList) {
        self.postings.keep(postings.into(), at, || self.changes.last(Family::Index, postings), list);
    }
}

/// The last commit that changed something, by the hash of its key.
struct Changes {
    slots: Box<[AtomicU64]>,
    hasher: DefaultHashBuilder,
}

impl Changes {
    fn new() -> Self {
        Self { slots: (0..SLOTS).map(|_| AtomicU64::new(0)).collect(), hasher: DefaultHashBuilder::default() }
    }

    fn slot(&self, family: Family, key: &[u8]) -> Option<&AtomicU64> {
        let hash = self.hasher.hash_one((family, key));
        self.slots.get(usize::try_from(hash).unwrap_or_default() % SLOTS)
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

/// Values by key, each with the commit that it was read at.
struct Memo<K, V>(Cache<K, (Version, V), ByOctets>);

impl<K: Eq + Hash + Octets, V: Clone + Octets> Memo<K, V> {
    fn new(octets: usize) -> Self {
        Self(Cache::with_weighter(octets / 512, octets as u64, ByOctets))
    }

    fn get<Q>(&self, key: &Q, at: Version, last_change: impl Fn() -> Version) -> Option<V>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        let (read_at, value) = self.0.get(key)?;
        (last_change() <= read_at.min(at)).then_some(value)
    }

    fn keep(&self, key: K, at: Version, last_change: impl Fn() -> Version, value: V) {
        // What has changed since would only push out what is newer.
        if last_change() <= at {
            self.0.insert(key, (at, value));
        }
    }

    fn get_or_read<Q, E>(
        &self,
        key: &Q,
        at: Version,
        last_change: impl Fn() -> Version,
        read: impl FnOnce() -> Result<V, E>,
    ) -> Result<V, E>
    where
        Q: Hash + Equivalent<K> + ToOwnedKey<K> + ?Sized,
    {
        if let Some(value) = self.get(key, at, &last_change) {
            return Ok(value);
        }
        let value = read()?;
        self.keep(key.to_owned_key(), at, last_change, value.clone());
        Ok(value)
    }
}

impl<K, V> fmt::Debug for Memo<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memo")
    }
}

/// The key that is kept, of one that is asked by.
trait ToOwnedKey<K> {
    fn to_owned_key(&self) -> K;
}

impl ToOwnedKey<Self> for EntryId {
    fn to_owned_key(&self) -> Self {
        *self
    }
}

impl ToOwnedKey<Box<[u8]>> for [u8] {
    fn to_owned_key(&self) -> Box<[u8]> {
        self.into()
    }
}

/// How much memory something takes, beside itself.
trait Octets {
    fn octets(&self) -> usize;
}

impl Octets for EntryId {
    fn octets(&self) -> usize {
        0
    }
}

impl Octets for Box<[u8]> {
    fn octets(&self) -> usize {
        self.len()
    }
}

impl Octets for ShortList {
    fn octets(&self) -> usize {
        self.len() * size_of::<EntryId>()
    }
}

impl Octets for Node {
    fn octets(&self) -> usize {
        self.entry.octets().len() + self.rdn.len() * 2
    }
}

impl Octets for Credentials {
    fn octets(&self) -> usize {
        self.entry.octets().len()
    }
}

impl<T: Octets> Octets for Option<T> {
    fn octets(&self) -> usize {
        self.as_ref().map_or(0, Octets::octets)
    }
}

#[derive(Clone)]
struct ByOctets;

impl<K: Octets, V: Octets> Weighter<K, (Version, V)> for ByOctets {
    fn weight(&self, key: &K, (_, value): &(Version, V)) -> u64 {
        OVERHEAD + (key.octets() + value.octets()) as u64
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
        let recent = Recent::new(1 << 20);
        assert_eq!(read(&recent, 5, Some(7)), (Some(EntryId(7)), true));
        assert_eq!(read(&recent, 5, Some(7)), (Some(EntryId(7)), false));
        assert_eq!(read(&recent, 9, Some(7)), (Some(EntryId(7)), false));
        recent.note(Family::Name, b"name", 10);
        assert_eq!(read(&recent, 10, Some(8)), (Some(EntryId(8)), true));
        assert_eq!(read(&recent, 10, Some(8)), (Some(EntryId(8)), false));
    }

    #[test]
    fn who_looks_at_an_earlier_moment_sees_what_was_there_then() {
        let recent = Recent::new(1 << 20);
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
        let recent = Recent::new(1 << 20);
        recent.note(Family::Name, b"name", 3);
        assert_eq!(read(&recent, 8, Some(7)), (Some(EntryId(7)), true));
        assert_eq!(read(&recent, 3, Some(7)), (Some(EntryId(7)), false));
        assert_eq!(read(&recent, 2, None), (None, true));
    }

    #[test]
    fn a_change_of_one_posting_changes_its_list() {
        let recent = Recent::new(1 << 20);
        let postings = key::Postings::presence(crate::directory::AttributeTypeId(3));
        let list = ShortList::from_slice(&[EntryId(1), EntryId(2)]);
        recent.keep_postings(postings.octets(), 4, list.clone());
        assert_eq!(recent.postings(postings.octets(), 4), Some(list));
        recent.note(Family::Index, &postings.key(EntryId(3)), 5);
        assert_eq!(recent.postings(postings.octets(), 5), None);
    }
}
