//! Has requests done where they belong: at once on the thread of the connection, or on a lane.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use tokio::sync::mpsc::UnboundedSender;

use crate::access::{Actor, Rules};
use crate::directory::Identity;
use crate::directory::tree::{CommitError, Committed};
use crate::operations::bind::{self, InProgress, Prepared, Verification};
use crate::operations::outcome::Effect;
use crate::operations::perform::{looks_far, may_search};
use crate::operations::search::{Search, Step};
use crate::operations::transaction::Transaction;
use crate::operations::{Context, Effort, Need, Outcome, Refusal, Requester, Services, effort, perform, proxy};
use crate::protocol::control::{Controls, Flag, Flags};
use crate::protocol::{Message, MessageId, Operation, Request};
use crate::store::View;

use super::Shared;
use super::lanes::{Fate, Source, Status};
use super::random::SystemRandom;

/// Entries that a search looks at on the thread of its connection, before it moves to the scan lane.
const AT_ONCE: usize = 64;
/// Entries that it looks at there before it comes back with what it has found.
const PER_TURN: usize = 2_048;
/// Octets after which it comes back.
const OCTETS_PER_TURN: usize = 256 << 10;
/// How long it may be there before others have their turn.
const TURN: Duration = Duration::from_millis(25);
/// How often a change that lost a race is planned again.
const ATTEMPTS: u32 = 8;
/// How long a password attempt waits for others at the same account before the server is busy: what clients wait.
const WAIT: Duration = Duration::from_secs(30);

/// A request under way, told from others that may have had its message id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Ticket {
    pub(super) id: MessageId,
    pub(super) serial: u64,
    pub(super) operation: Operation,
}

/// A request that is being done.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) ticket: Ticket,
    pub(super) message: Message,
    pub(super) controls: Controls,
    pub(super) started: Instant,
    /// Who it is done as, if that is somebody else than the connection belongs to.
    pub(super) acting: Option<Arc<Requester>>,
    /// The bind that the request before has begun, if this one may go on with it.
    pub(super) begun: Option<Box<InProgress>>,
    /// What a persistent search compares.
    pub(super) moments: Option<Box<Moments>>,
    /// The transaction that it ends, which is to be committed.
    pub(super) settling: Option<Box<Transaction>>,
    attempts: u32,
}

/// The two moments that a persistent search compares.
#[derive(Debug)]
pub(super) struct Moments {
    /// When everything had been told.
    before: Arc<View>,
    /// When it began to look at what has happened since; it looks at nothing later before it is done with that.
    now: Option<Arc<View>>,
    phase: Phase,
}

/// How far a persistent search is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// It tells what is there.
    Finding,
    /// It tells of changes.
    Watching,
}

impl Moments {
    /// Notes that everything has been told.
    pub(super) fn settle(&mut self) {
        self.phase = Phase::Watching;
        if let Some(now) = self.now.take() {
            self.before = now;
        }
    }

    /// Puts the directory in the place of `view` that is to be looked at, and returns the one that it is compared with if
    /// there is one. While something is being told, later changes are none: they would come between the two.
    fn look(&mut self, view: &mut Arc<View>) -> Option<Arc<View>> {
        match self.phase {
            Phase::Finding => {
                *view = Arc::clone(&self.before);
                None
            }
            Phase::Watching => {
                *view = Arc::clone(self.now.get_or_insert_with(|| Arc::clone(view)));
                Some(Arc::clone(&self.before))
            }
        }
    }

    /// Whether something was committed since.
    pub(super) fn are_behind(&self, view: &View) -> bool {
        self.before.version() < view.version()
    }
}

/// Where a request is done that takes long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    /// Where passwords are hashed.
    Hashing,
    /// Where many entries are looked at.
    Scans,
}

/// What has become of a request that was not done at once. It is sent in a box: the channel of each connection has room for
/// many of them from the beginning.
#[derive(Debug)]
pub(super) enum Done {
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
pub(super) enum Progress {
    /// It is answered.
    Answered(Box<Running>, Box<Result<Outcome, Refusal>>),
    /// A search is answered, or its page is full, or it goes on when what it has found has been written.
    Searched(Box<Running>, Box<Search>, Result<Step, Refusal>),
    /// It goes on elsewhere, and will come back as [`Done`].
    Elsewhere,
}

impl Progress {
    pub(super) fn answered(running: Box<Running>, result: Result<Outcome, Refusal>) -> Self {
        Self::Answered(running, Box::new(result))
    }
}

/// What was found out about a requester: by which rules, and with which services.
#[derive(Clone, Debug)]
pub(super) struct Known {
    services: Arc<Services>,
    rules: Arc<Rules>,
    actor: Arc<Actor>,
}

/// What operations need, taken at one moment.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    shared: Arc<Shared>,
    view: Arc<View>,
    services: Arc<Services>,
    rules: Arc<Rules>,
    requester: Arc<Requester>,
    actor: Arc<Actor>,
    source: Source,
    done: UnboundedSender<Box<Done>>,
}

