//! A right password that is known for a while without another hash (`pwdVerifiedCacheSeconds`): it saves work and nothing
//! else.

use keystead::directory::ResultCode::{CompareTrue, InvalidCredentials};
use keystead::directory::tree::Directory;
use keystead::operations::Effort::{self, Heavy, Light};

use crate::scene::answer::{CHANGE_AFTER_RESET, EXPIRED, LOCKED, NOTHING};
use crate::scene::client::Answered;
use crate::scene::{Scene, assert_told, policy_control};
use crate::sentences;

const ALICE: &str = "alice's password";
const NEW: &str = "a much better secret";

/// A bind as alice: how it is answered, and how much work it was.
fn bind<D: Directory>(scene: &Scene<D>, password: &str) -> (Answered, Effort) {
    let client = scene.anonymous();
    let answered = client.bind("alice", password);
    (answered, client.effort().unwrap())
}

fn change<D: Directory>(scene: &Scene<D>, lines: &str) {
    assert_eq!(scene.root().change(&format!("dn: alice\nchangetype: modify\n{lines}-\n")), Ok(()));
}

fn remember<D: Directory>(scene: &Scene<D>) {
    scene.policy(&[("pwdVerifiedCacheSeconds", "60")]);
    assert_eq!(bind(scene, ALICE), (Ok(()), Heavy));
}

sentences! {
    /// Each bind is a hash, unless a policy says otherwise.
    fn it_is_off_by_default(scene) {
        for _ in 0..3 {
            assert_eq!(bind(scene, ALICE), (Ok(()), Heavy));
        }
    }

    /// Within its time the right password costs no hash; a wrong one always does, and is counted.
    fn a_right_password_is_hashed_once_in_a_while(scene) {
        remember(scene);
        for _ in 0..5 {
            assert_eq!(bind(scene, ALICE), (Ok(()), Light));
            assert_eq!(bind(scene, "wrong"), (Err(InvalidCredentials), Heavy));
            assert_eq!(scene.root().values("alice", "pwdFailureTime").len(), 1);
        }
        // Its use does not make it last longer.
        scene.wait(59);
        assert_eq!(bind(scene, ALICE), (Ok(()), Light));
        scene.wait(1);
        assert_eq!(bind(scene, ALICE), (Ok(()), Heavy));
        scene.policy(&[("pwdVerifiedCacheSeconds", "")]);
        assert_eq!(bind(scene, ALICE), (Ok(()), Heavy));
    }

    /// Every change of the entry or of its credentials ends it.
    fn it_ends_with_any_change(scene) {
        remember(scene);
        change(scene, "replace: description\ndescription: changed\n");
        assert_eq!(bind(scene, ALICE), (Ok(()), Heavy));
        assert_eq!(bind(scene, ALICE), (Ok(()), Light));
        assert!(scene.client("alice").password_modify(None, Some(ALICE), Some(NEW)).is_ok());
        assert_eq!(bind(scene, ALICE), (Err(InvalidCredentials), Heavy));
        assert_eq!(bind(scene, NEW), (Ok(()), Heavy));
        assert_eq!(bind(scene, NEW), (Ok(()), Light));
        change(scene, "delete: userPassword\n");
        assert_eq!(bind(scene, NEW), (Err(InvalidCredentials), Heavy));
        assert_eq!(scene.root().change("dn: alice\nchangetype: delete\n"), Ok(()));
        assert_eq!(bind(scene, NEW), (Err(InvalidCredentials), Heavy));
    }

    /// What is counted is written into the credentials: then it is hashed once more.
    fn it_is_not_for_credentials_that_were_written_since(scene) {
        remember(scene);
        assert_eq!(bind(scene, "wrong"), (Err(InvalidCredentials), Heavy));
        scene.restart();
        assert_eq!(bind(scene, ALICE), (Ok(()), Heavy));
    }

    /// A lock, the time in which an account may be used, a reset and the end of a password hold as ever.
    fn whatever_keeps_somebody_out_still_does(scene) {
        remember(scene);
        let told = |scene: &Scene<D>| scene.anonymous().bind_with("alice", ALICE, &policy_control());
        for number in 0..3 {
            assert_eq!(bind(scene, &format!("guess {number}")), (Err(InvalidCredentials), Heavy));
        }
        assert_told(&told(scene), Err(InvalidCredentials), LOCKED);
        scene.wait(900);
        remember(scene);
        change(scene, "replace: pwdEndTime\npwdEndTime: 20260601121530Z\n");
        remember(scene);
        assert_eq!(bind(scene, ALICE), (Ok(()), Light));
        scene.wait(30);
        assert_told(&told(scene), Err(InvalidCredentials), LOCKED);
        change(scene, "delete: pwdEndTime\n");
        remember(scene);
        scene.policy(&[("pwdMaxAge", "900")]);
        assert_told(&told(scene), Err(InvalidCredentials), EXPIRED);
        scene.policy(&[("pwdMaxAge", "")]);
        assert_told(&told(scene), Ok(()), NOTHING);
        change(scene, "replace: pwdReset\npwdReset: TRUE\n");
        assert_told(&told(scene), Ok(()), CHANGE_AFTER_RESET);
    }

    /// A compare of the password is a try like any other.
    fn a_compare_is_hashed(scene) {
        remember(scene);
        assert_eq!(scene.client("bob").compare("alice", "userPassword", ALICE), CompareTrue);
        assert_ne!(scene.client("bob").compare("alice", "userPassword", "wrong"), CompareTrue);
    }

    /// Nonsense in a policy is refused where it is written.
    fn it_lasts_for_an_hour_at_most(scene) {
        let lines = "add: objectClass\nobjectClass: keysteadPolicy\n-\nadd: pwdVerifiedCacheSeconds\npwdVerifiedCacheSeconds: 3601\n";
        let text = format!("dn: cn=default,ou=policies\nchangetype: modify\n{lines}-\n");
        assert!(scene.root().change(&text).is_err());
    }
}
