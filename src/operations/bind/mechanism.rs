//! SASL mechanisms (RFC 4422): which there are, and which would succeed on a connection.

use crate::operations::Context;

/// A SASL mechanism that this server has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::operations) enum Mechanism {
    /// What the connection itself proves (RFC 4422 appendix A).
    External,
    /// A name and a password (RFC 4616).
    Plain,
}

impl Mechanism {
    const ALL: [Self; 2] = [Self::External, Self::Plain];

    /// The name that clients know it by.
    pub(in crate::operations) const fn name(self) -> &'static str {
        match self {
            Self::External => "EXTERNAL",
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

    fn is_offered(self, ctx: &Context<'_>) -> bool {
        match self {
            Self::External => {
                ctx.requester.external.as_ref().is_some_and(|external| matches!(external.identify(ctx), Ok(Some(_))))
            }
            Self::Plain => ctx.requester.confidentiality.admits_passwords(),
        }
    }
}
