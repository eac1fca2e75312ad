//! What deciding costs for each entry of a search, by how many rules and of which kinds.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use keystead::access::RuleText;
use keystead::access::when::WhenText;
use parts::{Scene, see};

const PEOPLE: &str = "subtree:ou=people,dc=example,dc=com";

/// The rule that allows all, and others beside it.
fn with(count: usize, other: impl Fn(usize) -> RuleText) -> Vec<RuleText> {
    std::iter::once(see("everyone", "everything")).chain((1..count).map(other)).collect()
}

fn kinds() -> Vec<(&'static str, Vec<RuleText>)> {
    let filtered = |_| RuleText { filter: Some("(title=Clerk)".into()), ..see("authenticated", PEOPLE) };
    let office = WhenText { hours: Some("08:00-18:00".into()), ..WhenText::default() };
    vec![
        ("no rule", vec![]),
        ("1 rule that allows all", with(1, |_| see("everyone", "everything"))),
        ("20 rules about groups", with(20, |at| see(&format!("group:cn=g{at},dc=example,dc=com"), PEOPLE))),
        ("100 rules about groups", with(100, |at| see(&format!("group:cn=g{at},dc=example,dc=com"), PEOPLE))),
        ("100 rules about the group of all", with(100, |_| see("group:cn=all,dc=example,dc=com", PEOPLE))),
        (
            "100 rules about other entries",
            with(100, |at| see("everyone", &format!("entry:uid=q{at},ou=people,dc=example,dc=com"))),
        ),
        (
            "100 rules at office hours",
            with(100, |_| RuleText { when: Some(office.clone()), ..see("authenticated", PEOPLE) }),
        ),
        ("1 rule with a filter", with(2, filtered)),
        ("20 rules with filters", with(20, filtered)),
        ("1 rule about the manager", with(2, |_| see("attribute:manager", PEOPLE))),
        ("1 rule about oneself", with(2, |_| see("self", PEOPLE))),
    ]
}

fn decide(criterion: &mut Criterion) {
    let scene = Scene::of(2_000);
    let mut group = criterion.benchmark_group("decide for each entry");
    group.throughput(Throughput::Elements(scene.entries() as u64));
    for (name, texts) in kinds() {
        let rules = scene.rules(&texts);
        let actor = scene.actor(&rules);
        group.bench_function(name, |bencher| bencher.iter(|| scene.decide_all(black_box(&rules), &actor)));
    }
    group.finish();
}

criterion_group!(benches, decide);
criterion_main!(benches);
