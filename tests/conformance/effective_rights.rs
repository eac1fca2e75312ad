//! Get effective rights: what somebody may do with the entries that a search finds (features B22), in the letters of 389
//! Directory Server.

use keystead::access::RuleText;
use keystead::access::when::WhenText;
use keystead::directory::ResultCode::{InsufficientAccessRights, ProtocolError};
use keystead::directory::tree::Directory;
use keystead::directory::tree::Scope::{BaseObject, WholeSubtree};
use keystead::protocol::{RawControl, Response, oid};

use crate::scene::{Client, FoundEntry, SUFFIX, Scene, acting_as, full, only, result, rule, rules, search_request};
use crate::sentences;

/// The control, with an identity as people write it on the command line.
fn rights_of(authz_id: &str) -> Vec<RawControl> {
    vec![RawControl { oid: oid::EFFECTIVE_RIGHTS.into(), critical: true, value: Some(authz_id.to_owned().into()) }]
}

fn ask<D: Directory>(
    client: &Client<'_, D>,
    whose: &str,
    to: &str,
    attributes: &[&str],
) -> (Vec<FoundEntry>, Response) {
    client.send_search(&search_request(&full(to), BaseObject, "(objectClass=*)", attributes), &rights_of(whose))
}

/// What is told of one entry: the rights to it as a whole, and to its attributes.
#[track_caller]
fn told<D: Directory>(client: &Client<'_, D>, whose: &str, to: &str, attributes: &[&str]) -> (String, String) {
    let (found, response) = ask(client, whose, to, attributes);
    assert_eq!(result(&response), Ok(()));
    let one = |name| only(&found).texts(name).join("|");
    (one("entryLevelRights"), one("attributeLevelRights"))
}

fn code<D: Directory>(client: &Client<'_, D>, whose: &str) -> Result<(), keystead::directory::ResultCode> {
    result(&ask(client, whose, "bob", &["cn"]).1)
}

/// The usual rules and others.
fn and<D: Directory>(scene: &Scene<D>, more: impl IntoIterator<Item = RuleText>) {
    scene.rule_by(&rules().into_iter().chain(more).collect::<Vec<_>>());
}

