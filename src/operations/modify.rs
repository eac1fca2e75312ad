//! Modify (RFC 4511 §4.6): the changes are made in order, and checked when all are made.

mod password;

pub(super) use password::NO_OPTIONS;

use smallvec::SmallVec;

use crate::access::{Right, delegated};
use crate::directory::modification::{Modification, ModificationKind};
use crate::directory::schema::AttributeSet;
use crate::directory::schema::check::Violation;
use crate::directory::tree::{Change, Condition, Event, EventKind, LogKind, Means, Write};
use crate::directory::{AttributeTypeId, Attributes, Entry, Rdn, ResultCode, Timestamp, ldif};
use crate::password::standing::Validity;
use crate::protocol::control::Flag;
use crate::protocol::request::{ModifyRequest, RequestedChange};

use super::add::check_policy;
use super::delegation::{RuleChange, is_mere_rule, is_word};
use super::events::Whose;
use super::integrity::unique::Transition;
use super::integrity::{Given, State};
use super::relax::NOT_RELAXED;
use super::set_password::has_class;
use super::target::Target;
use super::{Context, Outcome, Refusal, approval, end_of_lock, policies, second_factor};

/// Changes the attributes of an entry: all as asked for, or none.
pub fn modify(ctx: &Context<'_>, request: &ModifyRequest) -> Result<Outcome, Refusal> {
    let changes = read_changes(ctx, request)?;
    let dn = ctx.parse_dn(request.object.as_bytes())?;
    let kept_as_credentials = ctx.schema().known().credentials();
    let (credentials, mut changes): (Vec<_>, Vec<_>) =
        changes.into_iter().partition(|change| kept_as_credentials.contains(&change.attribute.attribute_type));
    let is_secret_of_token = |change: &Modification| second_factor::is_secret_of_token(change, ctx.schema());
    let is_about_secrets = !credentials.is_empty() || changes.iter().any(is_secret_of_token);
    if is_about_secrets && !ctx.requester.confidentiality.admits_passwords() {
        return Err(Refusal::ConfidentialityRequired);
    }
    let target = ctx.target(&dn)?;
    if request.changes.is_empty() {
        // No right is needed to change nothing, so this must not tell what exists.
        target.require_visible(ctx)?;
        return Ok(Outcome::answer(ResultCode::Success));
    }
    if approval::is_request(&target.node.entry, ctx.schema()) {
        if !credentials.is_empty() {
            return Err(Refusal::Unwilling(
                "a request is approved by itself: change the password in a request of its own",
            ));
        }
        return approval::approve(ctx, &target, &changes);
    }
    require_write(ctx, &target, &changes)?;
    ctx.require_no_power(&target, changes.iter().map(|change| change.attribute.attribute_type))?;
    ctx.require_no_power_by_token(&target, changes.iter().map(|change| change.attribute.attribute_type))?;
    let is_read_only =
        |change: &Modification| ctx.schema().attribute_type(change.attribute.attribute_type).is_read_only();
    if changes.iter().chain(&credentials).any(is_read_only) {
        target.require(Right::ImportHash, NOT_RELAXED, ctx)?;
    }
    let password = password::prepare(ctx, &target, &credentials)?;
    let mut attributes = target.node.entry.decode();
    for change in &changes {
        second_factor::require_whole(change, &attributes, ctx.schema())?;
        apply(ctx, change, &mut attributes)?;
    }
    ctx.require_same_demand(&target, &attributes)?;
    // Whoever makes it an account need not have the right to write a number, since the server chooses it.
    let given = ctx.allocate(Some(&target.node.entry), &target.dn, &mut attributes)?;
    changes.extend(given.iter().map(Given::change));
    let has_password = match password.as_ref().and_then(password::Prepared::leaves_password) {
        Some(leaves) => leaves,
        None => ctx.has_password(&target.node)?,
    };
    let elsewhere = has_password.then_some(ctx.schema().known().user_password);
    let touched = changes.iter().map(|change| change.attribute.attribute_type).collect();
    let rules = check(ctx, &target, (&mut attributes, elsewhere.as_slice()), &touched)?;
    let mut conditions = integrity(ctx, &target, &changes, &attributes)?;
    rules.settle(ctx, target.node.uuid, &mut conditions)?;
    conditions.extend(given.into_iter().map(|given| given.to(target.node.uuid)));
    // The old password is verified and the new one hashed last: everything else that can be wrong has been looked at.
    let account = match password {
        Some(prepared) => prepared.run(ctx, &target)?,
        None => None,
    };
    if account.is_none() && changes.is_empty() {
        // The same was asked for a moment ago, and done.
        return Ok(Outcome::answer(ResultCode::Success));
    }
    let mut effects = SmallVec::new();
    let mut writes = Vec::new();
    let mut events = validity_change(ctx, &target, &attributes)?;
    let stays_locked = account.as_ref().and_then(|account| account.stays_locked);
    let password_set = account.as_ref().is_some_and(|account| account.password_set);
    let opens = account.as_ref().is_some_and(|account| account.password_set || account.has_ended_lock());
    let validity = if opens { ctx.readable(validity_of(ctx, &attributes), &target) } else { Validity::default() };
    if password_set {
        ctx.stamp_password_change(&mut attributes);
    }
    if !changes.is_empty() || password_set {
        ctx.stamp_changed_but(&touched, &mut attributes);
        writes.push(replacement(ctx, &target, &attributes)?);
    }
    if let Some(account) = account {
        writes.push(ctx.credentials_write(&target.node, &account.account));
        effects.push(account.effect);
        events.extend(account.events);
    }
    let lines = log_lines(ctx, changes.iter().chain(&credentials));
    let log = ctx.log(LogKind::Modify, target.dn.as_str(), target.node.uuid, lines);
    let mut outcome = Outcome { effects, ..Outcome::success(Change { conditions, writes, log: vec![log], events }) };
    end_of_lock::tell_that_it_stays(&mut outcome.response, stays_locked, validity, ctx.now);
    Ok(outcome)
}

