//! One turn of a search: entries are looked at, and sent or kept, until others are to have the thread.

use bytes::BytesMut;

use crate::access::{Actor, Decider};
use crate::directory::ResultCode;
use crate::directory::filter::Steps;
use crate::directory::tree::{Candidates, Node};
use crate::operations::derived::Groups;
use crate::operations::{Context, Refusal};
use crate::password::scheme::Effort;
use crate::protocol::control::Flag;
use crate::protocol::entry_writer::put_reference;

use super::batch::{Batch, Names};
use super::examine::{Finding, FoundEntry};
use super::extras::Sorting;
use super::sync::Telling;
use super::{Search, Step, dereference};

/// What waits to be sent is no more than this, in octets, by more than one entry.
pub(super) const FULL: usize = 256 << 10;
/// Steps of filters that are taken while others wait for the thread.
pub(super) const STEPS_AT_ONCE: u64 = 20_000;
/// Steps that are taken, elsewhere, before it is looked at the clock.
const STEPS_PER_TURN: u64 = 200_000;
/// Steps that one entry may take. Filters and entries as clients have them take some hundreds.
pub(super) const STEPS_PER_ENTRY: u64 = 4_000_000;

/// What the tests of one turn share.
pub(super) struct Turn<'a> {
    pub(super) ctx: &'a Context<'a>,
    pub(super) out: &'a mut BytesMut,
    pub(super) decider: Decider<'a>,
    /// Decides for whom it is to be told what they may do.
    pub(super) rights: Option<Decider<'a>>,
    pub(super) names: Names,
    pub(super) groups: Groups,
    /// The steps that were taken.
    pub(super) taken: u64,
}

impl Search {
    pub(super) fn look_at(
        &mut self,
        candidates: &Candidates,
        ctx: &Context<'_>,
        budget: usize,
        out: &mut BytesMut,
    ) -> Result<Step, Refusal> {
        let batch = Batch::next(ctx, candidates, self.after, budget)?;
        let subject = self.subject(ctx)?;
        let mut turn = self.turn(ctx, subject.as_ref(), out);
        let step = self.look_at_batch(batch, &mut turn);
        self.groups = turn.groups;
        step
    }

    /// Whose rights are to be told, if that is asked for.
    pub(super) fn subject(&self, ctx: &Context<'_>) -> Result<Option<Actor>, Refusal> {
        self.rights.as_ref().map(|question| question.subject(ctx)).transpose()
    }

