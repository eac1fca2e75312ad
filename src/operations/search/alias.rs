//! Aliases (RFC 4512 §2.6): entries that stand for others.

use roaring::RoaringBitmap;

use super::reach::{Base, Reach};
use crate::directory::Dn;
use crate::directory::tree::{EntryId, Found, Node, Scope};
use crate::operations::{Context, Refusal};

/// So many aliases may lead from one to the next before the base of a search is found.
const MOST_STEPS: usize = 16;
/// So many aliases are followed in one search.
const MOST_FOLLOWED: u64 = 1_000;

/// The entry at which a search begins, if aliases on the way to it are followed.
pub(super) fn find_base(ctx: &Context<'_>, dn: &Dn) -> Result<Base, Refusal> {
    let mut dn = dn.clone();
    // What is behind the first is told neither by whether it is there nor by whether it is an alias.
    let behind = |refusal| match refusal {
        Refusal::NoSuchObject { matched } => Refusal::AliasToNothing { matched },
        other => other,
    };
    for step in 0..MOST_STEPS {
        let nearest = match ctx.tree.find(&dn)? {
            Found::Entry(id) | Found::Missing(Some(id)) => ctx.tree.node(id)?,
            Found::Missing(None) | Found::Outside => None,
        };
        let alias = nearest.filter(|node| is_alias(ctx, node));
        match alias {
            Some(alias) if step == 0 => dn = follow(ctx, &alias, &dn)?,
            Some(alias) => dn = follow(ctx, &alias, &dn).map_err(behind)?,
            None if step == 0 => return Base::find(ctx, &dn),
            None => return Base::find(ctx, &dn).map_err(behind),
        }
    }
    Err(Refusal::AliasLoop)
}

fn is_alias(ctx: &Context<'_>, node: &Node) -> bool {
    node.entry.has(ctx.schema().known().aliased_object_name)
}

/// The name that comes of `dn` when the alias that is it, or stands above it, is followed.
fn follow(ctx: &Context<'_>, alias: &Node, dn: &Dn) -> Result<Dn, Refusal> {
    let Some(target) = target(ctx, alias)? else { return Err(ctx.no_such_object(alias.parent)?) };
    let depth = ctx.tree.dn(alias.id)?.map_or(0, |own| own.depth());
    let below = dn.rdns().take(dn.depth().saturating_sub(depth));
    Ok(below.rev().fold(target, |above, (text, key)| Dn::child(&above, text, key)))
}

/// What an alias stands for, if the requester may read that.
fn target(ctx: &Context<'_>, alias: &Node) -> Result<Option<Dn>, Refusal> {
    let id = ctx.schema().known().aliased_object_name;
    if !ctx.sight().decide(alias, ctx.tree)?.read.contains(id) {
        return Ok(None);
    }
    let name = alias.entry.first_text(id).and_then(|name| Dn::parse(ctx.schema(), name).ok());
    Ok(name)
}

/// Where a search goes on besides, since aliases lead there: each of them stands in the scope of the search, or in that of
/// another. What they stand for and is not there is passed over.
pub(super) fn leads(
    ctx: &Context<'_>,
    reach: &Reach,
    aliases: &RoaringBitmap,
) -> Result<Vec<(EntryId, Scope)>, Refusal> {
    if aliases.len() > MOST_FOLLOWED {
        return Err(Refusal::AdminLimit("more aliases would be followed than this server follows in one search"));
    }
    let scope = if reach.scope == Scope::SingleLevel { Scope::BaseObject } else { Scope::WholeSubtree };
    let mut reach = Reach { also: Vec::new(), ..reach.clone() };
    let mut left: Vec<EntryId> = aliases.iter().map(EntryId).collect();
    loop {
        let mut reached = Vec::new();
        let mut beyond = Vec::new();
        for id in left {
            let Some(node) = ctx.tree.node(id)? else { continue };
            if reach.contains(ctx, &node)? { reached.push(node) } else { beyond.push(id) }
        }
        for alias in &reached {
            let Some(name) = target(ctx, alias)? else { continue };
            let found = ctx.tree.find(&name)?.entry().map(|id| (id, scope));
            reach.also.extend(found.filter(|found| !reach.also.contains(found)));
        }
        // From the entries of one level no further level is reached, but an alias may stand for another.
        if reached.is_empty() {
            return Ok(reach.also);
        }
        left = beyond;
    }
}
