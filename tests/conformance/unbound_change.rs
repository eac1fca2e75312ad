//! A change of a password by its owner who is not bound, since nobody can bind with a password that has expired
//! (decision 9): the old password proves who they are.

use keystead::directory::ResultCode::{ConstraintViolation, InsufficientAccessRights, InvalidCredentials};
use keystead::directory::tree::Directory;
use keystead::protocol::Response;

use crate::scene::answer::{LOCKED, NOTHING, TOO_SHORT, TOO_YOUNG};
use crate::scene::{SUFFIX, Scene, assert_told, full, policy_control, result, rule};
use crate::sentences;

const ALICE: &str = "alice's password";
const NEW: &str = "a much better secret";
const DAY: u64 = 86_400;

/// The request of somebody who is not bound.
fn change<D: Directory>(scene: &Scene<D>, identity: &str, old: &str, new: Option<&str>) -> Response {
    scene.anonymous().password_modify_with(Some(identity), Some(old), new, &policy_control())
}

fn alice(lines: &str) -> String {
    format!("dn: alice\nchangetype: modify\n{lines}-\n")
}

sentences! {
    /// Decision 9: the owner of an expired password changes it, by every way to name oneself; the connection stays
    /// anonymous.
    fn the_owner_of_an_expired_password_changes_it(scene) {
        scene.policy(&[("pwdMaxAge", "864000"), ("pwdInHistory", "0")]);
        for identity in ["alice", "u:alice", "dn:uid=alice,ou=people,dc=example,dc=com", &full("alice")] {
            scene.wait(11 * DAY);
            assert_eq!(scene.anonymous().bind("alice", ALICE), Err(InvalidCredentials));
            let client = scene.anonymous();
            assert_eq!(client.password_modify(Some(identity), Some(ALICE), Some(NEW)), Ok(None), "{identity}");
            assert!(client.identity().is_anonymous());
            assert_eq!(scene.root().values("alice", "modifiersName"), [full("alice")]);
            assert_eq!(scene.root().values("alice", "pwdReset"), [""; 0]);
            let made = scene.anonymous().password_modify(Some(identity), Some(NEW), None).unwrap().unwrap();
            assert_eq!(scene.anonymous().bind("alice", &made), Ok(()));
            assert_eq!(scene.anonymous().password_modify(Some(identity), Some(&made), Some(ALICE)), Ok(None));
        }
    }

    /// No password is empty: an account whose password another server has hashed as such belongs to nobody.
    fn nobody_takes_an_account_by_sending_nothing(scene) {
        let admin = scene.client("cn=admin");
        let set = |value: &str| admin.change(&alice(&format!("replace: userPassword\nuserPassword: {value}\n")));
        assert_eq!(set("{SSHA}LCq6zkvYuxn2cRPaFG27jMz4SRVzYWx0c2FsdA=="), Ok(()), "of what it is the hash, nobody knows");
        assert_told(&change(scene, "alice", "", Some(NEW)), Err(InvalidCredentials), NOTHING);
        assert_eq!(scene.anonymous().bind("alice", NEW), Err(InvalidCredentials));
        // Nor is what is no hash a way past the policy.
        for value in ["{CLEARTEXT}", "{CLEARTEXT}short", "{CLEAR}short"] {
            assert_eq!(set(value), Err(ConstraintViolation), "{value}");
        }
    }

    /// A change is judged as any other, once the old password has been right.
    fn a_change_is_judged_once_the_old_password_is_right(scene) {
        assert_told(&change(scene, "alice", ALICE, Some("short")), Err(ConstraintViolation), TOO_SHORT);
        assert_told(&change(scene, "alice", "wrong", Some("short")), Err(InvalidCredentials), NOTHING);
    }

    /// A wrong old password counts like a wrong bind, and is answered alike for somebody who does not exist.
    fn a_wrong_old_password_counts_and_tells_nothing(scene) {
        for number in 1..=5 {
            let guess = format!("guess {number}");
            let expected = change(scene, "alice", &guess, Some(NEW));
            assert_told(&expected, Err(InvalidCredentials), if number < 3 { NOTHING } else { LOCKED });
            for unknown in ["nobody", "u:ghost", "cn=ghost,ou=groups,dc=example,dc=com", "dn:cn=ghost,dc=example,dc=org"] {
                assert_eq!(change(scene, unknown, &guess, Some(NEW)), expected, "{unknown}");
            }
        }
        assert_told(&change(scene, "alice", ALICE, Some(NEW)), Err(InvalidCredentials), LOCKED);
        assert_told(&scene.anonymous().bind_with("alice", ALICE, &policy_control()), Err(InvalidCredentials), LOCKED);
    }

    /// Whoever has not proven who they are learns neither that an account exists nor anything about it: not its age, and
    /// not what its policy says.
    fn nothing_is_told_before_the_old_password_is_right(scene) {
        scene.policy(&[("pwdMustChange", "FALSE")]);
        for (attribute, value) in [("pwdMinAge", "864000"), ("pwdAllowUserChange", "FALSE")] {
            scene.policy(&[(attribute, value)]);
            let unknown = change(scene, "nobody", attribute, Some(NEW));
            assert_told(&unknown, Err(InvalidCredentials), NOTHING);
            assert_eq!(change(scene, "alice", attribute, Some(NEW)), unknown, "{attribute}");
        }
        scene.policy(&[("pwdAllowUserChange", "")]);
        assert_told(&change(scene, "alice", ALICE, Some(NEW)), Err(ConstraintViolation), TOO_YOUNG);
    }

    /// Whoever may not change their password is answered like somebody whose old one is wrong.
    fn whoever_may_not_is_answered_like_whoever_is_wrong(scene) {
        let tree = format!("subtree:{SUFFIX}");
        scene.rule_by(&[rule("authenticate", "everyone", &tree, &[], &["authenticate"])]);
        let refused = change(scene, "alice", ALICE, Some(NEW));
        assert_told(&refused, Err(InvalidCredentials), NOTHING);
        assert_eq!(change(scene, "nobody", ALICE, Some(NEW)), refused);
        assert_eq!(scene.anonymous().bind("alice", ALICE), Ok(()));
    }

    /// An account that is closed stays closed: a password that a bind would refuse for another reason than its age
    /// changes nothing, and the answer is that of the bind.
    fn a_closed_account_is_not_opened_by_a_change(scene) {
        for lines in [
            "replace: pwdEndTime\npwdEndTime: 20260601120000Z\n",
            "replace: pwdEndTime\n-\nreplace: pwdStartTime\npwdStartTime: 20270101000000Z\n",
        ] {
            scene.root().change(&alice(lines)).unwrap();
            assert_told(&change(scene, "alice", "wrong", Some(NEW)), Err(InvalidCredentials), NOTHING);
            assert_told(&change(scene, "alice", ALICE, Some(NEW)), Err(InvalidCredentials), LOCKED);
        }
        scene.root().change(&alice("replace: pwdStartTime\n")).unwrap();
        scene.policy(&[("pwdMaxIdle", "86400")]);
        scene.wait(DAY);
        assert_told(&change(scene, "alice", ALICE, Some(NEW)), Err(InvalidCredentials), LOCKED);
        scene.policy(&[("pwdMaxIdle", "")]);
        assert_eq!(scene.anonymous().bind("alice", ALICE), Ok(()));
    }

    /// Decision 10: a temporary password that has ended is good for nothing.
    fn a_temporary_password_that_has_ended_changes_nothing(scene) {
        scene.policy(&[("pwdTemporaryMaxAge", "86400"), ("pwdTemporaryMaxUses", "1")]);
        let reset = || {
            let temporary = scene.client("hanna").password_modify(Some("alice"), None, None).unwrap().unwrap();
            assert_eq!(scene.root().values("alice", "pwdReset"), ["TRUE"]);
            temporary
        };
        let used_up = reset();
        assert_eq!(scene.anonymous().bind("alice", &used_up), Ok(()));
        let ended = |password: &str| {
            let response = change(scene, "alice", password, Some(NEW));
            assert_told(&response, Err(InvalidCredentials), LOCKED);
            // Whoever does not know it is told what anybody is told.
            let guessed = change(scene, "alice", "guessed", Some(NEW)).result.diagnostic_message;
            assert!(guessed.starts_with("the name or the password is wrong"), "{guessed}");
            response.result.diagnostic_message
        };
        assert!(ended(&used_up).starts_with("this password was temporary, and its time or its uses are over"));
        let too_old = reset();
        scene.wait(DAY);
        assert!(ended(&too_old).starts_with("this password was temporary, and its time or its uses are over"));
        let good = reset();
        assert_eq!(result(&change(scene, "alice", &good, Some(NEW))), Ok(()));
        assert_eq!(scene.anonymous().bind("alice", NEW), Ok(()));
    }

    /// It is a change by the owner: nobody who has bound as somebody else changes a password by knowing the old one.
    fn knowing_the_old_password_gives_nobody_else_a_right(scene) {
        let bound = scene.client("bob").password_modify(Some("alice"), Some(ALICE), Some(NEW));
        assert_eq!(bound, Err(InsufficientAccessRights));
        assert_eq!(scene.anonymous().bind("alice", ALICE), Ok(()));
    }
}
