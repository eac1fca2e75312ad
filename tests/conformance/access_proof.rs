//! The fast decision and a slow, obvious one agree, on whatever rules and trees. The slow one reads as docs/access.md reads,
//! works on text, and shares nothing with the fast one but the rule as it is written.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use keystead::access::circumstances::{Method, Protection, Remote};
use keystead::access::delegated::{Amendment, Frame, RuleEntry, in_force_after};
use keystead::access::explain::{self, Guards, Obstacle, Wanted, obstacle};

use keystead::access::rule::Source;
use keystead::access::searchable::{Among, Area};
use keystead::access::when::WhenText;
use keystead::access::{Actor, Circumstances, Decider, Right, Rule, RuleText, Rules, escalation};
use keystead::directory::filter::{Facts, Truth};
use keystead::directory::modification::{Modification, ModificationKind};
use keystead::directory::tree::{Directory, Node, Scope, Tree};
use keystead::directory::{
    Attribute, AttributeDescription, AttributeTypeId, Attributes, Dn, Entry, Identity, ResultCode, Schema, Timestamp,
};
use keystead::operations::policies::refuses_policy;
use keystead::protocol::{RawControl, oid};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::scene::{SUFFIX, Scene, search_request};

/// The entries, by name without the suffix.
pub const PEOPLE: [&str; 4] = ["uid=ada,ou=crew", "uid=ben,ou=crew", "uid=cy,ou=crew", "cn=phone,uid=ada,ou=crew"];
pub const GROUPS: [&str; 3] = ["cn=one,ou=teams", "cn=two,ou=teams", "cn=six,ou=teams"];
const UNITS: [&str; 3] = ["", "ou=crew", "ou=teams"];
/// The attributes that are asked about; those of the first half may have values.
const ATTRIBUTES: [&str; 8] =
    ["title", "member", "owner", "uniqueMember", "description", "sn", "entryUUID", "pwdFailureTime"];
/// What may be said of attributes with one word.
const CLASSES: [(&str, &[&str]); 2] =
    [("@groupOfNames", &["member", "owner", "description"]), ("@person", &["sn", "description"])];
const TIMES: [&str; 5] =
    ["20260601070000Z", "20260601120000Z", "20260601160000Z", "20260602120000Z", "20270101120000Z"];
/// Entries that might be added.
const NEWCOMERS: [&str; 3] = ["uid=dan,ou=crew", "cn=new,cn=one,ou=teams", "cn=dan"];

/// A tree, as sets of attribute and value: values are lower-case names and words.
pub type Entries = BTreeMap<String, BTreeSet<(String, String)>>;

/// Somebody who asks, and how.
#[derive(Clone, Debug)]
pub struct Asker {
    /// A name without suffix, `anonymous` or `local-root`.
    pub who: String,
    pub address: Option<&'static str>,
    pub tls: Option<&'static str>,
    pub method: Option<&'static str>,
    pub time: &'static str,
}

/// The slow decision.
pub mod obvious {
    use super::*;

    /// Whether the asker has a right to an attribute of an entry, or to the entry as a whole: some rule grants it and none
    /// denies it. A rule of the tree denies what rules of the tree grant. Rules with `values` are left to [`may_write`].
    pub fn may(
        rules: &[RuleText],
        asker: &Asker,
        entries: &Entries,
        target: &str,
        (right, attribute): (&str, &str),
    ) -> bool {
        let says = |rule: &RuleText, words: &[String], effect| {
            rule.values.is_empty()
                && words.iter().any(|word| word == right || word == "all")
                && (attribute.is_empty() || has_attribute(rule, attribute))
                && applies(rule, asker, entries, target, effect)
        };
        let allows = |rule: &RuleText| says(rule, &rule.allow, "allow");
        let denies = |rule: &RuleText| says(rule, &rule.deny, "deny");
        let by_file = rules.iter().any(|rule| !is_of_tree(rule) && allows(rule))
            && !rules.iter().any(|rule| !is_of_tree(rule) && denies(rule));
        by_file || (rules.iter().any(|rule| is_of_tree(rule) && allows(rule)) && !rules.iter().any(denies))
    }

    /// Whether the asker may make a change that touches these values: all of them are granted, and none is denied.
    pub fn may_write(
        rules: &[RuleText],
        asker: &Asker,
        entries: &Entries,
        (target, attribute): (&str, &str),
        touched: &[String],
    ) -> bool {
        let says = |rule: &RuleText, effect: &str| {
            let words = if effect == "allow" { &rule.allow } else { &rule.deny };
            words.iter().any(|word| word == "write" || word == "all")
                && has_attribute(rule, attribute)
                && applies(rule, asker, entries, target, effect)
        };
        let about = |rule: &RuleText, value: &str, effect: &str| {
            says(rule, effect) && rule.values.iter().any(|word| has_value(word, value, asker))
        };
        let is_denied = |value: &String| rules.iter().any(|rule| about(rule, value, "deny"));
        if may(rules, asker, entries, target, ("write", attribute)) {
            return !touched.iter().any(is_denied);
        }
        let all_denied = |of_tree: bool| {
            rules.iter().any(|rule| rule.values.is_empty() && says(rule, "deny") && (of_tree || !is_of_tree(rule)))
        };
        let is_granted =
            |value: &String| rules.iter().any(|rule| about(rule, value, "allow") && !all_denied(is_of_tree(rule)));
        !touched.is_empty() && touched.iter().all(|value| is_granted(value) && !is_denied(value))
    }

