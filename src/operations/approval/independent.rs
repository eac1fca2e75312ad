//! Whether two accounts are two people: not if one person has made one of them, or set its password, and so may be both.
//!
//! Names change, so whose hands an account has been in is told by `entryUUID`s: `creatorUUID` has those of whoever has made it,
//! `pwdLedger` those of whoever has set its password. Where only a name is known, of before these were kept, it is whoever is
//! called that now, if they were there then.

use std::collections::HashSet;
use std::time::Duration;

use uuid::Uuid;

use crate::directory::tree::{EventKind, Node};
use crate::directory::{Dn, Entry, Identity, Timestamp};
use crate::operations::{Context, Refusal};
use crate::password::Account;
use crate::password::ledger::Done;

/// So long whoever has set a password may have gone on with it, whatever its owner did since: they might have changed it in the
/// name of the owner.
const IN_HAND: Duration = Duration::from_secs(7 * 86_400);

/// So many accounts are looked at to find out in whose hands one is.
const MOST: usize = 1_000;

/// What somebody is told who is none.
pub(super) const NOT_INDEPENDENT: &str = "you and whoever asks for this may be one person: whoever has made your account or set your \
    password, or theirs, may be both of you, or is no longer here; somebody else must approve it, or you a week after that, when \
    you have both changed your passwords yourselves";

/// Whether two accounts may be in the hands of one person.
pub(super) fn may_be_one(ctx: &Context<'_>, one: Uuid, other: Uuid) -> Result<bool, Refusal> {
    let Some(hands) = hands_on(ctx, one)? else { return Ok(true) };
    Ok(hands_on(ctx, other)?.is_none_or(|others| !hands.is_disjoint(&others)))
}

/// In whose hands an account may be: its own, and those of whoever may have had it in theirs, or one of these. `None` if that
/// cannot be known.
fn hands_on(ctx: &Context<'_>, account: Uuid) -> Result<Option<HashSet<Uuid>>, Refusal> {
    let mut hands = HashSet::from([account]);
    let mut pending = vec![account];
    while let Some(uuid) = pending.pop() {
        let Some(node) = node_of(ctx, uuid)? else { return Ok(None) };
        let Some(found) = Past::read(ctx, node)?.hands(ctx)? else { return Ok(None) };
        pending.extend(found.into_iter().filter(|hand| hands.insert(*hand)));
        if hands.len() > MOST {
            return Ok(None);
        }
    }
    Ok(Some(hands))
}

fn node_of(ctx: &Context<'_>, uuid: Uuid) -> Result<Option<Node>, Refusal> {
    Ok(ctx.tree.find_uuid(uuid)?.map(|id| ctx.tree.node(id)).transpose()?.flatten())
}

/// What is known of an account.
struct Past {
    node: Node,
    /// What was done to its password, oldest first.
    done: Vec<Done>,
    /// Since when that is all of it.
    whole_since: Option<Timestamp>,
    /// When its owner has set the password last.
    own: Option<Timestamp>,
}

impl Past {
    fn read(ctx: &Context<'_>, node: Node) -> Result<Self, Refusal> {
        let ledger = Account::read(ctx.tree.credentials(node.id)?.as_ref(), ctx.schema()).ledger;
        let done = ledger.all();
        let is_own = |one: &&Done| one.kind == EventKind::Changed && !is_by_others(one, node.uuid);
        let own = done.iter().filter(is_own).map(|one| one.time).max();
        Ok(Self { whole_since: ledger.whole_since(), own, done, node })
    }

