//! What is told of the end of passwords to those who never bind (`pwdExpireNotice`): once at each distance that the policy
//! names, and once when the end has come.
//!
//! What was told last is kept with the password, so nothing is told twice, also after a restart. Who comes within several
//! distances at once, because nobody has looked for long or the policy is new, is told of the nearest: to hear today that it is
//! two weeks, three days and one day helps nobody.

use std::time::Duration;

use crate::directory::Timestamp;
use crate::directory::tree::EventKind;

use super::account::Lock;
use super::scheme::Scheme;
use super::standing::Validity;
use super::{Account, Policy};

/// What is told of the end of a password.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Notice {
    /// When the password ends.
    pub end: Timestamp,
    /// The distance from the end that it has come within; zero if the end has come.
    pub before: Duration,
}

impl Notice {
    /// Reads `TIME#SECONDS`.
    pub(super) fn parse(value: &[u8]) -> Option<Self> {
        let (end, before) = std::str::from_utf8(value).ok()?.split_once('#')?;
        let before = Duration::from_secs(before.parse::<u32>().ok()?.into());
        Some(Self { end: Timestamp::parse(end.as_bytes())?.whole_seconds(), before })
    }

    pub(super) fn to_value(self) -> Vec<u8> {
        format!("{}#{}", self.end, self.before.as_secs()).into_bytes()
    }

    /// As what it is recorded.
    pub const fn kind(self) -> EventKind {
        if self.before.is_zero() { EventKind::Expired } else { EventKind::Expiring }
    }

    /// What is recorded with it.
    pub fn reason(self, now: Timestamp) -> String {
        if self.before.is_zero() {
            return format!("on {}", self.end);
        }
        let (left, before) = (self.end.since(now).as_secs(), self.before.as_secs());
        format!("in {left} seconds, on {}; pwdExpireNotice: {before}", self.end)
    }
}

impl Account {
    /// What is to be told now of the end of the password and was not told yet. Nothing is of an account that nobody can log
    /// in to whatever its age, nor of a password that must be changed anyway.
    pub fn due_notice(&self, policy: &Policy, validity: Validity, now: Timestamp) -> Option<Notice> {
        if policy.expire_notices.is_empty() || !self.can_be_noticed(policy, validity, now) {
            return None;
        }
        let end = policy.expires(self)?.whole_seconds();
        let is_within = |before: &Duration| now.saturating_add(*before) >= end;
        let nearest = || policy.expire_notices.iter().copied().find(is_within);
        let before = if now < end { nearest()? } else { Duration::ZERO };
        // A policy that has moved the end gives notice of that one.
        let told = self.noticed.filter(|told| told.end == end);
        told.is_none_or(|told| before < told.before).then_some(Notice { end, before })
    }

    fn can_be_noticed(&self, policy: &Policy, validity: Validity, now: Timestamp) -> bool {
        let has_password = self.password.as_ref().is_some_and(|stored| stored.scheme() != Scheme::Unusable);
        has_password
            && !self.must_change
            && !self.locked.is_some_and(Lock::is_by_administrator)
            && self.closed(policy, validity, now).is_none()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::StoredPassword;
    use super::*;

    const DAY: i64 = 86_400;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_micros(seconds * 1_000_000)
    }

    fn policy(notices: &[u64]) -> Policy {
        Policy {
            pwd_max_age: Some(Duration::from_secs(90 * 86_400)),
            expire_notices: notices.iter().map(|seconds| Duration::from_secs(*seconds)).collect(),
            ..Policy::default()
        }
    }

    fn account() -> Account {
        Account {
            password: Some(StoredPassword::new(b"{SSHA}pPxDpjnkk9OU0sQuYpmbO0OYFzQgs6Rp")),
            changed: Some(at(0)),
            ..Account::default()
        }
    }

    /// What is told when it is looked at these times, with the password as it is kept between them.
    fn told(mut account: Account, policy: &Policy, times: impl IntoIterator<Item = i64>) -> Vec<(i64, u64)> {
        let mut told = Vec::new();
        for time in times {
            if let Some(notice) = account.due_notice(policy, Validity::default(), at(time)) {
                account.noticed = Notice::parse(&notice.to_value());
                told.push((time, notice.before.as_secs()));
            }
        }
        told
    }

    fn hourly(from: i64, to: i64) -> impl Iterator<Item = i64> {
        (from..to).step_by(3_600)
    }

    #[test]
    fn each_distance_and_the_end_are_told_once() {
        let policy = policy(&[86_400, 259_200, 1_209_600]);
        let expected = [(76 * DAY, 1_209_600), (87 * DAY, 259_200), (89 * DAY, 86_400), (90 * DAY, 0)];
        assert_eq!(told(account(), &policy, hourly(0, 200 * DAY)), expected);
    }

