//! Filters: which entries they match, by which rule, and what cannot be decided (RFC 4511 §4.5.1.7).
//!
//! Each filter is tried alone, so that indexes are used for it, and negated.

use bytes::Bytes;
use keystead::directory::Filter;
use keystead::directory::filter::Truth::{self, False, True, Undefined};
use keystead::directory::tree::Directory;
use keystead::directory::tree::Scope::WholeSubtree;

use crate::scene::{Client, SUFFIX, Scene, search_request};
use crate::sentences;

/// An entry with attributes of all kinds, to probe it.
const PROBE: &str = include_str!("filter.ldif");

/// What a filter says of the probe.
fn truth<D: Directory>(client: &Client<'_, D>, filter: &str) -> Truth {
    let matches = |filter: &str| client.find(filter).contains(&"cn=probe,ou=people".to_owned());
    match (matches(filter), matches(&format!("(!{filter})"))) {
        (true, false) => True,
        (false, true) => False,
        (false, false) => Undefined,
        (true, true) => panic!("{filter} and its negation both match"),
    }
}

/// Tries the filters on the probe; bob asks, who may search everything that is no secret.
fn expect<D: Directory>(scene: &Scene<D>, cases: &[(Truth, &[&str])]) {
    scene.root().change(PROBE).unwrap();
    let bob = scene.client("bob");
    let wrong = |expected: Truth, filter: &&&str| (truth(&bob, filter) != expected).then(|| (**filter).to_owned());
    for (expected, filters) in cases {
        let wrong: Vec<String> = filters.iter().filter_map(|filter| wrong(*expected, &filter)).collect();
        assert_eq!(wrong, [""; 0], "{expected:?} is not what these are");
    }
}

