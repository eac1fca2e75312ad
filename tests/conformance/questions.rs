//! What administrators ask of the access rules, answered by the same decisions that operations follow.

use std::sync::Arc;

use keystead::access::explain::{self, Answer, Caveat, Guards, Kind, Obstacle, Target, Wanted};
use keystead::access::rule::Source;
use keystead::access::when::WhenText;
use keystead::access::{Actor, Circumstances, Right, RuleText, Rules};
use keystead::directory::ResultCode::{InsufficientAccessRights, UnwillingToPerform};
use keystead::directory::tree::{Directory, Node, Tree};
use keystead::directory::{Dn, Identity, Timestamp};
use keystead::operations::policies::refuses_policy;
use keystead::operations::takeover::usual_recovery_attributes;

use crate::scene::{SUFFIX, Scene, full, rule, rules, short};
use crate::sentences;

fn node<D: Directory>(scene: &Scene<D>, name: &str) -> (Node, Arc<Dn>) {
    let view = scene.directory.view();
    let id = view.find(&Dn::parse(view.schema(), &full(name)).unwrap()).unwrap().entry().unwrap();
    (view.node(id).unwrap().unwrap(), view.dn(id).unwrap().unwrap())
}

/// Nothing but the time is known.
pub fn noon() -> Circumstances {
    Circumstances::unknown(Timestamp::parse(b"20260601120000Z").unwrap())
}

fn prepared<D: Directory>(scene: &Scene<D>, more: &[RuleText]) -> Rules {
    let texts: Vec<_> = rules().into_iter().chain(more.iter().cloned()).collect();
    Rules::prepare(&texts, scene.directory.view().schema()).unwrap()
}

fn actor<D: Directory>(scene: &Scene<D>, rules: &Rules, who: &str) -> Actor {
    let (somebody, dn) = node(scene, who);
    let identity = Identity::Entry { uuid: somebody.uuid, dn };
    Actor::find(identity, &noon(), rules, &scene.directory.view()).unwrap()
}

fn asked<D: Directory>(scene: &Scene<D>, rules: &Rules, who: &str, to: &str, right: Right) -> Answer {
    let view = scene.directory.view();
    explain::ask(rules, &actor(scene, rules, who), &node(scene, to).0, Wanted { right, attribute: None }, &view)
        .unwrap()
}

fn holders<D: Directory>(scene: &Scene<D>, rules: &Rules, to: &str, right: Right) -> (Vec<String>, Vec<Kind>) {
    let view = scene.directory.view();
    let wanted = Wanted { right, attribute: None };
    let (target, _) = node(scene, to);
    let found = explain::holders(rules, Target::There(&target), wanted, &noon(), Guards::NONE, &view).unwrap();
    (
        found.entries.iter().map(|(dn, _)| short(dn.as_str())).collect(),
        found.kinds.into_iter().map(|(kind, _)| kind).collect(),
    )
}

fn denying(name: &str, who: &str, to: &str, attributes: &[&str], right: Right) -> RuleText {
    RuleText { deny: vec![right.name().into()], ..rule(name, who, to, attributes, &[]) }
}

/// The same rule as somebody has written it into the tree.
fn in_tree(text: RuleText) -> RuleText {
    let dn = Dn::parse(&keystead::directory::Schema::standard(), &format!("cn=rule,{SUFFIX}")).unwrap();
    RuleText { source: Source::Entry(Arc::new(dn)), ..text }
}

/// Those to whom somebody may do something, as a loop over all entries finds them.
fn targets<D: Directory>(scene: &Scene<D>, rules: &Rules, who: &str, right: Right) -> Vec<String> {
    let view = scene.directory.view();
    let actor = actor(scene, rules, who);
    let wanted = Wanted { right, attribute: None };
    let nodes = view.nodes_after(None, usize::MAX).unwrap();
    let found = nodes.iter().filter(|node| explain::ask(rules, &actor, node, wanted, &view).unwrap().is_yes());
    found.map(|node| short(view.dn(node.id).unwrap().unwrap().as_str())).collect()
}

fn make_administrator<D: Directory>(scene: &Scene<D>, name: &str) {
    let join = format!("dn: cn=administrators,ou=groups\nchangetype: modify\nadd: member\nmember: {}\n-\n", full(name));
    assert_eq!(scene.root().change(&join), Ok(()));
}

