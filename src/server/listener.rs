//! Sockets that accept connections.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};

use super::connection::Kind;
use super::peer::Peer;
use super::settings::{Listen, Settings};
use super::shared::{Place, Shared};
use super::worker::{Accepted, Dealer, Raw};

/// Why the server cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The address is taken, or may not be used.
    #[error("cannot listen on {place}: {cause}{hint}")]
    Socket {
        /// Where.
        place: String,
        /// Why not.
        cause: io::Error,
        /// What may help.
        hint: &'static str,
    },
    /// TLS is needed and not set up.
    #[error("{0} needs a certificate: set [tls] certificate and private_key")]
    NoTls(String),
}

/// Where a server listens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bound {
    /// As a URL.
    pub url: String,
    /// As an address, for those that have one.
    pub address: Option<SocketAddr>,
}

/// Connections that the kernel holds until they are accepted.
const BACKLOG: i32 = 1024;
/// After which time without an octet the kernel asks whether the other end is still there, and how often it asks again.
const KEEPALIVE: Duration = Duration::from_secs(300);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct Listeners {
    tcp: Vec<(TcpListener, Kind)>,
    unix: Vec<(UnixListener, PathBuf)>,
}

impl Listeners {
    pub(super) fn open(settings: &Settings, shared: &Shared) -> Result<Self, ListenError> {
        let mut listeners = Self { tcp: Vec::new(), unix: Vec::new() };
        for listen in &settings.listen {
            match listen {
                Listen::Ldap { address, cleartext_credentials } => {
                    listeners.tcp.push((tcp(*address)?, Kind::Plain(*cleartext_credentials)));
                }
                Listen::Ldaps { address } => {
                    if shared.tls.load().is_none() {
                        return Err(ListenError::NoTls(format!("ldaps://{address}")));
                    }
                    listeners.tcp.push((tcp(*address)?, Kind::Tls));
                }
                Listen::Ldapi { path } => listeners.unix.push((unix(path)?, path.clone())),
            }
        }
        Ok(listeners)
    }

    pub(super) fn bound(&self) -> Vec<Bound> {
        let tcp = self.tcp.iter().filter_map(|(listener, kind)| {
            let address = listener.local_addr().ok()?;
            let scheme = if *kind == Kind::Tls { "ldaps" } else { "ldap" };
            Some(Bound { url: format!("{scheme}://{address}"), address: Some(address) })
        });
        let unix = self.unix.iter().map(|(_, path)| {
            let escaped = path.to_string_lossy().replace('/', "%2F");
            Bound { url: format!("ldapi://{escaped}"), address: None }
        });
        tcp.chain(unix).collect()
    }

    /// Accepts connections and deals them out until the server stops.
    pub(super) async fn accept(self, shared: &Arc<Shared>, dealer: &Dealer) {
        let mut tasks = tokio::task::JoinSet::new();
        for (listener, kind) in self.tcp {
            let (shared, dealer) = (Arc::clone(shared), dealer.clone());
            tasks.spawn(async move { accept_tcp(listener, kind, shared, dealer).await });
        }
        let mut sockets = Vec::new();
        for (listener, path) in self.unix {
            sockets.push(path);
            let (shared, dealer) = (Arc::clone(shared), dealer.clone());
            tasks.spawn(async move { accept_unix(listener, shared, dealer).await });
        }
        shared.stop.cancelled().await;
        tasks.shutdown().await;
        for path in sockets {
            // The next start makes it anew in any case.
            let _ = std::fs::remove_file(path);
        }
    }
}

fn tcp(address: SocketAddr) -> Result<TcpListener, ListenError> {
    let open = || -> io::Result<TcpListener> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        // Connections inherit it. Who only waits to be told of changes may be gone without anybody noticing.
        socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE_INTERVAL))?;
        if address.is_ipv6() && address.ip().is_unspecified() {
            socket.set_only_v6(false)?;
        }
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        socket.set_nonblocking(true)?;
        Ok(socket.into())
    };
    open().map_err(|cause| ListenError::Socket { place: address.to_string(), hint: hint(&cause), cause })
}

