//! How passwords are kept, by policy: `pwdHashScheme`, `pwdHashMemory`, `pwdHashPasses`, `pwdHashLanes` and
//! `pwdRehashDeadline`; and what is told of that.

use std::time::Duration;

use keystead::directory::ResultCode::{
    CompareTrue, ConstraintViolation, InsufficientAccessRights, InvalidAttributeSyntax, InvalidCredentials,
};
use keystead::directory::tree::{Directory, Tree};
use keystead::directory::{Dn, ResultCode};
use keystead::password::Account;

use crate::scene::{Scene, full, policy_control, policy_response};
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

/// A policy by which alice's hash is outdated, with a deadline so many seconds from now, or before.
fn deadline<D: Directory>(scene: &Scene<D>, seconds: i64) {
    let by = Duration::from_secs(seconds.unsigned_abs());
    let time = if seconds < 0 { scene.now().saturating_sub(by) } else { scene.now().saturating_add(by) };
    assert_eq!(add(scene, &format!("{COSTLY}\npwdRehashDeadline: {time}")), Ok(()));
}

fn state<D: Directory>(scene: &Scene<D>, name: &str) -> Vec<String> {
    scene.root().values("alice", name)
}

const COSTLY: &str = "pwdHashMemory: 8192\npwdHashPasses: 5";
const ANEW: &str = "argon2id m=8192,t=5,p=1";
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
        let weak = "(pwdScheme=ssha512)";
        assert_eq!(scene.client("cn=admin").find(weak), ["uid=alice,ou=people"]);
        assert_eq!(scene.client("cn=admin").find("(&(uid=*)(!(pwdScheme=argon2id)))"), ["uid=alice,ou=people"]);
        assert_eq!(scene.client("bob").find(weak), [""; 0]);
    }

    /// The cost is told as the scheme is, without the hash, to the same people.
    fn what_a_hash_costs_is_told_without_the_hash(scene) {
        assert_eq!((state(scene, "pwdHashCost"), state(scene, "pwdScheme")), (vec!["m=64,t=1,p=1".into()], vec!["argon2id".into()]));
        assert_eq!(add(scene, COSTLY), Ok(()));
        assert_eq!(scene.anonymous().bind("alice", ALICE), Ok(()));
        assert_eq!(state(scene, "pwdHashCost"), ["m=8192,t=5,p=1"]);
        assert_eq!(scene.client("cn=admin").find("(pwdHashCost=m=8192,*)"), ["uid=alice,ou=people"]);
        assert_eq!(scene.client("bob").find("(pwdHashCost=m=8192,*)"), [""; 0]);
        let all = scene.client("cn=admin").read("alice", &["+"]).unwrap();
        assert_eq!(all.texts("pwdHashCost"), ["m=8192,t=5,p=1"]);
        for (hash, cost) in [
            ("{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", vec![]),
            ("{CRYPT}$1$7NJkUwSS$2n7U0fCLMPpIx44W.iV/Y/", vec!["rounds=1000".to_owned()]),
        ] {
            let change = format!("dn: alice\nchangetype: modify\nreplace: userPassword\nuserPassword: {hash}\n");
            assert_eq!(scene.root().change(&change), Ok(()));
            assert_eq!(state(scene, "pwdHashCost"), cost);
        }
        assert_eq!(scene.root().values("cn=staff,ou=groups", "pwdHashCost"), [""; 0]);
    }

    /// Until the deadline, who binds has the password hashed anew and notices nothing, then or later.
    fn who_binds_before_the_deadline_keeps_the_password(scene) {
        deadline(scene, 60);
        scene.wait(59);
        assert_eq!(scene.anonymous().bind("alice", ALICE), Ok(()));
        assert_eq!(kind(scene, "alice"), ANEW);
        scene.wait(60);
        assert_eq!(scene.anonymous().bind("alice", ALICE), Ok(()));
        assert_eq!(state(scene, "pwdReset"), [""; 0]);
        assert_eq!(scene.events(), ["rehashed done of alice by alice, bind: argon2id"]);
    }

    /// From then on, the first good bind hashes the password anew and lets its owner do nothing but change it.
    fn who_binds_after_the_deadline_must_change_the_password(scene) {
        deadline(scene, 60);
        scene.wait(60);
        assert_eq!(scene.anonymous().bind("alice", "wrong"), Err(InvalidCredentials));
        assert_eq!((kind(scene, "alice"), state(scene, "pwdReset")), (USUAL.into(), Vec::new()));
        let client = scene.anonymous();
        let response = client.bind_with("alice", ALICE, &policy_control());
        assert_eq!(policy_response(&response), Some(vec![0x30, 3, 0x81, 1, 2]), "changeAfterReset");
        assert_eq!((kind(scene, "alice"), state(scene, "pwdReset")), (ANEW.into(), vec!["TRUE".into()]));
        assert_eq!(client.change("dn: alice\nchangetype: modify\nreplace: sn\nsn: x\n"), Err(InsufficientAccessRights));
        let again = scene.anonymous();
        assert_eq!(again.bind("alice", ALICE), Ok(()));
        let change = "dn: alice\nchangetype: modify\nreplace: sn\nsn: x\n";
        assert_eq!(again.change(change), Err(InsufficientAccessRights), "until it is changed");
        assert_eq!(client.password_modify(None, Some(ALICE), Some(NEW)), Ok(None));
        assert_eq!(client.find("(uid=alice)"), ["uid=alice,ou=people"]);
        assert_eq!(scene.client("bob").find("(uid=bob)"), ["uid=bob,ou=people"], "others go on");
        let told = scene.events();
        let rehashed: Vec<_> = told.iter().filter(|event| event.starts_with("rehashed")).collect();
        assert_eq!(rehashed, ["rehashed done of alice by alice, bind: argon2id, after pwdRehashDeadline"], "{told:?}");
    }

    /// To compare is no bind: it does not take the old hash away, by which the next bind is known to come too late.
    fn a_compare_does_not_get_round_the_deadline(scene) {
        deadline(scene, -1);
        assert_eq!(scene.root().compare("alice", "userPassword", ALICE), CompareTrue);
        scene.settle();
        assert_eq!((kind(scene, "alice"), state(scene, "pwdReset")), (USUAL.into(), Vec::new()));
        assert_eq!(scene.anonymous().bind("alice", ALICE), Ok(()));
        assert_eq!((kind(scene, "alice"), state(scene, "pwdReset")), (ANEW.into(), vec!["TRUE".into()]));
    }

    /// Where such binds fail by policy, this one does and writes nothing; the password can be changed without a bind.
    fn after_the_deadline_a_bind_fails_where_the_policy_says_so(scene) {
        deadline(scene, -1);
        let fail = "dn: cn=own,ou=policies\nchangetype: modify\nreplace: pwdMustChangeBind\npwdMustChangeBind: fail\n";
        assert_eq!(scene.root().change(fail), Ok(()));
        for _ in 0..2 {
            assert_eq!(scene.anonymous().bind("alice", ALICE), Err(InvalidCredentials));
            assert_eq!(kind(scene, "alice"), USUAL);
        }
        assert_eq!(scene.anonymous().password_modify(Some("alice"), Some(ALICE), Some(NEW)), Ok(None));
        assert_eq!(scene.anonymous().bind("alice", NEW), Ok(()));
    }

    /// It demands nothing that has expired from being let in again.
    fn the_deadline_opens_nothing(scene) {
        deadline(scene, -1);
        let expire = "dn: cn=own,ou=policies\nchangetype: modify\nreplace: pwdMaxAge\npwdMaxAge: 60\n";
        assert_eq!(scene.root().change(expire), Ok(()));
        scene.wait(120);
        assert_eq!(scene.anonymous().bind("alice", ALICE), Err(InvalidCredentials));
        assert_eq!((kind(scene, "alice"), state(scene, "pwdReset")), (USUAL.into(), Vec::new()));
    }

    /// A deadline is a time, and of use only where people can change their passwords. Who asks is told.
    fn a_deadline_that_nobody_could_meet_is_refused(scene) {
        assert_eq!(add(scene, "pwdRehashDeadline: soon"), Err(InvalidAttributeSyntax));
        let nobody = "pwdRehashDeadline: 20270101000000Z\npwdAllowUserChange: FALSE";
        assert_eq!(add(scene, nobody), Err(ConstraintViolation));
        assert_eq!(add(scene, "pwdRehashDeadline: 20270101000000Z"), Ok(()));
        let told = state(scene, "pwdEffectivePolicy");
        let line = format!("pwdRehashDeadline: 20270101000000Z ({})", full("cn=own,ou=policies"));
        assert!(told.contains(&line), "{told:?}");
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
