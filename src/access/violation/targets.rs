//! The entries with which an assertion is tried: those that both it and a rule are about.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use super::subjects::nobody_below;
use super::{Focus, Inquiry};
use crate::access::assertion::Extent;
use crate::access::explain::members_within;
use crate::access::reach::{Reach, is_apart};
use crate::access::work::{ENTRY, LOOKUP, Work};
use crate::directory::Dn;
use crate::directory::filter::{Facts, Truth};
use crate::directory::tree::{EntryId, Node};

/// What is done with each target; whether to go on.
pub(super) type Visit<'v, W> = &'v mut dyn FnMut(&Node, &Arc<Dn>) -> Result<bool, <W as Work>::Stop>;

/// What looks at an entry; whether to go on.
type Look<'l, W> = &'l mut dyn FnMut(&Node) -> Result<bool, <W as Work>::Stop>;

/// Where targets may be.
enum Field<'a> {
    /// These entries.
    Entries(Vec<EntryId>),
    /// Those of certain names.
    Reaches(Vec<&'a Reach>),
    /// All that there are.
    Everything,
}

/// So many entries are taken up at a time.
const PAGE: usize = 1_000;

impl<W: Work> Inquiry<'_, W> {
    /// Calls `visit` with each entry that both rule and assertion are about, until it says that it is enough.
    pub(super) fn each_target(&self, visit: Visit<'_, W>) -> Result<(), W::Stop> {
        let members = self.members()?;
        let mut look = |node: &Node| {
            self.work.take(ENTRY)?;
            let Some(dn) = self.tree.dn(node.id)? else { return Ok(true) };
            Ok(!self.is_target(node, &dn, &members)? || visit(node, &dn)?)
        };
        if let Focus::Targets(ids) | Focus::Own(ids) = self.focus {
            return self.look_at(ids.iter().copied().collect(), &mut look).map(drop);
        }
        match self.field(&members) {
            Field::Entries(ids) => self.look_at(ids, &mut look).map(drop),
            Field::Reaches(reaches) => self.look_within(&reaches, &mut look),
            Field::Everything => self.look_everywhere(&mut look),
        }
    }

    /// Where they may be: as few entries as rule and assertion name.
    fn field(&self, members: &HashSet<EntryId>) -> Field<'_> {
        let of_assertion: Vec<&Reach> = self.assertion.to.iter().filter_map(Extent::reach).collect();
        if of_assertion.is_empty() {
            let mut ids: Vec<EntryId> = members.iter().copied().collect();
            ids.sort_unstable();
            return Field::Entries(ids);
        }
        let of_rule: Vec<&Reach> = self.rule.to.iter().collect();
        let is_bounded = |reaches: &[&Reach]| reaches.iter().all(|reach| reach.base().is_some());
        if is_bounded(&of_rule) {
            Field::Reaches(of_rule)
        } else if of_assertion.len() == self.assertion.to.len() && is_bounded(&of_assertion) {
            Field::Reaches(of_assertion)
        } else {
            Field::Everything
        }
    }

    fn look_at(&self, ids: Vec<EntryId>, look: Look<'_, W>) -> Result<bool, W::Stop> {
        for id in ids {
            if let Some(node) = self.tree.node(id)?
                && !look(&node)?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn look_within(&self, reaches: &[&Reach], look: Look<'_, W>) -> Result<(), W::Stop> {
        for (at, reach) in reaches.iter().enumerate() {
            let is_known = |(other, own): (usize, &&Reach)| own.includes(reach) && (other < at || !reach.includes(own));
            let Some(base) = reach.base().filter(|_| !reaches.iter().enumerate().any(is_known)) else { continue };
            self.work.take(LOOKUP)?;
            let Some(top) = self.tree.find(base)?.entry() else { continue };
            if matches!(reach, Reach::Entry(_) | Reach::Subtree(_)) && !self.look_at(vec![top], look)? {
                return Ok(());
            }
            if !matches!(reach, Reach::Entry(_)) && !self.look_below(top, reach, look)? {
                return Ok(());
            }
        }
        Ok(())
    }

    fn look_below(&self, top: EntryId, reach: &Reach, look: Look<'_, W>) -> Result<bool, W::Stop> {
        let mut pending = VecDeque::from([top]);
        while let Some(above) = pending.pop_front() {
            let mut after = None;
            loop {
                let below = self.tree.children(above, after, PAGE)?;
                let Some(last) = below.last() else { break };
                after = Some(*last);
                self.work.take(below.len() as u64)?;
                if !matches!(reach, Reach::Children(_)) {
                    pending.extend(&below);
                }
                if !self.look_at(below, look)? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn look_everywhere(&self, look: Look<'_, W>) -> Result<(), W::Stop> {
        let mut after = None;
        loop {
            let nodes = self.tree.nodes_after(after, PAGE)?;
            let Some(last) = nodes.last() else { return Ok(()) };
            after = Some(last.id);
            for node in &nodes {
                if !look(node)? {
                    return Ok(());
                }
            }
        }
    }

    fn members(&self) -> Result<HashSet<EntryId>, W::Stop> {
        let mut all = HashSet::new();
        for extent in &self.assertion.to {
            if let Extent::Members(group) = extent {
                all.extend(members_within(group, self.tree, self.work)?);
            }
        }
        Ok(all)
    }

    fn is_target(&self, node: &Node, dn: &Dn, members: &HashSet<EntryId>) -> Result<bool, W::Stop> {
        let within = |extent: &Extent| match extent {
            Extent::Reach(reach) => reach.has(dn),
            Extent::Members(_) => members.contains(&node.id),
        };
        if !self.rule.to.iter().any(|reach| reach.has(dn)) || !self.assertion.to.iter().any(within) {
            return Ok(false);
        }
        let schema = self.tree.schema();
        let facts = Facts { entries: &[&node.entry], searchable: schema.everything(), dn, schema };
        for filter in [&self.rule.filter, &self.assertion.filter].into_iter().flatten() {
            if self.work.test(filter, &facts)? != Truth::True {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Names that an entry might have to which both rule and assertion reach, and that none has.
    pub(super) fn new_names(&self) -> Result<Vec<(Dn, String)>, W::Stop> {
        let reaches: Vec<&Reach> = self.assertion.to.iter().filter_map(Extent::reach).collect();
        let bases = reaches.iter().copied().chain(&self.rule.to).filter_map(Reach::base);
        let bases: Vec<&Dn> = bases.chain(self.tree.suffixes()).collect();
        let below = nobody_below;
        let both =
            |dn: &Dn| reaches.iter().any(|reach| reach.has(dn)) && self.rule.to.iter().any(|reach| reach.has(dn));
        let mut names = Vec::new();
        for base in bases {
            let child = below(base);
            self.work.take(LOOKUP)?;
            if self.tree.find(base)?.entry().is_none() {
                let shown = if is_apart(base) { base.to_string() } else { format!("the entry {base}, if it is added") };
                names.push((base.clone(), shown));
            }
            names.push((below(&child), format!("an entry that is added below {base}")));
            names.push((child, format!("an entry that is added below {base}")));
        }
        names.retain(|(dn, _)| both(dn));
        Ok(names)
    }
}
