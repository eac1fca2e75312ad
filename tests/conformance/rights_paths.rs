//! Ways in which somebody who is no administrator could become one.
#![expect(clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

use std::sync::Arc;

use keystead::access::paths::{Inquiry, administrators_by_name, groups_of_administrators, paths};
use keystead::access::{RuleText, Rules, delegated};
use keystead::directory::tree::{Directory, Tree};
use keystead::directory::{Dn, Timestamp};
use keystead::operations::policies::refuses_policy;
use keystead::operations::takeover::usual_recovery_attributes;

use crate::scene::{SUFFIX, Scene, full, rule, rules};
use crate::sentences;

/// Each way: who goes it, and in which steps.
pub fn ways<D: Directory>(scene: &Scene<D>, more: &[RuleText]) -> Vec<(String, Vec<String>)> {
    let view = scene.directory.view();
    let texts: Vec<_> = rules().into_iter().chain(more.iter().cloned()).collect();
    found(&Rules::prepare(&texts, view.schema()).unwrap(), &view)
}

fn found(rules: &Rules, tree: &dyn Tree) -> Vec<(String, Vec<String>)> {
    let naming =
        tree.schema().find_attribute_type("employeeNumber").map(|attribute| attribute.id).into_iter().collect();
    let inquiry = Inquiry {
        rules,
        administrators: &[Dn::parse(tree.schema(), &group("administrators")).unwrap()],
        by_name: &administrators_by_name(rules),
        naming: &naming,
        recovery: &usual_recovery_attributes(tree.schema()),
        refuses_policy: &refuses_policy,
        now: Timestamp::parse(b"20260601120000Z").unwrap(),
    };
    let found = paths(&inquiry, tree).unwrap();
    assert_eq!(found.unseen, 0);
    found.paths.into_iter().map(|path| (path.from, path.steps)).collect()
}

pub fn group(name: &str) -> String {
    format!("cn={name},ou=groups,{SUFFIX}")
}

pub fn helpdesk(to: &str, attributes: &[&str], right: &str) -> RuleText {
    rule("more for the helpdesk", &format!("group:{}", group("helpdesk")), to, attributes, &[right])
}

/// Asserts that there is one way, that of a member of the helpdesk, in these steps.
#[track_caller]
fn assert_one<D: Directory>(scene: &Scene<D>, more: &[RuleText], steps: &[&str]) {
    let found = ways(scene, more);
    assert_eq!(found.len(), 1, "{found:?}");
    let (from, told) = &found[0];
    assert_eq!(from, &format!("a member of {}", group("helpdesk")), "{told:?}");
    assert_eq!(told.len(), steps.len(), "{told:?}");
    for (told, words) in told.iter().zip(steps) {
        assert!(told.contains(words), "{told:?}: {words}");
    }
}

/// That staff may everything.
pub fn staff_may_all() -> RuleText {
    rule("all", &format!("group:{}", group("staff")), "everything", &["*", "+", "password-state"], &["all"])
}

/// Whether those who hold as much as administrators are told to have a way.
fn is_told<D: Directory>(scene: &Scene<D>, words: &str) -> bool {
    ways(scene, &[staff_may_all()]).iter().any(|(_, steps)| steps.iter().any(|step| step.contains(words)))
}

