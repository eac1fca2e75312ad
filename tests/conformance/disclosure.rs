//! Whatever is asked and however: what somebody may not see does not exist for them (features D9, users S3: CVE-2019-14824
//! was a control that showed hidden attributes). Each control has a row here; one that has none fails a test.

use keystead::access::RuleText;
use keystead::directory::ResultCode::{EntryAlreadyExists, InsufficientAccessRights, NoSuchObject};
use keystead::directory::tree::Directory;
use keystead::directory::tree::Scope::{BaseObject, SingleLevel, Subordinates, WholeSubtree};
use keystead::directory::wire;
use keystead::protocol::request::CompareRequest;
use keystead::protocol::{RawControl, Request};

use crate::scene::{Client, FoundEntry, SEE, SUFFIX, Scene, full, requests, rule, rules, search_request};
use crate::sentences;

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    wire::put_element(&mut out, tag, content);
    out
}

fn text(value: &str) -> Vec<u8> {
    element(wire::OCTET_STRING, value.as_bytes())
}

fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    element(wire::SEQUENCE, &parts.concat())
}

/// Every control, with a value that asks for an attribute if it can ask for one.
fn rows(attribute: &str) -> Vec<(&'static str, Option<Vec<u8>>)> {
    let equals = element(0xa3, &[text(attribute), text("alice@example.com")].concat());
    let present = element(0x87, attribute.as_bytes());
    vec![
        ("1.2.840.113556.1.4.319", Some(sequence(&[element(2, b"\x64"), text("")]))),
        ("2.16.840.1.113730.3.4.2", None),
        ("1.3.6.1.4.1.42.2.27.8.5.1", None),
        ("1.3.6.1.4.1.4203.1.10.1", Some(element(1, b"\x00"))),
        ("1.3.6.1.4.1.4203.1.10.2", None),
        ("1.3.6.1.4.1.4203.666.5.2", None),
        ("2.16.840.1.113730.3.4.18", Some(b"u:bob".to_vec())),
        ("1.3.6.1.4.1.42.2.27.9.5.2", Some(sequence(&[text("u:bob"), sequence(&[text("cn")])]))),
        // Assertion, pre-read, post-read.
        ("1.3.6.1.1.12", Some(equals)),
        ("1.3.6.1.1.13.1", Some(sequence(&[text(attribute), text("*"), text("+")]))),
        ("1.3.6.1.1.13.2", Some(sequence(&[text(attribute), text("*"), text("+")]))),
        // Permissive modify, tree delete, relax, don't use copy, session tracking, authorization identity.
        ("1.2.840.113556.1.4.1413", None),
        ("1.2.840.113556.1.4.805", None),
        ("1.3.6.1.4.1.4203.666.5.12", None),
        ("1.3.6.1.1.22", None),
        ("1.3.6.1.4.1.21008.108.63.1", Some(sequence(&[text(""), text(""), text("1.2.3"), text("x")]))),
        ("2.16.840.1.113730.3.4.16", None),
        // Sort, virtual list view, matched values, dereference.
        ("1.2.840.113556.1.4.473", Some(sequence(&[sequence(&[text(attribute)])]))),
        ("2.16.840.1.113730.3.4.9", None),
        ("1.2.826.0.1.3344810.2.3", Some(sequence(&[present]))),
        ("1.3.6.1.4.1.4203.666.5.16", Some(sequence(&[sequence(&[text("member"), sequence(&[text(attribute)])])]))),
        // Domain scope, search options, real and virtual attributes only, persistent search, account usability.
        ("1.2.840.113556.1.4.1339", None),
        ("1.2.840.113556.1.4.1340", Some(sequence(&[element(2, b"\x00")]))),
        ("2.16.840.1.113730.3.4.17", None),
        ("2.16.840.1.113730.3.4.19", None),
        ("2.16.840.1.113730.3.4.3", Some(sequence(&[element(2, b"\x0f"), element(1, b"\x00"), element(1, b"\xff")]))),
        ("1.3.6.1.4.1.42.2.27.9.5.8", None),
        // Content synchronization.
        ("1.3.6.1.4.1.4203.1.9.1.1", Some(sequence(&[element(0x0a, b"\x03")]))),
        // Transaction specification: of none that there is.
        ("1.3.6.1.1.21.2", Some(b"1".to_vec())),
        // Why and how a password is reset.
        ("2.25.271882395885119902382355470247459148908.3.1", Some(b"forgotten".to_vec())),
        ("2.25.271882395885119902382355470247459148908.3.2", Some(b"need-not-change".to_vec())),
    ]
}