impl Running {
    pub(super) fn new(ticket: Ticket, message: Message, controls: Controls) -> Self {
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

    pub(super) fn operation(&self) -> Operation {
        self.message.request.operation()
    }
}

impl Scene {
    /// Takes the directory as it is now. What was found out about the requester before is used again if it still holds.
    pub(super) fn take(
        shared: &Arc<Shared>,
        requester: &Arc<Requester>,
        known: &mut Option<Known>,
        source: Source,
        done: &UnboundedSender<Box<Done>>,
    ) -> Result<Self, Refusal> {
        use crate::directory::tree::Tree;

        let (view, services) = shared.now();
        let now = shared.clock.now();
        let holds = |actor: &Actor| actor.version == view.membership_version() && actor.is_current(now);
        let usable = known.as_ref().filter(|known| Arc::ptr_eq(&known.services, &services) && holds(&known.actor));
        let (rules, actor) = if let Some(known) = usable {
            (Arc::clone(&known.rules), Arc::clone(&known.actor))
        } else {
            let circumstances = requester.circumstances(now);
            let rules = shared.rules_in_force(&services, &view)?;
            let actor = match &requester.identity {
                Identity::Anonymous => services.rules.stranger(&circumstances, &rules, &view)?,
                known => Arc::new(Actor::find(known.clone(), &circumstances, &rules, &view)?),
            };
            (rules, actor)
        };
        *known = Some(Known { services: Arc::clone(&services), rules: Arc::clone(&rules), actor: Arc::clone(&actor) });
        Ok(Self {
            shared: Arc::clone(shared),
            view,
            services,
            rules,
            requester: Arc::clone(requester),
            actor,
            source,
            done: done.clone(),
        })
    }

    /// Whom it is done for, and the rules that may decide.
    pub(super) fn actor(&self) -> (&Actor, &Rules) {
        (&self.actor, &self.rules)
    }

