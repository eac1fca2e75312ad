//! Whether a new password is good enough (NIST SP 800-63B-4 §3.1.1.2).
//!
//! What counts is the whole password: nothing is demanded of its characters, and a word inside it is no fault. It is
//! refused if it is, but for case and decoration, something that everybody tries first, a name of its owner, a word of
//! the organization, or a pattern.

pub mod breach;
pub mod filter;

pub use breach::BreachList;

use super::policy::{CheckQuality, Policy, QualityProfile};
use super::prepare::MAX_LEN;
use super::verdict::BrokenRule;
use super::{Secret, StoredPassword};

/// Passwords that everybody tries first, lower-case, one a line; `#` begins a comment.
const COMMON: &str = include_str!("quality/common.txt");

/// Rows of the keyboard and the like, along which fingers walk.
const ROWS: &[&str] = &[
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertz",
    "azerty",
    "01234567890",
    "qazwsxedcrfvtgbyhnujmikolp",
];

/// Names and words that are shorter say nothing when they are found.
const MIN_WORD: usize = 3;

/// What is known besides the policy when a password is judged.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts<'a> {
    /// What its owner is called.
    pub names: &'a [&'a str],
    /// Passwords that are publicly known.
    pub breached: Option<&'a dyn BreachList>,
}

/// Every rule that `password` breaks by itself.
pub fn judge(password: &Secret, policy: &Policy, facts: &Facts<'_>) -> Vec<BrokenRule> {
    if password.is_empty() {
        return vec![BrokenRule::Empty];
    }
    if password.len() > MAX_LEN {
        return vec![BrokenRule::TooLong { maximum: MAX_LEN }];
    }
    match (policy.pwd_check_quality, StoredPassword::is_prehashed(password.expose())) {
        (CheckQuality::Off, _) | (CheckQuality::IfPossible, true) => return Vec::new(),
        (CheckQuality::Enforced, true) => return vec![BrokenRule::Prehashed],
        (CheckQuality::IfPossible | CheckQuality::Enforced, false) => {}
    }
    let mut broken = judge_length(password, policy);
    if let (QualityProfile::Nist, Some(text)) = (policy.quality_profile, password.expose_text()) {
        broken.extend(judge_text(text, policy, facts.names));
    }
    broken.extend(facts.breached.and_then(|list| judge_by_list(password, list)));
    broken
}

fn judge_length(password: &Secret, policy: &Policy) -> Vec<BrokenRule> {
    let mut broken = Vec::new();
    // Octets that are no text have no code points; each counts as one.
    let length = password.expose_text().map_or(password.len(), |text| text.chars().count());
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

fn judge_text(text: &str, policy: &Policy, names: &[&str]) -> Option<BrokenRule> {
    let forms = Forms::of(text);
    if let Some(name) = names.iter().find(|name| forms.contain(name)) {
        return Some(BrokenRule::OwnName((*name).to_owned()));
    }
    if let Some(word) = policy.forbidden_words.iter().find(|word| forms.contain(word)) {
        return Some(BrokenRule::ForbiddenWord(word.clone()));
    }
    if forms.is_common() {
        return Some(BrokenRule::Common);
    }
    forms.is_pattern().then_some(BrokenRule::Pattern)
}

/// The forms of a password that decoration hides: folded; without digits and signs around it; what it repeats.
struct Forms {
    folded: String,
    bare: String,
    unit: String,
}

impl Forms {
    fn of(text: &str) -> Self {
        let folded = caseless::default_case_fold_str(text);
        let plain: String = folded.chars().filter(|c| !c.is_whitespace()).collect();
        let bare = plain.trim_matches(|c: char| !c.is_alphabetic()).to_owned();
        let unit = repeated_unit(if bare.is_empty() { &plain } else { &bare }).to_owned();
        Self { folded: plain, bare, unit }
    }

    fn all(&self) -> [&str; 3] {
        [&self.folded, &self.bare, &self.unit]
    }

    fn contain(&self, word: &str) -> bool {
        let word: String = caseless::default_case_fold_str(word).chars().filter(|c| !c.is_whitespace()).collect();
        word.chars().count() >= MIN_WORD && self.all().contains(&word.as_str())
    }

    fn is_common(&self) -> bool {
        let list = || COMMON.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        self.all().iter().any(|form| list().any(|common| common == *form))
    }

    /// One character or a short piece repeated, or a walk along a row of keys in either direction.
    fn is_pattern(&self) -> bool {
        let short_unit = self.unit.chars().count() <= 3 && self.folded.chars().count() > 3;
        short_unit || self.all().iter().any(|form| is_walk(form))
    }
}

/// The shortest beginning of `text` whose repetition is `text`.
fn repeated_unit(text: &str) -> &str {
    let len = text.len();
    let units = (1..=len / 2).filter(|unit| len.is_multiple_of(*unit) && text.is_char_boundary(*unit));
    let whole = |unit: &usize| {
        let (head, _) = text.split_at_checked(*unit).unwrap_or((text, ""));
        text.as_bytes().chunks(*unit).all(|chunk| chunk == head.as_bytes())
    };
    let unit = units.into_iter().find(whole).unwrap_or(len);
    text.get(..unit).unwrap_or(text)
}

fn is_walk(form: &str) -> bool {
    if form.chars().count() < 4 {
        return false;
    }
    let backwards: String = form.chars().rev().collect();
    // Two rows one after the other are still a walk: qwertyuiopasdfghjkl.
    [form, &backwards].iter().any(|form| {
        let mut rest = *form;
        while !rest.is_empty() {
            let longest = ROWS.iter().map(|row| common_run(rest, row)).max().unwrap_or(0);
            let (_, tail) = rest.split_at_checked(longest).unwrap_or((rest, ""));
            if longest < 3 {
                return false;
            }
            rest = tail;
        }
        true
    })
}

/// How many octets of the beginning of `text` stand somewhere in `row`.
fn common_run(text: &str, row: &str) -> usize {
    (1..=text.len().min(row.len()))
        .rev()
        .find(|len| text.get(..*len).is_some_and(|head| row.contains(head)))
        .unwrap_or(0)
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
    fn the_whole_password_is_compared_and_no_word_inside_it() {
        assert_eq!(judged("Password123!"), [BrokenRule::Common]);
        assert_eq!(judged("passwordpassword"), [BrokenRule::Common]);
        assert_eq!(judged("correct horse battery"), []);
        assert_eq!(judged("my password is long"), []);
    }

    #[test]
    fn names_of_the_owner_and_words_of_the_organization_are_refused() {
        assert_eq!(judged("ALICE2026!!"), [BrokenRule::OwnName("alice".into())]);
        assert_eq!(judged("Alice  Liddell"), [BrokenRule::OwnName("Alice Liddell".into())]);
        assert_eq!(judged("contoso1234"), [BrokenRule::ForbiddenWord("Contoso".into())]);
        assert_eq!(judged("alice walks home"), []);
    }

    #[test]
    fn patterns_are_refused() {
        for pattern in ["aaaaaaaaaa", "1234567890123", "abcabcabcabc", "qwertyuiopasdfgh", "0987654321", "zyxwvutsrq"] {
            assert!(matches!(judged(pattern).as_slice(), [BrokenRule::Pattern | BrokenRule::Common]), "{pattern}");
        }
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
