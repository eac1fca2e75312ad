//! LDIF (RFC 2849): entries and changes as text.
//!
//! Reading and writing know nothing of the schema: names are text and values are octets.

mod read;
mod write;

pub use read::{LdifError, LdifErrorKind, Reader};
pub use write::{write_attribute, write_dn, write_line};

use super::modification::ModificationKind;

/// One record: a name and what is said of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// The line that it begins on, from 1.
    pub line: usize,
    /// The name, as text.
    pub dn: String,
    /// Object identifiers of controls, whether each is critical, and its value.
    pub controls: Vec<(String, bool, Option<Vec<u8>>)>,
    /// What is said.
    pub body: Body,
}

/// What a record says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Body {
    /// The entry has these attributes.
    Content(Vec<(String, Vec<u8>)>),
    /// `changetype: add`
    Add(Vec<(String, Vec<u8>)>),
    /// `changetype: delete`
    Delete,
    /// `changetype: modify`: the changes, in order.
    Modify(Vec<AttributeChange>),
    /// `changetype: modrdn` or `moddn`
    ModifyDn {
        /// The new RDN.
        new_rdn: String,
        /// Whether the old RDN's values go.
        delete_old_rdn: bool,
        /// The entry to move below.
        new_superior: Option<String>,
    },
}

/// What is done with an attribute and some values; as text, where a [`Modification`](super::Modification) knows the schema.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AttributeChange {
    /// What is to be done.
    pub kind: ModificationKind,
    /// With which attribute.
    pub attribute: String,
    /// With which values.
    pub values: Vec<Vec<u8>>,
}

impl Record {
    /// The attributes of a content or add record, one value each; none of others.
    pub fn attributes(&self) -> &[(String, Vec<u8>)] {
        match &self.body {
            Body::Content(attributes) | Body::Add(attributes) => attributes,
            Body::Delete | Body::Modify(_) | Body::ModifyDn { .. } => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A name that is no word of LDIF itself, which no attribute has.
    fn name() -> impl Strategy<Value = String> {
        let is_free =
            |name: &String| !["dn", "control", "changetype"].iter().any(|word| name.eq_ignore_ascii_case(word));
        "[a-zA-Z][a-zA-Z0-9;-]{0,10}".prop_filter("a word of LDIF", is_free)
    }

    proptest! {
        #[test]
        fn writing_and_reading_are_inverse(
            dn in "[a-z]{1,5}=[ -~äöü]{0,90}",
            attributes in proptest::collection::vec(
                (name(), proptest::collection::vec(any::<u8>(), 0..200)), 1..6),
        ) {
            let mut text = Vec::new();
            write_dn(&mut text, &dn);
            for (name, value) in &attributes {
                write_attribute(&mut text, name, value);
            }
            let records: Vec<_> = Reader::new(text.as_slice()).collect();
            let record = records.into_iter().next().unwrap().unwrap();
            prop_assert_eq!(&record.dn, &dn);
            prop_assert_eq!(record.attributes(), &attributes);
        }

        #[test]
        fn lines_are_at_most_76_octets(value in proptest::collection::vec(any::<u8>(), 0..500)) {
            let mut text = Vec::new();
            write_attribute(&mut text, "description", &value);
            prop_assert!(text.split(|octet| *octet == b'\n').all(|line| line.len() <= 76));
        }

        #[test]
        fn no_text_makes_reading_panic(text in "(dn|cn|changetype|add|-|version|control|:|::|:<| |\n|#|a|1){0,30}") {
            let _ = Reader::new(text.as_bytes()).count();
        }
    }
}
