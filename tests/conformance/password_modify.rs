//! Password Modify (RFC 3062): its forms, and who may do what by it.

use bytes::Bytes;
use keystead::directory::ResultCode::{
    ConfidentialityRequired, ConstraintViolation, InsufficientAccessRights, InvalidCredentials, InvalidDnSyntax,
    NoSuchObject, ObjectClassViolation, ProtocolError, StrongerAuthRequired, UnwillingToPerform,
};
use keystead::directory::tree::Directory;
use keystead::directory::{ResultCode, wire};
use keystead::operations::context::ExpiredChange;
use keystead::protocol::request::{Authentication, BindRequest};
use keystead::protocol::{Request, oid};

use crate::scene::{SEE, SUFFIX, Scene, full, policy_control, policy_response, result, rule};
use crate::sentences;

const NEW: &str = "a much better secret";
const ALICE: &str = "alice's password";

/// Which of two passwords opens an account now.
fn opens<D: Directory>(scene: &Scene<D>, name: &str, password: &str) -> bool {
    scene.anonymous().bind(name, password) == Ok(())
}

/// Asserts that the password of an account is the one that the scene began with.
fn assert_unchanged<D: Directory>(scene: &Scene<D>, name: &str) {
    assert!(opens(scene, name, &format!("{name}'s password")), "{name}");
}

/// The value of a request with a new password that is no text, and the old one of alice.
fn octets(new: &[u8]) -> Vec<u8> {
    let mut fields = Vec::new();
    wire::put_element(&mut fields, 0x81, ALICE.as_bytes());
    wire::put_element(&mut fields, 0x82, new);
    let mut value = Vec::new();
    wire::put_element(&mut value, wire::SEQUENCE, &fields);
    value
}

/// Binds with a password that is no text.
fn bind_octets<D: Directory>(scene: &Scene<D>, name: &str, password: &[u8]) -> Result<(), ResultCode> {
    let authentication = Authentication::Simple(Bytes::copy_from_slice(password));
    let request = BindRequest { version: 3, name: full(name).into(), authentication };
    result(&scene.anonymous().send(&Request::Bind(request), &[]))
}

