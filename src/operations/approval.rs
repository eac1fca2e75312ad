//! Resets that need two people: where the policy of an account says so (`pwdResetApprovalMaxAge`), the first try of an
//! administrator leaves a request below `ou=approvals`, another administrator approves it by setting `resetApproval`, and then
//! the first may set the password once.
//!
//! Whoever approves must be allowed to set the password themselves, and is asked for that again when it is set. What a
//! request says is written by the server alone.
//!
//! What would make one person enough is held in the same way ([`release`]): to take away by what a policy asks for two, or to
//! delete the account and make it anew. So is where the password is recovered ([`recovery`]), since whoever reads that sets it.

mod alone;
mod independent;
mod recovery;
mod release;

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use crate::access::actor::{Moment, memberships_of};
use crate::access::{Actor, Right};
use crate::directory::modification::{Modification, ModificationKind};
use crate::directory::tree::{
    self, Change, Condition, EntryId, Event, EventKind, EventResult, LogKind, LogRecord, Node, Place, Tree, TreeError,
    Write,
};
use crate::directory::{Attributes, Dn, Entry, Identity, Rdn, Schema, Timestamp};
use crate::password::change::By;
use crate::protocol::control::Flag;

pub(super) use alone::needs_nobody_else;
use independent::{NOT_INDEPENDENT, may_be_one};
use release::Released;

use super::external::is_open;
use super::refusal::{MAY_NOT_SET, PolicyControl};
use super::target::Target;
use super::{Context, Outcome, Refusal};

/// The class of requests.
const CLASS: &str = "resetRequest";
/// Where they stand, below the suffix.
const PLACE: &str = "ou=approvals";
/// So many requests are looked at to remove those that have ended.
const MOST_TIDIED: usize = 50;
/// So long a request that has ended stays, so that whoever comes too late is told that it has.
const KEPT: Duration = Duration::from_secs(24 * 3_600);

/// What is to be approved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Purpose {
    /// To set or remove the password.
    Reset,
    /// What makes one person enough for that, or takes the account away.
    Release,
    /// To say where the password is recovered.
    Recovery,
}

impl Purpose {
    const fn word(self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::Release => "release",
            Self::Recovery => "recovery",
        }
    }
}

/// What a request says.
struct Request {
    /// Absent in those that were made before there was another purpose.
    purpose: Option<String>,
    target: Uuid,
    requester: Uuid,
    expires: Timestamp,
    approver: Option<Uuid>,
}

impl Request {
    fn read(entry: &Entry, schema: &Schema) -> Option<Self> {
        let text = |name: &str| entry.first_text(schema.find_attribute_type(name)?.id);
        let uuid = |name: &str| Uuid::parse_str(text(name)?).ok();
        Some(Self {
            purpose: text("resetPurpose").map(str::to_owned),
            target: uuid("resetTargetUUID")?,
            requester: uuid("resetRequesterUUID")?,
            expires: Timestamp::parse(text("resetExpires")?.as_bytes())?,
            approver: uuid("resetApproverUUID"),
        })
    }
}

/// Whether an entry is such a request.
pub(super) fn is_request(entry: &Entry, schema: &Schema) -> bool {
    entry.values(schema.known().object_class).any(|class| class.eq_ignore_ascii_case(CLASS.as_bytes()))
}

