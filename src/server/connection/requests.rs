//! What a connection does with requests: has them done, and answers them.

use std::sync::Arc;
use std::time::Duration;

use smallvec::SmallVec;
use tokio::time::timeout;

use super::{Connection, End, PendingEffects};
use crate::directory::Identity;
use crate::directory::ResultCode;
use crate::directory::tree::Directory;
use crate::operations::recognition::{Recognition, password_of, recognise};
use crate::operations::refusal::PolicyControl;
use crate::operations::search::{Search, Step, page_full, refused};
use crate::operations::{Effect, Freedom, Outcome, Proof, Refusal};
use crate::password::change::By;
use crate::protocol::control::Controls;
use crate::protocol::{Message, MessageId, Operation, Request, Response};
use crate::server::access_log::{self, Line, Part, Telling};
use crate::server::dispatch::{Done, Progress, Running, Scene, Ticket};
use crate::server::paging::{Asked, Paging};
use crate::session::{Action, Actions};

/// How long an answer waits for a disk before it comes all the same.
const WRITING: Duration = Duration::from_secs(5);
/// How many searches of one connection may be on the scan lane at once.
const SCANS: usize = 4;
/// How many searches of one connection may wait for something to happen.
const PERSISTENT: usize = 16;
/// Octets of one of them. All together they leave room for other requests: compare [`super::OUTSTANDING_OCTETS`].
const PERSISTENT_OCTETS: u32 = 64 << 10;

impl Connection {
    /// Carries out actions, and those that follow from them.
    pub(super) fn carry_out(&mut self, mut actions: Actions) {
        while !actions.is_empty() {
            let mut following = Actions::new();
            for action in actions {
                following.extend(self.carry_out_one(action));
            }
            actions = following;
        }
    }

    fn carry_out_one(&mut self, action: Action) -> Actions {
        match action {
            Action::Perform(message) => return self.perform(message),
            Action::Abandon(id) => self.forget(id),
            Action::Respond { id, operation, response } => {
                if operation == Operation::Bind {
                    // Also a bind that cannot be read ends whatever was before.
                    self.become_anonymous();
                }
                response.put(&mut self.outgoing, id, operation);
                self.tally.answer(operation, response.result.code);
                if self.note(operation, response.result.code) == Telling::TooMany {
                    self.disconnect(ResultCode::Busy, "too many requests were refused on this connection");
                }
            }
            Action::StartTls(id) => {
                let name = Some(crate::protocol::oid::START_TLS);
                let response = Response { name, ..ResultCode::Success.into() };
                response.put(&mut self.outgoing, id, Operation::Extended);
                self.tally.answer(Operation::Extended, ResultCode::Success);
                self.end = End::StartTls;
            }
            Action::Disconnect { code, reason } => self.disconnect(code, reason),
            Action::Close => self.end = End::Close,
        }
        Actions::new()
    }

    /// Stops working on a request.
    fn forget(&mut self, id: MessageId) {
        let tally = &self.tally;
        self.running.retain(|ticket| {
            let is_other = ticket.id != id;
            if !is_other {
                tally.end(ticket.operation);
            }
            is_other
        });
        self.paused.retain(|(running, _)| running.ticket.id != id);
        self.waiting.retain(|(running, _)| running.ticket.id != id);
        self.persistent.retain(|ticket| ticket.id != id);
        self.held.retain(|(running, ..)| running.ticket.id != id);
    }

    pub(super) fn scene(&mut self) -> Result<Scene, Refusal> {
        let is_new = self.known.is_none();
        let scene = Scene::take(&self.shared, &self.requester, &mut self.known, self.peer.source(), &self.done)?;
        if is_new {
            let (actor, rules) = scene.actor();
            access_log::write_reasons(self.place.number, actor, rules);
        }
        Ok(scene)
    }

    fn perform(&mut self, message: Message) -> Actions {
        let begun = self.begun.take();
        let is_bind = matches!(message.request, Request::Bind(_));
        if !is_bind && let Err(reason) = self.recognise() {
            self.disconnect(ResultCode::StrongerAuthRequired, reason);
            return Actions::new();
        }
        self.serial += 1;
        let operation = message.request.operation();
        let ticket = Ticket { id: message.id, serial: self.serial, operation };
        self.running.push(ticket);
        if is_bind {
            // Whoever it was, they are not any more, however this ends (RFC 4511 §4.2.1).
            self.become_anonymous();
        }
        let controls = match Controls::read(&message.controls, &message.request) {
            Ok(controls) => controls,
            Err(error) => {
                self.transactions.note_refused(&message, &error);
                let running = Running::new(ticket, message, Controls::default());
                return self.progress(Progress::answered(Box::new(running), Err(error.into())));
            }
        };
        let mut running = Box::new(Running::new(ticket, message, controls));
        running.begun = begun;
        let running = match self.transact(running) {
            Ok(running) => running,
            Err(progress) => return self.progress(*progress),
        };
        self.go_on(running)
    }

