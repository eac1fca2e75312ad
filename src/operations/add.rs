//! Add (RFC 4511 §4.7).

use std::collections::HashSet;

use uuid::Uuid;

use crate::access::{Decision, Right};
use crate::directory::schema::check::{Violation, find_value};
use crate::directory::tree::{Change, Event, EventKind, Found, LogKind, Means, Place, Write};
use crate::directory::{Attribute, Attributes, Dn, Entry, Rdn};
use crate::password::{Account, Policy, Secret};
use crate::protocol::control::Flag;
use crate::protocol::request::AddRequest;

use super::delegation::{RuleChange, is_mere_rule};
use super::events::Whose;
use super::integrity::unique::Transition;
use super::integrity::{Given, State};
use super::modify::NO_OPTIONS;
use super::refusal::MAY_NOT_SET;
use super::relax::NOT_RELAXED;
use super::set_password::{Hashes, Newcomer, has_class};
use super::{Context, Outcome, Refusal, policies, second_factor};

/// Adds an entry below one that exists.
pub fn add(ctx: &Context<'_>, request: &AddRequest) -> Result<Outcome, Refusal> {
    let dn = ctx.parse_dn(request.entry.as_bytes())?;
    let mut attributes = read_attributes(ctx, request)?;
    let state = take_state(ctx, &mut attributes)?;
    let password = take_password(ctx, &mut attributes)?;
    let place = place(ctx, &dn)?;
    let given = complete(ctx, &dn, &mut attributes, password.as_ref())?;
    let entry = Entry::encode(&attributes, ctx.schema());
    let decision = ctx.decider().decide_new(&dn, &entry)?;
    let may_as_rule = || decision.allows(Right::Delegate) && is_mere_rule(&entry, ctx.schema());
    if !decision.allows(Right::Add) && !may_as_rule() {
        return Err(denied(ctx, &dn)?);
    }
    let mut rules = RuleChange::default();
    rules.put(ctx, &decision, &mut attributes, &dn)?;
    if let Found::Entry(_) = ctx.tree.find(&dn)? {
        return Err(Refusal::AlreadyExists);
    }
    let place = place?;
    require_right_to_bring(ctx, &decision, &attributes, &state)?;
    ctx.require_terms(&attributes, |_| true)?;
    let uuid = identity(ctx, &attributes)?;
    // The name may stand in a group already, left there by somebody who is gone.
    ctx.require_modest_name(uuid, &dn)?;
    ctx.require_no_claim(&entry, &dn)?;
    let mut conditions: Vec<_> = given.into_iter().map(|given| given.to(uuid)).collect();
    let after = State { dn: &dn, entry: &entry };
    ctx.require_integrity(Transition { uuid, before: None, after }, &mut conditions)?;
    rules.settle(ctx, uuid, &mut conditions)?;
    let (mut account, mut events) = (None, Vec::new());
    if let Some(password) = password {
        let governing = ctx.services.policies.choose(&entry, &dn, ctx.tree)?;
        let event = ctx.event(EventKind::Set, Means::Add, Whose { uuid, dn: &dn }, &governing.policy);
        let first = if decision.allows(Right::ResetPassword) {
            let newcomer = Newcomer { entry: &entry, dn: &dn, governing: &governing };
            ctx.first_password(&password, &newcomer, Hashes::of(&decision))
        } else {
            Err(Refusal::InsufficientAccess(MAY_NOT_SET))
        };
        // An entry that is not added has no identity.
        let refused = |refusal: &Refusal| ctx.note_refused(Event { uuid: Uuid::nil(), ..event.clone() }, refusal);
        let mut first = first.inspect_err(refused)?;
        first.ledger.add(&event, &ctx.requester.hands());
        account = Some(first);
        events.push(event);
    }
    let credentials = credentials(ctx, account, &state)?;
    ctx.stamp_new(&mut attributes, uuid);
    let log = ctx.log(LogKind::Add, dn.as_str(), uuid, ctx.log_lines(&attributes));
    let entry = Entry::encode(&attributes, ctx.schema());
    if entry.octets().len() > ctx.services.limits.entry_octets {
        return Err(Refusal::AdminLimit("the entry is larger than this server takes"));
    }
    let write = Write::Insert { uuid, place, entry, credentials };
    Ok(Outcome::success(Change { conditions, writes: vec![write], log: vec![log], events }))
}

