//! Why an account is locked: by an administrator, or by wrong passwords. The first ends what the account is used for, and
//! nothing but an administrator ends it; the second does not throw people out.

use keystead::directory::ResultCode::InvalidCredentials;
use keystead::directory::tree::Directory;
use keystead::operations::policies::Policies;
use keystead::operations::recognition::{Recognition, recognise};
use keystead::operations::{Confidentiality, Requester};
use keystead::password::meter::ABSOLUTE_LIMIT;
use keystead::protocol::{RawControl, Response, oid};

use crate::scene::{Client, SUFFIX, Scene, full, result, rule, rules};
use crate::sentences;

const ALICE: &str = "alice's password";
const HOME: &str = "10.2.3.4";
const ELSEWHERE: &str = "192.0.2.66";

fn alice(lines: &str) -> String {
    format!("dn: alice\nchangetype: modify\n{lines}-\n")
}

fn bind<D: Directory>(scene: &Scene<D>, address: &str, password: &str) -> bool {
    let client = scene.anonymous();
    client.come_from(address);
    client.bind("alice", password) == Ok(())
}

/// Different wrong passwords, a lock after every third; restarts come in between.
fn guess<D: Directory>(scene: &Scene<D>, from: u32, to: u32) {
    for number in from..=to {
        scene.wait(900);
        assert!(!bind(scene, ELSEWHERE, &format!("guess {number}")));
        if number % 7 == 0 {
            scene.restart();
        }
    }
}

/// Whether somebody who has authenticated as alice may go on.
fn goes_on<D: Directory>(scene: &Scene<D>) -> bool {
    scene.settle();
    let identity = scene.client("alice").identity();
    let requester = Requester { identity, ..Requester::anonymous(Confidentiality::Protected, HOME.into()) };
    recognise(&requester, &scene.directory.view(), &Policies::default(), scene.now()).unwrap() == Recognition::Same
}

fn state<D: Directory>(scene: &Scene<D>, attribute: &str) -> Vec<String> {
    scene.root().values("alice", attribute)
}

/// What happens from now on is recorded.
fn begin<D: Directory>(scene: &Scene<D>) {
    scene.wait(60);
}

/// Bob may reset passwords, and not unlock.
fn second_desk<D: Directory>(scene: &Scene<D>) -> Client<'_, D> {
    scene.policy(&[("pwdMustChange", "FALSE")]);
    let tree = format!("subtree:ou=people,{SUFFIX}");
    let desk = rule("second desk", &format!("dn:{}", full("bob")), &tree, &[], &["reset-password"]);
    scene.rule_by(&[rules(), vec![desk]].concat());
    scene.client("bob")
}

fn reset<D: Directory>(who: &Client<'_, D>, new: &str) -> Response {
    who.password_modify_with(Some("alice"), None, Some(new), &[])
}

fn code<D: Directory>(who: &Client<'_, D>) -> Response {
    let control = RawControl { oid: oid::RESET_OPTIONS.into(), critical: true, value: Some("code".into()) };
    who.password_modify_with(Some("alice"), None, None, &[control])
}

