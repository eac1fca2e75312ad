//! Who may write tokens: whoever makes the secret of one has the codes of those who log in by it, and whoever writes its
//! parameters says how many codes are good.

use super::{is_asked_for, is_asked_for_by};
use crate::access::bearers::{Bearers, bearers};
use crate::directory::modification::{Modification, ModificationError, ModificationKind};
use crate::directory::schema::Schema;
use crate::directory::{AttributeTypeId, Attributes, Dn, Identity};
use crate::operations::target::Target;
use crate::operations::{Context, Refusal};

const HOLDS_MORE: &str = "somebody who has rights that you do not have logs in by this token, or by tokens with these \
                          parameters, so you cannot change, make or take it away";

/// Whether a change is about the secret of a token: whoever may reset a password there may write it.
pub(in crate::operations) fn is_secret_of_token(change: &Modification, schema: &Schema) -> bool {
    change.attribute.attribute_type == schema.known().oath_secret
}

/// Requires that a secret is replaced or taken away as a whole: to delete one value, or to add one beside it, would tell
/// whether it is that one.
pub(in crate::operations) fn require_whole(
    change: &Modification,
    attributes: &Attributes,
    schema: &Schema,
) -> Result<(), Refusal> {
    if !is_secret_of_token(change, schema) {
        return Ok(());
    }
    match (change.kind, change.values.len()) {
        _ if !change.attribute.options().is_empty() => {
            Err(Refusal::Unwilling("oathSecret has no options: name it without what stands behind the semicolon"))
        }
        (ModificationKind::Add, 1) if attributes.has(schema.known().oath_secret) => {
            Err(ModificationError::HasOne("oathSecret".to_owned()).into())
        }
        (ModificationKind::Replace, 0 | 1) | (ModificationKind::Delete, 0) | (ModificationKind::Add, 1) => Ok(()),
        _ => Err(Refusal::Unwilling("a token has one oathSecret: replace it, or delete it without naming a value")),
    }
}

impl Context<'_> {
    /// Requires that nobody who holds more logs in by a token that is called so, or by one whose parameters are.
    pub(in crate::operations) fn require_no_stronger_bearer(&self, dn: &Dn) -> Result<(), Refusal> {
        match bearers(dn, self.actor, self.rules, self.tree)? {
            Bearers::NoneStronger => Ok(()),
            Bearers::Stronger(_) => Err(Refusal::InsufficientAccess(HOLDS_MORE)),
            Bearers::TooMany if self.requester.identity == Identity::LocalRoot => Ok(()),
            Bearers::TooMany => Err(Refusal::AdminLimit(
                "more people than this server looks at log in by tokens with these parameters: have it done by the superuser \
                 of the machine, over ldapi://",
            )),
        }
    }

    /// The same for an entry of which attributes of these types are written.
    pub(in crate::operations) fn require_no_power_by_token(
        &self,
        target: &Target,
        mut written: impl Iterator<Item = AttributeTypeId>,
    ) -> Result<(), Refusal> {
        if written.any(|id| self.schema().known().of_codes().contains(&id)) {
            self.require_no_stronger_bearer(&target.dn)?;
        }
        Ok(())
    }

    /// Requires that whether somebody who holds more is asked for a second factor stays as it is.
    pub(in crate::operations) fn require_same_demand(&self, target: &Target, new: &Attributes) -> Result<(), Refusal> {
        let is_own = self.requester.identity.uuid() == Some(target.node.uuid);
        if is_own || is_asked_for(&target.node.entry, self.schema()) == is_asked_for_by(new, self.schema()) {
            return Ok(());
        }
        self.require_no_escalation(target.node.uuid, &target.dn).map_err(|refusal| match refusal {
            Refusal::WouldEscalate(_) => Refusal::InsufficientAccess(
                "this account has rights that you do not have, so you cannot say whether it logs in by a second factor",
            ),
            other => other,
        })
    }
}
