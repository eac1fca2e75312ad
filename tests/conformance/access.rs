//! Who may do what: attribute by attribute, what cannot be seen does not exist, and nobody takes over somebody who may do
//! more (decisions 16 and 18).

use keystead::access::RuleText;
use keystead::directory::ResultCode::{
    CompareTrue, EntryAlreadyExists, InsufficientAccessRights, InvalidCredentials, NoSuchObject,
};
use keystead::directory::tree::Directory;
use keystead::directory::tree::Scope::{BaseObject, SingleLevel, WholeSubtree};
use keystead::protocol::request::CompareRequest;
use keystead::protocol::{Request, Response};

use crate::scene::{Client, SEE, SUFFIX, Scene, full, policy_control, requests, result, rule, rules, search_request};
use crate::sentences;

const NEW: &str = "a much better secret";

/// The usual rules and others.
fn and(more: impl IntoIterator<Item = RuleText>) -> Vec<RuleText> {
    rules().into_iter().chain(more).collect()
}

/// A rule that takes something away.
fn deny(who: &str, to: &str, attributes: &[&str], rights: &[&str]) -> RuleText {
    let rule = rule("deny", who, to, attributes, &[]);
    RuleText { deny: rights.iter().map(|&right| right.into()).collect(), ..rule }
}

/// Bob sees the unit of the people and himself, and nothing else.
fn bob_sees_little<D: Directory>(scene: &Scene<D>) {
    scene.rule_by(&[
        rule("unit", "authenticated", &format!("entry:ou=people,{SUFFIX}"), &["*"], SEE),
        rule("oneself", "self", "everything", &["*"], SEE),
    ]);
}

/// Every request about an entry of that name, but for adding it.
fn requests_about(name: &str) -> Vec<Request> {
    let name = full(name);
    let head = format!("dn: {name}\nchangetype: ");
    let mut all = requests(
        &[
            format!("{head}modify\nreplace: title\ntitle: x\n-\n"),
            format!("{head}modify\nadd: userPassword\nuserPassword: {NEW}\n-\n"),
            format!("{head}modify\nreplace: pwdReset\npwdReset: TRUE\n-\n"),
            format!("{head}modify\nreplace: pwdAccountLockedTime\n-\n"),
            format!("{head}modify\ndelete: sn\nsn: Adams\n-\n"),
            format!("{head}modify\nadd: sn\nsn: Adams\n-\n"),
            format!("{head}delete\n"),
            format!("{head}modrdn\nnewrdn: uid=x\ndeleteoldrdn: 1\n"),
            format!("{head}modrdn\nnewrdn: uid=bob\ndeleteoldrdn: 1\n"),
            format!("dn: cn=below,{name}\nobjectClass: device\n"),
            format!("dn: cn=below,{name}\nchangetype: delete\n"),
        ]
        .join("\n"),
    );
    all.extend(["sn", "userPassword", "nosuch", "pwdHistory"].map(|attribute| {
        Request::Compare(CompareRequest { entry: name.clone().into(), attribute: attribute.into(), value: "x".into() })
    }));
    all
}

/// How somebody is answered who sets the password of another.
fn reset<D: Directory>(client: &Client<'_, D>, whom: &str) -> Response {
    client.password_modify_with(Some(&full(whom)), None, None, &policy_control())
}

/// Makes somebody a member of a group.
fn join<D: Directory>(scene: &Scene<D>, group: &str, member: &str) {
    let member = full(member);
    let change = format!("dn: cn={group},ou=groups\nchangetype: modify\nadd: member\nmember: {member}\n-\n");
    assert_eq!(scene.root().change(&change), Ok(()));
}

/// Asserts that the helpdesk may not take over somebody, by whatever sets a password or makes its owner set one.
#[track_caller]
fn assert_out_of_reach<D: Directory>(scene: &Scene<D>, name: &str) {
    let hanna = scene.client("hanna");
    let told = |answer: &Response, what: &str| {
        let words = format!("this account has rights that you do not have, so you cannot {what}");
        assert_eq!((result(answer), &answer.result.diagnostic_message), (Err(InsufficientAccessRights), &words));
    };
    told(&reset(&hanna, name), "set its password");
    for (lines, what) in [
        ("replace: userPassword\nuserPassword: a much better secret\n", "set its password"),
        ("delete: userPassword\n", "set its password"),
        ("replace: pwdReset\npwdReset: TRUE\n", "say whether its password must be changed"),
        ("replace: pwdReset\n", "say whether its password must be changed"),
        ("replace: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n", "lock it"),
    ] {
        told(&hanna.change_with(&format!("dn: {name}\nchangetype: modify\n{lines}-\n"), &[]), what);
    }
}

