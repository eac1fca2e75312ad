//! Entries that name as their policy (`pwdPolicySubentry`) what is none: it is refused where it is written, and where it
//! stands all the same, since it was imported or the policy is one no more, they are governed as if they named none, and it is
//! told.

use std::sync::Arc;

use super::{CLASS, Policies};
use crate::directory::schema::Schema;
use crate::directory::tree::{Candidates, EntryId, Node, Tree, TreeError};
use crate::directory::{Dn, Entry};
use crate::password::Policy;

/// So many entries are looked at before a server starts; `keystead verify` looks at all.
const MOST_LOOKED_AT: usize = 1_000;

/// So many are told one by one.
const MOST_TOLD: usize = 20;

impl Policies {
    /// The policy that the entry names.
    pub(super) fn named(&self, entry: &Entry, tree: &dyn Tree) -> Result<Option<Arc<Policy>>, TreeError> {
        match name(entry, tree.schema()) {
            Some(name) => self.find_named(name, tree),
            None => Ok(None),
        }
    }

    /// The policy of that name; none if the entry is no policy.
    pub(in crate::operations) fn find_named(
        &self,
        name: &str,
        tree: &dyn Tree,
    ) -> Result<Option<Arc<Policy>>, TreeError> {
        policy_called(name, tree)?.map(|node| self.read(&node, tree)).transpose()
    }
}

/// What the entry names as its policy though it is none.
pub fn misnamed<'e>(entry: &'e Entry, tree: &dyn Tree) -> Result<Option<&'e str>, TreeError> {
    match name(entry, tree.schema()) {
        Some(name) if policy_called(name, tree)?.is_none() => Ok(Some(name)),
        _ => Ok(None),
    }
}

/// Whether there is a password policy of that name.
pub(in crate::operations) fn is_policy_called(name: &str, tree: &dyn Tree) -> Result<bool, TreeError> {
    Ok(policy_called(name, tree)?.is_some())
}

/// The entries that name what is no policy, each as a sentence for a log, as far as they are found soon.
pub(super) fn all_misnamed(tree: &dyn Tree) -> Result<Vec<String>, TreeError> {
    let mut told = Vec::new();
    let mut more = 0;
    for node in candidates(tree)? {
        let Some(name) = misnamed(&node.entry, tree)? else { continue };
        if told.len() == MOST_TOLD {
            more += 1;
        } else if let Some(dn) = tree.dn(node.id)? {
            told.push(sentence(&dn, name));
        }
    }
    if more > 0 {
        told.push(format!(
            "{more} more name what is no password policy in pwdPolicySubentry; keystead verify tells which"
        ));
    }
    Ok(told)
}

/// That an entry names what is no policy.
pub fn sentence(dn: &Dn, name: &str) -> String {
    format!("pwdPolicySubentry of \"{dn}\" is not heeded: \"{name}\" is no password policy")
}

/// The entries that may name a policy.
fn candidates(tree: &dyn Tree) -> Result<Vec<Node>, TreeError> {
    let named = match tree.having(tree.schema().known().pwd_policy_subentry)? {
        Candidates::These(ids) => ids,
        Candidates::All => return tree.nodes_after(None, MOST_LOOKED_AT),
    };
    let nodes = named.iter().take(MOST_LOOKED_AT).map(|id| tree.node(EntryId(id)));
    nodes.filter_map(Result::transpose).collect()
}

fn name<'e>(entry: &'e Entry, schema: &Schema) -> Option<&'e str> {
    entry.first_text(schema.known().pwd_policy_subentry)
}

fn policy_called(name: &str, tree: &dyn Tree) -> Result<Option<Node>, TreeError> {
    let Ok(dn) = Dn::parse(tree.schema(), name) else { return Ok(None) };
    let Some(id) = tree.find(&dn)?.entry() else { return Ok(None) };
    Ok(tree.node(id)?.filter(|node| is_policy(&node.entry, tree.schema())))
}

/// Whether an entry has the object class of policies.
pub(super) fn is_policy(entry: &Entry, schema: &Schema) -> bool {
    entry.values(schema.known().object_class).any(|class| class.eq_ignore_ascii_case(CLASS.as_bytes()))
}