    fn is_of_tree(rule: &RuleText) -> bool {
        matches!(rule.source, Source::Entry(_))
    }

    fn has_value(word: &str, value: &str, asker: &Asker) -> bool {
        match word.split_once(':') {
            Some(("value", wanted)) => value == wanted.to_lowercase(),
            Some(("below", base)) => value.ends_with(&format!(",{base}")),
            _ => value == full_name(&asker.who),
        }
    }

    fn has_attribute(rule: &RuleText, attribute: &str) -> bool {
        let is_user = !["entryUUID", "pwdFailureTime"].contains(&attribute);
        let in_class = |word: &str| CLASSES.iter().any(|(class, of)| *class == word && of.contains(&attribute));
        let named = |word: &str| match word {
            "*" => is_user,
            "+" => attribute == "entryUUID",
            "password-state" => attribute == "pwdFailureTime",
            _ => word == attribute || in_class(word),
        };
        let (less, more): (Vec<_>, Vec<_>) = rule.attributes.iter().partition(|word| word.starts_with('!'));
        (if more.is_empty() { is_user } else { more.iter().any(|word| named(word)) })
            && !less.iter().any(|word| named(&word[1..]))
    }

    fn applies(rule: &RuleText, asker: &Asker, entries: &Entries, target: &str, effect: &str) -> bool {
        let is_missing = |word: &String| {
            let body = word.strip_prefix("group:").or_else(|| word.strip_prefix("role:"));
            body.is_some_and(|body| !entries.keys().any(|name| full_name(name) == body))
        };
        // Who would be in a group that does not exist nobody knows: what denies it something denies it to everybody.
        let closed = effect == "deny" && asker.who != "local-root" && rule.who.iter().any(is_missing);
        (closed || rule.who.iter().any(|word| is_meant(word, asker, entries, target)))
            && rule.to.iter().any(|word| reaches(word, target))
            && rule.filter.as_ref().is_none_or(|filter| matches(filter, &entries[target]))
            && rule.when.as_ref().is_none_or(|when| holds(when, asker).unwrap_or(effect == "deny"))
    }

    pub fn is_meant(word: &str, asker: &Asker, entries: &Entries, target: &str) -> bool {
        let is_anonymous = asker.who == "anonymous";
        let is_entry = entries.contains_key(&asker.who);
        match word.split_once(':') {
            None => match word {
                "anonymous" => is_anonymous,
                "authenticated" => !is_anonymous,
                "everyone" => true,
                "self" => asker.who == target,
                _ => asker.who == word,
            },
            Some(("dn", name)) => is_entry && full_name(&asker.who) == name,
            Some(("group", group)) => {
                is_entry && is_member(&full_name(&asker.who), group, entries, &mut BTreeSet::new())
            }
            Some(("role", role)) => {
                let held = ("roleOccupant".to_owned(), full_name(&asker.who));
                is_entry && entries.iter().any(|(name, entry)| full_name(name) == role && entry.contains(&held))
            }
            Some(("below", base)) => is_entry && full_name(&asker.who).ends_with(&format!(",{base}")),
            Some((_, attribute)) => {
                is_entry
                    && entries[target].iter().filter(|(name, _)| name == attribute).any(|(_, held)| {
                        *held == full_name(&asker.who)
                            || is_member(&full_name(&asker.who), held, entries, &mut BTreeSet::new())
                    })
            }
        }
    }

    /// Whether a group has somebody as a member, or a group in it has.
    pub fn is_member(name: &str, group: &str, entries: &Entries, seen: &mut BTreeSet<String>) -> bool {
        let Some(entry) = entries.iter().find(|(own, _)| full_name(own) == group).map(|(_, entry)| entry) else {
            return false;
        };
        if !seen.insert(group.to_owned()) {
            return false;
        }
        let members = entry
            .iter()
            .filter(|(attribute, _)| attribute == "member" || attribute == "uniqueMember")
            .map(|(_, value)| value);
        members.into_iter().any(|member| member == name || is_member(name, member, entries, seen))
    }

    pub fn reaches(word: &str, target: &str) -> bool {
        let target = full_name(target);
        let Some((kind, base)) = word.split_once(':') else { return true };
        let below = target.strip_suffix(&format!(",{base}"));
        match kind {
            "entry" => target == base,
            "children" => below.is_some_and(|below| !below.contains(',')),
            "subtree" => target == base || below.is_some(),
            _ => below.is_some(),
        }
    }

    pub fn matches(filter: &str, entry: &BTreeSet<(String, String)>) -> bool {
        let has = |item: &str| {
            let (name, value) = item.split_once('=').unwrap();
            entry.iter().any(|(own, held)| own == name && (value == "*" || held == value))
        };
        match filter.strip_prefix("(!(") {
            Some(item) => !has(item.trim_end_matches(')')),
            None => has(filter.trim_matches(['(', ')'])),
        }
    }

