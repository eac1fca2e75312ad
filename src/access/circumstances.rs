//! How somebody is connected, by what they have proven who they are, and the time.

use std::fmt;
use std::net::IpAddr;

use crate::directory::Timestamp;
use crate::directory::filter::Truth;

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
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Remote {
    /// A machine.
    Address(IpAddr),
    /// A process of the server's own machine, over a socket in its file system.
    Local,
}

/// What keeps others from listening in, from the weakest to the strongest.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Protection {
    /// Nothing does.
    Nothing,
    /// TLS 1.2 (RFC 5246).
    Tls12 {
        /// The strength of the cipher, if it is known: the length of its key.
        bits: Option<u16>,
    },
    /// TLS 1.3 (RFC 8446).
    Tls13 {
        /// The strength of the cipher, if it is known: the length of its key.
        bits: Option<u16>,
    },
    /// Nobody is on the way: it is a socket of this machine.
    Local,
}

impl Protection {
    /// The least protection that a rule asks for: by `any`, `1.2` or `1.3`, with `/` and the bits of the cipher behind it, if that
    /// matters.
    pub fn find(word: &str) -> Option<Self> {
        let (version, bits) = match word.split_once('/') {
            Some((version, bits)) => (version, Some(bits.parse().ok().filter(|bits| STRENGTHS.contains(bits))?)),
            None => (word, None),
        };
        match version {
            "any" | "1.2" => Some(Self::Tls12 { bits }),
            "1.3" => Some(Self::Tls13 { bits }),
            _ => None,
        }
    }

    /// Whether it is as good as a rule asks for; unknown, if it is not known how strong its cipher is.
    pub fn suffices(self, least: Self) -> Truth {
        let bits = |protection: Self| match protection {
            Self::Nothing => Some(0),
            Self::Tls12 { bits } | Self::Tls13 { bits } => bits,
            Self::Local => Some(u16::MAX),
        };
        let version = |protection: Self| match protection {
            Self::Nothing => 0,
            Self::Tls12 { .. } => 1,
            Self::Tls13 { .. } => 2,
            Self::Local => 3,
        };
        let is_new = Truth::from(version(self) >= version(least));
        let is_strong = match (bits(self), bits(least)) {
            (_, None) => Truth::True,
            (None, Some(_)) => Truth::Undefined,
            (Some(own), Some(least)) => Truth::from(own >= least),
        };
        is_new.min(is_strong)
    }
}

/// How strong ciphers of TLS are, in bits.
const STRENGTHS: [u16; 2] = [128, 256];

/// By what somebody has proven who they are.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
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
