//! One connection: reads, asks its session, has requests done, writes.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use smallvec::SmallVec;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::access::Actor;
use crate::directory::{Identity, ResultCode};
use crate::operations::refusal::PolicyControl;
use crate::operations::search::{Step, page_full, refused};
use crate::operations::{Confidentiality, Effect, Freedom, Outcome, Refusal, Requester, Services};
use crate::password::change::By;
use crate::protocol::control::Controls;
use crate::protocol::response::put_notice_of_disconnection;
use crate::protocol::{Fatal, Framing, Message, MessageId, Operation, Request, Response};
use crate::session::{Action, Actions, Session, Tls};

use super::Shared;
use super::access_log::{self, Line};
use super::dispatch::{Done, Progress, Running, Scene, Ticket};
use super::paging::Paging;
use super::peer::Peer;
use super::settings::Cleartext;
use super::shared::Place;
use super::stream::Stream;

/// What is written at once is no more than this, in octets: then it is the client's turn to read.
const FLUSH: usize = 256 << 10;
/// A buffer that grew beyond this is given back when it has been written.
const KEEP: usize = 16 << 10;
/// How often a connection looks whether it has been idle for too long.
const IDLE_CHECK: Duration = Duration::from_secs(30);

/// How a connection came in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// In the clear; TLS may be started.
    Plain(Cleartext),
    /// Inside TLS.
    Tls,
    /// Over a socket of this machine.
    Local,
}

/// One connection.
struct Connection {
    shared: Arc<Shared>,
    place: Place,
    session: Session,
    requester: Arc<Requester>,
    /// What was found out about the requester, and with which services.
    known: Option<(Arc<Services>, Arc<Actor>)>,
    peer: Peer,
    framing: Framing,
    incoming: BytesMut,
    outgoing: BytesMut,
    running: SmallVec<[Ticket; 4]>,
    /// Searches that go on when what they have found has been written.
    paused: Vec<(Box<Running>, Box<crate::operations::search::Search>)>,
    /// Answers that are held back.
    held: Vec<(Box<Running>, Response, PendingEffects)>,
    paging: Paging,
    done: UnboundedSender<Done>,
    serial: u64,
    last_request: Instant,
    end: End,
}

type PendingEffects = SmallVec<[Effect; 1]>;

/// Whether and how the connection ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    /// It goes on.
    Not,
    /// It begins anew inside TLS.
    StartTls,
    /// It ends when everything has been written.
    Close,
    /// It ends when everything under way has been answered, since the server stops.
    Drain,
}

/// Serves one connection until it ends.
pub(super) async fn serve(shared: Arc<Shared>, stream: Stream, kind: Kind, peer: Peer, place: Place) {
    let number = place.number;
    tracing::debug!(target: "access", conn = number, %peer, "connected");
    let limits = shared.settings.connections;
    let stream = match (kind, stream) {
        (Kind::Tls, Stream::Tcp(tcp)) => match handshake(&shared, tcp, limits.handshake).await {
            Ok(stream) => stream,
            Err(error) => {
                tracing::debug!(target: "access", conn = number, %error, "TLS was not established");
                return;
            }
        },
        (_, stream) => stream,
    };
    let (done, finished) = unbounded_channel();
    let connection = Connection::new(shared, kind, peer, place, done);
    if let Err(error) = connection.run(stream, finished).await {
        tracing::debug!(target: "access", conn = number, %error, "the connection broke");
    }
    tracing::debug!(target: "access", conn = number, "closed");
}

