//! Finding the entries that hold a value.

use bytes::Bytes;
use roaring::RoaringBitmap;

use crate::directory::AttributeTypeId;
use crate::directory::filter::{Matcher, Selector};
use crate::directory::schema::NormalForm;
use crate::directory::tree::{Candidates, EntryId, Node, PlanBudget, Tree, TreeError};

use super::{Context, Refusal};

/// To find them is worth following so many postings.
const POSTINGS: PlanBudget = PlanBudget(20_000);

/// The entries that have an attribute of the type.
pub(super) fn those_with(id: AttributeTypeId, tree: &dyn Tree) -> Result<RoaringBitmap, TreeError> {
    match tree.having(id)? {
        Candidates::These(ids) => Ok(ids),
        Candidates::All => look_for(&|node| node.entry.has(id), tree),
    }
}

/// The entries that are `wanted`, found without an index.
fn look_for(wanted: &dyn Fn(&Node) -> bool, tree: &dyn Tree) -> Result<RoaringBitmap, TreeError> {
    let mut found = RoaringBitmap::new();
    let mut after = None;
    loop {
        let nodes = tree.nodes_after(after, 1_000)?;
        let Some(last) = nodes.last() else { return Ok(found) };
        after = Some(last.id);
        found.extend(nodes.iter().filter(|node| wanted(node)).map(|node| node.id.0));
    }
}

impl Context<'_> {
    /// The entries that have an attribute of the type.
    pub(super) fn those_with(&self, id: AttributeTypeId) -> Result<RoaringBitmap, Refusal> {
        Ok(those_with(id, self.tree)?)
    }

    /// The entries that are `wanted`, found without an index.
    pub(super) fn look_for(&self, wanted: impl Fn(&Node) -> bool) -> Result<RoaringBitmap, Refusal> {
        Ok(look_for(&wanted, self.tree)?)
    }

    /// The entries of which an index says that they may hold a value of that normal form, in order: all that do, all that
    /// hold it with a bit string behind it, and perhaps others whose values look alike to it.
    pub(super) fn that_may_hold(&self, id: AttributeTypeId, normal: &[u8]) -> Result<Vec<EntryId>, Refusal> {
        let form = self.schema().attribute_type(id).equality_or_fallback().normal_form();
        let selector = Selector { types: std::iter::once(id).collect(), options: "".into() };
        let matcher = Matcher::Equal { selector, form, normal: normal.to_vec(), raw: Bytes::new() };
        match self.tree.plan(&matcher, POSTINGS)?.candidates {
            Candidates::These(ids) => Ok(ids.iter().map(EntryId).collect()),
            Candidates::All if form == NormalForm::NameAndUid => {
                let is_it = |value: &[u8]| form.matches(self.schema(), form.name_in(value), normal);
                let found = self.look_for(|node| node.entry.values(id).any(is_it))?;
                Ok(found.iter().map(EntryId).collect())
            }
            Candidates::All => Ok(self.tree.equal(id, normal)?),
        }
    }
}
