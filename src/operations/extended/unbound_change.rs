//! A change by somebody who is not bound, since nobody can bind with a password that has expired or is forgotten: the old
//! password, or a one-time code in its place, proves who they are, and is counted like a bind. It never resets.

use std::borrow::Cow;

use super::password_modify::{MEANS, set};
use crate::access::Actor;
use crate::directory::{Dn, Identity, ResultCode, dn};
use crate::operations::context::ExpiredChange;
use crate::operations::events::Whose;
use crate::operations::login_name::UserName;
use crate::operations::old_password::{Claim, ProvenBy};
use crate::operations::second_factor::Code;
use crate::operations::set_password::{NewPassword, kind};
use crate::operations::target::Target;
use crate::operations::verify_password::{Given, Known, SecondFactor, blocked, blocks};
use crate::operations::{Context, Outcome, Refusal, Requester};
use crate::password::Secret;
use crate::password::account::Account;
use crate::password::change::{By, OldPassword};
use crate::password::standing::{Blocked, Validity};
use crate::password::verdict::PolicyErrorCode;
use crate::protocol::extended::PasswordModify;

pub(super) fn change(
    ctx: &Context<'_>,
    request: &PasswordModify,
    old: Option<Secret>,
    new: Option<Secret>,
) -> Result<Outcome, Refusal> {
    let (Some(identity), Some(old)) = (&request.user_identity, old) else {
        return Err(Refusal::AuthenticationRequired);
    };
    if ctx.services.expired_change == ExpiredChange::Refused {
        return Err(Refusal::AuthenticationRequired);
    }
    let user = UserName::read(identity, ctx)?;
    let found = match user.find(ctx)? {
        Some(id) => ctx.target_by_id(id)?,
        None => None,
    };
    let Some(mut target) = found else { return unknown(ctx, &user, &old) };
    let identity = Identity::Entry { uuid: target.node.uuid, dn: target.dn.clone() };
    let trying = ctx.requester.trying_a_password(ctx.now);
    let owner = Actor::find(identity.clone(), &trying, ctx.rules, ctx.tree)?;
    let requester = Requester { identity, ..ctx.requester.clone() };
    let as_owner = Context { actor: &owner, requester: &requester, ..*ctx };
    target.decision = as_owner.decider().decide(&target.node, ctx.tree)?;
    if as_owner.may_set(&target, By::Owner).is_err() {
        return unknown(ctx, &user, &old);
    }
    // No connection has proven the second factor: its code stands behind the old password, or what is in its place.
    let presented = ctx.present(&target.node.entry, &target.dn, &old)?;
    let old = presented.as_ref().map_or(old, |presented| presented.password.clone());
    let request = NewPassword { by: By::Owner, means: MEANS, old: OldPassword::Given(old.clone()), new };
    let old = match prove(ctx, &as_owner, &target, (&request, SecondFactor::of(presented.as_ref())))? {
        ProvenBy::Again => return Ok(Outcome::answer(ResultCode::Success)),
        ProvenBy::Old => OldPassword::Proven(old),
        ProvenBy::Code => OldPassword::Code,
    };
    let mut outcome = set(&as_owner, &target, &NewPassword { old, ..request })?;
    if let Some(Code::Right(_, used)) = presented.map(|presented| presented.code) {
        outcome.change.writes.push(*used);
    }
    Ok(outcome)
}

/// Requires that the old password is right and that the account is not blocked. Nothing else is told before that, since
/// whoever does not know the password is to learn nothing of the account. Until then it is nobody in particular who tries.
fn prove(
    nobody: &Context<'_>,
    as_owner: &Context<'_>,
    target: &Target,
    (request, second_factor): (&NewPassword, SecondFactor<'_>),
) -> Result<ProvenBy, Refusal> {
    let policy = nobody.services.policies.governing(&target.node.entry, &target.dn, nobody.tree)?;
    let account = nobody.account(&target.node)?;
    let again = as_owner.asked_again(&account, request);
    let claim = Claim { target, account: &account, policy: &policy, request, again, second_factor };
    try_old(nobody, &claim).inspect_err(|refusal| {
        let event = nobody.event(kind(By::Owner), MEANS, Whose::entry(&target.node, &target.dn), &policy);
        nobody.note_refused(event, refusal);
    })
}

fn try_old(ctx: &Context<'_>, claim: &Claim<'_>) -> Result<ProvenBy, Refusal> {
    let (by, attempt) = ctx.prove(claim)?;
    let validity = Validity::of(&claim.target.node.entry, ctx.schema());
    let locked = || blocked(Some(PolicyErrorCode::AccountLocked));
    match blocks(&attempt, &account_behind(ctx, claim, by), claim.policy, validity, ctx.now) {
        None => {}
        Some(Blocked::TemporaryEnded) => return Err(locked().of_temporary(ctx.language_of(&claim.target.node.entry))),
        Some(_) => return Err(locked()),
    }
    ctx.note_passed(attempt);
    Ok(by)
}

/// The account by which it is decided whether it can be used. A code was given out because the password cannot be, so only
/// what would hold behind the change as well is in its way.
fn account_behind<'c>(ctx: &Context<'_>, claim: &Claim<'c>, by: ProvenBy) -> Cow<'c, Account> {
    match by {
        ProvenBy::Code => Cow::Owned(Account {
            must_change: false,
            temporary_from: None,
            changed: Some(ctx.now),
            ..claim.account.clone()
        }),
        ProvenBy::Old | ProvenBy::Again => Cow::Borrowed(claim.account),
    }
}

/// Somebody who does not exist, or may not change their password, takes as long and gets the same answer as somebody
/// whose old password is wrong.
fn unknown(ctx: &Context<'_>, user: &UserName, old: &Secret) -> Result<Outcome, Refusal> {
    let dn = match user {
        UserName::Dn(dn) => dn.clone(),
        UserName::Uid(uid) => Dn::parse(ctx.schema(), &format!("uid={}", dn::escape(uid)))?,
    };
    let policy = ctx.services.policies.for_nobody(&dn, ctx.tree)?;
    let (subject, account) = (ctx.services.meter.unknown(&dn), &Account::default());
    let (policy, known, second_factor) = (&policy, Known::Nothing, SecondFactor::NotAsked);
    ctx.verify_password(&Given { subject, means: MEANS, account, policy, password: old, known, second_factor })?;
    Err(blocked(None))
}
