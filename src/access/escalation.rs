//! The guard against taking over somebody who may do more.
//!
//! Whoever sets a password can be its owner from then on. So a reset is refused if the owner holds any right over others
//! that the actor does not hold.

use std::iter;

use uuid::Uuid;

use super::actor::{Memberships, Moment, memberships_of, memberships_within};
use super::rule::{Rule, Rules};
use super::who::Who;
use super::work::{LOOKUP, Unbounded, Work};
use super::{Actor, Right, Rights};
use crate::directory::tree::{Tree, TreeError};
use crate::directory::{Dn, Identity, Timestamp};

/// The name of a rule by which the entry called `dn` holds something that `actor` does not; `None` if there is none, and
/// the actor may be trusted with its password, or with giving an entry that name.
pub fn exceeds<'r>(
    uuid: Uuid,
    dn: &Dn,
    actor: &Actor,
    rules: &'r Rules,
    tree: &dyn Tree,
) -> Result<Option<&'r str>, TreeError> {
    exceeds_within((uuid, dn), actor, rules, tree, &Unbounded)
}

/// The same, as far as the work goes.
pub fn exceeds_within<'r, W: Work>(
    (uuid, dn): (Uuid, &Dn),
    actor: &Actor,
    rules: &'r Rules,
    tree: &dyn Tree,
    work: &W,
) -> Result<Option<&'r str>, W::Stop> {
    let identity = Identity::Entry { uuid, dn: dn.clone().into() };
    let memberships = memberships_within(dn, tree, work)?;
    work.take(actor_cost(rules))?;
    let owner = Actor::in_groups(identity, &memberships, Moment::Ever(actor.since), rules, tree)?;
    let held_in = |rule: &&Rule| rule.who.iter().any(|who| matches!(who, Who::HeldIn(_)));
    let names = (memberships.names.len() + 1) * rules.iter().filter(held_in).count();
    work.take(LOOKUP * names as u64)?;
    for (position, rule) in rules.iter().enumerate() {
        // Each rule that the actor has may cover it.
        work.take(1 + rules.iter().len() as u64 / 32)?;
        let holds = owner.is_named_by(position) || holds_through_attribute(rule, (dn, &memberships), &owner, tree)?;
        let gained = holds && grants_over_others(rule) && !is_covered(rule, position, actor, rules);
        let lost = is_denied_to_actor_only(rule, position, actor, &owner) || is_denied_through(rule, actor, tree)?;
        if gained || lost {
            return Ok(Some(&rule.name));
        }
    }
    Ok(None)
}

/// What it costs to find how rules stand to somebody: for each that is for a group or a role, that is looked up.
pub(super) fn actor_cost(rules: &Rules) -> u64 {
    let cost = |rule: &Rule| 1 + LOOKUP * rule.who.iter().filter(|who| who.body().is_some()).count() as u64;
    rules.iter().map(cost).sum()
}

/// The name of a rule that is for a group called `dn`, which there is not yet, and by which its members would be granted, or
/// denied, what `actor` does not hold: whoever makes a group says who is in it.
pub fn opens<'r>(dn: &Dn, actor: &Actor, rules: &'r Rules) -> Option<&'r str> {
    let mut rules_for_it = rules.iter().enumerate().filter(|(_, rule)| is_for_group(rule, dn));
    let opening = rules_for_it.find(|(position, rule)| {
        let granted = grants_over_others(rule) && !is_covered(rule, *position, actor, rules);
        granted || denies_more(rule, actor, rules)
    });
    opening.map(|(_, rule)| rule.name.as_str())
}

/// The name of a rule of the configuration that denies, to the members of the group called `dn`, what `actor` does not hold,
/// or that denies it to the actor: without the group it would not be denied to its members.
pub fn closes<'r>(dn: &Dn, actor: &Actor, rules: &'r Rules, tree: &dyn Tree) -> Result<Option<&'r str>, TreeError> {
    if !rules.iter().any(|rule| rule.is_denial() && rule.who.iter().any(|who| who.body().is_some())) {
        return Ok(None);
    }
    let above = memberships_of(dn, tree)?;
    let mut names = iter::once(dn).chain(above.names.iter().map(AsRef::as_ref));
    let denying = |name: &Dn| {
        let all = rules.iter().enumerate();
        let mut denials = all.filter(|(_, rule)| !rule.is_delegated() && rule.is_denial() && is_for_group(rule, name));
        // What is denied to them they do not hold, whatever else grants it.
        denials.find(|(position, rule)| actor.is_named_by(*position) || denies_more(rule, actor, rules))
    };
    Ok(names.find_map(denying).map(|(_, rule)| rule.name.as_str()))
}

