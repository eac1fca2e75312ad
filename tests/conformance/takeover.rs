//! Ways to become somebody who may do more than oneself, and that they are closed.

use keystead::access::RuleText;
use keystead::directory::ResultCode::{EntryAlreadyExists, InsufficientAccessRights, Success, UnwillingToPerform};
use keystead::directory::tree::{Directory, Tree};
use keystead::protocol::{RawControl, oid};

use crate::scene::{SUFFIX, Scene, full, rule, rules};
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

/// The usual rules and others.
fn and<const N: usize>(others: [RuleText; N]) -> Vec<RuleText> {
    rules().into_iter().chain(others).collect()
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

    /// Where a password is recovered is the password: of those who hold more it is changed by no rename either.
    fn nobody_renames_the_address_by_which_somebody_recovers_who_may_do_more(scene) {
        joiners_and_leavers(scene);
        let admin = scene.client("cn=admin");
        for who in ["mail=boss@example.com,ou=people", "mail=clerk@example.com,ou=people"] {
            let person = "changetype: add\nobjectClass: inetOrgPerson\ncn: x\nsn: x\n";
            assert_eq!(admin.change(&format!("dn: {who}\n{person}")), Ok(()));
        }
        a_name_was_left_behind(scene, "mail=boss@example.com,ou=people");
        let hanna = scene.client("hanna");
        let boss = renaming("mail=boss@example.com,ou=people", "mail=hanna@example.org");
        assert_eq!(hanna.change(&boss), Err(InsufficientAccessRights));
        let kept = boss.replace("deleteoldrdn: 1", "deleteoldrdn: 0");
        assert_eq!(hanna.change(&kept), Err(InsufficientAccessRights));
        let clerk = renaming("mail=clerk@example.com,ou=people", "mail=clerk@example.org");
        assert_eq!(hanna.change(&clerk), Ok(()));
        assert_eq!(admin.change(&boss), Ok(()));
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

    /// To lock an account that holds more is power over it; to unlock it is not, unless an administrator has locked it.
    fn nobody_locks_somebody_who_may_do_more(scene) {
        a_name_was_left_behind(scene, "uid=alice,ou=people");
        let hanna = scene.client("hanna");
        let change = |name: &str, value: &str| {
            hanna.change(&format!("dn: uid={name},ou=people\nchangetype: modify\nreplace: pwdAccountLockedTime\n{value}-\n"))
        };
        assert_eq!(change("alice", "pwdAccountLockedTime: 000001010000Z\n"), Err(InsufficientAccessRights));
        assert_eq!(change("alice", ""), Ok(()));
        assert_eq!(change("bob", "pwdAccountLockedTime: 000001010000Z\n"), Ok(()));
        assert_eq!(change("bob", ""), Ok(()));
        let lock = "dn: uid=alice,ou=people\nchangetype: modify\nreplace: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n-\n";
        scene.root().change(lock).unwrap();
        assert_eq!(change("alice", ""), Err(InsufficientAccessRights));
    }

    /// An entry does not name as its policy what is no policy: it would be governed by something else than it says.
    fn a_reference_to_what_is_no_policy_opens_nothing(scene) {
        let refer = format!("dn: uid=alice,ou=people\nchangetype: modify\nreplace: pwdPolicySubentry\npwdPolicySubentry: ou=people,{SUFFIX}\n-\n");
        assert_eq!(scene.root().change(&refer), Err(keystead::directory::ResultCode::ConstraintViolation));
        let short = scene.client("cn=admin").password_modify(Some("alice"), None, Some("short"));
        assert_eq!(short, Err(keystead::directory::ResultCode::ConstraintViolation));
    }

    /// The right to rename is the right to give an entry another name, and no way to write into it: by `cn=...+member=...`
    /// people would get into groups.
    fn a_rename_writes_nothing_but_the_name(scene) {
        let bob = format!("dn:{}", full("bob"));
        let can = |who: &str, rights: &[&str]| rule("rename", who, &format!("subtree:{SUFFIX}"), &["*", "+"], rights);
        scene.rule_by(&and([can(&bob, &["rename"])]));
        let client = scene.client("bob");
        let own = full("bob").replace('=', "\\3d").replace(',', "\\,");
        for (old, new) in [
            ("cn=helpdesk,ou=groups", format!("cn=helpdesk+member={own}")),
            ("cn=staff,ou=groups", format!("cn=staff+owner={own}")),
            ("uid=alice,ou=people", "uid=alice+mail=bob@example.com".to_owned()),
            ("uid=alice,ou=people", "mail=alice@example.com".to_owned()),
            ("uid=alice,ou=people", format!("uid=alice+manager={own}")),
            ("uid=alice,ou=people", "uid=alice+objectClass=pwdPolicy".to_owned()),
            ("cn=default,ou=policies", "cn=default+pwdMaxFailure=0".to_owned()),
            ("cn=default,ou=policies", "pwdMaxFailure=3".to_owned()),
        ] {
            assert_eq!(client.change(&renaming(old, &new)), Err(InsufficientAccessRights), "{new}");
        }
        assert_eq!(client.change(&renaming("uid=alice,ou=people", "uid=alicia")), Ok(()));
        scene.rule_by(&and([can(&bob, &["rename", "write"])]));
        assert_eq!(client.change(&renaming("uid=alicia,ou=people", "uid=alicia+mail=alicia@example.com")), Ok(()));
        // Then that names the entry, too, and may be changed by whoever renames; but names of others never are.
        assert_eq!(client.change(&renaming("cn=staff,ou=groups", &format!("cn=staff+owner={own}"))), Ok(()));
        scene.rule_by(&and([can(&bob, &["rename"])]));
        let alice = full("alice").replace('=', "\\3d").replace(',', "\\,");
        let staff = format!("cn=staff+owner={own},ou=groups");
        assert_eq!(client.change(&renaming(&staff, &format!("cn=staff+owner={alice}"))), Err(InsufficientAccessRights));
        assert_eq!(client.change(&renaming(&staff, "cn=staff")), Err(InsufficientAccessRights));
        assert_eq!(client.change(&renaming(&staff, &format!("cn=team+owner={own}"))), Ok(()));
    }

    /// Rules about single values hold for what a rename writes.
    fn a_rename_writes_the_values_that_may_be_written(scene) {
        let bob = format!("dn:{}", full("bob"));
        let groups = format!("subtree:ou=groups,{SUFFIX}");
        let may_join = RuleText { values: vec!["self".into()], ..rule("join", &bob, &groups, &["member"], &["write"]) };
        scene.rule_by(&and([rule("rename", &bob, &groups, &[], &["rename"]), may_join]));
        let client = scene.client("bob");
        let with = |name: &str| full(name).replace('=', "\\3d").replace(',', "\\,");
        let renamed = |name: &str| client.change(&renaming("cn=helpdesk,ou=groups", &format!("cn=helpdesk+member={}", with(name))));
        assert_eq!(renamed("alice"), Err(InsufficientAccessRights));
        assert_eq!(renamed("bob"), Ok(()));
    }

    /// A policy that makes no sense does not come about by a rename either, nor an entry of another structural class.
    fn a_renamed_entry_is_checked_as_a_changed_one(scene) {
        let root = scene.root();
        assert!(root.change(&renaming("cn=default,ou=policies", "cn=default+pwdMaxFailure=-1")).is_err());
        assert!(root.change(&renaming("uid=bob,ou=people", "uid=bob+objectClass=device")).is_err());
    }

    /// A rule for a group that there is not: whoever made it would say who is in it.
    fn nobody_makes_a_group_whose_members_may_do_more(scene) {
        let bob = format!("dn:{}", full("bob"));
        let tree = format!("subtree:{SUFFIX}");
        let ghosts = format!("group:cn=ghosts,ou=groups,{SUFFIX}");
        scene.rule_by(&and([
            rule("groups", &bob, &format!("subtree:ou=groups,{SUFFIX}"), &["*"], &["add", "delete", "rename", "search", "read", "write"]),
            rule("ghosts", &ghosts, &tree, &["*", "+"], &["all"]),
            rule("ghosts in the dark", &format!("group:cn=ghosts,ou=dark,ou=groups,{SUFFIX}"), &tree, &["*"], &["write"]),
            RuleText { deny: vec!["write".into()], ..rule("banned", &format!("group:cn=banned,ou=groups,{SUFFIX}"), &tree, &["title"], &[]) },
        ]));
        let group = |name: &str, at: &str| format!("dn: cn={name},{at}\nobjectClass: groupOfNames\ncn: {name}\nmember: {}\n", full("bob"));
        let client = scene.client("bob");
        assert_eq!(client.change(&group("ghosts", "ou=groups")), Err(InsufficientAccessRights));
        assert_eq!(client.change(&group("banned", "ou=groups")), Err(InsufficientAccessRights), "nor one that is denied what they lack");
        assert_eq!(client.change(&group("friends", "ou=groups")), Ok(()));
        assert_eq!(client.change(&renaming("cn=friends,ou=groups", "cn=ghosts")), Err(InsufficientAccessRights));
        assert_eq!(client.change("dn: ou=light,ou=groups\nobjectClass: organizationalUnit\nou: light\n"), Ok(()));
        assert_eq!(client.change(&group("ghosts", "ou=light,ou=groups")), Ok(()));
        assert_eq!(client.change(&renaming("ou=light,ou=groups", "ou=dark")), Err(InsufficientAccessRights));
        let admin = scene.client("cn=admin");
        assert_eq!(admin.change(&group("ghosts", "ou=groups")), Ok(()));
        assert_eq!(admin.change(&group("banned", "ou=groups")), Ok(()));
    }

    /// Nor does a name come about that an entry holds in an attribute by which a rule applies, or that a rule names.
    fn nobody_makes_somebody_whom_a_rule_means(scene) {
        joiners_and_leavers(scene);
        let people = format!("subtree:ou=people,{SUFFIX}");
        let group = format!("group:cn=helpdesk,ou=groups,{SUFFIX}");
        scene.rule_by(&and([
            rule("joiners", &group, &people, &["*"], &["add", "delete", "rename", "search", "read", "write"]),
            rule("managers", "attribute:manager", &people, &["*"], &["proxy"]),
            rule("zoe", &format!("dn:{}", full("zoe")), &people, &["*"], &["import-hash"]),
        ]));
        scene.root().change(&format!("dn: alice\nchangetype: modify\nreplace: manager\nmanager: {}\n-\n", full("max"))).unwrap();
        let hanna = scene.client("hanna");
        assert_eq!(hanna.change(&person("max")), Err(InsufficientAccessRights));
        assert_eq!(hanna.change(&person("zoe")), Err(InsufficientAccessRights));
        assert_eq!(hanna.change(&person("puppet")), Ok(()));
        for name in ["max", "zoe"] {
            let renamed = hanna.change(&renaming("uid=puppet,ou=people", &format!("uid={name}")));
            assert_eq!(renamed, Err(InsufficientAccessRights), "{name}");
        }
    }

    /// A group to which a rule denies something stays: whoever could take it away has less themselves, or is told to change the
    /// rule first.
    fn nobody_takes_away_the_group_to_which_a_rule_denies(scene) {
        let bob = format!("dn:{}", full("bob"));
        let deny = |group: &str| RuleText {
            deny: vec!["reset-password".into()],
            ..rule("no", &format!("group:cn={group},ou=groups,{SUFFIX}"), &format!("subtree:{SUFFIX}"), &[], &[])
        };
        let rights = &["delete", "rename", "search", "read"];
        scene.rule_by(&and([rule("groups", &bob, &format!("subtree:ou=groups,{SUFFIX}"), &["*"], rights), deny("staff")]));
        let client = scene.client("bob");
        let remove = "dn: cn=staff,ou=groups\nchangetype: delete\n";
        assert_eq!(client.change(remove), Err(InsufficientAccessRights));
        assert_eq!(client.change(&renaming("cn=staff,ou=groups", "cn=others")), Err(InsufficientAccessRights));
        assert_eq!(scene.client("cn=admin").change(remove), Err(UnwillingToPerform));
        scene.rule_by(&and([rule("groups", &bob, &format!("subtree:ou=groups,{SUFFIX}"), &["*"], rights)]));
        assert_eq!(scene.client("cn=admin").change(remove), Ok(()));
        assert_eq!(client.change("dn: cn=helpdesk,ou=groups\nchangetype: delete\n"), Ok(()));
    }

    /// Nor does one of its members, to whom the rule denies what another grants.
    fn nobody_takes_away_the_group_by_which_something_is_denied_to_them(scene) {
        let bob = format!("dn:{}", full("bob"));
        let deny = RuleText {
            deny: vec!["reset-password".into()],
            ..rule("no", &format!("group:cn=bound,ou=groups,{SUFFIX}"), &format!("subtree:{SUFFIX}"), &[], &[])
        };
        let rights = &["delete", "rename", "search", "read", "reset-password"];
        scene.rule_by(&and([rule("all", &bob, &format!("subtree:{SUFFIX}"), &["*"], rights), deny]));
        let group = format!("dn: cn=bound,ou=groups\nchangetype: add\nobjectClass: groupOfNames\ncn: bound\nmember: {}\n", full("bob"));
        assert_eq!(scene.client("cn=admin").change(&group), Ok(()));
        let client = scene.client("bob");
        let remove = "dn: cn=bound,ou=groups\nchangetype: delete\n";
        assert_eq!(client.change(remove), Err(InsufficientAccessRights));
        assert_eq!(client.change(&renaming("cn=bound,ou=groups", "cn=others")), Err(InsufficientAccessRights));
        assert_eq!(scene.client("cn=admin").change(remove), Err(UnwillingToPerform));
    }

    /// To say until when somebody may authenticate, and by which policy, is power over them as locking them is.
    fn nobody_ends_the_time_of_somebody_who_may_do_more(scene) {
        joiners_and_leavers(scene);
        let group = format!("group:cn=helpdesk,ou=groups,{SUFFIX}");
        scene.rule_by(&and([rule("write", &group, &format!("subtree:{SUFFIX}"), &["*", "+", "password-state"], &["write", "rename"])]));
        a_name_was_left_behind(scene, "uid=alice,ou=people");
        let hanna = scene.client("hanna");
        let change = |name: &str, attribute: &str, value: &str| {
            hanna.change(&format!("dn: {name}\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n-\n"))
        };
        let policy = format!("cn=default,ou=policies,{SUFFIX}");
        for (attribute, value) in [
            ("pwdEndTime", "20310101000000Z"),
            ("pwdStartTime", "20300101000000Z"),
            ("pwdPolicySubentry", policy.as_str()),
        ] {
            assert_eq!(change("alice", attribute, value), Err(InsufficientAccessRights), "{attribute}");
            assert_eq!(change("bob", attribute, value), Ok(()), "{attribute}");
        }
        assert_eq!(change("alice", "title", "chief"), Ok(()));
    }

    /// Decision 16: writing recovery addresses counts as resetting. One's own are one's own.
    fn nobody_writes_where_the_password_of_somebody_is_recovered_who_may_do_more(scene) {
        let group = format!("group:cn=helpdesk,ou=groups,{SUFFIX}");
        scene.rule_by(&and([
            rule("write", &group, &format!("subtree:{SUFFIX}"), &["*", "+"], &["write", "rename"]),
            rule("own", "self", &format!("subtree:{SUFFIX}"), &["mail"], &["write"]),
        ]));
        a_name_was_left_behind(scene, "uid=alice,ou=people");
        let change = |who: &str, name: &str, attribute: &str, value: &str| {
            scene.client(who).change(&format!("dn: {name}\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n-\n"))
        };
        for (attribute, value) in [("mail", "hanna@example.net"), ("mobile", "+1 555 1")] {
            assert_eq!(change("hanna", "alice", attribute, value), Err(InsufficientAccessRights), "{attribute}");
            assert_eq!(change("hanna", "bob", attribute, value), Ok(()), "{attribute}");
        }
        assert_eq!(change("hanna", "alice", "telephoneNumber", "+1 555 2"), Ok(()));
        let by_name = renaming("uid=alice,ou=people", "uid=alice+mail=hanna@example.net");
        assert_eq!(scene.client("hanna").change(&by_name), Err(InsufficientAccessRights));
        assert_eq!(change("alice", "alice", "mail", "alice@example.net"), Ok(()));
        assert_eq!(change("cn=admin", "alice", "mail", "alice@example.org"), Ok(()));
        let others = ["telephoneNumber"].into_iter().map(|name| scene.directory.view().schema().find_attribute_type(name).unwrap().id).collect();
        scene.configure(|services| services.recovery_attributes = others);
        assert_eq!(change("hanna", "alice", "telephoneNumber", "+1 555 3"), Err(InsufficientAccessRights));
        assert_eq!(change("hanna", "alice", "mobile", "+1 555 3"), Ok(()));
    }

    /// A policy is power over those whom it governs: nobody writes one that says that it governs those who may do more.
    fn nobody_writes_a_policy_for_somebody_who_may_do_more(scene) {
        let bob = format!("dn:{}", full("bob"));
        let people = format!("subtree:ou=people,{SUFFIX}");
        scene.rule_by(&and([rule("people", &bob, &people, &["*", "+"], &["add", "delete", "rename", "write", "read", "search", "reset-password"])]));
        let client = scene.client("bob");
        let policy = |claims: &str| format!(
            "dn: cn=weak,ou=people\nobjectClass: namedPolicy\nobjectClass: pwdPolicy\nobjectClass: keysteadPolicy\ncn: weak\n\
             pwdAttribute: userPassword\npwdLockout: FALSE\npwdPrecedence: 0\n{claims}\n"
        );
        let administrators = format!("pwdAppliesToGroup: cn=administrators,ou=groups,{SUFFIX}");
        for claims in [
            administrators.as_str(),
            &format!("pwdAppliesToGroup: cn=helpdesk,ou=groups,{SUFFIX}"),
            &format!("pwdAppliesToSubtree: {SUFFIX}"),
            "pwdAppliesToFilter: (objectClass=*)",
            "pwdAppliesToFilter: (uid=hanna)",
        ] {
            assert_eq!(client.change(&policy(claims)), Err(InsufficientAccessRights), "{claims}");
        }
        let here = format!("pwdAppliesToSubtree: ou=people,{SUFFIX}");
        assert_eq!(client.change(&policy(&format!("{here}\npwdAppliesToFilter: (uid=hanna)"))), Err(InsufficientAccessRights));
        assert_eq!(client.change(&policy(&format!("{here}\npwdAppliesToFilter: (uid=alice)"))), Ok(()));
        let change = |lines: &str| client.change(&format!("dn: cn=weak,ou=people\nchangetype: modify\n{lines}\n-\n"));
        let helpdesk = format!("add: pwdAppliesToGroup\npwdAppliesToGroup: cn=helpdesk,ou=groups,{SUFFIX}");
        assert_eq!(change(&helpdesk), Ok(()), "of whom none is called alice");
        assert_eq!(change("delete: pwdAppliesToFilter"), Err(InsufficientAccessRights));
        assert_eq!(scene.client("cn=admin").change("dn: cn=weak,ou=people\nchangetype: modify\ndelete: pwdAppliesToFilter\n-\n"), Ok(()));
        assert_eq!(change("replace: pwdLockout\npwdLockout: TRUE"), Err(InsufficientAccessRights));
        assert_eq!(client.change("dn: cn=weak,ou=people\nchangetype: delete\n"), Err(InsufficientAccessRights));
        assert_eq!(client.change(&renaming("cn=weak,ou=people", "cn=weaker")), Err(InsufficientAccessRights));
        assert_eq!(scene.client("cn=admin").change("dn: cn=weak,ou=people\nchangetype: delete\n"), Ok(()));
    }

    /// And those whose passwords one may not reset are not governed either: by a policy they could be locked out, or guessed.
    fn nobody_writes_a_policy_for_those_whose_passwords_they_may_not_reset(scene) {
        let bob = format!("dn:{}", full("bob"));
        let unit = "dn: ou=bobs,ou=people\nchangetype: add\nobjectClass: organizationalUnit\nou: bobs\n";
        assert_eq!(scene.root().change(unit), Ok(()));
        let policy = |name: &str, claim: &str| format!(
            "dn: cn={name},ou=bobs,ou=people\nchangetype: add\nobjectClass: device\nobjectClass: pwdPolicy\nobjectClass: keysteadPolicy\n\
             cn: {name}\npwdAttribute: userPassword\n{claim}\n"
        );
        let people = format!("pwdAppliesToSubtree: ou=people,{SUFFIX}\npwdAppliesToFilter: (uid=alice)");
        let adds = rule("bobs", &bob, &format!("subtree:ou=bobs,ou=people,{SUFFIX}"), &["*", "+"], &["add", "write", "delete"]);
        let resets = |to: &str| rule("resets", &bob, to, &[], &["reset-password"]);
        let (all, alice) = (format!("subtree:ou=people,{SUFFIX}"), format!("entry:{}", full("alice")));
        let deny = |to: &str| RuleText { deny: vec!["reset-password".into()], ..rule("no", &bob, to, &[], &[]) };
        let refused = [vec![adds.clone()], vec![adds.clone(), resets(&alice)], vec![adds.clone(), resets(&all), deny(&alice)]];
        for more in refused {
            scene.rule_by(&rules().into_iter().chain(more).collect::<Vec<_>>());
            assert_eq!(scene.client("bob").change(&policy("mine", &people)), Err(InsufficientAccessRights));
            assert_eq!(scene.client("bob").change(&policy("mine", "pwdAppliesToFilter: (uid=alice)")), Err(InsufficientAccessRights));
        }
        scene.rule_by(&and([adds.clone(), resets(&all)]));
        assert_eq!(scene.client("bob").change(&policy("mine", "pwdAppliesToFilter: (uid=alice)")), Err(InsufficientAccessRights));
        assert_eq!(scene.client("bob").change(&policy("mine", &people)), Ok(()));
        // Those who name one are governed as well.
        scene.rule_by(&and([adds.clone()]));
        assert_eq!(scene.client("bob").change(&policy("named", "pwdMaxFailure: 3")), Ok(()), "it governs nobody yet");
        let names = format!("dn: alice\nchangetype: modify\nreplace: pwdPolicySubentry\npwdPolicySubentry: {}\n-\n", full("cn=named,ou=bobs,ou=people"));
        assert_eq!(scene.root().change(&names), Ok(()));
        let lockout = "dn: cn=named,ou=bobs,ou=people\nchangetype: modify\nreplace: pwdMaxFailure\npwdMaxFailure: 1\n-\n";
        assert_eq!(scene.client("bob").change(lockout), Err(InsufficientAccessRights));
        scene.rule_by(&and([adds, resets(&alice)]));
        assert_eq!(scene.client("bob").change(lockout), Ok(()));
    }

    /// Whether a policy may be written tells nothing of what its writer may not search: neither of attributes nor of entries.
    fn a_policy_tells_nothing_of_whom_it_would_match(scene) {
        let bob = format!("dn:{}", full("bob"));
        let people = format!("subtree:ou=people,{SUFFIX}");
        let allow = |more: &[RuleText]| {
            let usual = rules().into_iter().filter(|rule| rule.name != "whoever has authenticated");
            let acts = rule("acts", &bob, &people, &[], &["add", "reset-password"]);
            scene.rule_by(&usual.chain([acts]).chain(more.iter().cloned()).collect::<Vec<_>>());
        };
        let sees = |to: &str, attributes: &[&str]| rule("sees", &bob, to, attributes, &["search", "read"]);
        let number = "dn: hanna\nchangetype: modify\nreplace: employeeNumber\nemployeeNumber: K-7\n-\n";
        assert_eq!(scene.root().change(number), Ok(()));
        let answer = |filter: &str, more: &str| {
            let lines = format!(
                "dn: cn=probe,ou=people\nchangetype: add\nobjectClass: device\nobjectClass: pwdPolicy\nobjectClass: keysteadPolicy\n\
                 cn: probe\npwdAttribute: userPassword\npwdAppliesToSubtree: ou=people,{SUFFIX}\npwdAppliesToFilter: {filter}\n{more}"
            );
            let result = scene.client("bob").change_with(&lines, &[]).result;
            (result.code, result.diagnostic_message)
        };
        allow(&[sees(&people, &["*", "!employeeNumber"])]);
        let hidden = answer("(&(uid=hanna)(employeeNumber=K*))", "");
        assert_eq!(hidden.0, InsufficientAccessRights);
        assert_eq!(answer("(&(uid=hanna)(employeeNumber=L*))", ""), hidden);
        assert_ne!(answer("(uid=hanna)", ""), hidden, "what may be searched is told");
        // Nor of who is in a group.
        let group = |name: &str| format!("pwdAppliesToGroup: cn={name},ou=groups,{SUFFIX}\n");
        assert_eq!([answer("(uid=hanna)", &group("helpdesk")), answer("(uid=hanna)", &group("staff"))], [hidden.clone(), hidden.clone()]);
        // Nor of an entry that may not be seen.
        allow(&[RuleText { filter: Some("(!(uid=hanna))".into()), ..sees(&people, &["*"]) }]);
        assert_eq!([answer("(uid=hanna)", ""), answer("(uid=nobody)", "")], [hidden.clone(), hidden]);
        allow(&[sees(&format!("subtree:{SUFFIX}"), &["*"])]);
        assert_eq!(answer("(employeeNumber=L*)", &group("staff")).0, Success);
    }

    /// The default policy governs everybody whom no other governs: so nobody writes it, makes it, takes it away or moves it who holds
    /// less than one of them.
    fn nobody_writes_the_default_policy_who_holds_less_than_somebody(scene) {
        let bob = format!("dn:{}", full("bob"));
        let all = ["add", "delete", "rename", "write", "read", "search"];
        scene.rule_by(&and([rule("tree", &bob, &format!("subtree:{SUFFIX}"), &["*", "+"], &all)]));
        let client = scene.client("bob");
        let (bob_may, admin_may) = (|text: &str| client.change(text), |text: &str| scene.client("cn=admin").change(text));
        let lockout = "dn: cn=default,ou=policies\nchangetype: modify\nreplace: pwdMaxFailure\npwdMaxFailure: 1\n-\n";
        let quality = "dn: cn=default,ou=policies\nchangetype: modify\nreplace: pwdCheckQuality\npwdCheckQuality: 0\n-\n";
        let delete = "dn: cn=default,ou=policies\nchangetype: delete\n";
        let aside = renaming("cn=default,ou=policies", "cn=aside");
        let above = renaming("ou=policies", "ou=rules");
        for change in [lockout, quality, delete, &aside, &above] {
            assert_eq!(bob_may(change), Err(InsufficientAccessRights), "{change}");
        }
        let tree_delete = RawControl { oid: oid::TREE_DELETE.into(), critical: true, value: None };
        assert_eq!(client.change_with("dn: ou=policies\nchangetype: delete\n", &[tree_delete]).result.code, InsufficientAccessRights);
        assert_eq!((admin_may(lockout), admin_may(quality), admin_may(&above)), (Ok(()), Ok(()), Ok(())));
        // Where there is none, whatever has that name would govern; and it comes there in many ways.
        let place = "dn: ou=policies\nchangetype: add\nobjectClass: organizationalUnit\nou: policies\n";
        assert_eq!(bob_may(place), Ok(()));
        for class in ["device", "device\nobjectClass: pwdPolicy\npwdAttribute: userPassword"] {
            let add = format!("dn: cn=default,ou=policies\nchangetype: add\nobjectClass: {class}\ncn: default\n");
            assert_eq!(bob_may(&add), Err(InsufficientAccessRights), "{class}");
        }
        let other = "dn: cn=other,ou=policies\nchangetype: add\nobjectClass: device\nobjectClass: pwdPolicy\ncn: other\npwdAttribute: userPassword\n";
        assert_eq!(bob_may(other), Ok(()), "it governs nobody");
        assert_eq!(bob_may("dn: cn=other,ou=policies\nchangetype: modify\nreplace: pwdMaxFailure\npwdMaxFailure: 1\n-\n"), Ok(()));
        assert_eq!(bob_may(&renaming("cn=other,ou=policies", "cn=default")), Err(InsufficientAccessRights));
        assert_eq!(bob_may("dn: cn=other,ou=policies\nchangetype: delete\n"), Ok(()));
        assert_eq!(bob_may("dn: ou=policies\nchangetype: delete\n"), Ok(()));
        assert_eq!(bob_may(&renaming("ou=rules", "ou=policies")), Err(InsufficientAccessRights));
        assert_eq!(admin_may(&renaming("ou=rules", "ou=policies")), Ok(()));
    }

    /// Those who name a policy are governed by it, though it says nothing of them.
    fn nobody_writes_a_policy_that_somebody_names_who_may_do_more(scene) {
        let bob = format!("dn:{}", full("bob"));
        let people = format!("subtree:ou=people,{SUFFIX}");
        let more = ["add", "delete", "rename", "write", "read", "search", "reset-password"];
        scene.rule_by(&and([rule("people", &bob, &people, &["*", "+", "pwdPolicySubentry"], &more)]));
        let client = scene.client("bob");
        let policy = "dn: cn=own,ou=people\nchangetype: add\nobjectClass: namedPolicy\nobjectClass: pwdPolicy\ncn: own\npwdAttribute: userPassword\n";
        let names = |who: &str, policy: &str| format!("dn: {who}\nchangetype: modify\nreplace: pwdPolicySubentry\npwdPolicySubentry: {}\n-\n", full(policy));
        let lockout = "dn: cn=own,ou=people\nchangetype: modify\nreplace: pwdMaxFailure\npwdMaxFailure: 1\n-\n";
        assert_eq!(client.change(policy), Ok(()));
        assert_eq!(client.change(&names(&full("alice"), "cn=own,ou=people")), Ok(()), "who holds no more");
        assert_eq!(client.change(lockout), Ok(()));
        assert_eq!(scene.root().change(&names("cn=admin", "cn=own,ou=people")), Ok(()));
        let class = "dn: cn=own,ou=people\nchangetype: modify\ndelete: pwdMaxFailure\n-\ndelete: pwdAttribute\n-\ndelete: objectClass\nobjectClass: pwdPolicy\n-\n";
        for change in [lockout, class, "dn: cn=own,ou=people\nchangetype: delete\n", &renaming("cn=own,ou=people", "cn=owned")] {
            assert_eq!(client.change(change), Err(InsufficientAccessRights), "{change}");
        }
        // Once it is a policy no more, and they name it all the same, it is no less power to make it one again.
        assert_eq!(scene.root().change(class), Ok(()));
        let again = "dn: cn=own,ou=people\nchangetype: modify\nadd: objectClass\nobjectClass: pwdPolicy\n-\nadd: pwdAttribute\npwdAttribute: userPassword\n-\n";
        assert_eq!(client.change(again), Err(InsufficientAccessRights));
        assert_eq!(scene.client("cn=admin").change(again), Ok(()));
        assert_eq!(client.change(lockout), Err(InsufficientAccessRights));
        assert_eq!(scene.client("cn=admin").change(lockout), Ok(()));
    }
}
