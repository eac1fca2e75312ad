//! The format of a breach filter: a file that tells of hundreds of millions of passwords whether one is among them, in
//! little more than two octets for each, and by reading six.
//!
//! A password is known by its [`Key`], the first eight octets of its SHA-1. The first octet chooses one of 256 shards; each
//! is a binary fuse filter (Graf and Lemire, "Binary Fuse Filters: Fast and Smaller Than Xor Filters", 2022) of arity 3
//! with fingerprints of 16 bits, so one in 65,536 passwords that are not in the list is taken for one that is.
//!
//! | octets | what |
//! |---|---|
//! | 16 | `keystead breach` and a line feed |
//! | 4 | version: 1 |
//! | 8 | when it was made, in seconds since 1970 |
//! | 8 | how many passwords are in it |
//! | 8 | how many octets the file has |
//! | 1 + 63 | the name of the list: its length, and UTF-8 filled up with zeros |
//! | 256 × 56 | the shards: where it begins (8), seed (8), segment length (4), segments' length together (4), SHA-256 (32) |
//! | 32 | SHA-256 of everything before |
//! | | the shards, one after the other: fingerprints of two octets each |
//!
//! Numbers have their least octet first. A shard without passwords has a segment length of zero and no octets.

use sha1::{Digest, Sha1};
use sha2::Sha256;

use crate::directory::Timestamp;

/// What a password is known by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Key(u64);

impl Key {
    /// The key of a password.
    pub fn of_password(octets: &[u8]) -> Self {
        Self::of_sha1(&Sha1::digest(octets).into())
    }

    /// The key of a password of which only the SHA-1 is known.
    pub const fn of_sha1(hash: &[u8; 20]) -> Self {
        match hash.first_chunk() {
            Some(first) => Self(u64::from_be_bytes(*first)),
            // Twenty octets have a first eight.
            None => Self(0),
        }
    }

    /// The shard that it belongs to; keys in the order of their hashes come in the order of shards.
    pub const fn shard(self) -> u8 {
        let [first, ..] = self.0.to_be_bytes();
        first
    }

    /// What the shard's filter holds.
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// How many shards a filter has.
pub const SHARDS: usize = 256;

/// How many octets the header has.
pub const HEADER_LEN: usize = 16 + 4 + 3 * 8 + 1 + MAX_NAME + SHARDS * SHARD_LEN + CHECKSUM_LEN;

/// How many octets the name of a list may have.
pub const MAX_NAME: usize = 63;

const MAGIC: &[u8; 16] = b"keystead breach\n";
const VERSION: u32 = 1;
const SHARD_LEN: usize = 56;
const CHECKSUM_LEN: usize = 32;
const FINGERPRINT_LEN: u64 = 2;

/// What a filter says of itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Header {
    /// When it was made.
    pub created: Timestamp,
    /// How many passwords are in it.
    pub passwords: u64,
    /// What the list is called.
    pub name: String,
    /// The shards, in order.
    pub shards: Vec<Shard>,
}

/// Where a shard is, and how its filter is read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Shard {
    /// Where its first octet is.
    pub offset: u64,
    /// What keys are mixed with.
    pub seed: u64,
    /// The length of a segment, a power of two; 0 if the shard is empty.
    pub segment_length: u32,
    /// The length of all segments together in which a first fingerprint may be.
    pub segment_count_length: u32,
    /// SHA-256 of its octets.
    pub checksum: [u8; CHECKSUM_LEN],
}

/// Where to look for a key: at three places, which together must give a fingerprint.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Probe {
    /// Offsets in the file; two octets are read at each.
    pub offsets: [u64; 3],
    /// What they give, combined by exclusive or, if the key is in the filter.
    pub fingerprint: u16,
}

/// What is wrong with a filter.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FormatError {
    /// It is another kind of file.
    #[error("this is no breach filter; `keystead breach build` makes one")]
    NotAFilter,
    /// It was made by another version of the program.
    #[error("it has the format {0}, and this program reads the format {VERSION}; build it again")]
    UnknownVersion(u32),
    /// Its octets are not those that were written.
    #[error("it is damaged; build it again")]
    Damaged,
    /// It has more or fewer octets than it says.
    #[error("it has {actual} octets instead of {expected}; was it copied as a whole?")]
    Length {
        /// How many it should have.
        expected: u64,
        /// How many it has.
        actual: u64,
    },
}

impl Shard {
    /// How many octets it has.
    pub fn len(&self) -> u64 {
        let all = u64::from(self.segment_count_length).saturating_add(2 * u64::from(self.segment_length));
        all.saturating_mul(FINGERPRINT_LEN)
    }

    /// Whether nothing is in it.
    pub const fn is_empty(&self) -> bool {
        self.segment_length == 0
    }

