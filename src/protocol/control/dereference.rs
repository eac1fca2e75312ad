//! Attributes of the entries that an entry names (draft-masarati-ldap-deref-00), as sssd asks for the members of groups.

use bytes::Bytes;

use super::{Controls, RawControl, ResponseControl, sequence};
use crate::directory::{Entry, wire};
use crate::protocol::{ber, oid};

/// So many attributes may be followed, and so many asked for behind each.
const MOST_SPECS: usize = 8;
const MOST_ATTRIBUTES: usize = 256;

/// Names to be followed, and what is wanted of the entries there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DerefSpec {
    /// The attribute description whose values are names.
    pub attribute: Bytes,
    /// The attributes of the entries of those names.
    pub wanted: Vec<Bytes>,
}

/// What was found behind one name.
#[derive(Clone, Debug)]
pub struct Dereferenced<'e> {
    /// The attribute that holds the name.
    pub attribute: &'e str,
    /// The name.
    pub name: &'e [u8],
    /// What may be read of what was asked for, if anything.
    pub found: Option<Entry>,
}

pub(super) fn read(controls: &mut Controls, control: &RawControl) -> Option<()> {
    let mut value = control.elements(1 + MOST_SPECS * (3 + MOST_ATTRIBUTES))?;
    let mut list = value.enter(ber::SEQUENCE)?;
    let mut specs: Vec<DerefSpec> = Vec::new();
    while !list.is_at_end() {
        let mut fields = list.enter(ber::SEQUENCE)?;
        let attribute = fields.take_octets(ber::OCTET_STRING)?;
        let mut names = fields.enter(ber::SEQUENCE)?;
        let mut wanted = Vec::new();
        while !names.is_at_end() {
            wanted.push(names.take_octets(ber::OCTET_STRING)?);
        }
        let is_new = specs.iter().all(|spec| !spec.attribute.eq_ignore_ascii_case(&attribute));
        if !is_new || specs.len() >= MOST_SPECS || wanted.len() > MOST_ATTRIBUTES || !fields.is_at_end() {
            return None;
        }
        specs.push(DerefSpec { attribute, wanted });
    }
    controls.rare_mut().dereference = specs;
    value.is_at_end().then_some(())
}

/// The control that comes with an entry.
pub fn dereference_response(found: &[Dereferenced<'_>]) -> ResponseControl {
    let mut list = Vec::new();
    for one in found {
        let mut fields = Vec::new();
        wire::put_element(&mut fields, ber::OCTET_STRING, one.attribute.as_bytes());
        wire::put_element(&mut fields, ber::OCTET_STRING, one.name);
        if let Some(entry) = &one.found {
            let attributes: Vec<u8> = entry.attributes().flat_map(|attribute| attribute.octets).copied().collect();
            wire::put_element(&mut fields, ber::context_constructed(0), &attributes);
        }
        wire::put_element(&mut list, ber::SEQUENCE, &fields);
    }
    ResponseControl { oid: oid::DEREFERENCE, value: Some(sequence(&list)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::request::tests::sample_search;

    fn read(value: &'static [u8]) -> Option<Vec<DerefSpec>> {
        let control = RawControl { oid: oid::DEREFERENCE.into(), critical: true, value: Some(value.into()) };
        Some(Controls::read(&[control], &sample_search()).ok()?.rare().dereference.clone())
    }

    #[test]
    fn each_attribute_has_a_list_of_what_is_wanted() {
        let specs = read(b"\x30\x11\x30\x0f\x04\x06member\x30\x05\x04\x03uid").unwrap();
        assert_eq!(specs, [DerefSpec { attribute: "member".into(), wanted: vec!["uid".into()] }]);
        let twice = b"\x30\x14\x30\x08\x04\x02cn\x30\x02\x04\x00\x30\x08\x04\x02CN\x30\x02\x04\x00";
        for bad in [&b""[..], b"\x30\x02\x30\x00", twice] {
            assert_eq!(read(bad), None, "{bad:x?}");
        }
    }

    #[test]
    fn what_is_not_found_has_no_attributes() {
        let one = Dereferenced { attribute: "member", name: b"cn=a", found: None };
        assert_eq!(dereference_response(&[one]).value.unwrap(), b"\x30\x10\x30\x0e\x04\x06member\x04\x04cn=a");
    }
}
