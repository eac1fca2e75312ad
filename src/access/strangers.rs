//! Those whom nobody knows yet, each found out about once: whoever binds is one of them until their password is right.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::circumstances::{Method, Protection, Remote};
use super::{Actor, Circumstances, Rules};
use crate::directory::Identity;
use crate::directory::tree::{SAME_CHANGE, Tree, TreeError, Version};

/// So many are remembered; then it begins anew.
const MOST: usize = 1_000;

/// The anonymous actors of late. What was decided for one is known to all who ask under the same circumstances.
#[derive(Debug, Default)]
pub(super) struct Strangers(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// The [`Tree::membership_version`] at which they were found.
    version: Version,
    actors: HashMap<Kind, Arc<Actor>, foldhash::fast::RandomState>,
}

/// What rules can tell strangers apart by, but for the time; nothing, if no rule has conditions.
type Kind = Option<(Option<Remote>, Option<Protection>, Option<Method>)>;

impl Strangers {
    /// Whoever has not authenticated. `rules` are those in force in `tree`.
    pub(super) fn find(
        &self,
        circumstances: &Circumstances,
        rules: &Rules,
        tree: &dyn Tree,
    ) -> Result<Arc<Actor>, TreeError> {
        let (kind, version) = (kind(circumstances, rules), tree.membership_version());
        if let Some(known) = self.known(kind, version, circumstances) {
            return Ok(known);
        }
        let actor = Arc::new(Actor::find(Identity::Anonymous, circumstances, rules, tree)?);
        self.keep(kind, version, &actor);
        Ok(actor)
    }

    fn known(&self, kind: Kind, version: Version, circumstances: &Circumstances) -> Option<Arc<Actor>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let actor = known.actors.get(&kind).filter(|_| known.version == version).map(Arc::clone);
        drop(known);
        actor.filter(|actor| actor.is_current(circumstances.now))
    }

    /// Whoever still looks at an earlier moment must not have everybody else look again.
    fn keep(&self, kind: Kind, version: Version, actor: &Arc<Actor>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.version > version || version == SAME_CHANGE {
            return;
        }
        if known.version < version || known.actors.len() >= MOST {
            known.actors.clear();
            known.version = version;
        }
        known.actors.insert(kind, Arc::clone(actor));
    }
}

fn kind(circumstances: &Circumstances, rules: &Rules) -> Kind {
    let Circumstances { remote, protection, method, .. } = *circumstances;
    rules.iter().any(|rule| rule.when.is_some()).then_some((remote, protection, method))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::RuleText;
    use crate::access::when::WhenText;
    use crate::directory::tree::Directory;
    use crate::directory::tree::memory::MemoryDirectory;
    use crate::directory::{Dn, Schema, Timestamp};

    fn rules(schema: &Schema, when: Option<WhenText>) -> Rules {
        let words = |word: &str| vec![word.to_owned()];
        let (who, to, allow) = (words("everyone"), words("everything"), words("read"));
        Rules::prepare(&[RuleText { who, to, when, allow, ..RuleText::default() }], schema).unwrap()
    }

    fn at(address: [u8; 4]) -> Circumstances {
        let remote = Some(Remote::Address(address.into()));
        Circumstances { remote, ..Circumstances::unknown(Timestamp::default()) }
    }

    #[test]
    fn strangers_are_told_apart_by_what_rules_ask_of_them() {
        let schema = Schema::standard();
        let suffix = Dn::parse(&schema, "dc=example").unwrap();
        let unconditional = rules(&schema, None);
        let of_a_network = rules(&schema, Some(WhenText { network: vec!["10.0.0.0/8".into()], ..WhenText::default() }));
        let directory = MemoryDirectory::new(schema, vec![suffix]);
        let tree = directory.view();
        let found = |rules: &Rules, strangers: &Strangers| {
            [[10, 0, 0, 1], [10, 0, 0, 1], [192, 0, 2, 1]].map(|from| strangers.find(&at(from), rules, &tree).unwrap())
        };
        let [one, same, other] = found(&unconditional, &Strangers::default());
        assert!(Arc::ptr_eq(&one, &same) && Arc::ptr_eq(&one, &other));
        let [one, same, other] = found(&of_a_network, &Strangers::default());
        assert!(Arc::ptr_eq(&one, &same) && !Arc::ptr_eq(&one, &other));
        assert!(one.may_see_something(&of_a_network) && !other.may_see_something(&of_a_network));
    }
}
