//! Whoever writes a policy has power over those whom it governs: so none that governs somebody who holds more, or whose password
//! they may not reset, whether it says so, they name it, or it is the default.
//!
//! A policy may be written just to learn from the answer whom its filter matches. So before anybody is looked at, rules alone tell
//! whether the writer may reset all passwords, and search by what the policy says, wherever it governs by its place.

use std::collections::HashSet;
use std::sync::Arc;

use super::{has_member, is_default, named, suffix_of};
use crate::access::explain::{entry_called, members, occupants};
use crate::access::who::Who;
use crate::access::{Actor, Decider, Right, Rules, escalation};
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
    /// Nobody was looked at, since it may govern people whose passwords the actor may not reset, or go by what they may not search.
    Unseen,
}

/// Whom an entry governs or would govern, if it is a policy, of those who hold something that the actor does not hold. The default
/// counts as governing everybody of its suffix: it does as soon as nothing else governs them.
fn claimed(
    (entry, dn): (&Entry, &Dn),
    (actor, rules): (&Actor, &Rules),
    tree: &dyn Tree,
) -> Result<Claimed, TreeError> {
    let Some(mut claim) = Claim::of(entry, dn, tree)? else { return Ok(Claimed::Nobody) };
    if !claim.may_be_asked_about(actor, rules)? {
        return Ok(Claimed::Unseen);
    }
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
    /// Requires that an entry is no policy that governs, or would govern, somebody who holds more than the requester.
    pub(in crate::operations) fn require_no_claim(&self, entry: &Entry, dn: &Dn) -> Result<(), Refusal> {
        match claimed((entry, dn), (self.actor, self.rules), self.tree)? {
            Claimed::Nobody => Ok(()),
            Claimed::Somebody => Err(Refusal::InsufficientAccess(
                "this policy governs somebody who has rights that you do not have: have it written by somebody who has them",
            )),
            Claimed::Unseen => Err(Refusal::InsufficientAccess(
                "this policy may govern people whose passwords you may not reset, or whom you may not search by what it says: have \
                 it written by somebody who may, or name in pwdAppliesToSubtree where you may",
            )),
            Claimed::Unknown => Err(Refusal::AdminLimit(
                "more people than this server looks at have rights that you do not have: have the policy written by \
                 somebody who has them",
            )),
        }
    }
}

/// Whom a policy governs.
struct Claim<'c> {
    tree: &'c dyn Tree,
    /// What it says of that itself.
    applies: Option<Applies>,
    /// Whether it is the default of its suffix.
    is_default: bool,
    /// The entries that name it, in order.
    named_by: Vec<EntryId>,
    suffix: &'c Dn,
    /// How many more are looked at; `None` when there was one more.
    left: Option<usize>,
}

impl<'c> Claim<'c> {
    /// Of an entry of that name; `None` if it is no policy, or one that governs nobody.
    fn of(entry: &Entry, dn: &Dn, tree: &'c dyn Tree) -> Result<Option<Self>, TreeError> {
        let schema = tree.schema();
        // What has the name of the default governs, though it be no policy: then it opens nothing.
        let (is_policy, is_default) = (named::is_policy(entry, schema), is_default(dn, tree));
        let Some(suffix) = suffix_of(dn, tree).filter(|_| is_policy || is_default) else { return Ok(None) };
        let (mut applies, mut named_by) = (None, Vec::new());
        if is_policy {
            let read = Policy::read(entry, dn.as_str(), schema);
            applies = read.unwrap_or_else(|_| Policy::strict(entry, dn.as_str(), schema)).applies;
            named_by = tree.equal(schema.known().pwd_policy_subentry, dn.key())?;
        }
        let governs = is_default || applies.is_some() || !named_by.is_empty();
        Ok(governs.then_some(Self { tree, applies, is_default, named_by, suffix, left: Some(MOST) }))
    }

    /// Whether the actor may reset all passwords where it governs, and may know whom it governs there, as rules tell it. Of whoever
    /// names it nothing is told but that they may not.
    fn may_be_asked_about(&self, actor: &Actor, rules: &Rules) -> Result<bool, TreeError> {
        let suffix = [self.suffix.clone()];
        let places = match &self.applies {
            _ if self.is_default => &suffix[..],
            Some(Applies { subtrees, .. }) if !subtrees.is_empty() => subtrees,
            Some(_) => &suffix[..],
            None => &[],
        };
        if !places.iter().all(|place| actor.holds_everywhere(Right::ResetPassword, rules, place)) {
            return Ok(false);
        }
        // Where nobody holds more, nobody is looked at, and the answer tells nothing.
        let is_told_nothing = escalation::beyond(actor, rules).next().is_none();
        Ok((is_told_nothing || self.is_searched(places, actor, rules)) && self.may_reset_who_name_it(actor, rules)?)
    }

    /// Whether the actor may find all entries there, and search them and groups for what it goes by.
    fn is_searched(&self, places: &[Dn], actor: &Actor, rules: &Rules) -> bool {
        let searchable = |base: &Dn| actor.searches_everywhere(rules, Some(&Arc::new(base.clone())));
        let Some(applies) = self.applies.as_ref().filter(|_| !self.is_default) else {
            return places.iter().all(|place| !searchable(place).is_empty());
        };
        let is_found = |place: &Dn| {
            let (mut hidden, searchable) = (applies.mentioned(), searchable(place));
            hidden.subtract(&searchable);
            hidden.is_empty() && !searchable.is_empty()
        };
        let known = self.tree.schema().known();
        let shows_members = |suffix: &Dn| {
            let searchable = searchable(suffix);
            searchable.contains(known.member) && searchable.contains(known.unique_member)
        };
        // Groups stand in groups anywhere.
        places.iter().all(is_found) && (applies.groups.is_empty() || self.tree.suffixes().iter().all(shows_members))
    }

    fn may_reset_who_name_it(&self, actor: &Actor, rules: &Rules) -> Result<bool, TreeError> {
        if actor.holds_everywhere(Right::ResetPassword, rules, self.suffix) {
            return Ok(true);
        }
        let mut decider = Decider::new(rules, actor, self.tree.schema());
        // More are not looked at for whether they hold more, either.
        for id in self.named_by.iter().take(MOST) {
            let Some(node) = self.tree.node(*id)? else { continue };
            let decision = decider.decide(&node, self.tree)?;
            if !decision.allows(Right::ResetPassword) || !decision.is_visible() {
                return Ok(false);
            }
        }
        Ok(self.named_by.len() <= MOST)
    }

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
        if self.named_by.binary_search(&id).is_ok() {
            return Ok(true);
        }
        let tree = self.tree;
        let (Some(node), Some(dn)) = (tree.node(id)?, tree.dn(id)?) else { return Ok(false) };
        if suffix_of(&dn, tree) != Some(self.suffix) {
            return Ok(false);
        }
        match &self.applies {
            _ if self.is_default => Ok(true),
            Some(applies) => {
                Ok(applies.admits(&node.entry, &dn, tree.schema()) && has_member(applies, &dn, &mut None, tree)?)
            }
            None => Ok(false),
        }
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
        // Those who name it may be few where there are many below.
        if self.applies.is_none() && !self.is_default && self.left.is_some_and(|left| self.named_by.len() <= left) {
            for id in &self.named_by {
                if self.tree.dn(*id)?.is_some_and(|dn| *dn != *base && dn.is_within(base)) {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
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
