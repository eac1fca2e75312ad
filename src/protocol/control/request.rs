//! What the controls of a request ask for.

use smallvec::SmallVec;

use super::RawControl;
use super::paged_results::{self, PagedResults};
use crate::protocol::{Operation, ber, oid};

/// What the controls of a request ask for. Every request has one, so it is small.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Controls {
    /// Paged results (RFC 2696).
    pub paged: Option<PagedResults>,
    /// Referrals and aliases are to be treated as plain entries (RFC 3296).
    pub manage_dsa_it: bool,
    /// The answer is to carry the state of the password (draft-behera §6.1).
    pub password_policy: bool,
    /// Only subentries, or (if false) none, are wanted (RFC 3672 §3).
    pub subentries: Option<bool>,
}

/// Controls that make the request impossible.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ControlError {
    /// A critical control is unknown or has no meaning for the operation (RFC 4511 §4.1.11).
    #[error("the critical control {0} is not available for this operation")]
    Unavailable(String),
    /// The value of a known control is malformed.
    #[error("the value of the control {0} is malformed")]
    Malformed(&'static str),
    /// A control stands twice.
    #[error("the control {0} stands twice")]
    Repeated(&'static str),
}

/// A control that requests may carry.
struct Known {
    oid: &'static str,
    /// The operations that it has a meaning for.
    operations: &'static [Operation],
    /// Notes what it asks for; `None` if it is malformed.
    read: fn(&mut Controls, &RawControl) -> Option<()>,
}

/// Every control that requests may carry.
const KNOWN: &[Known] = &[
    Known { oid: oid::PAGED_RESULTS, operations: &[Operation::Search], read: paged_results::read },
    Known { oid: oid::MANAGE_DSA_IT, operations: ABOUT_ENTRIES, read: manage_dsa_it },
    Known { oid: oid::PASSWORD_POLICY, operations: ABOUT_PASSWORDS, read: password_policy },
    Known { oid: oid::SUBENTRIES, operations: &[Operation::Search], read: subentries },
];

/// The operations that name an entry.
const ABOUT_ENTRIES: &[Operation] =
    &[Operation::Search, Operation::Modify, Operation::Add, Operation::Delete, Operation::ModifyDn, Operation::Compare];

/// The operations that a password may be part of.
const ABOUT_PASSWORDS: &[Operation] =
    &[Operation::Bind, Operation::Modify, Operation::Add, Operation::Compare, Operation::Extended];

/// The object identifiers that `supportedControl` lists.
pub fn supported() -> impl Iterator<Item = &'static str> {
    KNOWN.iter().map(|known| known.oid)
}

impl Controls {
    /// Finds out what the controls of a request ask for.
    pub fn read(raw: &[RawControl], operation: Operation) -> Result<Self, ControlError> {
        let mut controls = Self::default();
        let mut seen: SmallVec<[&'static str; 4]> = SmallVec::new();
        for control in raw {
            let known = KNOWN.iter().find(|known| known.oid.as_bytes() == control.oid);
            let Some(known) = known.filter(|known| known.operations.contains(&operation)) else {
                if control.critical {
                    let oid = String::from_utf8_lossy(&control.oid).into_owned();
                    return Err(ControlError::Unavailable(oid));
                }
                continue;
            };
            if seen.contains(&known.oid) {
                return Err(ControlError::Repeated(known.oid));
            }
            seen.push(known.oid);
            (known.read)(&mut controls, control).ok_or(ControlError::Malformed(known.oid))?;
        }
        Ok(controls)
    }
}

#[expect(clippy::unnecessary_wraps, reason = "as every reader of a control")]
fn manage_dsa_it(controls: &mut Controls, _: &RawControl) -> Option<()> {
    controls.manage_dsa_it = true;
    Some(())
}

#[expect(clippy::unnecessary_wraps, reason = "as every reader of a control")]
fn password_policy(controls: &mut Controls, _: &RawControl) -> Option<()> {
    controls.password_policy = true;
    Some(())
}

fn subentries(controls: &mut Controls, control: &RawControl) -> Option<()> {
    let mut value = control.elements(1)?;
    controls.subentries = Some(value.take_boolean(ber::BOOLEAN)?);
    Some(())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn raw(oid: &'static str, value: Option<&'static [u8]>) -> RawControl {
        RawControl { oid: oid.into(), critical: false, value: value.map(Bytes::from_static) }
    }

    fn critical(control: RawControl) -> RawControl {
        RawControl { critical: true, ..control }
    }

    #[test]
    fn an_unknown_control_is_ignored_unless_it_is_critical() {
        let read = |control| Controls::read(&[control], Operation::Search);
        assert_eq!(read(raw("1.2.3", None)), Ok(Controls::default()));
        assert_eq!(read(critical(raw("1.2.3", None))), Err(ControlError::Unavailable("1.2.3".into())));
    }

    #[test]
    fn a_known_control_that_does_not_fit_the_operation_is_treated_as_unknown() {
        let paged = raw(oid::PAGED_RESULTS, Some(b"\x30\x05\x02\x01\x05\x04\x00"));
        assert_eq!(Controls::read(std::slice::from_ref(&paged), Operation::Delete), Ok(Controls::default()));
        assert!(matches!(Controls::read(&[critical(paged)], Operation::Delete), Err(ControlError::Unavailable(_))));
    }

    #[test]
    fn malformed_and_repeated_controls_are_told() {
        for bad in [None, Some(&b""[..]), Some(b"\x30\x00"), Some(b"\x30\x05\x02\x01\xff\x04\x00"), Some(b"\x30\x80")] {
            let read = Controls::read(&[raw(oid::PAGED_RESULTS, bad)], Operation::Search);
            assert_eq!(read, Err(ControlError::Malformed(oid::PAGED_RESULTS)), "{bad:x?}");
        }
        let twice = [raw(oid::MANAGE_DSA_IT, None), critical(raw(oid::MANAGE_DSA_IT, None))];
        assert_eq!(Controls::read(&twice, Operation::Modify), Err(ControlError::Repeated(oid::MANAGE_DSA_IT)));
    }
}