    fn go_on(&mut self, mut running: Box<Running>) -> Actions {
        let progress = match self.scene().and_then(|scene| scene.acting(&mut running)) {
            Err(refusal) => Progress::answered(running, Err(refusal)),
            Ok(scene) => self.begin(scene, running),
        };
        self.progress(progress)
    }

    fn begin(&mut self, scene: Scene, running: Box<Running>) -> Progress {
        let Request::Search(request) = &running.message.request else { return scene.begin(running) };
        match &running.controls.paged {
            Some(paged) if !paged.cookie.is_empty() => {
                let identity = &running.acting.as_ref().unwrap_or(&self.requester).identity;
                let Some(mut search) = self.paging.take(&paged.cookie, (request, &running.controls), identity) else {
                    return Progress::answered(running, Err(Refusal::BadCookie));
                };
                if paged.size == 0 {
                    // RFC 2696 §3: the client wants no more.
                    return Progress::answered(running, Ok(Outcome::answer(page_full(b"", Vec::new()))));
                }
                match scene.next_page(&running, &mut search) {
                    Ok(()) => scene.search_on(running, Box::new(search), &mut self.outgoing),
                    Err(refusal) => Progress::answered(running, Err(refusal)),
                }
            }
            _ if running.controls.rare().persists() => {
                if self.persistent.len() >= PERSISTENT {
                    let refusal = Refusal::AdminLimit("this connection has as many persistent searches as it may");
                    return Progress::answered(running, Err(refusal));
                }
                if running.message.octets > PERSISTENT_OCTETS {
                    let refusal = Refusal::AdminLimit("a persistent search is no larger than 64 KiB");
                    return Progress::answered(running, Err(refusal));
                }
                self.persistent.push(running.ticket);
                scene.search(running, &mut self.outgoing)
            }
            _ => scene.search(running, &mut self.outgoing),
        }
    }

    /// Goes on with what was done elsewhere.
    pub(super) fn finish(&mut self, done: Done) {
        if self.is_given_up(&done) {
            return;
        }
        let progress = match done {
            Done::Ripe(ticket) => return self.release(ticket),
            Done::Planned(running, Err(refusal)) => Progress::answered(running, Err(refusal)),
            Done::Planned(running, Ok(outcome)) => match self.scene() {
                Ok(scene) => scene.commit(running, outcome),
                Err(refusal) => Progress::answered(running, Err(refusal)),
            },
            Done::Committed(running, outcome, result) => match self.scene() {
                Ok(scene) => scene.committed(running, outcome, result),
                Err(refusal) => Progress::answered(running, Err(refusal)),
            },
            Done::Searched(running, search, out, step) => {
                self.scanning = self.scanning.saturating_sub(1);
                if !self.is_running(running.ticket) {
                    return;
                }
                self.outgoing.extend_from_slice(&out);
                Progress::Searched(running, search, step)
            }
        };
        let actions = self.progress(progress);
        self.carry_out(actions);
    }

    fn is_running(&self, ticket: Ticket) -> bool {
        self.running.contains(&ticket)
    }

    fn progress(&mut self, mut progress: Progress) -> Actions {
        if let Progress::Searched(_, search, _) = &mut progress {
            self.tally.send_entries(search.take_sent());
        }
        match progress {
            Progress::Elsewhere => Actions::new(),
            Progress::Answered(running, result) => self.answered(running, *result),
            Progress::Searched(running, search, Ok(Step::More)) => {
                self.paused.push_back((running, search));
                Actions::new()
            }
            Progress::Searched(running, search, Ok(Step::Waiting)) => self.wait(running, search),
            Progress::Searched(running, search, Ok(Step::PageFull)) => {
                let Request::Search(request) = &running.message.request else { return Actions::new() };
                let identity = running.acting.as_ref().unwrap_or(&self.requester).identity.clone();
                let told = search.told();
                let cookie = self.paging.keep(Asked::new(request, &running.controls), identity, *search);
                self.respond(&running, &page_full(&cookie, told))
            }
            Progress::Searched(running, _, Ok(Step::Done(response))) => self.respond(&running, &response),
            Progress::Searched(running, _, Err(refusal)) => {
                self.log_cause(&running, &refusal);
                let response = refused(&refusal, &running.controls);
                self.respond(&running, &response)
            }
        }
    }

