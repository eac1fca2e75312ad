//! Values that were read lately, as many as a bound in octets allows.

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};
use smallvec::SmallVec;
use uuid::Uuid;

use super::record;
use crate::directory::Dn;
use crate::directory::tree::{Credentials, EntryId, Node, Version};

/// What keeping something costs besides itself: its place in the order, and its share of the table and of the room to grow.
const PLACE: usize = 40;
/// What each piece of memory that is shared costs besides its octets: who else has it, and rounding.
const SHARED: usize = 32;

/// A list of postings.
pub(super) type ShortList = SmallVec<[EntryId; 2]>;

/// Values by key, each with the commit that it was read at. It holds at another moment if nothing that it depends on was
/// changed in between; what that is, whoever asks says: the last commit that changed it.
pub(super) struct Memo<K, V>(Cache<K, (Version, V), ByOctets>);

impl<K: Eq + Hash + Octets, V: Clone + Octets> Memo<K, V> {
    pub(super) fn new(octets: usize) -> Self {
        Self(Cache::with_weighter(octets / 512, octets as u64, ByOctets))
    }

    /// Whether something must go before more can be kept.
    pub(super) fn is_full(&self) -> bool {
        // Its parts fill up one before another.
        self.0.weight() >= self.0.capacity() / 10 * 9
    }

    pub(super) fn get<Q>(&self, key: &Q, at: Version, last_change: impl Fn(&V) -> Version) -> Option<V>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        self.0.get(key).and_then(|kept| holding(kept, at, last_change))
    }

    /// The same, without a claim that it is going to be asked for again.
    pub(super) fn peek<Q>(&self, key: &Q, at: Version, last_change: impl Fn(&V) -> Version) -> Option<V>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        self.0.peek(key).and_then(|kept| holding(kept, at, last_change))
    }

    pub(super) fn keep(&self, key: K, at: Version, last_change: impl Fn(&V) -> Version, value: V) {
        // What has changed since would only push out what is newer.
        if last_change(&value) <= at {
            self.0.insert(key, (at, value));
        }
    }

    pub(super) fn get_or_read<Q, E>(
        &self,
        key: &Q,
        at: Version,
        last_change: impl Fn(&V) -> Version,
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

/// The value, if it still was at a moment what it had been when it was read.
fn holding<V>((read_at, value): (Version, V), at: Version, last_change: impl Fn(&V) -> Version) -> Option<V> {
    (last_change(&value) <= read_at.min(at)).then_some(value)
}

impl<K, V> fmt::Debug for Memo<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memo")
    }
}

/// The key that is kept, of one that is asked by.
pub(super) trait ToOwnedKey<K> {
    fn to_owned_key(&self) -> K;
}

impl ToOwnedKey<Self> for EntryId {
    fn to_owned_key(&self) -> Self {
        *self
    }
}

impl ToOwnedKey<Self> for Uuid {
    fn to_owned_key(&self) -> Self {
        *self
    }
}

impl ToOwnedKey<Box<[u8]>> for [u8] {
    fn to_owned_key(&self) -> Box<[u8]> {
        self.into()
    }
}

/// How much memory something has elsewhere, beside itself.
pub(super) trait Octets {
    fn octets(&self) -> usize;
}

impl Octets for EntryId {
    fn octets(&self) -> usize {
        0
    }
}

impl Octets for Version {
    fn octets(&self) -> usize {
        0
    }
}

impl Octets for Uuid {
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
        if self.spilled() { self.capacity() * size_of::<EntryId>() } else { 0 }
    }
}

impl Octets for Arc<Dn> {
    fn octets(&self) -> usize {
        SHARED + size_of::<Dn>() + self.as_str().len() + self.key().len()
    }
}

impl Octets for Node {
    fn octets(&self) -> usize {
        // The entry is a part of its record, which has the RDN as well.
        2 * SHARED + record::HEAD + self.entry.octets().len() + 2 * self.rdn.len()
    }
}

impl Octets for Credentials {
    fn octets(&self) -> usize {
        SHARED + self.entry.octets().len()
    }
}

impl<T: Octets> Octets for Option<T> {
    fn octets(&self) -> usize {
        self.as_ref().map_or(0, Octets::octets)
    }
}

#[derive(Clone)]
pub(super) struct ByOctets;

impl<K: Octets, V: Octets> Weighter<K, (Version, V)> for ByOctets {
    fn weight(&self, key: &K, (_, value): &(Version, V)) -> u64 {
        (PLACE + size_of::<(K, Version, V)>() + key.octets() + value.octets()) as u64
    }
}
