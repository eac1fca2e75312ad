//! A lock that others have brought about does not keep the owner out, where they log in from (`pwdKnownSourceMaxAge`).

use keystead::directory::ResultCode::InvalidCredentials;
use keystead::directory::tree::Directory;
use keystead::password::meter::TRIES_OF_KNOWN_SOURCES;
use keystead::protocol::Response;

use crate::scene::answer::{LOCKED, NOTHING};
use crate::scene::client::Client;
use crate::scene::{Scene, assert_told, policy_control};
use crate::sentences;

const ALICE: &str = "alice's password";
const HOME: &str = "10.2.3.4";
const ELSEWHERE: &str = "192.0.2.66";

fn at<'s, D: Directory>(scene: &'s Scene<D>, address: &str) -> Client<'s, D> {
    let client = scene.anonymous();
    client.come_from(address);
    client
}

fn bind<D: Directory>(scene: &Scene<D>, address: &str, password: &str) -> Response {
    at(scene, address).bind_with("alice", password, &policy_control())
}

/// Somebody elsewhere locks alice out, who was at home a moment ago.
fn attack<D: Directory>(scene: &Scene<D>) {
    scene.policy(&[("pwdKnownSourceMaxAge", "604800")]);
    assert_told(&bind(scene, HOME, ALICE), Ok(()), NOTHING);
    for number in 0..3 {
        bind(scene, ELSEWHERE, &format!("guess {number}"));
    }
    assert_told(&bind(scene, ELSEWHERE, ALICE), Err(InvalidCredentials), LOCKED);
}

