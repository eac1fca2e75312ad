//! Finding the operation for a request.

use crate::directory::tree::Scope;
use crate::protocol::control::{Controls, Flag};
use crate::protocol::extended::PasswordModify;
use crate::protocol::request::{ExtendedRequest, ModifyRequest, SearchRequest};
use crate::protocol::{Request, oid};

pub use crate::password::scheme::Effort;

use super::extended::{password_modify, who_am_i};
use super::{Context, Freedom, Outcome, Purpose, Refusal, add, compare, delete, modify, modify_dn};

/// How much work a request may be: whether it may hash.
pub fn effort(request: &Request) -> Effort {
    let about_password = |name: &str| {
        let name = name.split(';').next().unwrap_or_default();
        name.eq_ignore_ascii_case("userPassword") || name == "2.5.4.35"
    };
    let heavy = match request {
        Request::Modify(modify) => modify.changes.iter().any(|change| about_password(&change.attribute)),
        Request::Add(add) => add.attributes.iter().any(|(name, _)| about_password(name)),
        Request::Compare(compare) => std::str::from_utf8(&compare.attribute).is_ok_and(about_password),
        Request::Extended(extended) => extended.name == oid::PASSWORD_MODIFY,
        _ => false,
    };
    if heavy { Effort::Heavy } else { Effort::Light }
}

/// Does what a request wants, but for bind and search, which are done in steps, and for what belongs to the connection.
pub fn perform(ctx: &Context<'_>, request: &Request, controls: &Controls) -> Result<Outcome, Refusal> {
    require_changed_password(ctx, request)?;
    if controls.flags.has(Flag::NoOp) {
        let dry = Context { purpose: Purpose::DryRun, ..*ctx };
        return plan(&dry, request, controls).map(Outcome::left_undone);
    }
    plan(ctx, request, controls)
}

fn plan(ctx: &Context<'_>, request: &Request, controls: &Controls) -> Result<Outcome, Refusal> {
    match request {
        Request::Add(request) => add::add(ctx, request),
        Request::Delete(name) => delete::delete(ctx, name),
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
        _ => Err(Refusal::Protocol("this extended operation is not known here")),
    }
}

/// Somebody whose password must be changed may do nothing else first, but ask who they are.
fn require_changed_password(ctx: &Context<'_>, request: &Request) -> Result<(), Refusal> {
    if ctx.requester.freedom == Freedom::Full {
        return Ok(());
    }
    let allowed = match request {
        Request::Extended(extended) => extended.name == oid::PASSWORD_MODIFY || extended.name == oid::WHO_AM_I,
        Request::Modify(modify) => changes_own_password_only(ctx, modify),
        _ => false,
    };
    if allowed { Ok(()) } else { Err(Refusal::MustChangePassword) }
}

/// The same for a search: of the root DSE only.
pub fn may_search(ctx: &Context<'_>, request: &SearchRequest) -> Result<(), Refusal> {
    let root_dse = request.base.is_empty() && request.scope == Scope::BaseObject;
    if ctx.requester.freedom == Freedom::PasswordChange && !root_dse {
        Err(Refusal::MustChangePassword)
    } else {
        Ok(())
    }
}

fn changes_own_password_only(ctx: &Context<'_>, modify: &ModifyRequest) -> bool {
    let own = ctx.parse_dn(modify.object.as_bytes()).is_ok_and(|dn| ctx.requester.dn() == Some(&dn));
    own && modify.changes.iter().all(|change| change.attribute.eq_ignore_ascii_case("userPassword"))
}
