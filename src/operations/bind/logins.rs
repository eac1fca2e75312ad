//! What is kept of logins beside the last one, where the policy has that (`pwdInLoginHistory`).

use std::borrow::Cow;
use std::sync::Arc;

use super::Verification;
use crate::directory::tree::Means;
use crate::operations::Context;
use crate::password::logins::{Login, NewLogins};

/// A bind by a name and a password.
pub(super) const SIMPLE: &str = "simple";

impl Verification {
    /// What there is to note of this login.
    pub(super) fn news(&self, ctx: &Context<'_>) -> Option<NewLogins> {
        let kept = self.policy.in_login_history;
        if kept == 0 && self.account.logins.is_empty() {
            return None;
        }
        let method = if self.means == Means::Compare { "compare" } else { self.method() };
        let login = Login { time: ctx.now, method: Cow::Borrowed(method), source: Arc::clone(&ctx.requester.source) };
        self.account.logins.news(login, kept, ctx.services.last_success_precision)
    }
}
