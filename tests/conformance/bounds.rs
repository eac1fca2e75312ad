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

    /// RFC 4511 §4.5.2: who asks more of one entry than the server does is told so, and whoever asks much is served.
    fn a_filter_that_takes_very_many_steps_is_refused(scene) {
        let values: Vec<String> = (0..2_000).map(|n| format!("description: number {n}\n")).collect();
        let unit = format!("dn: ou=unit,{SUFFIX}\nobjectClass: organizationalUnit\n{}", values.concat());
        assert_eq!(scene.root().change(&unit), Ok(()));
        let or = |parts: usize| {
            let piece = |n| Filter::parse(&format!("(description=*x{n}*)")).unwrap();
            let mut filters: Vec<Filter> = (0..parts).map(piece).collect();
            filters.push(Filter::parse("(ou=unit)").unwrap());
            with_filter(Filter::Not(Box::new(Filter::Not(Box::new(Filter::Or(filters))))))
        };
        let bob = scene.client("bob");
        assert_eq!(bob.send_search(&or(100), &[]).0.len(), 1);
        let (found, response) = bob.send_search(&or(3_000), &[]);
        assert_eq!((found.len(), result(&response)), (0, Err(ResultCode::AdminLimitExceeded)));
    }

    /// Nothing is looked for on behalf of somebody who may see nothing, and they cannot tell that from an empty tree.
    fn whoever_may_see_nothing_finds_nothing_above_all_suffixes(scene) {
        let anonymous = scene.anonymous();
        assert_eq!(anonymous.names("", WholeSubtree, ALL).unwrap(), [""; 0]);
        scene.rule_by(&[rule("all", "everyone", "everything", &["*"], &["search"])]);
        assert_eq!(scene.anonymous().names("", WholeSubtree, ALL).unwrap().len(), 13);
    }
}
