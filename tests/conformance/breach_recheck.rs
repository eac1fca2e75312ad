//! A good bind shows the password: it is looked up again when the lists of known ones are newer (`pwdBreachAction`).

use std::sync::Arc;

use keystead::directory::ResultCode::{ConstraintViolation, InsufficientAccessRights, InvalidCredentials};
use keystead::directory::tree::Directory;
use keystead::password::Secret;
use keystead::password::quality::BreachList;
use keystead::password::quality::breach::Unreadable;

use crate::scene::{Scene, policy_control, policy_response};
use crate::sentences;

const ALICE: &str = "alice's password";
const NEW: &str = "a much better secret";

/// A list that has an edition and one password; without one, it cannot be read.
#[derive(Debug)]
struct List(u64, Option<&'static str>);

impl BreachList for List {
    fn contains(&self, password: &Secret) -> Result<bool, Unreadable> {
        self.1.map(|listed| password.expose() == listed.as_bytes()).ok_or(Unreadable)
    }

    fn edition(&self) -> u64 {
        self.0
    }
}

fn list<D: Directory>(scene: &Scene<D>, edition: u64, listed: Option<&'static str>) {
    scene.configure(|services| services.breached = Some(Arc::new(List(edition, listed))));
}

fn checked<D: Directory>(scene: &Scene<D>) -> Vec<String> {
    scene.root().values("alice", "pwdCheckedAgainst")
}

const KNOWN: [&str; 1] = ["cn=default,ou=policies uid=alice,ou=people: known: breached"];

sentences! {
    /// `none`, which holds where nothing is said: a password in use is not looked up, and nothing is written.
    fn nobody_looks_where_the_policy_does_not_ask(scene) {
        list(scene, 1, Some(ALICE));
        assert_eq!(scene.anonymous().bind("alice", ALICE), Ok(()));
        assert_eq!((scene.reported(), checked(scene)), (Vec::new(), Vec::new()));
    }

    /// `notify`: it is told once for each list, and the person goes on.
    fn a_known_password_is_told_of_once_for_each_list(scene) {
        scene.policy(&[("pwdBreachAction", "notify")]);
        list(scene, 1, Some(NEW));
        assert_eq!(scene.anonymous().bind("alice", ALICE), Ok(()));
        assert_eq!(scene.reported(), [""; 0]);
        let first = checked(scene);
        assert_eq!(first.len(), 1);
        list(scene, 2, Some(ALICE));
        for told in [&KNOWN[..], &[]] {
            assert_eq!(scene.anonymous().bind("alice", ALICE), Ok(()));
            assert_eq!(scene.reported(), told);
        }
        assert_ne!(checked(scene), first);
        assert_eq!(scene.client("alice").find("(uid=alice)"), ["uid=alice,ou=people"]);
        list(scene, 3, Some(ALICE));
        assert_eq!(scene.anonymous().bind("alice", "wrong"), Err(InvalidCredentials));
        assert_eq!(scene.reported(), [""; 0], "only a good bind shows a password");
        assert_eq!(scene.anonymous().bind("alice", ALICE), Ok(()));
        assert_eq!(scene.reported(), KNOWN);
    }

    /// `must-change`: the connection may only change the password, as after a reset, and so may later ones until that is done.
    fn a_known_password_must_be_changed(scene) {
        scene.policy(&[("pwdBreachAction", "must-change")]);
        list(scene, 1, Some(ALICE));
        let client = scene.anonymous();
        let response = client.bind_with("alice", ALICE, &policy_control());
        assert_eq!(policy_response(&response), Some(vec![0x30, 3, 0x81, 1, 2]), "changeAfterReset");
        assert_eq!(client.change("dn: alice\nchangetype: modify\nreplace: sn\nsn: x\n"), Err(InsufficientAccessRights));
        assert_eq!(scene.root().values("alice", "pwdReset"), ["TRUE"]);
        assert_eq!(client.password_modify(None, Some(ALICE), Some(ALICE)), Err(ConstraintViolation));
        assert_eq!(client.password_modify(None, Some(ALICE), Some(NEW)), Ok(None));
        assert_eq!(client.find("(uid=alice)"), ["uid=alice,ou=people"]);
        assert_eq!(scene.root().values("alice", "pwdReset"), [""; 0]);
        scene.reported();
        assert_eq!(scene.anonymous().bind("alice", NEW), Ok(()));
        assert_eq!(scene.reported(), [""; 0]);
    }

    /// Where such binds fail by policy, this one does, too.
    fn a_known_password_fails_where_the_policy_says_so(scene) {
        scene.policy(&[("pwdBreachAction", "must-change"), ("pwdMustChangeBind", "fail")]);
        list(scene, 1, Some(ALICE));
        assert_eq!(scene.anonymous().bind("alice", ALICE), Err(InvalidCredentials));
        assert_eq!(scene.anonymous().password_modify(Some("alice"), Some(ALICE), Some(NEW)), Ok(None));
        assert_eq!(scene.anonymous().bind("alice", NEW), Ok(()));
    }

    /// Words of the organization are a list as well, and a new one has passwords looked up again.
    fn words_of_the_organization_are_a_list_too(scene) {
        scene.policy(&[("pwdBreachAction", "notify")]);
        assert_eq!(scene.anonymous().bind("alice", ALICE), Ok(()));
        assert_eq!(scene.reported(), [""; 0]);
        scene.policy(&[("pwdForbiddenWord", "alice's password")]);
        assert_eq!(scene.anonymous().bind("alice", ALICE), Ok(()));
        assert_eq!(scene.reported(), ["cn=default,ou=policies uid=alice,ou=people: known: forbidden-word"]);
    }

    /// A list that cannot be read shuts nobody out who is in: it is looked again at the next bind.
    fn a_list_that_cannot_be_read_is_tried_again(scene) {
        scene.policy(&[("pwdBreachAction", "must-change")]);
        list(scene, 1, None);
        assert_eq!(scene.anonymous().bind("alice", ALICE), Ok(()));
        assert_eq!(checked(scene), [""; 0]);
        list(scene, 1, Some(NEW));
        assert_eq!(scene.anonymous().bind("alice", ALICE), Ok(()));
        assert_eq!(checked(scene).len(), 1);
    }
}
