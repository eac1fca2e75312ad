//! In which words a password is refused, and with which code of the password policy control.

mod catalog;
mod language;

use std::fmt;
use std::time::Duration;

pub use catalog::{refusal, requirement};
pub use language::Language;

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
    /// It has more code points than the policy or the server takes.
    TooLong {
        /// How many it may have.
        maximum: usize,
    },
    /// It would be guessed too soon, as far as that can be estimated.
    Guessable {
        /// Its score, from 0 to 4.
        score: usize,
        /// Which it must have.
        minimum: usize,
    },
    /// It is, but for decoration, a password that everybody tries.
    Common,
    /// It is, but for decoration, a name of its owner.
    OwnName(String),
    /// It is, but for decoration, a word that the organization forbids.
    ForbiddenWord(String),
    /// A name of its owner or of the organization is in it.
    ContainsName(String),
    /// There is too little in it besides words that are easy to guess.
    Predictable {
        /// How many points it has: one for each such word, and one for each other character.
        points: usize,
        /// How many it must have.
        needed: usize,
    },
    /// It is one character or a short piece repeated, or a row of the keyboard.
    Pattern,
    /// It has characters of too few classes.
    FewClasses {
        /// Of how many they must be.
        minimum: usize,
    },
    /// A character comes too often in a row.
    Repeats {
        /// How often it may.
        maximum: usize,
    },
    /// Too many characters follow each other.
    Sequence {
        /// How many may.
        maximum: usize,
    },
    /// Too many characters of one class come in a row.
    ClassRun {
        /// How many may.
        maximum: usize,
    },
    /// It is, or has in it, a name of its owner backwards.
    ReversedName(String),
    /// It is the same backwards.
    Palindrome,
    /// It is nearly the old password.
    Similar {
        /// How many characters must be different.
        minimum: usize,
    },
    /// It is publicly known.
    Breached,
    /// Whether it is publicly known cannot be found out now.
    Unchecked,
    /// It is the current password.
    Unchanged,
    /// It was used before.
    Reused,
    /// The current one has not been used long enough.
    TooYoung {
        /// How long it must be used still.
        wait: Duration,
    },
    /// The owner may not change it.
    NotAllowed,
    /// The old password is needed and was not given.
    OldPasswordMissing,
    /// It is a hash.
    Prehashed,
    /// It is a hash that no password matches, though it does not say so.
    UnusableHash,
}

impl BrokenRule {
    /// The error that the password policy control has for it.
    pub const fn code(&self) -> PolicyErrorCode {
        match self {
            Self::Empty | Self::TooShort { .. } => PolicyErrorCode::PasswordTooShort,
            Self::TooLong { .. } => PolicyErrorCode::PasswordTooLong,
            Self::Common
            | Self::OwnName(_)
            | Self::ForbiddenWord(_)
            | Self::ContainsName(_)
            | Self::Predictable { .. }
            | Self::Guessable { .. }
            | Self::Pattern
            | Self::FewClasses { .. }
            | Self::Repeats { .. }
            | Self::Sequence { .. }
            | Self::ClassRun { .. }
            | Self::ReversedName(_)
            | Self::Palindrome
            | Self::Similar { .. }
            | Self::Breached
            | Self::Unchecked
            | Self::Prehashed
            | Self::UnusableHash => PolicyErrorCode::InsufficientPasswordQuality,
            Self::Unchanged | Self::Reused => PolicyErrorCode::PasswordInHistory,
            Self::TooYoung { .. } => PolicyErrorCode::PasswordTooYoung,
            Self::NotAllowed => PolicyErrorCode::PasswordModNotAllowed,
            Self::OldPasswordMissing => PolicyErrorCode::MustSupplyOldPassword,
        }
    }
}

impl BrokenRule {
    /// What is wrong, in a sentence.
    pub fn sentence(&self, language: Language) -> String {
        catalog::sentence(language, self.key(), &self.arguments(language))
    }

