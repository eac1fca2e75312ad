//! Whether somebody is a second person: not if whoever needs the approval has made their account, or set their password, and so
//! may be both.

use std::time::Duration;

use uuid::Uuid;

use crate::directory::tree::{EventKind, Node};
use crate::directory::{Dn, Timestamp};
use crate::operations::{Context, Refusal};
use crate::password::Account;

/// So long whoever has set a password may have gone on with it, whatever its owner did since: they might have changed it in the
/// name of the owner.
const IN_HAND: Duration = Duration::from_secs(7 * 86_400);

/// What somebody is told who is none.
pub(super) const NOT_INDEPENDENT: &str = "whoever asks for this has made your account or set your password, so they might be you: somebody \
    else must approve it, or you a week after that, when you have changed your password yourself";

/// Whether the account of `approver` may be in the hands of `requester`.
pub(super) fn is_in_hands_of(ctx: &Context<'_>, approver: &Node, requester: Uuid) -> Result<bool, Refusal> {
    let name = ctx.tree.find_uuid(requester)?.map(|id| ctx.tree.dn(id)).transpose()?.flatten();
    let Some(name) = name else { return Ok(true) };
    // Who acts as somebody else has done it as well.
    let is_theirs = |actor: &str| {
        let mut names = [actor].into_iter().chain(actor.split(" by "));
        names.any(|one| Dn::parse(ctx.schema(), one).is_ok_and(|dn| dn == *name))
    };
    let known = ctx.schema().known();
    let ledger = Account::read(ctx.tree.credentials(approver.id)?.as_ref(), ctx.schema()).ledger;
    let done = ledger.all();
    let sets = [EventKind::Set, EventKind::Reset, EventKind::Removed, EventKind::CodeIssued];
    let set = done.iter().rev().find(|one| sets.contains(&one.kind) && is_theirs(&one.actor)).map(|one| one.time);
    let made = approver.entry.first_text(known.creators_name).is_some_and(is_theirs);
    let created = || approver.entry.first(known.create_timestamp).and_then(Timestamp::parse).unwrap_or_default();
    // What was pushed out of the ledger may have been theirs: whoever knows a password can change it as often as they like.
    let since = [set.or_else(|| made.then(created)), ledger.whole_since()].into_iter().flatten().max();
    let Some(since) = since else { return Ok(false) };
    let is_own = done.iter().any(|one| one.kind == EventKind::Changed && since <= one.time);
    Ok(!is_own || ctx.now < since.saturating_add(IN_HAND))
}
