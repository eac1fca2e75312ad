//! What a bind tells of the password when it was right: by the control that the client has asked for, or else by those
//! that Netscape's servers send unasked, if the policy says so. Never by both (some clients show both).

use crate::operations::refusal::PolicyControl;
use crate::operations::{Hold, Refusal};
use crate::password::Policy;
use crate::password::standing::Standing;
use crate::password::verdict::PolicyErrorCode;
use crate::protocol::control::{NetscapeControl, PasswordPolicyResponse, PasswordWarning, ResponseControl};

/// What there is to tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Told {
    Nothing,
    Warning(PasswordWarning),
    Error(PolicyErrorCode),
}

impl Told {
    pub(super) fn of(standing: Standing) -> Self {
        match standing {
            Standing::Good { expires_in: None } => Self::Nothing,
            Standing::Good { expires_in: Some(left) } => {
                let left = u32::try_from(left.as_secs()).unwrap_or(u32::MAX);
                Self::Warning(PasswordWarning::TimeBeforeExpiration(left))
            }
            Standing::Grace { remaining } => {
                let remaining = u32::try_from(remaining).unwrap_or(u32::MAX);
                Self::Warning(PasswordWarning::GraceAuthNsRemaining(remaining))
            }
            Standing::MustChange | Standing::MustChangeElsewhere => Self::Error(PolicyErrorCode::ChangeAfterReset),
            Standing::Expired => Self::Error(PolicyErrorCode::PasswordExpired),
        }
    }

    /// The control of a bind that succeeds.
    pub(super) fn control(self, asked: PolicyControl, policy: &Policy) -> Option<ResponseControl> {
        match asked {
            PolicyControl::Wanted => self.asked().map(PasswordPolicyResponse::to_control),
            PolicyControl::Unwanted => self.unasked(policy).map(NetscapeControl::to_control),
        }
    }

    /// The refusal of one that does not, though the password was right.
    pub(super) fn refusal(self, policy: &Policy, hold: Hold) -> Refusal {
        let error = match self {
            Self::Error(code) => Some(code),
            Self::Nothing | Self::Warning(_) => None,
        };
        let unasked = self.unasked(policy);
        Refusal::InvalidCredentials { policy: error, hold, replaced: None, unasked }
    }

    fn asked(self) -> Option<PasswordPolicyResponse> {
        match self {
            Self::Nothing => None,
            Self::Warning(warning) => Some(PasswordPolicyResponse { warning: Some(warning), error: None }),
            Self::Error(code) => Some(PasswordPolicyResponse { warning: None, error: Some(code.number()) }),
        }
    }

    /// Netscape's controls know no binds that are left, and no reset: these passwords have expired.
    const fn unasked(self, policy: &Policy) -> Option<NetscapeControl> {
        match self {
            _ if !policy.netscape_controls => None,
            Self::Nothing => None,
            Self::Warning(PasswordWarning::TimeBeforeExpiration(left)) => Some(NetscapeControl::Expiring(left)),
            Self::Warning(PasswordWarning::GraceAuthNsRemaining(_)) | Self::Error(_) => Some(NetscapeControl::Expired),
        }
    }
}
