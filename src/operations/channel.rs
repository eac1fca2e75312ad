//! What tells the channel of a connection from every other (RFC 5056), so that a client notices somebody in between.

use crate::password::Secret;

/// The channel bindings of a connection inside TLS, those of them that it has.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ChannelBindings {
    /// `tls-exporter` (RFC 9266): 32 octets of the keys of the connection.
    pub tls_exporter: Option<Secret>,
    /// `tls-server-end-point` (RFC 5929 §4): the hash of the server's certificate.
    pub tls_server_end_point: Option<Secret>,
}

const END_POINT: &str = "tls-server-end-point";

impl ChannelBindings {
    /// The data of the binding of that name, if there is one here.
    ///
    /// The library of `OpenLDAP` calls it `ldap` (`SASL_CBINDING tls-endpoint`), and puts the name in front of the hash.
    pub fn find(&self, name: &str) -> Option<Secret> {
        let hash = self.tls_server_end_point.as_ref();
        match name {
            "tls-exporter" => self.tls_exporter.clone(),
            END_POINT => hash.cloned(),
            "ldap" => hash.map(|hash| Secret::new([END_POINT.as_bytes(), b":", hash.expose()].concat())),
            _ => None,
        }
    }

    /// Whether there is any.
    pub const fn is_empty(&self) -> bool {
        self.tls_exporter.is_none() && self.tls_server_end_point.is_none()
    }
}
