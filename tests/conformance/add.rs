//! Add (RFC 4511 §4.7).

use keystead::directory::ResultCode::{
    AdminLimitExceeded, AttributeOrValueExists, ConstraintViolation, EntryAlreadyExists, InsufficientAccessRights,
    InvalidAttributeSyntax, InvalidDnSyntax, NamingViolation, NoSuchObject, ObjectClassViolation, ProtocolError,
    UndefinedAttributeType, UnwillingToPerform,
};
use keystead::directory::{ResultCode, ldif};
use keystead::protocol::Request;
use keystead::protocol::request::AddRequest;

use crate::scene::{full, result};
use crate::sentences;

/// An entry that may be added, with some lines more.
fn carla(lines: &str) -> String {
    format!("dn: carla\nobjectClass: inetOrgPerson\ncn: Carla\nsn: Cole\n{lines}")
}

sentences! {
    /// RFC 4522 §3: "attribute options ... ;binary": certificates are one attribute with it and without, and answered with it. Of
    /// other types it makes what is not known.
    fn a_certificate_is_kept_once_however_it_is_asked_for(scene) {
        let root = scene.root();
        let change = |verb: &str, name: &str, value: &str| {
            root.change(&format!("dn: alice\nchangetype: modify\n{verb}: {name}\n{name}:: {value}\n-\n"))
        };
        // The DER of two sequences.
        let (one, two) = ("MAMCAQE=", "MAMCAQI=");
        assert_eq!(change("add", "userCertificate", one), Ok(()));
        assert_eq!(change("add", "userCertificate;binary", one), Err(AttributeOrValueExists));
        assert_eq!(change("add", "userCertificate;binary", two), Ok(()));
        for asked in ["userCertificate", "userCertificate;binary", "*"] {
            let entry = root.read("alice", &[asked]).unwrap();
            let found: Vec<&str> = entry.names().into_iter().filter(|name| name.starts_with("userCert")).collect();
            assert_eq!(found, ["userCertificate;binary"], "{asked}");
        }
        for filter in ["(userCertificate=*)", "(userCertificate;binary=*)", "(userCertificate=\\30\\03\\02\\01\\02)"] {
            assert_eq!(root.find(filter), ["uid=alice,ou=people"], "{filter}");
        }
        assert_eq!(root.find("(!(userCertificate={ serialNumber 1, issuer \"cn=ca\" }))"), [""; 0]);
        assert_eq!(change("delete", "userCertificate", one), Ok(()));
        assert_eq!(change("replace", "userCertificate", one), Ok(()));
        for other in ["cn;binary", "jpegPhoto;binary"] {
            assert_eq!(change("add", other, one), Err(UndefinedAttributeType), "{other}");
        }
    }

    /// RFC 3866 §2.1: a language range is for asking, and nothing is kept under it.
    fn nothing_is_kept_under_a_language_range(scene) {
        let root = scene.root();
        let person = |option: &str| format!("dn: carol\nobjectClass: inetOrgPerson\ncn: Carol\nsn: C\ncn{option}: Karola\n");
        assert_eq!(root.change(&person(";lang-de-")), Err(UndefinedAttributeType));
        assert_eq!(root.change(&person(";lang-")), Err(UndefinedAttributeType));
        let add = "dn: alice\nchangetype: modify\nadd: cn;lang-de-\ncn;lang-de-: Alizia\n-\n";
        assert_eq!(root.change(add), Err(UndefinedAttributeType));
        assert_eq!(root.change(&person(";lang-de-ch")), Ok(()));
        assert_eq!(root.find("(cn;lang-de-=karola)"), ["uid=carol,ou=people"]);
    }

    /// RFC 4511 §4.7: "the entry ... MUST NOT exist for the `AddRequest` to succeed".
    fn an_entry_that_exists_cannot_be_added(scene) {
        for name in ["uid=alice,ou=people", "uid=ALICE, ou=People", "userid=\\61lice,ou=people"] {
            let again = format!("dn: {name},dc=example,dc=com\nobjectClass: inetOrgPerson\ncn: a\nsn: b\n");
            assert_eq!(scene.root().change(&again), Err(EntryAlreadyExists), "{name}");
        }
        assert_eq!(scene.root().change("dn: dc=example,dc=com\nobjectClass: domain\n"), Err(EntryAlreadyExists));
        assert_eq!(scene.client("bob").values("alice", "sn"), ["Adams"]);
    }

    /// RFC 4511 §4.7: the immediate superior must exist; otherwise noSuchObject comes with the matched name. A name
    /// below none of the suffixes is refused as such (sharp edge 18).
    fn the_superior_of_an_added_entry_must_exist(scene) {
        let alice = "uid=alice,ou=people,dc=example,dc=com";
        for (name, code, matched) in [
            ("dc=x,ou=nowhere,dc=example,dc=com", NoSuchObject, "dc=example,dc=com"),
            ("dc=x,cn=y,UID=Alice,ou=people,dc=example,dc=com", NoSuchObject, alice),
            ("dc=x,dc=other,dc=org", UnwillingToPerform, ""),
            ("dc=org", UnwillingToPerform, ""),
            ("dc=com", UnwillingToPerform, ""),
        ] {
            let response = scene.root().change_with(&format!("dn: {name}\nobjectClass: domain\n"), &[]);
            assert_eq!((response.result.code, response.result.matched_dn.as_str()), (code, matched), "{name}");
        }
        let root = AddRequest { entry: String::new(), attributes: vec![("cn".into(), vec![b"x".to_vec()])] };
        assert_eq!(result(&scene.root().send(&Request::Add(root), &[])), Err(UnwillingToPerform));
    }

    /// RFC 4511 §4.1.3 and §4.1.4: a malformed name is invalidDNSyntax; an unknown attribute, undefinedAttributeType.
    fn what_cannot_be_read_is_not_added(scene) {
        for (record, code) in [
            ("dn: uid=x,,dc=example,dc=com\nobjectClass: device\n", InvalidDnSyntax),
            ("dn: nosuch=x,ou=people\nobjectClass: device\ncn: x\n", UndefinedAttributeType),
            ("dn: cn=x,ou=people\nobjectClass: device\nnosuch: x\n", UndefinedAttributeType),
            ("dn: cn=x,ou=people\nobjectClass: device\ncn;: x\n", UndefinedAttributeType),
            ("dn: cn=x,ou=people\nobjectClass: device\n1.2.3.4: x\n", UndefinedAttributeType),
            ("dn: cn=x,ou=people\nobjectClass: nosuch\n", InvalidAttributeSyntax),
            ("dn: cn=x,ou=people\nobjectClass: device\nobjectClass:\n", InvalidAttributeSyntax),
        ] {
            assert_eq!(scene.root().change(record), Err(code), "{record}");
        }
        let empty = AddRequest { entry: full("cn=x,ou=people"), attributes: vec![("cn".into(), vec![])] };
        assert_eq!(result(&scene.root().send(&Request::Add(empty), &[])), Err(ProtocolError));
        assert_eq!(scene.client("bob").find("(cn=x)"), [""; 0]);
    }

    /// RFC 4512 §2.4: an entry conforms to its object classes; the words say how it does not.
    fn an_entry_must_conform_to_its_object_classes(scene) {
        for (record, words) in [
            ("dn: carla\ncn: a\nsn: b\n", "the entry has no objectClass"),
            ("dn: cn=a\nobjectClass: top\n", "the entry has no structural object class"),
            ("dn: cn=a\nobjectClass: shadowAccount\nuid: a\n", "the entry has no structural object class"),
            (
                "dn: cn=a\nobjectClass: person\nobjectClass: device\nsn: b\n",
                "the entry has two structural object classes, person and device, of which neither derives from the \
                 other",
            ),
            ("dn: cn=a\nobjectClass: person\n", "object class person requires the attribute sn"),
            ("dn: cn=a\nobjectClass: inetOrgPerson\n", "object class inetOrgPerson requires the attribute sn"),
            ("dn: cn=a\nobjectClass: alias\n", "object class alias requires the attribute aliasedObjectName"),
            (
                "dn: cn=a\nobjectClass: device\nmail: a@b\n",
                "the attribute mail is not allowed by the entry's object classes",
            ),
            (
                "dn: uid=a\nobjectClass: person\ncn: a\nsn: b\n",
                "the attribute uid is not allowed by the entry's object classes",
            ),
            (
                "dn: cn=a\nobjectClass: groupOfNames\nmember:\nuserPassword: a long password\n",
                "the attribute userPassword is not allowed by the entry's object classes",
            ),
        ] {
            let response = scene.root().change_with(record, &[]);
            assert_eq!(response.result.code, ObjectClassViolation, "{record}");
            assert_eq!(response.result.diagnostic_message, words, "{record}");
        }
    }

    /// RFC 4512 §2.5.1, RFC 4517 §3: values must be legal, one where one is allowed, and no two equal.
    fn values_must_be_legal(scene) {
        for (lines, code, words) in [
            ("title:\n", InvalidAttributeSyntax, "the value of title must be UTF-8 text that is not empty"),
            ("title:: /w==\n", InvalidAttributeSyntax, "the value of title must be UTF-8 text that is not empty"),
            ("mail: ä@example.com\n", InvalidAttributeSyntax, "the value of mail may hold ASCII characters only"),
            ("seeAlso: bob\n", InvalidAttributeSyntax, "the value of seeAlso must be a distinguished name (RFC 4514)"),
            ("telephoneNumber:\n", InvalidAttributeSyntax, "the value of telephoneNumber must be a telephone number"),
            ("preferredLanguage: de\npreferredLanguage: en\n", ConstraintViolation, "takes one value only"),
            ("title: a\ntitle: A\n", AttributeOrValueExists, "a value of title is given twice"),
            ("seeAlso: cn=a,dc=b\nseeAlso: CN=A, DC=B\n", AttributeOrValueExists, "a value of seeAlso is given twice"),
            ("objectClass: person\nobjectClass: PERSON\n", AttributeOrValueExists, "given twice"),
        ] {
            let result = scene.root().change_with(&carla(lines), &[]).result;
            assert_eq!(result.code, code, "{lines}");
            assert!(result.diagnostic_message.contains(words), "{lines}{}", result.diagnostic_message);
        }
        let gid = "objectClass: posixAccount\nuidNumber: 1\nhomeDirectory: /\ngidNumber: ";
        for number in ["05", "5.0", "+5", "-0", "five", ""] {
            let added = scene.root().change(&carla(&format!("{gid}{number}\n")));
            assert_eq!(added, Err(InvalidAttributeSyntax), "{number}");
        }
        assert_eq!(scene.root().change(&carla(&format!("{gid}-5\n"))), Ok(()));
    }

    /// RFC 4511 §4.7: clients must not supply NO-USER-MODIFICATION attributes, "as they are maintained by the server".
    fn attributes_that_the_server_maintains_cannot_be_added(scene) {
        for line in [
            "createTimestamp: 20260101000000Z", "creatorsName: cn=me",
            "entryUUID: 597ae2f6-16a6-1027-98f4-d28b5365dc14", "structuralObjectClass: person",
            "memberOf: cn=administrators,ou=groups,dc=example,dc=com", "hasSubordinates: TRUE",
            "subschemaSubentry: cn=mine", "entryDN: cn=mine", "entryCSN: x", "pwdChangedTime: 20260101000000Z",
            "pwdHistory: x", "pwdFailureTime: 20260101000000Z", "pwdReset: FALSE",
            "pwdAccountLockedTime: 000001010000Z", "pwdScheme: clear", "pwdHashCost: rounds=1",
        ] {
            let response = scene.root().change_with(&carla(&format!("{line}\n")), &[]);
            assert_eq!(response.result.code, ConstraintViolation, "{line}");
            let name = line.split(':').next().unwrap();
            assert_eq!(response.result.diagnostic_message, format!("the attribute {name} is set by the server only"));
        }
    }

    /// RFC 4511 §4.7: "the server ... MUST ... include the attribute values that the RDN holds": they are added if they
    /// are missing (sharp edge 15), by their rule.
    fn values_of_the_name_are_added(scene) {
        let root = scene.root();
        root.change("dn: cn=Doe\\, J+uid=doe,ou=people\nobjectClass: inetOrgPerson\nsn: Doe\ncn: John\n").unwrap();
        assert_eq!(root.values("uid=DOE+cn=doe\\, j,ou=people", "cn"), ["John", "Doe, J"]);
        assert_eq!(root.values("uid=DOE+cn=doe\\, j,ou=people", "uid"), ["doe"]);
        root.change("dn: cn=Same  Name,ou=people\nobjectClass: person\nsn: x\ncn: same name\n").unwrap();
        assert_eq!(root.values("cn=same name,ou=people", "cn"), ["same name"]);
        assert_eq!(root.find("(cn=doe, j)"), ["cn=Doe\\, J+uid=doe,ou=people"]);
    }

    /// RFC 4512 §2.3.1: what is secret or the server's own names no entry; nor does what is no value.
    fn a_name_is_made_of_attributes_that_may_name(scene) {
        for (record, code) in [
            ("dn: userPassword=secret,ou=people\nobjectClass: person\ncn: a\nsn: b\n", NamingViolation),
            ("dn: entryUUID=x,ou=people\nobjectClass: device\ncn: a\n", NamingViolation),
            ("dn: memberOf=cn=a+cn=a,ou=people\nobjectClass: device\n", NamingViolation),
            ("dn: cn=,ou=people\nobjectClass: device\n", InvalidAttributeSyntax),
            ("dn: dc=ä,ou=people\nobjectClass: domain\n", InvalidAttributeSyntax),
        ] {
            assert_eq!(scene.root().change(record), Err(code), "{record}");
        }
    }

    /// RFC 4512 §2.4.2 and §3.3: superclasses are completed; names are spelled as the schema spells them.
    fn object_classes_are_completed(scene) {
        let root = scene.root();
        let classes = "objectClass: INETORGPERSON\nOBJECTCLASS: 1.3.6.1.1.1.2.1\n";
        root.change(&format!("dn: carla\n{classes}Surname: Cole\n2.5.4.3: Carla\n")).unwrap();
        let expected = ["inetOrgPerson", "organizationalPerson", "person", "shadowAccount", "top"];
        assert_eq!(root.values("carla", "objectClass"), expected);
        assert_eq!(root.values("carla", "structuralObjectClass"), ["inetOrgPerson"]);
        let names = root.read("carla", &["*"]).unwrap();
        assert_eq!(names.names(), ["objectClass", "sn", "cn", "uid"]);
    }

    /// RFC 4511 §4.7: whatever octets an attribute has, they come back as they were.
    fn values_come_back_as_they_were_sent(scene) {
        let octets: Vec<u8> = (0..=255).collect();
        let mut record = carla("description:  spaces  inside \ndescription: Ünïcödé \u{1f600}\n").into_bytes();
        ldif::write_attribute(&mut record, "jpegPhoto", &octets);
        ldif::write_attribute(&mut record, "jpegPhoto", &vec![7; 100_000]);
        ldif::write_attribute(&mut record, "jpegPhoto", b"");
        ldif::write_attribute(&mut record, "description", b" leading and trailing ");
        let root = scene.root();
        root.change(std::str::from_utf8(&record).unwrap()).unwrap();
        let entry = root.read("carla", &["jpegPhoto", "description"]).unwrap();
        let photos = entry.attributes.iter().find(|(name, _)| name == "jpegPhoto").unwrap();
        assert_eq!(photos.1, [octets, vec![7; 100_000], vec![]]);
        let text = ["spaces  inside ", "Ünïcödé \u{1f600}", " leading and trailing "];
        assert_eq!(entry.texts("description"), text);
    }

    /// RFC 4511 §4.1.9: adminLimitExceeded for an entry larger than the server takes.
    fn an_entry_larger_than_the_server_takes_is_refused(scene) {
        scene.configure(|services| services.limits.entry_octets = 5_000);
        let large = carla(&format!("description: {}\n", "x".repeat(6_000)));
        assert_eq!(scene.root().change(&large), Err(AdminLimitExceeded));
        assert_eq!(scene.root().change(&carla("")), Ok(()));
        let grow = format!("dn: carla\nchangetype: modify\nadd: title\ntitle: {}\n-\n", "x".repeat(6_000));
        assert_eq!(scene.root().change(&grow), Err(AdminLimitExceeded));
    }

    /// Nobody adds entries but those whom a rule grants it to; the refusal tells no more than a search would.
    fn only_those_with_the_right_add_entries(scene) {
        let expect = |code: ResultCode, name: &str| {
            let answered = match name {
                "" => scene.anonymous().change(&carla("")),
                name => scene.client(name).change(&carla("")),
            };
            assert_eq!(answered, Err(code), "{name}");
        };
        expect(InsufficientAccessRights, "bob");
        expect(InsufficientAccessRights, "hanna");
        expect(NoSuchObject, "");
        assert_eq!(scene.client("cn=admin").change(&carla("")), Ok(()));
    }
}
