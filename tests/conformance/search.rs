//! Search: where it looks, how far, and how it ends (RFC 4511 §4.5).

use std::time::Duration;

use keystead::directory::ResultCode;
use keystead::directory::tree::Scope::{BaseObject, SingleLevel, Subordinates, WholeSubtree};
use keystead::protocol::request::{DerefAliases, SearchRequest};

use crate::scene::{SUFFIX, full, only, result, search_request, short};
use crate::sentences;

const ALL: &str = "(objectClass=*)";

fn everything() -> SearchRequest {
    search_request(SUFFIX, WholeSubtree, ALL, &["1.1"])
}

/// Entries enough for a search of many steps.
fn many() -> String {
    let unit = |n| format!("dn: ou=unit {n},ou=groups,{SUFFIX}\nobjectClass: organizationalUnit\n\n");
    (0..40).map(unit).collect()
}

sentences! {
    /// RFC 4511 §4.5.1.2: "baseObject: The scope is constrained to the entry named by baseObject."
    fn base_object_is_the_base_alone(scene) {
        let bob = scene.client("bob");
        assert_eq!(bob.names("ou=groups", BaseObject, ALL).unwrap(), ["ou=groups"]);
        assert_eq!(bob.names("ou=groups", BaseObject, "(cn=staff)").unwrap(), [""; 0]);
    }

    /// RFC 4511 §4.5.1.2: "singleLevel: The scope is constrained to the immediate subordinates of the entry named by
    /// baseObject."
    fn single_level_is_what_stands_directly_below(scene) {
        let bob = scene.client("bob");
        let groups = ["cn=administrators,ou=groups", "cn=helpdesk,ou=groups", "cn=staff,ou=groups"];
        assert_eq!(bob.names("ou=groups", SingleLevel, ALL).unwrap(), groups);
        let top = ["cn=admin", "ou=groups", "ou=people", "ou=policies"];
        assert_eq!(bob.names(SUFFIX, SingleLevel, ALL).unwrap(), top);
        assert_eq!(bob.names("alice", SingleLevel, ALL).unwrap(), [""; 0]);
    }

    /// RFC 4511 §4.5.1.2: "wholeSubtree: the scope is constrained to the entry named by baseObject and to all its
    /// subordinates."
    fn whole_subtree_is_the_base_and_everything_below(scene) {
        let bob = scene.client("bob");
        let of_name = |name| format!("uid={name},ou=people");
        let below = ["alice", "bob", "hanna", "henry"].map(of_name).to_vec();
        let people = [vec!["ou=people".to_owned()], below.clone()].concat();
        assert_eq!(bob.names("ou=people", WholeSubtree, ALL).unwrap(), people);
        assert_eq!(bob.names("ou=people", Subordinates, ALL).unwrap(), below);
        assert_eq!(bob.names("alice", WholeSubtree, ALL).unwrap(), ["uid=alice,ou=people"]);
        assert_eq!(bob.names(SUFFIX, WholeSubtree, ALL).unwrap().len(), 13);
    }

    /// RFC 4512 §5.1: the root DSE answers a baseObject search only; from the empty base, deeper scopes reach the
    /// entries below it.
    fn the_empty_base_is_above_all_suffixes(scene) {
        let bob = scene.client("bob");
        let dse = bob.search("", BaseObject, ALL, &["namingContexts"]).unwrap();
        assert_eq!((only(&dse).dn.as_str(), only(&dse).texts("namingContexts")), ("", vec![SUFFIX.to_owned()]));
        assert_eq!(only(&bob.search("", SingleLevel, ALL, &["1.1"]).unwrap()).dn, SUFFIX);
        assert_eq!(bob.search("", WholeSubtree, ALL, &["1.1"]).unwrap().len(), 13);
        assert_eq!(only(&bob.search("", WholeSubtree, "(uid=alice)", &["1.1"]).unwrap()).dn, full("alice"));
    }

    /// RFC 4511 §4.1.9: noSuchObject comes with matchedDN, "the name of the last entry used" in finding the target.
    fn a_base_that_does_not_exist_is_answered_with_the_nearest_entry_above(scene) {
        for (base, matched) in [
            ("uid=nobody,ou=people,dc=example,dc=com", "ou=people,dc=example,dc=com"),
            ("cn=a,cn=b,UID=Alice,ou=People,dc=example,dc=com", "uid=alice,ou=people,dc=example,dc=com"),
            ("ou=nowhere,dc=example,dc=com", SUFFIX),
            ("dc=com", ""),
            ("dc=other,dc=com", ""),
            ("xdc=example,dc=com", ""),
            ("cn=schema", ""),
        ] {
            for scope in [BaseObject, SingleLevel, WholeSubtree] {
                let (found, response) = scene.client("bob").send_search(&search_request(base, scope, ALL, &[]), &[]);
                assert_eq!(response.result.code, ResultCode::NoSuchObject, "{base}");
                assert_eq!((response.result.matched_dn.as_str(), found.len()), (matched, 0), "{base}");
            }
        }
    }

    /// RFC 4511 §4.1.3: a name that is none is answered by invalidDNSyntax.
    fn a_base_that_is_no_name_is_refused_as_such(scene) {
        let long = format!("cn={},{SUFFIX}", "x".repeat(70_000));
        let short = ["alice", "uid=alice,,dc=com", "=x", "cn=a\"b", "cn=a\\zz", "cn=#04", ",", "cn=a+", "1.2..3=x"];
        for base in short.into_iter().chain([long.as_str()]) {
            let found = scene.client("bob").search(base, BaseObject, ALL, &[]);
            assert_eq!(found, Err(ResultCode::InvalidDnSyntax), "{}", &base[..base.len().min(20)]);
        }
    }

    /// RFC 4514 §3, RFC 4517 §4.2.15: a name may be spelled in many ways, and is returned as it was stored.
    fn a_base_may_be_spelled_in_any_way_and_the_stored_name_is_returned(scene) {
        for base in [
            "UID=Alice,OU=People,DC=Example,DC=COM",
            "uid=alice, ou = people , dc=example,dc=com",
            "userid=alice,organizationalUnitName=people,domainComponent=example,dc=com",
            "0.9.2342.19200300.100.1.1=alice,2.5.4.11=people,dc=example,dc=com",
            "uid=\\61lice,ou=peo\\70le,dc=example,dc=com",
            "uid=#0405616c696365,ou=people,dc=example,dc=com",
        ] {
            let found = scene.client("bob").search(base, BaseObject, ALL, &["1.1"]).unwrap();
            assert_eq!(only(&found).dn, full("alice"), "{base}");
        }
    }

    /// RFC 4511 §4.5.1.4: a size limit "restricts the maximum number of entries to be returned"; sharp edge 5: those
    /// that were found come along.
    fn a_size_limit_ends_a_search_with_what_was_found_until_then(scene) {
        let bob = scene.client("bob");
        let limited = |size_limit| {
            let (found, response) = bob.send_search(&SearchRequest { size_limit, ..everything() }, &[]);
            (found.len(), result(&response))
        };
        assert_eq!(limited(1), (1, Err(ResultCode::SizeLimitExceeded)));
        assert_eq!(limited(12), (12, Err(ResultCode::SizeLimitExceeded)));
        assert_eq!(limited(13), (13, Ok(())));
        assert_eq!(limited(0), (13, Ok(())));
        scene.configure(|services| services.limits.size = 5);
        for size_limit in [0, 6, u32::MAX] {
            assert_eq!(limited(size_limit), (5, Err(ResultCode::SizeLimitExceeded)));
        }
        assert_eq!(limited(2), (2, Err(ResultCode::SizeLimitExceeded)));
    }

    /// RFC 4511 §4.5.1.5: a time limit "restricts the maximum time (in seconds) allowed for a Search".
    fn a_time_limit_ends_a_search_with_what_was_found_until_then(scene) {
        let bob = scene.client("bob");
        let slow = |time_limit| {
            let request = SearchRequest { time_limit, ..everything() };
            let (found, response) = bob.search_in_steps(&request, &[], || scene.wait(1));
            (found.len(), result(&response))
        };
        assert_eq!(slow(1), (3, Err(ResultCode::TimeLimitExceeded)));
        assert_eq!(slow(3), (9, Err(ResultCode::TimeLimitExceeded)));
        assert_eq!(slow(60), (13, Ok(())));
        scene.configure(|services| services.limits.time = Duration::from_secs(2));
        for time_limit in [0, 60, u32::MAX] {
            assert_eq!(slow(time_limit), (6, Err(ResultCode::TimeLimitExceeded)));
        }
    }

    /// RFC 4511 §4.5.1.6: with typesOnly, "only attribute descriptions (and not values) are returned".
    fn types_only_leaves_the_values_out(scene) {
        let request = search_request(&full("alice"), BaseObject, ALL, &["cn", "+"]);
        let request = SearchRequest { types_only: true, ..request };
        let (found, _) = scene.client("bob").send_search(&request, &[]);
        let names = only(&found).names();
        assert!(names.contains(&"cn") && names.contains(&"entryUUID"), "{found:?}");
        assert!(only(&found).attributes.iter().all(|(_, values)| values.is_empty()), "{found:?}");
    }

    /// RFC 4511 §4.5.1.3: to dereference aliases where there are none changes nothing.
    fn how_aliases_are_dereferenced_does_not_matter_where_there_are_none(scene) {
        use DerefAliases::{Always, FindingBaseObject, InSearching, Never};
        for deref_aliases in [Never, InSearching, FindingBaseObject, Always] {
            let request = SearchRequest { deref_aliases, ..everything() };
            let (found, response) = scene.client("bob").send_search(&request, &[]);
            assert_eq!((found.len(), result(&response)), (13, Ok(())));
        }
    }

    /// RFC 4511 §4.5.2: entries are returned "in any order", but each of them once.
    fn every_entry_is_returned_once(scene) {
        scene.root().change(&many()).unwrap();
        let bob = scene.client("bob");
        for (base, scope, filter, count) in [
            (SUFFIX, WholeSubtree, ALL, 53),
            (SUFFIX, WholeSubtree, "(ou=unit*)", 40),
            ("ou=groups", SingleLevel, ALL, 43),
            ("ou=groups", SingleLevel, "(ou=unit*)", 40),
            ("ou=groups", WholeSubtree, "(|(ou=unit 1*)(ou=unit 10)(cn=staff))", 12),
        ] {
            let names = bob.names(base, scope, filter).unwrap();
            let mut distinct = names.clone();
            distinct.dedup();
            assert_eq!((names.len(), distinct.len()), (count, count), "{base} {filter}");
        }
    }

    /// RFC 4511 §4.5.2: a search that finds nothing has succeeded.
    fn finding_nothing_is_success(scene) {
        assert_eq!(scene.client("bob").names(SUFFIX, WholeSubtree, "(uid=nobody)"), Ok(vec![]));
        assert_eq!(scene.client("bob").names(SUFFIX, WholeSubtree, "(nosuch=x)"), Ok(vec![]));
    }

    /// RFC 4511 §4.1.9: adminLimitExceeded, for what the server does not take.
    fn a_list_of_more_attributes_than_the_server_takes_is_refused(scene) {
        scene.configure(|services| services.limits.attributes = 3);
        let bob = scene.client("bob");
        assert!(bob.search(SUFFIX, BaseObject, ALL, &["a", "b", "c"]).is_ok());
        assert_eq!(bob.search(SUFFIX, BaseObject, ALL, &["a"; 4]), Err(ResultCode::AdminLimitExceeded));
    }

    /// A search reads the directory as it was when the search began, whatever is changed meanwhile.
    fn a_search_is_not_disturbed_by_changes(scene) {
        let (bob, root) = (scene.client("bob"), scene.root());
        let request = search_request(SUFFIX, WholeSubtree, "(objectClass=person)", &["sn"]);
        let (before, _) = bob.send_search(&request, &[]);
        let disturb = || {
            // Only the first of these succeeds.
            let _ = root.change("dn: henry\nchangetype: delete\n\n");
            let _ = root.change("dn: alice\nchangetype: modify\nreplace: sn\nsn: Other\n-\n");
        };
        let (during, response) = bob.search_in_steps(&request, &[], disturb);
        assert_eq!((during, result(&response)), (before, Ok(())));
        assert_eq!(bob.find("(objectClass=person)").len(), 4);
    }

    /// RFC 4514 §2: names with characters that have a meaning in names are returned so that they can be used again.
    fn returned_names_can_be_used_as_bases(scene) {
        let odd = "dn: cn=Doe\\, John \\+ Co\\22\\C3\\A9+sn=\\ x\\ ,ou=people,dc=example,dc=com\nobjectClass: person\n";
        scene.root().change(odd).unwrap();
        let bob = scene.client("bob");
        let found = bob.search(SUFFIX, WholeSubtree, "(cn=doe, john + co\"É)", &["cn", "sn"]).unwrap();
        assert_eq!(short(&only(&found).dn), "cn=Doe\\, John \\+ Co\\22\\C3\\A9+sn=\\ x\\ ,ou=people");
        assert_eq!(only(&found).texts("cn"), ["Doe, John + Co\"é"]);
        assert_eq!(only(&found).texts("sn"), [" x "]);
        for name in [only(&found).dn.as_str(), "SN=\\20x\\20+CN=doe\\2C  john \\2b co\\22é,ou=people,dc=example,dc=com"] {
            assert_eq!(bob.search(name, BaseObject, ALL, &["cn", "sn"]).unwrap(), found);
        }
    }
}
