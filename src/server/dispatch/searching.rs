//! Searches: at once where a few entries answer them, or in turns on the scan lane.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;

use super::{Done, Moments, Progress, Running, Scene, unfinished};
use crate::operations::perform::may_search;
use crate::operations::search::{Search, Step};
use crate::operations::{Context, Refusal};
use crate::protocol::Request;
use crate::server::lanes::{Fate, Status};
use crate::store::View;

/// Entries that a search looks at on the thread of its connection, before it moves to the scan lane.
const AT_ONCE: usize = 64;
/// Entries that it looks at there before it comes back with what it has found.
const PER_TURN: usize = 2_048;
/// Octets after which it comes back.
const OCTETS_PER_TURN: usize = 256 << 10;
/// How long it may be there before others have their turn.
const TURN: Duration = Duration::from_millis(25);
impl Scene {
    /// Begins a search: what a few entries answer is answered at once.
    pub(in crate::server) fn search(self, mut running: Box<Running>, out: &mut BytesMut) -> Progress {
        if running.controls.rare().persists() {
            running.moments = Some(Box::new(Moments::from(Arc::clone(&self.view))));
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
    pub(in crate::server) fn search_on(
        self,
        running: Box<Running>,
        mut search: Box<Search>,
        out: &mut BytesMut,
    ) -> Progress {
        let step = self.with(|ctx| search.run(ctx, AT_ONCE, out));
        Progress::Searched(running, search, step)
    }

    /// Prepares a search that waited for its client to ask for the next page, who may be less free than before.
    pub(in crate::server) fn next_page(&self, running: &Running, search: &mut Search) -> Result<(), Refusal> {
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
    pub(in crate::server) fn scan(mut self, mut running: Box<Running>, search: Box<Search>) -> Progress {
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