    /// The day and the hour that it is in a time zone: in Tokyo it is nine hours later.
    fn local(time: &str, zone: Option<&str>) -> (&'static str, String) {
        const DAYS: [(&str, &str, &str); 3] =
            [("20260601", "mon", "tue"), ("20260602", "tue", "wed"), ("20270101", "fri", "sat")];
        let (_, day, next) = DAYS.into_iter().find(|(date, ..)| *date == &time[..8]).unwrap();
        let hour: u32 = time[8..10].parse().unwrap();
        let hour = if zone.is_some() { hour + 9 } else { hour };
        (if hour < 24 { day } else { next }, format!("{:02}", hour % 24))
    }

    /// Whether conditions hold; `None` if that cannot be known.
    fn holds(when: &WhenText, asker: &Asker) -> Option<bool> {
        let (day, hour) = local(asker.time, when.zone.as_deref());
        let in_hours = |hours: &str| {
            let (from, to) = (&hours[..2], &hours[6..8]);
            let hour = hour.as_str();
            if from < to { (from..to).contains(&hour) } else { hour >= from || hour < to }
        };
        let in_time = when.from.as_deref().is_none_or(|from| asker.time >= from)
            && when.until.as_deref().is_none_or(|until| asker.time < until)
            && when.hours.as_deref().is_none_or(in_hours)
            && (when.days.is_empty() || when.days.iter().any(|one| one == day));
        let network = match (when.network.first(), asker.address) {
            (None, _) => Some(true),
            (Some(_), None) => None,
            (Some(_), Some(address)) => Some(address.starts_with("10.")),
        };
        let tls = match (when.tls.as_deref(), asker.tls) {
            (None, _) => Some(true),
            (Some(_), None) => None,
            (Some(least), Some(tls)) => Some(tls != "none" && (tls == "local" || least == "any" || tls == "1.3")),
        };
        let method = match (when.authentication.first(), asker.method) {
            (None, _) => Some(true),
            (Some(_), None) => None,
            (Some(wanted), Some(method)) => Some(wanted == method),
        };
        let all = [Some(in_time), network, tls, method];
        if all.contains(&Some(false)) { Some(false) } else { (!all.contains(&None)).then_some(true) }
    }
}

/// The name with the suffix.
pub fn full_name(name: &str) -> String {
    if name.is_empty() { SUFFIX.to_owned() } else { format!("{name},{SUFFIX}") }
}

fn any_name() -> impl Strategy<Value = &'static str> {
    select([&PEOPLE[..], &GROUPS, &UNITS].concat())
}

fn who() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => select(vec!["anonymous", "authenticated", "everyone", "self", "local-root", "attribute:owner", "attribute:member", "attribute:uniqueMember"])
            .prop_map(str::to_owned),
        1 => any_name().prop_map(|name| format!("dn:{}", full_name(name))),
        2 => select([&GROUPS[..], &["cn=gone,ou=teams"]].concat()).prop_map(|name| format!("group:{}", full_name(name))),
        1 => select([&GROUPS[..], &PEOPLE[..1], &["cn=gone,ou=teams"]].concat()).prop_map(|name| format!("role:{}", full_name(name))),
        1 => any_name().prop_map(|name| format!("below:{}", full_name(name))),
    ]
}

fn to() -> impl Strategy<Value = String> {
    let kinds = select(vec!["entry", "children", "subtree", "below"]);
    prop_oneof![
        1 => Just("everything".to_owned()),
        4 => (kinds, any_name()).prop_map(|(kind, name)| format!("{kind}:{}", full_name(name))),
    ]
}

fn when() -> impl Strategy<Value = WhenText> {
    let one = |word: &str| vec![word.to_owned()];
    let at = |text: &str| Some(text.to_owned());
    let empty = WhenText::default;
    select(vec![
        WhenText { network: one("10.0.0.0/8"), ..empty() },
        WhenText { tls: at("any"), ..empty() },
        WhenText { tls: at("1.3"), network: one("10.0.0.0/8"), ..empty() },
        WhenText { authentication: one("simple"), ..empty() },
        WhenText { from: at("20260601120000Z"), until: at("20260602120000Z"), ..empty() },
        WhenText { until: at("20260601120000Z"), tls: at("any"), ..empty() },
        WhenText { hours: at("08:00-18:00"), ..empty() },
        WhenText { hours: at("08:00-18:00"), zone: at("Asia/Tokyo"), ..empty() },
        WhenText { hours: at("21:00-08:00"), zone: at("Asia/Tokyo"), days: one("mon"), ..empty() },
        WhenText { days: vec!["tue".into(), "fri".into()], ..empty() },
        WhenText { days: one("tue"), zone: at("Asia/Tokyo"), tls: at("any"), ..empty() },
    ])
}

fn rights() -> impl Strategy<Value = Vec<String>> {
    let names = vec![
        "search",
        "read",
        "compare",
        "write",
        "write",
        "add",
        "delete",
        "rename",
        "reset-password",
        "unlock",
        "proxy",
        "all",
    ];
    vec(select(names).prop_map(str::to_owned), 0..3)
}