sentences! {
    /// Decision 18: what no rule grants is refused.
    fn without_rules_nobody_may_anything(scene) {
        scene.rule_by(&[]);
        for client in [scene.client("cn=admin"), scene.client("alice"), scene.anonymous(), scene.root()] {
            assert_eq!(client.names(SUFFIX, WholeSubtree, "(objectClass=*)"), Err(NoSuchObject));
            assert_eq!(client.names("", WholeSubtree, "(objectClass=*)"), Ok(vec![]));
            for request in requests_about("alice") {
                let response = client.send(&request, &[]);
                assert_eq!(result(&response), Err(NoSuchObject), "{request:?}");
                assert_eq!(response.result.matched_dn, "");
            }
        }
        assert_eq!(scene.anonymous().bind("cn=admin", "admin's password"), Err(InvalidCredentials));
    }

    /// Sharp edge 18: an entry that cannot be seen does not exist: the whole answer is that for one that does not.
    fn what_cannot_be_seen_does_not_exist(scene) {
        bob_sees_little(scene);
        let bob = scene.client("bob");
        for (request, unknown) in requests_about("alice").iter().zip(requests_about("nobody")) {
            let response = bob.send(request, &[]);
            assert_eq!(response, bob.send(&unknown, &[]), "{request:?}");
            assert_eq!(result(&response), Err(NoSuchObject), "{request:?}");
            assert_eq!(response.result.matched_dn, full("ou=people"), "{request:?}");
        }
        for scope in [BaseObject, SingleLevel, WholeSubtree] {
            let find = |name: &str| bob.send_search(&search_request(&full(name), scope, "(objectClass=*)", &[]), &[]);
            let (found, response) = find("alice");
            assert_eq!((found.as_slice(), &response), (&[][..], &find("nobody").1));
            assert_eq!(response.result.matched_dn, full("ou=people"));
            assert_eq!(find("cn=x,ou=groups").1.result.matched_dn, "");
        }
        assert_eq!(bob.names("", WholeSubtree, "(objectClass=*)").unwrap(), ["ou=people", "uid=bob,ou=people"]);
        assert_eq!(bob.names("ou=people", WholeSubtree, "(uid=alice)"), Ok(vec![]));
    }

    /// An entry that exists and cannot be seen is not told by adding it, either, to whoever may not add there.
    fn an_add_does_not_tell_what_exists(scene) {
        bob_sees_little(scene);
        let bob = scene.client("bob");
        let add = |name: &str| {
            let record = format!("dn: {}\nobjectClass: inetOrgPerson\ncn: x\nsn: y\n", full(name));
            bob.change_with(&record, &[])
        };
        for (exists, unknown) in [("alice", "nobody"), ("cn=x,ou=groups", "cn=x,ou=nowhere"), ("bob", "nobody")] {
            assert_eq!(add(exists), add(unknown), "{exists}");
        }
        let names = ["cn=x,uid=alice,ou=people,dc=example,dc=com", "cn=x,uid=nobody,ou=people,dc=example,dc=com"];
        assert_eq!(add(names.first().unwrap()), add(names.last().unwrap()));
        scene.rule_by(&rules());
        assert_eq!(scene.root().change("dn: alice\nobjectClass: account\n"), Err(EntryAlreadyExists));
    }

    /// A new superior that cannot be seen does not exist.
    fn a_move_does_not_tell_what_exists(scene) {
        let own = format!("entry:{}", full("bob"));
        scene.rule_by(&[rule("move", "self", &own, &["*"], &["search", "read", "rename"])]);
        let to = |superior: &str| {
            let record = format!("dn: bob\nchangetype: modrdn\nnewrdn: uid=bob\ndeleteoldrdn: 0\nnewsuperior: {superior}\n");
            scene.client("bob").change_with(&record, &[])
        };
        let response = to("ou=groups,dc=example,dc=com");
        assert_eq!((result(&response), response.result.matched_dn.as_str()), (Err(NoSuchObject), ""));
        assert_eq!(to("ou=nowhere,dc=example,dc=com"), response);
    }

    /// The rights search, read, compare and write are granted attribute by attribute, each on its own.
    fn rights_to_attributes_are_apart(scene) {
        let alice = format!("entry:{}", full("alice"));
        scene.rule_by(&[
            rule("search", "authenticated", &alice, &["uid", "mail"], &["search"]),
            rule("read", "authenticated", &alice, &["cn", "mail"], &["read"]),
            rule("compare", "authenticated", &alice, &["sn"], &["compare"]),
            rule("write", "authenticated", &alice, &["title"], &["write"]),
        ]);
        let bob = scene.client("bob");
        let read = bob.read("alice", &["*", "+"]);
        assert_eq!(read, None, "objectClass may not be searched for");
        let found = bob.search("", WholeSubtree, "(uid=alice)", &["*", "+"]).unwrap();
        assert_eq!(crate::scene::only(&found).names(), ["cn", "mail"]);
        for (filter, count) in [
            ("(mail=*)", 1), ("(cn=*)", 0), ("(!(cn=nobody))", 0), ("(sn=Adams)", 0), ("(uid=al*)", 1), ("(title=*)", 0),
            ("(|(cn=Alice Adams)(uid=alice))", 1), ("(&(cn=Alice Adams)(uid=alice))", 0), ("(name=Alice Adams)", 0),
            ("(entryUUID=*)", 0), ("(memberOf=*)", 0), ("(:caseIgnoreMatch:=Alice Adams)", 0), ("(ou:dn:=people)", 0),
        ] {
            assert_eq!(bob.search("", WholeSubtree, filter, &["1.1"]).unwrap().len(), count, "{filter}");
        }
        assert_eq!(bob.compare("alice", "sn", "Adams"), CompareTrue);
        for attribute in ["cn", "uid", "mail", "title", "entryUUID"] {
            assert_eq!(bob.compare("alice", attribute, "x"), InsufficientAccessRights, "{attribute}");
        }
        let change = |lines: &str| bob.change(&format!("dn: alice\nchangetype: modify\n{lines}-\n"));
        assert_eq!(change("replace: title\ntitle: x\n"), Ok(()));
        for lines in ["replace: mail\n", "add: cn\ncn: x\n", "replace: title\ntitle: y\n-\nreplace: mail\n"] {
            assert_eq!(change(lines), Err(InsufficientAccessRights), "{lines}");
        }
    }

    /// Decision 18: an explicit deny wins over every grant, in whatever order.
    fn a_deny_wins(scene) {
        let alice = format!("entry:{}", full("alice"));
        let denies = [
            deny("dn:uid=bob,ou=people,dc=example,dc=com", &alice, &["sn", "uidNumber"], SEE),
            deny("everyone", &alice, &[], &["delete"]),
        ];
        let mut first = denies.to_vec();
        first.extend(rules());
        for rules in [first, and(denies)] {
            scene.rule_by(&rules);
            let bob = scene.client("bob");
            assert_eq!(bob.values("alice", "cn"), ["Alice Adams"]);
            assert_eq!(bob.values("alice", "sn"), [""; 0]);
            assert_eq!(bob.find("(sn=Adams)"), [""; 0]);
            assert_eq!(bob.find("(!(sn=Baker))").len(), 11, "neither bob nor alice, for whom it is Undefined");
            assert_eq!(bob.compare("alice", "sn", "Adams"), InsufficientAccessRights);
            assert_eq!(scene.client("hanna").find("(sn=Adams)"), ["uid=alice,ou=people"]);
            let delete = "dn: alice\nchangetype: delete\n";
            assert_eq!(scene.client("cn=admin").change(delete), Err(InsufficientAccessRights));
        }
    }

    /// Rules may be for those whom an entry names, and for entries that match a filter.
    fn rules_follow_what_entries_say(scene) {
        let mut of_manager = rule("manager", "attribute:manager", "everything", &["title"], &["write"]);
        of_manager.filter = Some("(objectClass=inetOrgPerson)".into());
        scene.rule_by(&and([of_manager]));
        let entitle = |who: &str| scene.client(who).change("dn: alice\nchangetype: modify\nreplace: title\ntitle: x\n-\n");
        assert_eq!(entitle("bob"), Err(InsufficientAccessRights));
        let manager = format!("dn: alice\nchangetype: modify\nadd: manager\nmanager: UID=bob, {}\n-\n", full("ou=people"));
        scene.root().change(&manager).unwrap();
        assert_eq!(entitle("bob"), Ok(()));
        assert_eq!(entitle("hanna"), Err(InsufficientAccessRights));
    }

    /// Passwords.md 1g: also in a modify, the right comes before the old password, and a guess is not counted.
    fn a_modify_looks_at_rights_before_secrets(scene) {
        let guess = |old: &str| {
            let lines = format!("delete: userPassword\nuserPassword: {old}\n-\nadd: userPassword\nuserPassword: {NEW}\n-\n");
            scene.client("bob").change_with(&format!("dn: alice\nchangetype: modify\n{lines}"), &policy_control())
        };
        let right = guess("alice's password");
        assert_eq!((result(&right), right.controls.len()), (Err(InsufficientAccessRights), 0));
        for wrong in ["one", "two", "three", "four"] {
            assert_eq!(guess(wrong), right);
        }
        assert_eq!(scene.root().values("alice", "pwdFailureTime"), [""; 0]);
        assert_eq!(scene.anonymous().bind("alice", "alice's password"), Ok(()));
    }

    /// Decision 16: whoever resets passwords resets those of people who hold no right that they lack: their like, too.
    fn the_helpdesk_resets_whom_it_may(scene) {
        for name in ["alice", "bob", "henry"] {
            assert_eq!(result(&reset(&scene.client("hanna"), name)), Ok(()), "{name}");
        }
        for name in ["cn=admin", "ou=groups", "cn=staff,ou=groups"] {
            assert_eq!(result(&reset(&scene.client("hanna"), name)), Err(InsufficientAccessRights), "{name}");
        }
        for name in ["alice", "hanna", "cn=admin"] {
            assert_eq!(result(&reset(&scene.client("bob"), name)), Err(InsufficientAccessRights), "{name}");
        }
        join(scene, "administrators", "alice");
        assert_eq!(result(&reset(&scene.client("alice"), "cn=admin")), Ok(()));
        assert_eq!(result(&reset(&scene.client("cn=admin"), "alice")), Ok(()));
    }

    /// Decision 16: an account that holds a right over others which the helpdesk lacks is out of its reach: as a member of a
    /// group, also of a group in a group.
    fn nobody_takes_over_somebody_who_may_more(scene) {
        join(scene, "administrators", "alice");
        assert_out_of_reach(scene, "alice");
        let nested = "dn: cn=deputies,ou=groups\nobjectClass: groupOfNames\ncn: deputies\nmember: uid=bob,ou=people,dc=example,dc=com\n";
        scene.root().change(nested).unwrap();
        assert_eq!(result(&reset(&scene.client("hanna"), "bob")), Ok(()));
        join(scene, "administrators", "cn=deputies,ou=groups");
        assert_out_of_reach(scene, "bob");
        let leave = format!("dn: cn=administrators,ou=groups\nchangetype: modify\ndelete: member\nmember: {}\n-\n", full("alice"));
        scene.root().change(&leave).unwrap();
        assert_eq!(result(&reset(&scene.client("hanna"), "alice")), Ok(()));
    }

    /// Decision 16: however the rule names its holder; and somebody to whom something is not denied may more than
    /// somebody to whom it is.
    fn rights_by_whatever_rule_are_out_of_reach(scene) {
        let groups = format!("subtree:ou=groups,{SUFFIX}");
        let alice = full("alice");
        let people = format!("below:ou=people,{SUFFIX}");
        for extra in [
            rule("by name", &format!("dn:{alice}"), &groups, &["member"], &["write"]),
            rule("by what an entry says", "attribute:owner", "everything", &["member"], &["write"]),
            rule("by what an entry says", "attribute:member", &groups, &["description"], &["write"]),
            rule("to reset", &format!("dn:{alice}"), "everything", &[], &["reset-password"]),
            rule("to see", &format!("dn:{alice}"), "everything", &["password-state"], &["read"]),
            deny(&format!("group:cn=helpdesk,ou=groups,{SUFFIX}"), &groups, &["*"], &["read"]),
        ] {
            scene.rule_by(&rules());
            let owner = format!("dn: cn=staff,ou=groups\nchangetype: modify\nreplace: owner\nowner: {alice}\n-\n");
            scene.root().change(&owner).unwrap();
            assert_eq!(result(&reset(&scene.client("hanna"), "alice")), Ok(()));
            scene.rule_by(&and([extra]));
            assert_out_of_reach(scene, "alice");
        }
        scene.rule_by(&and([rule("everybody", &people, &groups, &["description"], &["write"])]));
        assert_eq!(result(&reset(&scene.client("hanna"), "alice")), Ok(()));
    }

    /// Decision 16: a new entry is nobody more powerful than whoever adds it, though a group may have kept the name of
    /// somebody who is gone.
    fn nobody_takes_over_the_name_of_somebody_who_might_more(scene) {
        let people = format!("subtree:ou=people,{SUFFIX}");
        let helpdesk = format!("group:cn=helpdesk,ou=groups,{SUFFIX}");
        scene.rule_by(&and([rule("staff", &helpdesk, &people, &["*"], &["add", "reset-password", "rename", "write"])]));
        join(scene, "administrators", "ghost");
        let add = |name: &str| {
            let record = format!("dn: {name}\nobjectClass: inetOrgPerson\ncn: x\nsn: y\nuserPassword: {NEW}\n");
            scene.client("hanna").change(&record)
        };
        assert_eq!(add("carla"), Ok(()));
        assert_eq!(add("ghost"), Err(InsufficientAccessRights));
        let rename = "dn: carla\nchangetype: modrdn\nnewrdn: uid=ghost\ndeleteoldrdn: 1\n";
        assert_eq!(scene.client("hanna").change(rename), Err(InsufficientAccessRights));
        assert_eq!(scene.client("cn=admin").change(rename), Ok(()));
    }
}
