//! What a search may cost: nobody asks for more than the server gives (RFC 4511 §4.5.2, adminLimitExceeded).

use std::time::Duration;

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

    /// RFC 2696 §3: each page is a request of its own. The time limit, and the server's size limit, are of each; the size
    /// limit that the client asked for is of all.
    fn the_limits_of_the_server_hold_for_each_page(scene) {
        let bob = scene.client("bob");
        let all = with_filter(Filter::any_entry());
        let (pages, response) = bob.pages(&all, 5, || scene.wait(50));
        assert_eq!((pages, result(&response)), (vec![5, 5, 3], Ok(())));
        scene.configure(|services| services.limits.size = 4);
        let (pages, response) = bob.pages(&all, 5, || {});
        assert_eq!((pages, result(&response)), (vec![4, 4, 4, 1], Ok(())));
        assert_eq!(result(&bob.send_search(&all, &[]).1), Err(ResultCode::SizeLimitExceeded));
        let (pages, response) = bob.pages(&SearchRequest { size_limit: 6, ..all }, 4, || {});
        assert_eq!((pages, result(&response)), (vec![4, 2], Err(ResultCode::SizeLimitExceeded)));
    }

    /// "0: no limit"
    fn a_time_limit_of_nothing_is_none(scene) {
        scene.configure(|services| services.limits.time = Duration::ZERO);
        let all = with_filter(Filter::any_entry());
        let (found, response) = scene.client("bob").search_in_steps(&all, &[], || scene.wait(1_000_000));
        assert_eq!((found.len(), result(&response)), (13, Ok(())));
    }

    /// What waits for a client to read it is bounded, however large entries are.
    fn a_step_writes_no_more_than_can_be_sent_soon(scene) {
        let large = |n| {
            let description = format!("description: {}\n", "x".repeat(100_000));
            format!("dn: ou=unit {n},{SUFFIX}\nobjectClass: organizationalUnit\n{description}\n")
        };
        let entries: Vec<String> = (0..20).map(large).collect();
        assert_eq!(scene.root().change(&entries.concat()), Ok(()));
        for filter in [ALL, "(ou=unit*)"] {
            let request = search_request(SUFFIX, WholeSubtree, filter, &[]);
            let steps = scene.client("bob").octets_of_steps(&request, 64);
            assert!(steps.iter().all(|octets| *octets < 400_000), "{steps:?}");
            assert!(steps.iter().sum::<usize>() > 2_000_000, "{steps:?}");
        }
    }

    /// Nothing is looked for on behalf of somebody who may see nothing, and they cannot tell that from an empty tree.
    fn whoever_may_see_nothing_finds_nothing_above_all_suffixes(scene) {
        let anonymous = scene.anonymous();
        assert_eq!(anonymous.names("", WholeSubtree, ALL).unwrap(), [""; 0]);
        scene.rule_by(&[rule("all", "everyone", "everything", &["*"], &["search"])]);
        assert_eq!(scene.anonymous().names("", WholeSubtree, ALL).unwrap().len(), 13);
    }
}
