//! What is to hold between entries, as it is written and as operations take it.

use std::ops::Range;

use toml::Spanned;

use super::raw::{RawAllocation, RawConfig, RawConstraint, RawUnique};
use super::resolve::Faults;
use crate::directory::Schema;
use crate::operations::integrity::{
    Allocation, AllocationText, Allocations, Constraint, ConstraintText, Constraints, Integrity, IntegrityError,
    MemberOf, References, Unique, UniqueText, Uniqueness,
};
use crate::store::{IndexKind, IndexedAttribute};

/// What is to hold between entries; what is absent is as usual.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct IntegrityText {
    /// The attributes whose values follow the entries that they name.
    pub references: Option<Vec<String>>,
    /// What no two entries share.
    pub unique: Option<Vec<UniqueText>>,
    /// What values are like.
    pub constraints: Vec<ConstraintText>,
    /// Numbers that entries are given.
    pub allocations: Vec<AllocationText>,
    /// Whose groups `memberOf` tells.
    pub member_of: MemberOf,
}

impl IntegrityText {
    pub(super) fn resolve(raw: &RawConfig) -> Self {
        let (unique, raw_integrity) = (raw.unique.as_deref(), &raw.integrity);
        let name = |name: &Spanned<String>| name.get_ref().clone();
        let references = raw_integrity.references.as_ref().map(|names| names.iter().map(name).collect());
        let unique = unique.map(|list| list.iter().map(|one| unique_text(one.get_ref())).collect());
        let constraints = raw.constraint.iter().map(|one| constraint_text(one.get_ref())).collect();
        let member_of = if raw_integrity.nested_member_of { MemberOf::Nested } else { MemberOf::Direct };
        let allocations = raw.allocate.iter().map(|one| allocation_text(one.get_ref())).collect();
        Self { references, unique, constraints, allocations, member_of }
    }

    /// What operations take.
    pub fn prepare(&self, schema: &Schema) -> Result<Integrity, IntegrityError> {
        let usual = Integrity::usual(schema);
        let references = self.references.as_ref().map(|names| References::prepare(names, schema)).transpose()?;
        let unique = self.unique.as_ref().map(|list| Uniqueness::prepare(list, schema)).transpose()?;
        Ok(Integrity {
            references: references.unwrap_or(usual.references),
            unique: unique.unwrap_or(usual.unique),
            constraints: Constraints::prepare(&self.constraints, schema)?,
            allocations: Allocations::prepare(&self.allocations, schema)?,
            member_of: self.member_of,
        })
    }

    /// The indexes that are asked for, and those that are needed besides to find whom a change concerns.
    pub(super) fn indexes(&self, asked: Option<Vec<IndexedAttribute>>) -> Option<Vec<IndexedAttribute>> {
        let unique = self.unique.iter().flatten().flat_map(|unique| &unique.attributes);
        let needed = self.references.iter().flatten().chain(unique);
        let by_equality =
            |name: &String| IndexedAttribute { attribute: name.clone(), kinds: vec![IndexKind::Equality] };
        let numbered = |given: &AllocationText| IndexedAttribute {
            attribute: given.attribute.clone(),
            kinds: vec![IndexKind::Equality, IndexKind::Ordering],
        };
        let needed: Vec<_> = needed.map(by_equality).chain(self.allocations.iter().map(numbered)).collect();
        if needed.is_empty() {
            return asked;
        }
        Some(asked.unwrap_or_else(IndexedAttribute::usual).into_iter().chain(needed).collect())
    }
}

fn unique_text(raw: &RawUnique) -> UniqueText {
    UniqueText { attributes: raw.attributes.to_vec(), base: raw.base.clone(), filter: raw.filter.clone() }
}

fn constraint_text(raw: &RawConstraint) -> ConstraintText {
    ConstraintText {
        name: raw.name.clone(),
        attributes: raw.attributes.to_vec(),
        base: raw.base.clone(),
        filter: raw.filter.clone(),
        regex: raw.regex.clone(),
        count: raw.count,
        octets: raw.octets,
    }
}

fn allocation_text(raw: &RawAllocation) -> AllocationText {
    AllocationText {
        attribute: raw.attribute.clone(),
        class: raw.class.clone(),
        from: raw.from,
        to: raw.to,
        base: raw.base.clone(),
        magic: raw.magic.clone(),
    }
}

/// Where in the file stands what only the schema can judge.
#[derive(Debug)]
pub(super) struct Spans {
    references: Vec<Range<usize>>,
    unique: Vec<Range<usize>>,
    constraints: Vec<Range<usize>>,
    allocations: Vec<Range<usize>>,
}

impl Spans {
    pub(super) fn of(raw: &RawConfig) -> Self {
        Self {
            references: raw.integrity.references.iter().flatten().map(Spanned::span).collect(),
            unique: raw.unique.iter().flatten().map(Spanned::span).collect(),
            constraints: raw.constraint.iter().map(Spanned::span).collect(),
            allocations: raw.allocate.iter().map(Spanned::span).collect(),
        }
    }

