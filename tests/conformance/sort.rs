//! Server side sorting (RFC 2891).

use keystead::directory::ResultCode::{self, Success, UnavailableCriticalExtension};
use keystead::directory::tree::{Directory, Scope};
use keystead::protocol::{RawControl, oid};

use crate::scene::answer::{control_of, critical, element};
use crate::scene::{Client, SEE, SUFFIX, rule, rules, search_request, short};
use crate::sentences;

/// `sn`, `-sn` or `sn:RULE`.
pub fn sort_by(keys: &[&str]) -> RawControl {
    let key = |text: &&str| {
        let spec = text.trim_start_matches('-');
        let (name, rule) = spec.split_once(':').unwrap_or((spec, ""));
        let mut fields = element(4, name.as_bytes());
        if !rule.is_empty() {
            fields.extend(element(0x80, rule.as_bytes()));
        }
        if text.starts_with('-') {
            fields.extend(b"\x81\x01\xff");
        }
        element(0x30, &fields)
    };
    critical(oid::SORT, Some(&element(0x30, &keys.iter().flat_map(key).collect::<Vec<u8>>())))
}

/// The uids that a search finds, in their order, how it ends, and how the sorting did.
fn sorted<D: Directory>(
    client: &Client<'_, D>,
    filter: &str,
    control: RawControl,
) -> (Vec<String>, ResultCode, Option<u8>) {
    let (found, response) =
        client.send_search(&search_request(SUFFIX, Scope::WholeSubtree, filter, &["uid"]), &[control]);
    let names = found.iter().map(|entry| short(&entry.dn).split([',', '=']).nth(1).unwrap_or_default().to_owned());
    let sorting = control_of(&response, oid::SORT_RESPONSE).and_then(|octets| octets.get(4).copied());
    (names.collect(), response.result.code, sorting)
}

fn names<D: Directory>(client: &Client<'_, D>, filter: &str, keys: &[&str]) -> Vec<String> {
    let (names, code, sorting) = sorted(client, filter, sort_by(keys));
    assert_eq!((code, sorting), (Success, Some(0)), "{keys:?}");
    names
}

const PEOPLE: &str = "(uid=*)";

