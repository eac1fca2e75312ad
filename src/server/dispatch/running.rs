//! A request that is being done, and what becomes of it.

use std::sync::Arc;
use std::time::Instant;

use bytes::BytesMut;

use super::Moments;
use crate::directory::tree::{CommitError, Committed};
use crate::operations::bind::InProgress;
use crate::operations::search::{Search, Step};
use crate::operations::transaction::Transaction;
use crate::operations::{Outcome, Refusal, Requester};
use crate::protocol::control::Controls;
use crate::protocol::{Message, MessageId, Operation};

/// A request under way, told from others that may have had its message id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::server) struct Ticket {
    pub(in crate::server) id: MessageId,
    pub(in crate::server) serial: u64,
    pub(in crate::server) operation: Operation,
}

/// A request that is being done.
#[derive(Debug)]
pub(in crate::server) struct Running {
    pub(in crate::server) ticket: Ticket,
    pub(in crate::server) message: Message,
    pub(in crate::server) controls: Controls,
    pub(in crate::server) started: Instant,
    /// Who it is done as, if that is somebody else than the connection belongs to.
    pub(in crate::server) acting: Option<Arc<Requester>>,
    /// The bind that the request before has begun, if this one may go on with it.
    pub(in crate::server) begun: Option<Box<InProgress>>,
    /// What a persistent search compares.
    pub(in crate::server) moments: Option<Box<Moments>>,
    /// The transaction that it ends, which is to be committed.
    pub(in crate::server) settling: Option<Box<Transaction>>,
    pub(super) attempts: u32,
}

impl Running {
    pub(in crate::server) fn new(ticket: Ticket, message: Message, controls: Controls) -> Self {
        Self {
            ticket,
            message,
            controls,
            started: Instant::now(),
            acting: None,
            begun: None,
            moments: None,
            settling: None,
            attempts: 0,
        }
    }

    pub(in crate::server) fn operation(&self) -> Operation {
        self.message.request.operation()
    }
}

/// What has become of a request that was not done at once. It is sent in a box: the channel of each connection has room for
/// many of them from the beginning.
#[derive(Debug)]
pub(in crate::server) enum Done {
    /// It was planned, or refused.
    Planned(Box<Running>, Result<Outcome, Refusal>),
    /// Its change was made, or not.
    Committed(Box<Running>, Outcome, Result<Committed, CommitError>),
    /// A search has got so far.
    Searched(Box<Running>, Box<Search>, BytesMut, Result<Step, Refusal>),
    /// An answer was held back for long enough.
    Ripe(Ticket),
}

/// What follows from a request on the thread of its connection.
#[derive(Debug)]
pub(in crate::server) enum Progress {
    /// It is answered.
    Answered(Box<Running>, Box<Result<Outcome, Refusal>>),
    /// A search is answered, or its page is full, or it goes on when what it has found has been written.
    Searched(Box<Running>, Box<Search>, Result<Step, Refusal>),
    /// It goes on elsewhere, and will come back as [`Done`].
    Elsewhere,
}

impl Progress {
    pub(in crate::server) fn answered(running: Box<Running>, result: Result<Outcome, Refusal>) -> Self {
        Self::Answered(running, Box::new(result))
    }
}
