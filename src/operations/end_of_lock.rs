//! What becomes of a lock when the password is set by somebody, or a code is given out in its place: one that wrong passwords
//! have brought about for a time ends, and is told to have ended; any other takes the right to unlock.

use crate::access::Right;
use crate::directory::Timestamp;
use crate::directory::tree::{Event, EventKind, Node};
use crate::password::Policy;
use crate::password::account::{Account, Lock};
use crate::password::change::By;
use crate::password::meter::ABSOLUTE_LIMIT;
use crate::password::standing::Validity;
use crate::protocol::Response;

use super::events::Whose;
use super::target::Target;
use super::{Context, Refusal, counted};

/// Ends a lock that is still there, if whoever sets the password of somebody else has the right to.
pub(super) fn unlock_if_permitted(target: &Target, by: By, account: &mut Account) {
    if by == By::Administrator && target.decision.allows(Right::Unlock) {
        account.unlock();
    }
}

/// A lock that there was before something happened to a password.
#[derive(Clone, Copy, Debug)]
pub(super) struct Before<'b> {
    pub(super) target: &'b Target,
    pub(super) policy: &'b Policy,
    pub(super) lock: Option<Lock>,
}

impl Context<'_> {
    /// The time in which an account may be used, as far as the requester may read it.
    pub(super) fn readable(&self, validity: Validity, target: &Target) -> Validity {
        let known = self.schema().known();
        Validity {
            start: validity.start.filter(|_| target.decision.read.contains(known.pwd_start_time)),
            end: validity.end.filter(|_| target.decision.read.contains(known.pwd_end_time)),
        }
    }

    /// Records in the ledger, and as events, that a lock has ended by what `event` tells, if it has.
    pub(super) fn note_end_of_lock(
        &self,
        before: Before<'_>,
        account: &mut Account,
        event: &Event,
    ) -> Result<Vec<Event>, Refusal> {
        let Before { target, policy, lock } = before;
        if account.locked.is_some() {
            return Ok(Vec::new());
        }
        let events = self.end_of_lock(&target.node, lock, |lock| {
            if policy.is_locked(Some(lock), self.now) {
                Event { kind: EventKind::Unlocked, ..event.clone() }
            } else {
                counted::lock_has_ended(Whose::entry(&target.node, &target.dn), self.now)
            }
        })?;
        if let Some(ended) = events.last().filter(|ended| ended.means == event.means) {
            account.ledger.add(ended, &self.requester.hands());
        }
        Ok(events)
    }

    /// What is told of the end of a lock, and of its beginning, if that has not been written. Whoever writes it first tells it:
    /// the meter finds other credentials then than those that it has counted for.
    pub(super) fn end_of_lock(
        &self,
        node: &Node,
        before: Option<Lock>,
        ended: impl FnOnce(Lock) -> Event,
    ) -> Result<Vec<Event>, Refusal> {
        let written = Account::read(self.tree.credentials(node.id)?.as_ref(), self.schema()).locked;
        let Some(lock) = before.or(written) else { return Ok(Vec::new()) };
        let begun = if written.is_some() { None } else { self.services.journal.lock_of(node.uuid) };
        Ok(begun.into_iter().chain([ended(lock)]).collect())
    }
}

/// Tells whoever has set a password, or has unlocked an account, why nobody comes in yet: it stays locked, or the time in
/// which it may be used has not begun, or is over.
pub(super) fn tell_that_it_stays(response: &mut Response, lock: Option<Lock>, validity: Validity, now: Timestamp) {
    let locked = lock.map(|lock| {
        let cause = match lock {
            Lock::ByAdministrator(_) | Lock::Since(_) => "an administrator has locked it".to_owned(),
            Lock::Exhausted => format!("{ABSOLUTE_LIMIT} wrong passwords in a row have locked it"),
        };
        format!(
            "the account stays locked: {cause}; somebody with the right unlock can open it (delete pwdAccountLockedTime)"
        )
    });
    let closed = if validity.holds(now) {
        None
    } else if validity.end.is_some_and(|end| now >= end) {
        Some("nobody can use the account any more: its pwdEndTime has passed")
    } else {
        Some("nobody can use the account yet: its pwdStartTime is still to come")
    };
    let all: Vec<String> = locked.into_iter().chain(closed.map(str::to_owned)).collect();
    if !all.is_empty() {
        response.result.diagnostic_message = format!("done, but {}", all.join("; and "));
    }
}