fn hint(cause: &io::Error) -> &'static str {
    match cause.kind() {
        io::ErrorKind::AddrInUse => "; another process listens there",
        io::ErrorKind::PermissionDenied => "; ports below 1024 need the capability CAP_NET_BIND_SERVICE",
        io::ErrorKind::AddrNotAvailable => "; this machine has no such address",
        _ => "",
    }
}

/// A socket of this machine. One that a killed server left behind is taken over; one that is in use is not.
fn unix(path: &Path) -> Result<UnixListener, ListenError> {
    let open = || -> io::Result<UnixListener> {
        if UnixStream::connect(path).is_ok() {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(path)?;
        // Everybody may connect; what they may do is for the rules to say.
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777))?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    };
    open().map_err(|cause| ListenError::Socket { place: path.display().to_string(), hint: hint(&cause), cause })
}

async fn accept_tcp(listener: TcpListener, kind: Kind, shared: Arc<Shared>, dealer: Dealer) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    let mut refused = Refused::default();
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                let ip = address.ip().to_canonical();
                let Some(place) = Place::take(&shared, Some(ip)) else {
                    if let Some(count) = refused.one_more(Instant::now()) {
                        tracing::warn!(%ip, count, "connections were refused: there are too many; see limits.connections");
                    }
                    continue;
                };
                // Answers are written whole, so waiting for more to send only costs time.
                if stream.set_nodelay(true).is_err() {
                    continue;
                }
                if let Ok(stream) = stream.into_std() {
                    dealer.deal(Accepted { raw: Raw::Tcp(stream), kind, peer: Peer::Address(ip), place });
                }
            }
            Err(error) => pause(&error).await,
        }
    }
}

async fn accept_unix(listener: UnixListener, shared: Arc<Shared>, dealer: Dealer) {
    let Ok(listener) = tokio::net::UnixListener::from_std(listener) else { return };
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let Ok(credentials) = stream.peer_cred() else { continue };
                let Some(place) = Place::take(&shared, None) else { continue };
                let peer = Peer::Local { uid: credentials.uid(), gid: credentials.gid() };
                if let Ok(stream) = stream.into_std() {
                    dealer.deal(Accepted { raw: Raw::Unix(stream), kind: Kind::Local, peer, place });
                }
            }
            Err(error) => pause(&error).await,
        }
    }
}

/// Connections that were refused. A flood of them must not become a flood of lines in the log.
#[derive(Debug, Default)]
struct Refused {
    told: Option<Instant>,
    untold: u64,
}

impl Refused {
    /// How many are to be told of now, if it is time to.
    fn one_more(&mut self, now: Instant) -> Option<u64> {
        self.untold += 1;
        if self.told.is_some_and(|told| now.duration_since(told) < Duration::from_secs(1)) {
            return None;
        }
        self.told = Some(now);
        Some(std::mem::take(&mut self.untold))
    }
}

/// After a failure of this process, such as no file left to open, accepting again at once would fail again at once.
async fn pause(error: &io::Error) {
    if is_of_the_client(error) {
        return;
    }
    tracing::warn!(%error, "a connection could not be accepted");
    tokio::time::sleep(Duration::from_millis(100)).await;
}

/// Whether the connection failed, and no other is the worse for it: whoever connects and is gone delays nobody.
fn is_of_the_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};

    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_left_to_open_is_waited_for_and_a_client_that_is_gone_is_not() {
        use rustix::io::Errno;

        for (errno, goes_on) in
            [(Errno::CONNABORTED, true), (Errno::INTR, true), (Errno::MFILE, false), (Errno::NFILE, false)]
        {
            assert_eq!(is_of_the_client(&errno.into()), goes_on, "{errno}");
        }
    }

    #[test]
    fn a_flood_of_refusals_is_told_of_once_a_second() {
        let mut refused = Refused::default();
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let told = [0, 10, 20, 999, 1_000, 1_500, 3_000].map(|millis| refused.one_more(at(millis)));
        assert_eq!(told, [Some(1), None, None, None, Some(4), None, Some(2)]);
    }
}
