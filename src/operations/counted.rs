//! What was counted and noted since, as a change that is written a little later.

use crate::directory::Timestamp;
use crate::directory::tree::{Change, Event, EventKind, EventResult, Means, Tree, TreeError, Write};
use crate::password::Account;
use crate::password::meter::Unwritten;
use crate::password::meter::radar::{Alarm, AlarmKind};

use uuid::Uuid;

use super::events::Whose;
use super::journal::Journal;

/// The credentials with what the meter has counted, and what that means for the account; nothing if they are not those any
/// more that counting began with.
pub fn change(
    tree: &dyn Tree,
    unwritten: &Unwritten,
    journal: &Journal,
    now: Timestamp,
) -> Result<Option<Change>, TreeError> {
    change_with(tree, unwritten, journal, now, |_| {})
}

/// The same together with something else that the server notes of the account.
pub(super) fn change_with(
    tree: &dyn Tree,
    unwritten: &Unwritten,
    journal: &Journal,
    now: Timestamp,
    note: impl FnOnce(&mut Account),
) -> Result<Option<Change>, TreeError> {
    let Some(id) = tree.find_uuid(unwritten.uuid)? else { return Ok(None) };
    let mut account = Account::read(tree.credentials(id)?.as_ref(), tree.schema());
    if account.version != unwritten.version {
        return Ok(None);
    }
    let before = account.locked;
    unwritten.live.apply(&mut account);
    note(&mut account);
    let events = match (before, account.locked) {
        (before, Some(now)) if before != Some(now) => journal.lock_of(unwritten.uuid).into_iter().collect(),
        (Some(_), None) => match tree.dn(id)? {
            Some(dn) => vec![lock_has_ended(Whose { uuid: unwritten.uuid, dn: &dn }, now)],
            None => Vec::new(),
        },
        _ => Vec::new(),
    };
    let credentials = account.to_entry(tree.schema());
    let write = Write::SetCredentials { uuid: unwritten.uuid, version: account.version, credentials };
    Ok(Some(Change { writes: vec![write], events, ..Change::none() }))
}

/// The event for an attack on many accounts, which is about none of them in particular. What was tried is no part of it.
pub fn spray(alarm: &Alarm, now: Timestamp) -> Event {
    let Alarm { kind, source, accounts, since } = alarm;
    let what = match kind {
        AlarmKind::Source => "failed at",
        AlarmKind::Guess => "the same wrong password at",
    };
    Event {
        time: now,
        kind: EventKind::Spray,
        result: EventResult::Refused,
        means: Means::Bind,
        actor: String::new(),
        source: source.to_string(),
        target: String::new(),
        uuid: Uuid::nil(),
        policy: String::new(),
        reason: format!("{what} {accounts} accounts since {since}"),
        times: 1,
    }
}

/// The event for a lock whose time is over.
pub(super) fn lock_has_ended(Whose { uuid, dn }: Whose<'_>, now: Timestamp) -> Event {
    Event {
        time: now,
        kind: EventKind::Unlocked,
        result: EventResult::Done,
        means: Means::Time,
        actor: String::new(),
        source: String::new(),
        target: dn.to_string(),
        uuid,
        policy: String::new(),
        reason: "the time of the lock was over".to_owned(),
        times: 1,
    }
}
