//! The no-op control (draft-zeilenga-ldap-noop): what would come of a request, with nothing done.

use keystead::directory::ResultCode::{
    self, ConstraintViolation, EntryAlreadyExists, InsufficientAccessRights, InvalidCredentials, NoOperation,
    NoSuchObject, NotAllowedOnNonLeaf, ObjectClassViolation, UnavailableCriticalExtension,
};
use keystead::directory::tree::{Directory, Scope};
use keystead::protocol::{RawControl, oid};

use crate::scene::answer::{MODIFICATION_NOT_ALLOWED, MUST_SUPPLY_OLD, TOO_YOUNG};
use crate::scene::{SUFFIX, Scene, TOO_SHORT, assert_told, policy_control, result};
use crate::sentences;

const OLD: &str = "alice's password";
const NEW: &str = "a much better secret";

fn no_op() -> [RawControl; 1] {
    [RawControl { oid: oid::NO_OP.into(), critical: true, value: None }]
}

/// Everything that the superuser can see of the directory, and how old it is.
fn everything<D: Directory>(scene: &Scene<D>) -> String {
    let found = scene.root().search(SUFFIX, Scope::WholeSubtree, "(objectClass=*)", &["*", "+"]).unwrap();
    let view = scene.directory.view();
    format!("{found:?} {}", keystead::directory::tree::Tree::csn(&view))
}

/// What a change of the administrator would come to.
fn would<D: Directory>(scene: &Scene<D>, text: &str) -> ResultCode {
    scene.client("cn=admin").change_with(text, &no_op()).result.code
}

