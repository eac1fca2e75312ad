//! What breaks when applications meet a new LDAP server: their requests, as they send them.
//!
//! The rows C1 to C40 are those of a reading of some 200 bug reports; rows that are about connections are in `tests/tours`.
#![expect(clippy::indexing_slicing, reason = "a test that finds nothing has failed")]

use keystead::directory::ResultCode::{
    self, AdminLimitExceeded, CompareFalse, CompareTrue, InappropriateAuthentication, InsufficientAccessRights,
    InvalidCredentials, NoSuchObject, UnavailableCriticalExtension, UnwillingToPerform,
};
use keystead::directory::tree::Directory;
use keystead::directory::tree::Scope::{BaseObject, SingleLevel, WholeSubtree};
use keystead::operations::context::AnonymousBind;
use keystead::protocol::request::DerefAliases;
use keystead::protocol::{RawControl, oid};

use crate::scene::{Client, SUFFIX, Scene, full, policy_control, result, rule, search_request};
use crate::sentences;

const ALICE: &str = "alice's password";
const ALL: &str = "(objectClass=*)";

/// What the applications have that the scene has not: a mail group, a group of unique names, a POSIX group.
fn with_groups<D: Directory>(scene: &Scene<D>) -> Client<'_, D> {
    let groups = "dn: cn=team,ou=groups\nobjectClass: groupOfUniqueNames\ncn: team\n\
                  uniqueMember: uid=alice,ou=people,dc=example,dc=com\n\n\
                  dn: cn=unix,ou=groups\nobjectClass: posixGroup\ncn: unix\ngidNumber: 5000\nmemberUid: alice\n\n\
                  dn: cn=all,ou=groups\nobjectClass: groupOfNames\ncn: all\n\
                  member: cn=staff,ou=groups,dc=example,dc=com\n";
    scene.root().change(groups).unwrap();
    scene.client("bob")
}

fn control(oid: &str, value: Option<&'static [u8]>) -> RawControl {
    RawControl { oid: oid.to_owned().into(), critical: false, value: value.map(Into::into) }
}

fn critical(oid: &str, value: Option<&'static [u8]>) -> RawControl {
    RawControl { critical: true, ..control(oid, value) }
}

/// How a search of the whole tree ends that carries a control.
fn searched_with<D: Directory>(client: &Client<'_, D>, control: RawControl) -> Result<(), ResultCode> {
    result(&client.send_search(&search_request(SUFFIX, WholeSubtree, ALL, &["1.1"]), &[control]).1)
}

