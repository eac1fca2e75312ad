//! The state of an account, read and written by one operation: "manage account" of `OpenDS` and its descendants, and "password
//! policy state" of `UnboundID`, which has the same form and numbers.
//!
//! ```text
//! SEQUENCE { targetUser LDAPDN, operations SEQUENCE OF SEQUENCE { opType ENUMERATED, opValues SEQUENCE OF OCTET STRING OPTIONAL } OPTIONAL }
//! ```

use bytes::Bytes;

use crate::directory::wire;
use crate::protocol::ber::{self, Cursor};

/// A request about the state of an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountState {
    /// Whose.
    pub user: Bytes,
    /// What is asked for or to be set; if there is nothing, all is asked for.
    pub operations: Vec<StateOperation>,
}

/// One thing that is asked for or set.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StateOperation {
    /// Which.
    pub number: i32,
    /// With which values.
    pub values: Vec<Bytes>,
}

/// More elements no request needs.
const MOST_ELEMENTS: usize = 1000;

impl AccountState {
    /// Reads the value of a request.
    pub fn read(value: Option<&Bytes>) -> Result<Self, &'static str> {
        const MALFORMED: &str = "the value of the account state request is malformed";
        let value = value.ok_or(MALFORMED)?;
        ber::check(value, MOST_ELEMENTS).map_err(|_| MALFORMED)?;
        let mut outer = Cursor::new(value, value);
        let mut fields = outer.enter(ber::SEQUENCE).ok_or(MALFORMED)?;
        let user = fields.take_octets(ber::OCTET_STRING).ok_or(MALFORMED)?;
        let mut operations = Vec::new();
        if let Some(mut list) = fields.enter(ber::SEQUENCE) {
            while !list.is_at_end() {
                let one = list.enter(ber::SEQUENCE).ok_or(MALFORMED)?;
                operations.push(StateOperation::read(one).ok_or(MALFORMED)?);
            }
        }
        if fields.is_at_end() && outer.is_at_end() { Ok(Self { user, operations }) } else { Err(MALFORMED) }
    }

    /// The value of the answer: what is told of whom.
    pub fn answer(user: &str, told: &[(i32, Vec<String>)]) -> Vec<u8> {
        let mut list = Vec::new();
        for (number, values) in told {
            let mut one = Vec::new();
            ber::put_integer(&mut one, ber::ENUMERATED, i64::from(*number));
            if !values.is_empty() {
                let mut texts = Vec::new();
                for value in values {
                    wire::put_element(&mut texts, ber::OCTET_STRING, value.as_bytes());
                }
                wire::put_element(&mut one, ber::SEQUENCE, &texts);
            }
            wire::put_element(&mut list, ber::SEQUENCE, &one);
        }
        let mut fields = Vec::new();
        wire::put_element(&mut fields, ber::OCTET_STRING, user.as_bytes());
        wire::put_element(&mut fields, ber::SEQUENCE, &list);
        let mut value = Vec::new();
        wire::put_element(&mut value, ber::SEQUENCE, &fields);
        value
    }
}

impl StateOperation {
    fn read(mut fields: Cursor<'_>) -> Option<Self> {
        let number = fields.take_integer(ber::ENUMERATED)?;
        let mut values = Vec::new();
        if let Some(mut list) = fields.enter(ber::SEQUENCE) {
            while !list.is_at_end() {
                values.push(list.take_octets(ber::OCTET_STRING)?);
            }
        }
        fields.is_at_end().then_some(Self { number, values })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(octets: &'static [u8]) -> Result<AccountState, &'static str> {
        AccountState::read(Some(&Bytes::from_static(octets)))
    }

    #[test]
    fn a_request_without_operations_asks_for_everything() {
        let all = AccountState { user: Bytes::from_static(b"cn=a"), operations: Vec::new() };
        assert_eq!(read(b"\x30\x06\x04\x04cn=a"), Ok(all.clone()));
        assert_eq!(read(b"\x30\x08\x04\x04cn=a\x30\x00"), Ok(all));
    }

    #[test]
    fn operations_have_a_number_and_perhaps_values() {
        let operation = |number, values| StateOperation { number, values };
        let request =
            read(b"\x30\x1b\x04\x04cn=a\x30\x13\x30\x0b\x0a\x01\x02\x30\x06\x04\x04true\x30\x04\x0a\x02\x00\x81");
        let expected = [operation(2, vec![Bytes::from_static(b"true")]), operation(129, Vec::new())];
        assert_eq!(request.unwrap().operations, expected);
    }

    #[test]
    fn what_has_another_form_is_malformed() {
        assert!(AccountState::read(None).is_err());
        for bad in [
            &b""[..],
            b"\x30\x00",
            b"\x04\x04cn=a",
            b"\x30\x07\x04\x04cn=a\x05",
            b"\x30\x08\x04\x04cn=a\x05\x00",
            b"\x30\x0a\x04\x04cn=a\x30\x02\x05\x00",
            b"\x30\x0d\x04\x04cn=a\x30\x05\x30\x03\x02\x01\x02",
            b"\x30\x06\x04\x04cn=a\x30\x00",
        ] {
            assert!(read(bad).is_err(), "{bad:x?}");
        }
    }

    #[test]
    fn the_answer_has_the_form_of_the_request() {
        let told = [(1, vec!["false".to_owned()]), (4, Vec::new())];
        let answer = AccountState::answer("cn=a", &told);
        assert_eq!(
            answer,
            b"\x30\x1b\x04\x04cn=a\x30\x13\x30\x0c\x0a\x01\x01\x30\x07\x04\x05false\x30\x03\x0a\x01\x04"
        );
        assert_eq!(AccountState::read(Some(&answer.into())).unwrap().operations.len(), 2);
    }
}
