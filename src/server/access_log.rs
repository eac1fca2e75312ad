//! One line for every request that was answered: who did what, how it ended and how long it took. Never what a password
//! is, never the value of a filter.

use std::borrow::Cow;
use std::time::Duration;

use tracing::{debug, info};

use crate::access::{Actor, Rules};
use crate::directory::tree::{Directory, Tree};
use crate::directory::{Identity, ResultCode, dn};
use crate::operations::Requester;
use crate::operations::bind::claimed_name;
use crate::protocol::control::TrackedSession;
use crate::protocol::{Operation, Request};
use crate::store::Store;

/// One request that was answered.
pub(super) struct Line<'a> {
    pub(super) connection: u64,
    pub(super) request: &'a Request,
    /// It knows which values a name is not shown with.
    pub(super) store: &'a Store,
    /// Who it was done as.
    pub(super) requester: &'a Requester,
    pub(super) code: ResultCode,
    /// What it is to a transaction.
    pub(super) part: Part<'a>,
    pub(super) took: Duration,
    /// Which sessions elsewhere the client says that it belongs to.
    pub(super) sessions: &'a [TrackedSession],
}

/// What a request is to a transaction, which is called by its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Part<'a> {
    /// None of it.
    None,
    /// It was to be taken down; whether it is done will turn out.
    Asked(&'a str),
    /// It was done with the others, or they were not.
    Settled(&'a str),
}

/// Writes a line. Searches and compares are told to whoever wants to know everything; what changes or tries something,
/// always. What a transaction only takes down changes nothing yet.
pub(super) fn write(line: &Line<'_>) {
    let Line { connection, request, store, requester, code, part, took, sessions } = line;
    let who = requester.identity.name();
    // Who has authenticated, where that was somebody else.
    let by = requester.proxied_by.as_ref().map(Identity::name);
    let (op, code) = (request.operation().name(), code.name());
    let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    let session = told(sessions);
    let (transaction, is_done) = match *part {
        Part::None => (None, true),
        Part::Asked(name) => (Some(name), line.code != ResultCode::Success),
        Part::Settled(name) => (Some(name), true),
    };
    // The name is looked for only if the line is written.
    if !is_done || is_of_little_interest(request.operation()) {
        debug!(
            target: "access",
            conn = connection, op, who, by, target = target(request, store).as_ref(), code, us, transaction, session
        );
    } else {
        info!(
            target: "access",
            conn = connection, op, who, by, target = target(request, store).as_ref(), code, us, transaction, session
        );
    }
}

/// Writes by which rules somebody may act that say why they are there.
pub(super) fn write_reasons(connection: u64, actor: &Actor, rules: &Rules) {
    for rule in actor.reasoned(rules).filter(|_| !actor.identity.is_anonymous()) {
        let said = |text: &Option<String>| text.clone().unwrap_or_default();
        let (who, reason, ticket) = (actor.identity.name(), said(&rule.reason), said(&rule.ticket));
        info!(target: "access", conn = connection, who, rule = rule.name, reason, ticket, "acts under a special rule");
    }
}

/// The sessions elsewhere that a request belongs to, if it says so.
fn told(sessions: &[TrackedSession]) -> Option<String> {
    (!sessions.is_empty()).then(|| sessions.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
}

const fn is_of_little_interest(operation: Operation) -> bool {
    matches!(operation, Operation::Search | Operation::Compare)
}

/// The name that a request is about, without what is secret in it.
pub(super) fn target<'r>(request: &'r Request, store: &Store) -> Cow<'r, str> {
    let view = store.view();
    match named(request) {
        Cow::Borrowed(name) => dn::without_secrets(view.schema(), name),
        Cow::Owned(name) => Cow::Owned(dn::without_secrets(view.schema(), &name).into_owned()),
    }
}

fn named(request: &Request) -> Cow<'_, str> {
    match request {
        Request::Bind(bind) => claimed_name(bind),
        Request::Search(search) => String::from_utf8_lossy(&search.base),
        Request::Modify(modify) => modify.object.as_str().into(),
        Request::Add(add) => add.entry.as_str().into(),
        Request::Delete(name) => String::from_utf8_lossy(name),
        Request::ModifyDn(rename) => rename.entry.as_str().into(),
        Request::Compare(compare) => String::from_utf8_lossy(&compare.entry),
        Request::Extended(extended) => String::from_utf8_lossy(&extended.name),
        Request::Unbind | Request::Abandon(_) | Request::Malformed { .. } => "".into(),
    }
}

/// So many refusals of one connection have lines of their own.
const TOLD: u64 = 100;
/// After so many a connection ends.
const MOST: u64 = 1_000;

/// What has been refused to a connection since somebody authenticated there, if anybody has.
#[derive(Debug)]
pub(super) struct Refusals {
    connection: u64,
    count: u64,
}

/// What follows from a refusal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Telling {
    /// It has a line.
    Told,
    /// It is counted with others.
    Counted,
    /// The connection is to end.
    TooMany,
}

impl Refusals {
    pub(super) const fn new(connection: u64) -> Self {
        Self { connection, count: 0 }
    }

    /// Notes that somebody who has not authenticated was answered. What asks only for what anybody may ask for is not
    /// counted.
    pub(super) const fn note(&mut self, operation: Operation, code: ResultCode) -> Telling {
        let is_refused = !matches!(code, ResultCode::Success | ResultCode::SaslBindInProgress);
        if is_of_little_interest(operation) || !is_refused {
            return Telling::Told;
        }
        self.count += 1;
        if self.count <= TOLD {
            Telling::Told
        } else if self.count < MOST {
            Telling::Counted
        } else {
            Telling::TooMany
        }
    }

    /// Notes that somebody has authenticated, and begins anew.
    pub(super) fn clear(&mut self) {
        let more = self.count.saturating_sub(TOLD);
        if more > 0 {
            info!(target: "access", conn = self.connection, more, "so many more requests were refused");
        }
        self.count = 0;
    }
}

impl Drop for Refusals {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_then_counted_then_too_many() {
        let mut refusals = Refusals::new(1);
        let mut refuse = |times: usize| -> Vec<Telling> {
            (0..times).map(|_| refusals.note(Operation::Delete, ResultCode::InsufficientAccessRights)).collect()
        };
        assert!(refuse(100).iter().all(|telling| *telling == Telling::Told));
        assert!(refuse(899).iter().all(|telling| *telling == Telling::Counted));
        assert_eq!(refuse(2), [Telling::TooMany; 2]);
        refusals.clear();
        assert_eq!(refusals.note(Operation::Bind, ResultCode::InvalidCredentials), Telling::Told);
    }

    #[test]
    fn what_succeeds_or_only_looks_is_not_counted() {
        let mut refusals = Refusals::new(1);
        for _ in 0..2_000 {
            assert_eq!(refusals.note(Operation::Search, ResultCode::NoSuchObject), Telling::Told);
            assert_eq!(refusals.note(Operation::Extended, ResultCode::Success), Telling::Told);
        }
    }
}