/// No control, and each of them alone.
fn each_control(attribute: &str) -> Vec<Vec<RawControl>> {
    let control = |(oid, value): (&str, Option<Vec<u8>>)| {
        vec![RawControl { oid: oid.to_owned().into(), critical: oid.ends_with(".18"), value: value.map(Into::into) }]
    };
    let mut all = vec![Vec::new()];
    all.extend(rows(attribute).into_iter().map(control));
    all
}

/// Every request about an entry of that name.
fn requests_about(name: &str) -> Vec<Request> {
    let name = full(name);
    let mut all = requests(
        &[
            format!("dn: {name}\nchangetype: modify\nreplace: title\ntitle: x\n-\n"),
            format!("dn: {name}\nchangetype: modify\nreplace: userPassword\nuserPassword: x\n-\n"),
            format!("dn: {name}\nchangetype: delete\n"),
            format!("dn: {name}\nchangetype: modrdn\nnewrdn: uid=x\ndeleteoldrdn: 1\n"),
            format!("dn: cn=below,{name}\nobjectClass: device\n"),
        ]
        .join("\n"),
    );
    let compare = |attribute: &str| CompareRequest {
        entry: name.clone().into(),
        attribute: attribute.to_owned().into(),
        value: "x".into(),
    };
    all.extend(["sn", "userPassword"].map(|attribute| Request::Compare(compare(attribute))));
    all
}

/// Bob sees the unit of the people, and himself.
fn bob_sees_little<D: Directory>(scene: &Scene<D>) {
    scene.rule_by(&[
        rule("unit", "authenticated", &format!("entry:ou=people,{SUFFIX}"), &["*"], SEE),
        rule("oneself", "self", "everything", &["*"], SEE),
    ]);
}

/// The usual rules, but bob may do nothing with the mail addresses of others.
fn bob_sees_no_mail<D: Directory>(scene: &Scene<D>) {
    let all: Vec<String> = SEE.iter().map(|&right| right.into()).collect();
    let denial = RuleText {
        deny: all,
        filter: Some("(!(uid=bob))".into()),
        ..rule(
            "no mail",
            "dn:uid=bob,ou=people,dc=example,dc=com",
            &format!("below:ou=people,{SUFFIX}"),
            &["mail"],
            &[],
        )
    };
    scene.rule_by(&rules().into_iter().chain([denial]).collect::<Vec<_>>());
}

/// What was found, as octets: names and values.
fn octets(found: &[FoundEntry]) -> Vec<u8> {
    let of_entry = |entry: &FoundEntry| {
        let values = entry
            .attributes
            .iter()
            .flat_map(|(name, values)| [vec![name.clone().into_bytes()], values.clone()].concat());
        [vec![entry.dn.clone().into_bytes()], values.collect()].concat().concat()
    };
    found.iter().flat_map(of_entry).collect()
}

fn holds(haystack: &[u8], needle: &str) -> bool {
    String::from_utf8_lossy(haystack).to_ascii_lowercase().contains(needle)
}

/// Searches with a control, whatever comes of it.
fn find<D: Directory>(client: &Client<'_, D>, filter: &str, list: &[&str], controls: &[RawControl]) -> Vec<u8> {
    let request = search_request(SUFFIX, WholeSubtree, filter, list);
    let (found, response) = client.send_search(&request, controls);
    let told = response.controls.into_iter().filter_map(|control| control.value).flatten();
    octets(&found).into_iter().chain(told).collect()
}

