//! Writing a breach filter, shard by shard.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use xorf::BinaryFuse16;

use crate::directory::Timestamp;
use crate::password::quality::filter::{HEADER_LEN, Header, Shard};

/// A filter that is being written, under another name until it is whole.
pub(super) struct FilterWriter {
    target: PathBuf,
    partial: PathBuf,
    file: BufWriter<File>,
    shards: Vec<Shard>,
    position: u64,
    passwords: u64,
}

impl FilterWriter {
    /// Begins a filter that will be at `target`.
    pub(super) fn create(target: &Path) -> io::Result<Self> {
        let partial = beside(target, "partial");
        let mut file = BufWriter::with_capacity(1 << 20, File::create(&partial)?);
        // The header is written when everything that it tells is known.
        file.write_all(&[0; HEADER_LEN])?;
        let position = HEADER_LEN as u64;
        Ok(Self { target: target.to_owned(), partial, file, shards: Vec::new(), position, passwords: 0 })
    }

    /// Writes the next shard. Its keys may come in any order and more than once.
    pub(super) fn add_shard(&mut self, mut keys: Vec<u64>) -> io::Result<()> {
        keys.sort_unstable();
        keys.dedup();
        self.passwords += keys.len() as u64;
        let mut shard = Shard { offset: self.position, ..Shard::default() };
        if !keys.is_empty() {
            let filter = BinaryFuse16::try_from(keys.as_slice()).map_err(io::Error::other)?;
            shard.seed = filter.descriptor.seed;
            shard.segment_length = filter.descriptor.segment_length;
            shard.segment_count_length = filter.descriptor.segment_count_length;
            shard.checksum = self.write_fingerprints(&filter.fingerprints)?;
        }
        self.position += shard.len();
        self.shards.push(shard);
        Ok(())
    }

    fn write_fingerprints(&mut self, fingerprints: &[u16]) -> io::Result<[u8; 32]> {
        let mut digest = Sha256::new();
        let mut octets = Vec::with_capacity(2 * PIECE);
        for piece in fingerprints.chunks(PIECE) {
            octets.clear();
            octets.extend(piece.iter().copied().flat_map(u16::to_le_bytes));
            digest.update(&octets);
            self.file.write_all(&octets)?;
        }
        Ok(digest.finalize().into())
    }

    /// Writes the header, and puts the filter in the place of the one that may have been there.
    pub(super) fn finish(self, name: &str, created: Timestamp) -> io::Result<Header> {
        let header = Header { created, passwords: self.passwords, name: name.to_owned(), shards: self.shards };
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.write_all_at(&header.encode(), 0)?;
        file.sync_all()?;
        std::fs::rename(&self.partial, &self.target)?;
        Ok(header)
    }
}

/// How many fingerprints are written at once.
const PIECE: usize = 1 << 16;

/// A file in the same folder, for what is not finished.
pub(super) fn beside(target: &Path, what: &str) -> PathBuf {
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{what}"));
    target.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::password::Secret;
    use crate::password::quality::BreachList;
    use crate::password::quality::filter::{Key, SHARDS};
    use crate::server::breach_file::BreachFile;

    fn word(number: u32) -> String {
        format!("word {number}")
    }

    /// A filter of the first words.
    fn filter_of(count: u32, path: &Path) -> Header {
        let mut shards = vec![Vec::new(); SHARDS];
        for key in (0..count).map(|number| Key::of_password(word(number).as_bytes())) {
            shards[usize::from(key.shard())].extend([key.number(); 2]);
        }
        let mut writer = FilterWriter::create(path).unwrap();
        for shard in shards {
            writer.add_shard(shard).unwrap();
        }
        writer.finish("words", Timestamp::from_unix_micros(0)).unwrap()
    }

    #[test]
    fn every_password_of_the_list_is_found_and_hardly_any_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("filter");
        for count in [1, 2, 3, 100, 1_000, 100_000] {
            let header = filter_of(count, &path);
            let filter = BreachFile::open(&path).unwrap();
            filter.verify().unwrap();
            assert_eq!((filter.header(), header.passwords), (&header, u64::from(count)));
            let listed = |number: u32| filter.contains(&Secret::new(word(number))).unwrap();
            assert!((0..count).all(listed), "{count}");
            let wrong = (1_000_000..1_200_000).filter(|number| listed(*number)).count();
            // Three of 200,000 are expected.
            assert!(wrong < 15, "{wrong} of 200,000 with {count}");
        }
    }

    #[test]
    fn a_damaged_filter_is_found_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("filter");
        filter_of(1_000, &path);
        let good = std::fs::read(&path).unwrap();
        let tried = |octets: &[u8]| {
            std::fs::write(&path, octets).unwrap();
            BreachFile::open(&path).and_then(|filter| filter.verify()).unwrap_err().to_string()
        };
        let mut wrong = good.clone();
        *wrong.last_mut().unwrap() ^= 1;
        assert!(tried(&wrong).ends_with("filter: it is damaged; build it again"), "{}", tried(&wrong));
        assert!(tried(&good[..good.len() - 1]).contains("was it copied as a whole?"));
        assert!(tried(&good[..100]).contains("it is damaged"));
        assert!(tried(b"").contains("this is no breach filter"));
    }

    #[test]
    fn a_filter_that_shrinks_while_it_is_used_lets_nothing_pass() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("filter");
        filter_of(1_000, &path);
        let filter = BreachFile::open(&path).unwrap();
        File::options().write(true).open(&path).unwrap().set_len(0).unwrap();
        assert!(filter.contains(&Secret::new(word(1))).is_err());
    }
}
