//! Every control that requests may carry.

use super::{Controls, Flag, RawControl, paged_results, proxied_authorization};
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
}

use Meaning::{Flag as Says, Value};

const KNOWN: &[Known] = &[
    Known { oid: oid::PAGED_RESULTS, fits: searches, meaning: Value(paged_results::read) },
    Known { oid: oid::MANAGE_DSA_IT, fits: names_an_entry, meaning: Says(Flag::ManageDsaIt) },
    Known { oid: oid::PASSWORD_POLICY, fits: may_hold_a_password, meaning: Value(password_policy) },
    Known { oid: oid::PROXIED_AUTHORIZATION, fits: is_no_bind, meaning: Value(proxied_authorization::read) },
    Known { oid: oid::SUBENTRIES, fits: searches, meaning: Value(subentries) },
    Known { oid: oid::NO_OP, fits: changes_something, meaning: Says(Flag::NoOp) },
    Known { oid: oid::NO_OP_OF_OPENLDAP, fits: changes_something, meaning: Says(Flag::NoOp) },
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

const fn names_an_entry(request: &Request) -> bool {
    matches!(request, Request::Search(_) | Request::Compare(_)) || updates(request)
}

const fn updates(request: &Request) -> bool {
    matches!(request, Request::Modify(_) | Request::Add(_) | Request::Delete(_) | Request::ModifyDn(_))
}

/// Whether it is done as whoever has authenticated.
const fn is_no_bind(request: &Request) -> bool {
    !matches!(request, Request::Bind(_))
}

fn changes_something(request: &Request) -> bool {
    updates(request) || sets_a_password(request)
}

fn sets_a_password(request: &Request) -> bool {
    matches!(request, Request::Extended(ExtendedRequest { name, .. }) if name == oid::PASSWORD_MODIFY)
}

fn may_hold_a_password(request: &Request) -> bool {
    matches!(request, Request::Bind(_) | Request::Modify(_) | Request::Add(_) | Request::Compare(_))
        || sets_a_password(request)
}

#[expect(clippy::unnecessary_wraps, reason = "as every reader of a control")]
const fn password_policy(controls: &mut Controls, _: &RawControl) -> Option<()> {
    controls.password_policy = true;
    Some(())
}

fn subentries(controls: &mut Controls, control: &RawControl) -> Option<()> {
    controls.subentries = Some(control.elements(1)?.take_boolean(ber::BOOLEAN)?);
    Some(())
}
