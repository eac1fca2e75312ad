//! What the time tells that an answer takes: neither who exists, nor how their password is kept, nor what it was before.

use std::time::Duration;

use keystead::directory::tree::Directory;
use keystead::password::meter::radar::Thresholds;
use keystead::password::scheme::{Cost, NewScheme};

use crate::scene::Scene;
use crate::sentences;

const ALICE: &str = "alice's password";
const NEW: &str = "a much better secret";

/// For how long the answer to a bind is held back, in seconds.
fn held_back<D: Directory>(scene: &Scene<D>, address: &str, name: &str, password: &str) -> u64 {
    let client = scene.anonymous();
    client.come_from(address);
    client.bind(name, password).unwrap_err();
    client.delay().as_secs()
}

/// How much work this thread has done: its time on a processor, whatever else the machine does meanwhile.
fn work_done() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(told.split(' ').next().unwrap().parse().unwrap())
}

/// How much work it takes to refuse each of some several times, in turn.
fn refusing<D: Directory, const N: usize>(scene: &Scene<D>, names: [&str; N]) -> [Duration; N] {
    let mut spent = [Duration::ZERO; N];
    for round in 0..9 {
        for (name, spent) in names.iter().zip(&mut spent) {
            let client = scene.anonymous();
            let before = work_done();
            client.bind(name, &format!("guess {round}")).unwrap_err();
            *spent += work_done().checked_sub(before).unwrap();
        }
    }
    spent
}

sentences! {
    /// Decision "each refusal takes the time of two hashes": also where the password is kept as another server kept it, which
    /// is quicker.
    fn an_imported_hash_is_not_told_by_its_time(scene) {
        scene.policy(&[("pwdLockout", "FALSE")]);
        let cost = Cost { memory_kib: 16_384, passes: 2, lanes: 1 };
        scene.configure(|services| services.new_passwords = NewScheme::Argon2id(cost));
        for hash in ["{CRYPT}$1$7NJkUwSS$2n7U0fCLMPpIx44W.iV/Y/", "{SSHA}c2FsdHNhbHRzYWx0c2FsdHNhbHRzYWx0"] {
            let kept = format!("dn: alice\nchangetype: modify\nreplace: userPassword\nuserPassword: {hash}\n-\n");
            assert_eq!(scene.root().change(&kept), Ok(()));
            let [imported, nobody] = refusing(scene, ["alice", "nobody"]);
            assert!(imported * 10 >= nobody * 8, "{imported:?} for {hash}, {nobody:?} for a name that does not exist");
        }
    }

    /// Nor is anything else by which a bind is refused: that no entry has the name, that the account is locked or disabled or has no
    /// password, or that the password is wrong.
    fn no_reason_is_told_by_its_time(scene) {
        scene.policy(&[("pwdLockout", "FALSE"), ("pwdMustChange", "FALSE")]);
        let cost = Cost { memory_kib: 16_384, passes: 2, lanes: 1 };
        scene.configure(|services| services.new_passwords = NewScheme::Argon2id(cost));
        let root = scene.root();
        assert_eq!(root.password_modify(Some("alice"), None, Some(NEW)), Ok(None));
        let imported = "objectClass: inetOrgPerson\ncn: I\nsn: I\nuserPassword: {SSHA}c2FsdHNhbHRzYWx0c2FsdHNhbHRzYWx0";
        for record in [
            "dn: bob\nchangetype: modify\nreplace: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n-\n".to_owned(),
            "dn: hanna\nchangetype: modify\nreplace: pwdEndTime\npwdEndTime: 20260101000000Z\n-\n".to_owned(),
            "dn: henry\nchangetype: modify\ndelete: userPassword\n-\n".to_owned(),
            format!("dn: imported\n{imported}\n"),
        ] {
            assert_eq!(root.change(&record), Ok(()), "{record}");
        }
        let names = ["alice", "nobody", "bob", "hanna", "henry", "imported"];
        let spent = refusing(scene, names);
        for (name, time) in names.iter().zip(spent) {
            let wrong = spent[0];
            assert!(time * 10 >= wrong * 8 && wrong * 10 >= time * 8, "{time:?} for {name}, {wrong:?} for a wrong password");
        }
    }

    /// The password before is no guess, and is not told from one by how late the answers come: neither its own, nor those that
    /// follow.
    fn the_password_before_is_not_told_by_its_delay(scene) {
        scene.policy(&[("pwdMinDelay", "1"), ("pwdMaxDelay", "16"), ("pwdMaxFailure", "8"), ("pwdInHistory", "3")]);
        assert!(scene.client("alice").password_modify(None, Some(ALICE), Some(NEW)).is_ok());
        let delays = |name: &str, third: &str| -> Vec<u64> {
            let tried = ["first guess", "second guess", third, third, "first guess", "fourth guess"];
            tried.iter().map(|password| held_back(scene, "10.2.3.4", name, password)).collect()
        };
        let of_guesses = delays("bob", "third guess");
        assert_eq!(of_guesses, [1, 2, 4, 4, 4, 8]);
        assert_eq!(delays("alice", ALICE), of_guesses);
        assert_eq!(scene.root().values("alice", "pwdFailureTime").len(), 3);
        // Nor where it comes first; and the right password ends it.
        assert_eq!(scene.anonymous().bind("alice", NEW), Ok(()));
        let begun = [ALICE, "a guess", ALICE].map(|password| held_back(scene, "10.2.3.4", "alice", password));
        assert_eq!(begun, [1, 2, 2]);
        // Where failures are forgotten after a time, so is this.
        scene.policy(&[("pwdFailureCountInterval", "60")]);
        scene.wait(61);
        assert_eq!(held_back(scene, "10.2.3.4", "alice", "another guess"), 1);
    }

    /// The same for whoever is answered late because they attack many accounts.
    fn the_password_before_is_not_told_by_who_is_noticed(scene) {
        let (window, delay) = (Duration::from_secs(600), Duration::from_secs(64));
        scene.configure(|services| {
            services.spray = Thresholds { accounts_of_source: 2, accounts_of_guess: 0, window, delay };
        });
        for name in ["alice", "hanna"] {
            assert!(scene.client(name).password_modify(None, Some(&format!("{name}'s password")), Some(NEW)).is_ok());
        }
        let names = ["nobody", "ghost", "bob", "alice", "hanna", "whoever"];
        let delays = |source: &str, password: &dyn Fn(&str) -> String| {
            names.map(|name| held_back(scene, source, name, &password(name)))
        };
        let before = |name: &str| match name {
            "alice" | "hanna" => format!("{name}'s password"),
            _ => format!("a guess at {name}"),
        };
        let of_guesses = delays("192.0.2.1", &|name| format!("another guess at {name}"));
        assert_eq!(of_guesses, [0, 0, 1, 2, 4, 8]);
        assert_eq!(delays("192.0.2.2", &before), of_guesses);
    }
}
