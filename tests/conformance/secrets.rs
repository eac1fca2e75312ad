//! Secrets are never shown: what proves who somebody is can be tried, changed and reset, and by nothing else does
//! anybody, whatever rules say, learn anything of it (sharp edges 19 and 30).

use keystead::access::Rules;
use keystead::directory::ResultCode::{AssertionFailed, InsufficientAccessRights, NamingViolation};
use keystead::directory::tree::Directory;
use keystead::directory::tree::Scope::WholeSubtree;
use keystead::protocol::request::SearchRequest;
use keystead::protocol::{RawControl, oid};

use crate::scene::answer::{control_of, critical as critical_control, entry};
use crate::scene::{Client, SEE, SUFFIX, Scene, result, rule, rules, search_request};
use crate::sentences;

const ALL: &str = "(objectClass=*)";
const NEW: &str = "a much better secret";

/// Everybody sees everything; alice has a password and one that she had before, bob a hash that is easy to recognize.
fn with_secrets<D: Directory>(scene: &Scene<D>) {
    let mut rules = rules();
    rules.push(rule("everyone", "everyone", "everything", &["*", "+", "password-state"], SEE));
    scene.rule_by(&rules);
    scene.client("alice").password_modify(None, Some("alice's password"), Some(NEW)).unwrap();
    let hash = "replace: userPassword\nuserPassword: {SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n";
    scene.root().change(&format!("dn: bob\nchangetype: modify\n{hash}-\n")).unwrap();
}

/// All that somebody may be.
fn everybody<D: Directory>(scene: &Scene<D>) -> Vec<Client<'_, D>> {
    let names = ["alice", "bob", "hanna", "cn=admin"];
    names.into_iter().map(|name| scene.client(name)).chain([scene.root(), scene.anonymous()]).collect()
}

/// Asserts that an answer holds nothing secret.
#[track_caller]
fn assert_harmless(answer: &impl std::fmt::Debug) {
    let text = format!("{answer:?}").to_ascii_lowercase();
    // Values are printed as lists of octets; these are "{ARGON2}" and "{SHA}", and the names as they are.
    let octets = |text: &str| format!("{:?}", text.as_bytes()).trim_matches(['[', ']']).to_owned();
    for secret in ["{ARGON2}", "$argon2", "{SHA}", "W6ph5Mm5", NEW, "alice's password"] {
        assert!(!text.contains(&octets(secret)) && !text.contains(&secret.to_ascii_lowercase()), "{secret}");
    }
    for name in ["userpassword", "pwdhistory"] {
        assert!(!text.contains(name), "{name}");
    }
}

/// The names that a search finds as everybody; they are the same for all filters that are decided alike.
fn finds_nobody<D: Directory>(scene: &Scene<D>, filter: &str) -> bool {
    everybody(scene).iter().all(|client| client.find(filter).is_empty())
}

