//! Names by way of others (row A42): nested groups, and the managers of managers.

use crate::scene::{full, rule, rules};
use crate::sentences;

const CHAIN: &str = "1.2.840.113556.1.4.1941";

fn chain(attribute: &str, end: &str) -> String {
    format!("({attribute}:{CHAIN}:={})", full(end))
}

fn group(name: &str, member: &str) -> String {
    format!("dn: cn={name},ou=groups\nobjectClass: groupOfNames\nmember: {}\n\n", full(member))
}

/// `outer` holds `middle`, which holds `staff`, which holds alice and bob; `loop` and `outer` hold each other.
fn nest() -> String {
    let outer =
        format!("dn: cn=outer,ou=groups\nchangetype: modify\nadd: member\nmember: {}\n", full("cn=loop,ou=groups"));
    [
        group("middle", "cn=staff,ou=groups"),
        group("outer", "cn=middle,ou=groups"),
        group("loop", "cn=outer,ou=groups"),
        outer,
    ]
    .concat()
}

sentences! {
    /// MS-ADTS 3.1.1.3.4.4.3: who is in a group, or in a group that is in it.
    fn members_of_members_are_found(scene) {
        let root = scene.root();
        root.change(&nest()).unwrap();
        let people = ["uid=alice,ou=people", "uid=bob,ou=people"];
        assert_eq!(root.find(&chain("memberOf", "cn=staff,ou=groups")), people);
        let all = ["cn=loop,ou=groups", "cn=middle,ou=groups", "cn=outer,ou=groups", "cn=staff,ou=groups", people[0], people[1]];
        assert_eq!(root.find(&chain("memberOf", "CN=Outer,ou=groups")), all);
        assert_eq!(root.find(&format!("(&(uid=*){})", chain("isMemberOf", "cn=loop,ou=groups"))), people);
        assert_eq!(root.find(&format!("(&(uid=*)(!{}))", chain("memberOf", "cn=outer,ou=groups"))), ["uid=hanna,ou=people", "uid=henry,ou=people"]);
    }

    /// The same from below: the groups of somebody, and the groups of these.
    fn groups_of_groups_are_found(scene) {
        let root = scene.root();
        root.change(&nest()).unwrap();
        let groups = ["cn=loop,ou=groups", "cn=middle,ou=groups", "cn=outer,ou=groups", "cn=staff,ou=groups"];
        assert_eq!(root.find(&chain("member", "alice")), groups);
        assert_eq!(root.find(&chain("member", "hanna")), ["cn=helpdesk,ou=groups"]);
        assert_eq!(root.find(&chain("member", "nobody")), [""; 0]);
        assert_eq!(root.find(&format!("(&(cn=m*){})", chain("member", "alice"))), ["cn=middle,ou=groups"]);
    }

    /// Any attribute that names entries can be followed.
    fn managers_of_managers_are_found(scene) {
        let root = scene.root();
        for (who, manager) in [("alice", "bob"), ("bob", "hanna"), ("hanna", "hanna")] {
            root.change(&format!("dn: {who}\nchangetype: modify\nadd: manager\nmanager: {}\n", full(manager))).unwrap();
        }
        let found = ["uid=alice,ou=people", "uid=bob,ou=people", "uid=hanna,ou=people"];
        assert_eq!(root.find(&chain("manager", "hanna")), found);
        assert_eq!(root.find(&chain("manager", "bob")), found[..1]);
    }

    /// RFC 4511 §4.5.1.7: what cannot be compared is Undefined, and so is its negation.
    fn what_is_no_name_leads_nowhere(scene) {
        for filter in [format!("(member:{CHAIN}:=nobody)"), format!("(sn:{CHAIN}:={})", full("alice"))] {
            assert_eq!(scene.root().find(&filter), [""; 0], "{filter}");
            assert_eq!(scene.root().find(&format!("(!{filter})")), [""; 0], "{filter}");
        }
    }

    /// Nobody finds out about groups that they cannot see by asking who is in them.
    fn no_chain_leads_through_what_cannot_be_seen(scene) {
        scene.root().change(&nest()).unwrap();
        let mut own = rules();
        let mut deny = rule("hidden", "everyone", &format!("entry:{}", full("cn=middle,ou=groups")), &["*", "+"], &[]);
        deny.deny = vec!["search".into(), "read".into(), "compare".into()];
        own.push(deny);
        scene.rule_by(&own);
        let bob = scene.client("bob");
        assert_eq!(bob.find(&chain("member", "alice")), ["cn=staff,ou=groups"]);
        assert_eq!(bob.find(&format!("(&(uid=*){})", chain("memberOf", "cn=outer,ou=groups"))), [""; 0]);
    }
}
