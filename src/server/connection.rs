//! One connection: reads, asks its session, has requests done, writes.

mod requests;
mod transactions;

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use smallvec::SmallVec;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::access::circumstances::Protection;
use crate::directory::ResultCode;
use crate::directory::tree::Version;
use crate::operations::bind::InProgress;
use crate::operations::context::Link;
use crate::operations::identity_map::Origin;
use crate::operations::transaction::Transactions;
use crate::operations::{Confidentiality, Effect, External, Requester};
use crate::protocol::response::put_notice_of_disconnection;
use crate::protocol::{Fatal, Framing, Request, Response};
use crate::session::{Session, Tls};

use super::Shared;
use super::access_log::Refusals;
use super::dispatch::{Done, Known, Running, Ticket};
use super::monitor::Tally;
use super::paging::Paging;
use super::peer::Peer;
use super::settings::Cleartext;
use super::shared::Place;
use super::stream::Stream;
use super::tls::ReadyTls;

/// What is written at once is no more than this, in octets: then it is the client's turn to read.
const FLUSH: usize = 256 << 10;
/// Requests of one connection that came in so many octets are answered before more are taken, since each is kept until then.
const OUTSTANDING_OCTETS: usize = 4 << 20;
/// A buffer that grew beyond this is given back when it has been written.
const KEEP: usize = 16 << 10;
/// How often a connection looks whether it has been idle for too long, or more often where less is too long.
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
    /// Where it is counted what is done here.
    tally: Arc<Tally>,
    session: Session,
    requester: Arc<Requester>,
    /// What was found out about the requester.
    known: Option<Known>,
    /// A bind that is half done; any other request ends it.
    begun: Option<Box<InProgress>>,
    peer: Peer,
    framing: Framing,
    incoming: BytesMut,
    outgoing: BytesMut,
    running: SmallVec<[Ticket; 4]>,
    /// Searches that go on when what they have found has been written.
    paused: VecDeque<(Box<Running>, Box<crate::operations::search::Search>)>,
    /// Searches that wait for something to happen.
    waiting: Vec<(Box<Running>, Box<crate::operations::search::Search>)>,
    /// The requests of these, and of those like them that are being worked on.
    persistent: Vec<Ticket>,
    /// Hears of commits.
    commits: watch::Receiver<()>,
    /// How many searches are on the scan lane, and will come back with something to write.
    scanning: usize,
    /// Answers that are held back.
    held: Vec<(Box<Running>, Response, PendingEffects)>,
    paging: Paging,
    transactions: Transactions,
    /// The commit after which it was made sure that the requester is who they were.
    recognised: Version,
    refusals: Refusals,
    done: UnboundedSender<Box<Done>>,
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

/// A connection that was accepted.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) stream: Stream,
    pub(super) kind: Kind,
    pub(super) peer: Peer,
    pub(super) place: Place,
}

/// Serves one connection until it ends.
pub(super) async fn serve(shared: Arc<Shared>, worker: usize, opened: Opened) {
    let Opened { stream, kind, peer, place } = opened;
    let number = place.number;
    tracing::debug!(target: "access", conn = number, %peer, "connected");
    let limits = shared.settings.connections;
    let (stream, tls) = match (kind, stream) {
        // What a handshake needs is given back when it is over.
        (Kind::Tls, Stream::Tcp(tcp)) => match Box::pin(handshake(&shared, tcp, limits.handshake)).await {
            Ok((stream, tls)) => (stream, Some(tls)),
            Err(error) => {
                tracing::debug!(target: "access", conn = number, %error, "TLS was not established");
                return;
            }
        },
        (_, stream) => (stream, None),
    };
    let Some(tally) = shared.tallies.get(worker).map(Arc::clone) else { return };
    let (done, finished) = unbounded_channel();
    let mut connection = Box::new(Connection::new(shared, (kind, stream.protection()), peer, (place, tally), done));
    connection.note_tls(&stream, tls.as_deref());
    if let Err(error) = connection.run(stream, finished).await {
        tracing::debug!(target: "access", conn = number, %error, "the connection broke");
    }
    tracing::debug!(target: "access", conn = number, "closed");
}

