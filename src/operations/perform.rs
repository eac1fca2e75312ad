//! Finding the operation for a request.

use crate::access::Rule;
use crate::access::delegated::{self, InForce};
use crate::directory::tree::{Condition, Found, Scope};
use crate::protocol::control::{Controls, Flag, Rare};
use crate::protocol::extended::{AccountState, Coming, PasswordModify, Suggest};
use crate::protocol::request::{ExtendedRequest, ModifyRequest, RequestedChange, SearchRequest, names_password};
use crate::protocol::{Request, oid};

pub use crate::password::scheme::Effort;

use super::extended::{account_state, next_password, password_modify, who_am_i};
use super::{
    Context, Freedom, Outcome, Refusal, add, approval, asserted, compare, delete, modify, modify_dn, schema_change,
    tree_delete,
};

/// How much work a request may be: whether it may hash.
pub fn effort(request: &Request) -> Effort {
    let heavy = match request {
        Request::Modify(modify) => modify.is_about_password(),
        Request::Add(add) => add.attributes.iter().any(|(name, _)| names_password(name)),
        Request::Compare(compare) => std::str::from_utf8(&compare.attribute).is_ok_and(names_password),
        Request::Extended(extended) => {
            [oid::PASSWORD_MODIFY, oid::GENERATE_PASSWORD].iter().any(|name| extended.name == *name)
        }
        _ => false,
    };
    if heavy { Effort::Heavy } else { Effort::Light }
}

/// Whether a request may have to look at many entries before it is refused or done: a rename gives another name to all that
/// stands below, a rule of the tree is held against what the operator says of all entries, whatever is written of it and also
/// when it goes, so is who is in a group where something is asserted, and of the schema nothing is taken away that an entry uses.
pub fn looks_far(ctx: &Context<'_>, request: &Request) -> bool {
    let schema = ctx.schema();
    let object_class = schema.known().object_class;
    let is_class = |value: &Vec<u8>| {
        let class = std::str::from_utf8(value).ok().and_then(|name| schema.find_object_class(name));
        class.is_some_and(|class| class.name() == delegated::CLASS)
    };
    let of_rule = |name: &str, values: &[Vec<u8>]| {
        let attribute = schema.describe(name).map(|description| description.attribute_type);
        let is_word = |id| schema.attribute_type(id).name().starts_with("access");
        attribute.is_some_and(|id| is_word(id) || (id == object_class && values.iter().any(is_class)))
    };
    let of_group = |name: &str| {
        let known = schema.known();
        let members = [known.member, known.unique_member, known.role_occupant];
        let attribute = schema.describe(name).map(|description| description.attribute_type);
        !ctx.services.assertions.is_empty() && attribute.is_some_and(|id| members.contains(&id))
    };
    let of_schema = |name: &str| ["attributeTypes", "objectClasses"].iter().any(|own| own.eq_ignore_ascii_case(name));
    match request {
        Request::ModifyDn(_) => true,
        Request::Add(add) => add.attributes.iter().any(|(name, values)| of_rule(name, values) || of_group(name)),
        Request::Modify(modify) => {
            let far =
                |change: &RequestedChange| of_rule(&change.attribute, &change.values) || of_schema(&change.attribute);
            let of_token = |name: &str| name.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("oath"));
            let far =
                |change: &RequestedChange| far(change) || of_group(&change.attribute) || of_token(&change.attribute);
            modify.changes.iter().any(far) || is_rule(ctx, modify.object.as_bytes())
        }
        Request::Delete(name) => is_rule(ctx, name),
        _ => false,
    }
}

