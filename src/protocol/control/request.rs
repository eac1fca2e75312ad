//! What the controls of a request ask for.

use smallvec::SmallVec;

use super::known::{self, Meaning};
use super::{Flags, PagedResults, ProxiedAuthorization, Rare, RawControl, WordFault, reset};
use crate::protocol::{Request, oid};

/// What the controls of a request ask for. Every request has one, so it is small.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Controls {
    /// Controls that say all by being there.
    pub flags: Flags,
    /// The answer is to carry the state of the password (draft-behera §6.1).
    pub password_policy: bool,
    /// The request is to be done as somebody else (RFC 4370).
    pub proxied: Option<Box<ProxiedAuthorization>>,
    /// Only subentries, or (if false) none, are wanted (RFC 3672 §3).
    pub subentries: Option<bool>,
    /// Paged results (RFC 2696).
    pub paged: Option<PagedResults>,
    /// The rest; see [`Controls::rare`].
    pub rare: Option<Box<Rare>>,
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
    /// A word in the value of a known control cannot be taken.
    #[error("the value of the control {control} is malformed: {word:?} {fault}")]
    Word {
        /// Its OID.
        control: &'static str,
        /// The word, or its beginning.
        word: String,
        /// Why not.
        fault: WordFault,
    },
    /// A control stands twice.
    #[error("the control {0} stands twice")]
    Repeated(&'static str),
}

/// What is wrong with the value of a control, as far as it can be named.
fn malformed(oid: &'static str, control: &RawControl) -> ControlError {
    match (oid == oid::RESET_OPTIONS).then(|| reset::unfit_word(control)).flatten() {
        Some((word, fault)) => ControlError::Word { control: oid, word, fault },
        None => ControlError::Malformed(oid),
    }
}

impl Controls {
    /// Finds out what the controls of a request ask for.
    pub fn read(raw: &[RawControl], request: &Request) -> Result<Self, ControlError> {
        let mut controls = Self::default();
        let mut seen: SmallVec<[&'static str; 4]> = SmallVec::new();
        for control in raw {
            let Some(known) = known::find(&control.oid).filter(|known| (known.fits)(request)) else {
                if control.critical {
                    let oid = String::from_utf8_lossy(&control.oid).into_owned();
                    return Err(ControlError::Unavailable(oid));
                }
                continue;
            };
            if seen.contains(&known.oid) && !matches!(known.meaning, Meaning::Values(_)) {
                return Err(ControlError::Repeated(known.oid));
            }
            seen.push(known.oid);
            match known.meaning {
                Meaning::Flag(flag) => controls.flags.add(flag),
                Meaning::Value(read) | Meaning::Values(read) => {
                    read(&mut controls, control).ok_or_else(|| malformed(known.oid, control))?;
                }
            }
        }
        Ok(controls)
    }

    /// Whether they ask the same of a page of a search as others (RFC 2696 §3): but for which page that is, and for what
    /// changes no page, they must.
    pub fn ask_the_same_of_pages(&self, other: &Self) -> bool {
        let of_pages = |controls: &Self| {
            let rare = Rare { sessions: Vec::new(), ..controls.rare().clone() };
            (controls.flags, controls.subentries, rare)
        };
        of_pages(self) == of_pages(other)
    }
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use bytes::Bytes;

    use super::*;
    use crate::protocol::control::Flag;
    use crate::protocol::request::ExtendedRequest;

    fn delete() -> Request {
        Request::Delete("cn=a".into())
    }

    fn search() -> Request {
        crate::protocol::request::tests::sample_search()
    }

    fn extended(name: &'static str) -> Request {
        Request::Extended(ExtendedRequest { name: name.into(), value: None })
    }

    fn raw(oid: &'static str, value: Option<&'static [u8]>) -> RawControl {
        RawControl { oid: oid.into(), critical: false, value: value.map(Bytes::from_static) }
    }

    fn critical(control: RawControl) -> RawControl {
        RawControl { critical: true, ..control }
    }

    #[test]
    fn an_unknown_control_is_ignored_unless_it_is_critical() {
        let read = |control| Controls::read(&[control], &delete());
        assert_eq!(read(raw("1.2.3", None)), Ok(Controls::default()));
        assert_eq!(read(critical(raw("1.2.3", None))), Err(ControlError::Unavailable("1.2.3".into())));
    }

    #[test]
    fn a_known_control_that_does_not_fit_the_operation_is_treated_as_unknown() {
        let paged = raw(oid::PAGED_RESULTS, Some(b"\x30\x05\x02\x01\x05\x04\x00"));
        assert_eq!(Controls::read(from_ref(&paged), &delete()), Ok(Controls::default()));
        assert!(matches!(Controls::read(&[critical(paged)], &delete()), Err(ControlError::Unavailable(_))));
    }

    #[test]
    fn malformed_and_repeated_controls_are_told() {
        for bad in [None, Some(&b""[..]), Some(b"\x30\x00"), Some(b"\x30\x05\x02\x01\xff\x04\x00"), Some(b"\x30\x80")] {
            let read = Controls::read(&[raw(oid::PAGED_RESULTS, bad)], &search());
            assert_eq!(read, Err(ControlError::Malformed(oid::PAGED_RESULTS)), "{bad:x?}");
        }
        let twice = [raw(oid::MANAGE_DSA_IT, None), critical(raw(oid::MANAGE_DSA_IT, None))];
        assert_eq!(Controls::read(&twice, &delete()), Err(ControlError::Repeated(oid::MANAGE_DSA_IT)));
    }

    #[test]
    fn pages_of_a_search_are_asked_for_with_the_same_controls() {
        let page = |cookie: &'static [u8], more: &[RawControl]| {
            let mut controls = more.to_vec();
            controls.push(raw(oid::PAGED_RESULTS, Some(cookie)));
            Controls::read(&controls, &search()).unwrap()
        };
        let (first, second) = (b"\x30\x05\x02\x01\x05\x04\x00", b"\x30\x06\x02\x01\x06\x04\x01\x01");
        let manage = raw(oid::MANAGE_DSA_IT, None);
        let subentries = raw(oid::SUBENTRIES, Some(b"\x01\x01\xff"));
        assert!(page(first, &[]).ask_the_same_of_pages(&page(second, &[])));
        assert!(page(first, from_ref(&manage)).ask_the_same_of_pages(&page(second, from_ref(&manage))));
        for other in [manage, subentries] {
            assert!(!page(first, &[]).ask_the_same_of_pages(&page(second, &[other])));
        }
    }

    #[test]
    fn a_control_may_fit_one_extended_operation_and_not_another() {
        let no_op = [critical(raw(oid::NO_OP, None))];
        assert!(Controls::read(&no_op, &extended(oid::PASSWORD_MODIFY)).unwrap().flags.has(Flag::NoOp));
        assert!(matches!(Controls::read(&no_op, &extended(oid::WHO_AM_I)), Err(ControlError::Unavailable(_))));
    }
}