    /// The name of its sentence in the catalogs: what is said of a password where nothing may be said that is in it.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooShort { .. } => "too-short",
            Self::TooLong { .. } => "too-long",
            Self::Common => "common",
            Self::OwnName(_) => "own-name",
            Self::ForbiddenWord(_) => "forbidden-word",
            Self::ContainsName(_) => "contains-name",
            Self::Predictable { .. } => "predictable",
            Self::Pattern => "pattern",
            Self::Guessable { .. } => "guessable",
            Self::FewClasses { .. } => "few-classes",
            Self::Repeats { .. } => "repeats",
            Self::Sequence { .. } => "sequence",
            Self::ClassRun { .. } => "class-run",
            Self::ReversedName(_) => "reversed-name",
            Self::Palindrome => "palindrome",
            Self::Similar { .. } => "similar",
            Self::Breached => "breached",
            Self::Unchecked => "unchecked",
            Self::Unchanged => "unchanged",
            Self::Reused => "reused",
            Self::TooYoung { .. } => "too-young",
            Self::NotAllowed => "not-allowed",
            Self::OldPasswordMissing => "old-password-missing",
            Self::Prehashed => "prehashed",
            Self::UnusableHash => "unusable-hash",
        }
    }

    /// What is put into the braces of its sentence.
    fn arguments(&self, language: Language) -> Vec<(&'static str, String)> {
        match self {
            Self::TooShort { minimum } | Self::FewClasses { minimum } | Self::Similar { minimum } => {
                vec![("minimum", minimum.to_string())]
            }
            Self::TooLong { maximum }
            | Self::Repeats { maximum }
            | Self::Sequence { maximum }
            | Self::ClassRun { maximum } => {
                vec![("maximum", maximum.to_string())]
            }
            Self::OwnName(name) | Self::ContainsName(name) | Self::ReversedName(name) => vec![("name", name.clone())],
            Self::ForbiddenWord(word) => vec![("word", word.clone())],
            Self::Predictable { points, needed } => {
                vec![("points", points.to_string()), ("needed", needed.to_string())]
            }
            Self::Guessable { score, minimum } => {
                vec![("score", score.to_string()), ("minimum", minimum.to_string())]
            }
            Self::TooYoung { wait } => vec![("wait", language.in_words(*wait))],
            Self::Empty
            | Self::Common
            | Self::Pattern
            | Self::Palindrome
            | Self::Breached
            | Self::Unchecked
            | Self::Unchanged
            | Self::Reused
            | Self::NotAllowed
            | Self::OldPasswordMissing
            | Self::Prehashed
            | Self::UnusableHash => Vec::new(),
        }
    }
}

/// Every rule that a new password breaks; at least one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    rules: Vec<BrokenRule>,
    language: Language,
}

impl Refused {
    /// All rules that are broken: at least one.
    pub const fn of(rules: Vec<BrokenRule>) -> Self {
        Self { rules, language: Language::English }
    }

    /// All rules that are broken, or `Ok` if none is.
    pub fn unless_empty(rules: Vec<BrokenRule>) -> Result<(), Self> {
        if rules.is_empty() { Ok(()) } else { Err(Self::of(rules)) }
    }

    /// The same, told in another language.
    #[must_use]
    pub fn told_in(self, language: Language) -> Self {
        Self { language, ..self }
    }

    /// The rules.
    pub fn rules(&self) -> &[BrokenRule] {
        &self.rules
    }

    /// The one error that the password policy control has room for: that of the first rule.
    pub fn code(&self) -> PolicyErrorCode {
        self.rules.first().map_or(PolicyErrorCode::InsufficientPasswordQuality, BrokenRule::code)
    }
}

impl std::error::Error for Refused {}

impl From<BrokenRule> for Refused {
    fn from(rule: BrokenRule) -> Self {
        Self { rules: vec![rule], language: Language::default() }
    }
}

impl fmt::Display for Refused {
    /// Every rule in a sentence.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, rule) in self.rules.iter().enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            f.write_str(&rule.sentence(self.language))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_broken_rule_is_told_and_the_first_gives_the_code() {
        let rules = vec![BrokenRule::TooShort { minimum: 15 }, BrokenRule::OwnName("Alice".into())];
        let refused = Refused::unless_empty(rules).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "The new password needs at least 15 characters. The new password is little more than the name \"Alice\"."
        );
        assert_eq!(
            refused.clone().told_in(Language::German).to_string(),
            "Das neue Passwort braucht mindestens 15 Zeichen. Das neue Passwort ist kaum mehr als der Name „Alice“."
        );
        assert_eq!(refused.code().number(), 6);
        assert_eq!(Refused::unless_empty(Vec::new()), Ok(()));
    }

    #[test]
    fn every_rule_has_a_sentence_that_says_all_that_the_rule_knows() {
        let word = || "word".to_owned();
        let all = [
            BrokenRule::Empty,
            BrokenRule::TooShort { minimum: 1 },
            BrokenRule::TooLong { maximum: 1 },
            BrokenRule::Common,
            BrokenRule::OwnName(word()),
            BrokenRule::ForbiddenWord(word()),
            BrokenRule::ContainsName(word()),
            BrokenRule::Predictable { points: 1, needed: 2 },
            BrokenRule::Pattern,
            BrokenRule::Guessable { score: 1, minimum: 2 },
            BrokenRule::FewClasses { minimum: 1 },
            BrokenRule::Repeats { maximum: 1 },
            BrokenRule::Sequence { maximum: 1 },
            BrokenRule::ClassRun { maximum: 1 },
            BrokenRule::ReversedName(word()),
            BrokenRule::Palindrome,
            BrokenRule::Similar { minimum: 1 },
            BrokenRule::Breached,
            BrokenRule::Unchecked,
            BrokenRule::Unchanged,
            BrokenRule::Reused,
            BrokenRule::TooYoung { wait: Duration::ZERO },
            BrokenRule::NotAllowed,
            BrokenRule::OldPasswordMissing,
            BrokenRule::Prehashed,
            BrokenRule::UnusableHash,
        ];
        let known = |rule: &BrokenRule| {
            let mut names: Vec<&str> = rule.arguments(Language::English).into_iter().map(|(name, _)| name).collect();
            names.sort_unstable();
            (rule.key(), names)
        };
        assert_eq!(all.iter().map(known).collect::<Vec<_>>(), catalog::tests::rules(Language::English));
    }
}
