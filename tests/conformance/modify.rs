//! Modify (RFC 4511 §4.6), of everything but passwords.

use keystead::directory::ResultCode::{
    AttributeOrValueExists, ConstraintViolation, InsufficientAccessRights, InvalidAttributeSyntax, NoSuchAttribute,
    NoSuchObject, NotAllowedOnRdn, ObjectClassModsProhibited, ObjectClassViolation, ProtocolError,
    UndefinedAttributeType,
};
use keystead::protocol::Request;
use keystead::protocol::request::ModifyRequest;

use crate::scene::{full, result};
use crate::sentences;

/// A change of alice.
fn alice(lines: &str) -> String {
    format!("dn: alice\nchangetype: modify\n{lines}-\n")
}

sentences! {
    /// RFC 4511 §4.6: what add, delete and replace do.
    fn values_are_added_deleted_and_replaced(scene) {
        let root = scene.root();
        for (lines, mail) in [
            ("add: mail\nmail: a@b\nmail: c@d\n", &["alice@example.com", "a@b", "c@d"][..]),
            ("delete: mail\nmail: ALICE@example.com\n", &["a@b", "c@d"]),
            ("replace: MAIL\nmail: e@f\n", &["e@f"]),
            ("delete: mail\n", &[]),
            ("replace: mail\n", &[]),
            ("replace: mail\nmail: g@h\nmail: i@j\n", &["g@h", "i@j"]),
            ("delete: mail\nmail: i@j\nmail: g@h\n", &[]),
            ("add: rfc822Mailbox\nrfc822Mailbox: k@l\n", &["k@l"]),
            ("replace: mail\n", &[]),
        ] {
            assert_eq!(root.change(&alice(lines)), Ok(()), "{lines}");
            assert_eq!(root.values("alice", "mail"), mail, "{lines}");
        }
    }

    /// RFC 4511 §4.6: adding a value that exists, or twice in one request, is attributeOrValueExists, by the equality
    /// rule (sharp edge 13).
    fn a_value_that_exists_cannot_be_added(scene) {
        for lines in [
            "add: mail\nmail: ALICE@Example.com\n",
            "add: mail\nmail: a@b\nmail: A@B\n",
            "replace: mail\nmail: a@b\nmail: A@B\n",
            "add: cn\ncn: alice   ADAMS\n",
            "add: objectClass\nobjectClass: PERSON\n",
            "add: objectClass\nobjectClass: 2.5.6.6\n",
            "add: mail\nmail: a@b\n-\nadd: mail\nmail: A@b\n",
            "add: preferredLanguage\npreferredLanguage: de\npreferredLanguage: DE\n",
        ] {
            assert_eq!(scene.root().change(&alice(lines)), Err(AttributeOrValueExists), "{lines}");
        }
        assert_eq!(scene.root().values("alice", "mail"), ["alice@example.com"]);
    }

    /// RFC 4511 §4.6: deleting what is not there is noSuchAttribute.
    fn what_is_not_there_cannot_be_deleted(scene) {
        for lines in [
            "delete: title\n",
            "delete: title\ntitle: x\n",
            "delete: mail\nmail: bob@example.com\n",
            "delete: mail\nmail: alice@example.com\nmail: bob@example.com\n",
            "delete: mail\nmail: alice@example.com\nmail: ALICE@example.com\n",
            "delete: mail;lang-de\n",
            "delete: mail\n-\ndelete: mail\n",
            "delete: userPassword;x-old\n-\ndelete: title\n",
        ] {
            assert_eq!(scene.root().change(&alice(lines)), Err(NoSuchAttribute), "{lines}");
        }
        assert_eq!(scene.root().values("alice", "mail"), ["alice@example.com"]);
    }

    /// RFC 4511 §4.6: "The modifications ... MUST be performed in the order they are listed as a single atomic
    /// operation"; whether the entry conforms to the schema is looked at when all are done.
    fn a_modify_is_done_whole_or_not_at_all(scene) {
        let root = scene.root();
        assert_eq!(root.change(&alice("replace: mail\nmail: new@b\n-\ndelete: title\n")), Err(NoSuchAttribute));
        assert_eq!(root.values("alice", "mail"), ["alice@example.com"]);
        root.change(&alice("delete: sn\n-\nadd: sn\nsn: Allen\n-\nadd: title\ntitle: x\n-\ndelete: title\n")).unwrap();
        assert_eq!(root.values("alice", "sn"), ["Allen"]);
        let several = "add: displayName\ndisplayName: a\n-\nadd: displayName\ndisplayName: b\n-\n\
                       delete: displayName\ndisplayName: a\n";
        root.change(&alice(several)).unwrap();
        assert_eq!(root.values("alice", "displayName"), ["b"]);
    }

    /// RFC 4512 §2.4 and §2.5: what is left must be a legal entry; the words say why it is not.
    fn what_is_left_must_be_a_legal_entry(scene) {
        for (lines, code, words) in [
            ("delete: sn\n", ObjectClassViolation, "requires the attribute sn"),
            ("replace: homeDirectory\n", ObjectClassViolation, "posixAccount requires the attribute homeDirectory"),
            ("delete: objectClass\n", ObjectClassViolation, "the entry has no objectClass"),
            ("delete: objectClass\nobjectClass: posixAccount\n", ObjectClassViolation, "is not allowed"),
            ("add: o\no: Example\n-\nadd: c\nc: DE\n", ObjectClassViolation, "the attribute c is not allowed"),
            ("add: objectClass\nobjectClass: groupOfNames\n", ObjectClassViolation, "two structural object classes"),
            ("add: objectClass\nobjectClass: nosuch\n", InvalidAttributeSyntax, "\"nosuch\" is not in the schema"),
            ("replace: objectClass\nobjectClass: account\n", ObjectClassModsProhibited, "inetOrgPerson to account"),
            ("delete: objectClass\nobjectClass: inetOrgPerson\n", ObjectClassModsProhibited, "to organizationalPerson"),
            ("replace: objectClass\nobjectClass: pilotPerson\n", ObjectClassModsProhibited, "to pilotPerson"),
            ("add: nosuch\nnosuch: x\n", UndefinedAttributeType, "\"nosuch\" is not in the schema"),
            ("delete: nosuch\n", UndefinedAttributeType, "\"nosuch\" is not in the schema"),
            ("replace: uidNumber\nuidNumber: x\n", InvalidAttributeSyntax, "must be a whole number"),
            ("add: seeAlso\nseeAlso: bob\n", InvalidAttributeSyntax, "must be a distinguished name"),
            ("add: uidNumber\nuidNumber: 1\n", ConstraintViolation, "uidNumber takes one value only"),
            ("replace: displayName\ndisplayName: a\ndisplayName: b\n", ConstraintViolation, "takes one value only"),
            ("replace: creatorsName\ncreatorsName: cn=me\n", ConstraintViolation, "set by the server only"),
            ("replace: memberOf\nmemberOf: cn=a\n", ConstraintViolation, "memberOf is set by the server only"),
            ("delete: entryUUID\n", ConstraintViolation, "entryUUID is set by the server only"),
            ("delete: structuralObjectClass\n", ConstraintViolation, "set by the server only"),
            ("replace: pwdChangedTime\n", ConstraintViolation, "pwdChangedTime is set by the server only"),
            ("delete: pwdHistory\n", ConstraintViolation, "pwdHistory is set by the server only"),
            ("delete: pwdFailureTime\n", ConstraintViolation, "pwdFailureTime is set by the server only"),
        ] {
            let result = scene.root().change_with(&alice(lines), &[]).result;
            assert_eq!(result.code, code, "{lines}{}", result.diagnostic_message);
            assert!(result.diagnostic_message.contains(words), "{lines}{}", result.diagnostic_message);
        }
        let root = scene.root();
        let classes = ["inetOrgPerson", "organizationalPerson", "person", "posixAccount", "shadowAccount", "top"];
        let mut own = root.values("alice", "objectClass");
        own.sort();
        assert_eq!(own, classes);
    }

    /// RFC 4511 §4.6: "The Modify operation cannot be used to remove from an entry any of its distinguished values";
    /// the code is notAllowedOnRDN.
    fn the_values_of_the_name_stay(scene) {
        let root = scene.root();
        for lines in [
            "delete: uid\n",
            "delete: uid\nuid: ALICE\n",
            "replace: uid\nuid: alicia\n",
            "replace: uid\n",
            "delete: userid\n-\nadd: uid\nuid: b\n",
        ] {
            assert_eq!(root.change(&alice(lines)), Err(NotAllowedOnRdn), "{lines}");
        }
        for lines in ["add: uid\nuid: alicia\n", "replace: uid\nuid: Alice\nuid: al\n", "delete: uid\nuid: al\n"] {
            assert_eq!(root.change(&alice(lines)), Ok(()), "{lines}");
        }
        assert_eq!(root.values("alice", "uid"), ["Alice"]);
        let suffix = "dn: dc=example,dc=com\nchangetype: modify\nreplace: dc\ndc: other\n-\n";
        assert_eq!(root.change(suffix), Err(NotAllowedOnRdn));
    }

    /// RFC 4525 §2: increment adds one number to every value.
    fn increment_adds_a_number(scene) {
        let root = scene.root();
        for (lines, answer) in [
            ("increment: uidNumber\nuidNumber: 1\n", Ok(())),
            ("increment: uidNumber\nuidNumber: -10\n", Ok(())),
            ("increment: uidNumber\nuidNumber: 0\n-\nincrement: gidNumber\ngidNumber: 5\n", Ok(())),
            ("increment: uidNumber\nuidNumber: 1\nuidNumber: 2\n", Err(ProtocolError)),
            ("increment: uidNumber\n", Err(ProtocolError)),
            ("increment: uidNumber\nuidNumber: x\n", Err(ConstraintViolation)),
            ("increment: uidNumber\nuidNumber: 1.5\n", Err(ConstraintViolation)),
            ("increment: uidNumber\nuidNumber: 9223372036854775807\n", Err(ConstraintViolation)),
            ("increment: cn\ncn: 1\n", Err(ConstraintViolation)),
            ("increment: shadowMax\nshadowMax: 1\n", Err(NoSuchAttribute)),
            ("increment: nosuch\nnosuch: 1\n", Err(UndefinedAttributeType)),
            ("increment: pwdTemporaryUses\npwdTemporaryUses: 1\n", Err(ConstraintViolation)),
        ] {
            assert_eq!(root.change(&alice(lines)), answer, "{lines}");
        }
        assert_eq!(root.values("alice", "uidNumber"), ["4992"]);
        assert_eq!(root.values("alice", "gidNumber"), ["5005"]);
        let steps = (0..5).map(|_| alice("increment: uidNumber\nuidNumber: 1\n") + "\n").collect::<String>();
        root.change(&steps).unwrap();
        assert_eq!(root.find("(uidNumber=4997)"), ["uid=alice,ou=people"]);
    }

    /// RFC 4512 §2.5.2: an attribute with options is an attribute of its own.
    fn attributes_with_options_are_changed_apart(scene) {
        let root = scene.root();
        root.change(&alice("add: cn;lang-DE\ncn;lang-DE: Alizia\n-\nadd: cn;lang-fr\ncn;lang-fr: Alizia\n")).unwrap();
        assert_eq!(root.change(&alice("add: CN;Lang-de\nCN;Lang-de: ALIZIA\n")), Err(AttributeOrValueExists));
        root.change(&alice("delete: cn;lang-de\n")).unwrap();
        assert_eq!(root.find("(cn;lang-de=*)"), [""; 0]);
        assert_eq!(root.find("(cn=alizia)"), ["uid=alice,ou=people"]);
        root.change(&alice("replace: cn\ncn: Alice\n")).unwrap();
        assert_eq!(root.find("(cn=alizia)"), ["uid=alice,ou=people"]);
        root.change(&alice("delete: cn;lang-fr\n")).unwrap();
        assert_eq!(root.find("(cn=alizia)"), [""; 0]);
    }

    /// What is found follows what is changed, also where the same value stands in several attributes and entries.
    fn searches_find_what_was_changed(scene) {
        let root = scene.root();
        scene.share_everything();
        root.change(&alice("replace: mail\nmail: BOB@example.com\n")).unwrap();
        assert_eq!(root.find("(mail=bob@example.com)"), ["uid=alice,ou=people", "uid=bob,ou=people"]);
        root.change(&alice("replace: mail\nmail: bob@EXAMPLE.com\n")).unwrap();
        assert_eq!(root.find("(mail=bob@example.com)"), ["uid=alice,ou=people", "uid=bob,ou=people"]);
        root.change(&alice("delete: mail\n")).unwrap();
        for (filter, found) in [("(mail=bob@example.com)", &["uid=bob,ou=people"][..]), ("(mail=alice*)", &[])] {
            assert_eq!(root.find(filter), found);
        }
        assert_eq!(root.find("(mail=*)").len(), 3);
        let bob = "delete: member\nmember: UID=bob, OU=people,DC=example,DC=com\n-\n";
        root.change(&format!("dn: cn=staff,ou=groups\nchangetype: modify\n{bob}")).unwrap();
        assert_eq!(root.find("(memberOf=cn=staff,ou=groups,dc=example,dc=com)"), ["uid=alice,ou=people"]);
    }

    /// RFC 4511 §4.6 has at least one modification in mind; a request without any changes nothing, and is no way to
    /// find out whether an entry exists.
    fn a_modify_without_modifications_tells_nothing(scene) {
        let nothing = |name: &str| Request::Modify(ModifyRequest { object: full(name), changes: vec![] });
        for name in ["alice", "nobody"] {
            assert_eq!(result(&scene.anonymous().send(&nothing(name), &[])), Err(NoSuchObject), "{name}");
        }
        let before = scene.root().read("alice", &["*", "+"]);
        scene.wait(5);
        assert_eq!(result(&scene.client("bob").send(&nothing("alice"), &[])), Ok(()));
        assert_eq!(result(&scene.client("bob").send(&nothing("nobody"), &[])), Err(NoSuchObject));
        assert_eq!(scene.root().read("alice", &["*", "+"]), before);
    }

    /// Only those with the right change an attribute, and a refusal tells no more than a search would.
    fn only_those_with_the_right_change_attributes(scene) {
        let change = alice("replace: mail\nmail: x@y\n");
        assert_eq!(scene.client("bob").change(&change), Err(InsufficientAccessRights));
        assert_eq!(scene.client("alice").change(&change), Err(InsufficientAccessRights));
        assert_eq!(scene.client("hanna").change(&change), Err(InsufficientAccessRights));
        assert_eq!(scene.anonymous().change(&change), Err(NoSuchObject));
        assert_eq!(scene.client("cn=admin").change(&change), Ok(()));
        assert_eq!(scene.root().change("dn: nobody\nchangetype: modify\nadd: mail\nmail: a@b\n-\n"), Err(NoSuchObject));
    }
}
