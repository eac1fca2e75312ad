//! The schema (RFC 4512 §4): which attributes and object classes exist, and how their values are checked and compared.
//!
//! A [`Schema`] is built once from definitions by a [`SchemaBuilder`] and then only read. What a definition inherits is
//! resolved while building, so that a look-up is all that remains.

mod attribute_set;
mod attribute_type;
mod builder;
pub mod check;
mod content_rule;
pub mod definition;
mod extension;
mod foreign;
mod matching_rule;
mod names;
mod normal_form;
mod object_class;
pub mod prepare;
mod publish;
mod standard;
mod syntax;
mod well_known;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use attribute_set::AttributeSet;
pub use attribute_type::{AttributeType, AttributeTypeId, Traits, Usage};
pub use builder::{SchemaBuilder, SchemaError, SchemaErrorKind};
pub use content_rule::ContentRule;
pub use extension::{DefinitionKind, Extension, read_addition};
pub use matching_rule::{MatchingRule, RuleKind, Special};
use names::Names;
pub use normal_form::{NormalForm, NotComparable, name_and_bits};
pub use object_class::{ObjectClass, ObjectClassId, ObjectClassKind};
pub use publish::Publication;
pub use syntax::Syntax;
pub use well_known::WellKnown;

use super::AttributeDescription;

/// The schema of a directory.
#[derive(Debug)]
pub struct Schema {
    attribute_types: Vec<AttributeType>,
    /// Stands in for a number that no type has, so that looking one up needs no branch at every call.
    undefined: AttributeType,
    attribute_names: Names<AttributeTypeId>,
    /// For every type, itself and all that derive from it.
    subtypes: Vec<Vec<AttributeTypeId>>,
    object_classes: Vec<ObjectClass>,
    class_names: Names<ObjectClassId>,
    content_rules: Vec<ContentRule>,
    /// What was read otherwise than it stands in a file of somebody else.
    remarks: Vec<String>,
    known: WellKnown,
    all: AttributeSet,
    user: AttributeSet,
    operational: AttributeSet,
    secret: AttributeSet,
    derived: AttributeSet,
    beside: AttributeSet,
    collective: AttributeSet,
    /// The types that the extension defines.
    extended_by: AttributeSet,
    /// Every number that was ever given out.
    numbering: BTreeMap<AttributeTypeId, Box<str>>,
    /// The definitions that are built in or come with the configuration.
    base: Arc<SchemaBuilder>,
    /// What the directory itself adds to them.
    extension: Extension,
}

impl Schema {
    /// The schema that is built into the binary: the files of the folder `schema/`.
    pub fn standard() -> Arc<Self> {
        standard::schema()
    }

    /// The attribute type of that number.
    pub fn attribute_type(&self, id: AttributeTypeId) -> &AttributeType {
        self.attribute_types.get(id.index()).unwrap_or(&self.undefined)
    }

    /// The attribute type of that name, in any case, or object identifier.
    pub fn find_attribute_type(&self, name: &str) -> Option<&AttributeType> {
        self.attribute_names.find(name).map(|id| self.attribute_type(id))
    }

    /// Every attribute type, by number.
    pub fn attribute_types(&self) -> &[AttributeType] {
        &self.attribute_types
    }

    /// The type and all types that derive from it: what a search for the type means (RFC 4512 §2.5.1).
    pub fn subtypes(&self, id: AttributeTypeId) -> &[AttributeTypeId] {
        self.subtypes.get(id.index()).map(Vec::as_slice).unwrap_or_default()
    }

    /// Reads an attribute description such as `cn;lang-en`; `None` if the type is not in the schema or an option is
    /// malformed.
    pub fn describe(&self, text: &str) -> Option<AttributeDescription> {
        AttributeDescription::parse(self, text)
    }

    /// The object class of that name, in any case, or object identifier.
    pub fn find_object_class(&self, name: &str) -> Option<&ObjectClass> {
        self.object_classes.get(usize::from(self.class_names.find(name)?.0))
    }

    /// The object class of that number.
    pub fn object_class(&self, id: ObjectClassId) -> Option<&ObjectClass> {
        self.object_classes.get(usize::from(id.0))
    }

    /// Every object class, by number.
    pub fn object_classes(&self) -> &[ObjectClass] {
        &self.object_classes
    }

    /// Every DIT content rule.
    pub fn content_rules(&self) -> &[ContentRule] {
        &self.content_rules
    }

    /// The DIT content rule that governs entries of a structural class.
    pub fn content_rule(&self, class: ObjectClassId) -> Option<&ContentRule> {
        self.content_rules.iter().find(|rule| rule.class == class)
    }

    /// What was left out of the files of somebody else, or read otherwise than it stands there: for whoever has configured
    /// them.
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// The object identifier behind a name, whatever kind of thing it names.
    pub fn oid_of(&self, name: &str) -> Option<&str> {
        if let Some(class) = self.find_object_class(name) {
            return Some(&class.oid);
        }
        if let Some(attribute) = self.find_attribute_type(name) {
            return Some(&attribute.oid);
        }
        MatchingRule::find(name).map(MatchingRule::oid)
    }

    /// The types that the server itself works with.
    pub const fn known(&self) -> &WellKnown {
        &self.known
    }

    /// Every attribute type.
    pub const fn everything(&self) -> &AttributeSet {
        &self.all
    }

    /// The user attributes, which `*` asks for.
    pub const fn user(&self) -> &AttributeSet {
        &self.user
    }

    /// The operational types, which `+` asks for.
    pub const fn operational(&self) -> &AttributeSet {
        &self.operational
    }

    /// The secret types, which nobody is shown.
    pub const fn secret(&self) -> &AttributeSet {
        &self.secret
    }

    /// What the server derives when it is asked for, see [`WellKnown::derived`].
    pub const fn derived(&self) -> &AttributeSet {
        &self.derived
    }

    /// What an entry shows that is not stored in it: what is derived, and what of the credentials is no secret.
    pub const fn beside_entries(&self) -> &AttributeSet {
        &self.beside
    }

    /// The collective types, whose values a collection of entries shares.
    pub const fn collective(&self) -> &AttributeSet {
        &self.collective
    }

    /// The number and object identifier of every attribute type, for a store to keep; also of those that are no longer
    /// defined, since numbers are not given out twice.
    pub fn numbering(&self) -> impl Iterator<Item = (AttributeTypeId, &str)> {
        self.numbering.iter().map(|(id, oid)| (*id, oid.as_ref()))
    }
}
