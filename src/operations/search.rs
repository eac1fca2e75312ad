//! Search (RFC 4511 §4.5): done in steps, so that a long one neither holds a thread nor fills memory.

mod alias;
mod apart;
mod batch;
mod chain;
mod change_log;
mod confined;
mod dereference;
mod effective_rights;
mod examine;
mod extras;
mod list_view;
mod matched_values;
mod monitor;
mod persistent;
mod planning;
mod reach;
mod sending;
mod sort;
mod special;
mod sync;
mod turn;

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;

use crate::directory::filter::{MAX_PARTS, Matcher};
use crate::directory::tree::{Candidates, EntryId, Scope};
use crate::directory::{ResultCode, Timestamp};
use crate::password::scheme::Effort;
use crate::protocol::control::{Controls, Flags, PagedResults, ResponseControl, paged_results_response};
use crate::protocol::entry_writer::Values;
use crate::protocol::request::SearchRequest;
use crate::protocol::{LdapResult, MessageId, Response};

use super::derived::{Derived, Groups};
use super::integrity::MemberOf;
use super::refusal::PolicyControl;
use super::selection::Selection;
use super::{Context, Refusal};
use apart::Apart;
use dereference::Following;
use effective_rights::Question;
use extras::{Extras, Sorting};
use persistent::Persistent;
use reach::{Base, Reach};
use special::{Special, Treatment};
use sync::Sync;

/// A search under way. It belongs to the tree that it was started on, and goes on reading that.
#[derive(Clone, Debug)]
pub struct Search {
    id: MessageId,
    reach: Reach,
    treatment: Treatment,
    special: Special,
    matcher: Matcher,
    selection: Selection,
    derived: Derived,
    groups: Groups,
    values: Values,
    /// The entries to look at; `None` until they are found.
    candidates: Option<Candidates>,
    /// What a step may cost. A search begins with little; one for which that does not suffice says that it goes on, and
    /// is continued where nobody waits for the thread.
    effort: Effort,
    /// Where to go on: behind this entry.
    after: Option<EntryId>,
    left: Left,
    /// Entries that were sent, as far as nobody has counted them.
    sent: u64,
    page: Option<Page>,
    paged: bool,
    /// What is to be told with each entry.
    asked: Flags,
    /// What it looks at instead of a tree.
    apart: Option<Box<Apart>>,
    /// What somebody may do with what is found is to be told.
    rights: Option<Arc<Question>>,
    /// What controls ask for besides.
    extras: Option<Box<Extras>>,
    /// It goes on to tell of changes.
    persistent: Option<Persistent>,
    /// It brings a copy up to date.
    sync: Option<Box<Sync>>,
}

/// What is left of the bounds.
#[derive(Clone, Copy, Debug)]
struct Left {
    /// Entries, over all pages.
    entries: u32,
    deadline: Timestamp,
    /// What each page, or the whole, may take.
    time: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Page {
    left: u32,
}

/// How far a search got in one step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// It goes on.
    More,
    /// The page is full, and more may follow: keep the search until the client comes back with its cookie.
    PageFull,
    /// It has told everything, and goes on to tell of changes: [`Search::watch`].
    Waiting,
    /// It is done.
    Done(Response),
}

impl Search {
    /// Looks at the request, finds the base and plans. An answer that needs no tree is written at once.
    pub fn start(
        ctx: &Context<'_>,
        request: &SearchRequest,
        controls: &Controls,
        id: MessageId,
        out: &mut BytesMut,
    ) -> Result<Self, Refusal> {
        if request.attributes.len() > ctx.services.limits.attributes {
            return Err(Refusal::AdminLimit("the search lists more attributes than this server takes"));
        }
        if request.filter.parts() > MAX_PARTS {
            return Err(Refusal::AdminLimit("the filter has more parts than this server takes"));
        }
        let schema = ctx.schema();
        let mut matcher = Matcher::prepare(&request.filter, schema);
        if ctx.services.integrity.member_of == MemberOf::Nested && request.scope != Scope::BaseObject {
            // No index knows who is in a group by way of others, so they are looked for from the group on.
            matcher.follow(&[schema.known().member_of, schema.known().is_member_of]);
        }
        let selection = Selection::read(&request.attributes, schema).restricted(controls.flags, schema);
        let extras = Extras::read(controls, schema);
        let mut looked_at = matcher.mentioned();
        if let Some(extras) = &extras {
            looked_at.union(&extras.looked_at());
        }
        let derived = Derived::needed(&selection, &looked_at, schema);
        let dn = ctx.parse_dn(&request.base)?;
        if let Some(asserted) = &controls.rare().assertion {
            ctx.require_assertion(asserted, &request.base)?;
        }
        let rights =
            controls.rare().effective_rights.as_ref().map(|asked| Question::read(ctx, asked, &request.attributes));
        let mut search = Self {
            id,
            reach: Reach { base: Base::Answered, scope: request.scope, also: Vec::new() },
            treatment: Treatment::of(request, controls),
            special: Special::default(),
            matcher,
            selection,
            derived,
            groups: Groups::default(),
            values: if request.types_only { Values::Omitted } else { Values::Included },
            candidates: None,
            effort: Effort::Light,
            after: None,
            left: Left::of(ctx, request, controls.paged.as_ref()),
            sent: 0,
            page: None,
            paged: controls.paged.is_some(),
            asked: controls.flags,
            apart: None,
            rights: rights.transpose()?.map(Arc::new),
            extras,
            persistent: Persistent::begin(ctx, controls)?,
            sync: Sync::begin(ctx, request, controls)?,
        };
        if search.refused().is_some() {
            return Ok(search);
        }
        if let Some(paged) = &controls.paged {
            search.next_page(ctx, paged, id);
        }
        if search.answer_at_once(ctx, &dn, out)? {
            return Ok(search);
        }
        match Apart::find(ctx, &dn, request)? {
            Some(_) if search.is_about_a_tree() => return Err(persistent::NOTHING_TO_TELL),
            Some(apart) => search.begin_apart(apart),
            None => search.reach.base = search.treatment.find_base(ctx, &dn, request.scope)?,
        }
        Ok(search)
    }