/// The time in which the account may be used, by what its entry will say.
fn validity_of(ctx: &Context<'_>, attributes: &Attributes) -> Validity {
    let known = ctx.schema().known();
    let time = |value: Option<&[u8]>| value.and_then(Timestamp::parse);
    Validity { start: time(attributes.first(known.pwd_start_time)), end: time(attributes.first(known.pwd_end_time)) }
}

/// What is recorded if the time in which the account may be used begins or ends by the changes.
fn validity_change(ctx: &Context<'_>, target: &Target, attributes: &Attributes) -> Result<Vec<Event>, Refusal> {
    let after = validity_of(ctx, attributes);
    let before = Validity::of(&target.node.entry, ctx.schema());
    let kind = match (before.holds(ctx.now), after.holds(ctx.now)) {
        (false, true) => EventKind::Enabled,
        (true, false) => EventKind::Disabled,
        _ => return Ok(Vec::new()),
    };
    let policy = ctx.services.policies.governing(&target.node.entry, &target.dn, ctx.tree)?;
    Ok(vec![ctx.event(kind, Means::Modify, Whose::entry(&target.node, &target.dn), &policy)])
}

/// Makes a change of the entry itself.
fn apply(ctx: &Context<'_>, change: &Modification, attributes: &mut Attributes) -> Result<(), Refusal> {
    if !ctx.flags.has(Flag::PermissiveModify) {
        return Ok(change.apply(attributes, ctx.schema())?);
    }
    match change.remaining(attributes, ctx.schema()) {
        Some(rest) => Ok(rest.apply(attributes, ctx.schema())?),
        None => Ok(()),
    }
}

/// Requires that what the changes write is unique where it shall be, and breaks no constraint. Most changes write nothing of
/// the kind.
fn integrity(
    ctx: &Context<'_>,
    target: &Target,
    changes: &[Modification],
    attributes: &Attributes,
) -> Result<Vec<Condition>, Refusal> {
    let mut conditions = Vec::new();
    let demands = &ctx.services.integrity;
    let matters = |id| demands.unique.depends_on(id) || demands.constraints.depend_on(id);
    if changes.iter().any(|change| matters(change.attribute.attribute_type)) {
        let (dn, entry) = (&*target.dn, &Entry::encode(attributes, ctx.schema()));
        let before = Some(State { dn, entry: &target.node.entry });
        let transition = Transition { uuid: target.node.uuid, before, after: State { dn, entry } };
        ctx.require_integrity(transition, &mut conditions)?;
    }
    Ok(conditions)
}

fn replacement(ctx: &Context<'_>, target: &Target, attributes: &Attributes) -> Result<Write, Refusal> {
    let entry = Entry::encode(attributes, ctx.schema());
    if entry.octets().len() > ctx.services.limits.entry_octets {
        return Err(Refusal::AdminLimit("the entry is larger than this server takes"));
    }
    Ok(Write::Replace { uuid: target.node.uuid, version: target.node.version, entry })
}

fn read_changes(ctx: &Context<'_>, request: &ModifyRequest) -> Result<Vec<Modification>, Refusal> {
    request.changes.iter().map(|change| read_change(ctx, change)).collect()
}

