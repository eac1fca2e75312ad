//! What rules must never grant: an assertion that does not hold is told with somebody for whom it does not.
#![expect(clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

use keystead::access::assertion::{Assertion, AssertionText};
use keystead::access::names::nobody_asserted;
use keystead::access::rule::Source;
use keystead::access::violation::violations;
use keystead::access::when::WhenText;
use keystead::access::{RuleText, Rules};
use keystead::directory::tree::Directory;
use keystead::directory::tree::memory::MemoryDirectory;
use keystead::directory::{Dn, Schema, Timestamp};

use crate::scene::{SEE, SUFFIX, Scene, full, rule, rules};
use crate::sentences;

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

fn group(name: &str) -> String {
    format!("group:cn={name},ou=groups,{SUFFIX}")
}

fn now() -> Timestamp {
    Timestamp::parse(b"20260601120000Z").unwrap()
}

/// Who, but for whom, must not do what.
fn assertion(who: &[&str], except: &[&str], must_not: &[&str]) -> AssertionText {
    AssertionText {
        name: "assertion".into(),
        source: Source::Line(7),
        ..AssertionText {
            who: words(who),
            except: words(except),
            must_not: words(must_not),
            ..AssertionText::default()
        }
    }
}

/// Each counterexample, in words.
fn found<D: Directory>(scene: &Scene<D>, rules: &[RuleText], assertion: &AssertionText) -> Vec<String> {
    let view = scene.directory.view();
    let schema = keystead::directory::tree::Tree::schema(&view);
    let rules = Rules::prepare(rules, schema).unwrap();
    let assertions = Assertion::prepare_all(std::slice::from_ref(assertion), schema).unwrap();
    violations(&rules, &assertions, now(), &view).unwrap().iter().map(ToString::to_string).collect()
}

/// The same of rules alone, before there is any entry.
fn found_in_words(rules: &[RuleText], assertion: &AssertionText) -> Vec<String> {
    let schema = Schema::standard();
    let directory = MemoryDirectory::new(Schema::standard(), vec![Dn::parse(&schema, SUFFIX).unwrap()]);
    let rules = Rules::prepare(rules, &schema).unwrap();
    let assertions = Assertion::prepare_all(std::slice::from_ref(assertion), &schema).unwrap();
    violations(&rules, &assertions, now(), &directory.view()).unwrap().iter().map(ToString::to_string).collect()
}

fn and(more: RuleText) -> Vec<RuleText> {
    rules().into_iter().chain([more]).collect()
}

/// That nobody but administrators and the helpdesk sees when somebody authenticated last.
fn state_is_for_few() -> AssertionText {
    AssertionText {
        attributes: words(&["authTimestamp"]),
        ..assertion(&[], &["self", "local-root", &group("administrators"), &group("helpdesk")], &["read", "search"])
    }
}

#[test]
fn an_assertion_that_makes_no_sense_is_refused_with_the_reason() {
    let fault = |text: AssertionText| Assertion::prepare_all(&[text], &Schema::standard()).unwrap_err().to_string();
    assert!(fault(assertion(&["users"], &[], &["read"])).contains("\"users\" is not known in `who`"));
    assert!(fault(assertion(&[], &["users"], &["read"])).contains("\"users\" is not known in `except`"));
    assert!(fault(assertion(&[], &[], &["reed"])).contains("\"reed\" is not known in `must_not`"));
    assert!(fault(assertion(&[], &[], &[])).contains("nothing"));
    let text = AssertionText { to: words(&["members:nonsense"]), ..assertion(&[], &[], &["read"]) };
    assert!(fault(text).contains("\"nonsense\" in `to`"));
    let text = AssertionText { attributes: words(&["nosuch"]), ..assertion(&[], &[], &["read"]) };
    assert!(fault(text).contains("nosuch"));
}

/// A misspelt group has no members of whom anything could be asserted, and that is told.
#[test]
fn groups_that_do_not_exist_are_told() {
    let scene = Scene::in_memory();
    let view = scene.directory.view();
    let text = AssertionText {
        to: words(&[&format!("members:cn=directorz,ou=groups,{SUFFIX}")]),
        ..assertion(&[&group("contractrs")], &[&group("helpdesk")], &["write"])
    };
    let assertions = Assertion::prepare_all(&[text], keystead::directory::tree::Tree::schema(&view)).unwrap();
    let told: Vec<String> = nobody_asserted(&assertions, &view).unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("cn=contractrs") && told[0].contains("says nothing of its members"), "{told:?}");
}

