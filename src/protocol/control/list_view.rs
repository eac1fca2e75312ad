//! Virtual list views (draft-ietf-ldapext-ldapv3-vlv-09): a part of a long sorted list, as a window shows it.

use bytes::Bytes;

use super::{Controls, RawControl, ResponseControl, sequence};
use crate::directory::ResultCode;
use crate::protocol::{ber, oid};

/// A part of a sorted list is wanted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListView {
    /// How many entries before the target.
    pub before: u32,
    /// And how many behind it.
    pub after: u32,
    /// The entry that the part is around.
    pub target: ViewTarget,
}

/// The entry that a part of a list is around.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ViewTarget {
    /// The one at a place, of as many as the client believes that there are; 0 if it has no idea.
    Offset {
        /// Its place, from 1.
        offset: u32,
        /// How many there are.
        count: u32,
    },
    /// The first whose weightiest key is not less than this.
    AtLeast(Bytes),
}

pub(super) fn read(controls: &mut Controls, control: &RawControl) -> Option<()> {
    let mut value = control.elements(8)?;
    let mut fields = value.enter(ber::SEQUENCE)?;
    let before = u32::try_from(fields.take_integer(ber::INTEGER)?).ok()?;
    let after = u32::try_from(fields.take_integer(ber::INTEGER)?).ok()?;
    let target = match fields.peek()? {
        tag if tag == ber::context(1) => ViewTarget::AtLeast(fields.take_octets(tag)?),
        tag => {
            let mut place = fields.enter(tag).filter(|_| tag == ber::context_constructed(0))?;
            let offset = u32::try_from(place.take_integer(ber::INTEGER)?).ok()?;
            let count = u32::try_from(place.take_integer(ber::INTEGER)?).ok()?;
            ViewTarget::Offset { offset, count }
        }
    };
    // Every part is found anew, so no context is given, and one that comes is of no use.
    controls.rare_mut().list_view = Some(ListView { before, after, target });
    Some(())
}

/// The control that tells where in the list the part is.
pub fn list_view_response(position: usize, count: usize, code: ResultCode) -> ResponseControl {
    let mut fields = Vec::new();
    for number in [position, count] {
        ber::put_integer(&mut fields, ber::INTEGER, i64::try_from(number).unwrap_or(i64::MAX));
    }
    ber::put_integer(&mut fields, ber::ENUMERATED, i64::from(code.number()));
    ResponseControl { oid: oid::LIST_VIEW_RESPONSE, value: Some(sequence(&fields)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::request::tests::sample_search;

    fn read(value: &'static [u8]) -> Option<ListView> {
        let control = RawControl { oid: oid::LIST_VIEW.into(), critical: true, value: Some(value.into()) };
        Controls::read(&[control], &sample_search()).ok()?.rare().list_view.clone()
    }

    #[test]
    fn a_target_is_a_place_or_a_value() {
        let place = read(b"\x30\x0e\x02\x01\x00\x02\x01\x09\xa0\x06\x02\x01\x01\x02\x01\x00").unwrap();
        assert_eq!(place, ListView { before: 0, after: 9, target: ViewTarget::Offset { offset: 1, count: 0 } });
        let value = read(b"\x30\x0a\x02\x01\x02\x02\x01\x09\x81\x02Ba").unwrap();
        assert_eq!(value, ListView { before: 2, after: 9, target: ViewTarget::AtLeast("Ba".into()) });
        for bad in [&b""[..], b"\x30\x06\x02\x01\x00\x02\x01\x09", b"\x30\x08\x02\x01\xff\x02\x01\x09\x81\x00"] {
            assert_eq!(read(bad), None, "{bad:x?}");
        }
    }

    #[test]
    fn the_response_has_the_place_and_how_many_there_are() {
        let value = list_view_response(3, 300, ResultCode::Success).value.unwrap();
        assert_eq!(value, b"\x30\x0a\x02\x01\x03\x02\x02\x01\x2c\x0a\x01\x00");
    }
}
