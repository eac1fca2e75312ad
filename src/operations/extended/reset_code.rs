//! One-time codes in the place of forgotten passwords: whoever may reset a password asks for one by the reset control, reads
//! it out to its owner, and never knows the password that comes of it.

use smallvec::smallvec;

use super::password_modify::MEANS;
use crate::directory::ResultCode;
use crate::directory::tree::{Change, EventKind, LogKind};
use crate::operations::events::Whose;
use crate::operations::set_password::NewPassword;
use crate::operations::target::Target;
use crate::operations::{Context, Effect, Outcome, Refusal, end_of_lock};
use crate::password::change::{By, OldPassword};
use crate::password::one_time_code::OneTimeCode;
use crate::password::standing::Validity;
use crate::protocol::Response;
use crate::protocol::control::ResetOptions;
use crate::protocol::extended::PasswordModify;

/// Makes a code. The right to reset has been required before. The password stays what it is until the code is used.
pub(super) fn issue(
    ctx: &Context<'_>,
    target: &Target,
    request: &NewPassword,
    options: ResetOptions,
) -> Result<Outcome, Refusal> {
    if request.by == By::Owner {
        return Err(Refusal::Unwilling("a code is given out by somebody else than the owner of the password"));
    }
    if request.new.is_some() || !matches!(request.old, OldPassword::Absent) {
        return Err(Refusal::Unwilling("a code is made by the server: give neither an old nor a new password"));
    }
    if !options.skipped.is_empty() || options.valid_from.is_some() {
        return Err(Refusal::Unwilling("a code is good at once, and what its owner chooses is judged by the policy"));
    }
    let policy = ctx.services.policies.governing(&target.node.entry, &target.dn, ctx.tree)?;
    if !policy.pwd_allow_user_change {
        return Err(Refusal::Unwilling("the owner may not change this password, so a code would be good for nothing"));
    }
    ctx.schema().check_entry(&target.node.entry.decode(), &[ctx.schema().known().user_password])?;
    let age = options.lifetime.map_or(policy.reset_code_max_age, |lifetime| lifetime.min(policy.reset_code_max_age));
    let until = ctx.now.saturating_add(age);
    let (code, told) = OneTimeCode::make(until, policy.hashing.or(ctx.services.new_passwords), ctx.random);
    let event = ctx.event(EventKind::CodeIssued, MEANS, Whose::entry(&target.node, &target.dn), &policy);
    let mut account = ctx.account(&target.node)?;
    let before = end_of_lock::Before { target, policy: &policy, lock: account.locked };
    account.take_code(code);
    end_of_lock::unlock_if_permitted(target, request.by, &mut account);
    account.ledger.add(&event, &ctx.requester.hands());
    let ended = ctx.note_end_of_lock(before, &mut account, &event)?;
    let lines = format!("replace: pwdResetCodeExpiry\npwdResetCodeExpiry: {until}\n-\n");
    let log = ctx.log(LogKind::Modify, target.dn.as_str(), target.node.uuid, lines);
    let writes = vec![ctx.credentials_write(&target.node, &account)];
    let change =
        Change { writes, log: vec![log], events: [event].into_iter().chain(ended).collect(), ..Change::none() };
    let mut response = Response { value: Some(PasswordModify::generated(told.expose())), ..ResultCode::Success.into() };
    let validity = ctx.readable(Validity::of(&target.node.entry, ctx.schema()), target);
    end_of_lock::tell_that_it_stays(&mut response, account.locked, validity, ctx.now);
    let effects = smallvec![Effect::CredentialsSet { uuid: target.node.uuid }];
    Ok(Outcome { change, effects, ..Outcome::answer(response) })
}
