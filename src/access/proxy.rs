//! Acting as somebody else (RFC 4370, RFC 4513 §5.2.1.8).
//!
//! The right `proxy` is no power over those who may do more: as with resets, whoever holds something that the actor does
//! not hold is out of reach. Only a rule of the configuration that names the one entry lets somebody act as whoever it is.

use super::reach::Reach;
use super::rule::{Rule, Rules};
use super::{Actor, Decider, Right, escalation};
use crate::directory::Dn;
use crate::directory::tree::{Node, Tree, TreeError};

/// Whether `actor` may act as an entry.
pub fn may_act_as(rules: &Rules, actor: &Actor, (node, dn): (&Node, &Dn), tree: &dyn Tree) -> Result<bool, TreeError> {
    let mut decider = Decider::new(rules, actor, tree.schema());
    if !decider.decide(node, tree)?.allows(Right::Proxy) {
        return Ok(false);
    }
    let applying = decider.applying(node, tree)?;
    let mut rules_applying = applying.iter().filter_map(|at| rules.get(*at));
    Ok(rules_applying.any(|rule| names(rule, dn)) || escalation::exceeds(node.uuid, dn, actor, rules, tree)?.is_none())
}

/// Whether a rule lets somebody act as the entry of that very name.
pub(super) fn names(rule: &Rule, dn: &Dn) -> bool {
    let is_it = |reach: &Reach| matches!(reach, Reach::Entry(name) if name == dn);
    !rule.is_delegated() && rule.allow.has(Right::Proxy) && rule.to.iter().any(is_it)
}
