//! Passwords that somebody else has set, and that their owner must change (draft-behera-ldap-password-policy-10 §5.2.15,
//! §7.2, §8.1.2.2).

use keystead::directory::ResultCode;
use keystead::directory::ResultCode::{
    CompareFalse, ConstraintViolation, InsufficientAccessRights, InvalidCredentials, NoSuchObject, ProtocolError,
};
use keystead::directory::tree::Directory;
use keystead::directory::tree::Scope::{BaseObject, WholeSubtree};
use keystead::protocol::{RawControl, Response, oid};

use crate::scene::answer::{CHANGE_AFTER_RESET, LOCKED, NOTHING, TOO_SHORT, critical};
use crate::scene::{Client, SUFFIX, Scene, assert_told, full, policy_control, result, search_request};
use crate::sentences;

const TEMPORARY: &str = "a temporary one";
const NEW: &str = "a much better secret";

/// The helpdesk sets the password of alice.
fn reset<D: Directory>(scene: &Scene<D>) {
    assert_eq!(scene.client("hanna").password_modify(Some("alice"), None, Some(TEMPORARY)), Ok(None));
}

/// A bind as alice with the password policy control.
fn bind<D: Directory>(scene: &Scene<D>) -> Response {
    scene.anonymous().bind_with("alice", TEMPORARY, &policy_control())
}

/// Somebody who has come in with a temporary password.
fn restricted<D: Directory>(scene: &Scene<D>) -> Client<'_, D> {
    reset(scene);
    let alice = scene.anonymous();
    assert_eq!(alice.bind("alice", TEMPORARY), Ok(()));
    alice
}

fn alice(lines: &str) -> String {
    format!("dn: alice\nchangetype: modify\n{lines}-\n")
}

