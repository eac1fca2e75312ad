//! What must be true of the target (RFC 4528).

use super::{Controls, RawControl};
use crate::protocol::request::filter;

/// A filter has no more elements than one of a search whose parts are not too many.
const MOST_ELEMENTS: usize = 50_000;

pub(super) fn read(controls: &mut Controls, control: &RawControl) -> Option<()> {
    let mut value = control.elements(MOST_ELEMENTS)?;
    let asserted = filter(&mut value, 0).ok()?;
    controls.rare_mut().assertion = Some(asserted);
    value.is_at_end().then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Request, oid};

    fn read(value: &'static [u8]) -> Option<String> {
        let control = RawControl { oid: oid::ASSERTION.into(), critical: true, value: Some(value.into()) };
        let controls = Controls::read(&[control], &Request::Delete("cn=a".into())).ok()?;
        controls.rare().assertion.as_ref().map(ToString::to_string)
    }

    #[test]
    fn the_value_is_a_filter() {
        assert_eq!(read(b"\xa3\x07\x04\x02sn\x04\x01Z").as_deref(), Some("(sn=Z)"));
        assert_eq!(read(b"\xa2\x04\x87\x02sn").as_deref(), Some("(!(sn=*))"));
        for bad in [&b""[..], b"\xa3\x00", b"\x87\x02sn\x87\x02sn", b"\x87\x05sn"] {
            assert_eq!(read(bad), None, "{bad:x?}");
        }
    }
}
