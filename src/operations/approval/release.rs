//! What makes one person enough to set a password that takes two: another group, attribute, name or policy for the account, or
//! none of it any more.
//!
//! It is found out by asking of the tree as it would be. A change of a policy itself is for whoever may write policies, and is
//! not held. What keeps the accounts bound that are not released must stay as it was read ([`Kept`]), or two changes, each of
//! which leaves something, would leave nothing.

mod concerned;
mod kept;

use std::time::Duration;

use uuid::Uuid;

use crate::directory::tree::{Change, Condition, Overlay, Tree, Write};

use crate::operations::target::Target;
use crate::operations::transaction::unmade;
use crate::operations::{Context, Refusal};

use super::subject;
use concerned::Concerned;
use kept::Kept;

/// What a change comes to for the accounts whose passwords take two people to set.
#[derive(Default)]
pub(super) struct Released {
    /// The one for which it takes one person afterwards, or that goes with the change; and for how long an approval is good.
    pub(super) account: Option<(Target, Duration)>,
    /// What must hold when the change is made, so that it comes to nothing else.
    pub(super) conditions: Vec<Condition>,
}

/// What a change comes to for the accounts, but that of `own`, whose passwords take two people to set. Several that are released
/// at once are refused: each is approved by itself.
pub(super) fn released(ctx: &Context<'_>, change: &Change, own: Uuid) -> Result<Released, Refusal> {
    if change.writes.is_empty() || !ctx.services.policies.ask_for_approval(ctx.tree)? {
        return Ok(Released::default());
    }
    let is_move = |write: &Write| matches!(write, Write::Move { .. });
    let moved = change.writes.iter().any(is_move).then(|| made(ctx, change)).transpose()?;
    let mut kept = Kept::new(ctx);
    let mut bound = Vec::new();
    for id in Concerned::find(ctx, (change, moved.as_ref()), &mut kept)? {
        let Some(node) = ctx.tree.node(id)?.filter(|node| node.uuid != own) else { continue };
        if ctx.has_password(&node)? {
            bound.extend(subject(ctx, node.uuid)?);
        }
    }
    if bound.is_empty() {
        return Ok(Released { account: None, conditions: kept.into_conditions()? });
    }
    let after = moved.map_or_else(|| made(ctx, change), Ok)?;
    let mut account = None;
    for (target, max_age) in bound {
        if is_bound(ctx, target.node.uuid, &after)? {
            kept.stays_bound(&target, &after)?;
        } else if account.replace((target, max_age)).is_some() {
            return Err(Refusal::Unwilling(
                "this would let one person set the passwords of several accounts that take two: do it for one after another",
            ));
        }
    }
    Ok(Released { account, conditions: kept.into_conditions()? })
}

/// The tree as a change makes it. Whether its conditions hold is looked at when it is made.
fn made<'t>(ctx: &Context<'t>, change: &Change) -> Result<Overlay<'t>, Refusal> {
    let mut after = Overlay::new(ctx.tree)?;
    after.apply(Change { conditions: Vec::new(), ..change.clone() }).map_err(unmade)?;
    Ok(after)
}

/// Whether it takes two people to set the password of an account.
fn is_bound(ctx: &Context<'_>, uuid: Uuid, tree: &dyn Tree) -> Result<bool, Refusal> {
    let Some(id) = tree.find_uuid(uuid)? else { return Ok(false) };
    let (Some(node), Some(dn)) = (tree.node(id)?, tree.dn(id)?) else { return Ok(false) };
    Ok(ctx.services.policies.governing(&node.entry, &dn, tree)?.reset_approval_max_age.is_some())
}
