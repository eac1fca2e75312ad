//! Requests (RFC 4511 §4.2 to §4.12).

mod bind;
mod search;
mod write;

use bytes::Bytes;

pub use bind::{Authentication, BindRequest};
pub(super) use search::filter;
pub use search::{DerefAliases, SearchRequest};
pub use write::{AddRequest, ModifyDnRequest, ModifyRequest, RequestedChange, names_password};

use super::ber::{self, Cursor};
use super::control::{self, RawControl};

/// The number by which an answer finds its request; never zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MessageId(pub i32);

/// A request with its number and controls.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// Its number.
    pub id: MessageId,
    /// How many octets it came in, which are kept until it has been answered.
    pub octets: u32,
    /// What is wanted.
    pub request: Request,
    /// And how.
    pub controls: Vec<RawControl>,
}

/// What is wanted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Request {
    /// To authenticate.
    Bind(BindRequest),
    /// To end the connection.
    Unbind,
    /// To find entries.
    Search(SearchRequest),
    /// To change attributes.
    Modify(ModifyRequest),
    /// To add an entry.
    Add(AddRequest),
    /// To delete the entry of that name.
    Delete(Bytes),
    /// To rename or move an entry.
    ModifyDn(ModifyDnRequest),
    /// To know whether an entry has a value.
    Compare(CompareRequest),
    /// To have a request forgotten.
    Abandon(MessageId),
    /// Something that an object identifier names.
    Extended(ExtendedRequest),
    /// Nothing that can be understood.
    Malformed {
        /// The kind of request, which decides the kind of answer.
        operation: Operation,
        /// What is wrong, in words.
        reason: &'static str,
    },
}

/// The kinds of requests.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Operation {
    /// [`Request::Bind`]
    Bind,
    /// [`Request::Unbind`]
    Unbind,
    /// [`Request::Search`]
    Search,
    /// [`Request::Modify`]
    Modify,
    /// [`Request::Add`]
    Add,
    /// [`Request::Delete`]
    Delete,
    /// [`Request::ModifyDn`]
    ModifyDn,
    /// [`Request::Compare`]
    Compare,
    /// [`Request::Abandon`]
    Abandon,
    /// [`Request::Extended`]
    Extended,
}

impl Operation {
    /// All of them, in order.
    pub const ALL: [Self; 10] = [
        Self::Bind,
        Self::Unbind,
        Self::Search,
        Self::Modify,
        Self::Add,
        Self::Delete,
        Self::ModifyDn,
        Self::Compare,
        Self::Abandon,
        Self::Extended,
    ];
}

/// A question whether an entry has a value (RFC 4511 §4.10).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CompareRequest {
    /// The entry's name.
    pub entry: Bytes,
    /// The attribute description.
    pub attribute: Bytes,
    /// The value.
    pub value: Bytes,
}

/// An extended request (RFC 4511 §4.12).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExtendedRequest {
    /// The object identifier, as text.
    pub name: Bytes,
    /// What belongs to it.
    pub value: Option<Bytes>,
}

impl Operation {
    /// The kind of a request, by the tag of its protocolOp.
    const fn of_tag(tag: u8) -> Option<Self> {
        Some(match tag {
            0x60 => Self::Bind,
            0x42 => Self::Unbind,
            0x63 => Self::Search,
            0x66 => Self::Modify,
            0x68 => Self::Add,
            0x4a => Self::Delete,
            0x6c => Self::ModifyDn,
            0x6e => Self::Compare,
            0x50 => Self::Abandon,
            0x77 => Self::Extended,
            _ => return None,
        })
    }

    /// The tag of the answer that ends the operation; `None` for requests that have no answer.
    pub const fn response_tag(self) -> Option<u8> {
        Some(match self {
            Self::Bind => 0x61,
            Self::Search => 0x65,
            Self::Modify => 0x67,
            Self::Add => 0x69,
            Self::Delete => 0x6b,
            Self::ModifyDn => 0x6d,
            Self::Compare => 0x6f,
            Self::Extended => 0x78,
            Self::Unbind | Self::Abandon => return None,
        })
    }

    /// What it is called in logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bind => "bind",
            Self::Unbind => "unbind",
            Self::Search => "search",
            Self::Modify => "modify",
            Self::Add => "add",
            Self::Delete => "delete",
            Self::ModifyDn => "modify-dn",
            Self::Compare => "compare",
            Self::Abandon => "abandon",
            Self::Extended => "extended",
        }
    }
}

