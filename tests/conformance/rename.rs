//! Modify DN (RFC 4511 §4.9).

use keystead::directory::ResultCode::{
    self, AdminLimitExceeded, ConstraintViolation, EntryAlreadyExists, InsufficientAccessRights,
    InvalidAttributeSyntax, InvalidDnSyntax, NamingViolation, NoSuchObject, ObjectClassViolation,
    UndefinedAttributeType, UnwillingToPerform,
};

use crate::sentences;

fn rename(name: &str, new_rdn: &str, delete_old: u8) -> String {
    format!("dn: {name}\nchangetype: modrdn\nnewrdn: {new_rdn}\ndeleteoldrdn: {delete_old}\n")
}

fn move_below(name: &str, new_rdn: &str, superior: &str) -> String {
    format!("{}newsuperior: {superior}\n", rename(name, new_rdn, 1))
}

sentences! {
    /// RFC 4511 §4.9: deleteoldrdn says "whether the old RDN attribute values are to be retained"; those of the new one
    /// are added.
    fn the_values_of_the_old_name_stay_or_go(scene) {
        let root = scene.root();
        for (change, name, uid) in [
            (rename("alice", "uid=alicia", 0), "alicia", &["alice", "alicia"][..]),
            (rename("alicia", "uid=ally", 1), "ally", &["alice", "ally"]),
            (rename("ally", "UID=ALICE", 1), "alice", &["alice"]),
            (rename("alice", "uid=Alice", 1), "alice", &["Alice"]),
            (rename("alice", "uid=aLICE", 0), "alice", &["Alice"]),
            (rename("alice", "uid=aLICE", 1), "alice", &["aLICE"]),
            (rename("alice", "cn=Alice Adams", 0), "cn=alice adams,ou=people", &["aLICE"]),
            (rename("cn=alice adams,ou=people", "sn=Adams+uid=alice", 0), "uid=alice+sn=adams,ou=people", &["aLICE"]),
        ] {
            assert_eq!(root.change(&change), Ok(()), "{change}");
            assert_eq!(root.values(name, "uid"), uid, "{change}");
        }
        assert_eq!(root.find("(uid=alice)"), ["sn=Adams+uid=alice,ou=people"]);
        assert_eq!(root.find("(uid=alicia)"), [""; 0]);
        assert_eq!(scene.anonymous().bind("uid=alice+sn=adams,ou=people", "alice's password"), Ok(()));
    }

    /// RFC 4511 §4.9: the entry that comes of it must be legal.
    fn the_renamed_entry_must_be_legal(scene) {
        let root = scene.root();
        for (change, code) in [
            (rename("alice", "mail=alice@example.com", 1), ObjectClassViolation),
            (rename("cn=admin", "sn=Administrator", 1), ObjectClassViolation),
            (rename("alice", "o=Example", 1), ObjectClassViolation),
            (rename("alice", "c=DE", 0), ObjectClassViolation),
            (rename("alice", "nosuch=x", 1), UndefinedAttributeType),
            (rename("alice", "alice", 1), InvalidDnSyntax),
            (rename("alice", "uid=a,ou=b", 1), InvalidDnSyntax),
            (rename("alice", "uid=a\"b", 1), InvalidDnSyntax),
            (rename("alice", "uid=", 1), InvalidAttributeSyntax),
            (rename("alice", "dnQualifier=ä", 1), ObjectClassViolation),
            (rename("alice", "uidNumber=7", 0), ConstraintViolation),
            (rename("alice", "userPassword=x", 0), NamingViolation),
            (rename("alice", "entryUUID=x", 0), NamingViolation),
            (rename("uid=,,dc=example,dc=com", "uid=a", 0), InvalidDnSyntax),
        ] {
            assert_eq!(root.change(&change), Err(code), "{change}");
        }
        assert_eq!(root.find("(uid=alice)"), ["uid=alice,ou=people"]);
    }

    /// RFC 4511 §4.9: "entryAlreadyExists"; but an entry does not stand in its own way (sharp edge 17).
    fn the_new_name_must_be_free(scene) {
        let root = scene.root();
        assert_eq!(root.change(&rename("alice", "uid=BOB", 1)), Err(EntryAlreadyExists));
        assert_eq!(root.change(&move_below("cn=staff,ou=groups", "cn=staff", "ou=policies")), Ok(()));
        let taken = move_below("cn=helpdesk,ou=groups", "cn=Staff", "ou=policies");
        assert_eq!(root.change(&taken), Err(EntryAlreadyExists));
        let here = move_below("bob", "uid=bob", "ou=people");
        for same in [rename("bob", "uid=bob", 1), rename("bob", "uid=bob", 0), here] {
            assert_eq!(root.change(&same), Ok(()), "{same}");
        }
        assert_eq!(root.values("bob", "uid"), ["bob"]);
    }

    /// RFC 4511 §4.9: an entry that is moved takes along what stands below it; its UUID stays (RFC 4530 §2).
    fn a_subtree_is_moved_as_a_whole(scene) {
        let root = scene.root();
        let uuid = root.values("alice", "entryUUID");
        root.change("dn: ou=staff\nobjectClass: organizationalUnit\n").unwrap();
        root.change(&move_below("ou=people", "ou=People Too", "ou=staff")).unwrap();
        assert_eq!(root.find("(uid=alice)"), ["uid=alice,ou=People Too,ou=staff"]);
        assert_eq!(root.values("uid=alice,ou=people too,ou=staff", "entryUUID"), uuid);
        assert_eq!(root.read("alice", &[]), None);
        assert_eq!(root.values("dc=example,dc=com", "numSubordinates"), ["4"]);
        assert_eq!(scene.anonymous().bind("uid=bob,ou=people too,ou=staff", "bob's password"), Ok(()));
        root.change("dn: ou=people\nobjectClass: organizationalUnit\n").unwrap();
        assert_eq!(root.values("ou=people", "hasSubordinates"), ["FALSE"]);
        root.change(&move_below("uid=alice,ou=people too,ou=staff", "uid=alice", "ou=people")).unwrap();
        assert_eq!(root.find("(uid=alice)"), ["uid=alice,ou=people"]);
    }

    /// All entries below get their new names and all references follow, or none: how many these are is bounded, on one level as on
    /// several.
    fn what_a_rename_gives_other_names_is_bounded(scene) {
        let below = scene.root().find("(ou:dn:=people)").len();
        scene.configure(|services| services.limits.rename = below - 1);
        assert_eq!(scene.root().change(&rename("ou=people", "ou=folk", 1)), Err(AdminLimitExceeded));
        assert_eq!((scene.root().find("(ou:dn:=people)").len(), scene.root().find("(ou:dn:=folk)").len()), (below, 0));
        scene.configure(|services| services.limits.rename = below);
        assert_eq!(scene.root().change(&rename("ou=people", "ou=folk", 1)), Ok(()));
        assert_eq!((scene.root().find("(ou:dn:=people)").len(), scene.root().find("(ou:dn:=folk)").len()), (0, below));
    }

    /// RFC 4511 §4.9: the superior must exist, and be no part of what is moved (sharp edge 17).
    fn an_entry_is_moved_to_where_it_can_stand(scene) {
        let root = scene.root();
        for (change, code, matched) in [
            (move_below("alice", "uid=alice", "ou=nowhere"), NoSuchObject, "dc=example,dc=com"),
            (move_below("alice", "uid=alice", "dc=other,dc=org"), NoSuchObject, ""),
            (move_below("alice", "uid=alice", "uid=,,dc=com"), InvalidDnSyntax, ""),
            (move_below("ou=people", "ou=people", "ou=people"), UnwillingToPerform, ""),
            (move_below("ou=people", "ou=people", "uid=alice,OU=People"), UnwillingToPerform, ""),
            (rename("nobody", "uid=x", 1), NoSuchObject, "ou=people,dc=example,dc=com"),
            (rename("dc=example,dc=com", "dc=other", 1), UnwillingToPerform, ""),
            (move_below("dc=example,dc=com", "dc=example", "ou=people"), UnwillingToPerform, ""),
        ] {
            let result = root.change_with(&change, &[]).result;
            assert_eq!((result.code, result.matched_dn.as_str()), (code, matched), "{change}");
        }
        assert_eq!(root.find("(objectClass=*)").len(), 13);
    }

    /// Only those with the right rename; to move, one must be allowed to add at the new place.
    fn only_those_with_the_right_rename(scene) {
        let refused = |name: &str, code: ResultCode| {
            assert_eq!(scene.client(name).change(&rename("bob", "uid=robert", 1)), Err(code), "{name}");
        };
        refused("alice", InsufficientAccessRights);
        refused("bob", InsufficientAccessRights);
        refused("hanna", InsufficientAccessRights);
        assert_eq!(scene.anonymous().change(&rename("bob", "uid=robert", 1)), Err(NoSuchObject));
        assert_eq!(scene.client("cn=admin").change(&rename("bob", "uid=robert", 1)), Ok(()));
    }
}
