//! What a modify does to a password and its state.
//!
//! `replace: userPassword`, and `delete: userPassword` with the old value followed by `add: userPassword` with the new
//! one, are what the Password Modify operation is, and go the same way (draft-behera-ldap-password-policy-10 §8.2.1).

use crate::access::Right;
use crate::directory::modification::{Modification, ModificationError, ModificationKind};
use crate::directory::tree::{Event, EventKind, Means};
use crate::directory::{Attributes, Schema};
use crate::operations::context::AddedPassword;
use crate::operations::end_of_lock::Before;
use crate::operations::events::Whose;
use crate::operations::refusal::Power;
use crate::operations::set_password::{NewPassword, SetPassword, password_was_set};
use crate::operations::target::Target;
use crate::operations::{Context, Effect, Refusal};
use crate::password::account::{Account, Lock};
use crate::password::change::By;
use crate::password::{Policy, Secret};

/// What is to be done, with the rights to do it established.
#[derive(Debug)]
pub(super) struct Prepared {
    by: By,
    password: Option<PasswordChange>,
    state: Vec<StateChange>,
}

/// What is to become of the password.
#[derive(Debug)]
enum PasswordChange {
    /// A new one; the old one must be right if it was given.
    Set { old: Option<Secret>, new: Secret },
    /// None any more.
    Remove,
}

/// What is to become of the state.
#[derive(Debug)]
enum StateChange {
    Unlock,
    Lock(Lock),
    MustChange,
    NeedNotChange,
    /// Anything else, by whoever may set what only the server sets.
    Given(Modification),
}

/// The account as it shall be.
#[derive(Debug)]
pub(super) struct Changed {
    pub(super) account: Account,
    pub(super) effect: Effect,
    pub(super) password_set: bool,
    pub(super) events: Vec<Event>,
    /// The lock that a new password leaves as it is.
    pub(super) stays_locked: Option<Lock>,
}

/// Finds out what the changes of credentials come to, and requires the rights for it.
pub(super) fn prepare(
    ctx: &Context<'_>,
    target: &Target,
    changes: &[Modification],
) -> Result<Option<Prepared>, Refusal> {
    if changes.is_empty() {
        return Ok(None);
    }
    let known = ctx.schema().known();
    let (of_password, of_state): (Vec<_>, Vec<_>) =
        changes.iter().partition(|change| change.attribute.attribute_type == known.user_password);
    let is_self = ctx.requester.identity.uuid() == Some(target.node.uuid);
    let by = if is_self { By::Owner } else { By::Administrator };
    if !of_password.is_empty() {
        ctx.require_right_to_set(target, by, Means::Modify)?;
    }
    let state = of_state.iter().map(|change| state_change(ctx, target, change)).collect::<Result<Vec<_>, _>>()?;
    changes.iter().try_for_each(|change| require_no_options(change, ctx.schema()))?;
    let password = password_change(ctx, target, &of_password)?;
    if let (Some(PasswordChange::Remove), By::Owner) = (&password, by) {
        return Err(Refusal::Unwilling("you cannot remove your own password, only change it"));
    }
    Ok(Some(Prepared { by, password, state }))
}

/// A password and its state are kept without options (RFC 4512 §2.5.2), so what is described with some is not there.
fn require_no_options(change: &Modification, schema: &Schema) -> Result<(), Refusal> {
    match change.kind {
        _ if change.attribute.options().is_empty() => Ok(()),
        ModificationKind::Delete => {
            Err(ModificationError::NoSuchAttribute(change.attribute.to_text(schema).into_owned()).into())
        }
        _ => Err(Refusal::Unwilling(NO_OPTIONS)),
    }
}

/// What is told of options where there can be none.
pub(in crate::operations) const NO_OPTIONS: &str =
    "a password and its state have no options: name the attribute without what stands behind the semicolon";

