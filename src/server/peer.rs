//! Who is at the other end of a connection.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;

use crate::access::circumstances::Remote;
use crate::operations::External;
use crate::operations::identity_map::Origin;

use super::lanes::Source;

/// The other end of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Peer {
    /// A machine.
    Address(IpAddr),
    /// A process of this machine that runs as that user.
    Local {
        /// Its user.
        uid: u32,
        /// And group.
        gid: u32,
    },
}

impl Peer {
    /// Who takes turns with others on the lanes.
    pub(super) fn source(self) -> Source {
        let mut hasher = DefaultHasher::new();
        match self {
            // Whoever has an IPv6 network has as many addresses as they like.
            Self::Address(IpAddr::V6(address)) => (address.to_bits() >> 64).hash(&mut hasher),
            other => other.hash(&mut hasher),
        }
        Source(hasher.finish())
    }

    /// Where that is, for access rules.
    pub(super) const fn remote(self) -> Remote {
        match self {
            Self::Address(address) => Remote::Address(address),
            Self::Local { .. } => Remote::Local,
        }
    }

    /// What that proves: the superuser, and whoever runs the server, are its administrators; others are told by their
    /// user and group, named as OpenLDAP does.
    pub(super) fn external(self) -> Option<External> {
        let own = rustix::process::geteuid().as_raw();
        match self {
            Self::Local { uid, .. } if uid == 0 || uid == own => Some(External::Superuser),
            Self::Local { uid, gid } => {
                let name = format!("gidNumber={gid}+uidNumber={uid},cn=peercred,cn=external,cn=auth");
                Some(External::Named { origin: Origin::Local, name })
            }
            Self::Address(_) => None,
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(f, "{}", address.to_canonical()),
            Self::Local { uid, .. } => write!(f, "local uid {uid}"),
        }
    }
}
