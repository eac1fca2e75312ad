//! The account usability control (1.3.6.1.4.1.42.2.27.9.5.8), as other servers answer it: with
//! each entry of a search, whether its account can be used.

use keystead::directory::ResultCode;
use keystead::directory::tree::{Directory, Scope};
use keystead::protocol::{RawControl, oid};

use crate::scene::client::Client;
use crate::scene::{SUFFIX, Scene, search_request};
use crate::sentences;

const ALICE: &str = "alice's password";

fn control() -> RawControl {
    RawControl { oid: oid::ACCOUNT_USABILITY.into(), critical: true, value: None }
}

/// The octets of the control that stands with the entry of alice; empty if there is none.
fn told<D: Directory>(client: &Client<'_, D>) -> Vec<u8> {
    let request = search_request(SUFFIX, Scope::WholeSubtree, "(uid=alice)", &["1.1"]);
    let (found, response) = client.send_search(&request, &[control()]);
    assert_eq!((found.len(), response.result.code), (1, ResultCode::Success));
    let mut controls = found.into_iter().flat_map(|entry| entry.controls);
    let first = controls.next();
    assert!(first.is_none() || controls.next().is_none());
    first
        .map(|(oid, value)| {
            assert_eq!(oid, oid::ACCOUNT_USABILITY);
            value
        })
        .unwrap_or_default()
}

fn change<D: Directory>(scene: &Scene<D>, lines: &str) {
    assert_eq!(scene.root().change(&format!("dn: alice\nchangetype: modify\n{lines}-\n")), Ok(()));
}

sentences! {
    /// `isUsable [0] INTEGER`: seconds before expiration, -1 if the password does not expire.
    fn a_usable_account_tells_when_its_password_expires(scene) {
        assert_eq!(told(&scene.root()), b"\x80\x01\xff");
        scene.policy(&[("pwdMaxAge", "432000")]);
        assert_eq!(told(&scene.root()), b"\x80\x03\x06\x97\x80");
        scene.wait(431_999);
        assert_eq!(told(&scene.root()), b"\x80\x01\x01");
    }

    /// `isNotUsable [1] SEQUENCE`: `inactive [0]`, and `secondsBeforeUnlock [4]` where the lock ends by itself.
    fn a_locked_account_tells_when_the_lock_ends(scene) {
        for number in 0..3 {
            assert!(scene.anonymous().bind("alice", &format!("guess {number}")).is_err());
        }
        assert_eq!(told(&scene.root()), b"\xa1\x07\x80\x01\xff\x84\x02\x03\x84");
        scene.wait(899);
        assert_eq!(told(&scene.root()), b"\xa1\x06\x80\x01\xff\x84\x01\x01");
        scene.wait(1);
        assert_eq!(told(&scene.root()), b"\x80\x01\xff");
        change(scene, "replace: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n");
        assert_eq!(told(&scene.root()), b"\xa1\x03\x80\x01\xff");
        change(scene, "delete: pwdAccountLockedTime\n-\nreplace: pwdEndTime\npwdEndTime: 20260601120000Z\n");
        assert_eq!(told(&scene.root()), b"\xa1\x03\x80\x01\xff");
    }

    /// `reset [1]`: somebody else has set the password. `expired [2]`, with `remainingGrace [3]`.
    fn what_the_password_lacks_is_told(scene) {
        change(scene, "replace: pwdReset\npwdReset: TRUE\n");
        assert_eq!(told(&scene.root()), b"\xa1\x03\x81\x01\xff");
        change(scene, "replace: pwdReset\n");
        scene.policy(&[("pwdMaxAge", "60"), ("pwdGraceAuthNLimit", "2")]);
        scene.wait(60);
        assert_eq!(told(&scene.root()), b"\xa1\x06\x82\x01\xff\x83\x01\x02");
        assert_eq!(scene.anonymous().bind("alice", ALICE), Ok(()));
        assert_eq!(scene.anonymous().bind("alice", ALICE), Ok(()));
        assert_eq!(told(&scene.root()), b"\xa1\x06\x82\x01\xff\x83\x01\x00");
    }

    /// Only those who may read the state of the password are told, and only of entries that have one.
    fn who_may_not_see_the_state_of_the_password_is_not_told(scene) {
        for (who, sees) in [("alice", true), ("hanna", true), ("cn=admin", true), ("bob", false)] {
            assert_eq!(!told(&scene.client(who)).is_empty(), sees, "{who}");
        }
        change(scene, "delete: userPassword\n");
        assert_eq!(told(&scene.root()), b"");
        let request = search_request(SUFFIX, Scope::BaseObject, "(objectClass=*)", &["1.1"]);
        let (found, _) = scene.root().send_search(&request, &[control()]);
        assert!(found.iter().all(|entry| entry.controls.is_empty()));
    }

    /// Without the control in the request there is none in the answer, and `supportedControl` lists it.
    fn it_is_told_to_who_asks(scene) {
        let request = search_request(SUFFIX, Scope::WholeSubtree, "(uid=alice)", &["1.1"]);
        let (found, _) = scene.root().send_search(&request, &[]);
        assert!(found.iter().all(|entry| entry.controls.is_empty()));
        assert!(scene.root().values("", "supportedControl").contains(&oid::ACCOUNT_USABILITY.to_owned()));
    }
}
