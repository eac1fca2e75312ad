//! Names by way of others (row A42): nested groups, and the managers of managers.

use keystead::directory::tree::Scope;
use keystead::operations::integrity::MemberOf;

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

    /// A group whose members are found by a search is a group, too.
    fn groups_that_are_a_search_are_followed(scene) {
        let root = scene.root();
        root.change("dn: cn=found,ou=groups\nobjectClass: groupOfURLs\nmemberURL: ldap:///ou=people,dc=example,dc=com??sub?(uid=h*)\n").unwrap();
        root.change(&group("above", "cn=found,ou=groups")).unwrap();
        let people = ["uid=hanna,ou=people", "uid=henry,ou=people"];
        assert_eq!(root.find(&chain("memberOf", "cn=found,ou=groups")), people);
        assert_eq!(root.find(&format!("(&(uid=*){})", chain("memberOf", "cn=above,ou=groups"))), people);
        let groups = ["cn=above,ou=groups", "cn=found,ou=groups", "cn=helpdesk,ou=groups"];
        assert_eq!(root.find(&chain("member", "hanna")), groups);
    }

    /// RFC 4519 §2.40: a value of uniqueMember is a name, and perhaps a bit string that tells its holders apart in time.
    fn a_unique_member_may_have_a_bit_string(scene) {
        let root = scene.root();
        let unique = |name: &str, member: &str| format!("dn: cn={name},ou=groups\nobjectClass: groupOfUniqueNames\nuniqueMember: {member}\n\n");
        root.change(&unique("one", &format!("{}#'01'B", full("alice")))).unwrap();
        root.change(&unique("two", &format!("{}#'1'B", full("cn=one,ou=groups")))).unwrap();
        let groups = [full("cn=staff,ou=groups"), full("cn=one,ou=groups")];
        assert_eq!(root.values("alice", "memberOf"), groups);
        assert_eq!(root.find(&format!("(memberOf={})", groups[1])), ["uid=alice,ou=people"]);
        assert_eq!(root.find(&chain("memberOf", "cn=two,ou=groups")), ["cn=one,ou=groups", "uid=alice,ou=people"]);
        assert_eq!(root.find(&chain("uniqueMember", "alice")), ["cn=one,ou=groups", "cn=two,ou=groups"]);
        assert_eq!(root.find(&format!("(uniqueMember={})", full("alice"))), [""; 0]);
        assert_eq!(root.find(&format!("(uniqueMember={}#'01'B)", full("alice"))), ["cn=one,ou=groups"]);
        root.change("dn: alice\nchangetype: modrdn\nnewrdn: uid=alicia\ndeleteoldrdn: 1\n").unwrap();
        assert_eq!(root.values("cn=one,ou=groups", "uniqueMember"), [format!("{}#'01'B", full("alicia"))]);
        root.change("dn: alicia\nchangetype: delete\n").unwrap();
        assert_eq!(root.values("cn=one,ou=groups", "uniqueMember"), [""; 0]);
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

    /// Where it is configured, memberOf tells the groups of groups as well, and finds by them.
    fn member_of_tells_nested_groups_where_that_is_wanted(scene) {
        let root = scene.root();
        root.change(&nest()).unwrap();
        let people = ["uid=alice,ou=people", "uid=bob,ou=people"];
        let by = |name: &str| format!("(&(uid=*)(memberOf={}))", full(name));
        assert_eq!(root.values("alice", "memberOf"), [full("cn=staff,ou=groups")]);
        assert_eq!(root.find(&by("cn=outer,ou=groups")), [""; 0]);
        scene.configure(|services| services.integrity.member_of = MemberOf::Nested);
        let all = ["staff", "middle", "outer", "loop"].map(|name| full(&format!("cn={name},ou=groups")));
        assert_eq!(root.values("alice", "memberOf"), all);
        assert_eq!(root.values("alice", "isMemberOf"), all);
        assert_eq!(root.find(&by("CN=Outer,ou=groups")), people);
        assert_eq!(root.find(&by("cn=staff,ou=groups")), people);
        assert_eq!(root.find(&format!("(&(uid=*)(!(memberOf={})))", full("cn=loop,ou=groups"))), ["uid=hanna,ou=people", "uid=henry,ou=people"]);
        let alone = root.names(&full("alice"), Scope::BaseObject, &format!("(memberOf={})", full("cn=outer,ou=groups")));
        assert_eq!(alone, Ok(vec!["uid=alice,ou=people".to_owned()]));
        root.change("dn: cn=middle,ou=groups\nchangetype: delete\n").unwrap();
        assert_eq!(root.values("alice", "memberOf"), [full("cn=staff,ou=groups")]);
    }

    /// A group that somebody may not know of leads them nowhere.
    fn nested_groups_are_told_as_far_as_each_may_be_seen(scene) {
        scene.root().change(&nest()).unwrap();
        scene.configure(|services| services.integrity.member_of = MemberOf::Nested);
        let mut own = rules();
        let mut deny = rule("hidden", "everyone", &format!("entry:{}", full("cn=middle,ou=groups")), &["*", "+"], &[]);
        deny.deny = vec!["search".into(), "read".into(), "compare".into()];
        own.push(deny);
        scene.rule_by(&own);
        let bob = scene.client("bob");
        assert_eq!(bob.values("alice", "memberOf"), [full("cn=staff,ou=groups")]);
        assert_eq!(bob.find(&format!("(&(uid=*)(memberOf={}))", full("cn=outer,ou=groups"))), [""; 0]);
    }
}
