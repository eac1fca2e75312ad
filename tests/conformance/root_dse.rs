//! What the server says of itself: the root DSE (RFC 4512 §5.1) and the subschema subentry (RFC 4512 §4.2 to §4.4).

use std::collections::BTreeSet;

use keystead::directory::ResultCode;
use keystead::directory::schema::definition::Definition;
use keystead::directory::tree::Directory;
use keystead::directory::tree::Scope::{BaseObject, SingleLevel, Subordinates, WholeSubtree};
use keystead::operations::External;
use keystead::operations::root_dse::SUBSCHEMA;
use keystead::protocol::RawControl;
use keystead::protocol::request::SearchRequest;

use crate::scene::{Client, FoundEntry, SUFFIX, certificate, only, result, search_request};
use crate::sentences;

const ALL: &str = "(objectClass=*)";

/// What the root DSE says of some attributes.
fn dse<D: Directory>(client: &Client<'_, D>, attributes: &[&str]) -> FoundEntry {
    only(&client.search("", BaseObject, ALL, attributes).unwrap()).clone()
}

/// What the subschema subentry says of some attributes.
fn subschema<D: Directory>(client: &Client<'_, D>, attributes: &[&str]) -> FoundEntry {
    only(&client.search(SUBSCHEMA, BaseObject, "(objectClass=subschema)", attributes).unwrap()).clone()
}

/// The definitions that an attribute of the subschema subentry holds.
fn definitions<D: Directory>(client: &Client<'_, D>, attribute: &str) -> Vec<Definition> {
    let texts = subschema(client, &[attribute]).texts(attribute);
    let parse = |text: String| Definition::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
    texts.into_iter().map(parse).collect()
}

/// All that definitions may be called: names and numbers.
fn callable(definitions: &[Definition]) -> BTreeSet<String> {
    let names = definitions.iter().flat_map(|it| it.all("NAME").iter().cloned().chain([it.oid.clone()]));
    names.map(|name| name.to_ascii_lowercase()).collect()
}

/// Whether everything that stands behind a keyword of some definitions is in a set.
fn assert_resolved(definitions: &[Definition], keywords: &[&str], among: &BTreeSet<String>) {
    for definition in definitions {
        for name in keywords.iter().flat_map(|keyword| definition.all(keyword)) {
            assert!(among.contains(&name.to_ascii_lowercase()), "{name} in {}", definition.label());
        }
    }
}

