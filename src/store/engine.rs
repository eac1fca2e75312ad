//! RocksDB: here alone it is named.

mod options;

use std::collections::HashMap;
use std::fs::{DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use rocksdb::{
    Cache, ColumnFamily, ColumnFamilyDescriptor, DB, IngestExternalFileOptions, Options, ReadOptions, SstFileWriter,
    WriteBatch, WriteOptions,
};

use super::notes::Notes;
use super::{Figures, StoreError};
pub(super) use options::open_files;

/// The kinds of records, each in a column family of its own, because they are read and written so differently.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Family {
    /// Entries by number.
    Entry,
    /// Credentials by number: small, and written often.
    Credentials,
    /// Numbers by parent and RDN.
    Name,
    /// Numbers by UUID.
    Uuid,
    /// Postings: which entries have a value.
    Index,
    /// The change log.
    Log,
    /// What has happened to passwords.
    Event,
    /// What the store says of itself.
    Meta,
}

impl Family {
    pub(super) const ALL: [Self; 8] =
        [Self::Entry, Self::Credentials, Self::Name, Self::Uuid, Self::Index, Self::Log, Self::Event, Self::Meta];

    const fn name(self) -> &'static str {
        match self {
            Self::Entry => "entry",
            Self::Credentials => "credentials",
            Self::Name => "name",
            Self::Uuid => "uuid",
            Self::Index => "index",
            Self::Log => "log",
            Self::Event => "event",
            Self::Meta => "default",
        }
    }
}

impl From<rocksdb::Error> for StoreError {
    fn from(error: rocksdb::Error) -> Self {
        Self(error.into_string())
    }
}

/// An open database.
pub(super) struct Engine {
    db: DB,
    /// Where a reader beside another process keeps its notes; removed with it.
    notes: Option<Notes>,
    /// How files of each family are written.
    files: HashMap<Family, Options>,
    durable: WriteOptions,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Engine({})", self.db.path().display())
    }
}

impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}

/// Makes the folder of a database, which nobody but its owner may look into; one that is there already is closed.
fn close_to_others(path: &Path) -> Result<(), StoreError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    if std::fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
        // Only its owner can. Whoever else runs this, and was given the folder so, is warned by the command line.
        let _ = std::fs::set_permissions(path, Permissions::from_mode(0o700));
    }
    Ok(())
}

/// So often a reader looks which files there are: between that and their opening, the process that writes may have replaced one.
const LISTINGS: usize = 10;

fn is_about_a_file_that_is_gone(error: &rocksdb::Error) -> bool {
    error.kind() == rocksdb::ErrorKind::IOError && error.as_ref().contains("No such file")
}

/// Whether the folder holds a database.
pub(super) fn exists(path: &Path) -> bool {
    path.join("CURRENT").exists()
}

impl Engine {
    /// Opens the folder, and makes a database in it if there is none.
    pub(super) fn open(path: &Path, cache_octets: usize) -> Result<Self, StoreError> {
        close_to_others(path)?;
        let cache = Cache::new_lru_cache(cache_octets);
        let options = options::database(&cache, cache_octets);
        let families = Family::ALL
            .map(|family| ColumnFamilyDescriptor::new(family.name(), options::family(family, &cache, cache_octets)));
        let db = DB::open_cf_descriptors(&options, path, families)?;
        let mut durable = WriteOptions::default();
        durable.set_sync(true);
        let files = Family::ALL.map(|family| (family, options::family(family, &cache, cache_octets))).into();
        Ok(Self { db, notes: None, files, durable })
    }

    /// Opens the folder to read it, also while another process writes to it: what that process has written by now.
    pub(super) fn open_beside(path: &Path, cache_octets: usize) -> Result<Self, StoreError> {
        let cache = Cache::new_lru_cache(cache_octets);
        let mut options = options::database(&cache, cache_octets);
        options.create_if_missing(false);
        // Files that the other process replaces must stay open here.
        options.set_max_open_files(-1);
        let notes = Notes::new(path)?;
        // A reader makes nothing: of families that the writing process has yet to make, it does without.
        let made = DB::list_cf(&options, path)?;
        let families = || {
            Family::ALL
                .into_iter()
                .filter(|family| made.iter().any(|name| name == family.name()))
                .map(|family| ColumnFamilyDescriptor::new(family.name(), options::family(family, &cache, cache_octets)))
        };
        let open = || {
            let db = DB::open_cf_descriptors_as_secondary(&options, path, notes.path(), families())?;
            db.try_catch_up_with_primary()?;
            Ok(db)
        };
        let mut opened = open();
        for _ in 1..LISTINGS {
            if !opened.as_ref().is_err_and(is_about_a_file_that_is_gone) {
                break;
            }
            opened = open();
        }
        Ok(Self { db: opened?, notes: Some(notes), files: HashMap::new(), durable: WriteOptions::default() })
    }

    /// Sees what the writing process has written since.
    pub(super) fn catch_up(&self) -> Result<(), StoreError> {
        Ok(self.db.try_catch_up_with_primary()?)
    }