sentences! {
    /// Whoever may change what they may not see can tell by a change that they may make, and by nothing else, that it is there.
    fn an_entry_that_is_not_seen_shows_in_what_somebody_may_change_alone(scene) {
        let (hanna, people) = (format!("dn:{}", full("hanna")), format!("subtree:ou=people,{SUFFIX}"));
        let own = rules().into_iter().filter(|rule| rule.who.contains(&"local-root".to_owned()));
        scene.rule_by(&own.chain([rule("blind", &hanna, &people, &["title"], &["write", "add"])]).collect::<Vec<_>>());
        let title = |name: &str| format!("dn: {name}\nchangetype: modify\nreplace: title\ntitle: x\n-\n");
        let mail = |name: &str| format!("dn: {name}\nchangetype: modify\nreplace: mail\nmail: x@example.com\n-\n");
        let delete = |name: &str| format!("dn: {name}\nchangetype: delete\n");
        let rename = |name: &str| format!("dn: {name}\nchangetype: modrdn\nnewrdn: uid=other\ndeleteoldrdn: 1\n");
        let add = |name: &str| format!("dn: uid={name},ou=people\nobjectClass: inetOrgPerson\nuid: {name}\ncn: x\nsn: y\n");
        let blind = scene.client("hanna");
        let missing = Err(NoSuchObject);
        assert_eq!((blind.change(&title("alice")), blind.change(&title("nobody"))), (Ok(()), missing));
        assert_eq!((blind.change(&add("alice")), blind.change(&add("new"))), (Err(EntryAlreadyExists), Ok(())));
        for what in [mail, delete, rename] {
            assert_eq!((blind.change(&what("alice")), blind.change(&what("nobody"))), (missing, missing));
        }
        let nobody = scene.client("bob");
        for what in [title, mail, delete, rename, add] {
            assert_eq!((nobody.change(&what("alice")), nobody.change(&what("nobody"))), (missing, missing));
        }
    }

    /// Whoever adds a control adds a row, so that it is tried here with everything.
    fn every_control_has_a_row(scene) {
        let root_dse = scene.anonymous().search("", BaseObject, "(objectClass=*)", &["supportedControl"]).unwrap();
        let rows: Vec<&str> = rows("mail").into_iter().map(|(oid, _)| oid).collect();
        for oid in root_dse.iter().flat_map(|entry| entry.texts("supportedControl")) {
            assert!(rows.contains(&oid.as_str()), "{oid} has no row in `rows`");
        }
    }

    /// An entry that cannot be seen is answered as one that does not exist, by every operation with every control: code,
    /// words, matched name and controls.
    fn a_hidden_entry_does_not_exist(scene) {
        bob_sees_little(scene);
        let bob = scene.client("bob");
        for controls in each_control("mail") {
            for (request, unknown) in requests_about("alice").iter().zip(requests_about("nobody")) {
                let response = bob.send(request, &controls);
                assert_eq!(response, bob.send(&unknown, &controls), "{request:?} {controls:?}");
                assert_ne!(response.result.matched_dn, full("alice"));
            }
            for scope in [BaseObject, SingleLevel, WholeSubtree, Subordinates] {
                let base = |name: &str| bob.send_search(&search_request(&full(name), scope, "(objectClass=*)", &[]), &controls);
                assert_eq!(base("alice"), base("nobody"), "{controls:?}");
                assert_eq!(base("cn=staff,ou=groups"), base("cn=nothing,ou=nowhere"), "{controls:?}");
            }
            let all = bob.send_search(&search_request("", WholeSubtree, "(objectClass=*)", &["*", "+"]), &controls).0;
            assert!(all.iter().all(|entry| !entry.dn.contains("alice")), "{controls:?}");
        }
        assert_eq!(bob.names("alice", BaseObject, "(objectClass=*)"), Err(NoSuchObject));
    }

    /// An attribute that may not be searched matches no filter, not even a negated one; with every control.
    fn a_hidden_attribute_matches_nothing(scene) {
        bob_sees_no_mail(scene);
        let bob = scene.client("bob");
        for controls in each_control("cn") {
            for filter in [
                "(mail=*)", "(mail=alice@example.com)", "(mail=alice*)", "(mail>=a)", "(mail<=z)", "(mail~=alice@example.com)",
                "(mail:caseIgnoreIA5Match:=alice@example.com)", "(!(mail=nobody))", "(!(mail=*))", "(&(uid=alice)(mail=*))",
                "(!(&(uid=alice)(!(mail=nobody))))",
            ] {
                let found = find(&bob, &format!("(&(uid=alice){filter})"), &["cn"], &controls);
                assert!(!holds(&found, "alice"), "{filter} {controls:?}");
            }
        }
    }

    /// What may not be read is in no answer, nor in any control of one, however it is asked for.
    fn a_hidden_attribute_is_in_no_answer(scene) {
        bob_sees_no_mail(scene);
        let bob = scene.client("bob");
        for controls in each_control("mail") {
            for list in [&["*", "+"][..], &["mail"], &["@inetOrgPerson"], &["MAIL;x"], &["0.9.2342.19200300.100.1.3"], &[]] {
                let found = find(&bob, "(!(uid=bob))", list, &controls);
                assert!(!holds(&found, "@example.com"), "{list:?} {controls:?}");
            }
            let compare = bob.compare_with("alice", "mail", "alice@example.com", &controls);
            assert_ne!(compare.result.code, keystead::directory::ResultCode::CompareTrue, "{controls:?}");
        }
        assert_eq!(bob.compare("alice", "mail", "alice@example.com"), InsufficientAccessRights);
        assert!(holds(&find(&bob, "(uid=bob)", &["mail"], &[]), "bob@example.com"), "his own he sees");
    }

    /// What changes an entry shows nothing of it that may not be read, before or after.
    fn a_change_shows_nothing_hidden(scene) {
        let change = "dn: alice\nchangetype: modify\nreplace: title\ntitle: x\n-\n";
        for controls in each_control("mail") {
            bob_sees_no_mail(scene);
            let write = rule("write", "dn:uid=bob,ou=people,dc=example,dc=com", &format!("subtree:ou=people,{SUFFIX}"), &["title"], &["write"]);
            let denial = RuleText {
                deny: SEE.iter().map(|&right| right.into()).collect(),
                ..rule("no mail", "dn:uid=bob,ou=people,dc=example,dc=com", &format!("subtree:ou=people,{SUFFIX}"), &["mail"], &[])
            };
            scene.rule_by(&rules().into_iter().chain([write, denial]).collect::<Vec<_>>());
            let response = scene.client("bob").change_with(change, &controls);
            let told: Vec<u8> = response.controls.into_iter().filter_map(|control| control.value).flatten().collect();
            assert!(!holds(&told, "@example.com"), "{controls:?}");
        }
    }

    /// Nobody is shown a secret, whatever they may do and however they ask: neither its value nor whether it matches.
    fn secrets_are_in_no_answer(scene) {
        let admin = scene.client("cn=admin");
        for attribute in ["userPassword", "pwdHistory"] {
            for controls in each_control(attribute) {
                for list in [&["*", "+"][..], &["userPassword", "pwdHistory"], &["2.5.4.35"], &["@inetOrgPerson"]] {
                    let found = find(&admin, "(uid=alice)", list, &controls);
                    assert!(!holds(&found, "$argon2") && !holds(&found, "alice's password"), "{list:?} {controls:?}");
                }
                for filter in ["(userPassword=*)", "(!(userPassword=x))", "(pwdHistory=*)", "(userPassword=alice's password)"] {
                    assert!(!holds(&find(&admin, &format!("(&(uid=alice){filter})"), &["cn"], &controls), "alice"), "{filter}");
                }
                let change = "dn: alice\nchangetype: modify\nreplace: title\ntitle: x\n-\n";
                let response = admin.change_with(change, &controls);
                let told: Vec<u8> = response.controls.into_iter().filter_map(|control| control.value).flatten().collect();
                assert!(!holds(&told, "$argon2"), "{controls:?}");
            }
        }
    }

    /// The change log tells of an entry what may be known of the entry itself: neither that one exists which is hidden, nor
    /// did before it was deleted, renamed or moved, nor what stood in an attribute that may not be read.
    fn the_change_log_tells_nothing_hidden(scene) {
        let root = scene.root();
        for change in [
            "dn: carla\nobjectClass: inetOrgPerson\ncn: Carla\nsn: Carla\nmail: carla@example.com\ntitle: chief\n",
            "dn: carla\nchangetype: modify\nreplace: mail\nmail: other@example.com\n-\nreplace: title\ntitle: boss\n-\n",
            "dn: alice\nchangetype: modify\nreplace: mail\nmail: alice2@example.com\n-\nreplace: title\ntitle: head\n-\n",
            "dn: ou=hidden\nobjectClass: organizationalUnit\nou: hidden\n",
            "dn: cn=device,ou=people\nobjectClass: device\ncn: device\n",
            "dn: cn=device,ou=people\nchangetype: modrdn\nnewrdn: cn=device\ndeleteoldrdn: 0\nnewsuperior: ou=hidden,dc=example,dc=com\n",
            "dn: cn=device,ou=hidden\nchangetype: modrdn\nnewrdn: cn=device\ndeleteoldrdn: 0\nnewsuperior: ou=people,dc=example,dc=com\n",
            "dn: cn=box,ou=hidden\nobjectClass: device\ncn: box\n",
            "dn: cn=box,ou=hidden\nchangetype: delete\n",
            "dn: carla\nchangetype: delete\n",
        ] {
            root.change(change).unwrap();
        }
        let log = |client: &Client<'_, D>, controls: &[RawControl], filter: &str| {
            octets(&client.send_search(&search_request("cn=changelog", WholeSubtree, filter, &["*", "+"]), controls).0)
        };
        let see_log = || rule("log", "authenticated", "subtree:cn=changelog", &["*", "+"], SEE);
        let bob = scene.client("bob");
        for controls in each_control("cn") {
            // Little of the tree, and all of the log: then little of the log.
            scene.rule_by(&[rule("oneself", "self", "everything", &["*"], SEE), see_log()]);
            let found = log(&bob, &controls, "(objectClass=*)");
            assert!(!holds(&found, "alice") && !holds(&found, "hidden") && !holds(&found, "carla"), "{controls:?}");
            // All but the mail addresses, and but what is hidden.
            let deny = |who: &str, to: &str, attributes: &[&str]| RuleText {
                deny: SEE.iter().map(|&right| right.into()).collect(),
                ..rule("no", who, to, attributes, &[])
            };
            scene.rule_by(&rules().into_iter().chain([
                see_log(),
                deny("authenticated", &format!("below:ou=people,{SUFFIX}"), &["mail"]),
                deny("authenticated", &format!("subtree:ou=hidden,{SUFFIX}"), &["*", "+"]),
            ]).collect::<Vec<_>>());
            let found = log(&bob, &controls, "(objectClass=*)");
            assert!(!holds(&found, "@example.com") && !holds(&found, "hidden") && !holds(&found, "box"), "{controls:?}");
            assert!(!holds(&log(&bob, &controls, "(changes=*@example.com*)"), "alice"), "{controls:?}");
            assert!(!controls.is_empty() || holds(&found, "title: head"), "what may be read is shown");
        }
    }

    /// A rule for everything is none for the change log: that must be named.
    fn a_rule_for_everything_shows_no_change_log(scene) {
        scene.rule_by(&[rule("all", "authenticated", "everything", &["*", "+"], SEE)]);
        let request = search_request("cn=changelog", WholeSubtree, "(objectClass=*)", &["*", "+"]);
        let (found, response) = scene.client("bob").send_search(&request, &[]);
        assert_eq!((found.len(), response.result.code), (0, NoSuchObject));
        assert!(!scene.client("bob").find("(uid=alice)").is_empty());
    }
}
