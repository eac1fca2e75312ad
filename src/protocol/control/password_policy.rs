//! The state of a password (draft-behera-ldap-password-policy-10 §6).

use super::{ResponseControl, sequence};
use crate::directory::wire;
use crate::protocol::{ber, oid};

/// The state of a password, for the password policy response control (draft-behera §6.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PasswordPolicyResponse {
    /// What the client should tell.
    pub warning: Option<PasswordWarning>,
    /// What went wrong, by its number.
    pub error: Option<u8>,
}

/// What a client should tell the user.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PasswordWarning {
    /// Seconds until the password expires.
    TimeBeforeExpiration(u32),
    /// How many binds with the expired password are left.
    GraceAuthNsRemaining(u32),
}

impl PasswordPolicyResponse {
    /// The control.
    pub fn to_control(self) -> ResponseControl {
        let mut fields = Vec::new();
        if let Some(warning) = self.warning {
            let (number, value) = match warning {
                PasswordWarning::TimeBeforeExpiration(seconds) => (0, seconds),
                PasswordWarning::GraceAuthNsRemaining(binds) => (1, binds),
            };
            let mut choice = Vec::new();
            ber::put_integer(&mut choice, ber::context(number), i64::from(value));
            wire::put_element(&mut fields, ber::context_constructed(0), &choice);
        }
        if let Some(error) = self.error {
            ber::put_integer(&mut fields, ber::context(1), i64::from(error));
        }
        ResponseControl { oid: oid::PASSWORD_POLICY, value: Some(sequence(&fields)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_policy_response_has_context_tags() {
        let octets = |response: PasswordPolicyResponse| response.to_control().value.unwrap();
        let short = PasswordPolicyResponse { warning: None, error: Some(6) };
        assert_eq!(octets(short), b"\x30\x03\x81\x01\x06");
        let expiring =
            PasswordPolicyResponse { warning: Some(PasswordWarning::TimeBeforeExpiration(432_000)), error: None };
        assert_eq!(octets(expiring), b"\x30\x07\xa0\x05\x80\x03\x06\x97\x80");
        let grace = PasswordPolicyResponse { warning: Some(PasswordWarning::GraceAuthNsRemaining(0)), error: None };
        assert_eq!(octets(grace), b"\x30\x05\xa0\x03\x81\x01\x00");
        assert_eq!(octets(PasswordPolicyResponse::default()), b"\x30\x00");
    }
}
