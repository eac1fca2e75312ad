//! What takes two people is not done by one who makes another of themselves: by another name, by accounts of their own making, by
//! two requests at once, or by the mail of the account.

use keystead::directory::ResultCode::{InsufficientAccessRights, UnwillingToPerform};
use keystead::directory::tree::{Change, CommitError, Directory, Tree, Write};
use keystead::directory::{Dn, Entry};

use crate::approvals::{approve, chiefs, keepers, pending, request, two_people_reset};
use crate::scene::{SUFFIX, Scene, acting_as, full, result, rule, rules};
use crate::sentences;

/// An account with a password, as whoever adds it sends it.
fn account(name: &str) -> String {
    format!(
        "dn: {name}\nobjectClass: inetOrgPerson\nuid: {name}\ncn: x\nsn: y\nuserPassword: known to who adds {name}\n"
    )
}

/// The superuser of the machine puts somebody into a group.
fn join<D: Directory>(scene: &Scene<D>, name: &str) {
    let change = format!("dn: cn=helpdesk,ou=groups\nchangetype: modify\nadd: member\nmember: {}\n-\n", full(name));
    scene.root().change(&change).unwrap();
}

/// The helpdesk keeps everything, and acts as people.
fn keep_all<D: Directory>(scene: &Scene<D>) {
    let proxy = rule("proxy", &format!("dn:{}", full("hanna")), &format!("below:ou=people,{SUFFIX}"), &[], &["proxy"]);
    scene.rule_by(&rules().into_iter().chain([keepers(), proxy]).collect::<Vec<_>>());
}

/// Puts other lines into a ledger, as they were before they had an entryUUID.
fn write_ledger<D: Directory>(scene: &Scene<D>, name: &str, lines: &[String]) {
    let view = scene.directory.view();
    let schema = view.schema();
    let id = view.find(&Dn::parse(schema, &full(name)).unwrap()).unwrap().entry().unwrap();
    let (node, credentials) = (view.node(id).unwrap().unwrap(), view.credentials(id).unwrap().unwrap());
    let mut attributes = credentials.entry.decode();
    attributes.set(schema.known().pwd_ledger, lines.iter().map(|line| line.clone().into_bytes()).collect());
    let credentials_after = Entry::encode(&attributes, schema);
    let write = Write::SetCredentials { uuid: node.uuid, version: credentials.version, credentials: credentials_after };
    scene.directory.commit(Change { writes: vec![write], ..Change::none() }).unwrap();
}

fn modify(name: &str, lines: &str) -> String {
    format!("dn: {name}\nchangetype: modify\n{lines}-\n")
}

fn member(group: &str, verb: &str, who: &str) -> String {
    modify(group, &format!("{verb}: member\nmember: {}\n", full(who)))
}

fn group(name: &str, members: &[&str]) -> String {
    let lines = members.iter().map(|who| format!("member: {}\n", full(who))).collect::<Vec<_>>().concat();
    format!("dn: {name}\nobjectClass: groupOfNames\ncn: x\n{lines}")
}

fn rename(name: &str, rdn: &str) -> String {
    format!("dn: {name}\nchangetype: modrdn\nnewrdn: {rdn}\ndeleteoldrdn: 1\n")
}

/// Two people for whoever is in either of two groups; nobody for whoever is in a third. Alice is in both.
fn two_groups<D: Directory>(scene: &Scene<D>) {
    let root = scene.root();
    root.change(&group("cn=more,ou=groups", &["alice", "hanna"])).unwrap();
    root.change(&group("cn=lax,ou=groups", &["hanna"])).unwrap();
    let groups = ["staff", "more"].map(|name| format!("pwdAppliesToGroup: cn={name},ou=groups,{SUFFIX}"));
    chiefs(scene, &groups.join("\n"));
    root.change(&format!(
        "dn: cn=lax,ou=policies\nobjectClass: device\nobjectClass: pwdPolicy\nobjectClass: keysteadPolicy\ncn: lax\n\
         pwdAttribute: userPassword\npwdPrecedence: 1\npwdAppliesToGroup: {}\n",
        full("cn=lax,ou=groups")
    ))
    .unwrap();
}

