//! Extended operations: which there are, and their values.

mod account_state;
mod next_password;

use bytes::Bytes;

use super::ber::{self, Cursor};
use super::control::{self, ResponseControl};
use super::{MessageId, oid};
use crate::directory::wire;

pub use account_state::{AccountState, StateOperation};
pub use next_password::{Coming, Demands, Judged, MOST_SUGGESTIONS, Suggest};

/// The object identifiers that `supportedExtension` lists.
pub const SUPPORTED: &[&str] = &[
    oid::PASSWORD_MODIFY,
    oid::WHO_AM_I,
    oid::START_TLS,
    oid::CANCEL,
    oid::START_TRANSACTION,
    oid::END_TRANSACTION,
    oid::ACCOUNT_STATE,
    oid::ACCOUNT_STATE_OF_OPENDS,
    oid::PASSWORD_DEMANDS,
    oid::GENERATE_PASSWORD,
];

/// A request to change or reset a password (RFC 3062 §2.1). An absent password is not the same as an empty one.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct PasswordModify {
    /// Whose; absent, or empty, for that of whoever asks.
    pub user_identity: Option<Bytes>,
    /// The old one.
    pub old_passwd: Option<Bytes>,
    /// The new one; absent for one that the server makes.
    pub new_passwd: Option<Bytes>,
}

impl std::fmt::Debug for PasswordModify {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (old, new) = (self.old_passwd.is_some(), self.new_passwd.is_some());
        write!(f, "PasswordModify({:?}, old given: {old}, new given: {new})", self.user_identity)
    }
}

impl PasswordModify {
    /// Reads the value of a request. An absent value and an empty SEQUENCE mean the same: my own password, and make one.
    pub fn read(value: Option<&Bytes>) -> Result<Self, &'static str> {
        const MALFORMED: &str = "the value of the password modify request is malformed";
        let Some(value) = value else { return Ok(Self::default()) };
        ber::check(value, 4).map_err(|_| MALFORMED)?;
        let mut outer = Cursor::new(value, value);
        let mut fields = outer.enter(ber::SEQUENCE).ok_or(MALFORMED)?;
        let request = Self {
            // PHP sends an empty one where it means nobody in particular.
            user_identity: fields.take_octets(ber::context(0)).filter(|identity| !identity.is_empty()),
            old_passwd: fields.take_octets(ber::context(1)),
            new_passwd: fields.take_octets(ber::context(2)),
        };
        if fields.is_at_end() && outer.is_at_end() { Ok(request) } else { Err(MALFORMED) }
    }

    /// The value of the answer to a request for which the server made the password (RFC 3062 §2.2).
    pub fn generated(password: &[u8]) -> Vec<u8> {
        let mut fields = Vec::with_capacity(wire::element_len(password.len()));
        wire::put_element(&mut fields, ber::context(0), password);
        let mut value = Vec::with_capacity(wire::element_len(fields.len()));
        wire::put_element(&mut value, ber::SEQUENCE, &fields);
        value
    }
}

/// The message id that a cancel request is about (RFC 3909 §2.1).
pub fn cancelled(value: Option<&Bytes>) -> Option<MessageId> {
    let value = value?;
    ber::check(value, 2).ok()?;
    let mut fields = Cursor::new(value, value).enter(ber::SEQUENCE)?;
    let id = fields.take_integer(ber::INTEGER)?;
    fields.is_at_end().then_some(MessageId(id))
}

/// How a transaction is to end (RFC 5805 §2.3).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EndTransaction {
    /// Whether what it consists of is to be done.
    pub commit: bool,
    /// Which transaction.
    pub identifier: Bytes,
}