    /// Where to look for a key; `None` if the shard is empty.
    pub fn probe(&self, key: Key) -> Option<Probe> {
        if self.is_empty() {
            return None;
        }
        let hash = mix(key.0.wrapping_add(self.seed));
        let segment = u64::from(self.segment_length);
        let mask = segment - 1;
        let high = (u128::from(hash) * u128::from(self.segment_count_length)) >> 64;
        let first = u64::try_from(high).unwrap_or(u64::MAX);
        let second = (first + segment) ^ ((hash >> 18) & mask);
        let third = (first + 2 * segment) ^ (hash & mask);
        let [low, next, ..] = (hash ^ (hash >> 32)).to_le_bytes();
        Some(Probe {
            offsets: [first, second, third].map(|place| self.offset + place * FINGERPRINT_LEN),
            fingerprint: u16::from_le_bytes([low, next]),
        })
    }

    /// Whether this can be the shard that begins at `offset`: then no probe reads outside of it.
    const fn is_sound(&self, offset: u64) -> bool {
        let shape = if self.is_empty() {
            self.segment_count_length == 0
        } else {
            self.segment_length.is_power_of_two()
                && self.segment_count_length > 0
                && self.segment_count_length.is_multiple_of(self.segment_length)
        };
        shape && self.offset == offset
    }
}

/// The finalizer of `MurmurHash3`, which spreads every bit over all of them.
const fn mix(mut bits: u64) -> u64 {
    bits ^= bits >> 33;
    bits = bits.wrapping_mul(0xff51_afd7_ed55_8ccd);
    bits ^= bits >> 33;
    bits = bits.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    bits ^ (bits >> 33)
}

impl Header {
    /// How many octets the file has.
    pub fn file_len(&self) -> u64 {
        self.shards.iter().fold(HEADER_LEN as u64, |sum, shard| sum.saturating_add(shard.len()))
    }

    /// The shard that a key belongs to.
    pub fn shard_of(&self, key: Key) -> Option<&Shard> {
        self.shards.get(usize::from(key.shard()))
    }

    /// The octets of the header. A name that is too long is cut.
    pub fn encode(&self) -> Vec<u8> {
        let mut octets = Vec::with_capacity(HEADER_LEN);
        octets.extend_from_slice(MAGIC);
        octets.extend_from_slice(&VERSION.to_le_bytes());
        octets.extend_from_slice(&self.created.unix_micros().div_euclid(1_000_000).to_le_bytes());
        octets.extend_from_slice(&self.passwords.to_le_bytes());
        octets.extend_from_slice(&self.file_len().to_le_bytes());
        let name = self.cut_name();
        octets.push(u8::try_from(name.len()).unwrap_or(0));
        octets.extend(name.bytes().chain(std::iter::repeat(0)).take(MAX_NAME));
        for shard in &self.shards {
            octets.extend_from_slice(&shard.offset.to_le_bytes());
            octets.extend_from_slice(&shard.seed.to_le_bytes());
            octets.extend_from_slice(&shard.segment_length.to_le_bytes());
            octets.extend_from_slice(&shard.segment_count_length.to_le_bytes());
            octets.extend_from_slice(&shard.checksum);
        }
        let checksum = Sha256::digest(&octets);
        octets.extend_from_slice(&checksum);
        octets
    }

    fn cut_name(&self) -> &str {
        let mut name = self.name.as_str();
        while name.len() > MAX_NAME {
            name = name.char_indices().next_back().and_then(|(last, _)| name.get(..last)).unwrap_or_default();
        }
        name
    }

    /// Reads a header, the first [`HEADER_LEN`] octets of a file that has `file_len`.
    pub fn decode(octets: &[u8], file_len: u64) -> Result<Self, FormatError> {
        let mut reader = Reader(octets);
        if reader.take() != Some(*MAGIC) {
            return Err(FormatError::NotAFilter);
        }
        // A later version may be laid out in another way, so this comes before the checksum.
        let version = reader.take().map(u32::from_le_bytes).ok_or(FormatError::Damaged)?;
        if version != VERSION {
            return Err(FormatError::UnknownVersion(version));
        }
        let (covered, checksum) = octets.split_last_chunk::<CHECKSUM_LEN>().ok_or(FormatError::Damaged)?;
        if octets.len() != HEADER_LEN || Sha256::digest(covered).as_slice() != checksum {
            return Err(FormatError::Damaged);
        }
        let (header, expected) = reader.rest_of_header().ok_or(FormatError::Damaged)?;
        if expected != file_len {
            return Err(FormatError::Length { expected, actual: file_len });
        }
        if header.is_sound() { Ok(header) } else { Err(FormatError::Damaged) }
    }

