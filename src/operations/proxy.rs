//! Doing a request as somebody else (RFC 4370), and authenticating as somebody else than the connection proves
//! (RFC 4513 §5.2.1.8).
//!
//! Who may is for the right `proxy` to say, and for the guard that keeps administrators from being acted as by accident
//! ([`crate::access::proxy`]). Why somebody may not is not told: there is no such person, or not for them.

use std::sync::Arc;

use crate::access::{Actor, proxy};
use crate::directory::{Dn, Identity};
use crate::protocol::control::ProxiedAuthorization;

use super::external::is_open;
use super::login_name::UserName;
use super::{Context, Freedom, Proof, Refusal, Requester};

/// Who a request with that control is to be done as: somebody whom the requester may act as.
pub fn authorize(ctx: &Context<'_>, control: &ProxiedAuthorization) -> Result<(Requester, Actor), Refusal> {
    if !control.is_critical {
        return Err(Refusal::Protocol("the proxied authorization control must be critical"));
    }
    if ctx.requester.freedom != Freedom::Full {
        return Err(Refusal::MustChangePassword);
    }
    let identity = assumed(ctx, &control.authz_id)?.ok_or(Refusal::AuthorizationDenied)?;
    // The circumstances stay those of the connection, and of whoever has authenticated on it.
    let circumstances = ctx.requester.circumstances(ctx.now);
    let actor = Actor::find(identity.clone(), &circumstances, ctx.rules, ctx.tree)?;
    // Whoever has authenticated first is to be known, however many stand between.
    let before = ctx.requester.proxied_by.as_ref().unwrap_or(&ctx.requester.identity);
    let proxied_by = (*before != identity).then(|| before.clone());
    let proven_by = circumstances.method;
    Ok((Requester { identity, proof: Proof::Connection, proxied_by, proven_by, ..ctx.requester.clone() }, actor))
}

/// The identity that an authorization identity names, if the requester may assume it.
pub(super) fn assumed(ctx: &Context<'_>, authz_id: &[u8]) -> Result<Option<Identity>, Refusal> {
    if [&b""[..], b"dn:"].contains(&authz_id) {
        // Who may less than everybody who has authenticated.
        return Ok(Some(Identity::Anonymous));
    }
    let Some(user) = UserName::read_authz_id(authz_id, ctx) else { return Ok(None) };
    if is_own_name(ctx, &user) {
        return Ok(Some(ctx.requester.identity.clone()));
    }
    let Some(target) = user.find(ctx)?.map(|id| ctx.target_by_id(id)).transpose()?.flatten() else { return Ok(None) };
    if ctx.requester.identity.uuid() == Some(target.node.uuid) {
        return Ok(Some(ctx.requester.identity.clone()));
    }
    let rules = ctx.rules;
    let may = !ctx.requester.identity.is_anonymous()
        && proxy::may_act_as(rules, ctx.actor, (&target.node, &target.dn), ctx.tree)?
        && is_open(ctx, &target.node)?;
    Ok(may.then(|| Identity::Entry { uuid: target.node.uuid, dn: Arc::clone(&target.dn) }))
}

/// Whether somebody who is no entry calls themselves by their own name.
fn is_own_name(ctx: &Context<'_>, user: &UserName) -> bool {
    let is_it = |dn: &Dn| Dn::parse(ctx.schema(), ctx.requester.identity.name()).is_ok_and(|own| own == *dn);
    matches!((user, &ctx.requester.identity), (UserName::Dn(dn), Identity::LocalRoot) if is_it(dn))
}
