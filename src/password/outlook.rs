//! How accounts would stand under a policy: what is looked at before one is put in force.

use crate::directory::Timestamp;

use super::scheme::NewScheme;
use super::standing::{Standing, Validity};
use super::{Account, Policy};

/// An account that is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Looked<'l> {
    /// The account.
    pub account: &'l Account,
    /// When it may be used.
    pub validity: Validity,
    /// At which time it is looked at.
    pub at: Timestamp,
}

/// Something that its owner, or whoever helps them, would notice of an account, or should know of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outlook {
    /// The password has expired, and binds fail.
    Expired,
    /// It has expired, and some binds still succeed.
    Grace,
    /// It expires soon, and binds warn.
    Warned,
    /// The account is locked, since it was not used.
    Idle,
    /// It is locked by wrong passwords or by an administrator.
    Locked,
    /// The password must be changed first.
    MustChange,
    /// It must be changed at the next bind, since the hash is outdated and the time for that is over (`pwdRehashDeadline`).
    RehashOverdue,
    /// Its end is to be told, also if nobody binds (`pwdExpireNotice`).
    Noticed,
    /// It is hashed by another scheme or at a lower cost than new ones are.
    OlderScheme,
}

impl Outlook {
    /// All that there is, the worst first.
    pub const ALL: [Self; 9] = [
        Self::Expired,
        Self::Grace,
        Self::Warned,
        Self::Idle,
        Self::Locked,
        Self::MustChange,
        Self::RehashOverdue,
        Self::Noticed,
        Self::OlderScheme,
    ];

    /// Whether it holds of an account with a password, under a policy; `usual` is how passwords are kept where that says
    /// nothing.
    pub fn holds(self, looked: &Looked<'_>, policy: &Policy, usual: NewScheme) -> bool {
        let Looked { account, validity, at: now } = *looked;
        let standing = || account.standing(policy, now);
        match self {
            Self::Expired => standing() == Standing::Expired,
            Self::Grace => matches!(standing(), Standing::Grace { .. }),
            Self::Warned => matches!(standing(), Standing::Good { expires_in: Some(_) }),
            Self::Idle => account.is_idle(policy, now),
            Self::Locked => policy.is_locked(account.locked, now) || account.has_failed_too_often(policy, now),
            Self::MustChange => account.must_change,
            Self::RehashOverdue => !account.must_change && account.is_rehash_overdue(policy, usual, now),
            Self::Noticed => account.due_notice(policy, validity, now).is_some(),
            Self::OlderScheme => {
                let wanted = policy.hashing.or(usual);
                account.password.as_ref().is_some_and(|stored| stored.is_renewed_by_bind(wanted))
            }
        }
    }

    /// Whether somebody cannot work because of it.
    pub const fn shuts_out(self) -> bool {
        matches!(self, Self::Expired | Self::Idle | Self::Locked | Self::MustChange | Self::RehashOverdue)
    }

    /// It in a word, for programs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Grace => "grace",
            Self::Warned => "warned",
            Self::Idle => "idle",
            Self::Locked => "locked",
            Self::MustChange => "must-change",
            Self::RehashOverdue => "rehash-overdue",
            Self::Noticed => "noticed",
            Self::OlderScheme => "older-scheme",
        }
    }

    /// It in words, of an account.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Expired => "password expired",
            Self::Grace => "password expired, some binds left",
            Self::Warned => "warned that it expires",
            Self::Idle => "locked as not used",
            Self::Locked => "locked",
            Self::MustChange => "must change it first",
            Self::RehashOverdue => "must change it at the next bind, hashed as of old",
            Self::Noticed => "recorded as ending or ended",
            Self::OlderScheme => "hashed as of old",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::StoredPassword;
    use super::super::account::{Lock, Seen};
    use super::*;

    #[test]
    fn an_account_may_be_several_things_at_once() {
        let at = |seconds: i64| Timestamp::from_unix_micros(seconds * 1_000_000);
        let policy = Policy {
            pwd_max_age: Some(Duration::from_secs(100)),
            pwd_expire_warning: Duration::from_secs(20),
            pwd_max_idle: Some(Duration::from_secs(50)),
            expire_notices: vec![Duration::from_secs(10)],
            rehash_deadline: Some(at(75)),
            ..Policy::default()
        };
        let account = Account {
            password: Some(StoredPassword::new(b"{SSHA}pPxDpjnkk9OU0sQuYpmbO0OYFzQgs6Rp")),
            changed: Some(at(0)),
            last_success: Some(Seen { time: at(60), source: "".into() }),
            ..Account::default()
        };
        let outlook = |account: &Account, now| {
            let looked = Looked { account, validity: Validity::default(), at: at(now) };
            let holds = |one: &Outlook| one.holds(&looked, &policy, NewScheme::default());
            Outlook::ALL.into_iter().filter(holds).map(Outlook::word).collect::<Vec<_>>()
        };
        assert_eq!(outlook(&account, 70), ["older-scheme"]);
        assert_eq!(outlook(&account, 80), ["warned", "rehash-overdue", "older-scheme"]);
        assert_eq!(outlook(&account, 90), ["warned", "rehash-overdue", "noticed", "older-scheme"]);
        // Of one that is locked nothing is told.
        assert_eq!(outlook(&account, 110), ["expired", "idle", "rehash-overdue", "older-scheme"]);
        let locked =
            Account { locked: Some(Lock::ByAdministrator(None)), must_change: true, password: None, ..account };
        assert_eq!(outlook(&locked, 70), ["locked", "must-change"]);
    }
}
