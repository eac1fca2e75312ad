//! How accounts would stand under a policy: what is looked at before one is put in force.

use crate::directory::Timestamp;

use super::scheme::NewScheme;
use super::standing::Standing;
use super::{Account, Policy};

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
    /// It is hashed by another scheme or at a lower cost than new ones are.
    OlderScheme,
}

impl Outlook {
    /// All that there is, the worst first.
    pub const ALL: [Self; 7] =
        [Self::Expired, Self::Grace, Self::Warned, Self::Idle, Self::Locked, Self::MustChange, Self::OlderScheme];

    /// Whether it holds of an account with a password, under a policy and with `wanted` for new passwords.
    pub fn holds(self, account: &Account, policy: &Policy, wanted: NewScheme, now: Timestamp) -> bool {
        let standing = || account.standing(policy, now);
        match self {
            Self::Expired => standing() == Standing::Expired,
            Self::Grace => matches!(standing(), Standing::Grace { .. }),
            Self::Warned => matches!(standing(), Standing::Good { expires_in: Some(_) }),
            Self::Idle => account.is_idle(policy, now),
            Self::Locked => policy.is_locked(account.locked, now) || account.has_failed_too_often(policy, now),
            Self::MustChange => account.must_change,
            Self::OlderScheme => account.password.as_ref().is_some_and(|stored| stored.is_outdated(wanted)),
        }
    }

    /// Whether somebody cannot work because of it.
    pub const fn shuts_out(self) -> bool {
        matches!(self, Self::Expired | Self::Idle | Self::Locked | Self::MustChange)
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
            ..Policy::default()
        };
        let account = Account {
            password: Some(StoredPassword::new(b"{SSHA}x")),
            changed: Some(at(0)),
            last_success: Some(Seen { time: at(60), source: "".into() }),
            ..Account::default()
        };
        let outlook = |account: &Account, now| {
            let holds = |one: &Outlook| one.holds(account, &policy, NewScheme::default(), at(now));
            Outlook::ALL.into_iter().filter(holds).map(Outlook::word).collect::<Vec<_>>()
        };
        assert_eq!(outlook(&account, 70), ["older-scheme"]);
        assert_eq!(outlook(&account, 80), ["warned", "older-scheme"]);
        assert_eq!(outlook(&account, 110), ["expired", "idle", "older-scheme"]);
        let locked =
            Account { locked: Some(Lock::ByAdministrator(None)), must_change: true, password: None, ..account };
        assert_eq!(outlook(&locked, 70), ["locked", "must-change"]);
    }
}