sentences! {
    /// §8.1.2.2: where pwdMustChange and pwdReset are TRUE, the bind succeeds "and includes the passwordPolicyResponse ...
    /// changeAfterReset".
    fn a_bind_tells_that_the_password_must_be_changed(scene) {
        reset(scene);
        assert_eq!(scene.root().values("alice", "pwdReset"), ["TRUE"]);
        assert_told(&bind(scene), Ok(()), CHANGE_AFTER_RESET);
        assert_told(&scene.anonymous().bind_with("alice", TEMPORARY, &[]), Ok(()), NOTHING);
        let compared = scene.client("bob").compare_with("alice", "userPassword", TEMPORARY, &policy_control());
        assert_told(&compared, Ok(()), CHANGE_AFTER_RESET);
    }

    /// §5.2.15: pwdMustChange FALSE: users need not change their passwords after a reset.
    fn the_policy_says_whether_it_must(scene) {
        scene.policy(&[("pwdMustChange", "FALSE")]);
        reset(scene);
        assert_eq!(scene.root().values("alice", "pwdReset"), [""; 0]);
        assert_told(&bind(scene), Ok(()), NOTHING);
    }

    /// §8.1.2.2: "The server MUST then disallow all operations issued by this user except modify password, bind, unbind,
    /// abandon and StartTLS"; decision 10: and ask who they are, and read the root DSE.
    fn until_then_nothing_else_is_allowed(scene) {
        let client = restricted(scene);
        let group = "dn: cn=staff,ou=groups\nchangetype: ";
        for record in [
            alice("replace: mail\nmail: a@b\n"),
            alice("replace: userPassword\nuserPassword: a good new one\n-\nreplace: mail\nmail: a@b\n"),
            format!("{group}delete\n"),
            format!("{group}modrdn\nnewrdn: cn=x\ndeleteoldrdn: 1\n"),
            "dn: carla\nobjectClass: account\n".to_owned(),
            "dn: nobody\nchangetype: delete\n".to_owned(),
            "dn: bob\nchangetype: modify\nreplace: userPassword\nuserPassword: a good new one\n-\n".to_owned(),
        ] {
            let response = client.change_with(&record, &[]);
            assert_told(&response, Err(InsufficientAccessRights), NOTHING);
            assert_eq!(response.result.diagnostic_message, "change your password first", "{record}");
        }
        let modified = client.change_with(&alice("replace: mail\nmail: a@b\n"), &policy_control());
        assert_told(&modified, Err(InsufficientAccessRights), CHANGE_AFTER_RESET);
        let compared = client.compare_with("bob", "sn", "Baker", &policy_control());
        assert_told(&compared, Err(InsufficientAccessRights), CHANGE_AFTER_RESET);
        for (base, scope) in [(SUFFIX, WholeSubtree), ("cn=Subschema", BaseObject), ("", WholeSubtree), (&full("alice"), BaseObject)] {
            let (found, response) = client.send_search(&search_request(base, scope, "(objectClass=*)", &[]), &[]);
            assert_eq!((found.len(), response.result.code), (0, InsufficientAccessRights), "{base}");
        }
        let who = client.extended(oid::WHO_AM_I, None, &[]);
        assert_eq!(who.value, Some(format!("dn:{}", full("alice")).into_bytes()));
        assert_eq!(client.search("", BaseObject, "(objectClass=*)", &["namingContexts"]).unwrap().len(), 1);
    }

    /// §6.1: "There is no controlValue" is meant: one is malformed, as for `OpenLDAP`, and nothing is done.
    fn a_control_with_a_value_is_malformed(scene) {
        for (critical, value) in [(true, "junk"), (false, "junk"), (false, "")] {
            let control = RawControl { oid: oid::PASSWORD_POLICY.into(), critical, value: Some(value.into()) };
            let answer = scene.anonymous().bind_with("alice", "alice's password", &[control]);
            assert_eq!(result(&answer), Err(ProtocolError));
        }
    }

    /// §6.1: the control "may be sent with any LDAP request message", also as a critical one, and tells why nothing else is
    /// allowed, whatever was asked for. Whoever may do everything is told nothing by it.
    fn whatever_is_asked_for_with_the_control_is_answered_with_it(scene) {
        let client = restricted(scene);
        let bob = scene.client("bob");
        let search = search_request(SUFFIX, WholeSubtree, "(uid=alice)", &["cn"]);
        let paged = RawControl { oid: oid::PAGED_RESULTS.into(), critical: false, value: Some(b"\x30\x05\x02\x01\x05\x04\x00"[..].into()) };
        for control in [policy_control(), vec![critical(oid::PASSWORD_POLICY, None)]] {
            for more in [None, Some(paged.clone())] {
                let controls: Vec<_> = control.iter().cloned().chain(more).collect();
                let (found, told) = client.send_search(&search, &controls);
                assert!(found.is_empty());
                assert_told(&told, Err(InsufficientAccessRights), CHANGE_AFTER_RESET);
                let (found, told) = bob.send_search(&search, &controls);
                assert_eq!(found.len(), 1);
                assert_told(&told, Ok(()), NOTHING);
            }
            for record in [
                "dn: bob\nchangetype: delete\n",
                "dn: nobody\nchangetype: delete\n",
                "dn: bob\nchangetype: modrdn\nnewrdn: uid=bert\ndeleteoldrdn: 1\n",
                "dn: carla\nobjectClass: account\n",
            ] {
                let response = client.change_with(record, &control);
                assert_told(&response, Err(InsufficientAccessRights), CHANGE_AFTER_RESET);
            }
            let begun = client.extended(oid::START_TRANSACTION, None, &control);
            assert_told(&begun, Err(InsufficientAccessRights), CHANGE_AFTER_RESET);
            // What is allowed tells nothing.
            assert_told(&client.extended(oid::WHO_AM_I, None, &control), Ok(()), NOTHING);
            let (root, told) = client.send_search(&search_request("", BaseObject, "(objectClass=*)", &["1.1"]), &control);
            assert_eq!(root.len(), 1);
            assert_told(&told, Ok(()), NOTHING);
            // Other refusals have nothing to do with passwords.
            let refused = bob.change_with("dn: alice\nchangetype: delete\n", &control);
            assert_told(&refused, Err(InsufficientAccessRights), NOTHING);
        }
    }

    /// Also somebody who may reset others resets nobody first, and learns nothing of who exists.
    fn until_then_nobody_else_is_reset(scene) {
        scene.client("cn=admin").password_modify(Some("hanna"), None, Some(TEMPORARY)).unwrap();
        let hanna = scene.anonymous();
        hanna.bind("hanna", TEMPORARY).unwrap();
        let nobody = full("nobody");
        for identity in ["alice", "u:alice", "nobody", "u:nobody", &nobody] {
            let response = hanna.password_modify_with(Some(identity), None, Some(NEW), &policy_control());
            assert_told(&response, Err(InsufficientAccessRights), CHANGE_AFTER_RESET);
        }
        assert_eq!(scene.anonymous().bind("alice", "alice's password"), Ok(()));
    }

    /// §8.2.2: the password is changed on the same connection, and from then on everything is open again.
    fn changing_it_opens_everything(scene) {
        for own in [None, Some("alice")] {
            let client = restricted(scene);
            let short = client.password_modify_with(own, Some(TEMPORARY), Some("x"), &policy_control());
            assert_told(&short, Err(ConstraintViolation), TOO_SHORT);
            assert_eq!(client.compare("bob", "sn", "Baker"), InsufficientAccessRights);
            scene.policy(&[("pwdInHistory", "0"), ("pwdMinAge", "86400")]);
            assert_eq!(client.password_modify(own, Some(TEMPORARY), Some(NEW)), Ok(None));
            assert_eq!(client.compare("bob", "sn", "Baker"), ResultCode::CompareTrue);
            assert_eq!(scene.root().values("alice", "pwdReset"), [""; 0]);
        }
        let client = restricted(scene);
        let change = format!("delete: userPassword\nuserPassword: {TEMPORARY}\n-\nadd: userPassword\nuserPassword: {NEW}\n");
        assert_eq!(client.change(&alice(&change)), Ok(()));
        assert_eq!(client.values("bob", "sn"), ["Baker"]);
        assert_eq!(scene.anonymous().bind("alice", NEW), Ok(()));
    }

    /// A bind as somebody else, or a reset by hand, ends what holds for a connection.
    fn another_bind_ends_the_restriction(scene) {
        let client = restricted(scene);
        assert_eq!(client.bind("bob", "bob's password"), Ok(()));
        assert_eq!(client.values("alice", "sn"), ["Adams"]);
        assert_eq!(client.bind("alice", TEMPORARY), Ok(()));
        assert_eq!(client.values("alice", "sn"), [""; 0]);
        assert_eq!(client.bind("", ""), Ok(()));
        let found = client.search(&full("alice"), BaseObject, "(objectClass=*)", &[]);
        assert_eq!(found, Err(NoSuchObject));
    }

    /// §5.3.7: pwdReset may be set and taken back by hand, by those who may reset the password, and by nobody else.
    fn those_who_may_reset_say_whether_it_must(scene) {
        let (must, need_not) = (alice("replace: pwdReset\npwdReset: TRUE\n"), alice("delete: pwdReset\n"));
        for who in ["alice", "bob"] {
            assert_eq!(scene.client(who).change(&must), Err(InsufficientAccessRights), "{who}");
        }
        assert_eq!(scene.client("hanna").change(&must), Ok(()));
        let told = scene.anonymous().bind_with("alice", "alice's password", &policy_control());
        assert_told(&told, Ok(()), CHANGE_AFTER_RESET);
        assert_eq!(scene.client("alice").change(&need_not), Err(InsufficientAccessRights));
        assert_eq!(scene.client("hanna").change(&need_not), Ok(()));
        let told = scene.anonymous().bind_with("alice", "alice's password", &policy_control());
        assert_told(&told, Ok(()), NOTHING);
    }

    /// Decision 10, pwdMustChangeBind: the bind may fail instead, for applications that only bind.
    fn the_bind_may_fail_instead(scene) {
        scene.policy(&[("pwdMustChangeBind", "fail")]);
        reset(scene);
        assert_told(&bind(scene), Err(InvalidCredentials), CHANGE_AFTER_RESET);
        let wrong = scene.anonymous().bind_with("alice", "wrong", &policy_control());
        assert_told(&wrong, Err(InvalidCredentials), NOTHING);
        let compared = scene.client("bob").compare_with("alice", "userPassword", TEMPORARY, &policy_control());
        assert_told(&compared, Err(CompareFalse), CHANGE_AFTER_RESET);
        let changed = scene.anonymous().password_modify(Some("alice"), Some(TEMPORARY), Some(NEW));
        assert_eq!(changed, Ok(None));
        assert_eq!(scene.anonymous().bind("alice", NEW), Ok(()));
    }

    /// Decision 10, pwdTemporaryMaxAge: a password that somebody else has set ends.
    fn a_temporary_password_ends(scene) {
        scene.policy(&[("pwdTemporaryMaxAge", "86400")]);
        reset(scene);
        assert_eq!(scene.root().values("alice", "pwdTemporaryExpiry"), ["20260602120000Z"]);
        scene.wait(86_399);
        assert_told(&bind(scene), Ok(()), CHANGE_AFTER_RESET);
        scene.wait(1);
        let ended = bind(scene);
        assert_told(&ended, Err(InvalidCredentials), LOCKED);
        let told = "this password was temporary, and its time or its uses are over: ask whoever gave it to you for another one";
        assert_eq!(ended.result.diagnostic_message, told);
        // Whoever does not know the password is told nothing of that.
        let wrong = scene.anonymous().bind_with("alice", "wrong", &policy_control());
        assert_told(&wrong, Err(InvalidCredentials), NOTHING);
        assert!(wrong.result.diagnostic_message.starts_with("the name or the password is wrong"));
        let compared = scene.client("bob").compare("alice", "userPassword", TEMPORARY);
        assert_eq!(compared, CompareFalse);
        reset_with_another(scene);
        assert_eq!(scene.anonymous().bind("alice", "another temporary one"), Ok(()));
    }

    /// Decision 10, pwdTemporaryMaxUses: it is good for so many binds; whoever came in by the last can still change it.
    fn a_temporary_password_is_used_up(scene) {
        scene.policy(&[("pwdTemporaryMaxUses", "2")]);
        reset(scene);
        assert_told(&bind(scene), Ok(()), CHANGE_AFTER_RESET);
        assert_eq!(scene.root().values("alice", "pwdTemporaryUses"), ["1"]);
        let wrong = scene.anonymous().bind_with("alice", "wrong", &policy_control());
        assert_told(&wrong, Err(InvalidCredentials), NOTHING);
        let client = scene.anonymous();
        assert_eq!(client.bind("alice", TEMPORARY), Ok(()));
        assert_told(&bind(scene), Err(InvalidCredentials), LOCKED);
        assert_eq!(client.password_modify(None, Some(TEMPORARY), Some(NEW)), Ok(None));
        assert_eq!(result(&scene.anonymous().bind_with("alice", NEW, &[])), Ok(()));
        assert_eq!(scene.root().values("alice", "pwdTemporaryUses"), [""; 0]);
    }
}

fn reset_with_another<D: Directory>(scene: &Scene<D>) {
    let set = scene.client("hanna").password_modify(Some("alice"), None, Some("another temporary one"));
    assert_eq!(set, Ok(None));
}
