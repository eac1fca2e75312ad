//! The message of SASL PLAIN (RFC 4616 §2).

use crate::operations::Refusal;

/// What a client says by `[authzid] NUL authcid NUL passwd`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Plain<'m> {
    /// Whom the client wants to be taken for; empty: whoever the password is of.
    pub(super) authz_id: &'m [u8],
    /// Whose the password is.
    pub(super) authc_id: &'m [u8],
    /// The password; never empty.
    pub(super) passwd: &'m [u8],
}

impl<'m> Plain<'m> {
    /// Reads a message: text with exactly two NULs in it, a name and a password.
    #[expect(clippy::similar_names, reason = "the names of RFC 4616")]
    pub(super) fn read(message: &'m [u8]) -> Result<Self, Refusal> {
        const MALFORMED: Refusal = Refusal::Protocol(
            "SASL PLAIN is an authorization identity or nothing, NUL, a name, NUL, and a password, all of them UTF-8",
        );
        if std::str::from_utf8(message).is_err() {
            return Err(MALFORMED);
        }
        let mut fields = message.split(|octet| *octet == 0);
        match (fields.next(), fields.next(), fields.next(), fields.next()) {
            (_, Some([]), ..) => Err(MALFORMED),
            (_, Some(_), Some([]), None) => Err(Refusal::UnauthenticatedBind),
            (Some(authz_id), Some(authc_id), Some(passwd), None) => Ok(Self { authz_id, authc_id, passwd }),
            _ => Err(MALFORMED),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(message: &[u8]) -> Option<[&[u8]; 3]> {
        Plain::read(message).ok().map(|plain| [plain.authz_id, plain.authc_id, plain.passwd])
    }

    #[test]
    fn the_examples_of_rfc_4616() {
        assert_eq!(read(b"\0tim\0tanstaaftanstaaf"), Some([&b""[..], b"tim", b"tanstaaftanstaaf"]));
        assert_eq!(read(b"Ursel\0Kurt\0xipj3plmq"), Some([&b"Ursel"[..], b"Kurt", b"xipj3plmq"]));
    }

    #[test]
    fn what_is_no_such_message_is_refused() {
        for bad in [
            &b""[..],
            b"tim",
            b"\0tim",
            b"tim\0tanstaaf",
            b"\0\0tanstaaf",
            b"tim\0\0tanstaaf",
            b"\0tim\0tanstaaf\0",
            b"\0tim\0tan\0staaf",
            b"\0\0",
            b"\0\0\0",
            b"\0tim\0\xff",
            b"\0\xff\0tanstaaf",
        ] {
            assert!(matches!(Plain::read(bad), Err(Refusal::Protocol(_))), "{bad:?}");
        }
        assert!(matches!(Plain::read(b"\0tim\0"), Err(Refusal::UnauthenticatedBind)));
    }

    proptest! {
        #[test]
        fn reading_is_the_inverse_of_writing(authz in "[^\0]{0,9}", authc in "[^\0]{1,9}", passwd in "[^\0]{1,9}") {
            let message = format!("{authz}\0{authc}\0{passwd}");
            prop_assert_eq!(read(message.as_bytes()), Some([authz.as_bytes(), authc.as_bytes(), passwd.as_bytes()]));
        }

        #[test]
        fn any_octets_are_read_or_refused(octets in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Some(fields) = read(&octets) {
                prop_assert_eq!(fields.join(&0), octets);
            }
        }
    }
}
