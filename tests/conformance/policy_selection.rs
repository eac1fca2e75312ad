//! Which password policy governs whom (draft-behera-ldap-password-policy-10 §4): the one that the entry names; else one
//! that says so itself, by group, subtree or filter; else the default.

use keystead::directory::ResultCode::{
    ConstraintViolation, InvalidCredentials, ObjectClassViolation, UnwillingToPerform,
};
use keystead::directory::tree::{Change, Directory, Tree, Write};
use keystead::directory::{Dn, Entry};
use keystead::protocol::{RawControl, oid};

use crate::scene::{Scene, full};
use crate::sentences;

const ALICE: &str = "alice's password";

/// Adds a policy that is told from others by the shortest password that it admits.
fn add<D: Directory>(scene: &Scene<D>, name: &str, shortest: usize, lines: &str) {
    assert_eq!(scene.root().change(&policy(name, shortest, lines)), Ok(()), "{lines}");
}

fn policy(name: &str, shortest: usize, lines: &str) -> String {
    format!(
        "dn: cn={name},ou=policies\nobjectClass: namedPolicy\nobjectClass: pwdPolicy\nobjectClass: keysteadPolicy\n\
         cn: {name}\npwdAttribute: userPassword\npwdCheckQuality: 2\npwdMinLength: {shortest}\n{lines}\n\n"
    )
}

/// What the server says about a policy that is added.
fn refusal<D: Directory>(scene: &Scene<D>, lines: &str) -> String {
    let response = scene.root().change_with(&policy("odd", 20, lines), &[]);
    assert_eq!(response.result.code, ConstraintViolation, "{lines}");
    response.result.diagnostic_message
}

/// The shortest password that somebody may have, as a refused change tells.
fn shortest<D: Directory>(scene: &Scene<D>, name: &str) -> usize {
    let told = scene.root().password_modify_with(Some(&full(name)), None, Some("x"), &[]).result.diagnostic_message;
    let number = told.split("at least ").nth(1).and_then(|rest| rest.split(' ').next());
    number.and_then(|number| number.parse().ok()).unwrap_or_default()
}

fn set<D: Directory>(scene: &Scene<D>, name: &str, lines: &str) {
    assert_eq!(scene.root().change(&format!("dn: {name}\nchangetype: modify\n{lines}-\n")), Ok(()), "{lines}");
}

/// Writes a value past all checks, as a store from elsewhere may hold it.
fn damage<D: Directory>(scene: &Scene<D>, name: &str, attribute: &str, value: &str) {
    let view = scene.directory.view();
    let id = view.find(&Dn::parse(view.schema(), &full(name)).unwrap()).unwrap().entry().unwrap();
    let node = view.node(id).unwrap().unwrap();
    let mut attributes = node.entry.decode();
    attributes.set_one(view.schema().find_attribute_type(attribute).unwrap().id, value);
    let entry = Entry::encode(&attributes, view.schema());
    let write = Write::Replace { uuid: node.uuid, version: node.version, entry };
    scene.directory.commit(Change { writes: vec![write], ..Change::none() }).unwrap();
}

const STAFF: &str = "pwdAppliesToGroup: cn=staff,ou=groups,dc=example,dc=com";
const PEOPLE: &str = "pwdAppliesToSubtree: ou=people,dc=example,dc=com";