pub fn rule() -> impl Strategy<Value = RuleText> {
    let words = vec![
        "*",
        "+",
        "title",
        "member",
        "owner",
        "description",
        "!title",
        "!member",
        "!entryUUID",
        "uniqueMember",
        "@groupOfNames",
        "@person",
        "!@person",
        "password-state",
    ];
    let attributes = subsequence(words, 0..4).prop_map(|words| words.into_iter().map(str::to_owned).collect());
    let filters = select(vec!["(title=x)", "(!(title=x))", "(title=*)", "(!(owner=*))"]).prop_map(str::to_owned);
    let whole = (rights(), rights()).prop_map(|(allow, deny)| (allow, deny, Vec::new()));
    let values =
        select(vec!["self", "value:x", "below:ou=crew,dc=example,dc=com"]).prop_map(|word| vec![word.to_owned()]);
    let limited = (any::<bool>(), values).prop_map(|(allows, values)| {
        let write = vec!["write".to_owned()];
        if allows { (write, Vec::new(), values) } else { (Vec::new(), write, values) }
    });
    let source = prop_oneof![2 => Just(Source::Made), 1 => Just(in_tree())];
    let rights = prop_oneof![3 => whole, 1 => limited];
    let parts = (vec(who(), 1..3), vec(to(), 1..3), of(filters), of(when()), attributes, rights, source);
    parts.prop_map(|(who, to, filter, when, attributes, (allow, deny, values), source)| RuleText {
        // One of the tree cannot deny single values.
        source: if values.is_empty() || deny.is_empty() { source } else { Source::Made },
        who,
        to,
        filter,
        when,
        attributes,
        allow,
        deny,
        values,
        ..RuleText::default()
    })
}

/// Where a rule of the tree stands.
fn in_tree() -> Source {
    Source::Entry(Arc::new(Dn::parse(&Schema::standard(), &full_name("cn=rule")).unwrap()))
}

fn asker() -> impl Strategy<Value = Asker> {
    let names = [&PEOPLE[..], &GROUPS[..1], &["anonymous", "local-root"]].concat();
    let address = select(vec![None, Some("10.0.0.1"), Some("192.0.2.1"), Some("local")]);
    let tls = select(vec![None, Some("none"), Some("1.2"), Some("1.3"), Some("local")]);
    let method = select(vec![None, Some("simple"), Some("external"), Some("anonymous")]);
    (select(names), address, tls, method, select(TIMES.to_vec())).prop_map(|(who, address, tls, method, time)| Asker {
        who: who.to_owned(),
        address,
        tls,
        method,
        time,
    })
}

/// Who is in which group, who owns what, and what is entitled.
pub fn tree() -> impl Strategy<Value = Entries> {
    let member =
        (select(GROUPS.to_vec()), select(vec!["member", "uniqueMember"]), select([&PEOPLE[..], &GROUPS].concat()));
    let owner = (select([&PEOPLE[..], &GROUPS].concat()), select([&PEOPLE[..], &GROUPS].concat()));
    let title = (select(PEOPLE.to_vec()), select(vec!["x", "y"]));
    let occupant = (select([&PEOPLE[..1], &GROUPS].concat()), select([&PEOPLE[..], &GROUPS].concat()));
    (vec(member, 0..8), vec(owner, 0..5), vec(title, 0..4), vec(occupant, 0..4)).prop_map(
        |(members, owners, titles, roles)| {
            let all = [&PEOPLE[..], &GROUPS, &UNITS].concat();
            let mut entries: Entries = all.into_iter().map(|name| (name.to_owned(), BTreeSet::new())).collect();
            for group in GROUPS {
                entries.get_mut(group).unwrap().insert(("member".into(), full_name("uid=ada,ou=crew")));
            }
            let mut put = |name: &str, attribute: &str, value: String| {
                entries.get_mut(name).unwrap().insert((attribute.into(), value))
            };
            for (group, attribute, name) in members {
                put(group, attribute, full_name(name));
            }
            for (held, name) in owners {
                put(held, "owner", full_name(name));
            }
            for (role, name) in roles {
                put(role, "roleOccupant", full_name(name));
            }
            for (name, word) in titles {
                put(name, "title", word.to_owned());
            }
            entries
        },
    )
}

/// The scene with these entries beside its own.
pub fn build<D: Directory>(scene: &Scene<D>, entries: &Entries) {
    let mut names: Vec<&String> = entries.keys().filter(|name| !name.is_empty()).collect();
    names.sort_by_key(|name| name.matches(',').count());
    for name in names {
        let class = match name {
            name if name.starts_with("ou=") => "organizationalUnit\n",
            name if GROUPS.contains(&name.as_str()) => "groupOfNames\nobjectClass: extensibleObject\n",
            _ => "inetOrgPerson\nobjectClass: extensibleObject\ncn: x\nsn: y\n",
        };
        let line = |(attribute, value): &(String, String)| format!("{attribute}: {value}\n");
        let lines = entries[name].iter().map(line).collect::<Vec<_>>().concat();
        assert_eq!(
            scene.root().change(&format!("dn: {}\nobjectClass: {class}{lines}", full_name(name))),
            Ok(()),
            "{name}"
        );
    }
}

pub fn dn<T: Tree>(view: &T, name: &str) -> Dn {
    Dn::parse(view.schema(), &full_name(name)).unwrap()
}

