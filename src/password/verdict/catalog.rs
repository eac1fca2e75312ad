//! The sentences, in every language: text files that a translator can read.

use super::Language;

/// A text file of `rule = sentence` lines; `#` begins a comment.
const fn text(language: Language) -> &'static str {
    match language {
        Language::English => include_str!("en.txt"),
        Language::German => include_str!("de.txt"),
    }
}

fn sentences(language: Language) -> impl Iterator<Item = (&'static str, &'static str)> {
    lines(text(language))
}

fn lines(text: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" = "))
}

/// The sentence for a refusal that is no broken rule; `None` where its own, which is English, is the one.
pub fn refusal(language: Language, refusal: &str) -> Option<&'static str> {
    let text = match language {
        Language::English => return None,
        Language::German => include_str!("refusals.de.txt"),
    };
    lines(text).find_map(|(name, sentence)| (name == refusal).then_some(sentence))
}

/// The sentence for what a policy demands of a new password.
pub fn requirement(language: Language, rule: &str, arguments: &[(&str, String)]) -> String {
    filled(lines(demands(language)), rule, arguments)
}

const fn demands(language: Language) -> &'static str {
    match language {
        Language::English => include_str!("requirements.en.txt"),
        Language::German => include_str!("requirements.de.txt"),
    }
}

/// The sentence for a rule, with what belongs into its braces put in.
pub(super) fn sentence(language: Language, rule: &str, arguments: &[(&str, String)]) -> String {
    filled(sentences(language), rule, arguments)
}

fn filled(
    mut sentences: impl Iterator<Item = (&'static str, &'static str)>,
    rule: &str,
    arguments: &[(&str, String)],
) -> String {
    // Tests hold that every rule has a sentence in every language.
    let found = sentences.find_map(|(name, sentence)| (name == rule).then_some(sentence));
    let mut sentence = found.unwrap_or(rule).to_owned();
    for (name, argument) in arguments {
        sentence = sentence.replace(&format!("{{{name}}}"), argument);
    }
    sentence
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The rules of a catalog, each with the names in its braces.
    pub(in crate::password::verdict) fn rules(language: Language) -> Vec<(&'static str, Vec<&'static str>)> {
        sentences(language).map(|(rule, sentence)| (rule, braces(sentence))).collect()
    }

    fn braces(sentence: &str) -> Vec<&str> {
        let mut names: Vec<&str> =
            sentence.split('{').skip(1).map(|rest| rest.split_once('}').expect("a brace is closed").0).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn every_language_has_a_sentence_for_every_rule_with_the_same_braces() {
        let english = rules(Language::English);
        for language in Language::ALL {
            assert_eq!(rules(language), english, "{language:?}");
            let demanded =
                |language| lines(demands(language)).map(|(rule, text)| (rule, braces(text))).collect::<Vec<_>>();
            assert_eq!(demanded(language), demanded(Language::English), "{language:?}");
        }
    }

    #[test]
    fn refusals_have_a_sentence_in_every_language_but_english_where_they_say_it_themselves() {
        for name in ["wrong-password", "must-change-first", "may-not-set", "temporary-ended"] {
            assert_eq!(refusal(Language::English, name), None);
            assert!(refusal(Language::German, name).is_some_and(|sentence| sentence.ends_with('.')), "{name}");
        }
        assert_eq!(refusal(Language::German, "nosuch"), None);
    }

    #[test]
    fn every_line_of_a_catalog_is_a_comment_or_a_whole_sentence() {
        for language in Language::ALL {
            for line in text(language).lines().filter(|line| !line.starts_with('#')) {
                let (rule, sentence) = line.split_once(" = ").expect(line);
                assert!(rule.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{line}");
                assert!(sentence.ends_with('.') && sentence.starts_with(char::is_uppercase), "{line}");
            }
        }
    }
}
