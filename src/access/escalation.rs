//! The guard against taking over somebody who may do more.
//!
//! Whoever sets a password can be its owner from then on. So a reset is refused if the owner holds any right over others
//! that the actor does not hold.

use uuid::Uuid;

use super::rule::{Rule, Rules, Who};
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
    let owner = Actor::find(identity, rules, tree)?;
    for (position, rule) in rules.iter().enumerate() {
        let holds = owner.has_rule(position) || holds_through_attribute(rule, dn, tree)?;
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

/// Whether some entry holds `dn` in an attribute that the rule grants something by.
fn holds_through_attribute(rule: &Rule, dn: &Dn, tree: &dyn Tree) -> Result<bool, TreeError> {
    for who in &rule.who {
        if let Who::HeldIn(attribute) = who
            && !tree.equal(*attribute, dn.key())?.is_empty()
        {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_covered(rule: &Rule, position: usize, actor: &Actor, rules: &Rules) -> bool {
    let own = |position: usize| actor.has_rule(position);
    own(position) || rules.iter().enumerate().any(|(position, other)| own(position) && other.covers(rule))
}

/// A deny that binds the actor and not the owner is a right that the owner holds and the actor lacks.
fn is_denied_to_actor_only(rule: &Rule, position: usize, actor: &Actor, owner: &Actor) -> bool {
    !rule.deny.is_empty() && actor.has_rule(position) && !owner.has_rule(position)
}
