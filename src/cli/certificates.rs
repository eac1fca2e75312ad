//! Certificates for development: an authority of one's own, and a server certificate by it.

use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};

use super::{CliError, files};

/// Makes `ca.crt`, `ca.key`, `server.crt` and `server.key` in a folder, unless a server certificate is there already.
pub(super) fn make(folder: &Path) -> Result<(), CliError> {
    if folder.join("server.crt").exists() && folder.join("server.key").exists() {
        return Ok(());
    }
    files::make_folder(folder)?;
    let failed = |error: rcgen::Error| CliError::Message(format!("the certificates could not be made: {error}"));
    let ca_key = KeyPair::generate().map_err(failed)?;
    let mut ca = CertificateParams::default();
    ca.distinguished_name.push(DnType::CommonName, "Keystead development authority");
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let ca_key_pem = ca_key.serialize_pem();
    let issuer = CertifiedIssuer::self_signed(ca, ca_key).map_err(failed)?;
    let key = KeyPair::generate().map_err(failed)?;
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    names.extend(host_name().filter(|name| name != "localhost"));
    let mut server = CertificateParams::new(names).map_err(failed)?;
    server.distinguished_name.push(DnType::CommonName, "localhost");
    server.use_authority_key_identifier_extension = true;
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = server.signed_by(&key, &issuer).map_err(failed)?;
    for (name, key) in [("ca.key", ca_key_pem), ("server.key", key.serialize_pem())] {
        files::write_private(&folder.join(name), key.as_bytes())?;
    }
    for (name, certificate) in [("ca.crt", issuer.pem()), ("server.crt", certificate.pem())] {
        files::write_private(&folder.join(name), certificate.as_bytes())?;
        files::make_readable(&folder.join(name))?;
    }
    Ok(())
}

fn host_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    let name = name.trim();
    let usable = !name.is_empty() && name.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-.".contains(&octet));
    usable.then(|| name.to_owned())
}
