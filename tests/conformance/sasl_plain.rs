//! SASL PLAIN (RFC 4616) as LDAP has it (RFC 4513 §5.2): a password by another way, and nothing else.

use keystead::access::when::WhenText;
use keystead::directory::ResultCode::{
    ConfidentialityRequired, InsufficientAccessRights, InvalidCredentials, InvalidDnSyntax, ProtocolError,
    SaslBindInProgress, UnwillingToPerform,
};
use keystead::directory::tree::Directory;
use keystead::protocol::request::{Authentication, BindRequest};
use keystead::protocol::{RawControl, Request, Response, oid};

use crate::scene::answer::{CHANGE_AFTER_RESET, control_of, critical};
use crate::scene::{Client, Scene, full, policy_control, policy_response, result, rule, rules};
use crate::sentences;

const ALICE: &str = "alice's password";

/// A bind by PLAIN with that message.
fn plain(message: Option<&[u8]>) -> Request {
    let credentials = message.map(|octets| octets.to_vec().into());
    let authentication = Authentication::Sasl { mechanism: "PLAIN".into(), credentials };
    Request::Bind(BindRequest { version: 3, name: full("hanna").into(), authentication })
}

fn bind_with<D: Directory>(client: &Client<'_, D>, fields: [&str; 3], controls: &[RawControl]) -> Response {
    client.send(&plain(Some(fields.join("\0").as_bytes())), controls)
}

fn bind<D: Directory>(client: &Client<'_, D>, fields: [&str; 3]) -> crate::scene::client::Answered {
    result(&bind_with(client, fields, &[]))
}

/// bob may act for people.
fn bob_acts_for_people<D: Directory>(scene: &Scene<D>, authentication: &str) {
    let mut proxy = rule("proxy", &format!("dn:{}", full("bob")), "below:ou=people,dc=example,dc=com", &[], &["proxy"]);
    proxy.when = Some(WhenText { authentication: vec![authentication.into()], ..WhenText::default() });
    scene.rule_by(&rules().into_iter().chain([proxy]).collect::<Vec<_>>());
}

