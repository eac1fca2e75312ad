//! Locks: by wrong passwords, by administrators, and by time (draft-behera-ldap-password-policy-10 §5.2.11 to §5.2.14,
//! §5.3, §7.1 and §7.6), with the octets of the control.

use keystead::directory::ResultCode::{
    CompareFalse, ConstraintViolation, InsufficientAccessRights, InvalidAttributeSyntax, InvalidCredentials,
};
use keystead::directory::tree::Directory;
use keystead::protocol::{MessageId, Operation, Response};

use crate::scene::answer::{LOCKED, NOTHING};
use crate::scene::{Client, SUFFIX, Scene, assert_told, full, policy_control, policy_response};
use crate::sentences;

const ALICE: &str = "alice's password";
const NEW: &str = "a much better secret";

/// A bind with the password policy control.
fn bind<D: Directory>(scene: &Scene<D>, name: &str, password: &str) -> Response {
    scene.anonymous().bind_with(name, password, &policy_control())
}

/// Whether the right password opens the account of alice.
fn is_open<D: Directory>(scene: &Scene<D>) -> bool {
    scene.anonymous().bind("alice", ALICE) == Ok(())
}

/// Tries that many wrong passwords, none twice, and returns the last answer.
fn guess<D: Directory>(scene: &Scene<D>, name: &str, from: u32, to: u32) -> Response {
    (from..=to).map(|number| bind(scene, name, &format!("guess {number}"))).last().unwrap()
}

/// What root sees of the state of alice.
fn state<D: Directory>(scene: &Scene<D>, attribute: &str) -> Vec<String> {
    scene.root().values("alice", attribute)
}

/// A change of the state of alice.
fn alice(lines: &str) -> String {
    format!("dn: alice\nchangetype: modify\n{lines}-\n")
}

