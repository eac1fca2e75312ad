//! Password Modify (RFC 3062).

use smallvec::smallvec;

use crate::access::Actor;
use crate::directory::tree::Means;
use crate::directory::{Identity, ResultCode};
use crate::operations::context::ExpiredChange;
use crate::operations::events::Whose;
use crate::operations::login_name::UserName;
use crate::operations::set_password::{NewPassword, kind, password_was_set};
use crate::operations::target::Target;
use crate::operations::verify_password::{Given, Known, blocked, blocks};
use crate::operations::{Context, Freedom, Outcome, Refusal};
use crate::password::account::Account;
use crate::password::change::{By, OldPassword};
use crate::password::meter::Subject;
use crate::password::standing::Validity;
use crate::password::verdict::PolicyErrorCode;
use crate::password::{Policy, Secret};
use crate::protocol::Response;
use crate::protocol::extended::PasswordModify;

/// What events say of the way.
const MEANS: Means = Means::PasswordModify;

/// Sets the password of `userIdentity`, or of the requester if that is absent (RFC 3062 §2).
pub fn password_modify(ctx: &Context<'_>, request: &PasswordModify) -> Result<Outcome, Refusal> {
    if !ctx.requester.confidentiality.admits_passwords() {
        return Err(Refusal::ConfidentialityRequired);
    }
    let secret = |octets: &Option<bytes::Bytes>| octets.as_ref().map(|octets| Secret::new(octets.as_ref()));
    let (old, new) = (secret(&request.old_passwd), secret(&request.new_passwd));
    if let Identity::Anonymous = ctx.requester.identity {
        return change_unbound(ctx, request, old, new);
    }
    let (target, by) = match &request.user_identity {
        Some(identity) => {
            let user = UserName::read(identity, ctx)?;
            named(ctx, &user).and_then(|target| permitted(ctx, target)).map_err(|refusal| hide(ctx, &user, refusal))?
        }
        None => own(ctx).and_then(|target| permitted(ctx, target))?,
    };
    set(ctx, &target, &NewPassword { by, means: MEANS, old: old.into(), new })
}

/// Requires the right to set the password of an entry.
fn permitted(ctx: &Context<'_>, target: Target) -> Result<(Target, By), Refusal> {
    let is_self = ctx.requester.identity.uuid() == Some(target.node.uuid);
    let by = if is_self { By::Owner } else { By::Administrator };
    ctx.require_right_to_set(&target, by, MEANS)?;
    Ok((target, by))
}

fn set(ctx: &Context<'_>, target: &Target, request: &NewPassword) -> Result<Outcome, Refusal> {
    let mut set = ctx.set_password(target, request)?;
    // Not before: whoever is not bound has only now proven that they may know of the entry.
    ctx.schema().check_entry(&target.node.entry.decode(), &[ctx.schema().known().user_password])?;
    let value = set.generated.take().map(|made| PasswordModify::generated(made.expose()));
    let response = Response { value, ..ResultCode::Success.into() };
    let effects = smallvec![password_was_set(&target.node, request.by)];
    Ok(Outcome { change: ctx.password_change(target, set), effects, ..Outcome::answer(response) })
}

/// The entry that the requester is.
fn own(ctx: &Context<'_>) -> Result<Target, Refusal> {
    let uuid = ctx.requester.identity.uuid().ok_or(Refusal::Unwilling("you have no password here"))?;
    let id = ctx.tree.find_uuid(uuid)?.ok_or(Refusal::NoSuchObject { matched: None })?;
    ctx.target_by_id(id)?.ok_or(Refusal::NoSuchObject { matched: None })
}

/// The entry that `userIdentity` names.
fn named(ctx: &Context<'_>, user: &UserName) -> Result<Target, Refusal> {
    match (user.find(ctx)?, user) {
        (Some(id), _) => ctx.target_by_id(id)?.ok_or(Refusal::NoSuchObject { matched: None }),
        (None, UserName::Dn(dn)) => ctx.target(dn),
        (None, UserName::Uid(_)) => Err(Refusal::NoSuchObject { matched: None }),
    }
}

/// That somebody does not exist is told only to those who might see them; for the rest it is the same as somebody whose
/// password they may not set.
fn hide(ctx: &Context<'_>, user: &UserName, refusal: Refusal) -> Refusal {
    match (user, refusal) {
        (_, Refusal::NoSuchObject { .. }) if ctx.requester.freedom != Freedom::Full => Refusal::MustChangePassword,
        (UserName::Uid(_), Refusal::NoSuchObject { .. }) | (_, Refusal::NoSuchObject { matched: None }) => {
            Refusal::InsufficientAccess("you may not set the password of this account")
        }
        (_, other) => other,
    }
}

/// A change by somebody who is not bound, since nobody can bind with an expired password: the old password proves who
/// they are, and is counted like a bind. It never resets.
fn change_unbound(
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
    let requester = crate::operations::Requester { identity, ..ctx.requester.clone() };
    let as_owner = Context { actor: &owner, requester: &requester, ..*ctx };
    target.decision = as_owner.decider().decide(&target.node, ctx.tree)?;
    if as_owner.may_set(&target, By::Owner).is_err() {
        return unknown(ctx, &user, &old);
    }
    // Until then it is nobody in particular who tries.
    prove(ctx, &target, &old)?;
    set(&as_owner, &target, &NewPassword { by: By::Owner, means: MEANS, old: OldPassword::Proven(old), new })
}

/// Requires that the old password is right and that the account is not blocked. Nothing else is told before that, since
/// whoever does not know the password is to learn nothing of the account.
fn prove(ctx: &Context<'_>, target: &Target, old: &Secret) -> Result<(), Refusal> {
    let policy = ctx.services.policies.governing(&target.node.entry, &target.dn, ctx.tree)?;
    try_old(ctx, target, &policy, old).inspect_err(|refusal| {
        let event = ctx.event(kind(By::Owner), MEANS, Whose::entry(&target.node, &target.dn), &policy);
        ctx.note_refused(event, refusal);
    })
}

fn try_old(ctx: &Context<'_>, target: &Target, policy: &Policy, old: &Secret) -> Result<(), Refusal> {
    let account = ctx.account(&target.node)?;
    let subject = Subject::Entry(target.node.uuid);
    let known = Known::Nothing;
    let given = Given { subject, means: MEANS, account: &account, policy, password: old, known };
    let attempt = ctx.verify_password(&given)?;
    let validity = Validity::of(&target.node.entry, ctx.schema());
    if blocks(&attempt, &account, policy, validity, ctx.now).is_some() {
        return Err(blocked(Some(PolicyErrorCode::AccountLocked)));
    }
    ctx.note_passed(attempt);
    Ok(())
}

/// Somebody who does not exist, or may not change their password, takes as long and gets the same answer as somebody
/// whose old password is wrong.
fn unknown(ctx: &Context<'_>, user: &UserName, old: &Secret) -> Result<Outcome, Refusal> {
    let dn = match user {
        UserName::Dn(dn) => dn.clone(),
        UserName::Uid(uid) => {
            let spelled = format!("uid={}", crate::directory::dn::escape(uid));
            crate::directory::Dn::parse(ctx.schema(), &spelled)?
        }
    };
    let policy = ctx.services.policies.default_for(&dn, ctx.tree)?;
    let (subject, account) = (ctx.services.meter.unknown(&dn), &Account::default());
    let (policy, known) = (&policy, Known::Nothing);
    ctx.verify_password(&Given { subject, means: MEANS, account, policy, password: old, known })?;
    Err(blocked(None))
}
