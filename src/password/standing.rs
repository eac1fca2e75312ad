//! How an account stands at a bind (draft-behera §7, §8.1).

use std::time::Duration;

use crate::directory::{Entry, Schema, Timestamp};

use super::policy::{MustChangeBind, Policy};
use super::scheme::{NewScheme, Scheme};
use super::{Account, StoredPassword};

/// Why nobody can bind as the account, whatever password they give.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Blocked {
    /// Wrong passwords or an administrator have locked it, or it was not used for too long.
    Locked {
        /// When the lock ends; `None` if an administrator must end it.
        until: Option<Timestamp>,
    },
    /// `pwdStartTime` is still to come.
    NotYetValid,
    /// `pwdEndTime` has passed.
    NoLongerValid,
    /// A temporary password is not good yet.
    TemporaryEarly,
    /// A temporary password has ended: its time or its uses are over.
    TemporaryEnded,
}

/// What the right password opens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Everything.
    Good {
        /// How long until the password expires, if the policy wants that said now.
        expires_in: Option<Duration>,
    },
    /// Everything, though the password has expired: this bind uses up one of the last.
    Grace {
        /// How many are left after this one.
        remaining: usize,
    },
    /// Only changing the password.
    MustChange,
    /// Nothing, because the password must be changed and the policy fails such binds.
    MustChangeElsewhere,
    /// Nothing: the password has expired.
    Expired,
}

/// The time in which an account may be used (`pwdStartTime`, `pwdEndTime`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Validity {
    /// Not before.
    pub start: Option<Timestamp>,
    /// Not from this on.
    pub end: Option<Timestamp>,
}

impl Validity {
    /// The time that an entry says.
    pub fn of(entry: &Entry, schema: &Schema) -> Self {
        let time = |id| entry.first(id).and_then(Timestamp::parse);
        Self { start: time(schema.known().pwd_start_time), end: time(schema.known().pwd_end_time) }
    }

    /// Whether the account may be used at that time.
    pub fn holds(self, now: Timestamp) -> bool {
        self.start.is_none_or(|start| now >= start) && self.end.is_none_or(|end| now < end)
    }
}

impl Account {
    /// What blocks the account: a lock, or what [closes](Self::closed) it.
    pub fn blocked(&self, policy: &Policy, validity: Validity, now: Timestamp) -> Option<Blocked> {
        if policy.is_locked(self.locked, now) {
            return Some(Blocked::Locked { until: self.locked.and_then(|lock| policy.lock_ends(lock)) });
        }
        self.closed(policy, validity, now)
    }

    /// What closes the account, whether or not wrong passwords have locked it.
    pub fn closed(&self, policy: &Policy, validity: Validity, now: Timestamp) -> Option<Blocked> {
        if validity.start.is_some_and(|start| now < start) {
            return Some(Blocked::NotYetValid);
        }
        if validity.end.is_some_and(|end| now >= end) {
            return Some(Blocked::NoLongerValid);
        }
        if self.is_idle(policy, now) {
            return Some(Blocked::Locked { until: None });
        }
        if self.is_early(now) {
            return Some(Blocked::TemporaryEarly);
        }
        let over = self.temporary_until.is_some_and(|until| now >= until) || self.temporary_uses == Some(0);
        (self.must_change && over).then_some(Blocked::TemporaryEnded)
    }

    /// Whether the account has not been used for so long that the policy locks it. A reset of the password gives it back
    /// as well as a use of it.
    pub fn is_idle(&self, policy: &Policy, now: Timestamp) -> bool {
        let used = self.last_success.as_ref().map(|seen| seen.time).max(self.changed);
        policy.pwd_max_idle.zip(used).is_some_and(|(idle, used)| now >= used.saturating_add(idle))
    }

    /// Whether the hash of the password is not as the policy wants it, and the time is over until which it may be so
    /// (`pwdRehashDeadline`). `usual` is how passwords are kept where the policy says nothing.
    pub fn is_rehash_overdue(&self, policy: &Policy, usual: NewScheme, now: Timestamp) -> bool {
        // What matches no password is shown by no bind.
        let outdated = |stored: &StoredPassword| {
            stored.scheme() != Scheme::Unusable && stored.is_outdated(policy.hashing.or(usual))
        };
        policy.rehash_deadline.is_some_and(|deadline| deadline <= now) && self.password.as_ref().is_some_and(outdated)
    }

    /// Whether so many wrong passwords are recorded that the policy would have locked the account.
    pub fn has_failed_too_often(&self, policy: &Policy, now: Timestamp) -> bool {
        let counts = |time: &&Timestamp| {
            policy.pwd_failure_count_interval.is_none_or(|interval| now < time.saturating_add(interval))
        };
        policy.lockout_limit().is_some_and(|limit| self.failures.iter().filter(counts).count() >= limit)
    }

