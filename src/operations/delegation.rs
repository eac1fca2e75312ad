//! Access rules that stand in the tree are judged where they are written: only what makes sense, only for what stands below
//! them, and only what their author holds.

use std::sync::Arc;

use crate::access::delegated::{self, AUTHOR, CLASS, DelegationFault};
use crate::access::rule::Source;
use crate::access::violation::violations;
use crate::access::{Decision, Right, Rule};
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
    require_assertions(ctx, rules, dn)?;
    if let Some(attribute) = ctx.schema().find_attribute_type(AUTHOR) {
        attributes.set_one(attribute.id, author);
    }
    Ok(())
}

/// Requires that a rule grants nothing that the operator says nobody may.
fn require_assertions(ctx: &Context<'_>, rules: Vec<Rule>, dn: &Dn) -> Result<(), Refusal> {
    let assertions = &ctx.services.assertions;
    if assertions.is_empty() {
        return Ok(());
    }
    let together = ctx.rules.and(&rules.into_iter().collect());
    let found = violations(&together, assertions, ctx.now, ctx.tree)?;
    let is_of_it = |source: &Source| matches!(source, Source::Entry(own) if **own == *dn);
    match found.iter().find(|example| is_of_it(&example.rule_source)) {
        Some(example) => Err(DelegationFault::Violates(example.to_string()).into()),
        None => Ok(()),
    }
}
