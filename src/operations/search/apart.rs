//! Searches of trees that are kept nowhere: their entries are made when they are asked for, some at a time.

use std::collections::VecDeque;

use bytes::BytesMut;

use super::change_log::{self, Changes, Reader};
use super::monitor::{self, Connections};
use super::sort::Unsortable;
use super::turn::{FULL, STEPS_AT_ONCE, STEPS_PER_ENTRY};
use super::{Search, Step};
use crate::access::Decider;
use crate::directory::filter::{Facts, Steps, Truth};
use crate::directory::tree::LoggedChange;
use crate::directory::{Dn, Entry, ResultCode};
use crate::operations::change_log::CHANGE_LOG;
use crate::operations::monitor::MONITOR;
use crate::operations::{Context, Refusal};
use crate::password::scheme::Effort;
use crate::protocol::request::SearchRequest;

/// What is left to look at of such a tree.
#[derive(Clone, Debug)]
pub(super) struct Apart {
    /// Entries that have been made.
    rows: VecDeque<Pending>,
    /// What makes those that follow.
    source: Source,
}

/// What an entry is made of.
#[derive(Clone, Debug)]
pub(super) enum Pending {
    /// It is made.
    Made(Row),
    /// A change, which the requester may not know of.
    Change(LoggedChange),
}

/// An entry that no tree holds, and its name.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) entry: Entry,
}

/// What makes more entries.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// There are no more.
    Exhausted,
    /// The change log.
    Changes(Changes),
    /// Whoever is connected.
    Connections(Connections),
}

/// So many entries are made at once while others wait for the thread, and where nobody does.
const FEW: usize = 16;
const MANY: usize = 250;

/// Where a search in such a tree begins: the entry at its base, those to look at first, and what makes the others.
pub(super) type Beginning = (Option<Row>, Vec<Pending>, Source);

/// Whether a name is that of such a tree, or below it.
fn is_below(dn: &Dn, top: &str) -> bool {
    dn.rdns().next_back().is_some_and(|(last, _)| last.eq_ignore_ascii_case(top))
}

impl Apart {
    /// What a search at `dn` looks at, if that stands in one of these trees; nothing if the requester may not know of it.
    pub(super) fn find(ctx: &Context<'_>, dn: &Dn, request: &SearchRequest) -> Result<Option<Self>, Refusal> {
        let (base, rows, source) = if is_below(dn, CHANGE_LOG) {
            change_log::find(ctx, dn, request)?
        } else if is_below(dn, MONITOR) {
            monitor::find(ctx, dn, request)?
        } else {
            return Ok(None);
        };
        let is_visible = match &base {
            Some(base) => ctx.decider().decide_new(dn, &base.entry)?.is_visible(),
            None => false,
        };
        if !is_visible {
            return Err(Refusal::NoSuchObject { matched: None });
        }
        Ok(Some(Self { rows: rows.into(), source }))
    }

    /// What is to be looked at next.
    fn front(&mut self, ctx: &Context<'_>, effort: Effort) -> Result<Option<&Pending>, Refusal> {
        let most = if effort == Effort::Light { FEW } else { MANY };
        if self.rows.is_empty() {
            self.rows = match &mut self.source {
                Source::Exhausted => VecDeque::new(),
                Source::Changes(changes) => changes.next(ctx, most)?.into_iter().map(Pending::Change).collect(),
                Source::Connections(connections) => {
                    connections.next(ctx, most).into_iter().map(Pending::Made).collect()
                }
            };
        }
        Ok(self.rows.front())
    }
}

/// What the tests of one turn share.
struct Turn<'a> {
    ctx: &'a Context<'a>,
    decider: Decider<'a>,
    reader: Reader<'a>,
    taken: u64,
}

impl Search {
    /// Goes on in a tree apart, where nothing can be sorted.
    pub(super) fn begin_apart(&mut self, apart: Apart) {
        self.apart = Some(Box::new(apart));
        if let Some(extras) = self.extras.as_mut().filter(|extras| extras.is_collecting()) {
            extras.give_up_sorting(&Unsortable::from(ResultCode::UnwillingToPerform));
        }
    }

    /// Looks at up to `budget` entries of a tree apart.
    pub(super) fn send_apart(
        &mut self,
        mut apart: Box<Apart>,
        ctx: &Context<'_>,
        budget: usize,
        out: &mut BytesMut,
    ) -> Result<Step, Refusal> {
        let mut turn = Turn { ctx, decider: ctx.decider(), reader: Reader::new(ctx), taken: 0 };
        let mut step = Step::More;
        for _ in 0..budget {
            let Some(pending) = apart.front(ctx, self.effort)? else {
                step = self.done(ResultCode::Success);
                break;
            };
            if let Some(stop) = self.look_at_pending(pending, &mut turn, out)? {
                step = stop;
                break;
            }
            apart.rows.pop_front();
        }
        self.apart = Some(apart);
        Ok(step)
    }

    fn look_at_pending(
        &mut self,
        pending: &Pending,
        turn: &mut Turn<'_>,
        out: &mut BytesMut,
    ) -> Result<Option<Step>, Refusal> {
        match pending {
            Pending::Made(row) => self.look_at_row(row, turn, out),
            Pending::Change(change) => match change_log::row(change, &mut turn.reader, turn.ctx)? {
                Some(row) => self.look_at_row(&row, turn, out),
                None => Ok(None),
            },
        }
    }

    /// Sends an entry that stands in no tree, if the requester may know of it and it matches; unless the search stops before.
    fn look_at_row(&mut self, row: &Row, turn: &mut Turn<'_>, out: &mut BytesMut) -> Result<Option<Step>, Refusal> {
        if turn.taken >= self.steps_of_a_turn() || out.len() >= FULL {
            return Ok(Some(Step::More));
        }
        let schema = turn.ctx.schema();
        let dn = Dn::parse(schema, &row.name)?;
        let decision = turn.decider.decide_new(&dn, &row.entry)?;
        if !decision.is_visible() {
            return Ok(None);
        }
        let mut steps = Steps::new(match self.effort {
            Effort::Light => STEPS_AT_ONCE.saturating_sub(turn.taken),
            Effort::Heavy => STEPS_PER_ENTRY,
        });
        let facts = Facts { entries: &[&row.entry], searchable: &decision.search, dn: &dn, schema };
        let truth = self.matcher.evaluate_within(&facts, &mut steps);
        turn.taken += steps.taken();
        match truth {
            None => return self.try_harder().map(Some),
            Some(Truth::True) => {}
            Some(_) => return Ok(None),
        }
        if let Some(end) = self.count() {
            return Ok(Some(end));
        }
        let readable = row.entry.attributes().filter(|attribute| decision.read.contains(attribute.attribute_type));
        self.put_plainly((&row.name, &[]), readable, schema, out);
        Ok(None)
    }
}
