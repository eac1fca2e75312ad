//! Delete (RFC 4511 §4.8).

use crate::access::Right;
use crate::directory::tree::{Change, LogKind, Write};

use super::delegation::{RuleChange, is_mere_rule};
use super::integrity::references::Renames;
use super::{Context, Outcome, Refusal};

/// Deletes the entry of that name, which must have none below it. Whoever names it does so no more.
pub fn delete(ctx: &Context<'_>, name: &[u8]) -> Result<Outcome, Refusal> {
    let dn = ctx.parse_dn(name)?;
    let target = ctx.target(&dn)?;
    let is_theirs = target.decision.allows(Right::Delegate) && is_mere_rule(&target.node.entry, ctx.schema());
    if !is_theirs {
        target.require(Right::Delete, "you may not delete this entry", ctx)?;
    }
    if ctx.tree.has_children(target.node.id)? {
        return Err(Refusal::NotAllowedOnNonLeaf);
    }
    let node = &target.node;
    ctx.require_no_claim(&node.entry, &target.dn)?;
    ctx.require_no_denial_lost(&target.dn)?;
    let mut rules = RuleChange::default();
    rules.take_away(ctx, node)?;
    let write = Write::Remove { uuid: node.uuid, version: node.version };
    let log = ctx.log(LogKind::Delete, target.dn.as_str(), node.uuid, String::new());
    let mut change = Change::of(vec![write], vec![log]);
    rules.settle(ctx, node.uuid, &mut change.conditions)?;
    ctx.follow_elsewhere(&Renames::deleted(std::iter::once(&*target.dn)), &[node.id], &mut change)?;
    Ok(Outcome::success(change))
}
