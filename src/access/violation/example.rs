//! An entry that a filter matches, if that is easily found: whoever adds an entry chooses what it holds.

use crate::directory::filter::Matcher;
use crate::directory::{Attributes, Entry, Schema};

/// An entry of which the filter asks what it asks of others; whether it matches is to be looked at.
pub(super) fn for_filter(filter: Option<&Matcher>, schema: &Schema) -> Entry {
    let mut attributes = Attributes::new();
    attributes.set_one(schema.known().object_class, "top");
    if let Some(filter) = filter {
        give(filter, &mut attributes);
    }
    Entry::encode(&attributes, schema)
}

/// Gives an entry what a filter asks for.
fn give(filter: &Matcher, attributes: &mut Attributes) {
    let mut add = |types: &[_], value: &[u8]| {
        let Some(id) = types.first().copied() else { return };
        let held = attributes.iter().find(|attribute| attribute.description.attribute_type == id);
        let mut values = held.map(|attribute| attribute.values.clone()).unwrap_or_default();
        values.push(value.to_vec());
        attributes.set(id, values);
    };
    match filter {
        Matcher::And(parts) => parts.iter().for_each(|part| give(part, attributes)),
        Matcher::Or(parts) => parts.first().into_iter().for_each(|part| give(part, attributes)),
        Matcher::Equal { selector, raw, .. } => add(&selector.types, raw),
        Matcher::Present(selector) => add(&selector.types, b"x"),
        // Nothing matches what is not there, and of the rest nothing is known.
        _ => {}
    }
}
