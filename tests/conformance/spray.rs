//! Attacks that no single account shows: they are noticed, answered later and later, and lock nobody.

use std::time::Duration;

use keystead::directory::tree::Directory;
use keystead::password::meter::radar::{Alarm, AlarmKind, Thresholds};

use crate::scene::Scene;
use crate::sentences;

const ATTACKER: &str = "192.0.2.66";

/// Looks for little, and holds back no longer than two seconds.
fn watch<D: Directory>(scene: &Scene<D>) {
    let (window, delay) = (Duration::from_secs(600), Duration::from_secs(2));
    scene.configure(|services| {
        services.spray = Thresholds { accounts_of_source: 4, accounts_of_guess: 3, window, delay };
    });
}

/// For how long the answer to a bind is held back, in milliseconds.
fn held_back<D: Directory>(scene: &Scene<D>, address: &str, name: &str, password: &str) -> u128 {
    let client = scene.anonymous();
    client.come_from(address);
    client.bind(name, password).ok();
    client.delay().as_millis()
}

fn alarms<D: Directory>(scene: &Scene<D>) -> Vec<(AlarmKind, String, usize)> {
    let told = |alarm: Alarm| (alarm.kind, alarm.source.to_string(), alarm.accounts);
    scene.meter().radar().take_alarms().into_iter().map(told).collect()
}

const NAMES: [&str; 6] = ["alice", "bob", "hanna", "nobody", "cn=ghost,ou=groups", "u:whoever"];

sentences! {
    /// One source fails at one account after the other, each with another password: names that do not exist are accounts,
    /// too.
    fn a_source_that_fails_at_many_accounts_is_noticed(scene) {
        watch(scene);
        let delays: Vec<_> = (0..).zip(NAMES).map(|(number, name)| held_back(scene, ATTACKER, name, &format!("guess {number}"))).collect();
        assert_eq!(delays, [0, 0, 0, 500, 1_000, 2_000]);
        assert_eq!(alarms(scene), [(AlarmKind::Source, ATTACKER.to_owned(), 4)]);
        // Whoever is elsewhere does not wait, with the same accounts.
        assert_eq!(held_back(scene, "10.2.3.4", "alice", "alice's password"), 0);
        // The attacker does, also when it was right: or the time would tell before the answer does.
        assert_eq!(held_back(scene, ATTACKER, "alice", "alice's password"), 2_000);
        for name in ["alice", "bob", "hanna"] {
            assert_eq!(scene.root().values(name, "pwdAccountLockedTime"), [""; 0]);
        }
        scene.wait(600);
        assert_eq!(held_back(scene, ATTACKER, "alice", "alice's password"), 0);
    }

    /// The same password at one account after the other, each time from elsewhere.
    fn the_same_wrong_password_at_many_accounts_is_noticed(scene) {
        watch(scene);
        let delays: Vec<_> =
            (0..).zip(NAMES).map(|(number, name)| held_back(scene, &format!("192.0.2.{number}"), name, "Summer2026!")).collect();
        assert_eq!(delays, [0, 0, 500, 1_000, 2_000, 2_000]);
        assert_eq!(alarms(scene), [(AlarmKind::Guess, "192.0.2.2".to_owned(), 3)]);
        assert_eq!(held_back(scene, "192.0.2.9", "alice", "Autumn2026!"), 0);
    }

    /// A person who forgot their password, and a device that does not know it, try at one account.
    fn who_fails_at_one_account_is_no_attacker(scene) {
        watch(scene);
        scene.policy(&[("pwdLockout", "FALSE")]);
        for number in 0..50 {
            assert_eq!(held_back(scene, "10.2.3.4", "alice", &format!("guess {number}")), 0);
        }
        assert_eq!(alarms(scene), []);
    }

    /// Also while an account is locked.
    fn locked_accounts_hide_no_attack(scene) {
        watch(scene);
        for name in NAMES {
            for number in 0..3 {
                held_back(scene, "10.2.3.4", name, &format!("guess {number} {name}"));
            }
        }
        alarms(scene);
        for (number, name) in (0..).zip(NAMES) {
            held_back(scene, ATTACKER, name, &format!("other {number}"));
        }
        assert_eq!(alarms(scene), [(AlarmKind::Source, ATTACKER.to_owned(), 4)]);
    }

    /// What is switched off costs nobody any time.
    fn it_can_be_switched_off(scene) {
        scene.configure(|services| {
            services.spray = Thresholds { accounts_of_source: 0, accounts_of_guess: 0, ..Thresholds::default() };
        });
        for name in NAMES {
            assert_eq!(held_back(scene, ATTACKER, name, "Summer2026!"), 0);
        }
        assert_eq!(alarms(scene), []);
    }
}