async fn handshake(shared: &Shared, tcp: tokio::net::TcpStream, limit: Duration) -> io::Result<Stream> {
    let Some(config) = shared.tls.load_full() else { return Err(io::Error::other("TLS is not set up")) };
    match timeout(limit, TlsAcceptor::from(config).accept(tcp)).await {
        Ok(accepted) => Ok(Stream::Tls(Box::new(accepted?))),
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}

impl Connection {
    fn new(shared: Arc<Shared>, kind: Kind, peer: Peer, place: Place, done: UnboundedSender<Done>) -> Self {
        let tls = match kind {
            Kind::Plain(_) if shared.tls.load().is_some() => Tls::Available,
            Kind::Plain(_) => Tls::Unavailable,
            Kind::Tls | Kind::Local => Tls::Established,
        };
        let confidentiality = match kind {
            Kind::Plain(Cleartext::Refused) => Confidentiality::Open,
            Kind::Plain(Cleartext::Allowed) => Confidentiality::OpenButTrusted,
            Kind::Tls | Kind::Local => Confidentiality::Protected,
        };
        let mut requester = Requester::anonymous(confidentiality, peer.to_string());
        requester.external = peer.identity();
        Self {
            framing: shared.settings.connections.before_bind,
            shared,
            place,
            session: Session::new(tls),
            requester: Arc::new(requester),
            known: None,
            peer,
            incoming: BytesMut::new(),
            outgoing: BytesMut::new(),
            running: SmallVec::new(),
            paused: Vec::new(),
            held: Vec::new(),
            paging: Paging::default(),
            done,
            serial: 0,
            last_request: Instant::now(),
            end: End::Not,
        }
    }

    async fn run(mut self, mut stream: Stream, mut finished: UnboundedReceiver<Done>) -> io::Result<()> {
        let stop = self.shared.stop.clone();
        let idle = tokio::time::sleep(IDLE_CHECK);
        tokio::pin!(idle);
        loop {
            self.take_messages();
            let was_full = self.outgoing.len() >= FLUSH;
            self.write(&mut stream).await?;
            self.resume_searches();
            match self.end {
                End::Close => return stream.shutdown().await,
                End::StartTls => stream = self.start_tls(stream).await?,
                End::Drain if self.session.is_idle() => {
                    self.disconnect(ResultCode::Unavailable, "the server is shutting down");
                    continue;
                }
                End::Not | End::Drain => {}
            }
            // Messages that there was no room to answer have arrived already: no socket will announce them again.
            if was_full || !self.outgoing.is_empty() {
                continue;
            }
            let may_read = self.end == End::Not && self.session.load() < self.shared.settings.connections.outstanding;
            tokio::select! {
                biased;
                Some(done) = finished.recv() => {
                    self.finish(done);
                    while self.outgoing.len() < FLUSH && let Ok(done) = finished.try_recv() {
                        self.finish(done);
                    }
                }
                read = stream.read_into(&mut self.incoming), if may_read => {
                    if read? == 0 {
                        self.session.end();
                        return Ok(());
                    }
                }
                () = stop.cancelled(), if self.end == End::Not => self.end = End::Drain,
                () = &mut idle => {
                    idle.as_mut().reset(tokio::time::Instant::now() + IDLE_CHECK);
                    self.end_if_idle();
                }
            }
        }
    }

    /// Handles the messages that have arrived whole, as far as there is room for their answers.
    fn take_messages(&mut self) {
        let most = self.shared.settings.connections.outstanding;
        while self.end == End::Not && self.session.load() < most && self.outgoing.len() < FLUSH {
            match self.framing.next(&mut self.incoming) {
                Ok(Some(message)) => {
                    self.last_request = Instant::now();
                    let actions = self.session.receive(message);
                    self.carry_out(actions);
                }
                Ok(None) => return,
                Err(fatal) => return self.refuse(fatal),
            }
        }
    }

    fn refuse(&mut self, fatal: Fatal) {
        self.disconnect(fatal.result_code(), &fatal.to_string());
    }

    fn disconnect(&mut self, code: ResultCode, reason: &str) {
        self.session.end();
        put_notice_of_disconnection(&mut self.outgoing, code, reason);
        self.end = End::Close;
    }

    fn end_if_idle(&mut self) {
        let limit = self.shared.settings.connections.idle;
        if self.session.is_idle() && self.last_request.elapsed() >= limit {
            self.disconnect(ResultCode::Unavailable, "the connection was idle for too long");
        }
    }

    async fn write(&mut self, stream: &mut Stream) -> io::Result<()> {
        if self.outgoing.is_empty() {
            return Ok(());
        }
        let limit = self.shared.settings.connections.write;
        let written = timeout(limit, async {
            stream.write_all(&self.outgoing).await?;
            stream.flush().await
        });
        written.await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        self.outgoing.clear();
        if self.outgoing.capacity() > KEEP {
            self.outgoing = BytesMut::new();
        }
        Ok(())
    }

    /// Begins TLS. What came in the clear behind the request was put there by somebody else, and is thrown away with the
    /// connection.
    async fn start_tls(&mut self, stream: Stream) -> io::Result<Stream> {
        let Stream::Tcp(tcp) = stream else { return Err(io::ErrorKind::InvalidData.into()) };
        if !self.incoming.is_empty() {
            return Err(io::Error::other("octets came in the clear behind StartTLS"));
        }
        let limit = self.shared.settings.connections.handshake;
        let stream = handshake(&self.shared, tcp, limit).await?;
        self.session.tls_established();
        self.become_identity(Identity::Anonymous, Freedom::Full);
        Arc::make_mut(&mut self.requester).confidentiality = Confidentiality::Protected;
        self.end = End::Not;
        Ok(stream)
    }

    fn carry_out(&mut self, actions: Actions) {
        let mut pending: std::collections::VecDeque<Action> = actions.into_iter().collect();
        while let Some(action) = pending.pop_front() {
            match action {
                Action::Perform(message) => pending.extend(self.perform(message)),
                Action::Abandon(id) => self.forget(id),
                Action::Respond { id, operation, response } => {
                    if operation == Operation::Bind {
                        // Also a bind that cannot be read ends whatever was before.
                        self.become_identity(Identity::Anonymous, Freedom::Full);
                    }
                    response.put(&mut self.outgoing, id, operation);
                }
                Action::StartTls(id) => {
                    let name = Some(crate::protocol::oid::START_TLS);
                    let response = Response { name, ..ResultCode::Success.into() };
                    response.put(&mut self.outgoing, id, Operation::Extended);
                    self.end = End::StartTls;
                }
                Action::Disconnect { code, reason } => self.disconnect(code, reason),
                Action::Close => self.end = End::Close,
            }
        }
    }

    /// Stops working on a request.
    fn forget(&mut self, id: MessageId) {
        self.running.retain(|ticket| ticket.id != id);
        self.paused.retain(|(running, _)| running.ticket.id != id);
        self.held.retain(|(running, ..)| running.ticket.id != id);
    }

    fn scene(&mut self) -> Result<Scene, Refusal> {
        Scene::take(&self.shared, &self.requester, &mut self.known, self.peer.source(), &self.done)
    }

    fn perform(&mut self, message: Message) -> Actions {
        self.serial += 1;
        let ticket = Ticket { id: message.id, serial: self.serial };
        self.running.push(ticket);
        let is_bind = matches!(message.request, Request::Bind(_));
        if is_bind {
            // Whoever it was, they are not any more, however this ends (RFC 4511 §4.2.1).
            self.become_identity(Identity::Anonymous, Freedom::Full);
        }
        let controls = match Controls::read(&message.controls, message.request.operation()) {
            Ok(controls) => controls,
            Err(error) => {
                let running = Running::new(ticket, message, Controls::default());
                return self.progress(Progress::Answered(Box::new(running), Err(error.into())));
            }
        };
        let running = Box::new(Running::new(ticket, message, controls));
        let progress = match self.scene() {
            Err(refusal) => Progress::Answered(running, Err(refusal)),
            Ok(scene) => self.begin(scene, running),
        };
        self.progress(progress)
    }

    fn begin(&mut self, scene: Scene, running: Box<Running>) -> Progress {
        let Request::Search(request) = &running.message.request else { return scene.begin(running) };
        let request = request.clone();
        match &running.controls.paged {
            Some(paged) if !paged.cookie.is_empty() => {
                let identity = &self.requester.identity;
                let Some(mut search) = self.paging.take(&paged.cookie, &request, identity) else {
                    return Progress::Answered(running, Err(Refusal::BadCookie));
                };
                if paged.size == 0 {
                    // RFC 2696 §3: the client wants no more.
                    return Progress::Answered(running, Ok(Outcome::answer(page_full(b""))));
                }
                scene.next_page(&running, &mut search);
                scene.search_on(running, Box::new(search), &mut self.outgoing)
            }
            _ => scene.search(running, &request, &mut self.outgoing),
        }
    }

    /// Goes on with what was done elsewhere.
    fn finish(&mut self, done: Done) {
        let progress = match done {
            Done::Ripe(ticket) => return self.release(ticket),
            Done::Planned(running, Err(refusal)) => Progress::Answered(running, Err(refusal)),
            Done::Planned(running, Ok(outcome)) => match self.scene() {
                Ok(scene) => scene.commit(running, outcome),
                Err(refusal) => Progress::Answered(running, Err(refusal)),
            },
            Done::Committed(running, outcome, result) => match self.scene() {
                Ok(scene) => scene.committed(running, outcome, result),
                Err(refusal) => Progress::Answered(running, Err(refusal)),
            },
            Done::Searched(running, search, out, step) => {
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

    fn progress(&mut self, progress: Progress) -> Actions {
        match progress {
            Progress::Elsewhere => Actions::new(),
            Progress::Answered(running, result) => self.answered(running, result),
            Progress::Searched(running, search, Ok(Step::More)) => {
                self.paused.push((running, search));
                Actions::new()
            }
            Progress::Searched(running, search, Ok(Step::PageFull)) => {
                let Request::Search(request) = &running.message.request else { return Actions::new() };
                let cookie = self.paging.keep(request.clone(), self.requester.identity.clone(), *search);
                self.respond(&running, &page_full(&cookie))
            }
            Progress::Searched(running, _, Ok(Step::Done(response))) => self.respond(&running, &response),
            Progress::Searched(running, _, Err(refusal)) => {
                log_cause(&refusal);
                self.respond(&running, &refused(&refusal))
            }
        }
    }

    fn answered(&mut self, running: Box<Running>, result: Result<Outcome, Refusal>) -> Actions {
        let (response, delay, effects) = match result {
            Ok(mut outcome) => {
                if let Ok(scene) = self.scene() {
                    scene.commit_afterwards(&mut outcome);
                }
                (outcome.response, outcome.delay, outcome.effects)
            }
            Err(refusal) => {
                log_cause(&refusal);
                let response = refusal.to_response(PolicyControl::of(&running.controls));
                (response, refusal.delay(), SmallVec::new())
            }
        };
        if delay.is_zero() {
            self.apply(&running, effects);
            return self.respond(&running, &response);
        }
        let (done, ticket) = (self.done.clone(), running.ticket);
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            // A connection that has ended needs no answer.
            let _ = done.send(Done::Ripe(ticket));
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
        let line = Line {
            connection: self.place.number,
            operation: running.operation(),
            who: self.requester.identity.name(),
            target: &target(&running.message.request),
            code: response.result.code,
            took: running.started.elapsed(),
        };
        access_log::write(&line);
        if !self.is_running(running.ticket) {
            return Actions::new();
        }
        self.running.retain(|ticket| *ticket != running.ticket);
        response.put(&mut self.outgoing, running.ticket.id, running.operation());
        self.session.complete(running.ticket.id)
    }

    fn apply(&mut self, running: &Running, effects: PendingEffects) {
        for effect in effects {
            match effect {
                Effect::Authenticated { identity, freedom } if self.is_running(running.ticket) => {
                    self.become_identity(identity, freedom);
                }
                Effect::Authenticated { .. } => {}
                Effect::PasswordSet { uuid, by } => {
                    self.shared.services.load().meter.forget(uuid);
                    if by == By::Owner && self.requester.identity.uuid() == Some(uuid) {
                        Arc::make_mut(&mut self.requester).freedom = Freedom::Full;
                    }
                }
                Effect::CredentialsSet { uuid } => self.shared.services.load().meter.forget(uuid),
            }
        }
    }

    fn become_identity(&mut self, identity: Identity, freedom: Freedom) {
        let limits = self.shared.settings.connections;
        self.framing = if identity.is_anonymous() { limits.before_bind } else { limits.after_bind };
        let requester = Arc::make_mut(&mut self.requester);
        requester.identity = identity;
        requester.freedom = freedom;
        self.known = None;
    }

    fn resume_searches(&mut self) {
        for (running, search) in std::mem::take(&mut self.paused) {
            let progress = match self.scene() {
                Ok(scene) => scene.scan(running, search),
                Err(refusal) => Progress::Answered(running, Err(refusal)),
            };
            let actions = self.progress(progress);
            self.carry_out(actions);
        }
    }
}

/// What the client is not told goes to the log.
fn log_cause(refusal: &Refusal) {
    if let Refusal::Store(error) = refusal {
        tracing::error!(%error, "the store failed");
    }
}

/// The name that a request is about, for the access log.
fn target(request: &Request) -> String {
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    match request {
        Request::Bind(bind) => text(&bind.name),
        Request::Search(search) => text(&search.base),
        Request::Modify(modify) => modify.object.clone(),
        Request::Add(add) => add.entry.clone(),
        Request::Delete(name) => text(name),
        Request::ModifyDn(rename) => rename.entry.clone(),
        Request::Compare(compare) => text(&compare.entry),
        Request::Extended(extended) => text(&extended.name),
        Request::Unbind | Request::Abandon(_) | Request::Malformed { .. } => String::new(),
    }
}
