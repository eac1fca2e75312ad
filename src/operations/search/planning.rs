//! Which entries a search has to look at.

use crate::directory::filter::{Matcher, Truth};
use crate::directory::tree::Candidates;
use crate::password::scheme::Effort;

use super::special::Special;
use super::{Search, chain};
use crate::operations::{Context, Refusal};

impl Search {
    /// Finds the entries to look at. What a few postings tell is known at once.
    pub(super) fn plan(&mut self, ctx: &Context<'_>) -> Result<(), Refusal> {
        if !chain::link(ctx, &mut self.matcher, self.effort)? {
            self.effort = Effort::Heavy;
            return Ok(());
        }
        self.special = Special::find(ctx, self.treatment, &mut self.reach)?;
        if self.derived.needs_shared() && !ctx.share_one(&mut self.groups, |_| true)? {
            self.derived.without_shared();
        }
        let mentioned = self.matcher.mentioned();
        // No index knows what entries share.
        let anything = Matcher::Always(Truth::True);
        let is_shared = self.derived.needs_shared() && ctx.share_one(&mut self.groups, |id| mentioned.contains(id))?;
        let indexed = if is_shared { &anything } else { &self.matcher };
        self.candidates = self.reach.candidates(ctx, indexed, self.effort)?;
        if let Some(Candidates::These(ids)) = &mut self.candidates {
            self.special.extend(ids, &self.reach);
            if mentioned.contains(ctx.schema().known().member) {
                // No index knows the members that a search finds.
                *ids |= ctx.those_with(ctx.schema().known().member_url)?;
            }
        }
        if self.candidates.is_none() {
            self.effort = Effort::Heavy;
        }
        Ok(())
    }
}
