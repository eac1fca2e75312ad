//! SASL SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677) as LDAP has them (RFC 4513 §5.2).

use keystead::directory::Dn;
use keystead::directory::ResultCode::{
    AuthMethodNotSupported, CompareTrue, ConfidentialityRequired, ConstraintViolation, InappropriateAuthentication,
    InsufficientAccessRights, InvalidCredentials, ProtocolError, SaslBindInProgress,
};
use keystead::directory::tree::{Directory, Tree};
use keystead::operations::ChannelBindings;
use keystead::password::Secret;
use keystead::protocol::request::{Authentication, BindRequest};
use keystead::protocol::{RawControl, Request, Response, oid};

use crate::scene::answer::{CHANGE_AFTER_RESET, EXPIRED, critical, list};
use crate::scene::client::Answered;
use crate::scene::{Client, SUFFIX, Scene, full, policy_control, policy_response, result, rule, rules};
use crate::scram_client::ScramClient;
use crate::sentences;

const ALICE: &str = "alice's password";
const SCRAM: &str = "SCRAM-SHA-256";
const PLUS: &str = "SCRAM-SHA-256-PLUS";

fn bind_request(mechanism: &str, message: Option<&[u8]>) -> Request {
    let credentials = message.map(|octets| octets.to_vec().into());
    let authentication = Authentication::Sasl { mechanism: mechanism.to_owned().into(), credentials };
    Request::Bind(BindRequest { version: 3, name: "".into(), authentication })
}

/// Says the first words, and returns what the server says to them.
fn begin<D: Directory>(client: &Client<'_, D>, mechanism: &str, scram: &ScramClient) -> Result<Vec<u8>, Box<Response>> {
    let answer = client.send(&bind_request(mechanism, Some(&scram.first())), &[]);
    if answer.result.code != SaslBindInProgress {
        return Err(answer.into());
    }
    Ok(answer.value.unwrap())
}

/// A whole bind; the answer at the end, and whether the server has proven that it has the keys.
fn whole<D: Directory>(
    client: &Client<'_, D>,
    (mechanism, gs2_header, channel): (&str, &str, &[u8]),
    (name, password): (&str, &str),
    controls: &[RawControl],
) -> (Response, bool) {
    let scram = ScramClient::new(gs2_header, name);
    let said = match begin(client, mechanism, &scram) {
        Ok(said) => said,
        Err(answer) => return (*answer, false),
    };
    assert!(client.identity().is_anonymous());
    let (last, expected) = scram.last(&said, password, channel);
    let answer = client.send(&bind_request(mechanism, Some(&last)), controls);
    let proven = answer.value.as_ref() == Some(&expected);
    (answer, proven)
}

fn bind<D: Directory>(client: &Client<'_, D>, name: &str, password: &str) -> Answered {
    let (answer, proven) = whole(client, (SCRAM, "n,,", b""), (name, password), &[]);
    assert_eq!(result(&answer).is_ok(), proven);
    result(&answer)
}

/// Keys are kept from now on, and these people have some.
fn keep_keys<D: Directory>(scene: &Scene<D>, names: &[&str]) {
    scene.policy(&[("pwdScramIterations", "4096")]);
    for name in names {
        assert_eq!(scene.anonymous().bind(name, &format!("{name}'s password")), Ok(()));
    }
}

fn channel() -> ChannelBindings {
    let of = |text: &str| Some(Secret::new(text));
    ChannelBindings { tls_exporter: of("exported"), tls_server_end_point: of("the hash of a certificate") }
}

fn mechanisms<D: Directory>(client: &Client<'_, D>) -> Vec<String> {
    client.values("", "supportedSASLMechanisms")
}

