//! Profile `entra`: how Microsoft Entra Password Protection says that it evaluates passwords ("How are passwords
//! evaluated", 2018 and later).
//!
//! A password is normalized, so that `P@ssw0rd` is `password`. It is refused if it is a banned word but for one character,
//! or has a name of its owner or of the organization in it; otherwise each banned word in it counts one point, as does
//! each other character, and it needs five. Banned are the words of the policy, and those that everybody tries first: the
//! global list is secret.
//!
//! Only one reading of the steps agrees with all published examples: the whole password is compared with one character
//! of difference, and what counts in the score is found without any.

use super::edit_distance::edit_distance;
use super::{Facts, common};
use crate::password::policy::Policy;
use crate::password::verdict::BrokenRule;

/// How many points a password needs.
pub const NEEDED: usize = 5;

/// Names and words that are shorter are not looked for.
const MIN_WORD: usize = 4;

/// The first rule that a password breaks.
pub(super) fn judge(text: &str, policy: &Policy, facts: &Facts<'_>) -> Option<BrokenRule> {
    let password = normalize(text);
    let forbidden: Vec<Vec<char>> = policy.forbidden_words.iter().map(|word| normalize(word)).collect();
    let common: Vec<Vec<char>> = common::words().map(normalize).collect();
    if let Some((word, _)) = policy.forbidden_words.iter().zip(&forbidden).find(|(_, word)| is_nearly(&password, word))
    {
        return Some(BrokenRule::ForbiddenWord(word.clone()));
    }
    if common.iter().any(|word| is_nearly(&password, word)) {
        return Some(BrokenRule::Common);
    }
    let mut names = facts.names.iter().chain(facts.organization).flat_map(|name| parts(name));
    if let Some(name) = names.find(|name| contains(&password, &normalize(name))) {
        return Some(BrokenRule::ContainsName(name.to_owned()));
    }
    let banned: Vec<&[char]> =
        forbidden.iter().chain(&common).map(Vec::as_slice).filter(|word| word.len() >= MIN_WORD).collect();
    let points = score(&password, &banned);
    (points < NEEDED).then_some(BrokenRule::Predictable { points, needed: NEEDED })
}

/// Step 1: case is folded, and what stands for a letter becomes the letter.
fn normalize(text: &str) -> Vec<char> {
    let folded = caseless::default_case_fold_str(text);
    let letter = |c| match c {
        '0' => 'o',
        '1' => 'l',
        '$' => 's',
        '@' => 'a',
        _ => c,
    };
    folded.chars().map(letter).collect()
}

/// Step 2: fuzzy matching, "based on an edit distance of one".
fn is_nearly(password: &[char], word: &[char]) -> bool {
    word.len() >= MIN_WORD && password.len().abs_diff(word.len()) <= 1 && edit_distance(password, word) <= 1
}

/// Step 3: substring matching of names, and of each part of a name of several.
fn contains(password: &[char], name: &[char]) -> bool {
    name.len() >= MIN_WORD && password.windows(name.len()).any(|window| window == name)
}

fn parts(name: &str) -> impl Iterator<Item = &str> {
    let parts = name.split(|c: char| !c.is_alphanumeric());
    std::iter::once(name).chain(parts)
}

/// Step 4: a point for each banned word and for each other character; the fewest, in whichever way the password is taken
/// apart.
fn score(password: &[char], banned: &[&[char]]) -> usize {
    let mut fewest = vec![0];
    for end in 1..=password.len() {
        let (before, _) = password.split_at(end);
        let by_character = end - 1;
        let by_word = banned.iter().filter(|word| before.ends_with(word)).map(|word| end - word.len());
        let points = by_word.chain([by_character]).filter_map(|start| fewest.get(start)).min().copied();
        fewest.push(points.unwrap_or(end - 1) + 1);
    }
    fewest.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(password: &str, banned: &[&str], names: &[&str]) -> Option<BrokenRule> {
        let forbidden_words = banned.iter().map(|&word| word.to_owned()).collect();
        let facts = Facts { names, organization: &["Fabrikam"], ..Facts::default() };
        judge(password, &Policy { forbidden_words, ..Policy::default() }, &facts)
    }

    fn predictable(points: usize) -> BrokenRule {
        BrokenRule::Predictable { points, needed: 5 }
    }

    #[test]
    fn case_and_common_substitutions_are_seen_through() {
        assert_eq!(normalize("Bl@nK").iter().collect::<String>(), "blank");
        assert_eq!(normalize("$0LAR1S").iter().collect::<String>(), "solarls");
        assert_eq!(judged("Bl@nK", &["blank"], &[]), Some(BrokenRule::ForbiddenWord("blank".into())));
        assert_eq!(judged("P@$$w0rd", &[], &[]), Some(BrokenRule::Common));
    }

    #[test]
    fn a_banned_word_is_recognized_with_one_character_changed_added_or_taken_away() {
        for password in ["abcdeg", "abcdefg", "abcde", "abcdef", "ABCDEF"] {
            assert_eq!(judged(password, &["abcdef"], &[]), Some(BrokenRule::ForbiddenWord("abcdef".into())));
        }
        assert_eq!(judged("abcdxy", &["abcdef"], &[]), None);
    }

    #[test]
    fn a_name_of_the_owner_or_of_the_organization_must_not_be_in_it() {
        let name = |name: &str| Some(BrokenRule::ContainsName(name.into()));
        assert_eq!(judged("p0LL23fb", &[], &["John", "Poll"]), name("Poll"));
        assert_eq!(judged("p0LL23fb", &[], &["John Poll"]), name("Poll"));
        assert_eq!(judged("xy-f@br1kam-77", &[], &[]), None);
        assert_eq!(judged("xy-fAbrik@m-77", &[], &[]), name("Fabrikam"));
        assert_eq!(judged("a1b2-Ann-c3d4", &[], &["Ann"]), None);
    }

    #[test]
    fn five_points_are_needed() {
        let banned = &["contoso", "blank", "London", "widget"];
        assert_eq!(judged("C0ntos0Blank12", banned, &[]), Some(predictable(4)));
        assert_eq!(judged("ContoS0Bl@nkf9!", banned, &[]), None);
        assert_eq!(judged("London!1Widget", banned, &[]), Some(predictable(4)));
        assert_eq!(judged("xyz7", banned, &[]), Some(predictable(4)));
    }

    #[test]
    fn words_that_overlap_are_taken_apart_so_that_they_count_least() {
        let banned: Vec<Vec<char>> = ["abcd", "cdefgh", "efgh"].iter().map(|word| word.chars().collect()).collect();
        let banned: Vec<&[char]> = banned.iter().map(Vec::as_slice).collect();
        let points = |text: &str| score(&text.chars().collect::<Vec<_>>(), &banned);
        assert_eq!((points("abcdefgh"), points("abcdefg"), points("xabcdcdefghx"), points("")), (2, 4, 4, 0));
    }
}
