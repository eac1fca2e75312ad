//! Referential integrity (row E4): whoever names an entry names it by its new name when it is renamed, and no more when it
//! is deleted.

use keystead::directory::ResultCode::{Success, UnwillingToPerform};
use keystead::operations::integrity::References;
use keystead::protocol::{RawControl, oid};

use crate::scene::{Scene, full};
use crate::sentences;
use keystead::directory::tree::{Directory, Tree};

const STAFF: &str = "cn=staff,ou=groups";

fn delete(name: &str) -> String {
    format!("dn: {name}\nchangetype: delete\n")
}

fn rename(name: &str, new_rdn: &str) -> String {
    format!("dn: {name}\nchangetype: modrdn\nnewrdn: {new_rdn}\ndeleteoldrdn: 1\n")
}

fn add(name: &str, attribute: &str, value: &str) -> String {
    format!("dn: {name}\nchangetype: modify\nadd: {attribute}\n{attribute}: {value}\n")
}

/// Has the attribute name somebody.
fn name_somebody<D: Directory>(scene: &Scene<D>, holder: &str, attribute: &str, somebody: &str) {
    assert_eq!(scene.root().change(&add(holder, attribute, somebody)), Ok(()), "{attribute}");
}

sentences! {
    /// A renamed entry stays in its groups, and in everything else that names it.
    fn whoever_names_an_entry_names_it_by_its_new_name(scene) {
        let root = scene.root();
        let old = "UID=Alice, ou=People,dc=example,dc=com";
        for attribute in ["manager", "secretary", "seeAlso"] {
            name_somebody(scene, "bob", attribute, old);
        }
        name_somebody(scene, STAFF, "owner", old);
        let unique = format!("dn: cn=unique,ou=groups\nobjectClass: groupOfUniqueNames\nuniqueMember: {old}\n");
        let role = format!("dn: cn=role,ou=groups\nobjectClass: organizationalRole\nroleOccupant: {old}\n");
        root.change(&format!("{unique}\n{role}")).unwrap();
        root.change(&rename("alice", "uid=alicia")).unwrap();
        let new = full("alicia");
        for (holder, attribute) in [
            ("bob", "manager"),
            ("bob", "secretary"),
            ("bob", "seeAlso"),
            (STAFF, "owner"),
            ("cn=unique,ou=groups", "uniqueMember"),
            ("cn=role,ou=groups", "roleOccupant"),
        ] {
            assert_eq!(root.values(holder, attribute), [new.as_str()], "{holder} {attribute}");
        }
        assert_eq!(root.values(STAFF, "member"), [new, full("bob")]);
        assert_eq!(root.values("alicia", "memberOf"), [full(STAFF), full("cn=unique,ou=groups")]);
    }

    /// RFC 4512 §2.6: an alias stands for an entry also when that is renamed. It keeps nobody from deleting the entry, and then
    /// leads nowhere.
    fn an_alias_follows_its_entry(scene) {
        let root = scene.root();
        root.change(&format!("dn: cn=chief,ou=groups\nobjectClass: alias\nobjectClass: extensibleObject\naliasedObjectName: {}\n", full("alice"))).unwrap();
        root.change(&rename("alice", "uid=alicia")).unwrap();
        assert_eq!(root.values("cn=chief,ou=groups", "aliasedObjectName"), [full("alicia")]);
        root.change(&delete("alicia")).unwrap();
        assert_eq!(root.values("cn=chief,ou=groups", "aliasedObjectName"), [full("alicia")]);
    }

    /// A policy that is renamed goes on governing those who name it.
    fn accounts_follow_their_policy(scene) {
        let root = scene.root();
        root.change("dn: cn=strict,ou=policies\nobjectClass: namedPolicy\nobjectClass: pwdPolicy\npwdAttribute: userPassword\npwdMinLength: 30\n").unwrap();
        name_somebody(scene, "alice", "pwdPolicySubentry", &full("cn=strict,ou=policies"));
        root.change(&rename("cn=strict,ou=policies", "cn=severe")).unwrap();
        assert_eq!(root.values("alice", "pwdPolicySubentry"), [full("cn=severe,ou=policies")]);
        root.change(&delete("cn=severe,ou=policies")).unwrap();
        assert_eq!(root.values("alice", "pwdPolicySubentry"), [""; 0]);
    }

    /// Everything below an entry that is renamed or moved gets another name, and whoever names it follows.
    fn references_follow_all_that_is_moved(scene) {
        let root = scene.root();
        name_somebody(scene, "bob", "manager", &full("alice"));
        name_somebody(scene, "bob", "seeAlso", &full("bob"));
        root.change("dn: ou=company\nobjectClass: organizationalUnit\n").unwrap();
        let change = format!("{}newsuperior: ou=company,dc=example,dc=com\n", rename("ou=people", "ou=Humans"));
        root.change(&change).unwrap();
        let at = |name: &str| full(&format!("uid={name},ou=Humans,ou=company"));
        assert_eq!(root.values(STAFF, "member"), [at("alice"), at("bob")]);
        assert_eq!(root.values("cn=helpdesk,ou=groups", "member"), [at("hanna"), at("henry")]);
        assert_eq!(root.values(&at("bob"), "manager"), [at("alice")]);
        assert_eq!(root.values(&at("bob"), "seeAlso"), [at("bob")]);
        assert_eq!(root.find("(memberOf=cn=staff,ou=groups,dc=example,dc=com)").len(), 2);
    }

    /// Who is in the helpdesk is so by another name, too.
    fn rights_stay_with_who_is_renamed(scene) {
        scene.root().change(&rename("hanna", "uid=johanna")).unwrap();
        let reset = "dn: alice\nchangetype: modify\nreplace: userPassword\nuserPassword: a new long password\n";
        assert_eq!(scene.client("johanna").change(reset), Ok(()));
    }

    /// An entry that names itself goes on doing so.
    fn an_entry_may_name_itself(scene) {
        let root = scene.root();
        name_somebody(scene, "alice", "manager", &full("alice"));
        root.change(&rename("alice", "uid=alicia")).unwrap();
        assert_eq!(root.values("alicia", "manager"), [full("alicia")]);
        root.change(&delete("alicia")).unwrap();
        assert_eq!(root.values(STAFF, "member"), [full("bob")]);
    }

    /// References are spelled as the entry is (C24: clients compare names as text).
    fn another_spelling_of_a_name_is_followed(scene) {
        let root = scene.root();
        root.change(&rename("alice", "uid=ALICE")).unwrap();
        assert_eq!(root.values(STAFF, "member"), [full("uid=ALICE,ou=people"), full("bob")]);
    }

    /// What is deleted is named by nobody, so that another who gets its name later is in none of its groups.
    fn nobody_names_what_is_deleted(scene) {
        let root = scene.root();
        name_somebody(scene, "bob", "manager", "uid=ALICE,ou=people,dc=example,dc=com");
        root.change(&delete("alice")).unwrap();
        assert_eq!(root.values(STAFF, "member"), [full("bob")]);
        assert_eq!(root.values("bob", "manager"), [""; 0]);
        root.change("dn: alice\nobjectClass: inetOrgPerson\ncn: a\nsn: b\n").unwrap();
        assert_eq!(root.values("alice", "memberOf"), [""; 0]);
    }

    /// The same for all that is deleted with what stands above it.
    fn nobody_names_what_is_deleted_as_a_whole(scene) {
        let root = scene.root();
        name_somebody(scene, "cn=admin", "seeAlso", &full("alice"));
        let control = RawControl { oid: oid::TREE_DELETE.into(), critical: true, value: None };
        let response = root.change_with(&delete("ou=people"), &[control]);
        assert_eq!(response.result.code, Success);
        assert_eq!(root.find("(|(member=uid=alice,ou=people,dc=example,dc=com)(seeAlso=*))"), [""; 0]);
        assert_eq!(root.values(STAFF, "member"), [""; 0]);
    }

    /// A group may be without members, so that the last of them can be deleted.
    fn the_last_member_of_a_group_can_be_deleted(scene) {
        let root = scene.root();
        for name in ["alice", "bob"] {
            root.change(&delete(name)).unwrap();
        }
        assert_eq!(root.values(STAFF, "member"), [""; 0]);
        assert_eq!(root.change(&add(STAFF, "description", "empty")), Ok(()));
    }

    /// What another entry must have by its object class is not taken from it: then neither is what it names.
    fn what_must_be_named_stays(scene) {
        let schema = scene.directory.view().schema().clone();
        let references = References::prepare(&["aliasedObjectName"], &schema).unwrap();
        scene.configure(|services| services.integrity.references = references);
        let alias = format!("dn: cn=also,ou=groups\nobjectClass: alias\nobjectClass: extensibleObject\naliasedObjectName: {}\n", full("bob"));
        let root = scene.root();
        root.change(&alias).unwrap();
        assert_eq!(root.change(&delete("bob")), Err(UnwillingToPerform));
        root.change(&rename("bob", "uid=robert")).unwrap();
        assert_eq!(root.values("cn=also,ou=groups", "aliasedObjectName"), [full("robert")]);
        root.change(&delete("cn=also,ou=groups")).unwrap();
        root.change(&delete("robert")).unwrap();
    }

    /// Which attributes follow is for the configuration to say.
    fn attributes_that_are_not_named_do_not_follow(scene) {
        let schema = scene.directory.view().schema().clone();
        let references = References::prepare(&["manager"], &schema).unwrap();
        scene.configure(|services| services.integrity.references = references);
        scene.root().change(&delete("alice")).unwrap();
        assert_eq!(scene.root().values(STAFF, "member"), [full("alice"), full("bob")]);
    }

    /// Who may delete need not be allowed to write what names the deleted, nor to know of it.
    fn no_right_to_the_referrers_is_needed(scene) {
        let mut rules = crate::scene::rules();
        rules.push(crate::scene::rule("personnel", &format!("dn:{}", full("hanna")), "subtree:ou=people,dc=example,dc=com", &[], &["delete", "rename"]));
        rules.retain(|rule| rule.name != "whoever has authenticated");
        scene.rule_by(&rules);
        assert_eq!(scene.client("hanna").change(&delete("alice")), Ok(()));
        assert_eq!(scene.client("hanna").change(&rename("bob", "uid=robert")), Ok(()));
        assert_eq!(scene.root().values(STAFF, "member"), [full("robert")]);
    }
}
