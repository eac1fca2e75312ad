//! What is asked before a password is set (row B31): what is demanded of it, and for passwords to choose from, as clients of
//! `UnboundID` ask.

use keystead::directory::ResultCode::{
    ConfidentialityRequired, InsufficientAccessRights, NoSuchObject, ProtocolError, StrongerAuthRequired,
    UnwillingToPerform,
};
use keystead::directory::tree::Directory;
use keystead::directory::{ResultCode, wire};
use keystead::operations::Freedom;
use keystead::protocol::{Response, oid};

use crate::scene::client::Client;
use crate::scene::{full, result, rule};
use crate::sentences;

const POLICY: &str = "cn=default,ou=policies";

/// A SEQUENCE of fields, each with its tag.
fn sequence(fields: &[(u8, &[u8])]) -> Vec<u8> {
    let mut content = Vec::new();
    for (tag, field) in fields {
        wire::put_element(&mut content, *tag, field);
    }
    let mut value = Vec::new();
    wire::put_element(&mut value, wire::SEQUENCE, &content);
    value
}

/// What is demanded of a password that the tag and the name say.
fn demanded<D: Directory>(client: &Client<'_, D>, tag: u8, name: &str) -> Response {
    let name = if name.is_empty() { String::new() } else { full(name) };
    client.extended(oid::PASSWORD_DEMANDS, Some(&sequence(&[(tag, name.as_bytes())])), &[])
}

/// The sentences of an answer, and what stands behind them.
fn told(response: &Response) -> (Vec<String>, Vec<u8>) {
    assert_eq!((result(response), response.name), (Ok(()), Some(oid::PASSWORD_DEMANDS_RESPONSE)));
    let value = response.value.as_ref().unwrap();
    let outer = wire::element(value).unwrap();
    let list = wire::element(outer.content).unwrap();
    let sentence =
        |one: wire::Element<'_>| String::from_utf8(wire::element(one.content).unwrap().content.to_vec()).unwrap();
    (wire::elements(list.content).map(sentence).collect(), list.rest.to_vec())
}

/// One of several sentences; empty if there are fewer.
fn nth(sentences: &[String], position: usize) -> &str {
    sentences.get(position).map_or("", String::as_str)
}

/// Passwords that are made, as many as that, for an entry or by a policy.
fn made<D: Directory>(client: &Client<'_, D>, tag: u8, name: &str, count: u8) -> Response {
    let name = if name.is_empty() { String::new() } else { full(name) };
    client.extended(oid::GENERATE_PASSWORD, Some(&sequence(&[(tag, name.as_bytes()), (0x83, &[count])])), &[])
}

fn passwords(response: &Response) -> Vec<String> {
    assert_eq!((result(response), response.name), (Ok(()), Some(oid::GENERATE_PASSWORD_RESPONSE)));
    let outer = wire::element(response.value.as_ref().unwrap()).unwrap();
    let policy = wire::element(outer.content).unwrap();
    assert_eq!(policy.content, full(POLICY).as_bytes());
    let list = wire::element(policy.rest).unwrap();
    let text =
        |one: wire::Element<'_>| String::from_utf8(wire::element(one.content).unwrap().content.to_vec()).unwrap();
    wire::elements(list.content).map(text).collect()
}

fn code(response: &Response) -> ResultCode {
    response.result.code
}

