//! What a bind has to do with a second factor.

use super::{Evidence, Verification, logins};
use crate::directory::tree::Change;
use crate::operations::second_factor::{Code, Presented};
use crate::operations::target::Target;
use crate::operations::verify_password::SecondFactor;
use crate::operations::{Context, Refusal};
use crate::password::Secret;
use crate::password::second_factor::Kind;

impl Evidence {
    /// Takes the code off what was sent, if the entry asks for one. A proof has none, so where one is asked for it
    /// proves nothing.
    pub(super) fn apart(self, ctx: &Context<'_>, target: &Target) -> Result<(Self, Option<Box<Presented>>), Refusal> {
        let nothing = Secret::default();
        let sent = if let Self::Password(sent) = &self { sent } else { &nothing };
        let Some(presented) = ctx.present(&target.node.entry, &target.dn, sent)? else { return Ok((self, None)) };
        let evidence = match self {
            Self::Password(_) => Self::Password(presented.password.clone()),
            other => other,
        };
        Ok((evidence, Some(Box::new(presented))))
    }
}

impl Verification {
    /// What is known of the second factor, for whoever verifies the password.
    pub(super) fn second_factor(&self) -> SecondFactor<'_> {
        SecondFactor::of(self.presented.as_deref())
    }

    /// Whether a code is asked for and has not been given: then it takes as long as any refusal, also where the password
    /// is right.
    pub(super) fn lacks_code(&self) -> bool {
        self.presented.as_ref().is_some_and(|presented| !matches!(presented.code, Code::Right(..)))
    }

    /// Has the code used up by what a success writes. Whether there is one.
    pub(super) fn use_code_up(&self, change: &mut Change) -> bool {
        let Some(Code::Right(_, used)) = self.presented.as_ref().map(|presented| &presented.code) else { return false };
        change.writes.push((**used).clone());
        true
    }

    /// By what somebody has logged in, with the second factor.
    pub(super) fn method(&self) -> &'static str {
        let code = self.presented.as_ref().map(|presented| &presented.code);
        match (self.method, code) {
            (logins::SIMPLE, Some(Code::Right(Kind::Totp, _))) => "simple+totp",
            (logins::SIMPLE, Some(Code::Right(Kind::Hotp, _))) => "simple+hotp",
            (_, Some(Code::Right(Kind::Totp, _))) => "PLAIN+totp",
            (_, Some(Code::Right(Kind::Hotp, _))) => "PLAIN+hotp",
            (other, _) => other,
        }
    }
}
