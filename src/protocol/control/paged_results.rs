//! Results in pages (RFC 2696).

use bytes::Bytes;

use super::{Controls, RawControl, ResponseControl, sequence};
use crate::directory::wire;
use crate::protocol::{ber, oid};

/// One page of results is wanted (RFC 2696).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PagedResults {
    /// How many entries; 0 ends the sequence if there is a cookie.
    pub size: u32,
    /// Empty for the first page, then what came with the one before.
    pub cookie: Bytes,
}

pub(super) fn read(controls: &mut Controls, control: &RawControl) -> Option<()> {
    let mut fields = control.elements(3)?.enter(ber::SEQUENCE)?;
    let size = u32::try_from(fields.take_integer(ber::INTEGER)?).ok()?;
    let cookie = fields.take_octets(ber::OCTET_STRING)?;
    controls.paged = Some(PagedResults { size, cookie });
    Some(())
}

/// The control that comes with each page: the estimate 0, which says nothing, and the cookie for the next page, empty
/// with the last one.
pub fn paged_results_response(cookie: &[u8]) -> ResponseControl {
    let mut fields = Vec::new();
    ber::put_integer(&mut fields, ber::INTEGER, 0);
    wire::put_element(&mut fields, ber::OCTET_STRING, cookie);
    ResponseControl { oid: oid::PAGED_RESULTS, value: Some(sequence(&fields)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::request::tests::sample_search;

    #[test]
    fn paged_results_are_read_and_answered() {
        let value = Some(Bytes::from_static(b"\x30\x08\x02\x02\x01\xf4\x04\x02ab"));
        let control = RawControl { oid: oid::PAGED_RESULTS.into(), critical: false, value };
        let read = Controls::read(&[control], &sample_search()).unwrap();
        assert_eq!(read.paged, Some(PagedResults { size: 500, cookie: "ab".into() }));
        let answer = paged_results_response(b"ab").value.unwrap();
        assert_eq!(answer, b"\x30\x07\x02\x01\x00\x04\x02ab");
    }
}
