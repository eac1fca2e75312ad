//! Bind requests (RFC 4511 §4.2).

use std::fmt;

use bytes::Bytes;

use crate::protocol::ber::{self, Cursor};

/// A request to authenticate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BindRequest {
    /// The protocol version; only 3 is spoken.
    pub version: i32,
    /// The name to authenticate as.
    pub name: Bytes,
    /// How.
    pub authentication: Authentication,
}

/// How somebody wants to authenticate.
#[derive(Clone, PartialEq, Eq)]
pub enum Authentication {
    /// By a password.
    Simple(Bytes),
    /// By a SASL mechanism.
    Sasl {
        /// Its name.
        mechanism: Bytes,
        /// What it needs; absent is not the same as empty (RFC 4513 §5.2.1).
        credentials: Option<Bytes>,
    },
    /// By something that this server does not know.
    Unknown,
}

impl fmt::Debug for Authentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Simple(_) => f.write_str("Simple(..)"),
            Self::Sasl { mechanism, .. } => write!(f, "Sasl({}, ..)", mechanism.escape_ascii()),
            Self::Unknown => f.write_str("Unknown"),
        }
    }
}

pub(super) fn decode(mut cursor: Cursor<'_>) -> Result<BindRequest, &'static str> {
    const MALFORMED: &str = "the bind request is malformed";
    let version = cursor.take_integer(ber::INTEGER).ok_or(MALFORMED)?;
    let name = cursor.take_octets(ber::OCTET_STRING).ok_or(MALFORMED)?;
    let authentication = match cursor.peek() {
        Some(0x80) => Authentication::Simple(cursor.take_octets(ber::context(0)).ok_or(MALFORMED)?),
        Some(0xa3) => {
            let mut sasl = cursor.enter(ber::context_constructed(3)).ok_or(MALFORMED)?;
            let mechanism = sasl.take_octets(ber::OCTET_STRING).ok_or(MALFORMED)?;
            let credentials = sasl.take_octets(ber::OCTET_STRING);
            Authentication::Sasl { mechanism, credentials }
        }
        Some(_) => Authentication::Unknown,
        None => return Err(MALFORMED),
    };
    Ok(BindRequest { version, name, authentication })
}

#[cfg(test)]
mod tests {
    use super::super::Request;
    use super::super::tests::decode_octets;
    use super::*;

    fn bind(octets: &[u8]) -> BindRequest {
        match decode_octets(octets).request {
            Request::Bind(bind) => bind,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_password_is_octets_and_never_printed() {
        let request = bind(b"\x30\x10\x02\x01\x01\x60\x0b\x02\x01\x03\x04\x04cn=a\x80\x00");
        assert_eq!((request.version, request.name.as_ref()), (3, &b"cn=a"[..]));
        assert_eq!(request.authentication, Authentication::Simple(Bytes::new()));
        let latin = bind(b"\x30\x13\x02\x01\x01\x60\x0e\x02\x01\x03\x04\x04cn=a\x80\x03\xe4\xff\x00");
        assert_eq!(latin.authentication, Authentication::Simple(b"\xe4\xff\x00".to_vec().into()));
        assert!(!format!("{latin:?}").contains("xe4"));
    }

    #[test]
    fn sasl_credentials_may_be_absent_or_empty() {
        let absent = bind(b"\x30\x16\x02\x01\x01\x60\x11\x02\x01\x03\x04\x00\xa3\x0a\x04\x08EXTERNAL");
        assert_eq!(absent.authentication, Authentication::Sasl { mechanism: "EXTERNAL".into(), credentials: None });
        let empty = bind(b"\x30\x18\x02\x01\x01\x60\x13\x02\x01\x03\x04\x00\xa3\x0c\x04\x08EXTERNAL\x04\x00");
        let credentials = Some(Bytes::new());
        assert_eq!(empty.authentication, Authentication::Sasl { mechanism: "EXTERNAL".into(), credentials });
    }

    #[test]
    fn another_choice_is_understood_as_unknown() {
        let request = bind(b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x85\x00");
        assert_eq!(request.authentication, Authentication::Unknown);
    }
}
