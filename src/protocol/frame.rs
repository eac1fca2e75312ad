//! Finding messages in a stream of octets.

use bytes::{Bytes, BytesMut};
use zeroize::{Zeroize, Zeroizing};

use super::ber::{self, BerError};
use super::{Message, request};
use crate::directory::wire;

/// How large a message may be. Before a bind, less is enough.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Framing {
    /// Octets of one message, without its own tag and length.
    pub max_octets: usize,
    /// Elements in one message; each may take some hundred octets of memory once it is decoded.
    pub max_elements: usize,
}

/// Why the connection must end: where the next message begins can no longer be known (RFC 4511 §5.1, §4.1.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Fatal {
    /// The first octet is not that of an `LDAPMessage`.
    #[error("this is not LDAP")]
    NotLdap,
    /// The length is indefinite or absurd.
    #[error("the length of the message is malformed")]
    BadLength,
    /// The message is larger than the server takes.
    #[error("the message is larger than the {max} octets allowed here")]
    TooLarge {
        /// How large it may be.
        max: usize,
    },
    /// The octets inside are no BER.
    #[error(transparent)]
    Ber(#[from] BerError),
    /// There is no message id, or no request that is known.
    #[error("the message is not a request with an id")]
    NotARequest,
}

impl Framing {
    /// Takes the next message off the front of `buffer`; `None` if it has not arrived whole.
    pub fn next(self, buffer: &mut BytesMut) -> Result<Option<Message>, Fatal> {
        let Some(total) = self.message_len(buffer)? else { return Ok(None) };
        if buffer.len() < total {
            return Ok(None);
        }
        let octets = buffer.split_to(total);
        let message = if may_hold_a_password(&octets) { wiped_after_use(octets) } else { octets.freeze() };
        self.decode(&message).map(Some)
    }

    fn decode(self, message: &Bytes) -> Result<Message, Fatal> {
        let content = wire::element(message).ok_or(Fatal::BadLength)?.content;
        ber::check(content, self.max_elements)?;
        request::decode(message, content).ok_or(Fatal::NotARequest)
    }

    /// The length of the message that `buffer` begins with, as its header says, which is checked before anything is
    /// waited for.
    fn message_len(self, buffer: &[u8]) -> Result<Option<usize>, Fatal> {
        let Some((tag, after_tag)) = buffer.split_first() else { return Ok(None) };
        if *tag != wire::SEQUENCE {
            return Err(Fatal::NotLdap);
        }
        let Some((first, after_first)) = after_tag.split_first() else { return Ok(None) };
        let (header, len) = if *first < 0x80 {
            (2, usize::from(*first))
        } else {
            let count = usize::from(first & 0x7f);
            if !(1..=4).contains(&count) {
                return Err(Fatal::BadLength);
            }
            let Some(octets) = after_first.get(..count) else { return Ok(None) };
            (2 + count, octets.iter().fold(0, |len, octet| len << 8 | usize::from(*octet)))
        };
        if len > self.max_octets {
            return Err(Fatal::TooLarge { max: self.max_octets });
        }
        Ok(Some(header + len))
    }
}

/// Whether it is a message of a kind that passwords come with.
fn may_hold_a_password(message: &[u8]) -> bool {
    const BIND: u8 = 0x60;
    const MODIFY: u8 = 0x66;
    const ADD: u8 = 0x68;
    const COMPARE: u8 = 0x6e;
    const EXTENDED: u8 = 0x77;
    let id = wire::element(message).and_then(|message| wire::element(message.content));
    let tag = id.and_then(|id| id.rest.first().copied());
    matches!(tag, Some(BIND | MODIFY | ADD | COMPARE | EXTENDED))
}

/// Moves a message to where it is wiped as soon as nobody needs it any more.
fn wiped_after_use(mut octets: BytesMut) -> Bytes {
    let message = Bytes::from_owner(Zeroizing::new(octets.to_vec()));
    octets.as_mut().zeroize();
    message
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Request;

    const FRAMING: Framing = Framing { max_octets: 1000, max_elements: 100 };

    fn next(octets: &[u8]) -> Result<Option<Message>, Fatal> {
        FRAMING.next(&mut BytesMut::from(octets))
    }

    #[test]
    fn messages_are_taken_off_one_by_one() {
        let mut buffer = BytesMut::from(&b"\x30\x05\x02\x01\x05\x42\x00\x30\x05\x02\x01\x06\x42\x00\x30"[..]);
        let first = FRAMING.next(&mut buffer).unwrap().unwrap();
        let second = FRAMING.next(&mut buffer).unwrap().unwrap();
        assert_eq!((first.id.0, second.id.0), (5, 6));
        assert_eq!(first.request, Request::Unbind);
        assert_eq!(FRAMING.next(&mut buffer), Ok(None));
    }

    #[test]
    fn what_may_hold_a_password_is_known_by_its_kind() {
        for (tag, may) in
            [(0x60, true), (0x66, true), (0x68, true), (0x6e, true), (0x77, true), (0x63, false), (0x42, false)]
        {
            assert_eq!(may_hold_a_password(&[0x30, 0x05, 0x02, 0x01, 0x05, tag, 0x00]), may, "{tag:x}");
        }
        assert!(!may_hold_a_password(b"\x30\x03\x02\x01\x05") && !may_hold_a_password(b"\x30"));
    }

    #[test]
    fn a_message_is_wiped_where_it_was_and_goes_on_elsewhere() {
        let mut buffer = BytesMut::from(&b"secret and what follows"[..]);
        let message = wiped_after_use(buffer.split_to(6));
        assert_eq!((message.as_ref(), buffer.as_ref()), (&b"secret"[..], &b" and what follows"[..]));
    }

    #[test]
    fn a_message_is_waited_for_until_it_is_whole() {
        let whole = b"\x30\x82\x00\x05\x02\x01\x05\x42\x00";
        for cut in 0..whole.len() {
            assert_eq!(next(&whole[..cut]), Ok(None), "{cut}");
        }
        assert!(next(whole).unwrap().is_some());
    }

    #[test]
    fn what_cannot_be_framed_is_fatal_as_soon_as_it_is_seen() {
        assert_eq!(next(b"GET / HTTP/1.1"), Err(Fatal::NotLdap));
        assert_eq!(next(b"\x70"), Err(Fatal::NotLdap));
        assert_eq!(next(b"\x30\x80"), Err(Fatal::BadLength));
        assert_eq!(next(b"\x30\x85"), Err(Fatal::BadLength));
        assert_eq!(next(b"\x30\x84\x7f\xff\xff\xff"), Err(Fatal::TooLarge { max: 1000 }));
        assert_eq!(next(b"\x30\x03\x02\x05\x01"), Err(Fatal::Ber(BerError::BadLength)));
    }

    #[test]
    fn a_message_without_an_id_or_a_known_request_is_fatal() {
        for bad in [
            &b"\x30\x00"[..],
            b"\x30\x03\x02\x01\x05",
            b"\x30\x05\x02\x01\x00\x42\x00",
            b"\x30\x05\x02\x01\xff\x42\x00",
            b"\x30\x09\x02\x05\x01\x00\x00\x00\x00\x42\x00",
            b"\x30\x05\x02\x01\x05\x5f\x00",
            b"\x30\x05\x02\x01\x05\x61\x00",
            b"\x30\x05\x02\x01\x05\x62\x00",
        ] {
            assert!(matches!(next(bad), Err(Fatal::NotARequest | Fatal::Ber(_))), "{bad:x?}");
        }
    }
}
