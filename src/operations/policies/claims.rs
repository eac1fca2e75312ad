//! Whoever writes a policy has power over those whom it governs: so none that says that it governs somebody who holds more.

use std::collections::HashSet;

use super::{has_member, suffix_of};
use crate::access::explain::{entry_called, members, occupants};
use crate::access::who::Who;
use crate::access::{Actor, Rules, escalation};
use crate::directory::tree::{EntryId, Tree, TreeError};
use crate::directory::{AttributeTypeId, Dn, Entry};
use crate::operations::holders::those_with;
use crate::operations::{Context, Refusal};
use crate::password::Policy;
use crate::password::policy::Applies;

/// So many people who hold more are looked at: whether the policy governs them.
const MOST: usize = 10_000;

/// Whom a policy says that it governs, of those who hold more than somebody.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Claimed {
    /// None of them.
    Nobody,
    /// One of them.
    Somebody,
    /// More of them are there than this server looks at.
    Unknown,
}

/// Whom an entry, if it is a policy, says by group, subtree or filter that it governs, of those who hold something that the
/// actor does not hold. A policy that says nothing of that governs whom others name it for.
fn claimed(
    (entry, dn): (&Entry, &Dn),
    (actor, rules): (&Actor, &Rules),
    tree: &dyn Tree,
) -> Result<Claimed, TreeError> {
    let schema = tree.schema();
    let mut classes = entry.values(schema.known().object_class);
    if !classes.any(|class| class.eq_ignore_ascii_case(super::CLASS.as_bytes())) {
        return Ok(Claimed::Nobody);
    }
    let read = Policy::read(entry, dn.as_str(), schema);
    let policy = read.unwrap_or_else(|_| Policy::strict(entry, dn.as_str(), schema));
    let (Some(applies), Some(suffix)) = (&policy.applies, suffix_of(dn, tree)) else { return Ok(Claimed::Nobody) };
    let mut claim = Claim { tree, applies, suffix, left: Some(MOST) };
    for who in escalation::beyond(actor, rules).flat_map(|rule| &rule.who) {
        if claim.meets(who)? {
            return Ok(if claim.left.is_some() { Claimed::Somebody } else { Claimed::Unknown });
        }
    }
    Ok(Claimed::Nobody)
}

/// Whether the actor may not write such a policy.
pub fn refuses_policy(entry: &Entry, dn: &Dn, by: (&Actor, &Rules), tree: &dyn Tree) -> Result<bool, TreeError> {
    Ok(claimed((entry, dn), by, tree)? != Claimed::Nobody)
}

impl Context<'_> {
    /// Requires that an entry is no policy that says that it governs somebody who holds more than the requester.
    pub(in crate::operations) fn require_no_claim(&self, entry: &Entry, dn: &Dn) -> Result<(), Refusal> {
        match claimed((entry, dn), (self.actor, self.rules), self.tree)? {
            Claimed::Nobody => Ok(()),
            Claimed::Somebody => Err(Refusal::InsufficientAccess(
                "this policy governs somebody who has rights that you do not have: have it written by somebody who has them",
            )),
            Claimed::Unknown => Err(Refusal::AdminLimit(
                "more people than this server looks at have rights that you do not have: have the policy written by \
                 somebody who has them",
            )),
        }
    }
}

/// What a policy says of whom it governs.
struct Claim<'c> {
    tree: &'c dyn Tree,
    applies: &'c Applies,
    suffix: &'c Dn,
    /// How many more are looked at; `None` when there was one more.
    left: Option<usize>,
}

impl Claim<'_> {
    /// Whether it governs one of those whom a rule is for.
    fn meets(&mut self, who: &Who) -> Result<bool, TreeError> {
        match who {
            Who::Entry(dn) => self.governs_called(dn),
            Who::Group(dn) => self.governs_one_of(members(dn, self.tree)?),
            Who::Role(dn) => self.governs_one_of(occupants(dn, self.tree)?),
            Who::Below(base) => self.governs_below(base),
            Who::HeldIn(attribute) => self.governs_held(*attribute),
            // To be oneself is no power over others, and those have no password here.
            Who::Oneself | Who::Anonymous | Who::LocalRoot => Ok(false),
            Who::Authenticated | Who::Everyone => Ok(true),
        }
    }

    /// Whether it governs the entry; where nobody is looked at any more, it may.
    fn governs(&mut self, id: EntryId) -> Result<bool, TreeError> {
        self.left = self.left.and_then(|left| left.checked_sub(1));
        if self.left.is_none() {
            return Ok(true);
        }
        let tree = self.tree;
        let (Some(node), Some(dn)) = (tree.node(id)?, tree.dn(id)?) else { return Ok(false) };
        Ok(suffix_of(&dn, tree) == Some(self.suffix)
            && self.applies.admits(&node.entry, &dn, tree.schema())
            && has_member(self.applies, &dn, &mut None, tree)?)
    }

    fn governs_called(&mut self, dn: &Dn) -> Result<bool, TreeError> {
        match self.tree.find(dn)?.entry() {
            Some(id) => self.governs(id),
            None => Ok(false),
        }
    }

    fn governs_one_of(&mut self, ids: HashSet<EntryId>) -> Result<bool, TreeError> {
        for id in ids {
            if self.governs(id)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn governs_below(&mut self, base: &Dn) -> Result<bool, TreeError> {
        let mut pending: Vec<EntryId> = self.tree.find(base)?.entry().into_iter().collect();
        let mut is_base = true;
        while let Some(id) = pending.pop() {
            if !std::mem::take(&mut is_base) && self.governs(id)? {
                return Ok(true);
            }
            pending.extend(self.tree.children(id, None, self.left.unwrap_or_default().saturating_add(1))?);
        }
        Ok(false)
    }

    /// Those whom some entry holds in that attribute, and members of groups that it holds.
    fn governs_held(&mut self, attribute: AttributeTypeId) -> Result<bool, TreeError> {
        let tree = self.tree;
        for holder in those_with(attribute, tree)? {
            let Some(node) = tree.node(EntryId(holder))? else { continue };
            for value in node.entry.values(attribute) {
                let Some(id) = entry_called(value, tree)? else { continue };
                if self.governs(id)? {
                    return Ok(true);
                }
                if let Some(dn) = tree.dn(id)?
                    && self.governs_one_of(members(&dn, tree)?)?
                {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}
