//! Searches of what a server tells of itself, which is no part of any suffix.

use super::apart::{Beginning, Pending, Row, Source};
use crate::directory::Dn;
use crate::directory::tree::Scope;
use crate::operations::monitor::{connection, connections, entries, number_of};
use crate::operations::{Context, Refusal};
use crate::protocol::request::SearchRequest;

/// The connections that are left to look at.
#[derive(Clone, Debug, Default)]
pub(super) struct Connections {
    after: u64,
}

impl Connections {
    /// Up to `limit` of them.
    pub(super) fn next(&mut self, ctx: &Context<'_>, limit: usize) -> Vec<Row> {
        let connected = ctx.services.monitor.connections_after(self.after, limit);
        self.after = connected.last().map_or(self.after, |last| last.number);
        connected.iter().map(|one| row(connection(one, ctx.schema()))).collect()
    }

    /// The one of that name.
    fn named(ctx: &Context<'_>, dn: &Dn) -> Option<Row> {
        let number = number_of(dn)?;
        let found = ctx.services.monitor.connections_after(number.checked_sub(1)?, 1).pop()?;
        (found.number == number).then(|| row(connection(&found, ctx.schema())))
    }
}

fn row((name, entry): (String, crate::directory::Entry)) -> Row {
    Row { name, entry }
}

/// What a search at or below `cn=monitor` looks at.
pub(super) fn find(ctx: &Context<'_>, dn: &Dn, request: &SearchRequest) -> Result<Beginning, Refusal> {
    let schema = ctx.schema();
    let (mut base, mut rows) = (None, Vec::new());
    for made in entries(&ctx.services.monitor.readings(), ctx.now, schema) {
        let row = row(made);
        let name = Dn::parse(schema, &row.name)?;
        if name == *dn {
            base = Some(row.clone());
        }
        if in_scope(&name, dn, request.scope) {
            rows.push(Pending::Made(row));
        }
    }
    let parent = Dn::parse(schema, &connections())?;
    if base.is_none() && dn.parent().is_some_and(|above| above == parent) {
        base = Connections::named(ctx, dn);
        rows.extend(base.iter().filter(|_| in_scope(dn, dn, request.scope)).cloned().map(Pending::Made));
    }
    let has_connections = match request.scope {
        Scope::BaseObject => false,
        Scope::SingleLevel => *dn == parent,
        Scope::WholeSubtree | Scope::Subordinates => parent.is_within(dn),
    };
    let source = if has_connections { Source::Connections(Connections::default()) } else { Source::Exhausted };
    Ok((base, rows, source))
}

/// Whether a name lies in the scope of a search at `base`.
fn in_scope(dn: &Dn, base: &Dn, scope: Scope) -> bool {
    match scope {
        Scope::BaseObject => dn == base,
        Scope::SingleLevel => dn.parent().is_some_and(|parent| parent == *base),
        Scope::WholeSubtree => dn.is_within(base),
        Scope::Subordinates => dn != base && dn.is_within(base),
    }
}
