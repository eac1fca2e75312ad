//! What keeps somebody from what rules grant them: the guards that operations put before it.

use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

use super::{Caveat, Obstacle, Question, Target, Wanted};
use crate::access::bearers::{Bearers, bearers};
use crate::access::paths::RefusesPolicy;
use crate::access::rule::{Rule, Rules};
use crate::access::{Actor, Decision, Right, escalation, proxy};
use crate::directory::schema::AttributeSet;
use crate::directory::tree::{Node, Tree, TreeError};
use crate::directory::{AttributeTypeId, Dn, Entry, Identity};

/// So many entries below one that is renamed are looked at, as many as are renamed at once.
const MOST_BELOW: usize = 10_000;

/// What operations keep people from, of which rules know nothing by themselves.
#[derive(Clone, Copy)]
pub struct Guards<'g> {
    /// Where lost passwords are recovered: written of nobody who holds more.
    pub recovery: &'g AttributeSet,
    /// Whether an entry is a policy that governs somebody who holds more than the actor.
    pub refuses_policy: RefusesPolicy<'g>,
}

impl fmt::Debug for Guards<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guards").field("recovery", self.recovery).finish_non_exhaustive()
    }
}

impl Guards<'_> {
    /// No password is recovered, and there are no policies.
    pub const NONE: Guards<'static> =
        Guards { recovery: &AttributeSet::EMPTY, refuses_policy: &|_, _, _, _| Ok(false) };
}

/// What keeps `actor` from what rules grant them: of the right of that kind to an entry that is there.
pub fn obstacle(
    (rules, actor): (&Rules, &Actor),
    (node, dn): (&Node, &Dn),
    (wanted, decision): (Wanted, &Decision),
    guards: Guards<'_>,
    tree: &dyn Tree,
) -> Result<Option<Obstacle>, TreeError> {
    Question { rules, actor, target: Target::There(node), dn, wanted, guards, tree }.obstacle(decision)
}

