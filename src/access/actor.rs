//! Somebody, with the groups that they are in.

use std::collections::HashSet;
use std::sync::Arc;

use super::Right;
use super::rule::{Rule, Rules, Who};
use crate::directory::schema::NormalForm;
use crate::directory::tree::{EntryId, Tree, TreeError, Version};
use crate::directory::{Dn, Identity};

/// How many groups are followed upwards from an entry. Whoever is in more is in all of these.
const MAX_GROUPS: usize = 10_000;

/// Somebody who wants something, with all that rules ask about them: good for as long as
/// [`Tree::membership_version`] stays the same.
#[derive(Clone, Debug)]
pub struct Actor {
    /// Who.
    pub identity: Identity,
    /// When it was found out.
    pub version: Version,
    /// For each rule, in order: whether it applies to them whatever the target is.
    applies: Vec<bool>,
}

impl Actor {
    /// Finds out about somebody.
    pub fn find(identity: Identity, rules: &Rules, tree: &dyn Tree) -> Result<Self, TreeError> {
        let version = tree.membership_version();
        let groups = match identity.dn() {
            Some(dn) if rules.iter().any(|rule| rule.who.iter().any(|who| matches!(who, Who::Group(_)))) => {
                groups_of(dn, tree)?
            }
            _ => HashSet::new(),
        };
        let mut applies = Vec::with_capacity(rules.iter().len());
        for rule in rules.iter() {
            applies.push(applies_to(rule, &identity, &groups, tree)?);
        }
        Ok(Self { identity, version, applies })
    }

    /// Whether some rule may let them find or read something.
    pub fn may_see_something(&self, rules: &Rules) -> bool {
        let may_apply = |position: usize, rule: &Rule| {
            let depends = rule.who.iter().any(|who| matches!(who, Who::Oneself | Who::HeldIn(_)));
            self.has_rule(position) || (depends && !self.identity.is_anonymous())
        };
        let shows = |rule: &Rule| rule.allow.has(Right::Search) || rule.allow.has(Right::Read);
        rules.iter().enumerate().any(|(position, rule)| shows(rule) && may_apply(position, rule))
    }

    /// Whether the rule of that position applies whatever the target is.
    pub fn has_rule(&self, position: usize) -> bool {
        self.applies.get(position) == Some(&true)
    }
}

fn applies_to(rule: &Rule, identity: &Identity, groups: &HashSet<EntryId>, tree: &dyn Tree) -> Result<bool, TreeError> {
    for who in &rule.who {
        let is_it = match who {
            Who::Anonymous => identity.is_anonymous(),
            Who::Authenticated => !identity.is_anonymous(),
            Who::Everyone => true,
            Who::LocalRoot => matches!(identity, Identity::LocalRoot),
            Who::Entry(dn) => identity.dn().is_some_and(|own| **own == *dn),
            Who::Below(dn) => identity.dn().is_some_and(|own| **own != *dn && own.is_within(dn)),
            Who::Group(dn) => match tree.find(dn)?.entry() {
                Some(group) => groups.contains(&group),
                // A group that does not exist has no members.
                None => false,
            },
            Who::Oneself | Who::HeldIn(_) => false,
        };
        if is_it {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The groups that `dn` is in, directly or through other groups.
pub fn groups_of(dn: &Dn, tree: &dyn Tree) -> Result<HashSet<EntryId>, TreeError> {
    let mut found = HashSet::new();
    let mut pending = vec![Arc::new(dn.clone())];
    while let Some(member) = pending.pop() {
        for group in direct_groups(&member, tree)? {
            if found.len() < MAX_GROUPS && found.insert(group) {
                pending.extend(tree.dn(group)?);
            }
        }
    }
    Ok(found)
}

/// The groups that name `dn` as a member.
pub fn direct_groups(dn: &Dn, tree: &dyn Tree) -> Result<Vec<EntryId>, TreeError> {
    let known = tree.schema().known();
    debug_assert_eq!(tree.schema().attribute_type(known.member).equality_or_fallback().normal_form(), NormalForm::Dn);
    let mut groups = tree.equal(known.member, dn.key())?;
    groups.extend(tree.equal(known.unique_member, dn.key())?);
    Ok(groups)
}