sentences! {
    /// A hundred wrong passwords in a row are an end (NIST SP 800-63B-4 §3.2.2), however often the server starts anew
    /// meanwhile; "wrong passwords end no connection".
    fn a_hundred_wrong_passwords_in_a_row_lock_for_good_and_throw_nobody_out(scene) {
        scene.policy(&[("pwdKnownSourceMaxAge", "604800"), ("pwdFailureCountInterval", "60")]);
        assert!(bind(scene, HOME, ALICE));
        guess(scene, 1, ABSOLUTE_LIMIT - 1);
        assert_eq!(state(scene, "pwdFailuresInARow"), [(ABSOLUTE_LIMIT - 1).to_string()]);
        assert_eq!(state(scene, "pwdAccountLockedTime"), [""; 0]);
        guess(scene, ABSOLUTE_LIMIT, ABSOLUTE_LIMIT);
        scene.restart();
        assert_eq!(state(scene, "pwdAccountLockedTime"), ["000001010000Z"]);
        assert_eq!(state(scene, "pwdLockedBy"), ["failures"]);
        scene.wait(1_000_000_000);
        assert!(!bind(scene, HOME, ALICE) && !bind(scene, ELSEWHERE, ALICE));
        assert!(goes_on(scene));
        assert_eq!(scene.client("hanna").change(&alice("delete: pwdAccountLockedTime\n")), Ok(()));
        assert_eq!((state(scene, "pwdFailuresInARow"), state(scene, "pwdLockedBy")), (vec![], vec![]));
        guess(scene, 1, 2);
        assert!(bind(scene, HOME, ALICE));
    }

    /// A reset opens nothing that no time opens, unless whoever resets may unlock as well; they are told that it stays locked.
    /// The same holds for codes, and for the way over an entry without a password.
    fn a_reset_alone_does_not_open_what_an_administrator_has_locked(scene) {
        begin(scene);
        let bob = second_desk(scene);
        let locked = |way: &str, response: &Response| {
            assert_eq!(result(response), Ok(()), "{way}");
            let told = &response.result.diagnostic_message;
            assert!(told.contains("stays locked: an administrator has locked it") && told.contains("the right unlock"), "{told}");
            assert_eq!(state(scene, "pwdAccountLockedTime"), ["000001010000Z"], "{way}");
            assert_eq!(state(scene, "pwdLockedBy"), ["administrator"], "{way}");
        };
        assert_eq!(scene.root().change(&alice("add: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n")), Ok(()));
        locked("password modify", &reset(&bob, "reset by bob"));
        locked("a code", &code(&bob));
        let modify = |lines: &str| bob.change_with(&alice(lines), &[]);
        locked("modify", &modify("replace: userPassword\nuserPassword: reset by modify\n"));
        assert!(!bind(scene, HOME, "reset by modify"));
        assert_eq!(result(&modify("delete: userPassword\n")), Ok(()));
        locked("again", &modify("add: userPassword\nuserPassword: begun anew by bob\n"));
        assert!(!scene.events().iter().any(|event| event.starts_with("unlocked")));
        // Hanna has the right.
        let opened = reset(&scene.client("hanna"), "reset by hanna");
        assert_eq!((result(&opened), opened.result.diagnostic_message.as_str()), (Ok(()), ""));
        assert!(bind(scene, HOME, "reset by hanna"));
        assert!(scene.events().contains(&"unlocked done of alice by hanna, password-modify".to_owned()));
        let ledger = state(scene, "pwdLedger");
        assert!(ledger.iter().any(|line| line.contains(" unlocked; through password-modify;")), "{ledger:?}");
    }

    /// Who resets or unlocks an account whose time is over, or has not begun, is told that nobody comes in by that.
    fn who_opens_an_account_whose_time_is_over_is_told_so(scene) {
        for (attribute, told) in [
            ("pwdEndTime: 20260601000000Z", "done, but nobody can use the account any more: its pwdEndTime has passed"),
            ("pwdStartTime: 20990101000000Z", "done, but nobody can use the account yet: its pwdStartTime is still to come"),
        ] {
            let name = attribute.split(':').next().unwrap();
            assert_eq!(scene.root().change(&alice(&format!("add: {name}\n{attribute}\n"))), Ok(()));
            let hanna = scene.client("hanna");
            let set = hanna.change_with(&alice(&format!("replace: userPassword\nuserPassword: {name} by hanna\n")), &[]);
            let locked = alice("replace: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n");
            assert_eq!(hanna.change_with(&locked, &[]).result.diagnostic_message, "");
            let unlocked = hanna.change_with(&alice("delete: pwdAccountLockedTime\n"), &[]);
            for response in [reset(&hanna, &format!("reset for {name}")), code(&hanna), set, unlocked] {
                assert_eq!((result(&response), response.result.diagnostic_message.as_str()), (Ok(()), told));
            }
            // Whoever ends that in the same request is told nothing of it.
            let lines = format!("delete: {name}\n-\nreplace: userPassword\nuserPassword: the third for {name}\n");
            let opened = scene.root().change_with(&alice(&lines), &[]);
            assert_eq!((result(&opened), opened.result.diagnostic_message.as_str()), (Ok(()), ""));
        }
    }

    /// A hundred in a row are an end for whoever may only reset, too.
    fn a_reset_alone_does_not_end_a_hundred_in_a_row(scene) {
        scene.policy(&[("pwdFailureCountInterval", "60")]);
        guess(scene, 1, ABSOLUTE_LIMIT);
        let bob = second_desk(scene);
        for response in [reset(&bob, "reset by bob"), code(&bob)] {
            let told = &response.result.diagnostic_message;
            assert!(told.contains("stays locked: 100 wrong passwords in a row"), "{told}");
            assert_eq!(state(scene, "pwdFailuresInARow"), ["100"]);
            assert!(!bind(scene, HOME, "reset by bob"));
        }
        let opened = code(&scene.client("hanna"));
        assert_eq!((result(&opened), opened.result.diagnostic_message.as_str()), (Ok(()), ""));
        assert!(scene.events().contains(&"unlocked done of alice by hanna, password-modify".to_owned()));
        assert!(bind(scene, HOME, "reset by bob"));
    }

    /// A lock that wrong passwords have brought about for a time ends by a reset and by a code, and that is recorded with it: also
    /// where the lock itself has not been written yet.
    fn the_end_of_a_lock_by_a_reset_or_a_code_is_recorded(scene) {
        begin(scene);
        let bob = second_desk(scene);
        let lock = || (0..3).for_each(|number| assert!(!bind(scene, ELSEWHERE, &format!("guess {number}"))));
        lock();
        assert_eq!(reset(&bob, "reset by bob").result.diagnostic_message, "");
        scene.wait(60);
        lock();
        scene.settle();
        assert_eq!(code(&bob).result.diagnostic_message, "");
        scene.wait(60);
        lock();
        scene.settle();
        scene.wait(900);
        assert_eq!(bob.change(&alice("replace: userPassword\nuserPassword: reset by modify\n")), Ok(()));
        assert_eq!(scene.events(), [
            "reset done of alice by bob, password-modify",
            "locked done of alice by nobody, bind: 3 wrong passwords",
            "unlocked done of alice by bob, password-modify",
            "locked done of alice by nobody, bind: 3 wrong passwords",
            "code-issued done of alice by bob, password-modify",
            "unlocked done of alice by bob, password-modify",
            "locked done of alice by nobody, bind: 3 wrong passwords",
            "reset done of alice by bob, modify",
            "unlocked done of alice by nobody, time: the time of the lock was over",
        ]);
        assert!(bind(scene, HOME, "reset by modify"));
    }

    /// Each right password ends the row, and that is written as well.
    fn a_right_password_ends_the_row(scene) {
        guess(scene, 1, 60);
        scene.wait(900);
        assert!(bind(scene, HOME, ALICE));
        scene.restart();
        assert_eq!(state(scene, "pwdFailuresInARow"), [""; 0]);
        guess(scene, 1, 60);
        scene.wait(900);
        assert!(bind(scene, HOME, ALICE));
    }

    /// An administrator's lock is one whatever time they write: for every address, for good, and for whoever is logged in.
    fn what_an_administrator_has_locked_is_locked_for_everybody(scene) {
        scene.policy(&[("pwdKnownSourceMaxAge", "604800")]);
        for time in ["000001010000Z", "20260601115900Z", "20270101000000Z"] {
            assert!(bind(scene, HOME, ALICE) && goes_on(scene));
            let lock = alice(&format!("replace: pwdAccountLockedTime\npwdAccountLockedTime: {time}\n"));
            assert_eq!(scene.client("hanna").change(&lock), Ok(()));
            for _ in 0..2 {
                assert!(!bind(scene, HOME, ALICE) && !bind(scene, ELSEWHERE, ALICE), "{time}");
                scene.wait(901);
            }
            scene.restart();
            assert!(!bind(scene, HOME, ALICE) && !goes_on(scene), "{time}");
            assert_eq!((state(scene, "pwdAccountLockedTime"), state(scene, "pwdLockedBy")), (vec![time.to_owned()], vec!["administrator".to_owned()]));
            assert_eq!(scene.client("hanna").change(&alice("delete: pwdAccountLockedTime\n")), Ok(()));
        }
        assert!(bind(scene, HOME, ALICE) && goes_on(scene));
    }

    /// One by wrong passwords is none of these.
    fn what_wrong_passwords_have_locked_throws_nobody_out(scene) {
        scene.policy(&[("pwdKnownSourceMaxAge", "604800")]);
        assert!(bind(scene, HOME, ALICE));
        for number in 0..3 {
            bind(scene, ELSEWHERE, &format!("guess {number}"));
        }
        assert!(!bind(scene, ELSEWHERE, ALICE) && bind(scene, HOME, ALICE) && goes_on(scene));
        assert_eq!(state(scene, "pwdLockedBy"), ["failures"]);
        scene.wait(900);
        assert!(bind(scene, ELSEWHERE, ALICE));
        assert_eq!(state(scene, "pwdLockedBy"), [""; 0]);
    }

    /// What brings about a lock is said by the server, and not by who writes it.
    fn nobody_writes_the_cause_of_a_lock(scene) {
        for lines in ["replace: pwdLockedBy\npwdLockedBy: failures\n", "replace: pwdFailuresInARow\npwdFailuresInARow: 0\n", "delete: pwdReplaced\n"] {
            let refused = scene.client("cn=admin").change(&alice(lines));
            assert_eq!(refused, Err(keystead::directory::ResultCode::ConstraintViolation), "{lines}");
        }
    }

    /// "pwdMaxRecordedFailure: the maximum number of failed bind attempts whose times are kept" (as in other servers' §5.2):
    /// so many values at most, of the latest, and no fewer than lock the account.
    fn so_many_failures_are_recorded_at_most(scene) {
        for (settings, kept) in [
            (&[("pwdLockout", "FALSE"), ("pwdMaxRecordedFailure", "4")][..], 4),
            (&[("pwdMaxRecordedFailure", "7")], 7),
            (&[("pwdMaxRecordedFailure", "")], 10),
            (&[("pwdMaxRecordedFailure", "100000")], 50),
            (&[("pwdLockout", "TRUE"), ("pwdMaxFailure", "20"), ("pwdMaxRecordedFailure", "4")], 20),
        ] {
            scene.policy(settings);
            for number in 0..50 {
                assert_eq!(scene.anonymous().bind("alice", &format!("guess {number}")), Err(InvalidCredentials));
                scene.wait(1);
            }
            let times = state(scene, "pwdFailureTime");
            assert_eq!(times.len(), kept, "{settings:?}");
            assert!(times.is_sorted());
            assert_eq!(scene.client("hanna").change(&alice("replace: pwdAccountLockedTime\n")), Ok(()));
        }
    }

    /// Sharp edge 39: a clock that is set back neither opens nor ends anything, and what is in the future is no fault.
    fn a_clock_that_is_set_back_unlocks_and_expires_nothing(scene) {
        scene.policy(&[
            ("pwdMaxAge", "864000"), ("pwdGraceAuthNLimit", "2"), ("pwdFailureCountInterval", "60"), ("pwdMaxIdle", "864000"),
            ("pwdMinDelay", "1"), ("pwdMaxDelay", "4"),
        ]);
        scene.client("hanna").password_modify(Some("bob"), None, Some("a temporary secret")).unwrap();
        assert!(bind(scene, HOME, ALICE));
        for number in 0..3 {
            bind(scene, ELSEWHERE, &format!("guess {number}"));
        }
        for seconds in [1, 899, 86_400, 864_000, 100_000_000] {
            scene.set_back(seconds);
            for round in 0..2 {
                assert!(!bind(scene, HOME, ALICE), "{seconds} {round}");
                scene.restart();
            }
            assert_eq!(state(scene, "pwdAccountLockedTime"), ["20260601120000Z"], "{seconds}");
            // Nor has anybody expired, and failures count on.
            assert_eq!(scene.anonymous().bind("bob", "a wrong one"), Err(InvalidCredentials));
            assert_eq!(scene.anonymous().bind("bob", "a temporary secret"), Ok(()));
            assert_eq!(scene.root().values("bob", "pwdGraceUseTime"), [""; 0]);
        }
        // An administrator opens it all the same, and a password is set.
        assert_eq!(scene.client("hanna").change(&alice("delete: pwdAccountLockedTime\n")), Ok(()));
        assert!(bind(scene, HOME, ALICE));
        assert!(scene.client("alice").password_modify(None, Some(ALICE), Some("a much better secret")).is_ok());
        assert!(bind(scene, HOME, "a much better secret") && !bind(scene, HOME, ALICE));
    }
}
