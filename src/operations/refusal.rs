//! Why an operation is not done, and with which code the client is told (RFC 4511 appendix A, and `OpenLDAP`'s practice
//! where that differs, since clients switch on it).

use crate::access::delegated::DelegationFault;
use crate::access::violation::Counterexample;
use crate::directory::dn::{DnError, RdnError};
use crate::directory::modification::ModificationError;
use crate::directory::schema::check::Violation;
use crate::directory::tree::TreeError;
use crate::directory::{ResultCode, Timestamp};
use crate::password::policy::PolicyError;
use crate::password::second_factor::TokenFault;
use crate::password::verdict::{self, BrokenRule, Language, PolicyErrorCode, Refused};
use crate::protocol::control::{ControlError, NetscapeControl, PasswordPolicyResponse};
use crate::protocol::{LdapResult, Response};

use super::hold::Hold;
use super::integrity::Unmet;
use super::schema_change::SchemaFault;

/// Why an operation is not done. What it displays is for the client; causes that are not are for the log.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The name in the request is none.
    #[error("{0}")]
    InvalidDn(#[from] DnError),
    /// The name in the request is not even text.
    #[error("the name is not UTF-8")]
    DnNotText,
    /// The new RDN in the request is none.
    #[error("{0}")]
    InvalidRdn(#[from] RdnError),
    /// There is no entry of that name, as far as the requester may know.
    #[error("there is no such entry")]
    NoSuchObject {
        /// The nearest entry above that there is, as far as the requester may know.
        matched: Option<String>,
    },
    /// The name is below none of the suffixes that this server holds.
    #[error("this server holds no entries below that name")]
    OutsideSuffixes,
    /// An entry of that name exists.
    #[error("an entry of that name exists already")]
    AlreadyExists,
    /// The attribute type is not in the schema.
    #[error("the attribute {0:?} is not in the schema")]
    UndefinedAttribute(String),
    /// The entry would break the schema.
    #[error("{0}")]
    Violation(#[from] Violation),
    /// The change cannot be made.
    #[error("{0}")]
    Modification(#[from] ModificationError),
    /// Only the server writes the attribute.
    #[error("the attribute {0} is set by the server only")]
    ReadOnly(String),
    /// The value is part of the entry's name; renaming the entry changes it.
    #[error("the value of {0} is part of the entry's name; rename the entry to change it")]
    NotAllowedOnRdn(String),
    /// The entry has others below it.
    #[error("entries stand below this one")]
    NotAllowedOnNonLeaf,
    /// The entry is kept elsewhere.
    #[error("what is asked for is kept elsewhere")]
    Referral {
        /// The name of the entry that says where; empty if it is below none of the suffixes.
        matched: String,
        /// Where to ask, as LDAP URLs.
        urls: Vec<String>,
    },
    /// An alias on the way to the base of a search stands for what is not there.
    #[error("an alias stands for an entry that is not there")]
    AliasToNothing {
        /// The nearest entry above that there is, as far as the requester may know.
        matched: Option<String>,
    },
    /// An entry was to stand below an alias.
    #[error("nothing stands below an alias; name the entry that it stands for")]
    BelowAlias,
    /// An entry was to stand below a subentry.
    #[error("nothing stands below a subentry")]
    BelowSubentry,
    /// Aliases on the way to the base of a search lead to each other.
    #[error("aliases lead to each other without end")]
    AliasLoop,
    /// Another entry has a value that no two may share.
    #[error("another entry has this value of {0} already, and no two may share it")]
    NotUnique(String),
    /// Values are not as the configuration wants them.
    #[error("{0}")]
    Unmet(#[from] Unmet),
    /// Another entry must name this one, so it cannot go.
    #[error("another entry must name an entry here; change that first")]
    StillNamed,
    /// An entry cannot be moved below itself.
    #[error("an entry cannot be moved below itself")]
    BelowItself,
    /// The entry of a suffix keeps its name.
    #[error("the entry of a suffix cannot be renamed or moved")]
    SuffixEntry,
    /// An entry stays below its suffix.
    #[error("an entry cannot be moved to another suffix")]
    AffectsOtherSuffix,
    /// An entry was to move to where another server keeps entries (RFC 3296 §5.6).
    #[error("an entry cannot be moved to where another server keeps entries")]
    AffectsOtherServer,
    /// The policy entry makes no sense.
    #[error("{0}")]
    Policy(#[from] PolicyError),
    /// No code could be made by what is said of a token.
    #[error("{0}")]
    Token(#[from] TokenFault),
    /// The access rule is none that may stand in the tree.
    #[error("{0}")]
    Delegation(#[from] DelegationFault),
    /// It would break what the operator asserts of the access rules.
    #[error("{told}")]
    BreaksAssertion {
        /// What the requester is told.
        told: String,
        /// By whom, for the log.
        example: Box<Counterexample>,
    },
    /// Somebody else must approve it first.
    #[error(
        "somebody else must approve this: ask another administrator to set resetApproval of {request} to TRUE, then do it again"
    )]
    AwaitsApproval {
        /// The request that is to be approved.
        request: String,
    },
    /// The requester lacks a right.
    #[error("{0}")]
    InsufficientAccess(&'static str),
    /// The target may do more than the requester, who could do that too with the target's password.
    #[error("{0}")]
    WouldEscalate(Power),
    /// The requester's password must be changed first.
    #[error("change your password first")]
    MustChangePassword,
    /// A password must not pass on this connection.
    #[error("passwords are accepted over TLS only: use ldaps:// or StartTLS")]
    ConfidentialityRequired,
    /// The name or the password is wrong, or the account cannot be used; which of these is not told.
    #[error("the name or the password is wrong, or the account cannot be used now")]
    InvalidCredentials {
        /// What the password policy control tells.
        policy: Option<PolicyErrorCode>,
        /// How the answer is held back.
        hold: Hold,
        /// When the password was replaced, if it is the one before: for the log.
        replaced: Option<Timestamp>,
        /// What clients are told that did not ask by the password policy control.
        unasked: Option<NetscapeControl>,
    },
    /// A new password is not good enough.
    #[error("{0}")]
    Password(#[from] Refused),
    /// A name came without a password (RFC 4513 §5.1.2).
    #[error("a name without a password does not authenticate anybody")]
    UnauthenticatedBind,
    /// Anonymous is not allowed.
    #[error("anonymous access is not allowed here")]
    AnonymousRefused,
    /// The operation needs somebody who has authenticated.
    #[error("authenticate first")]
    AuthenticationRequired,
    /// The requester may not act as whom the request says (RFC 4370 §3), if there is such a person.
    #[error("you may not act as that identity")]
    AuthorizationDenied,
    /// SASL EXTERNAL on a connection that proves nothing.
    #[error("this connection proves no identity; bind with a name and a password")]
    NoExternalIdentity,
    /// The client binds to another channel than this connection (RFC 5802 §6).
    #[error("the client is bound to another channel than this connection: somebody may be in between")]
    OtherChannel,
    /// The client could have bound to the channel, and thinks that the server could not (RFC 5802 §6).
    #[error("SCRAM-SHA-256-PLUS is offered here, and the client could not see that: somebody may be in between")]
    BindsElsewhere,
    /// The client binds to the channel by what this connection has not.
    #[error("this connection has no such channel binding; use TLS 1.3 with tls-exporter, or tls-server-end-point")]
    NoSuchChannelBinding,
    /// The SASL mechanism is not supported.
    #[error("this authentication method is not supported")]
    UnsupportedAuthentication,
    /// The protocol version is not 3.
    #[error("only LDAP version 3 is spoken here")]
    UnsupportedVersion,
    /// The request is not as the protocol has it.
    #[error("{0}")]
    Protocol(&'static str),
    /// A control makes the request impossible.
    #[error("{0}")]
    Control(#[from] ControlError),
    /// What the assertion control says is not true of the entry (RFC 4528).
    #[error("the assertion does not hold")]
    AssertionFailed,
    /// The cookie of a paged search does not belong to this search.
    #[error("the cookie does not belong to this search on this connection")]
    BadCookie,
    /// A bound of the server is exceeded.
    #[error("{0}")]
    AdminLimit(&'static str),
    /// The server does not do that.
    #[error("{0}")]
    Unwilling(&'static str),
    /// The schema cannot be changed like that.
    #[error("{0}")]
    Schema(#[from] SchemaFault),
    /// Other attempts at the same password must end first; try again a little later, or tell that the server is busy.
    #[error("the server is busy; try again")]
    Wait,
    /// Too much to do; nothing was done or counted.
    #[error("the server is busy; try again")]
    Busy,
    /// The server made a mistake. The log says more.
    #[error("the server failed to do this")]
    Failed,
    /// The store takes no changes: its disk is full, or it failed.
    #[error("the directory can only be read now; nothing was changed")]
    ReadOnlyNow,
    /// The store failed. The cause goes to the log, never to the client.
    #[error("the directory cannot answer now")]
    Store(#[from] TreeError),
    /// One of these, in the language of whoever reads it.
    #[error("{sentence}")]
    InLanguage {
        /// Which.
        refusal: Box<Self>,
        /// What is said.
        sentence: &'static str,
    },
}

/// What whoever may not set a password is told.
pub(super) const MAY_NOT_SET: &str = "you may not set the password of this account";

/// What somebody cannot do to an account that has rights which they do not have.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Power {
    /// Set its password.
    #[error("this account has rights that you do not have, so you cannot set its password")]
    SetPassword,
    /// Lock it.
    #[error("this account has rights that you do not have, so you cannot lock it")]
    Lock,
    /// Say whether its password must be changed.
    #[error("this account has rights that you do not have, so you cannot say whether its password must be changed")]
    DemandChange,
    /// Set the state of its password.
    #[error("this account has rights that you do not have, so you cannot set the state of its password")]
    SetState,
    /// Give its name to an entry.
    #[error(
        "by access rules or groups, an entry of that name has rights that you do not have: have it made by somebody who has them"
    )]
    TakeName,
}

impl From<&Refusal> for ResultCode {
    fn from(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::InvalidDn(_) | Refusal::DnNotText | Refusal::InvalidRdn(RdnError::Dn(_) | RdnError::NotOne) => {
                Self::InvalidDnSyntax
            }
            Refusal::InvalidRdn(RdnError::UndefinedType(_)) | Refusal::UndefinedAttribute(_) => {
                Self::UndefinedAttributeType
            }
            Refusal::NoSuchObject { .. } => Self::NoSuchObject,
            Refusal::Referral { .. } => Self::Referral,
            Refusal::AliasToNothing { .. } | Refusal::BelowAlias => Self::AliasProblem,
            Refusal::AliasLoop => Self::AliasDereferencingProblem,
            Refusal::AlreadyExists => Self::EntryAlreadyExists,
            Refusal::Violation(violation) | Refusal::Modification(ModificationError::Violation(violation)) => {
                violation_code(violation)
            }
            Refusal::Modification(modification) => modification_code(modification),
            Refusal::Password(refused) => refused_code(refused.code()),
            Refusal::Delegation(DelegationFault::NotHeld(_)) => Self::InsufficientAccessRights,
            Refusal::ReadOnly(_)
            | Refusal::Policy(_)
            | Refusal::Token(_)
            | Refusal::NotUnique(_)
            | Refusal::Unmet(_)
            | Refusal::BreaksAssertion { .. }
            | Refusal::Delegation(_) => Self::ConstraintViolation,
            Refusal::NotAllowedOnRdn(_) => Self::NotAllowedOnRdn,
            Refusal::NotAllowedOnNonLeaf => Self::NotAllowedOnNonLeaf,
            Refusal::OutsideSuffixes
            | Refusal::BelowItself
            | Refusal::StillNamed
            | Refusal::SuffixEntry
            | Refusal::UnauthenticatedBind
            | Refusal::BadCookie
            | Refusal::AwaitsApproval { .. }
            | Refusal::Unwilling(_) => Self::UnwillingToPerform,
            Refusal::BelowSubentry => Self::ObjectClassViolation,
            Refusal::AffectsOtherSuffix | Refusal::AffectsOtherServer => Self::AffectsMultipleDsas,
            Refusal::InsufficientAccess(_) | Refusal::WouldEscalate(_) | Refusal::MustChangePassword => {
                Self::InsufficientAccessRights
            }
            Refusal::AuthorizationDenied => Self::AuthorizationDenied,
            Refusal::ConfidentialityRequired => Self::ConfidentialityRequired,
            Refusal::InvalidCredentials { .. } | Refusal::OtherChannel | Refusal::BindsElsewhere => {
                Self::InvalidCredentials
            }
            Refusal::AnonymousRefused | Refusal::NoExternalIdentity | Refusal::NoSuchChannelBinding => {
                Self::InappropriateAuthentication
            }
            Refusal::AuthenticationRequired => Self::StrongerAuthRequired,
            Refusal::UnsupportedAuthentication => Self::AuthMethodNotSupported,
            Refusal::UnsupportedVersion
            | Refusal::Protocol(_)
            | Refusal::Control(ControlError::Malformed(_) | ControlError::Word { .. } | ControlError::Repeated(_)) => {
                Self::ProtocolError
            }
            Refusal::Control(ControlError::Unavailable(_)) => Self::UnavailableCriticalExtension,
            Refusal::Schema(fault) => fault.code(),
            Refusal::AssertionFailed => Self::AssertionFailed,
            Refusal::AdminLimit(_) => Self::AdminLimitExceeded,
            Refusal::Busy | Refusal::Wait => Self::Busy,
            Refusal::Failed => Self::Other,
            Refusal::Store(_) | Refusal::ReadOnlyNow => Self::Unavailable,
            Refusal::InLanguage { refusal, .. } => Self::from(&**refusal),
        }
    }
}

/// As draft-behera §8.2 has it: what the owner may not do is a matter of rights.
const fn refused_code(code: PolicyErrorCode) -> ResultCode {
    match code {
        PolicyErrorCode::PasswordModNotAllowed | PolicyErrorCode::MustSupplyOldPassword => {
            ResultCode::InsufficientAccessRights
        }
        _ => ResultCode::ConstraintViolation,
    }
}

const fn violation_code(violation: &Violation) -> ResultCode {
    match violation {
        Violation::UndefinedClass(_) | Violation::BadValue { .. } | Violation::Subtree(_) => {
            ResultCode::InvalidAttributeSyntax
        }
        Violation::NoObjectClass
        | Violation::NoStructuralClass
        | Violation::TwoStructuralClasses(..)
        | Violation::Missing { .. }
        | Violation::ClassPrecluded { .. }
        | Violation::MissingByRule { .. }
        | Violation::Precluded { .. }
        | Violation::Collective(_)
        | Violation::NotAllowed(_) => ResultCode::ObjectClassViolation,
        Violation::StructuralClassChanged { .. } => ResultCode::ObjectClassModsProhibited,
        Violation::LanguageRange(_) => ResultCode::UndefinedAttributeType,
        Violation::SeveralValues(_) => ResultCode::ConstraintViolation,
        Violation::TwiceTheSame(_) => ResultCode::AttributeOrValueExists,
        Violation::NotNamed(_) => ResultCode::NamingViolation,
    }
}

const fn modification_code(error: &ModificationError) -> ResultCode {
    match error {
        ModificationError::ValueExists(_) | ModificationError::HasOne(_) => ResultCode::AttributeOrValueExists,
        ModificationError::NoSuchValue(_) | ModificationError::NoSuchAttribute(_) => ResultCode::NoSuchAttribute,
        ModificationError::NotANumber(_) | ModificationError::Overflow(_) => ResultCode::ConstraintViolation,
        ModificationError::Violation(violation) => violation_code(violation),
    }
}

impl Refusal {
    /// The same, where somebody who has more rights is in the way of that.
    pub(super) fn about(self, power: Power) -> Self {
        match self {
            Self::WouldEscalate(_) => Self::WouldEscalate(power),
            other => other,
        }
    }

    /// The same, told in a language, if there is a sentence for it: what people are told who change or set a password.
    pub(super) fn told_in(self, language: Language) -> Self {
        let name = match &self {
            Self::InvalidCredentials { .. } => "wrong-password",
            Self::MustChangePassword => "must-change-first",
            Self::InsufficientAccess(MAY_NOT_SET) => "may-not-set",
            _ => return self,
        };
        match verdict::refusal(language, name) {
            Some(sentence) => Self::InLanguage { refusal: Box::new(self), sentence },
            None => self,
        }
    }

    /// The same of somebody whose password is right, but was temporary and is good no more: only they are told that.
    pub(super) fn of_temporary(self, language: Language) -> Self {
        let sentence = verdict::refusal(language, "temporary-ended").unwrap_or(
            "this password was temporary, and its time or its uses are over: ask whoever gave it to you for another one",
        );
        Self::InLanguage { refusal: Box::new(self), sentence }
    }

    /// What it is, in whichever language it is told.
    pub fn untold(&self) -> &Self {
        match self {
            Self::InLanguage { refusal, .. } => refusal.untold(),
            other => other,
        }
    }

    /// For all that is wrong with a new password, which is something.
    pub(super) const fn refused(broken: Vec<BrokenRule>) -> Self {
        Self::Password(Refused::of(broken))
    }

    /// The answer for it. The password policy control comes along if it was asked for and has something to say.
    pub fn to_response(&self, password_policy: PolicyControl) -> Response {
        let matched_dn = match self {
            Self::NoSuchObject { matched } | Self::AliasToNothing { matched } => matched.clone().unwrap_or_default(),
            Self::Referral { matched, .. } => matched.clone(),
            _ => String::new(),
        };
        let referrals = match self {
            Self::Referral { urls, .. } => urls.clone(),
            _ => Vec::new(),
        };
        let result = LdapResult { matched_dn, referrals, ..LdapResult::with_message(self.into(), self.to_string()) };
        let mut response = Response::from(result);
        response.controls.extend(match password_policy {
            PolicyControl::Wanted => self
                .policy_error()
                .map(|code| PasswordPolicyResponse { warning: None, error: Some(code.number()) }.to_control()),
            PolicyControl::Unwanted => self.unasked().map(NetscapeControl::to_control),
        });
        response
    }

    fn policy_error(&self) -> Option<PolicyErrorCode> {
        match self {
            Self::Password(refused) => Some(refused.code()),
            Self::InvalidCredentials { policy, .. } => *policy,
            Self::MustChangePassword => Some(PolicyErrorCode::ChangeAfterReset),
            Self::InLanguage { refusal, .. } => refusal.policy_error(),
            _ => None,
        }
    }

    fn unasked(&self) -> Option<NetscapeControl> {
        match self {
            Self::InvalidCredentials { unasked, .. } => *unasked,
            Self::InLanguage { refusal, .. } => refusal.unasked(),
            _ => None,
        }
    }

    /// How the answer is held back.
    pub fn hold(&self) -> Hold {
        match self {
            Self::InvalidCredentials { hold, .. } => *hold,
            Self::InLanguage { refusal, .. } => refusal.hold(),
            _ => Hold::NONE,
        }
    }
}

/// Whether the request carried the password policy control.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PolicyControl {
    /// It did.
    Wanted,
    /// It did not, so no answer carries it.
    Unwanted,
}

impl PolicyControl {
    /// From the controls of a request.
    pub const fn of(controls: &crate::protocol::control::Controls) -> Self {
        if controls.password_policy { Self::Wanted } else { Self::Unwanted }
    }
}
