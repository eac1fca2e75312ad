//! Ways in which somebody who is no administrator could become one.
#![expect(clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

use keystead::access::paths::{groups_of_administrators, paths};
use keystead::access::{RuleText, Rules};
use keystead::directory::tree::{Directory, Tree};
use keystead::directory::{Dn, Timestamp};

use crate::scene::{SUFFIX, Scene, full, rule, rules};
use crate::sentences;

/// Each way, in words: who, and the last step.
fn ways<D: Directory>(scene: &Scene<D>, more: &[RuleText]) -> Vec<(String, Vec<String>)> {
    let view = scene.directory.view();
    let texts: Vec<_> = rules().into_iter().chain(more.iter().cloned()).collect();
    let rules = Rules::prepare(&texts, view.schema()).unwrap();
    let now = Timestamp::parse(b"20260601120000Z").unwrap();
    let administrators = Dn::parse(view.schema(), &group("administrators")).unwrap();
    let found = paths(&rules, &[administrators], now, &view).unwrap();
    found.into_iter().map(|path| (path.from, path.steps)).collect()
}

fn group(name: &str) -> String {
    format!("cn={name},ou=groups,{SUFFIX}")
}

fn helpdesk(to: &str, attributes: &[&str], right: &str) -> RuleText {
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

    /// Recovery: whoever writes the mail address receives what recovers the password.
    fn writing_a_recovery_address_is_a_way(scene) {
        let mail = helpdesk(&format!("subtree:{SUFFIX}"), &["mail"], "write");
        assert_one(scene, &[mail], &["may write mail of cn=admin,dc=example,dc=com, where a lost password is recovered"]);
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

    /// A password policy that may be weakened, or chosen, lets passwords be guessed.
    fn weakening_the_password_policy_is_a_way(scene) {
        let write = helpdesk(&format!("subtree:ou=policies,{SUFFIX}"), &["pwdLockout"], "write");
        assert_one(scene, &[write], &["may write pwdLockout of the password policy cn=default,ou=policies"]);
        let choose = helpdesk(&format!("entry:cn=admin,{SUFFIX}"), &["pwdPolicySubentry"], "write");
        assert_one(scene, &[choose], &["may choose the password policy of cn=admin"]);
    }
}