sentences! {
    /// RFC 4512 §5.1: its attributes "are retrievable, ... if a client performs a Search operation with an empty
    /// baseObject"; clients look at it before they authenticate, so no rule needs to grant it.
    fn everybody_reads_the_root_dse(scene) {
        scene.rule_by(&[]);
        for client in [scene.anonymous(), scene.client("bob"), scene.anonymous().in_the_clear()] {
            assert_eq!(dse(&client, &["namingContexts"]).texts("namingContexts"), [SUFFIX]);
        }
    }

    /// RFC 4512 §5.1: it holds "information about itself and other information that is specific to each server".
    fn the_root_dse_tells_what_the_server_can(scene) {
        let dse = dse(&scene.anonymous(), &["+", "*"]);
        for (name, expected) in [
            ("namingContexts", &[SUFFIX][..]),
            ("defaultNamingContext", &[SUFFIX]),
            ("subschemaSubentry", &["cn=Subschema"]),
            ("supportedLDAPVersion", &["3"]),
            ("vendorName", &["Keystead"]),
            ("vendorVersion", &[concat!("Keystead ", env!("CARGO_PKG_VERSION"))]),
            ("entryDN", &[""]),
            ("supportedControl", &[
                "1.2.840.113556.1.4.319",
                "2.16.840.1.113730.3.4.2",
                "1.3.6.1.4.1.42.2.27.8.5.1",
                "1.3.6.1.4.1.42.2.27.9.5.2",
                "2.16.840.1.113730.3.4.18",
                "1.3.6.1.4.1.4203.1.10.1",
                "1.3.6.1.1.12",
                "1.3.6.1.1.13.1",
                "1.3.6.1.1.13.2",
                "1.2.840.113556.1.4.1413",
                "1.2.840.113556.1.4.805",
                "1.3.6.1.4.1.4203.666.5.12",
                "2.16.840.1.113730.3.4.16",
                "1.3.6.1.1.22",
                "1.2.840.113556.1.4.473",
                "2.16.840.1.113730.3.4.9",
                "1.2.826.0.1.3344810.2.3",
                "1.3.6.1.4.1.4203.666.5.16",
                "1.2.840.113556.1.4.1339",
                "1.2.840.113556.1.4.1340",
                "2.16.840.1.113730.3.4.17",
                "2.16.840.1.113730.3.4.19",
                "2.16.840.1.113730.3.4.3",
                "1.3.6.1.4.1.4203.1.9.1.1",
                "1.3.6.1.4.1.21008.108.63.1",
                "1.3.6.1.4.1.42.2.27.9.5.8",
                "1.3.6.1.4.1.4203.1.10.2",
                "1.3.6.1.4.1.4203.666.5.2",
                "1.3.6.1.1.21.2",
                "2.25.271882395885119902382355470247459148908.3.1",
                "2.25.271882395885119902382355470247459148908.3.2",
            ]),
            ("supportedExtension", &[
                "1.3.6.1.4.1.4203.1.11.1", "1.3.6.1.4.1.4203.1.11.3", "1.3.6.1.4.1.1466.20037", "1.3.6.1.1.8",
                "1.3.6.1.1.21.1", "1.3.6.1.1.21.3", "1.3.6.1.4.1.30221.1.6.1", "1.3.6.1.4.1.26027.1.6.1",
                "1.3.6.1.4.1.30221.2.6.43", "1.3.6.1.4.1.30221.2.6.62",
            ]),
            ("supportedFeatures", &[
                "1.3.6.1.1.14", "1.3.6.1.4.1.4203.1.5.1", "1.3.6.1.4.1.4203.1.5.2", "1.3.6.1.4.1.4203.1.5.3", "1.3.6.1.4.1.4203.666.8.1",
                "1.3.6.1.4.1.4203.1.5.4", "1.3.6.1.4.1.4203.1.5.5",
            ]),
        ] {
            assert_eq!(dse.texts(name), expected, "{name}");
        }
        assert_eq!(dse.texts("altServer"), [""; 0]);
    }

    /// RFC 4512 §5.1.2: altServer: "URIs referring to alternative servers that may be contacted when this server is
    /// unavailable"; anybody may know them, and finds by them.
    fn other_servers_that_hold_the_same_are_told(scene) {
        let others = ["ldaps://two.example.com", "ldap://three.example.com:1389"];
        scene.configure(|services| services.alt_servers = others.map(str::to_owned).to_vec());
        let anonymous = scene.anonymous();
        for asked in [&["+"][..], &["altServer"], &["ALTSERVER", "1.1"]] {
            assert_eq!(dse(&anonymous, asked).texts("altServer"), others, "{asked:?}");
        }
        assert_eq!(dse(&anonymous, &["*"]).texts("altServer"), [""; 0], "it is operational");
    }

    /// RFC 4512 §5.1.7: supportedSASLMechanisms; only what would succeed on this connection is listed, since clients
    /// take the first that they know.
    fn only_mechanisms_that_would_succeed_are_listed(scene) {
        let mechanisms = |client: &Client<'_, _>| dse(client, &["+"]).texts("supportedSASLMechanisms");
        assert_eq!(mechanisms(&scene.anonymous().in_the_clear()), [""; 0]);
        assert_eq!(mechanisms(&scene.client("alice")), ["PLAIN"]);
        let local = scene.anonymous();
        local.prove_externally(certificate("CN=alice"));
        assert_eq!(mechanisms(&local), ["PLAIN"], "nobody knows who that is");
        local.prove_externally(External::Superuser);
        assert_eq!(mechanisms(&local), ["EXTERNAL", "PLAIN"]);
    }

    /// RFC 4512 §5.1: "root DSE attributes are operational and, like other operational attributes, are not returned in
    /// search requests unless requested by name", or by `+` (RFC 3673 §2), in any case of letters (sharp edge 1).
    fn operational_attributes_of_the_root_dse_are_asked_for(scene) {
        let anonymous = scene.anonymous();
        let names = |list: &[&str]| {
            let entry = dse(&anonymous, list);
            let mut names: Vec<String> = entry.names().into_iter().map(str::to_owned).collect();
            names.sort();
            names
        };
        assert_eq!(names(&[]), ["objectClass"]);
        assert_eq!(names(&["*"]), ["objectClass"]);
        assert_eq!(names(&["1.1"]), [""; 0]);
        assert_eq!(names(&["nosuch"]), [""; 0]);
        assert_eq!(names(&["NAMINGCONTEXTS"]), ["namingContexts"]);
        assert_eq!(names(&["supportedcontrol", "2.5.18.10"]), ["subschemaSubentry", "supportedControl"]);
        let operational = names(&["+"]);
        assert!(operational.contains(&"supportedControl".to_owned()) && !operational.contains(&"objectClass".to_owned()));
        assert_eq!(names(&["*", "+"]).len(), operational.len() + 1);
        assert!(names(&["@extensibleObject"]).contains(&"objectClass".to_owned()));
    }

    /// RFC 4512 §5.1: it is returned by a base object search with the filter `(objectClass=*)`; sharp edge 1: by every
    /// filter that is true for it, and by no other. Most of its attributes are defined without an equality rule, so
    /// an equality filter on them is Undefined, and so is its negation.
    fn the_root_dse_is_found_by_filters_that_are_true_for_it(scene) {
        let anonymous = scene.anonymous();
        for (filter, found) in [
            (ALL, 1), ("(&)", 1), ("(objectClass=top)", 1), ("(OBJECTCLASS=2.5.6.0)", 1), ("(supportedLDAPVersion=*)", 1),
            ("(&(supportedControl=*)(!(cn=*)))", 1), ("(entryDN=)", 1), ("(cn=*)", 0), ("(|)", 0),
            ("(objectClass=person)", 0), ("(nosuch=x)", 0), ("(!(nosuch=x))", 0), ("(supportedLDAPVersion=3)", 0),
            ("(!(supportedLDAPVersion=3))", 0), ("(supportedControl=1.2.3)", 0),
        ] {
            assert_eq!(anonymous.search("", BaseObject, filter, &["+"]).unwrap().len(), found, "{filter}");
        }
    }

    /// RFC 4512 §5.1: "The root DSE SHALL NOT be included if the client performs a subtree search starting from the
    /// root."
    fn deeper_searches_leave_the_root_dse_out(scene) {
        for scope in [SingleLevel, WholeSubtree, Subordinates] {
            for client in [scene.client("bob"), scene.anonymous()] {
                let found = client.search("", scope, ALL, &["1.1"]).unwrap();
                assert!(found.iter().all(|entry| !entry.dn.is_empty()), "{scope:?}");
            }
            assert_eq!(scene.anonymous().search("", scope, ALL, &["1.1"]).unwrap(), [], "{scope:?}");
        }
    }

    /// RFC 4511 §4.5.1.6: typesOnly holds for the root DSE and the subschema subentry, too.
    fn types_only_leaves_their_values_out(scene) {
        for base in ["", SUBSCHEMA] {
            let request = SearchRequest { types_only: true, ..search_request(base, BaseObject, ALL, &["*", "+"]) };
            let (found, response) = scene.anonymous().send_search(&request, &[]);
            assert_eq!(result(&response), Ok(()));
            assert!(only(&found).attributes.len() > 3 && only(&found).attributes.iter().all(|(_, it)| it.is_empty()));
        }
    }

    /// RFC 4511 §4.1.11: every control that is listed is understood; one that is not, and is critical, makes the
    /// operation fail.
    fn controls_are_listed_truthfully(scene) {
        let critical = |oid: &str, value: Option<&'static [u8]>| {
            let control = RawControl { oid: oid.to_owned().into(), critical: true, value: value.map(Into::into) };
            let (_, response) = scene.client("bob").send_search(&search_request(SUFFIX, BaseObject, ALL, &[]), &[control]);
            result(&response)
        };
        let listed = dse(&scene.anonymous(), &["supportedControl"]).texts("supportedControl");
        for (oid, value) in [
            ("1.2.840.113556.1.4.319", Some(&b"\x30\x05\x02\x01\x05\x04\x00"[..])),
            ("2.16.840.1.113730.3.4.2", None),
            ("1.3.6.1.4.1.4203.1.10.1", Some(b"\x01\x01\x00")),
        ] {
            assert!(listed.iter().any(|listed| listed == oid), "{oid}");
            assert_eq!(critical(oid, value), Ok(()), "{oid}");
        }
        for oid in ["1.3.6.1.1.12.1", "1.3.6.1.1.13", "1.2.3.4", "x", ""] {
            assert!(!listed.iter().any(|listed| listed == oid), "{oid}");
            assert_eq!(critical(oid, None), Err(ResultCode::UnavailableCriticalExtension), "{oid}");
        }
    }

    /// RFC 4512 §4.4: "baseObject is the DN of the subschema (sub)entry, scope is baseObject, filter is
    /// (objectClass=subschema)"; it has the class that sharp edge 2 wants, and stamps to see changes by.
    fn everybody_reads_the_subschema_subentry(scene) {
        scene.rule_by(&[]);
        let bob = scene.client("bob");
        for client in [scene.anonymous(), bob] {
            let entry = subschema(&client, &["*", "+"]);
            assert!(entry.texts("objectClass").contains(&"subschema".to_owned()), "{:?}", entry.names());
            assert_eq!((entry.dn.as_str(), entry.texts("cn")), (SUBSCHEMA, vec!["Subschema".to_owned()]));
            for stamp in ["createTimestamp", "modifyTimestamp"] {
                assert_eq!(entry.texts(stamp).concat().len(), "20260601120000Z".len(), "{stamp}");
            }
        }
        for spelled in ["CN=subschema", "commonName = Subschema", "2.5.4.3=Subschema"] {
            assert_eq!(scene.anonymous().search(spelled, BaseObject, ALL, &["1.1"]).unwrap().len(), 1, "{spelled}");
        }
        assert_eq!(scene.anonymous().search(SUBSCHEMA, SingleLevel, ALL, &[]).unwrap(), []);
        assert_eq!(scene.anonymous().search(SUBSCHEMA, BaseObject, "(objectClass=person)", &[]).unwrap(), []);
    }

    /// RFC 4512 §4.4: "the attributes field lists the names of the desired schema attributes (as they are
    /// operational)".
    fn definitions_are_returned_when_asked_for(scene) {
        let anonymous = scene.anonymous();
        assert_eq!(subschema(&anonymous, &[]).names(), ["objectClass", "cn"]);
        let kinds = ["attributeTypes", "ldapSyntaxes", "matchingRuleUse", "matchingRules", "objectClasses"];
        let mut entry = subschema(&anonymous, &kinds);
        entry.attributes.sort();
        assert_eq!(entry.names(), kinds);
    }

    /// RFC 4512 §4.1: definitions are written as the ABNF has it, so they can be read again (sharp edge 3), and no
    /// number or name stands for two things.
    fn every_definition_can_be_read_again(scene) {
        let anonymous = scene.anonymous();
        for kind in ["attributeTypes", "objectClasses", "matchingRules", "matchingRuleUse", "ldapSyntaxes"] {
            let definitions = definitions(&anonymous, kind);
            assert!(definitions.len() > 15, "{kind}: {}", definitions.len());
            let callable = callable(&definitions);
            let said = definitions.iter().map(|it| it.all("NAME").len() + 1).sum::<usize>();
            assert_eq!(callable.len(), said, "{kind}");
        }
    }

    /// RFC 4512 §4.2: what a definition names is defined as well (sharp edge 4).
    fn every_definition_can_be_resolved(scene) {
        let anonymous = scene.anonymous();
        let of = |kind: &str| definitions(&anonymous, kind);
        let (types, classes, rules) = (of("attributeTypes"), of("objectClasses"), of("matchingRules"));
        let syntaxes = callable(&of("ldapSyntaxes"));
        assert_resolved(&types, &["SUP"], &callable(&types));
        assert_resolved(&types, &["EQUALITY", "ORDERING", "SUBSTR"], &callable(&rules));
        assert_resolved(&classes, &["SUP"], &callable(&classes));
        assert_resolved(&classes, &["MUST", "MAY"], &callable(&types));
        assert_resolved(&of("matchingRuleUse"), &["APPLIES"], &callable(&types));
        for definition in types.iter().chain(&rules) {
            let syntax = definition.syntax().map(|(oid, _)| oid);
            assert!(syntax.is_none_or(|oid| syntaxes.contains(oid)), "{syntax:?} in {}", definition.label());
        }
        assert!(callable(&rules).is_superset(&callable(&of("matchingRuleUse"))));
    }

    /// RFC 4512 §3.4.2, §5.1 and sharp edge 4: the attributes that the server itself returns are in the schema, and those
    /// that are secret are marked and cannot be written by users.
    fn what_the_server_returns_is_in_the_schema(scene) {
        let types = definitions(&scene.anonymous(), "attributeTypes");
        let callable = callable(&types);
        for base in ["", SUBSCHEMA, SUFFIX, "cn=default,ou=policies,dc=example,dc=com", "uid=alice,ou=people,dc=example,dc=com"] {
            let entry = scene.root().search(base, BaseObject, ALL, &["*", "+", "numSubordinates"]).unwrap();
            for name in only(&entry).names() {
                assert!(callable.contains(&name.to_ascii_lowercase()), "{name}");
            }
        }
        let secret: BTreeSet<&str> = types.iter().filter(|it| it.is_marked("X-SECRET")).map(Definition::label).collect();
        assert!(secret.contains("userPassword") && secret.contains("pwdHistory"), "{secret:?}");
    }

    /// RFC 4512 §4.2: it is no entry of the tree: it cannot be changed, added or deleted.
    fn neither_is_an_entry_that_can_be_changed(scene) {
        let root = scene.root();
        for name in ["cn=Subschema", ""] {
            for change in ["modify\nadd: description\ndescription: x\n-", "delete"] {
                let record = format!("dn: {name}{}\nchangetype: {change}\n", if name.is_empty() { "" } else { ",dc=org" });
                assert!(root.change(&record).is_err(), "{record}");
            }
        }
        assert_eq!(root.change("dn: cn=Subschema,dc=org\nobjectClass: device\n"), Err(ResultCode::UnwillingToPerform));
    }
}
