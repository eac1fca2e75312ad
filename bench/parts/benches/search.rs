//! How much longer a search over 100,000 entries takes by many rules than by one that allows all.
//!
//! Each round searches once by each set of rules, so that whatever else the machine does slows all of them alike. What counts
//! is the quickest of each.

use std::time::{Duration, Instant};

use keystead::access::RuleText;
use parts::{Scene, see};

const PEOPLE: &str = "subtree:ou=people,dc=example,dc=com";
const UNIT: &str = "ou=people,dc=example,dc=com";
const ENTRIES: u32 = 100_000;
const ROUNDS: usize = 7;

/// The rule that allows all, and others of every kind beside it, in turn.
fn mixed(count: usize) -> Vec<RuleText> {
    let other = |at: usize| match at % 6 {
        0 => see(&format!("group:cn=g{at},dc=example,dc=com"), PEOPLE),
        1 => see("group:cn=all,dc=example,dc=com", PEOPLE),
        2 => RuleText { filter: Some("(title=Clerk)".into()), ..see("authenticated", PEOPLE) },
        3 => see("attribute:manager", PEOPLE),
        4 => see("self", PEOPLE),
        _ => RuleText {
            allow: Vec::new(),
            deny: vec!["read".into()],
            attributes: vec!["telephoneNumber".into()],
            ..see("group:cn=all,dc=example,dc=com", &format!("subtree:uid=p{at},ou=people,dc=example,dc=com"))
        },
    };
    std::iter::once(see("everyone", "everything")).chain((1..count).map(other)).collect()
}

/// A rule that allows little, and others of every kind, each of which allows something else to somebody, or on some entries.
fn patchwork(count: usize) -> Vec<RuleText> {
    let of = |attribute: &str, rule: RuleText| RuleText { attributes: vec![attribute.into()], ..rule };
    let filtered = |filter: String| RuleText { filter: Some(filter), ..see("authenticated", PEOPLE) };
    let other = |at: usize| match at % 8 {
        0 => see(&format!("group:cn=g{at},dc=example,dc=com"), PEOPLE),
        1 => of("mail", see("group:cn=all,dc=example,dc=com", PEOPLE)),
        2 => of("telephoneNumber", filtered(["(title=Clerk)", "(title=Porter)"][at / 8 % 2].into())),
        3 => of(["manager", "mobile"][at / 8 % 2], see("attribute:manager", PEOPLE)),
        4 => see("self", PEOPLE),
        5 => RuleText {
            allow: Vec::new(),
            deny: vec!["read".into()],
            ..of("telephoneNumber", see("group:cn=all,dc=example,dc=com", &format!("subtree:uid=p{at},{UNIT}")))
        },
        6 => of(["roomNumber", "street"][at / 8 % 2], filtered(format!("(departmentNumber={at})"))),
        _ => RuleText {
            allow: vec!["write".into(), "reset-password".into()],
            ..filtered(format!("(&(objectClass=inetOrgPerson)(!(title=Boss {at})))"))
        },
    };
    let little = RuleText {
        attributes: ["objectClass", "uid", "cn", "sn", "title"].map(str::to_owned).to_vec(),
        ..see("everyone", "everything")
    };
    std::iter::once(little).chain((1..count).map(other)).collect()
}

/// The rules that a new configuration begins with.
fn everyday() -> Vec<RuleText> {
    const SUFFIX: &str = "subtree:dc=example,dc=com";
    let everything = |who: &str, to: &str| RuleText {
        attributes: ["*", "+", "password-state"].map(str::to_owned).to_vec(),
        allow: vec!["all".into()],
        ..see(who, to)
    };
    let only = |right: &str, rule: RuleText| RuleText { allow: vec![right.into()], ..rule };
    let of = |words: &[&str], rule: RuleText| RuleText {
        attributes: words.iter().map(|&word| word.into()).collect(),
        ..rule
    };
    vec![
        everything("group:cn=administrators,dc=example,dc=com", SUFFIX),
        of(&["*", "+"], see("local-root", "entry:cn=Subschema")),
        of(&["*", "+"], see("local-root", "subtree:cn=changelog")),
        of(&["*", "+"], see("local-root", "subtree:cn=monitor")),
        everything("local-root", "everything"),
        only("authenticate", see("everyone", SUFFIX)),
        only("change-password", see("self", SUFFIX)),
        of(&["*", "+", "password-state"], see("self", SUFFIX)),
        of(&["*", "+"], see("authenticated", SUFFIX)),
        of(&["password-state"], see("group:cn=helpdesk,dc=example,dc=com", PEOPLE)),
    ]
}

/// The rule that allows all, and others that are decided once for all entries below one: most are of that kind.
fn of_groups(count: usize) -> Vec<RuleText> {
    let other = |at: usize| match at % 3 {
        0 => see(&format!("group:cn=g{at},dc=example,dc=com"), PEOPLE),
        1 => see("group:cn=all,dc=example,dc=com", PEOPLE),
        _ => RuleText {
            allow: Vec::new(),
            deny: vec!["read".into()],
            attributes: vec!["telephoneNumber".into()],
            ..see("group:cn=all,dc=example,dc=com", &format!("subtree:ou=unit{at},dc=example,dc=com"))
        },
    };
    std::iter::once(see("everyone", "everything")).chain((1..count).map(other)).collect()
}

fn without(rules: Vec<RuleText>, word: &str) -> Vec<RuleText> {
    rules
        .into_iter()
        .filter(|rule| rule.filter.is_none() && !rule.who.iter().any(|who| who.starts_with(word)))
        .collect()
}

fn main() {
    let scene = Scene::of(ENTRIES);
    let sets = [
        ("1 rule that allows all", mixed(1)),
        ("100 rules about groups and subtrees", of_groups(100)),
        ("20 rules of every kind", mixed(20)),
        ("100 rules of every kind", mixed(100)),
        ("20 rules, each about something else", patchwork(20)),
        ("100 rules, each about something else", patchwork(100)),
        ("those of a new configuration", everyday()),
        ("100 rules without filters and attributes", without(mixed(150), "attribute:")),
    ];
    for filter in ["(objectClass=*)", "(title=Clerk)", "(uid=p4711)"] {
        let searchers: Vec<_> = sets.iter().map(|(_, rules)| scene.searcher(rules)).collect();
        let mut quickest = vec![Duration::MAX; sets.len()];
        for _ in 0..ROUNDS {
            for (searcher, quickest) in searchers.iter().zip(&mut quickest) {
                let began = Instant::now();
                std::hint::black_box(searcher.search(filter));
                *quickest = (*quickest).min(began.elapsed());
            }
        }
        println!("{filter} over {} entries", scene.entries());
        for ((name, rules), time) in sets.iter().zip(&quickest) {
            let ratio = time.as_secs_f64() / quickest[0].as_secs_f64();
            println!("  {name:<42} {:>4} rules {:>9.1} ms  {ratio:.2}", rules.len(), time.as_secs_f64() * 1e3);
        }
    }
}