sentences! {
    /// A policy governs the members of a group that it names, and of groups in it, from the moment they are members.
    fn a_policy_governs_members_of_a_group(scene) {
        add(scene, "staff", 20, STAFF);
        assert_eq!(["alice", "bob", "hanna", "cn=admin"].map(|name| shortest(scene, name)), [20, 20, 12, 12]);
        set(scene, "cn=staff,ou=groups", "add: member\nmember: cn=helpdesk,ou=groups,dc=example,dc=com\n");
        assert_eq!(shortest(scene, "hanna"), 20);
        set(scene, "cn=staff,ou=groups", "delete: member\nmember: uid=alice,ou=people,dc=example,dc=com\n");
        assert_eq!((shortest(scene, "alice"), shortest(scene, "bob")), (12, 20));
        set(scene, "cn=helpdesk,ou=groups", "delete: member\nmember: uid=hanna,ou=people,dc=example,dc=com\n");
        assert_eq!(["hanna", "henry"].map(|name| shortest(scene, name)), [12, 20]);
    }

    /// A policy governs what stands at and below a name, and no longer when it is moved away.
    fn a_policy_governs_a_subtree(scene) {
        add(scene, "people", 21, PEOPLE);
        assert_eq!(["alice", "cn=admin"].map(|name| shortest(scene, name)), [21, 12]);
        let rename = "dn: alice\nchangetype: modrdn\nnewrdn: uid=alice\ndeleteoldrdn: 0\nnewsuperior: dc=example,dc=com\n";
        assert_eq!(scene.root().change(rename), Ok(()));
        assert_eq!(["uid=alice", "bob"].map(|name| shortest(scene, name)), [12, 21]);
    }

    /// A policy governs the entries that match a filter (RFC 4515), as they are now.
    fn a_policy_governs_what_matches_a_filter(scene) {
        add(scene, "services", 22, "pwdAppliesToFilter: (|(employeeType=service)(uid=b*))");
        assert_eq!(["alice", "bob"].map(|name| shortest(scene, name)), [12, 22]);
        set(scene, "alice", "add: employeeType\nemployeeType: Service\n");
        assert_eq!(shortest(scene, "alice"), 22);
        set(scene, "alice", "delete: employeeType\n");
        assert_eq!(shortest(scene, "alice"), 12);
    }

    /// Of each kind of condition that a policy names, one must hold.
    fn every_kind_of_condition_must_hold(scene) {
        let groups = format!("{STAFF}\npwdAppliesToGroup: cn=helpdesk,ou=groups,dc=example,dc=com");
        add(scene, "both", 23, &format!("{groups}\n{PEOPLE}\npwdAppliesToFilter: (uid=*a*)\npwdAppliesToFilter: (uid=bob)"));
        assert_eq!(["alice", "bob", "hanna", "henry", "cn=admin"].map(|name| shortest(scene, name)), [23, 23, 23, 12, 12]);
    }

    /// A policy that the entry names goes before all others; one that does not exist is none.
    fn the_policy_that_an_entry_names_goes_first(scene) {
        add(scene, "people", 21, &format!("{PEOPLE}\npwdPrecedence: 0"));
        add(scene, "own", 25, "");
        set(scene, "alice", "add: pwdPolicySubentry\npwdPolicySubentry: cn=own,ou=policies,dc=example,dc=com\n");
        assert_eq!(["alice", "bob"].map(|name| shortest(scene, name)), [25, 21]);
        assert_eq!(scene.root().change("dn: cn=own,ou=policies\nchangetype: delete\n"), Ok(()));
        assert_eq!(shortest(scene, "alice"), 21);
    }

    /// Of several policies, the one with the lowest precedence governs; then the strictest, then the first by name.
    fn of_several_policies_one_governs(scene) {
        add(scene, "c", 20, &format!("{PEOPLE}\npwdPrecedence: 20"));
        add(scene, "b", 30, &format!("{STAFF}\npwdPrecedence: 10"));
        add(scene, "a", 40, "pwdAppliesToFilter: (objectClass=*)");
        assert_eq!(["alice", "hanna", "cn=admin"].map(|name| shortest(scene, name)), [30, 20, 40]);
        set(scene, "cn=a,ou=policies", "add: pwdPrecedence\npwdPrecedence: 10\n");
        assert_eq!(shortest(scene, "alice"), 40);
        set(scene, "cn=b,ou=policies", "replace: pwdMinLength\npwdMinLength: 40\n-\nadd: pwdMaxFailure\npwdMaxFailure: 5\n\
            -\nadd: pwdLockout\npwdLockout: TRUE\n");
        assert_eq!(scene.root().bind("alice", "wrong 1"), Err(InvalidCredentials));
        for guess in 2..=5 {
            assert_eq!(scene.anonymous().bind("alice", &format!("wrong {guess}")), Err(InvalidCredentials));
        }
        assert_eq!(scene.anonymous().bind("alice", ALICE), Err(InvalidCredentials), "the stricter one locks");
        assert_eq!(scene.anonymous().bind("hanna", "hanna's password"), Ok(()));
    }

    /// What governs is what the policies say now: they are changed, renamed and deleted with immediate effect.
    fn changes_of_policies_are_in_force_at_once(scene) {
        add(scene, "people", 21, PEOPLE);
        assert_eq!(shortest(scene, "alice"), 21);
        set(scene, "cn=people,ou=policies", "replace: pwdMinLength\npwdMinLength: 24\n");
        assert_eq!(shortest(scene, "alice"), 24);
        set(scene, "cn=people,ou=policies", "delete: pwdAppliesToSubtree\n");
        assert_eq!(shortest(scene, "alice"), 12);
        set(scene, "cn=people,ou=policies", "add: pwdAppliesToFilter\npwdAppliesToFilter: (uid=alice)\n");
        assert_eq!(["alice", "bob"].map(|name| shortest(scene, name)), [24, 12]);
        assert_eq!(scene.root().change("dn: cn=people,ou=policies\nchangetype: delete\n"), Ok(()));
        assert_eq!(shortest(scene, "alice"), 12);
    }

    /// It holds for entries that are being added, too: by subtree and filter, and by a group that holds the name already.
    fn a_policy_governs_whoever_is_being_added(scene) {
        add(scene, "people", 21, PEOPLE);
        let carla = "dn: carla\nobjectClass: inetOrgPerson\ncn: x\nsn: y\nuserPassword: good for twelve\n";
        assert_eq!(scene.root().change(carla), Err(ConstraintViolation));
        assert_eq!(scene.root().change(&carla.replace("twelve", "twenty-one letters")), Ok(()));
    }

    /// A policy that cannot be read, however that came about, governs strictly whomever it may be meant for, unless one that
    /// can be read governs them; and it opens nothing.
    fn a_policy_that_cannot_be_read_governs_strictly(scene) {
        add(scene, "people", 8, PEOPLE);
        add(scene, "staff", 9, &format!("{STAFF}\npwdPrecedence: 1"));
        assert_eq!(["alice", "hanna"].map(|name| shortest(scene, name)), [9, 8]);
        damage(scene, "cn=people,ou=policies", "pwdMaxAge", "soon");
        assert_eq!(["alice", "hanna", "cn=admin"].map(|name| shortest(scene, name)), [9, 15, 12]);
        damage(scene, "cn=staff,ou=policies", "pwdAppliesToGroup", "nobody knows");
        assert_eq!(["alice", "hanna", "cn=admin"].map(|name| shortest(scene, name)), [15, 15, 15]);
    }

    /// Who is deleted is named no more; but what narrows a policy beside other conditions stays, since without it the policy
    /// would govern others. So nobody widens one who may not write it, nor does anybody by mistake.
    fn what_narrows_a_policy_is_not_deleted(scene) {
        let delete = |name: &str| scene.root().change(&format!("dn: {name}\nchangetype: delete\n"));
        let group = |name: &str, place: &str, who: &str| {
            let member = full(who);
            let text = format!("dn: cn={name},{place}\nobjectClass: groupOfNames\ncn: {name}\nmember: {member}\n");
            assert_eq!(scene.root().change(&text), Ok(()));
        };
        let unit = "dn: ou=kiosks,ou=groups\nobjectClass: organizationalUnit\nou: kiosks\n";
        assert_eq!(scene.root().change(unit), Ok(()));
        group("kiosk", "ou=kiosks,ou=groups", "bob");
        let named = "pwdAppliesToGroup: cn=kiosk,ou=kiosks,ou=groups,dc=example,dc=com";
        add(scene, "kiosk", 23, &format!("{named}\npwdAppliesToFilter: (objectClass=*)"));
        let governed = || ["alice", "bob", "cn=admin"].map(|name| shortest(scene, name));
        assert_eq!(governed(), [12, 23, 12]);
        assert_eq!(delete("cn=kiosk,ou=kiosks,ou=groups"), Err(UnwillingToPerform));
        let tree_delete = RawControl { oid: oid::TREE_DELETE.into(), critical: true, value: None };
        let above = scene.root().change_with("dn: ou=kiosks,ou=groups\nchangetype: delete\n", &[tree_delete]);
        assert_eq!(above.result.code, UnwillingToPerform);
        let rename = "dn: cn=kiosk,ou=kiosks,ou=groups\nchangetype: modrdn\nnewrdn: cn=stand\ndeleteoldrdn: 1\n";
        assert_eq!((scene.root().change(rename), governed()), (Ok(()), [12, 23, 12]));
        // One of several of a kind goes: fewer are governed.
        group("other", "ou=groups", "alice");
        set(scene, "cn=kiosk,ou=policies", &format!("add: pwdAppliesToGroup\npwdAppliesToGroup: {}\n", full("cn=other,ou=groups")));
        assert_eq!((governed(), delete("cn=stand,ou=kiosks,ou=groups"), governed()), ([23, 23, 12], Ok(()), [23, 12, 12]));
        assert_eq!(delete("cn=other,ou=groups"), Err(UnwillingToPerform));
        // So it is with the subtree; and the last condition of all goes, since the policy then says of nobody that it governs them.
        set(scene, "cn=kiosk,ou=policies", "delete: pwdAppliesToFilter\n-\nadd: pwdAppliesToSubtree\npwdAppliesToSubtree: ou=kiosks,ou=groups,dc=example,dc=com\n");
        assert_eq!((delete("ou=kiosks,ou=groups"), governed()), (Err(UnwillingToPerform), [12; 3]));
        set(scene, "cn=kiosk,ou=policies", "delete: pwdAppliesToGroup\n");
        assert_eq!((delete("ou=kiosks,ou=groups"), governed()), (Ok(()), [12; 3]));
    }

    /// Nonsense is refused where it is written, with the reason; so is what would go by secrets or the state of passwords.
    fn nonsense_is_refused_with_the_reason(scene) {
        for (lines, words) in [
            ("pwdAppliesToFilter: (uid=alice", "pwdAppliesToFilter"),
            ("pwdAppliesToFilter: (userPassword=*)", "no policy goes by userPassword"),
            ("pwdAppliesToFilter: (!(pwdReset=TRUE))", "no policy goes by pwdReset"),
            ("pwdAppliesToFilter: (pwdScheme=argon2)", "no policy goes by pwdScheme"),
            ("pwdAppliesToFilter: (memberOf=cn=staff)", "use pwdAppliesToGroup"),
            ("pwdAppliesToFilter: (nosuch=x)", "the schema does not know"),
            ("pwdAppliesToGroup: cn=staff,dc=elsewhere", "below none of the suffixes"),
            ("pwdAppliesToSubtree: dc=com", "below none of the suffixes"),
            ("pwdPrecedence: -1", "whole number"),
        ] {
            assert!(refusal(scene, lines).contains(words), "{lines}: {}", refusal(scene, lines));
        }
        let without_class = policy("odd", 20, STAFF).replace("objectClass: keysteadPolicy\n", "");
        assert_eq!(scene.root().change(&without_class), Err(ObjectClassViolation));
        assert_eq!(scene.root().find("(cn=odd)"), [""; 0]);
        assert_eq!(shortest(scene, "alice"), 12);
    }
}