/// What the changes of `userPassword` come to together.
fn password_change(
    ctx: &Context<'_>,
    target: &Target,
    changes: &[&Modification],
) -> Result<Option<PasswordChange>, Refusal> {
    let one = |change: &Modification| match change.values.as_slice() {
        [value] => Ok(Secret::new(value.as_slice())),
        _ => Err(Refusal::Unwilling("an entry has one password, so exactly one value must be given")),
    };
    let kinds: Vec<_> = changes.iter().map(|change| (change.kind, change.values.is_empty(), *change)).collect();
    match kinds.as_slice() {
        [] => Ok(None),
        [(ModificationKind::Replace, false, change)] => Ok(Some(PasswordChange::Set { old: None, new: one(change)? })),
        [(ModificationKind::Replace | ModificationKind::Delete, true, _)] => Ok(Some(PasswordChange::Remove)),
        [
            (ModificationKind::Delete, false, delete),
            (ModificationKind::Add | ModificationKind::Replace, false, add),
        ] => Ok(Some(PasswordChange::Set { old: Some(one(delete)?), new: one(add)? })),
        [(ModificationKind::Delete, true, _), (ModificationKind::Add, false, add)] => {
            Ok(Some(PasswordChange::Set { old: None, new: one(add)? }))
        }
        [(ModificationKind::Add, false, add)] => {
            // A second password beside the first would keep the old one alive.
            let replaces = ctx.services.added_password == AddedPassword::Replaces;
            if !replaces && ctx.account(&target.node)?.password.is_some() {
                return Err(ModificationError::HasOne("userPassword".to_owned()).into());
            }
            Ok(Some(PasswordChange::Set { old: None, new: one(add)? }))
        }
        _ => Err(Refusal::Unwilling(
            "a password is changed by one replace, or by deleting the old value and adding the new one",
        )),
    }
}

fn state_change(ctx: &Context<'_>, target: &Target, change: &Modification) -> Result<StateChange, Refusal> {
    let known = ctx.schema().known();
    let id = change.attribute.attribute_type;
    let value = match change.kind {
        ModificationKind::Delete => None,
        ModificationKind::Add | ModificationKind::Replace => change.values.first(),
        ModificationKind::Increment => return Err(Refusal::Protocol("this attribute cannot be incremented")),
    };
    if let Some(value) = value {
        ctx.schema().check_value(ctx.schema().attribute_type(id), value)?;
    }
    if id == known.pwd_account_locked_time {
        target.require(Right::Unlock, "you may not lock or unlock this account", ctx)?;
        let read = if ctx.is_relaxed(id) { Lock::brought_along } else { Lock::by_administrator };
        let lock = value.and_then(|value| read(value));
        let is_by_hand = || Ok::<_, Refusal>(ctx.account(&target.node)?.locked.is_some_and(Lock::is_by_administrator));
        if lock.is_some() || is_by_hand()? {
            // To lock somebody out who holds more is power over them, and so is to end what another administrator has
            // decided, by which what they have passed on is suspended as well. To let them in after wrong passwords is not.
            let guarded = ctx.require_no_escalation(target.node.uuid, &target.dn);
            guarded.map_err(|refusal| refusal.about(Power::Lock))?;
        }
        return Ok(lock.map_or(StateChange::Unlock, StateChange::Lock));
    }
    if id == known.pwd_reset {
        ctx.require_right_to_set(target, By::Administrator, Means::Modify).map_err(about_reset)?;
        let must = value.is_some_and(|value| value == b"TRUE");
        return Ok(if must { StateChange::MustChange } else { StateChange::NeedNotChange });
    }
    if ctx.is_relaxed(id) {
        let guarded = ctx.require_no_escalation(target.node.uuid, &target.dn);
        guarded.map_err(|refusal| refusal.about(Power::SetState))?;
        return Ok(StateChange::Given(change.clone()));
    }
    Err(Refusal::ReadOnly(change.attribute.to_text(ctx.schema()).into_owned()))
}

