//! Profiles of quality: `pwdQualityProfile: entra` is what Microsoft publishes of Entra Password Protection ("How are
//! passwords evaluated"), and `pwdForbiddenWord` its custom banned list.

use keystead::directory::ResultCode::ConstraintViolation;
use keystead::directory::tree::Directory;

use crate::scene::Scene;
use crate::sentences;

/// What the helpdesk is told when it gives alice a password.
fn told<D: Directory>(scene: &Scene<D>, new: &str) -> String {
    scene.client("hanna").password_modify_with(Some("alice"), None, Some(new), &[]).result.diagnostic_message
}

/// Adds words to the policy by an ordinary modify.
fn forbid<D: Directory>(scene: &Scene<D>, words: &[&str]) {
    let lines = words.iter().map(|word| format!("pwdForbiddenWord: {word}\n")).collect::<Vec<_>>().concat();
    let add = format!("dn: cn=default,ou=policies\nchangetype: modify\nadd: pwdForbiddenWord\n{lines}-\n");
    assert_eq!(scene.root().change(&add), Ok(()));
}

sentences! {
    /// "Each banned password that's found in a user's password is given one point. Each remaining character ... is given
    /// one point. A password must be at least five (5) points to be accepted."
    fn with_the_profile_entra_a_password_needs_five_points(scene) {
        scene.policy(&[("pwdQualityProfile", "entra"), ("pwdMinLength", "8"), ("pwdInHistory", "0")]);
        forbid(scene, &["contoso", "blank"]);
        assert!(told(scene, "C0ntos0Blank12").contains("it has 4 points of the 5 that it needs"));
        assert_eq!(told(scene, "ContoS0Bl@nkf9!"), "");
    }

    /// "Fuzzy matching ... based on an edit distance of one"; "substring matching ... to check for the user's first and
    /// last name as well as the tenant name", which here is the name of the suffix.
    fn with_the_profile_entra_banned_words_and_names_are_refused(scene) {
        scene.policy(&[("pwdQualityProfile", "entra"), ("pwdMinLength", "5")]);
        forbid(scene, &["abcdef"]);
        for variant in ["abcdeg", "abcdefg", "abcde", "@BCDEF"] {
            assert!(told(scene, variant).contains("little more than the word \"abcdef\""), "{variant}");
        }
        assert!(told(scene, "xx-@d@ms-4711").contains("must not contain the name \"Adams\""));
        assert!(told(scene, "my-Ex@mple-4711").contains("must not contain the name \"example\""));
        scene.policy(&[("pwdQualityProfile", "nist")]);
        assert_eq!(told(scene, "xx-@d@ms-4711"), "");
    }

    /// "Changes to the custom banned password list" take hours there, and none here: the next password is judged by it.
    fn a_forbidden_word_is_in_force_as_soon_as_it_is_written(scene) {
        scene.policy(&[("pwdMinLength", "8"), ("pwdInHistory", "0"), ("pwdSafeModify", "FALSE")]);
        let set = || scene.client("hanna").password_modify(Some("alice"), None, Some("Fabrikam2026"));
        assert_eq!(set(), Ok(None));
        forbid(scene, &["fabrikam"]);
        // Sooner it would be the same reset once more.
        scene.wait(60);
        assert_eq!(set(), Err(ConstraintViolation));
        scene.policy(&[("pwdForbiddenWord", "")]);
        assert_eq!(set(), Ok(None));
    }
}
