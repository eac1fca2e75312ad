//! Constraints on values (row E5): what they look like, how many there are, how long they are.

use keystead::directory::ResultCode::{self, ConstraintViolation};
use keystead::directory::tree::{Directory, Tree};
use keystead::operations::integrity::{ConstraintText, Constraints};

use crate::scene::{Scene, full};
use crate::sentences;

fn replace(name: &str, attribute: &str, values: &[&str]) -> String {
    let lines = values.iter().map(|value| format!("{attribute}: {value}\n")).collect::<Vec<_>>().concat();
    format!("dn: {name}\nchangetype: modify\nreplace: {attribute}\n{lines}-\n")
}

fn text(attribute: &str) -> ConstraintText {
    ConstraintText { name: "house style".into(), attributes: vec![attribute.into()], ..ConstraintText::default() }
}

fn demand<D: Directory>(scene: &Scene<D>, texts: &[ConstraintText]) {
    let constraints = Constraints::prepare(texts, scene.directory.view().schema()).unwrap();
    scene.configure(|services| services.integrity.constraints = constraints);
}

const BROKEN: Result<(), ResultCode> = Err(ConstraintViolation);

sentences! {
    /// A value as a whole looks as the expression says, by whichever operation it comes.
    fn values_match_an_expression(scene) {
        let root = scene.root();
        demand(scene, &[ConstraintText { regex: Some("E-[0-9]+|none".into()), ..text("employeeNumber") }]);
        for good in ["E-7", "E-0815", "none"] {
            assert_eq!(root.change(&replace("alice", "employeeNumber", &[good])), Ok(()), "{good}");
        }
        for bad in ["E-", "7", "xE-7", "E-7x", "none of these", "E-7 E-8"] {
            assert_eq!(root.change(&replace("alice", "employeeNumber", &[bad])), BROKEN, "{bad}");
            let person = format!("dn: carol\nobjectClass: inetOrgPerson\ncn: x\nsn: y\nemployeeNumber: {bad}\n");
            assert_eq!(root.change(&person), BROKEN, "{bad}");
            let rename = format!("dn: bob\nchangetype: modrdn\nnewrdn: uid=bob+employeeNumber={bad}\ndeleteoldrdn: 0\n");
            assert_eq!(root.change(&rename), BROKEN, "{bad}");
        }
        let told = root.change_with(&replace("alice", "employeeNumber", &["7"]), &[]).result.diagnostic_message;
        assert_eq!(told, "the constraint \"house style\": employeeNumber takes values that match E-[0-9]+|none");
        assert_eq!(root.change(&replace("alice", "employeeNumber", &[])), Ok(()));
    }

    /// Values are as many as are let, and as long.
    fn values_are_counted_and_measured(scene) {
        let root = scene.root();
        demand(scene, &[ConstraintText { count: Some(2), ..text("mail") }, ConstraintText { octets: Some(5), ..text("title") }]);
        assert_eq!(root.change(&replace("alice", "mail", &["a@x", "b@x"])), Ok(()));
        assert_eq!(root.change("dn: alice\nchangetype: modify\nadd: mail\nmail: c@x\n-\n"), BROKEN);
        assert_eq!(root.change(&replace("alice", "title", &["12345"])), Ok(()));
        let told = root.change_with(&replace("alice", "title", &["123456"]), &[]).result.diagnostic_message;
        assert_eq!(told, "the constraint \"house style\": title takes values of 5 octets at most");
    }

    /// A constraint reaches as far as its base and its filter; what is moved there, or becomes such an entry, must meet it.
    fn a_constraint_is_about_some_entries(scene) {
        let root = scene.root();
        let text = ConstraintText {
            regex: Some("[0-9]+".into()),
            base: Some(full("ou=people")),
            filter: Some("(employeeType=staff)".into()),
            ..text("employeeNumber")
        };
        demand(scene, &[text]);
        root.change("dn: ou=others\nobjectClass: organizationalUnit\n").unwrap();
        let person = "dn: uid=x,ou=others\nobjectClass: inetOrgPerson\ncn: x\nsn: y\nemployeeType: staff\nemployeeNumber: E\n";
        assert_eq!(root.change(person), Ok(()));
        let moved = format!("dn: uid=x,ou=others\nchangetype: modrdn\nnewrdn: uid=x\ndeleteoldrdn: 1\nnewsuperior: {}\n", full("ou=people"));
        assert_eq!(root.change(&moved), BROKEN);
        let all = format!("dn: ou=others\nchangetype: modrdn\nnewrdn: ou=others\ndeleteoldrdn: 1\nnewsuperior: {}\n", full("ou=people"));
        assert_eq!(root.change(&all), BROKEN);
        assert_eq!(root.change(&replace("bob", "employeeNumber", &["E"])), Ok(()));
        assert_eq!(root.change(&replace("bob", "employeeType", &["staff"])), BROKEN);
        root.change(&replace("uid=x,ou=others", "employeeNumber", &["1"])).unwrap();
        assert_eq!(root.change(&moved), Ok(()));
    }

    /// What was there before the constraint stays until it is changed, and hinders no other change.
    fn what_is_there_already_stays(scene) {
        let root = scene.root();
        root.change(&replace("alice", "employeeNumber", &["E"])).unwrap();
        demand(scene, &[ConstraintText { regex: Some("[0-9]+".into()), ..text("employeeNumber") }]);
        assert_eq!(root.change(&replace("alice", "description", &["x"])), Ok(()));
        assert_eq!(root.change(&replace("alice", "employeeNumber", &["F"])), BROKEN);
    }

    /// An expression takes time in proportion to what it is given, however it is made.
    fn no_expression_runs_away(scene) {
        let root = scene.root();
        demand(scene, &[ConstraintText { regex: Some("(a+)+b".into()), ..text("description") }]);
        assert_eq!(root.change(&replace("alice", "description", &["a".repeat(60_000).as_str()])), BROKEN);
        let long = format!("{}b", "a".repeat(70_000));
        assert_eq!(root.change(&replace("alice", "description", &[long.as_str()])), BROKEN);
    }
}
