//! What is told of the end of passwords to those who never bind (`pwdExpireNotice`): each distance once, and the end once.

use keystead::directory::ResultCode::{ConstraintViolation, InvalidAttributeSyntax, InvalidCredentials};
use keystead::directory::tree::Directory;

use crate::scene::{Scene, full};
use crate::sentences;

const ALICE: &str = "alice's password";
const NEW: &str = "a much better secret";
const DAY: u64 = 86_400;
const NOTICES: [&str; 3] = ["1209600", "259200", "86400"];

fn alice(lines: &str) -> String {
    format!("dn: alice\nchangetype: modify\n{lines}-\n")
}

/// A policy for alice alone: 90 days, and notice before the end.
fn give_notice<D: Directory>(scene: &Scene<D>, notices: &[&str], more: &str) {
    let notices = notices.iter().map(|seconds| format!("pwdExpireNotice: {seconds}\n")).collect::<Vec<_>>().concat();
    let policy = format!(
        "dn: cn=own,ou=policies\nobjectClass: namedPolicy\nobjectClass: pwdPolicy\nobjectClass: keysteadPolicy\ncn: own\n\
         pwdAttribute: userPassword\npwdAppliesToFilter: (uid=alice)\npwdMaxAge: 7776000\n{notices}{more}"
    );
    assert_eq!(scene.root().change(&policy), Ok(()));
}

/// Changes that policy.
fn amend<D: Directory>(scene: &Scene<D>, lines: &str) {
    let change = format!("dn: cn=own,ou=policies\nchangetype: modify\n{lines}-\n");
    assert_eq!(scene.root().change(&change), Ok(()));
}

/// Lets days pass, six hours at a time, with a restart now and then.
fn live<D: Directory>(scene: &Scene<D>, days: u64) {
    for quarter in 0..4 * days {
        scene.sweep();
        if quarter % 7 == 0 {
            scene.restart();
        }
        scene.wait(DAY / 4);
    }
    scene.sweep();
}

/// What was told of ends since, without the time that it names.
fn told<D: Directory>(scene: &Scene<D>) -> Vec<String> {
    let events = scene.events();
    let of_time = events.iter().filter(|event| event.contains(", time: "));
    of_time.map(|event| event.split(" of alice by nobody, time: ").collect::<Vec<_>>().join(": ")).collect()
}

