//! What a search costs tells nothing of what the requester may not search: no index is asked for it, no entry is looked at
//! because of it, and no limit is reached sooner (docs/access.md, "What the time of a search tells").

use std::fmt::Write as _;

use keystead::access::RuleText;
use keystead::directory::ResultCode::Success;
use keystead::directory::tree::Directory;
use keystead::directory::tree::Scope::{self, SingleLevel, Subordinates, WholeSubtree};

use crate::scene::client::Work;
use crate::scene::{SEE, SUFFIX, Scene, full, rule, rules, search_request};
use crate::sentences;

#[cfg(feature = "server")]
mod found {
    use keystead::directory::tree::Scope::{SingleLevel, Subordinates, WholeSubtree};
    use keystead::directory::tree::{Directory, Tree};
    use proptest::collection::vec;
    use proptest::prelude::*;

    use crate::access_proof::{Entries, GROUPS, PEOPLE, build, full_name, rule, tree, usable};
    use crate::scene::Scene;

    fn filters() -> Vec<String> {
        let (ada, one) = (full_name("uid=ada,ou=crew"), full_name("cn=one,ou=teams"));
        let plain = ["(title=x)", "(title=*)", "(!(title=x))", "(|(title=x)(sn=y))", "(&(title=x)(sn=y))", "(name=y)"];
        let named = ["owner", "member", "uniqueMember", "memberOf"].into_iter().flat_map(|attribute| {
            [&ada, &one].into_iter().flat_map(move |name| {
                [format!("({attribute}={name})"), format!("({attribute}:1.2.840.113556.1.4.1941:={name})")]
            })
        });
        plain.into_iter().map(str::to_owned).chain(named).collect()
    }

    fn found<D: Directory>(scene: &Scene<D>, who: &str) -> Vec<Result<Vec<String>, keystead::directory::ResultCode>> {
        let client = scene.client(&full_name(who));
        let mut all = Vec::new();
        for scope in [WholeSubtree, SingleLevel, Subordinates] {
            for base in ["", "ou=crew", "ou=teams"] {
                all.extend(filters().iter().map(|filter| client.names(&full_name(base), scope, filter)));
            }
        }
        all
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever rules there are: what indexes are not asked for could not have been found.
        #[test]
        fn is_the_same_with_indexes_and_without(entries in tree(), texts in vec(rule(), 0..7)) {
            let (plain, indexed) = (Scene::in_memory(), Scene::on_disk());
            let rules = usable(texts, plain.directory.view().schema());
            let fill = |entries: &Entries| (build(&plain, entries), build(&indexed, entries));
            fill(&entries);
            plain.rule_by(&rules);
            indexed.rule_by(&rules);
            for who in PEOPLE.iter().chain(&GROUPS[..1]) {
                prop_assert_eq!(found(&plain, who), found(&indexed, who), "{}", who);
            }
        }
    }
}

/// So many entries have what is guessed at: more than are candidates whatever they hold.
const MANY: usize = 60;

/// People who have the number 4711, one who has 4712, and a group of them all. Those with the odd numbers stand in another unit.
fn many_have_it<D: Directory>(scene: &Scene<D>) {
    let mut records = "dn: ou=hidden\nobjectClass: organizationalUnit\n\n".to_owned();
    let mut members = String::new();
    for number in 0..=MANY {
        let unit = if number % 2 == 0 { "people" } else { "hidden" };
        let name = format!("uid=m{number},ou={unit}");
        let (employee, title) = if number == MANY { (4712, "Boss") } else { (4711, "Clerk") };
        let manager = full("bob");
        write!(
            records,
            "dn: {name}\nobjectClass: inetOrgPerson\ncn: m\nsn: m\nemployeeNumber: {employee}\ntitle: {title}\nmanager: {manager}\n\n"
        )
        .unwrap();
        writeln!(members, "member: {}", full(&name)).unwrap();
    }
    let group = format!("dn: cn=many,ou=groups\nobjectClass: groupOfNames\n{members}\n");
    assert_eq!(scene.root().change(&[records, group].concat()), Ok(()));
}

/// Anybody who has authenticated finds others by this, and by nothing else.
fn by_names_alone() -> RuleText {
    rule("names", "authenticated", &format!("subtree:{SUFFIX}"), &["objectClass", "cn", "sn", "uid", "ou"], SEE)
}

fn work<D: Directory>(scene: &Scene<D>, who: &str, scope: Scope, filter: &str) -> Work {
    let base = if scope == SingleLevel { full("ou=people") } else { SUFFIX.to_owned() };
    scene.client(who).work_of(&search_request(&base, scope, filter, &["uid", "employeeNumber"]))
}

/// Guesses that come to the same, as far as whoever guesses may know: each with one that is right and one that is wrong.
fn guesses() -> Vec<[String; 2]> {
    let (many, nothing) = (full("cn=many,ou=groups"), full("cn=nothing,ou=groups"));
    let pair = |right: &str, wrong: &str| [right.to_owned(), wrong.to_owned()];
    vec![
        pair("(employeeNumber=4711)", "(employeeNumber=4713)"),
        pair("(employeeNumber=471*)", "(employeeNumber=999*)"),
        pair("(employeeNumber~=4711)", "(employeeNumber~=4713)"),
        pair("(employeeNumber>=4000)", "(employeeNumber>=9000)"),
        pair("(employeeNumber<=9000)", "(employeeNumber<=1000)"),
        pair("(employeeNumber:caseIgnoreMatch:=4711)", "(employeeNumber:caseIgnoreMatch:=4713)"),
        pair("(employeeNumber=*)", "(carLicense=*)"),
        pair("(&(objectClass=person)(employeeNumber=4711))", "(&(objectClass=person)(employeeNumber=4713))"),
        pair("(&(cn=m)(!(employeeNumber=4711)))", "(&(cn=m)(!(employeeNumber=4713)))"),
        pair("(|(uid=alice)(employeeNumber=4711))", "(|(uid=alice)(employeeNumber=4713))"),
        pair("(!(|(uid=alice)(employeeNumber=4711)))", "(!(|(uid=alice)(employeeNumber=4713)))"),
        pair("(title=Clerk)", "(title=Nobody)"),
        pair(&format!("(manager={})", full("bob")), &format!("(manager={})", full("alice"))),
        pair(
            &format!("(manager:1.2.840.113556.1.4.1941:={})", full("bob")),
            &format!("(manager:1.2.840.113556.1.4.1941:={})", full("alice")),
        ),
        pair(&format!("(memberOf={many})"), &format!("(memberOf={nothing})")),
        pair(&format!("(isMemberOf={many})"), &format!("(isMemberOf={nothing})")),
        pair(&format!("(member={})", full("uid=m0,ou=people")), &format!("(member={})", full("uid=m999,ou=people"))),
    ]
}