sentences! {
    /// draft-behera §7.1: a lock holds for everybody, unless a policy says otherwise.
    fn it_is_off_by_default(scene) {
        assert_told(&bind(scene, HOME, ALICE), Ok(()), NOTHING);
        for number in 0..3 {
            bind(scene, ELSEWHERE, &format!("guess {number}"));
        }
        assert_told(&bind(scene, HOME, ALICE), Err(InvalidCredentials), LOCKED);
    }

    /// Who was let in from there lately goes on working; the lock stays, for whoever is elsewhere.
    fn the_owner_gets_in_from_where_they_were_lately(scene) {
        attack(scene);
        for _ in 0..5 {
            assert_told(&bind(scene, HOME, ALICE), Ok(()), NOTHING);
            assert_told(&bind(scene, ELSEWHERE, ALICE), Err(InvalidCredentials), LOCKED);
        }
        assert_eq!(scene.root().values("alice", "pwdAccountLockedTime"), ["20260601120000Z"]);
        assert_eq!(scene.root().values("alice", "pwdFailureTime").len(), 3);
    }

    /// The lock keeps a few guesses from there as well, until the right password comes.
    fn a_known_source_has_few_tries_of_its_own(scene) {
        attack(scene);
        for number in 1..TRIES_OF_KNOWN_SOURCES {
            assert_told(&bind(scene, HOME, &format!("own {number}")), Err(InvalidCredentials), NOTHING);
        }
        assert_told(&bind(scene, HOME, ALICE), Ok(()), NOTHING);
        for number in 0..TRIES_OF_KNOWN_SOURCES {
            assert_told(&bind(scene, HOME, &format!("again {number}")), Err(InvalidCredentials), NOTHING);
        }
        assert_told(&bind(scene, HOME, ALICE), Err(InvalidCredentials), LOCKED);
        scene.wait(900);
        assert_told(&bind(scene, HOME, ALICE), Ok(()), NOTHING);
    }

    /// An attack that goes on for days never becomes the lock for ever that a hundred guesses in a row are, while the owner
    /// logs in.
    fn an_attack_that_goes_on_does_not_lock_the_owner_out_for_ever(scene) {
        attack(scene);
        for round in 0..60 {
            scene.wait(900);
            for number in 0..3 {
                bind(scene, ELSEWHERE, &format!("guess {round} {number}"));
            }
            assert_told(&bind(scene, HOME, ALICE), Ok(()), NOTHING);
        }
    }

    /// It is the address that counts, for as long as the policy says and for the password of today; an IPv6 network counts as
    /// one.
    fn a_source_is_known_for_a_time_and_for_one_password(scene) {
        attack(scene);
        scene.policy(&[("pwdLockoutDuration", "0")]);
        scene.wait(604_800);
        assert_told(&bind(scene, HOME, ALICE), Ok(()), NOTHING);
        scene.wait(604_801);
        assert_told(&bind(scene, HOME, ALICE), Err(InvalidCredentials), LOCKED);
    }

    /// Whoever knew the password before is no longer known by it.
    fn a_new_password_makes_sources_unknown(scene) {
        attack(scene);
        scene.wait(1);
        scene.policy(&[("pwdMustChange", "FALSE")]);
        let reset = "dn: alice\nchangetype: modify\nreplace: userPassword\nuserPassword: a much better secret\n-\n";
        assert_eq!(scene.client("hanna").change(reset), Ok(()));
        for number in 0..3 {
            bind(scene, ELSEWHERE, &format!("guess {number}"));
        }
        assert_told(&bind(scene, HOME, "a much better secret"), Err(InvalidCredentials), LOCKED);
    }

    /// Where the last good bind came from is in the credentials, and so it outlives the process.
    fn the_last_source_is_known_after_a_restart(scene) {
        attack(scene);
        scene.restart();
        assert_told(&bind(scene, ELSEWHERE, ALICE), Err(InvalidCredentials), LOCKED);
        assert_told(&bind(scene, HOME, ALICE), Ok(()), NOTHING);
    }

    /// A lock that an administrator has made holds for everybody, as does the time in which an account may be used.
    fn what_an_administrator_has_closed_is_closed(scene) {
        attack(scene);
        let end = "dn: alice\nchangetype: modify\nreplace: pwdEndTime\npwdEndTime: 20260601120000Z\n-\n";
        assert_eq!(scene.root().change(end), Ok(()));
        assert_told(&bind(scene, HOME, ALICE), Err(InvalidCredentials), LOCKED);
        assert_eq!(scene.root().change("dn: alice\nchangetype: modify\ndelete: pwdEndTime\n-\n"), Ok(()));
        assert_told(&bind(scene, HOME, ALICE), Ok(()), NOTHING);
        let lock = "dn: alice\nchangetype: modify\nreplace: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n-\n";
        assert_eq!(scene.root().change(lock), Ok(()));
        assert_told(&bind(scene, HOME, ALICE), Err(InvalidCredentials), LOCKED);
    }

    /// Changing an expired password without a bind is a try like any other.
    fn an_expired_password_is_changed_from_a_known_source(scene) {
        attack(scene);
        let change = |address: &str| {
            at(scene, address).password_modify(Some("alice"), Some(ALICE), Some("a much better secret"))
        };
        assert_eq!(change(ELSEWHERE), Err(InvalidCredentials));
        assert!(change(HOME).is_ok());
        // By that the lock has ended, and whoever has guessed the password before is as far as they were.
        assert_told(&bind(scene, ELSEWHERE, "a much better secret"), Ok(()), NOTHING);
    }

    /// What a bind uses up is used up, and the lock is not opened by writing that down.
    fn a_grace_bind_despite_a_lock_leaves_the_lock(scene) {
        scene.policy(&[("pwdMaxAge", "60"), ("pwdGraceAuthNLimit", "5")]);
        attack(scene);
        scene.wait(61);
        assert!(bind(scene, HOME, ALICE).result.code == keystead::directory::ResultCode::Success);
        assert_eq!(scene.root().values("alice", "pwdGraceUseTime").len(), 1);
        assert_eq!(scene.root().values("alice", "pwdAccountLockedTime").len(), 1);
        assert_told(&bind(scene, ELSEWHERE, ALICE), Err(InvalidCredentials), LOCKED);
        scene.restart();
        assert_told(&bind(scene, ELSEWHERE, ALICE), Err(InvalidCredentials), LOCKED);
    }
}
