//! Searches of the change log, which is no part of any suffix.

mod reader;

use bytes::BytesMut;

use super::Search;
use crate::directory::filter::{Facts, Filter, Truth};
use crate::directory::tree::Scope;
use crate::directory::{Dn, Entry, ResultCode};
use crate::operations::change_log::{CHANGE_LOG, Numbers, entry, top};
use crate::operations::{Context, Refusal};
use crate::protocol::entry_writer::put_entry;

use reader::Reader;

/// One search looks at so many changes, and sends so many octets; whoever follows the log asks for those behind.
const MOST_CHANGES: usize = 10_000;
const MOST_OCTETS: usize = 4 << 20;
/// So many are read at once.
const BATCH: usize = 500;

impl Search {
    /// Answers a search at or below `cn=changelog`; `None` if it is elsewhere.
    pub(super) fn answer_change_log(
        &mut self,
        ctx: &Context<'_>,
        dn: &Dn,
        filter: &Filter,
        out: &mut BytesMut,
    ) -> Result<Option<ResultCode>, Refusal> {
        let text = dn.as_str();
        let end = text.len().checked_sub(CHANGE_LOG.len()).and_then(|at| text.get(at..)).unwrap_or_default();
        let depth = dn.depth();
        if !end.eq_ignore_ascii_case(CHANGE_LOG) || depth > 2 || dn.ancestor(depth.saturating_sub(1)).is_none() {
            return Ok(None);
        }
        let numbers = match (depth, self.reach.scope) {
            (1, Scope::BaseObject) => None,
            (1, _) => Some(Numbers::of(filter)),
            (_, Scope::BaseObject | Scope::WholeSubtree) => Numbers::named(dn),
            _ => None,
        };
        let is_top = depth == 1 && matches!(self.reach.scope, Scope::BaseObject | Scope::WholeSubtree);
        let is_visible = |dn: &Dn, entry: &Entry| Ok::<_, Refusal>(ctx.decider().decide_new(dn, entry)?.is_visible());
        if depth == 1 && !is_visible(dn, &top(ctx.schema()))? {
            return Err(Refusal::NoSuchObject { matched: None });
        }
        if is_top {
            self.answer_with(ctx, CHANGE_LOG, &top(ctx.schema()), out)?;
        }
        match numbers {
            Some(numbers) => self.answer_changes(ctx, numbers, out).map(Some),
            None => Ok(Some(ResultCode::Success)),
        }
    }

    fn answer_changes(
        &mut self,
        ctx: &Context<'_>,
        numbers: Numbers,
        out: &mut BytesMut,
    ) -> Result<ResultCode, Refusal> {
        let mut after = numbers.first.saturating_sub(1);
        let mut looked_at = 0;
        let mut reader = Reader::new(ctx);
        loop {
            let changes = ctx.tree.changes_after(after, BATCH)?;
            if changes.is_empty() {
                return Ok(ResultCode::Success);
            }
            for change in &changes {
                if change.sequence > numbers.last {
                    return Ok(ResultCode::Success);
                }
                if self.left.entries == 0 || looked_at >= MOST_CHANGES || out.len() >= MOST_OCTETS {
                    return Ok(ResultCode::SizeLimitExceeded);
                }
                if let Some(shown) = reader.shown(change)? {
                    let (name, entry) = entry(&shown, ctx.schema());
                    self.answer_with(ctx, &name, &entry, out)?;
                }
                looked_at += 1;
                after = change.sequence;
            }
        }
    }

    /// Sends an entry that stands in no tree, if the requester may know of it and it matches.
    fn answer_with(&mut self, ctx: &Context<'_>, name: &str, entry: &Entry, out: &mut BytesMut) -> Result<(), Refusal> {
        let dn = Dn::parse(ctx.schema(), name)?;
        let decision = ctx.decider().decide_new(&dn, entry)?;
        let facts = Facts { entries: &[entry], searchable: &decision.search, dn: &dn, schema: ctx.schema() };
        if !decision.is_visible() || self.matcher.evaluate(&facts) != Truth::True {
            return Ok(());
        }
        let selected = entry.attributes().filter(|attribute| {
            decision.read.contains(attribute.attribute_type) && self.selection.selects(attribute, ctx.schema())
        });
        let octets: Vec<&[u8]> = selected.map(|attribute| attribute.octets).collect();
        put_entry(out, &self.envelope(name, &[]), octets.iter().copied());
        self.left.entries -= 1;
        Ok(())
    }
}
