//! A second factor: the code of a token behind the password (RFC 4226, RFC 6238), with the tokens of OATH-LDAP as
//! slapo-otp has them.

use keystead::directory::ResultCode::{
    CompareFalse, CompareTrue, InsufficientAccessRights, InvalidCredentials, StrongerAuthRequired, UnwillingToPerform,
};
use keystead::directory::tree::{CommitError, Directory};
use keystead::operations::Effort::{Heavy, Light};
use keystead::operations::Need;
use keystead::password::Secret;
use keystead::password::one_time_password::{Algorithm, Generator};
use keystead::protocol::Request;
use keystead::protocol::request::{Authentication, BindRequest};

use crate::scene::answer::{CHANGE_AFTER_RESET, EXPIRED, LOCKED, NOTHING};
use crate::scene::client::Answered;
use crate::scene::{Scene, assert_told, full, policy_control, result};
use crate::scram_client::ScramClient;
use crate::sentences;

pub const ALICE: &str = "alice's password";
const BOB: &str = "bob's password";
const NEW: &str = "a much better secret";
const SEED: &str = "12345678901234567890";

/// What an export of slapo-otp has: parameters, tokens that name these, and people who name those.
const TOKENS: &str = "\
dn: ou=tokens,dc=example,dc=com
objectClass: organizationalUnit
ou: tokens

dn: ou=totp-params,ou=tokens,dc=example,dc=com
objectClass: organizationalUnit
objectClass: oathTOTPParams
ou: totp-params
oathOTPLength: 6
oathHMACAlgorithm: 1.2.840.113549.2.7
oathTOTPTimeStepPeriod: 30
oathTOTPTimeStepWindow: 1

dn: ou=hotp-params,ou=tokens,dc=example,dc=com
objectClass: organizationalUnit
objectClass: oathHOTPParams
ou: hotp-params
oathOTPLength: 8
oathHMACAlgorithm: 1.2.840.113549.2.9
oathHOTPLookAhead: 3

dn: ou=alice,ou=tokens,dc=example,dc=com
objectClass: organizationalUnit
objectClass: oathTOTPToken
ou: alice
oathTOTPParams: ou=totp-params,ou=tokens,dc=example,dc=com
oathSecret: 12345678901234567890

dn: ou=bob,ou=tokens,dc=example,dc=com
objectClass: organizationalUnit
objectClass: oathHOTPToken
ou: bob
oathHOTPParams: ou=hotp-params,ou=tokens,dc=example,dc=com
oathSecret: 12345678901234567890
oathHOTPCounter: 3

dn: uid=alice,ou=people,dc=example,dc=com
changetype: modify
add: objectClass
objectClass: oathTOTPUser
-
add: oathTOTPToken
oathTOTPToken: ou=alice,ou=tokens,dc=example,dc=com
-

dn: uid=bob,ou=people,dc=example,dc=com
changetype: modify
add: objectClass
objectClass: oathHOTPUser
-
add: oathHOTPToken
oathHOTPToken: ou=bob,ou=tokens,dc=example,dc=com
-
";

/// Alice has an app, and bob a token with a button.
pub fn with_tokens<D: Directory>(scene: &Scene<D>) {
    assert_eq!(scene.root().change(TOKENS), Ok(()));
}

/// The code that alice's app shows, so many steps later.
pub fn code<D: Directory>(scene: &Scene<D>, later: i64) -> String {
    let step = scene.now().unix_micros() / 30_000_000 + later;
    let app = Generator::new(Secret::new(SEED), Algorithm::Sha1, 6).unwrap();
    app.code(u64::try_from(step).unwrap()).to_string()
}

/// The code that bob's token shows when its button is pressed for that time.
fn pressed(number: u64) -> String {
    Generator::new(Secret::new(SEED), Algorithm::Sha256, 8).unwrap().code(number).to_string()
}

