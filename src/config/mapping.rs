//! `[[map]]`: who is whom by other names.

use toml::Spanned;

use super::raw::RawMapping;
use super::resolve::Faults;
use crate::directory::schema::Schema;
use crate::operations::IdentityMap;
use crate::operations::identity_map::{DestinationText, MappingText, Origin};

/// Reads the mappings; what is wrong with one is told with its line.
pub(super) fn mappings(raw: &[Spanned<RawMapping>], schema: &Schema, faults: &mut Faults<'_>) -> Vec<MappingText> {
    let mut all = Vec::new();
    for one in raw {
        let prepared = mapping(one.get_ref()).and_then(|text| {
            let checked = IdentityMap::prepare(std::slice::from_ref(&text), schema);
            checked.map(|_| text).map_err(|(_, error)| error.to_string())
        });
        all.extend(faults.keep(one.span(), "map", prepared));
    }
    all
}

fn mapping(raw: &RawMapping) -> Result<MappingText, String> {
    let from = match raw.from.as_str() {
        "certificate" => Origin::Certificate,
        "local" => Origin::Local,
        "name" => Origin::UserName,
        other => return Err(format!("{other:?} is not known in `from`; use certificate, local or name")),
    };
    let to = match (&raw.entry, &raw.base, &raw.filter) {
        (Some(name), None, None) => DestinationText::Entry(name.clone()),
        (None, Some(base), Some(filter)) => DestinationText::Search { base: base.clone(), filter: filter.clone() },
        _ => return Err("give either `entry`, or `base` and `filter`".to_owned()),
    };
    Ok(MappingText { from, pattern: raw.pattern.clone(), to })
}
