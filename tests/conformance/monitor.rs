//! What a server tells of itself below `cn=monitor` (features G6): as `OpenLDAP` has it, under access rules like any entry.

use keystead::directory::ResultCode::{self, NoSuchObject};
use keystead::directory::tree::Directory;
use keystead::directory::tree::Scope::{self, BaseObject, SingleLevel, Subordinates, WholeSubtree};

use crate::scene::{Client, FoundEntry, SEE, only, rule, rules, search_request};
use crate::sentences;

const MONITOR: &str = "cn=Monitor";
const ALL: &str = "(objectClass=*)";

fn search<D: Directory>(
    client: &Client<'_, D>,
    base: &str,
    scope: Scope,
    filter: &str,
) -> Result<Vec<FoundEntry>, ResultCode> {
    client.search(base, scope, filter, &["*", "+"])
}

/// One value of an entry, as the administrator sees it.
fn value<D: Directory>(client: &Client<'_, D>, name: &str, attribute: &str) -> String {
    let found = search(client, name, BaseObject, ALL).unwrap_or_else(|code| panic!("{name}: {code}"));
    only(&found).texts(attribute).concat()
}

sentences! {
    /// The names and attributes by which what watches over OpenLDAP and 389 Directory Server finds its numbers.
    fn numbers_stand_where_others_have_them(scene) {
        let admin = scene.client("cn=admin");
        for (name, attribute, expected) in [
            ("cn=Monitor", "currentConnections", "40"),
            ("cn=Monitor", "totalConnections", "77"),
            ("cn=Monitor", "opsInitiated", "25"),
            ("cn=Monitor", "opsCompleted", "24"),
            ("cn=Monitor", "entriesSent", "321"),
            ("cn=Monitor", "bytesSent", "45678"),
            ("cn=Monitor", "startTime", "20260601000000Z"),
            ("cn=Current,cn=Connections,cn=Monitor", "monitorCounter", "40"),
            ("cn=total,cn=connections,cn=monitor", "monitorCounter", "77"),
            ("cn=Operations,cn=Monitor", "monitorOpInitiated", "25"),
            ("cn=Bind,cn=Operations,cn=Monitor", "monitorOpCompleted", "4"),
            ("cn=invalidCredentials,cn=Results,cn=Monitor", "monitorCounter", "1"),
            ("cn=Bytes,cn=Statistics,cn=Monitor", "monitorCounter", "45678"),
            ("cn=Queue,cn=Hashing,cn=Monitor", "monitorCounter", "3"),
            ("cn=Rules out of Force,cn=Access,cn=Monitor", "monitorCounter", "1"),
            ("cn=Rules out of Force,cn=Access,cn=Monitor", "monitoredInfo", "the rule is out of force"),
            ("cn=Start,cn=Time,cn=Monitor", "monitorTimestamp", "20260601000000Z"),
            ("cn=Current,cn=Time,cn=Monitor", "monitorTimestamp", "20260601120000Z"),
            ("cn=Uptime,cn=Time,cn=Monitor", "monitoredInfo", "43200"),
            ("cn=Connection 7,cn=Connections,cn=Monitor", "monitorConnectionAuthzDN", "uid=alice,ou=people,dc=example,dc=com"),
            ("cn=Connection 7,cn=Connections,cn=Monitor", "monitorConnectionPeerAddress", "192.0.2.7"),
            ("cn=Connection 8,cn=Connections,cn=Monitor", "monitorConnectionStartTime", "20260601110000Z"),
        ] {
            assert_eq!(value(&admin, name, attribute), expected, "{name}");
        }
        assert!(value(&admin, "cn=Version,cn=Monitor", "monitoredInfo").starts_with("Keystead "));
        let operations = search(&admin, MONITOR, WholeSubtree, "(objectClass=monitorOperation)").unwrap();
        assert_eq!(operations.iter().map(|entry| entry.texts("cn").concat()).collect::<Vec<_>>(), ["Bind", "Search"]);
    }

    /// RFC 4511 §4.5.1.2: each scope holds what it says, and every entry stands below another.
    fn every_scope_holds_what_it_says(scene) {
        let admin = scene.client("cn=admin");
        let names = |base: &str, scope| {
            let found = search(&admin, base, scope, ALL).unwrap();
            found.into_iter().map(|entry| entry.dn.to_ascii_lowercase()).collect::<Vec<_>>()
        };
        let all = names(MONITOR, WholeSubtree);
        let (first, below) = all.split_first().unwrap();
        assert_eq!(first, "cn=monitor");
        assert_eq!(names(MONITOR, Subordinates), below);
        assert_eq!(names(MONITOR, BaseObject), ["cn=monitor"]);
        assert_eq!(all.iter().filter(|name| name.starts_with("cn=connection ")).count(), 40);
        for name in below {
            let (_, parent) = name.split_once(',').unwrap();
            assert!(all.iter().any(|other| other == parent), "{name}");
            assert!(names(parent, SingleLevel).contains(name), "{name}");
            assert!(names(name, WholeSubtree).contains(name), "{name}");
        }
        for missing in ["cn=x,cn=Monitor", "cn=Connection 99,cn=Connections,cn=Monitor", "cn=x,cn=Bind,cn=Operations,cn=Monitor"] {
            assert_eq!(search(&admin, missing, BaseObject, ALL), Err(NoSuchObject), "{missing}");
        }
    }

    /// RFC 2696: it is read in pages like everything else.
    fn it_is_read_in_pages(scene) {
        let admin = scene.client("cn=admin");
        let all = search(&admin, MONITOR, WholeSubtree, ALL).unwrap().len();
        let (counts, response) = admin.pages(&search_request(MONITOR, WholeSubtree, ALL, &[]), 7, || {});
        assert_eq!((counts.iter().sum::<usize>(), response.result.code), (all, ResultCode::Success));
        assert!(counts.iter().all(|count| *count <= 7), "{counts:?}");
    }

    /// Nobody sees it whom no rule lets see it, nor is told that it is there; and rules may be for parts of it.
    fn it_is_for_those_whom_rules_let_see_it(scene) {
        let context = |client: &Client<'_, D>| {
            let found = client.search("", BaseObject, ALL, &["monitorContext"]).unwrap();
            only(&found).texts("monitorContext").concat()
        };
        assert_eq!(context(&scene.client("cn=admin")), MONITOR);
        for client in [scene.anonymous(), scene.client("alice")] {
            assert_eq!(context(&client), "");
            for name in [MONITOR, "cn=Bind,cn=Operations,cn=Monitor", "cn=x,cn=Monitor"] {
                assert_eq!(search(&client, name, WholeSubtree, ALL), Err(NoSuchObject));
            }
        }
        let mut own = rules();
        let part = "subtree:cn=Connections,cn=Monitor";
        own.push(rule("connections", "authenticated", part, &["*", "monitorCounter", "monitorConnectionNumber"], SEE));
        scene.rule_by(&own);
        let alice = scene.client("alice");
        assert_eq!(search(&alice, MONITOR, WholeSubtree, ALL), Err(NoSuchObject));
        let found = search(&alice, "cn=Connections,cn=Monitor", WholeSubtree, ALL).unwrap();
        assert_eq!(found.len(), 44);
        assert!(found.iter().all(|entry| entry.texts("monitorConnectionAuthzDN").is_empty()));
        assert_eq!(search(&alice, "cn=Connections,cn=Monitor", WholeSubtree, "(monitorConnectionAuthzDN=*)").unwrap(), []);
    }

    /// It is no entry of the tree: it cannot be changed, added to or deleted.
    fn it_cannot_be_changed(scene) {
        let root = scene.root();
        let modify = keystead::protocol::Request::Delete(MONITOR.into());
        assert_eq!(root.send(&modify, &[]).result.code, NoSuchObject);
    }
}