sentences! {
    /// Administrators are, unless said otherwise, the members of groups that a rule allows everything.
    fn administrators_are_those_who_may_do_everything(scene) {
        let rules = Rules::prepare(&rules(), scene.directory.view().schema()).unwrap();
        let groups: Vec<String> = groups_of_administrators(&rules).iter().map(ToString::to_string).collect();
        assert_eq!(groups, [group("administrators")]);
    }

    /// With the rules that `init` writes, there is no way.
    fn the_rules_of_init_lead_nobody_astray(scene) {
        assert_eq!(ways(scene, &[]), []);
    }

    /// Group membership: directly, and of a group in the group.
    fn writing_the_members_is_a_way(scene) {
        let wide = helpdesk(&format!("subtree:ou=groups,{SUFFIX}"), &["member"], "write");
        assert_one(scene, &[wide], &[&format!("may add themselves as member of {}, by the rule", group("administrators"))]);
        let nested = format!(
            "dn: cn=deputies,ou=groups\nobjectClass: groupOfNames\nmember: {}\n\n\
             dn: cn=administrators,ou=groups\nchangetype: modify\nadd: member\nmember: {}\n-\n",
            full("bob"), group("deputies"),
        );
        assert_eq!(scene.root().change(&nested), Ok(()));
        let narrow = helpdesk(&format!("entry:{}", group("deputies")), &["member"], "write");
        assert_one(scene, &[narrow], &[&format!("may add themselves as member of {}", group("deputies"))]);
    }

    /// A right to put in only oneself is enough; one to put in others' names is not.
    fn joining_by_a_right_to_single_values_is_a_way(scene) {
        let join = |value: &str| RuleText {
            values: vec![value.into()],
            ..helpdesk(&format!("entry:{}", group("administrators")), &["member"], "write")
        };
        assert_one(scene, &[join("self")], &["may add themselves as member"]);
        assert_eq!(ways(scene, &[join("value:cn=printer,dc=example,dc=com")]), []);
    }

    /// Where a rule allows everything to somebody by name, they are an administrator; and a member of theirs is none.
    fn who_is_allowed_everything_by_name_is_an_administrator(scene) {
        let bob = format!("dn:{}", full("bob"));
        let all = || rule("bob", &bob, "everything", &["*", "+", "password-state"], &["all"]);
        assert_eq!(ways(scene, &[all()]), []);
        let telephone = helpdesk(&format!("entry:{}", full("bob")), &["telephoneNumber"], "write");
        assert_one(scene, &[all(), telephone], &["may write telephoneNumber of uid=bob"]);
        let members = helpdesk(&format!("entry:{}", full("bob")), &["objectClass", "member"], "write");
        assert_eq!(ways(scene, &[all(), members]), []);
    }

    /// Nobody is told to set out as a member of a group that has none.
    fn a_group_without_members_is_nobodys_beginning(scene) {
        assert_eq!(scene.root().change("dn: cn=ops,ou=groups\nobjectClass: groupOfMembers\ncn: ops\n"), Ok(()));
        let ops = rule("ops", &format!("group:{}", group("ops")), &format!("entry:{}", group("administrators")), &["member"], &["write"]);
        assert_eq!(ways(scene, &[ops]), []);
    }

    /// Several steps are told in their order.
    fn a_way_may_have_several_steps(scene) {
        let staff_joins = helpdesk(&format!("entry:{}", group("staff")), &["member"], "write");
        let staff = format!("group:{}", group("staff"));
        let staff_may = rule("staff", &staff, &format!("entry:{}", group("administrators")), &["member"], &["write"]);
        let found = ways(scene, &[staff_joins, staff_may]);
        let of = |name: &str| &found.iter().find(|(from, _)| *from == format!("a member of {}", group(name))).unwrap().1;
        assert_eq!((found.len(), of("staff").len(), of("helpdesk").len()), (2, 1, 2), "{found:?}");
        assert!(of("helpdesk")[0].contains(&group("staff")) && of("helpdesk")[1].contains(&group("administrators")));
    }

    /// Ownership: whoever writes `owner` may what the owner may.
    fn owning_the_group_is_a_way(scene) {
        let owners = rule("owners", "attribute:owner", &format!("subtree:ou=groups,{SUFFIX}"), &["member"], &["write"]);
        assert_eq!(ways(scene, std::slice::from_ref(&owners)), []);
        let own = helpdesk(&format!("subtree:ou=groups,{SUFFIX}"), &["owner"], "write");
        assert_one(scene, &[owners.clone(), own], &["may put themselves into owner of"]);
        let owned = format!("dn: {}\nchangetype: modify\nadd: owner\nowner: {}\n-\n", group("administrators"), full("bob"));
        assert_eq!(scene.root().change(&owned), Ok(()));
        let found = ways(scene, &[owners]);
        assert_eq!(found.iter().map(|(from, _)| from).collect::<Vec<_>>(), [&full("bob")], "{found:?}");
    }

    /// Recovery: whoever writes the telephone number receives what recovers the password. Where passwords are recovered by the
    /// configuration, only those write who hold as much.
    fn writing_a_recovery_address_is_a_way(scene) {
        let writes = |attribute: &str| helpdesk(&format!("subtree:{SUFFIX}"), &[attribute], "write");
        let words = "may write telephoneNumber of cn=admin,dc=example,dc=com, where a lost password is recovered";
        assert_one(scene, &[writes("telephoneNumber")], &[words]);
        assert_eq!((ways(scene, &[writes("mail")]), ways(scene, &[writes("mobile")])), (vec![], vec![]));
        assert!(is_told(scene, "may write mail of cn=admin"));
    }

    /// Acting as an administrator, where a rule names them; otherwise the guard keeps from it.
    fn acting_as_an_administrator_is_a_way(scene) {
        let acts = |to: &str| helpdesk(to, &[], "proxy");
        assert_one(scene, &[acts(&format!("entry:cn=admin,{SUFFIX}"))], &["may act as cn=admin,dc=example,dc=com"]);
        assert_eq!(ways(scene, &[acts(&format!("subtree:{SUFFIX}"))]), []);
    }

    /// Resetting an administrator is kept from those who hold less, and is a way for those who hold as much.
    fn resetting_is_a_way_for_those_who_hold_as_much(scene) {
        assert_eq!(ways(scene, &[helpdesk(&format!("subtree:{SUFFIX}"), &[], "reset-password")]), []);
        let all = rule("staff may all", &format!("group:{}", group("staff")), "everything", &["*", "+", "password-state"], &["all"]);
        let found = ways(scene, &[all]);
        assert!(found.iter().any(|(_, steps)| steps[0].contains("may reset the password of cn=admin")), "{found:?}");
    }

    /// A password policy that may be weakened, or chosen, lets passwords be guessed: so it is for those who hold as much as whom it
    /// governs.
    fn weakening_the_password_policy_is_a_way_for_those_who_hold_as_much(scene) {
        let write = helpdesk(&format!("subtree:ou=policies,{SUFFIX}"), &["pwdLockout"], "write");
        assert_eq!(ways(scene, &[write]), [], "the default governs the administrator");
        let choose = helpdesk(&format!("entry:cn=admin,{SUFFIX}"), &["pwdPolicySubentry"], "write");
        assert_eq!(ways(scene, &[choose]), [], "the administrator holds more");
        assert!(is_told(scene, "may write pwdPolicySubentry of cn=admin,dc=example,dc=com, which chooses the password policy"));
    }

    /// A group that a rule names and that is not there is made by those alone who hold what its members will: so that is no way.
    fn making_a_missing_group_is_no_way(scene) {
        let named = || rule("auditors", &format!("group:{}", group("auditors")), &format!("entry:{}", group("administrators")), &["member"], &["write"]);
        assert_eq!(ways(scene, &[named()]), []);
        let adds = helpdesk(&format!("below:ou=groups,{SUFFIX}"), &[], "add");
        assert_eq!(ways(scene, &[named(), adds]), []);
        let renames = helpdesk(&format!("entry:{}", group("helpdesk")), &[], "rename");
        assert_eq!(ways(scene, &[named(), renames]), []);
    }

    /// A policy that says by itself whom it governs can be anywhere below the suffix, and be of any structural class: it is made by
    /// those alone who hold as much.
    fn making_a_password_policy_is_a_way_for_those_who_hold_as_much(scene) {
        let people = format!("below:ou=people,{SUFFIX}");
        for more in [
            helpdesk(&people, &[], "add"),
            helpdesk(&people, &["objectClass", "pwdAppliesToFilter"], "write"),
            rule("own entry", "self", &people, &["*", "!uid", "!mail", "!mobile", "!telephoneNumber"], &["write"]),
        ] {
            assert_eq!(ways(scene, &[more]), []);
        }
        assert!(is_told(scene, "may add a password policy below"));
        assert!(is_told(scene, "may write pwdLockout of the password policy cn=default"));
    }

    /// So can the one that is there be made to govern somebody, by its own words; and where it says of one who holds more that it
    /// governs them, nothing of it is written by whoever holds less.
    fn having_a_policy_govern_administrators_is_a_way_for_those_who_hold_as_much(scene) {
        let class = "dn: cn=default,ou=policies\nchangetype: modify\nadd: objectClass\nobjectClass: keysteadPolicy\n-\n";
        assert_eq!(scene.root().change(class), Ok(()));
        let policies = format!("subtree:ou=policies,{SUFFIX}");
        for attribute in ["pwdAppliesToFilter", "pwdAppliesToGroup", "pwdAppliesToSubtree", "pwdPrecedence"] {
            assert_eq!(ways(scene, &[helpdesk(&policies, &[attribute], "write")]), [], "{attribute}");
        }
        // The default governs administrators, so nothing of it is theirs to write; of one that governs nobody yet, it is.
        let lockout = || helpdesk(&policies, &["pwdLockout"], "write");
        assert_eq!(ways(scene, &[lockout()]), []);
        let spare = "dn: cn=spare,ou=policies\nobjectClass: device\nobjectClass: pwdPolicy\ncn: spare\npwdAttribute: userPassword\n";
        assert_eq!(scene.root().change(spare), Ok(()));
        assert_one(scene, &[lockout()], &["may write pwdLockout of the password policy cn=spare,ou=policies"]);
        let named = format!("dn: cn=admin\nchangetype: modify\nadd: pwdPolicySubentry\npwdPolicySubentry: {}\n-\n", full("cn=spare,ou=policies"));
        assert_eq!(scene.root().change(&named), Ok(()));
        assert_eq!(ways(scene, &[lockout()]), []);
        let claim = format!("dn: cn=default,ou=policies\nchangetype: modify\nadd: pwdAppliesToGroup\npwdAppliesToGroup: {}\n-\n", group("administrators"));
        assert_eq!(scene.root().change(&claim), Ok(()));
        assert_eq!(ways(scene, &[lockout()]), []);
        assert_eq!(ways(scene, &[helpdesk(&policies, &["pwdPrecedence"], "write")]), []);
    }

    /// Or by being in a group that it looks at, or having a value.
    fn being_selected_by_a_policy_is_a_way(scene) {
        let add = format!(
            "dn: cn=weak,ou=policies\nobjectClass: device\nobjectClass: pwdPolicy\nobjectClass: keysteadPolicy\n\
             pwdAttribute: userPassword\npwdAppliesToGroup: {}\npwdAppliesToFilter: (title=weak)\n",
            group("staff"),
        );
        assert_eq!(scene.root().change(&add), Ok(()));
        let joins = helpdesk(&format!("entry:{}", group("staff")), &["member"], "write");
        assert_one(scene, &[joins], &[&format!("may put administrators into {}", group("staff"))]);
        let only_themselves = RuleText { values: vec!["self".into()], ..helpdesk(&format!("entry:{}", group("staff")), &["member"], "write") };
        assert_eq!(ways(scene, &[only_themselves]), []);
        let title = helpdesk(&format!("entry:cn=admin,{SUFFIX}"), &["title"], "write");
        assert_one(scene, &[title], &["may write title of cn=admin,dc=example,dc=com, by which a password policy selects"]);
        assert_eq!(ways(scene, &[helpdesk(&format!("entry:cn=admin,{SUFFIX}"), &["description"], "write")]), []);
    }

    /// Whoever proves a name is who has it: so the attributes by which somebody is found are nobody else's to write.
    fn writing_what_somebody_is_found_by_is_a_way(scene) {
        for attribute in ["uid", "employeeNumber"] {
            let writes = helpdesk(&format!("entry:cn=admin,{SUFFIX}"), &[attribute], "write");
            let words = format!("may write {attribute} of cn=admin,dc=example,dc=com, by which whoever proves that name is found");
            assert_one(scene, &[writes], &[&words]);
        }
    }

    /// A right to some values of a recovery address is enough.
    fn writing_some_values_of_a_recovery_address_is_a_way(scene) {
        let number = RuleText {
            values: vec!["value:+49 30 1234".into()],
            ..helpdesk(&format!("entry:cn=admin,{SUFFIX}"), &["telephoneNumber"], "write")
        };
        assert_one(scene, &[number], &["may write telephoneNumber of cn=admin"]);
    }

    /// What an entry cannot have, nobody writes of it.
    fn what_an_entry_cannot_have_is_no_way(scene) {
        let unique = helpdesk(&format!("entry:{}", group("administrators")), &["uniqueMember"], "write");
        assert_eq!(ways(scene, &[unique]), []);
    }

    /// Setting how the password of an administrator stands takes their locks away; who holds less does not pass the guard.
    fn bringing_the_state_of_a_password_is_a_way_for_those_who_hold_as_much(scene) {
        assert_eq!(ways(scene, &[helpdesk("everything", &[], "import-hash")]), []);
        let staff = format!("group:{}", group("staff"));
        let rights = ["search", "read", "compare", "write", "add", "delete", "rename", "authenticate", "change-password",
            "unlock", "import-hash", "proxy", "delegate", "explain"];
        let much = rule("much", &staff, "everything", &["*", "+", "password-state"], &rights);
        let found = ways(scene, &[much]);
        assert!(!found.iter().any(|(_, steps)| steps[0].contains("set from outside")), "{found:?}");
        let all = rule("all", &staff, "everything", &["*", "+", "password-state"], &["all"]);
        assert!(!ways(scene, &[all]).is_empty());
    }

    /// A rule in the tree is looked at as any other.
    fn rules_in_the_tree_are_looked_at(scene) {
        let add = format!(
            "dn: cn=joining,ou=groups\nobjectClass: subentry\nobjectClass: accessRule\ncn: joining\nsubtreeSpecification: {{}}\n\
             accessWho: group:{}\naccessAttributes: member\naccessAllow: write\n",
            group("helpdesk"),
        );
        assert_eq!(scene.client("cn=admin").change(&add), Ok(()));
        let view = scene.directory.view();
        let file = Arc::new(Rules::prepare(&rules(), view.schema()).unwrap());
        let in_force = delegated::in_force(&file, delegated::MOST, &view).unwrap();
        assert!(in_force.suspended.is_empty(), "{:?}", in_force.suspended);
        let told = found(&in_force.rules, &view);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].1[0].contains("cn=joining,ou=groups,dc=example,dc=com"), "{told:?}");
        // Once it is suspended, it is none.
        let leave = format!("dn: cn=administrators,ou=groups\nchangetype: modify\nreplace: member\nmember: {}\n-\n", full("bob"));
        assert_eq!(scene.root().change(&leave), Ok(()));
        let view = scene.directory.view();
        let in_force = delegated::in_force(&file, delegated::MOST, &view).unwrap();
        assert_eq!(in_force.suspended.len(), 1);
        assert_eq!(found(&in_force.rules, &view), []);
    }
}
