//! Bringing keys that come in any order into the order of shards, in bounded memory.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::password::quality::filter::{Key, SHARDS};

/// Keys on their way to their shards: as many as fit in memory, the others in a file that has no name any more.
pub(super) struct Gathering {
    held: Vec<Vec<u64>>,
    count: usize,
    most: usize,
    runs: Vec<Vec<Run>>,
    file: File,
    end: u64,
}

/// Keys of one shard, one after the other in the file.
struct Run {
    offset: u64,
    octets: usize,
}

/// So many keys are held in memory: 32 MiB of them.
pub(super) const MOST_HELD: usize = 4 << 20;

impl Gathering {
    /// Makes the file, for which there must be room at that path, and holds at most so many keys in memory.
    pub(super) fn new(path: &Path, most: usize) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)?;
        // It lives until it is closed, also if the program is killed.
        std::fs::remove_file(path)?;
        let held = vec![Vec::new(); SHARDS];
        let runs = std::iter::repeat_with(Vec::new).take(SHARDS).collect();
        Ok(Self { held, count: 0, most, runs, file, end: 0 })
    }

    pub(super) fn add(&mut self, key: Key) -> io::Result<()> {
        if let Some(shard) = self.held.get_mut(usize::from(key.shard())) {
            shard.push(key.number());
        }
        self.count += 1;
        if self.count >= self.most { self.put_aside() } else { Ok(()) }
    }

    /// Writes what is held to the end of the file.
    fn put_aside(&mut self) -> io::Result<()> {
        for (held, runs) in self.held.iter_mut().zip(&mut self.runs) {
            let octets: Vec<u8> = held.drain(..).flat_map(u64::to_le_bytes).collect();
            self.file.write_all(&octets)?;
            runs.push(Run { offset: self.end, octets: octets.len() });
            self.end += octets.len() as u64;
        }
        self.count = 0;
        Ok(())
    }

    /// All keys, shard by shard, in no order within them.
    pub(super) fn into_shards(self) -> impl Iterator<Item = io::Result<Vec<u64>>> {
        self.held.into_iter().zip(self.runs).map(move |(mut keys, runs)| {
            for run in runs {
                let mut octets = vec![0; run.octets];
                self.file.read_exact_at(&mut octets, run.offset)?;
                let (numbers, _) = octets.as_chunks();
                keys.extend(numbers.iter().map(|octets| u64::from_le_bytes(*octets)));
            }
            Ok(keys)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_in_any_order_come_out_shard_by_shard_and_none_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let mut gathering = Gathering::new(&path, 100).unwrap();
        let keys: Vec<Key> = (0..1234).map(|word| Key::of_password(format!("word {word}").as_bytes())).collect();
        for key in &keys {
            gathering.add(*key).unwrap();
        }
        assert!(!path.exists());
        let mut expected: Vec<u64> = keys.iter().map(|key| key.number()).collect();
        expected.sort_unstable();
        let mut gathered = Vec::new();
        for shard in gathering.into_shards() {
            let mut shard = shard.unwrap();
            shard.sort_unstable();
            gathered.extend(shard);
        }
        assert_eq!(gathered, expected);
    }
}
