//! TLS: 1.2 and 1.3 by rustls, from files that may be renewed while the server runs.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig};

use super::end_point;
use crate::directory::{Timestamp, wire};
use crate::password::Secret;

const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// What the file of a key holds.
const PRIVATE_KEY: &str = "private key";

/// The files that TLS needs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TlsFiles {
    /// The certificate, and behind it those that lead to the authority.
    pub certificate: PathBuf,
    /// Its key.
    pub private_key: PathBuf,
    /// The certificates of the authorities that clients' certificates are by; absent if clients are not asked for any.
    pub client_ca: Option<PathBuf>,
    /// Whether clients must show one, where they are asked.
    pub client_certificate: ClientCertificate,
}

/// Whether clients must show a certificate.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ClientCertificate {
    /// They may, to authenticate by it.
    #[default]
    Optional,
    /// Without one, there is no TLS.
    Required,
}

/// TLS, ready to be spoken.
#[derive(Debug)]
pub struct ReadyTls {
    pub(super) config: Arc<ServerConfig>,
    /// `tls-server-end-point` of the certificate.
    pub(super) end_point: Option<Secret>,
}

/// Why TLS cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{path}: {cause}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        cause: std::io::Error,
    },
    /// A file holds no certificate or key in PEM.
    #[error("{path} holds no {what} in PEM")]
    NotPem {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
    },
    /// The authorities of clients are of no use.
    #[error("{path}: {reason}")]
    ClientAuthority {
        /// Their file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Certificate and key do not belong together, or are of no use.
    #[error("{certificate} and {private_key}: {cause}")]
    Unusable {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        private_key: PathBuf,
        /// Why.
        cause: rustls::Error,
    },
}

/// One of the files that TLS needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TlsPart {
    /// The certificate.
    Certificate,
    /// Its key.
    PrivateKey,
    /// The authorities of clients.
    ClientAuthority,
}

impl TlsError {
    /// Which of the files is to blame; the certificate where two do not fit together. One file may be named twice.
    pub fn blames(&self, files: &TlsFiles) -> TlsPart {
        let is_certificate = |path: &PathBuf| *path == files.certificate;
        match self {
            Self::NotPem { what: PRIVATE_KEY, .. } => TlsPart::PrivateKey,
            Self::ClientAuthority { .. } => TlsPart::ClientAuthority,
            Self::NotPem { path, .. } if !is_certificate(path) => TlsPart::ClientAuthority,
            Self::File { path, .. } if !is_certificate(path) && *path == files.private_key => TlsPart::PrivateKey,
            Self::File { path, .. } if !is_certificate(path) => TlsPart::ClientAuthority,
            Self::NotPem { .. } | Self::File { .. } | Self::Unusable { .. } => TlsPart::Certificate,
        }
    }
}

impl TlsFiles {
    /// Reads the files and makes them ready.
    pub fn load(&self) -> Result<Arc<ReadyTls>, TlsError> {
        let chain = certificates(&self.certificate)?;
        let end_point = chain.first().and_then(|certificate| end_point::of(certificate));
        let key = private_key(&self.private_key)?;
        let unusable = |cause| TlsError::Unusable {
            certificate: self.certificate.clone(),
            private_key: self.private_key.clone(),
            cause,
        };
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .with_client_cert_verifier(self.client_verifier()?)
            .with_single_cert(chain, key)
            .map_err(unusable)?;
        // Clients that connect anew for every login come back cheaper with a ticket.
        config.ticketer = ring::Ticketer::new().map_err(unusable)?;
        config.send_tls13_tickets = 1;
        Ok(Arc::new(ReadyTls { config: Arc::new(config), end_point }))
    }

    /// What judges the certificates of clients.
    fn client_verifier(&self) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
        let Some(path) = &self.client_ca else { return Ok(WebPkiClientVerifier::no_client_auth()) };
        let unusable = |reason: String| TlsError::ClientAuthority { path: path.clone(), reason };
        let mut authorities = RootCertStore::empty();
        for certificate in certificates(path)? {
            authorities.add(certificate).map_err(|error| unusable(error.to_string()))?;
        }
        let provider = Arc::new(ring::default_provider());
        let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(authorities), provider);
        let builder = match self.client_certificate {
            ClientCertificate::Optional => builder.allow_unauthenticated(),
            ClientCertificate::Required => builder,
        };
        builder.build().map_err(|error| unusable(error.to_string()))
    }

    /// Until when the certificate is good (RFC 5280 §4.1.2.5), where that can be told.
    pub fn expires(&self) -> Option<Timestamp> {
        let chain = certificates(&self.certificate).ok()?;
        let signed = wire::element(wire::element(chain.first()?)?.content)?;
        // Of what is signed, only this begins with a time.
        let is_time = |tag: &u8| [UTC_TIME, GENERALIZED_TIME].contains(tag);
        let validity = wire::elements(signed.content).find(|field| field.content.first().is_some_and(is_time))?;
        let end = wire::elements(validity.content).nth(1)?;
        let century: &[u8] = match end.tag {
            UTC_TIME if end.content < &b"50"[..] => b"20",
            UTC_TIME => b"19",
            _ => b"",
        };
        Timestamp::parse(&[century, end.content].concat())
    }

    /// When the files were changed last, to notice that they have been renewed.
    pub fn changed(&self) -> Option<Vec<SystemTime>> {
        let changed = |path: &PathBuf| std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
        let files = [&self.certificate, &self.private_key].into_iter().chain(&self.client_ca);
        files.map(changed).collect()
    }
}

fn open(path: &Path) -> Result<BufReader<File>, TlsError> {
    let opened = File::open(path).map_err(|cause| TlsError::File { path: path.to_owned(), cause })?;
    Ok(BufReader::new(opened))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let not_pem = || TlsError::NotPem { path: path.to_owned(), what: "certificate" };
    let chain: Vec<_> =
        CertificateDer::pem_reader_iter(open(path)?).collect::<Result<_, _>>().map_err(|_| not_pem())?;
    if chain.is_empty() { Err(not_pem()) } else { Ok(chain) }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_reader(open(path)?)
        .map_err(|_| TlsError::NotPem { path: path.to_owned(), what: PRIVATE_KEY })
}
