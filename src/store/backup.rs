//! A copy of a store as it is at one moment, also while a server uses it: read from beginning to end, so that every block's checksum
//! is looked at, and written to a store of its own. It is a backup, and taken back in the same way.

use std::path::{Path, PathBuf};

use super::engine::{Engine, Family, Go, Snapshot, SortedFile};
use super::{Store, StoreError};

/// Of one sorted file, in octets before they are compressed.
const FILE_OCTETS: u64 = 256 << 20;
/// What the copy keeps in memory while it is written, in octets; nothing is read from it.
const COPY_CACHE: usize = 32 << 20;

impl Store {
    /// Copies everything to a folder that does not exist yet, and tells `progress` how many octets it has copied. When this
    /// returns, the copy is on disk.
    pub fn backup(&self, to: &Path, progress: &mut dyn FnMut(u64)) -> Result<(), StoreError> {
        let snapshot = Snapshot::new(&self.shared.engine);
        let copy = Engine::open(to, COPY_CACHE)?;
        let mut octets = 0;
        for family in Family::ALL.into_iter().filter(|family| self.shared.engine.has(*family)) {
            let mut progress = |more: u64| {
                octets += more;
                progress(octets);
            };
            FamilyCopy::new(&copy, family, to).run(&snapshot, &mut progress)?;
        }
        copy.flush()
    }
}

/// The copy of one family: files of sorted keys, each taken in when it is full.
struct FamilyCopy<'c> {
    copy: &'c Engine,
    family: Family,
    path: PathBuf,
    file: Option<SortedFile<'c>>,
    octets: u64,
}

impl<'c> FamilyCopy<'c> {
    fn new(copy: &'c Engine, family: Family, folder: &Path) -> Self {
        Self { copy, family, path: folder.join("copied"), file: None, octets: 0 }
    }

    fn run(mut self, snapshot: &Snapshot, progress: &mut dyn FnMut(u64)) -> Result<(), StoreError> {
        let mut failed = None;
        snapshot.scan_once(self.family, &[], &mut |key, value| match self.put(key, value) {
            Ok(octets) => {
                progress(octets);
                Go::On
            }
            Err(error) => {
                failed = Some(error);
                Go::Stop
            }
        })?;
        failed.map_or_else(|| self.take_in(), Err)
    }

    /// Adds a key; returns its octets.
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<u64, StoreError> {
        let octets = u64::try_from(key.len() + value.len()).unwrap_or(u64::MAX);
        let mut file = match self.file.take() {
            Some(file) => file,
            None => self.copy.sorted_file(self.family, &self.path)?,
        };
        file.put(key, value)?;
        self.file = Some(file);
        self.octets += octets;
        if self.octets >= FILE_OCTETS {
            self.take_in()?;
        }
        Ok(octets)
    }

    fn take_in(&mut self) -> Result<(), StoreError> {
        let Some(file) = self.file.take() else { return Ok(()) };
        self.octets = 0;
        file.finish()?;
        self.copy.ingest(self.family, std::slice::from_ref(&self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::tree::Directory;
    use crate::store::Existence;
    use crate::store::testing::{SUFFIX, add, find, load, loader, open};

    /// Everything in a store, as it is on disk.
    fn everything(store: &Store) -> Vec<(Family, Vec<u8>, Vec<u8>)> {
        let snapshot = Snapshot::new(&store.shared.engine);
        let mut all = Vec::new();
        for family in Family::ALL {
            let visit = &mut |key: &[u8], value: &[u8]| {
                all.push((family, key.to_vec(), value.to_vec()));
                Go::On
            };
            snapshot.scan(family, &[], visit).unwrap();
        }
        all
    }

    #[test]
    fn a_copy_is_the_store_as_it_was_when_it_was_begun_and_a_store_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let (path, copied) = (folder.path().join("db"), folder.path().join("copy"));
        drop(open(&path, Existence::Forbidden).unwrap());
        let mut loader = loader(&path);
        load(&mut loader, SUFFIX);
        (0..300).for_each(|number| load(&mut loader, &format!("cn={number},{SUFFIX}")));
        loader.finish().unwrap();
        let serving = open(&path, Existence::Required).unwrap();
        add(&serving, "cn=before,dc=example");
        let beside = open(&path, Existence::ReadOnly).unwrap();
        let before = everything(&beside);
        let (mut told, mut written) = (0, false);
        let backup = beside.backup(&copied, &mut |octets| {
            assert!(octets > told);
            told = octets;
            if !std::mem::replace(&mut written, true) {
                add(&serving, "cn=meanwhile,dc=example");
            }
        });
        backup.unwrap();
        let copy = open(&copied, Existence::Required).unwrap();
        assert!(everything(&copy) == before, "the copy is something else");
        assert_eq!(copy.verify(&mut |_| {}).unwrap().faults, Vec::<String>::new());
        assert_eq!(find(&copy, "cn=meanwhile,dc=example"), None);
        assert!(find(&serving, "cn=meanwhile,dc=example").is_some());
        add(&copy, "cn=own,dc=example");
        assert_eq!(find(&serving, "cn=own,dc=example"), None);
        assert_eq!(serving.view().version(), copy.view().version());
    }
}