sentences! {
    /// RFC 4517 §4.2.11 and RFC 4518 §2: case, compatibility forms and insignificant spaces do not count; §4.2.4: where
    /// the rule is exact, case does.
    fn equality_of_text_is_that_of_its_prepared_forms(scene) {
        expect(scene, &[
            (True, &[
                "(cn=PROBE)", "(cn=  probe )", "(cn=anna maria müller-lüdenscheidt)", "(commonName=Probe)",
                "(CN=ANNA MARIA MU\u{308}LLER-LU\u{308}DENSCHEIDT)", "(cn=anna\u{a0}maria\tmüller-lüdenscheidt)",
                "(cn=an\u{ad}na maria müller-\u{200b}lüdenscheidt)", "(sn=STRASSE)", "(sn=straße)", "(sn=ｓｔｒａsse)",
                "(2.5.4.3=probe)", "(uid=PROBE)", "(preferredLanguage=DE)", "(homeDirectory=/home/Probe)",
                "(homeDirectory= /home/Probe )", "(description=ends \\28with\\29 a \\2astar\\2a and a back\\5cslash)",
                "(labeledURI=https://example.com/  Home)",
            ]),
            (False, &[
                "(cn=pro be)", "(cn=annamaria müller-lüdenscheidt)", "(cn=prob)", "(cn=probes)", "(cn=muller)",
                "(homeDirectory=/home/probe)", "(labeledURI=https://example.com/ home)", "(sn=strase)", "(title=x)",
            ]),
            (Undefined, &["(cn=\\ff)", "(cn=\\c3)", "(homeDirectory=\\fe)"]),
        ]);
    }

    /// RFC 4517 §4.2.12 and its like: the pieces are found in their order, after preparation (RFC 4518 §2.6).
    fn substrings_are_found_in_their_order(scene) {
        expect(scene, &[
            (True, &[
                "(cn=pro*)", "(cn=*obe)", "(cn=*rob*)", "(cn=p*o*e)", "(cn=PRO*BE)", "(cn=anna*maria*scheidt)",
                "(cn=anna *)", "(cn=*  maria  *)", "(cn=* müller-*)", "(cn=*MU\u{308}LLER*)", "(cn=*a*a*a*)",
                "(sn=*ASS*)", "(sn=stras*e)", "(uid=*o*)", "(telephoneNumber=*315 0280)", "(telephoneNumber=+1-512*)",
                "(internationalISDNNumber=1507*)", "(internationalISDNNumber=*9672 28*)", "(memberUid=Pro*)",
                "(postalAddress=*anytown, ca*)", "(description=*\\2astar\\2a*)", "(cn=a*)", "(cn=*t)", "(cn=*e*)",
                "(description=*\\5c*)", "(employeeNumber=E-*)", "(cn;lang-fr=mar*)", "(name=mar*)",
            ]),
            (False, &[
                "(cn=obe*)", "(cn=*pro)", "(cn=*probe*probe*)", "(cn=pr*ro*)", "(cn=*be*pro*)", "(cn=prob*obe)",
                "(cn=anna*maria*anna)", "(cn=probe*probe)", "(memberUid=pro*)", "(title=a*)", "(cn=scheidt*)",
                "(cn=annamaria*)", "(cn=*müllerlüdenscheidt)", "(cn;lang-fr=pro*)",
            ]),
            (Undefined, &[
                "(homeDirectory=/home*)", "(uidNumber=15*)", "(member=uid=*)", "(objectClass=inet*)", "(jpegPhoto=*a*)",
                "(pwdLockout=T*)", "(sudoNotBefore=2026*)", "(userPassword=p*)", "(nosuch=a*)", "(cn=\\ff*)",
            ]),
        ]);
    }

    /// RFC 4511 §4.5.1.7.3 and §4.5.1.7.4: by the ordering rule of the attribute; numbers as numbers (RFC 4517
    /// §4.2.20), times as times (§4.2.17), and text also where the schema names no rule (sharp edge 11).
    fn values_are_ordered_by_their_rule(scene) {
        expect(scene, &[
            (True, &[
                "(uidNumber>=1500)", "(uidNumber<=1500)", "(uidNumber>=999)", "(uidNumber>=-1)", "(uidNumber<=10000)",
                "(uidNumber<=99999999999999999999)", "(sudoOrder<=-7)", "(sudoOrder>=-10)", "(sudoOrder<=0)",
                "(sudoOrder>=-99999999999999999999)", "(sudoNotBefore>=20260101120000Z)",
                "(sudoNotBefore<=20260101120000.0Z)", "(sudoNotBefore>=20251231235959Z)",
                "(sudoNotBefore<=202601011201Z)", "(sudoNotBefore<=20260101140000+0200)",
                "(sudoNotBefore>=20260101130000+0100)", "(sudoNotBefore<=20260101120000.000001Z)",
                "(createTimestamp<=20260601120000Z)", "(uid>=PROBA)", "(uid<=probe)", "(uid>=a)",
                "(employeeNumber<=e-18)", "(cn>=anna)", "(cn<=b)", "(gidNumber>=42)",
            ]),
            (False, &[
                "(uidNumber>=1501)", "(uidNumber<=1499)", "(uidNumber<=999)", "(sudoOrder>=-6)", "(sudoOrder<=-8)",
                "(sudoNotBefore>=20260101120000.5Z)", "(sudoNotBefore<=20260101115959Z)",
                "(sudoNotBefore>=20260101120000-0100)", "(createTimestamp>=20260601120001Z)", "(uid<=proba)",
                "(uid>=probf)", "(title>=a)", "(shadowMax<=1)",
            ]),
            (Undefined, &[
                "(uidNumber>=abc)", "(uidNumber<=)", "(uidNumber>=1.5)", "(sudoNotBefore>=yesterday)",
                "(sudoNotBefore<=2026)", "(member>=uid=a)", "(objectClass>=a)", "(pwdLockout>=TRUE)", "(jpegPhoto>=a)",
                "(userPassword>=a)", "(nosuch>=a)", "(nosuch<=a)",
            ]),
        ]);
    }

    /// RFC 4517 §4.2: numbers, times, names, telephone numbers and so on are equal if they mean the same.
    fn equality_of_other_values_is_that_of_what_they_mean(scene) {
        expect(scene, &[
            (True, &[
                "(uidNumber=1500)", "(sudoOrder=-7)", "(sudoNotBefore=20260101120000Z)",
                "(sudoNotBefore=202601011200Z)", "(sudoNotBefore=2026010112Z)", "(sudoNotBefore=20260101120000.000Z)",
                "(sudoNotBefore=20260101130000+0100)", "(sudoNotBefore=2026010107-05)",
                "(telephoneNumber=+15123150280)", "(telephoneNumber=+1-512-315-0280)",
                "(internationalISDNNumber=15079672281)", "(postalAddress=1234 MAIN ST.$anytown, ca 12345$usa)",
                "(x500UniqueIdentifier='0101'B)", "(pwdLockout=TRUE)", "(pwdAttribute=2.5.4.35)",
                "(pwdAttribute=USERPASSWORD)", "(uniqueMember=UID=alice, ou=people,dc=example,dc=com#'01'B)",
                "(entryDN=cn=PROBE,ou=people,dc=example,dc=com)", "(structuralObjectClass=inetorgperson)",
            ]),
            (False, &[
                "(uidNumber=15)", "(uidNumber=99999999999999999999)", "(sudoOrder=7)",
                "(sudoNotBefore=20260101120001Z)", "(telephoneNumber=+1 512 315 0281)", "(pwdLockout=FALSE)",
                "(pwdAttribute=cn)", "(x500UniqueIdentifier='01010'B)", "(postalAddress=1234 main st.)",
                "(uniqueMember=uid=alice,ou=people,dc=example,dc=com)", "(entryDN=ou=people,dc=example,dc=com)",
            ]),
            (Undefined, &[
                "(uidNumber=1500.0)", "(uidNumber=0x5dc)", "(uidNumber=)", "(pwdLockout=true)", "(pwdLockout=1)",
                "(sudoNotBefore=now)", "(sudoNotBefore=20261301000000Z)", "(entryUUID=1234)", "(jpegPhoto=x)",
                "(pwdAttribute=no such)",
            ]),
        ]);
    }

    /// RFC 4517 §4.2.15: names are equal if their parts are, however they are spelled.
    fn equality_of_names_is_that_of_their_parts(scene) {
        expect(scene, &[
            (True, &[
                "(member=uid=bob,ou=people,dc=example,dc=com)", "(member=UID=Bob, OU = People , DC=Example,DC=COM)",
                "(member=userid=bob,2.5.4.11=people,dc=example,dc=com)",
                "(member=uid=\\5c62ob,ou=people,dc=example,dc=com)",
                "(member=uid=#0403626f62,ou=people,dc=example,dc=com)",
                "(seeAlso=cn=doe\\5c, j.,ou=people,dc=example,dc=com)",
                "(seeAlso=cn=Doe\\5c2C  J.,ou=people,dc=example,dc=com)",
                "(distinguishedName=uid=bob,ou=people,dc=example,dc=com)",
            ]),
            (False, &[
                "(member=uid=bobby,ou=people,dc=example,dc=com)", "(member=uid=bob)", "(member=)",
                "(member=ou=people,uid=bob,dc=example,dc=com)", "(member=uid=bob+uid=bob2,ou=people,dc=example,dc=com)",
                "(seeAlso=cn=doe,ou=people,dc=example,dc=com)",
            ]),
            (Undefined, &["(member=bob)", "(member=uid=bob,)", "(member=uid=\\ff)", "(seeAlso=cn=doe, j.)"]),
        ]);
    }

    /// RFC 4511 §4.5.1.7.5: present "if there is an attribute or subtype of the specified attribute description".
    fn presence_is_that_of_the_attribute_or_a_subtype(scene) {
        expect(scene, &[
            (True, &[
                "(objectClass=*)", "(OBJECTCLASS=*)", "(2.5.4.0=*)", "(cn=*)", "(name=*)", "(cn;lang-fr=*)",
                "(name;lang-fr=*)", "(uid=*)", "(distinguishedName=*)", "(entryUUID=*)", "(hasSubordinates=*)",
                "(jpegPhoto=*)",
            ]),
            (False, &["(title=*)", "(sn;lang-fr=*)", "(cn;lang-de=*)", "(mail=*)", "(memberOf=*)"]),
            (Undefined, &["(nosuch=*)", "(userPassword=*)", "(pwdHistory=*)", "(pwdReset=*)", "(cn;=*)", "(1.2.3=*)"]),
        ]);
    }

    /// RFC 4511 §4.5.1.7.6: "If approximate matching is not supported ... the filter item should be treated as an
    /// equalityMatch."
    fn approximate_match_is_equality(scene) {
        expect(scene, &[
            (True, &["(cn~=PROBE)", "(uidNumber~=1500)"]),
            (False, &["(cn~=prob)", "(cn~=proube)"]),
            (Undefined, &["(nosuch~=probe)", "(uidNumber~=x)", "(userPassword~=probe's password)"]),
        ]);
    }

    /// RFC 4511 §4.5.1.7: "AND of all Undefined and TRUE is Undefined", "NOT of Undefined is Undefined" and so on;
    /// RFC 4526: `(&)` is true and `(|)` is false.
    fn logic_has_three_values(scene) {
        expect(scene, &[
            (True, &[
                "(&)", "(&(cn=probe)(uid=probe))", "(|(cn=probe)(nosuch=x))", "(|(nosuch=x)(cn=x)(cn=probe))",
                "(!(cn=x))", "(!(|))", "(!(title=x))", "(!(&(nosuch=x)(cn=x)))", "(&(&)(|(|)(&)))", "(!(!(cn=probe)))",
                "(|(!(nosuch=x))(cn=probe))", "(&(cn=probe)(!(uid=x)))",
            ]),
            (False, &[
                "(|)", "(&(cn=probe)(cn=x))", "(&(nosuch=x)(cn=x))", "(|(cn=x)(uid=x))", "(!(cn=probe))", "(!(&))",
                "(!(|(nosuch=x)(cn=probe)))", "(&(cn=probe)(|))",
            ]),
            (Undefined, &[
                "(nosuch=x)", "(!(nosuch=x))", "(!(!(nosuch=x)))", "(&(nosuch=x)(cn=probe))", "(|(nosuch=x)(cn=x))",
                "(&(cn=probe)(!(nosuch=x)))", "(|(nosuch=x)(uidNumber=x))", "(&(nosuch=*)(userPassword=*))",
            ]),
        ]);
    }

    /// RFC 4512 §2.4 and §3.3: an entry is a member of the superclasses of its classes, whether it was said or not.
    fn an_entry_belongs_to_the_superclasses_of_its_classes(scene) {
        expect(scene, &[
            (True, &[
                "(objectClass=inetOrgPerson)", "(objectClass=organizationalPerson)", "(objectClass=person)",
                "(objectClass=top)", "(objectClass=PERSON)", "(objectClass=2.5.6.6)", "(objectClass=posixAccount)",
                "(objectClass:objectIdentifierMatch:=person)",
            ]),
            (False, &["(objectClass=groupOfNames)", "(objectClass=2.5.6.9)", "(objectClass=1.2.3.4)"]),
        ]);
        assert_eq!(scene.client("bob").find("(objectClass=person)").len(), 6);
    }

    /// RFC 4517 §4.2.26: of a name that the server does not recognize, nothing can be said.
    fn an_unknown_object_class_is_undefined(scene) {
        expect(scene, &[(Undefined, &["(objectClass=nosuch)", "(objectClass=no such)", "(objectClass=)"])]);
    }

    /// RFC 4511 §4.5.1.7.7: an extensible match names its rule, takes the attributes of the name in with `:dn`, and
    /// looks at every attribute that the rule applies to if it names none.
    fn extensible_matches_name_their_rule(scene) {
        expect(scene, &[
            (True, &[
                "(cn:caseExactMatch:=probe)", "(cn:2.5.13.5:=probe)", "(cn:CASEEXACTMATCH:=probe)", "(cn:=PROBE)",
                "(homeDirectory:caseIgnoreIA5Match:=/HOME/probe)", "(:caseExactMatch:=probe)",
                "(:caseIgnoreMatch:=STRASSE)", "(:2.5.13.14:=1500)",
                "(:distinguishedNameMatch:=uid=BOB,ou=people,dc=example,dc=com)", "(cn:dn:=probe)", "(ou:dn:=PEOPLE)",
                "(dc:dn:=example)", "(dc:dn:caseIgnoreIA5Match:=EXAMPLE)", "(uidNumber:dn:=1500)",
                "(uidNumber:integerOrderingMatch:=1500)", "(cn:caseIgnoreSubstringsMatch:=ROB)",
                "(cn:wordMatch:=maria)", "(cn;lang-fr:caseExactMatch:=Marie)",
                "(uidNumber:1.2.840.113556.1.4.803:=1476)", "(uidNumber:1.2.840.113556.1.4.804:=12)",
            ]),
            (False, &[
                "(cn:caseExactMatch:=Probe)", "(ou:=people)", "(ou:caseIgnoreMatch:=people)", "(dc:dn:=org)",
                "(ou:dn:=groups)", "(:caseExactMatch:=PROBE)", "(cn:wordMatch:=mar)",
                "(uidNumber:1.2.840.113556.1.4.803:=3)", "(uidNumber:1.2.840.113556.1.4.804:=3)",
            ]),
            (Undefined, &[
                "(cn:nosuchMatch:=probe)", "(:nosuchMatch:=probe)", "(cn:1.2.3:=probe)",
                "(nosuch:caseExactMatch:=probe)", "(uidNumber:caseIgnoreMatch:=1500)", "(cn:integerMatch:=1)",
                "(member:caseIgnoreMatch:=x)", "(uidNumber:=x)", "(userPassword:octetStringMatch:=probe's password)",
                "(nosuch:dn:=people)",
            ]),
        ]);
    }

    /// RFC 4511 §4.5.1.7.7: `:dn` without an attribute looks at every part of the name that the rule applies to.
    fn an_extensible_match_without_attribute_looks_at_the_whole_name(scene) {
        expect(scene, &[
            (True, &[
                "(:dn:caseIgnoreMatch:=people)", "(:dn:caseExactMatch:=people)", "(:dn:caseIgnoreMatch:=PROBE)",
                "(:dn:caseIgnoreIA5Match:=Example)", "(:dn:2.5.13.2:=strasse)",
            ]),
            (False, &["(:dn:caseExactMatch:=People)", "(:dn:caseIgnoreMatch:=groups)"]),
            (Undefined, &["(:dn:nosuchMatch:=people)"]),
        ]);
    }

    /// RFC 4512 §2.5.3: an assertion about a type is one about its subtypes, and one about an attribute description is
    /// one about those with more options.
    fn assertions_are_about_subtypes_too(scene) {
        expect(scene, &[
            (True, &[
                "(name=probe)", "(name=strasse)", "(name=marie)", "(cn=marie)", "(cn;lang-fr=marie)",
                "(CN;LANG-FR=Marie)", "(cn;lang-=marie)",
                "(distinguishedName=cn=doe\\5c, j.,ou=people,dc=example,dc=com)",
            ]),
            (False, &[
                "(cn;lang-fr=probe)", "(cn;lang-de=marie)", "(sn=marie)", "(cn;lang-fr;x-a=marie)", "(givenName=marie)",
            ]),
        ]);
    }

    /// RFC 4511 §4.5.1.7: a choice that the server does not know is Undefined, and no error.
    fn an_unknown_choice_is_undefined(scene) {
        let bob = scene.client("bob");
        let unknown = Filter::Unknown;
        let find = |filter: Filter| {
            let mut request = search_request(SUFFIX, WholeSubtree, "(&)", &["1.1"]);
            request.filter = filter;
            bob.send_search(&request, &[]).0.len()
        };
        assert_eq!(find(unknown.clone()), 0);
        assert_eq!(find(Filter::Not(Box::new(unknown.clone()))), 0);
        assert_eq!(find(Filter::Or(vec![unknown.clone(), Filter::any_entry()])), 13);
        assert_eq!(find(Filter::And(vec![unknown, Filter::any_entry()])), 0);
        assert_eq!(find(Filter::Present(Bytes::from_static(b"\xff"))), 0);
    }

    /// RFC 4511 §4.5.1.7: an item is TRUE if one value matches, however long it is and however many there are.
    fn unusual_values_are_found_as_well(scene) {
        let long = "word ".repeat(100) + "last";
        let many = (0..300).map(|n| format!("title: title number {n}\n")).collect::<Vec<_>>().concat();
        let entry = format!("{}description: {long}\n{many}", PROBE.trim_start());
        scene.root().change(&entry).unwrap();
        let bob = scene.client("bob");
        for filter in [
            format!("(description={long})").as_str(), "(description=*word last)", "(title=TITLE NUMBER 299)",
            "(title=*number 17)", "(&(title=title number 0)(title=title number 1))",
        ] {
            assert_eq!(truth(&bob, filter), True, "{filter}");
        }
        let sn = format!("dn: probe2\nobjectClass: inetOrgPerson\ncn: {long}\nsn: {long}\n");
        scene.root().change(&sn).unwrap();
        for filter in ["(sn=*word last)", "(cn=word word*)", "(cn=*d l*)", "(cn=*last)"] {
            assert_eq!(bob.find(filter), ["uid=probe2,ou=people"], "{filter}");
        }
    }
}
