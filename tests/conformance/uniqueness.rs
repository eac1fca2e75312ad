//! Uniqueness (row E3): no two entries share a value.

use keystead::directory::ResultCode::{self, ConstraintViolation};
use keystead::directory::tree::{Directory, Tree};
use keystead::operations::integrity::{UniqueText, Uniqueness};

use crate::scene::{Scene, full};
use crate::sentences;

fn person(name: &str, lines: &str) -> String {
    format!("dn: {name}\nobjectClass: inetOrgPerson\ncn: x\nsn: y\n{lines}")
}

fn replace(name: &str, attribute: &str, value: &str) -> String {
    format!("dn: {name}\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n")
}

fn rename(name: &str, new_rdn: &str) -> String {
    format!("dn: {name}\nchangetype: modrdn\nnewrdn: {new_rdn}\ndeleteoldrdn: 0\n")
}

fn demand<D: Directory>(scene: &Scene<D>, attribute: &str, base: Option<&str>, filter: Option<&str>) {
    let text = UniqueText {
        attributes: vec![attribute.to_owned()],
        base: base.map(full),
        filter: filter.map(ToOwned::to_owned),
    };
    let unique = Uniqueness::prepare(&[text], scene.directory.view().schema()).unwrap();
    scene.configure(|services| services.integrity.unique = unique);
}

const TAKEN: Result<(), ResultCode> = Err(ConstraintViolation);

sentences! {
    /// Two people do not share a login name, nor a mail address: whoever logs in by it would be two.
    fn nobody_gets_what_another_has(scene) {
        let root = scene.root();
        root.change("dn: ou=others\nobjectClass: organizationalUnit\n").unwrap();
        for change in [
            person("uid=ALICE,ou=others", ""),
            person("carol", "mail: Alice@Example.com\n"),
            replace("bob", "mail", "alice@EXAMPLE.com"),
            "dn: bob\nchangetype: modify\nadd: uid\nuid: Alice\n".to_owned(),
            rename("uid=bob,ou=people", "cn=b+uid=alice"),
        ] {
            assert_eq!(root.change(&change), TAKEN, "{change}");
        }
        let told = root.change_with(&replace("bob", "mail", "alice@example.com"), &[]).result.diagnostic_message;
        assert_eq!(told, "another entry has this value of mail already, and no two may share it");
    }

    /// What somebody has already is theirs, in any spelling.
    fn whoever_has_a_value_keeps_it(scene) {
        let root = scene.root();
        for change in [
            replace("alice", "mail", "ALICE@example.com"),
            replace("alice", "description", "x"),
            rename("alice", "uid=Alice"),
            "dn: alice\nchangetype: modify\nadd: mail\nmail: a@example.com\n".to_owned(),
            "dn: alice\nchangetype: modify\ndelete: mail\n".to_owned(),
            replace("bob", "mail", "alice@example.com"),
        ] {
            assert_eq!(root.change(&change), Ok(()), "{change}");
        }
    }

    /// A demand reaches as far as its base.
    fn outside_the_base_a_value_may_be_shared(scene) {
        let root = scene.root();
        demand(scene, "employeeNumber", Some("ou=people"), None);
        let change = format!("dn: ou=others\nobjectClass: organizationalUnit\n\n{}", person("uid=x,ou=others", "employeeNumber: 1\n"));
        root.change(&change).unwrap();
        assert_eq!(root.change(&replace("bob", "employeeNumber", "1")), Ok(()));
        assert_eq!(root.change(&replace("alice", "employeeNumber", "1")), TAKEN);
        let moved = "dn: ou=others\nchangetype: modrdn\nnewrdn: ou=others\ndeleteoldrdn: 0\nnewsuperior: ou=people,dc=example,dc=com\n";
        assert_eq!(root.change(moved), TAKEN);
        root.change(&replace("bob", "employeeNumber", "2")).unwrap();
        assert_eq!(root.change(moved), Ok(()));
        assert_eq!(root.change(&replace("bob", "employeeNumber", "1")), TAKEN);
    }

    /// A demand holds among the entries that its filter is about.
    fn a_demand_may_be_about_some_entries_only(scene) {
        let root = scene.root();
        demand(scene, "employeeNumber", None, Some("(employeeType=staff)"));
        assert_eq!(root.change(&replace("alice", "employeeNumber", "1")), Ok(()));
        assert_eq!(root.change(&replace("bob", "employeeNumber", "1")), Ok(()));
        assert_eq!(root.change(&replace("bob", "employeeType", "staff")), Ok(()));
        assert_eq!(root.change(&replace("alice", "employeeType", "guest")), Ok(()));
        assert_eq!(root.change(&replace("alice", "employeeType", "staff")), TAKEN);
    }

    /// Of two who ask for the same value at the same moment, one gets it: a change that was planned before the other was
    /// made is planned again.
    fn of_two_at_the_same_moment_one_gets_the_value(scene) {
        let root = scene.root();
        let changes = ["carol", "clara"].map(|name| root.plan(&person(name, "mail: c@example.com\n")).unwrap());
        let [first, second] = changes.map(|change| scene.directory.commit(change).is_ok());
        assert!(first && !second);
        assert_eq!(root.change(&person("clara", "mail: c@example.com\n")), TAKEN);
        assert_eq!(root.find("(mail=c@example.com)").len(), 1);
    }

    /// The same holds for a reference that comes up while what it names is deleted.
    fn a_reference_that_comes_up_meanwhile_is_found(scene) {
        let root = scene.root();
        let delete = root.plan("dn: alice\nchangetype: delete\n").unwrap();
        root.change(&replace("bob", "manager", &full("alice"))).unwrap();
        assert!(scene.directory.commit(delete).is_err());
        root.change("dn: alice\nchangetype: delete\n").unwrap();
        assert_eq!(root.values("bob", "manager"), [""; 0]);
    }
}