    fn with<R>(&self, work: impl FnOnce(&Context<'_>) -> R) -> R {
        work(&Context {
            tree: &self.view,
            services: &self.services,
            requester: &self.requester,
            rules: &self.rules,
            actor: &self.actor,
            now: self.shared.clock.now(),
            random: &SystemRandom,
            flags: Flags::default(),
            wishes: None,
        })
    }

    /// Goes on as whom the request says, if it says so and the requester may. That is found out anew whenever the request
    /// goes on, so that it ends with the right to do it.
    pub(super) fn acting(mut self, running: &mut Running) -> Result<Self, Refusal> {
        let Some(proxied) = &running.controls.proxied else { return Ok(self) };
        let (requester, actor) = self.with(|ctx| proxy::authorize(ctx, proxied))?;
        self.requester = Arc::new(requester);
        self.actor = Arc::new(actor);
        running.acting = Some(Arc::clone(&self.requester));
        Ok(self)
    }

    /// Begins a request other than a search.
    pub(super) fn begin(self, running: Box<Running>) -> Progress {
        if let Some(transaction) = &running.settling {
            let place = if transaction.effort() == Effort::Heavy { Place::Hashing } else { Place::Scans };
            return self.on_lane(place, running, |ctx, running| match &running.settling {
                Some(transaction) => transaction.plan(ctx),
                None => Err(Refusal::Failed),
            });
        }
        match &running.message.request {
            Request::Bind(request) => {
                match self.with(|ctx| bind::prepare(ctx, request, &running.controls, running.begun.as_deref())) {
                    Err(refusal) => Progress::answered(running, Err(refusal)),
                    Ok(Prepared::Done(outcome)) => self.commit(running, *outcome),
                    Ok(Prepared::Verify(verification)) => self.verify(running, verification),
                }
            }
            _ if running.controls.flags.has(Flag::TreeDelete) => self.on_lane(Place::Scans, running, |ctx, running| {
                perform(ctx, &running.message.request, &running.controls)
            }),
            request if effort(request) == Effort::Heavy => self.on_lane(Place::Hashing, running, |ctx, running| {
                perform(ctx, &running.message.request, &running.controls)
            }),
            request if self.with(|ctx| looks_far(ctx, request)) => {
                self.on_lane(Place::Scans, running, |ctx, running| {
                    perform(ctx, &running.message.request, &running.controls)
                })
            }
            request => match self.with(|ctx| perform(ctx, request, &running.controls)) {
                Err(refusal) => Progress::answered(running, Err(refusal)),
                Ok(outcome) => self.commit(running, outcome),
            },
        }
    }

    fn verify(self, running: Box<Running>, mut verification: Box<Verification>) -> Progress {
        if self.with(|ctx| verification.effort(ctx)) == Effort::Heavy {
            return self.on_lane(Place::Hashing, running, move |ctx, running| verification.run(ctx, &running.controls));
        }
        match self.with(|ctx| verification.run(ctx, &running.controls)) {
            // Others at the same account are being hashed; wait where they are.
            Err(Refusal::Wait) => {
                self.on_lane(Place::Hashing, running, move |ctx, running| verification.run(ctx, &running.controls))
            }
            Err(refusal) => Progress::answered(running, Err(refusal)),
            Ok(outcome) => self.commit(running, outcome),
        }
    }

    /// Whether the connection still waits for what is done. If it has ended, nothing would come of it: changes are made
    /// by the connection that they were planned for.
    fn is_wanted(&self) -> bool {
        !self.done.is_closed()
    }

    /// Has a request done elsewhere.
    fn on_lane(
        self,
        place: Place,
        running: Box<Running>,
        work: impl Fn(&Context<'_>, &Running) -> Result<Outcome, Refusal> + Send + 'static,
    ) -> Progress {
        let shared = Arc::clone(&self.shared);
        let source = self.source;
        let mut held = Some(running);
        let job = move |fate| {
            // It stays here while it is worked on, so that it can be answered if that fails.
            let Some(running) = held.as_ref().filter(|_| self.is_wanted()) else { return Status::Finished };
            let result = match fate {
                Fate::Run => self.with(|ctx| work(ctx, running)),
                other => Err(unfinished(other)),
            };
            if matches!(result, Err(Refusal::Wait)) && running.started.elapsed() < WAIT {
                return Status::Again;
            }
            if let Some(running) = held.take() {
                // A connection that has ended needs no answer.
                let _ = self.done.send(Box::new(Done::Planned(running, result)));
            }
            Status::Finished
        };
        let lane = match place {
            Place::Hashing => &shared.hashing,
            Place::Scans => &shared.scans,
        };
        lane.submit(source, Box::new(job));
        Progress::Elsewhere
    }

    /// Makes the change of a request that was planned, if there is one.
    pub(super) fn commit(&self, running: Box<Running>, mut outcome: Outcome) -> Progress {
        let change = std::mem::take(&mut outcome.change);
        if change.is_empty() {
            return Progress::answered(running, Ok(outcome));
        }
        let done = self.done.clone();
        let asked = outcome.effects.contains(&Effect::AskedChanged).then(|| Arc::clone(&self.shared.proving));
        let reply = move |result: Result<Committed, CommitError>| {
            if let Some(proving) = asked.as_ref().filter(|_| result.is_ok()) {
                proving.call();
            }
            // A connection that has ended needs no answer.
            let _ = done.send(Box::new(Done::Committed(running, outcome, result)));
        };
        self.shared.store.submit(change, Box::new(reply));
        Progress::Elsewhere
    }

    /// Goes on with a request whose change was made, or not: then it may be planned again.
    pub(super) fn committed(
        self,
        mut running: Box<Running>,
        mut outcome: Outcome,
        result: Result<Committed, CommitError>,
    ) -> Progress {
        match result {
            Ok(committed) => {
                outcome.settle(committed.csn);
                Progress::answered(running, Ok(outcome))
            }
            Err(CommitError::Conflict) if running.attempts < ATTEMPTS => {
                running.attempts += 1;
                match self.acting(&mut running) {
                    Ok(scene) => scene.begin(running),
                    Err(refusal) => Progress::answered(running, Err(refusal)),
                }
            }
            Err(_) if outcome.need == Need::Welcome => Progress::answered(running, Ok(outcome)),
            Err(CommitError::Conflict | CommitError::Busy) => Progress::answered(running, Err(Refusal::Busy)),
            Err(CommitError::TooLarge) => {
                Progress::answered(running, Err(Refusal::AdminLimit("the change is larger than this server takes")))
            }
            Err(error @ CommitError::Unavailable(_)) => {
                tracing::error!(%error, "a change could not be made");
                Progress::answered(running, Err(Refusal::ReadOnlyNow))
            }
        }
    }

    /// Begins a search: what a few entries answer is answered at once.
    pub(super) fn search(self, mut running: Box<Running>, out: &mut BytesMut) -> Progress {
        if running.controls.rare().persists() {
            let before = Arc::clone(&self.view);
            running.moments = Some(Box::new(Moments { before, now: None, phase: Phase::Finding }));
        }
        let Request::Search(request) = &running.message.request else { return self.begin(running) };
        let id = running.ticket.id;
        let started = self.with(|ctx| {
            may_search(ctx, request)?;
            Search::start(ctx, request, &running.controls, id, out)
        });
        match started {
            Err(refusal) => Progress::answered(running, Err(refusal)),
            Ok(search) => self.search_on(running, Box::new(search), out),
        }
    }

    /// Goes on with a search for a few entries.
    pub(super) fn search_on(self, running: Box<Running>, mut search: Box<Search>, out: &mut BytesMut) -> Progress {
        let step = self.with(|ctx| search.run(ctx, AT_ONCE, out));
        Progress::Searched(running, search, step)
    }

    /// Prepares a search that waited for its client to ask for the next page, who may be less free than before.
    pub(super) fn next_page(&self, running: &Running, search: &mut Search) -> Result<(), Refusal> {
        let (Request::Search(request), Some(paged)) = (&running.message.request, &running.controls.paged) else {
            return Ok(());
        };
        self.with(|ctx| {
            may_search(ctx, request)?;
            search.next_page(ctx, paged, running.ticket.id);
            Ok(())
        })
    }

    /// Goes on with a search on the scan lane.
    pub(super) fn scan(mut self, mut running: Box<Running>, search: Box<Search>) -> Progress {
        let before = running.moments.as_mut().and_then(|moments| moments.look(&mut self.view));
        let shared = Arc::clone(&self.shared);
        let source = self.source;
        let mut held = Some((running, search));
        let job = move |fate| {
            let mut out = BytesMut::new();
            let Some((running, search)) = held.as_mut().filter(|_| self.is_wanted()) else { return Status::Finished };
            let step = match (fate, &before) {
                (Fate::Run, Some(before)) => self.watch_turn(running, search, before, &mut out),
                (Fate::Run, None) => self.scan_turn(search, &mut out),
                (other, _) => Err(unfinished(other)),
            };
            if let Some((running, search)) = held.take() {
                // A connection that has ended needs no answer.
                let _ = self.done.send(Box::new(Done::Searched(running, search, out, step)));
            }
            Status::Finished
        };
        shared.scans.submit(source, Box::new(job));
        Progress::Elsewhere
    }

    fn scan_turn(&self, search: &mut Search, out: &mut BytesMut) -> Result<Step, Refusal> {
        self.turn(out, |ctx, out| search.run(ctx, AT_ONCE, out))
    }

    /// Tells of changes, as far as whoever waits for them may still know of them.
    fn watch_turn(
        &self,
        running: &Running,
        search: &mut Search,
        before: &Arc<View>,
        out: &mut BytesMut,
    ) -> Result<Step, Refusal> {
        if let Request::Search(request) = &running.message.request {
            self.with(|ctx| may_search(ctx, request))?;
        }
        self.turn(out, |ctx, out| search.watch(ctx, before, AT_ONCE, out))
    }

    /// Goes on until others have their turn.
    fn turn(
        &self,
        out: &mut BytesMut,
        mut step: impl FnMut(&Context<'_>, &mut BytesMut) -> Result<Step, Refusal>,
    ) -> Result<Step, Refusal> {
        let mut looked_at = 0;
        let started = Instant::now();
        while looked_at < PER_TURN && out.len() < OCTETS_PER_TURN && started.elapsed() < TURN {
            match self.with(|ctx| step(ctx, out))? {
                Step::More => looked_at += AT_ONCE,
                last => return Ok(last),
            }
        }
        Ok(Step::More)
    }
}

/// Why a request was not done that was given to a lane.
const fn unfinished(fate: Fate) -> Refusal {
    match fate {
        Fate::Panicked => Refusal::Failed,
        Fate::Run | Fate::Dropped => Refusal::Busy,
    }
}
