//! Loading many entries at once into a store that nobody else uses.
//!
//! Records are sorted in memory, written as files of sorted keys, and these become part of the database as they are: no
//! log is written and nothing is written twice. Only when everything has been taken in does the position move; what a
//! load that is broken off has left behind is removed when the store is opened again (see `importing`).

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use siphasher::sip128::{Hasher128, SipHasher13};
use uuid::Uuid;

use super::commit::Position;
use super::engine::{Engine, Family, SortedFile};
use super::format::{self, Opened};
use super::view::View;
use super::{OpenError, OpenOptions, StoreError, importing, key, record};
use crate::directory::tree::{EntryId, Found, Node};
use crate::directory::{Csn, Dn, Entry, Schema, Timestamp};

/// How much of the records of one family is sorted at once, in octets.
const RUN: usize = 96 << 20;

/// An entry that is to be loaded.
#[derive(Clone, Debug)]
pub struct LoadedEntry {
    /// Its name.
    pub dn: Dn,
    /// Its identity.
    pub uuid: Uuid,
    /// Its attributes.
    pub entry: Entry,
    /// What proves who it is.
    pub credentials: Option<Entry>,
}

/// Why an entry cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// There is an entry of that name.
    #[error("an entry of that name exists already")]
    Exists,
    /// There is no entry above it; LDIF names parents before their children.
    #[error("the entry above it does not exist, or comes later in the file")]
    NoParent,
    /// It lies below no suffix.
    #[error("it lies below none of the suffixes of this directory")]
    Outside,
    /// Two entries have the same UUID.
    #[error("another entry has the same entryUUID")]
    SameUuid,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Loads entries.
#[derive(Debug)]
pub struct BulkLoader {
    engine: Arc<Engine>,
    view: View,
    position: Position,
    /// The last number that was given out before.
    before: EntryId,
    folder: PathBuf,
    /// The entries loaded so far, by a hash of their names that is long enough not to collide.
    ids: HashMap<u128, EntryId>,
    uuids: HashSet<Uuid>,
    entries: Run,
    credentials: Run,
    names: Run,
    uuid_index: Run,
    postings: Run,
    files: Vec<(Family, PathBuf)>,
}

impl BulkLoader {
    /// Opens a store for loading.
    pub fn open(options: &OpenOptions<'_>) -> Result<Self, OpenError> {
        let Opened { engine, view, position } = format::open(options)?;
        let folder = options.path.join("loading");
        let failed =
            |error: std::io::Error| OpenError::Engine { path: folder.clone(), cause: StoreError(error.to_string()) };
        // What a load that was broken off has left behind.
        if folder.exists() {
            std::fs::remove_dir_all(&folder).map_err(failed)?;
        }
        std::fs::create_dir_all(&folder).map_err(failed)?;
        Ok(Self {
            engine,
            view,
            position,
            before: EntryId(position.last_id),
            folder,
            ids: HashMap::new(),
            uuids: HashSet::new(),
            entries: Run::default(),
            credentials: Run::default(),
            names: Run::default(),
            uuid_index: Run::default(),
            postings: Run::default(),
            files: Vec::new(),
        })
    }

    /// The schema of the store.
    pub fn schema(&self) -> &Arc<Schema> {
        self.view.schema()
    }

    /// Adds an entry, whose parent has been added before or is in the store.
    pub fn add(&mut self, loaded: LoadedEntry, now: Timestamp) -> Result<(), LoadError> {
        let hash = name_hash(&loaded.dn);
        if self.ids.contains_key(&hash) || self.find(&loaded.dn)?.is_some() {
            return Err(LoadError::Exists);
        }
        if !self.uuids.insert(loaded.uuid) || self.engine.get(Family::Uuid, loaded.uuid.as_bytes())?.is_some() {
            return Err(LoadError::SameUuid);
        }
        let (parent, rdn, rdn_key) = self.place(&loaded.dn)?;
        self.position.last_id += 1;
        let id = EntryId(self.position.last_id);
        self.ids.insert(hash, id);
        let moment = &mut self.position.moment;
        moment.csn = Csn::following(moment.csn, now);
        let version = moment.version + 1;
        let known = self.view.schema().known();
        let stored = loaded.entry.first(known.entry_csn).and_then(Csn::parse);
        // A number that came along is kept: it is what others know the entry by.
        let entry = match stored {
            Some(_) => loaded.entry,
            None => loaded.entry.stamped(known.entry_csn, moment.csn.to_string().as_bytes()),
        };
        for posting in self.view.indexes().postings(&entry, self.view.schema()) {
            self.postings.push(&posting.key(id), b"");
        }
        self.names.push(&key::name(parent, &rdn_key), &key::entry(id));
        self.uuid_index.push(loaded.uuid.as_bytes(), &key::entry(id));
        if let Some(credentials) = &loaded.credentials {
            self.credentials.push(&key::entry(id), &record::encode_credentials(version, credentials));
        }
        let node = Node { id, uuid: loaded.uuid, parent, version, rdn: rdn.into(), entry };
        self.entries.push(&key::entry(id), &record::encode_node(&node));
        self.spill(RUN)?;
        Ok(())
    }

