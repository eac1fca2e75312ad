//! In which words a password is refused, and with which code of the password policy control.

use std::fmt;

use crate::directory::Timestamp;

/// The errors of the password policy response control (draft-behera §6.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PolicyErrorCode {
    /// 0: the password has expired.
    PasswordExpired,
    /// 1: the account is locked.
    AccountLocked,
    /// 2: the password was set by somebody else and must be changed.
    ChangeAfterReset,
    /// 3: the owner may not change it.
    PasswordModNotAllowed,
    /// 4: the old password must be given.
    MustSupplyOldPassword,
    /// 5: it is not good enough.
    InsufficientPasswordQuality,
    /// 6: it is too short.
    PasswordTooShort,
    /// 7: it was changed too recently.
    PasswordTooYoung,
    /// 8: it was used before.
    PasswordInHistory,
    /// 9: it is too long.
    PasswordTooLong,
}

impl PolicyErrorCode {
    /// The number on the wire.
    pub const fn number(self) -> u8 {
        match self {
            Self::PasswordExpired => 0,
            Self::AccountLocked => 1,
            Self::ChangeAfterReset => 2,
            Self::PasswordModNotAllowed => 3,
            Self::MustSupplyOldPassword => 4,
            Self::InsufficientPasswordQuality => 5,
            Self::PasswordTooShort => 6,
            Self::PasswordTooYoung => 7,
            Self::PasswordInHistory => 8,
            Self::PasswordTooLong => 9,
        }
    }
}

/// A rule that a new password breaks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BrokenRule {
    /// It has no character.
    Empty,
    /// It has fewer code points than the policy wants.
    TooShort {
        /// How many it must have.
        minimum: usize,
    },
    /// It has more code points than the policy or more octets than the server takes.
    TooLong {
        /// How many it may have.
        maximum: usize,
    },
    /// It is, but for decoration, a password that everybody tries.
    Common,
    /// It is, but for decoration, a name of its owner.
    OwnName(String),
    /// It is, but for decoration, a word that the organization forbids.
    ForbiddenWord(String),
    /// It is one character or a short piece repeated, or a row of the keyboard.
    Pattern,
    /// It is the current password.
    Unchanged,
    /// It was used before.
    Reused,
    /// The current one has not been used long enough.
    TooYoung {
        /// When it may be changed.
        until: Timestamp,
    },
    /// The owner may not change it.
    NotAllowed,
    /// The old password is needed and was not given.
    OldPasswordMissing,
    /// It is a hash.
    Prehashed,
}

impl BrokenRule {
    /// The error that the password policy control has for it.
    pub const fn code(&self) -> PolicyErrorCode {
        match self {
            Self::Empty | Self::TooShort { .. } => PolicyErrorCode::PasswordTooShort,
            Self::TooLong { .. } => PolicyErrorCode::PasswordTooLong,
            Self::Common | Self::OwnName(_) | Self::ForbiddenWord(_) | Self::Pattern | Self::Prehashed => {
                PolicyErrorCode::InsufficientPasswordQuality
            }
            Self::Unchanged | Self::Reused => PolicyErrorCode::PasswordInHistory,
            Self::TooYoung { .. } => PolicyErrorCode::PasswordTooYoung,
            Self::NotAllowed => PolicyErrorCode::PasswordModNotAllowed,
            Self::OldPasswordMissing => PolicyErrorCode::MustSupplyOldPassword,
        }
    }
}

impl fmt::Display for BrokenRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("The new password is empty."),
            Self::TooShort { minimum } => write!(f, "The new password needs at least {minimum} characters."),
            Self::TooLong { maximum } => write!(f, "The new password may have at most {maximum} characters."),
            Self::Common => f.write_str("The new password is among those that everybody tries first."),
            Self::OwnName(name) => write!(f, "The new password is little more than the name \"{name}\"."),
            Self::ForbiddenWord(word) => write!(f, "The new password is little more than the word \"{word}\"."),
            Self::Pattern => f.write_str("The new password is only a repetition or a row of keys."),
            Self::Unchanged => f.write_str("The new password is the same as the current one."),
            Self::Reused => f.write_str("The new password was used before."),
            Self::TooYoung { until } => {
                write!(f, "The password was changed too recently; it can be changed again from {until}.")
            }
            Self::NotAllowed => f.write_str("This password cannot be changed by its owner; please ask the helpdesk."),
            Self::OldPasswordMissing => f.write_str("The current password must be given to change it."),
            Self::Prehashed => f.write_str(
                "A password that is already hashed cannot be checked. Send it as it is, over TLS, or use the Password \
                 Modify operation.",
            ),
        }
    }
}

/// Every rule that a new password breaks; at least one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused(Vec<BrokenRule>);

impl Refused {
    /// All rules that are broken, or `Ok` if none is.
    pub fn unless_empty(rules: Vec<BrokenRule>) -> Result<(), Self> {
        if rules.is_empty() { Ok(()) } else { Err(Self(rules)) }
    }

    /// The rules.
    pub fn rules(&self) -> &[BrokenRule] {
        &self.0
    }

    /// The one error that the password policy control has room for: that of the first rule.
    pub fn code(&self) -> PolicyErrorCode {
        self.0.first().map_or(PolicyErrorCode::InsufficientPasswordQuality, BrokenRule::code)
    }
}

impl std::error::Error for Refused {}

impl From<BrokenRule> for Refused {
    fn from(rule: BrokenRule) -> Self {
        Self(vec![rule])
    }
}

impl fmt::Display for Refused {
    /// Every rule in a sentence.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, rule) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            write!(f, "{rule}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_broken_rule_is_told_and_the_first_gives_the_code() {
        let refused = Refused(vec![BrokenRule::TooShort { minimum: 15 }, BrokenRule::OwnName("Alice".into())]);
        assert_eq!(
            refused.to_string(),
            "The new password needs at least 15 characters. The new password is little more than the name \"Alice\"."
        );
        assert_eq!(refused.code().number(), 6);
        assert_eq!(Refused::unless_empty(Vec::new()), Ok(()));
    }
}
