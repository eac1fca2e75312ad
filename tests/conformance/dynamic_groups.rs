//! Groups whose members a search finds (row E7).

use crate::scene::{full, rule, rules};
use crate::sentences;

const GROUP: &str = "cn=adults,ou=groups";

fn group(url: &str) -> String {
    format!("dn: {GROUP}\nobjectClass: groupOfURLs\nmemberURL: {url}\n")
}

fn of_people(filter: &str) -> String {
    group(&format!("ldap:///ou=people,dc=example,dc=com??sub?{filter}"))
}

fn replace(name: &str, attribute: &str, value: &str) -> String {
    format!("dn: {name}\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n")
}

sentences! {
    /// The members are those whom the search finds now.
    fn the_members_are_those_whom_the_search_finds(scene) {
        let root = scene.root();
        root.change(&of_people("(uid=h*)")).unwrap();
        assert_eq!(root.values(GROUP, "member"), [full("hanna"), full("henry")]);
        root.change("dn: hugo\nobjectClass: account\n").unwrap();
        root.change("dn: henry\nchangetype: delete\n").unwrap();
        assert_eq!(root.values(GROUP, "member"), [full("hanna"), full("hugo")]);
        let other = "ldap:///dc=example,dc=com??one?(cn=admin)";
        root.change(&format!("dn: {GROUP}\nchangetype: modify\nadd: memberURL\nmemberURL: {other}\n")).unwrap();
        assert_eq!(root.values(GROUP, "member"), [full("cn=admin"), full("hanna"), full("hugo")]);
    }

    /// Whoever is found is in the group, at once, and can be searched by that.
    fn members_know_of_their_group(scene) {
        let root = scene.root();
        root.change(&of_people("(uid=h*)")).unwrap();
        assert_eq!(root.values("hanna", "memberOf"), [full("cn=helpdesk,ou=groups"), full(GROUP)]);
        assert_eq!(root.values("bob", "memberOf"), [full("cn=staff,ou=groups")]);
        let members = ["uid=hanna,ou=people", "uid=henry,ou=people"];
        assert_eq!(root.find(&format!("(memberOf={})", full(GROUP))), members);
        assert_eq!(root.find(&format!("(&(uid=*)(isMemberOf={}))", full(GROUP))), members);
        assert_eq!(root.find(&format!("(member={})", full("hanna"))), [GROUP, "cn=helpdesk,ou=groups"]);
        root.change("dn: bob\nchangetype: modify\nadd: uid\nuid: h\n").unwrap();
        assert_eq!(root.find(&format!("(memberOf={})", full(GROUP))).len(), 3);
    }

    /// Nobody finds out more through a group than by the search itself.
    fn a_group_tells_no_more_than_its_search(scene) {
        scene.root().change(&of_people("(employeeNumber=7)")).unwrap();
        scene.root().change(&replace("bob", "employeeNumber", "7")).unwrap();
        assert_eq!(scene.client("alice").values(GROUP, "member"), [full("bob")]);
        let mut own = rules();
        let mut deny = rule("numbers", "dn:uid=alice,ou=people,dc=example,dc=com", "everything", &["employeeNumber"], &[]);
        deny.deny = vec!["search".into(), "read".into()];
        own.push(deny);
        scene.rule_by(&own);
        assert_eq!(scene.client("alice").values(GROUP, "member"), [""; 0]);
        assert_eq!(scene.client("alice").values("bob", "memberOf"), [full("cn=staff,ou=groups")]);
    }

    /// What makes no sense finds nobody, and other servers are not asked.
    fn what_is_no_search_of_this_server_finds_nobody(scene) {
        let root = scene.root();
        root.change(&group("http://www.example.com/")).unwrap();
        for url in ["ldap://other.example.org/dc=example,dc=com??sub?(uid=*)", "ldap:///dc=gone,dc=com??sub", "ldap:///ou=people,dc=example,dc=com??sub?(uid=", "ldap:///%zz"] {
            root.change(&replace(GROUP, "memberURL", url)).unwrap();
            assert_eq!(root.values(GROUP, "member"), [""; 0], "{url}");
        }
    }

    /// Membership by search gives no right: who writes an attribute would choose their own.
    fn such_a_group_gives_no_rights(scene) {
        let group = "dn: cn=administrators,ou=groups\nchangetype: modify\nadd: objectClass\nobjectClass: extensibleObject\n-\nadd: memberURL\nmemberURL: ldap:///ou=people,dc=example,dc=com??sub?(uid=bob)\n";
        scene.root().change(group).unwrap();
        assert!(scene.client("bob").change(&replace("alice", "description", "x")).is_err());
    }
}
