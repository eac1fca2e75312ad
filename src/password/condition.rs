//! How an account stands, in words and with the reasons: what somebody asks who cannot log in, or whoever helps them.

use std::fmt;
use std::time::Duration;

use crate::directory::Timestamp;
use crate::directory::tree::EventKind;

use super::Account;
use super::account::{Lock, Seen};
use super::ledger::Done;
use super::logins::Login;
use super::policy::{MustChangeBind, Policy};
use super::scheme::Scheme;
use super::second_factor::Kind;
use super::stale::StaleSource;
use super::standing::{Standing, Validity};
use super::verdict::Language;

/// Something that is true of an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Condition {
    /// It has no password.
    NoPassword,
    /// It has a hash that no password matches: `{CRYPT}!`, a malformed one, or one of a scheme that is not known here.
    NoPasswordMatches,
    /// It asks for a second factor, and there is none by which anybody could log in: why.
    NoSecondFactor(String),
    /// It asks for a code behind the password.
    SecondFactor {
        /// Of what kind.
        kind: Kind,
        /// The name of the token.
        token: String,
    },
    /// The last code that was used is of a time that is still to come.
    SecondFactorAhead,
    /// Wrong passwords have locked it.
    LockedByFailures {
        /// Since when, if that is known.
        since: Option<Timestamp>,
        /// Until when; `None` if an administrator must end it.
        until: Option<Timestamp>,
        /// How many wrong passwords are recorded.
        count: usize,
        /// When and from where the last came.
        last: Option<Seen>,
    },
    /// An administrator has locked it.
    LockedByHand(Option<Done>),
    /// `pwdStartTime` is still to come.
    NotYetValid(Timestamp),
    /// `pwdEndTime` has passed.
    NoLongerValid(Timestamp),
    /// It was not used for longer than the policy allows, since that time.
    Idle(Timestamp),
    /// The temporary password is not good before that time.
    TemporaryEarly(Timestamp),
    /// The time of the temporary password ended then.
    TemporaryEnded(Timestamp),
    /// The temporary password was used as often as it may be.
    TemporaryUsedUp,
    /// The password must be changed before anything else is done, and until then binds do that.
    MustChange(MustChangeBind),
    /// The temporary password is good until then, and for so many binds.
    Temporary {
        /// Until when, if that is bounded.
        until: Option<Timestamp>,
        /// For how many binds, if that is.
        uses: Option<u32>,
    },
    /// The password expired then, and nothing is left.
    Expired(Timestamp),
    /// It expired then, and so many binds are left.
    Grace(Timestamp, usize),
    /// It expires then, in so long.
    Expires(Timestamp, Duration),
    /// It does not expire.
    NeverExpires,
    /// Wrong passwords were counted, too few for a lock.
    Failures(usize, Option<Seen>),
    /// A device at this place still sends the password before, which was replaced at that time, if that is known.
    StaleDevice(StaleSource, Option<Timestamp>),
    /// The right password came last at that time.
    LastSuccess(Seen),
    /// One of the last logins.
    LoggedIn(Login),
    /// The password was set last at that time, and by whom, if that is recorded.
    Set(Timestamp, Option<Done>),
}

