//! Server side sorting (RFC 2891).

use bytes::Bytes;

use super::{Controls, RawControl, ResponseControl, sequence};
use crate::directory::{ResultCode, wire};
use crate::protocol::{ber, oid};

/// So many keys are taken.
pub const MOST_KEYS: usize = 8;

/// Results are wanted in an order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SortRequest {
    /// What they are sorted by, the weightiest first.
    pub keys: Vec<SortKey>,
    /// Whether unsorted ones are of no use.
    pub critical: bool,
}

/// One of the things that results are sorted by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SortKey {
    /// The attribute description.
    pub attribute: Bytes,
    /// The ordering rule, if it is not the attribute's own.
    pub rule: Option<Bytes>,
    /// Whether the greatest come first.
    pub reverse: bool,
}

pub(super) fn read(controls: &mut Controls, control: &RawControl) -> Option<()> {
    let mut value = control.elements(1 + 4 * 64)?;
    let mut list = value.enter(ber::SEQUENCE)?;
    let mut keys = Vec::new();
    while !list.is_at_end() {
        let mut fields = list.enter(ber::SEQUENCE)?;
        let attribute = fields.take_octets(ber::OCTET_STRING)?;
        let rule = fields.take_octets(ber::context(0));
        let reverse = if fields.is_at_end() { false } else { fields.take_boolean(ber::context(1))? };
        if !fields.is_at_end() {
            return None;
        }
        keys.push(SortKey { attribute, rule, reverse });
    }
    if keys.is_empty() || !value.is_at_end() {
        return None;
    }
    controls.rare_mut().sort = Some(SortRequest { keys, critical: control.critical });
    Some(())
}

/// The control that tells whether results are sorted, and by which attribute they cannot be.
pub fn sort_response(code: ResultCode, attribute: Option<&[u8]>) -> ResponseControl {
    let mut fields = Vec::new();
    ber::put_integer(&mut fields, ber::ENUMERATED, i64::from(code.number()));
    if let Some(attribute) = attribute {
        wire::put_element(&mut fields, ber::context(0), attribute);
    }
    ResponseControl { oid: oid::SORT_RESPONSE, value: Some(sequence(&fields)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::request::tests::sample_search;

    fn read(value: &'static [u8]) -> Option<SortRequest> {
        let control = RawControl { oid: oid::SORT.into(), critical: true, value: Some(value.into()) };
        Controls::read(&[control], &sample_search()).ok()?.rare().sort.clone()
    }

    #[test]
    fn keys_are_read_with_their_rule_and_direction() {
        let sort = read(b"\x30\x14\x30\x04\x04\x02sn\x30\x0c\x04\x02cn\x80\x031.2\x81\x01\xff").unwrap();
        assert_eq!(sort.keys[0], SortKey { attribute: "sn".into(), rule: None, reverse: false });
        assert_eq!(sort.keys[1], SortKey { attribute: "cn".into(), rule: Some("1.2".into()), reverse: true });
        for bad in [&b""[..], b"\x30\x00", b"\x30\x02\x30\x00", b"\x30\x06\x30\x04\x04\x02sn\x00\x00", b"\x04\x00"] {
            assert_eq!(read(bad), None, "{bad:x?}");
        }
    }

    #[test]
    fn the_response_names_the_attribute_at_fault() {
        assert_eq!(sort_response(ResultCode::Success, None).value.unwrap(), b"\x30\x03\x0a\x01\x00");
        let fault = sort_response(ResultCode::NoSuchAttribute, Some(b"x")).value.unwrap();
        assert_eq!(fault, b"\x30\x06\x0a\x01\x10\x80\x01x");
    }
}