    fn find(&self, dn: &Dn) -> Result<Option<EntryId>, LoadError> {
        if let Some(id) = self.ids.get(&name_hash(dn)) {
            return Ok(Some(*id));
        }
        let found = self.view.find(dn).map_err(|error| StoreError(error.to_string()))?;
        match found {
            Found::Entry(id) => Ok(Some(id)),
            Found::Missing(_) => Ok(None),
            Found::Outside => Err(LoadError::Outside),
        }
    }

    fn place(&self, dn: &Dn) -> Result<(Option<EntryId>, String, Vec<u8>), LoadError> {
        if self.view.fixed().suffixes.contains(dn) {
            return Ok((None, dn.to_string(), dn.key().to_vec()));
        }
        let (Some(parent), Some((rdn, rdn_key))) = (dn.parent(), dn.rdns().next()) else {
            return Err(LoadError::Outside);
        };
        let parent = self.find(&parent)?.ok_or(LoadError::NoParent)?;
        Ok((Some(parent), rdn.to_owned(), rdn_key.to_vec()))
    }

    /// Writes every run that is larger than `most`.
    fn spill(&mut self, most: usize) -> Result<(), StoreError> {
        let runs = [
            (Family::Entry, &mut self.entries),
            (Family::Credentials, &mut self.credentials),
            (Family::Name, &mut self.names),
            (Family::Uuid, &mut self.uuid_index),
            (Family::Index, &mut self.postings),
        ];
        for (family, run) in runs {
            if run.octets() > most {
                let path = self.folder.join(format!("{:06}.sst", self.files.len()));
                run.write(&self.engine, &path)?;
                self.files.push((family, path));
            }
        }
        Ok(())
    }

    /// Takes everything in. If this fails, or does not come to its end, the store is what it was when it is opened again.
    pub fn finish(mut self) -> Result<(), StoreError> {
        self.take_in(usize::MAX)?;
        self.position.moment.version += 1;
        self.position.moment.membership_version = self.position.moment.version;
        let mut batch = self.engine.batch();
        format::put_position(&mut batch, self.position)?;
        importing::end(&mut batch)?;
        batch.write()?;
        self.engine.flush()?;
        self.engine.compact(Family::Index)?;
        Ok(())
    }

    /// Takes in the first `most` files.
    pub(super) fn take_in(&mut self, most: usize) -> Result<(), StoreError> {
        self.spill(0)?;
        importing::begin(&self.engine, self.before)?;
        for (family, path) in self.files.iter().take(most) {
            self.engine.ingest(*family, std::slice::from_ref(path))?;
        }
        Ok(())
    }
}

impl Drop for BulkLoader {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn name_hash(dn: &Dn) -> u128 {
    let mut hasher = SipHasher13::new();
    dn.key().hash(&mut hasher);
    hasher.finish128().as_u128()
}

/// Records of one family that wait to be sorted: their octets one behind the other, and where each begins.
#[derive(Debug, Default)]
struct Run {
    octets: Vec<u8>,
    places: Vec<Place>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    start: u32,
    key: u16,
    value: u32,
}

impl Run {
    fn octets(&self) -> usize {
        self.octets.len() + self.places.len() * size_of::<Place>()
    }

    fn push(&mut self, key: &[u8], value: &[u8]) {
        let start = u32::try_from(self.octets.len()).unwrap_or(u32::MAX);
        let (key_len, value_len) =
            (u16::try_from(key.len()).unwrap_or(u16::MAX), u32::try_from(value.len()).unwrap_or(u32::MAX));
        self.octets.extend_from_slice(key);
        self.octets.extend_from_slice(value);
        self.places.push(Place { start, key: key_len, value: value_len });
    }

    fn key(&self, place: Place) -> &[u8] {
        let start = place.start as usize;
        self.octets.get(start..start + usize::from(place.key)).unwrap_or_default()
    }

    fn value(&self, place: Place) -> &[u8] {
        let start = place.start as usize + usize::from(place.key);
        self.octets.get(start..start + place.value as usize).unwrap_or_default()
    }

    fn write(&mut self, engine: &Engine, path: &Path) -> Result<(), StoreError> {
        let mut places = std::mem::take(&mut self.places);
        places.sort_unstable_by(|a, b| self.key(*a).cmp(self.key(*b)));
        let mut file: SortedFile<'_> = engine.sorted_file(path)?;
        for place in places {
            file.put(self.key(place), self.value(place))?;
        }
        file.finish()?;
        self.octets.clear();
        Ok(())
    }
}