    /// Those who may have the account in hand by what they did themselves. `None` if that cannot be known.
    fn hands(&self, ctx: &Context<'_>) -> Result<Option<Vec<Uuid>>, Refusal> {
        // What was pushed out of the ledger may have been anybody's: whoever knows a password can change it as often as they like.
        if self.whole_since.is_some_and(|since| self.lasts(since, ctx.now)) {
            return Ok(None);
        }
        let sets = [EventKind::Set, EventKind::Reset, EventKind::Removed, EventKind::CodeIssued];
        let by_others = |one: &&Done| sets.contains(&one.kind) || is_by_others(one, self.node.uuid);
        let mut found = Vec::new();
        for (time, who) in self
            .done
            .iter()
            .filter(by_others)
            .map(|one| Ok((one.time, set_by(ctx, one)?)))
            .chain([self.made(ctx)])
            .collect::<Result<Vec<_>, Refusal>>()?
        {
            if self.lasts(time, ctx.now) && !self.take(ctx, (time, who), &mut found)? {
                return Ok(None);
            }
        }
        Ok(Some(found))
    }

    /// Takes down whose hands something has brought it into; whether that is known. Who is no longer here is nobody's second
    /// person for a week.
    fn take(
        &self,
        ctx: &Context<'_>,
        (time, who): (Timestamp, Option<Vec<Uuid>>),
        found: &mut Vec<Uuid>,
    ) -> Result<bool, Refusal> {
        let is_recent = ctx.now < time.saturating_add(IN_HAND);
        let Some(who) = who else { return Ok(!is_recent) };
        for hand in who.into_iter().filter(|hand| *hand != self.node.uuid) {
            if ctx.tree.find_uuid(hand)?.is_some() {
                found.push(hand);
            } else if is_recent {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether what was done then may still be of use: until the owner has changed the password, and for a week at least.
    fn lasts(&self, since: Timestamp, now: Timestamp) -> bool {
        self.own.is_none_or(|own| own < since) || now < since.saturating_add(IN_HAND)
    }

    /// When it was made, and by whom. Whoever brings an account from elsewhere says when it was made; the ledger says when it
    /// first had a password.
    fn made(&self, ctx: &Context<'_>) -> Result<(Timestamp, Option<Vec<Uuid>>), Refusal> {
        let known = ctx.schema().known();
        let entry = &self.node.entry;
        let time = created(ctx, entry).max(self.done.first().map(|one| one.time).unwrap_or_default());
        let uuids: Vec<_> =
            entry.values(known.creator_uuid).filter_map(|value| Uuid::try_parse_ascii(value).ok()).collect();
        if !uuids.is_empty() {
            return Ok((time, Some(uuids)));
        }
        Ok((time, called(ctx, entry.first_text(known.creators_name).unwrap_or_default(), time)?))
    }
}

/// Whether somebody else than the owner has changed a password, who acted as them.
fn is_by_others(one: &Done, owner: Uuid) -> bool {
    one.kind == EventKind::Changed && (one.hands.iter().any(|hand| *hand != owner) || names_another(one))
}

/// Whether somebody has acted as them, of whom only a name was kept, among words that anybody may have written.
fn names_another(one: &Done) -> bool {
    one.hands.is_empty() && one.reason.contains("asked for by ")
}

fn created(ctx: &Context<'_>, entry: &Entry) -> Timestamp {
    entry.first(ctx.schema().known().create_timestamp).and_then(Timestamp::parse).unwrap_or_default()
}

/// By whom it was done, if that can be known.
fn set_by(ctx: &Context<'_>, one: &Done) -> Result<Option<Vec<Uuid>>, Refusal> {
    if !one.hands.is_empty() {
        return Ok(Some(one.hands.clone()));
    }
    if names_another(one) {
        return Ok(None);
    }
    called(ctx, &one.actor, one.time)
}

/// Whoever was called that: nobody, where it is the server or the superuser of the machine; `None` if it cannot be known.
fn called(ctx: &Context<'_>, name: &str, then: Timestamp) -> Result<Option<Vec<Uuid>>, Refusal> {
    if ["", Identity::LocalRoot.name()].contains(&name) {
        return Ok(Some(Vec::new()));
    }
    let Ok(dn) = Dn::parse(ctx.schema(), name) else { return Ok(None) };
    let found = ctx.tree.find(&dn)?.entry().map(|id| ctx.tree.node(id)).transpose()?.flatten();
    // Another one may have the name by now.
    let found = found.filter(|node| created(ctx, &node.entry) <= then);
    Ok(found.map(|node| vec![node.uuid]))
}