    pub(super) fn check(&self, text: &IntegrityText, schema: &Schema, faults: &mut Faults<'_>) {
        for (name, span) in text.references.iter().flatten().zip(&self.references) {
            if let Err(error) = References::prepare(&[name], schema) {
                faults.add(Some(span.clone()), "integrity.references", error.to_string());
            }
        }
        for (unique, span) in text.unique.iter().flatten().zip(&self.unique) {
            if let Err(error) = Unique::prepare(unique, schema) {
                faults.add(Some(span.clone()), "unique", error.to_string());
            }
        }
        for (constraint, span) in text.constraints.iter().zip(&self.constraints) {
            if let Err(error) = Constraint::prepare(constraint, schema) {
                faults.add(Some(span.clone()), "constraint", error.to_string());
            }
        }
        for (allocation, span) in text.allocations.iter().zip(&self.allocations) {
            if let Err(error) = Allocation::prepare(allocation, schema) {
                faults.add(Some(span.clone()), "allocate", error.to_string());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{Config, ConfigError};

    fn parse(text: &str) -> Result<Config, String> {
        let small = "[directory]\nsuffix = \"dc=example\"\ndata = \"db\"\n[[listen]]\nurl = \"ldap://127.0.0.1:0\"\n";
        Config::parse(Path::new("/nowhere/keystead.toml"), &[small, text].concat()).map_err(|error| match error {
            ConfigError::Faults { faults, .. } => faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
            ConfigError::Unreadable { .. } => String::new(),
        })
    }

    #[test]
    fn what_cannot_hold_is_told_with_its_line() {
        for (text, fault) in [
            ("[integrity]\nreferences = [\"member\", \"shoeSize\"]\n", "line 7: integrity.references: "),
            ("[integrity]\nreferences = [\"sn\"]\n", "line 7: integrity.references: the values of \"sn\" are no names"),
            ("[integrity]\nreferences = [\"memberOf\"]\n", "line 7: integrity.references: entries cannot be found by"),
            ("[[unique]]\nattributes = \"userPassword\"\n", "line 6: unique: entries cannot be found by"),
            ("[[unique]]\nattributes = [\"jpegPhoto\"]\n", "line 6: unique: entries cannot be found by"),
            ("[[unique]]\nattributes = \"uid\"\nbase = \"people\"\n", "line 6: unique: the base \"people\""),
            ("[[unique]]\nattributes = \"uid\"\nfilter = \"uid\"\n", "line 6: unique: the filter: "),
            ("[[constraint]]\nname = \"x\"\nattributes = \"sn\"\n", "line 6: constraint: give at least one of regex"),
            (
                "[[constraint]]\nname = \"x\"\nattributes = \"sn\"\nregex = \"(\"\n",
                "line 6: constraint: the regular expression \"(\": ",
            ),
            (
                "[[constraint]]\nname = \"x\"\nattributes = \"userPassword\"\ncount = 1\n",
                "line 6: constraint: values of \"userPassword\" cannot be constrained",
            ),
            (
                "[[allocate]]\nattribute = \"uidNumber\"\nclass = \"posixAccount\"\nfrom = 9\nto = 8\n",
                "line 6: allocate: the range from 9 to 8 holds no number",
            ),
            (
                "[[allocate]]\nattribute = \"uid\"\nclass = \"posixAccount\"\nfrom = 1\nto = 8\n",
                "line 6: allocate: the values of \"uid\" are no whole numbers",
            ),
            (
                "[[allocate]]\nattribute = \"uidNumber\"\nclass = \"x\"\nfrom = 1\nto = 8\n",
                "line 6: allocate: the object class \"x\" is not in the schema",
            ),
            ("[[constraint]]\nattributes = \"sn\"\ncount = 1\n", "line 6: "),
            (
                "[[constraint]]\nname = \"x\"\nattributes = []\ncount = 1\n",
                "line 6: constraint: give at least one attribute",
            ),
            (
                "[[constraint]]\nname = \"x\"\nattributes = \"shoeSize\"\ncount = 1\n",
                "line 6: constraint: the attribute",
            ),
        ] {
            let told = parse(text).unwrap_err();
            assert!(told.starts_with(fault), "{text}{told}");
        }
    }

    #[test]
    fn what_entries_must_be_found_by_has_an_index() {
        let config = parse("[[unique]]\nattributes = \"employeeType\"\n").unwrap();
        let has = |name: &str| config.indexes.iter().flatten().any(|index| index.attribute == name);
        assert!(has("employeeType") && has("cn"));
        assert_eq!(parse("[integrity]\nreferences = []\n").unwrap().indexes, None);
    }
}
