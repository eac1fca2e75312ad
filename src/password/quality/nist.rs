//! Profile `nist` (NIST SP 800-63B-4 §3.1.1.2).
//!
//! What counts is the whole password: nothing is demanded of its characters, and a word inside it is no fault. It is
//! refused if it is, but for case and decoration, something that everybody tries first, a name of its owner, a word of
//! the organization, or a pattern.

use super::{Facts, common};
use crate::password::policy::Policy;
use crate::password::verdict::BrokenRule;

/// The first rule that a password breaks.
pub(super) fn judge(text: &str, policy: &Policy, facts: &Facts<'_>) -> Option<BrokenRule> {
    let forms = Forms::of(text);
    if let Some(name) = facts.names.iter().find(|name| forms.contain(name)) {
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
        self.all().iter().any(|form| common::words().any(|word| word == *form))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        Policy { forbidden_words: vec!["Contoso".into()], ..Policy::default() }
    }

    fn judged(password: &str) -> Option<BrokenRule> {
        let names = &["alice", "Alice Liddell", "Liddell", "al"];
        judge(password, &policy(), &Facts { names, ..Facts::default() })
    }

    #[test]
    fn the_whole_password_is_compared_and_no_word_inside_it() {
        assert_eq!(judged("Password123!"), Some(BrokenRule::Common));
        assert_eq!(judged("passwordpassword"), Some(BrokenRule::Common));
        assert_eq!(judged("correct horse battery"), None);
        assert_eq!(judged("my password is long"), None);
    }

    #[test]
    fn names_of_the_owner_and_words_of_the_organization_are_refused() {
        assert_eq!(judged("ALICE2026!!"), Some(BrokenRule::OwnName("alice".into())));
        assert_eq!(judged("Alice  Liddell"), Some(BrokenRule::OwnName("Alice Liddell".into())));
        assert_eq!(judged("contoso1234"), Some(BrokenRule::ForbiddenWord("Contoso".into())));
        assert_eq!(judged("alice walks home"), None);
    }

    #[test]
    fn patterns_are_refused() {
        for pattern in ["aaaaaaaaaa", "1234567890123", "abcabcabcabc", "qwertyuiopasdfgh", "0987654321", "zyxwvutsrq"] {
            assert!(matches!(judged(pattern), Some(BrokenRule::Pattern | BrokenRule::Common)), "{pattern}");
        }
    }
}
