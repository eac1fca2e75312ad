//! Changing the schema online (RFC 4512 §4.4): definitions are added, changed and deleted by modifying the subschema
//! subentry, and nothing is taken away that an entry uses.

use keystead::directory::ResultCode::{
    self, AttributeOrValueExists, ConstraintViolation, InsufficientAccessRights, InvalidAttributeSyntax,
    NoSuchAttribute, ObjectClassViolation, UndefinedAttributeType, UnwillingToPerform,
};
use keystead::directory::tree::Scope::{BaseObject, WholeSubtree};
use keystead::directory::tree::{CommitError, Committed, Directory};
use keystead::operations::root_dse::SUBSCHEMA;
use keystead::protocol::RawControl;

use crate::scene::{Client, SUFFIX, only, result, rule};
use crate::sentences;

const SIZE: &str = "( 1.3.6.1.4.1.99999.1.1 NAME 'shoeSize' DESC 'worn' EQUALITY integerMatch \
                    ORDERING integerOrderingMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 )";
const WEARER: &str = "( 1.3.6.1.4.1.99999.2.1 NAME 'wearer' SUP top AUXILIARY MUST shoeSize MAY drink )";

/// Of the class `account`.
const ACCOUNTS: &str = "( 0.9.2342.19200300.100.4.5 NAME 'accounts' AUX wearer MUST seeAlso MAY cn NOT host )";

const DORA: &str = "dn: dora\nobjectClass: account\nobjectClass: wearer\nshoeSize: 42\n";

/// What becomes of changes to the schema; each is a verb, an attribute and values.
fn change<D: Directory>(client: &Client<'_, D>, changes: &[(&str, &str, &[&str])]) -> Result<(), ResultCode> {
    client.change(&record(changes))
}

fn record(changes: &[(&str, &str, &[&str])]) -> String {
    let part = |(verb, attribute, values): &(&str, &str, &[&str])| {
        let lines: Vec<String> = values.iter().map(|value| format!("{attribute}: {value}\n")).collect();
        format!("{verb}: {attribute}\n{}-\n", lines.concat())
    };
    format!("dn: cn=Subschema\nchangetype: modify\n{}", changes.iter().map(part).collect::<Vec<_>>().concat())
}

fn add_both<D: Directory>(client: &Client<'_, D>) {
    assert_eq!(change(client, &[("add", "attributeTypes", &[SIZE]), ("add", "objectClasses", &[WEARER])]), Ok(()));
}

/// What the subschema subentry says.
fn published<D: Directory>(client: &Client<'_, D>, attribute: &str) -> Vec<String> {
    only(&client.search(SUBSCHEMA, BaseObject, "(objectClass=subschema)", &[attribute]).unwrap()).texts(attribute)
}

fn found<D: Directory>(client: &Client<'_, D>, filter: &str) -> usize {
    client.search(SUFFIX, WholeSubtree, filter, &["1.1"]).unwrap().len()
}

fn is_lost(result: &Result<Committed, CommitError>) -> bool {
    matches!(result, Err(CommitError::Conflict))
}