sentences! {
    /// No list of attributes returns a secret, also not without values, nor in pages.
    fn no_search_returns_a_secret(scene) {
        with_secrets(scene);
        let page = RawControl {
            oid: "1.2.840.113556.1.4.319".into(),
            critical: true,
            value: Some((&b"\x30\x05\x02\x01\x64\x04\x00"[..]).into()),
        };
        for client in everybody(scene) {
            for list in [
                &[][..], &["*"], &["+"], &["*", "+"], &["userPassword"], &["2.5.4.35"], &["USERPASSWORD;x-a"],
                &["userPassword;binary", "pwdHistory"], &["1.3.6.1.4.1.42.2.27.8.1.20"], &["@inetOrgPerson", "@person"],
                &["@pwdPolicy", "@extensibleObject"],
            ] {
                for types_only in [false, true] {
                    let request = SearchRequest { types_only, ..search_request(SUFFIX, WholeSubtree, ALL, list) };
                    for controls in [&[][..], std::slice::from_ref(&page)] {
                        let (found, response) = client.send_search(&request, controls);
                        assert_eq!(result(&response), Ok(()));
                        assert_harmless(&found);
                    }
                }
            }
        }
    }

    /// RFC 4511 §4.5.1.7: a filter on a secret is Undefined, whatever it asserts, and so is its negation: no answer
    /// depends on a secret.
    fn no_filter_looks_at_a_secret(scene) {
        with_secrets(scene);
        for name in ["userPassword", "2.5.4.35", "userPassword;x-a", "pwdHistory"] {
            for filter in [
                "(%=*)", "(!(%=*))", "(%={SHA}*)", "(%=*mj9g=)", "(%={SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=)", "(%>={)", "(%<=~)",
                "(%~={SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=)", "(%:=password)", "(%:2.5.13.17:={SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=)",
                "(%:dn:=a much better secret)", "(!(%=x))", "(&(%=*)(uid=alice))", "(!(|(%=x)(uid=alice)))",
            ] {
                let filter = filter.replace('%', name);
                assert!(finds_nobody(scene, &filter), "{filter}");
            }
        }
        for rule in ["2.5.13.17", "2.5.13.5", "2.5.13.2", "octetStringMatch"] {
            let filter = format!("(:{rule}:={{SHA}}W6ph5Mm5Pz8GgiULbPgzG37mj9g=)");
            assert!(finds_nobody(scene, &filter), "{filter}");
        }
        assert_eq!(scene.root().find("(|(userPassword=*)(uid=alice))"), ["uid=alice,ou=people"]);
    }

    /// A compare tries the password itself, and nothing else of what is secret.
    fn no_compare_looks_at_a_hash(scene) {
        with_secrets(scene);
        for client in everybody(scene).iter().filter(|client| !client.identity().is_anonymous()) {
            assert_eq!(client.compare("alice", "pwdHistory", "x"), InsufficientAccessRights);
            let hash = client.compare("bob", "userPassword", "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=");
            assert_eq!(hash, keystead::directory::ResultCode::CompareFalse);
        }
    }

    /// No rule can be written that grants a secret.
    fn no_rule_grants_a_secret(scene) {
        let schema = std::sync::Arc::clone(keystead::directory::tree::Tree::schema(&scene.directory.view()));
        for secret in ["userPassword", "pwdHistory", "2.5.4.35", "USERPASSWORD"] {
            let granting = rule("all", "everyone", "everything", &[secret], &["search", "read", "compare", "write"]);
            let refused = Rules::prepare(&[granting], &schema).unwrap_err().to_string();
            assert!(refused.contains("is secret: no rule can grant it"), "{refused}");
        }
        let everything = ["*", "+", "password-state", "@inetOrgPerson", "@person"];
        with_secrets(scene);
        scene.rule_by(&[rule("all", "everyone", "everything", &everything, &["all"])]);
        let found = scene.anonymous().search(SUFFIX, WholeSubtree, ALL, &["*", "+", "userPassword", "pwdHistory"]);
        assert_harmless(&found);
        assert!(finds_nobody(scene, "(userPassword=*)"));
    }

    /// Sharp edge 19: "Post-read/pre-read ... obey the same read ACL (never userPassword)", and nothing can be made to depend
    /// on a secret.
    fn no_control_shows_or_asks_for_a_secret(scene) {
        let root = scene.root();
        let record = "dn: alice\nchangetype: modify\nreplace: title\ntitle: changed\n-\n";
        let control = |oid, critical, value: &[u8]| [RawControl { critical, ..critical_control(oid, Some(value)) }];
        for oid in [oid::PRE_READ, oid::POST_READ] {
            let answer = root.change_with(record, &control(oid, true, b"\x30\x0e\x04\x0cuserPassword"));
            let shown = entry(control_of(&answer, oid).unwrap());
            assert_eq!((result(&answer), shown.names()), (Ok(()), vec![]), "{oid}");
        }
        for critical in [true, false] {
            let asserted = control(oid::ASSERTION, critical, b"\x87\x0cuserPassword");
            assert_eq!(result(&root.change_with(record, &asserted)), Err(AssertionFailed));
            let request = search_request("uid=alice,ou=people,dc=example,dc=com", WholeSubtree, ALL, &["*", "+"]);
            let (found, response) = root.send_search(&request, &asserted);
            assert_eq!((found.len(), result(&response)), (0, Err(AssertionFailed)));
        }
    }

    /// RFC 4512 §2.3.1: a secret names no entry.
    fn no_name_holds_a_secret(scene) {
        with_secrets(scene);
        for new_rdn in ["userPassword=x", "uid=alice+userPassword=x", "2.5.4.35=x", "pwdHistory=x"] {
            let rename = format!("dn: alice\nchangetype: modrdn\nnewrdn: {new_rdn}\ndeleteoldrdn: 0\n");
            assert_eq!(scene.root().change(&rename), Err(NamingViolation), "{new_rdn}");
        }
        assert!(finds_nobody(scene, "(:dn:2.5.13.17:=x)"));
    }

    /// What refuses a password does not repeat it.
    fn no_refusal_repeats_a_secret(scene) {
        let (alice, root) = (scene.client("alice"), scene.root());
        for new in ["hunter2", "{SHA}hunter2", "hunter2hunter2hunter2", &"hunter2".repeat(200)] {
            let set = format!("dn: alice\nchangetype: modify\nreplace: userPassword\nuserPassword: {new}\n-\n");
            let added = format!("dn: carla\nobjectClass: person\ncn: x\nsn: y\nuserPassword: {new}\nuserPassword: z\n");
            for response in [
                alice.password_modify_with(None, Some("hunter2"), Some(new), &[]),
                alice.change_with(&set, &[]),
                root.change_with(&added, &[]),
                scene.anonymous().bind_with("alice", new, &[]),
                root.change_with(&set.replace("replace", "add"), &[]),
            ] {
                assert!(!response.result.diagnostic_message.contains("hunter2"), "{}", response.result.diagnostic_message);
            }
        }
    }
}

/// What the change log keeps holds no secret, whatever set it.
#[cfg(feature = "server")]
#[test]
fn the_change_log_holds_no_secret() {
    let scene = Scene::on_disk();
    with_secrets(&scene);
    let set = "replace: userPassword\nuserPassword: set by a modify\n-\nreplace: title\ntitle: seen\n-\n";
    scene.root().change(&format!("dn: alice\nchangetype: modify\n{set}")).unwrap();
    let added = "dn: carla\nobjectClass: inetOrgPerson\ncn: x\nsn: y\nuserPassword: set by an add\n";
    scene.root().change(added).unwrap();
    let log =
        format!("{:?}", keystead::directory::tree::Tree::changes_after(&scene.directory.view(), 0, 1_000).unwrap());
    assert!(log.contains("replace: userPassword") && log.contains("title: seen"), "{log}");
    for secret in ["set by", NEW, "{SHA}", "{ARGON2}", "W6ph5Mm5", "alice's password"] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}