sentences! {
    /// RFC 3062 §2.1: without userIdentity, it is "the password of the user currently associated with the LDAP session".
    fn without_an_identity_it_is_the_requesters_own_password(scene) {
        let alice = scene.client("alice");
        assert_eq!(alice.password_modify(None, Some(ALICE), Some(NEW)), Ok(None));
        assert!(opens(scene, "alice", NEW) && !opens(scene, "alice", ALICE));
        assert_unchanged(scene, "bob");
    }

    /// An empty userIdentity, which PHP's `ldap_exop_passwd` sends where it is given no name, names nobody else.
    fn an_empty_identity_is_the_requester(scene) {
        let alice = scene.client("alice");
        assert_eq!(alice.password_modify(Some(""), Some(ALICE), Some(NEW)), Ok(None));
        assert!(opens(scene, "alice", NEW));
        assert!(scene.anonymous().password_modify(Some(""), Some(NEW), Some("another secret still")).is_err());
        assert!(opens(scene, "alice", NEW));
    }

    /// RFC 3062 §2.1: userIdentity "may or may not be an LDAPDN": a DN in any spelling, `dn:` or `u:` and what
    /// belongs to it (RFC 4513 §5.2.1.8), or a bare uid.
    fn an_identity_may_be_written_in_many_ways(scene) {
        for (number, identity) in [
            "uid=alice,ou=people,dc=example,dc=com", "UID=Alice , OU=people,DC=example,DC=com",
            "0.9.2342.19200300.100.1.1=alice,2.5.4.11=people,dc=example,dc=com", "uid=\\61lice,ou=people,dc=example,dc=com",
            "dn:uid=alice,ou=people,dc=example,dc=com", "DN: uid=alice,ou=people,dc=example,dc=com", "u:alice", "U:ALICE",
            "alice", " Alice ",
        ].into_iter().enumerate() {
            let new = format!("better secret {number}");
            assert_eq!(scene.client("hanna").password_modify(Some(identity), None, Some(&new)), Ok(None), "{identity}");
            assert!(opens(scene, "alice", &new), "{identity}");
            let old = new;
            let new = format!("chosen secret {number}");
            let alice = scene.client("alice");
            assert_eq!(alice.password_modify(Some(identity), Some(&old), Some(&new)), Ok(None), "{identity}");
            assert!(opens(scene, "alice", &new), "{identity}");
        }
    }

    /// RFC 4511 §4.1.3: what is neither a name nor a uid is told as such, whoever asks.
    fn an_identity_that_is_no_name_is_refused_as_such(scene) {
        for identity in ["dn:alice", "uid=alice,,dc=com", "=alice", "alice,bob", "dn:uid=a\\zz"] {
            for client in [scene.client("bob"), scene.client("hanna")] {
                assert_eq!(client.password_modify(Some(identity), None, Some(NEW)), Err(InvalidDnSyntax), "{identity}");
            }
        }
    }

    /// RFC 3062 §3: "The server MUST provide the generated password upon success as the value of the genPasswd field";
    /// it makes none "if the client has provided a newPassword".
    fn without_a_new_password_one_is_made_and_told(scene) {
        let alice = scene.client("alice");
        let made = alice.password_modify(None, Some(ALICE), None).unwrap().unwrap();
        assert!(made.len() >= 15 && !made.starts_with('-') && !made.contains(['l', '1', 'I', 'O', '0', ' ']), "{made}");
        assert!(opens(scene, "alice", &made) && !opens(scene, "alice", ALICE));
        let of_bob = scene.client("hanna").password_modify(Some("bob"), None, None).unwrap().unwrap();
        assert!(opens(scene, "bob", &of_bob) && of_bob != made);
        for (minimum, maximum) in [("30", "40"), ("8", "10"), ("12", "")] {
            scene.policy(&[("pwdMinLength", minimum), ("pwdMaxLength", maximum)]);
            let made = scene.client("hanna").password_modify(Some("bob"), None, None).unwrap().unwrap();
            assert!(made.len() >= minimum.parse().unwrap(), "{made}");
            assert!(maximum.parse().map_or(true, |maximum| made.len() <= maximum), "{made}");
            assert!(opens(scene, "bob", &made), "{made}");
        }
    }

    /// RFC 3062 §2.1: the value is optional, and so is everything in it: an absent one and an empty SEQUENCE mean to
    /// make a new password for the requester.
    fn an_absent_value_means_to_make_a_new_one_of_ones_own(scene) {
        let alice = scene.client("alice");
        for value in [None, Some(&b"\x30\x00"[..])] {
            scene.policy(&[("pwdSafeModify", "TRUE")]);
            let refused = alice.extended(oid::PASSWORD_MODIFY, value, &policy_control());
            assert_eq!(result(&refused), Err(InsufficientAccessRights));
            assert_eq!((policy_response(&refused).as_deref(), &refused.value), (Some(&b"\x30\x03\x81\x01\x04"[..]), &None));
            scene.policy(&[("pwdSafeModify", "FALSE")]);
            let response = alice.extended(oid::PASSWORD_MODIFY, value, &[]);
            assert!(result(&response).is_ok() && response.value.is_some());
        }
        assert!(!opens(scene, "alice", ALICE));
    }

    /// RFC 3062 §2.1: the value is a SEQUENCE of three optional fields in order; all else is a protocolError.
    fn a_malformed_value_is_a_protocol_error(scene) {
        let alice = scene.client("alice");
        for value in [
            &b""[..], b"\x04\x00", b"\x30\x02\x83\x00", b"\x30\x04\x82\x00\x81\x00", b"\x30\x04\x80\x00\x80\x00",
            b"\x30\x00\x30\x00", b"\x30\x05\x80\x02a", b"\x30\x80\x00\x00", b"\x30\x02\x04\x00",
        ] {
            let response = alice.extended(oid::PASSWORD_MODIFY, Some(value), &[]);
            assert_eq!((result(&response), response.value), (Err(ProtocolError), None), "{value:x?}");
        }
        assert_eq!(result(&alice.extended("1.2.3.4", None, &[])), Err(ProtocolError));
        assert_unchanged(scene, "alice");
    }

    /// RFC 3062 §2.1: passwords are OCTET STRINGs; RFC 8265 §4.2 for those that are text: the same characters are the
    /// same password, however they are composed.
    fn passwords_are_octets(scene) {
        scene.policy(&[("pwdCheckQuality", "0"), ("pwdInHistory", "0"), ("pwdSafeModify", "FALSE")]);
        for new in [&b"\xff\xfe\x80 no text"[..], b"nul \0 inside", b" spaces around ", b"\n", "naïve \u{1f511}".as_bytes()] {
            let alice = scene.client("alice");
            scene.client("hanna").password_modify(Some("alice"), None, Some(ALICE)).unwrap();
            assert_eq!(result(&alice.extended(oid::PASSWORD_MODIFY, Some(&octets(new)), &[])), Ok(()), "{new:x?}");
            assert_eq!(bind_octets(scene, "alice", new), Ok(()), "{new:x?}");
            let longer = [new, b" "].concat();
            for other in [longer.as_slice(), new.split_last().unwrap().1] {
                assert!(bind_octets(scene, "alice", other).is_err(), "{other:x?}");
            }
        }
        scene.client("hanna").password_modify(Some("bob"), None, Some("pa\u{308}ss\u{a0}word \u{212b}")).unwrap();
        for same in ["päss word \u{c5}", "pa\u{308}ss\u{3000}word A\u{30a}"] {
            assert!(opens(scene, "bob", same), "{same}");
        }
        assert!(!opens(scene, "bob", "Päss word \u{c5}"));
    }

    /// Sharp edge 32 and decision 8: an empty new password is refused, never taken for "make one"; one that is too
    /// long is refused before any work.
    fn an_empty_or_endless_new_password_is_refused(scene) {
        let alice = scene.client("alice");
        let refused = |new: &str, control: &[u8]| {
            let response = alice.password_modify_with(None, Some(ALICE), Some(new), &policy_control());
            assert_eq!((result(&response), &response.value), (Err(ConstraintViolation), &None));
            assert_eq!(policy_response(&response).as_deref(), Some(control));
        };
        for check_quality in ["0", "1", "2"] {
            scene.policy(&[("pwdCheckQuality", check_quality)]);
            refused("", b"\x30\x03\x81\x01\x06");
            refused(&"long ".repeat(300), b"\x30\x03\x81\x01\x09");
        }
        assert_unchanged(scene, "alice");
    }

    /// RFC 3062 §3: "If oldPasswd is provided and the presented value cannot be verified or is incorrect, the server SHALL
    /// NOT change the user password": whoever asks; it is 49 and counts like a bind (sharp edge 22).
    fn an_old_password_that_is_given_must_be_right(scene) {
        for (who, identity) in [("alice", None), ("hanna", Some("alice")), ("cn=admin", Some("alice"))] {
            for (number, wrong) in ["wrong", "", "alice's passwor", "alice's password "].into_iter().enumerate() {
                let answered = scene.client(who).password_modify(identity, Some(wrong), Some(NEW));
                assert_eq!(answered, Err(InvalidCredentials), "{who} {wrong:?}");
                let failures = scene.root().values("alice", "pwdFailureTime").len();
                assert_eq!(failures, (number + 1).min(3), "{who} {wrong:?}");
            }
            let right = scene.client(who).password_modify(identity, Some(ALICE), Some(NEW));
            assert_eq!(right, Err(InvalidCredentials), "{who}: the account is locked");
            scene.wait(900);
            assert_unchanged(scene, "alice");
        }
        let admin = scene.client("cn=admin");
        assert_eq!(admin.password_modify(Some("alice"), Some(ALICE), Some(NEW)), Ok(None));
        assert_eq!(scene.root().values("alice", "pwdReset"), ["TRUE"]);
    }

    /// RFC 3062 §2.2 and §3: where it does not succeed, the value is absent, and the server leaves "the password
    /// unmodified".
    fn a_refusal_changes_nothing_and_has_no_value(scene) {
        let state = ["*", "+"];
        let before = scene.root().read("alice", &state);
        scene.wait(60);
        for (who, identity, old, new) in [
            ("alice", None, None, Some(NEW)), ("alice", None, Some(ALICE), Some("short")),
            ("alice", None, Some(ALICE), Some(ALICE)), ("bob", Some("alice"), None, Some(NEW)),
            ("bob", Some("alice"), Some(ALICE), None), ("hanna", Some("alice"), None, Some("short")),
        ] {
            let response = scene.client(who).password_modify_with(identity, old, new, &[]);
            assert!(result(&response).is_err() && response.value.is_none(), "{who} {new:?}");
        }
        let mut after = scene.root().read("alice", &state);
        // That the right old password was given is no failure.
        if let Some(entry) = &mut after {
            entry.attributes.retain(|(name, _)| name != "pwdLastSuccess");
        }
        assert_eq!(after, before);
    }

    /// Passwords.md 1g: whoever has no right gets 50 before the old password is looked at: the answer tells nothing of a
    /// guess, nothing is counted, and nobody is locked out by it.
    fn rights_come_before_secrets(scene) {
        let bob = scene.client("bob");
        let mut answers = Vec::new();
        for guess in [ALICE, "one", "two", "three", "four", "five", ALICE, ""] {
            for new in [Some(NEW), Some("short"), Some(""), None] {
                answers.push(bob.password_modify_with(Some("alice"), Some(guess), new, &policy_control()));
            }
        }
        answers.push(bob.password_modify_with(Some("alice"), None, Some(NEW), &policy_control()));
        answers.dedup();
        assert_eq!(answers.iter().map(|it| it.result.code).collect::<Vec<_>>(), [InsufficientAccessRights]);
        assert!(answers.iter().all(|answer| answer.controls.is_empty()));
        assert_eq!(scene.root().values("alice", "pwdFailureTime"), [""; 0]);
        assert_unchanged(scene, "alice");
    }

    /// Passwords.md 1g: an identity that is unknown gets the same answer as one that is not allowed, for whoever cannot
    /// see either.
    fn an_unknown_identity_is_answered_like_one_that_is_not_allowed(scene) {
        scene.share_everything();
        let twin = "dn: uid=twin,ou=%,dc=example,dc=com\nobjectClass: account\n";
        scene.root().change(&twin.replace('%', "people")).unwrap();
        scene.root().change(&twin.replace('%', "groups")).unwrap();
        let answer = |who: &str, identity: &str| {
            scene.client(who).password_modify_with(Some(identity), Some(ALICE), Some(NEW), &policy_control())
        };
        for [form, ambiguous] in [["u:%", "u:twin"], ["%", "twin"]] {
            for who in ["bob", "hanna"] {
                let refused = answer("bob", &form.replace('%', "alice"));
                assert_eq!(result(&refused), Err(InsufficientAccessRights));
                assert_eq!(answer(who, &form.replace('%', "nobody")), refused, "{who} {form}");
                assert_eq!(answer(who, ambiguous), refused, "{who} {form}");
            }
        }
        let own = rule("own password", "self", &format!("subtree:{SUFFIX}"), &["*"], &["change-password"]);
        let people = rule("the unit", "authenticated", &format!("entry:ou=people,{SUFFIX}"), &["*"], SEE);
        for rules in [vec![], vec![own.clone()], vec![own, people]] {
            scene.rule_by(&rules);
            for form in ["u:%", "%", "uid=%,ou=people,dc=example,dc=com", "dn:uid=%,ou=people,dc=example,dc=com"] {
                let refused = answer("bob", &form.replace('%', "alice"));
                assert!(refused.result.code == InsufficientAccessRights || refused.result.code == NoSuchObject, "{form}");
                assert_eq!(answer("bob", &form.replace('%', "nobody")), refused, "{form}");
            }
        }
    }

    /// Decision 8: a name that does not exist is told to those who might see it, as by any other operation.
    fn a_name_that_does_not_exist_is_told_to_those_who_might_see_it(scene) {
        for who in ["bob", "hanna", "cn=admin"] {
            let name = full("nobody");
            let response = scene.client(who).password_modify_with(Some(&name), None, Some(NEW), &[]);
            assert_eq!(result(&response), Err(NoSuchObject));
            assert_eq!(response.result.matched_dn, "ou=people,dc=example,dc=com");
        }
    }

    /// Draft-behera-10 §8.2.1 and sharp edge 24: where pwdSafeModify wants the old password, a change without it fails
    /// cleanly, and counts for nothing.
    fn the_old_password_must_be_supplied_where_the_policy_says_so(scene) {
        let alice = scene.client("alice");
        for _ in 0..10 {
            let response = alice.password_modify_with(None, None, Some(NEW), &policy_control());
            assert_eq!(result(&response), Err(InsufficientAccessRights));
            assert_eq!(policy_response(&response).as_deref(), Some(&b"\x30\x03\x81\x01\x04"[..]));
            assert_eq!(response.result.diagnostic_message, "The current password must be given to change it.");
        }
        assert_eq!(scene.root().values("alice", "pwdFailureTime"), [""; 0]);
        assert_eq!(alice.password_modify(None, Some(ALICE), Some(NEW)), Ok(None));
        scene.policy(&[("pwdSafeModify", "FALSE")]);
        assert_eq!(alice.password_modify(None, None, Some("another secret")), Ok(None));
        assert_eq!(alice.password_modify(None, Some("wrong"), Some("a third secret")), Err(InvalidCredentials));
    }

    /// Decision 16: nobody resets themselves, also those who may reset others or everything.
    fn nobody_resets_their_own_password(scene) {
        for who in ["hanna", "cn=admin"] {
            for identity in [None, Some(full(who))] {
                let answered = scene.client(who).password_modify(identity.as_deref(), None, Some(NEW));
                assert_eq!(answered, Err(InsufficientAccessRights), "{who}");
            }
        }
        let admin = scene.client("cn=admin");
        assert_eq!(admin.password_modify(None, Some("admin's password"), Some(NEW)), Ok(None));
        assert_eq!(scene.root().values("cn=admin", "pwdReset"), [""; 0]);
    }

    /// Who has a password of their own is an entry: the superuser of the machine has none, and may set those of others.
    fn the_local_superuser_has_no_password_of_their_own(scene) {
        let root = scene.root();
        assert_eq!(root.password_modify(None, None, Some(NEW)), Err(UnwillingToPerform));
        assert_eq!(root.password_modify(Some("cn=admin,dc=example,dc=com"), None, Some(NEW)), Ok(None));
        assert!(opens(scene, "cn=admin", NEW));
    }

    /// RFC 4512 §2.4: an entry whose classes allow no password gets none.
    fn an_entry_that_cannot_have_a_password_gets_none(scene) {
        let staff = full("cn=staff,ou=groups");
        for new in [Some(NEW), None] {
            assert_eq!(scene.root().password_modify(Some(&staff), None, new), Err(ObjectClassViolation));
        }
        assert_eq!(scene.root().values("cn=staff,ou=groups", "pwdScheme"), [""; 0]);
        let unit = full("ou=people");
        assert_eq!(scene.root().password_modify(Some(&unit), None, Some(NEW)), Ok(None));
    }

    /// Decision 15: a hash in the place of a password is for those who may import hashes, whether the name of a scheme
    /// stands before it or not; others are told what to do.
    fn a_hash_is_taken_from_those_who_may_import_hashes_only(scene) {
        let hash = "{SSHA}3YiUkwqoN3EZnBJtdNpqjmSCmMdmYW5k";
        let bare = "$1$7NJkUwSS$2n7U0fCLMPpIx44W.iV/Y/";
        let requests = [("alice", None, Some(ALICE)), ("hanna", Some("alice"), None)];
        for (hash, (who, identity, old)) in requests.iter().flat_map(|request| [(hash, request), (bare, request)]) {
            let response = scene.client(who).password_modify_with(*identity, *old, Some(hash), &policy_control());
            assert_eq!(result(&response), Err(ConstraintViolation), "{who}");
            assert_eq!(policy_response(&response).as_deref(), Some(&b"\x30\x03\x81\x01\x05"[..]), "{who}");
            assert!(response.result.diagnostic_message.contains("already hashed"), "{who}");
        }
        assert_eq!(scene.client("cn=admin").password_modify(Some("alice"), None, Some(bare)), Ok(None));
        assert_eq!(scene.root().values("alice", "pwdScheme"), ["md5-crypt"]);
        assert!(!opens(scene, "alice", bare));
        assert_eq!(scene.client("cn=admin").password_modify(Some("alice"), None, Some(hash)), Ok(None));
        assert_eq!(scene.root().values("alice", "pwdScheme"), ["ssha"]);
        assert!(!opens(scene, "alice", hash));
    }

    /// RFC 3062 §3: passwords do not pass in the clear, whoever sends them, and the answer comes first.
    fn in_the_clear_no_password_is_taken(scene) {
        for (client, identity) in [
            (scene.anonymous(), Some("alice")), (scene.client("alice"), None), (scene.client("bob"), Some("nobody")),
            (scene.client("cn=admin"), Some("alice")),
        ] {
            let client = client.in_the_clear();
            assert_eq!(client.password_modify(identity, Some(ALICE), Some(NEW)), Err(ConfidentialityRequired));
            assert_eq!(client.password_modify(identity, None, None), Err(ConfidentialityRequired));
        }
        assert_unchanged(scene, "alice");
    }

    /// What a change leaves behind: when and by whom, for people (RFC 4512 §3.4) and for logins (RFC 2307 §4).
    fn a_change_is_stamped(scene) {
        scene.wait(10 * 86_400);
        scene.client("alice").password_modify(None, Some(ALICE), Some(NEW)).unwrap();
        scene.client("hanna").password_modify(Some("bob"), None, Some(NEW)).unwrap();
        let now = "20260611120000Z";
        for (name, by, reset) in [("alice", "alice", &[][..]), ("bob", "hanna", &["TRUE"])] {
            let entry = scene.root().read(name, &["*", "+"]).unwrap();
            assert_eq!(entry.texts("pwdChangedTime"), [now]);
            assert_eq!(entry.texts("modifyTimestamp"), [now]);
            assert_eq!(entry.texts("modifiersName"), [full(by)]);
            assert_eq!(entry.texts("shadowLastChange"), ["20615"]);
            assert_eq!(entry.texts("pwdReset"), reset, "{name}");
        }
        assert_eq!(scene.root().values("cn=admin", "pwdChangedTime"), ["20260601120000Z"]);
    }

    /// RFC 3062 §3: it "SHALL NOT be used anonymously", but decision 9: by whoever proves by the old password that they
    /// are the owner, who could not bind.
    fn anonymously_nothing_is_set_without_the_old_password(scene) {
        let anonymous = scene.anonymous();
        for (identity, old, new) in [
            (None, None, None), (None, Some(ALICE), Some(NEW)), (Some("alice"), None, Some(NEW)), (Some("alice"), None, None),
            (Some("nobody"), None, None),
        ] {
            assert_eq!(anonymous.password_modify(identity, old, new), Err(StrongerAuthRequired), "{identity:?} {old:?}");
        }
        scene.configure(|services| services.expired_change = ExpiredChange::Refused);
        for identity in ["alice", "nobody"] {
            assert_eq!(anonymous.password_modify(Some(identity), Some(ALICE), Some(NEW)), Err(StrongerAuthRequired));
        }
        assert_unchanged(scene, "alice");
    }
}
