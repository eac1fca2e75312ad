//! Ways around access control that other servers had, each as a test; and that mistakes open nothing.

use keystead::access::when::WhenText;
use keystead::access::{RuleText, Rules};
use keystead::directory::ResultCode::{
    self, ConstraintViolation, EntryAlreadyExists, InsufficientAccessRights, NoSuchObject, UnwillingToPerform,
};
use keystead::directory::tree::Directory;
use keystead::directory::tree::Scope::WholeSubtree;
use keystead::protocol::{RawControl, oid};

use crate::scene::{SEE, SUFFIX, Scene, full, rule, rules};
use crate::sentences;

fn and(more: impl IntoIterator<Item = RuleText>) -> Vec<RuleText> {
    rules().into_iter().chain(more).collect()
}

fn people() -> String {
    format!("subtree:ou=people,{SUFFIX}")
}

fn rename<D: Directory>(scene: &Scene<D>, who: &str, name: &str, more: &str) -> Result<(), ResultCode> {
    scene.client(who).change(&format!("dn: {name}\nchangetype: modrdn\n{more}"))
}

sentences! {
    /// 389 Directory Server 3d6977e25: where there is nothing to decide by, nothing is decided to be allowed.
    fn a_name_outside_every_suffix_opens_nothing(scene) {
        for who in [scene.client("cn=admin"), scene.client("bob"), scene.anonymous()] {
            assert_eq!(who.names("dc=elsewhere,dc=org", WholeSubtree, "(objectClass=*)"), Err(NoSuchObject));
            assert!(who.change("dn: cn=x,dc=elsewhere,dc=org\nobjectClass: device\n").is_err());
            assert!(who.change("dn: dc=elsewhere,dc=org\nchangetype: delete\n").is_err());
        }
    }

    /// CVE-2015-1854: a rename needs its own right, however much of the entry may be written.
    fn a_rename_is_no_write(scene) {
        scene.rule_by(&and([rule("write all", &format!("dn:{}", full("bob")), &people(), &["*", "+"], &["write", "delete", "add"])]));
        assert_eq!(rename(scene, "bob", "alice", "newrdn: uid=alicia\ndeleteoldrdn: 1\n"), Err(InsufficientAccessRights));
        let elsewhere = format!("newrdn: uid=alice\ndeleteoldrdn: 0\nnewsuperior: ou=groups,{SUFFIX}\n");
        assert_eq!(rename(scene, "bob", "alice", &elsewhere), Err(InsufficientAccessRights));
    }

    /// CVE-2015-1854: and to move an entry is no way to take it to where the rules are others'.
    fn a_move_needs_a_right_at_both_ends(scene) {
        scene.rule_by(&and([rule("rename", &format!("dn:{}", full("bob")), &people(), &[], &["rename"])]));
        let elsewhere = format!("newrdn: uid=alice\ndeleteoldrdn: 0\nnewsuperior: ou=groups,{SUFFIX}\n");
        assert_eq!(rename(scene, "bob", "alice", &elsewhere), Err(InsufficientAccessRights));
        assert_eq!(rename(scene, "bob", "alice", "newrdn: uid=alicia\ndeleteoldrdn: 0\n"), Ok(()));
    }

    /// CVE-2019-13057: whoever administers one part administers no other.
    fn an_administrator_of_one_part_is_none_of_another(scene) {
        let all = ["*", "+", "password-state"];
        scene.rule_by(&and([rule("of people", &format!("dn:{}", full("bob")), &people(), &all, &["all"])]));
        let bob = scene.client("bob");
        assert_eq!(bob.change("dn: cn=x,ou=people\nobjectClass: device\n"), Ok(()));
        for change in [
            "dn: cn=x,ou=groups\nobjectClass: device\n",
            "dn: cn=staff,ou=groups\nchangetype: delete\n",
            "dn: cn=staff,ou=groups\nchangetype: modify\nreplace: description\ndescription: x\n-\n",
            "dn: cn=default,ou=policies\nchangetype: modify\nreplace: pwdLockout\npwdLockout: FALSE\n-\n",
        ] {
            assert_eq!(bob.change(change), Err(InsufficientAccessRights), "{change}");
        }
    }

    /// CVE-2022-29155 and its like: a name is never taken for the text of a filter or of another name.
    fn a_name_with_the_characters_of_filters_is_nobody_else(scene) {
        let odd = "uid=*)(uid\\=bob,ou=people,dc=example,dc=com";
        let add = format!("dn: {odd}\nobjectClass: inetOrgPerson\ncn: x\nsn: y\n");
        assert_eq!(scene.root().change(&add), Ok(()));
        let titles = rule("titles", "attribute:manager", "everything", &["title"], &["write"]);
        scene.rule_by(&and([titles, rule("staff", &format!("group:cn=staff,ou=groups,{SUFFIX}"), "everything", &["mail"], &["write"])]));
        let manager = format!("dn: alice\nchangetype: modify\nadd: manager\nmanager: {}\n-\n", full("bob"));
        assert_eq!(scene.root().change(&manager), Ok(()));
        let write = |who: &str, attribute: &str| {
            scene.client(who).change(&format!("dn: alice\nchangetype: modify\nreplace: {attribute}\n{attribute}: x\n-\n"))
        };
        assert_eq!((write("bob", "title"), write("bob", "mail")), (Ok(()), Ok(())));
        assert_eq!(write(odd, "title"), Err(InsufficientAccessRights));
        assert_eq!(write(odd, "mail"), Err(InsufficientAccessRights));
    }

    /// lldap 829c3f2: what the server keeps is written by nobody, whatever a rule says.
    fn what_the_server_keeps_is_written_by_nobody(scene) {
        scene.rule_by(&[rule("all", "everyone", "everything", &["*", "+", "password-state"], &["all"])]);
        for line in [
            "entryUUID: 7a2d7b6e-0000-4000-8000-000000000000", "createTimestamp: 20200101000000Z", "creatorsName: cn=x",
            "memberOf: cn=administrators,ou=groups,dc=example,dc=com", "pwdChangedTime: 20990101000000Z",
            "pwdFailureTime: 20200101000000Z", "structuralObjectClass: person", "entryDN: cn=x",
        ] {
            let name = line.split(':').next().unwrap();
            let change = format!("dn: alice\nchangetype: modify\nreplace: {name}\n{line}\n-\n");
            assert_eq!(scene.client("alice").change(&change), Err(ConstraintViolation), "{line}");
        }
    }

    /// A rule beyond the first hundreds decides like any other.
    fn the_last_of_a_thousand_rules_counts(scene) {
        let mut deny = rule("the last", "everyone", &format!("entry:{}", full("alice")), &["sn"], &[]);
        deny.deny = vec!["read".into()];
        let filler = (0..1_000).map(|number| rule("filler", &format!("group:cn=g{number},{SUFFIX}"), "everything", &["*"], SEE));
        scene.rule_by(&and(filler.chain([deny])));
        assert_eq!(scene.client("bob").values("alice", "sn"), [""; 0]);
        assert_eq!(scene.client("bob").values("alice", "cn"), ["Alice Adams"]);
    }

    /// Fails closed: one rule that cannot be read, and none is in force.
    fn an_unknown_attribute_in_a_rule_opens_nothing(scene) {
        let view = scene.directory.view();
        let schema = keystead::directory::tree::Tree::schema(&view);
        for broken in [
            rule("typing mistake", "everyone", "everything", &["!userPasswort"], SEE),
            rule("typing mistake", "everyone", "everything", &["@persson"], SEE),
            rule("typing mistake", "everyone", "everything", &["*"], &["raed"]),
            rule("typing mistake", "groups:cn=x", "everything", &["*"], SEE),
        ] {
            assert!(Rules::prepare(&and([broken]), schema).is_err());
        }
    }

    /// Fails closed: a group that does not exist has no members; nor has one that is not there any more.
    fn a_group_that_does_not_exist_opens_nothing(scene) {
        scene.rule_by(&and([rule("ghosts", &format!("group:cn=ghosts,ou=groups,{SUFFIX}"), "everything", &["*"], &["all"])]));
        let bob = scene.client("bob");
        let delete = "dn: alice\nchangetype: delete\n";
        assert_eq!(bob.change(delete), Err(InsufficientAccessRights));
        let group = format!("dn: cn=ghosts,ou=groups\nobjectClass: groupOfNames\nmember: {}\n", full("bob"));
        assert_eq!(scene.root().change(&group), Ok(()));
        assert_eq!(scene.root().change(&group), Err(EntryAlreadyExists));
        assert_eq!(bob.change("dn: alice\nchangetype: modify\nreplace: title\ntitle: x\n-\n"), Ok(()));
        assert_eq!(scene.root().change("dn: cn=ghosts,ou=groups\nchangetype: delete\n"), Ok(()));
        assert_eq!(bob.change(delete), Err(InsufficientAccessRights));
    }

    /// Fails closed: what a rule denies to a group that does not exist it denies to everybody, since nobody knows who is in it.
    fn a_denial_for_a_group_that_does_not_exist_is_for_everybody(scene) {
        let ghosts = format!("group:cn=ghosts,ou=groups,{SUFFIX}");
        let deny = RuleText { deny: vec!["delete".into()], ..rule("ghosts", &ghosts, "everything", &["*"], &[]) };
        scene.rule_by(&and([deny]));
        let remove = "dn: bob\nchangetype: delete\n";
        assert_eq!(scene.client("cn=admin").change(remove), Err(InsufficientAccessRights));
        let group = format!("dn: cn=ghosts,ou=groups\nobjectClass: groupOfNames\nmember: {}\n", full("alice"));
        assert_eq!(scene.root().change(&group), Ok(()), "the superuser of the machine makes it");
        assert_eq!(scene.client("cn=admin").change(remove), Ok(()));
    }

    /// Fails closed: as long as a rule of the configuration denies something to a group, that group is neither deleted nor renamed:
    /// by nobody, by no operation.
    fn a_group_to_which_a_rule_denies_something_stays(scene) {
        let staff = format!("group:cn=staff,ou=groups,{SUFFIX}");
        let deny = |when| RuleText { deny: vec!["delete".into()], when, ..rule("staff", &staff, &format!("subtree:{SUFFIX}"), &["*"], &[]) };
        scene.rule_by(&and([deny(None)]));
        let moved = "dn: cn=staff,ou=groups\nchangetype: modrdn\nnewrdn: cn=staff\ndeleteoldrdn: 1\nnewsuperior: ou=people,dc=example,dc=com\n";
        let renamed = "dn: cn=staff,ou=groups\nchangetype: modrdn\nnewrdn: cn=others\ndeleteoldrdn: 1\n";
        let above = "dn: ou=groups\nchangetype: modrdn\nnewrdn: ou=teams\ndeleteoldrdn: 1\n";
        let spelled = "dn: cn=staff,ou=groups\nchangetype: modrdn\nnewrdn: cn=Staff\ndeleteoldrdn: 1\n";
        let delete = "dn: cn=staff,ou=groups\nchangetype: delete\n";
        for client in [scene.root(), scene.client("cn=admin")] {
            for change in [delete, moved, renamed, above] {
                assert_eq!(client.change(change), Err(UnwillingToPerform), "{change}");
            }
            let tree_delete = RawControl { oid: oid::TREE_DELETE.into(), critical: true, value: None };
            let all = client.change_with("dn: ou=groups\nchangetype: delete\n", &[tree_delete]);
            assert_eq!(all.result.code, UnwillingToPerform);
            assert!(all.result.diagnostic_message.contains("take the group out of the rule"), "{all:?}");
            assert_eq!(client.change(spelled), Ok(()), "the same name in another spelling");
        }
        let over = WhenText { until: Some("2026-05-01".into()), ..WhenText::default() };
        scene.rule_by(&and([deny(Some(over))]));
        assert_eq!(scene.root().change(delete), Ok(()));
    }

    /// A role is who occupies it (RFC 4519 §2.28): not whoever is in a group that does, nor whoever names it as a group.
    fn a_role_is_whoever_occupies_it(scene) {
        let role = format!("cn=keeper,ou=groups,{SUFFIX}");
        let root = scene.root();
        let line = |name: &str| format!("roleOccupant: {}\n", full(name));
        let occupants = line("bob") + &line("cn=helpdesk,ou=groups");
        root.change(&format!("dn: cn=keeper,ou=groups\nobjectClass: organizationalRole\ncn: keeper\n{occupants}")).unwrap();
        let title = |who: &str| scene.client(who).change("dn: alice\nchangetype: modify\nreplace: title\ntitle: x\n-\n");
        let titles = |who: String| rule("titles", &who, &people(), &["title"], &["write"]);
        scene.rule_by(&and([titles(format!("group:{role}"))]));
        assert_eq!(title("bob"), Err(InsufficientAccessRights));
        scene.rule_by(&and([titles(format!("role:{role}"))]));
        assert_eq!((title("bob"), title("hanna")), (Ok(()), Err(InsufficientAccessRights)));
        // It is given and taken with the next request, and what is denied to it is denied as to a group.
        root.change(&format!("dn: cn=keeper,ou=groups\nchangetype: modify\nreplace: roleOccupant\n{}-\n", line("hanna"))).unwrap();
        assert_eq!((title("bob"), title("hanna")), (Err(InsufficientAccessRights), Ok(())));
        let deny = RuleText { deny: vec!["write".into()], allow: Vec::new(), ..titles(format!("role:{role}")) };
        scene.rule_by(&and([titles("authenticated".into()), deny]));
        assert_eq!((title("bob"), title("hanna")), (Ok(()), Err(InsufficientAccessRights)));
        assert_eq!(root.change("dn: cn=keeper,ou=groups\nchangetype: delete\n"), Err(UnwillingToPerform));
        // Whoever holds it holds what it grants: nobody resets upwards.
        scene.rule_by(&and([rule("keepers", &format!("role:{role}"), "everything", &["*"], &["delete"])]));
        root.change(&format!("dn: cn=keeper,ou=groups\nchangetype: modify\nreplace: roleOccupant\n{}-\n", line("alice"))).unwrap();
        assert_eq!(scene.client("hanna").password_modify(Some(&full("alice")), None, None), Err(InsufficientAccessRights));
    }

    /// Fails closed: a group that holds itself, or another that holds it, opens nothing and ends.
    fn groups_in_a_circle_open_nothing(scene) {
        let circle = |name: &str, other: &str| {
            format!("dn: cn={name},ou=groups\nobjectClass: groupOfNames\nmember: cn={other},ou=groups,{SUFFIX}\n\n")
        };
        assert_eq!(scene.root().change(&(circle("left", "right") + &circle("right", "left") + &circle("own", "own"))), Ok(()));
        scene.rule_by(&and([rule("circle", &format!("group:cn=left,ou=groups,{SUFFIX}"), "everything", &["*"], &["all"])]));
        assert_eq!(scene.client("bob").change("dn: alice\nchangetype: delete\n"), Err(InsufficientAccessRights));
    }
}
