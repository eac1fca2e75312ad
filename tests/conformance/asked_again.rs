//! The same change again, a moment later: whoever did not hear the answer is told success, and nothing is changed (issue C, 10).

use keystead::directory::ResultCode;
use keystead::directory::ResultCode::{ConstraintViolation, InsufficientAccessRights, InvalidCredentials};
use keystead::directory::tree::Directory;
use keystead::protocol::oid;

use crate::scene::answer::critical;
use crate::scene::{Client, Scene, result};
use crate::sentences;

const ALICE: &str = "alice's password";
const NEW: &str = "a much better secret";
const OTHER: &str = "another good secret";

/// A way to change one's own password.
type Way<D> = fn(&Scene<D>, &str, &str) -> Result<(), ResultCode>;

fn by_password_modify<D: Directory>(scene: &Scene<D>, old: &str, new: &str) -> Result<(), ResultCode> {
    scene.client("alice").password_modify(None, Some(old), Some(new)).map(drop)
}

fn by_modify<D: Directory>(scene: &Scene<D>, old: &str, new: &str) -> Result<(), ResultCode> {
    let change = format!("delete: userPassword\nuserPassword: {old}\n-\nadd: userPassword\nuserPassword: {new}\n-\n");
    scene.client("alice").change(&format!("dn: alice\nchangetype: modify\n{change}"))
}

fn unbound<D: Directory>(scene: &Scene<D>, old: &str, new: &str) -> Result<(), ResultCode> {
    scene.anonymous().password_modify(Some("alice"), Some(old), Some(new)).map(drop)
}

fn ways<D: Directory>() -> [Way<D>; 3] {
    [by_password_modify, by_modify, unbound]
}

/// Everything that a change leaves behind.
fn state<D: Directory>(scene: &Scene<D>) -> Vec<Vec<String>> {
    let root = scene.root();
    let names = ["pwdChangedTime", "pwdLedger", "modifyTimestamp", "entryCSN", "pwdFailureTime", "pwdStaleSource"];
    let mut state: Vec<Vec<String>> = names.map(|name| root.values("alice", name)).to_vec();
    // Also what is noted and waits to be written: whoever asks again is no device that knows no better.
    state.push(scene.events());
    state
}

fn reset<D: Directory>(client: &Client<'_, D>, new: &str) -> Result<(), ResultCode> {
    client.password_modify(Some("alice"), None, Some(new)).map(drop)
}

