//! Proxied authorization (RFC 4370): who the request is to be done as.

use bytes::Bytes;

use super::{Controls, RawControl};

/// Somebody else than the connection belongs to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProxiedAuthorization {
    /// Who: `dn:` and a name, `u:` and a user name, or nothing for anonymous (RFC 4513 §5.2.1.8).
    pub authz_id: Bytes,
    /// Whether the control is critical, as it must be: done as the wrong person, a request does harm (RFC 4370 §3).
    pub is_critical: bool,
}

pub(super) fn read(controls: &mut Controls, control: &RawControl) -> Option<()> {
    let authz_id = control.value.clone()?;
    controls.proxied = Some(Box::new(ProxiedAuthorization { authz_id, is_critical: control.critical }));
    Some(())
}
