//! Binds by SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677): two requests, of which the connection remembers
//! the first until the second.
//!
//! Nobody is told at the first whether a name exists, or has keys: who has none seems to have some. A wrong proof is a
//! wrong password, for the same meter.

use super::sasl::challenge;
use super::{Evidence, Mechanism, Verification, spelled, verification};
use crate::operations::login_name::UserName;
use crate::operations::{Context, Effect, Outcome, Refusal};
use crate::password::Secret;
use crate::password::scram::{ClientFirst, Exchange, Gs2Flag, LEAST_ITERATIONS, Proof, ScramFault, ScramKeys};

/// A bind that is half done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InProgress {
    pub(super) mechanism: Mechanism,
    name: String,
    authorize_as: String,
    /// The name of the channel binding, if there is one.
    binding: Option<String>,
    exchange: Exchange,
}

/// A proof, and the keys that somebody seems to have who has none.
#[derive(Clone, Debug)]
pub(super) struct Proven {
    pub(super) proof: Proof,
    pub(super) nobodys: ScramKeys,
}

impl From<ScramFault> for Refusal {
    fn from(fault: ScramFault) -> Self {
        match fault {
            ScramFault::Malformed => Self::Protocol("the SCRAM message is malformed"),
            ScramFault::Extension => Self::Protocol("the SCRAM message demands an extension that is not known here"),
            ScramFault::OtherNonce => Self::Protocol("the SCRAM message belongs to another exchange; begin anew"),
            ScramFault::OtherChannel => Self::OtherChannel,
        }
    }
}

/// Answers the first message.
pub(super) fn begin(ctx: &Context<'_>, mechanism: Mechanism, message: &[u8]) -> Result<Outcome, Refusal> {
    let first = ClientFirst::read(message)?;
    let binding = binding(ctx, mechanism, &first.flag)?;
    let user = UserName::read(first.username.as_bytes(), ctx)?;
    let keys = keys(ctx, &user)?;
    let exchange = Exchange::begin(&first, &keys, ctx.random);
    let response = challenge(exchange.server_first().as_bytes().to_vec());
    let (name, authorize_as) = (first.username, first.authz_id);
    let in_progress = InProgress { mechanism, name, authorize_as, binding, exchange };
    let mut outcome = Outcome::answer(response);
    outcome.effects.push(Effect::BindInProgress(Box::new(in_progress)));
    Ok(outcome)
}

/// Reads the second message: what is to be verified.
pub(super) fn finish(ctx: &Context<'_>, begun: &InProgress, message: &[u8]) -> Result<Verification, Refusal> {
    let channel = match &begun.binding {
        Some(name) => bound(ctx, name)?,
        None => Secret::default(),
    };
    let proof = begun.exchange.finish(message, channel.expose())?;
    let user = UserName::read(begun.name.as_bytes(), ctx)?;
    let nobodys = nobodys(ctx, &user)?;
    let evidence = Evidence::Proof(Box::new(Proven { proof, nobodys }));
    let verification = verification(ctx, &user, evidence)?;
    let method = begun.mechanism.name();
    Ok(Verification { authorize_as: begun.authorize_as.clone().into_bytes(), method, ..verification })
}

/// The channel binding that the client asks for (RFC 5802 §6). One that binds is taken at its word also without `-PLUS` in the
/// name of the mechanism: the library of the usual clients, Cyrus SASL, leaves it out.
fn binding(ctx: &Context<'_>, mechanism: Mechanism, flag: &Gs2Flag) -> Result<Option<String>, Refusal> {
    match (mechanism, flag) {
        (_, Gs2Flag::Binds(name)) => {
            bound(ctx, name)?;
            Ok(Some(name.clone()))
        }
        (Mechanism::ScramSha256Plus, _) => Err(Refusal::Protocol("SCRAM-SHA-256-PLUS needs a channel binding")),
        // Somebody may have taken the stronger mechanism out of the list that the client has seen.
        (_, Gs2Flag::CouldBind) if Mechanism::ScramSha256Plus.is_offered(ctx) => Err(Refusal::BindsElsewhere),
        (_, Gs2Flag::CouldBind | Gs2Flag::CannotBind) => Ok(None),
    }
}

fn bound(ctx: &Context<'_>, name: &str) -> Result<Secret, Refusal> {
    let data = ctx.requester.channel.as_ref().and_then(|channel| channel.find(name));
    data.ok_or(Refusal::NoSuchChannelBinding)
}

/// The keys of somebody, or those that they seem to have.
fn keys(ctx: &Context<'_>, user: &UserName) -> Result<ScramKeys, Refusal> {
    let verification = verification(ctx, user, Evidence::Nothing)?;
    match verification.scram_keys() {
        Some(keys) => Ok(keys.clone()),
        None => nobodys(ctx, user),
    }
}

/// What a name seems to have that no entry has, or whose entry has no keys: the same salt each time, and as many
/// iterations as the policy asks for that governs what stands there.
fn nobodys(ctx: &Context<'_>, user: &UserName) -> Result<ScramKeys, Refusal> {
    let dn = spelled(ctx, user)?;
    let policy = ctx.services.policies.for_nobody(&dn, ctx.tree)?;
    let iterations = policy.scram_iterations.unwrap_or(LEAST_ITERATIONS);
    Ok(ScramKeys::of_nobody(&ctx.services.fake_salts, dn.key(), iterations))
}

/// Who a first message names; nobody, if it is none.
pub(super) fn claimed_name(message: &[u8]) -> String {
    ClientFirst::read(message).map_or_else(|_| String::new(), |first| first.username)
}
