//! Which octets stand for what in the keys. Numbers are big-endian, so that they sort.
//!
//! ```text
//! entry        id u32                                    -> record
//! credentials  id u32                                    -> version u64, entry
//! name         parent id u32 (0: none), key of the RDN   -> id u32
//! uuid         16 octets                                 -> id u32
//! index        attribute u16, kind u8, 8 or 16 octets, id u32 -> nothing
//! log          sequence u64                              -> logged change
//! event        sequence u64                              -> see `events`
//! meta         a word                                    -> see `format`
//! ```
//!
//! The middle of an index key is the hash of a normal form, a piece of three octets, or the beginning of an ordered
//! normal form. Different values may share one: what an index finds is always looked at again.

use std::hash::Hasher;

use siphasher::sip::SipHasher13;
use smallvec::SmallVec;

use super::index::IndexKind;
use crate::directory::AttributeTypeId;
use crate::directory::tree::EntryId;

/// The key of an entry and of its credentials.
pub const fn entry(id: EntryId) -> [u8; 4] {
    id.0.to_be_bytes()
}

/// The number in the key of an entry.
pub fn entry_id(key: &[u8]) -> Option<EntryId> {
    key.try_into().ok().map(|octets| EntryId(u32::from_be_bytes(octets)))
}

/// The key of a name: the entry above, and the key of the RDN (of the whole name for the entry of a suffix).
pub fn name(parent: Option<EntryId>, rdn_key: &[u8]) -> Vec<u8> {
    let mut key = name_prefix(parent).to_vec();
    key.extend_from_slice(rdn_key);
    key
}

/// What the keys of all names below an entry begin with.
pub fn name_prefix(parent: Option<EntryId>) -> [u8; 4] {
    entry(parent.unwrap_or(EntryId(0)))
}

/// The key of a record of the change log.
pub const fn log(sequence: u64) -> [u8; 8] {
    sequence.to_be_bytes()
}

/// The key of an event.
pub const fn event(sequence: u64) -> [u8; 8] {
    sequence.to_be_bytes()
}

/// How many octets of an ordered normal form an index keeps.
const ORDERED: usize = 16;
/// How many octets tell the attribute and the kind of an index.
pub const INDEX: usize = 3;

/// One posting list: everything of an index key but the number of the entry. An entry has tens of them, so they are kept
/// without memory of their own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Postings {
    /// Filled up with zeros, which change no order: lists of the same index are of the same length.
    octets: [u8; INDEX + ORDERED],
    length: u8,
}

/// A key; those of postings, of which there are most, need no memory of their own.
pub type Key = SmallVec<[u8; 24]>;

impl Postings {
    /// The entries that have the attribute.
    pub fn presence(attribute: AttributeTypeId) -> Self {
        Self::new(attribute, IndexKind::Presence, &[0; 8])
    }

    /// The entries that have a value of that normal form.
    pub fn equality(attribute: AttributeTypeId, normal: &[u8]) -> Self {
        let mut hasher = SipHasher13::new();
        hasher.write(normal);
        Self::new(attribute, IndexKind::Equality, &hasher.finish().to_be_bytes())
    }

    /// The entries that have a value with that piece.
    pub fn piece(attribute: AttributeTypeId, piece: [u8; 3]) -> Self {
        let [a, b, c] = piece;
        Self::new(attribute, IndexKind::Substring, &[a, b, c, 0, 0, 0, 0, 0])
    }

    /// The entries whose value begins, in order, like that normal form.
    pub fn ordered(attribute: AttributeTypeId, normal: &[u8]) -> Self {
        let mut beginning = [0; ORDERED];
        for (place, octet) in beginning.iter_mut().zip(normal) {
            *place = *octet;
        }
        Self::new(attribute, IndexKind::Ordering, &beginning)
    }

    fn new(attribute: AttributeTypeId, kind: IndexKind, middle: &[u8]) -> Self {
        let mut octets = [0; INDEX + ORDERED];
        let all = index_prefix(attribute, kind).into_iter().chain(middle.iter().copied());
        let mut length = 0;
        for (place, octet) in octets.iter_mut().zip(all) {
            *place = octet;
            length += 1;
        }
        Self { octets, length }
    }

    /// What the index answers that it belongs to.
    pub fn kind(&self) -> Option<IndexKind> {
        self.octets().get(2).copied().and_then(IndexKind::of_number)
    }

    /// Whether it belongs to an index of the attribute.
    pub fn is_of(&self, attribute: AttributeTypeId) -> bool {
        self.octets().starts_with(&attribute.0.to_be_bytes())
    }

    /// The octets, to seek to the first of them.
    pub fn octets(&self) -> &[u8] {
        self.octets.get(..usize::from(self.length)).unwrap_or_default()
    }

    /// The attribute and the kind of the index, and what follows: which of its lists it is.
    pub fn parts(&self) -> Option<([u8; INDEX], &[u8])> {
        self.octets().split_first_chunk().map(|(index, list)| (*index, list))
    }

    /// The key of the posting of one entry.
    pub fn key(&self, id: EntryId) -> Key {
        let mut key = Key::from_slice(self.octets());
        key.extend(entry(id));
        key
    }
}

/// What the keys of an index begin with.
pub fn index_prefix(attribute: AttributeTypeId, kind: IndexKind) -> [u8; 3] {
    let [high, low] = attribute.0.to_be_bytes();
    [high, low, kind.number()]
}

/// What follows all keys that begin with `prefix`.
pub fn after_prefix(prefix: [u8; 3]) -> Vec<u8> {
    let [a, b, c] = prefix;
    let number = u32::from_be_bytes([0, a, b, c]).saturating_add(1);
    number.to_be_bytes().get(1..).unwrap_or_default().to_vec()
}

/// The list that a posting belongs to: all of its key but the number of the entry.
pub fn postings_of(key: &[u8]) -> &[u8] {
    key.split_last_chunk::<4>().map_or(key, |(list, _)| list)
}

/// The entry of a posting.
pub fn posting_id(key: &[u8]) -> Option<EntryId> {
    key.last_chunk().map(|octets| EntryId(u32::from_be_bytes(*octets)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postings_of_one_value_stand_together_and_hold_their_entries() {
        let (cn, sn) = (AttributeTypeId(3), AttributeTypeId(4));
        let alice = Postings::equality(cn, b"alice");
        assert_eq!(alice, Postings::equality(cn, b"alice"));
        assert_ne!(alice, Postings::equality(sn, b"alice"));
        assert_ne!(alice, Postings::equality(cn, b"bob"));
        assert!(alice.key(EntryId(7)).starts_with(alice.octets()));
        assert_eq!(posting_id(&alice.key(EntryId(7))), Some(EntryId(7)));
        assert_eq!(alice.octets().len(), 11);
    }

    #[test]
    fn ordered_postings_sort_as_their_values_do() {
        let id = AttributeTypeId(3);
        let keys: Vec<_> = ["", "a", "ab", "abc", "b"].iter().map(|v| Postings::ordered(id, v.as_bytes())).collect();
        assert!(keys.is_sorted());
    }

    #[test]
    fn a_prefix_ends_where_the_next_begins() {
        let prefix = index_prefix(AttributeTypeId(0x00ff), IndexKind::Ordering);
        assert!(after_prefix(prefix).as_slice() > prefix.as_slice());
    }
}