sentences! {
    /// C1: the root DSE answers before any bind. These are the attributes that SSSD asks for.
    fn c1_the_root_dse_answers_before_a_bind(scene) {
        let names = [
            "*", "altServer", "namingContexts", "supportedControl", "supportedExtension", "supportedFeatures",
            "supportedLDAPVersion", "supportedSASLMechanisms", "domainControllerFunctionality", "defaultNamingContext",
            "lastUSN", "highestCommittedUSN",
        ];
        let nobody = scene.anonymous();
        for filter in [ALL, "(objectclass=*)", "(ObjectClass=*)"] {
            let found = nobody.search("", BaseObject, filter, &names).unwrap();
            assert_eq!(found[0].texts("namingContexts"), [SUFFIX]);
        }
        assert_eq!(nobody.search("", BaseObject, ALL, &["1.1"]).unwrap().len(), 1);
    }

    /// C2, C3: a name with an empty password, or a password without a name, is no success.
    fn c2_c3_half_a_bind_is_no_bind(scene) {
        assert_eq!(scene.anonymous().bind("alice", ""), Err(UnwillingToPerform));
        assert_eq!(scene.anonymous().bind("nobody", ""), Err(UnwillingToPerform));
        assert_eq!(scene.anonymous().bind("", ALICE), Err(InvalidCredentials));
    }

    /// C4: an anonymous bind that is not allowed is answered with a code that says so.
    fn c4_an_anonymous_bind_that_is_not_allowed_is_told_as_such(scene) {
        scene.configure(|services| services.anonymous = AnonymousBind::Refused);
        assert_eq!(scene.anonymous().bind("", ""), Err(InappropriateAuthentication));
        assert!(!scene.anonymous().search("", BaseObject, ALL, &["namingContexts"]).unwrap().is_empty());
    }

    /// C5, C7: good, bad, good on one connection; a failure is not remembered, and an old password ends at once.
    fn c5_c7_each_bind_is_judged_by_itself(scene) {
        let client = scene.anonymous();
        assert_eq!(client.bind("alice", ALICE), Ok(()));
        assert_eq!(client.bind("alice", "not yet"), Err(InvalidCredentials));
        assert_eq!(client.bind("alice", ALICE), Ok(()));
        assert_eq!(client.password_modify(None, Some(ALICE), Some("not yet, but now")), Ok(None));
        assert_eq!(client.bind("alice", ALICE), Err(InvalidCredentials));
        assert_eq!(client.bind("alice", "not yet, but now"), Ok(()));
    }

    /// C6: who may search nothing binds all the same.
    fn c6_a_bind_needs_no_right_to_search(scene) {
        scene.rule_by(&[rule("authenticate", "everyone", "everything", &[], &["authenticate"])]);
        let client = scene.anonymous();
        assert_eq!(client.bind("alice", ALICE), Ok(()));
        assert_eq!(client.names(SUFFIX, WholeSubtree, ALL), Err(NoSuchObject));
    }

    /// C9: a name that is no DN is a user name; one that nobody has is as wrong as a wrong password.
    fn c9_user_names_bind(scene) {
        let bind = |name: &str| {
            let authentication = keystead::protocol::request::Authentication::Simple(ALICE.into());
            let request = keystead::protocol::request::BindRequest { version: 3, name: name.to_owned().into(), authentication };
            result(&scene.anonymous().send(&keystead::protocol::Request::Bind(request), &[]))
        };
        assert_eq!((bind("alice"), bind("ALICE")), (Ok(()), Ok(())));
        assert_eq!(bind("nobody"), Err(InvalidCredentials));
        assert_eq!(bind("alice@elsewhere.org"), Err(InvalidCredentials));
    }

    /// C12: JNDI sends `ManageDsaIT` with everything, critical or not.
    fn c12_manage_dsa_it_is_understood(scene) {
        let bob = scene.client("bob");
        for control in [critical(oid::MANAGE_DSA_IT, None), control(oid::MANAGE_DSA_IT, None)] {
            assert_eq!(searched_with(&bob, control), Ok(()));
        }
        let change = "dn: ou=groups\nchangetype: modify\nreplace: description\ndescription: x\n";
        assert_eq!(result(&scene.root().change_with(change, &[critical(oid::MANAGE_DSA_IT, None)])), Ok(()));
    }

    /// C13: an unknown control is ignored, or refused where it is critical, before anything has happened.
    fn c13_unknown_controls(scene) {
        let bob = scene.client("bob");
        assert_eq!(searched_with(&bob, control("1.2.3.4", Some(b"\xff"))), Ok(()));
        assert_eq!(searched_with(&bob, critical("1.2.3.4", None)), Err(UnavailableCriticalExtension));
        let delete = "dn: cn=staff,ou=groups\nchangetype: delete\n";
        let told = scene.root().change_with(delete, &[critical("1.2.3.4", None)]);
        assert_eq!(result(&told), Err(UnavailableCriticalExtension));
        assert!(bob.read("cn=staff,ou=groups", &["cn"]).is_some());
    }

    /// C14, C16: pages are given, marked as critical or not; a page larger than the server's limit is capped, not empty.
    fn c14_c16_pages_of_any_size(scene) {
        let size = Some(&b"\x30\x08\x02\x04\x00\x98\x96\x80\x04\x00"[..]);
        for pages in [critical(oid::PAGED_RESULTS, size), control(oid::PAGED_RESULTS, size)] {
            let (found, told) = scene.client("bob").send_search(&search_request(SUFFIX, WholeSubtree, ALL, &["1.1"]), &[pages]);
            assert_eq!(result(&told), Ok(()));
            assert!(found.len() > 10 && told.controls.iter().any(|control| control.oid == oid::PAGED_RESULTS));
        }
    }

    /// C17: the control for password policies may come with any request.
    fn c17_the_password_policy_control_disturbs_nothing(scene) {
        let request = search_request(SUFFIX, WholeSubtree, "(uid=alice)", &["cn"]);
        let (found, told) = scene.client("bob").send_search(&request, &policy_control());
        assert_eq!((found.len(), result(&told)), (1, Ok(())));
    }

    /// C18: SSSD asks for dozens of attributes, most of which no entry has.
    fn c18_a_client_may_ask_for_many_attributes(scene) {
        let names: Vec<String> = (0..60).map(|n| format!("ipaAttribute{n}")).chain(["uidNumber".to_owned()]).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let found = scene.client("bob").search(SUFFIX, WholeSubtree, "(uid=alice)", &names).unwrap();
        assert_eq!(found[0].names(), ["uidNumber"]);
        let endless = vec!["x"; 1001];
        assert_eq!(scene.client("bob").search(SUFFIX, WholeSubtree, ALL, &endless), Err(AdminLimitExceeded));
    }

    /// C19, C20, C22: `1.1`, `*`, `+` and mixes; what is asked for twice comes once, and no attribute comes empty.
    fn c19_c20_c22_lists_of_attributes(scene) {
        let bob = scene.client("bob");
        let names = |list: &[&str]| bob.read("alice", list).unwrap().names().len();
        let (user, operational) = (names(&["*"]), names(&["+"]));
        assert_eq!((names(&["1.1"]), names(&[])), (0, user));
        assert!(operational > 5);
        assert_eq!((names(&["*", "+"]), names(&["+", "*", "cn"])), (user + operational, user + operational));
        assert_eq!((names(&["cn", "1.1"]), names(&["cn", "CN", "2.5.4.3", "commonName"])), (1, 1));
        for found in bob.search(SUFFIX, WholeSubtree, ALL, &["*", "+"]).unwrap() {
            assert!(found.attributes.iter().all(|(_, values)| !values.is_empty()), "{}", found.dn);
        }
    }

    /// C21: `dn` is no attribute, but Nextcloud asks for it; entryDN is one.
    fn c21_a_client_may_ask_for_the_name(scene) {
        let bob = scene.client("bob");
        let found = bob.search(SUFFIX, WholeSubtree, "(uid=alice)", &["dn"]).unwrap();
        assert_eq!((found[0].dn.as_str(), found[0].names()), (full("alice").as_str(), vec![]));
        assert_eq!(bob.values("alice", "entryDN"), [full("alice")]);
        assert_eq!(bob.find("(entryDN=UID=Alice, ou=people,dc=example,dc=com)"), ["uid=alice,ou=people"]);
    }

    /// C23, C25, C26: case and spaces do not count, in filters, names, attributes, and when a password is changed.
    fn c23_c25_c26_case_and_spaces_do_not_count(scene) {
        let bob = scene.client("bob");
        for filter in ["(CN=ALICE ADAMS)", "(cn=aLiCe*)", "(UID=Alice)", "(mail=ALICE@EXAMPLE.COM)", "(cn=alice  adams)"] {
            assert_eq!(bob.find(filter), ["uid=alice,ou=people"], "{filter}");
        }
        let spelled = "UID = Alice , OU = People , DC = Example , DC = COM";
        assert_eq!(bob.search(spelled, BaseObject, ALL, &["uid"]).unwrap()[0].dn, full("alice"));
        assert_eq!(scene.anonymous().bind("UID=ALICE,OU=people,DC=example,dc=com", ALICE), Ok(()));
        let changed = scene.client("alice").password_modify(Some(spelled), Some(ALICE), Some("a much better secret"));
        assert_eq!(changed, Ok(None));
        assert_eq!(scene.anonymous().bind("alice", "a much better secret"), Ok(()));
    }

    /// C24: a name is spelled in one way wherever it comes from.
    fn c24_a_name_is_spelled_in_one_way(scene) {
        scene.root().change("dn: CN=Odd,OU=Groups,DC=Example,DC=Com\nobjectClass: groupOfNames\nmember: UID=Alice,ou=People,dc=example,dc=com\n").unwrap();
        let bob = scene.client("bob");
        let found = bob.search(SUFFIX, WholeSubtree, "(cn=odd)", &["entryDN"]).unwrap();
        let memberships = bob.values("alice", "memberOf");
        assert!(memberships.contains(&found[0].dn), "{memberships:?} {}", found[0].dn);
        assert_eq!(found[0].texts("entryDN"), [found[0].dn.clone()]);
    }

    /// C27: memberOf in filters, twice, with a list of attributes, and of groups that do not exist.
    fn c27_member_of_is_an_attribute_like_others(scene) {
        let bob = with_groups(scene);
        let group = |name: &str| format!("(memberOf=cn={name},ou=groups,dc=example,dc=com)");
        assert_eq!(bob.find(&format!("(&{}{})", group("staff"), group("team"))), ["uid=alice,ou=people"]);
        assert_eq!(bob.find(&format!("(|{}{})", group("staff"), group("team"))).len(), 2);
        assert_eq!(bob.find(&group("nowhere")), [""; 0]);
        assert_eq!(bob.find("(memberOf=no name at all)"), [""; 0]);
        let login = format!("(&(objectClass=person){})", group("staff"));
        let found = bob.search(SUFFIX, WholeSubtree, &login, &["uid", "mail"]).unwrap();
        assert!(found.len() == 2 && found.iter().all(|entry| entry.names().len() == 2), "{found:?}");
    }

    /// C28: groups of every class that clients ask for.
    fn c28_groups_of_every_class(scene) {
        let bob = with_groups(scene);
        assert_eq!(bob.find("(&(objectClass=groupOfNames)(cn=staff))"), ["cn=staff,ou=groups"]);
        assert_eq!(bob.find("(&(objectClass=groupOfUniqueNames)(uniqueMember=uid=alice,ou=people,dc=example,dc=com))"), ["cn=team,ou=groups"]);
        assert_eq!(bob.find("(&(objectClass=posixGroup)(memberUid=alice))"), ["cn=unix,ou=groups"]);
    }

    /// C29, C31, C32: what does not exist is no match, a base that does not exist is an error, and no branch spoils a search.
    fn c29_c31_c32_what_does_not_exist(scene) {
        let bob = scene.client("bob");
        assert_eq!(bob.find("(shoeSize=44)"), [""; 0]);
        assert_eq!(bob.find("(shoeSize=*)"), [""; 0]);
        assert_eq!(bob.find("(|(shoeSize=44)(uid=alice))"), ["uid=alice,ou=people"]);
        assert_eq!(bob.find("(userid=alice)"), ["uid=alice,ou=people"]);
        assert_eq!(bob.names("uid=nobody,ou=people", BaseObject, ALL), Err(NoSuchObject));
        assert_eq!(bob.names("", WholeSubtree, "(uid=alice)").unwrap(), ["uid=alice,ou=people"]);
    }

    /// C30: pfSense picks containers by `(|(ou=*)(cn=Users))`.
    fn c30_containers_are_entries(scene) {
        let found = scene.client("bob").names(SUFFIX, SingleLevel, "(|(ou=*)(cn=Users))").unwrap();
        assert_eq!(found, ["ou=groups", "ou=people", "ou=policies"]);
    }

    /// C34, C35, C39: times are `GeneralizedTime`, entryUUID stays, and the time of a password change can be read.
    fn c34_c35_c39_what_synchronizing_clients_read(scene) {
        let alice = scene.client("alice");
        let uuid = alice.values("alice", "entryUUID");
        assert_eq!(alice.find(&format!("(entryUUID={})", uuid[0].to_uppercase())), ["uid=alice,ou=people"]);
        assert_eq!(alice.values("alice", "createTimestamp"), ["20260601120000Z"]);
        scene.wait(60);
        assert_eq!(alice.password_modify(None, Some(ALICE), Some("a much better secret")), Ok(None));
        assert_eq!(alice.values("alice", "pwdChangedTime"), ["20260601120100Z"]);
        assert_eq!(alice.values("alice", "entryUUID"), uuid);
    }

    /// C36: SSSD looks people up by uidNumber, and groups by gidNumber.
    fn c36_people_are_found_by_their_number(scene) {
        let bob = with_groups(scene);
        let by_number = "(&(uidNumber=5001)(objectclass=posixAccount)(uid=*)(&(uidNumber=*)(!(uidNumber=0))))";
        let found = bob.search(SUFFIX, WholeSubtree, by_number, &["uid", "uidNumber", "gidNumber", "homeDirectory"]).unwrap();
        assert_eq!((found.len(), found[0].names().len()), (1, 4));
        assert_eq!(bob.find("(&(gidNumber=5000)(objectClass=posixGroup)(cn=*)(&(gidNumber=*)(!(gidNumber=0))))"), ["cn=unix,ou=groups"]);
    }

    /// C37: Who am I, and compare.
    fn c37_who_am_i_and_compare(scene) {
        let told = scene.client("alice").extended(oid::WHO_AM_I, None, &[]);
        assert_eq!(told.value.unwrap(), format!("dn:{}", full("alice")).into_bytes());
        let bob = scene.client("bob");
        assert_eq!((bob.compare("alice", "sn", "ADAMS"), bob.compare("alice", "sn", "x")), (CompareTrue, CompareFalse));
    }

    /// C40: whatever an add has taken is there.
    fn c40_what_was_added_is_there(scene) {
        let lines = "objectClass: inetOrgPerson\nobjectClass: posixAccount\nuid: dora\ncn: Dora\ncn;lang-de: Dora von\nsn: Dove\n\
                     uidNumber: 1\ngidNumber: 2\nhomeDirectory: /\njpegPhoto:: /9j/4AAQ\npreferredLanguage: de\ntitle: Dr\n";
        scene.root().change(&format!("dn: uid=dora,ou=people\n{lines}")).unwrap();
        let found = scene.client("bob").read("dora", &[]).unwrap();
        for name in ["uid", "cn", "cn;lang-de", "sn", "uidNumber", "gidNumber", "homeDirectory", "jpegPhoto", "preferredLanguage", "title"] {
            assert_eq!(found.attributes.iter().filter(|(own, _)| own == name).count(), 1, "{name}");
        }
    }

    /// The filters by which applications log people in.
    fn logins(scene) {
        let bob = scene.client("bob");
        for filter in [
            "(&(objectClass=person)(uid=alice))", "(|(uid=alice)(mail=alice))", "(&(uid=alice))",
            "(&(|(uid=alice)(mail=alice@example.com))(memberOf=cn=staff,ou=groups,dc=example,dc=com))",
            "(&(&(objectclass=person)(memberOf=cn=staff,ou=groups,dc=example,dc=com))(uid=alice))",
            "(&(objectclass=inetOrgPerson)(|(uid=alice)(mail=alice)))", "(&(objectclass=posixAccount)(uid=alice))",
        ] {
            assert_eq!(bob.find(filter), ["uid=alice,ou=people"], "{filter}");
        }
    }

    /// The filters by which they find groups: Jenkins, Vault, ownCloud, Grafana.
    fn groups(scene) {
        let bob = with_groups(scene);
        for (filter, found) in [
            ("(& (cn=staff)(objectclass=groupOfNames))", &["cn=staff,ou=groups"][..]),
            ("(&(member=uid=alice,ou=people,dc=example,dc=com)(objectclass=groupOfUniqueNames))", &[]),
            ("(&(objectclass=groupOfUniqueNames)(uid=ocis_*))", &[]),
            ("(&(|(objectclass=groupOfUniqueNames))(|(cn=team)(cn=b)))", &["cn=team,ou=groups"]),
            ("(&(objectClass=posixGroup)(memberUid=alice))", &["cn=unix,ou=groups"]),
        ] {
            assert_eq!(bob.find(filter), found, "{filter}");
        }
    }

    /// How they look around: pfSense, a management board, Nextcloud, what synchronizes mail addresses.
    fn discovery(scene) {
        let bob = scene.client("bob");
        let found = bob.search(&full("ou=groups"), WholeSubtree, "(&(objectClass=groupOfNames)(cn=staff))", &["member"]).unwrap();
        assert_eq!((found.len(), found[0].texts("member").len()), (1, 2));
        assert!(bob.search(SUFFIX, WholeSubtree, "(objectclass=*)", &["dn"]).unwrap().len() > 10);
        assert_eq!(bob.find("(&(objectClass=person)(mail=*))").len(), 4);
        // Studio asks with aliases dereferenced, whether there are any or not.
        let mut request = search_request(SUFFIX, SingleLevel, ALL, &["hasSubordinates", "objectClass"]);
        (request.deref_aliases, request.size_limit) = (DerefAliases::Always, 1000);
        let (found, told) = bob.send_search(&request, &[]);
        assert_eq!((found.len(), result(&told)), (4, Ok(())));
    }

    /// Bad on purpose: the rule of Active Directory, a password with a semicolon, somebody else's password.
    fn bad_on_purpose(scene) {
        let bob = with_groups(scene);
        let nested = "(memberOf:1.2.840.113556.1.4.1941:=cn=all,ou=groups,dc=example,dc=com)";
        assert!(bob.names(SUFFIX, WholeSubtree, nested).is_ok(), "nested membership or no match, never an error");
        let alice = scene.client("alice");
        assert_eq!(alice.password_modify(None, Some(ALICE), Some("two;parts of one secret")), Ok(None));
        assert_eq!(scene.anonymous().bind("alice", "two;parts of one secret"), Ok(()));
        assert_eq!(alice.password_modify(Some(&full("bob")), None, Some("a much better secret")), Err(InsufficientAccessRights));
    }
}