/// Those of them that are about no names.
fn about_values() -> Vec<[String; 2]> {
    guesses().into_iter().filter(|[right, _]| !right.contains("dc=")).collect()
}

fn tell_nothing<D: Directory>(scene: &Scene<D>, who: &str, guesses: &[[String; 2]]) {
    for scope in [WholeSubtree, SingleLevel, Subordinates] {
        for [right, wrong] in guesses {
            let (of_right, of_wrong) = (work(scene, who, scope, right), work(scene, who, scope, wrong));
            assert_eq!(of_right, of_wrong, "{who}: {right} and {wrong}, {scope:?}");
            assert_eq!(of_right.code, Success);
        }
    }
}

sentences! {
    /// RFC 4511 §4.5.1.7: what may not be searched is Undefined; and so it is before anything is looked for.
    fn what_may_be_searched_nowhere_costs_nothing_whatever_there_is(scene) {
        many_have_it(scene);
        scene.rule_by(&[by_names_alone()]);
        tell_nothing(scene, "bob", &guesses());
    }

    /// That everybody may search themselves makes no difference: they alone are looked at.
    fn what_somebody_may_search_of_themselves_is_looked_for_there(scene) {
        many_have_it(scene);
        let own = rule("oneself", "self", &format!("subtree:{SUFFIX}"), &["*", "+"], SEE);
        scene.rule_by(&[by_names_alone(), own]);
        let one = scene.client("uid=m60,ou=people");
        assert_eq!(one.names(SUFFIX, WholeSubtree, "(employeeNumber=4712)").unwrap().len(), 1);
        assert_eq!(one.names(SUFFIX, WholeSubtree, "(employeeNumber=4711)").unwrap().len(), 0);
        tell_nothing(scene, "bob", &guesses());
        let about_others: Vec<_> = guesses().into_iter().filter(|[right, _]| right.contains("=4711")).collect();
        tell_nothing(scene, "uid=m60,ou=people", &about_others);
    }

    /// Nor does it that they may search few entries that a rule names, or that match its filter or hold their name, where
    /// indexes know which these are.
    fn what_may_be_searched_in_few_entries_is_looked_for_there(scene) {
        many_have_it(scene);
        let tree = format!("subtree:{SUFFIX}");
        let numbers = |who: &str, to: &str| rule("numbers", who, to, &["employeeNumber", "title", "carLicense"], SEE);
        let few = [
            by_names_alone(),
            numbers("authenticated", &format!("entry:{}", full("alice"))),
            RuleText { filter: Some("(mail=alice@example.com)".into()), ..numbers("authenticated", &tree) },
            numbers("attribute:manager", &tree),
        ];
        scene.rule_by(&few);
        tell_nothing(scene, "henry", &about_values());
        let number = "dn: alice\nchangetype: modify\nreplace: employeeNumber\nemployeeNumber: 4711\n-\n";
        scene.rule_by(&rules());
        assert_eq!(scene.root().change(number), Ok(()));
        scene.rule_by(&few);
        assert_eq!(scene.client("henry").names(SUFFIX, WholeSubtree, "(employeeNumber=4711)").unwrap().len(), 1);
    }

    /// Who is in a group that may not be known of is not looked for, though everybody's groups may be searched.
    fn a_hidden_group_has_no_members_to_look_at(scene) {
        many_have_it(scene);
        let all = rule("all", "authenticated", &format!("subtree:ou=people,{SUFFIX}"), &["*", "+"], SEE);
        let tree = rule("tree", "authenticated", &format!("entry:{SUFFIX}"), &["*", "+"], SEE);
        scene.rule_by(&[tree, all]);
        let groups: Vec<_> = guesses().into_iter().filter(|[right, _]| right.contains("emberOf=")).collect();
        assert_eq!(groups.len(), 2);
        for [right, wrong] in groups {
            let (of_right, of_wrong) = (work(scene, "bob", WholeSubtree, &right), work(scene, "bob", WholeSubtree, &wrong));
            // The group itself is looked at, as any entry that is named.
            assert_eq!(of_right, Work { entries: of_wrong.entries + 1, ..of_wrong });
        }
    }

    /// What is denied wherever the search reaches is searched nowhere, whatever grants it.
    fn what_is_denied_everywhere_costs_nothing(scene) {
        many_have_it(scene);
        let all = rule("all", "authenticated", "everything", &["*", "+"], SEE);
        let denial = RuleText {
            deny: vec!["search".into()],
            ..rule("no numbers", "authenticated", &format!("subtree:{SUFFIX}"), &["employeeNumber", "title", "carLicense"], &[])
        };
        scene.rule_by(&[all, denial]);
        tell_nothing(scene, "bob", &about_values());
    }
}
