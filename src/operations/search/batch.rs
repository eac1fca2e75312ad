//! The entries that a search looks at next.

use std::sync::Arc;

use crate::directory::Dn;
use crate::directory::tree::{Candidates, EntryId, Node};
use crate::operations::{Context, Refusal};

/// One batch of entries is no larger, in octets, by more than one entry.
const OCTETS: usize = 256 << 10;

/// Candidates that come next.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) nodes: Vec<Node>,
    /// Where to go on; `None` if these are the last.
    pub(super) last: Option<EntryId>,
}

impl Batch {
    /// Up to `limit` candidates behind `after`.
    pub(super) fn next(
        ctx: &Context<'_>,
        candidates: &Candidates,
        after: Option<EntryId>,
        limit: usize,
    ) -> Result<Self, Refusal> {
        let ids = match candidates {
            Candidates::All => {
                let nodes = ctx.tree.nodes_after(after, limit)?;
                return Ok(Self { last: nodes.last().map(|node| node.id), nodes });
            }
            Candidates::These(ids) => ids,
        };
        let start = after.map_or(0, |id| id.0.saturating_add(1));
        let mut batch = Self::default();
        let mut octets = 0;
        for (position, id) in ids.range(start..).map(EntryId).enumerate() {
            if position == limit || octets >= OCTETS {
                return Ok(batch);
            }
            // An entry that an index names may be gone.
            let node = ctx.tree.node(id)?;
            octets += node.as_ref().map_or(0, |node| node.entry.octets().len());
            batch.nodes.extend(node);
            batch.last = Some(id);
        }
        batch.last = None;
        Ok(batch)
    }
}

/// Names of entries, built from those of their parents.
#[derive(Default)]
pub(super) struct Names {
    last: Option<(EntryId, Arc<Dn>)>,
}

impl Names {
    pub(super) fn name(&mut self, node: &Node, ctx: &Context<'_>) -> Result<String, Refusal> {
        let Some(parent) = node.parent else { return Ok(node.rdn.to_string()) };
        if self.last.as_ref().is_none_or(|(id, _)| *id != parent) {
            let dn = ctx.tree.dn(parent)?.unwrap_or_else(|| Arc::new(Dn::root()));
            self.last = Some((parent, dn));
        }
        let above = self.last.as_ref().map_or("", |(_, dn)| dn.as_str());
        Ok([&node.rdn, ",", above].concat())
    }
}
