//! The change log over LDAP (row E9): who changed what, in order, under access rules and without secrets.

use keystead::directory::ResultCode::{NoSuchObject, SizeLimitExceeded, Success};
use keystead::directory::tree::{Directory, Scope};
use keystead::protocol::request::SearchRequest;

use crate::scene::{Client, FoundEntry, rule, rules, search_request};
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
    }
}