impl Condition {
    /// All that is true of an account, what keeps its owner out first.
    pub fn all(account: &Account, policy: &Policy, validity: Validity, now: Timestamp) -> Vec<Self> {
        let mut all = Vec::new();
        all.extend(account.password.is_none().then_some(Self::NoPassword));
        let unusable = account.password.as_ref().filter(|stored| stored.scheme() == Scheme::Unusable);
        all.extend(unusable.map(|_| Self::NoPasswordMatches));
        all.extend(Self::lock(account, policy, now));
        all.extend(validity.start.filter(|start| now < *start).map(Self::NotYetValid));
        all.extend(validity.end.filter(|end| now >= *end).map(Self::NoLongerValid));
        if account.is_idle(policy, now) {
            all.extend(account.last_success.as_ref().map(|seen| seen.time).max(account.changed).map(Self::Idle));
        }
        all.extend(Self::temporary(account, policy, now));
        all.extend(Self::expiry(account, policy, now));
        if !all.iter().any(|one| matches!(one, Self::LockedByFailures { .. })) && !account.failures.is_empty() {
            all.push(Self::Failures(account.failures.len(), account.last_failure.clone()));
        }
        let replaced = account.before().map(|before| before.time);
        all.extend(account.stale.iter().rev().map(|place| Self::StaleDevice(place.clone(), replaced)));
        all.extend(account.last_success.clone().map(Self::LastSuccess));
        all.extend(account.logins.iter().rev().map(Self::LoggedIn));
        let set = [EventKind::Set, EventKind::Changed, EventKind::Reset];
        all.extend(account.changed.map(|changed| Self::Set(changed, account.ledger.last(&set))));
        all.sort_by_key(|one| !one.keeps_out());
        all
    }

    fn lock(account: &Account, policy: &Policy, now: Timestamp) -> Option<Self> {
        let lock = account.locked.filter(|lock| policy.is_locked(Some(*lock), now))?;
        let by_hand = account.ledger.last(&[EventKind::Locked, EventKind::Unlocked]);
        let by_hand = by_hand.filter(|done| done.kind == EventKind::Locked);
        let since = match lock {
            Lock::ByAdministrator(_) => return Some(Self::LockedByHand(by_hand)),
            Lock::Since(since) => Some(since),
            Lock::Exhausted => None,
        };
        let (count, last) = (account.failures.len(), account.last_failure.clone());
        Some(Self::LockedByFailures { since, until: policy.lock_ends(lock), count, last })
    }

    fn temporary(account: &Account, policy: &Policy, now: Timestamp) -> Vec<Self> {
        if !account.must_change {
            return Vec::new();
        }
        let bounds = match (account.temporary_from, account.temporary_until, account.temporary_uses) {
            (Some(from), _, _) if now < from => Some(Self::TemporaryEarly(from)),
            (_, Some(until), _) if now >= until => Some(Self::TemporaryEnded(until)),
            (_, _, Some(0)) => Some(Self::TemporaryUsedUp),
            (_, None, None) => None,
            (_, until, uses) => Some(Self::Temporary { until, uses }),
        };
        [Self::MustChange(policy.must_change_bind)].into_iter().chain(bounds).collect()
    }

    fn expiry(account: &Account, policy: &Policy, now: Timestamp) -> Option<Self> {
        account.password.as_ref()?;
        let Some(at) = policy.expires(account) else { return Some(Self::NeverExpires) };
        if now < at {
            return Some(Self::Expires(at, at.since(now)));
        }
        // Whoever must change the password anyway is not asked how old it is.
        match account.standing(policy, now) {
            Standing::Grace { remaining } => Some(Self::Grace(at, remaining + 1)),
            Standing::Expired => Some(Self::Expired(at)),
            Standing::Good { .. } | Standing::MustChange | Standing::MustChangeElsewhere => None,
        }
    }

    /// Whether nobody gets in because of it, with the right password either.
    pub const fn keeps_out(&self) -> bool {
        match self {
            Self::NoPassword
            | Self::NoPasswordMatches
            | Self::NoSecondFactor(_)
            | Self::SecondFactorAhead
            | Self::LockedByFailures { .. }
            | Self::LockedByHand(_)
            | Self::NotYetValid(_)
            | Self::NoLongerValid(_)
            | Self::Idle(_)
            | Self::TemporaryEarly(_)
            | Self::TemporaryEnded(_)
            | Self::TemporaryUsedUp
            | Self::MustChange(MustChangeBind::Fail)
            | Self::Expired(_) => true,
            Self::SecondFactor { .. }
            | Self::MustChange(MustChangeBind::Restrict)
            | Self::Temporary { .. }
            | Self::Grace(..)
            | Self::Expires(..)
            | Self::NeverExpires
            | Self::Failures(..)
            | Self::StaleDevice(..)
            | Self::LastSuccess(_)
            | Self::LoggedIn(_)
            | Self::Set(..) => false,
        }
    }

