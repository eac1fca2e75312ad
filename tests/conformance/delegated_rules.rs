//! Rules in the tree: written over LDAP by whoever may, granting what their author holds (features D11, decision 18).

use keystead::access::assertion::{Assertion, AssertionText};
use keystead::directory::ResultCode::{ConstraintViolation, InsufficientAccessRights};
use keystead::directory::tree::{Directory, Tree};

use crate::scene::{SUFFIX, Scene, full, rule, rules};
use crate::sentences;

/// Hanna, of the helpdesk, may write rules for people; and a team stands below them.
pub fn hanna_delegates<D: Directory>(scene: &Scene<D>) {
    let hanna = format!("dn:{}", full("hanna"));
    let people = format!("subtree:ou=people,{SUFFIX}");
    let everything = ["*", "+", "password-state"];
    scene.rule_by(
        &rules()
            .into_iter()
            .chain([rule("delegate", &hanna, &people, &everything, &["add", "delete", "write", "delegate", "rename"])])
            .collect::<Vec<_>>(),
    );
    scene.root().change("dn: ou=team,ou=people\nobjectClass: organizationalUnit\nou: team\n").unwrap();
    scene.root().change("dn: uid=tim,ou=team,ou=people\nobjectClass: inetOrgPerson\nuid: tim\ncn: Tim\nsn: T\nuserPassword: tim's password\n").unwrap();
}

/// A rule called `name` below `point`.
pub fn entry(name: &str, point: &str, lines: &[&str]) -> String {
    let lines = lines.join("\n");
    format!(
        "dn: cn={name},{point}\nobjectClass: subentry\nobjectClass: accessRule\ncn: {name}\nsubtreeSpecification: {{}}\n{lines}\n"
    )
}

/// That bob may reset the team.
pub fn bob_resets_the_team() -> String {
    let bob = format!("accessWho: dn:{}", full("bob"));
    entry("bob", "ou=team,ou=people", &[&bob, "accessAllow: reset-password"])
}

pub fn bob_may_reset<D: Directory>(scene: &Scene<D>, whom: &str) -> bool {
    scene.client("bob").password_modify(Some(&full(whom)), None, None).is_ok()
}

pub const TIM: &str = "uid=tim,ou=team,ou=people";

