//! Tree delete (draft-armijo-ldap-treedelete): an entry and all that stands below it, at once or not at all.

use uuid::Uuid;

use crate::access::Right;
use crate::directory::tree::{Change, LogKind, Node, Write};

use super::delegation::RuleChange;
use super::integrity::references::Renames;
use super::{Context, Outcome, Refusal};

/// Deletes the entry of that name with everything below it. Whoever names one of these does so no more. The right to delete is needed for each.
pub fn tree_delete(ctx: &Context<'_>, name: &[u8]) -> Result<Outcome, Refusal> {
    let target = ctx.target(&ctx.parse_dn(name)?)?;
    target.require(Right::Delete, "you may not delete this entry", ctx)?;
    let nodes = subtree(ctx, target.node)?;
    let mut decider = ctx.decider();
    let mut change = Change::none();
    let mut names = Vec::new();
    let mut rules = RuleChange::default();
    // From below: nothing stands below an entry any more when its turn comes.
    for node in nodes.iter().rev() {
        if !decider.decide(node, ctx.tree)?.allows(Right::Delete) {
            return Err(Refusal::InsufficientAccess("you may not delete all that stands below this entry"));
        }
        let dn = ctx.tree.dn(node.id)?.ok_or(Refusal::Busy)?;
        ctx.require_no_claim(&node.entry, &dn)?;
        ctx.require_no_denial_lost(&dn)?;
        rules.take_away(ctx, node)?;
        change.writes.push(Write::Remove { uuid: node.uuid, version: node.version });
        change.log.push(ctx.log(LogKind::Delete, dn.as_str(), node.uuid, String::new()));
        names.push(dn);
    }
    // One denial may stand in for another: so they are judged together.
    rules.settle(ctx, Uuid::nil(), &mut change.conditions)?;
    let ids: Vec<_> = nodes.iter().map(|node| node.id).collect();
    ctx.follow_elsewhere(&Renames::deleted(names.iter().map(AsRef::as_ref)), &ids, &mut change)?;
    Ok(Outcome::success(change))
}

/// The entry and everything below it, each behind the one above it.
fn subtree(ctx: &Context<'_>, top: Node) -> Result<Vec<Node>, Refusal> {
    let most = ctx.services.limits.tree_delete;
    let mut nodes = vec![top];
    let mut next = 0;
    while let Some(above) = nodes.get(next).map(|node| node.id) {
        next += 1;
        for id in ctx.tree.children(above, None, most.saturating_add(1).saturating_sub(nodes.len()))? {
            nodes.extend(ctx.tree.node(id)?);
        }
        if nodes.len() > most {
            return Err(Refusal::AdminLimit("more entries stand below it than this server deletes at once"));
        }
    }
    Ok(nodes)
}
