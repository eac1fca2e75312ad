//! Ways to have power over somebody who holds more, by what is written of them and by what entries are called.

use uuid::Uuid;

use super::refusal::Power;
use super::target::Target;
use super::{Context, Refusal};
use crate::access::escalation;
use crate::directory::schema::{AttributeSet, Schema};
use crate::directory::{AttributeTypeId, Dn};

/// The attributes to which a lost password is recovered, unless the configuration says otherwise.
pub fn usual_recovery_attributes(schema: &Schema) -> AttributeSet {
    ["mail", "mobile"].into_iter().filter_map(|name| Some(schema.find_attribute_type(name)?.id)).collect()
}

impl Context<'_> {
    /// Requires that an entry may be given a name: that nobody of that name, no member of a group of that name, and nobody
    /// who logs in by a token of that name, holds more than the requester.
    pub(super) fn require_modest_name(&self, uuid: Uuid, dn: &Dn) -> Result<(), Refusal> {
        self.require_no_escalation(uuid, dn).map_err(|refusal| refusal.about(Power::TakeName))?;
        self.require_no_stronger_bearer(dn)?;
        if escalation::opens(dn, self.actor, self.rules).is_some() {
            return Err(Refusal::InsufficientAccess(
                "an access rule is for a group of that name and about rights that you do not have: have it made by \
                 somebody who has them",
            ));
        }
        Ok(())
    }

    /// Requires that an entry may cease to have its name: that it is no group to which a rule of the configuration denies
    /// something, nor in one to which it denies what the requester does not hold; nor a token by which somebody logs in
    /// who holds more.
    pub(super) fn require_no_denial_lost(&self, dn: &Dn) -> Result<(), Refusal> {
        self.require_no_stronger_bearer(dn)?;
        if escalation::closes(dn, self.actor, self.rules, self.tree)?.is_some() {
            return Err(Refusal::InsufficientAccess(
                "an access rule denies something to this group, which you do not have yourself: have it taken away by \
                 somebody who has that",
            ));
        }
        if escalation::rests_on(dn, self.rules, self.now).is_some() {
            return Err(Refusal::Unwilling(
                "an access rule in the configuration denies something to this group, and nobody would know to whom without it: \
                 take the group out of the rule first, and have the configuration read again",
            ));
        }
        Ok(())
    }

    /// Requires that what is written of an entry is no power over its owner, if they hold more: to say from when and until
    /// when they may authenticate, by which policy and which token, and where a lost password is recovered.
    pub(super) fn require_no_power(
        &self,
        target: &Target,
        mut written: impl Iterator<Item = AttributeTypeId>,
    ) -> Result<(), Refusal> {
        let known = self.schema().known();
        let closing = known.closing();
        let recovery = &self.services.recovery_attributes;
        let is_own = self.requester.identity.uuid() == Some(target.node.uuid);
        let is_power = |id: AttributeTypeId| closing.contains(&id) || recovery.contains(id);
        if is_own || !written.any(is_power) {
            return Ok(());
        }
        self.require_no_escalation(target.node.uuid, &target.dn).map_err(|refusal| match refusal {
            Refusal::WouldEscalate(_) => Refusal::InsufficientAccess(
                "this account has rights that you do not have, so you cannot change when, by which policy and by which \
                 token it is used, nor where its password is recovered",
            ),
            other => other,
        })
    }
}