    fn is_sound(&self) -> bool {
        let mut offset = HEADER_LEN as u64;
        for shard in &self.shards {
            if !shard.is_sound(offset) {
                return false;
            }
            offset = offset.saturating_add(shard.len());
        }
        true
    }
}

/// What is left to be read.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*head)
    }

    /// What follows the version, and how many octets the file should have.
    fn rest_of_header(&mut self) -> Option<(Header, u64)> {
        let seconds = i64::from_le_bytes(self.take()?);
        let passwords = u64::from_le_bytes(self.take()?);
        let file_len = u64::from_le_bytes(self.take()?);
        let [length] = self.take()?;
        let name: [u8; MAX_NAME] = self.take()?;
        let name = str::from_utf8(name.get(..usize::from(length))?).ok()?.to_owned();
        let shards = (0..SHARDS).map(|_| self.shard()).collect::<Option<Vec<_>>>()?;
        let created = Timestamp::from_unix_micros(seconds.saturating_mul(1_000_000));
        Some((Header { created, passwords, name, shards }, file_len))
    }

    fn shard(&mut self) -> Option<Shard> {
        Some(Shard {
            offset: u64::from_le_bytes(self.take()?),
            seed: u64::from_le_bytes(self.take()?),
            segment_length: u32::from_le_bytes(self.take()?),
            segment_count_length: u32::from_le_bytes(self.take()?),
            checksum: self.take()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        let mut offset = HEADER_LEN as u64;
        let shards = (0..256).map(|number| {
            let empty = number % 5 == 1;
            let segment_length = if empty { 0 } else { 4 << (number % 3) };
            let mut shard = Shard { offset, seed: u64::from(number), segment_length, ..Shard::default() };
            shard.segment_count_length = segment_length * number.max(1);
            offset += shard.len();
            shard
        });
        let created = Timestamp::from_unix_micros(1_780_000_000_000_000);
        Header { created, passwords: 7, name: "Bekannte Passwörter".into(), shards: shards.collect() }
    }

    #[test]
    fn a_header_is_read_as_it_was_written() {
        let octets = header().encode();
        assert_eq!(octets.len(), HEADER_LEN);
        assert_eq!(Header::decode(&octets, header().file_len()), Ok(header()));
        let long = Header { name: "ä".repeat(40), ..header() };
        assert_eq!(Header::decode(&long.encode(), long.file_len()).unwrap().name, "ä".repeat(31));
    }

    #[test]
    fn whatever_is_not_as_it_was_written_is_refused_with_the_reason() {
        let good = header().encode();
        let decoded = |octets: &[u8]| Header::decode(octets, header().file_len()).unwrap_err();
        assert_eq!(decoded(b""), FormatError::NotAFilter);
        assert_eq!(decoded(b"5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:3"), FormatError::NotAFilter);
        let mut later = good.clone();
        later[16] = 2;
        assert_eq!(decoded(&later), FormatError::UnknownVersion(2));
        for at in (20..HEADER_LEN).step_by(97) {
            let mut wrong = good.clone();
            wrong[at] ^= 1;
            assert_eq!(decoded(&wrong), FormatError::Damaged, "octet {at}");
        }
        assert_eq!(decoded(&good[..HEADER_LEN - 1]), FormatError::Damaged);
        let expected = header().file_len();
        assert_eq!(Header::decode(&good, 5), Err(FormatError::Length { expected, actual: 5 }));
    }

    #[test]
    fn shards_that_cannot_be_are_refused_though_their_checksum_is_right() {
        let with = |change: fn(&mut Shard)| {
            let mut header = header();
            change(header.shards.last_mut().unwrap());
            Header::decode(&header.encode(), header.file_len())
        };
        for change in [
            |shard: &mut Shard| shard.offset += 2,
            |shard: &mut Shard| shard.segment_length = 12,
            |shard: &mut Shard| shard.segment_length = 0,
            |shard: &mut Shard| shard.segment_count_length += 1,
            |shard: &mut Shard| shard.segment_count_length = 0,
        ] {
            assert_eq!(with(change).map(|_| ()), Err(FormatError::Damaged));
        }
    }

    #[test]
    fn a_probe_reads_within_its_shard() {
        let header = header();
        for word in 0..2000 {
            let key = Key::of_password(format!("word {word}").as_bytes());
            let shard = header.shard_of(key).unwrap();
            assert_eq!(shard.is_empty(), shard.probe(key).is_none());
            for offset in shard.probe(key).map(|probe| probe.offsets).iter().flatten() {
                assert!((shard.offset..shard.offset + shard.len()).contains(offset), "{shard:?} {offset}");
            }
        }
    }

    #[test]
    fn a_key_is_the_beginning_of_the_sha1_of_the_password() {
        let key = Key::of_password(b"password");
        assert_eq!((key.number(), key.shard()), (0x5baa_61e4_c9b9_3f3f, 0x5b));
    }
}
