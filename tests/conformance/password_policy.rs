//! What a password policy says of new passwords (draft-behera-ldap-password-policy-10 §5.2, §8.2): by whichever operation
//! they are set, with the octets of the control (§6.2).

use keystead::directory::ResultCode::{
    AttributeOrValueExists, ConstraintViolation, InsufficientAccessRights, InvalidCredentials, NoSuchAttribute,
    UnwillingToPerform,
};
use keystead::directory::tree::Directory;
use keystead::operations::context::AddedPassword;
use keystead::operations::policies::unheeded;
use keystead::protocol::Response;

use crate::scene::answer::{
    IN_HISTORY, INSUFFICIENT_QUALITY, MODIFICATION_NOT_ALLOWED, MUST_SUPPLY_OLD, NOTHING, TOO_LONG, TOO_SHORT,
    TOO_YOUNG,
};
use crate::scene::{Client, SUFFIX, Scene, assert_told, policy_control};
use crate::sentences;

const ALICE: &str = "alice's password";
const NEW: &str = "a much better secret";

/// Changes a password by the extended operation; the old one is given.
fn change<D: Directory>(client: &Client<'_, D>, old: &str, new: &str) -> Response {
    client.password_modify_with(None, Some(old), Some(new), &policy_control())
}

/// Changes a password of alice by a modify, as draft-behera §8.2.1 has it.
fn modify<D: Directory>(client: &Client<'_, D>, lines: &str) -> Response {
    client.change_with(&format!("dn: alice\nchangetype: modify\n{lines}-\n"), &policy_control())
}

/// The lines of a modify that gives the old password.
fn from_to(old: &str, new: &str) -> String {
    format!("delete: userPassword\nuserPassword: {old}\n-\nadd: userPassword\nuserPassword: {new}\n")
}

/// Adds somebody with a password.
fn add<D: Directory>(client: &Client<'_, D>, name: &str, lines: &str) -> Response {
    client.change_with(&format!("dn: {name}\nobjectClass: inetOrgPerson\ncn: x\nsn: y\n{lines}"), &policy_control())
}

/// Every way to set a password of alice to something that is not good enough; each of them is told the same.
fn assert_refused_everywhere<D: Directory>(scene: &Scene<D>, new: &str, control: &[u8], words: &str) {
    let (alice, hanna) = (scene.client("alice"), scene.client("hanna"));
    let responses = [
        change(&alice, ALICE, new),
        hanna.password_modify_with(Some("alice"), None, Some(new), &policy_control()),
        modify(&alice, &from_to(ALICE, new)),
        modify(&hanna, &format!("replace: userPassword\nuserPassword: {new}\n")),
        add(&scene.client("cn=admin"), "carla", &format!("userPassword: {new}\n")),
    ];
    for response in &responses {
        assert_told(response, Err(ConstraintViolation), control);
        assert!(response.result.diagnostic_message.contains(words), "{}", response.result.diagnostic_message);
    }
    assert_eq!(scene.anonymous().bind("alice", ALICE), Ok(()), "{new}");
    assert_eq!(scene.root().find("(uid=carla)"), [""; 0]);
}