    pub(super) fn turn<'c>(
        &mut self,
        ctx: &'c Context<'_>,
        subject: Option<&'c Actor>,
        out: &'c mut BytesMut,
    ) -> Turn<'c> {
        let groups = std::mem::take(&mut self.groups);
        let rights = subject.map(|subject| Decider::new(ctx.rules, subject, ctx.schema()));
        Turn { ctx, out, decider: ctx.sight(), rights, names: Names::default(), groups, taken: 0 }
    }

    fn look_at_batch(&mut self, batch: Batch, turn: &mut Turn<'_>) -> Result<Step, Refusal> {
        for node in batch.nodes {
            if let Some(step) = self.look_at_one(&node, turn)? {
                return Ok(step);
            }
            self.after = Some(node.id);
        }
        self.after = batch.last;
        match (batch.last, self.extras.as_mut()) {
            (Some(_), _) => Ok(Step::More),
            (None, Some(extras)) if matches!(extras.sorting, Sorting::Collecting(_)) => {
                extras.sort(turn.ctx.schema());
                self.candidates = None;
                Ok(Step::More)
            }
            (None, _) => Ok(self.done(ResultCode::Success)),
        }
    }

    /// Sends what has been found and sorted.
    pub(super) fn send_sorted(
        &mut self,
        ctx: &Context<'_>,
        budget: usize,
        out: &mut BytesMut,
    ) -> Result<Step, Refusal> {
        let subject = self.subject(ctx)?;
        let mut turn = self.turn(ctx, subject.as_ref(), out);
        let mut step = Ok(Step::More);
        for _ in 0..budget {
            let Some(id) = self.extras.as_ref().and_then(|extras| extras.next()) else {
                step = Ok(self.done(ResultCode::Success));
                break;
            };
            // It may be gone.
            if let Some(node) = ctx.tree.node(id)?
                && let Some(stop) = self.look_at_one(&node, &mut turn).transpose()
            {
                step = stop;
                break;
            }
            self.extras.as_mut().into_iter().for_each(|extras| extras.advance());
        }
        self.groups = turn.groups;
        step
    }

    /// Looks at one entry, and writes it if it matches; unless the search stops before.
    fn look_at_one(&mut self, node: &Node, turn: &mut Turn<'_>) -> Result<Option<Step>, Refusal> {
        if turn.taken >= self.steps_of_a_turn() || turn.out.len() >= FULL {
            return Ok(Some(Step::More));
        }
        let mut steps = Steps::new(self.steps_of_an_entry(turn));
        let found = self.examine(node, turn, &mut steps)?;
        turn.taken += steps.taken();
        if steps.are_exceeded() {
            return self.try_harder().map(Some);
        }
        let found = match found {
            None => return Ok(None),
            Some(Finding::Entry(found)) => found,
            Some(Finding::Reference(urls)) => {
                if !self.asked.has(Flag::DomainScope) {
                    put_reference(turn.out, self.id, &urls);
                }
                return Ok(None);
            }
        };
        if let Some(extras) = &mut self.extras {
            if let Sorting::Collecting(_) = extras.sorting {
                return Ok(self.collect(node, &found, turn.ctx));
            }
            let names = extras.following.as_ref().map_or(0, |following| following.names(node, &found));
            if self.effort == Effort::Light && names as u64 * dereference::NAME > STEPS_AT_ONCE {
                return self.try_harder().map(Some);
            }
        }
        if let Some(end) = self.count() {
            return Ok(Some(end));
        }
        if let Telling::Written(notice) = self.telling(node, turn.out) {
            self.write(node, &found, notice, turn)?;
        }
        Ok(None)
    }

    /// Keeps an entry that is found until all are; if that is not possible, the search begins anew or ends.
    fn collect(&mut self, node: &Node, found: &FoundEntry, ctx: &Context<'_>) -> Option<Step> {
        let extras = self.extras.as_mut()?;
        let fault = extras.collect(node, found, ctx).err()?;
        extras.give_up_sorting(&fault);
        self.after = None;
        Some(Step::More)
    }

    /// Counts an entry that is found, if one more may be sent.
    pub(super) fn count(&mut self) -> Option<Step> {
        if self.left.entries == 0 {
            return Some(self.done(ResultCode::SizeLimitExceeded));
        }
        if let Some(page) = &mut self.page {
            if page.left == 0 {
                return Some(Step::PageFull);
            }
            page.left -= 1;
        }
        self.left.entries -= 1;
        self.sent += 1;
        None
    }

    pub(super) const fn steps_of_a_turn(&self) -> u64 {
        match self.effort {
            Effort::Light => STEPS_AT_ONCE,
            Effort::Heavy => STEPS_PER_TURN,
        }
    }

    const fn steps_of_an_entry(&self, turn: &Turn<'_>) -> u64 {
        match self.effort {
            Effort::Light => STEPS_AT_ONCE.saturating_sub(turn.taken),
            Effort::Heavy => STEPS_PER_ENTRY,
        }
    }

    /// Goes on where nobody waits, with the entry that took too much; unless that has been tried.
    pub(super) const fn try_harder(&mut self) -> Result<Step, Refusal> {
        match self.effort {
            Effort::Light => {
                self.effort = Effort::Heavy;
                Ok(Step::More)
            }
            Effort::Heavy => Err(Refusal::AdminLimit("this takes more work than this server does for one entry")),
        }
    }
}
