//! How somebody is connected, by what they have proven who they are, and the time.

use std::fmt;
use std::net::IpAddr;

use crate::directory::Timestamp;

/// What the conditions of rules ask about. What is not known is `None`: then an allow with a condition on it does not
/// apply, and a deny does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Circumstances {
    /// The time.
    pub now: Timestamp,
    /// Where they come from.
    pub remote: Option<Remote>,
    /// What keeps others from listening in.
    pub protection: Option<Protection>,
    /// By what they have proven who they are.
    pub method: Option<Method>,
}

impl Circumstances {
    /// Nothing but the time is known.
    pub const fn unknown(now: Timestamp) -> Self {
        Self { now, remote: None, protection: None, method: None }
    }
}

/// Where somebody comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Remote {
    /// A machine.
    Address(IpAddr),
    /// A process of the server's own machine, over a socket in its file system.
    Local,
}

/// What keeps others from listening in, from the weakest to the strongest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Protection {
    /// Nothing does.
    Nothing,
    /// TLS 1.2 (RFC 5246), with the ciphers that this server has: at least 128 bits.
    Tls12,
    /// TLS 1.3 (RFC 8446).
    Tls13,
    /// Nobody is on the way: it is a socket of this machine.
    Local,
}

impl Protection {
    /// The least protection that a rule asks for by `any`, `1.2` or `1.3`.
    pub fn find(word: &str) -> Option<Self> {
        match word {
            "any" | "1.2" => Some(Self::Tls12),
            "1.3" => Some(Self::Tls13),
            _ => None,
        }
    }
}

/// By what somebody has proven who they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    /// By nothing.
    Anonymous,
    /// By a password.
    Simple,
    /// By what the connection itself proves: the owner of a local socket, or of a client certificate (SASL EXTERNAL).
    External,
}

impl Method {
    /// Every method.
    pub const ALL: &'static [Self] = &[Self::Anonymous, Self::Simple, Self::External];

    /// The name that rules have for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Simple => "simple",
            Self::External => "external",
        }
    }

    /// The method of that name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|method| method.name() == name)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
