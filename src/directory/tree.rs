//! The seam between operations and whatever stores the entries.
//!
//! An operation reads a [`Tree`], which stands still while it reads, and proposes a [`Change`]: what entries shall look
//! like afterwards, each on condition that it still has the version that was read. Nothing is locked. Whoever holds the
//! entries makes the change whole or not at all, and says [`CommitError::Conflict`] where a condition no longer holds;
//! then the operation is planned again.

mod condition;
mod event;
pub mod memory;
mod overlay;
mod plan;

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use uuid::Uuid;

pub use condition::Condition;
pub use event::{Event, EventKind, EventResult, Means, Recorded};
pub use overlay::Overlay;
pub use plan::{Candidates, Plan, PlanBudget, PlanStep};

use super::filter::Matcher;
use super::{AttributeTypeId, Csn, Dn, Entry, Schema, Timestamp};

/// The number of an entry on this server; never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct EntryId(pub u32);

/// The number of the commit that wrote something last; 0 for what has never been written.
pub type Version = u64;

/// The version of what the same change has written before, whatever number that will get.
pub const SAME_CHANGE: Version = Version::MAX;

/// An entry and where it stands.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its number here.
    pub id: EntryId,
    /// What identifies it everywhere and for ever (RFC 4530).
    pub uuid: Uuid,
    /// The entry above; `None` for the entry of a suffix.
    pub parent: Option<EntryId>,
    /// When it was written last. Its credentials have a version of their own.
    pub version: Version,
    /// Its RDN as stored; the whole name for the entry of a suffix.
    pub rdn: Arc<str>,
    /// Its attributes.
    pub entry: Entry,
}

/// What proves who an entry is, and the state of that: `userPassword`, `pwdHistory`, `pwdFailureTime` and the like.
/// Kept beside the entry, because it is small and written often; the password policy alone knows what it means.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// When it was written last; 0 if never.
    pub version: Version,
    /// The attributes.
    pub entry: Entry,
}

impl Credentials {
    /// Whether they are those of an account that an administrator has locked: what its owner has passed on is suspended.
    pub fn are_locked_by_hand(entry: &Entry, schema: &Schema) -> bool {
        entry.first(schema.known().pwd_locked_by) == Some(b"administrator")
    }
}

/// What looking for a name found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// The entry.
    Entry(EntryId),
    /// No entry, though the name is below a suffix; the nearest entry above, if any.
    Missing(Option<EntryId>),
    /// The name is below no suffix.
    Outside,
}

impl Found {
    /// The entry, if it was found.
    pub const fn entry(self) -> Option<EntryId> {
        match self {
            Self::Entry(id) => Some(id),
            Self::Missing(_) | Self::Outside => None,
        }
    }
}

/// How far below its base a search reaches (RFC 4511 §4.5.1.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Scope {
    /// The base alone.
    BaseObject,
    /// The entries directly below it.
    SingleLevel,
    /// It and everything below.
    WholeSubtree,
    /// Everything below it (draft-sermersheim-ldap-subordinate-scope).
    Subordinates,
}

/// The store cannot answer: a disk fails, or what it holds is damaged. For the log, not for clients.
#[derive(Debug, thiserror::Error)]
#[error("{context}: {cause}")]
pub struct TreeError {
    /// What was being done.
    pub context: &'static str,
    /// What went wrong.
    pub cause: Box<dyn std::error::Error + Send + Sync>,
}

impl TreeError {
    /// An error while doing `context`.
    pub fn new(context: &'static str, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { context, cause: cause.into() }
    }
}

/// A directory as it was at one moment.
pub trait Tree {
    /// The schema in force.
    fn schema(&self) -> &Arc<Schema>;

    /// The names below which entries are kept (`namingContexts`).
    fn suffixes(&self) -> &[Dn];

    /// The entry of that name.
    fn find(&self, dn: &Dn) -> Result<Found, TreeError>;

    /// The entry of that number.
    fn node(&self, id: EntryId) -> Result<Option<Node>, TreeError>;

    /// Some of the entries whose numbers follow `after`, in order: at most `limit`, fewer if they are large, and none only
    /// if no more follow.
    fn nodes_after(&self, after: Option<EntryId>, limit: usize) -> Result<Vec<Node>, TreeError>;

    /// The number of the entry with that identity.
    fn find_uuid(&self, uuid: Uuid) -> Result<Option<EntryId>, TreeError>;

