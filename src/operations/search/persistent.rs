//! Persistent search (draft-ietf-ldapext-psearch-03): what happens to the entries that a search is about, told as it
//! happens.
//!
//! Each look compares two moments: the directory as it was when everything had been told, and as it is now. What was
//! deleted, or renamed to where the search does not reach, is told as it was at the first; everything else as it is. Rights
//! are those of now, so nobody is told of what they could not find.

use bytes::BytesMut;
use uuid::Uuid;

use super::examine::{Finding, FoundEntry};
use super::special::Special;
use super::sync::refresh_required;
use super::turn::{FULL, STEPS_PER_ENTRY};
use super::{Search, Step, chain};
use crate::directory::filter::Steps;
use crate::directory::tree::{LogKind, LogRecord, LoggedChange, Node, Tree};
use crate::operations::derived::Groups;
use crate::operations::{Context, Refusal, change_log};
use crate::password::scheme::Effort;
use crate::protocol::control::{Controls, EntryChange, PersistentSearch, ResponseControl, SyncState, sync_state};

/// What a persistent search tells of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Persistent {
    asked: PersistentSearch,
    /// The number of the last change that has been looked at.
    after: u64,
}

/// What stands in no tree is in no change.
pub(super) const NOTHING_TO_TELL: Refusal = Refusal::Unwilling("nothing is told of changes to these entries");

/// Two moments, and what is known of each.
struct Moments<'c> {
    now: &'c Context<'c>,
    before: &'c Context<'c>,
    special_now: Special,
    special_before: Special,
    /// Whether numbers of changes may be told.
    tells_numbers: bool,
}

/// Whether a copy can be kept up to date.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Keeping {
    Possible,
    Impossible,
}

impl Persistent {
    /// From now on, if that is asked for.
    pub(super) fn begin(ctx: &Context<'_>, controls: &Controls) -> Result<Option<Self>, Refusal> {
        let rare = controls.rare();
        let asked = match rare.persistent {
            Some(asked) => asked,
            None if rare.persists() => PersistentSearch::everything(),
            None => return Ok(None),
        };
        if controls.paged.is_some() || rare.sort.is_some() || rare.list_view.is_some() {
            return Err(Refusal::Unwilling("a persistent search is neither sorted nor sent in pages"));
        }
        Ok(Some(Self { asked, after: ctx.tree.change_numbers()?.map_or(0, |numbers| *numbers.end()) }))
    }

    /// Whether what is there already is left out.
    pub(super) const fn is_about_changes_only(&self) -> bool {
        self.asked.changes_only
    }
}

impl Search {
    /// Tells of changes that were made since everything had been told, which was when the directory was as in `before`:
    /// of up to `budget`, until much has been written. [`Step::More`] is to be followed by the same with both trees as
    /// they are, [`Step::Waiting`] by the tree of now as `before`.
    pub fn watch(
        &mut self,
        ctx: &Context<'_>,
        before: &dyn Tree,
        budget: usize,
        out: &mut BytesMut,
    ) -> Result<Step, Refusal> {
        let Some(mut persistent) = self.persistent else { return Err(Refusal::Failed) };
        let changes = ctx.tree.changes_after(persistent.after, budget)?;
        let Some(first) = changes.first() else {
            self.put_new_cookie(ctx, out)?;
            return Ok(Step::Waiting);
        };
        if first.sequence > persistent.after + 1 {
            return Err(Refusal::AdminLimit("changes came faster than this search took them; search again"));
        }
        if self.is_refresh_required(ctx) {
            return Ok(refresh_required());
        }
        let before = Context { tree: before, ..*ctx };
        let moments = self.compare(ctx, &before)?;
        for change in &changes {
            if out.len() >= FULL {
                break;
            }
            if self.sync.is_some() {
                if self.keep_up(change, &moments, out)? == Keeping::Impossible {
                    return Ok(refresh_required());
                }
            } else {
                self.tell(change, persistent.asked, &moments, out)?;
            }
            persistent.after = change.sequence;
            self.persistent = Some(persistent);
        }
        Ok(Step::More)
    }

    /// Finds out again what the filter and the treatment of special entries depend on.
    fn compare<'c>(&mut self, now: &'c Context<'c>, before: &'c Context<'c>) -> Result<Moments<'c>, Refusal> {
        self.effort = Effort::Heavy;
        for chain in self.matcher.chains_mut() {
            chain.linked = None;
        }
        chain::link(now, &mut self.matcher, Effort::Heavy)?;
        Ok(Moments {
            special_before: Special::find(before, self.treatment, &mut self.reach)?,
            special_now: Special::find(now, self.treatment, &mut self.reach)?,
            tells_numbers: change_log::is_visible(now)?,
            now,
            before,
        })
    }

