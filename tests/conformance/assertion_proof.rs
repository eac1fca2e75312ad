//! Whether rules keep to an assertion is found out as if everybody were tried: who may what they must not is found, and who is
//! told may do it. What is obvious is taken from the proof of the decision.

use std::collections::BTreeSet;
use std::slice;

use keystead::access::assertion::{Assertion, AssertionText};
use keystead::access::violation::{Counterexample, violations};
use keystead::access::{RuleText, Rules, escalation};
use keystead::directory::Timestamp;
use keystead::directory::tree::memory::MemoryDirectory;
use keystead::directory::tree::{Directory, Tree};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::access_proof::{
    Asker, Entries, GROUPS, PEOPLE, build, dn, fast_actor, full_name, node_called, obvious, tree,
};
use crate::scene::{SUFFIX, Scene};

/// The attributes that rules and assertions are about, and one of those that they mean by `*`.
const ATTRIBUTES: [&str; 3] = ["title", "description", "sn"];
/// Below what people may stand. Somebody of whom nothing is known stands below none of these.
const PLACES: [&str; 3] = ["ou=crew", "ou=teams", "uid=ada,ou=crew"];
const RIGHTS: [&str; 6] = ["read", "write", "delete", "reset-password", "reset-password", "unlock"];

fn who() -> impl Strategy<Value = String> {
    let kinds =
        vec!["anonymous", "authenticated", "authenticated", "everyone", "self", "local-root", "attribute:owner"];
    prop_oneof![
        3 => select(kinds).prop_map(str::to_owned),
        2 => select(PEOPLE.to_vec()).prop_map(|name| format!("dn:{}", full_name(name))),
        2 => select(GROUPS.to_vec()).prop_map(|name| format!("group:{}", full_name(name))),
        1 => select(GROUPS.to_vec()).prop_map(|name| format!("role:{}", full_name(name))),
        2 => select(PLACES.to_vec()).prop_map(|name| format!("below:{}", full_name(name))),
    ]
}

fn to() -> impl Strategy<Value = String> {
    let kinds = select(vec!["entry", "children", "subtree", "below"]);
    let names = [&PEOPLE[..], &GROUPS[..1], &["ou=crew", "ou=teams", ""]].concat();
    prop_oneof![
        1 => Just("everything".to_owned()),
        3 => (kinds, select(names)).prop_map(|(kind, name)| format!("{kind}:{}", full_name(name))),
    ]
}

fn filter() -> impl Strategy<Value = Option<String>> {
    of(select(vec!["(title=x)", "(!(owner=*))"]).prop_map(str::to_owned))
}

fn rights() -> impl Strategy<Value = Vec<String>> {
    subsequence(RIGHTS.to_vec(), 1..4).prop_map(|words| words.into_iter().map(str::to_owned).collect())
}

pub fn rule() -> impl Strategy<Value = RuleText> {
    let attributes = select(vec![vec![], vec!["title"], vec!["!title"], vec!["description"]]);
    (vec(who(), 1..3), to(), filter(), attributes, rights(), prop::bool::weighted(0.75)).prop_map(
        |(who, to, filter, attributes, rights, allows)| {
            let (allow, deny) = if allows { (rights, Vec::new()) } else { (Vec::new(), rights) };
            let attributes = attributes.into_iter().map(str::to_owned).collect();
            RuleText { who, to: vec![to], filter, attributes, allow, deny, ..RuleText::default() }
        },
    )
}

pub fn assertion() -> impl Strategy<Value = AssertionText> {
    let members = select(GROUPS.to_vec()).prop_map(|name| format!("members:{}", full_name(name)));
    let to = vec(prop_oneof![3 => to().boxed(), 1 => members.boxed()], 0..2);
    let attributes = select(vec![vec![], vec!["title"]]);
    (vec(who(), 0..3), vec(who(), 0..2), rights(), to, filter(), attributes).prop_map(
        |(who, except, must_not, to, filter, attributes)| AssertionText {
            name: "assertion".into(),
            who,
            except,
            must_not,
            to,
            filter,
            attributes: attributes.into_iter().map(str::to_owned).collect(),
            ..AssertionText::default()
        },
    )
}

/// Rules about a world, and what they must never grant.
struct Obvious<'w> {
    rules: &'w [RuleText],
    assertion: &'w AssertionText,
    entries: &'w Entries,
    /// The same world, for the guard against resetting upwards.
    scene: &'w Scene<MemoryDirectory>,
}