/// The name of a rule of the configuration that denies something to the group called `dn`: as long as it stands, that group is
/// neither deleted nor renamed, whoever wants it.
pub fn rests_on<'r>(dn: &Dn, rules: &'r Rules, now: Timestamp) -> Option<&'r str> {
    let denies_it =
        |rule: &&Rule| rule.is_denial() && !rule.is_delegated() && !rule.is_over(now) && is_for_group(rule, dn);
    rules.iter().find(denies_it).map(|rule| rule.name.as_str())
}

/// The rules by which somebody may hold over others what `actor` does not hold.
pub fn beyond<'r>(actor: &'r Actor, rules: &'r Rules) -> impl Iterator<Item = &'r Rule> {
    let theirs = rules.iter().enumerate().filter(|(position, rule)| {
        grants_over_others(rule) && !rule.is_over(actor.since) && !is_covered(rule, *position, actor, rules)
    });
    theirs.map(|(_, rule)| rule)
}

fn is_for_group(rule: &Rule, dn: &Dn) -> bool {
    rule.who.iter().any(|who| who.body() == Some(dn))
}

/// Whether a rule denies something that the actor does not hold themselves.
fn denies_more(rule: &Rule, actor: &Actor, rules: &Rules) -> bool {
    let granted = Rule { allow: rule.deny, deny: Rights::NONE, ..rule.clone() };
    let mut own = rules.iter().enumerate().filter(|(position, _)| actor.is_named_by(*position));
    rule.is_denial() && !own.any(|(_, own)| own.covers(&granted))
}

fn grants_over_others(rule: &Rule) -> bool {
    // To bind as somebody whose password one knows is no power over them.
    rule.allow.iter().any(|right| right != Right::Authenticate)
}

/// Whether some entry holds the owner, or a group of theirs, in an attribute that the rule grants something by.
fn holds_through_attribute(
    rule: &Rule,
    (dn, memberships): (&Dn, &Memberships),
    owner: &Actor,
    tree: &dyn Tree,
) -> Result<bool, TreeError> {
    let names = iter::once(dn).chain(memberships.names.iter().map(AsRef::as_ref));
    is_held(rule, &names.map(Dn::key), owner.since, tree)
}

/// A denial that binds the actor where an entry holds their name: on those it takes from them what the owner may keep. By
/// `self` nothing is taken from them that is power over others.
fn is_denied_through(rule: &Rule, actor: &Actor, tree: &dyn Tree) -> Result<bool, TreeError> {
    let denies_over_others = rule.deny.iter().any(|right| right != Right::Authenticate);
    if !denies_over_others || rule.is_delegated() {
        return Ok(false);
    }
    is_held(rule, &actor.names(), actor.since, tree)
}

/// Whether some entry holds one of these names in an attribute that the rule is for.
fn is_held<'n>(
    rule: &Rule,
    names: &(impl Iterator<Item = &'n [u8]> + Clone),
    now: Timestamp,
    tree: &dyn Tree,
) -> Result<bool, TreeError> {
    if rule.is_over(now) {
        return Ok(false);
    }
    for who in &rule.who {
        let Who::HeldIn(attribute) = who else { continue };
        for name in names.clone() {
            if !tree.equal(*attribute, name)?.is_empty() {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Whether the actor is granted as much, by that rule or by another, at least at the same times.
fn is_covered(rule: &Rule, position: usize, actor: &Actor, rules: &Rules) -> bool {
    let own = |position: usize| actor.is_named_by(position);
    own(position) || rules.iter().enumerate().any(|(position, other)| own(position) && other.covers(rule))
}

/// A denial that binds the actor and not the owner, now or at other times, is a right that the owner holds and the actor
/// lacks. One that stands in the tree takes nothing from what the configuration grants, and so nothing from whoever
/// resets by that.
fn is_denied_to_actor_only(rule: &Rule, position: usize, actor: &Actor, owner: &Actor) -> bool {
    rule.is_denial() && !rule.is_delegated() && actor.is_named_by(position) && !owner.is_named_by(position)
}