/// Whoever adds an entry chooses what it holds: what a rule asks for by a filter, and nothing of what a denial asks for.
#[test]
fn filters_do_not_hide_what_may_be_added() {
    let empty = format!("subtree:ou=empty,{SUFFIX}");
    let nobody_adds = AssertionText { to: words(&[&empty]), ..assertion(&[], &["local-root"], &["add"]) };
    let adds = rule("adds", "authenticated", &empty, &[], &["add"]);
    let denial = RuleText {
        filter: Some("(cn=foo)".into()),
        deny: words(&["add"]),
        ..rule("unrelated", "authenticated", &format!("subtree:{SUFFIX}"), &[], &[])
    };
    let devices = RuleText { filter: Some("(&(objectClass=device)(l=*))".into()), ..adds.clone() };
    for rules in [vec![adds.clone()], vec![adds.clone(), denial.clone()], vec![devices.clone()], vec![devices, denial]]
    {
        let found = found_in_words(&rules, &nobody_adds);
        assert!(found.iter().any(|found| found.contains("is added")), "{rules:?}: {found:?}");
    }
    let everything = RuleText {
        filter: Some("(objectClass=*)".into()),
        deny: words(&["add"]),
        ..rule("denies", "authenticated", &empty, &[], &[])
    };
    assert_eq!(found_in_words(&[adds, everything], &nobody_adds), [""; 0]);
}

/// Rules must name the schema, the change log and the monitor to reach them. What must never be must not be there either.
#[test]
fn everything_is_the_schema_and_the_change_log_as_well() {
    let nobody_writes = assertion(&["anonymous"], &[], &["write", "read"]);
    for place in ["cn=Subschema", "cn=changelog", "cn=Monitor"] {
        let open = rule("open", "anonymous", &format!("subtree:{place}"), &["*", "+"], &["write", "read"]);
        let found = found_in_words(&[open], &nobody_writes);
        assert!(found.iter().any(|found| found.to_lowercase().contains(&place.to_lowercase())), "{place}: {found:?}");
    }
}

#[test]
fn what_follows_from_the_words_of_a_rule_is_found_without_entries() {
    let people = format!("subtree:ou=people,{SUFFIX}");
    let nobody_writes = assertion(&["anonymous"], &[], &["write", "add", "delete", "rename"]);
    assert_eq!(found_in_words(&rules(), &nobody_writes), [""; 0]);
    let open =
        RuleText { source: Source::Line(40), ..rule("guestbook", "everyone", &people, &["description"], &["write"]) };
    assert_eq!(
        found_in_words(&and(open), &nobody_writes),
        [format!(
            "the assertion \"assertion\" (line 7) does not hold: whoever has not authenticated may write description of \
                  the entry ou=people,{SUFFIX}, if it is added, by the rule \"guestbook\" (line 40)"
        )]
    );
    let add = rule("signing up", "anonymous", &format!("children:ou=people,{SUFFIX}"), &[], &["add"]);
    assert!(found_in_words(&and(add), &nobody_writes)[0].contains("an entry that is added below ou=people"));
    // Of groups nothing is known without entries.
    assert_eq!(found_in_words(&rules(), &state_is_for_few()), [""; 0]);
    let elsewhere = AssertionText { to: words(&["subtree:ou=machines,dc=example,dc=com"]), ..nobody_writes };
    let open = rule("guestbook", "everyone", &people, &["description"], &["write"]);
    assert_eq!(found_in_words(&and(open), &elsewhere), [""; 0]);
}

