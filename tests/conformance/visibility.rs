//! What whoever asks may not see is neither named nor counted, nor found by.

use keystead::directory::tree::Scope::WholeSubtree;

use crate::scene::{SEE, SUFFIX, rule};
use crate::sentences;

sentences! {
    /// A group that somebody may not know of is none that they are told of, or can find its members by.
    fn groups_that_cannot_be_seen_are_not_shown_by_member_of(scene) {
        let staff = format!("cn=staff,ou=groups,{SUFFIX}");
        let by_group = format!("(memberOf={staff})");
        assert_eq!(scene.client("bob").values("alice", "memberOf"), [staff.as_str()]);
        assert_eq!(scene.client("bob").find(&by_group), ["uid=alice,ou=people", "uid=bob,ou=people"]);
        let people = format!("subtree:ou=people,{SUFFIX}");
        let top = format!("entry:{SUFFIX}");
        scene.rule_by(&[
            rule("people", "authenticated", &people, &["*", "+"], SEE),
            rule("top", "authenticated", &top, &["*", "+"], SEE),
        ]);
        assert_eq!(scene.client("bob").values("alice", "memberOf"), [""; 0]);
        assert_eq!(scene.client("bob").find(&by_group), [""; 0]);
        assert_eq!(scene.client("bob").find("(memberOf=*)"), [""; 0]);
    }

    /// Entries that somebody may not know of do not stand below others, as far as they are told.
    fn entries_that_cannot_be_seen_are_not_counted(scene) {
        let count = |name: &str| {
            let client = scene.client("bob");
            [client.values(name, "numSubordinates"), client.values(name, "hasSubordinates")].concat()
        };
        assert_eq!(count("ou=people"), ["4", "TRUE"]);
        let entry = |name: &str| format!("entry:{name}ou=people,{SUFFIX}");
        let (people, alice) = (entry(""), entry("uid=alice,"));
        let see = |name, to: &str| rule(name, "authenticated", to, &["*", "+"], SEE);
        scene.rule_by(&[see("people", &people), see("alice", &alice)]);
        assert_eq!(count("ou=people"), ["1", "TRUE"]);
        scene.rule_by(&[see("people", &people)]);
        assert_eq!(count("ou=people"), ["0", "FALSE"]);
    }

    /// However many entries cannot be seen below one, the one that can be is found.
    fn an_entry_behind_many_that_cannot_be_seen_stands_below(scene) {
        let unit = |n| format!("dn: ou=unit {n},ou=policies,{SUFFIX}\nobjectClass: organizationalUnit\n\n");
        let units: Vec<String> = (0..1_001).map(unit).collect();
        scene.root().change(&units.concat()).unwrap();
        let entry = |name: &str| format!("entry:{name}ou=policies,{SUFFIX}");
        let see = |name, to: &str| rule(name, "authenticated", to, &["*", "+"], SEE);
        scene.rule_by(&[see("above", &entry("")), see("last", &entry("ou=unit 1000,"))]);
        assert_eq!(scene.client("bob").values("ou=policies", "hasSubordinates"), ["TRUE"]);
        scene.rule_by(&[see("above", &entry(""))]);
        assert_eq!(scene.client("bob").values("ou=policies", "hasSubordinates"), ["FALSE"]);
    }

    /// RFC 4517 §4.2.15: members may be spelled in any way, however many there are and however often it is asked.
    fn members_of_a_large_group_are_found_however_they_are_spelled(scene) {
        let unit = |n| format!("dn: ou=unit {n},ou=people,{SUFFIX}\nobjectClass: organizationalUnit\n\n");
        let units: Vec<String> = (0..60).map(unit).collect();
        let member = |n| format!("member: OU=Unit  {n}, ou=People,{SUFFIX}\n");
        let members: Vec<String> = (0..60).filter(|n| n % 2 == 0).chain(1_000..1_100).map(member).collect();
        let group = format!("dn: cn=units,ou=groups,{SUFFIX}\nobjectClass: groupOfNames\n{}", members.concat());
        assert_eq!(scene.root().change(&(units.concat() + &group)), Ok(()));
        let bob = scene.client("bob");
        let found = bob.search(SUFFIX, WholeSubtree, "(ou=unit*)", &["memberOf"]).unwrap();
        let with_group = found.iter().filter(|entry| !entry.texts("memberOf").is_empty()).count();
        assert_eq!((found.len(), with_group), (60, 30));
        assert_eq!(bob.find(&format!("(&(ou=unit*)(memberOf=cn=units,ou=groups,{SUFFIX}))")).len(), 30);
    }
}