    /// Whether there is such a family: a reader of what an earlier release has written may lack one.
    pub(super) fn has(&self, family: Family) -> bool {
        self.db.cf_handle(family.name()).is_some()
    }

    fn family(&self, family: Family) -> Result<&ColumnFamily, StoreError> {
        self.db
            .cf_handle(family.name())
            .ok_or_else(|| StoreError(format!("column family {} is missing", family.name())))
    }

    /// The value of a key, now.
    pub(super) fn get(&self, family: Family, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        let value = self.db.get_pinned_cf(self.family(family)?, key)?;
        Ok(value.map(|value| Bytes::copy_from_slice(&value)))
    }

    /// Calls `visit` with the keys from `start` on, in order, until it says to stop.
    pub(super) fn scan(
        &self,
        family: Family,
        start: &[u8],
        visit: &mut dyn FnMut(&[u8], &[u8]) -> Go,
    ) -> Result<(), StoreError> {
        let iterator = self.db.raw_iterator_cf_opt(self.family(family)?, total_order());
        walk(iterator, start, visit)
    }

    /// Starts a batch.
    pub(super) fn batch(&self) -> Batch<'_> {
        Batch {
            engine: self,
            families: Family::ALL.map(|family| self.family(family).ok()),
            writes: WriteBatch::default(),
        }
    }

    /// Brings files of sorted keys in, all at once: they become part of the database without being written again.
    pub(super) fn ingest(&self, family: Family, files: &[std::path::PathBuf]) -> Result<(), StoreError> {
        if files.is_empty() {
            return Ok(());
        }
        let mut options = IngestExternalFileOptions::default();
        options.set_move_files(true);
        // Whoever ingests is alone with the store. Otherwise each file would get a number of its own, and be written again in
        // the background to lose it.
        options.set_snapshot_consistency(false);
        Ok(self.db.ingest_external_file_cf_opts(self.family(family)?, &options, files.to_vec())?)
    }

    /// Writes what is in memory to files.
    pub(super) fn flush(&self) -> Result<(), StoreError> {
        for family in Family::ALL {
            self.db.flush_cf(self.family(family)?)?;
        }
        Ok(self.db.flush_wal(true)?)
    }

    /// Begins a file of sorted keys of a family for [`Engine::ingest`].
    pub(super) fn sorted_file(&self, family: Family, path: &Path) -> Result<SortedFile<'_>, StoreError> {
        let read_only = || StoreError("the store was opened to be read only".to_owned());
        let writer = SstFileWriter::create(self.files.get(&family).ok_or_else(read_only)?);
        writer.open(path)?;
        Ok(SortedFile { writer })
    }

    /// How large it is, and what it holds in memory.
    pub(super) fn figures(&self) -> Figures {
        let number = |family: Family, name: &str| {
            let family = self.family(family).ok();
            family.and_then(|family| self.db.property_int_value_cf(family, name).ok()).flatten().unwrap_or_default()
        };
        let total = |name: &str| Family::ALL.iter().map(|family| number(*family, name)).sum();
        Figures {
            entries: number(Family::Entry, "rocksdb.estimate-num-keys"),
            disk_octets: total("rocksdb.total-sst-files-size"),
            unwritten_octets: total("rocksdb.cur-size-all-mem-tables"),
            // All families share one cache.
            cache_octets: number(Family::Meta, "rocksdb.block-cache-usage"),
            cache_capacity: number(Family::Meta, "rocksdb.block-cache-capacity"),
        }
    }

    /// Figures for people.
    pub(super) fn statistics(&self) -> String {
        Family::ALL
            .iter()
            .filter_map(|family| {
                let handle = self.family(*family).ok()?;
                let stats = self.db.property_value_cf(handle, "rocksdb.stats").ok()??;
                Some(format!("{}:\n{stats}", family.name()))
            })
            .collect()
    }
}

/// Whether a walk goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Go {
    On,
    Stop,
}

fn walk(
    mut iterator: rocksdb::DBRawIterator<'_>,
    start: &[u8],
    visit: &mut dyn FnMut(&[u8], &[u8]) -> Go,
) -> Result<(), StoreError> {
    iterator.seek(start);
    while let Some((key, value)) = iterator.item() {
        if visit(key, value) == Go::Stop {
            return Ok(());
        }
        iterator.next();
    }
    Ok(iterator.status()?)
}

fn total_order() -> ReadOptions {
    let mut options = ReadOptions::default();
    options.set_total_order_seek(true);
    options
}

/// Writes that happen together.
pub(super) struct Batch<'e> {
    engine: &'e Engine,
    /// In the order of [`Family::ALL`]: looked up once for the many writes that a batch has.
    families: [Option<&'e ColumnFamily>; Family::ALL.len()],
    writes: WriteBatch,
}