    /// What the right password opens now.
    pub fn standing(&self, policy: &Policy, now: Timestamp) -> Standing {
        if self.must_change {
            return match policy.must_change_bind {
                MustChangeBind::Restrict => Standing::MustChange,
                MustChangeBind::Fail => Standing::MustChangeElsewhere,
            };
        }
        let Some(expires) = policy.expires(self) else { return Standing::Good { expires_in: None } };
        if now < expires {
            let left = expires.since(now);
            return Standing::Good { expires_in: (left <= policy.pwd_expire_warning).then_some(left) };
        }
        let in_time = policy.pwd_grace_expiry.is_none_or(|grace| now < expires.saturating_add(grace));
        match policy.pwd_grace_authn_limit.checked_sub(self.grace_uses.len() + 1) {
            Some(remaining) if in_time => Standing::Grace { remaining },
            _ => Standing::Expired,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::account::{Lock, Seen};
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_micros(seconds * 1_000_000)
    }

    fn expiring() -> Policy {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        Policy {
            pwd_max_age: seconds(100),
            pwd_expire_warning: Duration::from_secs(20),
            pwd_grace_authn_limit: 2,
            pwd_grace_expiry: seconds(50),
            ..Policy::default()
        }
    }

    #[test]
    fn a_password_is_good_then_warned_of_then_in_grace_then_expired() {
        let mut account = Account { changed: Some(at(0)), ..Account::default() };
        let standing = |account: &Account, now| account.standing(&expiring(), at(now));
        assert_eq!(standing(&account, 79), Standing::Good { expires_in: None });
        assert_eq!(standing(&account, 80), Standing::Good { expires_in: Some(Duration::from_secs(20)) });
        assert_eq!(standing(&account, 100), Standing::Grace { remaining: 1 });
        account.grace_uses.push(at(100));
        assert_eq!(standing(&account, 101), Standing::Grace { remaining: 0 });
        account.grace_uses.push(at(101));
        assert_eq!(standing(&account, 102), Standing::Expired);
        account.grace_uses.clear();
        assert_eq!(standing(&account, 150), Standing::Expired);
    }

    #[test]
    fn a_password_without_a_time_of_change_never_expires() {
        assert_eq!(Account::default().standing(&expiring(), at(1_000_000)), Standing::Good { expires_in: None });
    }

    #[test]
    fn a_reset_password_opens_only_its_own_change() {
        let account = Account { must_change: true, ..Account::default() };
        assert_eq!(account.standing(&Policy::default(), at(0)), Standing::MustChange);
        let failing = Policy { must_change_bind: MustChangeBind::Fail, ..Policy::default() };
        assert_eq!(account.standing(&failing, at(0)), Standing::MustChangeElsewhere);
    }

    #[test]
    fn an_outdated_hash_is_overdue_from_the_deadline_on() {
        let policy = Policy { rehash_deadline: Some(at(100)), ..Policy::default() };
        let kept = |value: &[u8]| Account { password: Some(StoredPassword::new(value)), ..Account::default() };
        let old = kept(b"{SSHA}pPxDpjnkk9OU0sQuYpmbO0OYFzQgs6Rp");
        let overdue =
            |account: &Account, policy: &Policy, now| account.is_rehash_overdue(policy, NewScheme::default(), at(now));
        assert_eq!([99, 100, 101].map(|now| overdue(&old, &policy, now)), [false, true, true]);
        assert!(!overdue(&old, &Policy::default(), 101));
        assert!(!old.is_rehash_overdue(&policy, NewScheme::Ssha, at(101)));
        assert!(!overdue(&kept(b"{CRYPT}!"), &policy, 101) && !overdue(&Account::default(), &policy, 101));
    }

    #[test]
    fn locks_windows_idleness_and_used_up_temporary_passwords_block() {
        let policy = Policy {
            pwd_lockout_duration: Some(Duration::from_secs(60)),
            pwd_max_idle: Some(Duration::from_secs(1000)),
            ..Policy::default()
        };
        let blocked = |account: &Account, validity, now| account.blocked(&policy, validity, at(now));
        let always = Validity::default();
        let locked = Account { locked: Some(Lock::Since(at(100))), ..Account::default() };
        assert_eq!(blocked(&locked, always, 100), Some(Blocked::Locked { until: Some(at(160)) }));
        assert_eq!(blocked(&locked, always, 160), None);
        let window = Validity { start: Some(at(10)), end: Some(at(20)) };
        let account = Account::default();
        assert_eq!(blocked(&account, window, 9), Some(Blocked::NotYetValid));
        assert_eq!(blocked(&account, window, 10), None);
        assert_eq!(blocked(&account, window, 20), Some(Blocked::NoLongerValid));
        let seen = Seen { time: at(0), source: "10.2.3.4".into() };
        let idle = Account { last_success: Some(seen), ..Account::default() };
        assert_eq!(blocked(&idle, always, 1000), Some(Blocked::Locked { until: None }));
        assert_eq!(blocked(&Account { changed: Some(at(500)), ..idle }, always, 1000), None);
        let used_up = Account { must_change: true, temporary_uses: Some(0), ..Account::default() };
        assert_eq!(blocked(&used_up, always, 0), Some(Blocked::TemporaryEnded));
    }
}