async fn handshake(
    shared: &Shared,
    tcp: tokio::net::TcpStream,
    limit: Duration,
) -> io::Result<(Stream, Arc<ReadyTls>)> {
    let Some(tls) = shared.tls.load_full() else { return Err(io::Error::other("TLS is not set up")) };
    match timeout(limit, TlsAcceptor::from(Arc::clone(&tls.config)).accept(tcp)).await {
        Ok(accepted) => Ok((Stream::Tls(Box::new(accepted?)), tls)),
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}

impl Connection {
    fn new(
        shared: Arc<Shared>,
        (kind, protection): (Kind, Protection),
        peer: Peer,
        (place, tally): (Place, Arc<Tally>),
        done: UnboundedSender<Box<Done>>,
    ) -> Self {
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
        let mut requester = Requester::anonymous(confidentiality, peer.to_string().into());
        requester.external = peer.external();
        requester.link = Link { remote: Some(peer.remote()), protection: Some(protection) };
        let refusals = Refusals::new(place.number);
        Self {
            framing: shared.settings.connections.before_bind,
            commits: shared.commits.clone(),
            shared,
            place,
            tally,
            session: Session::new(tls),
            requester: Arc::new(requester),
            known: None,
            begun: None,
            peer,
            incoming: BytesMut::new(),
            outgoing: BytesMut::new(),
            running: SmallVec::new(),
            paused: VecDeque::new(),
            waiting: Vec::new(),
            persistent: Vec::new(),
            scanning: 0,
            held: Vec::new(),
            paging: Paging::default(),
            transactions: Transactions::default(),
            recognised: 0,
            refusals,
            done,
            serial: 0,
            last_request: Instant::now(),
            end: End::Not,
        }
    }

    /// Notes what TLS tells of the channel, and what the client's certificate proves, if it has shown one that is by an
    /// authority we know.
    fn note_tls(&mut self, stream: &Stream, tls: Option<&ReadyTls>) {
        let channel = tls.map(|tls| Arc::new(stream.channel_bindings(tls)));
        Arc::make_mut(&mut self.requester).channel = channel;
        if let Some(name) = stream.certificate_subject() {
            let external = External::Named { origin: Origin::Certificate, name };
            Arc::make_mut(&mut self.requester).external = Some(external);
        }
    }

    async fn run(&mut self, mut stream: Stream, mut finished: UnboundedReceiver<Box<Done>>) -> io::Result<()> {
        let stop = self.shared.stop.clone();
        // Waited for once: to begin anew with each request would take a lock that all connections share.
        let stopped = stop.cancelled();
        let idle = tokio::time::sleep(self.idle_check());
        tokio::pin!(stopped, idle);
        loop {
            self.take_messages();
            let was_full = self.outgoing.len() >= FLUSH;
            self.write(&mut stream).await?;
            self.resume_searches();
            match self.end {
                End::Close => return stream.shutdown().await,
                End::StartTls => stream = Box::pin(self.start_tls(stream)).await?,
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
            let may_read = self.end == End::Not && self.has_room();
            let is_waiting = !self.waiting.is_empty();
            tokio::select! {
                biased;
                Some(done) = finished.recv() => {
                    self.finish(*done);
                    while self.outgoing.len() < FLUSH && let Ok(done) = finished.try_recv() {
                        self.finish(*done);
                    }
                }
                read = stream.read_into(&mut self.incoming), if may_read => {
                    let octets = read?;
                    if octets == 0 {
                        self.session.end();
                        return Ok(());
                    }
                    self.tally.receive(octets);
                }
                () = &mut stopped, if self.end == End::Not => {
                    self.end = End::Drain;
                    self.end_waiting();
                }
                // The sender is part of the store, which outlives this.
                _ = self.commits.changed(), if is_waiting && self.end == End::Not => self.look_at_changes(),
                () = &mut idle => {
                    idle.as_mut().reset(tokio::time::Instant::now() + self.idle_check());
                    self.give_back_buffers();
                    self.expire_transaction();
                    self.end_if_idle();
                }
            }
        }
    }

    /// How many requests are under way, but for those that only wait for something to happen.
    fn load(&self) -> usize {
        self.session.load().saturating_sub(self.persistent.len())
    }

    /// Whether another request is taken before one of those under way has been answered.
    fn has_room(&self) -> bool {
        self.load() < self.shared.settings.connections.outstanding && self.session.octets() < OUTSTANDING_OCTETS
    }

    /// Handles the messages that have arrived whole, as far as there is room for their answers.
    fn take_messages(&mut self) {
        while self.end == End::Not && self.has_room() && self.outgoing.len() < FLUSH {
            match self.framing.next(&mut self.incoming) {
                Ok(Some(message)) => {
                    self.last_request = Instant::now();
                    if !matches!(message.request, Request::Bind(_)) {
                        self.begun = None;
                    }
                    self.tally.begin(message.request.operation());
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

    /// A connection that does nothing holds no buffers.
    fn give_back_buffers(&mut self) {
        for buffer in [&mut self.incoming, &mut self.outgoing] {
            if buffer.is_empty() {
                *buffer = BytesMut::new();
            }
        }
    }

    fn idle_check(&self) -> Duration {
        let limits = &self.shared.settings.connections;
        IDLE_CHECK.min(limits.idle_before_bind).min(limits.idle).max(Duration::from_secs(1))
    }

    fn end_if_idle(&mut self) {
        let limits = self.shared.settings.connections;
        let is_unknown = self.requester.identity.is_anonymous() && !matches!(self.peer, Peer::Local { .. });
        let limit = if is_unknown { limits.idle_before_bind } else { limits.idle };
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
        self.tally.send(self.outgoing.len());
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
        let (stream, tls) = handshake(&self.shared, tcp, limit).await?;
        self.session.tls_established();
        self.become_anonymous();
        let requester = Arc::make_mut(&mut self.requester);
        requester.confidentiality = Confidentiality::Protected;
        requester.link.protection = Some(stream.protection());
        self.note_tls(&stream, Some(&tls));
        self.end = End::Not;
        Ok(stream)
    }
}

impl Drop for Connection {
    /// What is under way gets no answer any more.
    fn drop(&mut self) {
        self.running.iter().for_each(|ticket| self.tally.end(ticket.operation));
    }
}
