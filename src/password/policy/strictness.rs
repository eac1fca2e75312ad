//! Which of two policies is the stricter.

use std::cmp::Reverse;
use std::time::Duration;

use super::{CheckQuality, Policy};

/// How strict a policy is: of two, the greater is the stricter. What is named first decides; only where that is the same
/// in both, what is named next does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Strictness {
    /// The longer `pwdMinLength`; 0 where quality is not checked.
    length: usize,
    /// The higher `pwdCheckQuality`.
    quality: u8,
    /// The higher score, the more classes of characters, the longer list of forbidden words.
    composition: (usize, usize, usize),
    /// The more passwords in `pwdInHistory`.
    history: usize,
    /// The fewer wrong passwords lock the account; never is the most.
    failures: Reverse<usize>,
    /// The longer the lock lasts.
    lockout: Duration,
    /// The sooner a password expires.
    age: Reverse<Duration>,
    /// The fewer binds after that.
    grace: Reverse<usize>,
    /// The sooner an account that is not used is locked.
    idle: Reverse<Duration>,
    /// Whether a reset password must be changed, and whether the old one must be given.
    change: (bool, bool),
}

impl Policy {
    /// How strict it is, beside others.
    pub fn strictness(&self) -> Strictness {
        let quality = match self.pwd_check_quality {
            CheckQuality::Off => 0,
            CheckQuality::IfPossible => 1,
            CheckQuality::Enforced => 2,
        };
        let checked = quality > 0;
        let limit = self.lockout_limit();
        Strictness {
            length: if checked { self.pwd_min_length } else { 0 },
            quality,
            composition: if checked {
                (self.min_score, self.min_classes, self.forbidden_words.len())
            } else {
                (0, 0, 0)
            },
            history: self.pwd_in_history,
            failures: Reverse(limit.unwrap_or(usize::MAX)),
            lockout: limit.map_or(Duration::ZERO, |_| self.pwd_lockout_duration.unwrap_or(Duration::MAX)),
            age: Reverse(self.pwd_max_age.unwrap_or(Duration::MAX)),
            grace: Reverse(self.pwd_grace_authn_limit),
            idle: Reverse(self.pwd_max_idle.unwrap_or(Duration::MAX)),
            change: (self.pwd_must_change, self.pwd_safe_modify),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_first_decides() {
        let base = Policy {
            pwd_check_quality: CheckQuality::Enforced,
            pwd_min_length: 12,
            pwd_in_history: 5,
            pwd_lockout: true,
            pwd_max_failure: 5,
            pwd_lockout_duration: Some(Duration::from_secs(900)),
            pwd_max_age: Some(Duration::from_secs(1000)),
            pwd_grace_authn_limit: 2,
            ..Policy::default()
        };
        let stricter = [
            Policy { pwd_min_length: 13, pwd_in_history: 0, ..base.clone() },
            Policy { pwd_in_history: 6, pwd_max_failure: 10, ..base.clone() },
            Policy { pwd_max_failure: 4, pwd_max_age: None, ..base.clone() },
            Policy { pwd_lockout_duration: None, ..base.clone() },
            Policy { pwd_max_age: Some(Duration::from_secs(999)), pwd_grace_authn_limit: 9, ..base.clone() },
            Policy { pwd_grace_authn_limit: 1, ..base.clone() },
            Policy { pwd_max_idle: Some(Duration::from_secs(1)), ..base.clone() },
            Policy { pwd_must_change: true, ..base.clone() },
        ];
        for policy in stricter {
            assert!(policy.strictness() > base.strictness(), "{policy:?}");
        }
    }

    #[test]
    fn what_is_not_in_force_does_not_count() {
        let unchecked = Policy { pwd_min_length: 50, min_classes: 4, ..Policy::default() };
        let unlocked = Policy { pwd_max_failure: 3, pwd_lockout_duration: None, ..Policy::default() };
        assert_eq!(unchecked.strictness(), Policy::default().strictness());
        assert_eq!(unlocked.strictness(), Policy::default().strictness());
    }
}
