//! Setting a password: the one way, whoever asks and however.

use std::time::Duration;

use crate::directory::Timestamp;

use super::account::{Lock, Remembered};
use super::one_time_code::OneTimeCode;
use super::policy::Policy;
use super::prepare::MAX_LEN;
use super::quality::{self, Facts};
use super::verdict::BrokenRule;
use super::{Account, Secret, StoredPassword};

/// Who sets a password.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    /// Its owner, who changes it.
    Owner,
    /// Somebody else, who resets it.
    Administrator,
}

/// The password before, as whoever sets another one gave it.
#[derive(Clone, Debug)]
pub enum OldPassword {
    /// It was not given.
    Absent,
    /// It must be right, whoever asks.
    Given(Secret),
    /// It was given and is right, which has been found out already.
    Proven(Secret),
    /// A one-time code was given in its place, and is right.
    Code,
}

impl OldPassword {
    /// The password, if it was given.
    pub const fn given(&self) -> Option<&Secret> {
        match self {
            Self::Absent | Self::Code => None,
            Self::Given(old) | Self::Proven(old) => Some(old),
        }
    }
}

impl From<Option<Secret>> for OldPassword {
    fn from(given: Option<Secret>) -> Self {
        given.map_or(Self::Absent, Self::Given)
    }
}

/// What keeps the owner from changing the password now, whatever the new one is: what can be said without looking at a
/// password, in the order of draft-behera §8.2.
pub fn held_back(account: &Account, policy: &Policy, old: &OldPassword, now: Timestamp) -> Vec<BrokenRule> {
    let mut broken = Vec::new();
    if policy.pwd_safe_modify && matches!(old, OldPassword::Absent) && account.password.is_some() {
        broken.push(BrokenRule::OldPasswordMissing);
    }
    if !policy.pwd_allow_user_change {
        broken.push(BrokenRule::NotAllowed);
    }
    // A password that must be changed is not held back by its age (draft-behera §7.8), nor is one that was forgotten.
    let ageless = account.must_change || matches!(old, OldPassword::Code);
    if let (Some(changed), false) = (account.changed, ageless) {
        let until = changed.saturating_add(policy.pwd_min_age);
        if !policy.pwd_min_age.is_zero() && now < until {
            broken.push(BrokenRule::TooYoung { wait: until.since(now) });
        }
    }
    broken
}

/// All that is wrong with a new password, by itself and as one that was had before. That costs a hash for each password
/// remembered, so it is for those who have shown that they may know.
pub fn judge(new: &Secret, account: &Account, policy: &Policy, facts: &Facts<'_>) -> Vec<BrokenRule> {
    let mut broken = quality::judge(new, policy, facts);
    broken.extend(judge_by_history(new, account, policy));
    broken
}

/// Whether the password was had before. What is remembered was once admitted, so what no policy admits is not compared with it.
pub fn judge_by_history(new: &Secret, account: &Account, policy: &Policy) -> Option<BrokenRule> {
    if policy.pwd_in_history == 0 || new.is_empty() || new.len() > MAX_LEN {
        return None;
    }
    if account.password.as_ref().is_some_and(|current| current.verify(new)) {
        return Some(BrokenRule::Unchanged);
    }
    let mut remembered = account.history.iter().rev().take(policy.pwd_in_history);
    remembered.any(|remembered| remembered.password.verify(new)).then_some(BrokenRule::Reused)
}

impl Account {
    /// Whether that is its password.
    pub fn has(&self, password: &Secret) -> bool {
        self.password.as_ref().is_some_and(|stored| stored.verify(password))
    }

    /// Takes a new password, and with it a new state: unexpired, nothing counted (draft-behera §8.2.7), and unlocked, unless
    /// the lock is one that [outlasts](Lock::outlasts_reset) that.
    pub fn set_password(&mut self, new: StoredPassword, policy: &Policy, by: By, now: Timestamp) {
        if let Some(old) = self.password.replace(new) {
            self.history.push(Remembered { time: now, password: old });
        }
        // The last one is known for what it is even where none is remembered.
        let replaced = self.history.last().filter(|_| policy.pwd_in_history == 0).cloned();
        let forgotten = self.history.len().saturating_sub(policy.pwd_in_history);
        self.history.drain(..forgotten);
        *self = Self {
            version: self.version,
            password: self.password.take(),
            history: std::mem::take(&mut self.history),
            replaced,
            changed: Some(self.next_change(now)),
            ledger: std::mem::take(&mut self.ledger),
            last_success: self.last_success.take(),
            last_failure: self.last_failure.take(),
            logins: std::mem::take(&mut self.logins),
            ..self.locked_still()
        };
        if by == By::Administrator && policy.pwd_must_change {
            self.make_temporary(policy, now);
        }
    }

