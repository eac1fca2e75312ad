//! What Netscape's servers told of the end of passwords (draft-vchu-ldap-pwd-policy): two controls of a bind answer, for
//! clients that know no other.

use super::ResponseControl;
use crate::protocol::oid;

/// What a client is told that did not ask.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NetscapeControl {
    /// The password has expired, or must be changed.
    Expired,
    /// It will expire in so many seconds.
    Expiring(u32),
}

impl NetscapeControl {
    /// The control: its value is a number in digits.
    pub fn to_control(self) -> ResponseControl {
        let (oid, seconds) = match self {
            Self::Expired => (oid::PASSWORD_EXPIRED, 0),
            Self::Expiring(seconds) => (oid::PASSWORD_EXPIRING, seconds),
        };
        ResponseControl { oid, value: Some(seconds.to_string().into_bytes()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_is_a_number_in_digits() {
        let told = |control: NetscapeControl| (control.to_control().oid, control.to_control().value.unwrap());
        assert_eq!(told(NetscapeControl::Expired), ("2.16.840.1.113730.3.4.4", b"0".to_vec()));
        assert_eq!(told(NetscapeControl::Expiring(86_400)), ("2.16.840.1.113730.3.4.5", b"86400".to_vec()));
    }
}
