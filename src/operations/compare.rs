//! Compare (RFC 4511 §4.10).

use crate::access::Right;
use crate::directory::filter::Assertion;
use crate::directory::filter::{Facts, Filter, Matcher, Truth};
use crate::directory::tree::Means;
use crate::directory::{AttributeDescription, ResultCode};
use crate::password::Secret;
use crate::protocol::control::{Controls, ResponseControl};
use crate::protocol::request::CompareRequest;
use crate::protocol::{Response, oid};

use super::bind::Verification;
use super::derived::Derived;
use super::refusal::PolicyControl;
use super::selection::Selection;
use super::target::Target;
use super::{Context, Effect, Outcome, Refusal};

/// Whether an entry has a value.
pub fn compare(ctx: &Context<'_>, request: &CompareRequest, controls: &Controls) -> Result<Outcome, Refusal> {
    let name = std::str::from_utf8(&request.attribute).map_err(|_| Refusal::Protocol("the attribute is not UTF-8"))?;
    let described = ctx.schema().describe(name);
    let password = described.as_ref().is_some_and(|it| it.attribute_type == ctx.schema().known().user_password);
    // Whatever else is wrong: a password was sent in the clear, and whoever did that should know.
    if password && !ctx.requester.confidentiality.admits_passwords() {
        return Err(Refusal::ConfidentialityRequired);
    }
    let dn = ctx.parse_dn(&request.entry)?;
    let target = ctx.target(&dn)?;
    target.require_visible(ctx)?;
    let description = described.ok_or_else(|| Refusal::UndefinedAttribute(name.to_owned()))?;
    if password {
        return compare_password(ctx, target, Secret::new(request.value.as_ref()), controls);
    }
    if !target.decision.compare.contains(description.attribute_type) {
        return Err(Refusal::InsufficientAccess("you may not compare this attribute"));
    }
    compare_value(ctx, &target, &description, request)
}

fn compare_value(
    ctx: &Context<'_>,
    target: &Target,
    description: &AttributeDescription,
    request: &CompareRequest,
) -> Result<Outcome, Refusal> {
    let schema = ctx.schema();
    let assertion = Assertion { attribute: request.attribute.clone(), value: request.value.clone() };
    let present = Matcher::prepare(&Filter::Present(request.attribute.clone()), schema);
    let matcher = Matcher::prepare(&Filter::Equality(assertion), schema);
    let needed = Derived::needed(&Selection::default(), &present.mentioned(), schema);
    let derived = ctx.derived(&target.node, &target.dn, &needed)?;
    let entries = [&target.node.entry, &derived];
    let facts = Facts { entries: &entries, searchable: &target.decision.compare, dn: &target.dn, schema };
    let code = match matcher.evaluate(&facts) {
        Truth::True => ResultCode::CompareTrue,
        _ if present.evaluate(&facts) != Truth::True => ResultCode::NoSuchAttribute,
        Truth::Undefined if matcher.is_undecidable() => {
            let attribute = schema.attribute_type(description.attribute_type);
            if attribute.equality.is_none() {
                ResultCode::InappropriateMatching
            } else {
                ResultCode::InvalidAttributeSyntax
            }
        }
        Truth::False | Truth::Undefined => ResultCode::CompareFalse,
    };
    Ok(Outcome::answer(code))
}

/// To compare a password is to try it (draft-behera §8.1): metered like a bind, true only where a bind would succeed, and
/// never a look at the hash.
fn compare_password(
    ctx: &Context<'_>,
    target: Target,
    password: Secret,
    controls: &Controls,
) -> Result<Outcome, Refusal> {
    if ctx.requester.identity.is_anonymous() || !target.decision.allows(Right::Authenticate) {
        return Err(Refusal::InsufficientAccess("you may not compare passwords of this account"));
    }
    match Verification::of(ctx, target, password, Means::Compare)?.run(ctx, controls) {
        Ok(mut outcome) => {
            outcome.response.result.code = ResultCode::CompareTrue;
            outcome.effects.retain(|effect| !matches!(effect, Effect::Authenticated { .. }));
            outcome.response.controls.retain(is_asked_for);
            Ok(outcome)
        }
        Err(refusal) if matches!(refusal.untold(), Refusal::InvalidCredentials { .. }) => {
            let mut told = refusal.to_response(PolicyControl::of(controls)).controls;
            told.retain(is_asked_for);
            let response = Response { controls: told, ..ResultCode::CompareFalse.into() };
            Ok(Outcome { hold: refusal.hold(), ..Outcome::answer(response) })
        }
        Err(other) => Err(other),
    }
}

/// What Netscape's servers tell unasked, they tell of binds.
fn is_asked_for(control: &ResponseControl) -> bool {
    control.oid == oid::PASSWORD_POLICY
}