/// Holds back what sets or removes somebody's password, or gives out a code for it, and what would make one person enough for
/// that, if it needs an approval that there is not: then what is done is to ask for one. With one, the request ends with what
/// it was for.
///
/// The superuser of the machine needs nobody: the store is theirs to read.
pub(super) fn hold(ctx: &Context<'_>, mut outcome: Outcome) -> Result<Outcome, Refusal> {
    let Identity::Entry { uuid, .. } = &ctx.requester.identity else { return Ok(outcome) };
    // Whoever acts as somebody else does not become the one person whose own it is.
    let own = if ctx.requester.proxied_by.is_some() { Uuid::nil() } else { *uuid };
    let (held, conditions) = held(ctx, &outcome.change, own)?;
    outcome.change.conditions.extend(conditions);
    let Some(held) = held else { return Ok(outcome) };
    require_oneself(ctx)?;
    let Held { purpose, target, max_age } = &held;
    let draft = Draft { purpose: *purpose, target, requester: *uuid, expires: ctx.now.saturating_add(*max_age) };
    match draft.find(ctx)? {
        Found::Approved { request, dn, by } => {
            for event in outcome.change.events.iter_mut().filter(|event| event.uuid == target.node.uuid) {
                let said = Some(std::mem::take(&mut event.reason)).filter(|reason| !reason.is_empty());
                event.reason = said.into_iter().chain([format!("approved by {by}")]).collect::<Vec<_>>().join(", ");
            }
            outcome.change.log.push(ctx.log(LogKind::Delete, dn.as_str(), request.uuid, String::new()));
            outcome.change.writes.push(Write::Remove { uuid: request.uuid, version: request.version });
            Ok(outcome)
        }
        Found::Awaited { name, change } => {
            let refusal = Refusal::AwaitsApproval { request: name.to_string() };
            if ctx.flags.has(Flag::NoOp) {
                return Err(refusal);
            }
            Ok(Outcome { change, ..Outcome::answer(refusal.to_response(PolicyControl::Unwanted)) })
        }
    }
}

/// What needs an approval.
struct Held {
    purpose: Purpose,
    target: Target,
    max_age: Duration,
}

/// What of a change by `own` needs an approval: a reset, where the password is recovered, or what makes one person enough for
/// that; and what must hold when it is made.
fn held(ctx: &Context<'_>, change: &Change, own: Uuid) -> Result<(Option<Held>, Vec<Condition>), Refusal> {
    if !ctx.services.policies.ask_for_approval(ctx.tree)? {
        return Ok((None, Vec::new()));
    }
    let mut resets = change.events.iter().filter(|event| is_reset(event) && event.uuid != own);
    let reset = resets.next().map(|event| subject(ctx, event.uuid)).transpose()?.flatten();
    let recovery = recovery::written(ctx, change, own)?;
    let Released { account, conditions } = release::released(ctx, change, own)?;
    let all = [(Purpose::Reset, reset), (Purpose::Recovery, recovery), (Purpose::Release, account)];
    let held =
        |(purpose, found): (Purpose, Option<_>)| found.map(|(target, max_age)| Held { purpose, target, max_age });
    let mut all = all.into_iter().filter_map(held);
    match (all.next(), all.next()) {
        (_, Some(_)) => Err(Refusal::Unwilling(
            "this needs the approval of somebody else for more than one thing: ask for one after another, each by itself",
        )),
        (held, None) => Ok((held, conditions)),
    }
}

fn is_reset(event: &Event) -> bool {
    event.result == EventResult::Done
        && matches!(event.kind, EventKind::Reset | EventKind::Removed | EventKind::CodeIssued)
}

/// The entry whose password it is, and how long an approval is good, if its policy asks for one.
fn subject(ctx: &Context<'_>, uuid: Uuid) -> Result<Option<(Target, Duration)>, Refusal> {
    let Some(target) = ctx.tree.find_uuid(uuid)?.map(|id| ctx.target_by_id(id)).transpose()?.flatten() else {
        return Ok(None);
    };
    let policy = ctx.services.policies.governing(&target.node.entry, &target.dn, ctx.tree)?;
    Ok(policy.reset_approval_max_age.map(|max_age| (target, max_age)))
}

/// What there is of a request.
enum Found {
    /// It was approved.
    Approved { request: Node, dn: Arc<Dn>, by: String },
    /// It is to be approved, and may have to be made first.
    Awaited { name: Arc<Dn>, change: Change },
}

