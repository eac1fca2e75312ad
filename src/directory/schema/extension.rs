//! What a directory adds to its schema itself: definitions that clients have added to the subschema subentry (RFC 4512
//! §4.4), kept beside the entries.

use std::sync::Arc;

use super::builder::{SchemaError, SchemaErrorKind};
use super::definition::{Definition, DefinitionError, first_component};
use super::{Schema, SchemaBuilder, foreign};
use crate::directory::{Entry, Timestamp, ldif};

/// What a directory may add to its schema.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DefinitionKind {
    /// An attribute type.
    AttributeType,
    /// An object class.
    ObjectClass,
    /// A DIT content rule, which bears the number of the structural class that it is about.
    ContentRule,
}

impl DefinitionKind {
    /// All, in an order in which they can be added: what comes later may name what came before.
    pub const ALL: [Self; 3] = [Self::AttributeType, Self::ObjectClass, Self::ContentRule];

    /// The attribute of the subschema subentry that has such definitions.
    pub const fn attribute(self) -> &'static str {
        match self {
            Self::AttributeType => "attributeTypes",
            Self::ObjectClass => "objectClasses",
            Self::ContentRule => "dITContentRules",
        }
    }

    /// The kind of the definitions that an attribute has.
    pub fn of_attribute(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.attribute().eq_ignore_ascii_case(name))
    }
}

/// The definitions that a directory adds to its schema, and when the schema was changed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Extension {
    /// Attribute types.
    pub attribute_types: Vec<String>,
    /// Object classes.
    pub object_classes: Vec<String>,
    /// DIT content rules.
    pub content_rules: Vec<String>,
    /// Since when there is a schema here.
    pub created: Timestamp,
    /// When it was changed last, be it by a client or by a new configuration.
    pub modified: Timestamp,
    /// Who changed it last; empty if it was the configuration.
    pub modifier: String,
}

impl Extension {
    /// Whether it defines nothing.
    pub const fn is_empty(&self) -> bool {
        self.attribute_types.is_empty() && self.object_classes.is_empty() && self.content_rules.is_empty()
    }

    /// The definitions of a kind.
    pub const fn texts(&self, kind: DefinitionKind) -> &Vec<String> {
        match kind {
            DefinitionKind::AttributeType => &self.attribute_types,
            DefinitionKind::ObjectClass => &self.object_classes,
            DefinitionKind::ContentRule => &self.content_rules,
        }
    }

    /// The definitions of a kind, to be changed.
    pub const fn texts_mut(&mut self, kind: DefinitionKind) -> &mut Vec<String> {
        match kind {
            DefinitionKind::AttributeType => &mut self.attribute_types,
            DefinitionKind::ObjectClass => &mut self.object_classes,
            DefinitionKind::ContentRule => &mut self.content_rules,
        }
    }

    /// All definitions.
    pub fn all(&self) -> impl Iterator<Item = &String> {
        DefinitionKind::ALL.into_iter().flat_map(|kind| self.texts(kind))
    }

    /// Its definitions as the lines of an LDIF record.
    pub fn write_definitions(&self, out: &mut Vec<u8>) {
        for kind in DefinitionKind::ALL {
            for text in self.texts(kind) {
                ldif::write_attribute(out, kind.attribute(), text.as_bytes());
            }
        }
    }

    /// All of it as an LDIF record.
    pub fn to_ldif(&self) -> Vec<u8> {
        let mut out = b"dn: cn=Subschema\n".to_vec();
        ldif::write_attribute(&mut out, "createTimestamp", self.created.to_string().as_bytes());
        ldif::write_attribute(&mut out, "modifyTimestamp", self.modified.to_string().as_bytes());
        if !self.modifier.is_empty() {
            ldif::write_attribute(&mut out, "modifiersName", self.modifier.as_bytes());
        }
        self.write_definitions(&mut out);
        out
    }

    /// Reads what [`Extension::to_ldif`] has written, or an entry that has definitions. Whatever else stands there is
    /// passed over.
    pub fn from_ldif(text: &[u8]) -> Result<Self, SchemaError> {
        let failed = |reason: String| SchemaError {
            origin: "cn=Subschema".to_owned(),
            definition: "the record".to_owned(),
            kind: SchemaErrorKind::Ldif(reason),
        };
        let mut extension = Self::default();
        for record in ldif::Reader::new(text) {
            let record = record.map_err(|error| failed(error.to_string()))?;
            for (name, value) in record.attributes() {
                extension.take(name, value);
            }
        }
        Ok(extension)
    }

    /// Takes one value of an entry, if it says something of the schema.
    pub fn take(&mut self, name: &str, value: &[u8]) {
        let text = || String::from_utf8_lossy(value).into_owned();
        if let Some(kind) = DefinitionKind::of_attribute(name) {
            self.texts_mut(kind).push(text());
        }
        match name.to_ascii_lowercase().as_str() {
            "createtimestamp" => self.created = Timestamp::parse(value).unwrap_or_default(),
            "modifytimestamp" => self.modified = Timestamp::parse(value).unwrap_or_default(),
            "modifiersname" => self.modifier = text(),
            _ => {}
        }
    }

    /// Without the definitions that a schema has of its own: they may have moved into its files.
    #[must_use]
    pub fn without_defined(mut self, schema: &Schema) -> Self {
        for kind in DefinitionKind::ALL {
            let is_own = |text: &String| Definition::parse(text).map_or(true, |own| !schema.is_fixed(kind, &own.oid));
            self.texts_mut(kind).retain(is_own);
        }
        self
    }
}

