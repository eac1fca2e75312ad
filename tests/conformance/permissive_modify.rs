//! Permissive modify (MS-ADTS 3.1.1.3.4.1.8): what has been done already is no error.

use keystead::directory::ResultCode::{
    AttributeOrValueExists, NoSuchAttribute, ObjectClassViolation, Success, UnavailableCriticalExtension,
};
use keystead::protocol::oid;

use crate::scene::answer::critical;
use crate::sentences;

sentences! {
    /// Values that are there are added and values that are not there are deleted without an error, alone or with others.
    fn what_has_been_done_already_is_no_error(scene) {
        let root = scene.root();
        for (changes, strictly, mails) in [
            ("add: mail\nmail: ALICE@example.com\n-\n", AttributeOrValueExists, &["alice@example.com"][..]),
            ("add: mail\nmail: alice@example.com\nmail: a@example.com\n-\n", AttributeOrValueExists, &["alice@example.com", "a@example.com"]),
            ("add: mail\nmail: b@example.com\nmail: B@example.com\n-\n", AttributeOrValueExists, &["alice@example.com", "a@example.com", "b@example.com"]),
            ("delete: mail\nmail: c@example.com\n-\n", NoSuchAttribute, &["alice@example.com", "a@example.com", "b@example.com"]),
            ("delete: mail\nmail: c@example.com\nmail: A@example.com\n-\n", NoSuchAttribute, &["alice@example.com", "b@example.com"]),
            ("delete: description\n-\n", NoSuchAttribute, &["alice@example.com", "b@example.com"]),
            ("delete: description\ndescription: x\n-\ndelete: mail\n-\n", NoSuchAttribute, &[]),
        ] {
            let text = format!("dn: alice\nchangetype: modify\n{changes}");
            assert_eq!(root.change_with(&text, &[]).result.code, strictly, "{changes}");
            assert_eq!(root.change_with(&text, &[critical(oid::PERMISSIVE_MODIFY, None)]).result.code, Success, "{changes}");
            assert_eq!(root.values("alice", "mail"), mails, "{changes}");
        }
    }

    /// Everything else is as strict as ever: the schema, and that an entry has one password.
    fn nothing_else_is_allowed_by_it(scene) {
        let change = |changes: &str| {
            let text = format!("dn: alice\nchangetype: modify\n{changes}");
            scene.root().change_with(&text, &[critical(oid::PERMISSIVE_MODIFY, None)]).result.code
        };
        assert_eq!(change("delete: sn\n-\n"), ObjectClassViolation);
        assert_eq!(change("add: userPassword\nuserPassword: another good secret\n-\n"), AttributeOrValueExists);
        let delete = "dn: alice\nchangetype: delete\n";
        let answer = scene.root().change_with(delete, &[critical(oid::PERMISSIVE_MODIFY, None)]);
        assert_eq!(answer.result.code, UnavailableCriticalExtension);
    }
}
