//! Names in rules that stand for nobody.
//!
//! A rule for a group that does not exist, or whose members only a search finds, grants nothing to anybody, which is safe; and
//! denies nothing to anybody, which is not.

use std::fmt;

use super::rule::{Rule, Rules, Source};
use super::who::Who;
use crate::directory::Dn;
use crate::directory::tree::{Tree, TreeError};

/// A name in a rule that stands for nobody.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NobodyMeant {
    /// The rule.
    pub rule: String,
    /// Where that stands.
    pub source: Source,
    /// The name.
    pub name: Dn,
    /// Why it stands for nobody.
    pub reason: Reason,
    /// What the rule does.
    pub effect: Effect,
}

/// Why a name stands for nobody.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// There is no entry of that name.
    Absent,
    /// The members of the group are found by a search (`memberURL`), and rules know only those that are named in it.
    FoundBySearch,
}

/// What a rule does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// It grants.
    Grant,
    /// It denies.
    Denial,
}

impl NobodyMeant {
    /// Whether the rule cannot have been meant like that: it denies, and will deny nothing whatever entries come to be.
    pub fn is_mistake(&self) -> bool {
        self.effect == Effect::Denial && self.reason == Reason::FoundBySearch
    }
}

impl fmt::Display for NobodyMeant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, source, name, reason, effect } = self;
        let why = match reason {
            Reason::Absent => "does not exist",
            Reason::FoundBySearch => {
                "has its members by memberURL, and rules know only those that are named in a group"
            }
        };
        let what = match effect {
            Effect::Grant => "grants",
            Effect::Denial => "denies",
        };
        write!(f, "{name} {why}: the rule {rule:?} ({source}) {what} nothing to it")
    }
}

/// The names in rules that stand for nobody.
pub fn nobody_meant(rules: &Rules, tree: &dyn Tree) -> Result<Vec<NobodyMeant>, TreeError> {
    let mut found = Vec::new();
    for rule in rules.iter() {
        for who in &rule.who {
            let (Who::Entry(name) | Who::Group(name)) = who else { continue };
            if let Some(reason) = reason(who, name, tree)? {
                let (rule_name, source, effect) = (rule.name.clone(), rule.source.clone(), effect(rule));
                found.push(NobodyMeant { rule: rule_name, source, name: name.clone(), reason, effect });
            }
        }
    }
    Ok(found)
}

const fn effect(rule: &Rule) -> Effect {
    if rule.is_denial() { Effect::Denial } else { Effect::Grant }
}

fn reason(who: &Who, name: &Dn, tree: &dyn Tree) -> Result<Option<Reason>, TreeError> {
    let Some(id) = tree.find(name)?.entry() else { return Ok(Some(Reason::Absent)) };
    let Some(node) = tree.node(id)? else { return Ok(Some(Reason::Absent)) };
    let is_searched = matches!(who, Who::Group(_)) && node.entry.has(tree.schema().known().member_url);
    Ok(is_searched.then_some(Reason::FoundBySearch))
}
