//! Why an account is locked: by an administrator, or by wrong passwords. The first ends what the account is used for, and
//! nothing but an administrator ends it; the second does not throw people out.

use keystead::directory::ResultCode::InvalidCredentials;
use keystead::directory::tree::Directory;
use keystead::operations::policies::Policies;
use keystead::operations::recognition::{Recognition, recognise};
use keystead::operations::{Confidentiality, Requester};
use keystead::password::meter::ABSOLUTE_LIMIT;

use crate::scene::Scene;
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
