//! Testing a password: the one way, so that there is one meter for wrong ones.

use std::time::Duration;

use crate::directory::Timestamp;
use crate::directory::tree::{Event, EventKind, Means, SAME_CHANGE};
use crate::password::account::{Account, Lock, Remembered};
use crate::password::meter::{Attempt, Begin, Subject, Trial};
use crate::password::one_time_code::OneTimeCode;
use crate::password::scheme::{Cost, Effort, NewScheme};
use crate::password::standing::{Blocked, Validity};
use crate::password::verdict::PolicyErrorCode;
use crate::password::{Policy, Secret, StoredPassword};
use crate::protocol::control::Flag;

use super::hold::Awaited;
use super::second_factor::{Code, Presented};
use super::{Context, Hold, Refusal};

/// Who is locked out is told so at the earliest after this time, and so is whoever tries a name that no entry has: most disks
/// write the lock in less, so time does not tell them apart.
const WRITING_A_LOCK: Duration = Duration::from_millis(100);

/// A password that is to be tested.
#[derive(Clone, Copy, Debug)]
pub(super) struct Given<'g> {
    pub(super) subject: Subject,
    /// By which way it was given.
    pub(super) means: Means,
    pub(super) account: &'g Account,
    pub(super) policy: &'g Policy,
    pub(super) password: &'g Secret,
    pub(super) known: Known,
    pub(super) second_factor: SecondFactor<'g>,
}

/// What is known of the code behind a password, which has been taken off it.
#[derive(Clone, Copy, Debug)]
pub(super) enum SecondFactor<'g> {
    /// None is asked for.
    NotAsked,
    /// It is right.
    Right,
    /// It is the last one that was used: refused, and no guess.
    Used,
    /// It is wrong: what was tried, if the password is right.
    Wrong(&'g Secret),
}

impl<'g> SecondFactor<'g> {
    /// That of what was presented, if a second factor is asked for.
    pub(super) fn of(presented: Option<&'g Presented>) -> Self {
        match presented.map(|presented| &presented.code) {
            None => Self::NotAsked,
            Some(Code::Right(..)) => Self::Right,
            Some(Code::Used) => Self::Used,
            Some(Code::Wrong(tried)) => Self::Wrong(tried),
        }
    }

    /// Whether one is asked for, and has not been given.
    const fn is_missing(self) -> bool {
        matches!(self, Self::Used | Self::Wrong(_))
    }

    /// The same for a request that may have been done a moment ago, and then has used up the code.
    pub(super) const fn again(self) -> Self {
        match self {
            Self::Used => Self::Right,
            other => other,
        }
    }
}

/// What is known of a password before it is hashed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Known {
    /// Nothing.
    #[default]
    Nothing,
    /// It is the one that was verified a moment ago.
    Right,
}

/// What a password was found to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Matched {
    /// The password of the account.
    Password,
    /// A one-time code.
    Code,
    /// The password before, and the new password is what the account has: the same change was made a moment ago.
    Again,
}

/// What may be given besides the password of an account, where it is to be changed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Besides<'b> {
    /// A code that was given out.
    pub(super) code: Option<&'b OneTimeCode>,
    /// The new password of a request that may be the last change once more.
    pub(super) again: Option<&'b Secret>,
}