sentences! {
    /// By every way, also one after another: the answer is success, the password is the new one, and nothing is written.
    fn a_change_that_is_asked_for_again_is_a_success(scene) {
        scene.policy(&[("pwdInHistory", "3"), ("pwdMinAge", "3600")]);
        for (first, number) in ways().into_iter().zip(0..) {
            let (old, new) = (if number == 0 { ALICE.to_owned() } else { format!("{NEW} {}", number - 1) }, format!("{NEW} {number}"));
            scene.wait(4_000);
            assert_eq!(first(scene, &old, &new), Ok(()));
            let before = state(scene);
            scene.wait(59);
            for again in ways() {
                assert_eq!(again(scene, &old, &new), Ok(()));
            }
            assert_eq!(state(scene), before);
            assert_eq!(scene.anonymous().bind("alice", &new), Ok(()));
        }
    }

    /// Only for a minute, and only for the same change.
    fn another_change_or_a_later_one_is_what_it_is(scene) {
        for way in ways() {
            assert_eq!(way(scene, ALICE, NEW), Ok(()));
            assert_eq!(way(scene, ALICE, OTHER), Err(InvalidCredentials));
            assert_eq!(way(scene, "a wrong password", NEW), Err(InvalidCredentials));
            scene.wait(60);
            assert_eq!(way(scene, ALICE, NEW), Err(InvalidCredentials));
            scene.policy(&[("pwdInHistory", "")]);
            assert_eq!(way(scene, NEW, ALICE), Ok(()));
            scene.wait(60);
            scene.policy(&[("pwdInHistory", "2")]);
        }
        assert_eq!(by_password_modify(scene, ALICE, ALICE), Err(ConstraintViolation));
    }

    /// Whoever guesses the new password by this is counted.
    fn a_guess_at_the_new_password_is_counted(scene) {
        scene.wait(60);
        assert_eq!(by_password_modify(scene, ALICE, NEW), Ok(()));
        for number in 0..3 {
            assert_eq!(unbound(scene, ALICE, &format!("guess number {number}")), Err(InvalidCredentials));
        }
        assert_eq!(scene.anonymous().bind("alice", NEW), Err(InvalidCredentials));
        let locked = "locked done of alice by nobody, password-modify: 3 wrong passwords".to_owned();
        assert!(scene.events().contains(&locked), "{:?}", scene.events());
    }

    /// Where the policy remembers no password, the new one alone proves it.
    fn without_a_history_it_is_the_same(scene) {
        scene.policy(&[("pwdInHistory", "")]);
        for way in ways() {
            scene.wait(60);
            assert_eq!(way(scene, ALICE, NEW), Ok(()));
            assert_eq!(way(scene, ALICE, NEW), Ok(()));
            assert_eq!(way(scene, ALICE, OTHER), Err(InvalidCredentials));
            scene.wait(60);
            assert_eq!(way(scene, NEW, ALICE), Ok(()));
        }
    }

    /// The same identity: what somebody else has set a moment ago was not asked for by the owner, nor the reverse.
    fn only_whoever_has_made_the_change_asks_again(scene) {
        scene.policy(&[("pwdMustChange", "FALSE"), ("pwdInHistory", "3")]);
        let (hanna, henry) = (scene.client("hanna"), scene.client("cn=admin"));
        assert_eq!(reset(&hanna, NEW), Ok(()));
        let before = state(scene);
        assert_eq!(by_password_modify(scene, ALICE, NEW), Err(InvalidCredentials));
        assert_eq!(reset(&hanna, NEW), Ok(()));
        let entry = |state: Vec<Vec<String>>| state.into_iter().take(4).collect::<Vec<_>>();
        assert_eq!(entry(state(scene)), entry(before));
        assert_eq!(reset(&henry, NEW), Err(ConstraintViolation));
        assert_eq!(reset(&hanna, OTHER), Ok(()));
        assert_eq!(by_password_modify(scene, OTHER, "yet another secret"), Ok(()));
        assert_eq!(reset(&hanna, "yet another secret"), Err(ConstraintViolation));
    }

    /// A reset with another reason or other options is another one: it is done as it says, or refused as any would be.
    fn a_reset_with_other_options_is_another_reset(scene) {
        scene.policy(&[("pwdTemporaryMaxAge", "86400"), ("pwdInHistory", "3")]);
        scene.wait(60);
        let hanna = scene.client("hanna");
        let reset = |options: &str, reason: &str| {
            let mut controls = vec![critical(oid::RESET_OPTIONS, Some(options.as_bytes()))];
            controls.extend((!reason.is_empty()).then(|| critical(oid::PASSWORD_REASON, Some(reason.as_bytes()))));
            result(&hanna.password_modify_with(Some("alice"), None, Some(NEW), &controls))
        };
        let options = "lifetime=3600 uses=2";
        assert_eq!(reset(options, "forgotten"), Ok(()));
        let before = state(scene);
        scene.wait(30);
        // In other words it is the same, and life goes on meanwhile.
        assert_eq!(scene.anonymous().bind("alice", NEW), Ok(()));
        let uses = || scene.root().values("alice", "pwdTemporaryUses");
        assert_eq!((reset("uses=2 lifetime=3600", "forgotten"), uses()), (Ok(()), vec!["1".to_owned()]));
        let of_entry = |state: Vec<Vec<String>>| state.into_iter().take(4).collect::<Vec<_>>();
        assert_eq!(of_entry(state(scene)), of_entry(before));
        for (options, reason) in [
            (options, "another ticket"),
            (options, ""),
            ("lifetime=3600", "forgotten"),
            ("lifetime=60 uses=2", "forgotten"),
            ("lifetime=3600 uses=2 must-change", "forgotten"),
            ("need-not-change", "forgotten"),
            ("valid-from=20260601130000Z lifetime=3600 uses=2", "forgotten"),
            ("", "forgotten"),
        ] {
            assert_eq!(reset(options, reason), Err(ConstraintViolation), "{options:?} {reason:?}");
        }
        assert_eq!(hanna.password_modify(Some("alice"), None, Some(NEW)), Err(ConstraintViolation));
        // Where nothing is in its way it is done, and not only said to be.
        scene.policy(&[("pwdInHistory", "")]);
        assert_eq!(reset("need-not-change", "forgotten"), Ok(()));
        assert_eq!(scene.root().values("alice", "pwdReset"), [""; 0]);
        assert_eq!(reset("must-change", "forgotten"), Ok(()));
        assert_eq!(scene.root().values("alice", "pwdReset"), ["TRUE"]);
        let told = scene.events();
        assert!(told.iter().any(|event| event.ends_with(": forgotten, lifetime=3600 uses=2")), "{told:?}");
    }

    /// What must be given must be given the second time as well.
    fn the_old_password_is_needed_again(scene) {
        scene.policy(&[("pwdSafeModify", "TRUE")]);
        assert_eq!(by_password_modify(scene, ALICE, NEW), Ok(()));
        let without = scene.client("alice").password_modify(None, None, Some(NEW));
        assert_eq!(without, Err(InsufficientAccessRights));
    }
}