sentences! {
    /// RFC 5802 §3, RFC 7677: client and server prove to each other that they know the password; RFC 4511 §4.2.2: the first answer
    /// is saslBindInProgress.
    fn who_knows_the_password_is_let_in(scene) {
        keep_keys(scene, &["alice"]);
        for name in [full("alice").as_str(), "u:alice", "ALICE", "dn:uid=alice,ou=people,dc=example,dc=com"] {
            let client = scene.anonymous();
            assert_eq!(bind(&client, name, ALICE), Ok(()), "{name}");
            assert_eq!(client.identity().name(), full("alice"));
            assert_eq!(client.values("alice", "sn"), ["Adams"]);
        }
        for wrong in ["wrong", "Alice's password", ""] {
            assert_eq!(bind(&scene.anonymous(), "alice", wrong), Err(InvalidCredentials), "{wrong}");
        }
    }

    /// RFC 4512 §5.1.7: only what would succeed is listed: where a policy has keys kept, where passwords may pass, and with
    /// channel binding where there is a channel.
    fn it_is_listed_where_it_would_succeed(scene) {
        assert_eq!(mechanisms(&scene.anonymous()), ["PLAIN"]);
        assert_eq!(bind(&scene.anonymous(), "alice", ALICE), Err(AuthMethodNotSupported));
        keep_keys(scene, &["alice"]);
        assert_eq!(mechanisms(&scene.anonymous()), [SCRAM, "PLAIN"]);
        assert_eq!(mechanisms(&scene.anonymous().bound_to(channel())), [PLUS, SCRAM, "PLAIN"]);
        assert_eq!(mechanisms(&scene.anonymous().in_the_clear()), [""; 0]);
        assert_eq!(bind(&scene.anonymous().in_the_clear(), "alice", ALICE), Err(ConfidentialityRequired));
        scene.policy(&[("pwdScramIterations", "0")]);
        assert_eq!(mechanisms(&scene.anonymous()), ["PLAIN"]);
        assert_eq!(bind(&scene.anonymous(), "alice", ALICE), Err(AuthMethodNotSupported));
    }

    /// RFC 7677 §4: the iteration count is 4096 at least.
    fn a_policy_asks_for_iterations_that_make_sense(scene) {
        for count in ["4095", "2000001", "1"] {
            let change = format!("dn: cn=default,ou=policies\nchangetype: modify\nadd: objectClass\nobjectClass: keysteadPolicy\n-\nreplace: pwdScramIterations\npwdScramIterations: {count}\n-\n");
            assert_eq!(scene.root().change(&change), Err(ConstraintViolation), "{count}");
        }
    }

    /// RFC 5802 §9: who does not exist, or has no keys, gets a salt all the same, the same one each time, and fails at the end with
    /// the same answer.
    fn nobody_is_told_who_exists(scene) {
        keep_keys(scene, &["alice"]);
        let ask = |name: &str| {
            let said = begin(&scene.anonymous(), SCRAM, &ScramClient::new("n,,", name)).unwrap();
            let text = String::from_utf8(said).unwrap();
            text.split_once(",s=").unwrap().1.to_owned()
        };
        for name in ["alice", "bob", "nobody", "u:nobody", "cn=nobody,dc=example,dc=com", "dc=com", "cn=Subschema"] {
            let (salt, count) = ask(name).split_once(",i=").map(|(salt, count)| (salt.to_owned(), count.to_owned())).unwrap();
            assert_eq!((ask(name), salt.len(), count.as_str()), (format!("{salt},i=4096"), 24, "4096"), "{name}");
        }
        assert_eq!(ask("nobody"), ask("u:NOBODY"));
        assert_eq!(ask("bob"), ask("u:BOB"));
        assert_ne!(ask("nobody"), ask("bob"));
        let at_the_end = |name: &str, password: &str| whole(&scene.anonymous(), (SCRAM, "n,,", b""), (name, password), &policy_control()).0;
        let wrong = at_the_end("alice", "wrong");
        assert_eq!(result(&wrong), Err(InvalidCredentials));
        assert_eq!((at_the_end("bob", "bob's password"), at_the_end("nobody", "x")), (wrong.clone(), wrong));
    }

    /// Whom no rule lets authenticate does not exist here either.
    fn whoever_may_not_authenticate_does_not_exist(scene) {
        keep_keys(scene, &["alice"]);
        scene.rule_by(&[rule("see", "everyone", &format!("subtree:{SUFFIX}"), &["*"], &["read"])]);
        assert_eq!(bind(&scene.anonymous(), "alice", ALICE), Err(InvalidCredentials));
    }

    /// A wrong proof is a wrong password, for the one meter.
    fn wrong_proofs_count_with_wrong_passwords(scene) {
        keep_keys(scene, &["alice"]);
        scene.policy(&[("pwdLockout", "TRUE"), ("pwdMaxFailure", "3"), ("pwdLockoutDuration", "60")]);
        assert_eq!(bind(&scene.anonymous(), "alice", "wrong"), Err(InvalidCredentials));
        assert_eq!(scene.anonymous().bind("alice", "wrong"), Err(InvalidCredentials));
        scene.wait(1);
        // To begin is no attempt.
        for _ in 0..5 {
            begin(&scene.anonymous(), SCRAM, &ScramClient::new("n,,", "alice")).unwrap();
        }
        assert_eq!(bind(&scene.anonymous(), "alice", ALICE), Ok(()), "it ends the row");
        for _ in 0..3 {
            assert_eq!(bind(&scene.anonymous(), "alice", "the same"), Err(InvalidCredentials), "each counts");
        }
        let locked = "locked done of alice by nobody, bind: 3 wrong passwords";
        assert!(scene.events().iter().any(|event| event == locked), "{:?}", scene.events());
        assert_eq!(bind(&scene.anonymous(), "alice", ALICE), Err(InvalidCredentials));
        assert_eq!(scene.anonymous().bind("alice", ALICE), Err(InvalidCredentials));
        scene.wait(61);
        assert_eq!(bind(&scene.anonymous(), "alice", ALICE), Ok(()));
    }

    /// Keys are made where the password is at hand: when it is set, and at a good bind. They go with the password, and when the
    /// policy no longer wants them.
    fn keys_come_and_go_with_the_password(scene) {
        scene.policy(&[("pwdScramIterations", "4096")]);
        assert_eq!(bind(&scene.anonymous(), "alice", ALICE), Err(InvalidCredentials), "there are none yet");
        assert_eq!(scene.anonymous().bind("alice", "wrong"), Err(InvalidCredentials));
        let stamps = ["pwdChangedTime", "modifyTimestamp", "modifiersName"];
        let before = scene.root().read("alice", &stamps);
        scene.wait(5);
        assert_eq!(scene.anonymous().bind("alice", ALICE), Ok(()));
        assert_eq!(scene.root().read("alice", &stamps), before, "it is no change of the password");
        assert_eq!(bind(&scene.anonymous(), "alice", ALICE), Ok(()));

        let alice = scene.client("alice");
        assert_eq!(alice.password_modify(None, Some(ALICE), Some("a new password of alice")), Ok(None));
        assert_eq!(bind(&scene.anonymous(), "alice", ALICE), Err(InvalidCredentials));
        assert_eq!(bind(&scene.anonymous(), "alice", "a new password of alice"), Ok(()));
        // An imported hash has no keys.
        let hash = "dn: alice\nchangetype: modify\nreplace: userPassword\nuserPassword: {SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n-\nreplace: pwdReset\n-\n";
        assert_eq!(scene.root().change(hash), Ok(()));
        for password in ["password", "a new password of alice"] {
            assert_eq!(bind(&scene.anonymous(), "alice", password), Err(InvalidCredentials));
        }
        assert_eq!(scene.anonymous().bind("alice", "password"), Ok(()));
        assert_eq!(bind(&scene.anonymous(), "alice", "password"), Ok(()));
        // Another count: the old keys are good until the next bind with the password.
        scene.policy(&[("pwdScramIterations", "5000")]);
        assert_eq!(bind(&scene.anonymous(), "alice", "password"), Ok(()));
        assert_eq!(scene.anonymous().bind("alice", "password"), Ok(()));
        let said = begin(&scene.anonymous(), SCRAM, &ScramClient::new("n,,", "alice")).unwrap();
        assert!(said.ends_with(b",i=5000"));
        // They are of no use while no policy wants them, and gone after a good bind.
        scene.policy(&[("pwdScramIterations", "")]);
        assert_eq!(scene.anonymous().bind("alice", "password"), Ok(()));
        scene.policy(&[("pwdScramIterations", "5000")]);
        assert_eq!(bind(&scene.anonymous(), "alice", "password"), Err(InvalidCredentials));
    }

    /// The keys are a secret: nobody reads, finds, compares or sets them, by whatever rule or control.
    fn keys_are_secret(scene) {
        keep_keys(scene, &["alice"]);
        for who in [scene.root(), scene.client("alice"), scene.client("cn=admin")] {
            let entry = who.read("alice", &["*", "+", "pwdScramSha256"]).unwrap();
            assert!(!entry.names().contains(&"pwdScramSha256"), "{:?}", entry.names());
            for filter in ["(pwdScramSha256=*)", "(pwdScramSha256=SCRAM*)", "(!(pwdScramSha256=*))"] {
                assert_eq!(who.find(filter), [""; 0], "{filter}");
            }
            assert_ne!(who.compare("alice", "pwdScramSha256", "x"), CompareTrue);
            let set = "dn: alice\nchangetype: modify\nreplace: pwdScramSha256\npwdScramSha256: SCRAM-SHA-256$4096:AAAA$AAAA:AAAA\n-\n";
            assert!(who.change(set).is_err());
            let relax = [RawControl { oid: oid::RELAX.into(), critical: true, value: None }];
            assert!(result(&who.change_with(set, &relax)).is_err());
        }
        assert_eq!(bind(&scene.anonymous(), "alice", ALICE), Ok(()));
    }

    /// RFC 4511 §4.2.1: a client abandons an exchange by another mechanism or another way to authenticate; here, by any other
    /// request.
    fn what_was_begun_ends_with_any_other_request(scene) {
        keep_keys(scene, &["alice"]);
        let client = scene.anonymous().bound_to(channel());
        let scram = ScramClient::new("n,,", "alice");
        let others: [&dyn Fn(); 5] = [
            &|| drop(client.extended(oid::WHO_AM_I, None, &[])),
            &|| assert_eq!(client.bind("bob", "bob's password"), Ok(())),
            &|| drop(client.send(&bind_request("PLAIN", None), &[])),
            &|| drop(begin(&client, PLUS, &ScramClient::new("p=tls-exporter,,", "alice"))),
            &|| assert_ne!(client.compare("alice", "sn", "Adams"), CompareTrue),
        ];
        for other in others {
            let said = begin(&client, SCRAM, &scram).unwrap();
            let (last, _) = scram.last(&said, ALICE, b"");
            other();
            // It is taken for a first message, and is none.
            assert_eq!(result(&client.send(&bind_request(SCRAM, Some(&last)), &[])), Err(ProtocolError));
            assert!(client.identity().is_anonymous());
        }
        // What was right once is not right again.
        let said = begin(&client, SCRAM, &scram).unwrap();
        let (last, _) = scram.last(&said, ALICE, b"");
        assert_eq!(result(&client.send(&bind_request(SCRAM, Some(&last)), &[])), Ok(()));
        assert_eq!(result(&client.send(&bind_request(SCRAM, Some(&last)), &[])), Err(ProtocolError));
        begin(&client, SCRAM, &scram).unwrap();
        assert_eq!(result(&client.send(&bind_request(SCRAM, Some(&last)), &[])), Err(ProtocolError));
        assert!(client.identity().is_anonymous());
    }

    /// RFC 4422 §5: the client is to speak first, and is told so.
    fn without_a_message_the_client_is_asked_for_it(scene) {
        keep_keys(scene, &["alice"]);
        let client = scene.anonymous();
        let asked = client.send(&bind_request(SCRAM, None), &[]);
        assert_eq!((asked.result.code, asked.value), (SaslBindInProgress, Some(Vec::new())));
        assert_eq!(bind(&client, "alice", ALICE), Ok(()));
        for bad in [&b""[..], b"alice", b"n,,n=alice", b"n,,n=alice,r=", b"x,,n=alice,r=x", b"n,,m=1,n=alice,r=x", b"n,,n=a=b,r=x"] {
            assert_eq!(result(&client.send(&bind_request(SCRAM, Some(bad)), &[])), Err(ProtocolError), "{bad:?}");
        }
    }

    /// RFC 5802 §6: with channel binding, what the client has seen of the channel must be what the server has.
    fn a_client_that_binds_to_the_channel_is_bound_to_this_one(scene) {
        keep_keys(scene, &["alice"]);
        let bound = || scene.anonymous().bound_to(channel());
        let code = |(answer, proven): (Response, bool)| {
            assert_eq!(result(&answer).is_ok(), proven);
            (result(&answer), answer.result.diagnostic_message)
        };
        let alice = ("alice", ALICE);
        for (header, data) in [("p=tls-exporter,,", &b"exported"[..]), ("p=tls-server-end-point,,", b"the hash of a certificate"), ("p=ldap,,", b"tls-server-end-point:the hash of a certificate")] {
            assert_eq!(code(whole(&bound(), (PLUS, header, data), alice, &[])).0, Ok(()), "{header}");
            let (refused, words) = code(whole(&bound(), (PLUS, header, b"another channel"), alice, &[]));
            assert_eq!(refused, Err(InvalidCredentials));
            assert!(words.contains("another channel"), "{words}");
            assert_eq!(code(whole(&bound(), (PLUS, header, data), ("alice", "wrong"), &[])).0, Err(InvalidCredentials));
        }
        // RFC 5802 §6: the client could bind, and was told that the server could not: somebody was in between.
        let (refused, words) = code(whole(&bound(), (SCRAM, "y,,", b""), alice, &[]));
        assert_eq!(refused, Err(InvalidCredentials));
        assert!(words.contains("SCRAM-SHA-256-PLUS is offered"), "{words}");
        assert_eq!(code(whole(&scene.anonymous(), (SCRAM, "y,,", b""), alice, &[])).0, Ok(()), "here it is not");
        assert_eq!(code(whole(&bound(), (SCRAM, "n,,", b""), alice, &[])).0, Ok(()));
        for (mechanism, header, expected) in [
            (PLUS, "n,,", ProtocolError), (PLUS, "y,,", ProtocolError),
            (PLUS, "p=tls-unique,,", InappropriateAuthentication),
        ] {
            assert_eq!(code(whole(&bound(), (mechanism, header, b"exported"), alice, &[])).0, Err(expected), "{mechanism} {header}");
        }
        // Cyrus SASL binds to the channel and leaves "-PLUS" out of the name; what it says of the channel must be right all the same.
        assert_eq!(code(whole(&bound(), (SCRAM, "p=tls-exporter,,", b"exported"), alice, &[])).0, Ok(()));
        let elsewhere = whole(&bound(), (SCRAM, "p=tls-exporter,,", b"another channel"), alice, &[]);
        assert_eq!(code(elsewhere).0, Err(InvalidCredentials));
        let nothing = whole(&scene.anonymous(), (PLUS, "p=tls-exporter,,", b"exported"), alice, &[]);
        assert_eq!(code(nothing).0, Err(InappropriateAuthentication));
    }

    /// Everything that may be wrong with an account is looked at as with a simple bind, and told as there.
    fn the_state_of_the_account_counts_as_ever(scene) {
        keep_keys(scene, &["alice"]);
        scene.policy(&[("pwdMustChange", "TRUE")]);
        scene.root().password_modify(Some("alice"), None, Some("a new password of alice")).unwrap();
        let client = scene.anonymous();
        let (answer, proven) = whole(&client, (SCRAM, "n,,", b""), ("alice", "a new password of alice"), &policy_control());
        assert_eq!((result(&answer), proven), (Ok(()), true));
        assert_eq!(policy_response(&answer).as_deref(), Some(CHANGE_AFTER_RESET));
        assert_eq!(client.compare("alice", "sn", "Adams"), InsufficientAccessRights);
        assert_eq!(client.password_modify(None, Some("a new password of alice"), Some("a better password of hers")), Ok(None));

        scene.policy(&[("pwdMaxAge", "100"), ("pwdGraceAuthNLimit", "0")]);
        scene.wait(200);
        let (answer, _) = whole(&client, (SCRAM, "n,,", b""), ("alice", "a better password of hers"), &policy_control());
        assert_eq!((result(&answer), answer.value.clone()), (Err(InvalidCredentials), None));
        assert_eq!(policy_response(&answer).as_deref(), Some(EXPIRED));
        scene.policy(&[("pwdMaxAge", "0")]);
        assert_eq!(scene.root().change("dn: alice\nchangetype: modify\nreplace: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n-\n"), Ok(()));
        assert_eq!(bind(&client, "alice", "a better password of hers"), Err(InvalidCredentials));
    }

    /// A temporary password that is good from later on is as wrong as any other until then, is counted like one, and nobody is told
    /// more; from then on it must be changed.
    fn a_password_that_begins_later_is_wrong_until_then(scene) {
        keep_keys(scene, &["alice"]);
        let hanna = scene.client("hanna");
        let later = [critical(oid::RESET_OPTIONS, Some(b"valid-from=20260602080000Z"))];
        let given = "for the first of June";
        assert_eq!(result(&hanna.password_modify_with(Some("alice"), None, Some(given), &later)), Ok(()));
        let try_it = |password: &str| {
            let (answer, proven) =
                whole(&scene.anonymous(), (SCRAM, "n,,", b""), ("alice", password), &policy_control());
            (result(&answer), answer.result.diagnostic_message.clone(), policy_response(&answer), proven)
        };
        let early = try_it(given);
        assert_eq!((&early.0, &early.2, early.3), (&Err(InvalidCredentials), &None, false));
        assert_eq!(scene.root().values("alice", "pwdFailureTime").len(), 1);
        assert_eq!(try_it("a wrong one"), early);
        assert_eq!(scene.root().values("alice", "pwdFailureTime").len(), 2);
        scene.wait(20 * 3_600);
        let (answer, _, control, proven) = try_it(given);
        assert_eq!((answer, control.as_deref(), proven), (Ok(()), Some(CHANGE_AFTER_RESET), true));
    }

    /// Nothing that is recorded or told of an account has its keys: events, the ledger, the change log, what is read before and after
    /// a change.
    fn keys_are_told_nowhere(scene) {
        keep_keys(scene, &["alice"]);
        scene.wait(60);
        let alice = scene.client("alice");
        alice.password_modify(None, Some(ALICE), Some("a much better secret")).unwrap();
        scene.client("hanna").password_modify(Some("alice"), None, Some("given by the helpdesk")).unwrap();
        let root = scene.root();
        let everything = list(&["*", "+", "pwdScramSha256", "userPassword"]);
        let controls = [critical(oid::PRE_READ, Some(&everything)), critical(oid::POST_READ, Some(&everything))];
        let title = root.change_with("dn: alice\nchangetype: modify\nreplace: title\ntitle: Dr\n-\n", &controls);
        assert_eq!((result(&title), title.controls.len()), (Ok(()), 2));
        let events = format!("{:?}", scene.recorded());
        let log = format!("{:?}", scene.directory.view().changes_after(0, usize::MAX).unwrap());
        let ledger = root.values("alice", "pwdLedger").concat();
        let read: Vec<u8> = title.controls.iter().flat_map(|control| control.value.clone().unwrap()).collect();
        let found = ["alice", "cn=admin", "hanna"].map(|who| {
            format!("{:?}", scene.client(who).read("alice", &["*", "+", "pwdScramSha256", "userPassword"]))
        });
        let told = [events, log, ledger, String::from_utf8_lossy(&read).into_owned(), found.concat()];
        for text in told {
            assert!(!text.is_empty() && !text.contains("SCRAM-SHA-256$") && !text.contains("pwdScramSha256"), "{text}");
        }
        // There are some.
        let kept = scene.directory.view();
        let id = kept.find(&Dn::parse(kept.schema(), &full("alice")).unwrap()).unwrap().entry().unwrap();
        let credentials = kept.credentials(id).unwrap().unwrap();
        assert!(credentials.entry.first(kept.schema().known().pwd_scram_sha256).unwrap().starts_with(b"SCRAM-SHA-256$4096:"));
    }

    /// RFC 5802 §5.1: `a=` says whom the client wants to be taken for.
    fn somebody_acts_as_whom_they_may(scene) {
        keep_keys(scene, &["alice", "bob"]);
        let proxy = rule("proxy", &format!("dn:{}", full("bob")), "below:ou=people,dc=example,dc=com", &[], &["proxy"]);
        scene.rule_by(&rules().into_iter().chain([proxy]).collect::<Vec<_>>());
        let client = scene.anonymous();
        let act = |header: &str, who: (&str, &str)| result(&whole(&client, (SCRAM, header, b""), who, &[]).0);
        assert_eq!(act("n,a=u:alice,", ("bob", "bob's password")), Ok(()));
        assert_eq!((client.identity().name(), client.proxied_by().unwrap().name()), (full("alice").as_str(), full("bob").as_str()));
        assert_eq!(act("n,a=u:bob,", ("alice", ALICE)), Err(InvalidCredentials));
        assert_eq!(act("n,a=dn:uid=3Dalice=2Cou=3Dpeople=2Cdc=3Dexample=2Cdc=3Dcom,", ("bob", "bob's password")), Ok(()));
    }
}
