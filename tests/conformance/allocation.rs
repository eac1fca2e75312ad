//! Numbers that the server gives (row E6): `uidNumber` and `gidNumber` on request.

use keystead::directory::ResultCode::{AdminLimitExceeded, ObjectClassViolation};
use keystead::directory::tree::{CommitError, Directory, Tree};
use keystead::operations::integrity::{AllocationText, Allocations};

use crate::scene::{Scene, full};
use crate::sentences;

fn account(name: &str, lines: &str) -> String {
    format!(
        "dn: {name}\nobjectClass: account\nobjectClass: posixAccount\ncn: x\ngidNumber: 5000\nhomeDirectory: /\n{lines}"
    )
}

fn give<D: Directory>(scene: &Scene<D>, from: u64, to: u64) {
    let text = |attribute: &str, class: &str, base| AllocationText {
        attribute: attribute.to_owned(),
        class: class.to_owned(),
        from,
        to,
        base,
        magic: Some("0".to_owned()),
    };
    let texts = [text("uidNumber", "posixAccount", Some(full("ou=people"))), text("gidNumber", "posixGroup", None)];
    let allocations = Allocations::prepare(&texts, scene.directory.view().schema()).unwrap();
    scene.configure(|services| services.integrity.allocations = allocations);
}

sentences! {
    /// An account that is added without a number gets the one behind the greatest that is used.
    fn an_account_gets_the_next_number(scene) {
        let root = scene.root();
        assert_eq!(root.change(&account("carol", "")), Err(ObjectClassViolation));
        give(scene, 5_000, 6_000);
        for (name, lines, number) in [
            ("carol", "", "5006"),
            ("dave", "uidNumber: 0\n", "5007"),
            ("erin", "uidNumber: 5500\n", "5500"),
            ("frank", "", "5501"),
            ("grace", "uidNumber: 7000\n", "7000"),
            ("heidi", "", "5502"),
        ] {
            assert_eq!(root.change(&account(name, lines)), Ok(()), "{name}");
            assert_eq!(root.values(name, "uidNumber"), [number], "{name}");
        }
        let group = "dn: cn=g,ou=groups\nobjectClass: posixGroup\n";
        assert_eq!(root.change(group), Ok(()));
        assert_eq!(root.values("cn=g,ou=groups", "gidNumber"), ["5001"]);
    }

    /// Elsewhere, and in entries that need none, no number is given; and a range ends.
    fn numbers_are_given_where_they_are_wanted_until_none_is_left(scene) {
        let root = scene.root();
        give(scene, 20, 21);
        assert_eq!(root.change(&account("uid=x,ou=groups", "")), Err(ObjectClassViolation));
        root.change("dn: plain\nobjectClass: account\n").unwrap();
        assert_eq!(root.values("plain", "uidNumber"), [""; 0]);
        assert_eq!(root.change(&account("carol", "")), Ok(()));
        assert_eq!(root.change(&account("dave", "")), Ok(()));
        assert_eq!([root.values("carol", "uidNumber"), root.values("dave", "uidNumber")], [["20"], ["21"]]);
        let refused = root.change_with(&account("erin", ""), &[]).result;
        assert_eq!(refused.code, AdminLimitExceeded);
        assert_eq!(refused.diagnostic_message, "all numbers up to the end of the range are used; widen it in [[allocate]]");
    }

    /// Of two that are planned at the same moment the second is planned again.
    fn nobody_gets_the_number_of_another(scene) {
        let root = scene.root();
        give(scene, 20, 30);
        let (one, two) = (root.plan(&account("carol", "")).unwrap(), root.plan(&account("dave", "")).unwrap());
        scene.directory.commit(one).unwrap();
        assert!(matches!(scene.directory.commit(two), Err(CommitError::Conflict)));
        assert_eq!(root.change(&account("dave", "")), Ok(()));
        assert_eq!([root.values("carol", "uidNumber"), root.values("dave", "uidNumber")], [["20"], ["21"]]);
    }
    /// Whoever becomes an account by a modify gets a number in the same way, and so does whoever asks for one.
    fn an_entry_that_becomes_an_account_gets_a_number(scene) {
        let root = scene.root();
        let plain = |name: &str| format!("dn: {name}\nobjectClass: account\n");
        let becomes = |name: &str, number: &str| {
            let add = |attribute: &str, value: &str| format!("add: {attribute}\n{attribute}: {value}\n-\n");
            let number = if number.is_empty() { String::new() } else { add("uidNumber", number) };
            let [class, cn, home] = [("objectClass", "posixAccount"), ("cn", "x"), ("homeDirectory", "/")].map(|(a, v)| add(a, v));
            format!("dn: {name}\nchangetype: modify\n{class}{cn}{home}{}{number}", add("gidNumber", "5000"))
        };
        for name in ["carol", "dave", "erin", "frank", "uid=x,ou=groups"] {
            root.change(&plain(name)).unwrap();
        }
        assert_eq!(root.change(&becomes("carol", "")), Err(ObjectClassViolation));
        give(scene, 20, 30);
        for (name, sent, number) in [("carol", "", "20"), ("dave", "0", "21"), ("erin", "25", "25"), ("frank", "", "26")] {
            assert_eq!(root.change(&becomes(name, sent)), Ok(()), "{name}");
            assert_eq!(root.values(name, "uidNumber"), [number], "{name}");
        }
        assert_eq!(root.change(&becomes("uid=x,ou=groups", "")), Err(ObjectClassViolation), "not there");
        // What is an account already keeps its number, until a new one is asked for.
        assert_eq!(root.change("dn: carol\nchangetype: modify\nreplace: cn\ncn: y\n-\n"), Ok(()));
        assert_eq!(root.values("carol", "uidNumber"), ["20"]);
        assert_eq!(root.change("dn: carol\nchangetype: modify\ndelete: uidNumber\n-\n"), Err(ObjectClassViolation));
        assert_eq!(root.change("dn: carol\nchangetype: modify\nreplace: uidNumber\nuidNumber: 0\n-\n"), Ok(()));
        assert_eq!(root.values("carol", "uidNumber"), ["27"]);
        let changes = scene.directory.view().changes_after(0, usize::MAX).unwrap();
        let last = &changes.last().unwrap().record.changes;
        assert!(last.ends_with("replace: uidNumber\nuidNumber: 27\n-\n"), "{last}");
    }

    /// Of two that become accounts at the same moment the second is planned again.
    fn nobody_gets_the_number_of_another_by_a_modify(scene) {
        let root = scene.root();
        give(scene, 20, 30);
        let becomes = |name: &str| format!(
            "dn: {name}\nchangetype: modify\nadd: objectClass\nobjectClass: posixAccount\n-\nadd: cn\ncn: x\n-\n\
             add: homeDirectory\nhomeDirectory: /\n-\nadd: gidNumber\ngidNumber: 1\n-\n"
        );
        for name in ["carol", "dave"] {
            root.change(&format!("dn: {name}\nobjectClass: account\n")).unwrap();
        }
        let (one, two) = (root.plan(&becomes("carol")).unwrap(), root.plan(&becomes("dave")).unwrap());
        scene.directory.commit(one).unwrap();
        assert!(matches!(scene.directory.commit(two), Err(CommitError::Conflict)));
        assert_eq!(root.change(&becomes("dave")), Ok(()));
        assert_eq!([root.values("carol", "uidNumber"), root.values("dave", "uidNumber")], [["20"], ["21"]]);
    }
}