sentences! {
    /// RFC 4512 §4.4: what an administrator adds is published, and entries may use it at once.
    fn what_is_added_can_be_used(scene) {
        let admin = scene.client("cn=admin");
        assert!(admin.change(DORA).is_err());
        add_both(&admin);
        assert!(published(&scene.anonymous(), "attributeTypes").contains(&SIZE.split_ascii_whitespace().collect::<Vec<_>>().join(" ")));
        assert!(published(&scene.anonymous(), "objectClasses").contains(&WEARER.to_owned()));
        let admin = scene.client("cn=admin");
        assert_eq!(admin.change("dn: dora\nobjectClass: account\nobjectClass: wearer\n"), Err(ObjectClassViolation));
        assert_eq!(admin.change(&DORA.replace("42", "large")), Err(InvalidAttributeSyntax));
        assert_eq!(admin.change(DORA), Ok(()));
        for filter in ["(shoeSize=42)", "(shoeSize>=40)", "(objectClass=wearer)", "(1.3.6.1.4.1.99999.1.1=42)"] {
            assert_eq!(found(&scene.client("bob"), filter), 1, "{filter}");
        }
        let dora = scene.client("bob").search("uid=dora,ou=people,dc=example,dc=com", BaseObject, "(objectClass=*)", &["@wearer"]).unwrap();
        assert_eq!(only(&dora).texts("shoeSize"), ["42"]);
    }

    /// Nobody may but whom a rule names for it, or the superuser of the machine.
    fn a_rule_must_grant_it(scene) {
        let add: &[(&str, &str, &[&str])] = &[("add", "attributeTypes", &[SIZE])];
        for client in [scene.client("bob"), scene.client("hanna"), scene.anonymous()] {
            assert_eq!(change(&client, add), Err(InsufficientAccessRights));
        }
        assert_eq!(change(&scene.root(), add), Ok(()));
        scene.rule_by(&[rule("bob", "dn:uid=bob,ou=people,dc=example,dc=com", "entry:cn=Subschema", &["objectClasses"], &["write"])]);
        let bob = scene.client("bob");
        assert_eq!(change(&bob, &[("add", "objectClasses", &[WEARER])]), Ok(()));
        assert_eq!(change(&bob, &[("delete", "attributeTypes", &[SIZE])]), Err(InsufficientAccessRights));
        assert_eq!(change(&scene.root(), add), Err(InsufficientAccessRights));
    }

    /// RFC 4512 §4.1: what is no definition, or does not fit the others, is refused, and the answer says what is wrong.
    fn what_is_wrong_is_told(scene) {
        let root = scene.root();
        let oid = "1.3.6.1.4.1.99999.1.9";
        for (attribute, text, code, words) in [
            ("attributeTypes", "shoeSize".to_owned(), InvalidAttributeSyntax, "parentheses"),
            ("attributeTypes", format!("( {oid} NAME shoeSize )"), InvalidAttributeSyntax, "NAME must be followed by"),
            ("attributeTypes", format!("( {oid} NAME 'shoeSize' )"), ConstraintViolation, "SYNTAX or a SUP"),
            ("attributeTypes", format!("( {oid} NAME 'shoeSize' SUP size )"), ConstraintViolation, "size"),
            ("attributeTypes", format!("( {oid} NAME 'shoeSize' SYNTAX 1.2.3 )"), ConstraintViolation, "1.2.3"),
            ("attributeTypes", format!("( {oid} NAME 'cn' SUP name )"), ConstraintViolation, "\"cn\" is defined already"),
            ("attributeTypes", "( 2.5.4.3 NAME 'mine' SUP name )".to_owned(), AttributeOrValueExists, "2.5.4.3 is defined"),
            ("objectClasses", format!("( {oid} NAME 'wearer' SUP top AUXILIARY MAY size )"), ConstraintViolation, "size"),
            ("objectClasses", format!("( {oid} NAME 'wearer' SUP person AUXILIARY )"), ConstraintViolation, "may not derive"),
            ("dITContentRules", "( 2.5.6.6 NOT sn )".to_owned(), ConstraintViolation, "NOT lists \"sn\""),
            ("description", "mine".to_owned(), UnwillingToPerform, "attributeTypes, objectClasses and dITContentRules"),
        ] {
            let response = root.change_with(&record(&[("add", attribute, &[&text])]), &[]);
            assert_eq!(result(&response), Err(code), "{text}");
            assert!(response.result.diagnostic_message.contains(words), "{text}: {}", response.result.diagnostic_message);
        }
        assert_eq!(change(&root, &[("add", "attributeTypes", &[SIZE]), ("add", "attributeTypes", &[SIZE])]), Err(AttributeOrValueExists));
        assert_eq!(change(&root, &[("add", "noSuch", &["x"])]), Err(UndefinedAttributeType));
        assert!(published(&root, "attributeTypes").iter().all(|text| !text.contains("99999")));
    }

    /// What is built in stays, whatever is asked for.
    fn what_is_built_in_stays(scene) {
        let root = scene.root();
        assert_eq!(change(&root, &[("delete", "dITContentRules", &["( 2.5.6.6 )"])]), Err(NoSuchAttribute));
        for (attribute, value) in [("attributeTypes", "( 2.5.4.3 )"), ("objectClasses", "( 2.5.6.6 NAME 'person' )")] {
            assert_eq!(change(&root, &[("delete", attribute, &[value])]), Err(UnwillingToPerform));
            assert_eq!(change(&root, &[("delete", attribute, &[])]), Err(UnwillingToPerform));
            assert_eq!(change(&root, &[("replace", attribute, &[value])]), Err(UnwillingToPerform));
        }
        assert_eq!(change(&root, &[("delete", "attributeTypes", &["( 1.2.3.4 )"])]), Err(NoSuchAttribute));
    }

    /// RFC 4512 §4.2: values are told apart by the object identifier they begin with, so it is enough to delete one.
    fn the_number_is_enough_to_delete(scene) {
        let root = scene.root();
        add_both(&root);
        assert_eq!(change(&root, &[("delete", "attributeTypes", &["( 1.3.6.1.4.1.99999.1.1 )"])]), Err(UnwillingToPerform));
        assert_eq!(
            change(&root, &[("delete", "objectClasses", &["( 1.3.6.1.4.1.99999.2.1 )"]), ("delete", "attributeTypes", &[SIZE])]),
            Ok(())
        );
        assert!(published(&root, "attributeTypes").iter().all(|text| !text.contains("shoeSize")));
        assert_eq!(change(&root, &[("delete", "attributeTypes", &[SIZE])]), Err(NoSuchAttribute));
    }

    /// What an entry uses is not taken away or narrowed; when no entry does any more, it is.
    fn what_is_in_use_stays(scene) {
        let root = scene.root();
        add_both(&root);
        assert_eq!(root.change(DORA), Ok(()));
        let single = SIZE.replace("SYNTAX 1.3.6.1.4.1.1466.115.121.1.27", "SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE");
        let text = SIZE.replace("integerMatch", "caseIgnoreMatch").replace("ORDERING integerOrderingMatch", "").replace("1.27", "1.15");
        let renamed = SIZE.replace("'shoeSize'", "'size'");
        let cases: &[(&str, &str, &str)] = &[
            ("attributeTypes", SIZE, &single),
            ("attributeTypes", SIZE, &text),
            ("attributeTypes", SIZE, &renamed),
            ("objectClasses", WEARER, &WEARER.replace("MUST shoeSize", "MUST ( shoeSize $ cn )")),
            ("objectClasses", WEARER, &WEARER.replace("MUST shoeSize MAY drink", "MAY drink")),
            ("objectClasses", WEARER, &WEARER.replace(" MAY drink", "")),
            ("objectClasses", WEARER, &WEARER.replace("AUXILIARY", "ABSTRACT")),
            ("objectClasses", WEARER, &WEARER.replace("'wearer'", "'walker'")),
        ];
        for &(attribute, old, new) in cases {
            let response = root.change_with(&record(&[("delete", attribute, &[old]), ("add", attribute, &[new])]), &[]);
            assert_eq!(result(&response), Err(UnwillingToPerform), "{new}");
            assert!(response.result.diagnostic_message.contains("in use"), "{}", response.result.diagnostic_message);
        }
        let both: &[(&str, &str, &[&str])] = &[("delete", "objectClasses", &[WEARER]), ("delete", "attributeTypes", &[SIZE])];
        assert_eq!(change(&root, both), Err(UnwillingToPerform));
        assert_eq!(root.change("dn: dora\nchangetype: delete\n"), Ok(()));
        for &(attribute, old, new) in cases {
            assert_eq!(change(&root, &[("delete", attribute, &[old]), ("add", attribute, &[new])]).and_then(|()|
                change(&root, &[("delete", attribute, &[new]), ("add", attribute, &[old])])),
                // The class names the type, so that it cannot be called otherwise alone.
                if new == renamed { Err(UnwillingToPerform) } else { Ok(()) }, "{new}");
        }
        assert_eq!(change(&root, both), Ok(()));
    }

    /// What is widened may be in use.
    fn what_is_in_use_can_be_widened(scene) {
        let root = scene.root();
        add_both(&root);
        assert_eq!(root.change(DORA), Ok(()));
        let size = SIZE.replace("'shoeSize'", "( 'shoeSize' 'shoe' )").replace("'worn'", "'in Paris points'");
        let wearer = WEARER.replace("MUST shoeSize MAY drink", "MAY ( shoeSize $ drink $ cn )");
        for (attribute, old, new) in [("attributeTypes", SIZE, &size), ("objectClasses", WEARER, &wearer)] {
            assert_eq!(change(&root, &[("delete", attribute, &[old]), ("add", attribute, &[new])]), Ok(()), "{new}");
        }
        assert_eq!(root.change("dn: dora\nchangetype: modify\nadd: cn\ncn: Dora\n"), Ok(()));
        assert_eq!(found(&root, "(shoe=42)"), 1);
    }

    /// Names of entries that an entry holds are read by the schema, and so are access rules in the tree.
    fn what_names_and_rules_say_is_in_use(scene) {
        let root = scene.root();
        assert_eq!(change(&root, &[("add", "attributeTypes", &[SIZE])]), Ok(()));
        let by = "dn: alice\nchangetype: modify\nreplace: manager\nmanager: shoeSize=42,dc=example,dc=com\n";
        assert_eq!(root.change(by), Ok(()));
        assert_eq!(change(&root, &[("delete", "attributeTypes", &[SIZE])]), Err(UnwillingToPerform));
        let by = "dn: alice\nchangetype: modify\nreplace: manager\nmanager: cn=shoeSize,dc=example,dc=com\n";
        assert_eq!(root.change(by), Ok(()));
        assert_eq!(change(&root, &[("delete", "attributeTypes", &[SIZE])]), Ok(()));
    }

    /// RFC 4512 §4.1.6: a content rule that is added holds at once for all entries of its structural class, and no longer when
    /// it is deleted.
    fn a_content_rule_is_obeyed_while_it_is_there(scene) {
        let root = scene.root();
        add_both(&root);
        assert_eq!(change(&root, &[("add", "dITContentRules", &[ACCOUNTS])]), Ok(()));
        assert_eq!(published(&scene.anonymous(), "dITContentRules"), [ACCOUNTS]);
        assert_eq!(change(&root, &[("add", "dITContentRules", &[ACCOUNTS])]), Err(AttributeOrValueExists));
        let account = |name: &str, lines: &str| root.change(&format!("dn: {name}\nobjectClass: account\n{lines}"));
        for bad in [
            "shoeSize: 42\n",
            "seeAlso: dc=example,dc=com\nobjectClass: simpleSecurityObject\n",
            "seeAlso: dc=example,dc=com\nhost: there\n",
        ] {
            assert_eq!(account("dora", bad), Err(ObjectClassViolation), "{bad}");
        }
        let good = "seeAlso: dc=example,dc=com\nobjectClass: wearer\nshoeSize: 42\ncn: Dora\n";
        assert_eq!(account("dora", good), Ok(()));
        assert_eq!(root.change("dn: dora\nchangetype: modify\nadd: host\nhost: there\n"), Err(ObjectClassViolation));
        // What only the rule allows goes first.
        let without: &[(&str, &str, &[&str])] = &[("delete", "dITContentRules", &["( 0.9.2342.19200300.100.4.5 )"])];
        let response = root.change_with(&record(without), &[]);
        assert_eq!(result(&response), Err(UnwillingToPerform));
        assert!(response.result.diagnostic_message.contains("would not be legal any longer"), "{response:?}");
        assert_eq!(root.change("dn: dora\nchangetype: modify\ndelete: cn\n"), Ok(()));
        assert_eq!(change(&root, without), Ok(()));
        assert_eq!(published(&root, "dITContentRules"), [""; 0]);
        assert_eq!(account("emil", "host: there\n"), Ok(()));
        assert_eq!(change(&root, without), Err(NoSuchAttribute));
    }

    /// A rule that an entry does not obey is not added, and what a rule names is in use.
    fn a_content_rule_fits_what_is_there(scene) {
        let root = scene.root();
        add_both(&root);
        assert_eq!(root.change("dn: emil\nobjectClass: account\nhost: there\n"), Ok(()));
        assert_eq!(change(&root, &[("add", "dITContentRules", &[ACCOUNTS])]), Err(UnwillingToPerform));
        assert_eq!(root.change("dn: emil\nchangetype: modify\ndelete: host\n-\nadd: seeAlso\nseeAlso: dc=x\n"), Ok(()));
        assert_eq!(change(&root, &[("add", "dITContentRules", &[ACCOUNTS])]), Ok(()));
        let narrower = ACCOUNTS.replace("MUST seeAlso", "MUST ( seeAlso $ l )");
        let instead = |text: &str| change(&root, &[("replace", "dITContentRules", &[text])]);
        assert_eq!(instead(&narrower), Err(UnwillingToPerform));
        assert_eq!(instead(&ACCOUNTS.replace(" NOT host", "")), Ok(()));
        assert_eq!(change(&root, &[("delete", "objectClasses", &[WEARER])]), Err(UnwillingToPerform));
        for (text, code) in [
            ("( 2.5.6.14 AUX person )", ConstraintViolation),
            ("( 2.5.6.0 MUST cn )", ConstraintViolation),
            ("( 1.2.3.4 MUST cn )", ConstraintViolation),
            ("( 2.5.6.14 MUST noSuch )", ConstraintViolation),
            ("( 2.5.6.14 NOT cn )", ConstraintViolation),
            ("( 2.5.6.14 MUST", InvalidAttributeSyntax),
        ] {
            assert_eq!(change(&root, &[("add", "dITContentRules", &[text])]), Err(code), "{text}");
        }
        assert_eq!(change(&scene.client("alice"), &[("replace", "dITContentRules", &[])]), Err(InsufficientAccessRights));
        assert_eq!(change(&root, &[("replace", "dITContentRules", &[]), ("delete", "objectClasses", &[WEARER])]), Ok(()));
    }

    /// An entry that is written while the others are looked at is looked at, too; one that is written by the schema before is
    /// planned again.
    fn no_entry_slips_in_beside_a_content_rule(scene) {
        let root = scene.root();
        add_both(&root);
        let add = record(&[("add", "dITContentRules", &[ACCOUNTS])]);
        let rule = root.plan(&add).unwrap();
        root.change("dn: emil\nobjectClass: account\nhost: there\n").unwrap();
        assert!(is_lost(&scene.directory.commit(rule)));
        root.change("dn: emil\nchangetype: delete\n").unwrap();
        let (rule, entry) = (root.plan(&add).unwrap(), root.plan("dn: emil\nobjectClass: account\nhost: there\n").unwrap());
        scene.directory.commit(rule).unwrap();
        assert!(is_lost(&scene.directory.commit(entry)));
    }

    /// A replace puts other definitions in the place of those that were added; a client may send back what it has read.
    fn what_was_added_is_replaced(scene) {
        let root = scene.root();
        add_both(&root);
        let mut all = published(&root, "attributeTypes");
        let weight = "( 1.3.6.1.4.1.99999.1.2 NAME 'weight' SUP name )";
        all.push(weight.to_owned());
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        assert_eq!(change(&root, &[("replace", "attributeTypes", &all)]), Ok(()));
        assert!(published(&root, "attributeTypes").contains(&weight.to_owned()));
        assert_eq!(change(&root, &[("replace", "attributeTypes", &[SIZE])]), Ok(()));
        assert!(!published(&root, "attributeTypes").contains(&weight.to_owned()));
        assert_eq!(change(&root, &[("replace", "objectClasses", &[]), ("replace", "attributeTypes", &[])]), Ok(()));
        assert!(published(&root, "attributeTypes").iter().all(|text| !text.contains("99999")));
    }

    /// RFC 4512 §4.2: the stamps tell clients that keep a copy when to read again: whenever the schema has changed, and at no
    /// other time.
    fn the_stamps_move_when_the_schema_changes(scene) {
        let root = scene.root();
        let stamps = || ["createTimestamp", "modifyTimestamp", "modifiersName"].map(|name| published(&root, name).concat());
        let before = stamps();
        scene.wait(3600);
        assert_eq!(root.change("dn: alice\nchangetype: modify\nreplace: description\ndescription: x\n"), Ok(()));
        assert_eq!(stamps(), before);
        let admin = scene.client("cn=admin");
        add_both(&admin);
        let [created, modified, by] = stamps();
        assert_eq!((created, modified.as_str(), by.as_str()), (before[0].clone(), "20260601130000Z", "cn=admin,dc=example,dc=com"));
        assert_eq!(change(&root, &[("replace", "attributeTypes", &[SIZE])]), Ok(()));
        assert_eq!(stamps()[1], modified);
        assert_eq!(change(&root, &[("delete", "objectClasses", &[WEARER])]), Ok(()));
        assert_eq!(stamps()[1], "20260601130001Z");
    }

    /// The change log tells of it.
    fn the_change_log_tells_of_it(scene) {
        let root = scene.root();
        add_both(&root);
        let told = root.search("cn=changelog", WholeSubtree, "(targetDN=cn=Subschema)", &["changes", "changeType"]).unwrap();
        assert_eq!(only(&told).texts("changeType"), ["modify"]);
        assert!(only(&told).texts("changes").concat().replace("\n ", "").contains("NAME 'shoeSize'"));
    }

    /// Of changes that are planned at the same moment, none makes another untrue.
    fn racing_changes_are_planned_again(scene) {
        let root = scene.root();
        let one = root.plan(&record(&[("add", "attributeTypes", &[SIZE])])).unwrap();
        let other = root.plan(&record(&[("add", "attributeTypes", &[&SIZE.replace("'shoeSize'", "'size'")])])).unwrap();
        scene.directory.commit(one).unwrap();
        assert!(is_lost(&scene.directory.commit(other)));
        assert_eq!(change(&root, &[("add", "objectClasses", &[WEARER])]), Ok(()));
        let delete = record(&[("delete", "objectClasses", &[WEARER]), ("delete", "attributeTypes", &[SIZE])]);
        let (without, with) = (root.plan(&delete).unwrap(), root.plan(DORA).unwrap());
        scene.directory.commit(with).unwrap();
        assert!(is_lost(&scene.directory.commit(without)));
        assert_eq!(root.change("dn: dora\nchangetype: delete\n"), Ok(()));
        let (without, with) = (root.plan(&delete).unwrap(), root.plan(DORA).unwrap());
        scene.directory.commit(without).unwrap();
        assert!(is_lost(&scene.directory.commit(with)));
    }

    /// draft-zeilenga-ldap-noop and RFC 4527: it can be tried, and is read by a search.
    fn controls_are_heeded(scene) {
        let root = scene.root();
        let send = |oid: &'static str, value: Option<&'static [u8]>| {
            let control = RawControl { oid: oid.into(), critical: true, value: value.map(Into::into) };
            result(&root.change_with(&record(&[("add", "attributeTypes", &[SIZE])]), &[control]))
        };
        assert_eq!(send("1.3.6.1.4.1.4203.1.10.2", None), Err(ResultCode::NoOperation));
        assert!(published(&root, "attributeTypes").iter().all(|text| !text.contains("shoeSize")));
        assert_eq!(send("1.3.6.1.1.13.2", Some(b"\x30\x00")), Err(UnwillingToPerform));
        for _ in 0..2 {
            assert_eq!(send("1.2.840.113556.1.4.1413", None), Ok(()));
        }
    }
}
