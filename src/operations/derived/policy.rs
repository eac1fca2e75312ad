//! What holds for the password of an entry, for whoever may know.

use super::Sources;
use crate::directory::Dn;
use crate::directory::tree::Node;
use crate::operations::{Context, Refusal};

/// What it costs to find the policy that governs an entry; compare [`Steps`](crate::directory::filter::Steps).
const POLICY: u64 = 200;

impl Context<'_> {
    /// The values of `pwdEffectivePolicy`; `None` if that takes too many steps.
    pub(super) fn effective_policy(
        &self,
        node: &Node,
        dn: &Dn,
        sources: &mut Sources<'_, '_>,
    ) -> Result<Option<Vec<Vec<u8>>>, Refusal> {
        let id = self.schema().known().pwd_effective_policy;
        let decision = sources.decider.decide(node, self.tree)?;
        let is_told = [&decision.read, &decision.search, &decision.compare].iter().any(|set| set.contains(id));
        if !is_told || !self.schema().allows(&node.entry, self.schema().known().user_password) {
            return Ok(Some(Vec::new()));
        }
        if sources.steps.take(POLICY).is_none() {
            return Ok(None);
        }
        let policy = self.services.policies.governing(&node.entry, dn, self.tree)?;
        Ok(Some(policy.effective().map(String::into_bytes).collect()))
    }
}
