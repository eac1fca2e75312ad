//! Rules about which characters a password has, for sites that must have them. NIST SP 800-63B-4 §3.1.1.2 says "SHALL NOT
//! impose other composition rules", so there are none unless a policy says so.

use super::Facts;
use super::edit_distance::edit_distance;
use super::names;
use crate::password::policy::Policy;
use crate::password::verdict::BrokenRule;

/// Every rule of this kind that a password breaks.
pub(super) fn judge(text: &str, policy: &Policy, facts: &Facts<'_>) -> Vec<BrokenRule> {
    let characters: Vec<char> = text.chars().collect();
    let classes = policy.min_classes > 0 && classes(&characters) < policy.min_classes;
    let repeats = policy.max_repeat > 0 && longest_repetition(&characters) > policy.max_repeat;
    let sequence = policy.max_sequence > 0 && longest_sequence(&characters) > policy.max_sequence;
    let class_run = policy.max_class_run > 0 && longest_class_run(&characters) > policy.max_class_run;
    let palindrome = policy.forbid_palindromes && is_palindrome(text);
    let old = facts.old.and_then(|old| old.expose_text()).map(|old| old.chars().collect::<Vec<_>>());
    let is_similar = |old: Vec<char>| edit_distance(&old, &characters) < policy.min_different;
    let similar = policy.min_different > 0 && old.is_some_and(is_similar);
    let rules = [
        (classes, BrokenRule::FewClasses { minimum: policy.min_classes }),
        (repeats, BrokenRule::Repeats { maximum: policy.max_repeat }),
        (sequence, BrokenRule::Sequence { maximum: policy.max_sequence }),
        (class_run, BrokenRule::ClassRun { maximum: policy.max_class_run }),
        (palindrome, BrokenRule::Palindrome),
        (similar, BrokenRule::Similar { minimum: policy.min_different }),
    ];
    let mut broken: Vec<BrokenRule> =
        rules.into_iter().filter_map(|(is_broken, rule)| is_broken.then_some(rule)).collect();
    broken.extend(names::judge(text, policy.forbid_names, facts.names));
    broken
}

/// What kind of character it is. A letter without case is one of the others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Lower,
    Upper,
    Digit,
    Other,
}

impl Class {
    const ALL: [Self; 4] = [Self::Lower, Self::Upper, Self::Digit, Self::Other];

    fn of(c: char) -> Self {
        match c {
            c if c.is_lowercase() => Self::Lower,
            c if c.is_uppercase() => Self::Upper,
            c if c.is_numeric() => Self::Digit,
            _ => Self::Other,
        }
    }
}

/// How many classes of characters there are.
fn classes(characters: &[char]) -> usize {
    Class::ALL.iter().filter(|class| characters.iter().any(|c| Class::of(*c) == **class)).count()
}

/// How many characters of one class come one after the other: 3 in `aB12c345`.
fn longest_class_run(characters: &[char]) -> usize {
    longest_run(characters, |before, after| Class::of(before) == Class::of(after))
}

/// Whether it is the same backwards, case aside.
fn is_palindrome(text: &str) -> bool {
    let folded: Vec<char> = caseless::default_case_fold_str(text).chars().collect();
    folded.iter().eq(folded.iter().rev())
}

/// How often a character comes one after the other: 3 in `baaab`.
fn longest_repetition(characters: &[char]) -> usize {
    longest_run(characters, |before, after| before == after)
}

/// How many characters follow each other as in the alphabet or in numbers, forwards or backwards: 3 in `xabcx` and `321`.
fn longest_sequence(characters: &[char]) -> usize {
    let follows = |a: char, b: char| a.is_alphanumeric() && b.is_alphanumeric() && u32::from(a) + 1 == u32::from(b);
    longest_run(characters, follows).max(longest_run(characters, |a, b| follows(b, a)))
}