impl Obvious<'_> {
    /// Whether somebody may what they must not, to that attribute of that entry.
    fn breaks(&self, who: &str, target: &str, (right, attribute): (&str, &str)) -> bool {
        let asker = Asker { who: who.to_owned(), address: None, tls: None, method: None, time: "20260601120000Z" };
        let Self { rules, assertion, entries, .. } = self;
        let is_one = |words: &[String]| words.iter().any(|word| obvious::is_meant(word, &asker, entries, target));
        let attributes = &assertion.attributes;
        assertion.must_not.iter().any(|word| word == right)
            && (assertion.who.is_empty() || is_one(&assertion.who))
            && !is_one(&assertion.except)
            && self.is_about(target)
            && (attribute.is_empty() || attributes.is_empty() || attributes.iter().any(|name| name == attribute))
            && obvious::may(rules, &asker, entries, target, (right, attribute))
            && (right != "reset-password" || (who != target && !self.is_guarded(&asker, target)))
    }

    fn is_about(&self, target: &str) -> bool {
        let reaches = |word: &String| match word.strip_prefix("members:") {
            Some(group) => obvious::is_member(&full_name(target), group, self.entries, &mut BTreeSet::new()),
            None => obvious::reaches(word, target),
        };
        (self.assertion.to.is_empty() || self.assertion.to.iter().any(reaches))
            && self.assertion.filter.as_ref().is_none_or(|filter| obvious::matches(filter, &self.entries[target]))
    }

    fn is_guarded(&self, asker: &Asker, target: &str) -> bool {
        let view = self.scene.directory.view();
        let rules = Rules::prepare(self.rules, view.schema()).unwrap();
        let actor = fast_actor(asker, &rules, &view);
        let uuid = node_called(&view, target).uuid;
        escalation::exceeds(uuid, &dn(&view, target), &actor, &rules, &view).unwrap().is_some()
    }

    /// Somebody of this world who may what they must not.
    fn find(&self) -> Option<(String, String, &'static str)> {
        let everybody = || self.entries.keys().map(String::as_str).chain(["anonymous", "local-root"]);
        for right in RIGHTS {
            let attributes = if ["read", "write"].contains(&right) { &ATTRIBUTES[..] } else { &[""][..] };
            for (who, target) in everybody().flat_map(|who| self.entries.keys().map(move |target| (who, target))) {
                if attributes.iter().any(|attribute| self.breaks(who, target, (right, attribute))) {
                    return Some((who.to_owned(), target.clone(), right));
                }
            }
        }
        None
    }
}

fn short(name: &str) -> &str {
    name.strip_suffix(SUFFIX).unwrap_or(name).trim_end_matches(',')
}

/// The world with whoever is told of, and how they are called; `None` if they are of no such world.
fn with_subject(told: &str, entries: &Entries) -> (Entries, String) {
    let mut world = entries.clone();
    let mut add = |name: String| {
        world.entry(name.clone()).or_default();
        name
    };
    let who = match told {
        "whoever has not authenticated" => "anonymous".to_owned(),
        "the superuser of this machine" => "local-root".to_owned(),
        "whoever has authenticated" => add("cn=zed".to_owned()),
        _ if told.starts_with("whoever is given the role ") => {
            let name = add("cn=zed".to_owned());
            let role = short(told.trim_start_matches("whoever is given the role "));
            world.get_mut(role).unwrap().insert(("roleOccupant".to_owned(), full_name(&name)));
            name
        }
        _ => match (told.strip_prefix("whoever stands below "), told.strip_prefix("whoever is put into ")) {
            (Some(place), _) => add(format!("cn=zed,{}", short(place))),
            (_, Some(group)) => {
                let name = add("cn=zed".to_owned());
                let member = ("member".to_owned(), full_name(&name));
                world.get_mut(short(group)).unwrap().insert(member);
                name
            }
            _ => short(told.trim_end_matches(" itself")).to_owned(),
        },
    };
    (world, who)
}

/// The names that the target that is told of may have.
fn targets(told: &str) -> Vec<String> {
    if let Some(base) = told.strip_prefix("an entry that is added below ") {
        let below = |name: &str| format!("{name},{}", short(base)).trim_end_matches(',').to_owned();
        return vec![below("cn=new"), below("cn=new,cn=new")];
    }
    vec![short(told).to_owned()]
}

/// Whether it is as it is told.
fn is_true(told: &Counterexample, rules: &[RuleText], assertion: &AssertionText, entries: &Entries) -> bool {
    let (mut world, who) = with_subject(&told.who, entries);
    let is_added = told.target.starts_with("an entry that");
    // By the entry that is added the assertion may come to be about whoever it is.
    let by_target = |word: &String| word == "self" || word.starts_with("attribute:");
    if is_added && assertion.who.iter().any(by_target) {
        return true;
    }
    let names = targets(&told.target);
    let mut above = names.clone();
    above.sort_by_key(|name| name.matches(',').count());
    if !is_added && names.iter().all(|name| !world.contains_key(name)) {
        // One of those with which every scene begins.
        return true;
    }
    let right = (told.right.name(), told.attribute.as_deref().unwrap_or_default());
    let mut breaks = |held: BTreeSet<(String, String)>| {
        for name in above.iter().filter(|_| is_added) {
            world.insert(name.clone(), held.clone());
        }
        let scene = Scene::in_memory();
        build(&scene, &world);
        let obvious = Obvious { rules, assertion, entries: &world, scene: &scene };
        names.iter().any(|name| obvious.breaks(&who, name, right))
    };
    // Whoever adds an entry chooses what it holds, such as what the rules ask for.
    breaks(BTreeSet::new()) || breaks(BTreeSet::from([("title".to_owned(), "x".to_owned())]))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_assertion_is_judged_as_if_everybody_were_tried(entries in tree(), rules in vec(rule(), 1..5), assertion in assertion()) {
        let scene = Scene::in_memory();
        build(&scene, &entries);
        let view = scene.directory.view();
        let prepared = Rules::prepare(&rules, view.schema()).unwrap();
        let assertions = Assertion::prepare_all(slice::from_ref(&assertion), view.schema()).unwrap();
        let now = Timestamp::parse(b"20260601120000Z").unwrap();
        let found = violations(&prepared, &assertions, now, &view).unwrap();
        let obvious = Obvious { rules: &rules, assertion: &assertion, entries: &entries, scene: &scene };
        if let Some(missed) = obvious.find() {
            prop_assert!(!found.is_empty(), "nobody was found, but {:?}", missed);
        }
        for told in &found {
            prop_assert!(is_true(told, &rules, &assertion, &entries), "{}", told);
        }
    }
}