/// Reads a definition that is to be added: its number, and its text in one line. What holds passwords under names that are
/// known for that is marked as secret, as in files of others.
pub fn read_addition(text: &str) -> Result<(String, String), DefinitionError> {
    let definition = Definition::parse(text)?;
    let line = text.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    let is_secret = foreign::is_secret(definition.all("NAME")) && !definition.is_marked("X-SECRET");
    let line = if is_secret { foreign::marked_as_secret(&line) } else { line };
    Ok((definition.oid, line))
}

impl Schema {
    /// What the directory itself adds.
    pub const fn extension(&self) -> &Extension {
        &self.extension
    }

    /// Whether a definition is built in or comes with the configuration, so that clients cannot change it.
    pub fn is_fixed(&self, kind: DefinitionKind, oid: &str) -> bool {
        match kind {
            DefinitionKind::AttributeType | DefinitionKind::ObjectClass => self.base.defines(oid),
            DefinitionKind::ContentRule => self.base.has_content_rule(oid),
        }
    }

    /// What its extension is with those of other definitions that it has not.
    pub fn with_additions(&self, others: &Extension) -> Result<Extension, SchemaError> {
        let mut extension = self.extension.clone();
        for kind in DefinitionKind::ALL {
            for text in others.texts(kind) {
                let (oid, line) = read_addition(text).map_err(|error| SchemaError {
                    origin: "cn=Subschema".to_owned(),
                    definition: text.chars().take(60).collect(),
                    kind: error.into(),
                })?;
                let own = extension.texts_mut(kind);
                let is_of = |other: &String| first_component(other.as_bytes()).is_some_and(|number| number == oid);
                if !self.is_fixed(kind, &oid) && !own.iter().any(is_of) {
                    own.push(line);
                }
            }
        }
        Ok(extension)
    }

    /// The same schema with another extension. Whatever has a number keeps it.
    pub fn extended(&self, extension: Extension) -> Result<Self, SchemaError> {
        let numbering = self.numbering().map(|(id, oid)| (oid.to_owned(), id));
        let base = SchemaBuilder::clone(&self.base).with_numbering(numbering);
        SchemaBuilder::build_extended(&Arc::new(base), extension)
    }

    /// Whether an entry has something that the extension defines.
    pub fn extension_is_used_by(&self, entry: &Entry) -> bool {
        if self.extension.is_empty() {
            return false;
        }
        let added = |class: &str| self.find_object_class(class).is_some_and(|class| !self.base.defines(&class.oid));
        let classes = || entry.values(self.known.object_class).filter_map(|value| std::str::from_utf8(value).ok());
        entry.attributes().any(|one| self.extended_by.contains(one.attribute_type)) || classes().any(added)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: &str =
        "( 1.3.6.1.4.1.99999.1.1 NAME 'shoeSize' EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 )";
    const WEARER: &str = "( 1.3.6.1.4.1.99999.2.1 NAME 'wearer' SUP top AUXILIARY MUST shoeSize )";

    const RULE: &str = "( 2.5.6.6 NAME 'people' AUX wearer NOT seeAlso )";

    fn extension() -> Extension {
        let time = Timestamp::parse(b"20260601120000Z").unwrap();
        Extension {
            attribute_types: vec![SIZE.to_owned()],
            object_classes: vec![WEARER.to_owned()],
            content_rules: vec![RULE.to_owned()],
            created: time,
            modified: time,
            modifier: "cn=admin,dc=example".to_owned(),
        }
    }

    #[test]
    fn numbers_stay_whatever_is_added_and_taken_away() {
        let standard = Schema::standard();
        let first = standard.extended(extension()).unwrap();
        let id = first.find_attribute_type("shoeSize").unwrap().id;
        assert_eq!(id.index(), standard.attribute_types().len());
        let without = first.extended(Extension::default()).unwrap();
        assert!(without.find_attribute_type("shoeSize").is_none());
        let other = SIZE.replace("99999.1.1", "99999.1.2");
        let both = Extension { attribute_types: vec![other, SIZE.replace("shoeSize", "size")], ..Extension::default() };
        let again = without.extended(both).unwrap();
        assert_eq!(again.find_attribute_type("size").unwrap().id, id);
        assert_eq!(again.find_attribute_type("shoeSize").unwrap().id.index(), id.index() + 1);
        for attribute in standard.attribute_types() {
            assert_eq!(again.find_attribute_type(&attribute.oid).unwrap().id, attribute.id);
        }
        for class in standard.object_classes() {
            assert_eq!(first.find_object_class(&class.oid).unwrap().id, class.id);
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let text = extension().to_ldif();
        assert_eq!(Extension::from_ldif(&text).unwrap(), extension());
    }

    #[test]
    fn what_is_defined_elsewhere_is_left_out() {
        let cn = Schema::standard().find_attribute_type("cn").unwrap().definition.to_string();
        let both = Extension { attribute_types: vec![cn, SIZE.to_owned()], ..Extension::default() };
        assert_eq!(both.without_defined(&Schema::standard()).attribute_types, [SIZE]);
    }

    #[test]
    fn names_that_are_known_to_hold_passwords_are_secret() {
        let text = SIZE.replace("shoeSize", "sambaNTPassword");
        assert!(read_addition(&text).unwrap().1.ends_with("X-SECRET 'TRUE' )"));
        assert_eq!(read_addition(SIZE).unwrap().1, SIZE);
    }
}
