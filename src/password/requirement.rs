//! What a policy demands of a new password, told before one is chosen.

use super::policy::{CheckQuality, ForbidNames, Policy, QualityProfile};
use super::prepare::MAX_CHARACTERS;
use super::quality::{BreachList, POINTS_NEEDED};
use super::verdict::{Language, requirement};

/// One demand, by the name of its sentence, with what belongs into its braces.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Requirement {
    rule: &'static str,
    argument: Option<(&'static str, usize)>,
}

/// Whose the password is, as far as that makes a difference to what is demanded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Owner {
    /// Somebody who has had a password before.
    Known,
    /// Somebody who is yet to come.
    New,
}

impl Requirement {
    /// All that a policy demands; `breached` is the list of passwords that are publicly known, if there is one.
    pub fn all(policy: &Policy, owner: Owner, breached: Option<&dyn BreachList>) -> Vec<Self> {
        if policy.pwd_check_quality == CheckQuality::Off {
            return [most(MAX_CHARACTERS)].into_iter().chain(of_history(policy, owner)).collect();
        }
        let profile = match policy.quality_profile {
            QualityProfile::Nist => Some(plain("nist")),
            QualityProfile::Entra => Some(with("entra", "needed", POINTS_NEEDED)),
            QualityProfile::None => None,
        };
        let longest = if policy.pwd_max_length == 0 { MAX_CHARACTERS } else { policy.pwd_max_length };
        let different = Some(policy.min_different).filter(|_| owner == Owner::Known).unwrap_or_default();
        [
            positive("min-length", "minimum", policy.pwd_min_length),
            Some(most(longest.min(MAX_CHARACTERS))),
            profile,
            positive("min-classes", "minimum", policy.min_classes),
            positive("score", "minimum", policy.min_score),
            positive("max-repeat", "maximum", policy.max_repeat),
            positive("max-sequence", "maximum", policy.max_sequence),
            positive("max-class-run", "maximum", policy.max_class_run),
            (policy.forbid_names != ForbidNames::None).then(|| plain("names")),
            policy.forbid_palindromes.then(|| plain("palindrome")),
            positive("different", "minimum", different),
            of_history(policy, owner),
            breached.map(|_| plain("breached")),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// It in a sentence.
    pub fn sentence(&self, language: Language) -> String {
        let arguments: Vec<_> = self.argument.iter().map(|(name, number)| (*name, number.to_string())).collect();
        requirement(language, self.rule, &arguments)
    }
}

fn of_history(policy: &Policy, owner: Owner) -> Option<Requirement> {
    positive("history", "count", policy.pwd_in_history).filter(|_| owner == Owner::Known)
}

const fn plain(rule: &'static str) -> Requirement {
    Requirement { rule, argument: None }
}

const fn with(rule: &'static str, name: &'static str, number: usize) -> Requirement {
    Requirement { rule, argument: Some((name, number)) }
}

const fn most(maximum: usize) -> Requirement {
    with("max-length", "maximum", maximum)
}

/// What zero makes no demand of.
fn positive(rule: &'static str, name: &'static str, number: usize) -> Option<Requirement> {
    (number > 0).then(|| with(rule, name, number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::password::Secret;
    use crate::password::quality::breach::Unreadable;

    #[derive(Debug)]
    struct Listed;

    impl BreachList for Listed {
        fn contains(&self, _: &Secret) -> Result<bool, Unreadable> {
            Ok(true)
        }

        fn edition(&self) -> u64 {
            1
        }
    }

    #[test]
    fn every_demand_has_a_sentence_in_every_language_with_all_numbers_put_in() {
        let policy = |quality_profile| Policy {
            pwd_check_quality: CheckQuality::Enforced,
            pwd_min_length: 8,
            quality_profile,
            min_classes: 3,
            min_score: 2,
            max_repeat: 2,
            max_sequence: 4,
            max_class_run: 5,
            forbid_names: ForbidNames::Contained,
            forbid_palindromes: true,
            min_different: 6,
            pwd_in_history: 7,
            ..Policy::default()
        };
        for language in Language::ALL {
            for profile in [QualityProfile::Nist, QualityProfile::Entra] {
                let all = Requirement::all(&policy(profile), Owner::Known, Some(&Listed));
                assert_eq!(all.len(), 13);
                for one in all {
                    let sentence = one.sentence(language);
                    assert!(sentence.ends_with('.') && !sentence.contains(['{', '}']), "{sentence}");
                }
            }
        }
        assert_eq!(Requirement::all(&policy(QualityProfile::None), Owner::New, None).len(), 9);
    }

    #[test]
    fn where_nothing_is_checked_the_bounds_of_the_server_are_all() {
        let all = Requirement::all(&Policy { pwd_min_length: 8, ..Policy::default() }, Owner::New, Some(&Listed));
        assert_eq!(all, [most(MAX_CHARACTERS)]);
        assert_eq!(all[0].sentence(Language::English), "It has at most 1024 characters.");
    }
}
