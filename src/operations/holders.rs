//! Finding the entries that hold a value.

use bytes::Bytes;

use crate::directory::AttributeTypeId;
use crate::directory::filter::{Matcher, Selector};
use crate::directory::tree::{Candidates, EntryId, PlanBudget};

use super::{Context, Refusal};

/// To find them is worth following so many postings.
const POSTINGS: PlanBudget = PlanBudget(20_000);

impl Context<'_> {
    /// The entries of which an index says that they may hold a value of that normal form, in order: all that do, and
    /// perhaps others whose values look alike to it.
    pub(super) fn that_may_hold(&self, id: AttributeTypeId, normal: &[u8]) -> Result<Vec<EntryId>, Refusal> {
        let form = self.schema().attribute_type(id).equality_or_fallback().normal_form();
        let selector = Selector { types: std::iter::once(id).collect(), options: "".into() };
        let matcher = Matcher::Equal { selector, form, normal: normal.to_vec(), raw: Bytes::new() };
        match self.tree.plan(&matcher, POSTINGS)?.candidates {
            Candidates::These(ids) => Ok(ids.iter().map(EntryId).collect()),
            Candidates::All => Ok(self.tree.equal(id, normal)?),
        }
    }
}
