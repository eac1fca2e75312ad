//! When and from where passwords were right and wrong, and which devices still send the one before.

use keystead::directory::ResultCode::{CompareTrue, ConstraintViolation, InvalidCredentials};
use keystead::directory::tree::Directory;
use keystead::protocol::Request;
use keystead::protocol::request::{Authentication, BindRequest};

use crate::scene::{Client, Scene, result};
use crate::sentences;

const ALICE: &str = "alice's password";
const NEW: &str = "a much better secret";

/// A bind as alice from an address.
fn bind<D: Directory>(scene: &Scene<D>, address: &str, password: &str) {
    let client = scene.anonymous();
    client.come_from(address);
    let expected = if password == "wrong" { Err(InvalidCredentials) } else { Ok(()) };
    assert_eq!(client.bind("alice", password), expected);
}

/// A device that does not know of the change.
fn stale<D: Directory>(scene: &Scene<D>, address: &str, times: usize) {
    let device = scene.anonymous();
    device.come_from(address);
    for _ in 0..times {
        assert_eq!(device.bind("alice", ALICE), Err(InvalidCredentials));
    }
}

/// What root sees of the state of alice.
fn state<D: Directory>(scene: &Scene<D>, attributes: &[&str]) -> Vec<String> {
    attributes.iter().flat_map(|attribute| scene.root().values("alice", attribute)).collect()
}

/// A bind as alice by SASL PLAIN.
fn bind_by_plain<D: Directory>(client: &Client<'_, D>) {
    let credentials = Some(format!("\0alice\0{ALICE}").into_bytes().into());
    let authentication = Authentication::Sasl { mechanism: "PLAIN".into(), credentials };
    let request = Request::Bind(BindRequest { version: 3, name: "".into(), authentication });
    assert_eq!(result(&client.send(&request, &[])), Ok(()));
}

fn history<D: Directory>(scene: &Scene<D>) -> Vec<String> {
    state(scene, &["pwdLoginHistory"])
}

const SUCCESS: &[&str] = &["pwdLastSuccess", "pwdLastSuccessFrom"];
const FAILURE: &[&str] = &["pwdLastFailure", "pwdLastFailureFrom"];

