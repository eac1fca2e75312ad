//! The guard against taking over somebody who may do more.
//!
//! Whoever sets a password can be its owner from then on. So a reset is refused if the owner holds any right over others
//! that the actor does not hold.

use std::iter;

use uuid::Uuid;

use super::actor::{Memberships, Moment, memberships_of};
use super::rule::{Rule, Rules};
use super::who::Who;
use super::{Actor, Right};
use crate::directory::tree::{Tree, TreeError};
use crate::directory::{Dn, Identity};

/// The name of a rule by which the entry called `dn` holds something that `actor` does not; `None` if there is none, and
/// the actor may be trusted with its password, or with giving an entry that name.
pub fn exceeds<'r>(
    uuid: Uuid,
    dn: &Dn,
    actor: &Actor,
    rules: &'r Rules,
    tree: &dyn Tree,
) -> Result<Option<&'r str>, TreeError> {
    let identity = Identity::Entry { uuid, dn: dn.clone().into() };
    let memberships = memberships_of(dn, tree)?;
    let owner = Actor::in_groups(identity, &memberships, Moment::Ever(actor.since), rules, tree)?;
    for (position, rule) in rules.iter().enumerate() {
        let holds = owner.is_named_by(position) || holds_through_attribute(rule, (dn, &memberships), &owner, tree)?;
        let gained = holds && grants_over_others(rule) && !is_covered(rule, position, actor, rules);
        let lost = is_denied_to_actor_only(rule, position, actor, &owner);
        if gained || lost {
            return Ok(Some(&rule.name));
        }
    }
    Ok(None)
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
    if rule.is_over(owner.since) {
        return Ok(false);
    }
    for who in &rule.who {
        let Who::HeldIn(attribute) = who else { continue };
        for name in iter::once(dn).chain(memberships.names.iter().map(AsRef::as_ref)) {
            if !tree.equal(*attribute, name.key())?.is_empty() {
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
