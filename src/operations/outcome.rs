//! What an operation comes to.

use smallvec::SmallVec;
use uuid::Uuid;

use crate::directory::tree::Change;
use crate::directory::{Csn, Identity, ResultCode};
use crate::password::change::By;
use crate::protocol::Response;

use super::bind::InProgress;
use super::hold::Hold;
use super::read_entry::PostRead;
use super::transaction::Settlement;
use super::{Freedom, Proof};

/// The answer, and what must happen for it to be true.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What the client is told, once `change` has been made.
    pub response: Response,
    /// What is to be changed first.
    pub change: Change,
    /// What it means if that cannot be.
    pub need: Need,
    /// What else follows.
    pub effects: SmallVec<[Effect; 1]>,
    /// How the answer is held back.
    pub hold: Hold,
    /// The entry as the change makes it, for the answer (RFC 4527 §3.2).
    pub post_read: Option<Box<PostRead>>,
    /// What the requests of a transaction are answered with besides.
    pub settlement: Option<Box<Settlement>>,
}

/// What an operation is without its change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Need {
    /// Nothing: it is planned again, or refused.
    Required,
    /// The same, for it is no loss: a password hashed anew, for instance, is hashed anew another time.
    Welcome,
}

/// What follows from an operation, besides changes to entries.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Effect {
    /// The connection belongs to somebody now, or to nobody.
    Authenticated {
        /// Who.
        identity: Identity,
        /// How much they may do.
        freedom: Freedom,
        /// What they have proven it by.
        proof: Proof,
        /// Who has proven it, if it was somebody else who may act as them.
        proxied_by: Option<Box<Identity>>,
    },
    /// A bind is half done: the next request may go on with it, if it comes next.
    BindInProgress(Box<InProgress>),
    /// A password was set.
    PasswordSet {
        /// Whose.
        uuid: Uuid,
        /// By whom.
        by: By,
    },
    /// The state of a password was set by hand: what has been counted no longer holds.
    CredentialsSet {
        /// Whose.
        uuid: Uuid,
    },
    /// Something was changed of what rules or assertions ask for: whether all that is asserted holds is to be looked at.
    AskedChanged,
}

impl Outcome {
    /// An answer, and nothing else.
    pub fn answer(response: impl Into<Response>) -> Self {
        Self {
            response: response.into(),
            change: Change::none(),
            need: Need::Required,
            effects: SmallVec::new(),
            hold: Hold::NONE,
            post_read: None,
            settlement: None,
        }
    }

    /// Completes the answer by what the commit has decided.
    pub fn settle(&mut self, csn: Csn) {
        if let Some(copy) = self.post_read.take() {
            self.response.controls.push(copy.committed(csn));
        }
        if let Some(settlement) = self.settlement.take() {
            self.response.value = settlement.committed(csn);
        }
    }

    /// What the client is told instead if nothing is to be done (draft-zeilenga-ldap-noop §2): that nothing speaks against
    /// it. No password has been made, so none is told.
    #[must_use]
    pub fn left_undone(self) -> Self {
        Self { hold: self.hold, ..Self::answer(ResultCode::NoOperation) }
    }

    /// Success, once the change has been made.
    pub fn success(change: Change) -> Self {
        Self { change, ..Self::answer(ResultCode::Success) }
    }
}
