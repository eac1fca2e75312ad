//! Which password policy governs an entry, and why (draft-behera-ldap-password-policy-10 §4).
//!
//! In this order: the policy that the entry names (`pwdPolicySubentry`); of those in its suffix that say by themselves
//! that they govern it, the one with the lowest precedence, then the strictest, then the first by name; the default of
//! its suffix.

mod claims;
mod named;
mod reasons;
mod unheeded;

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use crate::access::actor::groups_of;
use crate::directory::tree::{EntryId, Node, SAME_CHANGE, Tree, TreeError, Version};
use crate::directory::{Dn, Entry};
use crate::password::Policy;
use crate::password::policy::{Applies, PolicyError};

pub use claims::refuses_policy;
pub(super) use named::is_policy_called;
pub use named::{misnamed, sentence as misnamed_sentence};
pub use reasons::Reason;
pub use unheeded::{unheeded, unheeded_in};

/// The password policies of the directory: entries, read when they are needed and remembered until they change.
#[derive(Debug, Default)]
pub struct Policies {
    read: Mutex<HashMap<EntryId, Read>>,
    selecting: Mutex<Option<Arc<Selecting>>>,
}

/// The policy that governs an entry.
#[derive(Clone, Debug)]
pub struct Governing {
    /// What it says.
    pub policy: Arc<Policy>,
    /// Why it is this one.
    pub because: Because,
    /// Those that would govern it in its place, each of them, were they not only tried out (`pwdReportOnly`).
    pub tried: Vec<Arc<Policy>>,
}

/// Why a policy governs an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Because {
    /// The entry names it.
    Named,
    /// It says so itself.
    Selected,
    /// It is the default of the suffix.
    Default,
    /// There is none: everything has the meaning that the draft gives to what is absent.
    Nothing,
}

/// A policy that was read.
#[derive(Debug)]
struct Read {
    /// The entry that it was read from, and the names that were in use then.
    versions: (Version, Version),
    policy: Arc<Policy>,
}

/// The policies that say whom they govern, in the order in which they go before each other.
#[derive(Debug)]
struct Selecting {
    /// The [`Tree::policies_version`] that they were found at.
    version: Version,
    policies: Vec<Selector>,
    /// The name of the default policy of each suffix, in the order of [`Tree::suffixes`].
    defaults: Vec<Option<Dn>>,
    /// What any of all policies asks for.
    asks: Asks,
}

/// What any policy asks for.
#[derive(Clone, Copy, Debug, Default)]
struct Asks {
    /// That keys are kept for SCRAM.
    scram_keys: bool,
    /// That resets are approved by somebody else.
    approval: bool,
}

#[derive(Debug)]
struct Selector {
    /// The suffix that its entry is below: it governs no other.
    suffix: Dn,
    applies: Applies,
    policy: Arc<Policy>,
}

/// Where the policy stands that governs all entries of a suffix that no other governs, below the suffix.
pub const DEFAULT_POLICY: &str = "cn=default,ou=policies";

/// How many RDNs that has.
const DEFAULT_POLICY_DEPTH: usize = 2;

impl Policies {
    /// The policy that governs an entry.
    pub fn governing(&self, entry: &Entry, dn: &Dn, tree: &dyn Tree) -> Result<Arc<Policy>, TreeError> {
        Ok(self.choose(entry, dn, tree)?.policy)
    }

    /// The policy that governs an entry, and why.
    pub fn choose(&self, entry: &Entry, dn: &Dn, tree: &dyn Tree) -> Result<Governing, TreeError> {
        let mut tried = Vec::new();
        if let Some(policy) = self.named(entry, tree)? {
            if !policy.report_only {
                return Ok(Governing { policy, because: Because::Named, tried });
            }
            tried.push(policy);
        }
        let mut selected = None;
        self.visit_claiming(entry, dn, tree, &mut |policy| {
            if policy.report_only {
                tried.push(Arc::clone(policy));
                return ControlFlow::Continue(());
            }
            selected = Some(Arc::clone(policy));
            ControlFlow::Break(())
        })?;
        if let Some(policy) = selected {
            return Ok(Governing { policy, because: Because::Selected, tried });
        }
        let policy = self.default_for(dn, tree)?;
        let because = if policy.origin.is_empty() { Because::Nothing } else { Because::Default };
        Ok(Governing { policy, because, tried })
    }

    /// Whether any policy has keys kept for SCRAM.
    pub fn keep_scram_keys(&self, tree: &dyn Tree) -> Result<bool, TreeError> {
        Ok(self.selecting(tree)?.asks.scram_keys)
    }

    /// Whether any policy has resets approved by somebody else.
    pub fn ask_for_approval(&self, tree: &dyn Tree) -> Result<bool, TreeError> {
        Ok(self.selecting(tree)?.asks.approval)
    }