/// Approves a request: the one change of it that there is.
pub(super) fn approve(ctx: &Context<'_>, target: &Target, changes: &[Modification]) -> Result<Outcome, Refusal> {
    target.require_visible(ctx)?;
    require_yes(ctx, changes)?;
    require_oneself(ctx)?;
    let request = Request::read(&target.node.entry, ctx.schema()).filter(|request| ctx.now < request.expires);
    let request = request.ok_or(Refusal::Unwilling("this request has ended; have it made anew"))?;
    let denied = Refusal::InsufficientAccess(MAY_NOT_SET);
    let Some(uuid) = ctx.requester.identity.uuid() else { return Err(denied) };
    if [request.requester, request.target].contains(&uuid) {
        return Err(Refusal::InsufficientAccess("somebody else must approve this"));
    }
    if may_be_one(ctx, uuid, request.requester)? {
        return Err(Refusal::InsufficientAccess(NOT_INDEPENDENT));
    }
    let account = ctx.tree.find_uuid(request.target)?.map(|id| ctx.target_by_id(id)).transpose()?.flatten();
    ctx.may_set(&account.ok_or(denied)?, By::Administrator)?;
    let node = &target.node;
    let mut attributes = node.entry.decode();
    put(&mut attributes, "resetApproval", "TRUE", ctx.schema());
    put(&mut attributes, "resetApprovedBy", ctx.requester.identity.name(), ctx.schema());
    put(&mut attributes, "resetApproverUUID", &uuid.to_string(), ctx.schema());
    ctx.stamp_changed(&mut attributes);
    let write = replacement(node, &attributes, ctx.schema());
    let log = ctx.log(
        LogKind::Modify,
        target.dn.as_str(),
        node.uuid,
        "replace: resetApproval\nresetApproval: TRUE\n-\n".into(),
    );
    Ok(Outcome::success(Change { writes: vec![write], log: vec![log], ..Change::none() }))
}

fn require_yes(ctx: &Context<'_>, changes: &[Modification]) -> Result<(), Refusal> {
    let approval = ctx.schema().find_attribute_type("resetApproval").map(|attribute| attribute.id);
    let is_yes = |change: &Modification| {
        Some(change.attribute.attribute_type) == approval
            && matches!(change.kind, ModificationKind::Add | ModificationKind::Replace)
            && matches!(change.values.as_slice(), [value] if value == b"TRUE")
    };
    match changes {
        [only] if is_yes(only) => Ok(()),
        _ => {
            Err(Refusal::Unwilling("a request is approved by setting resetApproval to TRUE, and not changed otherwise"))
        }
    }
}

/// Two people are two only if neither acts as the other.
const fn require_oneself(ctx: &Context<'_>) -> Result<(), Refusal> {
    if ctx.requester.proxied_by.is_some() {
        return Err(Refusal::InsufficientAccess("this takes two people, so do it as yourself"));
    }
    Ok(())
}

/// The name of whoever has approved, if they are still there and may still set the password, whatever the circumstances in
/// which they did.
fn approver(ctx: &Context<'_>, request: &Request, target: &Target) -> Result<Option<Arc<Dn>>, Refusal> {
    let Some(uuid) = request.approver.filter(|uuid| ![request.requester, request.target].contains(uuid)) else {
        return Ok(None);
    };
    let Some(id) = ctx.tree.find_uuid(uuid)? else { return Ok(None) };
    let (Some(node), Some(dn)) = (ctx.tree.node(id)?, ctx.tree.dn(id)?) else { return Ok(None) };
    let identity = Identity::Entry { uuid, dn: Arc::clone(&dn) };
    let memberships = memberships_of(&dn, ctx.tree)?;
    let actor = Actor::in_groups(identity, &memberships, Moment::Ever(ctx.now), ctx.rules, ctx.tree)?;
    let theirs = Context { actor: &actor, ..*ctx };
    let decision = theirs.decider().decide(&target.node, ctx.tree)?;
    let may = decision.allows(Right::ResetPassword)
        && is_open(ctx, &node)?
        && !may_be_one(ctx, uuid, request.requester)?
        && theirs.require_no_escalation(target.node.uuid, &target.dn).is_ok();
    Ok(may.then_some(dn))
}

