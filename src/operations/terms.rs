//! The terms on which an account is used: from when and until when (`pwdStartTime`, `pwdEndTime`), and by which policy
//! (`pwdPolicySubentry`).

use crate::directory::{AttributeTypeId, Attributes, Timestamp};
use crate::password::policy::PolicyError;

use super::{Context, Refusal, policies};

impl Context<'_> {
    /// Requires that terms which are written can be meant: that the time in which the account may be used is one, and that
    /// the policy that is named is one. Whether an entry of that name exists is not told.
    pub(super) fn require_terms(
        &self,
        attributes: &Attributes,
        is_written: impl Fn(AttributeTypeId) -> bool,
    ) -> Result<(), Refusal> {
        let known = self.schema().known();
        let time = |id| attributes.first(id).and_then(Timestamp::parse);
        let is_time_written = is_written(known.pwd_start_time) || is_written(known.pwd_end_time);
        let ends_before =
            time(known.pwd_start_time).zip(time(known.pwd_end_time)).is_some_and(|(start, end)| end < start);
        if is_time_written && ends_before {
            let reason = "it is before pwdStartTime, so the account could never be used; change both, or lock it by \
                          pwdAccountLockedTime";
            return Err(PolicyError { attribute: "pwdEndTime", reason: reason.to_owned() }.into());
        }
        let named = attributes.first(known.pwd_policy_subentry).filter(|_| is_written(known.pwd_policy_subentry));
        let Some(named) = named.map(String::from_utf8_lossy) else { return Ok(()) };
        if policies::is_policy_called(&named, self.tree)? {
            return Ok(());
        }
        let reason = format!("\"{named}\" is no password policy: name an entry that has the object class pwdPolicy");
        Err(PolicyError { attribute: "pwdPolicySubentry", reason }.into())
    }
}
