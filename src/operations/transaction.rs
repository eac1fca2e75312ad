//! Transactions (RFC 5805): requests that are taken down one after another, and done together when the client says so, or
//! not at all.
//!
//! Until then nothing but their form is looked at. Then each is planned on the tree as those before it will have left it,
//! and all that they write is one [`Change`](crate::directory::tree::Change). Who may do what is decided by the rules and
//! groups that are in force when that begins: what a transaction changes of them holds afterwards.

mod open;
mod room;

use bytes::Bytes;
use smallvec::SmallVec;

use crate::directory::tree::{CommitError, Condition, Overlay, Write};
use crate::directory::{Csn, ResultCode, Timestamp};
use crate::protocol::control::{Controls, Flag, ProxiedAuthorization, ResponseControl, TrackedSession};
use crate::protocol::extended::{EndTransaction, PasswordModify};
use crate::protocol::{Message, MessageId, Request, Response};

pub use open::{Aborted, Transactions, Turn};

use super::read_entry::PostRead;
use super::refusal::PolicyControl;
use super::{Context, Effort, Outcome, Refusal, effort, perform};
use room::Room;

/// Requests of one transaction.
const MOST_REQUESTS: usize = 1_000;
/// Requests that may hash.
const MOST_HEAVY: usize = 100;
/// Requests that change access rules, each of which is held against what the operator asserts.
const MOST_RULES: usize = 20;

/// Requests that are to be done together.
#[derive(Debug)]
pub struct Transaction {
    identifier: String,
    began: Timestamp,
    /// As whom all of them are done, if that is somebody else than the connection belongs to.
    proxied: Option<Box<ProxiedAuthorization>>,
    requests: Vec<Queued>,
    /// How many of them may hash.
    heavy: usize,
    /// The first that was not even taken down, and the answer to it: then nothing is done.
    spoilt: Option<(MessageId, Response)>,
    room: Room,
}

/// One of its requests.
#[derive(Debug)]
struct Queued {
    id: MessageId,
    request: Request,
    controls: Controls,
}

impl Transaction {
    const fn new(identifier: String, proxied: Option<Box<ProxiedAuthorization>>, began: Timestamp) -> Self {
        Self { identifier, began, proxied, requests: Vec::new(), heavy: 0, spoilt: None, room: Room::new() }
    }

    /// As whom it is to be done, if its beginning said so. The right to act as them is asked for anew when it ends.
    pub fn proxied(&self) -> Option<Box<ProxiedAuthorization>> {
        self.proxied.clone()
    }

    /// How much work it may be to settle it.
    pub const fn effort(&self) -> Effort {
        if self.heavy > 0 { Effort::Heavy } else { Effort::Light }
    }

    /// Takes a request down.
    fn enlist(&mut self, message: &Message, controls: &Controls) -> Result<(), Refusal> {
        require_form(&message.request, controls)?;
        let heavy = usize::from(effort(&message.request) == Effort::Heavy);
        if self.requests.len() >= MOST_REQUESTS {
            return Err(Refusal::AdminLimit("the transaction has too many requests; settle it in parts"));
        }
        if self.heavy + heavy > MOST_HEAVY {
            return Err(Refusal::AdminLimit("the transaction sets too many passwords; settle it in parts"));
        }
        self.room.take(octets(message))?;
        self.heavy += heavy;
        let (request, controls) = (message.request.clone(), controls.clone());
        self.requests.push(Queued { id: message.id, request, controls });
        Ok(())
    }

    /// What the client was told that it is called.
    pub fn identifier(&self) -> &str {
        &self.identifier
    }

    /// How its requests have ended, when its end is answered like that: all were done, or one was refused and the others were
    /// not done.
    pub fn endings(&self, end: &Response) -> impl Iterator<Item = Ending<'_>> {
        let code = end.result.code;
        let refused = EndTransaction::refused(end.value.as_deref());
        self.requests.iter().map(move |queued| {
            let is_about_it = code == ResultCode::Success || refused == Some(queued.id);
            let code = if is_about_it { code } else { ResultCode::Canceled };
            Ending { request: &queued.request, code, sessions: &queued.controls.rare().sessions }
        })
    }

    /// Plans all of its requests, one after another.
    pub fn plan(&self, ctx: &Context<'_>) -> Result<Outcome, Refusal> {
        let mut tree = Overlay::new(ctx.tree)?;
        let mut settlement = Settlement::default();
        let mut effects = SmallVec::new();
        let mut rules = 0;
        for queued in &self.requests {
            let planned = queued.plan(ctx, &tree).and_then(|mut outcome| {
                rules += usize::from(outcome.change.conditions.iter().any(|one| is_about_rules(one, ctx)));
                if rules > MOST_RULES {
                    return Err(Refusal::AdminLimit(
                        "the transaction changes too many access rules; settle it in parts",
                    ));
                }
                effects.append(&mut outcome.effects);
                settlement.note(queued.id, &mut outcome);
                tree.apply(outcome.change).map_err(unmade)
            });
            match planned {
                Ok(()) => {}
                // These are nobody's fault, and may be over when it is tried again.
                Err(refusal @ (Refusal::Wait | Refusal::Store(_) | Refusal::Failed)) => return Err(refusal),
                Err(refusal) => return Ok(refused(queued, &refusal)),
            }
        }
        let mut outcome = Outcome { effects, ..Outcome::success(tree.into_change()) };
        outcome.settlement = Some(Box::new(settlement));
        if outcome.change.is_empty() {
            outcome.settle(ctx.tree.csn());
        }
        Ok(outcome)
    }
}