impl Request {
    /// The kind of request.
    pub const fn operation(&self) -> Operation {
        match self {
            Self::Bind(_) => Operation::Bind,
            Self::Unbind => Operation::Unbind,
            Self::Search(_) => Operation::Search,
            Self::Modify(_) => Operation::Modify,
            Self::Add(_) => Operation::Add,
            Self::Delete(_) => Operation::Delete,
            Self::ModifyDn(_) => Operation::ModifyDn,
            Self::Compare(_) => Operation::Compare,
            Self::Abandon(_) => Operation::Abandon,
            Self::Extended(_) => Operation::Extended,
            Self::Malformed { operation, .. } => *operation,
        }
    }
}

/// Decodes what is inside an `LDAPMessage`, whose elements have been checked; `None` if there is no message id or no
/// request of a known kind, so that there is nothing to answer to.
pub(super) fn decode(message: &Bytes, content: &[u8]) -> Option<Message> {
    let mut cursor = Cursor::new(message, content);
    let id = cursor.take_integer(ber::INTEGER).filter(|id| *id > 0).map(MessageId)?;
    let element = cursor.next_element()?;
    let operation = Operation::of_tag(element.tag)?;
    // Behind the controls may stand what a later version of the protocol adds (RFC 4511 §4).
    let controls = match cursor.peek() {
        Some(tag) if tag == ber::context_constructed(0) => {
            cursor.enter(tag).map_or(Err("the controls are malformed"), control::decode_all)
        }
        Some(tag) if tag == ber::context(0) => Err("the controls are malformed"),
        _ => Ok(Vec::new()),
    };
    let decoded = decode_request(operation, Cursor::new(message, element.content), element.whole);
    let (request, controls) = match (decoded, controls) {
        (Ok(request), Ok(controls)) => (request, controls),
        (Err(reason), _) | (_, Err(reason)) => (Request::Malformed { operation, reason }, Vec::new()),
    };
    Some(Message { id, octets: u32::try_from(message.len()).unwrap_or(u32::MAX), request, controls })
}