sentences! {
    /// Whoever makes an account for themselves and takes another name is still who has made it, also if the name holds ` by `.
    fn nobody_is_two_people_by_another_name(scene) {
        two_people_reset(scene);
        scene.root().change("dn: cn=alone,ou=policies\nobjectClass: device\nobjectClass: pwdPolicy\ncn: alone\npwdAttribute: userPassword\n").unwrap();
        let alone = format!("replace: pwdPolicySubentry\npwdPolicySubentry: cn=alone,ou=policies,{SUFFIX}\n");
        scene.root().change(&modify("henry", &alone)).unwrap();
        scene.client("cn=admin").change(&account("puppet")).unwrap();
        join(scene, "puppet");
        let made = request(scene, "cn=admin", "alice");
        scene.client("cn=admin").change(&rename("cn=admin", "cn=hanna by henry")).unwrap();
        assert_eq!(approve(scene, "puppet", &made), Err(InsufficientAccessRights));
        let made = request(scene, "cn=hanna by henry", "bob");
        assert_eq!(approve(scene, "puppet", &made), Err(InsufficientAccessRights));
        scene.client("cn=hanna by henry").password_modify(Some(&full("henry")), None, Some("known to hanna by henry")).unwrap();
        assert_eq!(approve(scene, "henry", &made), Err(InsufficientAccessRights));
        scene.client("cn=hanna by henry").change(&rename("cn=hanna by henry", "cn=admin")).unwrap();
        assert_eq!(approve(scene, "henry", &made), Err(InsufficientAccessRights));
        assert_eq!(approve(scene, "hanna", &made), Ok(()));
        // What was approved before is looked at by who they are as well.
        assert_eq!(result(&scene.client("cn=admin").password_modify_with(Some(&full("bob")), None, None, &[])), Ok(()));
    }

    /// Nor if what stands above them gets another name.
    fn nobody_is_two_people_by_another_name_of_what_stands_above(scene) {
        two_people_reset(scene);
        keep_all(scene);
        scene.client("hanna").change(&account("puppet")).unwrap();
        join(scene, "puppet");
        scene.root().change(&rename("ou=people", "ou=folk")).unwrap();
        let of = |name: &str| format!("uid={name},ou=folk");
        let made = request(scene, &of("hanna"), &of("alice"));
        assert_eq!(approve(scene, &of("puppet"), &made), Err(InsufficientAccessRights));
        assert_eq!(approve(scene, &of("henry"), &made), Ok(()));
    }

    /// Who makes an account while they act as somebody else has made it (RFC 4370), and so has whom they act as.
    fn whoever_acts_as_the_maker_of_an_account_has_made_it(scene) {
        two_people_reset(scene);
        keep_all(scene);
        let hanna = scene.client("hanna");
        assert_eq!(result(&hanna.change_with(&account("puppet"), &acting_as("u:henry"))), Ok(()));
        join(scene, "puppet");
        for who in ["hanna", "henry"] {
            let made = request(scene, who, "alice");
            assert_eq!(approve(scene, "puppet", &made), Err(InsufficientAccessRights), "{who}");
        }
        assert_eq!(approve(scene, "puppet", &request(scene, "cn=admin", "alice")), Ok(()));
    }

    /// Two accounts that one person has made are not two people, nor is one that was made by way of another, though that be gone.
    fn accounts_of_one_making_are_one_person(scene) {
        two_people_reset(scene);
        keep_all(scene);
        for name in ["one", "two"] {
            scene.client("cn=admin").change(&account(name)).unwrap();
            join(scene, name);
        }
        let made = request(scene, "one", "alice");
        assert_eq!(approve(scene, "two", &made), Err(InsufficientAccessRights));
        scene.client("one").change(&account("three")).unwrap();
        join(scene, "three");
        let made = request(scene, "cn=admin", "alice");
        for _ in 0..2 {
            assert_eq!(approve(scene, "three", &made), Err(InsufficientAccessRights));
            let _ = scene.root().change("dn: one\nchangetype: delete\n");
        }
        assert_eq!(approve(scene, "henry", &made), Ok(()));
        // Whoever is gone has nobody in hand a week later.
        scene.wait(8 * 86_400);
        assert_eq!(approve(scene, "three", &request(scene, "cn=admin", "bob")), Ok(()));
    }

    /// Of before who they are was kept, a name is whoever is called that, if they were there then; or it is not known, for a week.
    fn a_name_alone_is_whoever_was_called_that_or_anybody(scene) {
        two_people_reset(scene);
        let line = |by: &str| format!("20260601120100.000000Z reset; through modify; from 127.0.0.1; by {by}");
        scene.root().change(&rename("hanna", "uid=h by na")).unwrap();
        scene.wait(120);
        let made = request(scene, "h by na", "alice");
        let refused = Err(InsufficientAccessRights);
        let root = "gidNumber=0+uidNumber=0,cn=peercred,cn=external,cn=auth";
        let now = full("h by na");
        for (by, told) in [
            (now.as_str(), refused), (&full("nobody"), refused), ("no name", refused), (&full("bob"), Ok(())),
            (&format!("{}; reason x, asked for by {now}", full("bob")), refused), (root, Ok(())),
        ] {
            write_ledger(scene, "henry", &[line(by)]);
            assert_eq!(approve(scene, "henry", &made), told, "{by}");
        }
        // Somebody who came later is not who was called that.
        scene.root().change(&account("late")).unwrap();
        write_ledger(scene, "henry", &[line(&full("late"))]);
        assert_eq!(approve(scene, "henry", &made), refused);
        scene.wait(8 * 86_400);
        assert_eq!(approve(scene, "henry", &request(scene, "h by na", "bob")), Ok(()));
    }

    /// Two changes at once, each of which leaves something that asks for two people, do not both come about.
    fn two_changes_at_once_take_no_tag_away(scene) {
        two_groups(scene);
        let (root, hanna) = (scene.root(), scene.client("hanna"));
        for name in ["mid", "xx"] {
            root.change(&group(&format!("cn={name},ou=groups"), &["hanna"])).unwrap();
        }
        root.change("dn: ou=box\nobjectClass: organizationalUnit\nou: box\n").unwrap();
        root.change(&group("cn=in,ou=box", &["alice"])).unwrap();
        let [staff, more, mid, lax] = ["staff", "more", "mid", "lax"].map(|name| format!("cn={name},ou=groups"));
        let pairs = [
            [member(&staff, "delete", "alice"), member(&more, "delete", "alice")],
            [member(&mid, "add", "alice"), member(&lax, "add", &mid)],
            [rename("cn=xx,ou=groups", "cn=bridge"), member("cn=xx,ou=groups", "add", "alice")],
            [group("cn=new,ou=groups", &["alice"]), member(&lax, "add", "cn=new,ou=groups")],
            [rename("ou=box", "ou=chest"), member(&lax, "add", "cn=in,ou=chest")],
        ];
        // Named by the lax group before it is there.
        root.change(&member(&lax, "add", "cn=bridge,ou=groups")).unwrap();
        for [one, two] in pairs {
            for (first, second) in [(&one, &two), (&two, &one)] {
                let before = pending(scene).len();
                let planned = [first, second].map(|change| hanna.plan(change).unwrap());
                assert!(planned.iter().all(|change| !change.conditions.is_empty()), "{first}\n{second}");
                let [_, second_change] = planned;
                assert_eq!(hanna.change(first), Ok(()), "{first}");
                assert!(matches!(scene.directory.commit(second_change), Err(CommitError::Conflict)), "{first}\n{second}");
                assert_eq!(pending(scene).len(), before);
                undo(scene, first);
            }
        }
        assert_eq!(hanna.change(&member(&staff, "delete", "alice")), Ok(()));
        assert_eq!(hanna.change(&member(&more, "delete", "alice")), Err(UnwillingToPerform));
    }

    /// A group that gets a name by which policies select is seen by that name, and so is what stands below an entry that does.
    fn a_group_that_gets_the_name_of_another_takes_no_tag_away(scene) {
        two_groups(scene);
        let (root, hanna) = (scene.root(), scene.client("hanna"));
        root.change("dn: ou=box\nobjectClass: organizationalUnit\nou: box\n").unwrap();
        root.change(&group("cn=in,ou=box", &["alice"])).unwrap();
        root.change(&group("cn=xx,ou=groups", &["alice"])).unwrap();
        root.change(&group("cn=yy,ou=box", &["cn=zz,ou=chest"])).unwrap();
        root.change(&group("cn=zz,ou=box", &["alice"])).unwrap();
        for (named, change) in [
            ("cn=bridge,ou=groups", rename("cn=xx,ou=groups", "cn=bridge")),
            ("cn=in,ou=chest", rename("ou=box", "ou=chest")),
            // Which is a member of another that gets the name.
            ("cn=yy,ou=chest", rename("ou=box", "ou=chest")),
        ] {
            assert_eq!(hanna.change(&member("cn=lax,ou=groups", "add", named)), Ok(()), "nobody is called {named}");
            assert_eq!(hanna.change(&change), Err(UnwillingToPerform), "{named}");
            let [made] = pending(scene).try_into().unwrap();
            assert_eq!(root.values(&made, "resetPurpose"), ["release"], "{named}");
            assert_eq!(root.values(&made, "resetTarget"), [full("alice")], "{named}");
            root.change(&format!("dn: {made}\nchangetype: delete\n")).unwrap();
            root.change(&member("cn=lax,ou=groups", "delete", named)).unwrap();
        }
    }

    /// Where the default policy asks for two people, it does so from then on.
    fn an_account_under_the_default_policy_does_not_go_by_one(scene) {
        keep_all(scene);
        two_people_reset(scene);
        assert_eq!(scene.client("hanna").change("dn: alice\nchangetype: delete\n"), Err(UnwillingToPerform));
        let [made] = pending(scene).try_into().unwrap();
        assert_eq!(scene.root().values(&made, "resetPurpose"), ["release"]);
    }

    /// Where a lost password is recovered is written by two people as well, each time, but of one's own account and of one without a
    /// password. To lock or unlock an account, or to have its password changed, lets nobody in: that takes one.
    fn the_mail_of_an_account_takes_two_people(scene) {
        keep_all(scene);
        two_people_reset(scene);
        let hanna = scene.client("hanna");
        let mail = |name: &str| modify(name, "replace: mail\nmail: hanna-as-well@example.com\n");
        let response = hanna.change_with(&mail("alice"), &[]);
        assert_eq!(result(&response), Err(UnwillingToPerform));
        assert!(response.result.diagnostic_message.contains("approve"), "{}", response.result.diagnostic_message);
        let [made] = pending(scene).try_into().unwrap();
        assert_eq!(scene.root().values(&made, "resetPurpose"), ["recovery"]);
        assert_eq!(scene.root().values("alice", "mail"), ["alice@example.com"]);
        assert_eq!(approve(scene, "hanna", &made), Err(InsufficientAccessRights));
        assert_eq!(approve(scene, "henry", &made), Ok(()));
        // That is no approval of anything else.
        let reset = request(scene, "hanna", "alice");
        scene.root().change(&format!("dn: {reset}\nchangetype: delete\n")).unwrap();
        assert_eq!(hanna.change(&mail("alice")), Ok(()));
        assert_eq!(pending(scene), [""; 0]);
        for lines in ["delete: mail\n", "add: mobile\nmobile: 1\n", "add: mail;lang-de\nmail;lang-de: x@example.com\n"] {
            assert_eq!(hanna.change(&modify("alice", lines)), Err(UnwillingToPerform), "{lines}");
        }
        assert_eq!(hanna.change(&rename("alice", "uid=alice+mobile=1")), Err(UnwillingToPerform));
        assert_eq!(pending(scene), [made], "all of them are the same");
        assert_eq!(hanna.change(&modify("hanna", "replace: mail\nmail: own@example.com\n")), Ok(()));
        let none = "dn: carla\nobjectClass: inetOrgPerson\nuid: carla\ncn: C\nsn: C\n";
        assert_eq!([hanna.change(none), hanna.change(&modify("carla", "add: mail\nmail: c@example.com\n"))], [Ok(()), Ok(())]);
        for lines in [
            "replace: title\ntitle: x\n", "replace: pwdReset\npwdReset: TRUE\n", "delete: pwdReset\n",
            "replace: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n", "delete: pwdAccountLockedTime\n",
        ] {
            assert_eq!(scene.client("cn=admin").change(&modify("bob", lines)), Ok(()), "{lines}");
        }
    }

    /// What an approval would be for is one thing: who approves knows what.
    fn one_approval_is_not_for_two_things(scene) {
        keep_all(scene);
        two_people_reset(scene);
        let both = "replace: mail\nmail: x@example.com\n-\nreplace: userPassword\nuserPassword: given out by hanna\n";
        let response = scene.client("hanna").change_with(&modify("alice", both), &[]);
        assert_eq!(result(&response), Err(UnwillingToPerform));
        assert!(response.result.diagnostic_message.contains("one after another"), "{}", response.result.diagnostic_message);
        assert_eq!(pending(scene), [""; 0]);
    }
}

/// Takes back what the first of two changes did.
fn undo<D: Directory>(scene: &Scene<D>, change: &str) {
    let back = match change {
        change if change.contains("newrdn: cn=bridge") => rename("cn=bridge,ou=groups", "cn=xx"),
        change if change.contains("newrdn: ou=chest") => rename("ou=chest", "ou=box"),
        change if change.contains("delete: member") => change.replace("delete: member", "add: member"),
        change if change.contains("add: member") => change.replace("add: member", "delete: member"),
        change => format!("{}\nchangetype: delete\n", change.lines().next().unwrap()),
    };
    assert_eq!(scene.root().change(&back), Ok(()), "{back}");
    // What names it has followed.
    if back.contains("newrdn: cn=xx") {
        for (verb, name) in [("delete", "cn=xx,ou=groups"), ("add", "cn=bridge,ou=groups")] {
            scene.root().change(&member("cn=lax,ou=groups", verb, name)).unwrap();
        }
    }
}