sentences! {
    /// Everybody may ask about themselves, and about those who have not authenticated.
    fn people_ask_about_themselves(scene) {
        let alice = scene.client("alice");
        let own = format!("dn:{}", full("alice"));
        for name in ["u:alice", own.as_str()] {
            assert_eq!(told(&alice, name, "bob", &["cn", "sn"]), ("v".into(), "cn:rsc, sn:rsc".into()));
        }
        assert_eq!(told(&alice, "dn:", "bob", &["cn"]), ("none".into(), "cn:none".into()));
    }

    /// Without a value, or with an empty identity, it is about whoever asks, as for clients of `OpenDJ`; `dn:` is anonymous.
    fn without_a_name_it_is_about_whoever_asks(scene) {
        let empty: [Option<&'static [u8]>; 4] = [None, Some(b""), Some(b"\x30\x02\x04\x00"), Some(b"\x30\x04\x04\x00\x30\x00")];
        for value in empty {
            let value = value.map(bytes::Bytes::from_static);
            let control = RawControl { oid: oid::EFFECTIVE_RIGHTS.into(), critical: true, value };
            let asked = |client: &Client<'_, D>| {
                let search = search_request(&full("alice"), BaseObject, "(objectClass=*)", &["cn"]);
                let (found, response) = client.send_search(&search, std::slice::from_ref(&control));
                (result(&response), found.iter().flat_map(|one| one.texts("entryLevelRights")).collect::<String>())
            };
            assert_eq!(asked(&scene.client("bob")), (Ok(()), "v".into()));
            assert_eq!(asked(&scene.client("cn=admin")), (Ok(()), "vadn".into()));
            assert_eq!(asked(&scene.root()), (Ok(()), "vadn".into()));
        }
    }

    /// About others, whoever holds the right `explain` to them; who may not, learns nothing of who exists.
    fn about_others_a_right_is_needed(scene) {
        let alice = scene.client("alice");
        for name in ["u:bob", "u:nobody", "dn:cn=admin,dc=example,dc=com", "dn:uid=nobody,ou=people,dc=example,dc=com"] {
            assert_eq!(code(&alice, name), Err(InsufficientAccessRights), "{name}");
        }
        for none in ["alice", "x", "dn:,,"] {
            assert_eq!(code(&alice, none), Err(ProtocolError), "{none}");
        }
        assert_eq!(code(&scene.client("cn=admin"), "u:hanna"), Ok(()));
        let people = format!("below:ou=people,{SUFFIX}");
        and(scene, [rule("reviewer", "dn:uid=alice,ou=people,dc=example,dc=com", &people, &[], &["explain"])]);
        assert_eq!(code(&alice, "u:hanna"), Ok(()));
        assert_eq!(code(&alice, "dn:cn=admin,dc=example,dc=com"), Err(InsufficientAccessRights));
    }

    /// `v` view, `a` add, `d` delete, `n` rename; `r` read, `s` search, `c` compare, `w` and `o` add and delete values, in that
    /// order; `none` for nothing.
    fn rights_are_told_in_letters(scene) {
        let admin = scene.client("cn=admin");
        assert_eq!(told(&admin, "dn:cn=admin,dc=example,dc=com", "bob", &["cn"]), ("vadn".into(), "cn:rscwo".into()));
        assert_eq!(told(&admin, "u:hanna", "bob", &["cn", "pwdFailureTime"]).1, "cn:rsc, pwdFailureTime:rsc");
        let bob = full("bob");
        and(scene, [
            rule("mail", "dn:uid=alice,ou=people,dc=example,dc=com", &format!("entry:{bob}"), &["title"], &["write", "delete"]),
            RuleText {
                deny: vec!["read".into()],
                ..rule("no sn", "dn:uid=alice,ou=people,dc=example,dc=com", &format!("entry:{bob}"), &["sn"], &[])
            },
            RuleText {
                values: vec!["self".into()],
                ..rule("join", "authenticated", &format!("entry:cn=staff,ou=groups,{SUFFIX}"), &["member"], &["write"])
            },
        ]);
        assert_eq!(told(&admin, "u:alice", "cn=staff,ou=groups", &["cn", "member"]).1, "cn:rsc, member:rscWO");
        assert_eq!(told(&admin, "u:alice", "bob", &["sn", "title"]), ("vd".into(), "sn:sc, title:rscwo".into()));
    }

    /// Of a password it is told who may set it: by knowing it, or by resetting it, and not that of somebody who may more.
    fn the_rights_to_a_password_are_told_and_never_the_password(scene) {
        let admin = scene.client("cn=admin");
        for (whose, to, rights) in [
            ("u:alice", "alice", "wo"), ("u:alice", "bob", "none"), ("u:hanna", "bob", "wo"), ("u:hanna", "cn=admin", "none"),
            ("dn:cn=admin,dc=example,dc=com", "hanna", "wo"), ("dn:", "alice", "none"),
        ] {
            assert_eq!(told(&admin, whose, to, &["userPassword"]).1, format!("userPassword:{rights}"), "{whose} {to}");
        }
        let join = format!("dn: cn=administrators,ou=groups\nchangetype: modify\nadd: member\nmember: {}\n-\n", full("bob"));
        scene.root().change(&join).unwrap();
        assert_eq!(told(&admin, "u:hanna", "bob", &["userPassword"]).1, "userPassword:none");
        let (found, _) = ask(&admin, "u:alice", "alice", &["*", "+", "userPassword", "pwdHistory"]);
        assert!(only(&found).texts("userPassword").is_empty() && only(&found).texts("pwdHistory").is_empty());
        assert!(only(&found).texts("attributeLevelRights").concat().contains("userPassword:wo"));
    }

    /// Without names, it is about the attributes that the entry has and the requester may know of; with `*`, about all that
    /// its classes allow.
    fn without_names_it_is_about_what_is_there(scene) {
        let alice = scene.client("alice");
        let (_, present) = told(&alice, "u:alice", "cn=staff,ou=groups", &[]);
        assert!(present.contains("member:rsc") && !present.contains("owner"), "{present}");
        let (_, allowed) = told(&alice, "u:alice", "cn=staff,ou=groups", &["*"]);
        assert!(allowed.contains("member:rsc") && allowed.contains("owner:rsc"), "{allowed}");
        let people = format!("subtree:ou=people,{SUFFIX}");
        scene.rule_by(&[
            rule("names", "authenticated", &people, &["objectClass", "cn"], &["search", "read"]),
            rule("reviewer", "authenticated", &people, &[], &["explain"]),
            rule("mail", "dn:uid=bob,ou=people,dc=example,dc=com", &people, &["mail"], &["read"]),
        ]);
        assert_eq!(told(&alice, "u:bob", "alice", &[]).1, "objectClass:rs, cn:rs", "alice does not know of her mail");
    }

    /// The search itself sees what the requester sees, and finds nothing more by asking about somebody else.
    fn the_search_is_the_requesters(scene) {
        let people = format!("subtree:ou=people,{SUFFIX}");
        scene.rule_by(&[
            rule("admin", "dn:cn=admin,dc=example,dc=com", &people, &["*"], &["search", "read"]),
            rule("own", "self", &people, &["*"], &["search", "read"]),
            rule("reviewer", "authenticated", "everything", &[], &["explain"]),
        ]);
        let names = |who: &str| {
            let base = search_request("", WholeSubtree, "(uid=*)", &["uid"]);
            let (found, response) = scene.client(who).send_search(&base, &rights_of("dn:cn=admin,dc=example,dc=com"));
            assert_eq!(result(&response), Ok(()));
            found.len()
        };
        assert_eq!((names("alice"), names("cn=admin")), (1, 4));
    }

    /// `GetRightsControl ::= SEQUENCE { authzId, attributes }`, as programs send it.
    fn programs_ask_in_a_sequence(scene) {
        let value = b"\x30\x10\x04\x07u:alice\x30\x05\x04\x03uid";
        let control = RawControl { oid: oid::EFFECTIVE_RIGHTS.into(), critical: true, value: Some(value.to_vec().into()) };
        let search = search_request(&full("bob"), BaseObject, "(objectClass=*)", &["cn"]);
        let (found, response) = scene.client("alice").send_search(&search, &[control]);
        assert_eq!(result(&response), Ok(()));
        assert_eq!(only(&found).texts("attributeLevelRights"), ["cn:rsc, uid:rsc"]);
        assert_eq!(only(&found).texts("cn"), ["Bob Baker"]);
    }

    /// Clients of `OpenDJ` ask for `aclRights`, with a flag for each right.
    fn acl_rights_say_the_same_in_words(scene) {
        let (found, _) = ask(&scene.client("cn=admin"), "u:alice", "alice", &["aclRights", "cn"]);
        let entry = only(&found);
        assert_eq!(entry.texts("aclRights;entryLevel"), ["add:0,delete:0,read:1,write:0,proxy:0"]);
        assert_eq!(
            entry.texts("aclRights;attributeLevel;cn"),
            ["search:1,read:1,compare:1,write:0,selfwrite_add:0,selfwrite_delete:0,proxy:0"]
        );
    }

    /// They ask for `aclRightsInfo` to know by which rule. What rules are called is told to those who may ask about others.
    fn acl_rights_info_names_the_rule(scene) {
        let bob = format!("entry:{}", full("bob"));
        and(scene, [
            rule("titles", "authenticated", &bob, &["title"], &["write"]),
            RuleText { deny: vec!["read".into()], ..rule("no mail", "authenticated", &bob, &["mail"], &[]) },
        ]);
        let names = ["aclRightsInfo", "title", "mail", "userPassword"];
        let (found, _) = ask(&scene.client("cn=admin"), "u:alice", "bob", &names);
        let told = |name: &str| only(&found).texts(&format!("aclRightsInfo;logs;{name}")).concat();
        let (whom, who) = (full("bob"), full("alice"));
        assert_eq!(
            told("attributeLevel;write;title"),
            format!(
                "acl_summary(main): access allowed(write) on entry/attr({whom}, title) to ({who}) (not proxied) ( reason: \
                 evaluated allow , deciding_aci: titles )"
            )
        );
        assert!(told("attributeLevel;read;mail").ends_with("( reason: evaluated deny , deciding_aci: no mail )"));
        assert_eq!(
            told("entryLevel;delete"),
            format!(
                "acl_summary(main): access not allowed(delete) on entry/attr({whom}, NULL) to ({who}) (not proxied) ( reason: no \
                 acis matched the subject )"
            )
        );
        assert!(told("entryLevel;read").contains("deciding_aci: whoever has authenticated"));
        let (found, _) = ask(&scene.client("alice"), "u:alice", "bob", &names);
        assert_eq!(only(&found).texts("aclRightsInfo;logs;entryLevel;read"), [""; 0]);
        assert_eq!(only(&found).texts("entryLevelRights"), ["v"]);
    }

    /// Whoever acts as somebody is told what holds under the circumstances of whoever has authenticated.
    fn what_is_told_holds_as_the_connection_has_authenticated(scene) {
        let (bob, people) = (format!("dn:{}", full("bob")), format!("subtree:ou=people,{SUFFIX}"));
        let when = WhenText { authentication: vec!["simple".into()], ..WhenText::default() };
        let by_password = RuleText { when: Some(when), ..rule("title", "authenticated", &people, &["title"], &["write"]) };
        and(scene, [rule("proxy", &bob, &people, &[], &["proxy"]), by_password]);
        let client = scene.anonymous();
        assert_eq!(client.bind("bob", "bob's password"), Ok(()));
        let controls = [rights_of("u:alice"), acting_as("u:alice")].concat();
        let about = search_request(&full("henry"), BaseObject, "(objectClass=*)", &["title"]);
        let (found, response) = client.send_search(&about, &controls);
        assert_eq!(result(&response), Ok(()));
        assert_eq!(only(&found).texts("attributeLevelRights").concat(), "title:rscwo");
    }

    /// What a guard keeps somebody from, they are not told that they may: where the password of somebody who holds more is
    /// recovered, and groups to which something is denied.
    fn what_a_guard_refuses_is_not_told_as_a_right(scene) {
        let (helpdesk, tree) = (format!("group:cn=helpdesk,ou=groups,{SUFFIX}"), format!("subtree:{SUFFIX}"));
        let own = rule("keepers", &helpdesk, &tree, &["*", "pwdPolicySubentry"], &["write", "delete", "rename"]);
        let denial = RuleText { deny: vec!["proxy".into()], ..rule("denied", &format!("group:cn=staff,ou=groups,{SUFFIX}"), &tree, &[], &[]) };
        and(scene, [own, denial]);
        let admin = scene.client("cn=admin");
        let names = ["mail", "sn", "pwdPolicySubentry"];
        assert_eq!(told(&admin, "u:hanna", "bob", &names).1, "sn:rscwo, mail:rscwo, pwdPolicySubentry:rscwo");
        assert_eq!(told(&admin, "u:hanna", "cn=admin", &names).1, "sn:rscwo, mail:rsc, pwdPolicySubentry:none");
        assert_eq!(told(&admin, "u:hanna", "henry", &["sn"]).0, "vdn");
        assert_eq!(told(&admin, "u:hanna", "bob", &["sn"]).0, "v", "what is denied to bob would not be denied to that name");
        assert_eq!(told(&admin, "u:hanna", "cn=staff,ou=groups", &["cn"]), ("v".into(), "cn:rscwo".into()));
        let hanna = scene.client("hanna");
        let modify = |name: &str| hanna.change(&format!("dn: {name}\nchangetype: modify\nreplace: mail\nmail: x@example.com\n-\n"));
        assert_eq!((modify("bob"), modify("cn=admin")), (Ok(()), Err(InsufficientAccessRights)));
        assert!(hanna.change("dn: cn=staff,ou=groups\nchangetype: delete\n").is_err());
    }

    /// Whether a password may be set is found out in steps that are counted: with very many rules and groups elsewhere, where
    /// nobody waits, with the same answer.
    fn with_very_many_rules_the_answer_is_the_same(scene) {
        let many = (0..800).map(|number| {
            let who = format!("group:cn=g{number},ou=groups,{SUFFIX}");
            rule(&format!("rule {number}"), &who, &format!("subtree:ou=people,{SUFFIX}"), &["title"], &["write"])
        });
        and(scene, many);
        let admin = scene.client("cn=admin");
        let names = ["userPassword"];
        assert_eq!(told(&admin, "u:hanna", "bob", &names).1, "userPassword:wo");
        assert_eq!(told(&admin, "u:hanna", "cn=admin", &names).1, "userPassword:none");
        let group = format!("dn: cn=g7,ou=groups\nobjectClass: groupOfNames\ncn: g7\nmember: {}\n", full("bob"));
        scene.root().change(&group).unwrap();
        assert_eq!(told(&admin, "u:hanna", "bob", &names).1, "userPassword:none", "bob holds more");
    }
}