    /// The name of an entry.
    fn dn(&self, id: EntryId) -> Result<Option<Arc<Dn>>, TreeError>;

    /// The entry above; `None` for the entry of a suffix and for what does not exist.
    fn parent(&self, id: EntryId) -> Result<Option<EntryId>, TreeError>;

    /// Up to `limit` entries directly below `id` whose numbers follow `after`, in order.
    fn children(&self, id: EntryId, after: Option<EntryId>, limit: usize) -> Result<Vec<EntryId>, TreeError>;

    /// What proves who the entry is; `None` if it has nothing of the kind.
    fn credentials(&self, id: EntryId) -> Result<Option<Credentials>, TreeError>;

    /// The entries that have a value of `attribute_type` with the normal form `normal`, in order, whatever its options.
    fn equal(&self, attribute_type: AttributeTypeId, normal: &[u8]) -> Result<Vec<EntryId>, TreeError>;

    /// The entries that have an attribute of the type, if that is known without looking at all; else any may.
    fn having(&self, _attribute_type: AttributeTypeId) -> Result<Candidates, TreeError> {
        Ok(Candidates::All)
    }

    /// The entries that may match. An exact answer is not needed, a complete one is; nor is it worth more than the
    /// budget.
    fn plan(&self, matcher: &Matcher, budget: PlanBudget) -> Result<Plan, TreeError>;

    /// The number of the last change.
    fn csn(&self) -> Csn;

    /// The version of the last change.
    fn version(&self) -> Version;

    /// The version of the last change that may have made or ended a membership: what was found out about groups before
    /// it may no longer hold.
    fn membership_version(&self) -> Version;

    /// The version of the last change that may have changed which password policies say whom they govern, or what they
    /// are called; [`SAME_CHANGE`] where such a change has not been made yet, so that nobody remembers what comes of it.
    fn policies_version(&self) -> Version;

    /// The changes that the log holds and whose numbers follow `after`, in order: at most `limit`, fewer if they are large,
    /// and none only if no more follow.
    fn changes_after(&self, after: u64, limit: usize) -> Result<Vec<LoggedChange>, TreeError>;

    /// The numbers of the first and the last change that the log holds.
    fn change_numbers(&self) -> Result<Option<RangeInclusive<u64>>, TreeError>;

    /// Whether `id` lies at or below `base`.
    fn is_within(&self, id: EntryId, base: EntryId) -> Result<bool, TreeError> {
        let mut at = Some(id);
        while let Some(id) = at {
            if id == base {
                return Ok(true);
            }
            at = self.parent(id)?;
        }
        Ok(false)
    }

    /// Whether `id` lies in the scope of a search at `base`.
    fn in_scope(&self, id: EntryId, base: EntryId, scope: Scope) -> Result<bool, TreeError> {
        match scope {
            Scope::BaseObject => Ok(id == base),
            Scope::SingleLevel => Ok(self.parent(id)? == Some(base)),
            Scope::WholeSubtree => self.is_within(id, base),
            Scope::Subordinates => Ok(id != base && self.is_within(id, base)?),
        }
    }

    /// Some of the entries directly below `id`, up to `limit`, in no order.
    fn some_children(&self, id: EntryId, limit: usize) -> Result<Vec<EntryId>, TreeError> {
        self.children(id, None, limit)
    }

    /// Whether entries stand below `id`.
    fn has_children(&self, id: EntryId) -> Result<bool, TreeError> {
        Ok(!self.children(id, None, 1)?.is_empty())
    }
}

/// What entries shall look like afterwards: all of it happens, or nothing.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// What must hold of entries that are not written, before anything is.
    pub conditions: Vec<Condition>,
    /// What is written, in order.
    pub writes: Vec<Write>,
    /// What the change log keeps of it.
    pub log: Vec<LogRecord>,
    /// What it does to passwords.
    pub events: Vec<Event>,
}

impl Change {
    /// A change that changes nothing.
    pub const fn none() -> Self {
        Self { conditions: Vec::new(), writes: Vec::new(), log: Vec::new(), events: Vec::new() }
    }

    /// A change that writes this, on no other conditions than those of the writes.
    pub const fn of(writes: Vec<Write>, log: Vec<LogRecord>) -> Self {
        Self { conditions: Vec::new(), writes, log, events: Vec::new() }
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.log.is_empty() && self.events.is_empty()
    }
}

