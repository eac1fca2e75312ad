//! What guards keep somebody from although rules grant it: the question that operations and `keystead explain` ask as well.

use crate::access::bearers::{Bearers, bearers};
use crate::access::explain::{Guards, Wanted, obstacle};
use crate::access::work::{Budget, Stopped};
use crate::access::{Actor, Decision, Right, escalation};
use crate::directory::AttributeTypeId;
use crate::directory::schema::AttributeSet;
use crate::directory::tree::Node;
use crate::operations::Context;
use crate::operations::policies::refuses_policy;

/// What somebody does not do to an entry, whatever rules grant.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Barred {
    rights: Vec<Right>,
    attributes: AttributeSet,
}

impl Barred {
    /// Finds out what the guards say of an entry and of what may be written there, of these attributes.
    pub(super) fn find(
        ctx: &Context<'_>,
        actor: &Actor,
        (node, decision): (&Node, &Decision),
        attributes: &AttributeSet,
        budget: &Budget,
    ) -> Result<Self, Stopped> {
        let mut barred = Self::default();
        let Some(dn) = ctx.tree.dn(node.id)? else { return Ok(barred) };
        let guards = Guards { recovery: &ctx.services.recovery_attributes, refuses_policy: &refuses_policy };
        let ask = |right| {
            let wanted = Wanted { right, attribute: None };
            obstacle((ctx.rules, actor), (node, &dn), (wanted, decision), guards, ctx.tree)
        };
        for right in [Right::Delete, Right::Rename] {
            if decision.allows(right) && ask(right)?.is_some() {
                barred.rights.push(right);
            }
        }
        let written = decision.attributes(Right::Write).unwrap_or_default();
        let mut asked = attributes.clone();
        asked.intersect(&written);
        if asked.is_empty() {
            return Ok(barred);
        }
        if refuses_policy(&node.entry, &dn, (actor, ctx.rules), ctx.tree)? {
            barred.attributes = asked;
            return Ok(barred);
        }
        let known = ctx.schema().known();
        let codes: AttributeSet = known.of_codes().into_iter().filter(|id| asked.contains(*id)).collect();
        if !codes.is_empty() && bearers(&dn, actor, ctx.rules, ctx.tree)? != Bearers::NoneStronger {
            barred.attributes = codes;
        }
        let closing = known.closing();
        let is_power = |id: AttributeTypeId| closing.contains(&id) || ctx.services.recovery_attributes.contains(id);
        let power: AttributeSet = asked.iter().filter(|id| is_power(*id)).collect();
        let is_own = actor.identity.uuid() == Some(node.uuid);
        if !power.is_empty()
            && !is_own
            && escalation::exceeds_within((node.uuid, &dn), actor, ctx.rules, ctx.tree, budget)?.is_some()
        {
            barred.attributes.union(&power);
        }
        Ok(barred)
    }

    /// Whether it is the right to the entry as a whole.
    pub(super) fn has(&self, right: Right) -> bool {
        self.rights.contains(&right)
    }

    /// Whether it is to write that attribute.
    pub(super) fn writes(&self, id: AttributeTypeId) -> bool {
        self.attributes.contains(id)
    }
}