    #[test]
    fn between_two_times_it_is_the_nearest_distance_that_is_told() {
        let policy = policy(&[86_400, 259_200, 1_209_600]);
        assert_eq!(told(account(), &policy, [0, 88 * DAY, 88 * DAY + 1]), [(88 * DAY, 259_200)]);
        assert_eq!(told(account(), &policy, [500 * DAY, 501 * DAY]), [(500 * DAY, 0)]);
        assert_eq!(told(account(), &policy, [76 * DAY - 1, 76 * DAY]), [(76 * DAY, 1_209_600)]);
        assert_eq!(told(account(), &policy, [90 * DAY - 1, 90 * DAY]), [(90 * DAY - 1, 86_400), (90 * DAY, 0)]);
    }

    #[test]
    fn zero_alone_tells_the_end_and_without_any_nothing_is_told() {
        assert_eq!(told(account(), &policy(&[0]), hourly(0, 100 * DAY)), [(90 * DAY, 0)]);
        assert_eq!(told(account(), &policy(&[]), hourly(0, 100 * DAY)), []);
        let endless = Policy { pwd_max_age: None, ..policy(&[0, 86_400]) };
        assert_eq!(told(account(), &endless, hourly(0, 100 * DAY)), []);
    }

    #[test]
    fn an_end_that_the_policy_has_moved_is_another_one() {
        let (before, told_of) = (policy(&[86_400]), Notice { end: at(90 * DAY), before: Duration::from_secs(86_400) });
        let noticed = Account { noticed: Some(told_of), ..account() };
        let longer = Policy { pwd_max_age: Some(Duration::from_secs(180 * 86_400)), ..before };
        assert_eq!(told(noticed, &longer, hourly(0, 181 * DAY)), [(179 * DAY, 86_400), (180 * DAY, 0)]);
    }

    #[test]
    fn of_accounts_that_nobody_can_log_in_to_nothing_is_told() {
        let (policy, now) = (policy(&[86_400]), at(89 * DAY));
        let due = |account: &Account, validity| account.due_notice(&policy, validity, now).is_some();
        let always = Validity::default();
        assert!(due(&account(), always));
        assert!(due(&Account { locked: Some(Lock::Since(now)), ..account() }, always));
        for lock in [Lock::ByAdministrator(None), Lock::ByAdministrator(Some(at(0)))] {
            assert!(!due(&Account { locked: Some(lock), ..account() }, always));
        }
        assert!(!due(&Account { password: None, ..account() }, always));
        assert!(!due(&Account { password: Some(StoredPassword::new(b"{CRYPT}!")), ..account() }, always));
        assert!(!due(&Account { must_change: true, ..account() }, always));
        assert!(!due(&Account { changed: None, ..account() }, always));
        assert!(!due(&account(), Validity { start: Some(at(100 * DAY)), end: None }));
        assert!(!due(&account(), Validity { start: None, end: Some(now) }));
        let idle = Policy { pwd_max_idle: Some(Duration::from_secs(86_400)), ..policy.clone() };
        assert_eq!(account().due_notice(&idle, always, now), None);
    }

    #[test]
    fn writing_and_reading_are_inverse() {
        let notice = Notice { end: at(90 * DAY), before: Duration::from_secs(259_200) };
        assert_eq!(notice.to_value(), b"19700401000000Z#259200");
        assert_eq!(Notice::parse(&notice.to_value()), Some(notice));
        for nonsense in ["", "#", "19700401000000Z", "19700401000000Z#", "19700401000000Z#-1", "soon#1"] {
            assert_eq!(Notice::parse(nonsense.as_bytes()), None, "{nonsense:?}");
        }
    }

    #[test]
    fn what_is_recorded_names_the_end_and_the_distance() {
        let notice = Notice { end: at(90 * DAY), before: Duration::from_secs(86_400) };
        let reason = "in 86300 seconds, on 19700401000000Z; pwdExpireNotice: 86400";
        assert_eq!((notice.kind(), notice.reason(at(89 * DAY + 100)).as_str()), (EventKind::Expiring, reason));
        let end = Notice { before: Duration::ZERO, ..notice };
        assert_eq!((end.kind(), end.reason(at(91 * DAY)).as_str()), (EventKind::Expired, "on 19700401000000Z"));
    }

    proptest! {
        /// Whenever it is looked, and whatever the distances are, none is told twice, each is nearer than the one before, and
        /// each is told as soon as it is looked.
        #[test]
        fn whenever_it_is_looked_nothing_is_told_twice_or_too_early(
            distances in proptest::collection::btree_set(0_u64..90 * 86_400, 1..6),
            times in proptest::collection::btree_set(0_i64..120 * DAY, 1..200),
        ) {
            let distances: Vec<u64> = distances.into_iter().collect();
            let all = told(account(), &policy(&distances), times.iter().copied());
            prop_assert!(all.windows(2).all(|pair| pair[1].1 < pair[0].1));
            for time in times {
                let left = 90 * DAY - time;
                let within = distances.iter().copied().find(|one| left > 0 && i64::try_from(*one).unwrap() >= left);
                let nearest = if left <= 0 { Some(0) } else { within };
                let last = all.iter().rev().find(|(when, _)| *when <= time).map(|(_, before)| *before);
                prop_assert_eq!(last, nearest);
            }
        }
    }
}
