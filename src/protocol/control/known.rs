//! Every control that requests may carry.

use super::{
    Controls, Flag, RawControl, assertion, dereference, effective_rights, list_view, matched_values, paged_results,
    persistent_search, proxied_authorization, read_entry, reset, session_tracking, sort, sync, transaction,
};
use crate::protocol::request::ExtendedRequest;
use crate::protocol::{Request, ber, oid};

/// A control that requests may carry.
pub(super) struct Known {
    pub(super) oid: &'static str,
    /// Whether it has a meaning for a request.
    pub(super) fits: fn(&Request) -> bool,
    pub(super) meaning: Meaning,
}

/// What a control says.
pub(super) enum Meaning {
    /// All by being there, whatever its value is.
    Flag(Flag),
    /// Something that this notes, unless it is malformed.
    Value(fn(&mut Controls, &RawControl) -> Option<()>),
    /// The same, and it may stand several times.
    Values(fn(&mut Controls, &RawControl) -> Option<()>),
}

use Meaning::{Flag as Says, Value, Values};

const KNOWN: &[Known] = &[
    Known { oid: oid::PAGED_RESULTS, fits: searches, meaning: Value(paged_results::read) },
    Known { oid: oid::MANAGE_DSA_IT, fits: names_an_entry, meaning: Says(Flag::ManageDsaIt) },
    Known { oid: oid::PASSWORD_POLICY, fits: anything, meaning: Value(password_policy) },
    Known { oid: oid::EFFECTIVE_RIGHTS, fits: searches, meaning: Value(effective_rights::read) },
    Known { oid: oid::PROXIED_AUTHORIZATION, fits: is_done_as_somebody, meaning: Value(proxied_authorization::read) },
    Known { oid: oid::SUBENTRIES, fits: searches, meaning: Value(subentries) },
    Known { oid: oid::ASSERTION, fits: names_an_entry, meaning: Value(assertion::read) },
    Known { oid: oid::PRE_READ, fits: changes_an_entry, meaning: Value(read_entry::pre) },
    Known { oid: oid::POST_READ, fits: leaves_an_entry, meaning: Value(read_entry::post) },
    Known { oid: oid::PERMISSIVE_MODIFY, fits: modifies, meaning: Says(Flag::PermissiveModify) },
    Known { oid: oid::TREE_DELETE, fits: deletes, meaning: Says(Flag::TreeDelete) },
    Known { oid: oid::RELAX, fits: adds_or_modifies, meaning: Says(Flag::Relax) },
    Known { oid: oid::AUTHORIZATION_IDENTITY, fits: binds, meaning: Says(Flag::AuthorizationIdentity) },
    Known { oid: oid::DONT_USE_COPY, fits: asks, meaning: Says(Flag::DontUseCopy) },
    Known { oid: oid::SORT, fits: searches, meaning: Value(sort::read) },
    Known { oid: oid::LIST_VIEW, fits: searches, meaning: Value(list_view::read) },
    Known { oid: oid::MATCHED_VALUES, fits: searches, meaning: Value(matched_values::read) },
    Known { oid: oid::DEREFERENCE, fits: searches, meaning: Value(dereference::read) },
    Known { oid: oid::DOMAIN_SCOPE, fits: searches, meaning: Says(Flag::DomainScope) },
    Known { oid: oid::SEARCH_OPTIONS, fits: searches, meaning: Value(search_options) },
    Known { oid: oid::REAL_ATTRIBUTES_ONLY, fits: searches, meaning: Says(Flag::RealAttributesOnly) },
    Known { oid: oid::VIRTUAL_ATTRIBUTES_ONLY, fits: searches, meaning: Says(Flag::VirtualAttributesOnly) },
    Known { oid: oid::PERSISTENT_SEARCH, fits: searches, meaning: Value(persistent_search::read) },
    Known { oid: oid::SYNC_REQUEST, fits: searches, meaning: Value(sync::read) },
    Known { oid: oid::SESSION_TRACKING, fits: anything, meaning: Values(session_tracking::read) },
    Known { oid: oid::ACCOUNT_USABILITY, fits: searches, meaning: Says(Flag::AccountUsability) },
    Known { oid: oid::NO_OP, fits: changes_something, meaning: Says(Flag::NoOp) },
    Known { oid: oid::NO_OP_OF_OPENLDAP, fits: changes_something, meaning: Says(Flag::NoOp) },
    Known { oid: oid::TRANSACTION, fits: changes_something, meaning: Value(transaction::read) },
    Known { oid: oid::PASSWORD_REASON, fits: sets_a_password_or_state, meaning: Value(reset::reason) },
    Known { oid: oid::RESET_OPTIONS, fits: resets_a_password, meaning: Value(reset::options) },
];