sentences! {
    /// Profile nist: what is blank is a pattern, and what is unpredictable passes whatever stands beside it, with up to 1024
    /// characters of any script.
    fn blanks_are_refused_and_what_is_unpredictable_passes(scene) {
        for blank in ["               ", "x              ", "              x"] {
            let words = "little more than a repetition or a row of keys";
            let refused = change(&scene.client("alice"), ALICE, blank);
            assert_told(&refused, Err(ConstraintViolation), INSUFFICIENT_QUALITY);
            assert!(refused.result.diagnostic_message.contains(words), "{}", refused.result.diagnostic_message);
        }
        scene.policy(&[("pwdInHistory", "0"), ("pwdMinAge", "0")]);
        let long: String = "üxäö4k".chars().cycle().take(1024).collect();
        let mut old = ALICE.to_owned();
        for new in ["x83920174659283710465", "abcd83920174659283710465", "4#9!7@2$-Wk7-8%3&1*5(6)", &long] {
            assert_told(&change(&scene.client("alice"), &old, new), Ok(()), NOTHING);
            assert_eq!(scene.anonymous().bind("alice", new), Ok(()));
            new.clone_into(&mut old);
        }
        let told = change(&scene.client("alice"), &old, &format!("{long}x"));
        assert_told(&told, Err(ConstraintViolation), TOO_LONG);
        assert!(told.result.diagnostic_message.contains("at most 1024 characters"), "{}", told.result.diagnostic_message);
    }

    /// §5.2.6 and §5.2.7: pwdMinLength and pwdMaxLength; a character is a code point (NIST SP 800-63B-4 §3.1.1.2).
    fn a_password_has_as_many_characters_as_the_policy_says(scene) {
        scene.policy(&[("pwdMinLength", "8"), ("pwdMaxLength", "10"), ("pwdInHistory", "0")]);
        for short in ["q7\u{1f511}\u{e4}x", "1234567", "ää öü é"] {
            assert_refused_everywhere(scene, short, TOO_SHORT, "needs at least 8 characters");
        }
        for long in ["elevenchars", "hut7 ängstlich"] {
            assert_refused_everywhere(scene, long, TOO_LONG, "may have at most 10 characters");
        }
        let mut old = ALICE;
        for fits in ["q7wt3zu8", "q7\u{1f511}\u{e4}x\u{df}\u{f1}w", "ängstlich7"] {
            assert_told(&change(&scene.client("alice"), old, fits), Ok(()), NOTHING);
            old = fits;
        }
    }

    /// §5.2.5: pwdCheckQuality 1 and 2 check what they can, 0 nothing, not even the length. A hash, which cannot be
    /// checked, is taken at neither level but from those who may import hashes (decision 15).
    fn quality_is_checked_as_far_as_the_policy_says(scene) {
        let hash = "{SSHA}3YiUkwqoN3EZnBJtdNpqjmSCmMdmYW5k";
        assert_refused_everywhere(scene, "short", TOO_SHORT, "at least 12 characters");
        for level in ["2", "1"] {
            scene.policy(&[("pwdCheckQuality", level)]);
            assert_refused_everywhere_but_by_importers(scene, hash);
        }
        scene.policy(&[("pwdCheckQuality", "0"), ("pwdInHistory", "0")]);
        assert_told(&change(&scene.client("alice"), ALICE, "x"), Ok(()), NOTHING);
        assert_told(&change(&scene.client("alice"), "x", "password"), Ok(()), NOTHING);
    }

    /// Whoever may import hashes is told of one that no password matches, in all likelihood by mistake; what other servers write
    /// where there shall be no password is taken.
    fn a_hash_that_no_password_matches_is_refused_unless_that_is_meant(scene) {
        for hash in ["{SSHA}abc", "{SASL}alice@example.com", "{CRYPT}x", "{CRYPT}$6$"] {
            let response = modify(&scene.root(), &format!("replace: userPassword\nuserPassword: {hash}\n"));
            assert_told(&response, Err(ConstraintViolation), INSUFFICIENT_QUALITY);
            assert!(response.result.diagnostic_message.starts_with("No password matches this hash"), "{hash}");
            assert_eq!(scene.anonymous().bind("alice", ALICE), Ok(()));
        }
        for hash in ["{CRYPT}!", "{CRYPT}*"] {
            assert_told(&modify(&scene.root(), &format!("replace: userPassword\nuserPassword: {hash}\n")), Ok(()), NOTHING);
            assert_eq!(scene.root().values("alice", "pwdScheme"), ["unusable"]);
            assert_eq!(scene.anonymous().bind("alice", ALICE), Err(InvalidCredentials));
        }
    }

    /// §8.2.5 and NIST SP 800-63B-4 §3.1.1.2: passwords that are easy to guess; the reason is told.
    fn a_password_that_is_easy_to_guess_is_refused(scene) {
        scene.policy(&[("pwdMinLength", "8"), ("pwdForbiddenWord", "Contoso")]);
        for (new, words) in [
            ("Password123!", "among those that everybody tries first"),
            ("passwordpassword", "among those that everybody tries first"),
            ("aaaaaaaaaaaaaa", "a repetition or a row of keys"),
            ("qwertyuiopasdf", "a repetition or a row of keys"),
            ("CONTOSO2026!!", "the word \"Contoso\""),
        ] {
            assert_refused_everywhere(scene, new, INSUFFICIENT_QUALITY, words);
        }
        for name in ["Alice-123456", "ALICE ADAMS", "adams!!!2026"] {
            let refused = change(&scene.client("alice"), ALICE, name);
            assert_told(&refused, Err(ConstraintViolation), INSUFFICIENT_QUALITY);
            assert!(refused.result.diagnostic_message.contains("the name"), "{name}");
        }
        scene.policy(&[("pwdQualityProfile", "none"), ("pwdInHistory", "0")]);
        assert_told(&change(&scene.client("alice"), ALICE, "Password123!"), Ok(()), NOTHING);
    }

    /// Decision 8: every rule that a password breaks is told; the control has room for the first.
    fn all_that_is_wrong_is_told_at_once(scene) {
        let refused = change(&scene.client("alice"), ALICE, "alice1");
        assert_told(&refused, Err(ConstraintViolation), TOO_SHORT);
        assert_eq!(
            refused.result.diagnostic_message,
            "The new password needs at least 12 characters. The new password is little more than the name \"alice\"."
        );
    }

    /// §5.2.4 and §8.2.6: pwdInHistory: "the maximum number of used passwords stored in the pwdHistory attribute"; decision
    /// 11: also at a reset, since the hashes are there.
    fn used_passwords_are_refused_as_long_as_they_are_remembered(scene) {
        scene.policy(&[("pwdInHistory", "2")]);
        let alice = scene.client("alice");
        let used = [ALICE, "second good one", "third good one!", "fourth good one"];
        for (old, new) in used.iter().zip(used.iter().skip(1)) {
            assert_told(&change(&alice, old, old), Err(ConstraintViolation), IN_HISTORY);
            assert_told(&change(&alice, old, new), Ok(()), NOTHING);
        }
        let now = "fourth good one";
        for refused in [now, "third good one!", "second good one"] {
            assert_told(&change(&alice, now, refused), Err(ConstraintViolation), IN_HISTORY);
            assert_told(&modify(&alice, &from_to(now, refused)), Err(ConstraintViolation), IN_HISTORY);
            let reset = scene.client("hanna").password_modify_with(Some("alice"), None, Some(refused), &policy_control());
            assert_told(&reset, Err(ConstraintViolation), IN_HISTORY);
        }
        scene.restart();
        assert_told(&change(&alice, now, "third good one!"), Err(ConstraintViolation), IN_HISTORY);
        assert_told(&change(&alice, now, ALICE), Ok(()), NOTHING);
        scene.policy(&[("pwdInHistory", "0")]);
        assert_told(&change(&alice, ALICE, ALICE), Ok(()), NOTHING);
        assert_told(&change(&alice, ALICE, now), Ok(()), NOTHING);
    }

    /// §5.2.2 and §7.8: pwdMinAge: "the number of seconds that must elapse between modifications to the password"; not for
    /// whoever must change it, nor for those who reset it.
    fn a_password_is_kept_as_long_as_the_policy_says(scene) {
        scene.policy(&[("pwdMinAge", "86400")]);
        let alice = scene.client("alice");
        scene.wait(86_399);
        let young = change(&alice, ALICE, NEW);
        assert_told(&young, Err(ConstraintViolation), TOO_YOUNG);
        assert!(young.result.diagnostic_message.contains("it can be changed again in 1 second."), "{young:?}");
        assert_told(&modify(&alice, &from_to(ALICE, NEW)), Err(ConstraintViolation), TOO_YOUNG);
        scene.wait(1);
        assert_told(&change(&alice, ALICE, NEW), Ok(()), NOTHING);
        assert_told(&change(&alice, NEW, "another good one"), Err(ConstraintViolation), TOO_YOUNG);
        let reset = scene.client("hanna").password_modify_with(Some("alice"), None, Some("a reset one"), &policy_control());
        assert_told(&reset, Err(ConstraintViolation), TOO_SHORT);
        scene.client("hanna").password_modify(Some("alice"), None, Some("a temporary one")).unwrap();
        assert_told(&change(&alice, "a temporary one", "another good one"), Ok(()), NOTHING);
    }

    /// §5.2.16 and §8.2.3: pwdAllowUserChange FALSE: "users are not allowed to change their own passwords"; the answer comes
    /// before the old one is looked at.
    fn owners_change_their_passwords_unless_the_policy_says_no(scene) {
        scene.policy(&[("pwdMustChange", "FALSE"), ("pwdAllowUserChange", "FALSE")]);
        let alice = scene.client("alice");
        for old in [ALICE, "wrong", "wronger", "the wrongest", ALICE] {
            assert_told(&change(&alice, old, NEW), Err(InsufficientAccessRights), MODIFICATION_NOT_ALLOWED);
        }
        let by_modify = modify(&alice, &from_to(ALICE, NEW));
        assert_told(&by_modify, Err(InsufficientAccessRights), MODIFICATION_NOT_ALLOWED);
        assert_eq!(scene.root().values("alice", "pwdFailureTime"), [""; 0]);
        assert_eq!(scene.client("hanna").password_modify(Some("alice"), None, Some(NEW)), Ok(None));
    }

    /// §8.2.1: "pwdSafeModify ... requires that the existing password be sent along with the new one": by a modify, as a
    /// delete with the old value followed by an add.
    fn a_modify_gives_the_old_password_by_deleting_it(scene) {
        let alice = scene.client("alice");
        for without in [
            format!("replace: userPassword\nuserPassword: {NEW}\n"),
            format!("delete: userPassword\n-\nadd: userPassword\nuserPassword: {NEW}\n"),
        ] {
            assert_told(&modify(&alice, &without), Err(InsufficientAccessRights), MUST_SUPPLY_OLD);
        }
        assert_told(&modify(&alice, &from_to("wrong", NEW)), Err(InvalidCredentials), NOTHING);
        assert_eq!(scene.root().values("alice", "pwdFailureTime").len(), 1);
        assert_told(&modify(&alice, &from_to(ALICE, NEW)), Ok(()), NOTHING);
        let replace = format!("delete: userPassword\nuserPassword: {NEW}\n-\nreplace: userPassword\nuserPassword: good enough!\n");
        assert_told(&modify(&alice, &replace), Ok(()), NOTHING);
        scene.policy(&[("pwdSafeModify", "FALSE")]);
        assert_told(&modify(&alice, "replace: userPassword\nuserPassword: without the old one\n"), Ok(()), NOTHING);
        assert_eq!(scene.anonymous().bind("alice", "without the old one"), Ok(()));
    }

    /// Where the configuration says so, a password that is added replaces the one that there is, by the same rights and rules: for
    /// browsers that see none.
    fn a_password_that_is_added_may_replace_the_one_that_there_is(scene) {
        scene.configure(|services| services.added_password = AddedPassword::Replaces);
        let add_one = |new: &str| format!("add: userPassword\nuserPassword: {new}\n");
        assert_told(&modify(&scene.client("bob"), &add_one(NEW)), Err(InsufficientAccessRights), NOTHING);
        assert_told(&modify(&scene.client("alice"), &add_one(NEW)), Err(InsufficientAccessRights), MUST_SUPPLY_OLD);
        let hanna = scene.client("hanna");
        assert_told(&modify(&hanna, &add_one("short")), Err(ConstraintViolation), TOO_SHORT);
        let two = format!("{}userPassword: another one\n", add_one(NEW));
        assert_told(&modify(&hanna, &two), Err(UnwillingToPerform), NOTHING);
        scene.wait(60);
        assert_told(&modify(&hanna, &add_one(NEW)), Ok(()), NOTHING);
        assert_eq!(scene.anonymous().bind("alice", ALICE), Err(InvalidCredentials));
        assert_eq!(scene.anonymous().bind("alice", NEW), Ok(()));
        assert_eq!(scene.root().values("alice", "pwdReset"), ["TRUE"]);
        assert!(scene.events().contains(&"reset done of alice by hanna, modify".to_owned()));
    }

    /// §8: "contains one and only one password value" (decision 14).
    fn an_entry_has_one_password(scene) {
        let root = scene.root();
        let add_one = format!("add: userPassword\nuserPassword: {NEW}\n");
        let second = modify(&root, &add_one);
        assert_told(&second, Err(AttributeOrValueExists), NOTHING);
        let told = "the attribute userPassword has a value already and can have only one: replace it";
        assert_eq!(second.result.diagnostic_message, told);
        let two = format!("replace: userPassword\nuserPassword: {NEW}\nuserPassword: another one\n");
        assert_told(&modify(&root, &two), Err(UnwillingToPerform), NOTHING);
        assert_told(&modify(&scene.client("alice"), "delete: userPassword\n"), Err(UnwillingToPerform), NOTHING);
        let both = format!("userPassword: {NEW}\nuserPassword: another one\n");
        assert_told(&add(&root, "carla", &both), Err(ConstraintViolation), NOTHING);
        assert_told(&modify(&root, "delete: userPassword\n"), Ok(()), NOTHING);
        assert_eq!(scene.anonymous().bind("alice", ALICE), Err(InvalidCredentials));
        assert_eq!(root.values("alice", "pwdChangedTime"), [""; 0]);
        assert_told(&modify(&root, &add_one), Ok(()), NOTHING);
        assert_eq!(scene.anonymous().bind("alice", NEW), Ok(()));
    }

    /// §6.1: without the request control, no answer carries the response control.
    fn the_control_comes_only_if_it_was_asked_for(scene) {
        let alice = scene.client("alice");
        assert_told(&alice.password_modify_with(None, Some(ALICE), Some("x"), &[]), Err(ConstraintViolation), NOTHING);
        let lines = from_to(ALICE, "x");
        let modified = alice.change_with(&format!("dn: alice\nchangetype: modify\n{lines}-\n"), &[]);
        assert_told(&modified, Err(ConstraintViolation), NOTHING);
    }

    /// §4: pwdPolicySubentry names the policy that governs an entry; without it, the default does.
    fn an_entry_may_name_its_policy(scene) {
        let policy = "dn: cn=strict,ou=policies\nobjectClass: namedPolicy\nobjectClass: pwdPolicy\ncn: strict\n\
                      pwdAttribute: userPassword\npwdCheckQuality: 2\npwdMinLength: 30\n";
        scene.root().change(policy).unwrap();
        let name = |policy: &str| format!("pwdPolicySubentry: cn={policy},ou=policies,dc=example,dc=com\n");
        let follow = |policy: &str| modify(&scene.root(), &format!("replace: pwdPolicySubentry\n{}", name(policy)));
        assert_told(&follow("strict"), Ok(()), NOTHING);
        assert_told(&change(&scene.client("alice"), ALICE, NEW), Err(ConstraintViolation), TOO_SHORT);
        assert_told(&modify(&scene.root(), "delete: pwdPolicySubentry\n"), Ok(()), NOTHING);
        assert_told(&change(&scene.client("alice"), ALICE, "short"), Err(ConstraintViolation), TOO_SHORT);
        assert_told(&change(&scene.client("alice"), ALICE, NEW), Ok(()), NOTHING);
        let carla = |lines: &str| add(&scene.client("cn=admin"), "carla", lines);
        let strict = format!("userPassword: {NEW}\n{}", name("strict"));
        assert_told(&carla(&strict), Err(ConstraintViolation), TOO_SHORT);
    }

    /// What is named as a policy must be one, so that nobody believes to be governed by what does not exist.
    fn what_an_entry_names_as_its_policy_must_be_one(scene) {
        let root = scene.root();
        for name in ["cn=nosuch,ou=policies,dc=example,dc=com", "ou=people,dc=example,dc=com", "cn=x,dc=elsewhere"] {
            let told = format!("pwdPolicySubentry: \"{name}\" is no password policy: name an entry that has the object class pwdPolicy");
            for refused in [
                modify(&root, &format!("replace: pwdPolicySubentry\npwdPolicySubentry: {name}\n")),
                add(&root, "carla", &format!("pwdPolicySubentry: {name}\n")),
            ] {
                assert_told(&refused, Err(ConstraintViolation), NOTHING);
                assert_eq!(refused.result.diagnostic_message, told);
            }
            let add_here = format!("dn: uid=dora,ou=people\nobjectClass: inetOrgPerson\ncn: x\nsn: y\npwdPolicySubentry: {name}\n");
            assert_eq!(scene.client("bob").change(&add_here), Err(InsufficientAccessRights), "rights come first");
        }
    }

    /// Where an entry names what is a policy no more, it is governed as if it named none, and that is told.
    fn an_entry_that_names_what_is_no_policy_is_governed_by_the_default(scene) {
        let policy = "dn: cn=strict,ou=policies\nobjectClass: namedPolicy\nobjectClass: pwdPolicy\ncn: strict\n\
                      pwdAttribute: userPassword\npwdCheckQuality: 2\npwdMinLength: 30\n";
        scene.root().change(policy).unwrap();
        let name = format!("cn=strict,ou=policies,{SUFFIX}");
        let named = modify(&scene.root(), &format!("add: pwdPolicySubentry\npwdPolicySubentry: {name}\n"));
        assert_told(&named, Ok(()), NOTHING);
        assert_told(&change(&scene.client("alice"), ALICE, NEW), Err(ConstraintViolation), TOO_SHORT);
        assert_eq!(unheeded(&scene.directory.view()).unwrap(), [""; 0]);
        let lines = ["pwdAttribute", "pwdCheckQuality", "pwdMinLength"].map(|it| format!("replace: {it}\n-\n")).concat();
        let no_more = format!("dn: cn=strict,ou=policies\nchangetype: modify\n{lines}delete: objectClass\nobjectClass: pwdPolicy\n-\n");
        assert_eq!(scene.root().change(&no_more), Ok(()));
        let told = format!("pwdPolicySubentry of \"uid=alice,ou=people,{SUFFIX}\" is not heeded: \"{name}\" is no password policy");
        assert_eq!(unheeded(&scene.directory.view()).unwrap(), [told]);
        assert_told(&change(&scene.client("alice"), ALICE, "short"), Err(ConstraintViolation), TOO_SHORT);
        assert_told(&change(&scene.client("alice"), ALICE, NEW), Ok(()), NOTHING);
        // Other changes of the entry are not held up by it.
        assert_told(&modify(&scene.root(), "replace: title\ntitle: chief\n"), Ok(()), NOTHING);
    }

    /// An account whose end comes before its beginning could never be used.
    fn the_time_of_an_account_ends_after_it_begins(scene) {
        let told = "pwdEndTime: it is before pwdStartTime, so the account could never be used";
        let times = |start: &str, end: &str| format!("pwdStartTime: {start}0101000000Z\npwdEndTime: {end}0101000000Z\n");
        let refused = add(&scene.root(), "carla", &times("2031", "2030"));
        assert_told(&refused, Err(ConstraintViolation), NOTHING);
        assert!(refused.result.diagnostic_message.starts_with(told), "{}", refused.result.diagnostic_message);
        assert_told(&add(&scene.root(), "carla", &times("2030", "2031")), Ok(()), NOTHING);
        assert_told(&modify(&scene.root(), "replace: pwdStartTime\npwdStartTime: 20300101000000Z\n"), Ok(()), NOTHING);
        let end = "replace: pwdEndTime\npwdEndTime: 20291231235959Z\n";
        assert_told(&modify(&scene.root(), end), Err(ConstraintViolation), NOTHING);
        let both = format!("{end}-\nreplace: pwdStartTime\n");
        assert_told(&modify(&scene.root(), &both), Ok(()), NOTHING);
    }

    /// RFC 4512 §2.5.2: what is described with options is another attribute, and a password has none: `delete:
    /// userPassword;lang-de` deletes nothing, and what is written so is no password.
    fn a_password_and_its_state_have_no_options(scene) {
        let root = scene.root();
        let told = "a password and its state have no options: name the attribute without what stands behind the semicolon";
        for lines in ["delete: userPassword;lang-de\n", "delete: pwdReset;lang-de\n", "delete: pwdAccountLockedTime;x-a\n"] {
            assert_told(&modify(&root, lines), Err(NoSuchAttribute), NOTHING);
            assert_told(&modify(&scene.client("bob"), lines), Err(InsufficientAccessRights), NOTHING);
        }
        for attribute in ["add: userPassword;lang-de\nuserPassword;lang-de", "replace: userPassword;lang-de\nuserPassword;lang-de"] {
            let refused = modify(&root, &format!("{attribute}: {NEW}\n"));
            assert_told(&refused, Err(UnwillingToPerform), NOTHING);
            assert_eq!(refused.result.diagnostic_message, told);
        }
        let both = format!("userPassword: {NEW}\nuserPassword;lang-de: another good one\n");
        for lines in [both, format!("userPassword;lang-de: {NEW}\n")] {
            let refused = add(&root, "carla", &lines);
            assert_told(&refused, Err(UnwillingToPerform), NOTHING);
            assert_eq!(refused.result.diagnostic_message, told);
        }
        assert_eq!(scene.anonymous().bind("alice", ALICE), Ok(()));
    }

    /// §5.2: what policies say holds from the moment that they are changed; where there is none, nothing is checked.
    fn a_changed_policy_holds_at_once(scene) {
        let alice = scene.client("alice");
        scene.policy(&[("pwdMinLength", "40")]);
        assert_told(&change(&alice, ALICE, NEW), Err(ConstraintViolation), TOO_SHORT);
        scene.policy(&[("pwdMinLength", "")]);
        assert_told(&change(&alice, ALICE, "q7wt"), Ok(()), NOTHING);
        scene.root().change("dn: cn=default,ou=policies\nchangetype: delete\n").unwrap();
        assert_told(&change(&alice, "q7wt", "x"), Ok(()), NOTHING);
    }

    /// §5.2: a policy that nobody can have meant is refused where it is written, with the reason.
    fn a_policy_that_makes_no_sense_is_refused(scene) {
        for (lines, words) in [
            ("replace: pwdMaxLength\npwdMaxLength: 11\n", "pwdMinLength: 12 is more than pwdMaxLength, 11"),
            ("replace: pwdMinLength\n-\nreplace: pwdMaxLength\npwdMaxLength: 7\n", "pwdMaxLength: 7 is too short"),
            ("replace: pwdMinAge\npwdMinAge: 5\n-\nreplace: pwdMaxAge\npwdMaxAge: 5\n", "must be less than pwdMaxAge"),
            ("replace: pwdMustChange\npwdMustChange: TRUE\n-\nreplace: pwdAllowUserChange\npwdAllowUserChange: FALSE\n", "could not"),
            ("replace: pwdInHistory\npwdInHistory: -1\n", "must be a whole number from 0 to 4294967295"),
            ("replace: pwdCheckQuality\npwdCheckQuality: 3\n", "must be one of 0, 1, 2"),
            ("replace: pwdAttribute\npwdAttribute: cn\n", "\"cn\" must be userPassword"),
            ("add: pwdMinDelay\npwdMinDelay: 9\n-\nadd: pwdMaxDelay\npwdMaxDelay: 1\n", "not be more than pwdMaxDelay"),
        ] {
            let record = format!("dn: cn=default,ou=policies\nchangetype: modify\n{lines}-\n");
            let result = scene.root().change_with(&record, &[]).result;
            assert_eq!(result.code, ConstraintViolation, "{lines}");
            assert!(result.diagnostic_message.contains(words), "{lines}{}", result.diagnostic_message);
        }
    }

    /// Decision "An add by an administrator does not set pwdReset"; §5.3.2: pwdChangedTime is when the password was set.
    fn a_new_entry_has_a_password_that_needs_not_be_changed(scene) {
        scene.wait(5);
        let added = add(&scene.client("cn=admin"), "carla", &format!("userPassword: {NEW}\n"));
        assert_told(&added, Ok(()), NOTHING);
        let bound = scene.anonymous().bind_with("carla", NEW, &policy_control());
        assert_told(&bound, Ok(()), NOTHING);
        let carla = scene.root().read("carla", &["+"]).unwrap();
        assert_eq!((carla.texts("pwdChangedTime"), carla.texts("pwdReset")), (vec!["20260601120005Z".into()], vec![]));
        assert_eq!(carla.texts("pwdScheme"), ["argon2id"]);
    }

    /// A policy of OpenLDAP is taken as it is; but whoever relies on a module that judges passwords is told that none does.
    fn modules_of_another_server_are_not_relied_on(scene) {
        let policy = "dn: cn=theirs,ou=policies\nchangetype: add\nobjectClass: organizationalRole\nobjectClass: pwdPolicy\n\
             objectClass: pwdPolicyChecker\ncn: theirs\npwdAttribute: userPassword\npwdCheckQuality: 1\npwdMinLength: 8\n";
        let told = || unheeded(&scene.directory.view()).unwrap();
        assert_eq!(scene.root().change(&format!("{policy}pwdUseCheckModule: FALSE\n")), Ok(()));
        assert_eq!(told(), [""; 0]);
        for (attribute, value) in [("pwdUseCheckModule", "TRUE"), ("pwdCheckModule", "check_password.so")] {
            let other = policy.replace("theirs", value);
            assert_eq!(scene.root().change(&format!("{other}{attribute}: {value}\n")), Ok(()), "{attribute}");
            let beginning = format!("{attribute} of \"cn={value},ou=policies,{SUFFIX}\" is not heeded: no module is loaded here");
            assert!(told().iter().any(|line| line.starts_with(&beginning)), "{:?}", told());
        }
        assert_eq!(told().len(), 2);
    }

    /// What cannot be meant is refused; what has no effect is taken, since the policies of other servers have it, and told.
    fn what_has_no_effect_is_told_when_it_is_written(scene) {
        let set = |lines: &str| scene.root().change(&format!("dn: cn=default,ou=policies\nchangetype: modify\n{lines}-\n"));
        scene.policy(&[("pwdMaxAge", ""), ("pwdMustChange", "FALSE")]);
        scene.unheeded();
        assert_eq!(set("replace: pwdExpireWarning\npwdExpireWarning: 600\n"), Ok(()));
        let told = format!(
            "pwdExpireWarning of \"cn=default,ou=policies,{SUFFIX}\" has no effect: pwdMaxAge is 0 or absent, so no password expires"
        );
        assert_eq!(scene.unheeded(), [told.as_str()]);
        assert_eq!(unheeded(&scene.directory.view()).unwrap(), [told]);
        assert_eq!(set("replace: pwdExpireWarning\npwdExpireWarning: 0\n"), Ok(()));
        assert_eq!(scene.unheeded(), [""; 0]);
        assert_eq!(set("replace: pwdAllowUserChange\npwdAllowUserChange: FALSE\n"), Ok(()));
        assert_eq!(set("replace: pwdMustChange\npwdMustChange: TRUE\n"), Err(ConstraintViolation));
    }

    /// A policy of another server loads unchanged: what it says beyond the bounds of this one is done within them, and told.
    fn a_policy_beyond_the_bounds_of_this_server_is_kept_within_them(scene) {
        scene.unheeded();
        let lines = [("pwdLockout", "TRUE"), ("pwdMaxFailure", "500"), ("pwdInHistory", "500"), ("pwdMinDelay", "60"), ("pwdMaxDelay", "60")]
            .map(|(attribute, value)| format!("replace: {attribute}\n{attribute}: {value}\n-\n")).concat();
        assert_eq!(scene.root().change(&format!("dn: cn=default,ou=policies\nchangetype: modify\n{lines}")), Ok(()));
        let told = scene.unheeded().join("\n");
        for (attribute, most) in [("pwdMaxFailure", 100), ("pwdInHistory", 50), ("pwdMinDelay", 30), ("pwdMaxDelay", 30)] {
            let words = format!("{attribute} of \"cn=default,ou=policies,{SUFFIX}\" has no effect above {most}: ");
            assert!(told.contains(&words), "{words}: {told}");
        }
    }
}

/// A hash is refused but for those who may import hashes, of whom there is the administrator.
fn assert_refused_everywhere_but_by_importers<D: Directory>(scene: &Scene<D>, hash: &str) {
    let (alice, hanna) = (scene.client("alice"), scene.client("hanna"));
    for response in [
        change(&alice, ALICE, hash),
        modify(&alice, &from_to(ALICE, hash)),
        modify(&hanna, &format!("replace: userPassword\nuserPassword: {hash}\n")),
    ] {
        assert_told(&response, Err(ConstraintViolation), INSUFFICIENT_QUALITY);
    }
    assert_told(&add(&scene.client("cn=admin"), "carla", &format!("userPassword: {hash}\n")), Ok(()), NOTHING);
    scene.root().change("dn: carla\nchangetype: delete\n").unwrap();
}