sentences! {
    /// Each distance and the end are told once, whatever is restarted meanwhile; of nobody else anything is.
    fn each_distance_and_the_end_are_told_once(scene) {
        give_notice(scene, &NOTICES, "");
        live(scene, 120);
        let end = "on 20260830120000Z";
        assert_eq!(told(scene), [
            format!("expiring done: in 1209600 seconds, {end}; pwdExpireNotice: 1209600"),
            format!("expiring done: in 259200 seconds, {end}; pwdExpireNotice: 259200"),
            format!("expiring done: in 86400 seconds, {end}; pwdExpireNotice: 86400"),
            format!("expired done: {end}"),
        ]);
        let last = scene.recorded().pop().unwrap().event;
        assert_eq!((last.target, last.policy), (full("alice"), full("cn=own,ou=policies")));
        assert_eq!((last.actor, last.source, last.uuid), (String::new(), String::new(), scene.client("alice").identity().uuid().unwrap()));
        assert_eq!(scene.client("hanna").values("alice", "pwdExpireNoticed"), ["20260830120000Z#0"]);
        assert_eq!(scene.client("bob").values("alice", "pwdExpireNoticed"), [""; 0]);
    }

    /// Where nobody has looked for long, the nearest distance is told and those before are not.
    fn who_comes_within_several_at_once_is_told_of_the_nearest(scene) {
        give_notice(scene, &NOTICES, "");
        scene.wait(88 * DAY);
        scene.sweep();
        scene.sweep();
        assert_eq!(told(scene), ["expiring done: in 172800 seconds, on 20260830120000Z; pwdExpireNotice: 259200"]);
        scene.wait(400 * DAY);
        live(scene, 2);
        assert_eq!(told(scene).split_off(1), ["expired done: on 20260830120000Z"]);
    }

    /// A new password has an end of its own.
    fn a_new_password_is_told_of_anew(scene) {
        give_notice(scene, &["86400"], "");
        live(scene, 90);
        scene.client("alice").password_modify(None, Some(ALICE), Some(NEW)).unwrap();
        assert_eq!(scene.root().values("alice", "pwdExpireNoticed"), [""; 0]);
        live(scene, 95);
        let kinds: Vec<String> = told(scene).iter().map(|line| line.split(": ").next().unwrap().to_owned()).collect();
        assert_eq!(kinds, ["expiring done", "expired done", "expiring done", "expired done"]);
    }

    /// So has one whose policy is another.
    fn an_end_that_the_policy_has_moved_is_told_of(scene) {
        give_notice(scene, &["86400"], "");
        live(scene, 89);
        amend(scene, "replace: pwdMaxAge\npwdMaxAge: 8640000\n");
        live(scene, 12);
        assert_eq!(told(scene), [
            "expiring done: in 86400 seconds, on 20260830120000Z; pwdExpireNotice: 86400",
            "expiring done: in 86400 seconds, on 20260909120000Z; pwdExpireNotice: 86400",
            "expired done: on 20260909120000Z",
        ]);
    }

    /// Never of accounts that are disabled, are locked by hand or have no password; and once they are open, of what is due then.
    fn of_accounts_that_nobody_can_log_in_to_nothing_is_told(scene) {
        give_notice(scene, &NOTICES, "");
        scene.wait(80 * DAY);
        for (close, open) in [
            ("replace: pwdEndTime\npwdEndTime: 20260701000000Z\n", "delete: pwdEndTime\n"),
            ("replace: pwdStartTime\npwdStartTime: 20300101000000Z\n", "delete: pwdStartTime\n"),
            ("replace: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n", "delete: pwdAccountLockedTime\n"),
            ("replace: pwdReset\npwdReset: TRUE\n", "replace: pwdReset\npwdReset: FALSE\n"),
        ] {
            assert_eq!(scene.root().change(&alice(close)), Ok(()), "{close}");
            scene.sweep();
            assert_eq!(told(scene), [""; 0], "{close}");
            assert_eq!(scene.root().change(&alice(open)), Ok(()), "{open}");
        }
        scene.sweep();
        assert_eq!(told(scene), ["expiring done: in 864000 seconds, on 20260830120000Z; pwdExpireNotice: 1209600"]);
        scene.root().change(&alice("delete: userPassword\n")).unwrap();
        live(scene, 12);
        assert_eq!(told(scene).len(), 1);
    }

    /// An account that was not used for so long that it is locked is told of nothing either.
    fn of_an_idle_account_nothing_is_told(scene) {
        give_notice(scene, &["86400"], "pwdMaxIdle: 864000\n");
        live(scene, 95);
        assert_eq!(told(scene), [""; 0]);
    }

    /// `0` has the end told alone; without the attribute nothing is, nor by a policy that is only tried out.
    fn only_what_the_policy_asks_for_is_told(scene) {
        give_notice(scene, &[], "");
        live(scene, 95);
        assert_eq!((told(scene), scene.root().values("alice", "pwdExpireNoticed")), (Vec::new(), Vec::new()));
        amend(scene, "add: pwdExpireNotice\npwdExpireNotice: 0\n-\nadd: pwdReportOnly\npwdReportOnly: TRUE\n");
        scene.sweep();
        assert_eq!(told(scene), [""; 0]);
        amend(scene, "delete: pwdReportOnly\n");
        scene.sweep();
        assert_eq!(told(scene), ["expired done: on 20260830120000Z"]);
    }

    /// What the meter has counted is not lost by it: the next wrong password is the third.
    fn wrong_passwords_count_as_before(scene) {
        give_notice(scene, &["86400"], "pwdLockout: TRUE\npwdMaxFailure: 3\n");
        scene.wait(89 * DAY);
        let bind = |password: &str| scene.anonymous().bind("alice", password);
        // One is written, the other is not yet.
        assert_eq!(bind("guess 1"), Err(InvalidCredentials));
        scene.settle();
        assert_eq!(bind("guess 2"), Err(InvalidCredentials));
        scene.sweep();
        assert_eq!(told(scene).len(), 1);
        assert_eq!(scene.root().values("alice", "pwdFailureTime").len(), 2);
        assert_eq!(bind("guess 1"), Err(InvalidCredentials));
        assert_eq!(scene.root().values("alice", "pwdFailureTime").len(), 2);
        assert_eq!(bind("guess 3"), Err(InvalidCredentials));
        assert_eq!(bind(ALICE), Err(InvalidCredentials));
        let locked = "locked done of alice by nobody, bind: 3 wrong passwords".to_owned();
        assert!(scene.events().contains(&locked), "{:?}", scene.events());
    }

    /// Nonsense is refused where it is written.
    fn nonsense_is_refused(scene) {
        give_notice(scene, &["86400"], "");
        let add = |values: &[String]| {
            let lines = values.iter().map(|value| format!("pwdExpireNotice: {value}\n")).collect::<Vec<_>>().concat();
            scene.root().change(&format!("dn: cn=own,ou=policies\nchangetype: modify\nreplace: pwdExpireNotice\n{lines}-\n"))
        };
        let one = |value: &str| add(&[value.to_owned()]);
        assert_eq!(one("7776000"), Err(ConstraintViolation));
        assert_eq!(one("-1"), Err(ConstraintViolation));
        assert_eq!(one("two weeks"), Err(InvalidAttributeSyntax));
        let many = |count: u32| (1..=count).map(|number| number.to_string()).collect::<Vec<_>>();
        assert_eq!((add(&many(17)), add(&many(16))), (Err(ConstraintViolation), Ok(())));
        let effective = scene.root().values("alice", "pwdEffectivePolicy");
        let line = format!("pwdExpireNotice: 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1 ({})", full("cn=own,ou=policies"));
        assert!(effective.contains(&line), "{effective:?}");
    }
}
