//! Collective attributes (RFC 3671) and the subtrees that share them (RFC 3672).

use keystead::directory::ResultCode::{CompareTrue, InvalidAttributeSyntax, NoSuchAttribute, ObjectClassViolation};
use keystead::directory::tree::Scope;

use crate::scene::{SEE, SUFFIX, full, rule};
use crate::sentences;

/// A subentry below the suffix.
fn collection(name: &str, subtree: &str, lines: &str) -> String {
    format!(
        "dn: cn={name},{SUFFIX}\nobjectClass: subentry\nobjectClass: collectiveAttributeSubentry\ncn: {name}\nsubtreeSpecification: {subtree}\n{lines}\n"
    )
}

const PEOPLE: [&str; 4] = ["uid=alice,ou=people", "uid=bob,ou=people", "uid=hanna,ou=people", "uid=henry,ou=people"];

sentences! {
    /// RFC 3671 §2: entries of the collection have the attribute, are found by it and by what it derives from, and can be asked
    /// about it.
    fn entries_of_a_collection_share_its_attributes(scene) {
        let root = scene.root();
        let subtree = "{ base \"ou=people\", specificationFilter item:person }";
        root.change(&collection("site", subtree, "c-l: Berlin\nc-TelephoneNumber: +49 30 1\n")).unwrap();
        assert_eq!(root.values("alice", "c-l"), ["Berlin"]);
        assert_eq!(root.values("alice", "c-TelephoneNumber"), ["+49 30 1"]);
        assert!(root.read("alice", &["*"]).unwrap().names().contains(&"c-l"));
        assert!(root.read("alice", &["l"]).unwrap().names().contains(&"c-l"));
        assert_eq!(root.values("ou=people", "c-l"), [""; 0]);
        assert_eq!(root.values("alice", "collectiveAttributeSubentries"), [full("cn=site")]);
        for filter in ["(c-l=BERLIN)", "(l=berlin)", "(c-l=*)", "(&(uid=*)(telephoneNumber=+49301))", "(l=ber*)"] {
            assert_eq!(root.find(filter), PEOPLE, "{filter}");
        }
        assert_eq!(root.find("(&(uid=*)(!(l=berlin)))"), [""; 0]);
        let below = root.names("ou=people", Scope::SingleLevel, "(l=berlin)");
        assert_eq!(below.unwrap(), PEOPLE);
        assert_eq!(root.compare("alice", "c-l", "berlin"), CompareTrue);
        assert_eq!(root.compare("ou=people", "c-l", "berlin"), NoSuchAttribute);
    }

    /// Several collections may hold an entry: it shares the values of all.
    fn the_values_of_several_collections_come_together(scene) {
        let root = scene.root();
        root.change(&collection("one", "{}", "c-ou: Sales\nc-ou: Support\n")).unwrap();
        root.change(&collection("two", "{ base \"ou=people\", minimum 1 }", "c-ou: sales\nc-ou: Research\n")).unwrap();
        assert_eq!(root.values("alice", "c-ou"), ["Sales", "Support", "Research"]);
        assert_eq!(root.values("ou=people", "c-ou"), ["Sales", "Support"]);
        root.change("dn: cn=one\nchangetype: delete\n").unwrap();
        assert_eq!(root.values("alice", "c-ou"), ["sales", "Research"]);
    }

    /// RFC 3671 §2.2: "the collectiveExclusions attribute allows particular collective attributes to be excluded from an entry."
    fn an_entry_may_exclude_what_others_share(scene) {
        let root = scene.root();
        root.change(&collection("site", "{}", "c-l: Berlin\nc-o: Example\n")).unwrap();
        let exclude = |name: &str, what: &str| {
            root.change(&format!("dn: {name}\nchangetype: modify\nadd: collectiveExclusions\ncollectiveExclusions: {what}\n-\n"))
        };
        assert_eq!(exclude("alice", "c-l"), Ok(()));
        assert_eq!((root.values("alice", "c-l"), root.values("alice", "c-o")), (vec![], vec!["Example".to_owned()]));
        assert_eq!(exclude("bob", "excludeAllCollectiveAttributes"), Ok(()));
        assert_eq!(exclude("hanna", "2.5.18.0"), Ok(()));
        assert_eq!(root.find("(&(uid=*)(c-l=berlin))"), ["uid=henry,ou=people"]);
        assert_eq!(root.find("(&(uid=*)(c-o=example))"), ["uid=alice,ou=people", "uid=henry,ou=people"]);
    }

    /// "users cannot ... modify collective attributes via entries": they stand in the subentry, which says to whom they belong.
    fn nobody_writes_what_is_shared_into_an_entry(scene) {
        let root = scene.root();
        let add = "dn: alice\nchangetype: modify\nadd: c-l\nc-l: Berlin\n-\n";
        assert_eq!(root.change(add), Err(ObjectClassViolation));
        let any = "dn: alice\nchangetype: modify\nadd: objectClass\nobjectClass: extensibleObject\n-\nadd: c-l\nc-l: Berlin\n-\n";
        assert_eq!(root.change(any), Err(ObjectClassViolation));
        assert_eq!(root.change(&collection("site", "{ base people }", "c-l: Berlin\n")), Err(InvalidAttributeSyntax));
        assert_eq!(root.change(&collection("site", "{}", "c-l: Berlin\nl: Berlin\n")), Err(ObjectClassViolation));
    }

    /// What is shared is seen by whoever may see the attribute of the entry.
    fn what_is_shared_is_told_to_those_who_may_read_it(scene) {
        scene.root().change(&collection("site", "{}", "c-l: Berlin\n")).unwrap();
        let people = format!("subtree:ou=people,{SUFFIX}");
        scene.rule_by(&[rule("people", "authenticated", &people, &["objectClass", "c-l", "uid", "+"], SEE)]);
        let bob = scene.client("bob");
        assert_eq!(bob.values("alice", "c-l"), ["Berlin"]);
        assert_eq!(bob.values("alice", "collectiveAttributeSubentries"), [""; 0]);
        scene.rule_by(&[rule("people", "authenticated", &people, &["objectClass", "uid"], SEE)]);
        assert_eq!(bob.values("alice", "c-l"), [""; 0]);
        assert_eq!(bob.names(&full("ou=people"), Scope::WholeSubtree, "(c-l=berlin)").unwrap_or_default(), [""; 0]);
    }
}
