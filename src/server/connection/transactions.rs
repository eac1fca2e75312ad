//! Transactions on a connection (RFC 5805): requests are taken down, and done together at the end.

use super::Connection;
use crate::operations::transaction::{Ending, Transactions, Turn};
use crate::protocol::Response;
use crate::protocol::response::put_aborted_transaction;
use crate::server::access_log::{self, Line, Part};
use crate::server::dispatch::{Done, Progress, Running};

impl Connection {
    /// Takes a request down that is part of a transaction, or begins or ends one. Any other goes on as ever, and so does the
    /// end of a transaction that is to be committed.
    pub(super) fn transact(&mut self, mut running: Box<Running>) -> Result<Box<Running>, Box<Progress>> {
        let (message, controls) = (&running.message, &running.controls);
        if !Transactions::concerns(message, controls) {
            return Ok(running);
        }
        if Transactions::begins_as_another(message, controls)
            && let Err(refusal) = self.scene().and_then(|scene| scene.acting(&mut running))
        {
            return Err(Box::new(Progress::answered(running, Err(refusal))));
        }
        let (message, controls) = (&running.message, &running.controls);
        let turn = self.transactions.take(&self.requester, message, controls, self.shared.clock.now());
        self.tell_aborted();
        match turn {
            None => Ok(running),
            Some(Turn::Answered(result)) => Err(Box::new(Progress::Answered(running, result))),
            Some(Turn::Settle(transaction)) => {
                running.controls.proxied = transaction.proxied();
                running.settling = Some(transaction);
                Ok(running)
            }
        }
    }

    /// Gives a transaction up whose end does not come.
    pub(super) fn expire_transaction(&mut self) {
        self.transactions.expire(self.shared.clock.now());
        self.tell_aborted();
    }

    fn tell_aborted(&mut self) {
        if let Some(aborted) = self.transactions.take_aborted() {
            put_aborted_transaction(&mut self.outgoing, &aborted.identifier, aborted.code, &aborted.reason);
        }
    }

    /// Tells of each request of a transaction how it has ended.
    pub(super) fn note_settled(&self, running: &Running, end: &Response) {
        let Some(transaction) = &running.settling else { return };
        for Ending { request, code, sessions } in transaction.endings(end) {
            access_log::write(&Line {
                connection: self.place.number,
                request,
                store: &self.shared.store,
                requester: running.acting.as_ref().unwrap_or(&self.requester),
                code,
                part: Part::Settled(transaction.identifier()),
                took: running.started.elapsed(),
                sessions,
            });
        }
    }

    /// Whether nobody waits any more for a transaction that was planned: whoever the connection belongs to now has not asked
    /// for it.
    pub(super) fn is_given_up(&self, done: &Done) -> bool {
        let (running, is_made) = match done {
            Done::Planned(running, _) => (running, false),
            Done::Committed(running, _, result) => (running, result.is_ok()),
            Done::Searched(..) | Done::Ripe(_) => return false,
        };
        running.settling.is_some() && !is_made && !self.running.contains(&running.ticket)
    }
}
