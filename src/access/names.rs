//! Names in rules that stand for nobody.
//!
//! A rule for a group that does not exist, or whose members only a search finds, grants nothing to anybody, which is safe. One
//! that denies something to a group that does not exist denies it to everybody, and to one whose members only a search finds, to
//! nobody: neither can be meant.

use std::fmt;

use super::assertion::{Assertion, Extent};
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
    /// There is no group of that name.
    AbsentGroup,
    /// There is no role of that name.
    AbsentRole,
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
    /// Whether the rule cannot have been meant like that: it is one of the configuration and denies something to a group that is
    /// not there, or whose members it does not know. One of the tree stays the business of whoever may write there.
    pub fn is_mistake(&self) -> bool {
        self.effect == Effect::Denial && self.reason != Reason::Absent && !matches!(self.source, Source::Entry(_))
    }
}

impl fmt::Display for NobodyMeant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, source, name, reason, effect } = self;
        let body = match reason {
            Reason::AbsentGroup if *effect == Effect::Denial => Some("group"),
            Reason::AbsentRole if *effect == Effect::Denial => Some("role"),
            _ => None,
        };
        if let Some(body) = body {
            return write!(
                f,
                "the {body} {name} does not exist: what the rule {rule:?} ({source}) denies to it is denied to everybody but the \
                 superuser of this machine; make the {body}, or take it out of the rule"
            );
        }
        let why = match reason {
            Reason::Absent | Reason::AbsentGroup | Reason::AbsentRole => "does not exist",
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
            let (Who::Entry(name) | Who::Group(name) | Who::Role(name)) = who else { continue };
            if let Some(reason) = reason(who, name, tree)? {
                let (rule_name, source, effect) = (rule.name.clone(), rule.source.clone(), effect(rule));
                found.push(NobodyMeant { rule: rule_name, source, name: name.clone(), reason, effect });
            }
        }
    }
    Ok(found)
}

/// A group or role that an assertion names and that does not exist: of its members the assertion says nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NobodyAsserted {
    /// The assertion.
    pub assertion: String,
    /// Where that stands.
    pub source: Source,
    /// The name.
    pub name: Dn,
}

impl fmt::Display for NobodyAsserted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { assertion, source, name } = self;
        write!(f, "{name} does not exist: the assertion {assertion:?} ({source}) says nothing of its members")
    }
}

/// The groups and roles in assertions that do not exist.
pub fn nobody_asserted(assertions: &[Assertion], tree: &dyn Tree) -> Result<Vec<NobodyAsserted>, TreeError> {
    let mut found = Vec::new();
    for assertion in assertions {
        let named = assertion.who.iter().chain(&assertion.except).filter_map(|who| match who {
            Who::Group(name) | Who::Role(name) => Some(name),
            _ => None,
        });
        let members = assertion.to.iter().filter_map(|extent| match extent {
            Extent::Members(name) => Some(name),
            Extent::Reach(_) => None,
        });
        for name in named.chain(members) {
            if tree.find(name)?.entry().is_none() {
                let (name, source) = (name.clone(), assertion.source.clone());
                found.push(NobodyAsserted { assertion: assertion.name.clone(), source, name });
            }
        }
    }
    Ok(found)
}

const fn effect(rule: &Rule) -> Effect {
    if rule.is_denial() { Effect::Denial } else { Effect::Grant }
}

fn reason(who: &Who, name: &Dn, tree: &dyn Tree) -> Result<Option<Reason>, TreeError> {
    let is_group = matches!(who, Who::Group(_));
    let absent = match who {
        Who::Group(_) => Reason::AbsentGroup,
        Who::Role(_) => Reason::AbsentRole,
        _ => Reason::Absent,
    };
    let Some(id) = tree.find(name)?.entry() else { return Ok(Some(absent)) };
    let Some(node) = tree.node(id)? else { return Ok(Some(absent)) };
    let is_searched = is_group && node.entry.has(tree.schema().known().member_url);
    Ok(is_searched.then_some(Reason::FoundBySearch))
}
