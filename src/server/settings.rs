//! What a server is told when it starts.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::protocol::Framing;
use crate::store::Retention;

/// Everything that the shell needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen.
    pub listen: Vec<Listen>,
    /// Bounds on connections.
    pub connections: ConnectionLimits,
    /// How many threads serve connections.
    pub workers: usize,
    /// How many threads hash.
    pub hashing_threads: usize,
    /// How many passwords may wait to be hashed.
    pub hashing_queue: usize,
    /// How long connections may take to finish when the server stops.
    pub shutdown: Duration,
    /// How much of the record of what happens to passwords is kept.
    pub retention: Retention,
}

/// One place to listen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Listen {
    /// LDAP in the clear until `StartTLS`.
    Ldap {
        /// Where.
        address: SocketAddr,
        /// Whether passwords may pass in the clear all the same.
        cleartext_credentials: Cleartext,
    },
    /// LDAP inside TLS.
    Ldaps {
        /// Where.
        address: SocketAddr,
    },
    /// LDAP over a socket of this machine.
    Ldapi {
        /// Its path.
        path: PathBuf,
    },
}

/// Whether passwords may pass in the clear.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Cleartext {
    /// They may not.
    #[default]
    Refused,
    /// They may, because the administrator says that the network is trusted.
    Allowed,
}

/// Bounds on connections.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConnectionLimits {
    /// How many at once.
    pub total: usize,
    /// How many at once from one address.
    pub per_address: usize,
    /// How many requests may be under way on one.
    pub outstanding: usize,
    /// How large a message may be before somebody has authenticated.
    pub before_bind: Framing,
    /// And afterwards.
    pub after_bind: Framing,
    /// After which time without a request a connection ends on which nobody has authenticated.
    pub idle_before_bind: Duration,
    /// And one on which somebody has.
    pub idle: Duration,
    /// How long a client may take to read an answer.
    pub write: Duration,
    /// How long a client may take to establish TLS.
    pub handshake: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            total: 10_000,
            per_address: 10_000,
            outstanding: 64,
            before_bind: Framing { max_octets: 256 << 10, max_elements: 2_000 },
            after_bind: Framing { max_octets: 16 << 20, max_elements: 500_000 },
            idle_before_bind: Duration::from_secs(60),
            idle: Duration::from_secs(3_600),
            write: Duration::from_secs(30),
            handshake: Duration::from_secs(10),
        }
    }
}
