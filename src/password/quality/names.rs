//! Names of the owner in a password, for sites that must look for them (`pwdForbidNames`): forwards and backwards, case aside.

use crate::password::policy::ForbidNames;
use crate::password::verdict::BrokenRule;

/// Names and parts of names that are shorter are in too many words.
const MIN_NAME: usize = 4;

/// The first name that is found, and the first that is found backwards.
pub(super) fn judge(text: &str, forbid: ForbidNames, names: &[&str]) -> Vec<BrokenRule> {
    if forbid == ForbidNames::None {
        return Vec::new();
    }
    let password = folded(text);
    let is_in = |name: &str| match forbid {
        ForbidNames::None => false,
        ForbidNames::Whole => password == name,
        ForbidNames::Contained => password.contains(name),
    };
    let forms = || names.iter().flat_map(|name| forms(name));
    let forwards = forms().find(|name| is_in(&folded(name)));
    let backwards = forms().find(|name| is_in(&folded(name).chars().rev().collect::<String>()));
    let found = forwards.map(|name| match forbid {
        ForbidNames::Whole => BrokenRule::OwnName(name),
        ForbidNames::None | ForbidNames::Contained => BrokenRule::ContainsName(name),
    });
    found.into_iter().chain(backwards.map(BrokenRule::ReversedName)).collect()
}

/// A name without its gaps, and its parts: of `Alice Liddell` those and `AliceLiddell`.
pub(super) fn forms(name: &str) -> Vec<String> {
    let is_gap = |c: char| !c.is_alphanumeric();
    let parts = name.split(is_gap).map(str::to_owned);
    let whole: String = name.chars().filter(|c| !is_gap(*c)).collect();
    let mut forms: Vec<String> = [whole].into_iter().chain(parts).collect();
    forms.retain(|form| form.chars().count() >= MIN_NAME);
    forms.dedup();
    forms
}

fn folded(text: &str) -> String {
    caseless::default_case_fold_str(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: &[&str] = &["alice", "Alice Liddell", "Al", "Jean-Luc"];

    fn judged(text: &str, forbid: ForbidNames) -> Vec<BrokenRule> {
        judge(text, forbid, NAMES)
    }

    #[test]
    fn nothing_is_looked_for_unless_the_policy_says_so() {
        assert_eq!(judged("alice", ForbidNames::None), []);
    }

    #[test]
    fn a_whole_name_is_found_forwards_and_backwards() {
        let own = |name: &str| vec![BrokenRule::OwnName(name.into())];
        assert_eq!(judged("ALICE", ForbidNames::Whole), own("alice"));
        assert_eq!(judged("AliceLiddell", ForbidNames::Whole), own("AliceLiddell"));
        assert_eq!(judged("llEddil", ForbidNames::Whole), [BrokenRule::ReversedName("Liddell".into())]);
        assert_eq!(judged("alice1", ForbidNames::Whole), []);
    }

    #[test]
    fn a_name_in_a_password_is_found_and_short_ones_are_not_looked_for() {
        let contained = |text| judged(text, ForbidNames::Contained);
        assert_eq!(contained("xx-jeanluc-7"), [BrokenRule::ContainsName("JeanLuc".into())]);
        assert_eq!(contained("my liddell of 1865"), [BrokenRule::ContainsName("Liddell".into())]);
        assert_eq!(
            contained("alice and ecila"),
            [BrokenRule::ContainsName("alice".into()), BrokenRule::ReversedName("alice".into())]
        );
        assert_eq!(contained("all the luck of 1865"), []);
    }
}
