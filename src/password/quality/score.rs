//! How soon a password would be guessed, by the score from 0 to 4 of zxcvbn (`pwdMinScore`): for sites that want a measure
//! and no rules about characters.
//!
//! The library sees few characters, since it tries out all that signs such as `@` and `1` may stand for, which takes seconds
//! where there are a hundred of them; and only ASCII: letters with marks without these, which is what is tried first, and for any
//! other character one that stands for it. So it never cuts a character in two. Unlike all else here it reads the year
//! by itself, and it leaves copies of what it has looked at in memory that is free.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use zeroize::Zeroizing;

use super::{Facts, names};
use crate::password::Policy;
use crate::password::verdict::BrokenRule;

/// The highest score.
pub const BEST: usize = 4;

/// How many characters a password needs for a score, whatever they are: each makes ten times as many guesses at most, and the
/// scores begin at a thousand guesses, a million, a hundred million and ten thousand million.
pub const LENGTH_FOR: [usize; BEST + 1] = [0, 4, 7, 9, 11];

/// More is not looked at: as many reach the best score by themselves, and take a quarter of a second at most.
const LONGEST: usize = 32;

/// More words of the owner and the organization are not looked for.
const MOST_WORDS: usize = 1_000;

/// Whether the score is too low. What its owner and the organization are called is guessed first.
pub(super) fn judge(text: &str, policy: &Policy, facts: &Facts<'_>) -> Option<BrokenRule> {
    let minimum = policy.min_score;
    if minimum == 0 {
        return None;
    }
    let words = words(policy, facts);
    let words: Vec<&str> = words.iter().map(|word| word.as_str()).collect();
    let score = usize::from(u8::from(zxcvbn::zxcvbn(&plain(text), &words).score()));
    (score < minimum).then_some(BrokenRule::Guessable { score, minimum })
}

/// Names of the owner, of the organization, and what it forbids, in whole and in parts.
fn words(policy: &Policy, facts: &Facts<'_>) -> Vec<Zeroizing<String>> {
    let called = [facts.names, facts.addresses, facts.organization].into_iter().flatten().copied();
    let forbidden = policy.forbidden_words.iter().map(String::as_str);
    let forms = called.chain(forbidden).flat_map(|name| names::forms(name).into_iter().chain([name.to_owned()]));
    forms.take(MOST_WORDS).map(|word| plain(&word)).collect()
}

/// Its first characters in ASCII.
fn plain(text: &str) -> Zeroizing<String> {
    // It never grows, which would leave a copy.
    let mut plain = Zeroizing::new(String::with_capacity(LONGEST));
    plain.extend(text.nfkd().filter(|c| !is_combining_mark(*c)).map(ascii).take(LONGEST));
    plain
}

/// The character, or one that stands for it, the same for both cases.
fn ascii(c: char) -> char {
    if c.is_ascii() {
        return c;
    }
    let lower = u32::from(c.to_lowercase().next().unwrap_or(c));
    char::from_u32(u32::from('!') + lower % 94).unwrap_or('?')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NAMES: &[&str] = &["alice", "Alice Liddell"];

    fn score(text: &str) -> usize {
        let policy = Policy { min_score: BEST + 1, forbidden_words: vec!["Jabberwocky".into()], ..Policy::default() };
        let facts = Facts { names: NAMES, organization: &["wonderland"], ..Facts::default() };
        match judge(text, &policy, &facts) {
            Some(BrokenRule::Guessable { score, minimum: 5 }) => score,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_guessed_soon_has_a_low_score() {
        for (text, expected) in [
            ("password", 0),
            ("qwertyuiop", 0),
            ("Summer2026!", 2),
            ("hello world", 3),
            ("correct horse battery staple", 4),
            ("hT4kz-Wq7mR-x9nEa", 4),
        ] {
            assert_eq!(score(text), expected, "{text}");
        }
    }

    #[test]
    fn names_and_words_of_the_organization_are_guessed_first() {
        for text in ["liddell", "AliceLiddell", "jabberwocky", "W0nderland", "lleddil"] {
            assert!(score(text) <= 1, "{text}: {}", score(text));
        }
        assert!(score("Caterpillar hookah alice") > score("Alice"));
    }

    #[test]
    fn marks_make_no_password_better() {
        assert_eq!(score("p\u{e4}ssw\u{f6}rd"), score("password"));
        assert_eq!(score("\u{ff50}\u{ff41}\u{ff53}\u{ff53}\u{ff57}\u{ff4f}\u{ff52}\u{ff44}"), score("password"));
    }

    #[test]
    fn other_scripts_have_a_score_by_their_length_and_repetitions() {
        assert!(score("\u{6f22}".repeat(20).as_str()) <= 1);
        assert_eq!(score("ключ от старого сарая за рекой"), 4);
    }

    #[test]
    fn no_score_is_reached_by_fewer_characters_than_it_needs() {
        for (score_of, length) in LENGTH_FOR.iter().enumerate().skip(1) {
            let text: String = "k7Qm!zPwjX4r".chars().take(*length).collect();
            assert_eq!(score(&text), score_of, "{text}");
            let shorter: String = text.chars().take(length - 1).collect();
            assert!(score(&shorter) < score_of, "{shorter}");
        }
    }

    #[test]
    fn without_a_minimum_nothing_is_looked_at() {
        assert_eq!(judge("password", &Policy::default(), &Facts::default()), None);
        let policy = Policy { min_score: 3, ..Policy::default() };
        assert_eq!(judge("correct horse battery staple", &policy, &Facts::default()), None);
        assert_eq!(
            judge("Summer2026!", &policy, &Facts::default()),
            Some(BrokenRule::Guessable { score: 2, minimum: 3 })
        );
    }

    /// What takes such estimates longest: a thousand octets of what looks like a repetition, a date or a word in many ways.
    #[test]
    fn the_longest_passwords_are_looked_at_without_a_fault() {
        for unit in ["a", "1", "12", "aab", "1/1/", "@4(8{[<3691!|170$5+7%2", "p4ssw0rd", "qwertyuiop", "\u{1f980}"] {
            score(&unit.repeat(1024));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn anything_has_a_score(text in "\\PC{0,120}", digits in "[0-9/ .a$@!|1]{0,100}", any in any::<String>()) {
            for text in [text, digits, any] {
                prop_assert!(score(&text) <= BEST);
            }
        }
    }
}