sentences! {
    /// `pwdLastSuccess` and where that was. Within the precision nothing is kept anew, so that no bind writes for it.
    fn the_last_bind_is_told_with_its_time_and_address(scene) {
        assert_eq!(state(scene, SUCCESS), [""; 0]);
        bind(scene, "10.2.3.4", ALICE);
        assert_eq!(state(scene, SUCCESS), ["20260601120000.000000Z", "10.2.3.4"]);
        scene.wait(3_599);
        bind(scene, "10.2.3.5", ALICE);
        assert_eq!(state(scene, SUCCESS), ["20260601120000.000000Z", "10.2.3.4"]);
        scene.wait(1);
        bind(scene, "2001:db8::1", ALICE);
        scene.restart();
        assert_eq!(state(scene, SUCCESS), ["20260601130000.000000Z", "2001:db8::1"]);
        assert_eq!(scene.root().find("(pwdLastSuccessFrom=2001:DB8::1)"), ["uid=alice,ou=people"]);
    }

    /// A refusal is kept with the count of wrong passwords, also when a good bind ends the count and when the password is
    /// changed: people want to know what happened while they were away.
    fn the_last_refusal_is_told_with_its_time_and_address(scene) {
        bind(scene, "10.6.6.6", "wrong");
        scene.wait(7);
        bind(scene, "10.2.3.4", ALICE);
        assert_eq!(state(scene, FAILURE), ["20260601120000.000000Z", "10.6.6.6"]);
        assert!(scene.client("alice").password_modify(None, Some(ALICE), Some(NEW)).is_ok());
        scene.restart();
        assert_eq!(state(scene, FAILURE), ["20260601120000.000000Z", "10.6.6.6"]);
        assert_eq!(state(scene, SUCCESS), ["20260601120007.000000Z", "10.2.3.4"]);
        assert_eq!(state(scene, &["pwdFailureTime"]), [""; 0]);
    }

    /// "A device at 10.2.3.4 still sends the password before": counted for each place, and gone with the next change.
    fn devices_that_still_send_the_password_before_are_told(scene) {
        assert!(scene.client("alice").password_modify(None, Some(ALICE), Some(NEW)).is_ok());
        stale(scene, "10.2.3.4", 14);
        scene.wait(60);
        stale(scene, "10.2.3.5", 1);
        let told = ["20260601120000Z#14#10.2.3.4", "20260601120100Z#1#10.2.3.5"];
        assert_eq!(state(scene, &["pwdStaleSource"]), told);
        bind(scene, "10.2.3.6", NEW);
        scene.restart();
        assert_eq!(state(scene, &["pwdStaleSource"]), told);
        assert_eq!(scene.root().find("(pwdStaleSource=*#10.2.3.5)"), ["uid=alice,ou=people"]);
        assert!(scene.client("alice").password_modify(None, Some(NEW), Some("and a third one of hers")).is_ok());
        assert_eq!(state(scene, &["pwdStaleSource"]), [""; 0]);
    }

    /// Also where the policy has no history: the one password is kept to tell that, forbids nothing, and is as secret.
    fn devices_are_told_where_no_history_is_kept(scene) {
        for settings in [[("pwdInHistory", "0")], [("pwdInHistory", "")]] {
            scene.policy(&settings);
            let alice = scene.client("alice");
            assert!(alice.password_modify(None, Some(ALICE), Some(NEW)).is_ok());
            stale(scene, "10.2.3.4", 14);
            scene.restart();
            assert_eq!(state(scene, &["pwdStaleSource"]), ["20260601120000Z#14#10.2.3.4"]);
            assert_eq!(state(scene, &["pwdFailureTime"]), [""; 0]);
            for who in ["alice", "cn=admin"] {
                assert_eq!(scene.client(who).values("alice", "pwdReplaced"), [""; 0]);
                assert_eq!(scene.client(who).find("(pwdReplaced=*)"), [""; 0]);
            }
            assert_eq!((state(scene, &["pwdReplaced"]), state(scene, &["pwdHistory"])), (vec![], vec![]));
            scene.wait(61);
            assert!(scene.client("alice").password_modify(None, Some(NEW), Some(NEW)).is_ok());
            scene.wait(61);
            assert!(scene.client("alice").password_modify(None, Some(NEW), Some(ALICE)).is_ok());
            scene.wait(61);
            scene.set_back(183);
        }
    }

    /// However many places there are, a few are remembered: those that sent it last.
    fn few_places_are_remembered(scene) {
        assert!(scene.client("alice").password_modify(None, Some(ALICE), Some(NEW)).is_ok());
        for number in 0..50 {
            scene.wait(1);
            stale(scene, &format!("10.0.0.{number}"), 1);
        }
        let told = state(scene, &["pwdStaleSource"]);
        let places: Vec<_> = told.iter().filter_map(|value| value.rsplit('#').next()).collect();
        assert_eq!(places, ["10.0.0.46", "10.0.0.47", "10.0.0.48", "10.0.0.49"]);
    }

    /// With `pwdInLoginHistory` the last logins are told with their time, method and address. A wrong password is none, and
    /// one from the same place by the same method is the same one for as long as `pwdLastSuccess` is.
    fn the_last_logins_are_told_where_the_policy_has_them_kept(scene) {
        bind(scene, "10.2.3.4", ALICE);
        assert_eq!(history(scene), [""; 0]);
        scene.policy(&[("pwdInLoginHistory", "3")]);
        bind(scene, "10.2.3.4", ALICE);
        bind(scene, "10.6.6.6", "wrong");
        scene.wait(3_599);
        bind(scene, "10.2.3.4", ALICE);
        assert_eq!(history(scene), ["20260601120000Z#simple#10.2.3.4"]);
        bind_by_plain(&scene.anonymous());
        scene.restart();
        let told = history(scene);
        assert!(matches!(told.as_slice(), [_, plain] if plain.starts_with("20260601125959Z#PLAIN#")), "{told:?}");
        scene.wait(1);
        bind(scene, "10.2.3.4", ALICE);
        let bob = scene.client("bob");
        bob.come_from("10.2.3.9");
        assert_eq!(bob.compare("alice", "userPassword", ALICE), CompareTrue);
        let told = history(scene);
        let [plain, simple, compare] = told.as_slice() else { panic!("{told:?}") };
        assert!(plain.contains("#PLAIN#"), "{plain}");
        assert_eq!([simple, compare], ["20260601130000Z#simple#10.2.3.4", "20260601130000Z#compare#10.2.3.9"]);
        scene.restart();
        assert_eq!(history(scene), told);
    }

    /// A new password, whoever sets it, leaves them: they are what its owner looks at then.
    fn a_new_password_leaves_the_last_logins(scene) {
        scene.policy(&[("pwdInLoginHistory", "3")]);
        bind(scene, "10.6.6.6", ALICE);
        assert!(scene.client("hanna").password_modify(Some("alice"), None, Some(NEW)).is_ok());
        scene.restart();
        assert_eq!(history(scene), ["20260601120000Z#simple#10.6.6.6"]);
    }

    /// Where the policy has fewer kept, or none any more, the next login takes away the rest.
    fn what_the_policy_has_no_longer_kept_goes_with_the_next_login(scene) {
        scene.policy(&[("pwdInLoginHistory", "50")]);
        for number in 0..60 {
            bind(scene, &format!("10.0.0.{number}"), ALICE);
        }
        assert_eq!((history(scene).len(), history(scene).first().unwrap().as_str()), (50, "20260601120000Z#simple#10.0.0.10"));
        scene.policy(&[("pwdInLoginHistory", "1")]);
        bind(scene, "10.2.3.4", ALICE);
        assert_eq!(history(scene), ["20260601120000Z#simple#10.2.3.4"]);
        scene.policy(&[("pwdInLoginHistory", "0")]);
        bind(scene, "10.2.3.4", ALICE);
        scene.restart();
        assert_eq!(history(scene), [""; 0]);
    }

    /// It is state of the password: for whoever may read that, and for nobody to write.
    fn only_those_who_may_see_the_state_of_the_password_see_it(scene) {
        bind(scene, "10.6.6.6", "wrong");
        scene.policy(&[("pwdInLoginHistory", "3")]);
        bind(scene, "10.2.3.4", ALICE);
        for (who, sees) in [("alice", true), ("hanna", true), ("cn=admin", true), ("bob", false)] {
            let client = scene.client(who);
            for attribute in SUCCESS.iter().chain(FAILURE).chain(&["pwdLoginHistory"]) {
                assert_eq!(!client.values("alice", attribute).is_empty(), sees, "{who} {attribute}");
            }
            assert_eq!(!client.find("(pwdLastFailureFrom=10.6.6.6)").is_empty(), sees, "{who}");
        }
        for attribute in ["pwdLastSuccessFrom", "pwdLastFailure", "pwdLastFailureFrom", "pwdStaleSource", "pwdLoginHistory"] {
            let change = format!("dn: alice\nchangetype: modify\nreplace: {attribute}\n-\n");
            assert_eq!(scene.client("cn=admin").change(&change), Err(ConstraintViolation), "{attribute}");
        }
    }
}
