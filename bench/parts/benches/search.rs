//! How much longer a search over 100,000 entries takes by many rules than by one that allows all.
//!
//! Each round searches once by each set of rules, so that whatever else the machine does slows all of them alike. What counts
//! is the quickest of each.

use std::time::{Duration, Instant};

use keystead::access::RuleText;
use parts::{Scene, see};

const PEOPLE: &str = "subtree:ou=people,dc=example,dc=com";
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
