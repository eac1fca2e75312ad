//! What is asserted of rules stays true when entries change, and not the rules.

use std::collections::BTreeSet;
use std::slice;

use keystead::access::assertion::{Assertion, AssertionText};
use keystead::access::rule::Source;
use keystead::access::violation::violations;
use keystead::access::{RuleBook, RuleText, Rules};
use keystead::directory::ResultCode::{ConstraintViolation, Success};
use keystead::directory::tree::memory::MemoryDirectory;
use keystead::directory::tree::{Directory, Tree};
use keystead::operations::Limits;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::access_proof::{GROUPS, PEOPLE, build, full_name, tree};
use crate::assertion_proof::{assertion, rule as random_rule};
use crate::scene::{SUFFIX, Scene, full, rule, rules};
use crate::sentences;
use crate::transactions::commit;

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

fn group(name: &str) -> String {
    format!("group:cn={name},ou=groups,{SUFFIX}")
}

/// A rule on a line of its own.
fn at(line: usize, rule: RuleText) -> RuleText {
    RuleText { source: Source::Line(line), ..rule }
}

/// That these must not read titles.
fn assert_that<D: Directory>(scene: &Scene<D>, who: &str, except: &[&str]) {
    assert_all(
        scene,
        &AssertionText {
            name: "titles".into(),
            source: Source::Line(1),
            who: words(&[who]),
            except: words(except),
            must_not: words(&["read", "reset-password"]),
            attributes: words(&["title"]),
            ..AssertionText::default()
        },
    );
}

fn assert_all<D: Directory>(scene: &Scene<D>, text: &AssertionText) {
    let prepared = Assertion::prepare_all(slice::from_ref(text), scene.directory.view().schema()).unwrap();
    scene.configure(|services| services.assertions = prepared);
}

/// Rules by which the superuser may do everything, and these.
fn rule_by<D: Directory>(scene: &Scene<D>, more: Vec<RuleText>) {
    let own = rules().into_iter().filter(|rule| rule.who.contains(&"local-root".to_owned()));
    scene.rule_by(&own.chain(more).collect::<Vec<_>>());
}

fn put(member: &str, group: &str) -> String {
    format!("dn: cn={group},ou=groups\nchangetype: modify\nadd: member\nmember: {}\n-\n", full(member))
}

/// Which rules grant nothing, so that what is asserted holds.
fn withheld<D: Directory>(scene: &Scene<D>) -> Vec<String> {
    let found = std::cell::RefCell::new(Vec::new());
    scene.configure(|services| {
        let view = scene.directory.view();
        let withheld = services.rules.to_withhold(&services.assertions, scene.now(), &view).unwrap();
        found.borrow_mut().extend(withheld.iter().map(|one| one.example.rule.clone()));
        services.rules = services.rules.withholding(withheld);
    });
    found.into_inner()
}

/// Staff read titles, and contractors must not: nobody was in both.
fn staff_and_contractors<D: Directory>(scene: &Scene<D>) {
    let contractors = "dn: cn=contractors,ou=groups\nobjectClass: groupOfNames\ncn: contractors\n";
    assert_eq!(scene.root().change(&format!("{contractors}member: {}\n", full("henry"))), Ok(()));
    let tree = format!("subtree:{SUFFIX}");
    rule_by(scene, vec![at(11, rule("staff read titles", &group("staff"), &tree, &["title"], &["read"]))]);
    assert_that(scene, &group("contractors"), &[]);
}

