//! Controls (RFC 4511 §4.1.11): as they come, what they mean for an operation, and those that answers carry.

use bytes::Bytes;

use super::ber::{self, Cursor};
use super::{Operation, oid};
use crate::directory::wire;

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

/// What the controls of a request ask for.
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

/// One page of results is wanted (RFC 2696).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PagedResults {
    /// How many entries; 0 ends the sequence if there is a cookie.
    pub size: u32,
    /// Empty for the first page, then what came with the one before.
    pub cookie: Bytes,
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

/// Every control that requests may carry, and the operations that it has a meaning for.
const SUPPORTED: &[(&str, &[Operation])] = &[
    (oid::PAGED_RESULTS, &[Operation::Search]),
    (
        oid::MANAGE_DSA_IT,
        &[
            Operation::Search,
            Operation::Modify,
            Operation::Add,
            Operation::Delete,
            Operation::ModifyDn,
            Operation::Compare,
        ],
    ),
    (
        oid::PASSWORD_POLICY,
        &[Operation::Bind, Operation::Modify, Operation::Add, Operation::Compare, Operation::Extended],
    ),
    (oid::SUBENTRIES, &[Operation::Search]),
];

/// The object identifiers that `supportedControl` lists.
pub fn supported() -> impl Iterator<Item = &'static str> {
    SUPPORTED.iter().map(|(oid, _)| *oid)
}

impl Controls {
    /// Finds out what the controls of a request ask for.
    pub fn read(raw: &[RawControl], operation: Operation) -> Result<Self, ControlError> {
        let mut controls = Self::default();
        let mut seen: Vec<&'static str> = Vec::new();
        for control in raw {
            let known = SUPPORTED.iter().find(|(oid, _)| oid.as_bytes() == control.oid);
            let Some((oid, _)) = known.filter(|(_, operations)| operations.contains(&operation)) else {
                if control.critical {
                    let oid = String::from_utf8_lossy(&control.oid).into_owned();
                    return Err(ControlError::Unavailable(oid));
                }
                continue;
            };
            if seen.contains(oid) {
                return Err(ControlError::Repeated(oid));
            }
            seen.push(oid);
            controls.add(oid, control).ok_or(ControlError::Malformed(oid))?;
        }
        Ok(controls)
    }

    fn add(&mut self, oid: &str, control: &RawControl) -> Option<()> {
        match oid {
            oid::PAGED_RESULTS => self.paged = Some(paged_results(control.value.as_ref()?)?),
            oid::MANAGE_DSA_IT => self.manage_dsa_it = true,
            oid::PASSWORD_POLICY => self.password_policy = true,
            oid::SUBENTRIES => {
                let value = control.value.as_ref()?;
                self.subentries = Some(Cursor::new(value, value).take_boolean(ber::BOOLEAN)?);
            }
            _ => {}
        }
        Some(())
    }
}

fn paged_results(value: &Bytes) -> Option<PagedResults> {
    ber::check(value, 3).ok()?;
    let mut fields = Cursor::new(value, value).enter(ber::SEQUENCE)?;
    let size = u32::try_from(fields.take_integer(ber::INTEGER)?).ok()?;
    let cookie = fields.take_octets(ber::OCTET_STRING)?;
    Some(PagedResults { size, cookie })
}

/// The control that comes with each page: the estimate 0, which says nothing, and the cookie for the next page, empty
/// with the last one.
pub fn paged_results_response(cookie: &[u8]) -> ResponseControl {
    let mut fields = Vec::new();
    ber::put_integer(&mut fields, ber::INTEGER, 0);
    wire::put_element(&mut fields, ber::OCTET_STRING, cookie);
    ResponseControl { oid: oid::PAGED_RESULTS, value: Some(sequence(&fields)) }
}

/// The state of a password, for the password policy response control (draft-behera §6.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PasswordPolicyResponse {
    /// What the client should tell.
    pub warning: Option<PasswordWarning>,
    /// What went wrong, by its number.
    pub error: Option<u8>,
}

/// What a client should tell the user.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PasswordWarning {
    /// Seconds until the password expires.
    TimeBeforeExpiration(u32),
    /// How many binds with the expired password are left.
    GraceAuthNsRemaining(u32),
}

impl PasswordPolicyResponse {
    /// The control.
    pub fn to_control(self) -> ResponseControl {
        let mut fields = Vec::new();
        if let Some(warning) = self.warning {
            let (number, value) = match warning {
                PasswordWarning::TimeBeforeExpiration(seconds) => (0, seconds),
                PasswordWarning::GraceAuthNsRemaining(binds) => (1, binds),
            };
            let mut choice = Vec::new();
            ber::put_integer(&mut choice, ber::context(number), i64::from(value));
            wire::put_element(&mut fields, ber::context_constructed(0), &choice);
        }
        if let Some(error) = self.error {
            ber::put_integer(&mut fields, ber::context(1), i64::from(error));
        }
        ResponseControl { oid: oid::PASSWORD_POLICY, value: Some(sequence(&fields)) }
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
    if controls.is_empty() {
        return;
    }
    let mut list = Vec::new();
    for control in controls {
        let mut fields = Vec::new();
        wire::put_element(&mut fields, ber::OCTET_STRING, control.oid.as_bytes());
        if let Some(value) = &control.value {
            wire::put_element(&mut fields, ber::OCTET_STRING, value);
        }
        wire::put_element(&mut list, ber::SEQUENCE, &fields);
    }
    wire::put_element(out, ber::context_constructed(0), &list);
}

#[cfg(test)]
mod tests {
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
    fn paged_results_are_read_and_answered() {
        let controls = [raw(oid::PAGED_RESULTS, Some(b"\x30\x08\x02\x02\x01\xf4\x04\x02ab"))];
        let read = Controls::read(&controls, Operation::Search).unwrap();
        assert_eq!(read.paged, Some(PagedResults { size: 500, cookie: "ab".into() }));
        let answer = paged_results_response(b"ab").value.unwrap();
        assert_eq!(answer, b"\x30\x07\x02\x01\x00\x04\x02ab");
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

    #[test]
    fn the_password_policy_response_has_context_tags() {
        let octets = |response: PasswordPolicyResponse| response.to_control().value.unwrap();
        let short = PasswordPolicyResponse { warning: None, error: Some(6) };
        assert_eq!(octets(short), b"\x30\x03\x81\x01\x06");
        let expiring =
            PasswordPolicyResponse { warning: Some(PasswordWarning::TimeBeforeExpiration(432_000)), error: None };
        assert_eq!(octets(expiring), b"\x30\x07\xa0\x05\x80\x03\x06\x97\x80");
        let grace = PasswordPolicyResponse { warning: Some(PasswordWarning::GraceAuthNsRemaining(0)), error: None };
        assert_eq!(octets(grace), b"\x30\x05\xa0\x03\x81\x01\x00");
        assert_eq!(octets(PasswordPolicyResponse::default()), b"\x30\x00");
    }
}
