//! Whether somebody sets a password without asking anybody else: what is told of their rights.

use super::{Draft, Found, Purpose};
use crate::directory::Identity;
use crate::operations::target::Target;
use crate::operations::{Context, Refusal};

/// Whether whoever may reset the password of an entry can do so now: nobody must approve it, or somebody has.
pub(in crate::operations) fn needs_nobody_else(
    ctx: &Context<'_>,
    whose: &Identity,
    target: &Target,
) -> Result<bool, Refusal> {
    let Identity::Entry { uuid, .. } = whose else { return Ok(true) };
    if *uuid == target.node.uuid || !ctx.services.policies.ask_for_approval(ctx.tree)? {
        return Ok(true);
    }
    let policy = ctx.services.policies.governing(&target.node.entry, &target.dn, ctx.tree)?;
    let Some(max_age) = policy.reset_approval_max_age else { return Ok(true) };
    let expires = ctx.now.saturating_add(max_age);
    match (Draft { purpose: Purpose::Reset, target, requester: *uuid, expires }).find(ctx) {
        Ok(found) => Ok(matches!(found, Found::Approved { .. })),
        // There is no place for requests: so nobody sets it.
        Err(Refusal::Unwilling(_)) => Ok(false),
        Err(other) => Err(other),
    }
}
