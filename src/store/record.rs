//! What stands on disk for an entry and for credentials.
//!
//! ```text
//! entry        version u64 | parent id u32 (0: none) | uuid 16 octets | length of the RDN u16 | RDN | entry
//! credentials  version u64 | entry
//! ```
//!
//! The entry itself is in the form of [`Entry`].

use bytes::{BufMut, Bytes};
use uuid::Uuid;

use crate::directory::Entry;
use crate::directory::tree::{Credentials, EntryId, Node};

/// What stands in front of the RDN of an entry, in octets.
pub const HEAD: usize = 8 + 4 + 16 + 2;

/// A record that cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the record of entry {0} is damaged")]
pub struct DamagedRecord(pub u32);

/// Writes the record of an entry.
pub fn encode_node(node: &Node) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEAD + node.rdn.len() + node.entry.octets().len());
    out.put_u64(node.version);
    out.put_u32(node.parent.map_or(0, |parent| parent.0));
    out.extend_from_slice(node.uuid.as_bytes());
    out.put_u16(u16::try_from(node.rdn.len()).unwrap_or(u16::MAX));
    out.extend_from_slice(node.rdn.as_bytes());
    out.extend_from_slice(node.entry.octets());
    out
}

/// Reads the record of an entry; the entry shares its octets.
pub fn decode_node(id: EntryId, record: &Bytes) -> Result<Node, DamagedRecord> {
    read_node(id, record).ok_or(DamagedRecord(id.0))
}

fn read_node(id: EntryId, record: &Bytes) -> Option<Node> {
    let (version, rest) = record.split_first_chunk()?;
    let (parent, rest) = rest.split_first_chunk()?;
    let (uuid, rest) = rest.split_first_chunk()?;
    let (len, rest) = rest.split_first_chunk()?;
    let (rdn, entry) = rest.split_at_checked(usize::from(u16::from_be_bytes(*len)))?;
    let parent = u32::from_be_bytes(*parent);
    Some(Node {
        id,
        uuid: Uuid::from_bytes(*uuid),
        parent: (parent != 0).then_some(EntryId(parent)),
        version: u64::from_be_bytes(*version),
        rdn: std::str::from_utf8(rdn).ok()?.into(),
        entry: Entry::from_octets(record.slice_ref(entry)).ok()?,
    })
}

/// Writes the record of credentials.
pub fn encode_credentials(version: u64, entry: &Entry) -> Vec<u8> {
    let mut out = Vec::with_capacity(8 + entry.octets().len());
    out.put_u64(version);
    out.extend_from_slice(entry.octets());
    out
}

/// Reads the record of credentials.
pub fn decode_credentials(id: EntryId, record: &Bytes) -> Result<Credentials, DamagedRecord> {
    let damaged = DamagedRecord(id.0);
    let (version, entry) = record.split_first_chunk().ok_or(damaged)?;
    let entry = Entry::from_octets(record.slice_ref(entry)).map_err(|_| damaged)?;
    Ok(Credentials { version: u64::from_be_bytes(*version), entry })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_and_reading_are_inverse() {
        for parent in [None, Some(EntryId(3))] {
            let node = Node {
                id: EntryId(9),
                uuid: Uuid::from_u128(77),
                parent,
                version: 5,
                rdn: "uid=älice".into(),
                entry: Entry::empty(),
            };
            let record = Bytes::from(encode_node(&node));
            let read = decode_node(EntryId(9), &record).unwrap();
            assert_eq!((read.uuid, read.parent, read.version, read.rdn), (node.uuid, parent, 5, node.rdn.clone()));
        }
    }

    #[test]
    fn damage_is_noticed() {
        for len in [0, 7, 20, 29] {
            assert!(decode_node(EntryId(1), &Bytes::from(vec![0; len])).is_err(), "{len}");
        }
        assert!(decode_credentials(EntryId(1), &Bytes::from_static(&[0; 8])).is_err());
    }
}
