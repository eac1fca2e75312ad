//! In which language people are told what is wrong with a new password: `preferredLanguage` (RFC 2798 §2.7).

use keystead::directory::ResultCode::{InsufficientAccessRights, InvalidCredentials};
use keystead::directory::tree::Directory;
use keystead::protocol::Response;

use crate::scene::answer::CHANGE_AFTER_RESET;
use crate::scene::{Scene, assert_told, policy_control};
use crate::sentences;

const ALICE: &str = "alice's password";

fn speaks<D: Directory>(scene: &Scene<D>, name: &str, languages: &str) {
    let lines = format!("replace: preferredLanguage\npreferredLanguage: {languages}\n");
    scene.root().change(&format!("dn: {name}\nchangetype: modify\n{lines}-\n")).unwrap();
}

fn said(response: &Response) -> &str {
    &response.result.diagnostic_message
}

sentences! {
    /// §2.7: "used to indicate an individual's preferred written or spoken language"; all that is wrong is told at once,
    /// in the language of the person.
    fn whoever_prefers_german_is_told_in_german(scene) {
        speaks(scene, "alice", "de-CH, en;q=0.5");
        let told = scene.client("alice").password_modify_with(None, Some(ALICE), Some("alice1"), &[]);
        assert_eq!(
            said(&told),
            "Das neue Passwort braucht mindestens 12 Zeichen. Das neue Passwort ist kaum mehr als der Name „alice“."
        );
        let by_modify = "dn: alice\nchangetype: modify\nreplace: userPassword\nuserPassword: a good new password\n-\n";
        let told = scene.client("alice").change_with(by_modify, &[]);
        assert_eq!(said(&told), "Um das Passwort zu ändern, muss das jetzige angegeben werden.");
    }

    /// Not only what is wrong with a password: also that the old one is wrong, that one's own comes first, and that somebody else's
    /// is not theirs to set. The code and the control stay what they are.
    fn whoever_prefers_german_is_refused_in_german(scene) {
        speaks(scene, "alice", "de-CH");
        let wrong = scene.client("alice").password_modify_with(None, Some("wrong"), Some("a much better secret"), &[]);
        assert_eq!(wrong.result.code, InvalidCredentials);
        assert_eq!(said(&wrong), "Der Name oder das Passwort ist falsch, oder das Konto kann gerade nicht benutzt werden.");
        let of_bob = scene.client("alice").password_modify_with(Some("bob"), None, Some("a much better secret"), &[]);
        assert_eq!(of_bob.result.code, InsufficientAccessRights);
        assert_eq!(said(&of_bob), "Das Passwort dieses Kontos zu setzen ist hier nicht erlaubt.");
        let reset = scene.client("hanna").password_modify(Some("alice"), None, Some("given by the helpdesk"));
        assert_eq!(reset, Ok(None));
        let client = scene.anonymous();
        assert_eq!(client.bind("alice", "given by the helpdesk"), Ok(()));
        let change = "dn: alice\nchangetype: modify\nreplace: title\ntitle: chief\n-\n";
        let first = client.change_with(change, &policy_control());
        assert_told(&first, Err(InsufficientAccessRights), CHANGE_AFTER_RESET);
        assert_eq!(said(&first), "Zuerst muss das eigene Passwort geändert werden.");
    }

    /// §2.7: the values are as in Accept-Language, "de;q=0.3" and all.
    fn of_several_languages_the_one_with_the_greatest_weight_is_spoken(scene) {
        speaks(scene, "alice", "fr, de;q=0.3, en;q=0.8");
        let told = scene.client("alice").password_modify_with(None, Some(ALICE), Some("short"), &[]);
        assert_eq!(said(&told), "The new password needs at least 12 characters.");
    }

    /// How long somebody must wait is told as people count it.
    fn how_long_to_wait_is_told_in_words(scene) {
        scene.policy(&[("pwdMinAge", "86400")]);
        scene.wait(3600);
        let told = || scene.client("alice").password_modify_with(None, Some(ALICE), Some("a much better secret"), &[]);
        assert_eq!(said(&told()), "The password was changed too recently; it can be changed again in 23 hours.");
        speaks(scene, "alice", "de");
        scene.wait(20 * 3600 - 60);
        let german = "Das Passwort wurde erst vor Kurzem geändert; es kann in 4 Stunden wieder geändert werden.";
        assert_eq!(said(&told()), german);
    }

    /// Who reads the message decides, and not whose password it is.
    fn a_helpdesk_is_told_in_its_own_language(scene) {
        speaks(scene, "alice", "de");
        let reset = |who: &str| {
            scene.client(who).password_modify_with(Some("alice"), None, Some("short"), &[])
        };
        assert_eq!(said(&reset("hanna")), "The new password needs at least 12 characters.");
        speaks(scene, "hanna", "de");
        assert_eq!(said(&reset("hanna")), "Das neue Passwort braucht mindestens 12 Zeichen.");
        let add = "dn: carla\nobjectClass: inetOrgPerson\ncn: x\nsn: y\npreferredLanguage: de\nuserPassword: short\n";
        assert_eq!(said(&scene.root().change_with(add, &[])), "The new password needs at least 12 characters.");
    }

    /// Whoever changes an expired password without a bind has proven who they are by the old one.
    fn a_change_without_a_bind_is_answered_in_the_language_of_the_owner(scene) {
        speaks(scene, "alice", "de");
        let change = |old: &str| scene.anonymous().password_modify_with(Some("alice"), Some(old), Some("short"), &[]);
        assert_eq!(said(&change(ALICE)), "Das neue Passwort braucht mindestens 12 Zeichen.");
        // Before that, nothing is told of the account, and neither is its language.
        assert!(said(&change("wrong")).starts_with("the name or the password is wrong"));
    }
}
