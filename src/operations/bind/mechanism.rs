//! SASL mechanisms (RFC 4422): which there are, and which would succeed on a connection.

use crate::operations::Context;

/// A SASL mechanism that this server has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mechanism {
    /// What the connection itself proves (RFC 4422 appendix A).
    External,
    /// A proof that is bound to the channel (RFC 7677, RFC 5802 §6).
    ScramSha256Plus,
    /// A proof that somebody knows a password, which is not sent (RFC 7677).
    ScramSha256,
    /// A name and a password (RFC 4616).
    Plain,
}

impl Mechanism {
    /// From the strongest on.
    const ALL: [Self; 4] = [Self::External, Self::ScramSha256Plus, Self::ScramSha256, Self::Plain];

    /// The name that clients know it by.
    pub(in crate::operations) const fn name(self) -> &'static str {
        match self {
            Self::External => "EXTERNAL",
            Self::ScramSha256Plus => "SCRAM-SHA-256-PLUS",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::Plain => "PLAIN",
        }
    }

    /// The mechanism of that name; names are in upper case (RFC 4422 §3.1).
    pub(super) fn find(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|mechanism| mechanism.name().as_bytes() == name)
    }

    /// Those that would succeed on this connection: clients take the first that they know.
    pub(in crate::operations) fn offered(ctx: &Context<'_>) -> impl Iterator<Item = &'static str> {
        Self::ALL.into_iter().filter(|mechanism| mechanism.is_offered(ctx)).map(Self::name)
    }

    /// Whether it is one of those that need keys.
    pub(super) const fn is_scram(self) -> bool {
        matches!(self, Self::ScramSha256 | Self::ScramSha256Plus)
    }

    pub(super) fn is_offered(self, ctx: &Context<'_>) -> bool {
        match self {
            Self::External => {
                ctx.requester.external.as_ref().is_some_and(|external| matches!(external.identify(ctx), Ok(Some(_))))
            }
            Self::ScramSha256Plus => {
                let has_binding = ctx.requester.channel.as_ref().is_some_and(|channel| !channel.is_empty());
                has_binding && Self::ScramSha256.is_offered(ctx)
            }
            Self::ScramSha256 => Self::Plain.is_offered(ctx) && keeps_keys(ctx),
            Self::Plain => ctx.requester.confidentiality.admits_passwords(),
        }
    }
}

/// Whether any policy has keys kept; if the store cannot tell, none.
fn keeps_keys(ctx: &Context<'_>) -> bool {
    ctx.services.policies.keep_scram_keys(ctx.tree).unwrap_or(false)
}
