//! Access rules that stand in the tree are judged where they are written: only what makes sense, only for what stands below
//! them, and only what their author holds.

use std::sync::Arc;

use crate::access::delegated::{self, AUTHOR, CLASS, DelegationFault};
use crate::access::names::nobody_meant;
use crate::access::rule::Source;
use crate::access::violation::{Counterexample, violations_by};
use crate::access::{Decision, Right, Rule, Rules};
use crate::directory::tree::Node;
use crate::directory::{Attributes, Dn, Entry};

use super::set_password::has_class;
use super::{Context, Refusal};

/// Judges an entry that is to be, if it is a rule, and notes its author; `decision` is what the requester may do with it.
pub(super) fn check(
    ctx: &Context<'_>,
    decision: &Decision,
    attributes: &mut Attributes,
    dn: &Dn,
) -> Result<(), Refusal> {
    if !has_class(attributes, CLASS, ctx.schema()) {
        return Ok(());
    }
    let author = delegated::author_of(&ctx.requester.identity).filter(|_| decision.allows(Right::Delegate));
    let author = author.ok_or(Refusal::InsufficientAccess("you may not write access rules here"))?;
    let rules = delegated::read(&Entry::encode(attributes, ctx.schema()), &Arc::new(dn.clone()), ctx.schema())?;
    if let Some(right) = rules.iter().find_map(|rule| delegated::not_held(rule, ctx.actor, ctx.rules)) {
        return Err(DelegationFault::NotHeld(right).into());
    }
    require_somebody(ctx, &rules)?;
    require_assertions(ctx, rules, dn)?;
    if let Some(attribute) = ctx.schema().find_attribute_type(AUTHOR) {
        attributes.set_one(attribute.id, author);
    }
    Ok(())
}

/// Requires that an entry that ceases to be a rule there may do so: if it denies, others may have more without it.
pub(super) fn require_right_to_remove(ctx: &Context<'_>, node: &Node) -> Result<(), Refusal> {
    if !delegated::is_rule(&node.entry, ctx.schema()) {
        return Ok(());
    }
    if !ctx.decider().decide(node, ctx.tree)?.allows(Right::Delegate) {
        return Err(Refusal::InsufficientAccess("you may not take away access rules here"));
    }
    match ctx.tree.dn(node.id)? {
        Some(dn) => require_assertions(ctx, Vec::new(), &dn),
        None => Ok(()),
    }
}

/// A rule that denies something to a group which does not exist would deny it to nobody.
fn require_somebody(ctx: &Context<'_>, rules: &[Rule]) -> Result<(), Refusal> {
    let denials = rules.iter().filter(|rule| rule.is_denial()).cloned().collect();
    match nobody_meant(&denials, ctx.tree)?.into_iter().next() {
        Some(found) => Err(DelegationFault::DeniesNobody(found.name).into()),
        None => Ok(()),
    }
}

/// Requires that the rules grant nothing that the operator says nobody may, when `rules` stand in the place of the entry of
/// that name. What they granted before is not held against whoever writes now.
///
/// A rule of the tree that denies takes something from what rules of the tree grant: where one ends, these are looked at.
fn require_assertions(ctx: &Context<'_>, rules: Vec<Rule>, dn: &Dn) -> Result<(), Refusal> {
    let assertions = &ctx.services.assertions;
    if assertions.is_empty() {
        return Ok(());
    }
    let is_of_it = |rule: &Rule| matches!(&rule.source, Source::Entry(own) if **own == *dn);
    let ends_denial = ctx.rules.iter().any(|rule| is_of_it(rule) && rule.is_denial());
    let together: Rules = ctx.rules.iter().filter(|rule| !is_of_it(rule)).cloned().chain(rules).collect();
    let concerns = |rule: &Rule| is_of_it(rule) || (ends_denial && rule.is_delegated());
    let after = violations_by(&together, assertions, ctx.now, ctx.tree, &concerns)?;
    if after.is_empty() {
        return Ok(());
    }
    let before = violations_by(ctx.rules, assertions, ctx.now, ctx.tree, &concerns)?;
    let is_known = |one: &Counterexample| {
        before.iter().any(|old| (&old.assertion, &old.rule_source) == (&one.assertion, &one.rule_source))
    };
    let is_new =
        |one: &&Counterexample| !is_known(one) || matches!(&one.rule_source, Source::Entry(own) if **own == *dn);
    match after.iter().find(is_new) {
        Some(example) => Err(DelegationFault::Violates(example.to_string()).into()),
        None => Ok(()),
    }
}