pub fn fast_actor<T: Tree>(asker: &Asker, rules: &Rules, view: &T) -> Actor {
    let identity = match asker.who.as_str() {
        "anonymous" => Identity::Anonymous,
        "local-root" => Identity::LocalRoot,
        name => {
            let dn = dn(view, name);
            let id = view.find(&dn).unwrap().entry().unwrap();
            Identity::Entry { uuid: view.node(id).unwrap().unwrap().uuid, dn: Arc::new(dn) }
        }
    };
    let circumstances = Circumstances {
        now: Timestamp::parse(asker.time.as_bytes()).unwrap(),
        remote: asker.address.map(|text| text.parse::<IpAddr>().map_or(Remote::Local, Remote::Address)),
        protection: asker.tls.map(|text| match text {
            "none" => Protection::Nothing,
            "1.2" => Protection::Tls12 { bits: None },
            "1.3" => Protection::Tls13 { bits: None },
            _ => Protection::Local,
        }),
        method: asker.method.and_then(Method::find),
    };
    Actor::find(identity, &circumstances, rules, view).unwrap()
}

/// Changes that touch some values.
fn changes(entry: &BTreeSet<(String, String)>, attribute: &str) -> Vec<(ModificationKind, Vec<String>, Vec<String>)> {
    let present: Vec<String> =
        entry.iter().filter(|(name, _)| name == attribute).map(|(_, value)| value.clone()).collect();
    let candidates = match attribute {
        "title" => vec!["x".to_owned(), "y".to_owned()],
        _ => vec![full_name("uid=ada,ou=crew"), full_name("cn=one,ou=teams")],
    };
    let mut all =
        vec![(ModificationKind::Delete, vec![], present.clone()), (ModificationKind::Replace, vec![], present.clone())];
    for value in candidates.iter().chain(&present) {
        all.push((ModificationKind::Add, vec![value.clone()], vec![value.clone()]));
        all.push((ModificationKind::Delete, vec![value.clone()], vec![value.clone()]));
        all.push((ModificationKind::Replace, vec![value.clone()], [vec![value.clone()], present.clone()].concat()));
    }
    all.push((ModificationKind::Add, candidates.clone(), candidates));
    all
}

/// The rules that make sense; what does not, as names among values that are none, is refused as a whole: that is tested
/// elsewhere.
pub fn usable(texts: Vec<RuleText>, schema: &Schema) -> Vec<RuleText> {
    let says = |text: &RuleText| !(text.allow.is_empty() && text.deny.is_empty());
    let is_usable = |text: &RuleText| Rules::prepare(std::slice::from_ref(text), schema).is_ok();
    texts.into_iter().filter(|text| says(text) && is_usable(text)).collect()
}

pub fn node_called<T: Tree>(view: &T, name: &str) -> Node {
    let id = view.find(&dn(view, name)).unwrap().entry().unwrap();
    view.node(id).unwrap().unwrap()
}

fn attribute_id(schema: &Schema, name: &str) -> AttributeTypeId {
    schema.find_attribute_type(name).unwrap().id
}