    fn answered(&mut self, running: Box<Running>, result: Result<Outcome, Refusal>) -> Actions {
        let (response, hold, effects) = match result {
            Ok(outcome) => (outcome.response, outcome.hold, outcome.effects),
            Err(refusal) => {
                self.log_cause(&running, &refusal);
                let response = refusal.to_response(PolicyControl::of(&running.controls));
                (response, refusal.hold(), SmallVec::new())
            }
        };
        if hold.is_none() {
            self.apply(&running, effects);
            return self.respond(&running, &response);
        }
        let (done, ticket) = (self.done.clone(), running.ticket);
        let written = self.shared.locks.write(hold.written);
        tokio::spawn(async move {
            let written = async {
                if let Some(written) = written {
                    // However it ended: it is in memory as well.
                    let _ = timeout(WRITING, written).await;
                }
            };
            tokio::join!(tokio::time::sleep(hold.delay), written);
            // A connection that has ended needs no answer.
            let _ = done.send(Box::new(Done::Ripe(ticket)));
        });
        self.held.push((running, response, effects));
        Actions::new()
    }

    /// Gives an answer that was held back.
    fn release(&mut self, ticket: Ticket) {
        let Some(at) = self.held.iter().position(|(running, ..)| running.ticket == ticket) else { return };
        let (running, response, effects) = self.held.remove(at);
        self.apply(&running, effects);
        let actions = self.respond(&running, &response);
        self.carry_out(actions);
    }

    /// Writes the answer, unless nobody wants it any more.
    fn respond(&mut self, running: &Running, response: &Response) -> Actions {
        let code = response.result.code;
        let telling = self.note(running.operation(), code);
        if telling == Telling::Told {
            self.note_settled(running, response);
            let transaction = running.controls.rare().transaction.as_ref();
            let name = transaction.and_then(|of| std::str::from_utf8(&of.identifier).ok());
            // Such as we give them, and nothing else that a client calls one.
            let name = name.filter(|name| name.len() < 20 && name.bytes().all(|octet| octet.is_ascii_digit()));
            access_log::write(&Line {
                connection: self.place.number,
                request: &running.message.request,
                store: &self.shared.store,
                requester: running.acting.as_ref().unwrap_or(&self.requester),
                code,
                part: name.map_or(Part::None, Part::Asked),
                took: running.started.elapsed(),
                sessions: &running.controls.rare().sessions,
            });
        }
        if !self.is_running(running.ticket) {
            return Actions::new();
        }
        self.running.retain(|ticket| *ticket != running.ticket);
        self.persistent.retain(|ticket| *ticket != running.ticket);
        response.put(&mut self.outgoing, running.ticket.id, running.operation());
        self.tally.answer(running.operation(), code);
        if telling == Telling::TooMany {
            self.disconnect(ResultCode::Busy, "too many requests were refused on this connection");
        }
        self.session.complete(running.ticket.id)
    }

    /// Notes how a request ended: whoever has not authenticated is not refused for ever.
    fn note(&mut self, operation: Operation, code: ResultCode) -> Telling {
        if self.requester.identity.is_anonymous() {
            return self.refusals.note(operation, code);
        }
        self.refusals.clear();
        Telling::Told
    }

    fn apply(&mut self, running: &Running, effects: PendingEffects) {
        for effect in effects {
            match effect {
                Effect::Authenticated { identity, freedom, proof, proxied_by } if self.is_running(running.ticket) => {
                    self.become_identity(identity, freedom);
                    let requester = Arc::make_mut(&mut self.requester);
                    requester.proof = proof;
                    requester.proxied_by = proxied_by.map(|identity| *identity);
                }
                Effect::BindInProgress(begun) if self.is_running(running.ticket) => self.begun = Some(begun),
                // Another look at assertions was called for when the change was made.
                Effect::Authenticated { .. } | Effect::BindInProgress(_) | Effect::AskedChanged => {}
                Effect::PasswordSet { uuid, by } => {
                    self.shared.services.load().meter.forget(uuid);
                    if by == By::Owner && self.requester.identity.uuid() == Some(uuid) {
                        self.has_set_own_password();
                    }
                }
                Effect::CredentialsSet { uuid } => self.shared.services.load().meter.forget(uuid),
            }
        }
    }

    pub(super) fn become_anonymous(&mut self) {
        self.transactions.forget();
        self.become_identity(Identity::Anonymous, Freedom::Full);
        let requester = Arc::make_mut(&mut self.requester);
        requester.proof = Proof::Connection;
        requester.proxied_by = None;
    }

