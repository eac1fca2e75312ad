//! Content synchronization (RFC 4533): bringing a copy of what a search finds up to date.
//!
//! The server keeps nothing of its clients. A cookie says how far a copy is: up to which commit, which change of the log
//! that was, and who had which rights. With a cookie that still holds, entries that were not written since are only named
//! (§3.3.2, present phase), and what is neither sent nor named is gone; so a client is told of nothing that it could
//! not find. With one that does not, everything is sent.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use bytes::BytesMut;
use uuid::Uuid;

use super::{Search, Step};
use crate::directory::tree::{LogKind, Node, Version};
use crate::directory::{ResultCode, Timestamp};
use crate::operations::{Context, Refusal};
use crate::protocol::Response;
use crate::protocol::control::{Controls, ResponseControl, SyncInfo, SyncState, sync_done, sync_state};
use crate::protocol::request::{DerefAliases, SearchRequest};

/// A copy that is being brought up to date.
#[derive(Clone, Debug)]
pub(super) struct Sync {
    /// How far the copy is; `None` if it is unknown or does not help.
    since: Option<Cookie>,
    /// How far it will be.
    reached: Cookie,
    /// Entries that have not changed and were not named yet.
    unchanged: Vec<Uuid>,
    /// Whether it has been looked at what has happened since.
    is_checked: bool,
    /// Entries whose change between the two moments that are being compared has been told.
    told: HashSet<Uuid>,
}

/// How far a copy is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Cookie {
    /// The number and the time of the last change of the log: of no other log is there such a change.
    sequence: u64,
    time: Timestamp,
    /// The last commit.
    version: Version,
    /// Stands for what was searched.
    search: u64,
    /// Stands for the rights of whoever did.
    rights: u64,
}

/// A number that stands for what a search is about.
fn fingerprint(request: &SearchRequest) -> u64 {
    let mut hasher = DefaultHasher::new();
    let SearchRequest { base, scope, types_only, filter, attributes, .. } = request;
    (base, scope, types_only, filter.to_string(), attributes).hash(&mut hasher);
    hasher.finish()
}

/// So many are named at once.
const AT_ONCE: usize = 250;
/// Changes that are looked at, as to whether whole trees were renamed; whoever is further behind gets everything.
const MOST_CHANGES: u64 = 20_000;

impl Cookie {
    /// Up to now.
    fn now(ctx: &Context<'_>, search: u64) -> Result<Self, Refusal> {
        let sequence = ctx.tree.change_numbers()?.map_or(0, |numbers| *numbers.end());
        let last = ctx.tree.changes_after(sequence.saturating_sub(1), 1)?.pop();
        Ok(Self {
            sequence,
            time: last.map(|change| change.record.time).unwrap_or_default(),
            version: ctx.tree.version(),
            search,
            rights: ctx.actor.fingerprint(ctx.rules),
        })
    }

    fn read(text: &[u8]) -> Option<Self> {
        let mut fields = std::str::from_utf8(text).ok()?.split('-');
        let mut field = || u64::from_str_radix(fields.next()?, 16).ok();
        let (sequence, time, version) = (field()?, field()?, field()?);
        let time = Timestamp::from_unix_micros(i64::try_from(time).ok()?);
        Some(Self { sequence, time, version, search: field()?, rights: field()? })
    }

    fn text(self) -> String {
        let Self { sequence, time, version, search, rights } = self;
        format!("{sequence:x}-{:x}-{version:x}-{search:x}-{rights:x}", time.unix_micros())
    }

    /// Whether it was given by this directory for the same search with the same rights, and what has happened since is
    /// known and was done entry by entry.
    fn holds(self, ctx: &Context<'_>, reached: Self) -> Result<bool, Refusal> {
        if (self.search, self.rights) != (reached.search, reached.rights)
            || self.version > reached.version
            || reached.sequence.saturating_sub(self.sequence) > MOST_CHANGES
        {
            return Ok(false);
        }
        let mut after = self.sequence.saturating_sub(1);
        let mut is_known = false;
        loop {
            let changes = ctx.tree.changes_after(after, AT_ONCE)?;
            for change in &changes {
                if change.sequence == self.sequence {
                    is_known = change.record.time == self.time;
                } else if !is_known || change.record.kind == LogKind::ModifyDn {
                    // What stands below an entry is called otherwise when that is, and was not written.
                    return Ok(false);
                }
                after = change.sequence;
            }
            if changes.is_empty() || after >= reached.sequence {
                return Ok(is_known);
            }
        }
    }
}

