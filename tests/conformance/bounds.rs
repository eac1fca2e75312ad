//! What a search may cost: nobody asks for more than the server gives (RFC 4511 §4.5.2, adminLimitExceeded).

use keystead::directory::ResultCode;
use keystead::directory::filter::Filter;
use keystead::directory::tree::Scope::WholeSubtree;
use keystead::protocol::request::SearchRequest;

use crate::scene::{SUFFIX, result, rule, search_request};
use crate::sentences;

const ALL: &str = "(objectClass=*)";

fn with_filter(filter: Filter) -> SearchRequest {
    SearchRequest { filter, ..search_request(SUFFIX, WholeSubtree, ALL, &["1.1"]) }
}

sentences! {
    fn a_filter_of_very_many_parts_is_refused(scene) {
        let bob = scene.client("bob");
        let or = |parts| with_filter(Filter::Or(vec![Filter::parse("(uid=bob)").unwrap(); parts]));
        assert_eq!(bob.send_search(&or(4_095), &[]).0.len(), 1);
        let (found, response) = bob.send_search(&or(4_096), &[]);
        assert_eq!((found.len(), result(&response)), (0, Err(ResultCode::AdminLimitExceeded)));
        let pieces = format!("(cn=*{})", "x*".repeat(5_000));
        let (_, response) = bob.send_search(&with_filter(Filter::parse(&pieces).unwrap()), &[]);
        assert_eq!(result(&response), Err(ResultCode::AdminLimitExceeded));
    }

    /// Nothing is looked for on behalf of somebody who may see nothing, and they cannot tell that from an empty tree.
    fn whoever_may_see_nothing_finds_nothing_above_all_suffixes(scene) {
        let anonymous = scene.anonymous();
        assert_eq!(anonymous.names("", WholeSubtree, ALL).unwrap(), [""; 0]);
        scene.rule_by(&[rule("all", "everyone", "everything", &["*"], &["search"])]);
        assert_eq!(scene.anonymous().names("", WholeSubtree, ALL).unwrap().len(), 13);
    }
}
