//! What is recorded of what happens to passwords: whose, by whom, how, and why not; in the change itself.

use keystead::directory::ResultCode::{ConstraintViolation, InsufficientAccessRights, InvalidCredentials};
use keystead::directory::tree::{Directory, Event, EventKind, EventResult, Means};

use crate::scene::{SUFFIX, Scene, full};
use crate::sentences;

const ALICE: &str = "alice's password";
const NEW: &str = "a much better secret";
const OTHER: &str = "another good secret";
const WRONG: &str = "a wrong password";

fn alice(lines: &str) -> String {
    format!("dn: alice\nchangetype: modify\n{lines}-\n")
}

/// Time passes, so that what the scene began with is no longer told.
fn later<D: Directory>(scene: &Scene<D>) -> &Scene<D> {
    scene.wait(60);
    scene
}

sentences! {
    /// Issue C, 12: "who, whose, how, from where, which policy, result and reason".
    fn an_event_says_all_that_there_is_to_know(scene) {
        later(scene).client("hanna").password_modify(Some("alice"), None, Some(NEW)).unwrap();
        let recorded = scene.recorded();
        let last = recorded.last().unwrap();
        let expected = Event {
            time: last.event.time,
            kind: EventKind::Reset,
            result: EventResult::Done,
            means: Means::PasswordModify,
            actor: full("hanna"),
            source: "127.0.0.1".into(),
            target: full("alice"),
            uuid: scene.client("alice").identity().uuid().unwrap(),
            policy: format!("cn=default,ou=policies,{SUFFIX}"),
            reason: String::new(),
            times: 1,
        };
        assert_eq!(last.event, expected);
        let numbers: Vec<u64> = recorded.iter().map(|one| one.sequence).collect();
        assert_eq!(numbers, (1..=recorded.len() as u64).collect::<Vec<_>>());
        assert_eq!(scene.directory.events_after(last.sequence - 1, 9).unwrap().as_slice(), std::slice::from_ref(last));
    }

    /// Each way to set a password says which it was.
    fn every_way_to_set_a_password_is_recorded(scene) {
        let own = later(scene).client("alice");
        own.password_modify(None, Some(ALICE), Some(NEW)).unwrap();
        let change = format!("delete: userPassword\nuserPassword: {NEW}\n-\nadd: userPassword\nuserPassword: {OTHER}\n");
        own.change(&alice(&change)).unwrap();
        scene.anonymous().password_modify(Some("alice"), Some(OTHER), Some("yet another secret")).unwrap();
        scene.client("hanna").change(&alice("replace: userPassword\nuserPassword: a temporary one\n")).unwrap();
        scene.root().change("dn: carla\nobjectClass: inetOrgPerson\ncn: x\nsn: y\nuserPassword: a good first one\n").unwrap();
        scene.client("cn=admin").change(&alice("delete: userPassword\n")).unwrap();
        assert_eq!(scene.events(), [
            "changed done of alice by alice, password-modify",
            "changed done of alice by alice, modify",
            "changed done of alice by alice, password-modify",
            "reset done of alice by hanna, modify",
            "set done of carla by gidNumber=0+uidNumber=0,cn=peercred,cn=external,cn=auth, add",
            "removed done of alice by cn=admin, modify",
        ]);
    }

    /// What is asked for and refused is recorded with the rules that refused it, which hold nothing of the password.
    fn what_is_refused_is_recorded_with_the_reason(scene) {
        let own = later(scene).client("alice");
        assert_eq!(own.password_modify(None, Some(ALICE), Some("alice")), Err(ConstraintViolation));
        assert_eq!(own.password_modify(None, None, Some(NEW)), Err(InsufficientAccessRights));
        assert_eq!(own.password_modify(None, Some(WRONG), Some(NEW)), Err(InvalidCredentials));
        assert_eq!(own.password_modify(Some("bob"), None, Some(NEW)), Err(InsufficientAccessRights));
        assert_eq!(scene.client("hanna").password_modify(Some("cn=admin,dc=example,dc=com"), None, Some(NEW)), Err(InsufficientAccessRights));
        assert_eq!(scene.anonymous().password_modify(Some("alice"), Some(WRONG), Some(NEW)), Err(InvalidCredentials));
        let short = "dn: carla\nobjectClass: inetOrgPerson\ncn: x\nsn: y\nuserPassword: short\n";
        assert_eq!(scene.root().change(short), Err(ConstraintViolation));
        assert_eq!(scene.events(), [
            "changed refused of alice by alice, password-modify: too-short, own-name",
            "changed refused of alice by alice, password-modify: old-password-missing",
            "changed refused of alice by alice, password-modify: wrong-old-password",
            "reset refused of bob by alice, password-modify: no-right",
            "reset refused of cn=admin by hanna, password-modify: no-right",
            "changed refused of alice by nobody, password-modify: wrong-old-password",
            "set refused of carla by gidNumber=0+uidNumber=0,cn=peercred,cn=external,cn=auth, add: too-short",
        ]);
        assert!(scene.recorded().iter().all(|one| !format!("{one:?}").contains(WRONG)));
    }

    /// Whoever guesses does not fill the disk: what is too much in a minute is told together.
    fn many_refusals_are_told_together(scene) {
        let own = later(scene).client("alice");
        for _ in 0..40 {
            assert_eq!(own.password_modify(Some("bob"), None, Some(NEW)), Err(InsufficientAccessRights));
        }
        let refused = "reset refused of bob by alice, password-modify: no-right";
        assert_eq!(scene.events(), [refused; 10]);
        scene.wait(60);
        assert_eq!(scene.events().last().unwrap(), &format!("{refused} (30 times)"));
    }

    /// Of names that no entry has nothing is recorded, since there is no end of them.
    fn of_names_that_do_not_exist_nothing_is_recorded(scene) {
        for name in ["ghost", "u:ghost"] {
            let answer = later(scene).anonymous().password_modify(Some(name), Some(WRONG), Some(NEW));
            assert_eq!(answer, Err(InvalidCredentials));
            assert_eq!(scene.anonymous().bind("ghost", WRONG), Err(InvalidCredentials));
        }
        assert_eq!(scene.events(), [""; 0]);
    }

    /// A lock is recorded with what was counted, and its end as well.
    fn locks_and_their_end_are_recorded(scene) {
        let client = later(scene).anonymous();
        for number in 0..5 {
            assert_eq!(client.bind("alice", &format!("guess {number}")), Err(InvalidCredentials));
        }
        assert_eq!(scene.events(), ["locked done of alice by nobody, bind: 3 wrong passwords"]);
        scene.wait(10_000);
        assert_eq!(client.bind("alice", ALICE), Ok(()));
        let ended = "unlocked done of alice by nobody, time: the time of the lock was over";
        assert_eq!(scene.events().last().unwrap(), ended);
    }

    /// Also where the bind that follows writes something else first: then that is the change which ends the lock.
    fn the_end_of_a_lock_is_recorded_with_whatever_forgets_it(scene) {
        scene.policy(&[("pwdMaxAge", "5000"), ("pwdGraceAuthNLimit", "2")]);
        let client = later(scene).anonymous();
        let lock = |name: &str| (0..3).for_each(|number| assert!(client.bind(name, &format!("guess {number}")).is_err()));
        lock("alice");
        scene.settle();
        // Of this one not even the lock is written yet.
        lock("bob");
        scene.wait(10_000);
        assert_eq!((client.bind("alice", ALICE), client.bind("bob", "bob's password")), (Ok(()), Ok(())));
        let of = |name: &str| [
            format!("locked done of {name} by nobody, bind: 3 wrong passwords"),
            format!("unlocked done of {name} by nobody, time: the time of the lock was over"),
            format!("grace-used done of {name} by {name}, bind: 1 left"),
        ];
        assert_eq!(scene.events(), [of("alice"), of("bob")].concat());
        // Once, and not again with the next.
        assert_eq!(client.bind("alice", ALICE), Ok(()));
        assert_eq!(scene.events().len(), 7);
        assert_eq!(scene.events().last().unwrap(), "grace-used done of alice by alice, bind: 0 left");
    }

    /// The same with what is written afterwards.
    fn the_end_of_a_lock_is_recorded_with_a_hash_that_is_made_anew(scene) {
        let ssha = "{SSHA}".to_owned() + &ssha(ALICE);
        scene.root().change(&alice(&format!("replace: userPassword\nuserPassword: {ssha}\n"))).unwrap();
        scene.root().change(&alice("replace: pwdReset\npwdReset: FALSE\n")).unwrap();
        let client = later(scene).anonymous();
        (0..3).for_each(|number| assert!(client.bind("alice", &format!("guess {number}")).is_err()));
        scene.settle();
        scene.wait(10_000);
        assert_eq!(client.bind("alice", ALICE), Ok(()));
        assert_eq!(scene.events(), [
            "locked done of alice by nobody, bind: 3 wrong passwords",
            "unlocked done of alice by nobody, time: the time of the lock was over",
            "rehashed done of alice by alice, bind: argon2id",
        ]);
    }

    /// What administrators do to the state of an account is recorded as what it is.
    fn what_is_done_by_hand_is_recorded(scene) {
        let hanna = later(scene).client("hanna");
        for lines in [
            "replace: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n",
            "delete: pwdAccountLockedTime\n",
            "replace: pwdReset\npwdReset: TRUE\n",
            "replace: pwdReset\npwdReset: FALSE\n",
        ] {
            assert_eq!(hanna.change(&alice(lines)), Ok(()), "{lines}");
        }
        let admin = scene.client("cn=admin");
        for lines in [
            "replace: pwdEndTime\npwdEndTime: 20260601120000Z\n",
            "replace: pwdEndTime\npwdEndTime: 20260501120000Z\n",
            "replace: pwdEndTime\n",
            "replace: mail\nmail: a@b\n",
        ] {
            assert_eq!(admin.change(&alice(lines)), Ok(()), "{lines}");
        }
        assert_eq!(scene.events(), [
            "locked done of alice by hanna, modify",
            "unlocked done of alice by hanna, modify",
            "must-change done of alice by hanna, modify",
            "need-not-change done of alice by hanna, modify",
            "disabled done of alice by cn=admin, modify",
            "enabled done of alice by cn=admin, modify",
        ]);
    }

    /// What a bind uses up is recorded in the same change; that a password expires is told once a day.
    fn what_a_bind_uses_up_is_recorded(scene) {
        scene.policy(&[("pwdMaxAge", "864000"), ("pwdExpireWarning", "86400"), ("pwdGraceAuthNLimit", "2")]);
        scene.wait(800_000);
        for _ in 0..3 {
            scene.anonymous().bind("alice", ALICE).unwrap();
        }
        scene.settle();
        scene.wait(64_000);
        scene.anonymous().bind("alice", ALICE).unwrap();
        scene.policy(&[("pwdTemporaryMaxUses", "5")]);
        scene.client("hanna").password_modify(Some("alice"), None, Some(NEW)).unwrap();
        scene.anonymous().bind("alice", NEW).unwrap();
        let expiring = scene.recorded().into_iter().find(|one| one.event.kind == EventKind::Expiring);
        assert_eq!(expiring.unwrap().event.source, "127.0.0.1");
        assert_eq!(scene.events(), [
            "expiring done of alice by alice, bind: in 64000 seconds",
            "grace-used done of alice by alice, bind: 1 left",
            "reset done of alice by hanna, password-modify",
            "temporary-used done of alice by alice, bind: 4 left",
        ]);
    }

    /// A bind that is refused because the password has expired is recorded once a day, wherever it comes from.
    fn an_expired_password_is_recorded_when_somebody_binds_with_it(scene) {
        scene.policy(&[("pwdMaxAge", "864000")]);
        scene.wait(864_000);
        let bind = |address: &str, password: &str| {
            let client = scene.anonymous();
            client.come_from(address);
            assert_eq!(client.bind("alice", password), Err(InvalidCredentials));
        };
        bind("192.0.2.1", WRONG);
        assert_eq!(scene.events(), [""; 0]);
        for address in ["192.0.2.2", "192.0.2.2", "192.0.2.3"] {
            bind(address, ALICE);
        }
        assert_eq!(scene.events(), ["expired done of alice by alice, bind"]);
        assert_eq!(scene.recorded().last().unwrap().event.source, "192.0.2.2");
        scene.wait(86_400);
        bind("192.0.2.3", ALICE);
        assert_eq!(scene.events().len(), 2);
    }

    /// A password that is hashed anew is the same one, and is recorded as that.
    fn a_hash_that_is_made_anew_is_recorded(scene) {
        let ssha = "{SSHA}".to_owned() + &ssha(ALICE);
        scene.root().change(&alice(&format!("replace: userPassword\nuserPassword: {ssha}\n"))).unwrap();
        scene.root().change(&alice("replace: pwdReset\npwdReset: FALSE\n")).unwrap();
        later(scene).anonymous().bind("alice", ALICE).unwrap();
        assert_eq!(scene.events(), ["rehashed done of alice by alice, bind: argon2id"]);
    }

    /// Something that still sends the password before is told once a day.
    fn a_stale_device_is_recorded(scene) {
        later(scene).client("alice").password_modify(None, Some(ALICE), Some(NEW)).unwrap();
        for _ in 0..3 {
            scene.wait(600);
            assert_eq!(scene.anonymous().bind("alice", ALICE), Err(InvalidCredentials));
        }
        assert_eq!(scene.events(), [
            "changed done of alice by alice, password-modify",
            "stale-device done of alice by nobody, bind: replaced 20260601120100Z",
        ]);
    }
}

/// The rest of an `{SSHA}` hash of a password.
fn ssha(password: &str) -> String {
    use base64::Engine;
    use sha1::Digest;

    let salt = *b"salt";
    let digest = sha1::Sha1::new().chain_update(password).chain_update(salt).finalize();
    base64::engine::general_purpose::STANDARD.encode([digest.as_slice(), &salt].concat())
}