fn read_attributes(ctx: &Context<'_>, request: &AddRequest) -> Result<Attributes, Refusal> {
    let schema = ctx.schema();
    let mut attributes = Attributes::new();
    let mut seen = HashSet::new();
    for (name, values) in &request.attributes {
        let description = schema.describe(name).ok_or_else(|| Refusal::UndefinedAttribute(name.clone()))?;
        let defined = schema.attribute_type(description.attribute_type);
        if defined.is_read_only() && !ctx.is_relaxed_for_new(description.attribute_type) {
            return Err(Refusal::ReadOnly(defined.name().to_owned()));
        }
        if values.is_empty() {
            return Err(Refusal::Protocol("an attribute to be added needs a value"));
        }
        if seen.insert(description.clone()) {
            attributes.push(Attribute { description, values: values.clone() });
        } else {
            attributes.values_mut(&description).extend_from_slice(values);
        }
    }
    Ok(attributes)
}

/// Takes out how the password stands, which only whoever brings the entry from elsewhere may say.
fn take_state(ctx: &Context<'_>, attributes: &mut Attributes) -> Result<Attributes, Refusal> {
    let kept_as_credentials = ctx.schema().known().credentials();
    let state = attributes.split_off(|id| ctx.is_relaxed(id) && kept_as_credentials.contains(&id));
    if state.iter().any(|attribute| !attribute.description.options().is_empty()) {
        return Err(Refusal::Unwilling(NO_OPTIONS));
    }
    Ok(state)
}

/// Requires the right to bring along what otherwise only the server sets, and the secret of a token.
fn require_right_to_bring(
    ctx: &Context<'_>,
    decision: &Decision,
    attributes: &Attributes,
    state: &Attributes,
) -> Result<(), Refusal> {
    let mut types = attributes.iter().map(|attribute| attribute.description.attribute_type);
    if attributes.has(ctx.schema().known().oath_secret) && !decision.allows(Right::ResetPassword) {
        return Err(Refusal::InsufficientAccess(
            "you may not set the secret of a token here: that takes reset-password",
        ));
    }
    if types.any(|id| ctx.is_relaxed_for_new(id)) || state.iter().next().is_some() {
        return if decision.allows(Right::ImportHash) { Ok(()) } else { Err(Refusal::InsufficientAccess(NOT_RELAXED)) };
    }
    Ok(())
}

/// The credentials of the new entry, if it has some.
fn credentials(ctx: &Context<'_>, account: Option<Account>, state: &Attributes) -> Result<Option<Entry>, Refusal> {
    if state.iter().next().is_none() {
        return Ok(account.map(|account| account.to_entry(ctx.schema())));
    }
    let account = ctx.account_with(&account.unwrap_or_default(), |own| {
        state.iter().for_each(|one| own.set(one.description.attribute_type, one.values.clone()));
        Ok(())
    })?;
    Ok(Some(account.to_entry(ctx.schema())))
}

/// The identity that the entry brings along, or a new one.
fn identity(ctx: &Context<'_>, attributes: &Attributes) -> Result<Uuid, Refusal> {
    let Some(brought) = attributes.first(ctx.schema().known().entry_uuid) else { return Ok(ctx.random.new_uuid()) };
    let uuid = Uuid::try_parse_ascii(brought).map_err(|_| Refusal::Unwilling("entryUUID is no UUID"))?;
    if ctx.tree.find_uuid(uuid)?.is_some() {
        return Err(Refusal::Unwilling("another entry has that entryUUID"));
    }
    Ok(uuid)
}

/// Takes the password out of the attributes: it is kept elsewhere, as a hash.
fn take_password(ctx: &Context<'_>, attributes: &mut Attributes) -> Result<Option<Secret>, Refusal> {
    let known = ctx.schema().known();
    let kept_as_credentials = known.credentials();
    let credentials = attributes.split_off(|id| kept_as_credentials.contains(&id));
    let mut password = None;
    for attribute in credentials.iter() {
        if !attribute.description.options().is_empty() {
            return Err(Refusal::Unwilling(NO_OPTIONS));
        }
        if attribute.description.attribute_type != known.user_password {
            let name = attribute.description.to_text(ctx.schema()).into_owned();
            return Err(Refusal::ReadOnly(name));
        }
        match attribute.values.as_slice() {
            [value] => password = Some(Secret::new(value.as_slice())),
            _ => return Err(Violation::SeveralValues("userPassword".to_owned()).into()),
        }
    }
    let is_secret = password.is_some() || attributes.has(known.oath_secret);
    if is_secret && !ctx.requester.confidentiality.admits_passwords() {
        return Err(Refusal::ConfidentialityRequired);
    }
    Ok(password)
}

