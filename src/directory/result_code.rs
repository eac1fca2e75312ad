//! Result codes (RFC 4511 §4.1.9 and the extensions that define more).

use std::fmt;

macro_rules! result_codes {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $name:literal;)*) => {
        /// What an operation came to, as the client is told.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum ResultCode { $($(#[$doc])* $variant,)* }

        impl ResultCode {
            /// All of them, in order.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The number on the wire.
            pub const fn number(self) -> u32 {
                match self { $(Self::$variant => $number,)* }
            }

            /// The name that the RFC gives it, for logs.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

result_codes! {
    /// Done.
    Success = 0, "success";
    /// Not properly sequenced with other operations.
    OperationsError = 1, "operationsError";
    /// Data not understood as the protocol has it.
    ProtocolError = 2, "protocolError";
    /// The time limit of the request or the server was reached.
    TimeLimitExceeded = 3, "timeLimitExceeded";
    /// The size limit of the request or the server was reached.
    SizeLimitExceeded = 4, "sizeLimitExceeded";
    /// The assertion does not match.
    CompareFalse = 5, "compareFalse";
    /// The assertion matches.
    CompareTrue = 6, "compareTrue";
    /// The authentication method or mechanism is not supported.
    AuthMethodNotSupported = 7, "authMethodNotSupported";
    /// Stronger authentication is needed.
    StrongerAuthRequired = 8, "strongerAuthRequired";
    /// Another server holds the target.
    Referral = 10, "referral";
    /// An administrative limit was reached.
    AdminLimitExceeded = 11, "adminLimitExceeded";
    /// A critical control is unknown or does not fit the operation.
    UnavailableCriticalExtension = 12, "unavailableCriticalExtension";
    /// The operation needs TLS.
    ConfidentialityRequired = 13, "confidentialityRequired";
    /// The next step of a SASL bind is expected.
    SaslBindInProgress = 14, "saslBindInProgress";
    /// The attribute or value is not there.
    NoSuchAttribute = 16, "noSuchAttribute";
    /// The attribute type is not in the schema.
    UndefinedAttributeType = 17, "undefinedAttributeType";
    /// The matching rule does not fit the attribute.
    InappropriateMatching = 18, "inappropriateMatching";
    /// A value breaks a constraint.
    ConstraintViolation = 19, "constraintViolation";
    /// The attribute or value is there already.
    AttributeOrValueExists = 20, "attributeOrValueExists";
    /// A value breaks its syntax.
    InvalidAttributeSyntax = 21, "invalidAttributeSyntax";
    /// There is no entry of that name.
    NoSuchObject = 32, "noSuchObject";
    /// An alias names no entry.
    AliasProblem = 33, "aliasProblem";
    /// Not a distinguished name.
    InvalidDnSyntax = 34, "invalidDNSyntax";
    /// An alias may not be followed.
    AliasDereferencingProblem = 36, "aliasDereferencingProblem";
    /// The way of authenticating does not fit the entry.
    InappropriateAuthentication = 48, "inappropriateAuthentication";
    /// Wrong name or password.
    InvalidCredentials = 49, "invalidCredentials";
    /// No right to do this.
    InsufficientAccessRights = 50, "insufficientAccessRights";
    /// Too busy; worth trying again.
    Busy = 51, "busy";
    /// Shutting down, or a part is out of order.
    Unavailable = 52, "unavailable";
    /// The server does not do this.
    UnwillingToPerform = 53, "unwillingToPerform";
    /// Aliases or referrals form a loop.
    LoopDetect = 54, "loopDetect";
    /// A sort key is needed (draft-ietf-ldapext-ldapv3-vlv).
    SortControlMissing = 60, "sortControlMissing";
    /// The range asked for does not exist (draft-ietf-ldapext-ldapv3-vlv).
    OffsetRangeError = 61, "offsetRangeError";
    /// The name breaks the naming rules.
    NamingViolation = 64, "namingViolation";
    /// The entry breaks the schema.
    ObjectClassViolation = 65, "objectClassViolation";
    /// The entry has subordinates.
    NotAllowedOnNonLeaf = 66, "notAllowedOnNonLeaf";
    /// The value is part of the entry's name.
    NotAllowedOnRdn = 67, "notAllowedOnRDN";
    /// An entry of that name exists.
    EntryAlreadyExists = 68, "entryAlreadyExists";
    /// The structural object class may not change.
    ObjectClassModsProhibited = 69, "objectClassModsProhibited";
    /// The move crosses servers or suffixes.
    AffectsMultipleDsas = 71, "affectsMultipleDSAs";
    /// The virtual list view cannot be made (draft-ietf-ldapext-ldapv3-vlv).
    VirtualListViewError = 76, "virtualListViewError";
    /// Something else went wrong.
    Other = 80, "other";
    /// The operation was cancelled (RFC 3909).
    Canceled = 118, "canceled";
    /// There is no such operation to cancel (RFC 3909).
    NoSuchOperation = 119, "noSuchOperation";
    /// Too late to cancel (RFC 3909).
    TooLate = 120, "tooLate";
    /// This kind of operation cannot be cancelled (RFC 3909).
    CannotCancel = 121, "cannotCancel";
    /// The assertion control does not hold (RFC 4528).
    AssertionFailed = 122, "assertionFailed";
    /// Acting as somebody else was refused (RFC 4370).
    AuthorizationDenied = 123, "authorizationDenied";
    /// The copy cannot be kept up to date by what changes (RFC 4533 §2.6).
    SyncRefreshRequired = 4096, "e-syncRefreshRequired";
    /// Nothing was done, as the no-op control asked; it would have succeeded.
    NoOperation = 16654, "noOperation";
}

impl fmt::Display for ResultCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name(), self.number())
    }
}