impl EndTransaction {
    /// Reads the value of a request.
    pub fn read(value: Option<&Bytes>) -> Result<Self, &'static str> {
        const MALFORMED: &str = "the value of the end transaction request is malformed";
        let value = value.ok_or(MALFORMED)?;
        ber::check(value, 3).map_err(|_| MALFORMED)?;
        let mut outer = Cursor::new(value, value);
        let mut fields = outer.enter(ber::SEQUENCE).ok_or(MALFORMED)?;
        let commit = match fields.peek() {
            Some(ber::BOOLEAN) => fields.take_boolean(ber::BOOLEAN).ok_or(MALFORMED)?,
            _ => true,
        };
        let identifier = fields.take_octets(ber::OCTET_STRING).ok_or(MALFORMED)?;
        if fields.is_at_end() && outer.is_at_end() { Ok(Self { commit, identifier }) } else { Err(MALFORMED) }
    }

    /// The request that an answer says was refused, if it says so.
    pub fn refused(value: Option<&[u8]>) -> Option<MessageId> {
        let value = Bytes::copy_from_slice(value?);
        let mut fields = Cursor::new(&value, &value).enter(ber::SEQUENCE)?;
        fields.take_integer(ber::INTEGER).map(MessageId)
    }

    /// The value of the answer: the request that was refused, if one was, and the controls that answers to the requests would
    /// carry; none if there is neither.
    pub fn answer(refused: Option<MessageId>, controls: &[(MessageId, Vec<ResponseControl>)]) -> Option<Vec<u8>> {
        let mut lists = Vec::new();
        for (id, controls) in controls.iter().filter(|(_, controls)| !controls.is_empty()) {
            let mut one = Vec::new();
            ber::put_integer(&mut one, ber::INTEGER, i64::from(id.0));
            wire::put_element(&mut one, ber::SEQUENCE, &control::content(controls));
            wire::put_element(&mut lists, ber::SEQUENCE, &one);
        }
        let mut fields = Vec::new();
        if let Some(id) = refused {
            ber::put_integer(&mut fields, ber::INTEGER, i64::from(id.0));
        }
        if !lists.is_empty() {
            wire::put_element(&mut fields, ber::SEQUENCE, &lists);
        }
        let mut value = Vec::new();
        wire::put_element(&mut value, ber::SEQUENCE, &fields);
        (!fields.is_empty()).then_some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(octets: &'static [u8]) -> Result<PasswordModify, &'static str> {
        PasswordModify::read(Some(&Bytes::from_static(octets)))
    }

    #[test]
    fn an_absent_value_and_an_empty_sequence_mean_my_own_and_make_one() {
        assert_eq!(PasswordModify::read(None), Ok(PasswordModify::default()));
        assert_eq!(read(b"\x30\x00"), Ok(PasswordModify::default()));
    }

    #[test]
    fn an_empty_identity_is_that_of_whoever_asks() {
        assert_eq!(read(b"\x30\x05\x80\x00\x82\x01a").unwrap().user_identity, None);
    }

    #[test]
    fn passwords_are_octets_and_may_be_empty() {
        let request = read(b"\x30\x0b\x80\x02me\x81\x01\xff\x82\x02\x00a").unwrap();
        assert_eq!(request.user_identity.as_deref(), Some(&b"me"[..]));
        assert_eq!(request.old_passwd.as_deref(), Some(&b"\xff"[..]));
        assert_eq!(request.new_passwd.as_deref(), Some(&b"\0a"[..]));
        assert_eq!(read(b"\x30\x02\x82\x00").unwrap().new_passwd.as_deref(), Some(&b""[..]));
    }

    #[test]
    fn unknown_fields_and_a_wrong_order_are_malformed() {
        for bad in [
            &b"\x30\x02\x83\x00"[..],
            b"\x30\x04\x82\x00\x81\x00",
            b"\x30\x04\x80\x00\x80\x00",
            b"\x04\x00",
            b"\x30\x00\x30\x00",
            b"\x30\x05\x80\x02m",
            b"",
        ] {
            assert!(read(bad).is_err(), "{bad:x?}");
        }
    }

    #[test]
    fn no_password_is_printed() {
        let request = read(b"\x30\x05\x82\x03abc").unwrap();
        assert!(!format!("{request:?}").contains("abc"));
    }

    #[test]
    fn the_made_password_is_sent_back() {
        assert_eq!(PasswordModify::generated(b"new"), b"\x30\x05\x80\x03new");
    }

    #[test]
    fn a_transaction_is_committed_unless_it_is_said_otherwise() {
        let read = |octets: &'static [u8]| EndTransaction::read(Some(&Bytes::from_static(octets)));
        let ended = |commit| Ok(EndTransaction { commit, identifier: Bytes::from_static(b"7") });
        assert_eq!(read(b"\x30\x03\x04\x017"), ended(true));
        assert_eq!(read(b"\x30\x06\x01\x01\xff\x04\x017"), ended(true));
        assert_eq!(read(b"\x30\x06\x01\x01\x00\x04\x017"), ended(false));
        for bad in [&b""[..], b"\x30\x00", b"\x04\x017", b"\x30\x03\x01\x01\xff", b"\x30\x05\x04\x017\x05\x00"] {
            assert!(read(bad).is_err(), "{bad:x?}");
        }
        assert!(EndTransaction::read(None).is_err());
    }

    #[test]
    fn the_end_of_a_transaction_tells_the_request_that_was_refused_and_the_controls_of_others() {
        let control = ResponseControl { oid: "1.2", value: Some(b"x".to_vec()) };
        assert_eq!(EndTransaction::answer(None, &[(MessageId(1), Vec::new())]), None);
        assert_eq!(EndTransaction::answer(Some(MessageId(5)), &[]).unwrap(), b"\x30\x03\x02\x01\x05");
        let with_controls = EndTransaction::answer(None, &[(MessageId(2), vec![control])]).unwrap();
        assert_eq!(with_controls, b"\x30\x13\x30\x11\x30\x0f\x02\x01\x02\x30\x0a\x30\x08\x04\x031.2\x04\x01x");
    }

    #[test]
    fn a_cancel_request_names_a_message() {
        assert_eq!(cancelled(Some(&Bytes::from_static(b"\x30\x03\x02\x01\x07"))), Some(MessageId(7)));
        assert_eq!(cancelled(None), None);
    }
}
