//! Who a bind has made of the connection (RFC 3829).

use super::ResponseControl;
use crate::protocol::oid;

/// The control that tells it: empty for nobody in particular, else `dn:` and a name.
pub fn authorization_identity_response(name: &str) -> ResponseControl {
    let identity = if name.is_empty() { String::new() } else { format!("dn:{name}") };
    ResponseControl { oid: oid::AUTHORIZATION_IDENTITY_RESPONSE, value: Some(identity.into_bytes()) }
}
