//! Changes to the attributes of an entry (RFC 4511 §4.6, RFC 4525).

use std::borrow::Cow;
use std::collections::HashSet;

use super::schema::check::Violation;
use super::schema::{AttributeType, NormalForm};
use super::{AttributeDescription, Attributes, Schema};

/// What is to be done with an attribute.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ModificationKind {
    /// Add values.
    Add,
    /// Delete the values, or if none are given the attribute.
    Delete,
    /// Put the values in the place of all there are.
    Replace,
    /// Add the one value, a number, to each that there is.
    Increment,
}

/// One change of a modify operation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Modification {
    /// What is to be done.
    pub kind: ModificationKind,
    /// With which attribute.
    pub attribute: AttributeDescription,
    /// With which values.
    pub values: Vec<Vec<u8>>,
}

/// Why a change cannot be made.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ModificationError {
    /// A value to be added is there, or is given twice.
    #[error("the attribute {0} has that value already")]
    ValueExists(String),
    /// A value was to be added to an attribute that has one, and can have no other.
    #[error("the attribute {0} has a value already and can have only one: replace it")]
    HasOne(String),
    /// A value to be deleted is not there.
    #[error("the attribute {0} does not have that value")]
    NoSuchValue(String),
    /// The attribute to be deleted or incremented is not there.
    #[error("the entry has no attribute {0}")]
    NoSuchAttribute(String),
    /// A number is needed, and exactly one.
    #[error("{0} can only be incremented by one whole number")]
    NotANumber(String),
    /// The sum is out of range.
    #[error("{0} would become too large")]
    Overflow(String),
    /// A value breaks its syntax.
    #[error(transparent)]
    Violation(#[from] Violation),
}

impl Modification {
    /// Makes the change, or says why not; then the attributes may be half changed and must be thrown away.
    ///
    /// Replacing by nothing what is not there succeeds (RFC 4511 §4.6), and so does adding nothing.
    pub fn apply(&self, attributes: &mut Attributes, schema: &Schema) -> Result<(), ModificationError> {
        match self.kind {
            ModificationKind::Add => self.add(attributes, schema),
            ModificationKind::Delete => self.delete(attributes, schema),
            ModificationKind::Replace => self.replace(attributes, schema),
            ModificationKind::Increment => self.increment(attributes, schema),
        }
    }

    /// What is left to do if what has been done already is no error: adding what is there, and deleting what is not.
    pub fn remaining(&self, attributes: &Attributes, schema: &Schema) -> Option<Self> {
        let own = attributes.get(&self.attribute).map_or(&[][..], |attribute| &attribute.values);
        let defined = schema.attribute_type(self.attribute.attribute_type);
        let mut values = self.values.clone();
        match self.kind {
            ModificationKind::Add => {
                let mut taken = NormalValues::of(own, defined, schema);
                values.retain(|value| taken.insert(value));
            }
            ModificationKind::Delete if own.is_empty() => return None,
            ModificationKind::Delete => {
                let there = NormalValues::of(own, defined, schema);
                let mut seen = NormalValues::of(&[], defined, schema);
                values.retain(|value| there.contains(value) && seen.insert(value));
            }
            ModificationKind::Replace | ModificationKind::Increment => {}
        }
        let nothing = values.is_empty() && !self.values.is_empty();
        (!nothing).then(|| Self { values, ..self.clone() })
    }

    fn name(&self, schema: &Schema) -> String {
        self.attribute.to_text(schema).into_owned()
    }

    fn add(&self, attributes: &mut Attributes, schema: &Schema) -> Result<(), ModificationError> {
        let defined = schema.attribute_type(self.attribute.attribute_type);
        let own = attributes.values_mut(&self.attribute);
        let mut taken = NormalValues::of(own, defined, schema);
        for value in &self.values {
            schema.check_value(defined, value)?;
            if !taken.insert(value) {
                return Err(ModificationError::ValueExists(self.name(schema)));
            }
        }
        own.extend_from_slice(&self.values);
        attributes.prune();
        Ok(())
    }

    fn delete(&self, attributes: &mut Attributes, schema: &Schema) -> Result<(), ModificationError> {
        let defined = schema.attribute_type(self.attribute.attribute_type);
        if attributes.get(&self.attribute).is_none() {
            return Err(ModificationError::NoSuchAttribute(self.name(schema)));
        }
        let own = attributes.values_mut(&self.attribute);
        let mut gone = NormalValues::of(&[], defined, schema);
        // The same value given twice is missing the second time.
        let distinct = self.values.iter().all(|value| gone.insert(value));
        let before = own.len();
        own.retain(|value| !self.values.is_empty() && !gone.contains(value));
        let missing = !self.values.is_empty() && before - own.len() != self.values.len();
        attributes.prune();
        if missing || !distinct { Err(ModificationError::NoSuchValue(self.name(schema))) } else { Ok(()) }
    }

    fn replace(&self, attributes: &mut Attributes, schema: &Schema) -> Result<(), ModificationError> {
        attributes.values_mut(&self.attribute).clear();
        self.add(attributes, schema)
    }

