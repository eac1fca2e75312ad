//! The transactions of a connection: one at a time, which waits for its requests and for its end.

use std::time::Duration;

use bytes::Bytes;

use crate::directory::{ResultCode, Timestamp};
use crate::operations::refusal::PolicyControl;
use crate::operations::{Freedom, Outcome, Refusal, Requester};
use crate::protocol::control::{ControlError, Controls};
use crate::protocol::extended::EndTransaction;
use crate::protocol::request::ExtendedRequest;
use crate::protocol::{Message, Request, oid};

use super::{Transaction, not_settled, require_own};

/// How long a transaction may wait for its end.
const LIFE: Duration = Duration::from_secs(300);

/// The transactions of a connection.
#[derive(Debug, Default)]
pub struct Transactions {
    open: Option<Transaction>,
    begun: u64,
    aborted: Option<Aborted>,
}

/// A transaction that the server has given up: the client is to be told (RFC 5805 §2.4 and §3.3).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Aborted {
    /// What it was called.
    pub identifier: String,
    /// Why, as a code.
    pub code: ResultCode,
    /// Why, in words.
    pub reason: String,
}

/// What becomes of a request that has to do with transactions.
#[derive(Debug)]
pub enum Turn {
    /// It is answered.
    Answered(Box<Result<Outcome, Refusal>>),
    /// It ends a transaction, which is to be planned and committed.
    Settle(Box<Transaction>),
}

impl Turn {
    fn answered(result: Result<Outcome, Refusal>) -> Self {
        Self::Answered(Box::new(result))
    }
}

const UNKNOWN: &str = "there is no such transaction on this connection: it was ended or aborted";

impl Transactions {
    /// Whether a request begins or ends a transaction, or is part of one.
    pub fn concerns(message: &Message, controls: &Controls) -> bool {
        let is_about = |request: &ExtendedRequest| oid::is_about_transactions(&request.name);
        controls.rare().transaction.is_some() || matches!(&message.request, Request::Extended(one) if is_about(one))
    }

    /// Whether a request begins a transaction and says as whom it is to be done: whether the requester may act as them is to
    /// be found out before it is taken (RFC 5805 §4.4).
    pub fn begins_as_another(message: &Message, controls: &Controls) -> bool {
        controls.proxied.is_some()
            && matches!(&message.request, Request::Extended(request) if request.name == oid::START_TRANSACTION)
    }

    /// Takes a request that begins or ends a transaction, or is part of one; nothing comes of any other.
    pub fn take(
        &mut self,
        requester: &Requester,
        message: &Message,
        controls: &Controls,
        now: Timestamp,
    ) -> Option<Turn> {
        if controls.rare().transaction.is_some() {
            self.expire(now);
            return Some(Turn::answered(self.enlist(message, controls)));
        }
        let Request::Extended(request) = &message.request else { return None };
        if !oid::is_about_transactions(&request.name) {
            return None;
        }
        self.expire(now);
        Some(if request.name == oid::START_TRANSACTION {
            Turn::answered(self.begin(requester, request, controls, now))
        } else {
            self.end(request, controls).unwrap_or_else(|refusal| Turn::answered(Err(refusal)))
        })
    }

    /// Notes that the controls of a request make it impossible: if it was to be part of the transaction, that will not be
    /// settled.
    pub fn note_refused(&mut self, message: &Message, error: &ControlError) {
        if message.controls.iter().any(|control| control.oid == oid::TRANSACTION)
            && let Some(open) = self.open.as_mut().filter(|open| open.spoilt.is_none())
        {
            let response = Refusal::from(error.clone()).to_response(PolicyControl::Unwanted);
            open.spoilt = Some((message.id, response));
        }
    }

    /// Forgets the transaction, since it is no longer clear whose it is (RFC 5805 §3.5).
    pub fn forget(&mut self) {
        self.open = None;
    }

    /// Gives the transaction up if it has waited for too long.
    pub fn expire(&mut self, now: Timestamp) {
        if self.open.as_ref().is_some_and(|open| now >= open.began.saturating_add(LIFE)) {
            self.abort(ResultCode::TimeLimitExceeded, "the transaction was not ended in time".to_owned());
        }
    }

    /// A transaction that the client is to be told of, since it was given up.
    pub const fn take_aborted(&mut self) -> Option<Aborted> {
        self.aborted.take()
    }

    fn abort(&mut self, code: ResultCode, reason: String) {
        self.aborted = self.open.take().map(|open| Aborted { identifier: open.identifier, code, reason });
    }

    /// RFC 5805 §3.2. As whom it is to be done is said here (§4.4), and has been looked at.
    fn begin(
        &mut self,
        requester: &Requester,
        request: &ExtendedRequest,
        controls: &Controls,
        now: Timestamp,
    ) -> Result<Outcome, Refusal> {
        if request.value.is_some() {
            return Err(Refusal::Protocol("the start transaction request takes no value"));
        }
        if requester.identity.is_anonymous() {
            return Err(Refusal::AuthenticationRequired);
        }
        if requester.freedom != Freedom::Full {
            return Err(Refusal::MustChangePassword);
        }
        if self.open.is_some() {
            return Err(Refusal::Unwilling("a transaction is open on this connection; end it first"));
        }
        self.begun += 1;
        let identifier = self.begun.to_string();
        let mut outcome = Outcome::answer(ResultCode::Success);
        outcome.response.value = Some(identifier.clone().into_bytes());
        self.open = Some(Transaction::new(identifier, controls.proxied.clone(), now));
        Ok(outcome)
    }

    /// RFC 5805 §3.3: a request is answered as soon as it is taken down. What is too much ends the transaction.
    fn enlist(&mut self, message: &Message, controls: &Controls) -> Result<Outcome, Refusal> {
        let Some(specification) = &controls.rare().transaction else { return Err(Refusal::Failed) };
        let open = self.named(&specification.identifier)?;
        let taken = if specification.is_critical {
            open.enlist(message, controls)
        } else {
            Err(Refusal::Protocol("the transaction specification control must be critical"))
        };
        match taken {
            Ok(()) => return Ok(Outcome::answer(ResultCode::Success)),
            Err(ref refusal @ (Refusal::AdminLimit(_) | Refusal::Busy)) => {
                self.abort(refusal.into(), refusal.to_string());
            }
            Err(ref refusal) => {
                let response = refusal.to_response(PolicyControl::of(controls));
                open.spoilt.get_or_insert((message.id, response));
            }
        }
        taken.map(|()| Outcome::answer(ResultCode::Success))
    }

    /// RFC 5805 §3.4.
    fn end(&mut self, request: &ExtendedRequest, controls: &Controls) -> Result<Turn, Refusal> {
        require_own(controls)?;
        let EndTransaction { commit, identifier } =
            EndTransaction::read(request.value.as_ref()).map_err(Refusal::Protocol)?;
        self.named(&identifier)?;
        let ended = self.open.take().filter(|_| commit);
        Ok(match ended {
            None => Turn::answered(Ok(Outcome::answer(ResultCode::Success))),
            Some(Transaction { spoilt: Some((id, response)), .. }) => {
                Turn::answered(Ok(Outcome::answer(not_settled(id, response))))
            }
            Some(ended) => Turn::Settle(Box::new(ended)),
        })
    }

    fn named(&mut self, identifier: &Bytes) -> Result<&mut Transaction, Refusal> {
        let open = self.open.as_mut().filter(|open| open.identifier.as_bytes() == identifier);
        open.ok_or(Refusal::Protocol(UNKNOWN))
    }
}