/// The most characters one after the other of which each goes on from the one before it.
fn longest_run(characters: &[char], goes_on: impl Fn(char, char) -> bool) -> usize {
    characters.chunk_by(|before, after| goes_on(*before, *after)).map(<[char]>::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::password::Secret;

    fn judged(password: &str, policy: &Policy) -> Vec<BrokenRule> {
        judge(password, policy, &Facts::default())
    }

    #[test]
    fn nothing_is_demanded_unless_the_policy_demands_it() {
        let old = Secret::new("aaaaaaaa");
        let facts = Facts { old: Some(&old), ..Facts::default() };
        assert_eq!(judge("aaaaaaaa", &Policy::default(), &facts), []);
    }

    #[test]
    fn classes_are_lower_upper_digit_and_other() {
        for (password, classes) in
            [("abc", 1), ("aB", 2), ("aB3", 3), ("aB3-", 4), ("a b", 2), ("äÖ", 2), ("密碼", 1), ("", 0)]
        {
            let policy = |min_classes| Policy { min_classes, ..Policy::default() };
            assert_eq!(judged(password, &policy(classes)), [], "{password}");
            let more = BrokenRule::FewClasses { minimum: classes + 1 };
            assert_eq!(judged(password, &policy(classes + 1)), [more], "{password}");
        }
    }

    #[test]
    fn a_character_may_come_so_often_in_a_row() {
        let policy = Policy { max_repeat: 2, ..Policy::default() };
        for good in ["aabb", "aAaAaA", "ababab", ""] {
            assert_eq!(judged(good, &policy), [], "{good}");
        }
        for bad in ["aaab", "x111", "!!!", "ääää"] {
            assert_eq!(judged(bad, &policy), [BrokenRule::Repeats { maximum: 2 }], "{bad}");
        }
    }

    #[test]
    fn so_many_characters_of_one_class_may_come_in_a_row() {
        let policy = Policy { max_class_run: 3, ..Policy::default() };
        for good in ["abcABC123-+*", "aB", "密碼密a", ""] {
            assert_eq!(judged(good, &policy), [], "{good}");
        }
        for bad in ["abcd", "aBCDEf", "a1234", "密碼密碼", "a - -b"] {
            assert_eq!(judged(bad, &policy), [BrokenRule::ClassRun { maximum: 3 }], "{bad}");
        }
    }

    #[test]
    fn a_password_may_not_be_the_same_backwards() {
        let policy = Policy { forbid_palindromes: true, ..Policy::default() };
        for (password, is_one) in
            [("A man a plan", false), ("Never odd oRdd oReven", false), ("abc1CBA", true), ("ß2SS", true)]
        {
            assert_eq!(judged(password, &policy) == [BrokenRule::Palindrome], is_one, "{password}");
        }
    }

    #[test]
    fn so_many_characters_may_follow_each_other() {
        let policy = Policy { max_sequence: 3, ..Policy::default() };
        for good in ["abc", "321", "abcxyz", "aceg", "aabbccdd", "()*+,-", "xyzab"] {
            assert_eq!(judged(good, &policy), [], "{good}");
        }
        for bad in ["abcd", "x4321x", "WXYZ", "abcdcba"] {
            assert_eq!(judged(bad, &policy), [BrokenRule::Sequence { maximum: 3 }], "{bad}");
        }
    }

    #[test]
    fn so_many_characters_must_differ_from_the_old_password() {
        let policy = Policy { min_different: 4, ..Policy::default() };
        let judged = |old: &[u8], new: &str| {
            let old = Secret::new(old);
            judge(new, &policy, &Facts { old: Some(&old), ..Facts::default() })
        };
        assert_eq!(judged(b"Summer in Rome 2025", "Summer in Rome 2026"), [BrokenRule::Similar { minimum: 4 }]);
        assert_eq!(judged(b"Summer in Rome 2025", "Summer in Oslo 2026"), []);
        assert_eq!(judged(b"\xff\xfe", "abc"), []);
    }
}