/// The refusal of a change of `pwdReset`, which takes the right to set the password.
fn about_reset(refusal: Refusal) -> Refusal {
    match refusal.about(Power::DemandChange) {
        Refusal::InsufficientAccess(_) => {
            Refusal::InsufficientAccess("you may not say whether the password of this account must be changed")
        }
        other => other,
    }
}

impl Prepared {
    /// Whether the entry will have a password, if these changes say so.
    pub(super) const fn leaves_password(&self) -> Option<bool> {
        match self.password {
            Some(PasswordChange::Set { .. }) => Some(true),
            Some(PasswordChange::Remove) => Some(false),
            None => None,
        }
    }

    /// Verifies, judges and hashes what is to be, and makes the account that comes of it. Nothing is left to do if the same
    /// password was set so a moment ago, and nothing else is asked for.
    pub(super) fn run(self, ctx: &Context<'_>, target: &Target) -> Result<Option<Changed>, Refusal> {
        let policy = ctx.services.policies.governing(&target.node.entry, &target.dn, ctx.tree)?;
        let event = |kind| ctx.event(kind, Means::Modify, Whose::entry(&target.node, &target.dn), &policy);
        let account = ctx.account(&target.node)?;
        let effect = Effect::CredentialsSet { uuid: target.node.uuid };
        let mut changed = Changed { account, effect, password_set: false, events: Vec::new(), stays_locked: None };
        match self.password {
            Some(PasswordChange::Set { old, new }) => {
                let request = NewPassword { by: self.by, means: Means::Modify, old: old.into(), new: Some(new) };
                match ctx.set_password(target, &request)? {
                    Some(SetPassword { account, events, stays_locked, .. }) => {
                        let effect = password_was_set(&target.node, self.by);
                        changed = Changed { account, effect, password_set: true, events, stays_locked };
                    }
                    None if self.state.is_empty() => return Ok(None),
                    None => {}
                }
            }
            Some(PasswordChange::Remove) => {
                let before = Before { target, policy: &policy, lock: changed.account.locked };
                changed.account.remove_password();
                changed.password_set = true;
                let removed = event(EventKind::Removed);
                let ended = ctx.note_end_of_lock(before, &mut changed.account, &removed)?;
                changed.note(removed, ctx);
                changed.events.extend(ended);
            }
            None => {}
        }
        for change in self.state {
            // A new password may have ended it already.
            if !(change.kind() == EventKind::Unlocked && changed.has_ended_lock()) {
                changed.note(event(change.kind()), ctx);
            }
            change.apply(&mut changed.account, &policy, ctx)?;
        }
        Ok(Some(changed))
    }
}

impl Changed {
    /// Whether a lock is told to have ended by it.
    pub(super) fn has_ended_lock(&self) -> bool {
        self.events.iter().any(|event| event.kind == EventKind::Unlocked)
    }

    fn note(&mut self, event: Event, ctx: &Context<'_>) {
        self.account.ledger.add(&event, &ctx.requester.hands());
        self.events.push(event);
    }
}

impl StateChange {
    const fn kind(&self) -> EventKind {
        match self {
            Self::Unlock => EventKind::Unlocked,
            Self::Lock(_) => EventKind::Locked,
            Self::MustChange => EventKind::MustChange,
            Self::NeedNotChange => EventKind::NeedNotChange,
            Self::Given(_) => EventKind::StateSet,
        }
    }

    fn apply(self, account: &mut Account, policy: &Policy, ctx: &Context<'_>) -> Result<(), Refusal> {
        match self {
            Self::Unlock => account.unlock(),
            Self::Lock(lock) => account.locked = Some(lock),
            Self::MustChange if account.must_change => {}
            Self::MustChange => account.make_temporary(policy, ctx.now),
            Self::NeedNotChange => account.make_lasting(),
            Self::Given(change) => {
                let set = |state: &mut Attributes| Ok(change.apply(state, ctx.schema())?);
                *account = ctx.account_with(account, set)?;
            }
        }
        Ok(())
    }
}