    /// Begins the next page of a paged search, which may take as long as the one before.
    pub fn next_page(&mut self, ctx: &Context<'_>, paged: &PagedResults, id: MessageId) {
        self.id = id;
        self.effort = Effort::Light;
        self.groups = Groups::default();
        self.left.deadline = ctx.now.saturating_add(self.left.time);
        let limits = ctx.services.limits;
        self.page = Some(Page { left: paged.size.min(limits.page).min(limits.size) });
    }

    /// Whether it makes sense only for what a tree holds.
    const fn is_about_a_tree(&self) -> bool {
        self.persistent.is_some() || self.sync.is_some()
    }

    /// Looks at up to `budget` entries, and writes those that match, until much has been written.
    pub fn run(&mut self, ctx: &Context<'_>, budget: usize, out: &mut BytesMut) -> Result<Step, Refusal> {
        let step = self.go_on(ctx, budget, out)?;
        Ok(self.end_refresh(step, out))
    }

    fn go_on(&mut self, ctx: &Context<'_>, budget: usize, out: &mut BytesMut) -> Result<Step, Refusal> {
        if let Some(response) = self.refused() {
            return Ok(Step::Done(response.clone()));
        }
        if self.persistent.is_some_and(|persistent| persistent.is_about_changes_only()) {
            return Ok(Step::Waiting);
        }
        if ctx.now >= self.left.deadline {
            return Ok(self.done(ResultCode::TimeLimitExceeded));
        }
        if let Some(sync) = self.sync.as_mut().filter(|sync| sync.is_unchecked()) {
            match self.effort {
                Effort::Light => self.effort = Effort::Heavy,
                Effort::Heavy => sync.check(ctx)?,
            }
            return Ok(Step::More);
        }
        if let Some(apart) = self.apart.take() {
            return self.send_apart(apart, ctx, budget, out);
        }
        if self.is_sorted() {
            return self.send_sorted(ctx, budget, out);
        }
        if self.candidates.is_none() {
            self.plan(ctx)?;
        }
        let Some(candidates) = self.candidates.take() else { return Ok(Step::More) };
        let step = self.look_at(&candidates, ctx, budget, out);
        self.candidates = Some(candidates);
        step
    }

    fn is_sorted(&self) -> bool {
        self.extras.as_ref().is_some_and(|extras| matches!(extras.sorting, Sorting::Sending(_)))
    }

    /// The answer, if controls make the search impossible.
    fn refused(&self) -> Option<&Response> {
        self.extras.as_ref()?.refused.as_ref()
    }

    /// The controls of each answer, those about pages aside.
    pub fn told(&self) -> Vec<ResponseControl> {
        self.extras.as_ref().map(|extras| extras.told.clone()).unwrap_or_default()
    }

    /// Whether it keeps what it has found.
    pub fn keeps_much(&self) -> bool {
        self.extras.as_ref().is_some_and(|extras| !matches!(extras.sorting, Sorting::Unwanted))
    }

    /// How many entries were sent since this was asked last.
    pub const fn take_sent(&mut self) -> u64 {
        std::mem::replace(&mut self.sent, 0)
    }

    fn done(&self, code: ResultCode) -> Step {
        if code == ResultCode::Success && self.persistent.is_some() {
            return Step::Waiting;
        }
        let mut response = Response { controls: self.told(), ..code.into() };
        if self.paged {
            response.controls.push(paged_results_response(b""));
        }
        Step::Done(response)
    }
}

impl Left {
    /// The client's size limit holds for all pages together; that of the server, where there are pages, for each of them.
    fn of(ctx: &Context<'_>, request: &SearchRequest, paged: Option<&PagedResults>) -> Self {
        let limits = ctx.services.limits;
        let asked = if request.size_limit == 0 { u32::MAX } else { request.size_limit };
        let entries = if paged.is_some() { asked } else { asked.min(limits.size) };
        let some = |time: Duration| if time.is_zero() { Duration::MAX } else { time };
        let time = some(Duration::from_secs(u64::from(request.time_limit))).min(some(limits.time));
        Self { entries, deadline: ctx.now.saturating_add(time), time }
    }
}

/// The answer that ends a search that failed.
pub fn refused(refusal: &Refusal, controls: &Controls) -> Response {
    refusal.to_response(PolicyControl::of(controls))
}

/// The answer that ends a page, with what else is told.
pub fn page_full(cookie: &[u8], mut controls: Vec<ResponseControl>) -> Response {
    controls.push(paged_results_response(cookie));
    Response { controls, ..LdapResult::new(ResultCode::Success).into() }
}
