//! The entries with which an assertion is tried: those that both it and a rule are about.

use std::collections::HashSet;
use std::sync::Arc;

use super::Inquiry;
use super::subjects::nobody_below;
use crate::access::assertion::Extent;
use crate::access::explain::members;
use crate::access::reach::Reach;
use crate::directory::Dn;
use crate::directory::filter::{Facts, Matcher, Truth};
use crate::directory::schema::AttributeSet;
use crate::directory::tree::{EntryId, Node, TreeError};

/// What is done with each target; whether to go on.
pub(super) type Visit<'v> = &'v mut dyn FnMut(&Node, &Arc<Dn>) -> Result<bool, TreeError>;

impl Inquiry<'_> {
    /// Calls `visit` with each entry that both rule and assertion are about, until it says that it is enough.
    pub(super) fn each_target(&self, visit: Visit<'_>) -> Result<(), TreeError> {
        let members = self.members()?;
        let mut after = None;
        loop {
            let nodes = self.tree.nodes_after(after, 1_000)?;
            let Some(last) = nodes.last() else { return Ok(()) };
            after = Some(last.id);
            for node in &nodes {
                let Some(dn) = self.tree.dn(node.id)? else { continue };
                if self.is_target(node, &dn, &members) && !visit(node, &dn)? {
                    return Ok(());
                }
            }
        }
    }

    fn members(&self) -> Result<HashSet<EntryId>, TreeError> {
        let mut all = HashSet::new();
        for extent in &self.assertion.to {
            if let Extent::Members(group) = extent {
                all.extend(members(group, self.tree)?);
            }
        }
        Ok(all)
    }

    fn is_target(&self, node: &Node, dn: &Dn, members: &HashSet<EntryId>) -> bool {
        let within = |extent: &Extent| match extent {
            Extent::Reach(reach) => reach.has(dn),
            Extent::Members(_) => members.contains(&node.id),
        };
        let everything = AttributeSet::first(self.tree.schema().attribute_types().len());
        let facts = Facts { entries: &[&node.entry], searchable: &everything, dn, schema: self.tree.schema() };
        let matches = |filter: &Option<Matcher>| match filter {
            Some(filter) => filter.evaluate(&facts) == Truth::True,
            None => true,
        };
        self.rule.to.iter().any(|reach| reach.has(dn))
            && self.assertion.to.iter().any(within)
            && matches(&self.rule.filter)
            && matches(&self.assertion.filter)
    }

    /// Names that an entry might have to which both rule and assertion reach.
    pub(super) fn new_names(&self) -> Vec<(Dn, String)> {
        let extents = self.assertion.to.iter().filter_map(|extent| match extent {
            Extent::Reach(reach) => Some(reach),
            Extent::Members(_) => None,
        });
        let reaches: Vec<&Reach> = extents.collect();
        let bases = reaches.iter().copied().chain(&self.rule.to).filter_map(Reach::base);
        let bases: Vec<&Dn> = bases.chain(self.tree.suffixes()).collect();
        let below = nobody_below;
        let both =
            |dn: &Dn| reaches.iter().any(|reach| reach.has(dn)) && self.rule.to.iter().any(|reach| reach.has(dn));
        let mut names = Vec::new();
        for base in bases {
            let child = below(base);
            names.push((base.clone(), format!("the entry {base}, if it is added")));
            names.push((below(&child), format!("an entry that is added below {base}")));
            names.push((child, format!("an entry that is added below {base}")));
        }
        names.retain(|(dn, _)| both(dn));
        names
    }
}
