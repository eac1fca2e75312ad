//! Whether a new password is good enough.
//!
//! Length is counted in code points. Whether it can be guessed is judged by a profile: `nist`, which looks at the whole
//! password, or `entra`, which counts what it is made of. A [`breach`] list tells whether it is publicly known.
//! `composition` has rules about characters, for sites that must have them, and `score` an estimate of how soon it would be guessed.

pub mod breach;
mod common;
mod composition;
mod edit_distance;
mod entra;
pub mod filter;
pub mod lists;
mod names;
mod nist;
mod pattern;
mod score;

pub use breach::BreachList;
pub use entra::NEEDED as POINTS_NEEDED;
pub use score::{BEST as BEST_SCORE, LENGTH_FOR as LENGTH_FOR_SCORE};

use super::policy::{CheckQuality, Policy, QualityProfile};
use super::prepare::MAX_CHARACTERS;
use super::verdict::BrokenRule;
use super::{Secret, StoredPassword};

/// What is known besides the policy when a password is judged.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts<'a> {
    /// What its owner is called.
    pub names: &'a [&'a str],
    /// Where its owner gets mail.
    pub addresses: &'a [&'a str],
    /// What the organization is called.
    pub organization: &'a [&'a str],
    /// The password before, if it was given and is right.
    pub old: Option<&'a Secret>,
    /// Passwords that are publicly known.
    pub breached: Option<&'a dyn BreachList>,
}

/// Every rule that `password` breaks by itself.
pub fn judge(password: &Secret, policy: &Policy, facts: &Facts<'_>) -> Vec<BrokenRule> {
    if let Some(rule) = judge_bounds(password) {
        return vec![rule];
    }
    match (policy.pwd_check_quality, StoredPassword::is_prehashed(password.expose())) {
        (CheckQuality::Off, _) | (CheckQuality::IfPossible, true) => return Vec::new(),
        (CheckQuality::Enforced, true) => return vec![BrokenRule::Prehashed],
        (CheckQuality::IfPossible | CheckQuality::Enforced, false) => {}
    }
    let mut broken = judge_length(password, policy);
    if let Some(text) = password.expose_text() {
        broken.extend(composition::judge(text, policy, facts));
        let by_profile = match policy.quality_profile {
            QualityProfile::Nist => nist::judge(text, policy, facts),
            QualityProfile::Entra => entra::judge(text, policy, facts),
            QualityProfile::None => None,
        };
        // Both may have found the same name.
        if let Some(rule) = by_profile.filter(|rule| !broken.contains(rule)) {
            broken.push(rule);
        }
        broken.extend(score::judge(text, policy, facts));
    }
    broken.extend(facts.breached.and_then(|list| judge_by_list(password, list)));
    broken
}

/// What holds of every password, whatever a policy says.
pub fn judge_bounds(password: &Secret) -> Option<BrokenRule> {
    if password.is_empty() {
        return Some(BrokenRule::Empty);
    }
    // So many characters are never more octets than the server takes.
    (length(password) > MAX_CHARACTERS).then_some(BrokenRule::TooLong { maximum: MAX_CHARACTERS })
}

/// In code points. Octets that are no text have none; each counts as one.
fn length(password: &Secret) -> usize {
    password.expose_text().map_or(password.len(), |text| text.chars().count())
}

fn judge_length(password: &Secret, policy: &Policy) -> Vec<BrokenRule> {
    let mut broken = Vec::new();
    let length = length(password);
    if length < policy.pwd_min_length {
        broken.push(BrokenRule::TooShort { minimum: policy.pwd_min_length });
    }
    if policy.pwd_max_length > 0 && length > policy.pwd_max_length {
        broken.push(BrokenRule::TooLong { maximum: policy.pwd_max_length });
    }
    broken
}