sentences! {
    /// Somebody who is put into a group may come to hold by that what must not be; and so may those in a group that is put into it.
    fn nobody_is_put_into_a_group_by_which_an_assertion_would_break(scene) {
        staff_and_contractors(scene);
        assert_eq!(scene.root().change(&put("hanna", "staff")), Ok(()));
        let response = scene.root().change_with(&put("henry", "staff"), &[]);
        assert_eq!(response.result.code, ConstraintViolation);
        let told = &response.result.diagnostic_message;
        for part in ["\"titles\" (line 1) does not hold", "uid=henry", "may read title of", "\"staff read titles\" (line 11)"] {
            assert!(told.contains(part), "{told}");
        }
        assert_eq!(scene.root().change(&put("alice", "contractors")), Err(ConstraintViolation));
        assert_eq!(scene.root().change(&put("cn=contractors,ou=groups", "staff")), Err(ConstraintViolation));
        let nested = "dn: cn=nested,ou=groups\nobjectClass: groupOfNames\ncn: nested\n";
        assert_eq!(scene.root().change(&format!("{nested}member: {}\n", full("henry"))), Ok(()));
        assert_eq!(scene.root().change(&put("cn=nested,ou=groups", "staff")), Err(ConstraintViolation));
        assert_eq!(scene.root().change(&put("hanna", "nested")), Ok(()));
        assert_eq!(scene.root().change(&put("cn=helpdesk,ou=groups", "contractors")), Err(ConstraintViolation));
    }

    /// Who leaves a group that is excepted is excepted no longer; and who is renamed, or comes with a name, is whom a rule names.
    fn nobody_leaves_what_excepts_them_from_an_assertion(scene) {
        let (tree, hanna) = (format!("subtree:{SUFFIX}"), format!("dn:{}", full("hanna")));
        rule_by(scene, vec![at(11, rule("hanna reads titles", &hanna, &tree, &["title"], &["read"]))]);
        assert_that(scene, "authenticated", &["local-root", &group("helpdesk")]);
        let leave = format!("dn: cn=helpdesk,ou=groups\nchangetype: modify\ndelete: member\nmember: {}\n-\n", full("hanna"));
        assert_eq!(scene.root().change(&leave), Err(ConstraintViolation));
        assert_eq!(scene.root().change("dn: cn=helpdesk,ou=groups\nchangetype: delete\n"), Err(ConstraintViolation));
        assert_eq!(scene.root().change("dn: cn=helpdesk,ou=groups\nchangetype: modrdn\nnewrdn: cn=desk\ndeleteoldrdn: 1\n"), Err(ConstraintViolation));
        assert_eq!(scene.root().change("dn: uid=hanna,ou=people\nchangetype: delete\n"), Ok(()));
        assert_eq!(scene.root().change("dn: uid=bob,ou=people\nchangetype: modrdn\nnewrdn: uid=hanna\ndeleteoldrdn: 1\n"), Err(ConstraintViolation));
        assert_eq!(scene.root().change("dn: uid=hanna,ou=people\nobjectClass: inetOrgPerson\nuid: hanna\ncn: h\nsn: h\n"), Err(ConstraintViolation));
    }

    /// A manager is whom an entry says, and an entry is what a filter finds.
    fn no_entry_comes_to_hold_what_breaks_an_assertion(scene) {
        let people = format!("subtree:ou=people,{SUFFIX}");
        let filtered = RuleText { filter: Some("(employeeType=public)".into()), ..rule("public", &group("staff"), &people, &["title"], &["read"]) };
        rule_by(scene, vec![
            at(11, rule("managers read titles", "attribute:manager", &people, &["title"], &["read"])),
            at(12, filtered),
        ]);
        assert_all(scene, &AssertionText {
            name: "secret titles".into(),
            except: words(&["local-root"]),
            must_not: words(&["read"]),
            attributes: words(&["title"]),
            filter: Some("(title=secret*)".into()),
            ..AssertionText::default()
        });
        let modify = |name: &str, attribute: &str, value: &str| {
            scene.root().change(&format!("dn: uid={name},ou=people\nchangetype: modify\nadd: {attribute}\n{attribute}: {value}\n-\n"))
        };
        assert_eq!(modify("alice", "manager", &full("bob")), Ok(()));
        assert_eq!(modify("alice", "title", "secretary"), Err(ConstraintViolation));
        assert_eq!(modify("alice", "title", "clerk"), Ok(()));
        assert_eq!(modify("hanna", "title", "secretary"), Ok(()));
        assert_eq!(modify("hanna", "manager", &full("bob")), Err(ConstraintViolation));
        assert_eq!(modify("hanna", "employeeType", "public"), Err(ConstraintViolation));
        assert_eq!(modify("hanna", "employeeType", "private"), Ok(()));
        let new = "dn: uid=new,ou=people\nobjectClass: inetOrgPerson\nuid: new\ncn: n\nsn: n\ntitle: secretary\n";
        assert_eq!(scene.root().change(&format!("{new}manager: {}\n", full("bob"))), Err(ConstraintViolation));
        assert_eq!(scene.root().change(&format!("{new}employeeType: public\n")), Err(ConstraintViolation));
        assert_eq!(scene.root().change(new), Ok(()));
    }

    /// What breaks an assertion when a server starts grants nothing until it is mended: the rest goes on.
    fn a_rule_that_breaks_an_assertion_by_what_entries_hold_is_out_of_force(scene) {
        staff_and_contractors(scene);
        let tree = format!("subtree:{SUFFIX}");
        rule_by(scene, vec![
            at(11, rule("staff read titles", &group("staff"), &tree, &["title"], &["read"])),
            at(12, rule("whoever has authenticated finds", "authenticated", &tree, &["objectClass"], &["search"])),
        ]);
        scene.configure(|services| services.assertions = Vec::new());
        scene.root().change(&put("henry", "staff")).unwrap();
        let reads = |name: &str| !scene.client(name).values("alice", "title").is_empty();
        scene.root().change("dn: uid=alice,ou=people\nchangetype: modify\nadd: title\ntitle: x\n-\n").unwrap();
        assert!(reads("bob") && reads("henry"));
        assert_that(scene, &group("contractors"), &[]);
        assert_eq!(withheld(scene), ["staff read titles"]);
        assert!(!reads("bob") && !reads("henry"));
        // Others may come and go meanwhile, and so may those who break it.
        assert_eq!(scene.root().change(&put("hanna", "contractors")), Ok(()));
        let leave = format!("dn: cn=staff,ou=groups\nchangetype: modify\ndelete: member\nmember: {}\n-\n", full("henry"));
        assert_eq!(scene.root().change(&leave), Ok(()));
        assert_eq!(withheld(scene), [""; 0]);
        assert!(reads("bob") && !reads("henry"));
    }

    /// What takes too long to know is done, and found right after it: the rule is out of force then.
    fn what_takes_too_long_to_know_is_found_afterwards(scene) {
        staff_and_contractors(scene);
        scene.configure(|services| services.limits.assertion_steps = 1);
        assert_eq!(scene.root().change(&put("henry", "staff")), Ok(()));
        assert_eq!(withheld(scene), ["staff read titles"]);
    }

    /// Whoever does not see by whom an assertion would break is told that, and not by whom.
    fn a_counterexample_is_told_to_those_who_see_it(scene) {
        staff_and_contractors(scene);
        let own = ["search", "read", "write"];
        let groups = format!("below:ou=groups,{SUFFIX}");
        let staff = format!("subtree:{SUFFIX}");
        rule_by(scene, vec![
            at(11, rule("staff read titles", &group("staff"), &staff, &["title"], &["read"])),
            at(12, rule("groups", &format!("dn:{}", full("hanna")), &groups, &["*"], &own)),
            at(13, rule("denied", "authenticated", &format!("entry:{}", full("henry")), &[], &["authenticate"])),
        ]);
        assert_that(scene, &group("contractors"), &[]);
        let response = scene.client("hanna").change_with(&put("henry", "staff"), &[]);
        assert_eq!(response.result.code, ConstraintViolation);
        assert!(!response.result.diagnostic_message.contains("henry"), "{}", response.result.diagnostic_message);
        assert!(response.result.diagnostic_message.contains("\"titles\" (line 1)"), "{}", response.result.diagnostic_message);
    }

    /// In a transaction each request is judged on what those before it leave.
    fn requests_of_a_transaction_are_judged_one_after_another(scene) {
        staff_and_contractors(scene);
        let root = scene.root();
        let add = |name: &str| format!("dn: uid={name},ou=people\nobjectClass: inetOrgPerson\nuid: {name}\ncn: {name}\nsn: x\n\n");
        let people = ["x1", "x2", "x3"].map(add).concat();
        let both = format!("{}\n{}", put("x1", "staff"), put("x3", "contractors"));
        assert_eq!(commit(&root, &format!("{people}{both}")).1.result.code, Success);
        let third = format!("{}{}", add("x4"), put("x4", "staff") + "\n" + &put("x4", "contractors"));
        assert_eq!(commit(&root, &third).1.result.code, ConstraintViolation);
        assert_eq!(root.find("(uid=x4)"), [""; 0]);
    }
}