    /// Has no password from now on, and no state, but for a lock that outlasts that.
    pub fn remove_password(&mut self) {
        *self = Self { version: self.version, ledger: std::mem::take(&mut self.ledger), ..self.locked_still() };
    }

    /// Ends a lock, whatever has brought it about, and forgets the wrong passwords.
    pub fn unlock(&mut self) {
        (self.locked, self.failures_in_a_row) = (None, 0);
        self.failures.clear();
    }

    /// Ends a lock that outlasts nothing, and forgets the wrong passwords that no lasting lock comes of.
    fn unlock_unless_lasting(&mut self) {
        let Self { locked, failures_in_a_row, .. } = self.locked_still();
        self.unlock();
        (self.locked, self.failures_in_a_row) = (locked, failures_in_a_row);
    }

    /// Nothing but a lock that outlasts a new password.
    fn locked_still(&self) -> Self {
        let locked = self.locked.filter(|lock| lock.outlasts_reset());
        let failures_in_a_row = if locked == Some(Lock::Exhausted) { self.failures_in_a_row } else { 0 };
        Self { failures_in_a_row, locked, ..Self::default() }
    }

    /// From now on its owner must change the password, for as long and as often as the policy lets it be used.
    pub fn make_temporary(&mut self, policy: &Policy, now: Timestamp) {
        self.must_change = true;
        self.temporary_until = policy.temporary_max_age.map(|age| now.saturating_add(age));
        self.temporary_uses = policy.temporary_max_uses;
    }

    /// A temporary password is good from then on only, and for as long as the policy lets it be used.
    pub fn begin_at(&mut self, from: Timestamp, policy: &Policy) {
        self.make_temporary(policy, from);
        self.temporary_from = Some(from);
    }

    /// Whether its password is not good yet.
    pub fn is_early(&self, now: Timestamp) -> bool {
        self.temporary_from.is_some_and(|from| now < from)
    }

    /// Its owner need not change the password.
    pub const fn make_lasting(&mut self) {
        self.must_change = false;
        self.temporary_from = None;
        self.temporary_until = None;
        self.temporary_uses = None;
    }

    /// Bounds the life of a temporary password. No bound of the policy becomes wider by that.
    pub fn shorten(&mut self, until: Option<Timestamp>, uses: Option<u32>) {
        if self.must_change {
            self.temporary_until = self.temporary_until.into_iter().chain(until).min();
            self.temporary_uses = self.temporary_uses.into_iter().chain(uses).min();
        }
    }

    /// Takes a code for the place of a forgotten password. Wrong passwords do not keep its owner from using it.
    pub fn take_code(&mut self, code: OneTimeCode) {
        self.code = Some(code);
        self.unlock_unless_lasting();
    }

    /// The time of a change: kept in seconds, and no two passwords of an account have the same, since sessions are told
    /// apart by it.
    fn next_change(&self, now: Timestamp) -> Timestamp {
        const SECOND: Duration = Duration::from_secs(1);
        let just_now = |last: &Timestamp| *last <= now.saturating_add(SECOND) && now < last.saturating_add(SECOND);
        self.changed.filter(just_now).map_or(now, |last| last.saturating_add(SECOND))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::account::Seen;
    use super::super::policy::CheckQuality;
    use super::super::stale::StaleSource;
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_micros(seconds * 1_000_000)
    }

    fn stored(password: &str) -> StoredPassword {
        StoredPassword::new(password.as_bytes())
    }

    fn policy() -> Policy {
        Policy {
            pwd_in_history: 2,
            pwd_check_quality: CheckQuality::Enforced,
            pwd_must_change: true,
            temporary_max_age: Some(Duration::from_secs(60)),
            temporary_max_uses: Some(3),
            ..Policy::default()
        }
    }

    #[test]
    fn the_current_password_and_the_last_ones_cannot_be_had_again() {
        let mut account = Account::default();
        for (time, password) in ["first one", "second one", "third one", "fourth one"].iter().enumerate() {
            account.set_password(stored(password), &policy(), By::Owner, at(i64::try_from(time).unwrap()));
        }
        let judged = |password: &str| judge(&Secret::new(password), &account, &policy(), &Facts::default());
        assert_eq!(judged("fourth one"), [BrokenRule::Unchanged]);
        assert_eq!(judged("third one"), [BrokenRule::Reused]);
        assert_eq!(judged("second one"), [BrokenRule::Reused]);
        assert_eq!(judged("first one"), []);
    }

