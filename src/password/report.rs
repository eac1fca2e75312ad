//! What a policy that is only tried out would have done (`pwdReportOnly`).

use std::fmt;

use crate::directory::Timestamp;

use super::change::{self, By, OldPassword};
use super::quality::Facts;
use super::scheme::NewScheme;
use super::standing::Standing;
use super::verdict::BrokenRule;
use super::{Account, Policy, Secret, StoredPassword};

/// What a policy would have done, had it governed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Would {
    /// Refused the bind, since the password has expired.
    Expire,
    /// Let them in for one of the last times, since it has expired.
    Grace {
        /// How many times would have been left.
        remaining: usize,
    },
    /// Locked the account for wrong passwords.
    Lock,
    /// Locked the account since it was not used.
    Idle,
    /// Refused the bind, or opened nothing by it, since the password must be changed first.
    MustChange,
    /// Refused the new password. The rules alone: what they say of its characters is nobody's business.
    Refuse(Vec<&'static str>),
}

impl Would {
    /// What it would have done with somebody who gave the right password. `shown` is how passwords are kept where the policy
    /// says nothing, if the password itself was given, so that it could be hashed anew.
    pub fn at_bind(account: &Account, policy: &Policy, shown: Option<NewScheme>, now: Timestamp) -> Option<Self> {
        if account.has_failed_too_often(policy, now) {
            return Some(Self::Lock);
        }
        if account.is_idle(policy, now) {
            return Some(Self::Idle);
        }
        let overdue = shown.is_some_and(|usual| account.is_rehash_overdue(policy, usual, now));
        match account.standing(policy, now) {
            Standing::Good { .. } | Standing::Grace { .. } if overdue => Some(Self::MustChange),
            Standing::Good { .. } | Standing::MustChange => None,
            Standing::Grace { remaining } => Some(Self::Grace { remaining }),
            Standing::Expired => Some(Self::Expire),
            Standing::MustChangeElsewhere => Some(Self::MustChange),
        }
    }

    /// What it would have done with somebody who gave a wrong one, which has been counted.
    pub fn at_failure(account: &Account, policy: &Policy, now: Timestamp) -> Option<Self> {
        account.has_failed_too_often(policy, now).then_some(Self::Lock)
    }

    /// What it would have done with a new password that another policy has admitted.
    pub fn at_change(given: &Given<'_>, policy: &Policy, now: Timestamp) -> Option<Self> {
        let Given { new, old, by, account, facts } = *given;
        let mut broken = Vec::new();
        if by == By::Owner {
            broken.extend(change::held_back(account, policy, old, now));
        }
        if !StoredPassword::is_prehashed(new.expose()) {
            broken.extend(change::judge(new, account, policy, facts));
        }
        (!broken.is_empty()).then(|| Self::Refuse(broken.iter().map(BrokenRule::key).collect()))
    }

    /// It in a word, for logs.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Expire => "expired",
            Self::Grace { .. } => "grace",
            Self::Lock => "locked",
            Self::Idle => "idle",
            Self::MustChange => "must-change",
            Self::Refuse(_) => "refused",
        }
    }
}

/// A new password, and what it is judged by besides a policy.
#[derive(Clone, Copy, Debug)]
pub struct Given<'g> {
    /// The password.
    pub new: &'g Secret,
    /// The one before, if it was given.
    pub old: &'g OldPassword,
    /// Who sets it.
    pub by: By,
    /// The account as it was.
    pub account: &'g Account,
    /// What is known besides.
    pub facts: &'g Facts<'g>,
}

impl fmt::Display for Would {
    /// What it would have done, and with a new password by which rules.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refuse(rules) => write!(f, "{}: {}", self.word(), rules.join(", ")),
            _ => f.write_str(self.word()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::account::Seen;
    use super::super::policy::CheckQuality;
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_micros(seconds * 1_000_000)
    }

    #[test]
    fn what_would_have_happened_at_a_bind_is_told() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        let policy = Policy {
            pwd_lockout: true,
            pwd_max_failure: 2,
            pwd_failure_count_interval: seconds(10),
            pwd_max_age: seconds(100),
            pwd_max_idle: seconds(50),
            ..Policy::default()
        };
        let seen = |time| Some(Seen { time: at(time), source: "".into() });
        let account = Account { changed: Some(at(0)), last_success: seen(95), ..Account::default() };
        let would = |account: &Account, now| Would::at_bind(account, &policy, None, at(now));
        assert_eq!(would(&account, 99), None);
        assert_eq!(would(&account, 100), Some(Would::Expire));
        assert_eq!(would(&account, 145), Some(Would::Idle));
        let failed = Account { failures: vec![at(90), at(95)], ..account };
        assert_eq!((would(&failed, 99), would(&failed, 100)), (Some(Would::Lock), Some(Would::Expire)));
        assert_eq!(Would::at_failure(&failed, &policy, at(99)), Some(Would::Lock));
        let grace = Policy { pwd_grace_authn_limit: 3, ..policy };
        assert_eq!(Would::at_bind(&failed, &grace, None, at(100)), Some(Would::Grace { remaining: 2 }));
    }

    #[test]
    fn an_outdated_hash_would_have_had_to_be_changed_where_the_password_is_shown() {
        let policy =
            Policy { rehash_deadline: Some(at(10)), pwd_max_age: Some(Duration::from_secs(100)), ..Policy::default() };
        let old = StoredPassword::new(b"{SSHA}pPxDpjnkk9OU0sQuYpmbO0OYFzQgs6Rp");
        let account = Account { password: Some(old), changed: Some(at(0)), ..Account::default() };
        let would = |shown, now| Would::at_bind(&account, &policy, shown, at(now));
        let (argon, ssha) = (Some(NewScheme::default()), Some(NewScheme::Ssha));
        assert_eq!((would(argon, 9), would(argon, 10)), (None, Some(Would::MustChange)));
        assert_eq!((would(ssha, 10), would(None, 10)), (None, None));
        // Whoever cannot bind at all need not change it first.
        assert_eq!(would(argon, 100), Some(Would::Expire));
        let grace = Policy { pwd_grace_authn_limit: 1, ..policy.clone() };
        assert_eq!(Would::at_bind(&account, &grace, argon, at(100)), Some(Would::MustChange));
    }

    #[test]
    fn what_is_told_of_a_password_holds_nothing_of_it() {
        let policy = Policy {
            pwd_check_quality: CheckQuality::Enforced,
            pwd_min_length: 20,
            forbidden_words: vec!["Contoso".into()],
            pwd_allow_user_change: false,
            ..Policy::default()
        };
        let (new, old, account) = (Secret::new("contoso1"), OldPassword::Absent, Account::default());
        let facts = Facts::default();
        let given = Given { new: &new, old: &old, by: By::Owner, account: &account, facts: &facts };
        let told = Would::at_change(&given, &policy, at(0)).unwrap().to_string();
        assert_eq!(told, "refused: not-allowed, too-short, forbidden-word");
        assert_eq!(Would::at_change(&Given { by: By::Administrator, ..given }, &Policy::default(), at(0)), None);
    }
}