sentences! {
    /// Invariant 1: no one outside a group can ever read an attribute.
    fn an_attribute_is_for_a_group_alone(scene) {
        assert_eq!(found(scene, &rules(), &state_is_for_few()), [""; 0]);
        let bob = rule("bob looks", &format!("dn:{}", full("bob")), &format!("subtree:{SUFFIX}"), &["password-state"], &["read"]);
        let told = found(scene, &and(bob), &state_is_for_few());
        let bob = full("bob");
        assert_eq!(told.len(), 1);
        assert!(told[0].contains(&format!("{bob} may read authTimestamp of {SUFFIX}, by the rule \"bob looks\"")), "{told:?}");
        let staff = rule("staff look", &group("staff"), &format!("subtree:{SUFFIX}"), &["+", "password-state"], &["read"]);
        let told = found(scene, &and(staff), &state_is_for_few());
        assert!(told[0].contains(&format!("{} may read", full("alice"))), "{told:?}");
    }

    /// A group in a group that is excepted is excepted; and whoever may be put into another is not.
    fn groups_in_groups_are_excepted_as_well(scene) {
        let night = format!("dn: cn=night,ou=groups\nobjectClass: groupOfNames\nmember: {}\n", full("hanna"));
        assert_eq!(scene.root().change(&night), Ok(()));
        let looks = || rule("night looks", &group("night"), &format!("subtree:{SUFFIX}"), &["password-state"], &["read"]);
        let told = found(scene, &and(looks()), &state_is_for_few());
        assert!(told[0].contains(&format!("whoever is put into cn=night,ou=groups,{SUFFIX} may read")), "{told:?}");
        let nested = format!("dn: cn=helpdesk,ou=groups\nchangetype: modify\nadd: member\nmember: cn=night,ou=groups,{SUFFIX}\n-\n");
        assert_eq!(scene.root().change(&nested), Ok(()));
        assert_eq!(found(scene, &and(looks()), &state_is_for_few()), [""; 0]);
        let gone = rule("ghosts look", &group("ghosts"), &format!("subtree:{SUFFIX}"), &["password-state"], &["read"]);
        assert_eq!(found(scene, &and(gone), &state_is_for_few()), [""; 0], "a group that does not exist has no members");
    }

    /// Invariant 2: anonymous writes nothing.
    fn anonymous_writes_nothing(scene) {
        let nothing = assertion(&["anonymous"], &[], &["write", "add", "delete", "rename", "reset-password", "unlock"]);
        assert_eq!(found(scene, &rules(), &nothing), [""; 0]);
        let open = rule("guestbook", "everyone", &format!("entry:{}", full("alice")), &["description"], &["write"]);
        assert!(found(scene, &and(open), &nothing)[0].contains(&format!("may write description of {}", full("alice"))));
        let themselves = rule("selfies", "authenticated", "everything", &["jpegPhoto"], &["write"]);
        assert_eq!(found(scene, &and(themselves), &nothing), [""; 0]);
    }

    /// Invariant 3: nobody but administrators resets a member of administrators; the guard counts.
    fn administrators_are_reset_by_administrators(scene) {
        let members = format!("members:cn=administrators,ou=groups,{SUFFIX}");
        let only = AssertionText {
            to: vec![members],
            ..assertion(&[], &["local-root", &group("administrators")], &["reset-password"])
        };
        let everywhere = |who: &str, rights: &[&str]| rule("wide", who, "everything", &["*", "+", "password-state"], rights);
        assert_eq!(found(scene, &and(everywhere(&group("helpdesk"), &["reset-password"])), &only), [""; 0], "they hold more");
        let told = found(scene, &and(everywhere(&group("staff"), &["all"])), &only);
        assert!(told[0].contains(&format!("{} may reset-password cn=admin,{SUFFIX}", full("alice"))), "{told:?}");
    }

    /// A deny makes an assertion hold, unless it holds at times only; a grant counts at whatever time.
    fn conditions_count_against_the_assertion(scene) {
        let evening = || Some(WhenText { hours: Some("18:00-20:00".into()), ..WhenText::default() });
        let looks = || rule("staff look", &group("staff"), &format!("subtree:{SUFFIX}"), &["password-state"], &["read"]);
        let sometimes = RuleText { when: evening(), ..looks() };
        assert_eq!(found(scene, &and(sometimes), &state_is_for_few()).len(), 1);
        let over = RuleText { when: Some(WhenText { until: Some("2026-05-01".into()), ..WhenText::default() }), ..looks() };
        assert_eq!(found(scene, &and(over), &state_is_for_few()), [""; 0]);
        let deny = |when| RuleText { allow: vec![], deny: words(&["read"]), when, ..looks() };
        let denied = |when| rules().into_iter().chain([looks(), deny(when)]).collect::<Vec<_>>();
        assert_eq!(found(scene, &denied(None), &state_is_for_few()), [""; 0]);
        assert_eq!(found(scene, &denied(evening()), &state_is_for_few()).len(), 1);
    }

    /// Rules for oneself and for those whom entries name are tried on the entries.
    fn whom_the_target_names_is_found(scene) {
        let nobody = AssertionText { attributes: words(&["title"]), ..assertion(&[], &["local-root", &group("administrators")], &["write"]) };
        let own = rule("own title", "self", "everything", &["title"], &["write"]);
        assert!(found(scene, &and(own.clone()), &nobody)[0].contains("itself may write title"));
        let except_self = AssertionText { except: words(&["local-root", "self", &group("administrators")]), ..nobody.clone() };
        assert_eq!(found(scene, &and(own), &except_self), [""; 0]);
        let manager = || rule("managers", "attribute:manager", "everything", &["title"], &["write"]);
        assert_eq!(found(scene, &and(manager()), &nobody), [""; 0], "nobody has one");
        let change = format!("dn: alice\nchangetype: modify\nadd: manager\nmanager: {}\n-\n", full("bob"));
        assert_eq!(scene.root().change(&change), Ok(()));
        assert!(found(scene, &and(manager()), &nobody)[0].contains(&format!("{} may write title of {}", full("bob"), full("alice"))));
        let except_manager = AssertionText { except: words(&["local-root", "attribute:manager", &group("administrators")]), ..nobody };
        assert_eq!(found(scene, &and(manager()), &except_manager), [""; 0]);
    }

    /// A right to single values is a right, and a filter is looked at.
    fn values_and_filters_are_looked_at(scene) {
        let nobody = AssertionText {
            attributes: words(&["member"]),
            filter: Some("(cn=staff)".into()),
            ..assertion(&[], &["local-root", &group("administrators")], &["write"])
        };
        let join = |filter: &str| RuleText {
            values: words(&["self"]),
            filter: Some(filter.into()),
            ..rule("join", "authenticated", "everything", &["member"], &["write"])
        };
        assert_eq!(found(scene, &and(join("(cn=staff)")), &nobody).len(), 1);
        assert_eq!(found(scene, &and(join("(cn=helpdesk)")), &nobody), [""; 0]);
        assert_eq!(found(scene, &and(rule("see", "authenticated", "everything", &["member"], SEE)), &nobody), [""; 0]);
    }
}
