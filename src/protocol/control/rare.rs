//! What few requests ask for.

use bytes::Bytes;

use super::{
    Controls, DerefSpec, EffectiveRights, ListView, PersistentSearch, ResetWishes, SortRequest, SyncMode, SyncRequest,
    TrackedSession, TransactionSpecification,
};
use crate::directory::Filter;

/// What few requests ask for, kept apart so that [`Controls`] is small.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Rare {
    /// What must be true of the target, else nothing is done (RFC 4528).
    pub assertion: Option<Filter>,
    /// What of the entry is to be read before the change (RFC 4527 §3.1): the list of a search.
    pub pre_read: Option<Vec<Bytes>>,
    /// What of the entry is to be read after the change (RFC 4527 §3.2).
    pub post_read: Option<Vec<Bytes>>,
    /// It is to be told what somebody may do with what is found.
    pub effective_rights: Option<EffectiveRights>,
    /// Which sessions elsewhere the request belongs to (draft-wahl-ldap-session).
    pub sessions: Vec<TrackedSession>,
    /// Results are wanted in an order (RFC 2891).
    pub sort: Option<SortRequest>,
    /// A part of a sorted list is wanted (draft-ietf-ldapext-ldapv3-vlv).
    pub list_view: Option<ListView>,
    /// Only values that one of these is true of are wanted (RFC 3876).
    pub matched_values: Option<Vec<Filter>>,
    /// Names to be followed (draft-masarati-ldap-deref).
    pub dereference: Vec<DerefSpec>,
    /// Changes are to be told of as they happen (draft-ietf-ldapext-psearch).
    pub persistent: Option<PersistentSearch>,
    /// A copy is to be brought up to date (RFC 4533).
    pub sync: Option<SyncRequest>,
    /// What is said beside a new password.
    pub reset: Option<ResetWishes>,
    /// The request is part of a transaction (RFC 5805).
    pub transaction: Option<TransactionSpecification>,
}

static NOTHING: Rare = Rare {
    assertion: None,
    pre_read: None,
    post_read: None,
    effective_rights: None,
    sessions: Vec::new(),
    sort: None,
    list_view: None,
    matched_values: None,
    dereference: Vec::new(),
    persistent: None,
    sync: None,
    reset: None,
    transaction: None,
};

impl Rare {
    /// Whether a search goes on to tell of changes.
    pub fn persists(&self) -> bool {
        self.persistent.is_some() || self.sync.as_ref().is_some_and(|sync| sync.mode == SyncMode::RefreshAndPersist)
    }
}

impl Controls {
    /// What is rarely asked for.
    pub fn rare(&self) -> &Rare {
        self.rare.as_deref().unwrap_or(&NOTHING)
    }

    /// The same, to be noted.
    pub(super) fn rare_mut(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }
}
