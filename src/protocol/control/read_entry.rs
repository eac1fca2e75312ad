//! The entry before or after a change (RFC 4527).

use bytes::Bytes;

use super::{Controls, RawControl, ResponseControl};
use crate::directory::Entry;
use crate::protocol::ber;
use crate::protocol::entry_writer::search_result_entry;

/// So many attributes may be listed.
const MOST_ATTRIBUTES: usize = 1_000;

pub(super) fn pre(controls: &mut Controls, control: &RawControl) -> Option<()> {
    controls.rare_mut().pre_read = Some(attributes(control)?);
    Some(())
}

pub(super) fn post(controls: &mut Controls, control: &RawControl) -> Option<()> {
    controls.rare_mut().post_read = Some(attributes(control)?);
    Some(())
}

/// An `AttributeSelection` (RFC 4511 §4.5.1).
fn attributes(control: &RawControl) -> Option<Vec<Bytes>> {
    let mut value = control.elements(MOST_ATTRIBUTES + 1)?;
    let mut list = value.enter(ber::SEQUENCE)?;
    let mut attributes = Vec::new();
    while !list.is_at_end() {
        attributes.push(list.take_octets(ber::OCTET_STRING)?);
    }
    value.is_at_end().then_some(attributes)
}

/// The control that holds the entry: a `SearchResultEntry`.
pub fn read_entry_response(oid: &'static str, dn: &str, entry: &Entry) -> ResponseControl {
    let attributes: Vec<&[u8]> = entry.attributes().map(|attribute| attribute.octets).collect();
    ResponseControl { oid, value: Some(search_result_entry(dn, attributes.iter().copied())) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Request, oid};

    fn read(value: &'static [u8]) -> Option<Vec<Bytes>> {
        let control = RawControl { oid: oid::PRE_READ.into(), critical: true, value: Some(value.into()) };
        let controls = Controls::read(&[control], &Request::Delete("cn=a".into())).ok()?;
        controls.rare().pre_read.clone()
    }

    #[test]
    fn the_value_lists_attributes() {
        assert_eq!(read(b"\x30\x05\x04\x00\x04\x01+"), Some(vec!["".into(), "+".into()]));
        assert_eq!(read(b"\x30\x00"), Some(vec![]));
        for bad in [&b""[..], b"\x04\x00", b"\x30\x02\x02\x00", b"\x30\x00\x30\x00"] {
            assert_eq!(read(bad), None, "{bad:x?}");
        }
    }
}
