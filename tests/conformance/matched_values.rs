//! Matched values (RFC 3876).

use keystead::directory::ResultCode::ProtocolError;
use keystead::directory::tree::Directory;
use keystead::directory::tree::Scope::{BaseObject, WholeSubtree};
use keystead::protocol::request::SearchRequest;
use keystead::protocol::{RawControl, oid};

use crate::scene::answer::{critical, element, filter};
use crate::scene::{FoundEntry, SUFFIX, Scene, full, only, search_request};
use crate::sentences;

fn matching(items: &[&str]) -> [RawControl; 1] {
    let items: Vec<u8> = items.iter().flat_map(|item| filter(item)).collect();
    [critical(oid::MATCHED_VALUES, Some(&element(0x30, &items)))]
}

fn read<D: Directory>(scene: &Scene<D>, attributes: &[&str], items: &[&str]) -> FoundEntry {
    let request = search_request(&full("cn=staff,ou=groups"), BaseObject, "(objectClass=*)", attributes);
    only(&scene.client("bob").send_search(&request, &matching(items)).0).clone()
}

sentences! {
    /// RFC 3876 §2: "Every attribute value that evaluates TRUE against one or more elements of the `ValuesReturnFilter` is
    /// placed in the corresponding `SearchResultEntry`. ... An attribute that has no values selected is returned with an empty
    /// set of values."
    fn only_values_that_match_are_returned(scene) {
        let found = read(scene, &["member", "cn"], &["(member=UID=Bob,ou=people,dc=example,dc=com)"]);
        assert_eq!(found.texts("member"), [full("bob")]);
        assert_eq!((found.names(), found.texts("cn").len()), (vec!["cn", "member"], 0));
        let found = read(scene, &["member", "cn"], &["(member=*)", "(cn=x)", "(nosuch=x)"]);
        assert_eq!((found.texts("member").len(), found.texts("cn").len()), (2, 0));
    }

    /// RFC 3876 §2, steps 1 to 3: the control has no part in what is found, and none where no values are returned.
    fn what_is_found_does_not_depend_on_it(scene) {
        let request = search_request(SUFFIX, WholeSubtree, "(member=*)", &["1.1"]);
        let (found, _) = scene.client("bob").send_search(&request, &matching(&["(member=cn=nobody)"]));
        assert_eq!(found.len(), 3);
        let types_only = SearchRequest { types_only: true, ..search_request(SUFFIX, WholeSubtree, "(member=*)", &["member"]) };
        let (found, _) = scene.client("bob").send_search(&types_only, &matching(&["(member=cn=nobody)"]));
        assert!(found.iter().all(|entry| entry.names() == ["member"]));
    }

    /// RFC 3876 §5, example 2: one definition of the subschema subentry by its first component.
    fn one_definition_of_the_schema_is_read(scene) {
        let request = search_request("cn=Subschema", BaseObject, "(objectClass=subschema)", &["attributeTypes"]);
        let (found, _) = scene.anonymous().send_search(&request, &matching(&["(attributeTypes=2.5.4.3)"]));
        let types = only(&found).texts("attributeTypes");
        assert!(types.len() == 1 && types.concat().contains("'cn'"), "{types:?}");
    }

    /// Only simple items are allowed.
    fn a_filter_that_is_not_simple_is_a_protocol_error(scene) {
        for bad in [&b"\x30\x06\xa2\x04\x87\x02cn"[..], b"\x30\x02\xa0\x00", b"\x87\x02cn", b""] {
            let request = search_request(SUFFIX, WholeSubtree, "(member=*)", &["1.1"]);
            let (_, response) = scene.client("bob").send_search(&request, &[critical(oid::MATCHED_VALUES, Some(bad))]);
            assert_eq!(response.result.code, ProtocolError, "{bad:x?}");
        }
    }
}