    /// It in a word, for programs.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::NoPassword => "no-password",
            Self::NoPasswordMatches => "no-password-matches",
            Self::NoSecondFactor(_) => "no-second-factor",
            Self::SecondFactor { .. } => "second-factor",
            Self::SecondFactorAhead => "second-factor-ahead",
            Self::LockedByFailures { .. } => "locked-by-failures",
            Self::LockedByHand(_) => "locked-by-hand",
            Self::NotYetValid(_) => "not-yet-valid",
            Self::NoLongerValid(_) => "no-longer-valid",
            Self::Idle(_) => "idle",
            Self::TemporaryEarly(_) => "temporary-early",
            Self::TemporaryEnded(_) => "temporary-ended",
            Self::TemporaryUsedUp => "temporary-used-up",
            Self::MustChange(_) => "must-change",
            Self::Temporary { .. } => "temporary",
            Self::Expired(_) => "expired",
            Self::Grace(..) => "grace",
            Self::Expires(..) => "expires",
            Self::NeverExpires => "never-expires",
            Self::Failures(..) => "failures",
            Self::StaleDevice(..) => "stale-device",
            Self::LastSuccess(_) => "last-success",
            Self::LoggedIn(_) => "logged-in",
            Self::Set(..) => "set",
        }
    }
}

impl fmt::Display for Condition {
    /// It in words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPassword => f.write_str("has no password"),
            Self::NoPasswordMatches => {
                f.write_str("locked by its hash, which no password matches (pwdScheme: unusable)")
            }
            Self::NoSecondFactor(why) => write!(f, "asks for a second factor that nobody can give: {why}"),
            Self::SecondFactor { kind, token } => {
                write!(f, "asks for a code behind the password: {} of {token}", kind.word())
            }
            Self::SecondFactorAhead => f.write_str(
                "the last code that was used is of a time to come, and none is good before (oathTOTPLastTimeStep): was the clock set back?",
            ),
            Self::LockedByFailures { since, until, count, last } => {
                f.write_str("locked")?;
                if let Some(since) = since {
                    write!(f, " since {}", At(*since))?;
                }
                write_failures(f, " by", *count, last.as_ref())?;
                match until {
                    Some(until) => write!(f, ", until {}", At(*until)),
                    None => f.write_str(", until an administrator unlocks it"),
                }
            }
            Self::LockedByHand(None) => f.write_str("locked by an administrator"),
            Self::LockedByHand(Some(done)) => {
                write!(f, "locked by {} since {}", done.actor, At(done.time))?;
                if done.reason.is_empty() { Ok(()) } else { write!(f, ": {}", done.reason) }
            }
            Self::NotYetValid(start) => write!(f, "not in use before {} (pwdStartTime)", At(*start)),
            Self::NoLongerValid(end) => write!(f, "no longer in use since {} (pwdEndTime)", At(*end)),
            Self::Idle(since) => write!(f, "locked, since it was not used since {}", At(*since)),
            Self::TemporaryEarly(from) => write!(f, "the temporary password is good from {} on", At(*from)),
            Self::TemporaryEnded(until) => write!(f, "the temporary password was good until {}", At(*until)),
            Self::TemporaryUsedUp => f.write_str("the temporary password was used as often as it may be"),
            Self::MustChange(MustChangeBind::Restrict) => {
                f.write_str("must change the password; until then a bind allows nothing else")
            }
            Self::MustChange(MustChangeBind::Fail) => f.write_str("must change the password; until then binds fail"),
            Self::Temporary { until, uses } => write_temporary(f, *until, *uses),
            Self::Expired(at) => write!(f, "the password expired on {}", At(*at)),
            Self::Grace(at, left) => write!(f, "the password expired on {}, and {left} more binds succeed", At(*at)),
            Self::Expires(at, left) => {
                write!(f, "the password expires on {}, in {}", At(*at), Language::English.in_words(*left))
            }
            Self::NeverExpires => f.write_str("the password does not expire"),
            Self::Failures(count, last) => write_failures(f, "", *count, last.as_ref()),
            Self::StaleDevice(place, replaced) => write_stale(f, place, *replaced),
            Self::LastSuccess(seen) => write!(f, "last logged in on {}{}", At(seen.time), Whence(&seen.source)),
            Self::LoggedIn(login) => {
                let Login { time, method, source } = login;
                write!(f, "logged in on {} by {method}{}", At(*time), Whence(source))
            }
            Self::Set(at, None) => write!(f, "the password was set on {}", At(*at)),
            Self::Set(_, Some(done)) => {
                write!(f, "the password was {} on {} by {}", done.kind, At(done.time), done.actor)?;
                if done.reason.is_empty() { Ok(()) } else { write!(f, ": {}", done.reason) }
            }
        }
    }
}