/// Where an entry is to stand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// At the top, as the entry of a suffix.
    Suffix(Dn),
    /// Below an entry, which must exist, under a name that must be free.
    Below {
        /// The entry above.
        parent: Uuid,
        /// The RDN as it is to be spelled.
        rdn: Box<str>,
        /// What the RDN is compared by.
        key: Box<[u8]>,
    },
}

/// One thing that a change writes, and its condition. What the same change has written before has the version
/// [`SAME_CHANGE`].
#[derive(Clone, Debug)]
pub enum Write {
    /// A new entry.
    Insert {
        /// Its identity.
        uuid: Uuid,
        /// Where it is to stand.
        place: Place,
        /// Its attributes.
        entry: Entry,
        /// What proves who it is.
        credentials: Option<Entry>,
    },
    /// New attributes for the entry, which must still have that version.
    Replace {
        /// The entry.
        uuid: Uuid,
        /// The version that was read.
        version: Version,
        /// Its attributes from now on.
        entry: Entry,
    },
    /// A new place and new attributes for the entry, which must still have that version. What stands below it comes
    /// along; it must not be moved below itself.
    Move {
        /// The entry.
        uuid: Uuid,
        /// The version that was read.
        version: Version,
        /// Where it is to stand.
        place: Place,
        /// Its attributes from now on.
        entry: Entry,
    },
    /// No entry any more. It must still have that version, and nothing below it.
    Remove {
        /// The entry.
        uuid: Uuid,
        /// The version that was read.
        version: Version,
    },
    /// New credentials for the entry, whose credentials must still have that version.
    SetCredentials {
        /// The entry.
        uuid: Uuid,
        /// The version that was read, 0 if there were none.
        version: Version,
        /// The credentials from now on; empty for none.
        credentials: Entry,
    },
    /// Another schema, made of the one before by [`Schema::extended`]. Its condition is [`Condition::SchemaIs`].
    SetSchema(Arc<Schema>),
}

/// What the change log keeps: who changed what, in words that hold no secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogRecord {
    /// When.
    pub time: Timestamp,
    /// The name of whoever asked, and ` by ` and who has authenticated where that was somebody else; empty for anonymous.
    pub actor: String,
    /// The name of the entry, before the change.
    pub target: String,
    /// The identity of the entry.
    pub uuid: Uuid,
    /// `add`, `modify`, `delete` or `modrdn`.
    pub kind: LogKind,
    /// What was changed, as the lines of an LDIF change record; values of secret attributes are left out.
    pub changes: String,
}

/// A change that was made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LoggedChange {
    /// Its number; later ones have greater ones.
    pub sequence: u64,
    /// What it was.
    pub record: LogRecord,
}

/// What kind of change it was.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LogKind {
    /// An entry was added.
    Add,
    /// Attributes were changed.
    Modify,
    /// An entry was deleted.
    Delete,
    /// An entry was renamed or moved.
    ModifyDn,
}

impl LogKind {
    /// The word that LDIF has for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Modify => "modify",
            Self::Delete => "delete",
            Self::ModifyDn => "modrdn",
        }
    }
}

impl fmt::Display for LogKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A change that was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Committed {
    /// The version that everything it wrote has now.
    pub version: Version,
    /// The change sequence number that its entries carry now.
    pub csn: Csn,
}

/// A change that was not made.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// What was read has changed since; plan again.
    #[error("the entry was changed by somebody else at the same moment")]
    Conflict,
    /// So many changes wait that this one cannot.
    #[error("too many changes are waiting")]
    Busy,
    /// The change is larger than the store takes.
    #[error("the change is too large")]
    TooLarge,
    /// The store takes no more changes: it is shutting down, its disk is full, or it failed.
    #[error("the store takes no changes: {0}")]
    Unavailable(String),
}

/// A directory that can be read and changed.
pub trait Directory {
    /// What it is read through.
    type View: Tree;

    /// The directory as it is now.
    fn view(&self) -> Self::View;

    /// Makes the change; when this returns, it has happened for good.
    fn commit(&self, change: Change) -> Result<Committed, CommitError>;

    /// What has happened to passwords after the event of that number, oldest first, at most `limit` of it.
    fn events_after(&self, after: u64, limit: usize) -> Result<Vec<Recorded>, TreeError>;
}
