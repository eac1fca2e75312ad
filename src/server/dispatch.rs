//! Has requests done where they belong: at once on the thread of the connection, or on a lane.

mod moments;
mod running;
mod searching;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use crate::access::{Actor, Rules};
use crate::directory::Identity;
use crate::directory::tree::{CommitError, Committed};
use crate::operations::bind::{self, Prepared, Verification};
use crate::operations::outcome::Effect;
use crate::operations::perform::looks_far;
use crate::operations::{Context, Effort, Need, Outcome, Refusal, Requester, Services, effort, perform, proxy};
use crate::protocol::Request;
use crate::protocol::control::{Flag, Flags};
use crate::store::View;

use super::Shared;
use super::lanes::{Fate, Source, Status};
use super::random::SystemRandom;
use moments::Moments;
pub(super) use running::{Done, Progress, Running, Ticket};

/// How often a change that lost a race is planned again.
const ATTEMPTS: u32 = 8;
/// How long a password attempt waits for others at the same account before the server is busy: what clients wait.
const WAIT: Duration = Duration::from_secs(30);

/// Where a request is done that takes long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    /// Where passwords are hashed.
    Hashing,
    /// Where many entries are looked at.
    Scans,
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
}

/// Why a request was not done that was given to a lane.
const fn unfinished(fate: Fate) -> Refusal {
    match fate {
        Fate::Panicked => Refusal::Failed,
        Fate::Run | Fate::Dropped => Refusal::Busy,
    }
}