impl Question<'_> {
    pub(super) fn obstacle(&self, decision: &Decision) -> Result<Option<Obstacle>, TreeError> {
        if self.attribute().is_some_and(|id| self.tree.schema().secret().contains(id)) {
            return Ok(Some(Obstacle::Secret));
        }
        match (self.wanted.right, self.target) {
            (Right::ResetPassword, Target::There(_)) if self.is_own() => Ok(Some(Obstacle::Oneself)),
            (Right::Proxy, _) if self.actor.identity.is_anonymous() => Ok(Some(Obstacle::Anonymous)),
            (Right::Proxy, Target::There(node)) if !self.is_own() => {
                let may = proxy::may_act_as(self.rules, self.actor, (node, self.dn), self.tree)?;
                if may { Ok(None) } else { self.guard() }
            }
            (Right::ResetPassword | Right::ImportHash, Target::There(_)) if !self.is_own() => self.guard(),
            // Whatever it will hold, it governs by that name.
            (Right::Add, Target::New(dn)) if self.governs_more(&Entry::empty(), dn)? => Ok(Some(Obstacle::GovernsMore)),
            // Nobody takes over a name that holds more, as a group may be naming it already.
            (Right::Add, Target::New(dn)) => match self.guard()? {
                None => match escalation::opens(dn, self.actor, self.rules).map(would_escalate) {
                    None => self.borne(),
                    opened => Ok(opened),
                },
                guarded => Ok(guarded),
            },
            (Right::Write | Right::Delete | Right::Rename, Target::There(node))
                if self.governs_more(&node.entry, self.dn)? =>
            {
                Ok(Some(Obstacle::GovernsMore))
            }
            (Right::Write, Target::There(_)) if !self.is_own() && self.is_power(decision) => self.guard(),
            (Right::Write, Target::There(_)) if self.is_about_codes() => self.borne(),
            (Right::Delete | Right::Rename, Target::There(node)) => match self.name_lost(node)? {
                None => self.borne(),
                lost => Ok(lost),
            },
            _ => Ok(None),
        }
    }

    fn governs_more(&self, entry: &Entry, dn: &Dn) -> Result<bool, TreeError> {
        (self.guards.refuses_policy)(entry, dn, (self.actor, self.rules), self.tree)
    }

    /// Whether what may be written is power over the owner: when and by which policy they authenticate, and where their password
    /// is recovered.
    fn is_power(&self, decision: &Decision) -> bool {
        let known = self.tree.schema().known();
        let closing = known.closing();
        let is_power = |id: AttributeTypeId| closing.contains(&id) || self.guards.recovery.contains(id);
        match self.attribute() {
            Some(id) => is_power(id),
            None => decision.attributes(Right::Write).unwrap_or_default().iter().all(is_power),
        }
    }

    /// Whether what may be written says which codes are good.
    fn is_about_codes(&self) -> bool {
        self.attribute().is_some_and(|id| self.tree.schema().known().of_codes().contains(&id))
    }

    /// Whether the entry is a token, or the parameters of one, by which somebody logs in who holds more.
    fn borne(&self) -> Result<Option<Obstacle>, TreeError> {
        Ok(match bearers(self.dn, self.actor, self.rules, self.tree)? {
            Bearers::NoneStronger => None,
            Bearers::Stronger(rule) => Some(Obstacle::Borne(rule.to_owned())),
            Bearers::TooMany if self.actor.identity == Identity::LocalRoot => None,
            Bearers::TooMany => Some(Obstacle::BorneByMany),
        })
    }

    /// What rests on the name of the entry, or of one that would get another name with it: that a policy governs somebody who holds
    /// more, or that something is denied.
    fn name_lost(&self, node: &Node) -> Result<Option<Obstacle>, TreeError> {
        if self.wanted.right == Right::Rename && self.tree.has_children(node.id)? {
            for (policy, dn) in policies_below(self.dn, self.tree)? {
                if self.governs_more(&policy.entry, &dn)? {
                    return Ok(Some(Obstacle::GovernsMore));
                }
            }
        }
        self.denial_lost(node)
    }

    /// Something that is denied by the entry, or by one that would get another name with it, and would be no longer.
    fn denial_lost(&self, node: &Node) -> Result<Option<Obstacle>, TreeError> {
        let denies = |rule: &Rule| rule.is_denial() && rule.who.iter().any(|who| who.body().is_some());
        if !self.rules.iter().any(denies) {
            return Ok(None);
        }
        let (mut pending, mut left) = (vec![node.id], MOST_BELOW);
        while let Some(id) = pending.pop() {
            let Some(dn) = self.tree.dn(id)? else { continue };
            if let Some(rule) = escalation::closes(&dn, self.actor, self.rules, self.tree)? {
                return Ok(Some(Obstacle::DenialLost(rule.to_owned())));
            }
            if let Some(rule) = escalation::rests_on(&dn, self.rules, self.actor.since) {
                return Ok(Some(Obstacle::DenialStands(rule.to_owned())));
            }
            if self.wanted.right == Right::Rename {
                let below = self.tree.children(id, None, left)?;
                left -= below.len().min(left);
                pending.extend(below);
            }
        }
        Ok(None)
    }

    pub(super) fn caveat(&self) -> Result<Option<Caveat>, TreeError> {
        if self.wanted.right != Right::Unlock {
            return Ok(None);
        }
        Ok(self.exceeded()?.map(|rule| Caveat::CannotLock(rule.to_owned())))
    }

    fn guard(&self) -> Result<Option<Obstacle>, TreeError> {
        Ok(self.exceeded()?.map(would_escalate))
    }

    /// The rule by which the owner holds what the actor does not hold.
    fn exceeded(&self) -> Result<Option<&str>, TreeError> {
        let uuid = match self.target {
            Target::There(node) => node.uuid,
            Target::New(_) => Uuid::nil(),
        };
        escalation::exceeds(uuid, self.dn, self.actor, self.rules, self.tree)
    }

    fn is_own(&self) -> bool {
        matches!(self.target, Target::There(node) if self.actor.identity.uuid() == Some(node.uuid))
    }
}

/// The password policies that stand below an entry.
fn policies_below(above: &Dn, tree: &dyn Tree) -> Result<Vec<(Node, Arc<Dn>)>, TreeError> {
    let schema = tree.schema();
    let class = schema.known().object_class;
    let form = schema.attribute_type(class).equality_or_fallback().normal_form();
    let Ok(normal) = form.of_assertion(schema, b"pwdPolicy") else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for id in tree.equal(class, &normal)?.into_iter().take(MOST_BELOW) {
        if let Some(dn) = tree.dn(id)?.filter(|dn| **dn != *above && dn.is_within(above)) {
            found.extend(tree.node(id)?.map(|node| (node, dn)));
        }
    }
    Ok(found)
}

fn would_escalate(rule: &str) -> Obstacle {
    Obstacle::WouldEscalate(rule.to_owned())
}
