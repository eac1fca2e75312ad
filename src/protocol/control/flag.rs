//! Controls that say all by being there.

/// A control without a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flag {
    /// Referrals and aliases are to be treated as plain entries (RFC 3296).
    ManageDsaIt,
    /// What has been done already is no error of a modify (1.2.840.113556.1.4.1413).
    PermissiveModify,
    /// What stands below an entry goes with it (draft-armijo-ldap-treedelete).
    TreeDelete,
    /// Attributes that only the server sets may be given (draft-zeilenga-ldap-relax).
    Relax,
    /// The answer of a bind tells who the connection belongs to (RFC 3829).
    AuthorizationIdentity,
    /// The answer comes from what is written to, not from a copy (RFC 6171). There are no copies here.
    DontUseCopy,
    /// Each entry is to carry whether its account can be used (Sun's account usability control).
    AccountUsability,
    /// No references to other servers are wanted (1.2.840.113556.1.4.1339).
    DomainScope,
    /// What the server derives is not wanted (2.16.840.1.113730.3.4.17).
    RealAttributesOnly,
    /// Only what the server derives is wanted (2.16.840.1.113730.3.4.19).
    VirtualAttributesOnly,
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
