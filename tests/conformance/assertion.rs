//! The assertion control (RFC 4528).

use keystead::directory::ResultCode::{self, AssertionFailed, CompareTrue, NoSuchObject, ProtocolError, Success};
use keystead::directory::tree::{Directory, Scope};
use keystead::protocol::{RawControl, oid};

use crate::scene::answer::{critical, filter};
use crate::scene::{Client, SEE, SUFFIX, full, rule, search_request};
use crate::sentences;

fn asserting(text: &str) -> [RawControl; 1] {
    [critical(oid::ASSERTION, Some(&filter(text)))]
}

fn change<D: Directory>(client: &Client<'_, D>, text: &str, asserted: &str) -> ResultCode {
    client.change_with(text, &asserting(asserted)).result.code
}

const MODIFY: &str = "dn: alice\nchangetype: modify\nreplace: sn\nsn: Other\n";

sentences! {
    /// RFC 4528 §3: "If the Filter evaluates to TRUE, then the request is processed normally. If the Filter evaluates to
    /// FALSE or Undefined, then assertionFailed (122) resultCode is returned, and no further processing is performed."
    fn a_change_is_made_only_if_the_assertion_holds(scene) {
        let root = scene.root();
        for asserted in ["(sn=Baker)", "(nosuch=x)", "(description=*)"] {
            assert_eq!(change(&root, MODIFY, asserted), AssertionFailed, "{asserted}");
        }
        assert_eq!(root.values("alice", "sn"), ["Adams"]);
        assert_eq!(change(&root, MODIFY, "(sn=adams)"), Success);
        assert_eq!(change(&root, MODIFY, "(sn=adams)"), AssertionFailed);
    }

    /// RFC 4528 §3: appropriate for "Add, Compare, Delete, Modify, `ModifyDN` (rename), and Search".
    fn every_operation_on_an_entry_takes_one(scene) {
        let root = scene.root();
        let add = "dn: new\nobjectClass: inetOrgPerson\ncn: New\nsn: New\n";
        let rename = "dn: new\nchangetype: modrdn\nnewrdn: uid=newer\ndeleteoldrdn: 1\n";
        let delete = "dn: newer\nchangetype: delete\n";
        for (text, wrong, right) in [(add, "(sn=Old)", "(sn=new)"), (rename, "(uid=newer)", "(uid=new)"), (delete, "(uid=new)", "(uid=newer)")] {
            assert_eq!((change(&root, text, wrong), change(&root, text, right)), (AssertionFailed, Success), "{text}");
        }
        let compare = |asserted| root.compare_with("alice", "sn", "Adams", &asserting(asserted)).result.code;
        assert_eq!((compare("(uid=bob)"), compare("(uid=alice)")), (AssertionFailed, CompareTrue));
    }

    /// RFC 4528 §3: "For Search operations, the target is indicated by the baseObject field ... no entries ... are returned
    /// if the assertion fails."
    fn a_search_asserts_something_of_its_base(scene) {
        let request = |base: &str| search_request(base, Scope::WholeSubtree, "(uid=alice)", &["1.1"]);
        let found = |base, asserted| {
            let (found, response) = scene.root().send_search(&request(base), &asserting(asserted));
            (found.len(), response.result.code)
        };
        assert_eq!(found(SUFFIX, "(dc=example)"), (1, Success));
        assert_eq!(found(SUFFIX, "(uid=alice)"), (0, AssertionFailed));
        assert_eq!(found(&full("nobody"), "(uid=alice)"), (0, NoSuchObject));
    }

    /// RFC 4528 §4: "the mechanism can be used to determine directory content. Hence, this mechanism SHOULD be subject to
    /// appropriate access controls": what may not be searched cannot be asserted, a secret never.
    fn an_assertion_tells_no_more_than_a_search(scene) {
        let mut rules = vec![rule("writes", "authenticated", "everything", &["*"], &["write"])];
        rules.push(rule("sees names", "authenticated", "everything", &["cn"], SEE));
        scene.rule_by(&rules);
        let bob = scene.client("bob");
        assert_eq!(change(&bob, MODIFY, "(sn=Adams)"), AssertionFailed);
        assert_eq!(change(&bob, MODIFY, "(cn=Alice Adams)"), Success);
        assert_eq!(change(&scene.anonymous(), MODIFY, "(cn=Alice Adams)"), NoSuchObject);
        scene.rule_by(&crate::scene::rules());
        for asserted in ["(userPassword=*)", "(userPassword=alice's password)", "(pwdHistory=*)"] {
            assert_eq!(change(&scene.root(), MODIFY, asserted), AssertionFailed, "{asserted}");
        }
    }

    /// What the server derives can be asserted as well.
    fn derived_attributes_can_be_asserted(scene) {
        let staff = format!("(memberOf=cn=staff,ou=groups,{SUFFIX})");
        assert_eq!(change(&scene.root(), MODIFY, &staff), Success);
        let hannas = "dn: hanna\nchangetype: modify\nreplace: sn\nsn: Other\n";
        assert_eq!(change(&scene.root(), hannas, &staff), AssertionFailed);
    }

    /// RFC 4511 §4.1.11: a value that is no filter is a protocol error.
    fn an_assertion_that_is_no_filter_is_a_protocol_error(scene) {
        for bad in [None, Some(&b""[..]), Some(b"\xa3\x00"), Some(b"\x87\x02sn\x00\x00")] {
            let answer = scene.root().change_with(MODIFY, &[critical(oid::ASSERTION, bad)]);
            assert_eq!(answer.result.code, ProtocolError, "{bad:?}");
        }
        assert_eq!(scene.root().values("alice", "sn"), ["Adams"]);
    }
}
