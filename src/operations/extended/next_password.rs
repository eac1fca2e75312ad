//! What is asked before a password is set: what is demanded of it, and for passwords to choose from. Who may ask is who may set
//! that password, or read that policy; whether a name exists is told to nobody else.

use super::password_modify::{hide, named, own, right_to_set};
use crate::directory::{Dn, ResultCode};
use crate::operations::login_name::UserName;
use crate::operations::target::Target;
use crate::operations::{Context, Freedom, Outcome, Refusal};
use crate::password::change::By;
use crate::password::requirement::{Owner, Requirement};
use crate::password::{Policy, Secret};
use crate::protocol::extended::{Coming, Demands, Judged, Suggest};
use crate::protocol::{Response, oid};

use std::sync::Arc;

/// Tells what is demanded of a password that is to come.
pub fn demands(ctx: &Context<'_>, request: &Coming) -> Result<Outcome, Refusal> {
    let (policy, owner) = match request {
        Coming::New => (default_policy(ctx)?, Owner::New),
        Coming::NewBy(name) => (policy_called(ctx, name)?, Owner::New),
        Coming::Own => (governing(ctx, &permitted(ctx, None)?.0)?, Owner::Known),
        Coming::ChosenBy(user) | Coming::SetFor(user) => {
            (governing(ctx, &permitted(ctx, Some(user))?.0)?, Owner::Known)
        }
    };
    let language = ctx.requesters_language().unwrap_or_default();
    let all = Requirement::all(&policy, owner, ctx.services.breached.as_deref());
    let sentences = all.iter().map(|one| one.sentence(language)).collect();
    let is_reset = matches!(request, Coming::SetFor(_));
    let is_change = matches!(request, Coming::Own | Coming::ChosenBy(_));
    let must_change = is_reset && policy.pwd_must_change;
    let good_for = if must_change { policy.temporary_max_age } else { policy.pwd_max_age };
    let demands = Demands {
        sentences,
        current_required: is_change.then_some(policy.pwd_safe_modify),
        must_change: (!is_change).then_some(must_change),
        good_for: good_for.map(|age| age.as_secs()),
    };
    Ok(answer(oid::PASSWORD_DEMANDS_RESPONSE, demands.answer()))
}

/// Makes passwords to choose from. None of them is kept.
pub fn suggest(ctx: &Context<'_>, request: &Suggest) -> Result<Outcome, Refusal> {
    if !ctx.requester.confidentiality.admits_passwords() {
        return Err(Refusal::ConfidentialityRequired);
    }
    let (policy, target) = match &request.by {
        Judged::ByDefault => (default_policy(ctx)?, None),
        Judged::By(name) => (policy_called(ctx, name)?, None),
        Judged::For(user) => {
            let (target, _) = permitted(ctx, Some(user))?;
            (governing(ctx, &target)?, Some(target))
        }
    };
    let entry = target.as_ref().map(|target| &target.node.entry);
    let one = |_| ctx.suggest_password(&policy, entry);
    let made = (0..request.count).map(one).collect::<Result<Vec<Secret>, _>>()?;
    let exposed: Vec<&[u8]> = made.iter().map(Secret::expose).collect();
    Ok(answer(oid::GENERATE_PASSWORD_RESPONSE, Suggest::answer(&policy.origin, &exposed)))
}

fn answer(name: &'static str, value: Vec<u8>) -> Outcome {
    Outcome::answer(Response { name: Some(name), value: Some(value), ..ResultCode::Success.into() })
}

/// The entry that is named, or that of the requester, if they may set its password.
fn permitted(ctx: &Context<'_>, user: Option<&[u8]>) -> Result<(Target, By), Refusal> {
    require_somebody(ctx)?;
    match user {
        None => own(ctx).and_then(|target| right_to_set(ctx, target)),
        Some(user) => {
            let user = UserName::read(user, ctx)?;
            let found = named(ctx, &user).and_then(|target| right_to_set(ctx, target));
            found.map_err(|refusal| hide(ctx, &user, refusal))
        }
    }
}

fn require_somebody(ctx: &Context<'_>) -> Result<(), Refusal> {
    if ctx.requester.identity.is_anonymous() { Err(Refusal::AuthenticationRequired) } else { Ok(()) }
}

fn governing(ctx: &Context<'_>, target: &Target) -> Result<Arc<Policy>, Refusal> {
    Ok(ctx.services.policies.governing(&target.node.entry, &target.dn, ctx.tree)?)
}

/// The policy that governs entries of which nothing else is known: of the suffix that the requester is in, or the first.
fn default_policy(ctx: &Context<'_>) -> Result<Arc<Policy>, Refusal> {
    require_free(ctx)?;
    let suffixes = ctx.tree.suffixes();
    let is_own = |suffix: &&Dn| ctx.requester.dn().is_some_and(|dn| dn.is_within(suffix));
    let suffix = suffixes.iter().find(is_own).or_else(|| suffixes.first());
    let suffix = suffix.ok_or(Refusal::NoSuchObject { matched: None })?;
    let policy = ctx.services.policies.default_for(suffix, ctx.tree)?;
    if policy.origin.is_empty() { Ok(policy) } else { policy_called(ctx, policy.origin.as_bytes()) }
}

/// The policy of that name, if the requester may read it.
fn policy_called(ctx: &Context<'_>, name: &[u8]) -> Result<Arc<Policy>, Refusal> {
    require_free(ctx)?;
    let dn = ctx.parse_dn(name)?;
    let target = ctx.target(&dn)?;
    target.require_visible(ctx)?;
    if !target.decision.read.contains(ctx.schema().known().pwd_attribute) {
        return Err(Refusal::InsufficientAccess("you may not read this password policy"));
    }
    let policy = ctx.services.policies.find_named(target.dn.as_str(), ctx.tree)?;
    policy.ok_or(Refusal::Unwilling("the entry of that name is no password policy"))
}

/// Who must change their password first asks about that one only.
fn require_free(ctx: &Context<'_>) -> Result<(), Refusal> {
    require_somebody(ctx)?;
    if ctx.requester.freedom == Freedom::Full { Ok(()) } else { Err(Refusal::MustChangePassword) }
}
