//! Which attributes a search returns (RFC 4511 §4.5.1.8, RFC 3673, RFC 4529).

use bytes::Bytes;
use smallvec::SmallVec;

use crate::directory::attribute::has_options;
use crate::directory::entry::EncodedAttribute;
use crate::directory::schema::{AttributeSet, Schema};
use crate::directory::{AttributeDescription, AttributeTypeId};
use crate::protocol::control::{Flag, Flags};

/// The attributes that were asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Selection {
    /// Types of which every attribute is wanted, whatever its options.
    types: AttributeSet,
    /// Descriptions with options, of which only subtypes are wanted.
    with_options: SmallVec<[AttributeDescription; 1]>,
    /// Types that were named, and not only meant by `+`.
    named: AttributeSet,
}

impl Selection {
    /// Reads the list of a request. What the schema does not know is left out (RFC 4511 §4.5.1.8).
    pub(super) fn read(list: &[Bytes], schema: &Schema) -> Self {
        let mut selection = Self::default();
        if list.is_empty() {
            selection.add("*", schema);
        }
        for text in list.iter().filter_map(|octets| std::str::from_utf8(octets).ok()) {
            selection.add(text, schema);
        }
        selection
    }

    /// The types that are listed, without their subtypes.
    pub(super) fn exactly(list: &[Bytes], schema: &Schema) -> Self {
        let described = list.iter().filter_map(|octets| schema.describe(std::str::from_utf8(octets).ok()?));
        let types: AttributeSet = described.map(|description| description.attribute_type).collect();
        Self { named: types.clone(), types, with_options: SmallVec::new() }
    }

    /// What is left if only what is stored, or only what is derived, is wanted.
    pub(super) fn restricted(mut self, flags: Flags, schema: &Schema) -> Self {
        if flags.has(Flag::RealAttributesOnly) {
            self.types.subtract(schema.derived());
        }
        if flags.has(Flag::VirtualAttributesOnly) {
            self.types.intersect(schema.derived());
            self.with_options.clear();
        }
        self
    }

    fn add(&mut self, text: &str, schema: &Schema) {
        match text {
            "*" => self.types.union(schema.user()),
            "+" => self.types.union(schema.operational()),
            _ => match text.strip_prefix('@') {
                Some(class) => self.add_class(class, schema),
                None => self.add_description(text, schema),
            },
        }
    }

    fn add_class(&mut self, class: &str, schema: &Schema) {
        let Some(class) = schema.find_object_class(class) else { return };
        for id in class.must.iter().chain(&class.may) {
            self.add_type(*id, schema);
        }
    }

    fn add_description(&mut self, text: &str, schema: &Schema) {
        let Some(description) = schema.describe(text) else { return };
        if description.telling_options(schema).is_empty() {
            self.add_type(description.attribute_type, schema);
        } else {
            self.with_options.push(description);
        }
    }

    fn add_type(&mut self, id: AttributeTypeId, schema: &Schema) {
        for subtype in schema.subtypes(id) {
            self.types.insert(*subtype);
            self.named.insert(*subtype);
        }
    }

    /// Which of some types may be wanted.
    pub(super) fn wanted_of(&self, some: &AttributeSet) -> AttributeSet {
        let mut wanted = AttributeSet::EMPTY;
        if self.types.intersects(some) {
            wanted = self.types.clone();
            wanted.intersect(some);
        }
        let asked = self.with_options.iter().map(|description| description.attribute_type);
        asked.filter(|id| some.contains(*id)).for_each(|id| wanted.insert(id));
        wanted
    }

    /// Whether some attribute of the type may be wanted.
    pub(super) fn wants(&self, id: AttributeTypeId) -> bool {
        self.types.contains(id) || self.with_options.iter().any(|description| description.attribute_type == id)
    }

    /// Whether the type was asked for by its name.
    pub(super) fn names(&self, id: AttributeTypeId) -> bool {
        self.named.contains(id)
    }

    /// Whether this attribute is wanted.
    pub(super) fn selects(&self, attribute: &EncodedAttribute<'_>, schema: &Schema) -> bool {
        let id = attribute.attribute_type;
        self.types.contains(id)
            || self.with_options.iter().any(|asked| {
                schema.subtypes(asked.attribute_type).contains(&id) && has_options(attribute.options(), asked.options())
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::{Attribute, Attributes, Entry};

    fn selected(list: &[&str]) -> Vec<String> {
        let schema = Schema::standard();
        let attribute =
            |name: &str| Attribute { description: schema.describe(name).unwrap(), values: vec![b"x".to_vec()] };
        let names = ["objectClass", "cn", "cn;lang-en", "sn", "entryUUID", "userCertificate;binary"];
        let entry = Entry::encode(&names.map(attribute).into_iter().collect::<Attributes>(), &schema);
        let list: Vec<Bytes> = list.iter().map(|text| Bytes::copy_from_slice(text.as_bytes())).collect();
        let selection = Selection::read(&list, &schema);
        let selected = entry.attributes().filter(|attribute| selection.selects(attribute, &schema));
        selected.map(|attribute| attribute.description().to_owned()).collect()
    }

    #[test]
    fn an_empty_list_and_an_asterisk_mean_all_user_attributes() {
        let user = ["objectClass", "cn", "cn;lang-en", "sn", "userCertificate;binary"];
        assert_eq!(selected(&[]), user);
        assert_eq!(selected(&["*"]), user);
    }

    #[test]
    fn a_plus_means_all_operational_attributes() {
        assert_eq!(selected(&["+"]), ["entryUUID"]);
        assert_eq!(selected(&["*", "+"]).len(), 6);
    }

    #[test]
    fn one_dot_one_means_none_and_what_is_unknown_is_left_out() {
        assert_eq!(selected(&["1.1"]), [""; 0]);
        assert_eq!(selected(&["nosuch", "dn"]), [""; 0]);
        assert_eq!(selected(&["1.1", "sn"]), ["sn"]);
    }

    #[test]
    fn a_name_means_its_subtypes_too_and_is_returned_once() {
        assert_eq!(selected(&["CN", "cn", "2.5.4.3"]), ["cn", "cn;lang-en"]);
        assert_eq!(selected(&["name"]), ["cn", "cn;lang-en", "sn"]);
        assert_eq!(selected(&["cn;lang-en"]), ["cn;lang-en"]);
        assert_eq!(selected(&["userCertificate"]), ["userCertificate;binary"]);
        assert_eq!(selected(&["userCertificate;binary"]), ["userCertificate;binary"]);
    }

    #[test]
    fn an_object_class_means_its_attributes() {
        assert_eq!(selected(&["@person"]), ["objectClass", "cn", "cn;lang-en", "sn"]);
        assert_eq!(selected(&["@nosuch"]), [""; 0]);
    }
}
