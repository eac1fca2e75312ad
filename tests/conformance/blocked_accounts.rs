//! Accounts that are blocked for other reasons than a wrong password: only the right one opens anything, and until it is
//! given nothing is told.

use keystead::directory::ResultCode;
use keystead::directory::ResultCode::{ConstraintViolation, InvalidCredentials};
use keystead::directory::tree::Directory;

use crate::scene::{Scene, policy_control};
use crate::sentences;

const ALICE: &str = "alice's password";
const NEW: &str = "a much better secret";

fn change<D: Directory>(scene: &Scene<D>, name: &str, old: &str) -> Result<(), ResultCode> {
    scene.anonymous().password_modify(Some(name), Some(old), Some(NEW)).map(drop)
}

sentences! {
    /// draft-behera §7.8: a change is refused if the password is too young; whoever does not know it is not told.
    fn the_age_of_a_password_is_told_to_those_who_know_it(scene) {
        scene.policy(&[("pwdMinAge", "3600")]);
        let answer = |name: &str| {
            scene.anonymous().password_modify_with(Some(name), Some("a guess"), Some(NEW), &policy_control())
        };
        assert_eq!((answer("alice"), answer("alice").result.code), (answer("nobody"), InvalidCredentials));
        assert_eq!(change(scene, "alice", ALICE), Err(ConstraintViolation));
    }

    /// A temporary password that has ended opens nothing any more, and so changes nothing.
    fn a_temporary_password_that_has_ended_changes_nothing(scene) {
        scene.policy(&[("pwdTemporaryMaxAge", "60")]);
        let temporary = scene.client("hanna").password_modify(Some("alice"), None, None).unwrap().unwrap();
        scene.wait(61);
        assert_eq!(scene.anonymous().bind("alice", &temporary), Err(InvalidCredentials));
        assert_eq!(change(scene, "alice", &temporary), Err(InvalidCredentials));
        let another = scene.client("hanna").password_modify(Some("alice"), None, None).unwrap().unwrap();
        scene.wait(59);
        assert_eq!(change(scene, "alice", &another), Ok(()));
    }

    /// draft-behera §5.3.9: outside of its validity an account cannot be used, not even to change its password.
    fn an_account_outside_its_time_changes_nothing(scene) {
        let end = "dn: uid=alice,ou=people\nchangetype: modify\nadd: pwdEndTime\npwdEndTime: 20260601130000Z\n-\n";
        assert_eq!(scene.root().change(end), Ok(()));
        scene.wait(3601);
        assert_eq!(change(scene, "alice", ALICE), Err(InvalidCredentials));
    }

    /// draft-behera §5.2.19: an account that was not used for pwdMaxIdle is locked. To try a password is no use of it; to
    /// reset the password gives it back.
    fn an_idle_account_comes_back_by_a_reset_only(scene) {
        scene.policy(&[("pwdMaxIdle", "86400")]);
        assert_eq!(scene.anonymous().bind("alice", ALICE), Ok(()));
        scene.wait(86_401);
        assert_eq!(scene.anonymous().bind("alice", ALICE), Err(InvalidCredentials));
        assert_eq!(scene.client("cn=admin").compare("alice", "userPassword", ALICE), ResultCode::CompareFalse);
        assert_eq!(change(scene, "alice", ALICE), Err(InvalidCredentials));
        assert_eq!(scene.anonymous().bind("alice", ALICE), Err(InvalidCredentials));
        assert!(scene.client("hanna").password_modify(Some("alice"), None, Some(NEW)).is_ok());
        assert_eq!(scene.anonymous().bind("alice", NEW), Ok(()));
    }

    /// An account in use is not idle, however roughly the time of its use is kept.
    fn an_account_in_use_is_not_idle(scene) {
        scene.policy(&[("pwdMaxIdle", "600")]);
        for _ in 0..10 {
            assert_eq!(scene.anonymous().bind("alice", ALICE), Ok(()));
            scene.wait(300);
        }
    }
}