/// Where the entry is to stand. What is wrong with that is told only after the right to add has been established.
fn place(ctx: &Context<'_>, dn: &Dn) -> Result<Result<Place, Refusal>, Refusal> {
    if dn.is_root() {
        return Err(Refusal::Unwilling("the root of the tree is no entry that can be added"));
    }
    if ctx.tree.suffixes().contains(dn) {
        return Ok(Ok(Place::Suffix(dn.clone())));
    }
    let (Some(parent), Some((rdn, key))) = (dn.parent(), dn.rdns().next()) else {
        return Err(Refusal::OutsideSuffixes);
    };
    Ok(match ctx.tree.find(&parent)? {
        Found::Entry(id) => {
            let parent = ctx.tree.node(id)?.ok_or(Refusal::Busy)?;
            let below = Place::Below { parent: parent.uuid, rdn: rdn.into(), key: key.into() };
            ctx.require_superior(&parent, dn).map(|()| below)
        }
        Found::Missing(nearest) => Err(ctx.no_such_object(nearest)?),
        Found::Outside => Err(Refusal::OutsideSuffixes),
    })
}

fn denied(ctx: &Context<'_>, dn: &Dn) -> Result<Refusal, Refusal> {
    let parent = match dn.parent() {
        Some(parent) => ctx.tree.find(&parent)?,
        None => Found::Outside,
    };
    match parent {
        Found::Entry(id) => match ctx.target_by_id(id)? {
            Some(target) => target.denied("you may not add entries here", ctx),
            None => Ok(Refusal::Busy),
        },
        Found::Missing(nearest) => ctx.no_such_object(nearest),
        Found::Outside => Ok(Refusal::OutsideSuffixes),
    }
}

/// Completes the entry by the values of its name, the classes that its classes derive from, and the numbers that it is given,
/// and checks it.
fn complete(
    ctx: &Context<'_>,
    dn: &Dn,
    attributes: &mut Attributes,
    password: Option<&Secret>,
) -> Result<Vec<Given>, Refusal> {
    let schema = ctx.schema();
    let (text, _) = dn.rdns().next().unwrap_or_default();
    let rdn = Rdn::parse(schema, text)?;
    for (description, value) in rdn.assertions() {
        let defined = schema.attribute_type(description.attribute_type);
        if defined.is_secret() || defined.is_read_only() {
            return Err(Violation::NotNamed(defined.name().to_owned()).into());
        }
        let values = attributes.values_mut(description);
        if find_value(schema, defined, values, value).is_none() {
            values.push(value.clone());
        }
    }
    schema.complete_object_classes(attributes)?;
    let given = ctx.allocate(None, dn, attributes)?;
    let elsewhere = password.map(|_| schema.known().user_password);
    schema.check_entry(attributes, elsewhere.as_slice())?;
    check_policy(ctx, attributes, dn)?;
    Ok(given)
}

/// A password policy that makes no sense is refused where it is written, and so is what is said of a token. Of what has
/// no effect in a policy is told.
pub(super) fn check_policy(ctx: &Context<'_>, attributes: &Attributes, dn: &Dn) -> Result<(), Refusal> {
    second_factor::check(attributes, ctx.schema())?;
    if has_class(attributes, "pwdPolicy", ctx.schema()) {
        let entry = Entry::encode(attributes, ctx.schema());
        let policy = Policy::read(&entry, dn.as_str(), ctx.schema())?;
        policies::check(&policy, dn, ctx.tree)?;
        if !ctx.flags.has(Flag::NoOp) {
            for told in policies::unheeded_in(&entry, dn, ctx.schema()) {
                ctx.services.reports.take_unheeded(&told);
            }
        }
    }
    Ok(())
}
