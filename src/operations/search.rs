//! Search (RFC 4511 §4.5): done in steps, so that a long one neither holds a thread nor fills memory.

mod alias;
mod apart;
mod batch;
mod chain;
mod change_log;
mod dereference;
mod effective_rights;
mod extras;
mod list_view;
mod matched_values;
mod monitor;
mod persistent;
mod reach;
mod sending;
mod sort;
mod special;
mod sync;

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;

use crate::access::{Actor, Decider, Decision};
use crate::directory::filter::{Facts, MAX_PARTS, Matcher, Steps, Truth};
use crate::directory::tree::{Candidates, EntryId, Node, Scope};
use crate::directory::{Dn, Entry, ResultCode, Timestamp};
use crate::password::scheme::Effort;
use crate::protocol::control::{Controls, Flag, Flags, PagedResults, ResponseControl, paged_results_response};
use crate::protocol::entry_writer::{Values, put_reference};
use crate::protocol::request::SearchRequest;
use crate::protocol::{LdapResult, MessageId, Response};

use super::derived::{Derived, Groups, Sources};
use super::integrity::MemberOf;
use super::refusal::PolicyControl;
use super::selection::Selection;
use super::{Context, Refusal};
use apart::Apart;
use batch::{Batch, Names};
use dereference::Following;
use effective_rights::Question;
use extras::{Extras, Sorting};
use persistent::Persistent;
use reach::{Base, Reach};
use special::{Role, Special, Treatment};
use sync::{Sync, Telling};

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

