//! Controls (RFC 4511 §4.1.11): as they come, what they mean for an operation, and those that answers carry.
//!
//! [`Controls`] is what those of a request ask for; `known` lists all that there are, and what they fit. What one control
//! has in its value, and what answers to it, stands in a file of its own.

mod account_usability;
mod assertion;
mod authorization_identity;
mod dereference;
mod effective_rights;
mod flag;
mod known;
mod list_view;
mod matched_values;
mod netscape;
mod paged_results;
mod password_policy;
mod persistent_search;
mod proxied_authorization;
mod rare;
mod read_entry;
mod request;
mod reset;
mod session_tracking;
mod sort;
mod sync;
mod transaction;

use bytes::Bytes;

use super::ber::{self, Cursor};
use crate::directory::wire;

pub use account_usability::{AccountUsability, Reasons};
pub use authorization_identity::authorization_identity_response;
pub use dereference::{DerefSpec, Dereferenced, dereference_response};
pub use effective_rights::EffectiveRights;
pub use flag::{Flag, Flags};
pub use known::supported;
pub use list_view::{ListView, ViewTarget, list_view_response};
pub use netscape::NetscapeControl;
pub use paged_results::{PagedResults, paged_results_response};
pub use password_policy::{PasswordPolicyResponse, PasswordWarning};
pub use persistent_search::{EntryChange, PersistentSearch};
pub use proxied_authorization::ProxiedAuthorization;
pub use rare::Rare;
pub use read_entry::read_entry_response;
pub use request::{ControlError, Controls};
pub use reset::{GivenOut, ResetOptions, ResetWishes, Skipped, WordFault};
pub use session_tracking::TrackedSession;
pub use sort::{MOST_KEYS, SortKey, SortRequest, sort_response};
pub use sync::{SyncInfo, SyncMode, SyncRequest, SyncState, sync_done, sync_state};
pub use transaction::TransactionSpecification;

/// A control as it came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RawControl {
    /// Its object identifier, as text.
    pub oid: Bytes,
    /// Whether the operation must not be done without it.
    pub critical: bool,
    /// What belongs to it.
    pub value: Option<Bytes>,
}

/// A control of an answer. None of ours is critical.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ResponseControl {
    /// Its object identifier.
    pub oid: &'static str,
    /// What belongs to it.
    pub value: Option<Vec<u8>>,
}

impl RawControl {
    /// The elements of its value, which must have one and no more than `limit`.
    fn elements(&self, limit: usize) -> Option<Cursor<'_>> {
        let value = self.value.as_ref()?;
        ber::check(value, limit).ok()?;
        Some(Cursor::new(value, value))
    }
}

fn sequence(fields: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(wire::element_len(fields.len()));
    wire::put_element(&mut out, ber::SEQUENCE, fields);
    out
}

/// Decodes the controls of a message.
pub(super) fn decode_all(mut list: Cursor<'_>) -> Result<Vec<RawControl>, &'static str> {
    let mut controls = Vec::new();
    while !list.is_at_end() {
        controls.push(decode(&mut list).ok_or("a control is malformed")?);
    }
    Ok(controls)
}

fn decode(list: &mut Cursor<'_>) -> Option<RawControl> {
    let mut fields = list.enter(ber::SEQUENCE)?;
    let oid = fields.take_octets(ber::OCTET_STRING)?;
    let critical = match fields.peek() {
        Some(ber::BOOLEAN) => fields.take_boolean(ber::BOOLEAN)?,
        _ => false,
    };
    let value = match fields.peek() {
        Some(ber::OCTET_STRING) => Some(fields.take_octets(ber::OCTET_STRING)?),
        _ => None,
    };
    fields.is_at_end().then_some(RawControl { oid, critical, value })
}

/// Appends the controls of an answer.
pub(super) fn put_all(out: &mut Vec<u8>, controls: &[ResponseControl]) {
    if !controls.is_empty() {
        wire::put_element(out, ber::context_constructed(0), &content(controls));
    }
}

/// Controls of an answer one after another, as they stand in a list.
pub(super) fn content(controls: &[ResponseControl]) -> Vec<u8> {
    let mut list = Vec::new();
    for control in controls {
        let mut fields = Vec::new();
        wire::put_element(&mut fields, ber::OCTET_STRING, control.oid.as_bytes());
        if let Some(value) = &control.value {
            wire::put_element(&mut fields, ber::OCTET_STRING, value);
        }
        wire::put_element(&mut list, ber::SEQUENCE, &fields);
    }
    list
}
