//! The end of a password: warnings, grace and expiry (draft-behera-ldap-password-policy-10 §5.2.3, §5.2.8 to §5.2.10, §7.3
//! to §7.5, §8.1.2), with the octets of the control.

use keystead::directory::ResultCode::{CompareFalse, InvalidCredentials};
use keystead::directory::tree::Directory;
use keystead::protocol::Response;

use crate::scene::answer::{EXPIRED, NOTHING};
use crate::scene::{Scene, assert_told, policy_control, policy_response, result};
use crate::sentences;

const ALICE: &str = "alice's password";
const NEW: &str = "a much better secret";
const DAY: u64 = 86_400;

/// A bind as alice with the password policy control.
fn bind<D: Directory>(scene: &Scene<D>, password: &str) -> Response {
    scene.anonymous().bind_with("alice", password, &policy_control())
}

/// What root sees of the state of alice.
fn state<D: Directory>(scene: &Scene<D>, attribute: &str) -> Vec<String> {
    scene.root().values("alice", attribute)
}

sentences! {
    /// §5.2.3: pwdMaxAge: "the number of seconds after which a modified password will expire"; §8.1.2.3.2:
    /// invalidCredentials and passwordExpired.
    fn a_password_expires(scene) {
        scene.policy(&[("pwdMaxAge", "864000")]);
        scene.wait(10 * DAY - 1);
        assert_told(&bind(scene, ALICE), Ok(()), NOTHING);
        scene.wait(1);
        assert_told(&bind(scene, ALICE), Err(InvalidCredentials), EXPIRED);
        assert_told(&bind(scene, "wrong"), Err(InvalidCredentials), NOTHING);
        let untold = scene.anonymous().bind_with("alice", ALICE, &[]);
        assert_eq!((result(&untold), policy_response(&untold)), (Err(InvalidCredentials), None));
        scene.policy(&[("pwdMaxAge", "")]);
        assert_told(&bind(scene, ALICE), Ok(()), NOTHING);
    }

    /// §5.2.3: "If this attribute is not present, or if the value is 0 the password does not expire."
    fn without_an_age_it_does_not(scene) {
        for age in ["", "0"] {
            scene.policy(&[("pwdMaxAge", age)]);
            scene.wait(10_000 * DAY);
            assert_told(&bind(scene, ALICE), Ok(()), NOTHING);
        }
    }

    /// §5.2.8 and §7.5: pwdExpireWarning: "the maximum number of seconds before a password is due to expire that expiration
    /// warning messages will be returned"; the number is a minimal INTEGER.
    fn a_bind_warns_before_a_password_expires(scene) {
        scene.policy(&[("pwdMaxAge", "864000"), ("pwdExpireWarning", "432000")]);
        scene.wait(5 * DAY - 1);
        assert_told(&bind(scene, ALICE), Ok(()), NOTHING);
        let mut at = 5 * DAY - 1;
        for (age, control) in [
            (5 * DAY, &b"\x30\x07\xa0\x05\x80\x03\x06\x97\x80"[..]),
            (10 * DAY - 32_768, b"\x30\x07\xa0\x05\x80\x03\x00\x80\x00"),
            (10 * DAY - 32_767, b"\x30\x06\xa0\x04\x80\x02\x7f\xff"),
            (10 * DAY - 128, b"\x30\x06\xa0\x04\x80\x02\x00\x80"),
            (10 * DAY - 127, b"\x30\x05\xa0\x03\x80\x01\x7f"),
            (10 * DAY - 1, b"\x30\x05\xa0\x03\x80\x01\x01"),
        ] {
            scene.wait(age - at);
            at = age;
            assert_told(&bind(scene, ALICE), Ok(()), control);
            assert_eq!(policy_response(&scene.anonymous().bind_with("alice", ALICE, &[])), None);
        }
    }

    /// §5.2.9 and §8.1.2.3.1: pwdGraceAuthNLimit: "the number of times an expired password can be used to authenticate"; the
    /// answer says how many are left. Sharp edge 25: each is a value of pwdGraceUseTime.
    fn an_expired_password_is_good_for_some_more_binds(scene) {
        scene.policy(&[("pwdMaxAge", "864000"), ("pwdGraceAuthNLimit", "3")]);
        scene.wait(10 * DAY);
        for (left, control) in [(2, b"\x30\x05\xa0\x03\x81\x01\x02"), (1, b"\x30\x05\xa0\x03\x81\x01\x01"), (0, b"\x30\x05\xa0\x03\x81\x01\x00")] {
            assert_told(&bind(scene, ALICE), Ok(()), control);
            assert_eq!(state(scene, "pwdGraceUseTime").len(), 3 - left);
            assert_told(&bind(scene, "wrong"), Err(InvalidCredentials), NOTHING);
        }
        assert_told(&bind(scene, ALICE), Err(InvalidCredentials), EXPIRED);
        let times = ["20260611120000.000000Z", "20260611120000.000001Z", "20260611120000.000002Z"];
        assert_eq!(state(scene, "pwdGraceUseTime"), times);
        scene.client("alice").password_modify(None, Some(ALICE), Some(NEW)).unwrap();
        assert_eq!(state(scene, "pwdGraceUseTime"), [""; 0]);
        assert_told(&bind(scene, NEW), Ok(()), NOTHING);
    }

    /// §5.2.10: pwdGraceExpiry: "the number of seconds the grace authentications are valid".
    fn grace_ends_as_well(scene) {
        scene.policy(&[("pwdMaxAge", "864000"), ("pwdGraceAuthNLimit", "9"), ("pwdGraceExpiry", "86400")]);
        scene.wait(11 * DAY - 1);
        assert_told(&bind(scene, ALICE), Ok(()), b"\x30\x05\xa0\x03\x81\x01\x08");
        scene.wait(1);
        assert_told(&bind(scene, ALICE), Err(InvalidCredentials), EXPIRED);
    }

    /// Whoever came in by grace may do whatever they may, and change their password first of all.
    fn grace_opens_everything(scene) {
        scene.policy(&[("pwdMaxAge", "864000"), ("pwdGraceAuthNLimit", "1")]);
        scene.wait(10 * DAY);
        let alice = scene.anonymous();
        assert_eq!(alice.bind("alice", ALICE), Ok(()));
        assert_eq!(alice.values("bob", "sn"), ["Baker"]);
        assert_eq!(alice.password_modify(None, Some(ALICE), Some(NEW)), Ok(None));
        assert_told(&bind(scene, NEW), Ok(()), NOTHING);
    }

    /// §5.3.2: pwdChangedTime is "the last time the entry's password was changed", by whomever: the age counts from there.
    fn the_age_counts_from_the_last_change(scene) {
        scene.policy(&[("pwdMaxAge", "864000")]);
        scene.wait(9 * DAY);
        scene.client("alice").password_modify(None, Some(ALICE), Some(NEW)).unwrap();
        assert_eq!(state(scene, "pwdChangedTime"), ["20260610120000Z"]);
        scene.wait(9 * DAY);
        assert_told(&bind(scene, NEW), Ok(()), NOTHING);
        scene.wait(DAY);
        assert_told(&bind(scene, NEW), Err(InvalidCredentials), EXPIRED);
        let reset = scene.client("hanna").password_modify(Some("alice"), None, Some("a temporary one"));
        assert_eq!(reset, Ok(None));
        assert_eq!(state(scene, "pwdChangedTime"), ["20260620120000Z"]);
        assert_eq!(result(&bind(scene, "a temporary one")), Ok(()));
    }

    /// §8.1: a compare is answered by the same rules: compareTrue with a warning, compareFalse when it has expired.
    fn a_compare_warns_and_expires_like_a_bind(scene) {
        scene.policy(&[("pwdMaxAge", "864000"), ("pwdExpireWarning", "60"), ("pwdGraceAuthNLimit", "1")]);
        let compare = |password: &str| {
            scene.client("bob").compare_with("alice", "userPassword", password, &policy_control())
        };
        assert_told(&compare(ALICE), Ok(()), NOTHING);
        scene.wait(10 * DAY - 60);
        assert_told(&compare(ALICE), Ok(()), b"\x30\x05\xa0\x03\x80\x01\x3c");
        scene.wait(60);
        assert_told(&compare(ALICE), Ok(()), b"\x30\x05\xa0\x03\x81\x01\x00");
        assert_told(&compare(ALICE), Err(CompareFalse), EXPIRED);
        assert_told(&compare("wrong"), Err(CompareFalse), NOTHING);
        assert_told(&bind(scene, ALICE), Err(InvalidCredentials), EXPIRED);
    }

    /// §8.1.2.1 and §5.3.11: a good bind sets pwdLastSuccess, to the configured precision (sharp edge 34); one that fails
    /// does not.
    fn the_last_good_bind_is_remembered(scene) {
        assert_eq!(state(scene, "pwdLastSuccess"), [""; 0]);
        assert_eq!(result(&bind(scene, ALICE)), Ok(()));
        assert_eq!(state(scene, "pwdLastSuccess"), ["20260601120000.000000Z"]);
        for (seconds, password, expected) in [
            (3_599, ALICE, "20260601120000.000000Z"), (1, ALICE, "20260601130000.000000Z"),
            (7_200, "wrong", "20260601130000.000000Z"),
        ] {
            scene.wait(seconds);
            let _ = bind(scene, password);
            assert_eq!(state(scene, "pwdLastSuccess"), [expected]);
        }
        scene.restart();
        assert_eq!(state(scene, "pwdLastSuccess"), ["20260601130000.000000Z"]);
    }

    /// §8.1.2.1: also a bind that uses up a grace, or at which the password is hashed anew.
    fn the_last_good_bind_is_remembered_whatever_else_is_written(scene) {
        scene.policy(&[("pwdMaxAge", "864000"), ("pwdGraceAuthNLimit", "1")]);
        scene.wait(10 * DAY);
        assert_eq!(result(&bind(scene, ALICE)), Ok(()));
        assert_eq!(state(scene, "pwdLastSuccess"), ["20260611120000.000000Z"]);
        scene.policy(&[("pwdMaxAge", "")]);
        scene.configure(|services| {
            let cost = keystead::password::scheme::Cost { memory_kib: 128, passes: 1, lanes: 1 };
            services.new_passwords = keystead::password::scheme::NewScheme::Argon2id(cost);
        });
        scene.wait(DAY);
        assert_eq!(result(&bind(scene, ALICE)), Ok(()));
        assert_eq!(state(scene, "pwdLastSuccess"), ["20260612120000.000000Z"]);
        assert_eq!(state(scene, "pwdChangedTime"), ["20260601120000Z"]);
        assert_eq!(result(&bind(scene, ALICE)), Ok(()));
    }
}