/// A bind as alice with the code of so many steps later.
fn alice<D: Directory>(scene: &Scene<D>, password: &str, later: i64) -> Answered {
    scene.anonymous().bind("alice", &format!("{password}{}", code(scene, later)))
}

fn bob<D: Directory>(scene: &Scene<D>, number: u64) -> Answered {
    scene.anonymous().bind("bob", &format!("{BOB}{}", pressed(number)))
}

/// A code that is not good now, nor of a step or two around.
fn wrong_code<D: Directory>(scene: &Scene<D>, which: usize) -> String {
    let near: Vec<_> = (-3..=3).map(|later| code(scene, later)).collect();
    let mut wrong = (0..).map(|number| format!("{number:06}")).filter(|code| !near.contains(code));
    wrong.nth(which).unwrap()
}

fn with_wrong_code<D: Directory>(scene: &Scene<D>, which: usize) -> Answered {
    scene.anonymous().bind("alice", &format!("{ALICE}{}", wrong_code(scene, which)))
}

fn failures<D: Directory>(scene: &Scene<D>, name: &str) -> usize {
    scene.settle();
    scene.root().values(name, "pwdFailureTime").len()
}

fn modify<D: Directory>(scene: &Scene<D>, name: &str, lines: &str) -> Answered {
    scene.root().change(&format!("dn: {name}\nchangetype: modify\n{lines}-\n"))
}