/// The control of that name.
pub(super) fn find(oid: &[u8]) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.oid.as_bytes() == oid)
}

/// The object identifiers that `supportedControl` lists.
pub fn supported() -> impl Iterator<Item = &'static str> {
    KNOWN.iter().map(|known| known.oid)
}

const fn searches(request: &Request) -> bool {
    matches!(request, Request::Search(_))
}

const fn anything(_: &Request) -> bool {
    true
}

const fn binds(request: &Request) -> bool {
    matches!(request, Request::Bind(_))
}

const fn asks(request: &Request) -> bool {
    matches!(request, Request::Search(_) | Request::Compare(_))
}

const fn names_an_entry(request: &Request) -> bool {
    asks(request) || updates(request)
}

const fn modifies(request: &Request) -> bool {
    matches!(request, Request::Modify(_))
}

const fn deletes(request: &Request) -> bool {
    matches!(request, Request::Delete(_))
}

const fn adds_or_modifies(request: &Request) -> bool {
    matches!(request, Request::Add(_) | Request::Modify(_))
}

/// There is an entry before.
const fn changes_an_entry(request: &Request) -> bool {
    matches!(request, Request::Modify(_) | Request::Delete(_) | Request::ModifyDn(_))
}

/// There is an entry afterwards.
const fn leaves_an_entry(request: &Request) -> bool {
    matches!(request, Request::Add(_) | Request::Modify(_) | Request::ModifyDn(_))
}

const fn updates(request: &Request) -> bool {
    matches!(request, Request::Modify(_) | Request::Add(_) | Request::Delete(_) | Request::ModifyDn(_))
}

/// Whether it is done as somebody.
const fn is_done_as_somebody(request: &Request) -> bool {
    !matches!(request, Request::Bind(_))
}

fn changes_something(request: &Request) -> bool {
    updates(request) || sets_a_password(request) || is_about_state(request)
}

fn sets_a_password(request: &Request) -> bool {
    matches!(request, Request::Extended(ExtendedRequest { name, .. }) if name == oid::PASSWORD_MODIFY)
}

fn sets_a_password_or_state(request: &Request) -> bool {
    matches!(request, Request::Modify(_) | Request::Add(_)) || sets_a_password(request) || is_about_state(request)
}

fn is_about_state(request: &Request) -> bool {
    matches!(request, Request::Extended(ExtendedRequest { name, .. }) if oid::is_about_account_state(name))
}

fn resets_a_password(request: &Request) -> bool {
    matches!(request, Request::Modify(modify) if modify.is_about_password()) || sets_a_password(request)
}

/// Draft-behera §6.1: with any request; the answer to each may be that the password must be changed first.
/// "There is no controlValue" (draft-behera §6.1); as for OpenLDAP, one is malformed, whatever it is.
fn password_policy(controls: &mut Controls, control: &RawControl) -> Option<()> {
    controls.password_policy = true;
    control.value.is_none().then_some(())
}

/// MS-ADTS 3.1.1.3.4.1.12: no references (1), and all suffixes as one tree (2), which they are from the empty base.
fn search_options(controls: &mut Controls, control: &RawControl) -> Option<()> {
    let options = control.elements(2)?.enter(ber::SEQUENCE)?.take_integer(ber::INTEGER)?;
    if options & 1 != 0 {
        controls.flags.add(Flag::DomainScope);
    }
    Some(())
}

fn subentries(controls: &mut Controls, control: &RawControl) -> Option<()> {
    controls.subentries = Some(control.elements(1)?.take_boolean(ber::BOOLEAN)?);
    Some(())
}