/// A change of the world of the proof.
fn change() -> impl Strategy<Value = String> {
    let all = || select([&PEOPLE[..], &GROUPS].concat());
    let modify = |name: &str, kind: &str, attribute: &str, value: &str| {
        let name = full_name(name);
        format!("dn: {name}\nchangetype: modify\n{kind}: {attribute}\n{attribute}: {value}\n-\n")
    };
    let kinds = || select(vec!["add", "add", "delete"]);
    prop_oneof![
        4 => (select(GROUPS.to_vec()), kinds(), select(vec!["member", "uniqueMember"]), all())
            .prop_map(move |(group, kind, attribute, name)| modify(group, kind, attribute, &full_name(name))),
        1 => (select(GROUPS.to_vec()), kinds(), all())
            .prop_map(move |(role, kind, name)| modify(role, kind, "roleOccupant", &full_name(name))),
        2 => (all(), kinds(), all()).prop_map(move |(held, kind, name)| modify(held, kind, "owner", &full_name(name))),
        2 => (select(PEOPLE.to_vec()), kinds(), select(vec!["x", "y"]))
            .prop_map(move |(name, kind, word)| modify(name, kind, "title", word)),
        1 => all().prop_map(|name| format!("dn: {}\nchangetype: delete\n", full_name(name))),
        2 => (all(), select(vec!["uid=ben", "cn=two", "cn=new"]), select(vec!["ou=crew", "ou=teams"])).prop_map(
            |(name, rdn, place)| {
                let (name, place) = (full_name(name), full_name(place));
                format!("dn: {name}\nchangetype: modrdn\nnewrdn: {rdn}\ndeleteoldrdn: 0\nnewsuperior: {place}\n")
            }
        ),
        1 => (select(vec!["ou=crew", "ou=teams"]), select(vec!["", "title: x\n"]), all()).prop_map(|(place, title, owner)| {
            let class = "inetOrgPerson\nobjectClass: extensibleObject\ncn: x\nsn: y\n";
            format!("dn: {}\nobjectClass: {class}{title}owner: {}\n", full_name(&format!("uid=new,{place}")), full_name(owner))
        }),
    ]
}

