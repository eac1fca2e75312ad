//! What Netscape's servers tell unasked of the end of passwords (2.16.840.1.113730.3.4.4 and .5), for clients that know
//! nothing else (`pwdNetscapeControls`). Sharp edge: never beside the password policy control.

use keystead::directory::ResultCode::{CompareTrue, InvalidCredentials, Success};
use keystead::directory::tree::Directory;
use keystead::protocol::{RawControl, Response, oid};

use crate::scene::{Scene, policy_control};
use crate::sentences;

const ALICE: &str = "alice's password";

fn told(response: &Response) -> Vec<(&str, String)> {
    let text = |value: &Option<Vec<u8>>| String::from_utf8_lossy(value.as_deref().unwrap_or_default()).into_owned();
    response.controls.iter().map(|control| (control.oid, text(&control.value))).collect()
}

fn bind<D: Directory>(scene: &Scene<D>, password: &str, controls: &[RawControl]) -> Response {
    scene.anonymous().bind_with("alice", password, controls)
}

/// Passwords are good for 100 seconds, the last 20 of which are warned of, and then for one bind.
fn expiring<D: Directory>(scene: &Scene<D>) {
    let policy = [("pwdMaxAge", "100"), ("pwdExpireWarning", "20"), ("pwdGraceAuthNLimit", "1")];
    scene.policy(&policy);
    scene.policy(&[("pwdNetscapeControls", "TRUE")]);
}

sentences! {
    /// Whoever does not ask is not told, unless the policy says so.
    fn they_are_off_by_default(scene) {
        expiring(scene);
        scene.policy(&[("pwdNetscapeControls", "")]);
        for seconds in [90, 20, 20] {
            scene.wait(seconds);
            assert_eq!(told(&bind(scene, ALICE, &[])), []);
        }
    }

    /// "expiring": the seconds that are left, in digits; "expired": the digit 0, with success while there are binds left and
    /// with invalidCredentials then.
    fn a_bind_tells_that_the_password_expires_and_that_it_has(scene) {
        expiring(scene);
        assert_eq!(told(&bind(scene, ALICE, &[])), []);
        scene.wait(81);
        assert_eq!(told(&bind(scene, ALICE, &[])), [(oid::PASSWORD_EXPIRING, "19".to_owned())]);
        scene.wait(19);
        for code in [Success, InvalidCredentials] {
            let response = bind(scene, ALICE, &[]);
            assert_eq!((response.result.code, told(&response)), (code, vec![(oid::PASSWORD_EXPIRED, "0".to_owned())]));
        }
    }

    /// A password that must be changed counts as expired.
    fn a_bind_tells_that_the_password_must_be_changed(scene) {
        scene.policy(&[("pwdNetscapeControls", "TRUE")]);
        let reset = "dn: alice\nchangetype: modify\nreplace: pwdReset\npwdReset: TRUE\n-\n";
        assert_eq!(scene.root().change(reset), Ok(()));
        for (how, code) in [("restrict", Success), ("fail", InvalidCredentials)] {
            scene.policy(&[("pwdMustChangeBind", how)]);
            let response = bind(scene, ALICE, &[]);
            assert_eq!((response.result.code, told(&response)), (code, vec![(oid::PASSWORD_EXPIRED, "0".to_owned())]));
        }
    }

    /// Whoever asks by the password policy control gets that one alone.
    fn never_beside_the_password_policy_control(scene) {
        expiring(scene);
        for seconds in [90, 20, 20] {
            scene.wait(seconds);
            let response = bind(scene, ALICE, &policy_control());
            assert_eq!(told(&response).iter().map(|(oid, _)| *oid).collect::<Vec<_>>(), [oid::PASSWORD_POLICY]);
        }
    }

    /// Whoever does not know the password is told nothing, and neither is a compare.
    fn only_a_bind_with_the_right_password_is_told(scene) {
        expiring(scene);
        scene.wait(100);
        assert_eq!(told(&bind(scene, "wrong", &[])), []);
        let compared = scene.client("bob").compare_with("alice", "userPassword", ALICE, &[]);
        assert_eq!((compared.result.code, told(&compared)), (CompareTrue, vec![]));
        let compared = scene.client("bob").compare_with("alice", "userPassword", ALICE, &[]);
        assert_eq!(told(&compared), []);
        for number in 0..3 {
            assert_eq!(told(&bind(scene, &format!("guess {number}"), &[])), []);
        }
        assert_eq!(told(&bind(scene, ALICE, &[])), []);
    }
}