/// What waits to be sent is no more than this, in octets, by more than one entry.
const FULL: usize = 256 << 10;
/// Steps of filters that are taken while others wait for the thread.
const STEPS_AT_ONCE: u64 = 20_000;
/// Steps that are taken, elsewhere, before it is looked at the clock.
const STEPS_PER_TURN: u64 = 200_000;
/// Steps that one entry may take. Filters and entries as clients have them take some hundreds.
const STEPS_PER_ENTRY: u64 = 4_000_000;

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

    fn look_at(
        &mut self,
        candidates: &Candidates,
        ctx: &Context<'_>,
        budget: usize,
        out: &mut BytesMut,
    ) -> Result<Step, Refusal> {
        let batch = Batch::next(ctx, candidates, self.after, budget)?;
        let subject = self.subject(ctx)?;
        let mut turn = self.turn(ctx, subject.as_ref(), out);
        let step = self.look_at_batch(batch, &mut turn);
        self.groups = turn.groups;
        step
    }

    /// Whose rights are to be told, if that is asked for.
    fn subject(&self, ctx: &Context<'_>) -> Result<Option<Actor>, Refusal> {
        self.rights.as_ref().map(|question| question.subject(ctx)).transpose()
    }

    fn turn<'c>(&mut self, ctx: &'c Context<'_>, subject: Option<&'c Actor>, out: &'c mut BytesMut) -> Turn<'c> {
        let groups = std::mem::take(&mut self.groups);
        let rights = subject.map(|subject| Decider::new(ctx.rules, subject, ctx.schema()));
        Turn { ctx, out, decider: ctx.decider(), rights, names: Names::default(), groups, taken: 0 }
    }

    fn look_at_batch(&mut self, batch: Batch, turn: &mut Turn<'_>) -> Result<Step, Refusal> {
        for node in batch.nodes {
            if let Some(step) = self.look_at_one(&node, turn)? {
                return Ok(step);
            }
            self.after = Some(node.id);
        }
        self.after = batch.last;
        match (batch.last, self.extras.as_mut()) {
            (Some(_), _) => Ok(Step::More),
            (None, Some(extras)) if matches!(extras.sorting, Sorting::Collecting(_)) => {
                extras.sort(turn.ctx.schema());
                self.candidates = None;
                Ok(Step::More)
            }
            (None, _) => Ok(self.done(ResultCode::Success)),
        }
    }

    /// Sends what has been found and sorted.
    fn send_sorted(&mut self, ctx: &Context<'_>, budget: usize, out: &mut BytesMut) -> Result<Step, Refusal> {
        let subject = self.subject(ctx)?;
        let mut turn = self.turn(ctx, subject.as_ref(), out);
        let mut step = Ok(Step::More);
        for _ in 0..budget {
            let Some(id) = self.extras.as_ref().and_then(|extras| extras.next()) else {
                step = Ok(self.done(ResultCode::Success));
                break;
            };
            // It may be gone.
            if let Some(node) = ctx.tree.node(id)?
                && let Some(stop) = self.look_at_one(&node, &mut turn).transpose()
            {
                step = stop;
                break;
            }
            self.extras.as_mut().into_iter().for_each(|extras| extras.advance());
        }
        self.groups = turn.groups;
        step
    }

    /// Looks at one entry, and writes it if it matches; unless the search stops before.
    fn look_at_one(&mut self, node: &Node, turn: &mut Turn<'_>) -> Result<Option<Step>, Refusal> {
        if turn.taken >= self.steps_of_a_turn() || turn.out.len() >= FULL {
            return Ok(Some(Step::More));
        }
        let mut steps = Steps::new(self.steps_of_an_entry(turn));
        let found = self.examine(node, turn, &mut steps)?;
        turn.taken += steps.taken();
        if steps.are_exceeded() {
            return self.try_harder().map(Some);
        }
        let found = match found {
            None => return Ok(None),
            Some(Finding::Entry(found)) => found,
            Some(Finding::Reference(urls)) => {
                if !self.asked.has(Flag::DomainScope) {
                    put_reference(turn.out, self.id, &urls);
                }
                return Ok(None);
            }
        };
        if let Some(extras) = &mut self.extras {
            if let Sorting::Collecting(_) = extras.sorting {
                return Ok(self.collect(node, &found, turn.ctx));
            }
            let names = extras.following.as_ref().map_or(0, |following| following.names(node, &found));
            if self.effort == Effort::Light && names as u64 * dereference::NAME > STEPS_AT_ONCE {
                return self.try_harder().map(Some);
            }
        }
        if let Some(end) = self.count() {
            return Ok(Some(end));
        }
        if let Telling::Written(notice) = self.telling(node, turn.out) {
            self.write(node, &found, notice, turn)?;
        }
        Ok(None)
    }

    /// Keeps an entry that is found until all are; if that is not possible, the search begins anew or ends.
    fn collect(&mut self, node: &Node, found: &FoundEntry, ctx: &Context<'_>) -> Option<Step> {
        let extras = self.extras.as_mut()?;
        let fault = extras.collect(node, found, ctx).err()?;
        extras.give_up_sorting(&fault);
        self.after = None;
        Some(Step::More)
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

    /// Counts an entry that is found, if one more may be sent.
    fn count(&mut self) -> Option<Step> {
        if self.left.entries == 0 {
            return Some(self.done(ResultCode::SizeLimitExceeded));
        }
        if let Some(page) = &mut self.page {
            if page.left == 0 {
                return Some(Step::PageFull);
            }
            page.left -= 1;
        }
        self.left.entries -= 1;
        self.sent += 1;
        None
    }

    /// How many entries were sent since this was asked last.
    pub const fn take_sent(&mut self) -> u64 {
        std::mem::replace(&mut self.sent, 0)
    }

    const fn steps_of_a_turn(&self) -> u64 {
        match self.effort {
            Effort::Light => STEPS_AT_ONCE,
            Effort::Heavy => STEPS_PER_TURN,
        }
    }

    const fn steps_of_an_entry(&self, turn: &Turn<'_>) -> u64 {
        match self.effort {
            Effort::Light => STEPS_AT_ONCE.saturating_sub(turn.taken),
            Effort::Heavy => STEPS_PER_ENTRY,
        }
    }

    /// Goes on where nobody waits, with the entry that took too much; unless that has been tried.
    const fn try_harder(&mut self) -> Result<Step, Refusal> {
        match self.effort {
            Effort::Light => {
                self.effort = Effort::Heavy;
                Ok(Step::More)
            }
            Effort::Heavy => Err(Refusal::AdminLimit("this takes more work than this server does for one entry")),
        }
    }

    /// Finds the entries to look at. What a few postings tell is known at once.
    fn plan(&mut self, ctx: &Context<'_>) -> Result<(), Refusal> {
        if !chain::link(ctx, &mut self.matcher, self.effort)? {
            self.effort = Effort::Heavy;
            return Ok(());
        }
        self.special = Special::find(ctx, self.treatment, &mut self.reach)?;
        if self.derived.needs_shared() && !ctx.share_one(&mut self.groups, |_| true)? {
            self.derived.without_shared();
        }
        let mentioned = self.matcher.mentioned();
        // No index knows what entries share.
        let anything = Matcher::Always(Truth::True);
        let is_shared = self.derived.needs_shared() && ctx.share_one(&mut self.groups, |id| mentioned.contains(id))?;
        let indexed = if is_shared { &anything } else { &self.matcher };
        self.candidates = self.reach.candidates(ctx, indexed, self.effort)?;
        if let Some(Candidates::These(ids)) = &mut self.candidates {
            self.special.extend(ids, &self.reach);
            if mentioned.contains(ctx.schema().known().member) {
                // No index knows the members that a search finds.
                *ids |= ctx.those_with(ctx.schema().known().member_url)?;
            }
        }
        if self.candidates.is_none() {
            self.effort = Effort::Heavy;
        }
        Ok(())
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

    /// What of an entry is to be sent, if it is in the scope, visible and matches.
    fn examine(&self, node: &Node, turn: &mut Turn<'_>, steps: &mut Steps) -> Result<Option<Finding>, Refusal> {
        let ctx = turn.ctx;
        if !self.reach.contains(ctx, node)? {
            return Ok(None);
        }
        let decision = turn.decider.decide(node, ctx.tree)?;
        if !decision.is_visible() {
            return Ok(None);
        }
        match self.special.role(node.id) {
            Role::Plain => {}
            Role::Hidden => return Ok(None),
            Role::Reference => return Ok(Some(Finding::Reference(ctx.continuation(node, self.reach.scope)?))),
        }
        let derived = if self.derived.is_nothing_of(node, ctx.schema()) {
            Entry::empty()
        } else {
            let full = ctx.tree.dn(node.id)?.unwrap_or_else(|| Arc::new(Dn::root()));
            let sources = &mut Sources { decider: &mut turn.decider, groups: &mut turn.groups, steps };
            let Some(derived) = ctx.derived_from(node, &full, &self.derived, sources)? else { return Ok(None) };
            derived
        };
        let root = Dn::root();
        let full = if self.matcher.looks_at_name() { ctx.tree.dn(node.id)? } else { None };
        let facts = Facts {
            entries: &[&node.entry, &derived],
            searchable: &decision.search,
            dn: full.as_deref().unwrap_or(&root),
            schema: ctx.schema(),
        };
        if self.matcher.evaluate_within(&facts, steps) != Some(Truth::True) {
            return Ok(None);
        }
        let rights = match (&self.rights, &mut turn.rights) {
            (Some(question), Some(decider)) => question.answer(ctx, decider, (node, &decision), steps)?,
            _ => Some(Vec::new()),
        };
        let Some(rights) = rights else { return Ok(None) };
        Ok(Some(Finding::Entry(FoundEntry { derived, rights, decision })))
    }
}

/// What the tests of one turn share.
struct Turn<'a> {
    ctx: &'a Context<'a>,
    out: &'a mut BytesMut,
    decider: Decider<'a>,
    /// Decides for whom it is to be told what they may do.
    rights: Option<Decider<'a>>,
    names: Names,
    groups: Groups,
    /// The steps that were taken.
    taken: u64,
}

/// What is to be sent of something that was found.
enum Finding {
    Entry(FoundEntry),
    /// Others are kept elsewhere.
    Reference(Vec<String>),
}

/// An entry that matches.
#[derive(Debug)]
struct FoundEntry {
    derived: Entry,
    /// What somebody may do with it, as attributes.
    rights: Vec<Vec<u8>>,
    /// What the requester may see of it.
    decision: Arc<Decision>,
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
