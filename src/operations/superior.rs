//! What entries may stand below: not an alias (RFC 4512 §2.6), a subentry (X.501 §14.2), or what is kept elsewhere (RFC 3296).

use crate::directory::Dn;
use crate::directory::tree::Node;

use super::{Context, Refusal};

impl Context<'_> {
    /// Requires that entries may stand below one, whoever asks. What refuses is told as `OpenLDAP` does.
    pub(super) fn require_superior(&self, node: &Node, dn: &Dn) -> Result<(), Refusal> {
        let known = self.schema().known();
        let has_class =
            |name: &[u8]| node.entry.values(known.object_class).any(|class| class.eq_ignore_ascii_case(name));
        if node.entry.has(known.aliased_object_name) && has_class(b"alias") {
            return Err(Refusal::BelowAlias);
        }
        if has_class(b"subentry") {
            return Err(Refusal::BelowSubentry);
        }
        // ManageDsaIT is for the reference itself: what is below it is kept elsewhere all the same.
        if self.is_reference(node) {
            return Err(self.referral_of(node, dn)?);
        }
        Ok(())
    }
}
