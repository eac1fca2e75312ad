//! Only some values of attributes (RFC 3876).

use super::{Controls, RawControl};
use crate::directory::Filter;
use crate::protocol::ber;
use crate::protocol::request::filter;

/// So many items may be given.
const MOST_ITEMS: usize = 64;

pub(super) fn read(controls: &mut Controls, control: &RawControl) -> Option<()> {
    let mut value = control.elements(1 + 40 * MOST_ITEMS)?;
    let mut items = value.enter(ber::SEQUENCE)?;
    let mut filters = Vec::new();
    while !items.is_at_end() {
        filters.push(filter(&mut items, 0).ok().filter(is_simple)?);
    }
    if filters.len() > MOST_ITEMS || !value.is_at_end() {
        return None;
    }
    controls.rare_mut().matched_values = Some(filters);
    Some(())
}

/// A `SimpleFilterItem` has nothing inside, and no part of a name matches it.
const fn is_simple(filter: &Filter) -> bool {
    match filter {
        Filter::And(_) | Filter::Or(_) | Filter::Not(_) | Filter::Unknown => false,
        Filter::Extensible(extensible) => !extensible.dn_attributes,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::oid;
    use crate::protocol::request::tests::sample_search;

    fn read(value: &'static [u8]) -> Option<Vec<String>> {
        let control = RawControl { oid: oid::MATCHED_VALUES.into(), critical: true, value: Some(value.into()) };
        let controls = Controls::read(&[control], &sample_search()).ok()?;
        controls.rare().matched_values.as_ref().map(|items| items.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn the_value_is_a_list_of_simple_filters() {
        let items = read(b"\x30\x0d\xa3\x07\x04\x02sn\x04\x01Z\x87\x02cn").unwrap();
        assert_eq!(items, ["(sn=Z)", "(cn=*)"]);
        for bad in [&b""[..], b"\x87\x02cn", b"\x30\x06\xa2\x04\x87\x02cn", b"\x30\x02\xa0\x00"] {
            assert_eq!(read(bad), None, "{bad:x?}");
        }
    }
}
