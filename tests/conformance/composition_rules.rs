//! Rules about characters, for sites that must have them: `pwdMinClasses`, `pwdMaxRepeat`, `pwdMaxSequence` and
//! `pwdMinDifferent` of keysteadPolicy; and `pwdMinScore`, for those who would rather have a measure.

use keystead::directory::ResultCode::ConstraintViolation;
use keystead::directory::tree::Directory;

use crate::scene::answer::INSUFFICIENT_QUALITY;
use crate::scene::{Scene, assert_told, policy_control};
use crate::sentences;

const ALICE: &str = "alice's password";

/// What alice is told when she changes her password.
fn told<D: Directory>(scene: &Scene<D>, old: &str, new: &str) -> String {
    let response = scene.client("alice").password_modify_with(None, Some(old), Some(new), &policy_control());
    if !response.result.diagnostic_message.is_empty() {
        assert_told(&response, Err(ConstraintViolation), INSUFFICIENT_QUALITY);
    }
    response.result.diagnostic_message
}

sentences! {
    /// NIST SP 800-63B-4 §3.1.1.2: "SHALL NOT impose other composition rules": without the attributes there are none.
    fn which_characters_a_password_has_is_nobodys_business(scene) {
        assert_eq!(told(scene, ALICE, "onlysmallletters"), "");
        assert_eq!(told(scene, "onlysmallletters", "onlysmalllettersabcdeeeee"), "");
    }

    /// Each rule has its sentence, and all that are broken are told at once.
    fn every_rule_about_characters_is_told(scene) {
        scene.policy(&[
            ("pwdMinClasses", "3"), ("pwdMaxRepeat", "2"), ("pwdMaxSequence", "3"), ("pwdMinDifferent", "6"),
        ]);
        assert_eq!(
            told(scene, ALICE, "alice's passwoooord wxyz"),
            "The new password needs characters of at least 3 of these four kinds: lower case, upper case, digits, \
             others. The new password may have the same character at most 2 times in a row. The new password may have \
             at most 3 characters that follow each other, as abc and 321 do."
        );
        assert_eq!(
            told(scene, ALICE, "Alice's Password2"),
            "The new password must differ from the old one in at least 6 characters."
        );
        assert_eq!(told(scene, ALICE, "Quite another 1"), "");
    }

    /// Own names, also backwards, palindromes and runs of one class are looked for where the policy says so.
    fn names_palindromes_and_runs_are_told(scene) {
        scene.policy(&[("pwdForbidNames", "contained"), ("pwdForbidPalindromes", "TRUE"), ("pwdMaxClassRun", "6")]);
        assert_eq!(
            told(scene, ALICE, "1 Alice, 2 ecilA, x"),
            "The new password must not contain the name \"alice\". The new password must not contain the name \"alice\" \
             backwards."
        );
        assert_eq!(told(scene, ALICE, "Not-A-Car-raC-A-toN"), "The new password must not be the same backwards.");
        assert_eq!(
            told(scene, ALICE, "17 bottles of rum"),
            "The new password may have at most 6 characters of the same kind in a row: lower case, upper case, digits, others."
        );
        scene.policy(&[("pwdForbidNames", "whole"), ("pwdMinLength", "5"), ("pwdQualityProfile", "none")]);
        assert_eq!(told(scene, ALICE, "eciLA"), "The new password must not contain the name \"alice\" backwards.");
        assert_eq!(told(scene, ALICE, "Alice says no"), "");
    }

    /// `pwdMinScore`: what would be guessed soon is refused with what to do, names of its owner come first, and what the server
    /// makes is good enough.
    fn what_would_be_guessed_soon_is_refused_where_the_policy_wants_a_score(scene) {
        let weak = "Summer2026!";
        scene.policy(&[("pwdMinScore", "3"), ("pwdQualityProfile", "none"), ("pwdMinLength", "8"), ("pwdMinAge", "0")]);
        scene.wait(1);
        assert_eq!(
            told(scene, ALICE, weak),
            "The new password would be guessed too soon: its score is 2 of 4, and 3 is needed. Add a few uncommon words, or \
             characters that do not follow from each other."
        );
        assert!(told(scene, ALICE, "alice@example.com").contains("guessed too soon"));
        let german = "dn: alice\nchangetype: modify\nreplace: preferredLanguage\npreferredLanguage: de\n-\n";
        assert_eq!(scene.root().change(german), Ok(()));
        assert!(told(scene, ALICE, weak).starts_with("Das neue Passwort wäre zu schnell erraten: Es hat 2 von 4 Punkten, und 3"));
        let recorded = scene.events();
        assert!(recorded.iter().any(|event| event.contains("guessable")), "{recorded:?}");
        assert!(!recorded.iter().any(|event| event.contains("Summer")), "{recorded:?}");
        scene.policy(&[("pwdMinScore", "4")]);
        let made = scene.client("alice").password_modify(None, Some(ALICE), None).unwrap().unwrap();
        assert_eq!(told(scene, &made, "correct horse battery staple"), "");
    }

    /// The old password is compared wherever it is given: in a modify, and in a change without a bind, too.
    fn a_password_that_is_nearly_the_old_one_is_refused_however_it_is_changed(scene) {
        scene.policy(&[("pwdMinDifferent", "3")]);
        let new = "alice's passwordX1";
        let modify = format!(
            "dn: alice\nchangetype: modify\ndelete: userPassword\nuserPassword: {ALICE}\n-\nadd: userPassword\n\
             userPassword: {new}\n-\n"
        );
        for response in [
            scene.client("alice").change_with(&modify, &policy_control()),
            scene.anonymous().password_modify_with(Some("alice"), Some(ALICE), Some(new), &policy_control()),
        ] {
            assert_told(&response, Err(ConstraintViolation), INSUFFICIENT_QUALITY);
            assert!(response.result.diagnostic_message.contains("at least 3 characters"));
        }
        // Whoever resets a password does not know the old one.
        assert_eq!(scene.client("hanna").password_modify(Some("alice"), None, Some(new)), Ok(None));
    }

    /// RFC 3062 §2.2: a password that the server makes is one that it would take.
    fn a_password_that_is_made_keeps_the_rules(scene) {
        scene.policy(&[
            ("pwdMinClasses", "4"), ("pwdMaxRepeat", "1"), ("pwdMaxSequence", "2"), ("pwdMinDifferent", "10"),
            ("pwdInHistory", "0"),
        ]);
        let mut old = ALICE.to_owned();
        for profile in ["nist", "entra", "none"] {
            scene.policy(&[("pwdQualityProfile", profile)]);
            for _ in 0..20 {
                let made = scene.client("alice").password_modify(None, Some(&old), None).unwrap().unwrap();
                assert!(made.chars().zip(made.chars().skip(1)).all(|(one, next)| one != next), "{made}");
                old = made;
            }
        }
    }
}
