//! Bind (RFC 4511 §4.2, RFC 4513 §5): who gets in, and what a failure tells.

use keystead::directory::ResultCode;
use keystead::directory::ResultCode::{
    AuthMethodNotSupported, ConfidentialityRequired, InappropriateAuthentication, InsufficientAccessRights,
    InvalidCredentials, InvalidDnSyntax, ProtocolError, UnavailableCriticalExtension, UnwillingToPerform,
};
use keystead::directory::tree::Directory;
use keystead::operations::External;
use keystead::operations::context::AnonymousBind;
use keystead::protocol::request::{Authentication, BindRequest};
use keystead::protocol::{RawControl, Request};

use crate::scene::{Client, SUFFIX, full, policy_control, result, rule, rules};
use crate::sentences;

const ALICE: &str = "alice's password";

/// A bind request for alice by a SASL mechanism.
fn sasl(mechanism: &str, credentials: Option<&str>) -> Request {
    let credentials = credentials.map(|text| text.to_owned().into());
    let authentication = Authentication::Sasl { mechanism: mechanism.to_owned().into(), credentials };
    Request::Bind(BindRequest { version: 3, name: "".into(), authentication })
}

/// A bind request with the right password of alice, but of another version of the protocol.
fn version(version: i32) -> Request {
    let authentication = Authentication::Simple(ALICE.into());
    Request::Bind(BindRequest { version, name: full("alice").into(), authentication })
}

/// Asserts that a client is nobody.
#[track_caller]
fn assert_nobody<D: Directory>(client: &Client<'_, D>) {
    assert!(client.identity().is_anonymous(), "{:?}", client.identity());
    assert_eq!(client.read("alice", &["sn"]), None);
}

