//! Loading many entries at once into a store that nobody else uses.
//!
//! Records are sorted in memory, written as files of sorted keys, and these become part of the database as they are: no
//! log is written and nothing is written twice. Only when everything has been taken in does the position move; what a
//! load that is broken off has left behind is removed when the store is opened again (see `importing`).

mod files;
mod postings;
mod run;

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::Arc;

use siphasher::sip128::{Hasher128, SipHasher13};
use uuid::Uuid;

use super::commit::Position;
use super::engine::{Engine, Family};
use super::format::{self, Opened};
use super::key::Postings;
use super::view::{Fixed, View};
use super::{OpenError, OpenOptions, StoreError, events, importing, key, record};
use crate::directory::tree::{EntryId, Event, Found, Node};
use crate::directory::{Csn, Dn, Entry, Schema};
use files::Files;
use postings::Waiting;
use run::Run;

/// How much of the records of one family is sorted at once, in octets.
const RUN: usize = 32 << 20;
/// How much of the postings.
const POSTINGS: usize = 256 << 20;

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

/// An entry that is to be loaded, with what indexes say of it.
#[derive(Clone, Debug)]
pub struct PreparedEntry {
    loaded: LoadedEntry,
    postings: Vec<Postings>,
}

impl PreparedEntry {
    /// Its name.
    pub const fn dn(&self) -> &Dn {
        &self.loaded.dn
    }
}

/// Prepares entries, on any thread.
#[derive(Clone, Debug)]
pub struct Preparer(Arc<Fixed>, Arc<Schema>);

impl Preparer {
    /// Finds out what indexes say of an entry.
    pub fn prepare(&self, loaded: LoadedEntry) -> PreparedEntry {
        let mut postings = Vec::new();
        self.0.indexes.append_postings(&loaded.entry, &self.1, &mut postings);
        PreparedEntry { loaded, postings }
    }
}

/// Why an entry cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// There is an entry of that name.
    #[error("an entry of that name exists already")]
    Exists,
    /// There is no entry above it, so far. It is handed back, to be tried again.
    #[error("the entry above it does not exist")]
    NoParent(Box<PreparedEntry>),
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

/// The entry above, where there is one, the RDN as it is spelled, and as it is looked up.
type Below = (Option<EntryId>, String, Vec<u8>);

/// Loads entries.
#[derive(Debug)]
pub struct BulkLoader {
    engine: Arc<Engine>,
    view: View,
    position: Position,
    /// The last number that was given out before.
    before: EntryId,
    /// The entries loaded so far, by a hash of their names that is long enough not to collide.
    ids: HashMap<u128, EntryId>,
    uuids: HashSet<Uuid>,
    entries: Run,
    credentials: Run,
    names: Run,
    uuid_index: Run,
    postings: Waiting,
    files: Files,
    /// How many of the entries have a password.
    passwords: u32,
    /// What is recorded of the load, if it comes to its end.
    events: Vec<Event>,
}

impl BulkLoader {
    /// Opens a store for loading.
    pub fn open(options: &OpenOptions<'_>) -> Result<Self, OpenError> {
        let Opened { engine, view, position } = format::open(options)?;
        let folder = options.path.join("loading");
        let files = Files::new(folder.clone()).map_err(|cause| OpenError::Engine { path: folder, cause })?;
        Ok(Self {
            engine,
            view,
            position,
            before: EntryId(position.last_id),
            ids: HashMap::new(),
            uuids: HashSet::new(),
            entries: Run::default(),
            credentials: Run::default(),
            names: Run::default(),
            uuid_index: Run::default(),
            postings: Waiting::default(),
            files,
            passwords: 0,
            events: Vec::new(),
        })
    }

    /// The schema of the store.
    pub fn schema(&self) -> &Arc<Schema> {
        self.view.schema()
    }

    /// Prepares entries for [`BulkLoader::add`].
    pub fn preparer(&self) -> Preparer {
        Preparer(Arc::clone(self.view.fixed()), Arc::clone(self.schema()))
    }

    /// The change sequence number of the last change to the store, which entries that have none of their own follow.
    pub const fn csn(&self) -> Csn {
        self.position.moment.csn
    }