/// An entry with these values.
fn encoded(values: &BTreeSet<(String, String)>, schema: &Schema) -> Entry {
    let mut attributes = Attributes::new();
    for (name, value) in values {
        let description = schema.describe(name).unwrap();
        match attributes.get(&description) {
            Some(_) => attributes.values_mut(&description).push(value.as_bytes().to_vec()),
            None => attributes.push(Attribute { description, values: vec![value.as_bytes().to_vec()] }),
        }
    }
    Entry::encode(&attributes, schema)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_fast_decision_is_the_obvious_one(entries in tree(), texts in vec(rule(), 0..7), askers in vec(asker(), 4)) {
        let scene = Scene::in_memory();
        build(&scene, &entries);
        let view = scene.directory.view();
        let usable = usable(texts, view.schema());
        let rules = Rules::prepare(&usable, view.schema()).unwrap();
        for asker in &askers {
            let actor = fast_actor(asker, &rules, &view);
            let mut decider = Decider::new(&rules, &actor, view.schema());
            let mut sight = Decider::for_sight(&rules, &actor, view.schema());
            for (name, entry) in &entries {
                let id = view.find(&dn(&view, name)).unwrap().entry().unwrap();
                let node = view.node(id).unwrap().unwrap();
                let decision = decider.decide(&node, &view).unwrap();
                let seen = sight.decide(&node, &view).unwrap();
                prop_assert!(seen.rights.is_empty() && seen.write.is_empty() && seen.limited.is_empty());
                for right in Right::ALL.iter().filter(|right| !right.is_per_attribute()) {
                    let obvious = obvious::may(&usable, asker, &entries, name, (right.name(), ""));
                    prop_assert_eq!(decision.allows(*right), obvious, "{} {} {}", asker.who, right, name);
                }
                for attribute in ATTRIBUTES {
                    let id = view.schema().find_attribute_type(attribute).unwrap().id;
                    for (right, set) in [
                        ("search", &decision.search), ("read", &decision.read), ("compare", &decision.compare),
                        ("search", &seen.search), ("read", &seen.read), ("compare", &seen.compare),
                    ] {
                        let obvious = obvious::may(&usable, asker, &entries, name, (right, attribute));
                        prop_assert_eq!(set.contains(id), obvious, "{} {} {} {}", asker.who, right, attribute, name);
                    }
                }
                for attribute in &ATTRIBUTES[..4] {
                    let id = view.schema().find_attribute_type(attribute).unwrap().id;
                    for (kind, values, touched) in changes(entry, attribute) {
                        let change = Modification {
                            kind,
                            attribute: AttributeDescription::plain(id),
                            values: values.iter().map(|value| value.as_bytes().to_vec()).collect(),
                        };
                        let fast = decision.may_write(&change, &node.entry, &actor, view.schema());
                        let obvious = obvious::may_write(&usable, asker, &entries, (name, attribute), &touched);
                        prop_assert_eq!(fast, obvious, "{} {:?} {}", asker.who, change, name);
                    }
                }
            }
        }
    }

    #[test]
    fn an_entry_to_be_added_is_decided_as_if_it_were_there(
        entries in tree(),
        texts in vec(rule(), 0..7),
        askers in vec(asker(), 4),
        title in of(select(vec!["x", "y"])),
        owner in of(select([&PEOPLE[..], &GROUPS].concat())),
    ) {
        let scene = Scene::in_memory();
        build(&scene, &entries);
        let view = scene.directory.view();
        let usable = usable(texts, view.schema());
        let rules = Rules::prepare(&usable, view.schema()).unwrap();
        let title = title.map(|word| ("title".to_owned(), word.to_owned()));
        let owner = owner.map(|name| ("owner".to_owned(), full_name(name)));
        let values: BTreeSet<(String, String)> = title.into_iter().chain(owner).collect();
        let entry = encoded(&values, view.schema());
        for name in NEWCOMERS {
            let with_it: Entries = entries.clone().into_iter().chain([(name.to_owned(), values.clone())]).collect();
            for asker in &askers {
                let actor = fast_actor(asker, &rules, &view);
                let decision = Decider::new(&rules, &actor, view.schema()).decide_new(&dn(&view, name), &entry).unwrap();
                for right in Right::ALL.iter().filter(|right| !right.is_per_attribute()) {
                    let obvious = obvious::may(&usable, asker, &with_it, name, (right.name(), ""));
                    prop_assert_eq!(decision.allows(*right), obvious, "{} {} {}", asker.who, right, name);
                }
                for attribute in ATTRIBUTES {
                    let obvious = obvious::may(&usable, asker, &with_it, name, ("read", attribute));
                    let fast = decision.read.contains(attribute_id(view.schema(), attribute));
                    prop_assert_eq!(fast, obvious, "{} {} {}", asker.who, attribute, name);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    /// What is known of where somebody may search without looking at entries: nowhere else, and there for certain.
    #[test]
    fn nobody_searches_where_rules_rule_it_out(entries in tree(), texts in vec(rule(), 0..7), asker in asker(), base in any_name()) {
        let scene = Scene::in_memory();
        build(&scene, &entries);
        let view = scene.directory.view();
        let usable = usable(texts, view.schema());
        let rules = Rules::prepare(&usable, view.schema()).unwrap();
        let actor = fast_actor(&asker, &rules, &view);
        let base = Arc::new(dn(&view, base));
        for base in [None, Some(&base)] {
            let everywhere = actor.searches_everywhere(&rules, base);
            for attribute in ATTRIBUTES {
                let id = attribute_id(view.schema(), attribute);
                let searchable = actor.searchable(&rules, base.map(|base| &**base), &std::iter::once(id).collect());
                for name in entries.keys() {
                    let dn = dn(&view, name);
                    if base.is_some_and(|base| !dn.is_within(base)) {
                        continue;
                    }
                    let node = node_called(&view, name);
                    let is_in = |area: &Area<'_>| {
                        let facts = Facts { entries: &[&node.entry], searchable: view.schema().everything(), dn: &dn, schema: view.schema() };
                        area.reach.has(&dn)
                            && (area.among != Among::Own || asker.who == *name)
                            && area.filter.is_none_or(|filter| filter.evaluate(&facts) == Truth::True)
                    };
                    let may = obvious::may(&usable, &asker, &entries, name, ("search", attribute));
                    prop_assert!(!may || searchable.areas.iter().any(is_in), "{} {} {}", asker.who, attribute, name);
                    prop_assert!(!may || searchable.attributes.contains(id));
                    prop_assert!(may || !everywhere.contains(id), "{} {} {}", asker.who, attribute, name);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// What is answered is what is decided, with the guards; and some rule is told that makes it so.
    #[test]
    fn an_answer_is_the_decision(entries in tree(), texts in vec(rule(), 0..7), askers in vec(asker(), 2)) {
        let scene = Scene::in_memory();
        build(&scene, &entries);
        let view = scene.directory.view();
        let usable = usable(texts, view.schema());
        let rules = Rules::prepare(&usable, view.schema()).unwrap();
        for asker in &askers {
            let actor = fast_actor(asker, &rules, &view);
            let is_anonymous = asker.who == "anonymous";
            for name in entries.keys() {
                let node = node_called(&view, name);
                let ask = |right, attribute| {
                    explain::ask(&rules, &actor, &node, Wanted { right, attribute }, &view).unwrap()
                };
                let loses_denial = |name: &str| {
                    let dn = dn(&view, name);
                    escalation::closes(&dn, &actor, &rules, &view).unwrap().is_some()
                        || escalation::rests_on(&dn, &rules, actor.since).is_some()
                };
                let exceeded = || escalation::exceeds(node.uuid, &dn(&view, name), &actor, &rules, &view).unwrap().is_some();
                for right in Right::ALL.iter().copied().filter(|right| !right.is_per_attribute()) {
                    let granted = obvious::may(&usable, asker, &entries, name, (right.name(), ""));
                    let is_own = asker.who == *name;
                    let answer = ask(right, None);
                    let expected = granted && match right {
                        Right::ResetPassword => !is_own && !exceeded(),
                        Right::ImportHash => is_own || !exceeded(),
                        Right::Delete => !loses_denial(name),
                        Right::Rename => !entries.keys().any(|below| (below == name || name.is_empty() || below.ends_with(&format!(",{name}"))) && loses_denial(below)),
                        Right::Proxy => !is_anonymous && !matches!(answer.obstacle, Some(Obstacle::WouldEscalate(_))),
                        _ => true,
                    };
                    prop_assert_eq!(answer.is_yes(), expected, "{} {} {} {:?}", asker.who, right, name, answer);
                    prop_assert!(!answer.is_yes() || !answer.grants.is_empty() && answer.denials.is_empty());
                    prop_assert!(answer.grants.is_empty() || answer.is_yes() || !answer.denials.is_empty() || answer.obstacle.is_some());
                    prop_assert!(!answer.is_yes() || answer.at_times().is_none());
                }
                for right in [Right::Search, Right::Read, Right::Compare, Right::Write] {
                    let any = ask(right, None);
                    for attribute in ATTRIBUTES {
                        let answer = ask(right, Some(attribute_id(view.schema(), attribute)));
                        let granted = obvious::may(&usable, asker, &entries, name, (right.name(), attribute));
                        // Of `write`, some values are enough.
                        prop_assert!(!granted || answer.is_yes(), "{} {} {} {}", asker.who, right, attribute, name);
                        prop_assert!(right == Right::Write || granted || !answer.is_yes(), "{} {} {} {}", asker.who, right, attribute, name);
                        prop_assert!(!answer.is_yes() || !answer.grants.is_empty());
                        prop_assert!(!answer.is_yes() || any.is_yes());
                    }
                }
            }
        }
    }
}

/// A rule of the tree: who has written it, to whom it grants what, to which entries.
type Passed = (&'static str, &'static str, Vec<&'static str>, &'static str);

fn passed() -> impl Strategy<Value = Passed> {
    let people = || select(PEOPLE[..3].to_vec());
    let rights = subsequence(vec!["read", "reset-password", "delegate", "delete"], 1..3);
    (people(), people(), rights, select(vec!["", "ou=crew", "ou=teams", "uid=cy,ou=crew"]))
}

fn chain_rule(number: usize, (_, to, rights, point): &Passed, schema: &Schema) -> RuleText {
    let name = format!("cn=rule {number},{}", full_name(point));
    RuleText {
        name: name.clone(),
        source: Source::Entry(Arc::new(Dn::parse(schema, &name).unwrap())),
        who: vec![format!("dn:{}", full_name(to))],
        to: vec![format!("subtree:{}", full_name(point))],
        attributes: vec!["title".into()],
        allow: rights.iter().map(|&right| right.to_owned()).collect(),
        ..RuleText::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Rules of the tree that rest on each other: each that is in force has an author who holds what it grants, to each entry,
    /// by the configuration and rules that were in force before it; so nobody has anything by a circle.
    #[test]
    fn rules_in_force_rest_on_what_their_authors_hold(entries in tree(), texts in vec(rule(), 0..3), first in passed(), chain in vec(passed(), 0..7)) {
        let scene = Scene::in_memory();
        build(&scene, &entries);
        let view = scene.directory.view();
        let schema = view.schema();
        let (_, to, ..) = first;
        let grant = RuleText {
            who: vec![format!("dn:{}", full_name(to))],
            ..RuleText { source: Source::Made, ..chain_rule(0, &first, schema) }
        };
        let file: Vec<RuleText> = usable(texts, schema).into_iter().filter(|text| text.source == Source::Made).chain([grant]).collect();
        let uuid = |name: &str| Some(node_called(&view, name).uuid.to_string());
        let written: Vec<(&str, RuleText)> =
            chain.iter().enumerate().map(|(number, one)| (one.0, chain_rule(number + 1, one, schema))).collect();
        let come = written.iter().filter_map(|(author, text)| {
            let Source::Entry(dn) = &text.source else { return None };
            let rules = Rule::prepare(text, schema).unwrap().collect();
            Some(RuleEntry { dn: Arc::clone(dn), author: uuid(author), rules })
        });
        let amendment = Amendment { gone: Vec::new(), come: come.collect() };
        let prepared = Arc::new(Rules::prepare(&file, schema).unwrap());
        let fast = in_force_after(&amendment, Frame { file: &prepared, most: 100, withheld: &[] }, &view).unwrap();

        let reached = |text: &RuleText| {
            let base = text.to.concat().trim_start_matches("subtree:").to_owned();
            entries.keys().filter(move |name| full_name(name) == base || full_name(name).ends_with(&format!(",{base}")))
        };
        let holds = |by: &[RuleText], author: &str, text: &RuleText| {
            let asker = Asker { who: author.to_owned(), address: None, tls: None, method: None, time: TIMES[0] };
            // Conditions count as held for a grant, and not for a denial.
            let ever = by.iter().filter(|rule| rule.when.is_none() || rule.deny.is_empty()).map(|rule| RuleText { when: None, ..rule.clone() });
            let ever: Vec<RuleText> = ever.collect();
            let attribute = |right: &str| if right == "read" { "title" } else { "" };
            reached(text).all(|name| text.allow.iter().all(|right| obvious::may(&ever, &asker, &entries, name, (right, attribute(right)))))
        };
        let (mut slow, mut left) = (file, written);
        loop {
            let (more, rest): (Vec<_>, Vec<_>) = left.into_iter().partition(|(author, text)| holds(&slow, author, text));
            left = rest;
            if more.is_empty() {
                break;
            }
            slow.extend(more.into_iter().map(|(_, text)| text));
        }
        for rule in fast.rules.iter().filter(|rule| rule.is_delegated()) {
            prop_assert!(slow.iter().any(|text| text.source == rule.source), "{} is in force", rule.name);
        }
        prop_assert_eq!(fast.suspended.len() + fast.rules.iter().filter(|rule| rule.is_delegated()).count(), chain.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// What the control *get effective rights* tells is what is decided, for every right and attribute that it has a letter
    /// for; of a password, whether it may be set.
    #[test]
    fn effective_rights_are_the_decision(entries in tree(), texts in vec(rule(), 0..7), who in select(PEOPLE.to_vec())) {
        let scene = Scene::in_memory();
        build(&scene, &entries);
        let view = scene.directory.view();
        let all = ["*", "+", "password-state"].map(str::to_owned).to_vec();
        let root = RuleText {
            who: vec!["local-root".into()],
            to: vec!["everything".into()],
            attributes: all,
            allow: vec!["all".into()],
            ..RuleText::default()
        };
        let usable: Vec<RuleText> = usable(texts, view.schema()).into_iter().chain([root]).collect();
        scene.rule_by(&usable);
        let asker = Asker { who: who.to_owned(), address: None, tls: None, method: Some("external"), time: "20260601120000Z" };
        let rules = Rules::prepare(&usable, view.schema()).unwrap();
        let actor = fast_actor(&asker, &rules, &view);
        let question = format!("dn:{}", full_name(who));
        let control = RawControl { oid: oid::EFFECTIVE_RIGHTS.into(), critical: true, value: Some(question.into_bytes().into()) };
        let asked = [&ATTRIBUTES[..], &["userPassword"]].concat();
        for name in entries.keys() {
            let search = search_request(&full_name(name), Scope::BaseObject, "(objectClass=*)", &asked);
            let (found, response) = scene.root().send_search(&search, std::slice::from_ref(&control));
            // What rules keep from the superuser of the machine is not told.
            let (ResultCode::Success, [told]) = (response.result.code, found.as_slice()) else { continue };
            let may = |right: &str, attribute: &str| obvious::may(&usable, &asker, &entries, name, (right, attribute));
            let here = node_called(&view, name);
            let decision = Decider::new(&rules, &actor, view.schema()).decide(&here, &view).unwrap();
            let guards = Guards { refuses_policy: &refuses_policy, ..Guards::NONE };
            let barred = |right: Right| {
                let wanted = (Wanted { right, attribute: None }, &*decision);
                obstacle((&rules, &actor), (&here, &dn(&view, name)), wanted, guards, &view).unwrap().is_some()
            };
            let is_left = |right: &str| match right {
                "delete" => !barred(Right::Delete),
                "rename" => !barred(Right::Rename),
                _ => true,
            };
            let letters: String = [("a", "add"), ("d", "delete"), ("n", "rename")].into_iter().filter(|(_, right)| may(right, "") && is_left(right)).map(|(letter, _)| letter).collect();
            let level = told.texts("entryLevelRights").concat();
            prop_assert_eq!(level.trim_start_matches('v').replace("none", ""), letters, "{} {}", who, name);
            let attributes = told.texts("attributeLevelRights").concat();
            let of = |attribute: &str| attributes.split(", ").find_map(|one| one.strip_prefix(&format!("{attribute}:"))).unwrap_or_default().to_owned();
            for attribute in ATTRIBUTES {
                let told = of(attribute);
                for (letter, right) in [('r', "read"), ('s', "search"), ('c', "compare"), ('w', "write"), ('o', "write")] {
                    prop_assert_eq!(told.contains(letter) && told != "none", may(right, attribute), "{} {} {}: {}", who, name, attribute, told);
                }
            }
            let node = node_called(&view, name);
            let is_own = who == name;
            let guarded = || escalation::exceeds(node.uuid, &dn(&view, name), &actor, &rules, &view).unwrap().is_some();
            let may_set = if is_own { may("change-password", "") } else { may("reset-password", "") && !guarded() };
            prop_assert_eq!(of("userPassword") == "wo", may_set, "{} {}", who, name);
        }
    }
}