fn read_change(ctx: &Context<'_>, change: &RequestedChange) -> Result<Modification, Refusal> {
    let schema = ctx.schema();
    let undefined = || Refusal::UndefinedAttribute(change.attribute.clone());
    let attribute = schema.describe(&change.attribute).ok_or_else(undefined)?;
    let defined = schema.attribute_type(attribute.attribute_type);
    if defined.is_read_only() && !ctx.is_relaxed(attribute.attribute_type) {
        return Err(Refusal::ReadOnly(defined.name().to_owned()));
    }
    if change.kind == ModificationKind::Increment && change.values.len() != 1 {
        return Err(Refusal::Protocol("an increment needs exactly one value"));
    }
    Ok(Modification { kind: change.kind, attribute, values: change.values.clone() })
}

/// Requires the right to write each attribute that changes.
fn require_write(ctx: &Context<'_>, target: &Target, changes: &[Modification]) -> Result<(), Refusal> {
    let entry = &target.node.entry;
    let schema = ctx.schema();
    let is_theirs = target.decision.allows(Right::Delegate) && is_mere_rule(entry, schema);
    let may = |change: &Modification| {
        target.decision.may_write(change, entry, ctx.actor, schema)
            || (is_theirs && is_word(change.attribute.attribute_type, schema))
            || (second_factor::is_secret_of_token(change, schema) && target.decision.allows(Right::ResetPassword))
    };
    if changes.iter().all(may) { Ok(()) } else { Err(target.denied("you may not change this attribute", ctx)?) }
}

/// Whether what the changes come to is a legal entry, and still the one that its name and structural class say; and what that
/// does to the rules of the tree.
fn check(
    ctx: &Context<'_>,
    target: &Target,
    (attributes, elsewhere): (&mut Attributes, &[AttributeTypeId]),
    changed: &AttributeSet,
) -> Result<RuleChange, Refusal> {
    let schema = ctx.schema();
    // Otherwise they are as complete as they were.
    if changed.contains(schema.known().object_class) {
        complete_same_structure(ctx, target, attributes)?;
    }
    let (rdn, _) = target.dn.rdns().next().unwrap_or_default();
    match schema.check_naming(attributes, &Rdn::parse(schema, rdn)?) {
        Err(Violation::NotNamed(attribute)) => return Err(Refusal::NotAllowedOnRdn(attribute)),
        other => other?,
    }
    schema.check_changed(attributes, elsewhere, changed)?;
    check_policy(ctx, attributes, &target.dn)?;
    ctx.require_terms(attributes, |id| changed.contains(id))?;
    ctx.require_no_claim(&target.node.entry, &target.dn)?;
    if has_class(attributes, policies::CLASS, schema) {
        ctx.require_no_claim(&Entry::encode(attributes, schema), &target.dn)?;
    }
    let mut rules = RuleChange::default();
    if !has_class(attributes, delegated::CLASS, schema) {
        rules.take_away(ctx, &target.node)?;
    }
    rules.put(ctx, &target.decision, attributes, &target.dn)?;
    Ok(rules)
}

/// Completes the object classes of an entry that is changed, of which the structural one stays.
pub(super) fn complete_same_structure(
    ctx: &Context<'_>,
    target: &Target,
    attributes: &mut Attributes,
) -> Result<(), Refusal> {
    let structural = ctx.schema().known().structural_object_class;
    let before = target.node.entry.first_text(structural).unwrap_or_default();
    ctx.schema().complete_object_classes(attributes)?;
    let after = attributes.first(structural).map(String::from_utf8_lossy).unwrap_or_default();
    if before.eq_ignore_ascii_case(&after) {
        return Ok(());
    }
    Err(Violation::StructuralClassChanged { from: before.to_owned(), to: after.into_owned() }.into())
}

/// The changes as LDIF has them, without the values of secret attributes.
pub(super) fn log_lines<'c>(ctx: &Context<'_>, changes: impl Iterator<Item = &'c Modification>) -> String {
    let mut out = Vec::new();
    for change in changes {
        let name = change.attribute.to_text(ctx.schema());
        let verb = match change.kind {
            ModificationKind::Add => "add",
            ModificationKind::Delete => "delete",
            ModificationKind::Replace => "replace",
            ModificationKind::Increment => "increment",
        };
        ldif::write_attribute(&mut out, verb, name.as_bytes());
        let secret = ctx.schema().attribute_type(change.attribute.attribute_type).is_secret();
        for value in change.values.iter().filter(|_| !secret) {
            ldif::write_attribute(&mut out, &name, value);
        }
        out.extend_from_slice(b"-\n");
    }
    String::from_utf8(out).unwrap_or_default()
}
