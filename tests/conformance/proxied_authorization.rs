//! Acting as somebody else: request by request (RFC 4370), and from the bind on (RFC 4513 §5.2.1.8); and who is whom by
//! other names.

use keystead::access::RuleText;
use keystead::directory::ResultCode::{
    AuthorizationDenied, CompareTrue, InappropriateAuthentication, InsufficientAccessRights, InvalidCredentials,
    NoSuchObject, ProtocolError, UnavailableCriticalExtension,
};
use keystead::directory::tree::Directory;
use keystead::directory::tree::Scope::{BaseObject, WholeSubtree};
use keystead::operations::External;
use keystead::operations::identity_map::{DestinationText, MappingText, Origin};
use keystead::protocol::request::{Authentication, BindRequest};
use keystead::protocol::{RawControl, Request, Response, oid};

use crate::scene::{
    Client, SEE, SUFFIX, Scene, acting_as, certificate, full, policy_control, result, rule, rules, search_request,
};
use crate::sentences;

/// The usual rules, and that bob acts for people.
fn bob_acts_for_people<D: Directory>(scene: &Scene<D>) {
    rule_by_and(scene, [rule("proxy", "dn:uid=bob,ou=people,dc=example,dc=com", &people(), &[], &["proxy"])]);
}

fn rule_by_and<D: Directory>(scene: &Scene<D>, more: impl IntoIterator<Item = RuleText>) {
    scene.rule_by(&rules().into_iter().chain(more).collect::<Vec<_>>());
}

fn people() -> String {
    format!("below:ou=people,{SUFFIX}")
}

/// Who a request with that control is done as.
fn who_am_i<D: Directory>(client: &Client<'_, D>, controls: &[RawControl]) -> Result<String, Box<Response>> {
    let response = client.extended(oid::WHO_AM_I, None, controls);
    match result(&response) {
        Ok(()) => Ok(String::from_utf8(response.value.unwrap()).unwrap()),
        Err(_) => Err(response.into()),
    }
}

/// The code that somebody gets who wants to act as somebody else.
#[track_caller]
fn assert_denied<D: Directory>(client: &Client<'_, D>, authz_id: &str) {
    let response = who_am_i(client, &acting_as(authz_id)).unwrap_err();
    let told = (response.result.code, response.result.diagnostic_message.as_str(), response.result.matched_dn.as_str());
    assert_eq!(told, (AuthorizationDenied, "you may not act as that identity", ""), "{authz_id}");
}

fn external(authorize_as: Option<&str>) -> Request {
    let credentials = authorize_as.map(|text| text.to_owned().into());
    let authentication = Authentication::Sasl { mechanism: "EXTERNAL".into(), credentials };
    Request::Bind(BindRequest { version: 3, name: "".into(), authentication })
}

fn map(from: Origin, pattern: &str, entry: &str) -> MappingText {
    MappingText { from, pattern: pattern.into(), to: DestinationText::Entry(entry.into()) }
}

fn map_by_search(from: Origin, pattern: &str, filter: &str) -> MappingText {
    let to = DestinationText::Search { base: format!("ou=people,{SUFFIX}"), filter: filter.into() };
    MappingText { from, pattern: pattern.into(), to }
}

