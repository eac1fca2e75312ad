//! The directory tree on disk: RocksDB, and what keeps its entries, names and indexes in step.
//!
//! Reading order: [`Store`] opens a folder; a [`View`] is the directory as it was after some commit, and answers what
//! operations ask of a tree; the [`commit`] thread is the only writer, and writes groups of changes; [`key`] and
//! [`record`] say which octets stand on disk; [`index`] which of them find entries by value, and [`planner`] how a search
//! uses them; the engine alone names RocksDB.

pub mod backup;
pub mod bulk;
pub mod commit;
mod emptiness;
mod engine;
mod events;
mod format;
mod importing;
pub mod index;
pub mod key;
mod log;
mod memo;
mod notes;
mod pending;
pub mod planner;
mod recent;
pub mod record;
mod schema;
pub mod verify;
mod view;
mod warming;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;

use crate::directory::schema::{AttributeTypeId, SchemaError};
use crate::directory::tree::{Change, CommitError, Committed, Directory, Recorded, TreeError};
use crate::directory::{Dn, Schema, Timestamp, dn};
use commit::{Committer, Reply};
use engine::Engine;
pub use events::{Outbox, Retention};
pub use index::{IndexError, IndexKind, IndexedAttribute};
pub use view::View;
pub use warming::Warmed;

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder, or something in it, cannot be read or written.
    #[error("{path}: {cause}")]
    Engine {
        /// The folder.
        path: PathBuf,
        /// What went wrong.
        cause: StoreError,
    },
    /// The folder was written by another release.
    #[error(
        "{path} has the format {found}, and this release reads {known} only; use the release that wrote it, or export \
         there and import here"
    )]
    UnknownFormat {
        /// The folder.
        path: PathBuf,
        /// Its format.
        found: String,
        /// The format of this release.
        known: u32,
    },
    /// There is no store in the folder.
    #[error("{0} holds no directory yet; `keystead init` makes one")]
    Missing(PathBuf),
    /// An import is under way in another process, or was broken off, and a reader would see half of it.
    #[error(
        "{0} holds half of an import: either one is under way, or one was broken off, and what it left is removed by the \
         next `keystead serve` or `keystead import`"
    )]
    Importing(PathBuf),
    /// It holds entries that nobody would find, since they are below none of the suffixes.
    #[error(
        "{path} holds the entries of {held}, and the configuration does not name that as a suffix ({named}): name it, too \
         (directory.suffix), or another folder (directory.data)"
    )]
    OtherSuffix {
        /// The folder.
        path: PathBuf,
        /// The name below which they stand.
        held: String,
        /// The suffixes.
        named: String,
    },
    /// There is a store in the folder already.
    #[error("{0} holds a directory already")]
    Exists(PathBuf),
    /// The schema cannot be built.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// A suffix is no name.
    #[error("the suffix {0:?}: {1}")]
    Suffix(String, dn::DnError),
    /// An attribute cannot be indexed.
    #[error(transparent)]
    Index(#[from] IndexError),
}

/// Something that RocksDB says.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct StoreError(String);

impl From<TreeError> for StoreError {
    fn from(error: TreeError) -> Self {
        Self(error.to_string())
    }
}

/// How a store is opened.
pub struct OpenOptions<'a> {
    /// The folder.
    pub path: &'a Path,
    /// Whether it must be there, or must not.
    pub existence: Existence,
    /// The names below which entries are kept; none for somebody who looks at no entries.
    pub suffixes: &'a [String],
    /// Which attributes are indexed; absent for the usual ones.
    pub indexes: Option<&'a [IndexedAttribute]>,
    /// Memory for what was read, and for what is to be written, in octets.
    pub cache_octets: usize,
    /// The time, for what is noticed on opening.
    pub now: Timestamp,
    /// Builds the schema, given the numbers that attribute types have had so far.
    pub schema: &'a dyn Fn(Vec<(String, AttributeTypeId)>) -> Result<Schema, SchemaError>,
}

impl std::fmt::Debug for OpenOptions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenOptions").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Whether there must be a store in the folder.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Existence {
    /// There must be.
    Required,
    /// There must not be; one is made.
    Forbidden,
    /// There must be, and it is only read; another process may be using it.
    ReadOnly,
}

