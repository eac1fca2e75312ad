//! Passwords that are publicly known (NIST SP 800-63B-4 §3.1.1.2: "passwords obtained from previous breach corpuses").

use std::sync::Arc;

use keystead::directory::ResultCode::ConstraintViolation;
use keystead::directory::tree::Directory;
use keystead::password::Secret;
use keystead::password::quality::BreachList;
use keystead::password::quality::breach::Unreadable;

use crate::scene::answer::INSUFFICIENT_QUALITY;
use crate::scene::{Scene, assert_told, policy_control};
use crate::sentences;

const ALICE: &str = "alice's password";
const LOST: &str = "lost by somebody else";

/// A list of one password, or a disk that fails.
#[derive(Debug)]
struct List(Result<&'static str, Unreadable>);

impl BreachList for List {
    fn contains(&self, password: &Secret) -> Result<bool, Unreadable> {
        self.0.map(|listed| password.expose() == listed.as_bytes())
    }

    fn edition(&self) -> u64 {
        1
    }
}

fn configure<D: Directory>(scene: &Scene<D>, list: Option<Result<&'static str, Unreadable>>) {
    scene.configure(|services| services.breached = list.map(|list| Arc::new(List(list)) as Arc<dyn BreachList>));
}

sentences! {
    /// §3.1.1.2: "verifiers SHALL compare the prospective secret against a blocklist that contains known ... compromised
    /// passwords", when it is set or changed, whoever does it; "SHALL provide the reason for rejection".
    fn a_password_that_is_publicly_known_is_refused_by_whichever_operation_it_is_set(scene) {
        configure(scene, Some(Ok(LOST)));
        let (alice, hanna) = (scene.client("alice"), scene.client("hanna"));
        let add = format!("dn: carla\nobjectClass: inetOrgPerson\ncn: x\nsn: y\nuserPassword: {LOST}\n");
        let modify = format!(
            "dn: alice\nchangetype: modify\ndelete: userPassword\nuserPassword: {ALICE}\n-\nadd: userPassword\n\
             userPassword: {LOST}\n-\n"
        );
        for response in [
            alice.password_modify_with(None, Some(ALICE), Some(LOST), &policy_control()),
            alice.change_with(&modify, &policy_control()),
            hanna.password_modify_with(Some("alice"), None, Some(LOST), &policy_control()),
            scene.root().change_with(&add, &policy_control()),
        ] {
            assert_told(&response, Err(ConstraintViolation), INSUFFICIENT_QUALITY);
            let told = response.result.diagnostic_message;
            assert_eq!(
                told,
                "The new password is in a list of passwords that are publicly known; please choose another one."
            );
        }
        assert_eq!(alice.password_modify(None, Some(ALICE), Some("nobody has lost this")), Ok(None));
    }

    /// The list is of this process and not of the directory, and each policy says whether anything is checked (§5.2.5 of
    /// the draft).
    fn a_policy_that_checks_nothing_lets_it_pass(scene) {
        configure(scene, Some(Ok(LOST)));
        scene.policy(&[("pwdQualityProfile", "none")]);
        let alice = scene.client("alice");
        assert_eq!(alice.password_modify(None, Some(ALICE), Some(LOST)), Err(ConstraintViolation));
        scene.policy(&[("pwdCheckQuality", "0")]);
        assert_eq!(alice.password_modify(None, Some(ALICE), Some(LOST)), Ok(None));
    }

    /// Another list is in force at once, and so is none.
    fn a_list_holds_from_the_moment_that_it_is_configured(scene) {
        let alice = scene.client("alice");
        assert_eq!(alice.password_modify(None, Some(ALICE), Some(LOST)), Ok(None));
        configure(scene, Some(Ok(ALICE)));
        scene.policy(&[("pwdInHistory", "0")]);
        assert_eq!(alice.password_modify(None, Some(LOST), Some(ALICE)), Err(ConstraintViolation));
        configure(scene, None);
        assert_eq!(alice.password_modify(None, Some(LOST), Some(ALICE)), Ok(None));
    }

    /// Whoever has configured a list relies on it: where it cannot be read, no password is set, and binds go on.
    fn where_the_list_cannot_be_read_no_password_is_set(scene) {
        configure(scene, Some(Err(Unreadable)));
        let refused = scene.client("alice").password_modify_with(None, Some(ALICE), Some("a good one, surely"), &[]);
        assert_told(&refused, Err(ConstraintViolation), b"");
        assert!(refused.result.diagnostic_message.contains("please try again later"));
        assert_eq!(scene.anonymous().bind("alice", ALICE), Ok(()));
    }
}