/// How a request of a transaction has ended.
#[derive(Clone, Copy, Debug)]
pub struct Ending<'t> {
    /// What was asked for.
    pub request: &'t Request,
    /// What became of it.
    pub code: ResultCode,
    /// Which sessions elsewhere it belongs to.
    pub sessions: &'t [TrackedSession],
}

impl Queued {
    fn plan(&self, ctx: &Context<'_>, tree: &Overlay<'_>) -> Result<Outcome, Refusal> {
        let outcome = perform(&Context { tree, ..*ctx }, &self.request, &self.controls)?;
        if outcome.response.result.code != ResultCode::Success {
            return Err(Refusal::Unwilling(
                "this needs the approval of somebody else; ask for it outside of a transaction",
            ));
        }
        if outcome.change.writes.iter().any(|write| matches!(write, Write::SetSchema(_))) {
            return Err(Refusal::Unwilling("the schema is changed by itself, outside of a transaction"));
        }
        if outcome.response.value.is_some() {
            return Err(Refusal::Unwilling(NOTHING_MADE));
        }
        Ok(outcome)
    }
}

const NOTHING_MADE: &str = "what the server makes cannot be told in a transaction; give the new password";

/// Whether a condition is one that changes of access rules have: nothing else rests on who is of a class.
fn is_about_rules(condition: &Condition, ctx: &Context<'_>) -> bool {
    let class = ctx.schema().known().object_class;
    matches!(condition, Condition::HeldOnlyBy { attribute_type, .. } if *attribute_type == class)
}

/// Requires what can be known of a request before it is done.
fn require_form(request: &Request, controls: &Controls) -> Result<(), Refusal> {
    require_own(controls)?;
    if controls.flags.has(Flag::NoOp) {
        return Err(Refusal::Unwilling("a dry run is no part of a transaction"));
    }
    if let Request::Extended(request) = request {
        let request = PasswordModify::read(request.value.as_ref()).map_err(Refusal::Protocol)?;
        if request.new_passwd.is_none() {
            return Err(Refusal::Unwilling(NOTHING_MADE));
        }
    }
    Ok(())
}

/// RFC 5805 §4.4: only where a transaction begins is said as whom it is to be done.
fn require_own(controls: &Controls) -> Result<(), Refusal> {
    match controls.proxied {
        None => Ok(()),
        Some(_) => Err(Refusal::Protocol("as whom a transaction is done is said by the request that begins it only")),
    }
}

pub(super) fn unmade(error: CommitError) -> Refusal {
    match error {
        CommitError::Conflict | CommitError::Busy => Refusal::Busy,
        CommitError::TooLarge => Refusal::AdminLimit("the transaction is larger than this server takes"),
        CommitError::Unavailable(cause) => {
            Refusal::Store(crate::directory::tree::TreeError::new("planning a transaction", cause))
        }
    }
}

/// The answer to a transaction of which a request is refused: nothing is done.
fn refused(queued: &Queued, refusal: &Refusal) -> Outcome {
    let response = refusal.to_response(PolicyControl::of(&queued.controls));
    Outcome { hold: refusal.hold(), ..Outcome::answer(not_settled(queued.id, response)) }
}

/// The answer to the end of a transaction that tells which request was refused, and how.
fn not_settled(id: MessageId, mut response: Response) -> Response {
    let controls = std::mem::take(&mut response.controls);
    Response { name: None, value: EndTransaction::answer(Some(id), &[(id, controls)]), ..response }
}

/// About what a request takes that waits.
fn octets(message: &Message) -> usize {
    const ITEM: usize = 64;
    let values = |values: &[Vec<u8>]| values.iter().map(|value| value.len() + ITEM).sum::<usize>();
    let request = match &message.request {
        Request::Add(add) => {
            add.entry.len() + add.attributes.iter().map(|(name, list)| name.len() + ITEM + values(list)).sum::<usize>()
        }
        Request::Modify(modify) => {
            let change = |change: &crate::protocol::request::RequestedChange| {
                change.attribute.len() + ITEM + values(&change.values)
            };
            modify.object.len() + modify.changes.iter().map(change).sum::<usize>()
        }
        Request::ModifyDn(rename) => {
            rename.entry.len() + rename.new_rdn.len() + rename.new_superior.as_ref().map_or(0, String::len)
        }
        Request::Delete(name) => name.len(),
        Request::Extended(extended) => extended.value.as_ref().map_or(0, Bytes::len),
        _ => 0,
    };
    // What a control says may take more than its octets.
    let control = |value: &Option<Bytes>| ITEM + 16 * value.as_ref().map_or(0, Bytes::len);
    16 * ITEM + request + message.controls.iter().map(|one| control(&one.value)).sum::<usize>()
}

/// What the requests of a transaction are answered with, besides that they are done.
#[derive(Clone, Debug, Default)]
pub struct Settlement(Vec<Answer>);

/// The controls of an answer, and what they lack until the change is made.
#[derive(Clone, Debug)]
struct Answer {
    id: MessageId,
    controls: Vec<ResponseControl>,
    post_read: Option<Box<PostRead>>,
}

impl Settlement {
    fn note(&mut self, id: MessageId, outcome: &mut Outcome) {
        let (controls, post_read) = (std::mem::take(&mut outcome.response.controls), outcome.post_read.take());
        if !controls.is_empty() || post_read.is_some() {
            self.0.push(Answer { id, controls, post_read });
        }
    }

    /// The value of the answer, once the change has been made.
    pub fn committed(self, csn: Csn) -> Option<Vec<u8>> {
        let complete = |Answer { id, mut controls, post_read }| {
            controls.extend(post_read.map(|copy: Box<PostRead>| copy.committed(csn)));
            (id, controls)
        };
        EndTransaction::answer(None, &self.0.into_iter().map(complete).collect::<Vec<_>>())
    }
}
