//! Get effective rights (draft-ietf-ldapext-acl-model-08 §5, as 389 Directory Server and `OpenDJ` have it): what somebody may
//! do with the entries that a search finds.

use bytes::Bytes;

use super::{Controls, RawControl};
use crate::protocol::ber::{self, Cursor};

/// A question what somebody may do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EffectiveRights {
    /// Who: an authorization identity (RFC 4513 §5.2.1.8); empty for whoever asks.
    pub authz_id: Bytes,
    /// With which attributes, besides those that the search asks for.
    pub attributes: Vec<Bytes>,
}

/// So many attributes may be listed.
const MOST_ATTRIBUTES: usize = 1_000;

/// Reads the control.
pub(super) fn read(controls: &mut Controls, control: &RawControl) -> Option<()> {
    // Without a value it is about whoever asks, as it is for OpenDJ and its ancestors.
    let asked = decode(control.value.as_ref().unwrap_or(&Bytes::new()))?;
    controls.rare_mut().effective_rights = Some(asked);
    Some(())
}

/// `GetRightsControl ::= SEQUENCE { authzId, attributes SEQUENCE OF AttributeType OPTIONAL }`; or, as people write it on the
/// command line, the identity alone.
fn decode(value: &Bytes) -> Option<EffectiveRights> {
    if value.first() != Some(&ber::SEQUENCE) {
        return Some(EffectiveRights { authz_id: value.clone(), attributes: Vec::new() });
    }
    ber::check(value, MOST_ATTRIBUTES + 4).ok()?;
    let mut outer = Cursor::new(value, value);
    let mut fields = outer.enter(ber::SEQUENCE)?;
    let authz_id = fields.take_octets(ber::OCTET_STRING)?;
    let mut attributes = Vec::new();
    if !fields.is_at_end() {
        let mut list = fields.enter(ber::SEQUENCE)?;
        while !list.is_at_end() {
            attributes.push(list.take_octets(ber::OCTET_STRING)?);
        }
    }
    (fields.is_at_end() && outer.is_at_end()).then_some(EffectiveRights { authz_id, attributes })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(octets: &'static [u8]) -> Option<(Bytes, Vec<Bytes>)> {
        decode(&Bytes::from_static(octets)).map(|asked| (asked.authz_id, asked.attributes))
    }

    #[test]
    fn the_identity_may_stand_alone_or_in_a_sequence_with_attributes() {
        assert_eq!(read(b"dn:uid=a"), Some(("dn:uid=a".into(), vec![])));
        assert_eq!(read(b"\x30\x05\x04\x03u:a"), Some(("u:a".into(), vec![])));
        assert_eq!(
            read(b"\x30\x0d\x04\x03u:a\x30\x06\x04\x02cn\x04\x00"),
            Some(("u:a".into(), vec!["cn".into(), "".into()]))
        );
        assert_eq!(read(b""), Some(("".into(), vec![])));
    }

    #[test]
    fn what_is_cut_short_or_has_more_is_malformed() {
        for bad in
            [&b"\x30\x00"[..], b"\x30\x05\x04\x03u:", b"\x30\x05\x04\x03u:a\x04\x00", b"\x30\x07\x04\x03u:a\x04\x00"]
        {
            assert_eq!(read(bad), None, "{bad:x?}");
        }
    }
}