/// The rules that break the assertion.
fn broken(scene: &Scene<MemoryDirectory>, rules: &[RuleText], assertion: &AssertionText) -> BTreeSet<String> {
    let view = scene.directory.view();
    let rules = Rules::prepare(rules, view.schema()).unwrap();
    let assertions = Assertion::prepare_all(slice::from_ref(assertion), view.schema()).unwrap();
    violations(&rules, &assertions, scene.now(), &view).unwrap().into_iter().map(|one| one.rule).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// A change is refused if all that is asserted is tried and something is broken then that was not before; and not otherwise.
    #[test]
    fn a_change_is_judged_as_if_everything_were_tried(
        entries in tree(), random in vec(random_rule(), 1..5), assertion in assertion(), change in change()
    ) {
        let scene = Scene::in_memory();
        build(&scene, &entries);
        let named = random.into_iter().enumerate().map(|(number, text)| RuleText { name: format!("r{number}"), ..text });
        let root = rules().into_iter().filter(|rule| rule.who.contains(&"local-root".to_owned()));
        let rules: Vec<RuleText> = root.chain(named).collect();
        scene.rule_by(&rules);
        let before = broken(&scene, &rules, &assertion);
        assert_all(&scene, &assertion);
        let refused = match scene.root().plan(&change) {
            Ok(_) => false,
            Err(ConstraintViolation) => true,
            Err(_) => return Ok(()),
        };
        scene.configure(|services| services.assertions = Vec::new());
        // It may be refused for another reason, which is none of ours.
        prop_assume!(scene.root().change(&change) == Ok(()));
        let after = broken(&scene, &rules, &assertion);
        let new: Vec<_> = after.difference(&before).collect();
        // Groups in values are looked at afterwards.
        let by_values = rules.iter().flat_map(|rule| &rule.who).chain(&assertion.who).chain(&assertion.except);
        let is_of_groups = change.contains("ember") || change.contains("changetype: delete") || change.contains("modrdn");
        let is_left = is_of_groups && by_values.into_iter().any(|who| who == "attribute:owner");
        if new.is_empty() {
            prop_assert!(!refused || !after.is_empty(), "refused for nothing: {}", change);
        } else {
            prop_assert!(refused || is_left, "not refused, though {:?} are broken then: {}", new, change);
        }
    }
}

/// Rules that are withheld keep what they deny.
#[test]
fn what_a_rule_denies_is_never_out_of_force() {
    let scene = Scene::in_memory();
    staff_and_contractors(&scene);
    let both = RuleText {
        deny: words(&["compare"]),
        ..at(11, rule("both", &group("staff"), &format!("subtree:{SUFFIX}"), &["title"], &["read"]))
    };
    let view = scene.directory.view();
    let book = RuleBook::new(Rules::prepare(&[both], view.schema()).unwrap(), Limits::default().rules);
    scene.configure(|services| services.assertions = Vec::new());
    scene.root().change(&put("henry", "staff")).unwrap();
    assert_that(&scene, &group("contractors"), &[]);
    scene.configure(|services| {
        let withheld = book.to_withhold(&services.assertions, scene.now(), &scene.directory.view()).unwrap();
        assert_eq!(withheld.len(), 1);
        let rules = book.withholding(withheld).in_force(&view).unwrap();
        assert!(rules.rules.iter().len() == 1 && rules.rules.iter().all(keystead::access::Rule::is_denial));
    });
}
