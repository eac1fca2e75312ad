//! Only some values of attributes (RFC 3876).

use std::borrow::Cow;

use crate::directory::entry::{EncodedAttribute, encode_values};
use crate::directory::filter::{Facts, Filter, Matcher, Truth};
use crate::directory::schema::{AttributeSet, Schema};
use crate::directory::{Attribute, Dn, Entry};

/// Which values are wanted.
#[derive(Clone, Debug)]
pub(super) struct MatchedValues {
    items: Vec<(AttributeSet, Matcher)>,
}

impl MatchedValues {
    pub(super) fn read(items: &[Filter], schema: &Schema) -> Self {
        let prepare = |item| {
            let matcher = Matcher::prepare(item, schema);
            (matcher.mentioned(), matcher)
        };
        Self { items: items.iter().map(prepare).collect() }
    }

    /// An attribute with those of its values that an item is true of, or none (§2, step 4).
    pub(super) fn keep<'e>(&self, attribute: &EncodedAttribute<'e>, schema: &Schema) -> Cow<'e, [u8]> {
        let id = attribute.attribute_type;
        let mut about_it =
            self.items.iter().filter(|(types, _)| types.contains(id)).map(|(_, matcher)| matcher).peekable();
        if about_it.peek().is_none() {
            return Cow::Owned(encode_values(attribute.description(), &[[]; 0]));
        }
        let matchers: Vec<&Matcher> = about_it.collect();
        let description = attribute.decode().description;
        let readable: AttributeSet = std::iter::once(id).collect();
        let root = Dn::root();
        let is_wanted = |value: &&[u8]| {
            let alone = Attribute { description: description.clone(), values: vec![value.to_vec()] };
            let entry = Entry::encode(&std::iter::once(alone).collect(), schema);
            let facts = Facts { entries: &[&entry], searchable: &readable, dn: &root, schema };
            matchers.iter().any(|matcher| matcher.evaluate(&facts) == Truth::True)
        };
        let kept: Vec<&[u8]> = attribute.values().filter(is_wanted).collect();
        Cow::Owned(encode_values(attribute.description(), &kept))
    }
}