/// Where requests about an entry stand.
fn place_of(dn: &Dn, ctx: &Context<'_>) -> Result<Target, Refusal> {
    let missing = "this needs to be approved by somebody else, and ou=approvals, where that is asked for, is missing";
    let suffix = ctx.tree.suffixes().iter().find(|suffix| dn.is_within(suffix));
    let name = suffix.map(|suffix| Dn::parse(ctx.schema(), &format!("{PLACE},{suffix}"))).transpose()?;
    let found = name.map(|name| ctx.tree.find(&name)).transpose()?.and_then(tree::Found::entry);
    let place = found.map(|id| ctx.target_by_id(id)).transpose()?.flatten();
    place.ok_or(Refusal::Unwilling(missing))
}

/// A request that is to be made.
struct Draft<'t> {
    purpose: Purpose,
    target: &'t Target,
    requester: Uuid,
    expires: Timestamp,
}

impl Draft<'_> {
    fn rdn(&self) -> String {
        format!("cn={} {} by {}", self.purpose.word(), self.target.node.uuid, self.requester)
    }

    fn name(&self, place: &Target, schema: &Schema) -> Result<Arc<Dn>, Refusal> {
        let rdn = Rdn::parse(schema, &self.rdn())?;
        Ok(Arc::new(Dn::child(&place.dn, rdn.as_str(), rdn.key())))
    }

    fn find(&self, ctx: &Context<'_>) -> Result<Found, Refusal> {
        let place = place_of(&self.target.dn, ctx)?;
        let name = self.name(&place, ctx.schema())?;
        let Some(node) = ctx.tree.find(&name)?.entry().map(|id| ctx.tree.node(id)).transpose()?.flatten() else {
            return Ok(Found::Awaited { change: self.insertion(ctx, &place, &name)?, name });
        };
        let request = Request::read(&node.entry, ctx.schema()).filter(|request| self.is_for(request));
        let Some(request) = request.filter(|request| ctx.now < request.expires) else {
            // It has ended, or was made for something else and renamed: it begins anew.
            return Ok(Found::Awaited { change: self.replacement(ctx, &node, &name), name });
        };
        Ok(match approver(ctx, &request, self.target)? {
            Some(by) => Found::Approved { request: node, dn: name, by: by.to_string() },
            None => Found::Awaited { name, change: Change::none() },
        })
    }

    fn is_for(&self, request: &Request) -> bool {
        let purpose = request.purpose.as_deref().unwrap_or(Purpose::Reset.word());
        (purpose, request.target, request.requester) == (self.purpose.word(), self.target.node.uuid, self.requester)
    }

    fn attributes(&self, ctx: &Context<'_>) -> Result<Attributes, Refusal> {
        let schema = ctx.schema();
        let mut attributes = Attributes::new();
        for (name, value) in [
            ("objectClass", CLASS),
            ("cn", self.rdn().trim_start_matches("cn=")),
            ("resetPurpose", self.purpose.word()),
            ("resetTarget", self.target.dn.as_str()),
            ("resetTargetUUID", &self.target.node.uuid.to_string()),
            ("resetRequestedBy", ctx.requester.identity.name()),
            ("resetRequesterUUID", &self.requester.to_string()),
            ("resetExpires", &self.expires.to_string()),
        ] {
            put(&mut attributes, name, value, schema);
        }
        schema.complete_object_classes(&mut attributes)?;
        Ok(attributes)
    }

    fn insertion(&self, ctx: &Context<'_>, place: &Target, name: &Dn) -> Result<Change, Refusal> {
        let rdn = Rdn::parse(ctx.schema(), &self.rdn())?;
        let uuid = ctx.random.new_uuid();
        let mut attributes = self.attributes(ctx)?;
        ctx.stamp_new(&mut attributes, uuid);
        let log = ctx.log(LogKind::Add, name.as_str(), uuid, ctx.log_lines(&attributes));
        let place_below = Place::Below { parent: place.node.uuid, rdn: rdn.as_str().into(), key: rdn.key().into() };
        let entry = Entry::encode(&attributes, ctx.schema());
        let mut change = ended(ctx, place)?;
        change.writes.push(Write::Insert { uuid, place: place_below, entry, credentials: None });
        change.log.push(log);
        Ok(change)
    }

    fn replacement(&self, ctx: &Context<'_>, node: &Node, name: &Dn) -> Change {
        let mut attributes = node.entry.decode();
        for (name, value) in [
            ("resetPurpose", self.purpose.word()),
            ("resetTarget", self.target.dn.as_str()),
            ("resetTargetUUID", &self.target.node.uuid.to_string()),
            ("resetRequestedBy", ctx.requester.identity.name()),
            ("resetRequesterUUID", &self.requester.to_string()),
            ("resetExpires", &self.expires.to_string()),
        ] {
            put(&mut attributes, name, value, ctx.schema());
        }
        for name in ["resetApproval", "resetApprovedBy", "resetApproverUUID"] {
            if let Some(attribute) = ctx.schema().find_attribute_type(name) {
                attributes.remove(attribute.id);
            }
        }
        ctx.stamp_changed(&mut attributes);
        let lines = format!("replace: resetExpires\nresetExpires: {}\n-\n", self.expires);
        let log = ctx.log(LogKind::Modify, name.as_str(), node.uuid, lines);
        Change { writes: vec![replacement(node, &attributes, ctx.schema())], log: vec![log], ..Change::none() }
    }
}

