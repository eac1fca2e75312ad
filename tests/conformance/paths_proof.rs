//! In small worlds everything is tried that people may do, one thing after another: whoever so comes to reset or to be an
//! administrator is told of by the ways to become one.

use std::collections::BTreeSet;

use keystead::access::explain::{self, Wanted, members};
use keystead::access::{Actor, Right, RuleText, Rules, proxy};
use keystead::directory::tree::memory::MemoryDirectory;
use keystead::directory::tree::{Directory, Tree};
use keystead::directory::{Dn, Identity};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::rights_paths::{group, ways};
use crate::scene::{SUFFIX, Scene, full, rules};

const PEOPLE: [&str; 4] = ["alice", "bob", "hanna", "henry"];
const GROUPS: [&str; 4] = ["staff", "helpdesk", "bound", "inner"];
/// So many things are tried for one person.
const TRIES: usize = 400;
/// So many are done one after another.
const DEPTH: usize = 3;

fn name_of_group(name: &str) -> String {
    format!("cn={name},ou=groups")
}

fn who() -> impl Strategy<Value = String> {
    let groups = select(GROUPS.to_vec()).prop_map(|name| format!("group:{}", group(name)));
    let people = select(PEOPLE.to_vec()).prop_map(|name| format!("dn:{}", full(name)));
    prop_oneof![3 => groups, 2 => people, 1 => Just("attribute:manager".to_owned())]
}

fn to() -> impl Strategy<Value = String> {
    let admin = format!("entry:cn=admin,{SUFFIX}");
    let groups = [&GROUPS[..], &["administrators", "administrators"]].concat();
    let some = select(groups).prop_map(|name| format!("entry:{}", group(name)));
    let wide = select(vec![
        format!("subtree:ou=groups,{SUFFIX}"),
        format!("subtree:ou=people,{SUFFIX}"),
        format!("subtree:{SUFFIX}"),
    ]);
    prop_oneof![2 => Just(admin), 4 => some, 1 => wide]
}

fn rule() -> impl Strategy<Value = RuleText> {
    let filter =
        of(select(vec!["(description=y)", "(!(description=y))", "(&(cn=*)(description=*))"]).prop_map(str::to_owned));
    let write =
        select(vec!["member", "member", "description", "manager"]).prop_map(|name| (vec![name.to_owned()], "write"));
    let whole = select(vec!["reset-password", "proxy"]).prop_map(|right| (Vec::new(), right));
    let what = prop_oneof![3 => write.boxed(), 1 => whole.boxed()];
    (who(), to(), filter, what, prop::bool::weighted(0.75), any::<bool>()).prop_map(
        |(who, to, filter, (attributes, right), allows, own_value)| {
            let rights = vec![right.to_owned()];
            let limited = own_value && allows && attributes == ["member"];
            let who = if allows || !who.starts_with("attribute:") { who } else { format!("group:{}", group("bound")) };
            let (allow, deny) = if allows { (rights, Vec::new()) } else { (Vec::new(), rights) };
            let values = if limited { vec!["self".to_owned()] } else { Vec::new() };
            RuleText {
                name: format!("{who} {right}"),
                who: vec![who],
                to: vec![to],
                filter,
                attributes,
                allow,
                deny,
                values,
                ..RuleText::default()
            }
        },
    )
}

/// Who is in the group to which things are denied, who is in the group that is in that, and what is described.
type World = (Vec<&'static str>, Vec<&'static str>, bool, Vec<&'static str>);

fn world() -> impl Strategy<Value = World> {
    let people = || subsequence(PEOPLE.to_vec(), 1..4);
    let described = subsequence(vec!["cn=administrators,ou=groups", "cn=admin", "cn=bound,ou=groups", "alice"], 0..3);
    (people(), people(), any::<bool>(), described)
}

fn build((bound, inner, nested, described): &World) -> Scene<MemoryDirectory> {
    let scene = Scene::in_memory();
    let group_of = |name: &str, members: Vec<String>| {
        let lines: String = members.iter().flat_map(|member| ["member: ", member, "\n"]).collect();
        scene
            .root()
            .change(&format!("dn: {}\nobjectClass: groupOfNames\ncn: {name}\n{lines}", name_of_group(name)))
            .unwrap();
    };
    // Nobody's name, so that everybody else can leave.
    let nobody = || format!("cn=nobody,{SUFFIX}");
    let names = |people: &[&str]| people.iter().map(|name| full(name)).chain([nobody()]).collect::<Vec<_>>();
    group_of("inner", names(inner));
    group_of("bound", names(bound).into_iter().chain(nested.then(|| group("inner"))).collect());
    for name in described {
        scene.root().change(&format!("dn: {name}\nchangetype: modify\nadd: description\ndescription: y\n-\n")).unwrap();
    }
    scene
}

/// Trying everything.
struct Attempt<'a> {
    scene: &'a Scene<MemoryDirectory>,
    rules: &'a Rules,
    tries: usize,
    seen: BTreeSet<String>,
}