    /// Tells of a change, if that is wanted and the entry is one that the search is about.
    fn tell(
        &mut self,
        change: &LoggedChange,
        asked: PersistentSearch,
        moments: &Moments<'_>,
        out: &mut BytesMut,
    ) -> Result<(), Refusal> {
        let LoggedChange { sequence, record } = change;
        let kind = record.kind;
        let may_leave = matches!(kind, LogKind::Delete | LogKind::ModifyDn) && asked.wants(LogKind::Delete);
        if !asked.wants(kind) && !may_leave {
            return Ok(());
        }
        let number = Some(*sequence).filter(|_| moments.tells_numbers);
        let previous = if kind == LogKind::ModifyDn { previous_dn(moments.before, record)? } else { None };
        if let Some(found) = self.find(record.uuid, moments.now, &moments.special_now)? {
            // What was deleted and added again under the same identity is there.
            let notice = EntryChange { kind, previous_dn: previous.as_deref(), number };
            return if asked.wants(kind) && kind != LogKind::Delete {
                self.send(&found, asked.return_ecs.then(|| notice.to_control()), moments.now, out)
            } else {
                Ok(())
            };
        }
        if kind == LogKind::ModifyDn && moments.now.tree.find_uuid(record.uuid)?.is_none() {
            // That it was deleted later is told when it comes to that.
            return Ok(());
        }
        if may_leave && let Some(found) = self.find(record.uuid, moments.before, &moments.special_before)? {
            let notice = EntryChange { kind: LogKind::Delete, previous_dn: None, number };
            return self.send(&found, asked.return_ecs.then(|| notice.to_control()), moments.before, out);
        }
        Ok(())
    }

    /// Tells a copy of a change (RFC 4533 §3.4).
    fn keep_up(
        &mut self,
        change: &LoggedChange,
        moments: &Moments<'_>,
        out: &mut BytesMut,
    ) -> Result<Keeping, Refusal> {
        let LogRecord { uuid, kind, .. } = change.record;
        let Moments { now, before, .. } = *moments;
        if kind == LogKind::ModifyDn
            && let Some(id) = now.tree.find_uuid(uuid)?
            && now.tree.has_children(id)?
        {
            return Ok(Keeping::Impossible);
        }
        if !self.is_first_told(uuid) {
            return Ok(Keeping::Possible);
        }
        let was = self.find(uuid, before, &moments.special_before)?;
        let is = self.find(uuid, now, &moments.special_now)?;
        match (was, is) {
            (None, None) => {}
            (was, Some(found)) => {
                let state = if was.is_some() { SyncState::Modify } else { SyncState::Add };
                self.send(&found, Some(sync_state(state, uuid)), now, out)?;
            }
            (Some((node, _)), None) => {
                let name = before.tree.dn(node.id)?;
                let name = name.as_ref().map_or("", |dn| dn.as_str());
                let controls = [sync_state(SyncState::Delete, uuid)];
                self.put_plainly((name, &controls), std::iter::empty(), now.schema(), out);
            }
        }
        Ok(Keeping::Possible)
    }

    /// The entry of that identity, if it is one that the search is about.
    fn find(
        &mut self,
        uuid: Uuid,
        ctx: &Context<'_>,
        special: &Special,
    ) -> Result<Option<(Node, FoundEntry)>, Refusal> {
        let Some(id) = ctx.tree.find_uuid(uuid)? else { return Ok(None) };
        let Some(node) = ctx.tree.node(id)? else { return Ok(None) };
        self.special.clone_from(special);
        self.groups = Groups::default();
        let subject = self.subject(ctx)?;
        let mut nothing = BytesMut::new();
        let mut turn = self.turn(ctx, subject.as_ref(), &mut nothing);
        let mut steps = Steps::new(STEPS_PER_ENTRY);
        let found = self.examine(&node, &mut turn, &mut steps)?;
        if steps.are_exceeded() {
            return Err(Refusal::AdminLimit("the filter takes more work than this server does for one entry"));
        }
        Ok(match found {
            Some(Finding::Entry(found)) => Some((node, found)),
            Some(Finding::Reference(_)) | None => None,
        })
    }

    fn send(
        &mut self,
        (node, found): &(Node, FoundEntry),
        notice: Option<ResponseControl>,
        ctx: &Context<'_>,
        out: &mut BytesMut,
    ) -> Result<(), Refusal> {
        let subject = self.subject(ctx)?;
        let mut turn = self.turn(ctx, subject.as_ref(), out);
        self.sent += 1;
        self.write(node, found, notice, &mut turn)
    }
}

/// What an entry was called before it was renamed, if the requester could know.
fn previous_dn(before: &Context<'_>, record: &LogRecord) -> Result<Option<String>, Refusal> {
    let Some(id) = before.tree.find_uuid(record.uuid)? else { return Ok(None) };
    let (Some(node), Some(dn)) = (before.tree.node(id)?, before.tree.dn(id)?) else { return Ok(None) };
    if dn.as_str() != record.target || !before.decider().decide(&node, before.tree)?.is_visible() {
        return Ok(None);
    }
    Ok(Some(record.target.clone()))
}