    /// What the client is not told goes to the log.
    fn log_cause(&self, running: &Running, refusal: &Refusal) {
        match refusal.untold() {
            Refusal::Store(error) => tracing::error!(%error, "the store failed"),
            Refusal::InvalidCredentials { replaced: Some(since), .. } => {
                let (conn, target) =
                    (self.place.number, access_log::target(&running.message.request, &self.shared.store));
                let text = "somebody there still sends a password that has been replaced";
                tracing::info!(target: "access", conn, %target, source = %self.peer, %since, "{text}");
            }
            Refusal::BreaksAssertion { example, .. } => {
                tracing::warn!(target: "access", conn = self.place.number, "a change was refused: {example}");
            }
            _ => {}
        }
    }

    fn has_set_own_password(&mut self) {
        let view = self.shared.store.view();
        let requester = Arc::make_mut(&mut self.requester);
        requester.freedom = Freedom::Full;
        if requester.proxied_by.is_none()
            && let (Proof::Password(_), Ok(proof)) = (requester.proof, password_of(requester, &view))
        {
            requester.proof = proof;
        }
    }

    fn is_changing_something(&self) -> bool {
        self.running.iter().any(|ticket| matches!(ticket.operation, Operation::Extended | Operation::Modify))
    }

    /// Looks again at who this is, if anything has changed in the directory since.
    fn recognise(&mut self) -> Result<(), &'static str> {
        let view = self.shared.store.view();
        if self.recognised == view.version() {
            return Ok(());
        }
        let services = self.shared.services.load();
        match recognise(&self.requester, &view, &services.policies, self.shared.clock.now()) {
            Ok(Recognition::Same) => {}
            Ok(Recognition::Changed { identity, freedom }) => self.become_identity(identity, freedom),
            // Perhaps it was they who have changed it, and the answer is on its way; then the next request is looked at.
            Ok(Recognition::Ended(_)) if self.is_changing_something() => return Ok(()),
            Ok(Recognition::Ended(reason)) => return Err(reason),
            Err(error) => {
                tracing::error!(%error, "the store failed");
                return Err("the server cannot tell who you are");
            }
        }
        self.recognised = view.version();
        Ok(())
    }

    pub(super) fn become_identity(&mut self, identity: Identity, freedom: Freedom) {
        let limits = self.shared.settings.connections;
        self.framing = if identity.is_anonymous() { limits.before_bind } else { limits.after_bind };
        let requester = Arc::make_mut(&mut self.requester);
        self.place.seen.belongs_to(&identity);
        requester.identity = identity;
        requester.freedom = freedom;
        self.known = None;
        self.recognised = 0;
        self.paging = Paging::default();
    }

    /// Goes on with searches whose findings have been written, a few at once: each may come back with as much again.
    pub(super) fn resume_searches(&mut self) {
        while self.scanning < SCANS
            && let Some((mut running, search)) = self.paused.pop_front()
        {
            let progress = match self.scene().and_then(|scene| scene.acting(&mut running)) {
                Ok(scene) => {
                    self.scanning += 1;
                    scene.scan(running, search)
                }
                Err(refusal) => Progress::answered(running, Err(refusal)),
            };
            let actions = self.progress(progress);
            self.carry_out(actions);
        }
    }

    /// Has a search wait for something to happen, unless that is the case already.
    fn wait(&mut self, mut running: Box<Running>, search: Box<Search>) -> Actions {
        if self.end == End::Drain {
            return self.end_one_waiting(&running);
        }
        let Some(moments) = &mut running.moments else { return Actions::new() };
        moments.settle();
        if moments.are_behind(&self.shared.store.view()) {
            self.paused.push_back((running, search));
        } else {
            self.waiting.push((running, search));
        }
        Actions::new()
    }

    /// Has the searches that wait for something to happen look at what has.
    pub(super) fn look_at_changes(&mut self) {
        if let Err(reason) = self.recognise() {
            return self.disconnect(ResultCode::StrongerAuthRequired, reason);
        }
        self.paused.extend(self.waiting.drain(..));
    }

    /// Ends those that wait, since the server stops.
    pub(super) fn end_waiting(&mut self) {
        for (running, _) in std::mem::take(&mut self.waiting) {
            let actions = self.end_one_waiting(&running);
            self.carry_out(actions);
        }
    }

    fn end_one_waiting(&mut self, running: &Running) -> Actions {
        let response = Response::with_message(ResultCode::Unavailable, "the server is shutting down");
        self.respond(running, &response)
    }
}