/// Whether the entry of that name is a rule of the tree. Mostly there are none.
fn is_rule(ctx: &Context<'_>, name: &[u8]) -> bool {
    let are_none = |known: &InForce| known.suspended.is_empty() && !known.rules.iter().any(Rule::is_delegated);
    if ctx.services.rules.in_force(ctx.tree).is_ok_and(|known| are_none(&known)) {
        return false;
    }
    let Ok(dn) = ctx.parse_dn(name) else { return false };
    let found = ctx.tree.find(&dn).ok().and_then(Found::entry).and_then(|id| ctx.tree.node(id).ok()).flatten();
    found.is_some_and(|node| delegated::is_rule(&node.entry, ctx.schema()))
}

/// Does what a request wants, but for bind and search, which are done in steps, and for what belongs to the connection.
pub fn perform(ctx: &Context<'_>, request: &Request, controls: &Controls) -> Result<Outcome, Refusal> {
    try_to_perform(ctx, request, controls).map_err(|refusal| ctx.told_to_requester(refusal))
}

fn try_to_perform(ctx: &Context<'_>, request: &Request, controls: &Controls) -> Result<Outcome, Refusal> {
    require_changed_password(ctx, request, controls)?;
    let ctx = &Context { flags: controls.flags, wishes: controls.rare().reset.as_ref(), ..*ctx };
    let outcome = match target(request) {
        Some(name) => plan_and_look(ctx, request, controls, name)?,
        None => plan(ctx, request, controls)?,
    };
    let outcome = approval::hold(ctx, outcome)?;
    let far = if looks_far(ctx, request) { Effort::Heavy } else { Effort::Light };
    let mut outcome = asserted::hold(ctx, outcome, far)?;
    if !outcome.change.writes.is_empty() {
        // What it was checked by must still be what is in force.
        outcome.change.conditions.push(Condition::SchemaIs(ctx.tree.schema().clone()));
    }
    Ok(if ctx.flags.has(Flag::NoOp) { outcome.left_undone() } else { outcome })
}

/// The name of the entry that a request is about.
fn target(request: &Request) -> Option<&[u8]> {
    match request {
        Request::Add(request) => Some(request.entry.as_bytes()),
        Request::Delete(name) => Some(name),
        Request::Modify(request) => Some(request.object.as_bytes()),
        Request::ModifyDn(request) => Some(request.entry.as_bytes()),
        Request::Compare(request) => Some(&request.entry),
        _ => None,
    }
}

/// Does what a request wants, and looks at its target before and afterwards, if controls ask for that.
fn plan_and_look(ctx: &Context<'_>, request: &Request, controls: &Controls, name: &[u8]) -> Result<Outcome, Refusal> {
    let Rare { assertion, pre_read, post_read, .. } = controls.rare();
    let is_new = matches!(request, Request::Add(_));
    let of_schema = matches!(request, Request::Modify(request) if schema_change::is_about_schema(ctx, request));
    if of_schema && (pre_read.is_some() || post_read.is_some()) {
        return Err(Refusal::Unwilling("the schema is read by a search, not together with a change of it"));
    }
    if !of_schema && !ctx.flags.has(Flag::ManageDsaIt) {
        ctx.divert(name)?;
    }
    if let Some(asserted) = assertion.as_ref().filter(|_| !is_new) {
        ctx.require_assertion(asserted, name)?;
    }
    let before = pre_read.as_ref().map(|list| ctx.read_before(name, list)).transpose()?;
    let mut outcome = plan(ctx, request, controls)?;
    if let Some(asserted) = assertion.as_ref().filter(|_| is_new) {
        ctx.require_assertion_of_new(asserted, name, &outcome.change)?;
    }
    outcome.response.controls.extend(before);
    if let Some(list) = post_read {
        outcome.post_read = Some(Box::new(ctx.read_after(name, &outcome.change, list)?));
        if outcome.change.is_empty() {
            outcome.settle(ctx.tree.csn());
        }
    }
    Ok(outcome)
}

