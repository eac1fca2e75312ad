//! The lists that passwords in use are looked up in again when they are newer.

use std::hash::Hasher;
use std::sync::LazyLock;

use siphasher::sip::SipHasher13;

use super::breach::Unreadable;
use super::{BreachList, Facts, common, entra, nist};
use crate::password::Secret;
use crate::password::policy::{CheckQuality, Policy, QualityProfile};
use crate::password::verdict::BrokenRule;

/// A number for all lists that a policy has passwords looked up in: the one that is built in, the words of the
/// organization, and the list of breached ones. It is another when one of them is.
pub fn edition(policy: &Policy, breached: Option<&dyn BreachList>) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write_u64(*BUILT_IN);
    hasher.write_u64(breached.map_or(0, BreachList::edition));
    hasher.write_u8(policy.quality_profile as u8);
    for word in &policy.forbidden_words {
        hasher.write_usize(word.len());
        hasher.write(word.as_bytes());
    }
    hasher.finish()
}

static BUILT_IN: LazyLock<u64> = LazyLock::new(|| {
    let mut hasher = SipHasher13::new();
    common::words().for_each(|word| hasher.write(word.as_bytes()));
    hasher.finish()
});

/// Why a password in use would be refused, were it a new one, as far as lists tell: what is demanded of its length and its
/// characters is for new ones alone.
pub fn look_up(
    password: &Secret,
    policy: &Policy,
    breached: Option<&dyn BreachList>,
) -> Result<Option<BrokenRule>, Unreadable> {
    if breached.map_or(Ok(false), |list| list.contains(password))? {
        return Ok(Some(BrokenRule::Breached));
    }
    let Some(text) = password.expose_text().filter(|_| policy.pwd_check_quality != CheckQuality::Off) else {
        return Ok(None);
    };
    let facts = Facts::default();
    Ok(match policy.quality_profile {
        QualityProfile::Nist => nist::judge(text, policy, &facts),
        QualityProfile::Entra => entra::judge(text, policy, &facts),
        QualityProfile::None => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Edition(u64);

    impl BreachList for Edition {
        fn contains(&self, _: &Secret) -> Result<bool, Unreadable> {
            Ok(self.0 == 2)
        }

        fn edition(&self) -> u64 {
            self.0
        }
    }

    #[test]
    fn the_number_is_another_when_a_list_is() {
        let policy = Policy::default();
        let words = |words: &[&str]| Policy {
            forbidden_words: words.iter().map(|&word| word.to_owned()).collect(),
            ..Policy::default()
        };
        let (one, two) = (Edition(1), Edition(2));
        let all = [
            edition(&policy, None),
            edition(&policy, Some(&one)),
            edition(&policy, Some(&two)),
            edition(&words(&["ab", "c"]), None),
            edition(&words(&["a", "bc"]), None),
            edition(&Policy { quality_profile: QualityProfile::Entra, ..Policy::default() }, None),
        ];
        let different: std::collections::HashSet<u64> = all.into_iter().collect();
        assert_eq!(different.len(), all.len());
        assert_eq!(edition(&policy, Some(&Edition(1))), all[1]);
    }

    #[test]
    fn what_is_listed_is_found_and_length_is_no_matter() {
        let policy = Policy { pwd_check_quality: CheckQuality::Enforced, pwd_min_length: 50, ..Policy::default() };
        let found = |password: &str, list: &Edition| look_up(&Secret::new(password), &policy, Some(list)).unwrap();
        assert_eq!(found("short", &Edition(2)), Some(BrokenRule::Breached));
        assert_eq!(found("Password123!", &Edition(1)), Some(BrokenRule::Common));
        assert_eq!(found("hut7 angst", &Edition(1)), None);
    }
}
