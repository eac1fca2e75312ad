//! Sockets, with TLS or without, as one kind of stream.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::rustls::ProtocolVersion;
use tokio_rustls::server::TlsStream;
use zeroize::Zeroize;

use super::tls::ReadyTls;
use crate::access::circumstances::Protection;
use crate::directory::certificate::subject;
use crate::operations::ChannelBindings;
use crate::password::Secret;

/// A connection's stream.
#[derive(Debug)]
pub(super) enum Stream {
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Unix(UnixStream),
}

/// The label and the length of `tls-exporter` (RFC 9266 §2).
const EXPORTER: &[u8] = b"EXPORTER-Channel-Binding";
const EXPORTED: usize = 32;

/// As much is read at once, in octets.
const READ: usize = 64 << 10;

thread_local! {
    /// What connections of this thread read into. An idle connection holds no buffer of its own.
    static SCRATCH: std::cell::RefCell<Box<[u8]>> = std::cell::RefCell::new(vec![0; READ].into());
}

impl Stream {
    /// The subject of the certificate that the client has shown, which TLS has verified.
    pub(super) fn certificate_subject(&self) -> Option<String> {
        match self {
            Self::Tls(stream) => subject(stream.get_ref().1.peer_certificates()?.first()?),
            Self::Tcp(_) | Self::Unix(_) => None,
        }
    }

    /// What tells this channel from every other.
    pub(super) fn channel_bindings(&self, tls: &ReadyTls) -> ChannelBindings {
        let Self::Tls(stream) = self else { return ChannelBindings::default() };
        let connection = stream.get_ref().1;
        // Under TLS 1.2 its keys tell that only with an extension which not every client has (RFC 9266 §4.2).
        let is_1_3 = connection.protocol_version() == Some(ProtocolVersion::TLSv1_3);
        let exported = || connection.export_keying_material([0; EXPORTED], EXPORTER, None).ok();
        ChannelBindings {
            tls_exporter: is_1_3.then(exported).flatten().map(Secret::new),
            tls_server_end_point: tls.end_point.clone(),
        }
    }

    /// What keeps others from listening in.
    pub(super) fn protection(&self) -> Protection {
        match self {
            Self::Tcp(_) => Protection::Nothing,
            Self::Tls(stream) => {
                let connection = stream.get_ref().1;
                let suite = connection.negotiated_cipher_suite().map(|suite| suite.suite());
                let bits = suite.and_then(|suite| suite.as_str().and_then(bits_of));
                match connection.protocol_version() {
                    Some(ProtocolVersion::TLSv1_3) => Protection::Tls13 { bits },
                    // This server speaks nothing older.
                    _ => Protection::Tls12 { bits },
                }
            }
            Self::Unix(_) => Protection::Local,
        }
    }

    /// Appends what has arrived to `buffer`; 0 at the end of the stream.
    pub(super) async fn read_into(&mut self, buffer: &mut BytesMut) -> io::Result<usize> {
        std::future::poll_fn(|context| self.poll_read_into(context, buffer)).await
    }

    fn poll_read_into(&mut self, context: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>> {
        SCRATCH.with_borrow_mut(|scratch| {
            let mut read = ReadBuf::new(scratch);
            ready!(Pin::new(self).poll_read(context, &mut read))?;
            buffer.extend_from_slice(read.filled());
            // There may be a password in it, which would stay there until as much is read again.
            read.filled_mut().zeroize();
            Poll::Ready(Ok(read.filled().len()))
        })
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, read: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(context, read),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, read),
            Self::Unix(stream) => Pin::new(stream).poll_read(context, read),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(context, octets),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, octets),
            Self::Unix(stream) => Pin::new(stream).poll_write(context, octets),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
            Self::Unix(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

/// How long the key of a cipher is, by the name of the suite (RFC 8446 appendix B.4, RFC 5289, RFC 7905).
fn bits_of(suite: &str) -> Option<u16> {
    match suite {
        _ if suite.contains("_AES_256_") || suite.contains("_AES256_") || suite.contains("_CHACHA20_") => Some(256),
        _ if suite.contains("_AES_128_") || suite.contains("_AES128_") => Some(128),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of every cipher that this server has it is known how strong it is.
    #[test]
    fn the_strength_of_each_cipher_is_known() {
        let suites = rustls::crypto::ring::default_provider().cipher_suites;
        assert!(!suites.is_empty());
        for suite in suites {
            let name = suite.suite();
            assert!(name.as_str().and_then(bits_of).is_some(), "{name:?}");
        }
        assert_eq!(bits_of("TLS13_AES_128_GCM_SHA256"), Some(128));
        assert_eq!(bits_of("TLS13_CHACHA20_POLY1305_SHA256"), Some(256));
    }
}