impl<'e> Batch<'e> {
    fn family(&self, family: Family) -> Result<&'e ColumnFamily, StoreError> {
        self.families.get(family as usize).copied().flatten().map_or_else(|| self.engine.family(family), Ok)
    }

    pub(super) fn put(&mut self, family: Family, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.writes.put_cf(self.family(family)?, key, value);
        Ok(())
    }

    pub(super) fn delete(&mut self, family: Family, key: &[u8]) -> Result<(), StoreError> {
        self.writes.delete_cf(self.family(family)?, key);
        Ok(())
    }

    pub(super) fn delete_range(&mut self, family: Family, from: &[u8], to: &[u8]) -> Result<(), StoreError> {
        self.writes.delete_range_cf(self.family(family)?, from, to);
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// Writes them, on disk when this returns.
    pub(super) fn write(self) -> Result<(), StoreError> {
        Ok(self.engine.db.write_opt(self.writes, &self.engine.durable)?)
    }

    /// Writes them without waiting for the disk: for work that is done again after a crash.
    pub(super) fn write_later(self) -> Result<(), StoreError> {
        Ok(self.engine.db.write(self.writes)?)
    }
}

/// A file of sorted keys.
pub(super) struct SortedFile<'e> {
    writer: SstFileWriter<'e>,
}

impl SortedFile<'_> {
    /// Adds a key, which must be greater than the one before.
    pub(super) fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        Ok(self.writer.put(key, value)?)
    }

    pub(super) fn finish(mut self) -> Result<(), StoreError> {
        Ok(self.writer.finish()?)
    }
}

self_cell::self_cell!(
    pub(super) struct OwnedSnapshot {
        owner: Arc<Engine>,
        #[covariant]
        dependent: InnerSnapshot,
    }
);

type InnerSnapshot<'e> = rocksdb::Snapshot<'e>;

/// The database as it was at one moment. It costs nothing but that old versions are kept for as long.
pub(super) enum Snapshot {
    /// Of a database that is being written to.
    Moment(OwnedSnapshot),
    /// Of one that is read beside another process: it stays as it was opened.
    Still(Arc<Engine>),
}

impl Snapshot {
    pub(super) fn new(engine: &Arc<Engine>) -> Self {
        match engine.notes {
            Some(_) => Self::Still(Arc::clone(engine)),
            None => Self::Moment(OwnedSnapshot::new(Arc::clone(engine), |engine| engine.db.snapshot())),
        }
    }

    fn engine(&self) -> &Engine {
        match self {
            Self::Moment(snapshot) => snapshot.borrow_owner(),
            Self::Still(engine) => engine,
        }
    }

    fn iterator(&self, family: Family, options: ReadOptions) -> Result<rocksdb::DBRawIterator<'_>, StoreError> {
        let family = self.engine().family(family)?;
        Ok(match self {
            Self::Moment(snapshot) => snapshot.borrow_dependent().raw_iterator_cf_opt(family, options),
            Self::Still(engine) => engine.db.raw_iterator_cf_opt(family, options),
        })
    }

    /// The value of a key.
    pub(super) fn get(&self, family: Family, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        let Self::Moment(snapshot) = self else {
            return self.engine().get(family, key);
        };
        let value = snapshot.borrow_dependent().get_pinned_cf(self.engine().family(family)?, key)?;
        Ok(value.map(|value| Bytes::copy_from_slice(&value)))
    }

    /// The greatest key.
    pub(super) fn last_key(&self, family: Family) -> Result<Option<Vec<u8>>, StoreError> {
        let mut iterator = self.iterator(family, total_order())?;
        iterator.seek_to_last();
        iterator.status()?;
        Ok(iterator.key().map(<[u8]>::to_vec))
    }

    /// Calls `visit` with the keys from `start` on, in order, until it says to stop.
    pub(super) fn scan(
        &self,
        family: Family,
        start: &[u8],
        visit: &mut dyn FnMut(&[u8], &[u8]) -> Go,
    ) -> Result<(), StoreError> {
        walk(self.iterator(family, total_order())?, start, visit)
    }

    /// The same for what is not going to be read again: it pushes nothing out of the cache.
    pub(super) fn scan_once(
        &self,
        family: Family,
        start: &[u8],
        visit: &mut dyn FnMut(&[u8], &[u8]) -> Go,
    ) -> Result<(), StoreError> {
        let mut options = total_order();
        options.fill_cache(false);
        walk(self.iterator(family, options)?, start, visit)
    }

    /// The same for the keys that begin with `prefix`, as many octets of which as an index key has before its number.
    pub(super) fn scan_postings(&self, prefix: &[u8], visit: &mut dyn FnMut(&[u8]) -> Go) -> Result<(), StoreError> {
        let mut options = ReadOptions::default();
        options.set_prefix_same_as_start(true);
        let iterator = self.iterator(Family::Index, options)?;
        walk(iterator, prefix, &mut |key, _| if key.starts_with(prefix) { visit(key) } else { Go::Stop })
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Snapshot")
    }
}

/// Makes of a store what the releases before events have written.
#[cfg(test)]
pub(super) fn without_events(path: &Path) {
    let families = Family::ALL.map(Family::name);
    let mut db = DB::open_cf(&Options::default(), path, families).unwrap();
    db.drop_cf(Family::Event.name()).unwrap();
}
