//! Ways to become somebody who may do more than oneself, and that they are closed.

use keystead::access::RuleText;
use keystead::directory::ResultCode::{EntryAlreadyExists, InsufficientAccessRights};
use keystead::directory::tree::Directory;

use crate::scene::{SUFFIX, Scene, rule, rules};
use crate::sentences;

/// Hanna of the helpdesk may also make, rename and remove people, as a helpdesk that does the joining and leaving of
/// colleagues does.
fn joiners_and_leavers<D: Directory>(scene: &Scene<D>) {
    let group = format!("group:cn=helpdesk,ou=groups,{SUFFIX}");
    let rights = &["add", "delete", "rename", "search", "read", "write"];
    let more = rule("joiners and leavers", &group, &format!("subtree:ou=people,{SUFFIX}"), &["*"], rights);
    scene.rule_by(&rules().into_iter().chain([more]).collect::<Vec<RuleText>>());
}

/// An administrator's name stands in the group though nobody is called that.
fn a_name_was_left_behind<D: Directory>(scene: &Scene<D>, name: &str) {
    let group = "dn: cn=administrators,ou=groups\nchangetype: modify\nadd: member\nmember: ";
    assert_eq!(scene.root().change(&format!("{group}{name},{SUFFIX}\n-\n")), Ok(()));
}

fn person(name: &str) -> String {
    format!(
        "dn: uid={name},ou=people\nchangetype: add\nobjectClass: inetOrgPerson\nuid: {name}\ncn: {name}\nsn: {name}\n"
    )
}

fn renaming(old: &str, new: &str) -> String {
    format!("dn: {old}\nchangetype: modrdn\nnewrdn: {new}\ndeleteoldrdn: 1\n")
}

sentences! {
    /// Whoever makes an entry decides who can be it: so not under a name by which somebody may do more.
    fn nobody_adds_somebody_who_may_do_more(scene) {
        joiners_and_leavers(scene);
        a_name_was_left_behind(scene, "uid=zoe,ou=people");
        let hanna = scene.client("hanna");
        assert_eq!(hanna.change(&person("zoe")), Err(InsufficientAccessRights));
        assert_eq!(hanna.change(&format!("{}userPassword: a fine secret of zoe\n", person("zoe"))), Err(InsufficientAccessRights));
        assert_eq!(hanna.change(&person("zora")), Ok(()));
        assert_eq!(scene.client("cn=admin").change(&person("zoe")), Ok(()));
    }

    /// The same for a name that an entry is given later.
    fn nobody_renames_somebody_into_one_who_may_do_more(scene) {
        joiners_and_leavers(scene);
        let hanna = scene.client("hanna");
        assert_eq!(hanna.change(&person("puppet")), Ok(()));
        assert_eq!(hanna.change(&renaming("uid=puppet,ou=people", "uid=puppet2")), Ok(()));
        a_name_was_left_behind(scene, "uid=zoe,ou=people");
        assert_eq!(hanna.change(&renaming("uid=puppet2,ou=people", "uid=zoe")), Err(InsufficientAccessRights));
        assert_eq!(scene.client("cn=admin").change(&renaming("uid=puppet2,ou=people", "uid=zoe")), Ok(()));
    }

    /// And for the names of what stands below an entry that is renamed.
    fn nobody_renames_what_stands_above_somebody_who_then_may_do_more(scene) {
        joiners_and_leavers(scene);
        let unit = "dn: ou=team,ou=people\nchangetype: add\nobjectClass: organizationalUnit\nou: team\n";
        let below = person("puppet").replace("ou=people", "ou=team,ou=people");
        let hanna = scene.client("hanna");
        assert_eq!((hanna.change(unit), hanna.change(&below)), (Ok(()), Ok(())));
        a_name_was_left_behind(scene, "uid=puppet,ou=chiefs,ou=people");
        assert_eq!(hanna.change(&renaming("ou=team,ou=people", "ou=chiefs")), Err(InsufficientAccessRights));
        assert_eq!(hanna.change(&renaming("ou=team,ou=people", "ou=others")), Ok(()));
    }

    /// The right is decided before it is told whether a name is taken.
    fn whoever_may_not_move_an_entry_somewhere_does_not_learn_what_stands_there(scene) {
        joiners_and_leavers(scene);
        let hanna = scene.client("hanna");
        let to = |parent: &str, name: &str| {
            let moving = renaming("uid=bob,ou=people", name);
            hanna.change(&format!("{moving}newsuperior: {parent},{SUFFIX}\n"))
        };
        assert_eq!(to("ou=groups", "cn=staff"), to("ou=groups", "cn=nothing"));
        assert_eq!(to("ou=groups", "uid=bob"), Err(InsufficientAccessRights));
        assert_eq!(hanna.change(&renaming("uid=bob,ou=people", "uid=alice")), Err(EntryAlreadyExists));
    }

    /// To lock an account that holds more is power over it; to unlock it is not.
    fn nobody_locks_somebody_who_may_do_more(scene) {
        a_name_was_left_behind(scene, "uid=alice,ou=people");
        let hanna = scene.client("hanna");
        let change = |name: &str, value: &str| {
            hanna.change(&format!("dn: uid={name},ou=people\nchangetype: modify\nreplace: pwdAccountLockedTime\n{value}-\n"))
        };
        assert_eq!(change("alice", "pwdAccountLockedTime: 000001010000Z\n"), Err(InsufficientAccessRights));
        assert_eq!(change("alice", ""), Ok(()));
        assert_eq!(change("bob", "pwdAccountLockedTime: 000001010000Z\n"), Ok(()));
    }

    /// An entry that names as its policy what is no policy stands under a strict one, and not under none.
    fn a_reference_to_what_is_no_policy_opens_nothing(scene) {
        let refer = format!("dn: uid=alice,ou=people\nchangetype: modify\nreplace: pwdPolicySubentry\npwdPolicySubentry: ou=people,{SUFFIX}\n-\n");
        assert_eq!(scene.root().change(&refer), Ok(()));
        let short = scene.client("cn=admin").password_modify(Some("alice"), None, Some("short"));
        assert_eq!(short, Err(keystead::directory::ResultCode::ConstraintViolation));
    }
}