sentences! {
    /// RFC 2891 §2: "The server SHOULD return all results for the search request in the order specified by the sort keys. If
    /// the reverseOrder field is set to TRUE, then the entries will be presented in reverse sorted order".
    fn results_come_in_the_order_of_the_keys(scene) {
        let root = scene.root();
        root.change("dn: alice\nchangetype: modify\nreplace: sn\nsn: hill\n").unwrap();
        root.change("dn: bob\nchangetype: modify\nreplace: uidNumber\nuidNumber: 40\n").unwrap();
        assert_eq!(names(&root, PEOPLE, &["-uid"]), ["henry", "hanna", "bob", "alice"]);
        assert_eq!(names(&root, PEOPLE, &["sn", "uid"]), ["bob", "henry", "alice", "hanna"]);
        assert_eq!(names(&root, PEOPLE, &["sn", "-uid"]), ["bob", "henry", "hanna", "alice"]);
        assert_eq!(names(&root, PEOPLE, &["uidNumber"]), ["bob", "alice", "hanna", "henry"]);
        assert_eq!(names(&root, PEOPLE, &["-createTimestamp", "cn:caseExactOrderingMatch"]), ["alice", "bob", "hanna", "henry"]);
    }

    /// What the server derives and what is kept with the password orders entries as well.
    fn derived_attributes_order_entries(scene) {
        scene.wait(5);
        scene.client("hanna").password_modify(Some("bob"), None, Some("a much better secret")).unwrap();
        assert_eq!(names(&scene.root(), PEOPLE, &["-pwdChangedTime", "uid"]), ["bob", "alice", "hanna", "henry"]);
        scene.root().change("dn: ou=x,uid=hanna,ou=people\nobjectClass: organizationalUnit\n").unwrap();
        assert_eq!(names(&scene.root(), PEOPLE, &["-numSubordinates", "uid"]), ["hanna", "alice", "bob", "henry"]);
    }

    /// RFC 2891 §2.2: "NULL to be a larger value than all other valid values", and of several values "the server SHOULD use
    /// the least value".
    fn the_least_value_counts_and_none_is_the_largest(scene) {
        let root = scene.root();
        root.change("dn: bob\nchangetype: modify\ndelete: mail\n").unwrap();
        root.change("dn: henry\nchangetype: modify\nadd: mail\nmail: aa@example.com\n").unwrap();
        assert_eq!(names(&root, PEOPLE, &["mail"]), ["henry", "alice", "hanna", "bob"]);
        assert_eq!(names(&root, PEOPLE, &["-mail"]), ["bob", "hanna", "alice", "henry"]);
    }

    /// RFC 2891 §1.2 and §2, cases 3 and 4: the reason is in the control; if it is critical there are no entries, and if not
    /// they come unsorted.
    fn what_cannot_be_sorted_is_told(scene) {
        for (keys, sorting) in [
            (&["nosuch"][..], 16), (&["uid:1.2.3"], 18), (&["uid:integerOrderingMatch"], 18), (&["jpegPhoto"], 18),
            (&["uid", "sn", "UID"], 53), (&["sn", "a", "b", "c", "d", "e", "f", "g", "h"], 53), (&["userPassword"], 50), (&["pwdHistory"], 50),
        ] {
            let refused = sorted(&scene.root(), PEOPLE, sort_by(keys));
            assert_eq!(refused, (vec![], UnavailableCriticalExtension, Some(sorting)), "{keys:?}");
            let (names, code, told) = sorted(&scene.root(), PEOPLE, RawControl { critical: false, ..sort_by(keys) });
            assert_eq!((names.len(), code, told), (4, Success, Some(sorting)), "{keys:?}");
        }
    }

    /// RFC 2891 §1.2: "adminLimitExceeded (11), -- too many matching entries for the server to sort".
    fn more_than_the_server_sorts_come_unsorted_or_not_at_all(scene) {
        scene.configure(|services| services.limits.sort = 3);
        let root = scene.root();
        assert_eq!(names(&root, "(|(uid=bob)(uid=alice))", &["-uid"]), ["bob", "alice"]);
        assert_eq!(sorted(&root, PEOPLE, sort_by(&["uid"])), (vec![], UnavailableCriticalExtension, Some(11)));
        let (names, code, told) = sorted(&root, PEOPLE, RawControl { critical: false, ..sort_by(&["uid"]) });
        assert_eq!((names.len(), code, told), (4, Success, Some(11)));
    }

    /// Nobody learns by an order what they may not search and read: for them there is no such value.
    fn what_may_not_be_read_orders_nothing(scene) {
        let mut all = vec![rule("names", "authenticated", "everything", &["uid", "objectClass"], SEE)];
        scene.rule_by(&all);
        assert_eq!(names(&scene.client("bob"), PEOPLE, &["-uidNumber"]), ["alice", "bob", "hanna", "henry"]);
        all.push(rule("numbers are searched", "authenticated", "everything", &["uidNumber"], &["search"]));
        scene.rule_by(&all);
        assert_eq!(names(&scene.client("bob"), PEOPLE, &["-uidNumber"]), ["alice", "bob", "hanna", "henry"]);
        scene.rule_by(&rules());
        assert_eq!(names(&scene.client("bob"), PEOPLE, &["-uidNumber"]), ["henry", "hanna", "bob", "alice"]);
    }

    /// RFC 2891 §3: "with the pagedResultsControl control ... sorted according to the sort keys applied to the entire result
    /// set"; the client's size limit cuts the sorted list.
    fn pages_and_limits_are_of_the_sorted_list(scene) {
        let mut request = search_request(SUFFIX, Scope::WholeSubtree, PEOPLE, &["uid"]);
        let page = critical(oid::PAGED_RESULTS, Some(b"\x30\x05\x02\x01\x02\x04\x00"));
        let (found, response) = scene.root().send_search(&request, &[page, sort_by(&["-uid"])]);
        let uids = |found: &[crate::scene::FoundEntry]| found.iter().flat_map(|entry| entry.texts("uid")).collect::<Vec<_>>();
        assert_eq!(uids(&found), ["henry", "hanna"]);
        assert!(control_of(&response, oid::SORT_RESPONSE).is_some() && control_of(&response, oid::PAGED_RESULTS).is_some());
        assert_eq!(scene.root().pages_with(&request, 3, &[sort_by(&["-uid"])]), [vec!["henry", "hanna", "bob"], vec!["alice"]]);
        request.size_limit = 3;
        let (found, response) = scene.root().send_search(&request, &[sort_by(&["-uid"])]);
        assert_eq!((uids(&found).join(" "), response.result.code), ("henry hanna bob".into(), ResultCode::SizeLimitExceeded));
    }

    /// What is gone when its turn comes is left out.
    fn what_is_gone_meanwhile_is_not_sent(scene) {
        let request = search_request(SUFFIX, Scope::WholeSubtree, "(objectClass=*)", &["1.1"]);
        let deleted = std::cell::Cell::new(false);
        let (found, response) = scene.root().search_in_steps(&request, &[sort_by(&["entryUUID"])], || {
            if !deleted.replace(true) {
                scene.root().change("dn: alice\nchangetype: delete\n").unwrap();
            }
        });
        assert_eq!((response.result.code, found.len() >= 12), (Success, true));
    }

    /// The empty answer needs no word about sorting (RFC 2891 §2, case 6).
    fn nothing_found_is_not_sorted(scene) {
        assert_eq!(sorted(&scene.root(), "(uid=nobody)", sort_by(&["uid"])), (vec![], Success, None));
    }
}