sentences! {
    /// §5.2.13: pwdMaxFailure: "the number of consecutive failed bind attempts after which the password may not be used to
    /// authenticate"; §8.1.1: invalidCredentials, with accountLocked for those who asked.
    fn wrong_passwords_lock_the_account(scene) {
        assert_told(&guess(scene, "alice", 1, 2), Err(InvalidCredentials), NOTHING);
        assert_told(&guess(scene, "alice", 3, 3), Err(InvalidCredentials), LOCKED);
        assert_told(&bind(scene, "alice", ALICE), Err(InvalidCredentials), LOCKED);
        assert_eq!(state(scene, "pwdAccountLockedTime"), ["20260601120000Z"]);
        assert!(bind(scene, "bob", "bob's password").result.code == keystead::directory::ResultCode::Success);
        let told = scene.anonymous().bind_with("alice", ALICE, &[]);
        assert_eq!(policy_response(&told), None);
    }

    /// A name that no entry has is answered as what stands there would be, octet by octet: by the policy for that place.
    fn names_that_do_not_exist_are_answered_like_their_neighbours(scene) {
        let policy = |name: &str, lines: &str| {
            let classes = "objectClass: namedPolicy\nobjectClass: pwdPolicy\nobjectClass: keysteadPolicy";
            let own = format!("cn: {name}\npwdAttribute: userPassword\npwdLockout: TRUE\n{lines}");
            assert_eq!(scene.root().change(&format!("dn: cn={name},ou=policies\n{classes}\n{own}\n")), Ok(()));
        };
        let people = format!("pwdAppliesToSubtree: ou=people,{SUFFIX}");
        policy("people", &format!("{people}\npwdMaxFailure: 5\npwdMinDelay: 1\npwdMaxDelay: 8\npwdLockoutDuration: 60"));
        // None of these is known to govern a name that is not there.
        policy("staff", &format!("{people}\npwdAppliesToGroup: cn=staff,ou=groups,{SUFFIX}\npwdMaxFailure: 2\npwdPrecedence: 1"));
        policy("guests", &format!("{people}\npwdAppliesToFilter: (!(mail=*))\npwdMaxFailure: 2\npwdPrecedence: 2"));
        policy("tried", &format!("{people}\npwdReportOnly: TRUE\npwdMaxFailure: 2\npwdPrecedence: 3"));
        let ways: [fn(&Client<'_, _>, &str, &str) -> Response; 2] = [
            |client, name, guess| client.bind_with(name, guess, &policy_control()),
            |client, name, guess| client.password_modify_with(Some(&full(name)), Some(guess), Some(NEW), &policy_control()),
        ];
        for way in ways {
            let answers = |name: &str| -> Vec<(Vec<u8>, std::time::Duration)> {
                let answer = |number: u32| {
                    let (client, mut octets) = (scene.anonymous(), bytes::BytesMut::new());
                    way(&client, name, &format!("guess {number}")).put(&mut octets, MessageId(1), Operation::Bind);
                    (octets.to_vec(), client.delay())
                };
                (1..=7).map(answer).collect()
            };
            let [existing, nobody, elsewhere, no_admin] = ["hanna", "nobody", "cn=admin", "cn=nobody"].map(answers);
            assert_eq!(nobody, existing);
            assert_eq!(no_admin, elsewhere);
            assert_ne!(existing, elsewhere);
            scene.wait(1_000);
        }
    }

    /// §5.2.12: pwdLockoutDuration: "the number of seconds that the password cannot be used to authenticate due to too many
    /// failed bind attempts"; after that there are as many tries again.
    fn a_lock_ends_after_its_duration(scene) {
        guess(scene, "alice", 1, 3);
        scene.wait(899);
        assert!(!is_open(scene));
        scene.wait(1);
        assert_told(&guess(scene, "alice", 4, 5), Err(InvalidCredentials), NOTHING);
        assert!(is_open(scene));
        assert_eq!((state(scene, "pwdAccountLockedTime"), state(scene, "pwdFailureTime")), (vec![], vec![]));
    }

    /// §5.2.12: "If this attribute is not present, or if the value is 0 the password cannot be used to authenticate until
    /// reset by a password administrator."
    fn a_lock_without_a_duration_is_for_an_administrator_to_end(scene) {
        for (duration, how) in [
            ("", "replace: pwdAccountLockedTime\n"),
            ("0", "delete: pwdAccountLockedTime\n"),
            ("0", "replace: userPassword\nuserPassword: alice's new password\n"),
        ] {
            scene.policy(&[("pwdLockoutDuration", duration)]);
            guess(scene, "alice", 1, 3);
            scene.wait(1_000_000_000);
            assert!(!is_open(scene), "{how}");
            assert_eq!(scene.client("hanna").change(&alice(how)), Ok(()), "{how}");
            assert!(is_open(scene) || scene.anonymous().bind("alice", "alice's new password") == Ok(()), "{how}");
            assert_eq!(state(scene, "pwdFailureTime"), [""; 0]);
        }
    }

    /// §5.2.11 and §5.2.13: pwdLockout FALSE, or pwdMaxFailure 0: "this value is ignored", and nothing locks.
    fn without_a_limit_nothing_is_locked(scene) {
        for policy in [&[("pwdLockout", "FALSE")][..], &[("pwdLockout", "TRUE"), ("pwdMaxFailure", "0")], &[("pwdMaxFailure", "")]] {
            scene.policy(policy);
            assert_told(&guess(scene, "alice", 1, 40), Err(InvalidCredentials), NOTHING);
            assert!(is_open(scene), "{policy:?}");
        }
    }

    /// §5.2.14: pwdFailureCountInterval: "the number of seconds after which the password failures are purged from the failure
    /// counter, even though no successful authentication occurred".
    fn failures_are_forgotten_after_an_interval(scene) {
        scene.policy(&[("pwdFailureCountInterval", "60")]);
        guess(scene, "alice", 1, 2);
        scene.wait(61);
        assert_told(&guess(scene, "alice", 3, 4), Err(InvalidCredentials), NOTHING);
        assert!(state(scene, "pwdFailureTime").len() == 2 && is_open(scene));
        guess(scene, "alice", 5, 6);
        scene.wait(59);
        assert_told(&guess(scene, "alice", 7, 7), Err(InvalidCredentials), LOCKED);
    }

    /// §8.1.2.1: at a good bind, "delete the pwdFailureTime and pwdAccountLockedTime attributes": only failures in a row count.
    fn a_good_bind_starts_the_count_again(scene) {
        for round in 0..5 {
            guess(scene, "alice", 10 * round, 10 * round + 1);
            assert_eq!(state(scene, "pwdFailureTime").len(), 2);
            assert!(is_open(scene));
            assert_eq!(state(scene, "pwdFailureTime"), [""; 0]);
        }
    }

    /// Decision "The same wrong password sent again counts once": a device that does not know better locks nobody out.
    fn the_same_wrong_password_counts_once(scene) {
        for _ in 0..20 {
            assert_told(&bind(scene, "alice", "the one before"), Err(InvalidCredentials), NOTHING);
        }
        assert_eq!(state(scene, "pwdFailureTime").len(), 1);
        assert!(is_open(scene));
    }

    /// A device that still sends the password that was replaced does not guess: it locks nobody out, and opens nothing. The
    /// one before that is as wrong as any other.
    fn the_previous_password_is_no_guess(scene) {
        assert!(scene.client("alice").password_modify(None, Some(ALICE), Some("a second secret of hers")).is_ok());
        for _ in 0..20 {
            assert_told(&bind(scene, "alice", ALICE), Err(InvalidCredentials), NOTHING);
        }
        assert_eq!(state(scene, "pwdFailureTime"), [""; 0]);
        assert_told(&guess(scene, "alice", 1, 1), Err(InvalidCredentials), NOTHING);
        assert_told(&bind(scene, "alice", ALICE), Err(InvalidCredentials), NOTHING);
        assert_eq!(state(scene, "pwdFailureTime").len(), 1);
        let alice = scene.client("alice");
        assert!(alice.password_modify(None, Some("a second secret of hers"), Some("and a third one")).is_ok());
        assert_told(&bind(scene, "alice", ALICE), Err(InvalidCredentials), NOTHING);
        assert_eq!(state(scene, "pwdFailureTime").len(), 1);
    }

    /// §5.3.4: pwdFailureTime "holds the timestamps of the consecutive authentication failures"; sharp edge 25: each a value
    /// of its own, also within one second; pwdAccountLockedTime has no fraction, because sssd reads none.
    fn times_are_written_as_clients_read_them(scene) {
        scene.policy(&[("pwdMaxFailure", "4")]);
        guess(scene, "alice", 1, 3);
        let expected = ["20260601120000.000000Z", "20260601120000.000001Z", "20260601120000.000002Z"];
        assert_eq!(state(scene, "pwdFailureTime"), expected);
        scene.wait(7);
        guess(scene, "alice", 4, 4);
        assert_eq!(state(scene, "pwdAccountLockedTime"), ["20260601120007Z"]);
        assert_eq!(scene.root().find("(pwdAccountLockedTime=20260601140007+0200)"), ["uid=alice,ou=people"]);
        assert_eq!(scene.root().find("(pwdFailureTime>=20260601120007Z)"), ["uid=alice,ou=people"]);
        let modified = scene.root().values("alice", "modifyTimestamp");
        assert_eq!(modified, ["20260601120000Z"], "sharp edge 33");
    }

    /// §7.6, §8.1: "Operations that validate passwords include, but are not limited to, the Bind operation": all are
    /// counted together.
    fn wrong_passwords_count_wherever_they_are_tried(scene) {
        guess(scene, "alice", 1, 1);
        let compared = scene.client("bob").compare_with("alice", "userPassword", "compared", &policy_control());
        assert_told(&compared, Err(CompareFalse), NOTHING);
        let changed = scene.client("alice").password_modify_with(None, Some("changed"), Some(NEW), &policy_control());
        assert_told(&changed, Err(InvalidCredentials), LOCKED);
        for response in [
            bind(scene, "alice", ALICE),
            scene.client("alice").password_modify_with(None, Some(ALICE), Some(NEW), &policy_control()),
            scene.anonymous().password_modify_with(Some("alice"), Some(ALICE), Some(NEW), &policy_control()),
            scene.client("alice").change_with(
                &alice(&format!("delete: userPassword\nuserPassword: {ALICE}\n-\nadd: userPassword\nuserPassword: {NEW}\n")),
                &policy_control(),
            ),
        ] {
            assert_told(&response, Err(InvalidCredentials), LOCKED);
        }
        let compared = scene.client("bob").compare_with("alice", "userPassword", ALICE, &policy_control());
        assert_told(&compared, Err(CompareFalse), LOCKED);
    }

    /// Decision 13: a name that does not exist is answered and locked like one that does.
    fn names_that_do_not_exist_are_locked_alike(scene) {
        for number in 1..=5 {
            let expected = guess(scene, "alice", number, number);
            for unknown in ["nobody", "u:nobody", "ghost"] {
                let name = if unknown == "ghost" { full("cn=ghost,ou=groups") } else { unknown.to_owned() };
                assert_eq!(guess(scene, &name, number, number), expected, "{name}");
            }
        }
    }

    /// What was counted outlives the process.
    fn a_lock_and_a_count_survive_a_restart(scene) {
        guess(scene, "alice", 1, 2);
        guess(scene, "bob", 1, 3);
        scene.restart();
        assert_told(&bind(scene, "bob", "bob's password"), Err(InvalidCredentials), LOCKED);
        assert_eq!(state(scene, "pwdFailureTime").len(), 2);
        assert_told(&guess(scene, "alice", 3, 3), Err(InvalidCredentials), LOCKED);
        scene.restart();
        assert!(!is_open(scene));
        scene.wait(900);
        assert!(is_open(scene));
    }

    /// §5.3.3 and §7.1: "a 000001010000Z value means that the account has been locked permanently, and that only a password
    /// administrator can unlock the account".
    fn an_administrator_locks_an_account_for_good(scene) {
        let lock = alice("replace: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n");
        assert_eq!(scene.client("hanna").change(&lock), Ok(()));
        scene.wait(1_000_000_000);
        assert_told(&bind(scene, "alice", ALICE), Err(InvalidCredentials), LOCKED);
        assert_eq!(state(scene, "pwdAccountLockedTime"), ["000001010000Z"]);
        scene.policy(&[("pwdLockout", "FALSE")]);
        scene.restart();
        assert!(!is_open(scene));
        assert_eq!(scene.root().find("(pwdAccountLockedTime=000001010000Z)"), ["uid=alice,ou=people"]);
        assert_eq!(scene.client("hanna").change(&alice("delete: pwdAccountLockedTime\n")), Ok(()));
        assert!(is_open(scene));
    }

    /// Only those with the right `unlock` end a lock or make one; everybody else gets 50, the owner too.
    fn only_those_with_the_right_lock_and_unlock(scene) {
        guess(scene, "alice", 1, 3);
        for lines in ["delete: pwdAccountLockedTime\n", "replace: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n"] {
            for who in ["alice", "bob"] {
                assert_eq!(scene.client(who).change(&alice(lines)), Err(InsufficientAccessRights), "{who}");
            }
        }
        for lines in ["delete: pwdFailureTime\n", "replace: pwdLastSuccess\n", "delete: pwdGraceUseTime\n"] {
            assert_eq!(scene.client("cn=admin").change(&alice(lines)), Err(ConstraintViolation), "{lines}");
        }
        let nonsense = alice("replace: pwdAccountLockedTime\npwdAccountLockedTime: now\n");
        assert_eq!(scene.client("hanna").change(&nonsense), Err(InvalidAttributeSyntax));
        assert!(!is_open(scene));
    }

    /// §5.3.9 and §5.3.10: "Authentication attempts made before this time will fail", and those after pwdEndTime. Whoever
    /// does not know the password is not told.
    fn an_account_is_open_from_its_start_to_its_end(scene) {
        let window = "add: pwdStartTime\npwdStartTime: 20260601130000Z\n-\nadd: pwdEndTime\npwdEndTime: 20260601140000Z\n";
        scene.root().change(&alice(window)).unwrap();
        for (seconds, open) in [(0, false), (3_599, false), (1, true), (3_599, true), (1, false), (1_000_000, false)] {
            scene.wait(seconds);
            let control = if open { NOTHING } else { LOCKED };
            assert_told(&bind(scene, "alice", ALICE), if open { Ok(()) } else { Err(InvalidCredentials) }, control);
            assert_told(&bind(scene, "alice", "wrong"), Err(InvalidCredentials), NOTHING);
        }
        assert_eq!(scene.client("alice").change(&alice("replace: pwdEndTime\n")), Err(InsufficientAccessRights));
        assert_eq!(scene.client("hanna").change(&alice("replace: pwdEndTime\n")), Err(InsufficientAccessRights));
    }

    /// §5.2.20 and §7.1: pwdMaxIdle: "the number of seconds an account may remain unused before it becomes locked", and
    /// §5.3.11: pwdLastSuccess says since when.
    fn an_account_that_is_not_used_is_locked(scene) {
        scene.policy(&[("pwdMaxIdle", "86400")]);
        scene.wait(86_399);
        assert!(is_open(scene));
        assert_eq!(state(scene, "pwdLastSuccess"), ["20260602115959.000000Z"]);
        scene.wait(86_399);
        assert!(is_open(scene));
        scene.wait(86_400);
        assert_told(&bind(scene, "alice", ALICE), Err(InvalidCredentials), LOCKED);
        assert_told(&bind(scene, "bob", "bob's password"), Err(InvalidCredentials), LOCKED);
    }

    /// §8.1.1 and §8.1: a compare of a password that may not be used is compareFalse: applications authenticate by it.
    fn a_compare_opens_no_account_that_a_bind_would_not(scene) {
        let ended = "replace: pwdEndTime\npwdEndTime: 20260601120001Z\n";
        scene.root().change(&alice(ended)).unwrap();
        let compare = || scene.client("bob").compare_with("alice", "userPassword", ALICE, &policy_control());
        assert_told(&compare(), Ok(()), NOTHING);
        scene.wait(1);
        assert_told(&compare(), Err(CompareFalse), LOCKED);
    }
}
