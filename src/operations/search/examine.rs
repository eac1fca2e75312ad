//! Whether one entry is found, and what of it may be sent.

use std::sync::Arc;

use crate::access::Decision;
use crate::directory::filter::{Facts, Steps, Truth};
use crate::directory::tree::Node;
use crate::directory::{Dn, Entry};
use crate::operations::Refusal;
use crate::operations::derived::Sources;

use super::Search;
use super::special::Role;
use super::turn::Turn;

/// What is to be sent of something that was found.
pub(super) enum Finding {
    Entry(FoundEntry),
    /// Others are kept elsewhere.
    Reference(Vec<String>),
}

/// An entry that matches.
#[derive(Debug)]
pub(super) struct FoundEntry {
    pub(super) derived: Entry,
    /// What somebody may do with it, as attributes.
    pub(super) rights: Vec<Vec<u8>>,
    /// What the requester may see of it.
    pub(super) decision: Arc<Decision>,
}

impl Search {
    /// What of an entry is to be sent, if it is in the scope, visible and matches.
    pub(super) fn examine(
        &self,
        node: &Node,
        turn: &mut Turn<'_>,
        steps: &mut Steps,
    ) -> Result<Option<Finding>, Refusal> {
        let ctx = turn.ctx;
        if !self.reach.contains(ctx, node)? {
            return Ok(None);
        }
        let decision = turn.decider.decide(node, ctx.tree)?;
        if !decision.is_visible() {
            return Ok(None);
        }
        match self.special.role(node.id) {
            Role::Plain => {}
            Role::Hidden => return Ok(None),
            Role::Reference => return Ok(Some(Finding::Reference(ctx.continuation(node, self.reach.scope)?))),
        }
        let derived = if self.derived.is_nothing_of(node, ctx.schema()) {
            Entry::empty()
        } else {
            let full = ctx.tree.dn(node.id)?.unwrap_or_else(|| Arc::new(Dn::root()));
            let sources = &mut Sources { decider: &mut turn.decider, groups: &mut turn.groups, steps };
            let Some(derived) = ctx.derived_from(node, &full, &self.derived, sources)? else { return Ok(None) };
            derived
        };
        let root = Dn::root();
        let full = if self.matcher.looks_at_name() { ctx.tree.dn(node.id)? } else { None };
        let facts = Facts {
            entries: &[&node.entry, &derived],
            searchable: &decision.search,
            dn: full.as_deref().unwrap_or(&root),
            schema: ctx.schema(),
        };
        if self.matcher.evaluate_within(&facts, steps) != Some(Truth::True) {
            return Ok(None);
        }
        let rights = match (&self.rights, &mut turn.rights) {
            (Some(question), Some(decider)) => question.answer(ctx, decider, (node, &decision), steps)?,
            _ => Some(Vec::new()),
        };
        let Some(rights) = rights else { return Ok(None) };
        Ok(Some(Finding::Entry(FoundEntry { derived, rights, decision })))
    }
}