sentences! {
    /// RFC 4513 §5.1.3: a name and its password authenticate; the name may be spelled in any way, or be a user name
    /// (sharp edge 8).
    fn a_name_and_its_password_authenticate(scene) {
        for name in [
            "uid=alice,ou=people,dc=example,dc=com", "UID=Alice , OU=People, DC=EXAMPLE,dc=com", "userid=\\61lice,2.5.4.11=people,dc=example,dc=com",
            "dn:uid=alice,ou=people,dc=example,dc=com", "u:alice", "U:Alice", "alice",
        ] {
            let client = scene.anonymous();
            assert_eq!(result(&client.send(&simple(name, ALICE), &[])), Ok(()), "{name}");
            assert_eq!(client.identity().name(), full("alice"), "{name}");
        }
    }

    /// RFC 4513 §5.1.1: "the anonymous authentication mechanism of the simple Bind method": an empty name and an empty password.
    fn an_empty_name_and_password_are_anonymous(scene) {
        let client = scene.client("alice");
        assert_eq!(client.bind("", ""), Ok(()));
        assert_nobody(&client);
        scene.configure(|services| services.anonymous = AnonymousBind::Refused);
        assert_eq!(client.bind("", ""), Err(InappropriateAuthentication));
        assert_eq!(client.bind("alice", ALICE), Ok(()));
    }

    /// RFC 4513 §5.1.2: "Servers SHOULD by default fail Unauthenticated Bind requests with a resultCode of
    /// unwillingToPerform", whoever is named.
    fn a_name_without_a_password_is_refused(scene) {
        let client = scene.client("bob");
        for name in ["alice", "nobody", "cn=admin", "u:alice", "dc=org"] {
            assert_eq!(client.bind(name, ""), Err(UnwillingToPerform), "{name}");
            assert_nobody(&client);
        }
        assert_eq!(client.bind("", "a password"), Err(InvalidCredentials));
    }

    /// RFC 4511 §4.2: "version": 3; all others get protocolError (RFC 4511 §4.2.1), and nobody is authenticated.
    fn other_versions_are_refused(scene) {
        let client = scene.client("bob");
        for other in [2, 1, 0, 4, 127, -1, i32::MAX, i32::MIN] {
            assert_eq!(result(&client.send(&version(other), &[])), Err(ProtocolError), "{other}");
            assert_nobody(&client);
        }
        assert_eq!(result(&client.send(&version(3), &[])), Ok(()));
    }

    /// RFC 4511 §4.2.2, RFC 4513 §6.3: whether the name or the password is wrong is not told: the whole answer is the
    /// same.
    fn whatever_is_wrong_the_answer_is_the_same(scene) {
        let expected = scene.anonymous().bind_with("alice", "wrong", &policy_control());
        assert_eq!(result(&expected), Err(InvalidCredentials));
        assert_eq!((expected.result.matched_dn.as_str(), expected.controls.len()), ("", 0));
        for name in [
            "nobody", "u:nobody", "cn=nobody,ou=groups,dc=example,dc=com", "cn=x,uid=alice,ou=people,dc=example,dc=com",
            "dc=other,dc=org", "ou=people,dc=example,dc=com", "cn=staff,ou=groups,dc=example,dc=com", "cn=Subschema", "dc=com",
            "gidNumber=0+uidNumber=0,cn=peercred,cn=external,cn=auth",
        ] {
            for password in ["wrong", "nobody's", "nobody's password"] {
                let name = if name == "nobody" { full(name) } else { name.to_owned() };
                let answered = scene.anonymous().send(&simple(&name, password), &policy_control());
                assert_eq!((answered.result, password), (expected.result.clone(), password), "{name}");
            }
        }
    }

    /// RFC 4511 §4.1.3: what is no name at all is told as such; it names nobody.
    fn a_name_that_is_none_is_refused_as_such(scene) {
        let client = scene.client("bob");
        for name in ["uid=alice,,dc=com", "alice,bob", "=x", "dn:alice", "dn:u:alice", "uid=alice\\"] {
            assert_eq!(result(&client.send(&simple(name, ALICE), &[])), Err(InvalidDnSyntax), "{name}");
            assert_nobody(&client);
        }
        let authentication = Authentication::Simple(ALICE.into());
        let octets = BindRequest { version: 3, name: (&b"uid=\xff,dc=com"[..]).into(), authentication };
        assert_eq!(result(&client.send(&Request::Bind(octets), &[])), Err(InvalidDnSyntax));
    }

    /// A user name that several entries have is nobody's.
    fn a_user_name_must_be_of_one_entry(scene) {
        let twin = "dn: cn=twin,ou=groups\nobjectClass: inetOrgPerson\nsn: x\nuid: ALICE\nuserPassword: a second alice\n";
        scene.share_everything();
        scene.root().change(twin).unwrap();
        for password in [ALICE, "a second alice"] {
            assert_eq!(result(&scene.anonymous().send(&simple("alice", password), &[])), Err(InvalidCredentials));
        }
        assert_eq!(scene.anonymous().bind("alice", ALICE), Ok(()));
        assert_eq!(scene.anonymous().bind("cn=twin,ou=groups", "a second alice"), Ok(()));
    }

    /// RFC 4513 §4: from the receipt of a bind request on, a connection is anonymous, and a bind that fails leaves it so.
    fn a_bind_that_fails_leaves_nobody(scene) {
        for (request, code) in [
            (simple(&full("alice"), "wrong"), InvalidCredentials),
            (simple(&full("alice"), ""), UnwillingToPerform),
            (simple("uid=,,", ALICE), InvalidDnSyntax),
            (version(2), ProtocolError),
            (sasl("PLAIN", Some("\0alice\0wrong")), InvalidCredentials),
            (sasl("CRAM-MD5", None), AuthMethodNotSupported),
            (sasl("EXTERNAL", None), InappropriateAuthentication),
        ] {
            let client = scene.client("alice");
            assert_eq!(client.values("alice", "sn"), ["Adams"]);
            assert_eq!(result(&client.send(&request, &[])), Err(code), "{request:?}");
            assert_nobody(&client);
        }
    }

    /// RFC 4511 §4.2: "authMethodNotSupported" for mechanisms that the server does not have; RFC 4422 §3.1: their names are
    /// in upper case.
    fn other_mechanisms_are_not_supported(scene) {
        let client = scene.anonymous();
        for mechanism in ["DIGEST-MD5", "GSSAPI", "SCRAM-SHA-256", "ANONYMOUS", "external", "", "EXTERNAL ", "plain"] {
            assert_eq!(result(&client.send(&sasl(mechanism, None), &[])), Err(AuthMethodNotSupported), "{mechanism}");
        }
        let unknown = BindRequest { version: 3, name: full("alice").into(), authentication: Authentication::Unknown };
        assert_eq!(result(&client.send(&Request::Bind(unknown), &[])), Err(AuthMethodNotSupported));
    }

    /// RFC 4513 §5.1.3 and §6.3: where others may listen in, no password is taken, and that is told before it is looked
    /// at; everything without a password goes on.
    fn in_the_clear_no_password_is_taken(scene) {
        let client = scene.client("bob").in_the_clear();
        for (name, password) in [("alice", ALICE), ("alice", "wrong"), ("nobody", "x"), ("", "x")] {
            assert_eq!(client.bind(name, password), Err(ConfidentialityRequired), "{name} {password}");
            assert_nobody(&client);
        }
        assert_eq!(client.bind("alice", ""), Err(UnwillingToPerform));
        assert_eq!(client.bind("", ""), Ok(()));
        client.prove_externally(External::Superuser);
        assert_eq!(result(&client.send(&sasl("EXTERNAL", None), &[])), Ok(()));
        assert_eq!(scene.root().values("alice", "pwdFailureTime"), [""; 0]);
    }

    /// Whom no rule grants the right to authenticate is answered like somebody with a wrong password, whatever theirs is.
    fn whoever_may_not_authenticate_does_not_exist(scene) {
        let but_alice = |mut rules: Vec<keystead::access::RuleText>| {
            let alice = format!("entry:{}", full("alice"));
            let mut deny = rule("no alice", "everyone", &alice, &[], &[]);
            deny.deny = vec!["authenticate".into()];
            rules.push(deny);
            rules
        };
        scene.rule_by(&but_alice(rules()));
        let right = scene.anonymous().bind_with("alice", ALICE, &policy_control());
        assert_eq!(result(&right), Err(InvalidCredentials));
        assert_eq!(scene.anonymous().bind_with("nobody", "x", &policy_control()), right);
        assert_eq!(scene.client("bob").compare("alice", "userPassword", ALICE), InsufficientAccessRights);
        assert_eq!(scene.anonymous().bind("bob", "bob's password"), Ok(()));
        scene.rule_by(&[rule("see", "everyone", &format!("subtree:{SUFFIX}"), &["*"], &["read"])]);
        assert_eq!(scene.anonymous().bind("bob", "bob's password"), Err(InvalidCredentials));
    }

    /// Whoever is renamed is authenticated by the new name, and stays who they are meanwhile; who is deleted is nobody.
    fn a_person_is_more_than_a_name(scene) {
        let alice = scene.anonymous();
        alice.bind("alice", ALICE).unwrap();
        scene.root().change("dn: alice\nchangetype: modrdn\nnewrdn: uid=alicia\ndeleteoldrdn: 1\n").unwrap();
        assert_eq!(scene.anonymous().bind("alice", ALICE), Err(InvalidCredentials));
        assert_eq!(scene.anonymous().bind("alicia", ALICE), Ok(()));
        assert_eq!(alice.password_modify(None, Some(ALICE), Some("a much better secret")), Ok(None));
        scene.root().change("dn: alicia\nchangetype: delete\n").unwrap();
        assert_eq!(scene.anonymous().bind("alicia", "a much better secret"), Err(InvalidCredentials));
        scene.root().change("dn: alicia\nobjectClass: inetOrgPerson\ncn: x\nsn: y\nuserPassword: somebody else's\n").unwrap();
        let own = alice.password_modify(None, Some("somebody else's"), Some("another secret"));
        assert_eq!(own, Err(ResultCode::NoSuchObject));
    }

    /// Decision 6: an old hash is replaced at a good bind, which is no change of the password.
    fn an_old_hash_is_replaced_at_a_good_bind(scene) {
        let hash = "replace: userPassword\nuserPassword: {SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n";
        scene.root().change(&format!("dn: alice\nchangetype: modify\n{hash}-\nreplace: pwdReset\n-\n")).unwrap();
        let state = |name: &str| scene.root().values("alice", name);
        assert_eq!(state("pwdScheme"), ["sha"]);
        let stamps = ["pwdChangedTime", "modifyTimestamp", "modifiersName", "entryCSN", "shadowLastChange"];
        let before = scene.root().read("alice", &stamps);
        scene.wait(60);
        assert_eq!(scene.anonymous().bind("alice", "wrong"), Err(InvalidCredentials));
        assert_eq!(state("pwdScheme"), ["sha"]);
        assert_eq!(scene.anonymous().bind("alice", "password"), Ok(()));
        assert_eq!(state("pwdScheme"), ["argon2id"]);
        assert_eq!(scene.root().read("alice", &stamps), before);
        assert_eq!(scene.anonymous().bind("alice", "password"), Ok(()));
        assert_eq!(scene.anonymous().bind("alice", "Password"), Err(InvalidCredentials));
    }

    /// Decision 6: what an import has wrapped in Argon2id becomes a hash of the password itself at a good bind.
    fn a_wrapped_hash_is_unwrapped_at_a_good_bind(scene) {
        let wrapped = "{ARGON2-WRAP}{SHA}|$argon2id$v=19$m=64,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$BSBoEL4PqmQAKk980etdGJxiQVNpXI6a+uyy81NckTY";
        let hash = format!("replace: userPassword\nuserPassword: {wrapped}\n");
        scene.root().change(&format!("dn: alice\nchangetype: modify\n{hash}-\nreplace: pwdReset\n-\n")).unwrap();
        let stamps = ["pwdChangedTime", "pwdReset", "pwdHistory", "modifyTimestamp", "modifiersName", "entryCSN"];
        let before = scene.root().read("alice", &stamps);
        scene.wait(60);
        for wrong in [wrapped, "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g="] {
            assert_eq!(scene.anonymous().bind("alice", wrong), Err(InvalidCredentials));
        }
        assert_eq!(scene.root().values("alice", "pwdScheme"), ["sha in argon2id"]);
        for _ in 0..2 {
            assert_eq!(scene.anonymous().bind("alice", "password"), Ok(()));
            assert_eq!(scene.root().values("alice", "pwdScheme"), ["argon2id"]);
        }
        assert_eq!(scene.root().read("alice", &stamps), before);
    }

    /// RFC 4511 §4.1.11: an unknown critical control makes a bind fail; one that is not critical does not matter.
    fn an_unknown_critical_control_makes_a_bind_fail(scene) {
        let control = |critical| [RawControl { oid: "1.2.3.4".into(), critical, value: None }];
        let client = scene.anonymous();
        let refused = client.bind_with("alice", ALICE, &control(true));
        assert_eq!(result(&refused), Err(UnavailableCriticalExtension));
        assert_nobody(&client);
        assert_eq!(result(&client.bind_with("alice", ALICE, &control(false))), Ok(()));
    }
}

fn simple(name: &str, password: &str) -> Request {
    let authentication = Authentication::Simple(password.to_owned().into());
    Request::Bind(BindRequest { version: 3, name: name.to_owned().into(), authentication })
}
