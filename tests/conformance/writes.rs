//! Add, delete, modify and modify DN (RFC 4511 §4.6 to §4.9).

use keystead::directory::ResultCode;

use crate::sentences;

sentences! {
    /// RFC 4511 §4.7: "the entry that is added ... MUST NOT exist".
    fn an_entry_that_exists_cannot_be_added(scene) {
        let again = "dn: uid=ALICE,ou=People,dc=example,dc=com\nobjectClass: inetOrgPerson\ncn: a\nsn: b\n";
        assert_eq!(scene.client("cn=admin").change(again), Err(ResultCode::EntryAlreadyExists));
    }

    /// RFC 4511 §4.7: "the server returns noSuchObject and sets matchedDN to the nearest ancestor".
    fn the_superior_of_an_added_entry_must_exist(scene) {
        let admin = scene.client("cn=admin");
        let orphan = "dn: uid=x,ou=nowhere,dc=example,dc=com\nobjectClass: inetOrgPerson\ncn: a\nsn: b\n";
        let response = admin.send(&admin.requests(orphan)[0], &[]);
        assert_eq!(response.result.code, ResultCode::NoSuchObject);
        assert_eq!(response.result.matched_dn, "dc=example,dc=com");
    }

    /// RFC 4511 §4.6: "The modifications are performed in the order they are listed, as a single atomic operation."
    fn a_modify_is_done_whole_or_not_at_all(scene) {
        let admin = scene.client("cn=admin");
        let half = "dn: alice\nchangetype: modify\nreplace: mail\nmail: new@example.com\n-\ndelete: title\n-\n";
        assert_eq!(admin.change(half), Err(ResultCode::NoSuchAttribute));
        assert_eq!(admin.read("alice", &["mail"]).unwrap().texts("mail"), ["alice@example.com"]);
    }

    /// RFC 4511 §4.8: "only leaf entries ... can be deleted".
    fn an_entry_with_others_below_cannot_be_deleted(scene) {
        let admin = scene.client("cn=admin");
        assert_eq!(admin.change("dn: ou=people\nchangetype: delete\n"), Err(ResultCode::NotAllowedOnNonLeaf));
        assert_eq!(admin.change("dn: bob\nchangetype: delete\n"), Ok(()));
        assert_eq!(admin.find("(uid=bob)"), [""; 0]);
    }

    /// RFC 4511 §4.9: an entry is moved with all that stands below it.
    fn a_subtree_is_moved_as_a_whole(scene) {
        let admin = scene.client("cn=admin");
        admin.change("dn: ou=staff\nobjectClass: organizationalUnit\n").unwrap();
        admin.change("dn: ou=people\nchangetype: modrdn\nnewrdn: ou=People Too\ndeleteoldrdn: 1\nnewsuperior: ou=staff\n").unwrap();
        assert_eq!(admin.find("(uid=alice)"), ["uid=alice,ou=People Too,ou=staff"]);
    }
}