sentences! {
    /// May hanna reset alice? By which rule?
    fn an_answer_names_the_rules_that_decide(scene) {
        let rules = prepared(scene, &[]);
        let granted = asked(scene, &rules, "hanna", "alice", Right::ResetPassword);
        assert!(granted.is_yes());
        let names: Vec<&str> = granted.grants.iter().map(|at| rules.iter().nth(*at).unwrap().name.as_str()).collect();
        assert_eq!(names, ["helpdesk"]);
        let nothing = asked(scene, &rules, "alice", "bob", Right::ResetPassword);
        assert_eq!(nothing, Answer::default());
        assert!(!nothing.is_yes());
    }

    /// A deny counts for more than every grant, and is told.
    fn a_deny_is_told_as_such(scene) {
        let mut deny = rule("not bob", "everyone", &format!("entry:{}", full("bob")), &[], &[]);
        deny.deny = vec!["reset-password".into()];
        let rules = prepared(scene, &[deny]);
        let denied = asked(scene, &rules, "hanna", "bob", Right::ResetPassword);
        assert_eq!((denied.grants.len(), denied.denials.len(), denied.is_yes()), (1, 1, false));
        assert!(asked(scene, &rules, "hanna", "alice", Right::ResetPassword).is_yes());
    }

    /// The guard against resetting upwards is an obstacle, told with the rule by which the owner holds more.
    fn an_escalation_is_told_with_the_rule(scene) {
        let join = format!("dn: cn=administrators,ou=groups\nchangetype: modify\nadd: member\nmember: {}\n-\n", full("bob"));
        assert_eq!(scene.root().change(&join), Ok(()));
        let rules = prepared(scene, &[]);
        let refused = asked(scene, &rules, "hanna", "bob", Right::ResetPassword);
        assert_eq!(refused.obstacle, Some(Obstacle::WouldEscalate("administrators".into())));
        assert!(!refused.is_yes());
    }

    /// Who can reset alice? Members of groups in groups are named, those who must not are left out.
    fn holders_are_named_through_nested_groups(scene) {
        let nested = format!(
            "dn: cn=night,ou=groups\nchangetype: add\nobjectClass: groupOfNames\nmember: {}\n\n\
             dn: cn=helpdesk,ou=groups\nchangetype: modify\nadd: member\nmember: cn=night,ou=groups,{SUFFIX}\n-\n",
            full("bob"),
        );
        assert_eq!(scene.root().change(&nested), Ok(()));
        let rules = prepared(scene, &[]);
        let (names, kinds) = holders(scene, &rules, "alice", Right::ResetPassword);
        let helpdesk = ["uid=bob,ou=people", "uid=hanna,ou=people", "uid=henry,ou=people"];
        assert_eq!(names.iter().filter(|name| !name.starts_with("cn=")).collect::<Vec<_>>(), helpdesk);
        assert!(names.contains(&"cn=admin".to_owned()));
        assert_eq!(kinds, [Kind::LocalRoot]);
        assert_eq!(holders(scene, &rules, "alice", Right::ChangePassword).0.last().unwrap(), "uid=alice,ou=people");
        assert_eq!(holders(scene, &rules, "alice", Right::Authenticate).1, [Kind::LocalRoot, Kind::Everyone]);
    }

    /// A denial in the tree takes nothing from what the configuration grants, and is then not told either.
    fn a_denial_in_the_tree_takes_nothing_from_the_configuration(scene) {
        let everybody = || denying("no", "everyone", "everything", &[], Right::ResetPassword);
        let rules = prepared(scene, &[in_tree(everybody())]);
        let granted = asked(scene, &rules, "hanna", "alice", Right::ResetPassword);
        assert!(granted.is_yes() && granted.denials.is_empty(), "{granted:?}");
        let bobs = in_tree(rule("bobs", &format!("dn:{}", full("bob")), "everything", &[], &["reset-password"]));
        let rules = prepared(scene, &[in_tree(everybody()), bobs]);
        let denied = asked(scene, &rules, "bob", "alice", Right::ResetPassword);
        assert!(!denied.is_yes());
        assert_eq!((denied.grants.len(), denied.denials.len()), (1, 1));
    }

    /// What is denied of one attribute leaves the others.
    fn a_denial_of_one_attribute_leaves_the_others(scene) {
        let rules = prepared(scene, &[denying("no mail", "everyone", "everything", &["mail"], Right::Read)]);
        let some = asked(scene, &rules, "bob", "alice", Right::Read);
        assert!(some.is_yes());
        assert_eq!(some.denials.len(), 1, "it is told that a part is denied");
        assert!(!targets(scene, &rules, "bob", Right::Read).is_empty());
        let view = scene.directory.view();
        let of = |name: &str| {
            let attribute = view.schema().find_attribute_type(name).map(|attribute| attribute.id);
            let wanted = Wanted { right: Right::Read, attribute };
            explain::ask(&rules, &actor(scene, &rules, "bob"), &node(scene, "alice").0, wanted, &view).unwrap()
        };
        assert!(of("cn").is_yes() && of("cn").denials.is_empty() && !of("mail").is_yes());
        assert_eq!(of("userPassword").obstacle, Some(Obstacle::Secret));
    }

    /// A kind of people is told only if somebody of that kind may, whatever the words of the rule are.
    fn kinds_are_told_as_it_is_decided(scene) {
        let kinds = |more: &[RuleText], to: &str, right| holders(scene, &prepared(scene, more), to, right).1;
        let may = |right: &str| rule("wide", "authenticated", "everything", &[], &[right]);
        assert_eq!(kinds(&[may("reset-password")], "cn=admin", Right::ResetPassword), [Kind::LocalRoot]);
        assert_eq!(kinds(&[may("reset-password")], "alice", Right::ResetPassword), [Kind::LocalRoot, Kind::Authenticated]);
        let filtered = RuleText { filter: Some("(cn=nobody)".into()), ..may("delete") };
        assert_eq!(kinds(&[filtered], "alice", Right::Delete), [Kind::LocalRoot]);
        let never = denying("never", "authenticated", "everything", &[], Right::Delete);
        assert_eq!(kinds(&[may("delete"), never], "alice", Right::Delete), []);
        let by_tls = RuleText { when: Some(WhenText { tls: Some("1.3".into()), ..WhenText::default() }), ..may("delete") };
        let rules = prepared(scene, &[by_tls]);
        let wanted = Wanted { right: Right::Delete, attribute: None };
        let found = explain::holders(&rules, Target::There(&node(scene, "alice").0), wanted, &noon(), Guards::NONE, &scene.directory.view()).unwrap();
        assert_eq!(found.kinds.iter().map(|(kind, _)| kind.clone()).collect::<Vec<_>>(), [Kind::LocalRoot]);
        assert_eq!(found.kinds_at_times.iter().map(|(kind, _)| kind.clone()).collect::<Vec<_>>(), [Kind::Authenticated]);
        let all_but = denying("but hanna", &format!("dn:{}", full("hanna")), "everything", &[], Right::Delete);
        let rules = prepared(scene, &[may("delete"), all_but]);
        let found = explain::holders(&rules, Target::There(&node(scene, "alice").0), wanted, &noon(), Guards::NONE, &scene.directory.view()).unwrap();
        assert_eq!(found.exceptions.len(), 1);
    }

    /// Where the guard keeps a kind of people from it, those of them who hold enough are named.
    fn whoever_passes_the_guard_is_named(scene) {
        make_administrator(scene, "bob");
        let wide = rule("wide", "authenticated", "everything", &[], &["reset-password"]);
        let (names, kinds) = holders(scene, &prepared(scene, &[wide]), "cn=admin", Right::ResetPassword);
        assert_eq!((names, kinds), (vec!["uid=bob,ou=people".to_owned()], vec![Kind::LocalRoot]));
    }

    /// Acting as somebody, and locking somebody out, are guarded as resets are; oneself one never resets.
    fn every_guard_is_told(scene) {
        make_administrator(scene, "bob");
        let hanna = format!("dn:{}", full("hanna"));
        let rights = ["proxy", "unlock", "import-hash", "reset-password"];
        let rules = prepared(scene, &[rule("much", &hanna, "everything", &[], &rights)]);
        let exceeds = Some(Obstacle::WouldEscalate("administrators".into()));
        for right in [Right::Proxy, Right::ImportHash, Right::ResetPassword] {
            let refused = asked(scene, &rules, "hanna", "bob", right);
            assert_eq!((refused.is_yes(), refused.obstacle), (false, exceeds.clone()), "{right}");
            assert!(asked(scene, &rules, "hanna", "alice", right).is_yes(), "{right}");
        }
        let unlock = asked(scene, &rules, "hanna", "bob", Right::Unlock);
        assert!(unlock.is_yes());
        assert_eq!(unlock.caveat, Some(Caveat::CannotLock("administrators".into())));
        assert_eq!(asked(scene, &rules, "hanna", "alice", Right::Unlock).caveat, None);
        let own = asked(scene, &rules, "hanna", "hanna", Right::ResetPassword);
        assert_eq!((own.is_yes(), own.obstacle), (false, Some(Obstacle::Oneself)));
        let named = rule("named", &hanna, &format!("entry:{}", full("bob")), &[], &["proxy"]);
        assert!(asked(scene, &prepared(scene, &[named]), "hanna", "bob", Right::Proxy).is_yes());
    }

    /// Whom can hanna reset? Those below `ou=people`, but neither administrators nor herself.
    fn whom_somebody_may_do_it_to(scene) {
        make_administrator(scene, "bob");
        let rules = prepared(scene, &[]);
        let mut people = targets(scene, &rules, "hanna", Right::ResetPassword);
        people.sort();
        assert!(people.contains(&"uid=alice,ou=people".to_owned()), "{people:?}");
        assert!(people.iter().all(|name| name.ends_with("ou=people")), "{people:?}");
        assert!(!people.iter().any(|name| name.starts_with("uid=bob") || name.starts_with("uid=hanna")), "{people:?}");
        assert_eq!(targets(scene, &rules, "alice", Right::ResetPassword), Vec::<String>::new());
        assert_eq!(targets(scene, &rules, "alice", Right::ChangePassword), ["uid=alice,ou=people"]);
    }

    /// Of an entry that is not there yet, the name decides; what a filter asks of it is not known.
    fn an_entry_that_is_not_there_yet_can_be_asked_about(scene) {
        let hanna = format!("dn:{}", full("hanna"));
        let people = format!("below:ou=people,{SUFFIX}");
        let add = rule("joiners", &hanna, &people, &[], &["add"]);
        let view = scene.directory.view();
        let ask = |rules: &Rules, name: &str| {
            let dn = Dn::parse(view.schema(), &full(name)).unwrap();
            let wanted = Wanted { right: Right::Add, attribute: None };
            explain::ask_new(rules, &actor(scene, rules, "hanna"), &dn, wanted, &view).unwrap()
        };
        let rules = prepared(scene, std::slice::from_ref(&add));
        assert!(ask(&rules, "newcomer").is_yes() && !ask(&rules, "cn=newcomer,ou=groups").is_yes());
        let rules = prepared(scene, &[RuleText { filter: Some("(objectClass=person)".into()), ..add.clone() }]);
        let unknown = ask(&rules, "newcomer");
        assert_eq!((unknown.is_yes(), unknown.grants.len(), unknown.suspended.len()), (false, 0, 1));
        // A name that a rule gives more to is nobody's to take.
        let named = rule("named", &format!("dn:{}", full("newcomer")), "everything", &[], &["delete"]);
        assert_eq!(ask(&prepared(scene, &[add, named]), "newcomer").obstacle, Some(Obstacle::WouldEscalate("named".into())));
    }

    /// Who may add somebody who is not there yet? Whom a filter decides about may under other circumstances.
    fn who_may_add_what_is_not_there_yet_is_told(scene) {
        let people = format!("below:ou=people,{SUFFIX}");
        let hanna = rule("joiners", &format!("dn:{}", full("hanna")), &people, &[], &["add"]);
        let filtered = RuleText {
            filter: Some("(objectClass=person)".into()),
            ..rule("persons", &format!("dn:{}", full("henry")), &people, &[], &["add"])
        };
        let rules = prepared(scene, &[hanna, filtered, rule("own", "self", &people, &[], &["add"])]);
        let view = scene.directory.view();
        let dn = Dn::parse(view.schema(), &full("newcomer")).unwrap();
        let wanted = Wanted { right: Right::Add, attribute: None };
        let found = explain::holders(&rules, Target::New(&dn), wanted, &noon(), Guards::NONE, &view).unwrap();
        let names = |some: &[(Arc<Dn>, usize)]| some.iter().map(|(dn, _)| short(dn.as_str())).collect::<Vec<_>>();
        assert_eq!(names(&found.entries), ["cn=admin", "uid=hanna,ou=people"]);
        assert_eq!(names(&found.at_times), ["uid=henry,ou=people"]);
        assert_eq!(found.kinds.into_iter().map(|(kind, _)| kind).collect::<Vec<_>>(), [Kind::LocalRoot]);
    }

    /// What has power over somebody who holds more is not written, whatever rules grant; and nobody takes away a denial. The
    /// server refuses the same.
    fn what_operations_refuse_is_told(scene) {
        make_administrator(scene, "bob");
        let policy = "dn: cn=mine,ou=policies\nobjectClass: device\nobjectClass: pwdPolicy\nobjectClass: keysteadPolicy\ncn: mine\n\
                      pwdAttribute: userPassword\npwdAppliesToSubtree: uid=bob,ou=people,dc=example,dc=com\n\n\
                      dn: cn=bound,ou=groups\nobjectClass: groupOfNames\ncn: bound\nmember: uid=henry,ou=people,dc=example,dc=com\n";
        assert_eq!(scene.root().change(policy), Ok(()));
        let hanna = format!("dn:{}", full("hanna"));
        let all = ["write", "delete", "rename"];
        let much = rule("much", &hanna, &format!("subtree:{SUFFIX}"), &["*", "pwdPolicySubentry"], &all);
        let bound = format!("group:cn=bound,ou=groups,{SUFFIX}");
        let denied = denying("bound", &bound, &format!("entry:{}", full("alice")), &["description"], Right::Write);
        let texts = [much, denied];
        let rules = prepared(scene, &texts);
        scene.rule_by(&crate::scene::rules().into_iter().chain(texts).collect::<Vec<_>>());
        let view = scene.directory.view();
        let recovery = usual_recovery_attributes(view.schema());
        let guards = Guards { recovery: &recovery, refuses_policy: &refuses_policy };
        let ask = |to: &str, right, attribute: Option<&str>| {
            let attribute = attribute.map(|name| view.schema().find_attribute_type(name).unwrap().id);
            let wanted = Wanted { right, attribute };
            let (target, _) = node(scene, to);
            explain::ask_guarded(&rules, &actor(scene, &rules, "hanna"), Target::There(&target), wanted, guards, &view).unwrap()
        };
        let exceeds = Some(Obstacle::WouldEscalate("administrators".into()));
        let client = scene.client("hanna");
        for (attribute, value) in [("mobile", "+49 30 1234"), ("pwdPolicySubentry", "cn=default,ou=policies,dc=example,dc=com")] {
            let refused = ask("bob", Right::Write, Some(attribute));
            assert_eq!((refused.is_yes(), refused.obstacle), (false, exceeds.clone()), "{attribute}");
            let modify = |who: &str| {
                client.change(&format!("dn: {}\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n-\n", full(who)))
            };
            assert_eq!(modify("bob"), Err(InsufficientAccessRights), "{attribute}");
            assert!(ask("alice", Right::Write, Some(attribute)).is_yes(), "{attribute}");
            assert_eq!(modify("alice"), Ok(()), "{attribute}");
        }
        assert!(ask("bob", Right::Write, Some("description")).is_yes() && ask("bob", Right::Write, None).is_yes());
        let delete = |name: &str| client.change(&format!("dn: {name}\nchangetype: delete\n"));
        let rename = |name: &str, rdn: &str| {
            client.change(&format!("dn: {name}\nchangetype: modrdn\nnewrdn: {rdn}\ndeleteoldrdn: 1\n"))
        };
        let policy = "cn=mine,ou=policies";
        assert_eq!(ask(policy, Right::Delete, None).obstacle, Some(Obstacle::GovernsMore));
        assert_eq!(delete(policy), Err(InsufficientAccessRights));
        assert_eq!(ask(policy, Right::Write, Some("pwdMinLength")).obstacle, Some(Obstacle::GovernsMore));
        // So with the default, which governs everybody, and with what is above it.
        assert_eq!(ask("cn=default,ou=policies", Right::Write, Some("pwdMaxFailure")).obstacle, Some(Obstacle::GovernsMore));
        assert_eq!(ask("ou=policies", Right::Rename, None).obstacle, Some(Obstacle::GovernsMore));
        assert_eq!(rename("ou=policies", "ou=rules"), Err(InsufficientAccessRights));
        let stands = Some(Obstacle::DenialStands("bound".into()));
        for right in [Right::Delete, Right::Rename] {
            assert_eq!(ask("cn=bound,ou=groups", right, None).obstacle, stands, "{right}");
            assert!(ask("cn=helpdesk,ou=groups", right, None).is_yes(), "{right}");
        }
        assert_eq!((delete("cn=bound,ou=groups"), rename("cn=bound,ou=groups", "cn=free")), (Err(UnwillingToPerform), Err(UnwillingToPerform)));
        // What stands above it would take it along.
        assert_eq!(ask("ou=groups", Right::Rename, None).obstacle, stands);
        assert_eq!(rename("ou=groups", "ou=teams"), Err(UnwillingToPerform));
    }
}
