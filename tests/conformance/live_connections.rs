//! What becomes of those who have authenticated when somebody else sets their password or closes their account:
//! `pwdSessionsAfterReset` and `pwdSessionsAfterLock` of keysteadPolicy.

use keystead::directory::ResultCode::ConstraintViolation;
use keystead::directory::tree::Directory;
use keystead::operations::Freedom;
use keystead::operations::recognition::Recognition;

use crate::scene::{Client, Scene};
use crate::sentences;

const ALICE: &str = "alice's password";
const NEW: &str = "a much better secret";

/// Alice, who has authenticated by her password.
fn alice<'s, D: Directory>(scene: &'s Scene<D>, password: &str) -> Client<'s, D> {
    let client = scene.anonymous();
    client.bind("alice", password).unwrap();
    client
}

fn closes<D: Directory>(scene: &Scene<D>) {
    let lines =
        "dn: alice\nchangetype: modify\nreplace: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n-\n";
    assert_eq!(scene.client("hanna").change(lines), Ok(()));
}

/// What becomes of a connection, in a word.
fn becomes<D: Directory>(client: &Client<'_, D>) -> &'static str {
    match client.recognised() {
        Recognition::Same => "left",
        Recognition::Changed { freedom: Freedom::PasswordChange, .. } => "restricted",
        Recognition::Changed { freedom: Freedom::Full, .. } => "changed",
        Recognition::Ended(_) => "ended",
    }
}

sentences! {
    /// Where the policy says nothing, what the old password has opened ends with it.
    fn connections_end_unless_the_policy_says_otherwise(scene) {
        let (first, second) = (alice(scene, ALICE), alice(scene, ALICE));
        assert_eq!(becomes(&first), "left");
        scene.client("hanna").password_modify(Some("alice"), None, Some(NEW)).unwrap();
        assert_eq!(becomes(&first), "ended");
        closes(scene);
        assert_eq!(becomes(&second), "ended");
    }

    /// After a reset they may be left to what they do, or to changing the password.
    fn the_policy_says_what_becomes_of_them_after_a_reset(scene) {
        for (word, expected) in [("end", "ended"), ("restrict", "restricted"), ("leave", "left")] {
            scene.policy(&[("pwdSessionsAfterReset", word), ("pwdInHistory", "")]);
            scene.client("hanna").password_modify(Some("alice"), None, Some(ALICE)).unwrap();
            let live = alice(scene, ALICE);
            live.password_modify(None, Some(ALICE), Some("a secret of her own")).unwrap();
            let live = alice(scene, "a secret of her own");
            scene.wait(60);
            scene.client("hanna").password_modify(Some("alice"), None, Some(NEW)).unwrap();
            assert_eq!(becomes(&live), expected, "{word}");
            // What she changes herself elsewhere ends them all the same: it may be to be rid of somebody.
            scene.wait(60);
            alice(scene, NEW).password_modify(None, Some(NEW), Some("yet another secret")).unwrap();
            assert_eq!(becomes(&live), "ended", "{word}");
            scene.wait(60);
        }
    }

    /// When an administrator closes the account, or its time is over, likewise.
    fn the_policy_says_what_becomes_of_them_when_the_account_is_closed(scene) {
        for (word, expected) in [("end", "ended"), ("restrict", "restricted"), ("leave", "left")] {
            scene.policy(&[("pwdSessionsAfterLock", word)]);
            let live = alice(scene, ALICE);
            closes(scene);
            assert_eq!(becomes(&live), expected, "{word}");
            scene.client("hanna").change("dn: alice\nchangetype: modify\ndelete: pwdAccountLockedTime\n-\n").unwrap();
            assert_eq!(becomes(&live), "left", "{word}");
            let ends = "dn: alice\nchangetype: modify\nreplace: pwdEndTime\npwdEndTime: 20200101000000Z\n-\n";
            scene.root().change(ends).unwrap();
            assert_eq!(becomes(&live), expected, "{word}");
            scene.root().change("dn: alice\nchangetype: modify\ndelete: pwdEndTime\n-\n").unwrap();
        }
    }

    /// A word that there is not is refused where it is written.
    fn another_word_is_refused(scene) {
        scene.policy(&[]);
        for attribute in ["pwdSessionsAfterReset", "pwdSessionsAfterLock"] {
            let lines = format!("dn: cn=default,ou=policies\nchangetype: modify\nreplace: {attribute}\n{attribute}: drop\n-\n");
            assert_eq!(scene.root().change(&lines), Err(ConstraintViolation), "{attribute}");
        }
    }
}
