//! Profile `nist` (NIST SP 800-63B-4 §3.1.1.2).
//!
//! What counts is the whole password: nothing is demanded of its characters, and a word inside it is no fault. It is
//! refused if it is, but for case and decoration, something that everybody tries first, a name of its owner or their
//! address, a word of the organization, or a pattern. Decoration is little: a year, a few digits and signs. What is long or
//! unpredictable is none, whatever word or row of keys it stands beside: to refuse that would be a rule about characters.

use super::pattern::{is_blank, is_decoration, is_pattern};
use super::{Facts, common};
use crate::password::policy::Policy;
use crate::password::verdict::BrokenRule;

/// The first rule that a password breaks.
pub(super) fn judge(text: &str, policy: &Policy, facts: &Facts<'_>) -> Option<BrokenRule> {
    let forms = Forms::of(text);
    if let Some(name) = facts.names.iter().chain(facts.addresses).find(|name| forms.contain(name)) {
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

/// The forms of a password that decoration hides.
struct Forms {
    /// All of it, folded.
    whole: Vec<char>,
    /// Without blanks; that without the few signs and numbers around it; what these repeat.
    words: Vec<String>,
    /// The core, if there is hardly anything around it.
    core: Option<Vec<char>>,
}

impl Forms {
    fn of(text: &str) -> Self {
        let whole = caseless::default_case_fold_str(text);
        let (compact, joined) = (without_blanks(&whole), joined(&whole));
        let mut words = Vec::new();
        for form in [&compact, &joined] {
            let unit = repeated_unit(form);
            words.extend([form.as_str(), unit].map(str::to_owned));
            for undecorated in [undecorated(form), undecorated(unit)].into_iter().flatten() {
                words.extend([undecorated, repeated_unit(undecorated)].map(str::to_owned));
            }
        }
        // What is as long as what surrounds it is not the core of a password.
        let core = undecorated(&compact).filter(|core| 2 * core.chars().count() > whole.chars().count());
        Self { whole: whole.chars().collect(), core: core.map(|core| core.chars().collect()), words }
    }

    fn contain(&self, word: &str) -> bool {
        let folded = caseless::default_case_fold_str(word);
        let is_here = |word: String| word.chars().count() >= MIN_WORD && self.words.contains(&word);
        is_here(without_blanks(&folded)) || is_here(joined(&folded))
    }

    fn is_common(&self) -> bool {
        self.words.iter().any(|form| common::words().any(|word| word == *form))
    }

    fn is_pattern(&self) -> bool {
        let without_blanks: Vec<char> = self.whole.iter().filter(|c| !is_blank(**c)).copied().collect();
        [&self.whole, &without_blanks].into_iter().chain(&self.core).any(|form| is_pattern(form))
    }
}

fn without_blanks(text: &str) -> String {
    text.chars().filter(|c| !is_blank(*c)).collect()
}

/// Without what joins the parts of names and addresses: of `jean-luc.p` it is `jeanlucp`.
fn joined(text: &str) -> String {
    text.chars().filter(|c| !is_blank(*c) && !matches!(c, '.' | '-' | '_' | '\'')).collect()
}

/// What stands between signs and digits, if there are so few of them that they hide nothing.
fn undecorated(text: &str) -> Option<&str> {
    let is_sign = |c: char| !c.is_alphabetic();
    let start = text.len() - text.trim_start_matches(is_sign).len();
    let (before, rest) = text.split_at_checked(start)?;
    let core = rest.trim_end_matches(is_sign);
    let (_, after) = rest.split_at_checked(core.len())?;
    let around = [before, after].map(|text| text.chars().collect::<Vec<_>>());
    (!core.is_empty() && is_decoration(around.iter().map(Vec::as_slice))).then_some(core)
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

/// Names and words that are shorter say nothing when they are found.
const MIN_WORD: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        Policy { forbidden_words: vec!["Contoso".into()], ..Policy::default() }
    }

    fn judged(password: &str) -> Option<BrokenRule> {
        let names = &["alice", "Alice Liddell", "Liddell", "al", "juergen.gw", "Jean-Luc"];
        let addresses = &["juergen.gw@example.com"];
        judge(password, &policy(), &Facts { names, addresses, ..Facts::default() })
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
    fn the_address_of_the_owner_is_refused_and_parts_of_names_are_told_apart_by_nothing() {
        let own = |name: &str| Some(BrokenRule::OwnName(name.into()));
        assert_eq!(judged("Juergen.GW@example.com"), own("juergen.gw@example.com"));
        assert_eq!(judged("juergen.gw@example.com1!"), own("juergen.gw@example.com"));
        assert_eq!(judged("juergen.gw-2026"), own("juergen.gw"));
        assert_eq!(judged("jeanluc1984"), own("Jean-Luc"));
        assert_eq!(judged("write to juergen.gw@example.com by noon"), None);
    }

    #[test]
    fn patterns_are_refused() {
        for pattern in [
            "aaaaaaaaaa",
            "1234567890123",
            "abcabcabcabc",
            "abcabcabcabc1!",
            "qwertyuiopasdfgh",
            "0987654321",
            "zyxwvutsrq",
            "q w e r t y u i o p",
            "!@#$%^&*",
            "!\"§$%&/()=?",
            "asdfghjklöä2024",
        ] {
            assert!(matches!(judged(pattern), Some(BrokenRule::Pattern | BrokenRule::Common)), "{pattern}");
        }
    }

    #[test]
    fn what_is_blank_or_nearly_so_is_a_pattern() {
        let blanks = " ".repeat(15);
        let invisible = "\u{200b}\u{2060}\u{feff}\u{2800}\u{3164}".repeat(3);
        for pattern in [&*blanks, "x              ", "    x  y   z   ", "\t \t  \t \t \t  \t\t\t", &*invisible] {
            assert_eq!(judged(pattern), Some(BrokenRule::Pattern), "{pattern:?}");
        }
        assert_eq!(judged("it is a fine day"), None);
        assert_eq!(judged("  seven words and spaces around them  "), None);
    }

    /// SP 800-63B-4 §3.1.1.2: "SHALL NOT impose other composition rules": whatever is unpredictable passes, with letters
    /// beside it or without.
    #[test]
    fn what_is_unpredictable_passes_whatever_letters_are_in_it() {
        for password in [
            "x83920174659283710465",
            "83920174659283710465",
            "4#9!7@2$-Wk7-8%3&1*5(6)",
            "7391-8264-qz-0573918264",
            "abcd83920174659283710465",
            "qwerty83920174659283710465",
            "password83920174659283710465",
            "alice83920174659283710465",
            "E-99812345",
            "wq7t.........................",
        ] {
            assert_eq!(judged(password), None, "{password}");
        }
    }

    #[test]
    fn few_signs_numbers_and_dates_around_a_word_hide_nothing() {
        for password in ["password7391", "!!!password!!!", "2024password123", "password19840312!", "alice1alice1"] {
            assert!(matches!(judged(password), Some(BrokenRule::Common | BrokenRule::OwnName(_))), "{password}");
        }
    }
}