    #[test]
    fn a_poor_password_is_told_as_well_that_it_was_had_before() {
        let mut account = Account::default();
        account.set_password(stored("old one"), &policy(), By::Owner, at(0));
        let stricter = Policy { pwd_min_length: 8, ..policy() };
        let judged = |password: &str| judge(&Secret::new(password), &account, &stricter, &Facts::default());
        assert_eq!(judged("old one"), [BrokenRule::TooShort { minimum: 8 }, BrokenRule::Unchanged]);
        assert_eq!(judged(""), [BrokenRule::Empty]);
        assert_eq!(judged(&"x".repeat(MAX_LEN + 1)), [BrokenRule::TooLong { maximum: 1024 }]);
    }

    #[test]
    fn a_change_clears_what_was_counted_and_a_reset_must_be_changed() {
        let seen = Seen { time: at(1), source: "10.2.3.4".into() };
        let mut account = Account {
            password: Some(stored("old")),
            failures: vec![at(1)],
            locked: Some(Lock::Since(at(1))),
            grace_uses: vec![at(1)],
            last_success: Some(seen.clone()),
            stale: vec![StaleSource { source: Arc::clone(&seen.source), count: 1, last: at(1) }],
            ..Account::default()
        };
        account.set_password(stored("new"), &policy(), By::Administrator, at(100));
        assert_eq!((account.failures.len(), account.locked, account.grace_uses.len()), (0, None, 0));
        assert_eq!(account.stale, []);
        assert!(account.must_change && account.last_success == Some(seen) && account.changed == Some(at(100)));
        assert_eq!((account.temporary_until, account.temporary_uses), (Some(at(160)), Some(3)));
        account.set_password(stored("own"), &policy(), By::Owner, at(200));
        assert!(!account.must_change && account.temporary_until.is_none() && account.temporary_uses.is_none());
    }

    #[test]
    fn a_lock_that_no_time_ends_outlasts_a_reset_a_code_and_the_removal_of_the_password() {
        let lasting =
            [(Lock::ByAdministrator(None), 0), (Lock::ByAdministrator(Some(at(1))), 0), (Lock::Exhausted, 100)];
        let ways: [fn(&mut Account); 3] = [
            |account| account.set_password(stored("new"), &policy(), By::Administrator, at(100)),
            |account| account.take_code(OneTimeCode { hash: stored("code"), until: at(200) }),
            Account::remove_password,
        ];
        for way in ways {
            let after = |lock| {
                let mut account =
                    Account { locked: Some(lock), failures: vec![at(1)], failures_in_a_row: 100, ..Account::default() };
                way(&mut account);
                assert_eq!(account.failures, []);
                (account.locked, account.failures_in_a_row)
            };
            for (lock, in_a_row) in lasting {
                assert_eq!(after(lock), (Some(lock), in_a_row));
            }
            assert_eq!(after(Lock::Since(at(1))), (None, 0));
        }
    }

    #[test]
    fn no_two_passwords_have_the_same_time_of_change() {
        let mut account = Account::default();
        let mut change = |now| {
            account.set_password(stored("new"), &policy(), By::Owner, now);
            account.changed.unwrap()
        };
        let half = at(10).saturating_add(Duration::from_millis(500));
        assert_eq!((change(at(10)), change(half), change(half)), (at(10), at(11), at(12)));
        assert_eq!((change(at(20)), change(at(5))), (at(20), at(5)));
    }

    #[test]
    fn minimum_age_holds_unless_the_password_must_be_changed() {
        let policy = Policy { pwd_min_age: Duration::from_secs(100), ..policy() };
        let mut account = Account { changed: Some(at(50)), ..Account::default() };
        let old = OldPassword::Given(Secret::new("old"));
        let held = |account: &Account, now| held_back(account, &policy, &old, at(now));
        assert_eq!(held(&account, 149), [BrokenRule::TooYoung { wait: Duration::from_secs(1) }]);
        assert_eq!(held(&account, 150), []);
        account.must_change = true;
        assert_eq!(held(&account, 51), []);
    }

    #[test]
    fn the_old_password_is_needed_where_the_policy_says_so() {
        let policy = Policy { pwd_safe_modify: true, pwd_allow_user_change: false, ..policy() };
        let account = Account { password: Some(stored("old")), ..Account::default() };
        let broken = held_back(&account, &policy, &OldPassword::Absent, at(0));
        assert_eq!(broken, [BrokenRule::OldPasswordMissing, BrokenRule::NotAllowed]);
    }
}
