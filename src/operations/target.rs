//! Finding the entry that a request is about, and what the requester may do with it.

use std::sync::Arc;

use crate::access::{Decider, Decision, Right};
use crate::directory::Dn;
use crate::directory::tree::{EntryId, Found, Node};

use super::{Context, Refusal};

/// An entry, its name, and what the requester may do with it.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) node: Node,
    pub(super) dn: Arc<Dn>,
    pub(super) decision: Arc<Decision>,
}

impl Context<'_> {
    /// Reads a name.
    pub(super) fn parse_dn(&self, octets: &[u8]) -> Result<Dn, Refusal> {
        let text = std::str::from_utf8(octets).map_err(|_| Refusal::DnNotText)?;
        Ok(Dn::parse(self.schema(), text)?)
    }

    /// Decides what the requester may do.
    pub(super) fn decider(&self) -> Decider<'_> {
        Decider::new(self.rules, self.actor, self.schema())
    }

    /// Decides what the requester may find and see, which costs less for many entries.
    pub(super) fn sight(&self) -> Decider<'_> {
        Decider::for_sight(self.rules, self.actor, self.schema())
    }

    /// The entry of that name. It need not be visible: the caller asks for the right that the operation needs by
    /// [`Target::require`], or for visibility by [`Target::require_visible`].
    pub(super) fn target(&self, dn: &Dn) -> Result<Target, Refusal> {
        match self.tree.find(dn)? {
            Found::Entry(id) => self.target_by_id(id)?.ok_or(Refusal::NoSuchObject { matched: None }),
            Found::Missing(nearest) => Err(self.no_such_object(nearest)?),
            Found::Outside => Err(Refusal::NoSuchObject { matched: None }),
        }
    }

    /// The entry of that number.
    pub(super) fn target_by_id(&self, id: EntryId) -> Result<Option<Target>, Refusal> {
        let (Some(node), Some(dn)) = (self.tree.node(id)?, self.tree.dn(id)?) else { return Ok(None) };
        let decision = self.decider().decide(&node, self.tree)?;
        Ok(Some(Target { node, dn, decision }))
    }

    /// The refusal for a name without an entry: it names the nearest entry above that the requester may know of.
    pub(super) fn no_such_object(&self, nearest: Option<EntryId>) -> Result<Refusal, Refusal> {
        let mut decider = self.decider();
        let mut at = nearest;
        while let Some(id) = at {
            let Some(node) = self.tree.node(id)? else { break };
            if decider.decide(&node, self.tree)?.is_visible() {
                let matched = self.tree.dn(id)?.map(|dn| dn.to_string());
                return Ok(Refusal::NoSuchObject { matched });
            }
            at = node.parent;
        }
        Ok(Refusal::NoSuchObject { matched: None })
    }
}

impl Target {
    /// Requires a right that is granted for the entry as a whole. Without it, an entry that the requester may not see
    /// does not exist.
    pub(super) fn require(&self, right: Right, otherwise: &'static str, ctx: &Context<'_>) -> Result<(), Refusal> {
        if self.decision.allows(right) { Ok(()) } else { Err(self.denied(otherwise, ctx)?) }
    }

    /// Requires that the requester may know of the entry.
    pub(super) fn require_visible(&self, ctx: &Context<'_>) -> Result<(), Refusal> {
        if self.decision.is_visible() { Ok(()) } else { Err(ctx.no_such_object(self.node.parent)?) }
    }

    /// The refusal for a lacking right.
    pub(super) fn denied(&self, reason: &'static str, ctx: &Context<'_>) -> Result<Refusal, Refusal> {
        if self.decision.is_visible() {
            Ok(Refusal::InsufficientAccess(reason))
        } else {
            ctx.no_such_object(self.node.parent)
        }
    }
}
