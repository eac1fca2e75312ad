//! Whether the accounts that a search finds can be used: for tools of the helpdesk that ask by the account usability control.

use std::time::Duration;

use crate::access::Decision;
use crate::directory::Dn;
use crate::directory::tree::Node;
use crate::password::standing::{Blocked, Standing, Validity};
use crate::password::{Account, Policy};
use crate::protocol::control::{AccountUsability, Reasons};

use super::{Context, Refusal};

impl Context<'_> {
    /// Whether the account of an entry can be used; nothing if it has no password, or if the requester may not see the state
    /// of it.
    pub(super) fn usability(
        &self,
        node: &Node,
        dn: &Dn,
        decision: &Decision,
    ) -> Result<Option<AccountUsability>, Refusal> {
        if !self.may_know_usability(decision) {
            return Ok(None);
        }
        let account = self.account(node)?;
        if account.password.is_none() {
            return Ok(None);
        }
        let policy = self.services.policies.governing(&node.entry, dn, self.tree)?;
        let validity = Validity::of(&node.entry, self.schema());
        let reasons = self.reasons(&account, &policy, validity);
        Ok(Some(if reasons.is_empty() {
            let left = policy.expires(&account).map(|expires| seconds(expires.since(self.now)));
            AccountUsability::Usable { expires_in: left }
        } else {
            AccountUsability::Unusable(reasons)
        }))
    }

    /// Whether the requester may see all that decides whether an account can be used.
    pub(super) fn may_know_usability(&self, decision: &Decision) -> bool {
        let known = self.schema().known();
        let told = [known.pwd_account_locked_time, known.pwd_reset, known.pwd_changed_time, known.pwd_grace_use_time];
        told.into_iter().all(|id| decision.read.contains(id))
    }

    /// Why it cannot be used.
    pub(super) fn reasons(&self, account: &Account, policy: &Policy, validity: Validity) -> Reasons {
        let blocked = account.blocked(policy, validity, self.now);
        let unlocks = match blocked {
            Some(Blocked::Locked { until }) => until,
            _ => None,
        };
        let standing = account.standing(policy, self.now);
        // A bind is told what is left after it; who looks on, what there is.
        let expired = match standing {
            Standing::Grace { remaining } => Some(u32::try_from(remaining + 1).unwrap_or(u32::MAX)),
            Standing::Expired => Some(0),
            _ => None,
        };
        Reasons {
            inactive: blocked.is_some(),
            reset: matches!(standing, Standing::MustChange | Standing::MustChangeElsewhere),
            expired,
            unlocks_in: unlocks.map(|until| seconds(until.since(self.now))),
        }
    }
}

fn seconds(time: Duration) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(u32::MAX)
}