fn plan(ctx: &Context<'_>, request: &Request, controls: &Controls) -> Result<Outcome, Refusal> {
    match request {
        Request::Add(request) => add::add(ctx, request),
        Request::Delete(name) if ctx.flags.has(Flag::TreeDelete) => tree_delete::tree_delete(ctx, name),
        Request::Delete(name) => delete::delete(ctx, name),
        Request::Modify(request) if schema_change::is_about_schema(ctx, request) => schema_change::modify(ctx, request),
        Request::Modify(request) => modify::modify(ctx, request),
        Request::ModifyDn(request) => modify_dn::modify_dn(ctx, request),
        Request::Compare(request) => compare::compare(ctx, request, controls),
        Request::Extended(request) => extended(ctx, request),
        Request::Malformed { reason, .. } => Err(Refusal::Protocol(reason)),
        Request::Bind(_) | Request::Search(_) | Request::Unbind | Request::Abandon(_) => {
            Err(Refusal::Unwilling("this request is not performed here"))
        }
    }
}

fn extended(ctx: &Context<'_>, request: &ExtendedRequest) -> Result<Outcome, Refusal> {
    match request.name.as_ref() {
        name if name == oid::PASSWORD_MODIFY.as_bytes() => {
            let request = PasswordModify::read(request.value.as_ref()).map_err(Refusal::Protocol)?;
            password_modify::password_modify(ctx, &request)
        }
        name if name == oid::WHO_AM_I.as_bytes() => Ok(who_am_i::who_am_i(ctx)),
        name if name == oid::PASSWORD_DEMANDS.as_bytes() => {
            let request = Coming::read(request.value.as_ref()).map_err(Refusal::Protocol)?;
            next_password::demands(ctx, &request)
        }
        name if name == oid::GENERATE_PASSWORD.as_bytes() => {
            let request = Suggest::read(request.value.as_ref()).map_err(Refusal::Protocol)?;
            next_password::suggest(ctx, &request)
        }
        name if oid::is_about_account_state(name) => {
            let request = AccountState::read(request.value.as_ref()).map_err(Refusal::Protocol)?;
            account_state::account_state(ctx, &request)
        }
        _ => Err(Refusal::Protocol("this extended operation is not known here")),
    }
}

/// What somebody may ask for whose password must be changed.
const BEFORE_A_CHANGE: [&str; 4] = [oid::PASSWORD_MODIFY, oid::WHO_AM_I, oid::PASSWORD_DEMANDS, oid::GENERATE_PASSWORD];

/// Somebody whose password must be changed may do nothing else first, but ask who they are and what the new one must be like.
fn require_changed_password(ctx: &Context<'_>, request: &Request, controls: &Controls) -> Result<(), Refusal> {
    if ctx.requester.freedom == Freedom::Full {
        return Ok(());
    }
    let Rare { assertion, pre_read, post_read, .. } = controls.rare();
    if assertion.is_some() || pre_read.is_some() || post_read.is_some() {
        return Err(Refusal::MustChangePassword);
    }
    let allowed = match request {
        Request::Extended(extended) => BEFORE_A_CHANGE.iter().any(|name| extended.name == *name),
        Request::Modify(modify) => changes_own_password_only(ctx, modify),
        _ => false,
    };
    if allowed { Ok(()) } else { Err(Refusal::MustChangePassword) }
}

/// The same for a search: of the root DSE only.
pub fn may_search(ctx: &Context<'_>, request: &SearchRequest) -> Result<(), Refusal> {
    let root_dse = request.base.is_empty() && request.scope == Scope::BaseObject;
    if ctx.requester.freedom == Freedom::PasswordChange && !root_dse {
        Err(ctx.told_to_requester(Refusal::MustChangePassword))
    } else {
        Ok(())
    }
}

fn changes_own_password_only(ctx: &Context<'_>, modify: &ModifyRequest) -> bool {
    let own = ctx.parse_dn(modify.object.as_bytes()).is_ok_and(|dn| ctx.requester.dn() == Some(&dn));
    own && modify.changes.iter().all(|change| change.attribute.eq_ignore_ascii_case("userPassword"))
}
