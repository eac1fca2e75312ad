//! What administrators ask of the access rules, answered by the same decisions that operations follow.

use std::sync::Arc;

use keystead::access::explain::{self, Answer, Kind, Obstacle, Wanted};
use keystead::access::{Actor, Circumstances, Right, Rules};
use keystead::directory::tree::{Directory, Node, Tree};
use keystead::directory::{Dn, Identity, Timestamp};

use crate::scene::{SUFFIX, Scene, full, rule, rules, short};
use crate::sentences;

fn node<D: Directory>(scene: &Scene<D>, name: &str) -> (Node, Arc<Dn>) {
    let view = scene.directory.view();
    let id = view.find(&Dn::parse(view.schema(), &full(name)).unwrap()).unwrap().entry().unwrap();
    (view.node(id).unwrap().unwrap(), view.dn(id).unwrap().unwrap())
}

/// Nothing but the time is known.
fn noon() -> Circumstances {
    Circumstances::unknown(Timestamp::parse(b"20260601120000Z").unwrap())
}

fn prepared<D: Directory>(scene: &Scene<D>, more: &[keystead::access::RuleText]) -> Rules {
    let texts: Vec<_> = rules().into_iter().chain(more.iter().cloned()).collect();
    Rules::prepare(&texts, scene.directory.view().schema()).unwrap()
}

fn asked<D: Directory>(scene: &Scene<D>, rules: &Rules, who: &str, to: &str, right: Right) -> Answer {
    let view = scene.directory.view();
    let (somebody, dn) = node(scene, who);
    let identity = Identity::Entry { uuid: somebody.uuid, dn };
    let actor = Actor::find(identity, &noon(), rules, &view).unwrap();
    explain::ask(rules, &actor, &node(scene, to).0, Wanted { right, attribute: None }, &view).unwrap()
}

fn holders<D: Directory>(scene: &Scene<D>, rules: &Rules, to: &str, right: Right) -> (Vec<String>, Vec<Kind>) {
    let view = scene.directory.view();
    let wanted = Wanted { right, attribute: None };
    let found = explain::holders(rules, &node(scene, to).0, wanted, &noon(), &view).unwrap();
    (
        found.entries.iter().map(|dn| short(dn.as_str())).collect(),
        found.kinds.into_iter().map(|(kind, _)| kind).collect(),
    )
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
        assert_eq!(nothing, Answer { grants: vec![], denials: vec![], suspended: vec![], obstacle: None });
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
}