impl Attempt<'_> {
    /// Whether those who are controlled can come to be administrators, or to reset one.
    fn succeeds(&mut self, controlled: &BTreeSet<String>, depth: usize) -> bool {
        let Some(controlled) = self.taken_over(controlled) else { return true };
        if depth == 0 || !self.seen.insert(format!("{depth} {controlled:?} {}", self.state())) {
            return false;
        }
        for who in &controlled {
            for (dn, attribute, change) in Self::changes(who, &controlled) {
                if self.tries == 0 {
                    return false;
                }
                self.tries -= 1;
                let before = self.scene.root().values(&dn, &attribute);
                let lines = format!("dn: {dn}\nchangetype: modify\n{change}-\n");
                if self.scene.client(who).change(&lines).is_err() {
                    continue;
                }
                let succeeds = self.succeeds(&controlled, depth - 1);
                let old: String = before.iter().flat_map(|value| [&attribute, ": ", value, "\n"]).collect();
                self.scene
                    .root()
                    .change(&format!("dn: {dn}\nchangetype: modify\nreplace: {attribute}\n{old}-\n"))
                    .unwrap();
                if succeeds {
                    return true;
                }
            }
        }
        false
    }

    fn state(&self) -> String {
        let root = self.scene.root();
        let of = |name: &String| {
            let all = ["member", "description", "manager"].map(|attribute| {
                let mut values = root.values(name, attribute);
                values.sort();
                values.join(" ")
            });
            all.join(";")
        };
        Self::targets().iter().map(of).collect::<Vec<_>>().join("|")
    }

    fn targets() -> Vec<String> {
        let groups = [&GROUPS[..], &["administrators"]].concat().into_iter().map(name_of_group);
        groups.chain(PEOPLE.iter().map(|name| (*name).to_owned())).chain(["cn=admin".to_owned()]).collect()
    }

    /// What somebody may try: to put themselves into groups, to take anybody out, to describe entries, and to be their manager.
    fn changes(who: &str, controlled: &BTreeSet<String>) -> Vec<(String, String, String)> {
        let mut all = Vec::new();
        for target in Self::targets() {
            let mut add = |attribute: &str, lines: String| all.push((target.clone(), attribute.to_owned(), lines));
            if target.ends_with("ou=groups") {
                for one in controlled {
                    add("member", format!("add: member\nmember: {}\n", full(one)));
                }
                let mut taken_out: Vec<String> = controlled.iter().map(|one| full(one)).collect();
                taken_out.push(group("inner"));
                for one in taken_out {
                    add("member", format!("delete: member\nmember: {one}\n"));
                }
            } else {
                add("manager", format!("replace: manager\nmanager: {}\n", full(who)));
            }
            add("description", "replace: description\ndescription: y\n".to_owned());
            add("description", "replace: description\ndescription: n\n".to_owned());
            add("description", "replace: description\n".to_owned());
        }
        all
    }

    /// Those who are controlled with all whom they take over by what they may; `None` if an administrator is among them.
    fn taken_over(&self, controlled: &BTreeSet<String>) -> Option<BTreeSet<String>> {
        let view = self.scene.directory.view();
        let dn = |name: &str| Dn::parse(view.schema(), &full(name)).unwrap();
        let administrators = members(&Dn::parse(view.schema(), &group("administrators")).unwrap(), &view).unwrap();
        let node = |name: &str| view.node(view.find(&dn(name)).unwrap().entry().unwrap()).unwrap().unwrap();
        let mut all = controlled.clone();
        loop {
            if all.iter().any(|name| administrators.contains(&node(name).id)) {
                return None;
            }
            let mut more = BTreeSet::new();
            for who in &all {
                let identity = Identity::Entry { uuid: node(who).uuid, dn: dn(who).into() };
                let actor = Actor::find(identity, &crate::questions::noon(), self.rules, &view).unwrap();
                let takes_over = |target: &&&str| {
                    let node = node(target);
                    let wanted = Wanted { right: Right::ResetPassword, attribute: None };
                    let resets = || explain::ask(self.rules, &actor, &node, wanted, &view).unwrap().is_yes();
                    let acts = || proxy::may_act_as(self.rules, &actor, (&node, &dn(target)), &view).unwrap();
                    !all.contains(**target) && (resets() || acts())
                };
                more.extend(PEOPLE.iter().chain(&["cn=admin"]).filter(takes_over).map(|name| (*name).to_owned()));
            }
            if more.is_empty() {
                return Some(all);
            }
            all.extend(more);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whoever_takes_over_an_administrator_is_told_of(world in world(), more in vec(rule(), 1..6)) {
        let scene = build(&world);
        let texts: Vec<RuleText> = rules().into_iter().chain(more.iter().cloned()).collect();
        scene.rule_by(&texts);
        let view = scene.directory.view();
        let rules = Rules::prepare(&texts, view.schema()).unwrap();
        let told = ways(&scene, &more);
        for person in PEOPLE {
            let mut attempt = Attempt { scene: &scene, rules: &rules, tries: TRIES, seen: BTreeSet::new() };
            if attempt.succeeds(&[person.to_owned()].into(), DEPTH) {
                let is_theirs = |from: &str| from == full(person) || !from.starts_with("uid=");
                prop_assert!(told.iter().any(|(from, _)| is_theirs(from)), "{}: {:?}", person, told);
            }
        }
    }
}
