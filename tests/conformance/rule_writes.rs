//! A rule in the tree is written if it is proven to break nothing that the operator asserts, and if there are not too many: the
//! work that this takes is bounded, and what is not proven is refused.

use std::fmt::Write as _;

use keystead::access::assertion::{Assertion, AssertionText};
use keystead::directory::ResultCode::{self, AdminLimitExceeded, ConstraintViolation};
use keystead::directory::tree::{CommitError, Directory, Tree};

use crate::delegated_rules::{TIM, bob_may_reset, bob_resets_the_team, entry, hanna_delegates};
use crate::scene::{SUFFIX, Scene, full, rule, rules};
use crate::sentences;

/// Only the helpdesk and the administrators reset, says the operator; a proof may take so many steps.
pub fn only_few_reset<D: Directory>(scene: &Scene<D>, steps: u64) {
    let group = |name: &str| format!("group:cn={name},ou=groups,{SUFFIX}");
    let text = AssertionText {
        name: "only the helpdesk resets".into(),
        except: vec![group("helpdesk"), group("administrators"), "local-root".into()],
        must_not: vec!["reset-password".into()],
        ..AssertionText::default()
    };
    let prepared = Assertion::prepare_all(&[text], scene.directory.view().schema()).unwrap();
    scene.configure(|services| {
        services.assertions = prepared;
        services.limits.assertion_steps = steps;
    });
}

/// The answer to a change by hanna, with its words.
fn answer<D: Directory>(scene: &Scene<D>, text: &str) -> (ResultCode, String) {
    let result = scene.client("hanna").change_with(text, &[]).result;
    (result.code, result.diagnostic_message)
}

fn unlock(name: &str) -> String {
    entry(name, "ou=team,ou=people", &[&format!("accessWho: dn:{}", full("bob")), "accessAllow: unlock"])
}

/// That nobody is reset by a rule of the tree, said once more.
pub fn denial(name: &str) -> String {
    entry(name, "ou=team,ou=people", &["accessWho: everyone", "accessDeny: reset-password"])
}