fn decode_request(operation: Operation, mut cursor: Cursor<'_>, whole: &[u8]) -> Result<Request, &'static str> {
    match operation {
        Operation::Bind => bind::decode(cursor).map(Request::Bind),
        Operation::Unbind => Ok(Request::Unbind),
        Operation::Search => search::decode(cursor).map(Request::Search),
        Operation::Modify => write::decode_modify(whole).map(Request::Modify),
        Operation::Add => write::decode_add(whole).map(Request::Add),
        Operation::Delete => Ok(Request::Delete(cursor.rest_octets())),
        Operation::ModifyDn => write::decode_modify_dn(whole, cursor).map(Request::ModifyDn),
        Operation::Compare => compare(cursor).map(Request::Compare),
        Operation::Abandon => {
            let id = ber::integer(&cursor.rest_octets()).ok_or("the message id to abandon is malformed")?;
            Ok(Request::Abandon(MessageId(id)))
        }
        Operation::Extended => {
            let name = cursor.take_octets(ber::context(0)).ok_or("the name of the extended request is missing")?;
            let value = cursor.take_octets(ber::context(1));
            if value.is_none() && !cursor.is_at_end() {
                return Err("the value of the extended request is malformed");
            }
            Ok(Request::Extended(ExtendedRequest { name, value }))
        }
    }
}

fn compare(mut cursor: Cursor<'_>) -> Result<CompareRequest, &'static str> {
    const MALFORMED: &str = "the compare request is malformed";
    let entry = cursor.take_octets(ber::OCTET_STRING).ok_or(MALFORMED)?;
    let mut assertion = cursor.enter(ber::SEQUENCE).ok_or(MALFORMED)?;
    let attribute = assertion.take_octets(ber::OCTET_STRING).ok_or(MALFORMED)?;
    let value = assertion.take_octets(ber::OCTET_STRING).ok_or(MALFORMED)?;
    Ok(CompareRequest { entry, attribute, value })
}

#[cfg(test)]
pub(super) mod tests {
    use bytes::BytesMut;
    use ldap3_proto::LdapCodec;
    use ldap3_proto::proto::{LdapMsg, LdapOp};
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::Framing;

    const FRAMING: Framing = Framing { max_octets: 100_000, max_elements: 10_000 };

    pub(super) fn decode_octets(octets: &[u8]) -> Message {
        FRAMING.next(&mut BytesMut::from(octets)).unwrap().unwrap()
    }

    /// Some search.
    pub(in crate::protocol) fn sample_search() -> Request {
        decode_octets(&search::tests::sample()).request
    }

    /// What the other implementation writes.
    pub(super) fn encode(op: LdapOp) -> BytesMut {
        let mut out = BytesMut::new();
        tokio_encode(LdapMsg::new(7, op), &mut out);
        out
    }

    fn tokio_encode(message: LdapMsg, out: &mut BytesMut) {
        tokio_util::codec::Encoder::encode(&mut LdapCodec::default(), message, out).unwrap();
    }

    #[test]
    fn requests_of_another_implementation_are_understood() {
        let decoded = |op| decode_octets(&encode(op)).request;
        assert_eq!(decoded(LdapOp::UnbindRequest), Request::Unbind);
        assert_eq!(decoded(LdapOp::DelRequest("cn=a".into())), Request::Delete("cn=a".into()));
        assert_eq!(decoded(LdapOp::AbandonRequest(300)), Request::Abandon(MessageId(300)));
        let compare = ldap3_proto::proto::LdapCompareRequest { dn: "cn=a".into(), atype: "sn".into(), val: vec![255] };
        let expected = CompareRequest { entry: "cn=a".into(), attribute: "sn".into(), value: vec![255].into() };
        assert_eq!(decoded(LdapOp::CompareRequest(compare)), Request::Compare(expected));
        let extended = ldap3_proto::proto::LdapExtendedRequest { name: "1.2.3".into(), value: Some(vec![1]) };
        let expected = ExtendedRequest { name: "1.2.3".into(), value: Some(vec![1].into()) };
        assert_eq!(decoded(LdapOp::ExtendedRequest(extended)), Request::Extended(expected));
    }

    #[test]
    fn what_is_framed_but_not_understood_keeps_its_message_id_and_kind() {
        for (octets, operation) in [
            (&b"\x30\x05\x02\x01\x09\x60\x00"[..], Operation::Bind),
            (b"\x30\x05\x02\x01\x09\x63\x00", Operation::Search),
            (b"\x30\x05\x02\x01\x09\x66\x00", Operation::Modify),
            (b"\x30\x05\x02\x01\x09\x68\x00", Operation::Add),
            (b"\x30\x05\x02\x01\x09\x6c\x00", Operation::ModifyDn),
            (b"\x30\x05\x02\x01\x09\x6e\x00", Operation::Compare),
            (b"\x30\x05\x02\x01\x09\x77\x00", Operation::Extended),
            (b"\x30\x05\x02\x01\x09\x50\x00", Operation::Abandon),
            (b"\x30\x09\x02\x01\x09\x4a\x02cn\x80\x00", Operation::Delete),
            (b"\x30\x0b\x02\x01\x09\x4a\x02cn\xa0\x02\x30\x00", Operation::Delete),
        ] {
            let message = decode_octets(octets);
            assert_eq!(message.id, MessageId(9));
            assert!(matches!(message.request, Request::Malformed { .. }), "{octets:x?} {message:?}");
            assert_eq!(message.request.operation(), operation);
        }
    }

    #[test]
    fn an_empty_list_of_controls_and_later_additions_are_legal() {
        let message = decode_octets(b"\x30\x0b\x02\x01\x09\x4a\x02cn\xa0\x00\x81\x00");
        assert_eq!(message.request, Request::Delete("cn".into()));
        assert_eq!(message.controls, []);
    }

    proptest! {
        #[test]
        fn no_octets_make_decoding_panic(tag in any::<u8>(), content in proptest::collection::vec(any::<u8>(), 0..120)) {
            let mut whole = b"\x02\x01\x01".to_vec();
            crate::directory::wire::put_element(&mut whole, tag, &content);
            let mut message = Vec::new();
            crate::directory::wire::put_element(&mut message, 0x30, &whole);
            let _ = FRAMING.next(&mut BytesMut::from(message.as_slice()));
        }

        #[test]
        fn no_flipped_octet_makes_decoding_panic(at in 0_usize..80, octet in any::<u8>()) {
            let mut octets = search::tests::sample().to_vec();
            let at = at % octets.len();
            octets[at] = octet;
            let _ = FRAMING.next(&mut BytesMut::from(octets.as_slice()));
        }
    }
}