/// What removes requests of which it is a day that they have ended, some at a time; nothing, if there are none.
pub fn sweep(tree: &dyn Tree, now: Timestamp) -> Result<Change, TreeError> {
    let mut change = Change::none();
    let before = now.saturating_sub(KEPT);
    for suffix in tree.suffixes() {
        let place = Dn::parse(tree.schema(), &format!("{PLACE},{suffix}")).ok();
        let Some(id) = place.map(|place| tree.find(&place)).transpose()?.and_then(tree::Found::entry) else { continue };
        let mut after = None;
        while change.writes.len() < MOST_TIDIED {
            let ids = tree.children(id, after, MOST_TIDIED)?;
            let Some(last) = ids.last() else { break };
            after = Some(*last);
            for (node, dn) in requests_ended(&ids, before, tree)? {
                let (actor, changes) = (String::new(), String::new());
                let (target, uuid, kind) = (dn.to_string(), node.uuid, LogKind::Delete);
                change.log.push(LogRecord { time: now, actor, target, uuid, kind, changes });
                change.writes.push(Write::Remove { uuid: node.uuid, version: node.version });
            }
        }
    }
    Ok(change)
}

/// Those of some entries that are requests and have ended before a time.
fn requests_ended(ids: &[EntryId], before: Timestamp, tree: &dyn Tree) -> Result<Vec<(Node, Arc<Dn>)>, TreeError> {
    let mut found = Vec::new();
    for id in ids {
        let (Some(node), Some(dn)) = (tree.node(*id)?, tree.dn(*id)?) else { continue };
        let is_one = is_request(&node.entry, tree.schema());
        let request = Request::read(&node.entry, tree.schema()).filter(|_| is_one);
        if request.is_some_and(|request| request.expires <= before) && !tree.has_children(*id)? {
            found.push((node, dn));
        }
    }
    Ok(found)
}

/// Removes requests that have ended, so that they do not pile up.
fn ended(ctx: &Context<'_>, place: &Target) -> Result<Change, Refusal> {
    let mut change = Change::none();
    let ids = ctx.tree.some_children(place.node.id, MOST_TIDIED)?;
    for (node, dn) in requests_ended(&ids, ctx.now, ctx.tree)? {
        change.log.push(ctx.log(LogKind::Delete, dn.as_str(), node.uuid, String::new()));
        change.writes.push(Write::Remove { uuid: node.uuid, version: node.version });
    }
    Ok(change)
}

fn replacement(node: &Node, attributes: &Attributes, schema: &Schema) -> Write {
    Write::Replace { uuid: node.uuid, version: node.version, entry: Entry::encode(attributes, schema) }
}

fn put(attributes: &mut Attributes, name: &str, value: &str, schema: &Schema) {
    if let Some(attribute) = schema.find_attribute_type(name) {
        attributes.set_one(attribute.id, value);
    }
}