sentences! {
    /// RFC 4370 §3: "the request will be executed as if submitted by the proxy authorization identity"; RFC 4532 §2.2 names
    /// that one.
    fn a_request_is_done_as_whom_it_says(scene) {
        bob_acts_for_people(scene);
        let bob = scene.client("bob");
        let alice = format!("dn:{}", full("alice"));
        for name in [alice.as_str(), "DN:UID=Alice, ou=people,dc=example,dc=com", "u:alice", "U:ALICE"] {
            assert_eq!(who_am_i(&bob, &acting_as(name)).unwrap(), alice, "{name}");
        }
        assert_eq!(who_am_i(&bob, &[]).unwrap(), format!("dn:{}", full("bob")), "the next request is bob's own again");
    }

    /// RFC 4370 §3: an empty value is for anonymous; everybody may do less than they may.
    fn everybody_may_act_as_anonymous_and_as_themselves(scene) {
        let alice = scene.client("alice");
        let own = format!("dn:{}", full("alice"));
        for name in ["", "dn:"] {
            assert_eq!(who_am_i(&alice, &acting_as(name)).unwrap(), "");
        }
        for name in ["u:alice", own.as_str()] {
            assert_eq!(who_am_i(&alice, &acting_as(name)).unwrap(), own);
        }
        let found = alice.send_search(&search_request(SUFFIX, WholeSubtree, "(uid=bob)", &[]), &acting_as(""));
        assert_eq!((found.0.len(), result(&found.1)), (0, Err(NoSuchObject)));
        let root = scene.root();
        let name = "dn:gidNumber=0+uidNumber=0,cn=peercred,cn=external,cn=auth";
        assert_eq!(who_am_i(&root, &acting_as(name)).unwrap(), name);
    }

    /// RFC 4370 §3: otherwise "authorizationDenied"; nothing tells whether there is such a person.
    fn without_the_right_it_is_denied(scene) {
        bob_acts_for_people(scene);
        let alice = format!("dn:{}", full("alice"));
        for client in [scene.client("hanna"), scene.client("alice"), scene.anonymous()] {
            for name in ["u:bob", "u:nobody", "dn:cn=admin,dc=example,dc=com", "dn:dc=other,dc=org"] {
                assert_denied(&client, name);
            }
        }
        let bob = scene.client("bob");
        for name in ["u:admin", "u:nobody", "dn:uid=nobody,ou=people,dc=example,dc=com", "dn:ou=people,dc=example,dc=com"] {
            assert_denied(&bob, name);
        }
        for none in ["alice", alice.trim_start_matches("dn:"), "dn:alice", "x:alice", "dn:,,", "u:"] {
            assert_denied(&bob, none);
        }
        assert_denied(&bob, "dn:gidNumber=0+uidNumber=0,cn=peercred,cn=external,cn=auth");
        assert_denied(&scene.client("cn=admin"), "dn:gidNumber=0+uidNumber=0,cn=peercred,cn=external,cn=auth");
    }

    /// A right is a right of whoever has authenticated: nobody acts for others through being nobody.
    fn whoever_has_not_authenticated_acts_for_nobody(scene) {
        rule_by_and(scene, [rule("proxy", "everyone", &people(), &[], &["proxy"])]);
        assert_denied(&scene.anonymous(), "u:alice");
        assert!(who_am_i(&scene.client("alice"), &acting_as("u:bob")).is_ok());
    }

    /// RFC 4370 §3: "Servers MUST reject any request containing a Proxy Authorization Control without a criticality flag or
    /// with the flag set to FALSE with a protocolError"; a control without a value, or twice, likewise.
    fn the_control_must_be_critical_and_have_a_value(scene) {
        bob_acts_for_people(scene);
        let control = acting_as("u:alice").remove(0);
        let code = |controls: &[RawControl]| {
            let response = scene.client("bob").extended(oid::WHO_AM_I, None, controls);
            (response.result.code, response.value)
        };
        assert_eq!(code(&[RawControl { critical: false, ..control.clone() }]), (ProtocolError, None));
        assert_eq!(code(&[RawControl { value: None, ..control.clone() }]), (ProtocolError, None));
        assert_eq!(code(&[control.clone(), control]), (ProtocolError, None));
    }

    /// RFC 4370 §3: a bind is not done as somebody else.
    fn a_bind_is_not_for_proxies(scene) {
        let response = scene.client("bob").bind_with("bob", "bob's password", &acting_as("u:alice"));
        assert_eq!(result(&response), Err(UnavailableCriticalExtension));
    }

    /// RFC 4370 §3: search, compare, modify, add, delete, modify DN and extended operations.
    fn every_operation_is_done_with_the_rights_of_the_other(scene) {
        let bob = "dn:uid=bob,ou=people,dc=example,dc=com";
        let alice = "dn:uid=alice,ou=people,dc=example,dc=com";
        let room = format!("subtree:ou=groups,{SUFFIX}");
        scene.rule_by(&[
            rule("proxy", bob, &format!("entry:{}", full("alice")), &[], &["proxy"]),
            rule("root", "local-root", "everything", &["*", "+"], SEE),
            rule("alice", alice, &room, &["*", "+"], &["all"]),
            rule("bob", bob, &format!("subtree:ou=policies,{SUFFIX}"), &["*", "+"], &["all"]),
        ]);
        let client = scene.client("bob");
        let as_alice = acting_as("u:alice");
        let do_it = |text: &str, controls: &[RawControl]| result(&client.change_with(text, controls));
        for change in [
            "dn: cn=x,ou=groups\nobjectClass: device\n",
            "dn: cn=x,ou=groups\nchangetype: modify\nreplace: description\ndescription: y\n-\n",
            "dn: cn=x,ou=groups\nchangetype: modrdn\nnewrdn: cn=z\ndeleteoldrdn: 1\n",
            "dn: cn=z,ou=groups\nchangetype: delete\n",
        ] {
            assert_eq!(do_it(change, &[]), Err(NoSuchObject), "{change}");
            if change.contains("delete\n") {
                let by = scene.root().values("cn=z,ou=groups", "modifiersName");
                assert_eq!(by, [full("alice")], "what is done as alice was done by alice");
                let compared = client.compare_with("cn=z,ou=groups", "description", "y", &as_alice);
                assert_eq!(compared.result.code, CompareTrue);
                let search = search_request(&full("cn=z,ou=groups"), BaseObject, "(description=y)", &["cn"]);
                assert_eq!(client.send_search(&search, &as_alice).0.len(), 1);
                assert_eq!(client.send_search(&search, &[]).0.len(), 0);
            }
            assert_eq!(do_it(change, &as_alice), Ok(()), "{change}");
        }
        let policies = "dn: ou=policies\nchangetype: modify\nreplace: description\n-\n";
        assert_eq!(do_it(policies, &as_alice), Err(NoSuchObject), "what bob may do himself is nothing to alice");
        assert_eq!(do_it(policies, &[]), Ok(()));
    }

    /// Decision 16: as with resets, whoever holds something that the requester lacks is out of reach; only a rule that names
    /// the one entry reaches them.
    fn nobody_acts_as_somebody_who_may_more_by_accident(scene) {
        bob_acts_for_people(scene);
        assert_denied(&scene.client("bob"), "u:hanna");
        let alice = full("alice");
        let join = format!("dn: cn=administrators,ou=groups\nchangetype: modify\nadd: member\nmember: {alice}\n-\n");
        assert!(who_am_i(&scene.client("bob"), &acting_as("u:alice")).is_ok());
        scene.root().change(&join).unwrap();
        assert_denied(&scene.client("bob"), "u:alice");
        assert!(who_am_i(&scene.client("cn=admin"), &acting_as("u:alice")).is_ok(), "one administrator as another");
        let of_hanna = format!("entry:{}", full("hanna"));
        rule_by_and(scene, [rule("proxy", "dn:uid=bob,ou=people,dc=example,dc=com", &of_hanna, &[], &["proxy"])]);
        assert!(who_am_i(&scene.client("bob"), &acting_as("u:hanna")).is_ok(), "who is named was meant");
        assert_denied(&scene.client("bob"), "u:henry");
        let reset = scene.client("hanna").password_modify(Some("u:bob"), None, None);
        assert_eq!(reset, Err(InsufficientAccessRights), "whoever has bob's password is hanna as well");
    }

    /// Acting as somebody is no way around their closed account.
    fn nobody_acts_as_a_closed_account(scene) {
        bob_acts_for_people(scene);
        let change = |lines: &str| scene.root().change(&format!("dn: alice\nchangetype: modify\n{lines}-\n")).unwrap();
        change("replace: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n");
        assert_denied(&scene.client("bob"), "u:alice");
        change("replace: pwdAccountLockedTime\n");
        assert!(who_am_i(&scene.client("bob"), &acting_as("u:alice")).is_ok());
        change("replace: pwdEndTime\npwdEndTime: 20200101000000Z\n");
        assert_denied(&scene.client("bob"), "u:alice");
    }

    /// Decision 10: whoever must change their password does nothing else first, nor as anybody else.
    fn whoever_must_change_their_password_acts_for_nobody(scene) {
        bob_acts_for_people(scene);
        scene.client("cn=admin").password_modify(Some("u:bob"), None, Some("given out by the admin")).unwrap();
        let bob = scene.anonymous();
        assert_eq!(bob.bind("bob", "given out by the admin"), Ok(()));
        for name in ["u:alice", "", "u:bob"] {
            let response = who_am_i(&bob, &acting_as(name)).unwrap_err();
            assert_eq!(response.result.code, InsufficientAccessRights);
        }
    }

    /// Whoever acts as the owner of a password has not shown that they know it, so they must give it, whatever the policy
    /// asks of the owner; and a wrong one counts.
    fn a_password_is_changed_by_whoever_knows_it(scene) {
        bob_acts_for_people(scene);
        scene.policy(&[("pwdSafeModify", "FALSE")]);
        let bob = scene.client("bob");
        let new = Some("a much better secret");
        let change = |old: Option<&str>| {
            let mut controls = acting_as("u:alice");
            controls.extend(policy_control());
            result(&bob.password_modify_with(None, old, new, &controls))
        };
        assert_eq!(change(None), Err(InsufficientAccessRights));
        let replace = "dn: alice\nchangetype: modify\nreplace: userPassword\nuserPassword: a much better secret\n-\n";
        assert_eq!(result(&bob.change_with(replace, &acting_as("u:alice"))), Err(InsufficientAccessRights));
        assert_eq!(change(Some("wrong")), Err(InvalidCredentials));
        assert_eq!(change(Some("alice's password")), Ok(()));
        assert_eq!(scene.anonymous().bind("alice", "a much better secret"), Ok(()));
        assert_eq!(scene.client("alice").password_modify(None, None, Some("and another good one")), Ok(None));
    }

    /// A search goes on as whom it began, page after page, and ends with the right to.
    fn a_search_sees_what_the_other_sees(scene) {
        bob_acts_for_people(scene);
        rule_by_and(scene, [
            rule("proxy", "dn:uid=bob,ou=people,dc=example,dc=com", &people(), &[], &["proxy"]),
            RuleText {
                deny: SEE.iter().map(|&right| right.into()).collect(),
                ..rule("deny", "dn:uid=alice,ou=people,dc=example,dc=com", &people(), &["mail"], &[])
            },
        ]);
        let search = search_request(SUFFIX, WholeSubtree, "(mail=*)", &["mail"]);
        let found = |client: &Client<'_, _>, controls: &[RawControl]| client.send_search(&search, controls).0.len();
        let bob = scene.client("bob");
        assert_eq!(found(&bob, &[]), 4);
        assert_eq!(found(&scene.client("alice"), &[]), 0);
        assert_denied(&bob, "u:henry");
        // To bob nothing is denied that is denied to alice.
        assert_eq!(found(&bob, &acting_as("u:alice")), 0);
        let withdraw = || scene.rule_by(&rules());
        let (_, response) = bob.search_in_steps(&search, &acting_as("u:alice"), withdraw);
        assert_eq!(result(&response), Err(AuthorizationDenied));
    }

    /// RFC 4513 §5.2.3, RFC 4422 appendix A: EXTERNAL: who somebody is is proven by the connection; who that is here, a
    /// mapping says.
    fn external_is_whom_the_connection_proves(scene) {
        let client = scene.anonymous();
        let bind = |authorize_as| result(&client.send(&external(authorize_as), &[]));
        assert_eq!(bind(None), Err(InappropriateAuthentication), "it proves nothing");
        client.prove_externally(certificate("CN=alice,OU=People,O=Example"));
        assert_eq!(bind(None), Err(InappropriateAuthentication), "nobody is called that");
        scene.map_by(&[map(Origin::Certificate, "CN={name},OU=People,O=Example", "uid={name},ou=people,dc=example,dc=com")]);
        let alice = scene.client("alice").identity();
        let own = format!("dn:{}", full("alice"));
        for authorize_as in [None, Some(""), Some(own.as_str()), Some("u:alice")] {
            assert_eq!(client.bind("", ""), Ok(()));
            assert_eq!(bind(authorize_as), Ok(()), "{authorize_as:?}");
            assert_eq!((client.identity(), client.proxied_by()), (alice.clone(), None));
        }
        for other in ["CN=nobody,OU=People,O=Example", "CN=alice,OU=Hosts,O=Example", "CN=alice,OU=People,O=Example,C=DE"] {
            client.prove_externally(certificate(other));
            assert_eq!(bind(None), Err(InappropriateAuthentication), "{other}");
            assert!(client.identity().is_anonymous());
        }
        client.prove_externally(External::Superuser);
        assert_eq!(bind(None), Ok(()));
        assert_eq!(client.identity(), scene.root().identity());
    }

    /// RFC 4513 §5.2.1.8: to authenticate as somebody else than is proven needs the right to act as them; else the
    /// credentials are invalid (RFC 4511 §4.2.2), whoever it is.
    fn external_with_an_authorization_identity_needs_the_right(scene) {
        scene.map_by(&[map(Origin::Certificate, "CN={name}", "uid={name},ou=people,dc=example,dc=com")]);
        let client = scene.anonymous();
        client.prove_externally(certificate("CN=bob"));
        let bind = |name: &str| result(&client.send(&external(Some(name)), &[]));
        for name in ["u:alice", "dn:cn=admin,dc=example,dc=com", "u:nobody", "dn:", "alice"] {
            assert_eq!(bind(name), Err(InvalidCredentials), "{name}");
            assert!(client.identity().is_anonymous());
        }
        bob_acts_for_people(scene);
        assert_eq!(bind("u:alice"), Ok(()));
        assert_eq!(client.identity(), scene.client("alice").identity());
        assert_eq!(client.proxied_by(), Some(scene.client("bob").identity()));
        assert_eq!(bind("u:hanna"), Err(InvalidCredentials));
        assert_eq!(client.proxied_by(), None);
        client.prove_externally(External::Superuser);
        assert_eq!(bind("dn:cn=admin,dc=example,dc=com"), Ok(()));
    }

    /// A certificate opens no account that an administrator has closed, or that nobody may authenticate as.
    fn external_opens_no_closed_account(scene) {
        scene.map_by(&[map(Origin::Certificate, "CN={name}", "uid={name},ou=people,dc=example,dc=com")]);
        let client = scene.anonymous();
        client.prove_externally(certificate("CN=alice"));
        let bind = || result(&client.send(&external(None), &[]));
        let lock = |value: &str| {
            let change = format!("dn: alice\nchangetype: modify\nreplace: pwdAccountLockedTime\n{value}-\n");
            scene.root().change(&change).unwrap();
        };
        lock("pwdAccountLockedTime: 000001010000Z\n");
        assert_eq!(bind(), Err(InappropriateAuthentication));
        lock("");
        assert_eq!(bind(), Ok(()));
        scene.rule_by(&rules().into_iter().filter(|rule| rule.name != "authenticate").collect::<Vec<_>>());
        assert_eq!(bind(), Err(InappropriateAuthentication));
    }

    /// A user of this machine, and what people call themselves, are found by a search as well; what matches with a
    /// placeholder is a value and nothing more.
    fn names_are_found_by_a_search(scene) {
        scene.map_by(&[
            map_by_search(Origin::Local, "gidNumber={gid}+uidNumber={uid},cn=peercred,cn=external,cn=auth", "(&(objectClass=posixAccount)(uidNumber={uid}))"),
            map_by_search(Origin::UserName, "{user}@{domain}", "(mail={user}@{domain})"),
        ]);
        let client = scene.anonymous();
        let local = |uid: u32| External::Named {
            origin: Origin::Local,
            name: format!("gidNumber=5000+uidNumber={uid},cn=peercred,cn=external,cn=auth"),
        };
        client.prove_externally(local(5001));
        assert_eq!(result(&client.send(&external(None), &[])), Ok(()));
        assert_eq!(client.identity(), scene.client("alice").identity());
        client.prove_externally(local(1));
        assert_eq!(result(&client.send(&external(None), &[])), Err(InappropriateAuthentication));
        let by_mail = |name: &str, password: &str| {
            let authentication = Authentication::Simple(password.to_owned().into());
            let request = BindRequest { version: 3, name: name.to_owned().into(), authentication };
            result(&client.send(&Request::Bind(request), &[]))
        };
        for name in ["alice@example.com", "u:Alice@Example.com", "alice"] {
            assert_eq!(by_mail(name, "alice's password"), Ok(()), "{name}");
            assert_eq!(client.identity(), scene.client("alice").identity());
        }
        for name in ["*@example.com", "al*@example.com", "alice@*", "alice@example.com)(uid=*"] {
            assert!(by_mail(name, "alice's password").is_err(), "{name}");
        }
        let twin = "dn: alice2\nobjectClass: inetOrgPerson\nuid: alice2\ncn: x\nsn: y\nmail: alice@example.com\n";
        scene.share_everything();
        scene.root().change(twin).unwrap();
        assert_eq!(by_mail("alice@example.com", "alice's password"), Err(InvalidCredentials), "nobody knows which of two");
    }
}