sentences! {
    /// Where the steps do not suffice the rule is refused, whether or not it would have broken an assertion; with what to do.
    fn what_is_not_proven_is_refused(scene) {
        hanna_delegates(scene);
        only_few_reset(scene, 50);
        let henry = format!("accessWho: dn:{}", full("henry"));
        let everyone = "accessWho: everyone".to_owned();
        for who in [henry, everyone] {
            let (code, told) = answer(scene, &entry("x", "ou=team,ou=people", &[&who, "accessAllow: reset-password"]));
            assert_eq!(code, AdminLimitExceeded, "{told}");
            assert!(told.contains("`accessTo`") && told.contains("`assertion_steps` in [limits]"), "{told}");
        }
        assert!(!bob_may_reset(scene, TIM));
        // What no assertion is about needs no proof.
        assert_eq!(scene.client("hanna").change(&unlock("bob")), Ok(()));
        only_few_reset(scene, 1_000_000);
        assert_eq!(answer(scene, &bob_resets_the_team().replace("cn=bob", "cn=other").replace("cn: bob", "cn: other")).0, ConstraintViolation);
        let helpdesk = bob_resets_the_team().replace("cn=bob", "cn=desk").replace("cn: bob", "cn: desk").replace("dn:uid=bob,ou=people", "group:cn=helpdesk,ou=groups");
        assert_eq!(scene.client("hanna").change(&helpdesk), Ok(()));
    }

    /// So it is for a denial that is to end, alone or with what stands above it.
    fn a_denial_of_which_is_not_proven_that_it_is_not_needed_stays(scene) {
        hanna_delegates(scene);
        scene.client("hanna").change(&denial("no")).unwrap();
        scene.client("hanna").change(&bob_resets_the_team()).unwrap();
        only_few_reset(scene, 50);
        let name = "cn=no,ou=team,ou=people";
        for change in [
            format!("dn: {name}\nchangetype: delete\n"),
            format!("dn: {name}\nchangetype: modify\nreplace: accessDeny\naccessDeny: unlock\n-\n"),
            format!("dn: {name}\nchangetype: modrdn\nnewrdn: cn=yes\ndeleteoldrdn: 1\n"),
        ] {
            let (code, told) = answer(scene, &change);
            assert_eq!(code, AdminLimitExceeded, "{change}: {told}");
            assert!(told.contains("[limits]"), "{told}");
        }
        assert!(!bob_may_reset(scene, TIM));
    }

    /// Nothing is looked at but what a rule reaches: a large directory is no hindrance for a rule about a few entries of it.
    fn a_proof_looks_at_what_the_rule_reaches(scene) {
        hanna_delegates(scene);
        let mut many = String::new();
        for number in 0..1_500 {
            write!(many, "dn: uid=n{number},ou=people\nobjectClass: account\nuid: n{number}\n\n").unwrap();
        }
        scene.root().change(&many).unwrap();
        only_few_reset(scene, 2_000);
        assert_eq!(answer(scene, &bob_resets_the_team()).0, ConstraintViolation, "it is found out, in few steps");
        let helpdesk = |point: &str| {
            entry("desk", point, &[&format!("accessWho: group:cn=helpdesk,ou=groups,{SUFFIX}"), "accessAllow: reset-password"])
        };
        assert_eq!(answer(scene, &helpdesk("ou=team,ou=people")).0, ResultCode::Success);
        let henry = entry("henry", "ou=people", &[&format!("accessWho: dn:{}", full("henry")), "accessAllow: reset-password", "accessAllow: write", "accessAttributes: title"]);
        assert_eq!(answer(scene, &henry).0, ResultCode::Success, "henry is excepted");
        let managers = AssertionText {
            name: "titles".into(),
            who: vec!["attribute:manager".into()],
            must_not: vec!["write".into()],
            attributes: vec!["title".into()],
            filter: Some("(uid=*)".into()),
            ..AssertionText::default()
        };
        let prepared = Assertion::prepare_all(&[managers], scene.directory.view().schema()).unwrap();
        scene.configure(|services| services.assertions = prepared);
        let titles = |point: &str| {
            entry("titles", point, &[&format!("accessWho: dn:{}", full("bob")), "accessAllow: write", "accessAttributes: title"])
        };
        assert_eq!(answer(scene, &titles("ou=people")).0, AdminLimitExceeded, "bob may be somebody's manager");
        assert_eq!(answer(scene, &titles("ou=team,ou=people")).0, ResultCode::Success);
    }

    /// What is proven rests on the other rules: when one of them changes at the same moment, it is proven again.
    fn a_proof_holds_for_the_rules_that_it_was_made_with(scene) {
        hanna_delegates(scene);
        let hanna = scene.client("hanna");
        for text in [denial("one"), denial("two"), bob_resets_the_team()] {
            hanna.change(&text).unwrap();
        }
        only_few_reset(scene, 1_000_000);
        let end = |name: &str| format!("dn: cn={name},ou=team,ou=people\nchangetype: delete\n");
        let planned = hanna.plan(&end("one")).unwrap();
        assert_eq!(hanna.change(&end("two")), Ok(()));
        assert!(matches!(scene.directory.commit(planned), Err(CommitError::Conflict)));
        assert_eq!(hanna.change(&end("one")), Err(ConstraintViolation));
        // A grant that a denial keeps down, and the end of that denial.
        assert_eq!(hanna.change(&end("bob")), Ok(()));
        let planned = hanna.plan(&end("one")).unwrap();
        assert_eq!(hanna.change(&bob_resets_the_team()), Ok(()));
        assert!(matches!(scene.directory.commit(planned), Err(CommitError::Conflict)));
    }

    /// A rule that others rest on brings them into force, and is held against the assertions with them.
    fn rules_that_come_into_force_with_it_are_judged_with_it(scene) {
        hanna_delegates(scene);
        let to = |name: &str, who: &str, more: &[&str]| {
            let who = format!("accessWho: dn:{}", full(who));
            let rights = ["accessAllow: reset-password", "accessAttributes: *", "accessAttributes: +"];
            entry(name, "ou=team,ou=people", &[&[who.as_str()][..], &rights, more].concat())
        };
        let delegates = ["accessAllow: add", "accessAllow: delegate", "accessAllow: write"];
        scene.root().change("dn: cn=helpdesk,ou=groups\nchangetype: modify\ndelete: member\nmember: uid=henry,ou=people,dc=example,dc=com\n-\n").unwrap();
        scene.client("hanna").change(&to("henry", "henry", &delegates)).unwrap();
        scene.client("henry").change(&to("bob", "bob", &[])).unwrap();
        scene.client("hanna").change("dn: cn=henry,ou=team,ou=people\nchangetype: delete\n").unwrap();
        assert!(!bob_may_reset(scene, TIM));
        only_few_reset(scene, 1_000_000);
        let joins = "dn: cn=helpdesk,ou=groups\nchangetype: modify\nadd: member\nmember: uid=henry,ou=people,dc=example,dc=com\n-\n";
        assert_eq!(scene.root().change(joins), Err(ConstraintViolation), "a group that brings them into force is as good as a rule");
        assert!(!bob_may_reset(scene, TIM));
        let (code, told) = answer(scene, &to("henry", "henry", &delegates));
        assert_eq!(code, ConstraintViolation);
        assert!(told.contains(&full("henry")), "{told}");
        let exempt = |text: &str| text.replace("accessWho: dn:", "accessWho: below:");
        assert_eq!(answer(scene, &exempt(&to("henry", "henry", &delegates))).0, ConstraintViolation);
    }

    /// A rule that is suspended while its author is locked is held against the assertions when that lock ends.
    fn rules_that_come_into_force_with_the_end_of_a_lock_are_judged(scene) {
        hanna_delegates(scene);
        scene.client("hanna").change(&bob_resets_the_team()).unwrap();
        let lock = |value: &str| format!("dn: hanna\nchangetype: modify\nreplace: pwdAccountLockedTime\n{value}-\n");
        scene.client("cn=admin").change(&lock("pwdAccountLockedTime: 000001010000Z\n")).unwrap();
        only_few_reset(scene, 1_000_000);
        assert_eq!(scene.client("cn=admin").change(&lock("")), Err(ConstraintViolation));
        assert!(!bob_may_reset(scene, TIM));
        scene.root().change("dn: cn=bob,ou=team,ou=people\nchangetype: delete\n").unwrap();
        assert_eq!(scene.client("cn=admin").change(&lock("")), Ok(()));
    }

    /// When the author of a rule is locked, those for whom it was hold less, and may be reset by more people: that is held against the
    /// assertions as well.
    fn rules_that_go_out_of_force_with_a_lock_are_judged(scene) {
        hanna_delegates(scene);
        scene.client("hanna").change(&bob_resets_the_team()).unwrap();
        let hanna = format!("dn:{}", full("hanna"));
        let people = format!("subtree:ou=people,{SUFFIX}");
        let everything = ["*", "+", "password-state"];
        let delegate = rule("delegate", &hanna, &people, &everything, &["add", "delete", "write", "delegate", "rename"]);
        let alice = rule("alice resets bob", &format!("dn:{}", full("alice")), &format!("entry:{}", full("bob")), &[], &["reset-password"]);
        scene.rule_by(&rules().into_iter().chain([delegate, alice]).collect::<Vec<_>>());
        let lock = |value: &str| format!("dn: hanna\nchangetype: modify\nreplace: pwdAccountLockedTime\n{value}-\n");
        let (locked, admin) = (lock("pwdAccountLockedTime: 000001010000Z\n"), scene.client("cn=admin"));
        only_few_reset(scene, 1_000_000);
        // Alice holds less than bob, as long as he resets the team.
        assert_eq!(admin.change(&locked), Err(ConstraintViolation));
        assert!(bob_may_reset(scene, TIM));
        scene.configure(|services| services.assertions = Vec::new());
        assert_eq!(admin.change(&locked), Ok(()));
        assert!(!bob_may_reset(scene, TIM));
        assert!(scene.client("alice").password_modify(Some(&full("bob")), None, None).is_ok(), "which was held against it");
    }

    /// One author writes so many rules and no more; to write one of them again is not one more, and others are not kept from it.
    fn an_author_writes_so_many_rules(scene) {
        hanna_delegates(scene);
        scene.configure(|services| services.limits.rules_per_author = 2);
        for name in ["one", "two"] {
            assert_eq!(answer(scene, &unlock(name)).0, ResultCode::Success);
        }
        let (code, told) = answer(scene, &unlock("three"));
        assert_eq!(code, AdminLimitExceeded);
        assert!(told.contains("`rules_per_author` in [limits]"), "{told}");
        let again = "dn: cn=one,ou=team,ou=people\nchangetype: modify\nreplace: description\ndescription: again\n-\n";
        assert_eq!(answer(scene, again).0, ResultCode::Success);
        assert_eq!(scene.client("cn=admin").change(&unlock("three")), Ok(()));
        let take_over = "dn: cn=three,ou=team,ou=people\nchangetype: modify\nreplace: description\ndescription: mine\n-\n";
        assert_eq!(answer(scene, take_over).0, AdminLimitExceeded);
        assert_eq!(answer(scene, "dn: cn=one,ou=team,ou=people\nchangetype: delete\n").0, ResultCode::Success);
        assert_eq!(answer(scene, take_over).0, ResultCode::Success);
    }

    /// Of all authors together there are so many at most; a limit that was lowered keeps nobody from what is there.
    fn there_are_so_many_rules_in_all(scene) {
        hanna_delegates(scene);
        scene.configure(|services| services.limits.rules = 2);
        assert_eq!(answer(scene, &unlock("one")).0, ResultCode::Success);
        assert_eq!(scene.client("cn=admin").change(&unlock("two")), Ok(()));
        let (code, told) = answer(scene, &unlock("three"));
        assert_eq!(code, AdminLimitExceeded);
        assert!(told.contains("`rules` in [limits]"), "{told}");
        // Two that are written at the same moment are not two more.
        scene.configure(|services| services.limits.rules = 3);
        let planned = scene.client("hanna").plan(&unlock("three")).unwrap();
        assert_eq!(scene.client("cn=admin").change(&unlock("four")), Ok(()));
        assert!(matches!(scene.directory.commit(planned), Err(CommitError::Conflict)));
        scene.configure(|services| services.limits.rules = 1);
        let again = "dn: cn=one,ou=team,ou=people\nchangetype: modify\nreplace: description\ndescription: again\n-\n";
        assert_eq!(answer(scene, again).0, ResultCode::Success);
        assert_eq!(answer(scene, "dn: cn=one,ou=team,ou=people\nchangetype: delete\n").0, ResultCode::Success);
    }

    /// Whatever is written of a rule, and also when it goes, it is judged where nobody waits for the thread; other entries are not
    /// kept waiting for that.
    fn a_rule_is_judged_where_nobody_waits(scene) {
        hanna_delegates(scene);
        let hanna = scene.client("hanna");
        let name = "cn=bob,ou=team,ou=people";
        let describe = |name: &str| format!("dn: {name}\nchangetype: modify\nreplace: description\ndescription: x\n-\n");
        let far = |text: &str| hanna.looks_far(text);
        assert!(far(&bob_resets_the_team()) && !far(&describe(name)), "there is none yet");
        hanna.change(&bob_resets_the_team()).unwrap();
        assert!(far(&describe(name)) && far(&format!("dn: {name}\nchangetype: delete\n")));
        assert!(!far(&describe("alice")) && !far("dn: alice\nchangetype: delete\n"));
        // By whatever name the class and the attributes go.
        let by_number = |line: &str| format!("dn: cn=x,ou=people\nobjectClass: subentry\ncn: x\n{line}\n");
        assert!(far(&by_number("objectClass: ACCESSRULE")));
        // Also one that is not in force.
        scene.root().change("dn: hanna\nchangetype: delete\n").unwrap();
        assert!(hanna.looks_far(&describe(name)));
    }
}