/// What else a password may be that is wrong.
#[derive(Clone, Copy)]
enum Second<'a> {
    Nothing,
    /// The password before.
    Before(&'a Remembered),
    /// A code that was given out.
    Code(&'a OneTimeCode),
}

impl Context<'_> {
    /// Tests a password, and counts it if it is wrong. What is right is for the caller to report to the attempt, since
    /// the account may be blocked for other reasons, which must not be told to whoever does not know the password.
    ///
    /// The password that was replaced last is not counted: a device that still sends it does not guess. It is answered as
    /// late as any other wrong one, or an attacker would know it by that.
    ///
    /// Every refusal takes the time of two hashes as they are made today, so that time tells neither who exists, nor who is
    /// locked. An older hash is computed beside them.
    pub(super) fn verify_password(&self, given: &Given<'_>) -> Result<Attempt<'_>, Refusal> {
        self.verify(given, Besides::default()).map(|(_, attempt)| attempt)
    }

    /// The same where a one-time code may be given in the place of the password. While there is one, it takes the place of
    /// the password before, so that it takes no longer. Where the same change may have been made a moment ago, and the password
    /// before is given, the new one must be the password of the account: that one is counted if it is wrong.
    pub(super) fn verify(&self, given: &Given<'_>, besides: Besides<'_>) -> Result<(Matched, Attempt<'_>), Refusal> {
        let Given { subject, account, policy, password, .. } = *given;
        if account.version == SAME_CHANGE {
            // The meter counts for what is stored.
            return Err(Refusal::Unwilling(
                "the old password cannot be asked for in the transaction that has set it; settle that first",
            ));
        }
        let current = account.password.as_ref();
        let before = account.before().map_or(Second::Nothing, Second::Before);
        let second = besides.code.map_or(before, Second::Code);
        let trial = Trial { subject, source: &self.requester.source, now: self.now };
        let attempt = match self.services.meter.begin(&trial, account, policy) {
            Begin::Go(attempt) => attempt,
            Begin::Wait => return Err(Refusal::Wait),
            Begin::Locked { .. } => {
                let refusal = self.refuse_locked(given);
                self.verify_slowly(current, given);
                self.is_second(second, given);
                return Err(refusal);
            }
        };
        if self.is_right(given) {
            if given.second_factor.is_missing() {
                // A refusal takes as long as any other, also where the hash was quick.
                if is_right_at_once(current, password) {
                    self.verify_slowly(current, given);
                }
                self.is_second(second, given);
            }
            return self.with_code(given, attempt).map(|attempt| (Matched::Password, attempt));
        }
        match (second, besides.again) {
            _ if !self.is_second(second, given) => {}
            (Second::Nothing, _) => {}
            (Second::Code(_), _) => return self.with_code(given, attempt).map(|attempt| (Matched::Code, attempt)),
            (Second::Before(_), Some(new)) => {
                let new = Given { password: new, second_factor: given.second_factor.again(), ..*given };
                if !self.is_right(&new) {
                    return Err(self.count(attempt, &new));
                }
                return self.with_code(&new, attempt).map(|attempt| (Matched::Again, attempt));
            }
            (Second::Before(Remembered { time, .. }), None) => {
                let failure = attempt.stale();
                if let Some(event) = self.event_of_trying(given, EventKind::StaleDevice) {
                    self.services.journal.note_daily(Event { reason: format!("replaced {time}"), ..event });
                }
                let noticed = self.services.meter.notice_wrong(&trial, password, &self.services.spray);
                return Err(wrong(None, Hold::back(policy.delay(failure.tried).max(noticed)), Some(*time)));
            }
        }
        Err(self.count(attempt, given))
    }

    /// Requires the code, if one is asked for, from whoever has given the right password. A wrong one is counted by the
    /// meter of passwords, and the one that was used last is not, since nobody learns anything by it.
    fn with_code<'a>(&self, given: &Given<'_>, attempt: Attempt<'a>) -> Result<Attempt<'a>, Refusal> {
        match given.second_factor {
            SecondFactor::NotAsked | SecondFactor::Right => Ok(attempt),
            SecondFactor::Wrong(tried) => Err(self.count(attempt, &Given { password: tried, ..*given })),
            SecondFactor::Used => {
                let trial = Trial { subject: given.subject, source: &self.requester.source, now: self.now };
                let failure = attempt.used();
                let noticed = self.services.meter.notice_wrong(&trial, given.password, &self.services.spray);
                Err(wrong(None, Hold::back(given.policy.delay(failure.tried).max(noticed)), None))
            }
        }
    }

    /// The same where a proof was sent in the place of the password, and is known to be right or is wrong. Finding that out
    /// takes no time that would tell anything. Nor does a proof tell of which wrong password it is, so each one counts, also
    /// those of the password before.
    pub(super) fn verify_proof(&self, given: &Given<'_>) -> Result<Attempt<'_>, Refusal> {
        let trial = Trial { subject: given.subject, source: &self.requester.source, now: self.now };
        match self.services.meter.begin(&trial, given.account, given.policy) {
            Begin::Go(attempt) if given.known == Known::Right && !given.account.is_early(self.now) => Ok(attempt),
            Begin::Go(attempt) => Err(self.count(attempt, given)),
            Begin::Wait => Err(Refusal::Wait),
            Begin::Locked { .. } => Err(self.refuse_locked(given)),
        }
    }

    /// The refusal of whatever is tried at an account that is locked.
    fn refuse_locked(&self, given: &Given<'_>) -> Refusal {
        let trial = Trial { subject: given.subject, source: &self.requester.source, now: self.now };
        let noticed = self.services.meter.notice_wrong(&trial, given.password, &self.services.spray);
        let delay = given.policy.delay(given.policy.pwd_max_failure).max(noticed);
        wrong(Some(PolicyErrorCode::AccountLocked), Hold::back(delay), None)
    }

    /// Counts a wrong password, and refuses it. Who is locked out by it is told so when that is on disk.
    fn count(&self, attempt: Attempt<'_>, given: &Given<'_>) -> Refusal {
        let event = self.event_of_trying(given, EventKind::Locked);
        let written = event.as_ref().map_or(Awaited::Nothing, |event| Awaited::Lock(event.uuid));
        let failure = attempt.failed(given.password, |failure| {
            if let Some(event) = event.filter(|_| failure.locked_now) {
                let reason = format!("{} wrong passwords", failure.count);
                self.services.journal.note_lock(Event { reason, ..event });
            }
        });
        let trial = Trial { subject: given.subject, source: &self.requester.source, now: self.now };
        let noticed = self.services.meter.notice_wrong(&trial, given.password, &self.services.spray);
        let delay = given.policy.delay(failure.tried).max(noticed);
        if failure.locked_now {
            let hold = Hold { delay: delay.max(WRITING_A_LOCK), written };
            return wrong(Some(PolicyErrorCode::AccountLocked), hold, None);
        }
        wrong(None, Hold::back(delay), None)
    }

    /// Notes that a password was right, which a dry run leaves without effect. That one was wrong is counted by a dry run as
    /// well, since otherwise guessing would be free.
    pub(super) fn note_passed(&self, attempt: Attempt<'_>) {
        if !self.flags.has(Flag::NoOp) {
            attempt.passed();
        }
    }

    /// Whether it is the password of the account. One that is not good yet is as wrong as any other.
    fn is_right(&self, given: &Given<'_>) -> bool {
        let stored = given.account.password.as_ref();
        let is_right = given.known == Known::Right
            || is_right_at_once(stored, given.password)
            || self.verify_slowly(stored, given);
        is_right && !given.account.is_early(self.now)
    }

    /// Whether a wrong password is something else, found out in the same time whatever there is.
    fn is_second(&self, second: Second<'_>, given: &Given<'_>) -> bool {
        match second {
            Second::Nothing => self.verify_slowly(None, given),
            Second::Before(last) => self.verify_slowly(Some(&last.password), given),
            Second::Code(code) => {
                let password = &OneTimeCode::as_made(given.password);
                self.verify_slowly(Some(&code.hash), &Given { password, ..*given })
            }
        }
    }

    /// Verifies a password in the time of a hash as they are made today, also where there is none, or one that was imported
    /// and takes less.
    fn verify_slowly(&self, stored: Option<&StoredPassword>, given: &Given<'_>) -> bool {
        let today = self.cost_of_today(given.policy);
        if stored.is_none_or(|stored| stored.is_outdated(NewScheme::Argon2id(today))) {
            StoredPassword::of_nobody(today, self.random).verify(given.password);
        }
        stored.is_some_and(|stored| stored.verify(given.password))
    }

    /// The cost at which those are hashed whom the policy governs, or, where these are hashed more quickly than others, the
    /// others.
    fn cost_of_today(&self, policy: &Policy) -> Cost {
        match (policy.hashing.said(), self.services.new_passwords) {
            (Some(NewScheme::Argon2id(cost)), _) | (_, NewScheme::Argon2id(cost)) => cost,
            (_, NewScheme::Ssha512 | NewScheme::Ssha) => Cost::default(),
        }
    }
}

/// What keeps the owner out though the password is right. Where the lock did not keep them from trying, it does not now,
/// unless it is one that an administrator has made.
pub(super) fn blocks(
    attempt: &Attempt<'_>,
    account: &Account,
    policy: &Policy,
    validity: Validity,
    now: Timestamp,
) -> Option<Blocked> {
    if attempt.is_despite_lock() && matches!(account.locked, None | Some(Lock::Since(_))) {
        account.closed(policy, validity, now)
    } else {
        account.blocked(policy, validity, now)
    }
}

fn is_quick(stored: &StoredPassword) -> bool {
    stored.effort() == Effort::Light
}

/// Whether a password is right by a hash that costs next to nothing.
fn is_right_at_once(stored: Option<&StoredPassword>, password: &Secret) -> bool {
    stored.is_some_and(|stored| is_quick(stored) && stored.verify(password))
}

fn wrong(policy: Option<PolicyErrorCode>, hold: Hold, replaced: Option<Timestamp>) -> Refusal {
    Refusal::InvalidCredentials { policy, hold, replaced, unasked: None }
}

/// The refusal for somebody whose password is right, but who may not come in.
pub(super) const fn blocked(policy: Option<PolicyErrorCode>) -> Refusal {
    Refusal::InvalidCredentials { policy, hold: Hold::NONE, replaced: None, unasked: None }
}