/// What a store uses unless something else is asked for, in octets.
pub const DEFAULT_CACHE: usize = 512 << 20;

/// How many files a store keeps open, by the limit of this process as it is now.
pub fn open_files() -> u64 {
    engine::open_files()
}

/// A directory on disk.
#[derive(Debug)]
pub struct Store {
    shared: Arc<Shared>,
    committer: Committer,
}

/// How large a store is, and what it holds in memory. What the engine cannot tell is 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Figures {
    /// Entries, as the engine estimates.
    pub entries: u64,
    /// Octets of its files.
    pub disk_octets: u64,
    /// Octets that have yet to be written to files; a log holds them.
    pub unwritten_octets: u64,
    /// Octets in memory of what was read.
    pub cache_octets: u64,
    /// How many these may be.
    pub cache_capacity: u64,
}

/// What readers and the commit thread share.
#[derive(Debug)]
struct Shared {
    engine: Arc<Engine>,
    current: ArcSwap<View>,
    /// What is called when a view has become the current one.
    announce: OnceLock<Announce>,
    /// Why nothing is written any more, once a write has failed.
    failed: OnceLock<String>,
}

/// Is told that something has been committed; on the commit thread, so it must be quick.
struct Announce(Box<dyn Fn() + Send + Sync>);

impl std::fmt::Debug for Announce {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Announce")
    }
}

impl Store {
    /// Opens the folder, and makes what is missing of indexes.
    pub fn open(options: &OpenOptions<'_>) -> Result<Self, OpenError> {
        let opened = format::open(options)?;
        let shared = Arc::new(Shared {
            current: ArcSwap::from_pointee(opened.view),
            engine: opened.engine,
            announce: OnceLock::new(),
            failed: OnceLock::new(),
        });
        let committer = Committer::start(Arc::clone(&shared), opened.position);
        Ok(Self { shared, committer })
    }

    /// Makes a change; `reply` is called when it has happened for good, or has not happened at all. It is called on the
    /// commit thread and must be quick.
    pub fn submit(&self, change: Change, reply: Reply) {
        self.committer.submit(change, reply);
    }

    /// Has `announce` called after each commit, when readers see what was committed. It must be quick. Only the first that
    /// asks for it is told.
    pub fn announce_commits(&self, announce: impl Fn() + Send + Sync + 'static) {
        // Whoever asks for it shares the store with those whom it tells.
        let _ = self.shared.announce.set(Announce(Box::new(announce)));
    }

    /// Why nothing is written any more, in a sentence, once a write has failed: what is on the disk then nobody knows but whoever
    /// opens the store again.
    pub fn failure(&self) -> Option<&str> {
        self.shared.failed.get().map(String::as_str)
    }

    /// How large the store is, and what it holds in memory.
    pub fn figures(&self) -> Figures {
        self.shared.engine.figures()
    }

    /// Figures of the engine, for people who look into a slow server.
    pub fn statistics(&self) -> String {
        self.shared.engine.statistics()
    }
}

impl Directory for Store {
    type View = Arc<View>;

    fn view(&self) -> Arc<View> {
        self.shared.current.load_full()
    }

    fn commit(&self, change: Change) -> Result<Committed, CommitError> {
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        self.submit(change, Box::new(move |result| drop(sender.send(result))));
        let lost = || CommitError::Unavailable("the commit thread has ended".to_owned());
        receiver.recv().unwrap_or_else(|_| Err(lost()))
    }

    fn events_after(&self, after: u64, limit: usize) -> Result<Vec<Recorded>, TreeError> {
        let events = events::read_after(&self.shared.engine, after, limit);
        events.map_err(|error| TreeError::new("reading what has happened", error))
    }
}

/// Reads the suffixes of a directory.
fn parse_suffixes(suffixes: &[String], schema: &Schema) -> Result<Vec<Dn>, OpenError> {
    let parse = |text: &String| Dn::parse(schema, text).map_err(|error| OpenError::Suffix(text.clone(), error));
    suffixes.iter().map(parse).collect()
}

#[cfg(test)]
mod testing;
