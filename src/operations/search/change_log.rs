//! Searches of the change log, which is no part of any suffix.

mod reader;

use super::apart::{Beginning, Pending, Row, Source};
use crate::directory::Dn;
use crate::directory::tree::{LoggedChange, Scope};
use crate::operations::change_log::{CHANGE_LOG, Numbers, entry, top};
use crate::operations::{Context, Refusal};
use crate::protocol::request::SearchRequest;

pub(super) use reader::Reader;

/// The changes that are left to look at.
#[derive(Clone, Debug)]
pub(super) struct Changes {
    after: u64,
    last: u64,
}

impl Changes {
    fn numbered(numbers: Numbers) -> Self {
        Self { after: numbers.first.saturating_sub(1), last: numbers.last }
    }

    /// Up to `limit` of them.
    pub(super) fn next(&mut self, ctx: &Context<'_>, limit: usize) -> Result<Vec<LoggedChange>, Refusal> {
        if self.after >= self.last {
            return Ok(Vec::new());
        }
        let mut changes = ctx.tree.changes_after(self.after, limit)?;
        changes.retain(|change| change.sequence <= self.last);
        self.after = changes.last().map_or(self.last, |change| change.sequence);
        Ok(changes)
    }
}

/// A change as somebody may know of it; `None` if they may not.
pub(super) fn row(change: &LoggedChange, reader: &mut Reader<'_>, ctx: &Context<'_>) -> Result<Option<Row>, Refusal> {
    let shown = reader.shown(change)?;
    Ok(shown.map(|shown| {
        let (name, entry) = entry(&shown, ctx.schema());
        Row { name, entry }
    }))
}

/// What a search at or below `cn=changelog` looks at.
pub(super) fn find(ctx: &Context<'_>, dn: &Dn, request: &SearchRequest) -> Result<Beginning, Refusal> {
    let base = match dn.depth() {
        1 => Some(Row { name: CHANGE_LOG.to_owned(), entry: top(ctx.schema()) }),
        2 => named(ctx, dn)?,
        _ => None,
    };
    let has_base = matches!(request.scope, Scope::BaseObject | Scope::WholeSubtree);
    let rows = base.iter().filter(|_| has_base).cloned().map(Pending::Made).collect();
    let source = match (dn.depth(), request.scope) {
        (1, Scope::SingleLevel | Scope::WholeSubtree | Scope::Subordinates) => {
            Source::Changes(Changes::numbered(Numbers::of(&request.filter)))
        }
        _ => Source::Exhausted,
    };
    Ok((base, rows, source))
}

/// The change of that name.
fn named(ctx: &Context<'_>, dn: &Dn) -> Result<Option<Row>, Refusal> {
    let Some(number) = Numbers::named(dn) else { return Ok(None) };
    let Some(change) = Changes::numbered(number).next(ctx, 1)?.pop() else { return Ok(None) };
    row(&change, &mut Reader::new(ctx), ctx)
}
