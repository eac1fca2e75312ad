//! Controls that say all by being there.

/// A control without a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flag {
    /// Referrals and aliases are to be treated as plain entries (RFC 3296).
    ManageDsaIt,
    /// Nothing is to be changed; the answer says what would come of it (draft-zeilenga-ldap-noop).
    NoOp,
}

/// The controls without values of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Flags(u16);

impl Flags {
    /// Whether the control is there.
    pub const fn has(self, flag: Flag) -> bool {
        self.0 & 1 << flag as u16 != 0
    }

    pub(super) const fn add(&mut self, flag: Flag) {
        self.0 |= 1 << flag as u16;
    }
}
