//! Whether an account can be used (Sun's account usability control, as other servers answer it).

use super::ResponseControl;
use crate::directory::wire;
use crate::protocol::{ber, oid};

/// Whether somebody who knows the password could use the account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AccountUsability {
    /// They could.
    Usable {
        /// Seconds until the password expires, if it does.
        expires_in: Option<u32>,
    },
    /// They could not, or not without changing the password.
    Unusable(Reasons),
}

/// Why an account cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Reasons {
    /// It is locked, or closed for another reason.
    pub inactive: bool,
    /// Somebody else has set the password.
    pub reset: bool,
    /// The password has expired, and is still good for so many binds.
    pub expired: Option<u32>,
    /// Seconds until the lock ends, if it does by itself.
    pub unlocks_in: Option<u32>,
}

impl AccountUsability {
    /// The control that stands with the entry.
    pub fn to_control(self) -> ResponseControl {
        let mut value = Vec::new();
        match self {
            Self::Usable { expires_in } => {
                ber::put_integer(&mut value, ber::context(0), expires_in.map_or(-1, i64::from));
            }
            Self::Unusable(reasons) => {
                wire::put_element(&mut value, ber::context_constructed(1), &reasons.fields());
            }
        }
        ResponseControl { oid: oid::ACCOUNT_USABILITY, value: Some(value) }
    }
}

impl Reasons {
    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        !(self.inactive || self.reset || self.expired.is_some())
    }

    fn fields(self) -> Vec<u8> {
        let mut fields = Vec::new();
        for (number, flag) in [(0, self.inactive), (1, self.reset), (2, self.expired.is_some())] {
            if flag {
                wire::put_element(&mut fields, ber::context(number), &[0xff]);
            }
        }
        for (number, count) in [(3, self.expired), (4, self.unlocks_in)] {
            if let Some(count) = count {
                ber::put_integer(&mut fields, ber::context(number), i64::from(count));
            }
        }
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn octets(usability: AccountUsability) -> Vec<u8> {
        usability.to_control().value.unwrap()
    }

    #[test]
    fn a_usable_account_tells_the_seconds_that_its_password_has_left() {
        assert_eq!(octets(AccountUsability::Usable { expires_in: Some(432_000) }), b"\x80\x03\x06\x97\x80");
        assert_eq!(octets(AccountUsability::Usable { expires_in: None }), b"\x80\x01\xff");
    }

    #[test]
    fn one_that_cannot_be_used_tells_the_reasons_and_what_is_false_is_left_out() {
        let locked = Reasons { inactive: true, unlocks_in: Some(900), ..Reasons::default() };
        assert_eq!(octets(AccountUsability::Unusable(locked)), b"\xa1\x07\x80\x01\xff\x84\x02\x03\x84");
        let all = Reasons { reset: true, expired: Some(0), ..locked };
        let expected = b"\xa1\x10\x80\x01\xff\x81\x01\xff\x82\x01\xff\x83\x01\x00\x84\x02\x03\x84";
        assert_eq!(octets(AccountUsability::Unusable(all)), expected);
    }
}
