//! Password Modify (RFC 3062).

use smallvec::smallvec;

use super::{reset_code, unbound_change};
use crate::directory::tree::Means;
use crate::directory::{Identity, ResultCode};
use crate::operations::login_name::UserName;
use crate::operations::refusal::MAY_NOT_SET;
use crate::operations::set_password::{NewPassword, password_was_set};
use crate::operations::target::Target;
use crate::operations::{Context, Freedom, Outcome, Refusal, end_of_lock};
use crate::password::Secret;
use crate::password::change::By;
use crate::password::standing::Validity;
use crate::protocol::Response;
use crate::protocol::control::GivenOut;
use crate::protocol::extended::PasswordModify;

/// What events say of the way.
pub(super) const MEANS: Means = Means::PasswordModify;

/// Sets the password of `userIdentity`, or of the requester if that is absent (RFC 3062 §2).
pub fn password_modify(ctx: &Context<'_>, request: &PasswordModify) -> Result<Outcome, Refusal> {
    if !ctx.requester.confidentiality.admits_passwords() {
        return Err(Refusal::ConfidentialityRequired);
    }
    let secret = |octets: &Option<bytes::Bytes>| octets.as_ref().map(|octets| Secret::new(octets.as_ref()));
    let (old, new) = (secret(&request.old_passwd), secret(&request.new_passwd));
    if let Identity::Anonymous = ctx.requester.identity {
        return unbound_change::change(ctx, request, old, new);
    }
    let (target, by) = match &request.user_identity {
        Some(identity) => {
            let user = UserName::read(identity, ctx)?;
            named(ctx, &user).and_then(|target| permitted(ctx, target)).map_err(|refusal| hide(ctx, &user, refusal))?
        }
        None => own(ctx).and_then(|target| permitted(ctx, target))?,
    };
    let request = NewPassword { by, means: MEANS, old: old.into(), new };
    match ctx.wishes.and_then(|wishes| wishes.options) {
        Some(options) if options.given == GivenOut::Code => reset_code::issue(ctx, &target, &request, options),
        _ => set(ctx, &target, &request),
    }
}

/// Requires the right to set the password of an entry.
fn permitted(ctx: &Context<'_>, target: Target) -> Result<(Target, By), Refusal> {
    let by = by(ctx, &target);
    ctx.require_right_to_set(&target, by, MEANS)?;
    Ok((target, by))
}

/// The same for whoever only asks what could be set: that is not recorded.
pub(super) fn right_to_set(ctx: &Context<'_>, target: Target) -> Result<(Target, By), Refusal> {
    let by = by(ctx, &target);
    ctx.may_set(&target, by)?;
    Ok((target, by))
}

fn by(ctx: &Context<'_>, target: &Target) -> By {
    let is_self = ctx.requester.identity.uuid() == Some(target.node.uuid);
    if is_self { By::Owner } else { By::Administrator }
}

pub(super) fn set(ctx: &Context<'_>, target: &Target, request: &NewPassword) -> Result<Outcome, Refusal> {
    let Some(mut set) = ctx.set_password(target, request)? else { return Ok(Outcome::answer(ResultCode::Success)) };
    // Not before: whoever is not bound has only now proven that they may know of the entry.
    ctx.schema().check_entry(&target.node.entry.decode(), &[ctx.schema().known().user_password])?;
    let value = set.generated.take().map(|made| PasswordModify::generated(made.expose()));
    let mut response = Response { value, ..ResultCode::Success.into() };
    let validity = ctx.readable(Validity::of(&target.node.entry, ctx.schema()), target);
    end_of_lock::tell_that_it_stays(&mut response, set.stays_locked, validity, ctx.now);
    let effects = smallvec![password_was_set(&target.node, request.by)];
    Ok(Outcome { change: ctx.password_change(target, set), effects, ..Outcome::answer(response) })
}

/// The entry that the requester is.
pub(super) fn own(ctx: &Context<'_>) -> Result<Target, Refusal> {
    let uuid = ctx.requester.identity.uuid().ok_or(Refusal::Unwilling("you have no password here"))?;
    let id = ctx.tree.find_uuid(uuid)?.ok_or(Refusal::NoSuchObject { matched: None })?;
    ctx.target_by_id(id)?.ok_or(Refusal::NoSuchObject { matched: None })
}

/// The entry that `userIdentity` names.
pub(super) fn named(ctx: &Context<'_>, user: &UserName) -> Result<Target, Refusal> {
    match (user.find(ctx)?, user) {
        (Some(id), _) => ctx.target_by_id(id)?.ok_or(Refusal::NoSuchObject { matched: None }),
        (None, UserName::Dn(dn)) => ctx.target(dn),
        (None, UserName::Uid(_)) => Err(Refusal::NoSuchObject { matched: None }),
    }
}

/// That somebody does not exist is told only to those who might see them; for the rest it is the same as somebody whose
/// password they may not set.
pub(super) fn hide(ctx: &Context<'_>, user: &UserName, refusal: Refusal) -> Refusal {
    match (user, refusal) {
        (_, Refusal::NoSuchObject { .. }) if ctx.requester.freedom != Freedom::Full => Refusal::MustChangePassword,
        (UserName::Uid(_), Refusal::NoSuchObject { .. }) | (_, Refusal::NoSuchObject { matched: None }) => {
            Refusal::InsufficientAccess(MAY_NOT_SET)
        }
        (_, other) => other,
    }
}
