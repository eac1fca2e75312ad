//! Binds by SASL (RFC 4422, RFC 4513 §5.2): to each mechanism what is its own.

use std::borrow::Cow;

use smallvec::smallvec;

use super::mechanism::Mechanism;
use super::plain::Plain;
use super::{InProgress, Prepared, Verification, by_password, done, scram};
use crate::access::Actor;
use crate::directory::{Identity, ResultCode};
use crate::operations::verify_password::blocked;
use crate::operations::{Context, Effect, Freedom, Outcome, Proof, Refusal, Requester, proxy};
use crate::protocol::Response;
use crate::protocol::control::Controls;
use crate::protocol::request::{Authentication, BindRequest};

/// A bind by a SASL mechanism (RFC 4513 §5.2). The name in the request means nothing.
pub(super) fn prepare(
    ctx: &Context<'_>,
    (mechanism, credentials): (&[u8], Option<&[u8]>),
    controls: &Controls,
    begun: Option<&InProgress>,
) -> Result<Prepared, Refusal> {
    let mechanism = Mechanism::find(mechanism).ok_or(Refusal::UnsupportedAuthentication)?;
    if mechanism.is_scram() && !ctx.services.policies.keep_scram_keys(ctx.tree)? {
        return Err(Refusal::UnsupportedAuthentication);
    }
    if mechanism != Mechanism::External && !ctx.requester.confidentiality.admits_passwords() {
        return Err(Refusal::ConfidentialityRequired);
    }
    match (mechanism, credentials) {
        (Mechanism::External, authorize_as) => {
            external(ctx, authorize_as.unwrap_or_default()).map(|outcome| done(outcome, controls))
        }
        // The client is to speak first, and is told so (RFC 4422 §5).
        (_, None) => Ok(done(Outcome::answer(challenge(Vec::new())), controls)),
        (Mechanism::Plain, Some(message)) => {
            let Plain { authz_id, authc_id, passwd } = Plain::read(message)?;
            let verification = by_password(ctx, authc_id, passwd)?;
            Ok(Prepared::Verify(Box::new(Verification {
                authorize_as: authz_id.to_vec(),
                method: mechanism.name(),
                ..verification
            })))
        }
        (Mechanism::ScramSha256 | Mechanism::ScramSha256Plus, Some(message)) => {
            match begun.filter(|begun| begun.mechanism == mechanism) {
                Some(begun) => Ok(Prepared::Verify(Box::new(scram::finish(ctx, begun, message)?))),
                None => Ok(done(scram::begin(ctx, mechanism, message)?, controls)),
            }
        }
    }
}

/// What the server says before a client has proven anything.
pub(super) fn challenge(value: Vec<u8>) -> Response {
    Response { value: Some(value), ..ResultCode::SaslBindInProgress.into() }
}

/// Who somebody says they are who binds, for logs.
pub fn claimed_name(request: &BindRequest) -> Cow<'_, str> {
    let Authentication::Sasl { mechanism, credentials: Some(message) } = &request.authentication else {
        return String::from_utf8_lossy(&request.name);
    };
    match Mechanism::find(mechanism) {
        Some(Mechanism::Plain) => {
            Plain::read(message).map(|plain| String::from_utf8_lossy(plain.authc_id)).unwrap_or_default()
        }
        Some(Mechanism::ScramSha256 | Mechanism::ScramSha256Plus) => scram::claimed_name(message).into(),
        Some(Mechanism::External) | None => Cow::default(),
    }
}

/// SASL EXTERNAL: the connection itself has proven who it is. To become somebody else by it needs more than that.
fn external(ctx: &Context<'_>, authorize_as: &[u8]) -> Result<Outcome, Refusal> {
    let Some(external) = &ctx.requester.external else { return Err(Refusal::NoExternalIdentity) };
    let own = external.identify(ctx)?.ok_or(Refusal::NoExternalIdentity)?;
    let (identity, proxied_by) = assume(ctx, (own, Proof::Connection), authorize_as)?;
    let effect = Effect::Authenticated { identity, freedom: Freedom::Full, proof: Proof::Connection, proxied_by };
    Ok(Outcome { effects: smallvec![effect], ..Outcome::answer(ResultCode::Success) })
}

/// Who a connection belongs to on which `own` has been proven: they, or whom they want to be taken for and may be; then it
/// is known who that was.
pub(super) fn assume(
    ctx: &Context<'_>,
    (own, proof): (Identity, Proof),
    authorize_as: &[u8],
) -> Result<(Identity, Option<Box<Identity>>), Refusal> {
    if authorize_as.is_empty() {
        return Ok((own, None));
    }
    let requester = Requester { identity: own.clone(), proof, ..ctx.requester.clone() };
    let actor = Actor::find(own.clone(), &requester.circumstances(ctx.now), ctx.rules, ctx.tree)?;
    let assumed = proxy::assumed(&Context { actor: &actor, requester: &requester, ..*ctx }, authorize_as)?;
    let identity = assumed.filter(|identity| !identity.is_anonymous()).ok_or_else(|| blocked(None))?;
    let proxied_by = (identity != own).then(|| Box::new(own));
    Ok((identity, proxied_by))
}
