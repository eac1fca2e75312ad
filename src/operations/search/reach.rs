//! Where a search looks: its base, its scope, and the candidates within.

use roaring::RoaringBitmap;

use super::confined;
use crate::directory::Dn;
use crate::directory::filter::Matcher;
use crate::directory::tree::{Candidates, EntryId, Found, Node, PlanBudget, Scope};
use crate::operations::{Context, Refusal};
use crate::password::scheme::Effort;

/// Where a search begins, and how far it goes.
#[derive(Clone, Debug)]
pub(super) struct Reach {
    pub(super) base: Base,
    pub(super) scope: Scope,
    /// Where aliases lead.
    pub(super) also: Vec<(EntryId, Scope)>,
}

/// Where a search begins.
#[derive(Clone, Copy, Debug)]
pub(super) enum Base {
    /// Above all suffixes.
    Root,
    /// At an entry; whether that is the entry of the only suffix, so that everything is below it.
    Entry { id: EntryId, is_everything: bool },
    /// At an entry that no tree holds, which has been answered already.
    Answered,
}

impl Base {
    /// The entry to search at, which the requester must be allowed to know of.
    pub(super) fn find(ctx: &Context<'_>, dn: &Dn) -> Result<Self, Refusal> {
        if dn.is_root() {
            return Ok(Self::Root);
        }
        match ctx.tree.find(dn)? {
            Found::Entry(id) => {
                let node = ctx.tree.node(id)?.ok_or(Refusal::NoSuchObject { matched: None })?;
                if !ctx.sight().decide(&node, ctx.tree)?.is_visible() {
                    return Err(ctx.no_such_object(node.parent)?);
                }
                let is_everything = node.parent.is_none() && ctx.tree.suffixes().len() == 1;
                Ok(Self::Entry { id, is_everything })
            }
            Found::Missing(nearest) => Err(ctx.no_such_object(nearest)?),
            Found::Outside => Err(Refusal::NoSuchObject { matched: None }),
        }
    }
}

impl Reach {
    pub(super) fn contains(&self, ctx: &Context<'_>, node: &Node) -> Result<bool, Refusal> {
        if self.is_below_base(ctx, node)? {
            return Ok(true);
        }
        for (base, scope) in &self.also {
            if ctx.tree.in_scope(node.id, *base, *scope)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn is_below_base(&self, ctx: &Context<'_>, node: &Node) -> Result<bool, Refusal> {
        match (self.base, self.scope) {
            (Base::Answered, _) | (Base::Root, Scope::BaseObject) => Ok(false),
            (Base::Root, Scope::SingleLevel) => Ok(node.parent.is_none()),
            (Base::Root, _) | (Base::Entry { is_everything: true, .. }, Scope::WholeSubtree) => Ok(true),
            (Base::Entry { id, .. }, Scope::SingleLevel) => Ok(node.parent == Some(id)),
            (Base::Entry { id, .. }, scope) => Ok(ctx.tree.in_scope(node.id, id, scope)?),
        }
    }

    /// The entries to look at; `None` if to find them takes more effort.
    pub(super) fn candidates(
        &self,
        ctx: &Context<'_>,
        matcher: &Matcher,
        effort: Effort,
    ) -> Result<Option<Candidates>, Refusal> {
        match (self.base, self.scope) {
            (Base::Answered, _) | (Base::Root, Scope::BaseObject) => Ok(Some(none())),
            (Base::Entry { id, .. }, Scope::BaseObject) => Ok(Some(Candidates::These(std::iter::once(id.0).collect()))),
            (Base::Root, Scope::SingleLevel) => {
                let mut ids = RoaringBitmap::new();
                for suffix in ctx.tree.suffixes() {
                    ids.extend(ctx.tree.find(suffix)?.entry().map(|id| id.0));
                }
                Ok(Some(Candidates::These(ids)))
            }
            (Base::Entry { id, .. }, Scope::SingleLevel) => self.children(ctx, id, matcher, effort),
            _ => self.planned(ctx, matcher, effort),
        }
    }

    /// What the indexes say. Whoever may see nothing at all has nothing looked for.
    fn planned(&self, ctx: &Context<'_>, matcher: &Matcher, effort: Effort) -> Result<Option<Candidates>, Refusal> {
        if !ctx.actor.may_see_something(ctx.rules) {
            return Ok(Some(none()));
        }
        let budget = match effort {
            Effort::Light => PlanBudget::AT_ONCE,
            Effort::Heavy => PlanBudget::IN_FULL,
        };
        let confined = confined::confined(ctx, matcher, self)?;
        let plan = ctx.tree.plan(confined.as_ref().unwrap_or(matcher), budget)?;
        let more_helps = effort == Effort::Light && plan.is_curtailed && plan.candidates == Candidates::All;
        Ok((!more_helps).then_some(plan.candidates))
    }

    /// The children of the base, or what the indexes say, whichever is less.
    fn children(
        &self,
        ctx: &Context<'_>,
        base: EntryId,
        matcher: &Matcher,
        effort: Effort,
    ) -> Result<Option<Candidates>, Refusal> {
        const FEW: u64 = 1_000;
        let planned = match self.planned(ctx, matcher, effort)? {
            Some(Candidates::These(ids)) if ids.len() <= FEW => return Ok(Some(Candidates::These(ids))),
            // An entry may have as many children as there are entries.
            _ if effort == Effort::Light => return Ok(None),
            planned => planned,
        };
        let children = ctx.tree.children(base, None, usize::MAX)?;
        let mut ids: RoaringBitmap = children.into_iter().map(|id| id.0).collect();
        if let Some(Candidates::These(planned)) = planned {
            ids &= planned;
        }
        Ok(Some(Candidates::These(ids)))
    }
}

fn none() -> Candidates {
    Candidates::These(RoaringBitmap::new())
}