fn write_failures(f: &mut fmt::Formatter<'_>, by: &str, count: usize, last: Option<&Seen>) -> fmt::Result {
    let space = if by.is_empty() { "" } else { " " };
    match count {
        0 if by.is_empty() => f.write_str("wrong passwords")?,
        0 => write!(f, "{by}{space}wrong passwords")?,
        1 => write!(f, "{by}{space}1 wrong password")?,
        many => write!(f, "{by}{space}{many} wrong passwords")?,
    }
    match last {
        Some(seen) => write!(f, ", the last on {}{}", At(seen.time), Whence(&seen.source)),
        None => Ok(()),
    }
}

fn write_stale(f: &mut fmt::Formatter<'_>, place: &StaleSource, replaced: Option<Timestamp>) -> fmt::Result {
    write!(f, "a device at {} still sends the password", place.source)?;
    match replaced {
        Some(replaced) => write!(f, " that was replaced on {}", At(replaced))?,
        None => f.write_str(" before")?,
    }
    let times = if place.count == 1 { "once".to_owned() } else { format!("{} times", place.count) };
    write!(f, ": {times}, the last on {}", At(place.last))
}

fn write_temporary(f: &mut fmt::Formatter<'_>, until: Option<Timestamp>, uses: Option<u32>) -> fmt::Result {
    f.write_str("the temporary password is good")?;
    if let Some(until) = until {
        write!(f, " until {}", At(until))?;
    }
    match uses {
        Some(1) => f.write_str(" for one more bind"),
        Some(uses) => write!(f, " for {uses} more binds"),
        None => Ok(()),
    }
}

/// Where something came from, if that is known.
struct Whence<'a>(&'a str);

impl fmt::Display for Whence<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, " from {}", self.0) }
    }
}

/// A time as people read it: `2026-06-01 10:02:00 UTC`.
struct At(Timestamp);

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
        write!(f, "{}-{}-{} ", part(0, 4), part(4, 6), part(6, 8))?;
        write!(f, "{}:{}:{} UTC", part(8, 10), part(10, 12), part(12, 14))
    }
}

