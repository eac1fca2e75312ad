//! Virtual list views (draft-ietf-ldapext-ldapv3-vlv-09).

use keystead::directory::ResultCode::{self, SortControlMissing, Success, VirtualListViewError};
use keystead::directory::tree::{Directory, Scope};
use keystead::protocol::{RawControl, oid};

use crate::scene::answer::{control_of, critical, element};
use crate::scene::{SEE, SUFFIX, Scene, rule, search_request};
use crate::sentences;
use crate::sort::sort_by;

fn number(number: u8) -> Vec<u8> {
    element(2, &[number])
}

fn view(before: u8, after: u8, target: Vec<u8>) -> RawControl {
    critical(oid::LIST_VIEW, Some(&element(0x30, &[number(before), number(after), target].concat())))
}

fn at(offset: u8, count: u8) -> Vec<u8> {
    element(0xa0, &[number(offset), number(count)].concat())
}

fn from(value: &str) -> Vec<u8> {
    element(0x81, value.as_bytes())
}

/// What is shown, the place of the target, how many there are, and how it ended.
type Shown = (String, u8, u8, ResultCode, u8);

fn shown<D: Directory>(scene: &Scene<D>, controls: &[RawControl]) -> Shown {
    let request = search_request(SUFFIX, Scope::WholeSubtree, "(uid=*)", &["uid"]);
    let (found, response) = scene.client("bob").send_search(&request, controls);
    let uids: Vec<_> = found.iter().flat_map(|entry| entry.texts("uid")).collect();
    let told = control_of(&response, oid::LIST_VIEW_RESPONSE).unwrap();
    let [_, _, _, _, position, _, _, count, _, _, why] = told else { panic!("{told:?}") };
    (uids.join(" "), *position, *count, response.result.code, *why)
}

sentences! {
    /// §5: the target is at an offset, and so many entries before and behind it come along, as far as there are any.
    fn a_part_of_the_list_is_around_an_offset(scene) {
        let part = |before, after, target| shown(scene, &[sort_by(&["uid"]), view(before, after, target)]);
        assert_eq!(part(0, 1, at(1, 0)), ("alice bob".into(), 1, 4, Success, 0));
        assert_eq!(part(1, 1, at(3, 4)), ("bob hanna henry".into(), 3, 4, Success, 0));
        assert_eq!(part(9, 9, at(4, 4)), ("alice bob hanna henry".into(), 4, 4, Success, 0));
        assert_eq!(part(0, 0, at(10, 20)), ("bob".into(), 2, 4, Success, 0));
        assert_eq!(part(0, 0, at(20, 20)), ("henry".into(), 4, 4, Success, 0));
    }

    /// §5: "The target entry is the first entry in the list with value greater than or equal to (in the primary sort order),
    /// the presented value"; if there is none, "the special value contentCount + 1".
    fn a_part_of_the_list_is_around_a_value(scene) {
        let part = |before, after, target| shown(scene, &[sort_by(&["uid"]), view(before, after, target)]);
        assert_eq!(part(0, 1, from("HA")), ("hanna henry".into(), 3, 4, Success, 0));
        assert_eq!(part(1, 0, from("bob")), ("alice bob".into(), 2, 4, Success, 0));
        assert_eq!(part(1, 0, from("z")), ("henry".into(), 5, 4, Success, 0));
        let reverse = shown(scene, &[sort_by(&["-uid"]), view(0, 1, from("c"))]);
        assert_eq!(reverse, ("bob alice".into(), 3, 4, Success, 0));
    }

    /// §6.2: an offset that is none is an offsetRangeError, without the sort control it is sortControlMissing.
    fn what_cannot_be_shown_is_told(scene) {
        let sort = || sort_by(&["uid"]);
        let page = critical(oid::PAGED_RESULTS, Some(b"\x30\x05\x02\x01\x02\x04\x00"));
        for (controls, code, why) in [
            (vec![sort(), view(0, 0, at(0, 0))], VirtualListViewError, 61),
            (vec![sort(), view(0, 0, at(9, 4))], VirtualListViewError, 61),
            (vec![view(0, 0, at(1, 0))], SortControlMissing, 60),
            (vec![sort_by(&["nosuch"]), view(0, 0, at(1, 0))], VirtualListViewError, 16),
            (vec![sort(), page, view(0, 0, at(1, 0))], VirtualListViewError, 53),
        ] {
            assert_eq!(shown(scene, &controls), (String::new(), 0, 0, code, why));
        }
    }

    /// What cannot be seen is neither shown nor counted.
    fn only_what_is_visible_is_counted(scene) {
        let base = rule("the base", "authenticated", &format!("entry:{SUFFIX}"), &["dc"], SEE);
        scene.rule_by(&[base, rule("one", "authenticated", "entry:uid=hanna,ou=people,dc=example,dc=com", &["*"], SEE)]);
        let part = shown(scene, &[sort_by(&["uid"]), view(9, 9, at(1, 0))]);
        assert_eq!(part, ("hanna".into(), 1, 1, Success, 0));
    }
}
