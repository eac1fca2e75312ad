//! Search result entries (RFC 4511 §4.5.2), written without building them first.
//!
//! The attributes of a stored entry are in the form of the answer already. So an entry is written in two passes over the
//! attributes that are wanted: one adds up their lengths, the other copies them.

use bytes::BytesMut;

use super::control::{self, ResponseControl};
use super::{MessageId, ber};
use crate::directory::wire;

const SEARCH_RESULT_ENTRY: u8 = 0x64;
const SEARCH_RESULT_REFERENCE: u8 = 0x73;

/// Whether an answer carries values (RFC 4511 §4.5.1.6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Values {
    /// Types and values.
    Included,
    /// Types alone.
    Omitted,
}

/// What an entry is sent with, besides its attributes.
#[derive(Clone, Copy, Debug)]
pub struct Envelope<'a> {
    /// The request that it answers.
    pub id: MessageId,
    /// Its name.
    pub dn: &'a str,
    /// Whether it carries values.
    pub values: Values,
    /// The controls that stand with it.
    pub controls: &'a [ResponseControl],
}

/// Writes an entry. `attributes` are `PartialAttribute`s.
pub fn put_entry<'a>(out: &mut BytesMut, envelope: &Envelope<'_>, attributes: impl Iterator<Item = &'a [u8]> + Clone) {
    let Envelope { id, dn, values, controls } = *envelope;
    let len = |attribute: &[u8]| match values {
        Values::Included => attribute.len(),
        Values::Omitted => wire::element_len(type_only_len(attribute)),
    };
    let list: usize = attributes.clone().map(len).sum();
    let content = wire::element_len(dn.len()) + wire::element_len(list);
    let mut head = Vec::with_capacity(6);
    ber::put_integer(&mut head, ber::INTEGER, i64::from(id.0));
    let mut tail = Vec::new();
    control::put_all(&mut tail, controls);
    let message = head.len() + wire::element_len(content) + tail.len();
    out.reserve(wire::element_len(message));
    wire::put_header(out, wire::SEQUENCE, message);
    out.extend_from_slice(&head);
    wire::put_header(out, SEARCH_RESULT_ENTRY, content);
    wire::put_header(out, wire::OCTET_STRING, dn.len());
    out.extend_from_slice(dn.as_bytes());
    wire::put_header(out, wire::SEQUENCE, list);
    for attribute in attributes {
        match values {
            Values::Included => out.extend_from_slice(attribute),
            Values::Omitted => put_type_only(out, attribute),
        }
    }
    out.extend_from_slice(&tail);
}

/// A `SearchResultEntry` by itself, as controls hold it.
pub fn search_result_entry<'a>(dn: &str, attributes: impl Iterator<Item = &'a [u8]> + Clone) -> Vec<u8> {
    let list: usize = attributes.clone().map(<[u8]>::len).sum();
    let content = wire::element_len(dn.len()) + wire::element_len(list);
    let mut out = Vec::with_capacity(wire::element_len(content));
    wire::put_header(&mut out, SEARCH_RESULT_ENTRY, content);
    wire::put_element(&mut out, wire::OCTET_STRING, dn.as_bytes());
    wire::put_header(&mut out, wire::SEQUENCE, list);
    attributes.for_each(|attribute| out.extend_from_slice(attribute));
    out
}

/// Writes where a search goes on elsewhere (RFC 4511 §4.5.3).
pub fn put_reference(out: &mut BytesMut, id: MessageId, urls: &[String]) {
    if urls.is_empty() {
        return;
    }
    let mut list = Vec::new();
    for url in urls {
        wire::put_element(&mut list, wire::OCTET_STRING, url.as_bytes());
    }
    let mut message = Vec::with_capacity(list.len() + 16);
    ber::put_integer(&mut message, ber::INTEGER, i64::from(id.0));
    wire::put_element(&mut message, SEARCH_RESULT_REFERENCE, &list);
    wire::put_header(out, wire::SEQUENCE, message.len());
    out.extend_from_slice(&message);
}

/// The element of a `PartialAttribute` that holds the description.
fn description(attribute: &[u8]) -> &[u8] {
    let inner = wire::element(attribute).map(|element| element.content).unwrap_or_default();
    wire::element(inner).map(|element| element.whole).unwrap_or_default()
}

fn type_only_len(attribute: &[u8]) -> usize {
    description(attribute).len() + wire::element_len(0)
}

fn put_type_only(out: &mut BytesMut, attribute: &[u8]) {
    wire::put_header(out, wire::SEQUENCE, type_only_len(attribute));
    out.extend_from_slice(description(attribute));
    wire::put_header(out, wire::SET, 0);
}

#[cfg(test)]
mod tests {
    use ldap3_proto::LdapCodec;
    use ldap3_proto::proto::{LdapMsg, LdapOp, LdapPartialAttribute, LdapSearchResultEntry};
    use proptest::prelude::*;
    use tokio_util::codec::{Decoder, Encoder};

    use super::*;
    use crate::directory::entry::encode_values;

    fn theirs(id: i32, dn: &str, attributes: &[(String, Vec<Vec<u8>>)]) -> BytesMut {
        let attributes =
            attributes.iter().map(|(atype, vals)| LdapPartialAttribute { atype: atype.clone(), vals: vals.clone() });
        let entry = LdapSearchResultEntry { dn: dn.to_owned(), attributes: attributes.collect() };
        let mut out = BytesMut::new();
        LdapCodec::default().encode(LdapMsg::new(id, LdapOp::SearchResultEntry(entry)), &mut out).unwrap();
        out
    }

    fn ours(id: i32, dn: &str, attributes: &[(String, Vec<Vec<u8>>)], values: Values) -> BytesMut {
        let encoded: Vec<Vec<u8>> = attributes.iter().map(|(name, values)| encode_values(name, values)).collect();
        let mut out = BytesMut::new();
        let envelope = Envelope { id: MessageId(id), dn, values, controls: &[] };
        put_entry(&mut out, &envelope, encoded.iter().map(Vec::as_slice));
        out
    }

    #[test]
    fn controls_stand_behind_the_entry() {
        let controls = [ResponseControl { oid: "1.2.3", value: Some(vec![5, 0]) }];
        let envelope = Envelope { id: MessageId(7), dn: "cn=a", values: Values::Included, controls: &controls };
        let mut out = BytesMut::new();
        put_entry(&mut out, &envelope, std::iter::empty());
        let message = LdapCodec::default().decode(&mut out).unwrap().unwrap();
        assert!(matches!(message.op, LdapOp::SearchResultEntry(entry) if entry.dn == "cn=a"));
        assert_eq!((message.ctrl.len(), out.len()), (1, 0));
    }

    proptest! {
        #[test]
        fn entries_are_written_as_another_implementation_writes_them(
            id in 1..i32::MAX,
            dn in "[a-z=,]{0,200}",
            attributes in proptest::collection::vec(
                ("[a-z]{1,150}", proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 1..4)), 0..5),
        ) {
            prop_assert_eq!(ours(id, &dn, &attributes, Values::Included), theirs(id, &dn, &attributes));
            let names: Vec<_> = attributes.iter().map(|(name, _)| (name.clone(), Vec::new())).collect();
            prop_assert_eq!(ours(id, &dn, &attributes, Values::Omitted), theirs(id, &dn, &names));
        }
    }
}
