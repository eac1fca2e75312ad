//! A breach filter on disk. It is read where it lies: a lookup reads six octets, and the whole may be larger than memory.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::password::quality::BreachList;
use crate::password::quality::breach::Unreadable;
use crate::password::quality::filter::{FormatError, HEADER_LEN, Header, Key, Shard};
use crate::password::{Secret, prepare};

/// A breach filter whose header has been read. It stays the same while the program runs, since `keystead breach build`
/// puts a new file in the place of the old one and does not write into it.
#[derive(Debug)]
pub struct BreachFile {
    path: PathBuf,
    file: File,
    header: Header,
    edition: u64,
}

/// Why a breach filter cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BreachFileError {
    /// It cannot be read.
    #[error("{path}: {cause}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        cause: io::Error,
    },
    /// It is not what it should be.
    #[error("{path}: {cause}")]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: FormatError,
    },
}

impl BreachFile {
    /// Opens a file and reads its header.
    pub fn open(path: &Path) -> Result<Self, BreachFileError> {
        let failed = |cause| BreachFileError::File { path: path.to_owned(), cause };
        let file = File::open(path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        let mut octets = vec![0; usize::try_from(length).unwrap_or(HEADER_LEN).min(HEADER_LEN)];
        file.read_exact_at(&mut octets, 0).map_err(failed)?;
        let header = Header::decode(&octets, length)
            .map_err(|cause| BreachFileError::Format { path: path.to_owned(), cause })?;
        // The header ends with the checksum of itself, in which are those of all the rest.
        let edition = octets.last_chunk().copied().map_or(0, u64::from_le_bytes);
        Ok(Self { path: path.to_owned(), file, header, edition })
    }

    /// Reads the whole file and compares the checksums: two seconds for each gigabyte, or as long as the disk takes.
    pub fn verify(&self) -> Result<(), BreachFileError> {
        let mut octets = vec![0; PIECE];
        for shard in &self.header.shards {
            let checksum = self.checksum(shard, &mut octets);
            let checksum = checksum.map_err(|cause| BreachFileError::File { path: self.path.clone(), cause })?;
            if checksum != shard.checksum && !shard.is_empty() {
                return Err(BreachFileError::Format { path: self.path.clone(), cause: FormatError::Damaged });
            }
        }
        Ok(())
    }

    fn checksum(&self, shard: &Shard, octets: &mut [u8]) -> io::Result<[u8; 32]> {
        let mut digest = Sha256::new();
        let mut offset = shard.offset;
        let end = shard.offset.saturating_add(shard.len());
        while offset < end {
            let most = usize::try_from(end - offset).unwrap_or(usize::MAX).min(octets.len());
            let (piece, _) = octets.split_at_mut(most);
            self.file.read_exact_at(piece, offset)?;
            digest.update(piece);
            offset += most as u64;
        }
        Ok(digest.finalize().into())
    }

    /// What it says of itself.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    fn contains_octets(&self, password: &[u8]) -> io::Result<bool> {
        let key = Key::of_password(password);
        let Some(probe) = self.header.shard_of(key).and_then(|shard| shard.probe(key)) else { return Ok(false) };
        let mut combined = 0;
        for offset in probe.offsets {
            let mut octets = [0; 2];
            self.file.read_exact_at(&mut octets, offset)?;
            combined ^= u16::from_le_bytes(octets);
        }
        Ok(combined == probe.fingerprint)
    }
}

/// How much is read at once.
const PIECE: usize = 1 << 20;

impl BreachList for BreachFile {
    /// Whether the password is in the list: as it was typed, or as it is prepared to be hashed.
    fn contains(&self, password: &Secret) -> Result<bool, Unreadable> {
        let prepared = prepare::prepare(password);
        let listed = self.contains_octets(password.expose()).and_then(|listed| {
            if listed || prepared == *password { Ok(listed) } else { self.contains_octets(prepared.expose()) }
        });
        listed.map_err(|error| {
            tracing::error!(filter = %self.path.display(), %error, "the breach filter cannot be read; no password is set");
            Unreadable
        })
    }

    fn edition(&self) -> u64 {
        self.edition
    }
}