#[cfg(test)]
mod tests {
    use super::super::StoredPassword;
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_micros(seconds * 1_000_000)
    }

    fn policy() -> Policy {
        Policy {
            pwd_lockout: true,
            pwd_max_failure: 3,
            pwd_lockout_duration: Some(Duration::from_secs(900)),
            pwd_max_age: Some(Duration::from_secs(10 * 86_400)),
            pwd_grace_authn_limit: 1,
            ..Policy::default()
        }
    }

    fn account() -> Account {
        Account { password: Some(StoredPassword::new(b"clear")), changed: Some(at(0)), ..Account::default() }
    }

    fn told(account: &Account, now: i64) -> Vec<String> {
        let all = Condition::all(account, &policy(), Validity::default(), at(now));
        all.iter().map(|one| format!("{}{one}", if one.keeps_out() { "! " } else { "" })).collect()
    }

    #[test]
    fn a_lock_is_told_with_its_cause_and_its_end() {
        let last_failure = Some(Seen { time: at(120), source: "10.1.2.3".into() });
        let failures = vec![at(60), at(90), at(120)];
        let locked = Account { locked: Some(Lock::Since(at(120))), failures, last_failure, ..account() };
        assert_eq!(
            told(&locked, 121)[0],
            "! locked since 1970-01-01 00:02:00 UTC by 3 wrong passwords, the last on 1970-01-01 00:02:00 UTC from \
             10.1.2.3, until 1970-01-01 00:17:00 UTC"
        );
        assert_eq!(told(&locked, 1021)[1], "3 wrong passwords, the last on 1970-01-01 00:02:00 UTC from 10.1.2.3");
        let by_hand = Account { locked: Some(Lock::ByAdministrator(None)), ..account() };
        assert_eq!(told(&by_hand, 121)[0], "! locked by an administrator");
    }

    #[test]
    fn expiry_is_told_before_and_after() {
        let day = 86_400;
        assert_eq!(told(&account(), day)[0], "the password expires on 1970-01-11 00:00:00 UTC, in 9 days");
        let mut old = account();
        assert_eq!(
            told(&old, 10 * day)[0],
            "the password expired on 1970-01-11 00:00:00 UTC, and 1 more binds succeed"
        );
        old.grace_uses.push(at(10 * day));
        assert_eq!(told(&old, 10 * day)[0], "! the password expired on 1970-01-11 00:00:00 UTC");
    }

    #[test]
    fn a_temporary_password_is_told_with_its_bounds() {
        let temporary = Account {
            must_change: true,
            temporary_from: Some(at(60)),
            temporary_until: Some(at(120)),
            temporary_uses: Some(1),
            ..account()
        };
        assert_eq!(told(&temporary, 59)[0], "! the temporary password is good from 1970-01-01 00:01:00 UTC on");
        let good = told(&temporary, 60);
        assert_eq!(good[0], "must change the password; until then a bind allows nothing else");
        assert_eq!(good[1], "the temporary password is good until 1970-01-01 00:02:00 UTC for one more bind");
        assert_eq!(told(&temporary, 120)[0], "! the temporary password was good until 1970-01-01 00:02:00 UTC");
    }

    #[test]
    fn devices_with_the_password_before_are_told_the_latest_first() {
        let place = |source: &str, count, last| StaleSource { source: source.into(), count, last: at(last) };
        let stale = vec![place("10.2.3.4", 14, 180), place("10.2.3.5", 1, 240)];
        let before = super::super::account::Remembered { time: at(60), password: StoredPassword::new(b"{SSHA}y") };
        let told = told(&Account { stale, replaced: Some(before), ..account() }, 300);
        assert_eq!(
            told[1..3],
            [
                "a device at 10.2.3.5 still sends the password that was replaced on 1970-01-01 00:01:00 UTC: once, the last on \
                 1970-01-01 00:04:00 UTC",
                "a device at 10.2.3.4 still sends the password that was replaced on 1970-01-01 00:01:00 UTC: 14 times, the last \
                 on 1970-01-01 00:03:00 UTC",
            ]
        );
    }

    #[test]
    fn a_hash_that_no_password_matches_is_told() {
        for hash in ["{CRYPT}!", "{CRYPT}*", "{CRYPT}!$6$salt$x", "{SSHA}x", "{SASL}alice@example.com"] {
            let account = Account { password: Some(StoredPassword::new(hash.as_bytes())), ..account() };
            assert_eq!(told(&account, 1)[0], "! locked by its hash, which no password matches (pwdScheme: unusable)");
        }
        assert!(!told(&account(), 1).iter().any(|line| line.contains("hash")));
    }

    #[test]
    fn times_of_use_and_accounts_without_a_password_are_told() {
        let validity = Validity { start: Some(at(10)), end: Some(at(20)) };
        let told = |now| Condition::all(&Account::default(), &policy(), validity, at(now));
        assert_eq!(told(5), [Condition::NoPassword, Condition::NotYetValid(at(10))]);
        assert_eq!(told(20), [Condition::NoPassword, Condition::NoLongerValid(at(20))]);
    }
}