sentences! {
    /// RFC 4616 §2: authcid and passwd authenticate; without an authzid, "the server will derive an authorization identity
    /// from the authentication identity". RFC 4513 §5.2.1: the name in the bind request is ignored.
    fn a_name_and_its_password_authenticate(scene) {
        for name in [full("alice").as_str(), "UID=Alice , OU=People,dc=example,dc=com", "dn:uid=alice,ou=people,dc=example,dc=com", "u:alice", "alice"] {
            let client = scene.anonymous();
            assert_eq!(bind(&client, ["", name, ALICE]), Ok(()), "{name}");
            assert_eq!((client.identity().name(), client.proxied_by()), (full("alice").as_str(), None), "{name}");
        }
    }

    /// A bind by PLAIN is answered as a simple one is, whatever is wrong.
    fn it_is_answered_like_a_simple_bind(scene) {
        for (name, password) in [("alice", ALICE), ("alice", "wrong"), ("nobody", "x"), ("alice", ""), ("a,b", "x"), ("dn:alice", "x")] {
            let by_plain = bind_with(&scene.anonymous(), ["", name, password], &policy_control());
            let authentication = Authentication::Simple(password.to_owned().into());
            let simple = Request::Bind(BindRequest { version: 3, name: name.to_owned().into(), authentication });
            assert_eq!(by_plain, scene.anonymous().send(&simple, &policy_control()), "{name} {password}");
        }
        assert_eq!(bind(&scene.anonymous(), ["", "alice", ""]), Err(UnwillingToPerform));
        assert_eq!(bind(&scene.anonymous(), ["", "alice,", "x"]), Err(InvalidDnSyntax));
    }

    /// RFC 4616 §2: "message = [authzid] UTF8NUL authcid UTF8NUL passwd"; what is no such message tests nothing.
    fn what_is_no_such_message_is_refused(scene) {
        let client = scene.client("bob");
        for bad in [&b""[..], b"alice", b"\0alice", b"\0\0x", b"\0alice\0x\0", b"\0alice\0x\0y", b"\0alice\0\xff", b"\xff\0alice\0x"] {
            assert_eq!(result(&client.send(&plain(Some(bad)), &[])), Err(ProtocolError), "{bad:?}");
            assert!(client.identity().is_anonymous());
        }
        assert_eq!(scene.root().values("alice", "pwdFailureTime"), [""; 0]);
    }

    /// RFC 4422 §5: where a mechanism has the client speak first and it has not, "the server is to issue an empty challenge".
    fn without_a_message_the_client_is_asked_for_it(scene) {
        let client = scene.client("bob");
        let asked = client.send(&plain(None), &[]);
        assert_eq!((asked.result.code, asked.value), (SaslBindInProgress, Some(Vec::new())));
        assert!(client.identity().is_anonymous());
        assert_eq!(bind(&client, ["", "alice", ALICE]), Ok(()));
        assert_eq!(client.identity().name(), full("alice"));
    }

    /// RFC 4616 §4: where others can listen in no password is taken, not even looked at, and the mechanism
    /// is not listed.
    fn in_the_clear_no_password_is_taken(scene) {
        let client = scene.anonymous().in_the_clear();
        for fields in [["", "alice", ALICE], ["", "alice", "wrong"], ["", "", ""]] {
            assert_eq!(bind(&client, fields), Err(ConfidentialityRequired));
        }
        assert_eq!(result(&client.send(&plain(None), &[])), Err(ConfidentialityRequired));
        assert_eq!(scene.root().values("alice", "pwdFailureTime"), [""; 0]);
    }

    /// There is one meter: wrong passwords by either way count together and lock the account for both.
    fn wrong_passwords_count_with_all_others(scene) {
        scene.policy(&[("pwdLockout", "TRUE"), ("pwdMaxFailure", "3"), ("pwdLockoutDuration", "60")]);
        let client = scene.anonymous();
        assert_eq!(bind(&client, ["", "alice", "wrong 1"]), Err(InvalidCredentials));
        assert_eq!(client.bind("alice", "wrong 2"), Err(InvalidCredentials));
        assert_eq!(bind(&client, ["", "alice", "wrong 2"]), Err(InvalidCredentials), "the same again counts once");
        assert_eq!(client.bind("alice", ALICE), Ok(()));
        for guess in ["1", "2", "3"] {
            assert_eq!(bind(&client, ["", "alice", guess]), Err(InvalidCredentials));
        }
        assert_eq!(client.bind("alice", ALICE), Err(InvalidCredentials));
        assert_eq!(bind(&client, ["", "alice", ALICE]), Err(InvalidCredentials));
        scene.wait(61);
        assert_eq!(bind(&client, ["", "alice", ALICE]), Ok(()));
    }

    /// draft-behera §8.1: the controls of a bind go with it, and a password that must be changed allows the change only.
    fn the_state_of_the_password_is_told(scene) {
        scene.policy(&[("pwdMustChange", "TRUE")]);
        scene.root().password_modify(Some("alice"), None, Some("a new password of alice")).unwrap();
        let client = scene.anonymous();
        let answer = bind_with(&client, ["", "alice", "a new password of alice"], &policy_control());
        assert_eq!(result(&answer), Ok(()));
        assert_eq!(policy_response(&answer).as_deref(), Some(CHANGE_AFTER_RESET));
        assert_eq!(client.compare("alice", "sn", "Adams"), InsufficientAccessRights);
        assert_eq!(client.password_modify(None, Some("a new password of alice"), Some("a better password of hers")), Ok(None));
        let asking = [critical(oid::AUTHORIZATION_IDENTITY, None)];
        let told = bind_with(&client, ["", "alice", "a better password of hers"], &asking);
        let name = control_of(&told, oid::AUTHORIZATION_IDENTITY_RESPONSE).map(<[u8]>::to_vec);
        assert_eq!(name, Some(format!("dn:{}", full("alice")).into_bytes()));
    }

    /// RFC 4616 §2: with an authzid the server verifies "that the authentication credentials permit the client to act as the
    /// (presented or derived) authorization identity": who may, by the right `proxy`.
    fn somebody_acts_as_whom_they_may(scene) {
        bob_acts_for_people(scene, "simple");
        for name in ["u:alice", "dn:uid=alice,ou=people,dc=example,dc=com"] {
            let client = scene.anonymous();
            assert_eq!(bind(&client, [name, "bob", "bob's password"]), Ok(()));
            assert_eq!(client.identity().name(), full("alice"));
            assert_eq!(client.proxied_by().unwrap().name(), full("bob"));
        }
        let own = scene.anonymous();
        assert_eq!(bind(&own, ["u:bob", "bob", "bob's password"]), Ok(()));
        assert_eq!((own.identity().name(), own.proxied_by()), (full("bob").as_str(), None));
        for (authz_id, name, password) in [
            ("u:bob", "alice", ALICE), ("u:nobody", "bob", "bob's password"), ("dn:", "bob", "bob's password"),
            ("alice", "bob", "bob's password"), ("u:alice", "bob", "wrong"), ("u:alice", "nobody", "x"), ("dn:cn=admin,dc=example,dc=com", "bob", "bob's password"),
        ] {
            let client = scene.anonymous();
            assert_eq!(bind(&client, [authz_id, name, password]), Err(InvalidCredentials), "{authz_id} {name}");
            assert!(client.identity().is_anonymous());
        }
    }

    /// For access rules PLAIN is what a simple bind is: a password.
    fn for_access_rules_it_is_a_password(scene) {
        bob_acts_for_people(scene, "external");
        assert_eq!(bind(&scene.anonymous(), ["u:alice", "bob", "bob's password"]), Err(InvalidCredentials));
        bob_acts_for_people(scene, "simple");
        assert_eq!(bind(&scene.anonymous(), ["u:alice", "bob", "bob's password"]), Ok(()));
    }

    /// Whoever must change their password acts for nobody.
    fn whoever_must_change_their_password_acts_for_nobody(scene) {
        bob_acts_for_people(scene, "simple");
        scene.policy(&[("pwdMustChange", "TRUE")]);
        scene.root().password_modify(Some("bob"), None, Some("a new password of bob's")).unwrap();
        assert_eq!(bind(&scene.anonymous(), ["u:alice", "bob", "a new password of bob's"]), Err(InsufficientAccessRights));
        assert_eq!(bind(&scene.anonymous(), ["", "bob", "a new password of bob's"]), Ok(()));
    }
}