impl Sync {
    /// What controls ask for.
    pub(super) fn begin(
        ctx: &Context<'_>,
        request: &SearchRequest,
        controls: &Controls,
    ) -> Result<Option<Box<Self>>, Refusal> {
        let rare = controls.rare();
        let Some(asked) = &rare.sync else { return Ok(None) };
        let is_other = rare.sort.is_some() || rare.list_view.is_some() || rare.persistent.is_some();
        if controls.paged.is_some() || is_other {
            return Err(Refusal::Unwilling("a copy is neither sorted nor sent in pages"));
        }
        if matches!(request.deref_aliases, DerefAliases::InSearching | DerefAliases::Always) {
            return Err(Refusal::Protocol("a copy is made without following aliases below its base"));
        }
        Ok(Some(Box::new(Self {
            since: asked.cookie.as_ref().and_then(|cookie| Cookie::read(cookie)),
            reached: Cookie::now(ctx, fingerprint(request))?,
            unchanged: Vec::new(),
            is_checked: false,
            told: HashSet::new(),
        })))
    }

    /// Whether it is still to be looked at what has happened since the copy was made, which may take long.
    pub(super) const fn is_unchecked(&self) -> bool {
        !self.is_checked && self.since.is_some()
    }

    /// Looks at it.
    pub(super) fn check(&mut self, ctx: &Context<'_>) -> Result<(), Refusal> {
        self.is_checked = true;
        if let Some(since) = self.since
            && !since.holds(ctx, self.reached)?
        {
            self.since = None;
        }
        Ok(())
    }

    /// How an entry that was found is to be told; `None` if the copy has it, so that it is only named.
    fn notice(&mut self, node: &Node) -> Option<ResponseControl> {
        if self.since.is_some_and(|since| node.version <= since.version) {
            self.unchanged.push(node.uuid);
            return None;
        }
        Some(sync_state(SyncState::Add, node.uuid))
    }
}

/// Whether an entry that was found is written.
pub(super) enum Telling {
    /// With that, if anything.
    Written(Option<ResponseControl>),
    /// The client has it already.
    Named,
}

impl Search {
    /// How an entry that was found is told.
    pub(super) fn telling(&mut self, node: &Node, out: &mut BytesMut) -> Telling {
        let Some(sync) = &mut self.sync else { return Telling::Written(None) };
        if let Some(notice) = sync.notice(node) {
            return Telling::Written(Some(notice));
        }
        if sync.unchanged.len() >= AT_ONCE {
            SyncInfo::Present(&std::mem::take(&mut sync.unchanged)).put(out, self.id);
        }
        Telling::Named
    }

    /// Tells that the copy is up to date, when it is.
    pub(super) fn end_refresh(&mut self, mut step: Step, out: &mut BytesMut) -> Step {
        let Some(sync) = &mut self.sync else { return step };
        let is_up_to_date = match &step {
            Step::Waiting => true,
            Step::Done(response) => response.result.code == ResultCode::Success,
            Step::More | Step::PageFull => false,
        };
        if !is_up_to_date {
            return step;
        }
        if !sync.unchanged.is_empty() {
            SyncInfo::Present(&std::mem::take(&mut sync.unchanged)).put(out, self.id);
        }
        let cookie = sync.reached.text();
        match &mut step {
            Step::Done(response) => response.controls.push(sync_done(&cookie)),
            _ => SyncInfo::RefreshPresent(&cookie).put(out, self.id),
        }
        step
    }

    /// Tells how far the copy is when it has been told of changes, if it has.
    pub(super) fn put_new_cookie(&mut self, ctx: &Context<'_>, out: &mut BytesMut) -> Result<(), Refusal> {
        let Some(sync) = &mut self.sync else { return Ok(()) };
        let now = Cookie::now(ctx, sync.reached.search)?;
        if now.sequence != sync.reached.sequence {
            SyncInfo::NewCookie(&now.text()).put(out, self.id);
        }
        sync.reached = now;
        sync.told = HashSet::new();
        Ok(())
    }

    /// Whether an entry has not been told since the last cookie: between two moments it changes once, however often it was
    /// written.
    pub(super) fn is_first_told(&mut self, uuid: Uuid) -> bool {
        self.sync.as_mut().is_some_and(|sync| sync.told.insert(uuid))
    }

    /// Whether a copy cannot be kept up to date by what changes (§3.6), since rights have changed.
    pub(super) fn is_refresh_required(&self, ctx: &Context<'_>) -> bool {
        self.sync.as_ref().is_some_and(|sync| sync.reached.rights != ctx.actor.fingerprint(ctx.rules))
    }
}

/// The answer that ends a search whose copy cannot be kept up to date (§3.6).
pub(super) fn refresh_required() -> Step {
    let words = "rights or the names of many entries have changed; bring the copy up to date again";
    Step::Done(Response::with_message(ResultCode::SyncRefreshRequired, words))
}
