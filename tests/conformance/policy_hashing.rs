//! How passwords are kept, by policy: `pwdHashScheme`, `pwdHashMemory`, `pwdHashPasses` and `pwdHashLanes`.

use keystead::directory::ResultCode::{ConstraintViolation, InvalidCredentials};
use keystead::directory::tree::{Directory, Tree};
use keystead::directory::{Dn, ResultCode};
use keystead::password::Account;

use crate::scene::{Scene, full};
use crate::sentences;

const ALICE: &str = "alice's password";
const NEW: &str = "a much better secret";

/// A policy for alice and nobody else.
fn add<D: Directory>(scene: &Scene<D>, lines: &str) -> Result<(), ResultCode> {
    scene.root().change(&format!(
        "dn: cn=own,ou=policies\nobjectClass: namedPolicy\nobjectClass: pwdPolicy\nobjectClass: keysteadPolicy\n\
         cn: own\npwdAttribute: userPassword\npwdAppliesToFilter: (uid=alice)\n{lines}\n"
    ))
}

/// Scheme and cost of somebody's password.
fn kind<D: Directory>(scene: &Scene<D>, name: &str) -> String {
    let view = scene.directory.view();
    let id = view.find(&Dn::parse(view.schema(), &full(name)).unwrap()).unwrap().entry().unwrap();
    let account = Account::read(view.credentials(id).unwrap().as_ref(), view.schema());
    account.password.unwrap().kind()
}

fn change<D: Directory>(scene: &Scene<D>, name: &str, old: &str, new: &str) {
    assert_eq!(scene.client(name).password_modify(None, Some(old), Some(new)), Ok(None));
}

const USUAL: &str = "argon2id m=64,t=1,p=1";

sentences! {
    /// New passwords of those whom the policy governs are kept as it says, and those of others as the server has it.
    fn new_passwords_are_kept_as_the_policy_says(scene) {
        assert_eq!(add(scene, "pwdHashMemory: 8192\npwdHashPasses: 5"), Ok(()));
        change(scene, "alice", ALICE, NEW);
        change(scene, "bob", "bob's password", NEW);
        assert_eq!((kind(scene, "alice"), kind(scene, "bob")), ("argon2id m=8192,t=5,p=1".into(), USUAL.into()));
        assert_eq!(scene.anonymous().bind("alice", NEW), Ok(()));
        assert_eq!(scene.anonymous().bind("alice", ALICE), Err(InvalidCredentials));
    }

    /// A good bind hashes a password anew that is kept otherwise; the time of its change stays.
    fn a_good_bind_hashes_as_the_policy_says(scene) {
        assert_eq!(add(scene, "pwdHashScheme: argon2id\npwdHashMemory: 8192\npwdHashPasses: 5"), Ok(()));
        let changed = scene.root().values("alice", "pwdChangedTime");
        assert_eq!(scene.anonymous().bind("alice", "wrong"), Err(InvalidCredentials));
        assert_eq!(kind(scene, "alice"), USUAL);
        scene.wait(60);
        assert_eq!(scene.anonymous().bind("alice", ALICE), Ok(()));
        assert_eq!(kind(scene, "alice"), "argon2id m=8192,t=5,p=1");
        assert_eq!(scene.root().values("alice", "pwdChangedTime"), changed);
        assert_eq!(scene.anonymous().bind("alice", ALICE), Ok(()));
    }

    /// Old applications that read hashes get what they need; a password that is kept better stays as it is.
    fn a_weaker_scheme_is_for_new_passwords_alone(scene) {
        assert_eq!(add(scene, "pwdHashScheme: ssha512"), Ok(()));
        assert_eq!(scene.anonymous().bind("alice", ALICE), Ok(()));
        assert_eq!(kind(scene, "alice"), USUAL);
        change(scene, "alice", ALICE, NEW);
        assert_eq!(kind(scene, "alice"), "ssha512");
        assert_eq!(scene.anonymous().bind("alice", NEW), Ok(()));
        assert_eq!(kind(scene, "alice"), "ssha512");
        let told = scene.root().values("alice", "pwdEffectivePolicy");
        assert!(told.iter().any(|line| line.starts_with("pwdHashScheme: ssha512 (cn=own")), "{told:?}");
    }

    /// The scheme can be searched for by whoever may search the state of passwords, and by nobody else.
    fn who_is_kept_by_which_scheme_can_be_searched_for(scene) {
        assert_eq!(add(scene, "pwdHashScheme: ssha512"), Ok(()));
        change(scene, "alice", ALICE, NEW);
        let weak = "(pwdScheme=salted-digest)";
        assert_eq!(scene.client("cn=admin").find(weak), ["uid=alice,ou=people"]);
        assert_eq!(scene.client("cn=admin").find("(&(uid=*)(!(pwdScheme=argon2)))"), ["uid=alice,ou=people"]);
        assert_eq!(scene.client("bob").find(weak), [""; 0]);
    }

    /// A cost is bounded both ways, and a scheme must be one that is made here.
    fn a_cost_out_of_bounds_is_refused(scene) {
        for lines in [
            "pwdHashMemory: 64",
            "pwdHashMemory: 1000000",
            "pwdHashPasses: 1000",
            "pwdHashScheme: md5",
            "pwdHashScheme: ssha\npwdHashLanes: 2",
        ] {
            assert_eq!(add(scene, lines), Err(ConstraintViolation), "{lines}");
        }
    }
}
