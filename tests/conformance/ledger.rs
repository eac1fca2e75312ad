//! `pwdLedger`: what has happened to a password, for its owner to read; never the password itself.

use keystead::directory::ResultCode::{ConstraintViolation, InvalidCredentials};
use keystead::directory::tree::Directory;

use crate::scene::{Scene, full};
use crate::sentences;

const ALICE: &str = "alice's password";

fn alice(lines: &str) -> String {
    format!("dn: alice\nchangetype: modify\n{lines}-\n")
}

/// The ledger of alice as somebody reads it, each line without its time.
fn read_by<D: Directory>(scene: &Scene<D>, who: &str) -> Vec<String> {
    let lines = scene.client(who).values("alice", "pwdLedger");
    lines.into_iter().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect()
}

sentences! {
    /// Who has changed it, how and from where, oldest first.
    fn the_owner_reads_who_has_changed_the_password(scene) {
        scene.wait(60);
        let who = |name: &str| format!("{}; entryUUID {}", full(name), scene.root().values(name, "entryUUID").concat());
        let (admin, hanna) = (who("cn=admin"), who("hanna"));
        scene.client("hanna").password_modify(Some("alice"), None, Some("given out by telephone")).unwrap();
        scene.anonymous().password_modify(Some("alice"), Some("given out by telephone"), Some("a secret of her own")).unwrap();
        scene.client("hanna").change(&alice("replace: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n")).unwrap();
        scene.client("cn=admin").change(&alice("delete: pwdAccountLockedTime\n-\nreplace: pwdReset\npwdReset: TRUE\n")).unwrap();
        let added = "set; through add; from 127.0.0.1; by gidNumber=0+uidNumber=0,cn=peercred,cn=external,cn=auth";
        assert_eq!(read_by(scene, "alice"), [
            added.to_owned(),
            format!("reset; through password-modify; from 127.0.0.1; by {hanna}"),
            format!("changed; through password-modify; from 127.0.0.1; by {}", who("alice")),
            format!("locked; through modify; from 127.0.0.1; by {hanna}"),
            format!("unlocked; through modify; from 127.0.0.1; by {admin}"),
            format!("must-change; through modify; from 127.0.0.1; by {admin}"),
        ]);
        let lines = scene.client("alice").values("alice", "pwdLedger");
        assert!(lines.iter().any(|line| line.starts_with("20260601120100.000000Z reset; ")), "{lines:?}");
        // The lines are longer lived than the password.
        scene.client("cn=admin").change(&alice("delete: userPassword\n")).unwrap();
        assert_eq!(read_by(scene, "alice").len(), 7);
    }

    /// Those who may read the password state read it; others do not, and nobody writes it.
    fn it_is_for_those_who_may_read_the_password_state(scene) {
        assert_eq!(read_by(scene, "hanna").len(), 1);
        assert_eq!(read_by(scene, "bob"), [""; 0]);
        let write = scene.root().change(&alice("add: pwdLedger\npwdLedger: all was well\n"));
        assert_eq!(write, Err(ConstraintViolation));
        assert_eq!(scene.client("hanna").find("(pwdLedger=*by uid=hanna*)"), [""; 0]);
    }

    /// The last twenty, and no hash in any.
    fn it_holds_the_last_twenty_and_never_a_hash(scene) {
        scene.policy(&[("pwdInHistory", "3")]);
        for number in 0..25 {
            scene.wait(60);
            let new = format!("given out by telephone {number}");
            scene.client("hanna").password_modify(Some("alice"), None, Some(&new)).unwrap();
        }
        let lines = read_by(scene, "alice");
        assert_eq!(lines.len(), 20);
        assert!(lines.iter().all(|line| !line.contains("ARGON2") && !line.contains("given out")), "{lines:?}");
    }

    /// Whoever guesses passwords pushes no line out, however often that locks the account.
    fn guessing_pushes_no_line_out(scene) {
        for number in 0..30 {
            assert_eq!(scene.anonymous().bind("alice", &format!("guess {number}")), Err(InvalidCredentials));
            scene.wait(1_000);
        }
        scene.restart();
        assert_eq!(read_by(scene, "alice").len(), 1);
        scene.wait(10_000);
        assert_eq!(scene.anonymous().bind("alice", ALICE), Ok(()));
        assert_eq!(read_by(scene, "alice").len(), 1);
    }
}