sentences! {
    /// Password and code together open the account, and neither alone does; nor does anything else in the place of the code.
    fn the_code_stands_behind_the_password(scene) {
        with_tokens(scene);
        let right = code(scene, 0);
        let refused = [
            ALICE.to_owned(),
            right.clone(),
            format!("{right}{ALICE}"),
            format!("{ALICE} {right}"),
            format!("{ALICE}{right} "),
            format!("{ALICE}{right}0"),
            format!("{ALICE}{}", right.get(..5).unwrap()),
            format!("{ALICE}{}", right.get(1..).unwrap()),
            format!("{ALICE}{}", right.chars().map(|digit| char::from_u32(digit as u32 - 0x30 + 0xff10).unwrap()).collect::<String>()),
            format!("wrong{right}"),
            "0".repeat(4_000),
            "\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}".to_owned(),
        ];
        scene.policy(&[("pwdLockout", "FALSE")]);
        for password in refused {
            assert_eq!(scene.anonymous().bind("alice", &password), Err(InvalidCredentials), "{password:?}");
        }
        let client = scene.anonymous();
        assert_eq!(client.bind("alice", &format!("{ALICE}{right}")), Ok(()));
        assert_eq!(client.identity().name(), full("alice"));
        // Whoever has no token is asked for nothing.
        assert_eq!(scene.anonymous().bind("hanna", "hanna's password"), Ok(()));
    }

    /// RFC 6238 §5.2: "The verifier MUST NOT accept the second attempt of the OTP after the successful validation has been
    /// issued for the first OTP"; and RFC 4226 §7.2: the counter goes on only upwards.
    fn a_code_is_used_once_and_so_is_every_one_before_it(scene) {
        with_tokens(scene);
        assert_eq!(alice(scene, ALICE, 0), Ok(()));
        let step = (scene.now().unix_micros() / 30_000_000).to_string();
        assert_eq!(scene.root().values("ou=alice,ou=tokens", "oathTOTPLastTimeStep"), [step]);
        assert_eq!(alice(scene, ALICE, 0), Err(InvalidCredentials));
        assert_eq!(alice(scene, ALICE, -1), Err(InvalidCredentials));
        scene.restart();
        assert_eq!(alice(scene, ALICE, 0), Err(InvalidCredentials));
        // One of the next time step is.
        assert_eq!(alice(scene, ALICE, 1), Ok(()));
        scene.wait(30);
        assert_eq!(alice(scene, ALICE, 0), Err(InvalidCredentials));
        assert_eq!(alice(scene, ALICE, 1), Ok(()));
    }

    /// RFC 6238 §5.2: "The validation system should compare OTPs not only with the receiving timestamp but also the past
    /// timestamps that are within the transmission delay".
    fn clocks_may_differ_by_the_window(scene) {
        with_tokens(scene);
        for (later, answer) in [(-2, Err(InvalidCredentials)), (2, Err(InvalidCredentials)), (-1, Ok(())), (1, Ok(()))] {
            assert_eq!(alice(scene, ALICE, later), answer, "{later}");
        }
    }

    /// RFC 4226 §7.4: codes may have been skipped, as many as the look-ahead says.
    fn a_counter_looks_ahead(scene) {
        with_tokens(scene);
        for (number, answer) in [(3, false), (2, false), (8, false), (7, true), (7, false), (6, false), (8, true)] {
            assert_eq!(bob(scene, number).is_ok(), answer, "{number}");
        }
        assert_eq!(scene.root().values("ou=bob,ou=tokens", "oathHOTPCounter"), ["8"]);
    }

    /// An entry may have both tokens, also with codes of different lengths.
    fn either_token_will_do(scene) {
        with_tokens(scene);
        let lines = format!("add: objectClass\nobjectClass: oathTOTPUser\n-\nadd: oathTOTPToken\noathTOTPToken: {}\n", full("ou=alice,ou=tokens"));
        assert_eq!(modify(scene, "bob", &lines), Ok(()));
        assert_eq!(bob(scene, 4), Ok(()));
        assert_eq!(scene.anonymous().bind("bob", &format!("{BOB}{}", code(scene, 0))), Ok(()));
        assert_eq!(bob(scene, 4), Err(InvalidCredentials));
        assert_eq!(scene.anonymous().bind("bob", &format!("{BOB}{}", code(scene, 0))), Err(InvalidCredentials));
        assert_eq!(scene.anonymous().bind("bob", BOB), Err(InvalidCredentials));
    }

    /// That a code is used is written by the change without which there is no success, on condition that it was not: so of two
    /// at the same moment one comes in.
    fn of_two_binds_with_one_code_one_succeeds(scene) {
        with_tokens(scene);
        let password = format!("{ALICE}{}", code(scene, 0));
        let planned = [(); 2].map(|()| scene.anonymous().plan_bind("alice", &password).unwrap());
        let [first, second] = planned.map(|outcome| {
            assert_eq!(outcome.need, Need::Required);
            outcome.change
        });
        assert!(scene.directory.commit(first).is_ok());
        assert!(matches!(scene.directory.commit(second), Err(CommitError::Conflict)));
        assert_eq!(scene.anonymous().plan_bind("alice", &password).unwrap_err(), InvalidCredentials);
        // Who has no token writes nothing.
        assert!(scene.anonymous().plan_bind("hanna", "hanna's password").unwrap().change.is_empty());
    }

    /// Which of the two is wrong is not told, and one meter counts both.
    fn a_wrong_code_is_answered_and_counted_as_a_wrong_password(scene) {
        with_tokens(scene);
        let bind = |password: String| scene.anonymous().bind_with("alice", &password, &policy_control());
        let of_password = bind(format!("wrong{}", code(scene, 0)));
        assert_eq!(bind(format!("{ALICE}{}", wrong_code(scene, 0))), of_password);
        assert_told(&of_password, Err(InvalidCredentials), NOTHING);
        assert_eq!(failures(scene, "alice"), 2);
        assert_told(&bind(format!("{ALICE}{}", wrong_code(scene, 1))), Err(InvalidCredentials), LOCKED);
        assert_told(&bind(format!("{ALICE}{}", code(scene, 0))), Err(InvalidCredentials), LOCKED);
        // What was right and did not open anything is not used up.
        assert_eq!(modify(scene, "alice", "delete: pwdAccountLockedTime\n"), Ok(()));
        assert_eq!(alice(scene, ALICE, 0), Ok(()));
        assert_eq!(failures(scene, "alice"), 0);
    }

    /// Whoever knows the password guesses codes: each counts, and the same one again while nothing new comes of it does not.
    fn the_same_wrong_code_counts_once_in_a_time_step(scene) {
        with_tokens(scene);
        scene.policy(&[("pwdMaxFailure", "20")]);
        for (which, counted) in [(0, 1), (0, 1), (1, 2), (0, 2), (1, 2)] {
            assert_eq!(with_wrong_code(scene, which), Err(InvalidCredentials));
            assert_eq!(failures(scene, "alice"), counted);
        }
        let fixed = format!("{ALICE}{}", wrong_code(scene, 1));
        scene.wait(30);
        assert_eq!(scene.anonymous().bind("alice", &fixed), Err(InvalidCredentials));
        assert_eq!(failures(scene, "alice"), 3);
    }

    /// A password that is wrong is wrong with whatever code, so devices that send one with each code count once; and so do those
    /// that know of no code.
    fn a_device_that_knows_no_better_counts_once(scene) {
        with_tokens(scene);
        for later in -1..=1 {
            assert_eq!(alice(scene, "an old password", later), Err(InvalidCredentials));
        }
        assert_eq!(failures(scene, "alice"), 1);
        for _ in 0..9 {
            assert_eq!(scene.anonymous().bind("alice", ALICE), Err(InvalidCredentials));
            scene.wait(31);
        }
        assert_eq!(failures(scene, "alice"), 2);
        assert_eq!(alice(scene, ALICE, 0), Ok(()));
    }

    /// A device that sends the code by which it was set up again and again locks nobody out, and gets in by no chance.
    fn the_code_that_was_used_last_is_no_guess(scene) {
        with_tokens(scene);
        let stored = format!("{ALICE}{}", code(scene, 0));
        assert_eq!(scene.anonymous().bind("alice", &stored), Ok(()));
        for _ in 0..20 {
            scene.wait(45);
            assert_eq!(scene.anonymous().bind("alice", &stored), Err(InvalidCredentials));
        }
        assert_eq!(failures(scene, "alice"), 0);
        assert_eq!(alice(scene, ALICE, 0), Ok(()));
    }

    /// A refusal is as late where the password is right, and a used code is held back as a wrong one is.
    fn a_refusal_takes_as_long_whatever_is_wrong(scene) {
        with_tokens(scene);
        let settings = [("pwdVerifiedCacheSeconds", "60"), ("pwdMinDelay", "2"), ("pwdMaxDelay", "2"), ("pwdLockout", "FALSE")];
        scene.policy(&settings);
        let bind = |password: &str| {
            let client = scene.anonymous();
            let answered = client.bind("alice", password);
            (answered, client.effort().unwrap(), client.delay().as_secs())
        };
        let right = format!("{ALICE}{}", code(scene, 0));
        assert_eq!(bind(&right), (Ok(()), Heavy, 0));
        // The password is known for a while; the code is asked for all the same.
        assert_eq!(bind(&right), (Err(InvalidCredentials), Heavy, 2));
        assert_eq!(bind(&format!("{ALICE}{}", wrong_code(scene, 0))), (Err(InvalidCredentials), Heavy, 2));
        assert_eq!(bind(&format!("wrong{}", wrong_code(scene, 0))), (Err(InvalidCredentials), Heavy, 2));
        assert_eq!(bind(ALICE), (Err(InvalidCredentials), Heavy, 2));
        scene.wait(90);
        assert_eq!(bind(&format!("{ALICE}{}", code(scene, 0))), (Ok(()), Heavy, 0));
        scene.wait(30);
        assert_eq!(bind(&format!("{ALICE}{}", code(scene, 0))), (Ok(()), Light, 0));
    }

    /// PLAIN is a password by another way, SCRAM sends none, so nothing can stand behind it.
    fn plain_takes_a_code_and_scram_opens_nothing(scene) {
        scene.policy(&[("pwdScramIterations", "4096")]);
        assert_eq!(scene.anonymous().bind("alice", ALICE), Ok(()));
        let sasl = |mechanism: &str, message: &[u8]| {
            let credentials = Some(message.to_vec().into());
            let authentication = Authentication::Sasl { mechanism: mechanism.to_owned().into(), credentials };
            Request::Bind(BindRequest { version: 3, name: "".into(), authentication })
        };
        let scram = |password: &str| {
            let (client, scram) = (scene.anonymous(), ScramClient::new("n,,", "alice"));
            let said = client.send(&sasl("SCRAM-SHA-256", &scram.first()), &[]).value.unwrap();
            let (last, _) = scram.last(&said, password, b"");
            result(&client.send(&sasl("SCRAM-SHA-256", &last), &[]))
        };
        assert_eq!(scram(ALICE), Ok(()));
        with_tokens(scene);
        assert_eq!(scram(ALICE), Err(InvalidCredentials));
        assert_eq!(scram(&format!("{ALICE}{}", code(scene, 0))), Err(InvalidCredentials));
        let plain = |password: &str| result(&scene.anonymous().send(&sasl("PLAIN", format!("\0alice\0{password}").as_bytes()), &[]));
        assert_eq!(plain(ALICE), Err(InvalidCredentials));
        assert_eq!(modify(scene, "alice", "delete: pwdAccountLockedTime\n"), Ok(()));
        assert_eq!(plain(&format!("{ALICE}{}", code(scene, 0))), Ok(()));
        assert_eq!(plain(&format!("{ALICE}{}", code(scene, 0))), Err(InvalidCredentials));
    }

    /// To compare a password is to try it: it is true where a bind would succeed, and uses the code up as one does.
    fn a_compare_takes_the_code_and_uses_it_up(scene) {
        with_tokens(scene);
        let compare = |password: &str| scene.client("hanna").compare("alice", "userPassword", password);
        let right = format!("{ALICE}{}", code(scene, 0));
        assert_eq!(compare(ALICE), CompareFalse);
        assert_eq!((compare(&right), compare(&right)), (CompareTrue, CompareFalse));
        assert_eq!(scene.anonymous().bind("alice", &right), Err(InvalidCredentials));
    }

    /// On a connection that has proven the second factor the old password is enough; without one, the code stands behind it.
    fn a_change_without_a_bind_takes_the_code(scene) {
        with_tokens(scene);
        scene.policy(&[("pwdMinAge", ""), ("pwdLockout", "FALSE")]);
        let change = |old: &str, new: &str| scene.anonymous().password_modify(Some(&full("alice")), Some(old), Some(new)).map(|_| ());
        assert_eq!(change(ALICE, NEW), Err(InvalidCredentials));
        assert_eq!(change(&format!("{ALICE}{}", wrong_code(scene, 0)), NEW), Err(InvalidCredentials));
        let right = format!("{ALICE}{}", code(scene, 0));
        assert_eq!(change(&right, NEW), Ok(()));
        // The same again is the same change; another one is not.
        assert_eq!(change(&right, NEW), Ok(()));
        assert_eq!(change(&format!("{NEW}{}", code(scene, 0)), "yet another fine secret"), Err(InvalidCredentials));
        assert_eq!(alice(scene, NEW, 0), Err(InvalidCredentials));
        assert_eq!(alice(scene, NEW, 1), Ok(()));
        let bound = scene.client("alice");
        assert!(bound.password_modify(None, Some(NEW), Some("yet another fine secret")).is_ok());
        assert_eq!(bound.change(&format!(
            "dn: alice\nchangetype: modify\ndelete: userPassword\nuserPassword: yet another fine secret\n-\nadd: userPassword\nuserPassword: {}\n-\n",
            "the last of these secrets",
        )), Ok(()));
        scene.wait(60);
        assert_eq!(alice(scene, "the last of these secrets", 0), Ok(()));
    }

    /// Nor does a code of the helpdesk take the place of the token.
    fn a_one_time_code_is_followed_by_the_code_of_the_token(scene) {
        with_tokens(scene);
        let options = keystead::protocol::RawControl {
            oid: "2.25.271882395885119902382355470247459148908.3.2".into(),
            critical: true,
            value: Some(b"code".to_vec().into()),
        };
        let answer = scene.client("hanna").password_modify_with(Some(&full("alice")), None, None, &[options]);
        let given = crate::scene::answer::generated(&answer.value.unwrap());
        let change = |old: &str| scene.anonymous().password_modify(Some(&full("alice")), Some(old), Some(NEW)).map(|_| ());
        assert_eq!(change(&given), Err(InvalidCredentials));
        assert_eq!(change(&format!("{given}{}", wrong_code(scene, 0))), Err(InvalidCredentials));
        assert_eq!(change(&format!("{given}{}", code(scene, 0))), Ok(()));
        assert_eq!(alice(scene, NEW, 1), Ok(()));
    }

    /// Expiry and resets are as ever; a code that has opened nothing is not used up, so it does for the change.
    fn what_else_holds_for_the_account_still_does(scene) {
        with_tokens(scene);
        let bind = || scene.anonymous().bind_with("alice", &format!("{ALICE}{}", code(scene, 0)), &policy_control());
        scene.policy(&[("pwdMaxAge", "900")]);
        scene.wait(900);
        assert_told(&bind(), Err(InvalidCredentials), EXPIRED);
        let old = format!("{ALICE}{}", code(scene, 0));
        assert!(scene.anonymous().password_modify(Some(&full("alice")), Some(&old), Some(NEW)).is_ok());
        scene.policy(&[("pwdMaxAge", "")]);
        assert_eq!(scene.client("hanna").password_modify(Some("alice"), None, Some(ALICE)), Err(keystead::directory::ResultCode::ConstraintViolation));
        assert!(scene.client("hanna").password_modify(Some("alice"), None, Some("as hanna has set it")).is_ok());
        scene.wait(60);
        let client = scene.anonymous();
        let answer = client.bind_with("alice", &format!("as hanna has set it{}", code(scene, 0)), &policy_control());
        assert_told(&answer, Ok(()), CHANGE_AFTER_RESET);
        assert!(client.password_modify(None, Some("as hanna has set it"), Some("and as alice wants it")).is_ok());
    }

    /// A second factor that cannot be asked for lets nobody in, and the log says why.
    fn a_token_that_cannot_be_read_opens_nothing(scene) {
        with_tokens(scene);
        scene.policy(&[("pwdLockout", "FALSE")]);
        // Nobody writes that, but an import may bring it.
        scene.configure(|services| services.integrity.references = keystead::operations::integrity::References::default());
        let refused = |why: &str| {
            scene.reported();
            assert_eq!(alice(scene, ALICE, 0), Err(InvalidCredentials), "{why}");
            assert_eq!(scene.anonymous().bind("alice", ALICE), Err(InvalidCredentials), "{why}");
            assert_eq!(scene.anonymous().bind("alice", &format!("{ALICE}000000")), Err(InvalidCredentials), "{why}");
            let reported = scene.reported();
            assert!(reported.len() == 3 && reported.iter().all(|one| one.contains(why)), "{reported:?}");
        };
        assert_eq!(modify(scene, "ou=alice,ou=tokens", "delete: oathSecret\n"), Ok(()));
        refused("the token has no oathSecret");
        assert_eq!(modify(scene, "ou=alice,ou=tokens", "add: oathSecret\noathSecret: 12345678901234567890\n-\nreplace: oathTOTPLastTimeStep\noathTOTPLastTimeStep: -1\n"), Ok(()));
        refused("oathTOTPLastTimeStep must be a whole number from 0 on");
        assert_eq!(modify(scene, "ou=alice,ou=tokens", "delete: oathTOTPLastTimeStep\n-\ndelete: oathTOTPParams\n"), Ok(()));
        refused("names no parameters");
        let params = |name: &str| format!("replace: oathTOTPParams\noathTOTPParams: {}\n", full(name));
        assert_eq!(modify(scene, "ou=alice,ou=tokens", &params("ou=nothing,ou=tokens")), Ok(()));
        refused("which is to hold the parameters");
        assert_eq!(modify(scene, "ou=alice,ou=tokens", &params("ou=hotp-params,ou=tokens")), Ok(()));
        refused("oathTOTPTimeStepPeriod must be");
        assert_eq!(modify(scene, "ou=alice,ou=tokens", &params("ou=totp-params,ou=tokens")), Ok(()));
        assert_eq!(scene.root().change("dn: ou=alice,ou=tokens\nchangetype: delete\n"), Ok(()));
        refused("which is to be the token");
        assert_eq!(modify(scene, "alice", "delete: oathTOTPToken\n-\ndelete: objectClass\nobjectClass: oathTOTPUser\n-\nadd: objectClass\nobjectClass: oathHOTPUser\n"), Ok(()));
        refused("names no token");
        assert_eq!(modify(scene, "alice", "delete: objectClass\nobjectClass: oathHOTPUser\n-\ndelete: objectClass\nobjectClass: oathUser\n"), Ok(()));
        assert_eq!(scene.anonymous().bind("alice", ALICE), Ok(()));
    }

    /// A token that somebody logs in by is renamed, and they name it by its new name; it is not deleted.
    fn a_token_in_use_stays(scene) {
        with_tokens(scene);
        for token in ["ou=alice,ou=tokens", "ou=bob,ou=tokens", "ou=totp-params,ou=tokens"] {
            assert_eq!(scene.root().change(&format!("dn: {token}\nchangetype: delete\n")), Err(UnwillingToPerform), "{token}");
        }
        for token in ["alice", "totp-params"] {
            let renamed = format!("dn: ou={token},ou=tokens\nchangetype: modrdn\nnewrdn: ou={token} 2\ndeleteoldrdn: 1\n");
            assert_eq!(scene.root().change(&renamed), Ok(()));
        }
        assert_eq!(alice(scene, ALICE, 0), Ok(()));
        assert_eq!(scene.root().values("alice", "oathTOTPToken"), [full("ou=alice 2,ou=tokens")]);
        assert_eq!(scene.root().change("dn: bob\nchangetype: delete\n\ndn: ou=bob,ou=tokens\nchangetype: delete\n"), Ok(()));
    }

    /// What the connection itself proves, and who acts for others, is asked for no code; nobody is bound by one alone.
    fn nobody_else_is_asked(scene) {
        with_tokens(scene);
        assert_eq!(scene.root().change("dn: alice\nchangetype: modify\nreplace: description\ndescription: x\n-\n"), Ok(()));
        assert_eq!(scene.anonymous().bind("", &code(scene, 0)), Err(InvalidCredentials));
        assert_eq!(scene.anonymous().password_modify(Some("alice"), None, Some(NEW)), Err(StrongerAuthRequired));
        assert_eq!(scene.client("bob").password_modify(Some("alice"), None, Some(NEW)), Err(InsufficientAccessRights));
    }

    /// Logins that are kept say by what.
    fn logins_tell_of_the_second_factor(scene) {
        with_tokens(scene);
        scene.policy(&[("pwdInLoginHistory", "5")]);
        assert_eq!((alice(scene, ALICE, 0), bob(scene, 4)), (Ok(()), Ok(())));
        scene.settle();
        assert_eq!(scene.root().values("alice", "pwdLoginHistory"), ["20260601120000Z#simple+totp#127.0.0.1"]);
        assert_eq!(scene.root().values("bob", "pwdLoginHistory"), ["20260601120000Z#simple+hotp#127.0.0.1"]);
    }
}
