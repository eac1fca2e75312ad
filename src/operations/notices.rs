//! Looking for passwords that end, of people who never bind and so are never told: some entries at a time, each hour.
//!
//! What is told stands in the record of events, in the same change as the note at the account that it was told. So whoever
//! looks may begin again at any time: nothing is told twice.

use std::sync::Arc;

use uuid::Uuid;

use crate::directory::tree::{Change, EntryId, Event, EventResult, Means, Node, Tree, TreeError};
use crate::directory::{Dn, Timestamp};
use crate::password::meter::Unwritten;
use crate::password::notice::Notice;
use crate::password::standing::Validity;
use crate::password::{Account, Policy};

use super::counted;
use super::journal::Journal;
use super::policies::Policies;

/// What was found among some entries.
#[derive(Debug)]
pub struct Found {
    /// What is to be told.
    pub due: Vec<Due>,
    /// The last entry that was looked at; `None` if there are no more.
    pub last: Option<EntryId>,
}

/// Something that is to be told of an account.
#[derive(Debug)]
pub struct Due {
    /// The entry.
    pub uuid: Uuid,
    /// The account as it was found.
    pub account: Account,
    dn: Arc<Dn>,
    policy: Arc<Policy>,
    notice: Notice,
}

/// Looks at up to `limit` entries behind `after`.
pub fn find(
    tree: &dyn Tree,
    policies: &Policies,
    after: Option<EntryId>,
    limit: usize,
    now: Timestamp,
) -> Result<Found, TreeError> {
    let nodes = tree.nodes_after(after, limit)?;
    let mut due = Vec::new();
    for node in &nodes {
        due.extend(look_at(tree, policies, node, now)?);
    }
    Ok(Found { due, last: nodes.last().map(|node| node.id) })
}

fn look_at(tree: &dyn Tree, policies: &Policies, node: &Node, now: Timestamp) -> Result<Option<Due>, TreeError> {
    let Some(credentials) = tree.credentials(node.id)? else { return Ok(None) };
    let account = Account::read(Some(&credentials), tree.schema());
    if account.password.is_none() || account.changed.is_none() {
        return Ok(None);
    }
    let Some(dn) = tree.dn(node.id)? else { return Ok(None) };
    let policy = policies.governing(&node.entry, &dn, tree)?;
    let notice = account.due_notice(&policy, Validity::of(&node.entry, tree.schema()), now);
    Ok(notice.map(|notice| Due { uuid: node.uuid, account, dn, policy, notice }))
}

/// Tells it: the event, and the note at the account, with what the meter has counted of it meanwhile. Nothing if the
/// credentials are not those any more.
pub fn change(
    tree: &dyn Tree,
    due: &Due,
    unwritten: &Unwritten,
    journal: &Journal,
    now: Timestamp,
) -> Result<Option<Change>, TreeError> {
    let note = |account: &mut Account| account.noticed = Some(due.notice);
    let change = counted::change_with(tree, unwritten, journal, now, note)?;
    Ok(change.map(|mut change| {
        change.events.push(due.event(now));
        change
    }))
}

impl Due {
    fn event(&self, now: Timestamp) -> Event {
        Event {
            time: now,
            kind: self.notice.kind(),
            result: EventResult::Done,
            means: Means::Time,
            actor: String::new(),
            source: String::new(),
            target: self.dn.to_string(),
            uuid: self.uuid,
            policy: self.policy.origin.clone(),
            reason: self.notice.reason(now),
            times: 1,
        }
    }
}
