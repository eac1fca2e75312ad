//! Rules that are out of force, since with the entries that there are they grant what an assertion says nobody may.
//!
//! Whoever writes data is mostly not whoever writes rules. So that nothing opens that must not, such a rule grants nothing until
//! the data is mended; what it denies it goes on denying.

use std::fmt;

use super::rule::{Rule, Source};
use super::violation::Counterexample;
use crate::directory::Dn;
use crate::directory::tree::{Tree, TreeError, Version};

/// A rule that grants nothing for the time being.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Withheld {
    /// By whom it would be broken what must hold.
    pub example: Counterexample,
    /// When the rule was written last, if it is one of the tree: what is written again was looked at when it was.
    written: Version,
}

impl Withheld {
    /// The rule that an example was found for.
    pub(super) fn by(example: Counterexample, tree: &dyn Tree) -> Result<Self, TreeError> {
        let id = match &example.rule_source {
            Source::Entry(dn) => tree.find(dn)?.entry(),
            Source::Line(_) | Source::Made => None,
        };
        let written = id.map(|id| tree.node(id)).transpose()?.flatten().map_or(0, |node| node.version);
        Ok(Self { example, written })
    }

    /// Whether it is that rule of the configuration.
    pub(super) fn is_of(&self, rule: &Rule) -> bool {
        (&self.example.rule, &self.example.rule_source) == (&rule.name, &rule.source)
    }

    /// Whether it is the rule that an entry is, which was written last at `version`.
    pub(super) fn is_of_entry(&self, dn: &Dn, version: Version) -> bool {
        matches!(&self.example.rule_source, Source::Entry(own) if **own == *dn) && version <= self.written
    }

    /// Whether another is about the same rule and the same assertion, perhaps for somebody else.
    pub fn is_as(&self, other: &Self) -> bool {
        let of = |one: &Self| (one.example.rule.clone(), one.example.assertion.clone());
        of(self) == of(other)
    }
}

impl fmt::Display for Withheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counterexample { rule, rule_source, .. } = &self.example;
        write!(
            f,
            "the rule {rule:?} ({rule_source}) is out of force and grants nothing until this is mended: {}",
            self.example
        )
    }
}