    fn increment(&self, attributes: &mut Attributes, schema: &Schema) -> Result<(), ModificationError> {
        let name = || self.name(schema);
        let by = match self.values.as_slice() {
            [value] => number(value).ok_or_else(|| ModificationError::NotANumber(name()))?,
            _ => return Err(ModificationError::NotANumber(name())),
        };
        if attributes.get(&self.attribute).is_none() {
            return Err(ModificationError::NoSuchAttribute(name()));
        }
        for value in attributes.values_mut(&self.attribute) {
            let own = number(value).ok_or_else(|| ModificationError::NotANumber(name()))?;
            let sum = own.checked_add(by).ok_or_else(|| ModificationError::Overflow(name()))?;
            *value = sum.to_string().into_bytes();
        }
        Ok(())
    }
}

/// Values by their normal form, so that ten thousand new members are not each compared with ten thousand old ones.
struct NormalValues<'s> {
    forms: HashSet<Vec<u8>>,
    form: NormalForm,
    schema: &'s Schema,
}

impl<'s> NormalValues<'s> {
    fn of(values: &[Vec<u8>], attribute: &AttributeType, schema: &'s Schema) -> Self {
        let form = attribute.equality_or_fallback().normal_form();
        let mut normal = Self { forms: HashSet::new(), form, schema };
        for value in values {
            normal.insert(value);
        }
        normal
    }

    /// What cannot be compared is equal to its own octets only.
    fn form_of<'v>(&self, value: &'v [u8]) -> Cow<'v, [u8]> {
        self.form.of_value(self.schema, value).unwrap_or(Cow::Borrowed(value))
    }

    fn contains(&self, value: &[u8]) -> bool {
        self.forms.contains(self.form_of(value).as_ref())
    }

    fn insert(&mut self, value: &[u8]) -> bool {
        self.forms.insert(self.form_of(value).into_owned())
    }
}

fn number(value: &[u8]) -> Option<i64> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ModificationKind::{Add, Delete, Increment, Replace};

    fn apply(changes: &[(ModificationKind, &str, &[&str])]) -> Result<Vec<String>, ModificationError> {
        let schema = Schema::standard();
        let mail = schema.describe("mail").unwrap();
        let mut attributes = Attributes::new();
        attributes.set(mail.attribute_type, vec![b"bob@x".to_vec(), b"bob@y".to_vec()]);
        attributes.set_one(schema.describe("uidNumber").unwrap().attribute_type, "41");
        for (kind, name, values) in changes {
            let change = Modification {
                kind: *kind,
                attribute: schema.describe(name).unwrap(),
                values: values.iter().map(|value| value.as_bytes().to_vec()).collect(),
            };
            change.apply(&mut attributes, &schema)?;
        }
        let shown = attributes.iter().flat_map(|a| a.values.iter()).map(|v| String::from_utf8_lossy(v).into_owned());
        Ok(shown.collect())
    }

    #[test]
    fn adding_a_value_that_is_there_by_its_rule_fails() {
        let exists = Err(ModificationError::ValueExists("mail".into()));
        assert_eq!(apply(&[(Add, "mail", &["BOB@X"])]), exists);
        assert_eq!(apply(&[(Add, "mail", &["a@b", "A@B"])]), exists);
        assert_eq!(apply(&[(Add, "mail", &["a@b"])]).unwrap(), ["bob@x", "bob@y", "a@b", "41"]);
    }

    #[test]
    fn deleting_what_is_not_there_fails() {
        assert_eq!(apply(&[(Delete, "mail", &["x@y"])]), Err(ModificationError::NoSuchValue("mail".into())));
        assert_eq!(apply(&[(Delete, "cn", &[])]), Err(ModificationError::NoSuchAttribute("cn".into())));
    }

    #[test]
    fn deleting_the_last_value_deletes_the_attribute() {
        assert_eq!(apply(&[(Delete, "mail", &["bob@x"]), (Delete, "mail", &["BOB@Y"])]).unwrap(), ["41"]);
        assert_eq!(apply(&[(Delete, "mail", &[])]).unwrap(), ["41"]);
    }

    #[test]
    fn replacing_by_nothing_succeeds_whether_or_not_it_is_there() {
        assert_eq!(apply(&[(Replace, "mail", &[]), (Replace, "cn", &[])]).unwrap(), ["41"]);
        assert_eq!(apply(&[(Replace, "mail", &["n@m"])]).unwrap(), ["n@m", "41"]);
    }

    #[test]
    fn changes_are_made_in_order() {
        assert_eq!(
            apply(&[(Delete, "mail", &["bob@x"]), (Add, "mail", &["bob@x"])]).unwrap(),
            ["bob@y", "bob@x", "41"]
        );
    }

    #[test]
    fn increment_adds_one_number_to_every_value() {
        assert_eq!(apply(&[(Increment, "uidNumber", &["-2"])]).unwrap(), ["bob@x", "bob@y", "39"]);
        assert!(matches!(apply(&[(Increment, "uidNumber", &["x"])]), Err(ModificationError::NotANumber(_))));
        assert!(matches!(apply(&[(Increment, "uidNumber", &["1", "2"])]), Err(ModificationError::NotANumber(_))));
        assert!(matches!(apply(&[(Increment, "mail", &["1"])]), Err(ModificationError::NotANumber(_))));
        assert!(matches!(apply(&[(Increment, "gidNumber", &["1"])]), Err(ModificationError::NoSuchAttribute(_))));
        let max = i64::MAX.to_string();
        assert!(matches!(apply(&[(Increment, "uidNumber", &[&max])]), Err(ModificationError::Overflow(_))));
    }

    #[test]
    fn a_value_that_breaks_its_syntax_is_refused() {
        assert!(matches!(apply(&[(Replace, "uidNumber", &["x"])]), Err(ModificationError::Violation(_))));
    }
}
