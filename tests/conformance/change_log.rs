//! The change log over LDAP (row E9): who changed what, in order, under access rules and without secrets.

use keystead::directory::ResultCode::{NoSuchObject, SizeLimitExceeded, Success, UnavailableCriticalExtension};
use keystead::directory::tree::{Directory, Scope};
use keystead::protocol::request::SearchRequest;
use keystead::protocol::{RawControl, oid};

use crate::scene::answer::control_of;
use crate::scene::{Client, FoundEntry, SUFFIX, only, rule, rules, search_request};
use crate::sentences;

const LOG: &str = "cn=changelog";

fn search<D: Directory>(client: &Client<'_, D>, filter: &str) -> Vec<FoundEntry> {
    let (found, response) = client.send_search(&search_request(LOG, Scope::SingleLevel, filter, &["*", "+"]), &[]);
    assert_eq!(response.result.code, Success, "{filter}");
    found
}

/// The number of the last change.
fn last<D: Directory>(client: &Client<'_, D>) -> u64 {
    let all = search(client, "(changeNumber>=1)");
    all.iter().map(|entry| entry.texts("changeNumber").concat().parse().unwrap()).max().unwrap()
}

sentences! {
    /// draft-good-ldap-changelog §4: each change is an entry that tells what was done to what, as LDIF.
    fn each_change_is_an_entry(scene) {
        let root = scene.root();
        let before = last(&root);
        for change in [
            "dn: carla\nobjectClass: account\ndescription: new\n",
            "dn: carla\nchangetype: modify\nreplace: description\ndescription: newer\n",
            "dn: carla\nchangetype: modrdn\nnewrdn: uid=clara\ndeleteoldrdn: 1\nnewsuperior: ou=groups,dc=example,dc=com\n",
            "dn: uid=clara,ou=groups\nchangetype: delete\n",
        ] {
            root.change(change).unwrap();
        }
        let found = search(&root, &format!("(changeNumber>={})", before + 1));
        let told = |name: &str| found.iter().map(|entry| entry.texts(name).concat()).collect::<Vec<_>>();
        let carla = "uid=carla,ou=people,dc=example,dc=com";
        assert_eq!(told("changeType"), ["add", "modify", "modrdn", "delete"]);
        assert_eq!(told("targetDN"), [carla, carla, carla, "uid=clara,ou=groups,dc=example,dc=com"]);
        assert_eq!(told("newRDN"), ["", "", "uid=clara", ""]);
        assert_eq!(told("deleteOldRDN"), ["", "", "TRUE", ""]);
        assert_eq!(told("newSuperior"), ["", "", "ou=groups,dc=example,dc=com", ""]);
        let changes = told("changes");
        assert!(changes.first().unwrap().contains("description: new\n"), "{changes:?}");
        assert_eq!(changes.get(1).unwrap(), "replace: description\ndescription: newer\n-\n");
        assert_eq!(told("changeNumber"), (before + 1..=before + 4).map(|number| number.to_string()).collect::<Vec<_>>());
    }

    /// Who follows the log asks for what came behind.
    fn changes_are_found_by_their_numbers(scene) {
        let root = scene.root();
        let all = last(&root);
        assert_eq!(search(&root, &format!("(changeNumber={all})")).len(), 1);
        assert_eq!(search(&root, "(&(changeNumber>=2)(changeNumber<=4))").len(), 3);
        assert_eq!(search(&root, &format!("(changeNumber>={})", all + 1)).len(), 0);
        assert_eq!(search(&root, "(targetDN=uid=alice,ou=people,dc=example,dc=com)").len(), 1);
        let name = format!("changeNumber={all},{LOG}");
        assert_eq!(root.send_search(&search_request(&name, Scope::BaseObject, "(objectClass=*)", &[]), &[]).0.len(), 1);
        assert_eq!(root.send_search(&search_request(LOG, Scope::BaseObject, "(objectClass=*)", &[]), &[]).0.len(), 1);
        let some = SearchRequest { size_limit: 2, ..search_request(LOG, Scope::SingleLevel, "(changeNumber>=1)", &[]) };
        let (found, response) = root.send_search(&some, &[]);
        assert_eq!((found.len(), response.result.code), (2, SizeLimitExceeded));
    }

    /// Whoever no rule lets see it finds no change log; one that may see it sees no secret.
    fn the_change_log_is_for_those_who_may_read_it(scene) {
        let set = "dn: alice\nchangetype: modify\nreplace: userPassword\nuserPassword: set by a modify\n";
        scene.root().change(set).unwrap();
        for client in [scene.anonymous(), scene.client("alice")] {
            let request = search_request(LOG, Scope::WholeSubtree, "(objectClass=*)", &[]);
            let (found, response) = client.send_search(&request, &[]);
            assert_eq!((found.len(), response.result.code), (0, NoSuchObject));
        }
        assert!(!search(&scene.client("cn=admin"), "(changeNumber>=1)").is_empty());
        let mut own = rules();
        own.push(rule("log", "authenticated", "subtree:cn=changelog", &["changeNumber", "targetDN", "changes"], &["search", "read"]));
        scene.rule_by(&own);
        let found = search(&scene.client("alice"), "(changeNumber>=1)");
        assert!(!found.is_empty());
        assert!(!format!("{found:?}").contains("set by a modify"));
        assert!(found.iter().all(|entry| entry.texts("creatorsName").is_empty()));
        // That a password was set is for those who may know when.
        let is_told = || {
            let found = search(&scene.client("bob"), "(changeNumber>=1)");
            found.iter().flat_map(|entry| entry.texts("changes")).any(|changes| changes.contains("replace: userPassword"))
        };
        assert!(!is_told());
        let state = ["pwdChangedTime"].as_slice();
        own.push(rule("when", "authenticated", &format!("subtree:{SUFFIX}"), state, &["search", "read"]));
        scene.rule_by(&own);
        assert!(is_told());
    }

    /// RFC 2696 §3: a page holds no more than was asked for; the change log goes in pages and steps as every search does.
    fn the_change_log_is_read_in_pages(scene) {
        let root = scene.root();
        let all = last(&root);
        let request = search_request(LOG, Scope::WholeSubtree, "(objectClass=*)", &[]);
        let (counts, response) = root.pages(&request, 5, || {});
        assert_eq!((counts.iter().sum::<usize>() as u64, response.result.code), (all + 1, Success));
        assert!(counts.len() > 2 && counts.iter().all(|count| *count <= 5), "{counts:?}");
        let some = SearchRequest { size_limit: 7, ..request };
        let (counts, response) = root.pages(&some, 5, || {});
        assert_eq!((counts, response.result.code), (vec![5, 2], SizeLimitExceeded));
    }

    /// Changes are in the order in which they happened, and in no other (RFC 2891 §2).
    fn the_change_log_is_not_sorted(scene) {
        let by_name = crate::sort::sort_by(&["cn"]);
        for (is_critical, code) in [(true, UnavailableCriticalExtension), (false, Success)] {
            let control = RawControl { critical: is_critical, ..by_name.clone() };
            let request = search_request(LOG, Scope::SingleLevel, "(changeNumber<=5)", &[]);
            let (found, response) = scene.root().send_search(&request, &[control]);
            assert_eq!((found.len(), response.result.code), (if is_critical { 0 } else { 5 }, code));
            assert_eq!(control_of(&response, oid::SORT_RESPONSE), Some(&b"\x30\x03\x0a\x01\x35"[..]));
        }
    }

    /// A change tells by what identity the entry is found that it was made to, under whichever name now.
    fn a_change_tells_the_identity_of_its_target(scene) {
        let root = scene.root();
        let uuid = root.values("alice", "entryUUID").concat();
        root.change("dn: alice\nchangetype: modrdn\nnewrdn: uid=alicia\ndeleteoldrdn: 1\n").unwrap();
        let found = search(&root, &format!("(targetEntryUUID={uuid})"));
        assert_eq!(found.iter().map(|entry| entry.texts("changeType").concat()).collect::<Vec<_>>(), ["add", "modrdn"]);
        let digits = uuid.replace('-', "");
        let groups = [&digits[..8], &digits[8..16], &digits[16..24], &digits[24..]].join("-");
        assert_eq!(found.first().unwrap().texts("targetUniqueId"), [groups]);
    }

    /// draft-good-ldap-changelog §3: the root DSE tells where the change log is and how far it goes; to whoever may not
    /// see it, nothing.
    fn the_root_dse_tells_how_far_the_change_log_goes(scene) {
        let told = |client: &Client<'_, D>| {
            let names = ["changelog", "firstChangeNumber", "lastChangeNumber"];
            let found = client.search("", Scope::BaseObject, "(objectClass=*)", &names).unwrap();
            names.map(|name| only(&found).texts(name).concat())
        };
        let number = last(&scene.root()).to_string();
        assert_eq!(told(&scene.root()), [LOG, "1", &number]);
        assert_eq!(told(&scene.client("cn=admin")), [LOG, "1", &number]);
        for client in [scene.anonymous(), scene.client("alice")] {
            assert_eq!(told(&client), ["", "", ""]);
        }
    }

    /// RFC 4511 §4.5.1: the base of a search must exist.
    fn a_change_that_is_not_there_is_no_base(scene) {
        let root = scene.root();
        for name in [format!("changeNumber={},{LOG}", last(&root) + 1), format!("cn=x,{LOG}"), format!("cn=x,changeNumber=1,{LOG}")] {
            let (_, response) = root.send_search(&search_request(&name, Scope::BaseObject, "(objectClass=*)", &[]), &[]);
            assert_eq!(response.result.code, NoSuchObject, "{name}");
        }
    }
}
