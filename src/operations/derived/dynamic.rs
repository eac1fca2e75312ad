//! Groups whose members are found by a search (`memberURL`).

use std::sync::Arc;

use crate::access::Decider;
use crate::directory::Dn;
use crate::directory::filter::{Facts, Filter, Matcher, Steps, Truth};
use crate::directory::tree::{Candidates, EntryId, Node, PlanBudget, Scope};
use crate::directory::url::LdapUrl;
use crate::operations::{Context, Refusal};

/// So many members of such a group are told.
const MOST_MEMBERS: usize = 10_000;
/// What it costs to look at an entry; compare [`Steps`].
const ENTRY: u64 = 4;
/// So many entries are looked at in one go.
const BATCH: usize = 1_000;

/// A group whose members are found by searches.
#[derive(Clone, Debug)]
pub(in crate::operations) struct DynamicGroup {
    /// Its name.
    pub(in crate::operations) name: Arc<Dn>,
    searches: Vec<MemberSearch>,
}

#[derive(Clone, Debug)]
struct MemberSearch {
    base: EntryId,
    scope: Scope,
    matcher: Matcher,
}

impl DynamicGroup {
    /// All of those that the requester may know of.
    pub(in crate::operations) fn all(ctx: &Context<'_>, decider: &mut Decider<'_>) -> Result<Vec<Self>, Refusal> {
        let mut groups = Vec::new();
        for id in ctx.those_with(ctx.schema().known().member_url)? {
            let Some(node) = ctx.tree.node(EntryId(id))? else { continue };
            if decider.decide(&node, ctx.tree)?.is_visible() {
                groups.extend(Self::read(ctx, &node)?);
            }
        }
        Ok(groups)
    }

    /// The group that an entry is, if it is one. Searches that make no sense, or are of other servers, find nobody.
    pub(in crate::operations) fn read(ctx: &Context<'_>, node: &Node) -> Result<Option<Self>, Refusal> {
        let mut searches = Vec::new();
        for url in node.entry.values(ctx.schema().known().member_url) {
            let url = std::str::from_utf8(url).ok().and_then(|url| LdapUrl::parse(url.split(' ').next()?).ok());
            let Some(url) = url.filter(|url| url.host.is_empty()) else { continue };
            searches.extend(MemberSearch::of(ctx, &url)?);
        }
        let name = ctx.tree.dn(node.id)?;
        Ok(name.filter(|_| !searches.is_empty()).map(|name| Self { name, searches }))
    }

    /// Whether an entry is a member; `None` if that takes too many steps.
    pub(in crate::operations) fn holds(
        &self,
        ctx: &Context<'_>,
        node: &Node,
        decider: &mut Decider<'_>,
        steps: &mut Steps,
    ) -> Result<Option<bool>, Refusal> {
        for search in &self.searches {
            match search.finds(ctx, node, decider, steps)? {
                Some(false) => {}
                found => return Ok(found),
            }
        }
        Ok(Some(false))
    }

    /// The members that the requester may know of; `None` if to find them takes too many steps, or they are too many.
    pub(in crate::operations) fn members(
        &self,
        ctx: &Context<'_>,
        decider: &mut Decider<'_>,
        steps: &mut Steps,
    ) -> Result<Option<Vec<Arc<Dn>>>, Refusal> {
        let mut found = std::collections::BTreeSet::new();
        for search in &self.searches {
            if search.find(ctx, decider, steps, &mut found)?.is_none() || found.len() > MOST_MEMBERS {
                return Ok(None);
            }
        }
        let names = found.into_iter().map(|id| Ok(ctx.tree.dn(id)?)).collect::<Result<Vec<_>, Refusal>>()?;
        Ok(Some(names.into_iter().flatten().collect()))
    }
}

impl MemberSearch {
    fn of(ctx: &Context<'_>, url: &LdapUrl) -> Result<Option<Self>, Refusal> {
        let Ok(dn) = Dn::parse(ctx.schema(), &url.dn) else { return Ok(None) };
        let filter = url.filter.as_deref().map_or_else(|| Ok(Filter::any_entry()), Filter::parse);
        let (Some(base), Ok(filter)) = (ctx.tree.find(&dn)?.entry(), filter) else { return Ok(None) };
        let matcher = Matcher::prepare(&filter, ctx.schema());
        Ok(Some(Self { base, scope: url.scope.unwrap_or(Scope::BaseObject), matcher }))
    }

    /// Whether it finds an entry, as far as the requester may search it; `None` if that takes too many steps.
    fn finds(
        &self,
        ctx: &Context<'_>,
        node: &Node,
        decider: &mut Decider<'_>,
        steps: &mut Steps,
    ) -> Result<Option<bool>, Refusal> {
        if steps.take(ENTRY).is_none() {
            return Ok(None);
        }
        if !ctx.tree.in_scope(node.id, self.base, self.scope)? {
            return Ok(Some(false));
        }
        let decision = decider.decide(node, ctx.tree)?;
        let Some(dn) = ctx.tree.dn(node.id)?.filter(|_| decision.is_visible()) else { return Ok(Some(false)) };
        let facts = Facts { entries: &[&node.entry], searchable: &decision.search, dn: &dn, schema: ctx.schema() };
        Ok(self.matcher.evaluate_within(&facts, steps).map(|truth| truth == Truth::True))
    }

    fn find(
        &self,
        ctx: &Context<'_>,
        decider: &mut Decider<'_>,
        steps: &mut Steps,
        found: &mut std::collections::BTreeSet<EntryId>,
    ) -> Result<Option<()>, Refusal> {
        let candidates = ctx.tree.plan(&self.matcher, PlanBudget::IN_FULL)?.candidates;
        let mut after = None;
        loop {
            let nodes = next(ctx, &candidates, after)?;
            let Some(last) = nodes.last() else { return Ok(Some(())) };
            after = Some(last.id);
            for node in &nodes {
                match self.finds(ctx, node, decider, steps)? {
                    Some(true) => drop(found.insert(node.id)),
                    Some(false) => {}
                    None => return Ok(None),
                }
            }
        }
    }
}

fn next(ctx: &Context<'_>, candidates: &Candidates, after: Option<EntryId>) -> Result<Vec<Node>, Refusal> {
    let ids = match candidates {
        Candidates::All => return Ok(ctx.tree.nodes_after(after, BATCH)?),
        Candidates::These(ids) => ids,
    };
    let start = after.map_or(0, |id| id.0.saturating_add(1));
    let mut nodes = Vec::new();
    for id in ids.range(start..) {
        nodes.extend(ctx.tree.node(EntryId(id))?);
        if nodes.len() >= BATCH {
            break;
        }
    }
    Ok(nodes)
}