sentences! {
    /// A rule takes effect at once, for what stands at or below its point and nothing else; and ends when it is deleted.
    fn a_rule_in_the_tree_takes_effect_at_once(scene) {
        hanna_delegates(scene);
        assert!(!bob_may_reset(scene, TIM));
        assert_eq!(scene.client("hanna").change(&bob_resets_the_team()), Ok(()));
        assert!(bob_may_reset(scene, TIM) && !bob_may_reset(scene, "alice"));
        let tell = "dn: cn=bob,ou=team,ou=people\nchangetype: modify\nreplace: accessAllow\naccessAllow: unlock\n-\n";
        assert_eq!(scene.client("hanna").change(tell), Ok(()));
        assert!(!bob_may_reset(scene, TIM));
        assert_eq!(scene.client("hanna").change("dn: cn=bob,ou=team,ou=people\nchangetype: delete\n"), Ok(()));
        assert_eq!(scene.client("hanna").change(&bob_resets_the_team()), Ok(()));
        assert!(bob_may_reset(scene, TIM));
        assert_eq!(scene.client("hanna").change("dn: cn=bob,ou=team,ou=people\nchangetype: delete\n"), Ok(()));
        assert!(!bob_may_reset(scene, TIM));
    }

    /// What somebody has passed on is suspended while an administrator keeps their account locked, and ends when it is deleted.
    fn a_rule_is_suspended_while_the_account_of_its_author_is_locked(scene) {
        hanna_delegates(scene);
        scene.client("hanna").change(&bob_resets_the_team()).unwrap();
        assert!(bob_may_reset(scene, TIM));
        let lock = "dn: hanna\nchangetype: modify\nreplace: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n-\n";
        scene.client("cn=admin").change(lock).unwrap();
        assert!(!bob_may_reset(scene, TIM));
        scene.client("cn=admin").change("dn: hanna\nchangetype: modify\ndelete: pwdAccountLockedTime\n-\n").unwrap();
        assert!(bob_may_reset(scene, TIM));
        // What anybody can do takes nothing from others.
        for _ in 0..5 {
            let _ = scene.anonymous().bind("hanna", "a guess");
        }
        scene.settle();
        assert!(bob_may_reset(scene, TIM));
        scene.root().change("dn: hanna\nchangetype: delete\n").unwrap();
        assert!(!bob_may_reset(scene, TIM));
    }

    /// Whoever may write entries there may not write rules by that: it takes the right `delegate`.
    fn to_write_a_rule_needs_a_right_of_its_own(scene) {
        let hanna = format!("dn:{}", full("hanna"));
        let people = format!("subtree:ou=people,{SUFFIX}");
        hanna_delegates(scene);
        scene.rule_by(&rules().into_iter().chain([
            rule("write", &hanna, &people, &["*", "+"], &["add", "delete", "write", "rename"]),
        ]).collect::<Vec<_>>());
        assert_eq!(scene.client("hanna").change(&bob_resets_the_team()), Err(InsufficientAccessRights));
        let harmless = "dn: cn=x,ou=team,ou=people\nobjectClass: subentry\ncn: x\nsubtreeSpecification: {}\n";
        assert_eq!(scene.client("hanna").change(harmless), Ok(()));
        let become_one = "dn: cn=x,ou=team,ou=people\nchangetype: modify\nadd: objectClass\nobjectClass: accessRule\n-\nadd: accessWho\naccessWho: everyone\n-\nadd: accessAllow\naccessAllow: reset-password\n-\n";
        assert_eq!(scene.client("hanna").change(become_one), Err(InsufficientAccessRights));
    }

    /// The right `delegate` is all that it takes to add, change and delete a rule, and nothing else can be added by it.
    fn the_right_to_write_rules_is_enough_for_rules_and_nothing_else(scene) {
        let hanna = format!("dn:{}", full("hanna"));
        let people = format!("subtree:ou=people,{SUFFIX}");
        hanna_delegates(scene);
        scene.rule_by(&rules().into_iter().chain([rule("delegate", &hanna, &people, &[], &["delegate"])]).collect::<Vec<_>>());
        let client = scene.client("hanna");
        assert_eq!(client.change(&bob_resets_the_team()), Ok(()));
        assert!(bob_may_reset(scene, TIM));
        let modify = |lines: &str| client.change(&format!("dn: cn=bob,ou=team,ou=people\nchangetype: modify\n{lines}-\n"));
        assert_eq!(modify("replace: accessAllow\naccessAllow: unlock\n-\nreplace: description\ndescription: since Monday\n"), Ok(()));
        assert!(!bob_may_reset(scene, TIM));
        assert_eq!(modify("add: objectClass\nobjectClass: extensibleObject\n"), Err(InsufficientAccessRights));
        assert_eq!(modify("add: mail\nmail: bob@example.com\n"), Err(InsufficientAccessRights));
        assert_eq!(modify("add: pwdPolicySubentry\npwdPolicySubentry: cn=default,ou=policies,dc=example,dc=com\n"), Err(InsufficientAccessRights));
        assert_eq!(client.change("dn: cn=bob,ou=team,ou=people\nchangetype: delete\n"), Ok(()));
        for more in ["objectClass: extensibleObject", "objectClass: pwdPolicy\npwdAttribute: userPassword", "pwdPolicySubentry: cn=default,ou=policies,dc=example,dc=com"] {
            let with_more = format!("{}{more}\n", bob_resets_the_team());
            assert_eq!(client.change(&with_more), Err(InsufficientAccessRights), "{more}");
        }
        let plain = "dn: cn=x,ou=team,ou=people\nobjectClass: subentry\ncn: x\nsubtreeSpecification: {}\n";
        assert_eq!(client.change(plain), Err(InsufficientAccessRights));
        assert_eq!(scene.root().change(plain), Ok(()));
        assert_eq!(client.change("dn: cn=x,ou=team,ou=people\nchangetype: delete\n"), Err(InsufficientAccessRights));
    }

    /// Nobody passes on what they do not hold themselves: neither a right, nor an entry, nor an attribute.
    fn nobody_passes_on_what_they_do_not_hold(scene) {
        hanna_delegates(scene);
        let bob = format!("accessWho: dn:{}", full("bob"));
        let write = |point: &str, lines: &[&str]| {
            let mut all = vec![bob.as_str()];
            all.extend_from_slice(lines);
            scene.client("hanna").change(&entry("x", point, &all))
        };
        for allow in ["import-hash", "proxy", "all", "explain"] {
            let answered = write("ou=team,ou=people", &[&format!("accessAllow: {allow}")]);
            assert_eq!(answered, Err(InsufficientAccessRights), "{allow}");
        }
        assert_eq!(write("ou=groups", &["accessAllow: reset-password"]), Err(InsufficientAccessRights));
        assert_eq!(write("ou=team,ou=people", &["accessAllow: write", "accessAttributes: mail"]), Ok(()));
    }

    /// A rule reaches its point and below; what it says beyond that is refused, with the reason.
    fn a_rule_reaches_no_further_than_its_point(scene) {
        hanna_delegates(scene);
        let bob = format!("accessWho: dn:{}", full("bob"));
        for to in ["everything", "subtree:dc=example,dc=com", "subtree:ou=people,dc=example,dc=com", "entry:uid=alice,ou=people,dc=example,dc=com"] {
            let text = entry("x", "ou=team,ou=people", &[&bob, "accessAllow: reset-password", &format!("accessTo: {to}")]);
            let response = scene.root().change_with(&text, &[]);
            assert_eq!(response.result.code, ConstraintViolation, "{to}");
            assert!(response.result.diagnostic_message.contains(to), "{}", response.result.diagnostic_message);
        }
        let below = format!("accessTo: entry:{}", full(TIM));
        assert_eq!(scene.client("hanna").change(&entry("x", "ou=team,ou=people", &[&bob, "accessAllow: reset-password", &below])), Ok(()));
        assert!(bob_may_reset(scene, TIM));
    }

    /// A rule that makes no sense is refused at the write, with the reason.
    fn a_rule_that_makes_no_sense_is_refused(scene) {
        let write = |lines: &[&str]| {
            let response = scene.root().change_with(&entry("x", "ou=people", lines), &[]);
            (response.result.code, response.result.diagnostic_message)
        };
        for (lines, words) in [
            (&["accessWho: everyone"][..], "allows and denies nothing"),
            (&["accessWho: nobody", "accessAllow: read"], "\"nobody\" is not known in `who`"),
            (&["accessWho: everyone", "accessAllow: reed"], "\"reed\" is not known in `allow`"),
            (&["accessWho: everyone", "accessAllow: read", "accessFilter: (uid"], "malformed"),
            (&["accessWho: everyone", "accessAllow: read", "accessAttributes: userPassword"], "secret"),
        ] {
            let (code, told) = write(lines);
            assert_eq!(code, ConstraintViolation, "{lines:?}");
            assert!(told.contains(words), "{told}");
        }
        let specified = entry("x", "ou=people", &["accessWho: everyone", "accessAllow: read"]).replace("{}", "{ minimum 1 }");
        assert_eq!(scene.root().change(&specified), Err(ConstraintViolation));
    }

    /// Whoever loses a right takes it from all to whom they have passed it on; when they have it again, so have those.
    fn a_rule_is_in_force_while_its_author_holds_what_it_grants(scene) {
        hanna_delegates(scene);
        scene.client("hanna").change(&bob_resets_the_team()).unwrap();
        assert!(bob_may_reset(scene, TIM));
        let change = |verb: &str| {
            let hanna = full("hanna");
            scene.root().change(&format!("dn: cn=helpdesk,ou=groups\nchangetype: modify\n{verb}: member\nmember: {hanna}\n-\n")).unwrap();
        };
        change("delete");
        assert!(!bob_may_reset(scene, TIM));
        change("add");
        assert!(bob_may_reset(scene, TIM));
        change("delete");
        // Somebody else who holds it takes it over by writing it again.
        let again = "dn: cn=bob,ou=team,ou=people\nchangetype: modify\nreplace: description\ndescription: taken over\n-\n";
        assert_eq!(scene.client("cn=admin").change(again), Ok(()));
        assert!(bob_may_reset(scene, TIM));
    }

    /// It ends with its author, too.
    fn a_rule_is_not_in_force_without_its_author(scene) {
        hanna_delegates(scene);
        scene.client("hanna").change(&bob_resets_the_team()).unwrap();
        scene.root().change("dn: hanna\nchangetype: delete\n").unwrap();
        assert!(!bob_may_reset(scene, TIM));
    }

    /// What is passed on may be passed on, and two who have only each other's word for it have nothing.
    fn rules_are_passed_on_and_not_conjured_up(scene) {
        hanna_delegates(scene);
        let may_delegate = |name: &str, who: &str| {
            let who = format!("accessWho: dn:{}", full(who));
            entry(name, "ou=team,ou=people", &[
                &who, "accessAllow: reset-password", "accessAllow: add", "accessAllow: delegate", "accessAllow: write",
                "accessAttributes: *", "accessAttributes: +",
            ])
        };
        let henry = "dn: cn=helpdesk,ou=groups\nchangetype: modify\ndelete: member\nmember: uid=henry,ou=people,dc=example,dc=com\n-\n";
        scene.root().change(henry).unwrap();
        scene.client("hanna").change(&may_delegate("bob", "bob")).unwrap();
        assert_eq!(scene.client("bob").change(&may_delegate("henry", "henry")), Ok(()));
        assert_eq!(scene.client("henry").change(&may_delegate("again", "bob")), Ok(()));
        assert!(bob_may_reset(scene, TIM));
        scene.client("cn=admin").change("dn: cn=bob,ou=team,ou=people\nchangetype: delete\n").unwrap();
        assert!(!bob_may_reset(scene, TIM), "henry has it from bob, and bob from henry");
    }

    /// A denial takes away what rules of the tree grant, and nothing that the configuration grants: nobody locks out an
    /// administrator.
    fn a_denial_in_the_tree_takes_nothing_from_the_configuration(scene) {
        hanna_delegates(scene);
        scene.client("hanna").change(&bob_resets_the_team()).unwrap();
        let denial = entry("no", "ou=team,ou=people", &["accessWho: everyone", "accessDeny: all", "accessAttributes: *", "accessAttributes: +", "accessAttributes: password-state"]);
        assert_eq!(scene.client("hanna").change(&denial), Ok(()));
        assert!(!bob_may_reset(scene, TIM));
        let admin = scene.client("cn=admin");
        assert_eq!(admin.password_modify(Some(&full(TIM)), None, Some("given out by the admin")), Ok(None));
        assert_eq!(admin.values(TIM, "cn"), ["Tim"]);
        assert_eq!(scene.client("henry").password_modify(Some(&full(TIM)), None, Some("given out by henry")), Ok(None));
        assert_eq!(admin.change("dn: cn=no,ou=team,ou=people\nchangetype: delete\n"), Ok(()));
        assert!(bob_may_reset(scene, TIM));
    }

    /// The right to act for people that is passed on reaches nobody who may more, even where the rule names them: that is
    /// for the configuration to say (decision 16).
    fn a_rule_in_the_tree_does_not_lift_the_guard(scene) {
        let hanna = format!("dn:{}", full("hanna"));
        let people = format!("subtree:ou=people,{SUFFIX}");
        hanna_delegates(scene);
        scene.rule_by(&rules().into_iter().chain([
            rule("delegate", &hanna, &people, &["*", "+"], &["add", "delegate", "write", "proxy"]),
        ]).collect::<Vec<_>>());
        let join = format!("dn: cn=administrators,ou=groups\nchangetype: modify\nadd: member\nmember: {}\n-\n", full(TIM));
        scene.root().change(&join).unwrap();
        let named = entry("x", "ou=team,ou=people", &[&format!("accessWho: dn:{}", full("bob")), "accessAllow: proxy", &format!("accessTo: entry:{}", full(TIM))]);
        assert_eq!(scene.client("hanna").change(&named), Ok(()));
        let controls = crate::scene::acting_as(&format!("dn:{}", full(TIM)));
        let who = scene.client("bob").extended(keystead::protocol::oid::WHO_AM_I, None, &controls);
        assert_eq!(who.result.code, keystead::directory::ResultCode::AuthorizationDenied);
    }

    /// A rule moved elsewhere is judged where it is then.
    fn a_rule_that_is_moved_reaches_what_is_there(scene) {
        hanna_delegates(scene);
        scene.client("hanna").change(&bob_resets_the_team()).unwrap();
        let to = |superior: &str| format!("dn: cn=bob,ou=team,ou=people\nchangetype: modrdn\nnewrdn: cn=bob\ndeleteoldrdn: 1\nnewsuperior: {superior},{SUFFIX}\n");
        assert_eq!(scene.client("hanna").change(&to("ou=groups")), Err(InsufficientAccessRights));
        assert_eq!(scene.client("hanna").change(&to("ou=people")), Ok(()));
        assert!(bob_may_reset(scene, "alice"));
    }

    /// What the operator says nobody may, no rule in the tree grants either: it is refused where it is written, with somebody
    /// who could.
    fn a_rule_against_an_assertion_is_refused_with_the_counterexample(scene) {
        hanna_delegates(scene);
        let nobody_else = AssertionText {
            name: "only the helpdesk resets".into(),
            except: vec![format!("group:cn=helpdesk,ou=groups,{SUFFIX}"), format!("group:cn=administrators,ou=groups,{SUFFIX}"), "local-root".into()],
            must_not: vec!["reset-password".into()],
            ..AssertionText::default()
        };
        let prepared = Assertion::prepare_all(&[nobody_else], scene.directory.view().schema()).unwrap();
        scene.configure(|services| services.assertions = prepared);
        let response = scene.client("hanna").change_with(&bob_resets_the_team(), &[]);
        let told = response.result.diagnostic_message;
        assert_eq!(response.result.code, ConstraintViolation, "{told}");
        assert!(told.contains("only the helpdesk resets") && told.contains(&full("bob")), "{told}");
        let unlock = bob_resets_the_team().replace("reset-password", "unlock");
        assert_eq!(scene.client("hanna").change(&unlock), Ok(()));
    }

    /// The author is noted by the server: nobody writes rules in somebody else's name.
    fn nobody_writes_rules_in_the_name_of_others(scene) {
        hanna_delegates(scene);
        let forged = bob_resets_the_team() + "accessAuthor: local-root\n";
        assert_eq!(scene.client("hanna").change(&forged), Err(ConstraintViolation));
    }

    /// To take a rule away needs the right to write rules, whether it is deleted, alone or with what stands above it, made
    /// another entry, renamed, or moved with what stands above it.
    fn to_take_a_rule_away_needs_the_right_to_write_rules(scene) {
        hanna_delegates(scene);
        scene.root().change("dn: ou=group,ou=team,ou=people\nobjectClass: organizationalUnit\nou: group\n").unwrap();
        let denial = entry("no", "ou=group,ou=team,ou=people", &["accessWho: everyone", "accessDeny: reset-password"]);
        assert_eq!(scene.client("hanna").change(&denial), Ok(()));
        let bob = format!("dn:{}", full("bob"));
        let people = format!("subtree:ou=people,{SUFFIX}");
        let rights = &["add", "delete", "write", "rename"];
        let with = |rights: &[&str]| {
            let rule = rule("bob", &bob, &people, &["*", "+"], rights);
            scene.rule_by(&rules().into_iter().chain([rule]).collect::<Vec<_>>());
        };
        let name = "cn=no,ou=group,ou=team,ou=people";
        let unclass = format!(
            "dn: {name}\nchangetype: modify\ndelete: objectClass\nobjectClass: accessRule\n-\ndelete: accessWho\n-\ndelete: accessDeny\n-\n"
        );
        let changes = [
            format!("dn: {name}\nchangetype: modrdn\nnewrdn: cn=yes\ndeleteoldrdn: 1\n"),
            "dn: ou=group,ou=team,ou=people\nchangetype: modrdn\nnewrdn: ou=moved\ndeleteoldrdn: 1\n".to_owned(),
            unclass,
            format!("dn: {name}\nchangetype: delete\n"),
        ];
        with(rights);
        for change in &changes {
            assert_eq!(scene.client("bob").change(change), Err(InsufficientAccessRights), "{change}");
        }
        with(&["add", "delete", "write", "rename", "delegate"]);
        assert_eq!(scene.client("bob").change(&changes[3]), Ok(()));
    }

    /// A denial that ends may open what the operator says nobody may: then it stays, and what was so before is not held
    /// against whoever writes.
    fn a_denial_stays_that_an_assertion_rests_on(scene) {
        hanna_delegates(scene);
        let hanna = scene.client("hanna");
        let denial = entry("no", "ou=team,ou=people", &["accessWho: everyone", "accessDeny: reset-password"]);
        assert_eq!((hanna.change(&denial), hanna.change(&bob_resets_the_team())), (Ok(()), Ok(())));
        let nobody_else = AssertionText {
            name: "only the helpdesk resets".into(),
            except: vec![format!("group:cn=helpdesk,ou=groups,{SUFFIX}"), format!("group:cn=administrators,ou=groups,{SUFFIX}"), "local-root".into()],
            must_not: vec!["reset-password".into()],
            ..AssertionText::default()
        };
        let prepared = Assertion::prepare_all(&[nobody_else], scene.directory.view().schema()).unwrap();
        scene.configure(|services| services.assertions = prepared);
        let weaken = "dn: cn=no,ou=team,ou=people\nchangetype: modify\nreplace: accessDeny\naccessDeny: unlock\n-\n";
        assert_eq!(hanna.change(weaken), Err(ConstraintViolation));
        assert_eq!(hanna.change("dn: cn=no,ou=team,ou=people\nchangetype: delete\n"), Err(ConstraintViolation));
        let tell = "dn: cn=no,ou=team,ou=people\nchangetype: modify\nreplace: description\ndescription: needed\n-\n";
        assert_eq!(hanna.change(tell), Ok(()));
        assert_eq!(hanna.change("dn: cn=bob,ou=team,ou=people\nchangetype: delete\n"), Ok(()));
        assert_eq!(hanna.change("dn: cn=no,ou=team,ou=people\nchangetype: delete\n"), Ok(()));
    }

    /// A denial for a group that there is not would deny nothing to anybody, and neither would one for a group whose members
    /// a search finds.
    fn a_denial_for_nobody_is_refused(scene) {
        hanna_delegates(scene);
        scene.root().change(
            "dn: cn=found,ou=groups\nobjectClass: groupOfURLs\ncn: found\nmemberURL: ldap:///dc=example,dc=com??sub?(uid=*)\n",
        ).unwrap();
        let denial = |group: &str| {
            let who = format!("accessWho: group:cn={group},ou=groups,{SUFFIX}");
            scene.client("hanna").change(&entry("no", "ou=team,ou=people", &[&who, "accessDeny: reset-password"]))
        };
        assert_eq!(denial("ghosts"), Err(ConstraintViolation));
        assert_eq!(denial("found"), Err(ConstraintViolation));
        assert_eq!(denial("staff"), Ok(()));
    }

    /// Nobody passes on what is denied to them by `self` or `attribute:`, on whatever entries that be.
    fn what_is_denied_to_them_somewhere_nobody_passes_on(scene) {
        let hanna = format!("dn:{}", full("hanna"));
        let people = format!("subtree:ou=people,{SUFFIX}");
        hanna_delegates(scene);
        let denial = keystead::access::RuleText {
            deny: vec!["reset-password".into()],
            ..rule("not one's managed", "attribute:manager", &people, &[], &[])
        };
        let delegate = rule("delegate", &hanna, &people, &["*", "+"], &["add", "delegate"]);
        scene.rule_by(&rules().into_iter().chain([delegate, denial]).collect::<Vec<_>>());
        assert_eq!(scene.client("hanna").change(&bob_resets_the_team()), Err(InsufficientAccessRights));
    }

    /// What the tree grants somebody and also denies them, they pass on to nobody.
    fn what_the_tree_denies_them_nobody_passes_on(scene) {
        hanna_delegates(scene);
        let hanna = scene.client("hanna");
        let bob = format!("dn:{}", full("bob"));
        let team = format!("subtree:ou=team,ou=people,{SUFFIX}");
        let dora = entry("dora", "ou=team,ou=people", &[&format!("accessWho: dn:{}", full("alice")), "accessAllow: reset-password"]);
        assert_eq!(hanna.change(&bob_resets_the_team()), Ok(()));
        let hannas = format!("dn:{}", full("hanna"));
        let people = format!("subtree:ou=people,{SUFFIX}");
        let everything = ["*", "+", "password-state"];
        scene.rule_by(&rules().into_iter().chain([
            rule("delegate", &hannas, &people, &everything, &["add", "delete", "write", "delegate", "rename"]),
            rule("bob delegates", &bob, &team, &[], &["delegate"]),
        ]).collect::<Vec<_>>());
        assert_eq!(scene.client("bob").change(&dora), Ok(()));
        assert_eq!(hanna.change("dn: cn=dora,ou=team,ou=people\nchangetype: delete\n"), Ok(()));
        let denial = entry("no", "ou=team,ou=people", &[&format!("accessWho: {bob}"), "accessDeny: reset-password"]);
        assert_eq!(hanna.change(&denial), Ok(()));
        assert!(!bob_may_reset(scene, TIM));
        assert_eq!(scene.client("bob").change(&dora), Err(InsufficientAccessRights));
    }
}