sentences! {
    /// Each demand is a sentence, and what follows a change is told with them: `currentPasswordRequired [0]`.
    fn everybody_is_told_what_their_next_password_must_be_like(scene) {
        scene.policy(&[("pwdMinLength", "14"), ("pwdMinClasses", "2")]);
        let (sentences, more) = told(&demanded(&scene.client("alice"), 0x82, ""));
        assert_eq!(sentences.len(), 5, "{sentences:?}");
        assert_eq!(nth(&sentences, 0), "It has at least 14 characters.");
        assert!(nth(&sentences, 3).contains("at least 2 of these four kinds"), "{sentences:?}");
        assert_eq!(nth(&sentences, 4), "It is neither the current one nor one of the last 3.");
        assert_eq!(more, b"\x80\x01\xff");
        assert_eq!(told(&demanded(&scene.client("alice"), 0x83, "alice")).0, sentences);
    }

    /// `mustChangePassword [1]`, `secondsUntilExpiration [2]`.
    fn whoever_resets_a_password_is_told_for_how_long_it_is_good(scene) {
        let hanna = scene.client("hanna");
        assert_eq!(told(&demanded(&hanna, 0x84, "alice")).1, b"\x81\x01\xff");
        scene.policy(&[("pwdTemporaryMaxAge", "300"), ("pwdMaxAge", "86400")]);
        assert_eq!(told(&demanded(&hanna, 0x84, "alice")).1, b"\x81\x01\xff\x82\x02\x01\x2c");
        scene.policy(&[("pwdMustChange", "FALSE")]);
        assert_eq!(told(&demanded(&hanna, 0x84, "alice")).1, b"\x81\x01\x00\x82\x03\x01\x51\x80");
        assert_eq!(told(&demanded(&hanna, 0x83, "alice")).1, b"\x80\x01\xff\x82\x03\x01\x51\x80");
    }

    /// Who is yet to come has had no password before.
    fn a_policy_tells_what_it_demands_of_those_who_are_yet_to_come(scene) {
        let admin = scene.client("cn=admin");
        let (sentences, more) = told(&demanded(&admin, 0x80, ""));
        assert_eq!(nth(&sentences, 0), "It has at least 12 characters.");
        assert!(!sentences.iter().any(|one| one.contains("current one")), "{sentences:?}");
        assert_eq!(more, b"\x81\x01\x00");
        assert_eq!(told(&demanded(&admin, 0x81, POLICY)).0, sentences);
        assert!(matches!(code(&demanded(&admin, 0x81, "alice")), InsufficientAccessRights | UnwillingToPerform));
        assert_eq!(code(&demanded(&admin, 0x81, "cn=none,ou=policies")), NoSuchObject);
    }

    /// The language is that of whoever asks.
    fn who_prefers_german_is_told_in_german(scene) {
        let prefers = "dn: alice\nchangetype: modify\nreplace: preferredLanguage\npreferredLanguage: de\n-\n";
        assert_eq!(scene.root().change(prefers), Ok(()));
        let (sentences, _) = told(&demanded(&scene.client("alice"), 0x82, ""));
        assert_eq!(nth(&sentences, 0), "Es hat mindestens 12 Zeichen.");
    }

    /// Who may ask is who may set the password; that nobody has a name is told to nobody else.
    fn nobody_asks_about_passwords_that_are_not_theirs_to_set(scene) {
        scene.rule_by(&[
            rule("own password", "self", "everything", &[], &["change-password"]),
            rule("authenticate", "everyone", "everything", &[], &["authenticate"]),
        ]);
        let bob = scene.client("bob");
        for name in ["alice", "nobody"] {
            for tag in [0x83, 0x84] {
                assert_eq!(code(&demanded(&bob, tag, name)), InsufficientAccessRights, "{name}");
            }
            assert_eq!(code(&made(&bob, 0x82, name, 1)), InsufficientAccessRights, "{name}");
            assert_eq!(code(&demanded(&scene.anonymous(), 0x83, name)), StrongerAuthRequired);
        }
        assert_eq!(code(&demanded(&bob, 0x82, "")), ResultCode::Success);
        for response in [demanded(&bob, 0x80, ""), demanded(&bob, 0x81, POLICY), made(&bob, 0x80, "", 1)] {
            assert!(matches!(code(&response), NoSuchObject | InsufficientAccessRights));
        }
        assert_eq!(code(&demanded(&scene.anonymous(), 0x82, "")), StrongerAuthRequired);
        assert_eq!(code(&demanded(&scene.root(), 0x82, "")), UnwillingToPerform);
    }

    /// Passwords that are made can be set; none of them is.
    fn made_passwords_are_good_by_the_policy_and_nobody_has_them(scene) {
        scene.policy(&[("pwdMinLength", "25"), ("pwdMaxRepeat", "1")]);
        let hanna = scene.client("hanna");
        let all = passwords(&made(&hanna, 0x82, "alice", 5));
        assert_eq!(all.len(), 5);
        let mut different = all.clone();
        different.sort();
        different.dedup();
        assert_eq!(different.len(), 5);
        for password in &all {
            assert!(password.len() >= 25 && scene.anonymous().bind("alice", password).is_err());
            assert_eq!(hanna.password_modify(Some("alice"), None, Some(password)), Ok(None));
        }
        assert_eq!(passwords(&made(&hanna, 0x80, "", 2)).len(), 2);
        assert_eq!(passwords(&hanna.extended(oid::GENERATE_PASSWORD, None, &[])).len(), 1);
    }

    /// A password is sent over a protected connection only, and not more than somebody chooses from.
    fn passwords_are_not_made_in_the_clear_nor_without_end(scene) {
        assert_eq!(code(&made(&scene.client("hanna").in_the_clear(), 0x82, "alice", 1)), ConfidentialityRequired);
        for count in [0, 21, 0xff] {
            assert_eq!(code(&made(&scene.client("hanna"), 0x82, "alice", count)), ProtocolError);
        }
        assert_eq!(code(&scene.client("hanna").extended(oid::PASSWORD_DEMANDS, None, &[])), ProtocolError);
    }

    /// Whoever must change their password first may ask what the new one must be like, and about nobody else.
    fn who_must_change_their_password_asks_about_that_one_only(scene) {
        let hanna = scene.client("hanna");
        hanna.become_free(Freedom::PasswordChange);
        assert_eq!(nth(&told(&demanded(&hanna, 0x82, "")).0, 0), "It has at least 12 characters.");
        assert_eq!(passwords(&made(&hanna, 0x82, "hanna", 1)).len(), 1);
        for response in [demanded(&hanna, 0x84, "alice"), made(&hanna, 0x82, "nobody", 1), demanded(&hanna, 0x80, "")] {
            assert!(response.result.diagnostic_message.contains("change your password first"), "{response:?}");
        }
    }
}
