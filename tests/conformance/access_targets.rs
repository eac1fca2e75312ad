//! To what rules apply: single values, and for whom: those whom the target holds, themselves or as a group.

use keystead::access::RuleText;
use keystead::directory::ResultCode::{InsufficientAccessRights, NoSuchAttribute};
use keystead::directory::tree::Directory;
use keystead::directory::tree::Scope::WholeSubtree;

use crate::scene::{SEE, SUFFIX, Scene, full, rule, rules};
use crate::sentences;

fn and(more: impl IntoIterator<Item = RuleText>) -> Vec<RuleText> {
    rules().into_iter().chain(more).collect()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// A rule about some values.
fn about(values: &[&str], who: &str, attributes: &[&str]) -> RuleText {
    RuleText { values: words(values), ..rule("values", who, &format!("subtree:{SUFFIX}"), attributes, &["write"]) }
}

/// What comes of changing the members of the staff.
fn staff<D: Directory>(scene: &Scene<D>, who: &str, lines: &str) -> Result<(), keystead::directory::ResultCode> {
    scene.client(who).change(&format!("dn: cn=staff,ou=groups\nchangetype: modify\n{lines}-\n"))
}

fn member(verb: &str, name: &str) -> String {
    format!("{verb}: member\nmember: {}\n", full(name))
}

sentences! {
    /// D7, selfwrite: people may put in and take out themselves, and nobody else.
    fn a_right_may_be_for_the_own_name_alone(scene) {
        scene.rule_by(&and([about(&["self"], "authenticated", &["member"])]));
        let henry = format!("add: member\nmember: UID=henry, {}\n", full("ou=people"));
        assert_eq!(staff(scene, "henry", &henry), Ok(()), "however it is spelled");
        assert_eq!(staff(scene, "henry", &member("delete", "henry")), Ok(()));
        let both = format!("{}member: {}\n", member("add", "henry"), full("hanna"));
        for lines in [
            member("add", "hanna"), both, member("delete", "alice"), "delete: member\n".into(), member("replace", "henry"),
            "add: member\nmember: nonsense\n".into(), "replace: description\ndescription: x\n".into(),
        ] {
            assert_eq!(staff(scene, "henry", &lines), Err(InsufficientAccessRights), "{lines}");
        }
        assert!(scene.anonymous().change(&format!("dn: cn=staff,ou=groups\nchangetype: modify\n{}-\n", member("add", "alice"))).is_err());
    }

    /// What takes away or replaces every value touches each that is there.
    fn replacing_all_values_touches_those_that_are_there(scene) {
        let alone = "dn: cn=alone,ou=groups\nobjectClass: groupOfNames\ncn: alone\nmember: ";
        assert_eq!(scene.root().change(&format!("{alone}{}\n", full("henry"))), Ok(()));
        scene.rule_by(&and([about(&["self"], "authenticated", &["member", "owner"])]));
        let change = |lines: &str| scene.client("henry").change(&format!("dn: cn=alone,ou=groups\nchangetype: modify\n{lines}-\n"));
        assert_eq!(change(&member("replace", "henry")), Ok(()));
        assert_eq!(change("replace: owner\n"), Err(InsufficientAccessRights), "nothing is touched");
        assert_eq!(change("delete: owner\n"), Err(InsufficientAccessRights));
        assert_eq!(change(&format!("delete: owner\nowner: {}\n", full("henry"))), Err(NoSuchAttribute));
    }

    /// D3: one value, by the matching rule of the attribute; and names below a name.
    fn a_right_may_be_for_some_values(scene) {
        let below = format!("below:ou=people,{SUFFIX}");
        scene.rule_by(&and([
            about(&["value:Guest", "value:Trainee"], "dn:uid=bob,ou=people,dc=example,dc=com", &["title"]),
            about(&[&below], "dn:uid=bob,ou=people,dc=example,dc=com", &["member"]),
        ]));
        let title = |lines: &str| scene.client("bob").change(&format!("dn: alice\nchangetype: modify\n{lines}-\n"));
        assert_eq!(title("add: title\ntitle:  GUEST\n"), Ok(()));
        assert_eq!(title("replace: title\ntitle: Trainee\n"), Ok(()));
        assert_eq!(title("add: title\ntitle: Director\n"), Err(InsufficientAccessRights));
        assert_eq!(scene.root().change("dn: alice\nchangetype: modify\nreplace: title\ntitle: Director\n-\n"), Ok(()));
        assert_eq!(title("replace: title\ntitle: Guest\n"), Err(InsufficientAccessRights), "it takes away the other");
        assert_eq!(staff(scene, "bob", &member("add", "hanna")), Ok(()));
        assert_eq!(staff(scene, "bob", &member("add", "cn=helpdesk,ou=groups")), Err(InsufficientAccessRights));
        assert_eq!(staff(scene, "bob", &member("add", "ou=people")), Err(InsufficientAccessRights), "not below itself");
    }

    /// A deny of some values wins over every grant, and leaves the others.
    fn a_deny_may_be_for_some_values(scene) {
        let all = rule("titles", "authenticated", &format!("subtree:{SUFFIX}"), &["title"], &["write"]);
        let deny = RuleText { allow: vec![], deny: words(&["write"]), ..about(&["value:Director"], "everyone", &["title"]) };
        scene.rule_by(&and([all, deny]));
        let title = |lines: &str| scene.client("bob").change(&format!("dn: alice\nchangetype: modify\n{lines}-\n"));
        assert_eq!(title("replace: title\ntitle: Clerk\n"), Ok(()));
        assert_eq!(title("replace: title\ntitle: director\n"), Err(InsufficientAccessRights));
        assert_eq!(title("add: title\ntitle: Boss\ntitle: Director\n"), Err(InsufficientAccessRights));
    }

    /// A deny of all values wins over a grant of some.
    fn a_deny_of_an_attribute_takes_its_single_values_too(scene) {
        let mut deny = rule("deny", "everyone", &format!("subtree:{SUFFIX}"), &["member"], &[]);
        deny.deny = words(&["write"]);
        scene.rule_by(&and([about(&["self"], "authenticated", &["member"]), deny]));
        assert_eq!(staff(scene, "henry", &member("add", "henry")), Err(InsufficientAccessRights));
    }

    /// D4, userattr: the owner of a group may be a group, and its members through groups in groups own it.
    fn an_attribute_of_the_target_may_name_a_group(scene) {
        scene.rule_by(&and([rule("owners", "attribute:owner", "everything", &["member"], &["write"])]));
        assert_eq!(staff(scene, "hanna", &member("add", "hanna")), Err(InsufficientAccessRights));
        let own = format!("dn: cn=staff,ou=groups\nchangetype: modify\nadd: owner\nowner: cn=outer,ou=groups,{SUFFIX}\n-\n");
        let outer = format!("dn: cn=outer,ou=groups\nobjectClass: groupOfNames\nmember: cn=helpdesk,ou=groups,{SUFFIX}\n");
        assert_eq!(scene.root().change(&own), Ok(()));
        assert_eq!(staff(scene, "hanna", &member("add", "hanna")), Err(InsufficientAccessRights), "a group that does not exist");
        assert_eq!(scene.root().change(&outer), Ok(()));
        assert_eq!(staff(scene, "hanna", &member("add", "hanna")), Ok(()));
        assert_eq!(staff(scene, "bob", &member("add", "bob")), Err(InsufficientAccessRights));
    }

    /// Decision 16: what somebody owns through a group is theirs.
    fn what_is_owned_through_a_group_is_out_of_reach(scene) {
        let reset = || crate::scene::result(&scene.client("hanna").password_modify_with(Some(&full("bob")), None, None, &[]));
        scene.rule_by(&and([rule("owners", "attribute:owner", "everything", &["member"], &["write"])]));
        assert_eq!(reset(), Ok(()));
        let own = format!("dn: cn=helpdesk,ou=groups\nchangetype: modify\nadd: owner\nowner: cn=staff,ou=groups,{SUFFIX}\n-\n");
        assert_eq!(scene.root().change(&own), Ok(()));
        assert_eq!(reset(), Err(InsufficientAccessRights));
    }

    /// D3 and D4: one level, all below, and everybody in a subtree.
    fn a_rule_reaches_as_far_as_it_says(scene) {
        let group = "dn: cn=deep,uid=alice,ou=people\nobjectClass: device\n";
        assert_eq!(scene.root().change(group), Ok(()));
        let visible = |to: &str| {
            scene.rule_by(&[rule("see", &format!("below:ou=people,{SUFFIX}"), to, &["*"], SEE)]);
            assert_eq!(scene.client("cn=admin").names("", WholeSubtree, "(objectClass=*)"), Ok(vec![]), "not below");
            scene.client("bob").names("", WholeSubtree, "(|(uid=alice)(cn=deep)(ou=people))").unwrap()
        };
        let (unit, alice, deep) = ("ou=people", "uid=alice,ou=people", "cn=deep,uid=alice,ou=people");
        assert_eq!(visible(&format!("entry:ou=people,{SUFFIX}")), [unit]);
        assert_eq!(visible(&format!("children:ou=people,{SUFFIX}")), [alice]);
        assert_eq!(visible(&format!("below:ou=people,{SUFFIX}")), [deep, alice]);
        assert_eq!(visible(&format!("subtree:ou=people,{SUFFIX}")), [deep, unit, alice]);
    }
}
