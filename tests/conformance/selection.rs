//! Which attributes a search returns, and in which spelling (RFC 4511 §4.5.1.8).

use keystead::directory::tree::Scope::BaseObject;

use crate::scene::{FoundEntry, full, only};
use crate::sentences;

/// Carla has attributes of many kinds.
const CARLA: &str = "dn: uid=carla,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: carla
cn: Carla Cole
cn;lang-de: Karla Kohl
cn;lang-de-at: Karla Kohl aus Wien
sn: Cole
displayName: Carla
mail: carla@example.com
userCertificate;binary:: MAMCAQE=
userPassword: carla's password
";

/// What `*` asks for of her.
const USER: &[&str] =
    &["objectClass", "uid", "cn", "cn;lang-de", "cn;lang-de-at", "sn", "displayName", "mail", "userCertificate;binary"];

fn names(entry: &FoundEntry) -> Vec<&str> {
    let mut names = entry.names();
    names.sort_unstable();
    names
}

fn sorted<'n>(names: &[&'n str]) -> Vec<&'n str> {
    let mut names = names.to_vec();
    names.sort_unstable();
    names
}

sentences! {
    /// RFC 4511 §4.5.1.8: "An empty list with no attributes requests the return of all user attributes"; so does `*`.
    fn user_attributes_are_returned_unless_others_are_asked_for(scene) {
        scene.root().change(CARLA).unwrap();
        for list in [&[][..], &["*"], &["*", "cn"], &["*", "*", "1.1"]] {
            let carla = scene.client("bob").read("carla", list).unwrap();
            assert_eq!(names(&carla), sorted(USER), "{list:?}");
        }
    }

    /// RFC 3673 §2: "+" asks for all operational attributes. RFC 4512 §3.4: they are not returned unless asked for.
    fn operational_attributes_are_returned_only_when_asked_for(scene) {
        let bob = scene.client("bob");
        let all = bob.read("alice", &["+"]).unwrap();
        for name in [
            "createTimestamp", "creatorsName", "modifyTimestamp", "modifiersName", "structuralObjectClass", "entryUUID",
            "entryDN", "entryCSN", "subschemaSubentry", "hasSubordinates", "memberOf",
        ] {
            assert!(all.names().contains(&name), "{name}");
            let one = bob.read("alice", &[name]).unwrap();
            assert_eq!((one.names(), one.texts(name)), (vec![name], all.texts(name)));
        }
        let both = bob.read("alice", &["*", "+"]).unwrap();
        let user = bob.read("alice", &[]).unwrap();
        assert!(all.names().iter().all(|name| !user.names().contains(name)));
        assert_eq!(both.attributes.len(), all.attributes.len() + user.attributes.len());
    }

    /// RFC 4511 §4.5.1.8: "1.1" asks for no attributes, and means nothing beside others; what is not recognized is
    /// ignored; names are compared without case (RFC 4512 §2.5) and returned once.
    fn a_list_says_which_attributes_are_returned(scene) {
        scene.root().change(CARLA).unwrap();
        let common = &["cn", "cn;lang-de", "cn;lang-de-at"][..];
        for (list, expected) in [
            (&["1.1"][..], &[][..]),
            (&["1.1", "sn"], &["sn"]),
            (&["nosuch", "", "dn", "cn;", "cn;a b", "1.2.3.4", "@nosuch", "@", "\u{e4}", "-"], &[]),
            (&["nosuch", "SN"], &["sn"]),
            (&["CN"], common),
            (&["cn", "commonName", "2.5.4.3", "CN"], common),
            (&["surname", "2.5.4.4"], &["sn"]),
            (&["telephoneNumber", "mail"], &["mail"]),
            (&["userPassword", "pwdHistory", "authPassword"], &[]),
        ] {
            let carla = scene.client("bob").read("carla", list).unwrap();
            assert_eq!(names(&carla), expected, "{list:?}");
        }
    }

    /// RFC 4512 §2.5.2: an attribute description with options asks for what has these options at least; RFC 3866 §2.1:
    /// an option that ends with a hyphen, for what begins like it. RFC 4511 §4.5.1.8: a type asks for its subtypes too.
    fn a_description_asks_for_its_subtypes(scene) {
        scene.root().change(CARLA).unwrap();
        for (list, expected) in [
            (&["name"][..], &["cn", "cn;lang-de", "cn;lang-de-at", "sn"][..]),
            (&["cn;lang-de"], &["cn;lang-de"]),
            (&["CN;Lang-DE"], &["cn;lang-de"]),
            (&["cn;lang-de-"], &["cn;lang-de", "cn;lang-de-at"]),
            (&["name;lang-de-at", "sn"], &["cn;lang-de-at", "sn"]),
            (&["cn;lang-fr", "cn;lang-de;x-y"], &[]),
            (&["userCertificate"], &["userCertificate;binary"]),
            (&["userCertificate;binary"], &["userCertificate;binary"]),
        ] {
            let carla = scene.client("bob").read("carla", list).unwrap();
            assert_eq!(names(&carla), expected, "{list:?}");
        }
    }

    /// RFC 4529 §2: `@class` asks for the attributes that the class and its superclasses require and allow.
    fn an_object_class_asks_for_its_attributes(scene) {
        scene.root().change(CARLA).unwrap();
        let person = &["cn", "cn;lang-de", "cn;lang-de-at", "objectClass", "sn"][..];
        for (list, expected) in [
            (&["@person"][..], person),
            (&["@PERSON", "sn"], person),
            (&["@2.5.6.6"], person),
            (&["@top"], &["objectClass"]),
            (&["@posixAccount", "mail"], &["cn", "cn;lang-de", "cn;lang-de-at", "mail", "objectClass", "uid"]),
        ] {
            let carla = scene.client("bob").read("carla", list).unwrap();
            assert_eq!(names(&carla), expected, "{list:?}");
        }
        let carla = scene.client("bob").read("carla", &["@inetOrgPerson"]).unwrap();
        assert_eq!(names(&carla), sorted(USER));
    }

    /// RFC 4511 §4.5.2: an entry that matches is returned, also if nothing is left of its attributes; RFC 4511 §4.1.8:
    /// "the attribute values ... are unordered" but sharp edge 10 wants them stable.
    fn entries_without_attributes_are_returned_and_values_keep_their_order(scene) {
        let bob = scene.client("bob");
        let found = bob.search(&full("alice"), BaseObject, "(objectClass=*)", &["title"]).unwrap();
        assert_eq!(only(&found).attributes.len(), 0);
        let zones = "dn: alice\nchangetype: modify\nadd: title\ntitle: z\ntitle: a\ntitle: M\n-\n";
        scene.root().change(zones).unwrap();
        assert_eq!(bob.values("alice", "title"), ["z", "a", "M"]);
        let change = "dn: alice\nchangetype: modify\ndelete: title\ntitle: A\n-\nadd: title\ntitle: b\n-\n";
        scene.root().change(change).unwrap();
        assert_eq!(bob.values("alice", "title"), ["z", "M", "b"]);
    }

    /// RFC 4512 §3.4, RFC 4530 §2, RFC 5020 §2: what the server says of each entry.
    fn operational_attributes_tell_who_and_when(scene) {
        let admin = scene.client("cn=admin");
        scene.wait(100);
        admin.change(CARLA).unwrap();
        let stamps = &["createTimestamp", "creatorsName", "modifyTimestamp", "modifiersName", "entryUUID", "entryCSN"];
        let before = admin.read("carla", stamps).unwrap();
        assert_eq!(before.texts("createTimestamp"), ["20260601120140Z"]);
        assert_eq!(before.texts("modifyTimestamp"), ["20260601120140Z"]);
        assert_eq!(before.texts("creatorsName"), ["cn=admin,dc=example,dc=com"]);
        assert_eq!(before.texts("modifiersName"), ["cn=admin,dc=example,dc=com"]);
        scene.wait(60);
        scene.root().change("dn: carla\nchangetype: modify\nreplace: mail\nmail: c@example.com\n-\n").unwrap();
        let after = admin.read("carla", stamps).unwrap();
        for same in ["createTimestamp", "creatorsName", "entryUUID"] {
            assert_eq!(before.texts(same), after.texts(same), "{same}");
        }
        assert_eq!(after.texts("modifyTimestamp"), ["20260601120240Z"]);
        assert_ne!(after.texts("modifiersName"), before.texts("modifiersName"));
        assert!(after.texts("entryCSN") > before.texts("entryCSN"));
        let rename = "dn: carla\nchangetype: modrdn\nnewrdn: uid=Carlotta\ndeleteoldrdn: 1\n";
        admin.change(rename).unwrap();
        assert_eq!(admin.values("carlotta", "entryUUID"), before.texts("entryUUID"));
        assert_eq!(admin.values("carlotta", "entryDN"), ["uid=Carlotta,ou=people,dc=example,dc=com"]);
    }

    /// X.501 hasSubordinates and its like are derived, and can be searched for as well (sharp edge 4).
    fn derived_attributes_are_returned_and_found_by(scene) {
        let bob = scene.client("bob");
        for (name, has, count) in [("ou=people", "TRUE", "4"), ("alice", "FALSE", "0"), ("ou=policies", "TRUE", "1")] {
            assert_eq!(bob.values(name, "hasSubordinates"), [has]);
            assert_eq!(bob.values(name, "numSubordinates"), [count]);
            assert_eq!(bob.values(name, "subschemaSubentry"), ["cn=Subschema"]);
        }
        assert_eq!(bob.find("(hasSubordinates=TRUE)"), ["", "ou=groups", "ou=people", "ou=policies"]);
        assert_eq!(bob.find("(numSubordinates>=4)"), ["", "ou=people"]);
        let staff = "cn=Staff, ou=groups, dc=example,dc=com";
        assert_eq!(bob.find(&format!("(memberOf={staff})")), ["uid=alice,ou=people", "uid=bob,ou=people"]);
        assert_eq!(bob.find(&format!("(&(isMemberOf={staff})(uid=bob))")), ["uid=bob,ou=people"]);
        let others = ["uid=hanna,ou=people", "uid=henry,ou=people"];
        assert_eq!(bob.find(&format!("(&(uid=*)(!(memberOf={staff})))")), others);
        assert_eq!(bob.find("(entryDN=UID=bob,ou=people,dc=example,dc=com)"), ["uid=bob,ou=people"]);
        let uuid = bob.values("bob", "entryUUID").concat();
        assert_eq!(bob.find(&format!("(entryUUID={})", uuid.to_uppercase())), ["uid=bob,ou=people"]);
    }
}