sentences! {
    /// §2: "the directory SHALL NOT be updated and the response SHALL NOT have a resultCode of success (0)"; noOperation
    /// "indicates that the server discovered no reason why the operation would fail".
    fn what_would_succeed_is_answered_no_operation_and_not_done(scene) {
        let before = everything(scene);
        for text in [
            "dn: uid=alice,ou=people\nchangetype: modify\nreplace: sn\nsn: Other\n-\n",
            "dn: uid=alice,ou=people\nchangetype: modify\nreplace: userPassword\nuserPassword: a much better secret\n-\n",
            "dn: uid=alice,ou=people\nchangetype: modify\nreplace: pwdReset\npwdReset: TRUE\n-\n",
            "dn: uid=alice,ou=people\nchangetype: modify\nadd: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n-\n",
            "dn: uid=new,ou=people\nobjectClass: inetOrgPerson\ncn: New\nsn: New\nuserPassword: a much better secret\n",
            "dn: uid=alice,ou=people\nchangetype: delete\n",
            "dn: uid=alice,ou=people\nchangetype: modrdn\nnewrdn: uid=alicia\ndeleteoldrdn: 1\n",
            "dn: uid=alice,ou=people\nchangetype: modrdn\nnewrdn: uid=alice\ndeleteoldrdn: 1\nnewsuperior: ou=groups,dc=example,dc=com\n",
        ] {
            assert_eq!(would(scene, text), NoOperation, "{text}");
        }
        assert_eq!(everything(scene), before);
        assert_eq!(scene.anonymous().bind("alice", OLD), Ok(()));
    }

    /// §2: "A result code other than noOperation means that the server is unable or unwilling to complete the processing
    /// for the reason indicated by the result code."
    fn what_would_fail_fails_as_it_would(scene) {
        let before = everything(scene);
        for (text, code) in [
            ("dn: uid=alice,ou=people\nchangetype: modify\ndelete: sn\n-\n", ObjectClassViolation),
            ("dn: uid=nobody,ou=people\nchangetype: modify\nreplace: sn\nsn: x\n-\n", NoSuchObject),
            ("dn: uid=bob,ou=people\nobjectClass: inetOrgPerson\ncn: B\nsn: B\n", EntryAlreadyExists),
            ("dn: ou=people\nchangetype: delete\n", NotAllowedOnNonLeaf),
            ("dn: uid=alice,ou=people\nchangetype: modrdn\nnewrdn: uid=bob\ndeleteoldrdn: 1\n", EntryAlreadyExists),
        ] {
            assert_eq!(would(scene, text), code, "{text}");
        }
        let by_bob = scene.client("bob").change_with("dn: uid=alice,ou=people\nchangetype: delete\n", &no_op());
        assert_eq!(result(&by_bob), Err(InsufficientAccessRights));
        assert_eq!(everything(scene), before);
    }

    /// §2: "The control is also appropriate for ... Password Modify": every rule that the new password breaks is named, and
    /// the password policy control tells the first as it would.
    fn a_new_password_can_be_tried_against_the_policy(scene) {
        let before = everything(scene);
        let alice = scene.client("alice");
        let try_out = |old, new| {
            alice.password_modify_with(None, Some(old), Some(new), &[no_op().as_slice(), &policy_control()].concat())
        };
        assert_told(&try_out(OLD, NEW), Err(NoOperation), b"");
        let refused = try_out(OLD, "alice");
        assert_told(&refused, Err(ConstraintViolation), TOO_SHORT);
        assert!(refused.result.diagnostic_message.contains("12"), "{}", refused.result.diagnostic_message);
        assert_told(&try_out(OLD, OLD), Err(ConstraintViolation), crate::scene::answer::IN_HISTORY);
        assert_eq!((everything(scene), scene.anonymous().bind("alice", OLD)), (before, Ok(())));
    }

    /// Draft-behera §8.2: all that stands in the way is named at once, the age of the password, its quality and the history; the
    /// control has room for the first in the order of §8.2. It is the same with and without the no-op control.
    fn every_rule_that_is_broken_is_named(scene) {
        scene.policy(&[("pwdMinAge", "86400"), ("pwdMinLength", "20"), ("pwdMaxFailure", "9")]);
        let (young, short, same) = ("too recently", "at least 20 characters", "same as the current one");
        for controls in [policy_control(), [no_op().as_slice(), &policy_control()].concat()] {
            let told = |who: &str, whom: Option<&str>, old: Option<&str>, code, policy: &[u8], sentences: &[&str]| {
                let answer = scene.client(who).password_modify_with(whom, old, Some(OLD), &controls);
                assert_told(&answer, Err(code), policy);
                let message = &answer.result.diagnostic_message;
                for sentence in [young, short, same, "must be given", "ask the helpdesk"] {
                    assert_eq!(message.contains(sentence), sentences.contains(&sentence), "{sentence}: {message}");
                }
            };
            told("alice", None, Some(OLD), ConstraintViolation, TOO_YOUNG, &[young, short, same]);
            // What was had before is not told to others by a run that leaves no trace.
            let had = if controls.len() > 1 { &[short][..] } else { &[short, same] };
            told("hanna", Some("alice"), None, ConstraintViolation, TOO_SHORT, had);
            // Whoever does not give the old password learns nothing of it, and whoever lacks the right nothing at all.
            told("alice", None, None, InsufficientAccessRights, MUST_SUPPLY_OLD, &[young, short, "must be given"]);
            told("alice", None, Some("a wrong one"), InvalidCredentials, b"", &[]);
            told("bob", Some("alice"), None, InsufficientAccessRights, b"", &[]);
            scene.policy(&[("pwdMustChange", "FALSE"), ("pwdAllowUserChange", "FALSE")]);
            told("alice", None, Some(OLD), InsufficientAccessRights, MODIFICATION_NOT_ALLOWED, &["ask the helpdesk", young, short]);
            scene.policy(&[("pwdAllowUserChange", "TRUE")]);
        }
        assert_eq!(scene.anonymous().bind("alice", OLD), Ok(()));
    }

    /// Nobody finds out by it what somebody else's password is or was, since it is neither counted nor recorded; without it, that
    /// is told and recorded.
    fn what_somebody_else_has_or_had_is_not_told(scene) {
        scene.policy(&[("pwdMinAge", "")]);
        scene.wait(60);
        assert_eq!(scene.client("alice").password_modify(None, Some(OLD), Some(NEW)), Ok(None));
        scene.wait(60);
        let hanna = scene.client("hanna");
        let modify = |new: &str| format!("dn: alice\nchangetype: modify\nreplace: userPassword\nuserPassword: {new}\n-\n");
        for password in [NEW, OLD, "what she never had"] {
            let tried = hanna.password_modify_with(Some("alice"), None, Some(password), &no_op());
            assert_eq!(result(&tried), Err(NoOperation), "{password}");
            assert_eq!(hanna.change_with(&modify(password), &no_op()).result.code, NoOperation, "{password}");
        }
        assert_eq!(hanna.password_modify(Some("alice"), None, Some(NEW)), Err(ConstraintViolation));
        assert_eq!(scene.events().last().unwrap(), "reset refused of alice by hanna, password-modify: unchanged");
        // Its owner is told as ever.
        let own = scene.client("alice").password_modify_with(None, Some(NEW), Some(OLD), &no_op());
        assert_eq!(result(&own), Err(ConstraintViolation));
    }

    /// A password that would be made is not told, since it is nobody's.
    fn no_password_is_made(scene) {
        let answer = scene.client("hanna").password_modify_with(Some("alice"), None, None, &no_op());
        assert_eq!((result(&answer), answer.value), (Err(NoOperation), None));
        assert_eq!(scene.anonymous().bind("alice", OLD), Ok(()));
    }

    /// Guessing must not be free: a wrong old password counts as it always does, and a right one forgives nothing.
    fn a_wrong_old_password_counts(scene) {
        let alice = scene.client("alice");
        let guess = |old| result(&alice.password_modify_with(None, Some(old), Some(NEW), &no_op()));
        assert_eq!(guess("first guess at it"), Err(InvalidCredentials));
        assert_eq!(guess("second guess at it"), Err(InvalidCredentials));
        assert_eq!(guess(OLD), Err(NoOperation));
        assert_eq!(guess("third guess at it"), Err(InvalidCredentials));
        assert_eq!(guess(OLD), Err(InvalidCredentials));
        assert_eq!(scene.anonymous().bind("alice", OLD), Err(InvalidCredentials));
        scene.wait(901);
        assert_eq!(scene.anonymous().bind("alice", OLD), Ok(()));
    }

    /// By delete and add in one modify as well.
    fn a_wrong_old_password_in_a_modify_counts(scene) {
        let guess = |old: &str| {
            let text = format!(
                "dn: uid=alice,ou=people\nchangetype: modify\ndelete: userPassword\nuserPassword: {old}\n-\n\
                 add: userPassword\nuserPassword: {NEW}\n-\n"
            );
            scene.client("alice").change_with(&text, &no_op()).result.code
        };
        assert_eq!(guess(OLD), NoOperation);
        for number in 1..=3 {
            assert_eq!(guess(&format!("guess number {number}")), InvalidCredentials);
        }
        assert_eq!(guess(OLD), InvalidCredentials);
    }

    /// Whoever must change their password still must.
    fn a_dry_run_lifts_no_restriction(scene) {
        assert_eq!(scene.client("hanna").password_modify(Some("alice"), None, Some("handed out by hanna")), Ok(None));
        let alice = scene.anonymous();
        assert_eq!(alice.bind("alice", "handed out by hanna"), Ok(()));
        let tried = alice.password_modify_with(None, Some("handed out by hanna"), Some(NEW), &no_op());
        assert_eq!(result(&tried), Err(NoOperation));
        assert_eq!(alice.change("dn: uid=alice,ou=people\nchangetype: modify\nreplace: sn\nsn: x\n"), Err(InsufficientAccessRights));
    }

    /// RFC 4511 §4.1.11: where the control has no meaning, it is unavailable if it is critical and ignored if not.
    fn a_dry_run_of_what_changes_nothing_is_no_dry_run(scene) {
        let bob = scene.client("bob");
        let who_am_i = |critical| result(&bob.extended(oid::WHO_AM_I, None, &[RawControl { critical, ..no_op()[0].clone() }]));
        assert_eq!((who_am_i(true), who_am_i(false)), (Err(UnavailableCriticalExtension), Ok(())));
        assert_eq!(bob.compare_with("bob", "sn", "Baker", &no_op()).result.code, UnavailableCriticalExtension);
    }
}