    /// Adds an entry, whose parent has been added before or is in the store. `csn` is the highest number that has been
    /// given out for one by now.
    pub fn add(&mut self, prepared: PreparedEntry, csn: Csn) -> Result<(), LoadError> {
        let hash = name_hash(prepared.dn());
        if self.ids.contains_key(&hash) || self.find(prepared.dn())?.is_some() {
            return Err(LoadError::Exists);
        }
        let Some((parent, rdn, rdn_key)) = self.place(prepared.dn())? else {
            return Err(LoadError::NoParent(Box::new(prepared)));
        };
        let PreparedEntry { loaded, postings } = prepared;
        if !self.uuids.insert(loaded.uuid) || self.engine.get(Family::Uuid, loaded.uuid.as_bytes())?.is_some() {
            return Err(LoadError::SameUuid);
        }
        self.position.last_id += 1;
        let id = EntryId(self.position.last_id);
        self.ids.insert(hash, id);
        let moment = &mut self.position.moment;
        moment.csn = moment.csn.max(csn);
        let version = moment.version + 1;
        self.postings.push(&postings, id);
        self.names.push(&key::name(parent, &rdn_key), &key::entry(id));
        self.uuid_index.push(loaded.uuid.as_bytes(), &key::entry(id));
        if let Some(credentials) = &loaded.credentials {
            self.passwords += u32::from(credentials.has(self.schema().known().user_password));
            self.credentials.push(&key::entry(id), &record::encode_credentials(version, credentials));
        }
        let node = Node { id, uuid: loaded.uuid, parent, version, rdn: rdn.into(), entry: loaded.entry };
        self.entries.push(&key::entry(id), &record::encode_node(&node));
        self.spill()?;
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

    /// The entry above that name and the RDN below it; `None` if there is no such entry.
    fn place(&self, dn: &Dn) -> Result<Option<Below>, LoadError> {
        if self.view.fixed().suffixes.contains(dn) {
            return Ok(Some((None, dn.to_string(), dn.key().to_vec())));
        }
        let (Some(parent), Some((rdn, rdn_key))) = (dn.parent(), dn.rdns().next()) else {
            return Err(LoadError::Outside);
        };
        let parent = self.find(&parent)?;
        Ok(parent.map(|parent| (Some(parent), rdn.to_owned(), rdn_key.to_vec())))
    }

    /// Writes what takes much memory.
    fn spill(&mut self) -> Result<(), StoreError> {
        if self.postings.octets() > POSTINGS {
            self.postings.spill(self.files.folder())?;
        }
        self.write_runs(RUN)
    }

    /// Writes every run that is larger than `most`.
    fn write_runs(&mut self, most: usize) -> Result<(), StoreError> {
        let runs = [
            (Family::Entry, &mut self.entries),
            (Family::Credentials, &mut self.credentials),
            (Family::Name, &mut self.names),
            (Family::Uuid, &mut self.uuid_index),
        ];
        for (family, run) in runs {
            if run.octets() > most {
                run.write(&self.engine, family, &self.files.add(family))?;
            }
        }
        Ok(())
    }

    /// How many of the entries that were added have a password.
    pub const fn passwords(&self) -> u32 {
        self.passwords
    }

    /// Has something recorded, in the batch that ends the load.
    pub fn record(&mut self, event: Event) {
        self.events.push(event);
    }

    /// Takes everything in. If this fails, or does not come to its end, the store is what it was when it is opened again.
    pub fn finish(mut self) -> Result<(), StoreError> {
        self.take_in(usize::MAX)?;
        self.position.moment.version += 1;
        self.position.moment.membership_version = self.position.moment.version;
        self.position.moment.policies_version = self.position.moment.version;
        let mut batch = self.engine.batch();
        for event in &self.events {
            self.position.event_sequence += 1;
            events::put(&mut batch, self.position.event_sequence, event)?;
        }
        format::put_position(&mut batch, self.position)?;
        importing::end(&mut batch)?;
        batch.write()?;
        self.engine.flush()
    }

    /// Takes in the first `most` files.
    pub(super) fn take_in(&mut self, most: usize) -> Result<(), StoreError> {
        self.write_runs(0)?;
        std::mem::take(&mut self.postings).write(&self.engine, &mut self.files)?;
        importing::begin(&self.engine, self.before)?;
        for (family, path) in self.files.iter().take(most) {
            self.engine.ingest(family, std::slice::from_ref(path))?;
        }
        Ok(())
    }
}

fn name_hash(dn: &Dn) -> u128 {
    let mut hasher = SipHasher13::new();
    dn.key().hash(&mut hasher);
    hasher.finish128().as_u128()
}