/// A list that cannot be read lets nothing pass: whoever has configured one relies on it.
fn judge_by_list(password: &Secret, list: &dyn BreachList) -> Option<BrokenRule> {
    match list.contains(password) {
        Ok(false) => None,
        Ok(true) => Some(BrokenRule::Breached),
        Err(breach::Unreadable) => Some(BrokenRule::Unchecked),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        Policy {
            pwd_check_quality: CheckQuality::Enforced,
            pwd_min_length: 8,
            pwd_max_length: 64,
            forbidden_words: vec!["Contoso".into()],
            ..Policy::default()
        }
    }

    fn judged(password: &str) -> Vec<BrokenRule> {
        let names = &["alice", "Alice Liddell", "Liddell", "al"];
        judge(&Secret::new(password), &policy(), &Facts { names, ..Facts::default() })
    }

    #[test]
    fn length_is_counted_in_code_points() {
        assert_eq!(judged("éaßiöuñ"), [BrokenRule::TooShort { minimum: 8 }]);
        assert_eq!(judged("éaßiöuñø"), []);
        assert_eq!(judged(&"xyzw".repeat(17)).first(), Some(&BrokenRule::TooLong { maximum: 64 }));
        assert_eq!(judged(&"x".repeat(2000)), [BrokenRule::TooLong { maximum: 1024 }]);
        assert_eq!(judged(""), [BrokenRule::Empty]);
    }

    #[test]
    fn the_longest_password_has_as_many_characters_in_every_script() {
        for unit in ["4x8k", "üxäö", "日本語で", "🦀🐧🦉🐌"] {
            let policy = Policy { pwd_max_length: 1000, quality_profile: QualityProfile::None, ..policy() };
            let judged = |length: usize, policy| {
                let password: String = unit.chars().cycle().take(length).collect();
                judge(&Secret::new(password.as_str()), policy, &Facts::default())
            };
            assert_eq!(judged(1000, &policy), [], "{unit}");
            assert_eq!(judged(1001, &policy), [BrokenRule::TooLong { maximum: 1000 }], "{unit}");
            let unbounded = Policy { pwd_max_length: 0, ..policy.clone() };
            assert_eq!(judged(1024, &unbounded), [], "{unit}");
            assert_eq!(judged(1025, &unbounded), [BrokenRule::TooLong { maximum: 1024 }], "{unit}");
        }
        let no_text = |length| judge_bounds(&Secret::new(vec![0xff_u8; length].as_slice()));
        assert_eq!((no_text(1024), no_text(1025)), (None, Some(BrokenRule::TooLong { maximum: 1024 })));
    }

    #[test]
    fn several_rules_are_told_at_once() {
        assert_eq!(judged("alice1"), [BrokenRule::TooShort { minimum: 8 }, BrokenRule::OwnName("alice".into())]);
    }

    #[test]
    fn a_hash_passes_only_where_quality_is_not_enforced() {
        let hash = Secret::new("{SSHA}abcdefgh");
        let judged = |level| judge(&hash, &Policy { pwd_check_quality: level, ..policy() }, &Facts::default());
        assert_eq!(judged(CheckQuality::Enforced), [BrokenRule::Prehashed]);
        assert_eq!(judged(CheckQuality::IfPossible), []);
        assert_eq!(judged(CheckQuality::Off), []);
    }

    /// A list of one password, on a disk that may fail.
    #[derive(Debug)]
    struct Listed(Result<&'static str, breach::Unreadable>);

    impl BreachList for Listed {
        fn contains(&self, password: &Secret) -> Result<bool, breach::Unreadable> {
            self.0.map(|listed| listed.as_bytes() == password.expose())
        }

        fn edition(&self) -> u64 {
            1
        }
    }

    #[test]
    fn a_password_that_is_publicly_known_is_refused_at_every_level_that_checks() {
        let list = Listed(Ok("correct horse"));
        let judged = |password: &str, level, quality_profile| {
            let policy = Policy { pwd_check_quality: level, quality_profile, ..policy() };
            judge(&Secret::new(password), &policy, &Facts { breached: Some(&list), ..Facts::default() })
        };
        for profile in [QualityProfile::Nist, QualityProfile::None] {
            assert_eq!(judged("correct horse", CheckQuality::Enforced, profile), [BrokenRule::Breached]);
            assert_eq!(judged("correct horse", CheckQuality::IfPossible, profile), [BrokenRule::Breached]);
            assert_eq!(judged("correct horse", CheckQuality::Off, profile), []);
            assert_eq!(judged("Correct horse", CheckQuality::Enforced, profile), []);
        }
    }

    #[test]
    fn a_list_that_cannot_be_read_lets_nothing_pass() {
        let list = Listed(Err(breach::Unreadable));
        let facts = Facts { breached: Some(&list), ..Facts::default() };
        assert_eq!(judge(&Secret::new("correct horse"), &policy(), &facts), [BrokenRule::Unchecked]);
    }
}