    /// The groups by which policies say whom they govern.
    pub fn selecting_groups(&self, tree: &dyn Tree) -> Result<HashSet<Dn>, TreeError> {
        Ok(self.selecting(tree)?.policies.iter().flat_map(|one| &one.applies.groups).cloned().collect())
    }

    /// Whether any policy has the end of passwords told to those who do not bind.
    pub fn give_notice(&self, tree: &dyn Tree) -> Result<bool, TreeError> {
        for (node, _) in policy_entries(tree)? {
            let policy = self.read(&node, tree)?;
            if !policy.expire_notices.is_empty() && !policy.report_only {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The policy that governs the entries of the suffix of `dn` that no other governs.
    pub fn default_for(&self, dn: &Dn, tree: &dyn Tree) -> Result<Arc<Policy>, TreeError> {
        let position = tree.suffixes().iter().position(|suffix| dn.is_within(suffix)).unwrap_or_default();
        let selecting = self.selecting(tree)?;
        let policy = match selecting.defaults.get(position) {
            Some(Some(name)) => self.at(name, tree)?,
            _ => None,
        };
        Ok(policy.unwrap_or_default())
    }

    /// The policy that governs a name that no entry has: the one that would govern it for where it stands, since of an entry
    /// that is not there nothing else is known.
    pub fn for_nobody(&self, dn: &Dn, tree: &dyn Tree) -> Result<Arc<Policy>, TreeError> {
        let selecting = self.selecting(tree)?;
        let suffix = suffix_of(dn, tree);
        let by_place = |one: &&Selector| suffix == Some(&one.suffix) && one.applies.admits_by_place(dn);
        match selecting.policies.iter().filter(|one| !one.policy.report_only).find(by_place) {
            Some(selector) => Ok(Arc::clone(&selector.policy)),
            None => self.default_for(dn, tree),
        }
    }

    /// The policies that say that they govern the entry, in the order in which they go before each other.
    pub fn claiming(&self, entry: &Entry, dn: &Dn, tree: &dyn Tree) -> Result<Vec<Arc<Policy>>, TreeError> {
        let mut claiming = Vec::new();
        self.visit_claiming(entry, dn, tree, &mut |policy| {
            claiming.push(Arc::clone(policy));
            ControlFlow::Continue(())
        })?;
        Ok(claiming)
    }

    fn visit_claiming(
        &self,
        entry: &Entry,
        dn: &Dn,
        tree: &dyn Tree,
        visit: &mut dyn FnMut(&Arc<Policy>) -> ControlFlow<()>,
    ) -> Result<(), TreeError> {
        let selecting = self.selecting(tree)?;
        if selecting.policies.is_empty() {
            return Ok(());
        }
        let Some(suffix) = suffix_of(dn, tree) else { return Ok(()) };
        let mut groups = None;
        for Selector { applies, policy, .. } in selecting.policies.iter().filter(|one| one.suffix == *suffix) {
            let claims = applies.admits(entry, dn, tree.schema()) && has_member(applies, dn, &mut groups, tree)?;
            if claims && visit(policy).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// The policies that say whom they govern; looked for again only when one of them may have changed.
    fn selecting(&self, tree: &dyn Tree) -> Result<Arc<Selecting>, TreeError> {
        let version = tree.policies_version();
        let known = self.selecting.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = known.filter(|known| known.version == version) {
            return Ok(known);
        }
        let (policies, asks) = self.find_selecting(tree)?;
        let default = |suffix| Dn::parse(tree.schema(), &format!("{DEFAULT_POLICY},{suffix}")).ok();
        let defaults = tree.suffixes().iter().map(default).collect();
        let found = Arc::new(Selecting { version, policies, defaults, asks });
        let mut known = self.selecting.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever still looks at an earlier moment keeps what it has found to itself.
        if version != SAME_CHANGE && known.as_ref().is_none_or(|known| known.version < version) {
            *known = Some(Arc::clone(&found));
        }
        drop(known);
        Ok(found)
    }

    fn find_selecting(&self, tree: &dyn Tree) -> Result<(Vec<Selector>, Asks), TreeError> {
        let (mut policies, mut asks) = (Vec::new(), Asks::default());
        for (node, dn) in policy_entries(tree)? {
            let policy = self.read(&node, tree)?;
            asks.scram_keys |= policy.scram_iterations.is_some() && !policy.report_only;
            asks.approval |= policy.reset_approval_max_age.is_some() && !policy.report_only;
            if let (Some(applies), Some(suffix)) = (policy.applies.clone(), suffix_of(&dn, tree).cloned()) {
                policies.push(Selector { suffix, applies, policy });
            }
        }
        policies.sort_by_cached_key(|Selector { policy, .. }| {
            (policy.precedence, Reverse(policy.strictness()), policy.origin.to_lowercase())
        });
        Ok((policies, asks))
    }

    /// The policy of the entry of that name, if there is one.
    fn at(&self, dn: &Dn, tree: &dyn Tree) -> Result<Option<Arc<Policy>>, TreeError> {
        let Some(id) = tree.find(dn)?.entry() else { return Ok(None) };
        let Some(node) = tree.node(id)? else { return Ok(None) };
        self.read(&node, tree).map(Some)
    }

    /// The policy that an entry says. One that cannot be read, or is none at all, opens nothing.
    fn read(&self, node: &Node, tree: &dyn Tree) -> Result<Arc<Policy>, TreeError> {
        let schema = tree.schema();
        let versions = (node.version, tree.policies_version());
        let is_made = versions.0 != SAME_CHANGE && versions.1 != SAME_CHANGE;
        let mut known = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(read) = known.get(&node.id).filter(|read| is_made && read.versions == versions) {
            return Ok(Arc::clone(&read.policy));
        }
        let dn = tree.dn(node.id)?;
        let origin = dn.as_ref().map_or("", |dn| dn.as_str());
        let policy =
            named::is_policy(&node.entry, schema).then(|| Policy::read(&node.entry, origin, schema).ok()).flatten();
        let policy = Arc::new(policy.unwrap_or_else(|| Policy::strict(&node.entry, origin, schema)));
        // What a change would make of it, which has not been made, is for whoever plans it.
        if is_made {
            known.insert(node.id, Read { versions, policy: Arc::clone(&policy) });
        }
        drop(known);
        Ok(policy)
    }
}

/// The entries that are policies, whatever they say.
fn policy_entries(tree: &dyn Tree) -> Result<Vec<(Node, Arc<Dn>)>, TreeError> {
    let schema = tree.schema();
    let object_class = schema.known().object_class;
    let form = schema.attribute_type(object_class).equality_or_fallback().normal_form();
    let Ok(class) = form.of_assertion(schema, CLASS.as_bytes()) else { return Ok(Vec::new()) };
    let mut entries = Vec::new();
    for id in tree.equal(object_class, &class)? {
        entries.extend(tree.node(id)?.zip(tree.dn(id)?));
    }
    Ok(entries)
}

/// Refuses a policy that says what cannot be meant here: that it governs what is not on this server, or that the default
/// is only tried out, which would leave nothing in its place.
pub(super) fn check(policy: &Policy, dn: &Dn, tree: &dyn Tree) -> Result<(), PolicyError> {
    if policy.report_only && is_default(dn, tree) {
        let reason = "this is the default, so nothing would hold; try out another one, with pwdAppliesToSubtree";
        return Err(PolicyError { attribute: "pwdReportOnly", reason: reason.to_owned() });
    }
    let mut names = policy.applies.iter().flat_map(Applies::names);
    match names.find(|(_, name)| suffix_of(name, tree).is_none()) {
        None => Ok(()),
        Some((attribute, name)) => {
            let reason = format!("\"{name}\" is below none of the suffixes of this server");
            Err(PolicyError { attribute, reason })
        }
    }
}

/// The class of entries that are policies.
pub(super) const CLASS: &str = "pwdPolicy";

/// Whether the policy of that name is the default of its suffix.
fn is_default(dn: &Dn, tree: &dyn Tree) -> bool {
    // Asked at every change: most names are not where it stands.
    let is_near = |suffix: &&Dn| dn.depth() == suffix.depth() + DEFAULT_POLICY_DEPTH;
    let default = suffix_of(dn, tree)
        .filter(is_near)
        .map(|suffix| Dn::parse(tree.schema(), &format!("{DEFAULT_POLICY},{suffix}")));
    default.is_some_and(|default| default.is_ok_and(|default| default == *dn))
}

fn suffix_of<'t>(dn: &Dn, tree: &'t dyn Tree) -> Option<&'t Dn> {
    tree.suffixes().iter().find(|suffix| dn.is_within(suffix))
}

/// Whether an entry is in one of the groups that are named, if any are. Its groups are looked up once, and only if that
/// is asked.
fn has_member(
    applies: &Applies,
    dn: &Dn,
    known: &mut Option<HashSet<EntryId>>,
    tree: &dyn Tree,
) -> Result<bool, TreeError> {
    if applies.groups.is_empty() {
        return Ok(true);
    }
    let groups = match known {
        Some(groups) => groups,
        None => known.insert(groups_of(dn, tree)?),
    };
    Ok(group_of(applies, groups, tree)?.is_some())
}

/// The group that is named and among those that somebody is in.
fn group_of<'a>(applies: &'a Applies, groups: &HashSet<EntryId>, tree: &dyn Tree) -> Result<Option<&'a Dn>, TreeError> {
    for group in &applies.groups {
        if tree.find(group)?.entry().is_some_and(|id| groups.contains(&id)) {
            return Ok(Some(group));
        }
    }
    Ok(None)
}
