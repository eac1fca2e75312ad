//! Delete (RFC 4511 §4.8).

use keystead::directory::ResultCode::{
    InsufficientAccessRights, InvalidDnSyntax, NoSuchObject, NotAllowedOnNonLeaf, UnwillingToPerform,
};

use crate::sentences;

sentences! {
    /// RFC 4511 §4.8: "Only leaf entries ... can be deleted with this operation."
    fn an_entry_with_others_below_cannot_be_deleted(scene) {
        let root = scene.root();
        for name in ["ou=people", "dc=example,dc=com"] {
            assert_eq!(root.change(&format!("dn: {name}\nchangetype: delete\n")), Err(NotAllowedOnNonLeaf), "{name}");
        }
        root.change("dn: UID=Bob, ou=People,dc=example,dc=com\nchangetype: delete\n").unwrap();
        assert_eq!(root.find("(uid=bob)"), [""; 0]);
        assert_eq!(root.read("bob", &[]), None);
    }

    /// RFC 4511 §4.8 and §4.1.9: noSuchObject with the matched name, and no more than may be seen.
    fn an_entry_to_be_deleted_must_exist(scene) {
        for (name, code, matched) in [
            ("uid=nobody,ou=people,dc=example,dc=com", NoSuchObject, "ou=people,dc=example,dc=com"),
            ("uid=nobody,ou=nowhere,dc=example,dc=com", NoSuchObject, "dc=example,dc=com"),
            ("dc=other,dc=org", NoSuchObject, ""),
            ("uid=,,dc=example,dc=com", InvalidDnSyntax, ""),
        ] {
            let response = scene.root().change_with(&format!("dn: {name}\nchangetype: delete\n"), &[]);
            assert_eq!((response.result.code, response.result.matched_dn.as_str()), (code, matched), "{name}");
        }
        assert_eq!(scene.client("bob").change("dn: alice\nchangetype: delete\n"), Err(InsufficientAccessRights));
        assert_eq!(scene.anonymous().change("dn: alice\nchangetype: delete\n"), Err(NoSuchObject));
    }

    /// An entry is gone with its password and its memberships, and another of its name is another entry.
    fn an_entry_is_gone_with_its_password(scene) {
        let root = scene.root();
        let uuid = root.values("alice", "entryUUID");
        root.change("dn: alice\nchangetype: delete\n").unwrap();
        assert!(scene.anonymous().bind("alice", "alice's password").is_err());
        root.change("dn: alice\nobjectClass: inetOrgPerson\ncn: a\nsn: b\n").unwrap();
        assert!(scene.anonymous().bind("alice", "alice's password").is_err());
        assert_ne!(root.values("alice", "entryUUID"), uuid);
        assert_eq!(root.find("(pwdChangedTime=*)").len(), 4);
    }

    /// A whole directory can be deleted, entry by entry, and built again.
    fn a_suffix_without_entries_below_can_be_deleted_and_added(scene) {
        let root = scene.root();
        let mut names: Vec<String> = root.find("(objectClass=*)");
        names.sort_by_key(|name| std::cmp::Reverse(name.split(',').count() - usize::from(name.is_empty())));
        for name in names {
            let name = if name.is_empty() { "dc=example,dc=com".to_owned() } else { name };
            assert_eq!(root.change(&format!("dn: {name}\nchangetype: delete\n")), Ok(()), "{name}");
        }
        let unit = "dn: ou=x,dc=example,dc=com\nobjectClass: organizationalUnit\n";
        assert_eq!(root.change(unit), Err(NoSuchObject));
        assert_eq!(root.change("dn: dc=example,dc=org\nobjectClass: domain\n"), Err(UnwillingToPerform));
        root.change("dn: DC=Example,dc=com\nobjectClass: domain\n").unwrap();
        root.change(unit).unwrap();
        assert_eq!(root.values("dc=example,dc=com", "entryDN"), ["DC=Example,dc=com"]);
    }
}
