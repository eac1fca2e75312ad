//! Which password policy governs an entry (draft-behera-ldap-password-policy-10 §4).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::directory::tree::{EntryId, Tree, TreeError, Version};
use crate::directory::{Dn, Entry};
use crate::password::Policy;
use crate::password::policy::CheckQuality;

/// The password policies of the directory: entries, read when they are needed and remembered until they change.
#[derive(Debug, Default)]
pub struct Policies {
    read: Mutex<HashMap<EntryId, (Version, Arc<Policy>)>>,
}

/// Where the policy stands that governs all entries of a suffix that name no other, below the suffix.
pub const DEFAULT_POLICY: &str = "cn=default,ou=policies";

impl Policies {
    /// The policy that governs an entry: the one that it names, else the default of its suffix, else none.
    pub fn governing(&self, entry: &Entry, dn: &Dn, tree: &dyn Tree) -> Result<Arc<Policy>, TreeError> {
        let schema = tree.schema();
        if let Some(named) = entry.first_text(schema.known().pwd_policy_subentry)
            && let Ok(named) = Dn::parse(schema, named)
            && let Some(policy) = self.at(&named, tree)?
        {
            return Ok(policy);
        }
        self.default_for(dn, tree)
    }

    /// The policy that governs the entries of the suffix of `dn` that name no other.
    pub fn default_for(&self, dn: &Dn, tree: &dyn Tree) -> Result<Arc<Policy>, TreeError> {
        let suffix = tree.suffixes().iter().find(|suffix| dn.is_within(suffix)).or_else(|| tree.suffixes().first());
        let Some(suffix) = suffix else { return Ok(Arc::default()) };
        let name = Dn::parse(tree.schema(), &format!("{DEFAULT_POLICY},{suffix}"));
        let policy = match name {
            Ok(name) => self.at(&name, tree)?,
            Err(_) => None,
        };
        Ok(policy.unwrap_or_default())
    }

    /// The policy of the entry of that name, if there is one.
    fn at(&self, dn: &Dn, tree: &dyn Tree) -> Result<Option<Arc<Policy>>, TreeError> {
        let Some(id) = tree.find(dn)?.entry() else { return Ok(None) };
        let Some(node) = tree.node(id)? else { return Ok(None) };
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((version, policy)) = read.get(&id)
            && *version == node.version
        {
            return Ok(Some(Arc::clone(policy)));
        }
        // Nonsense is refused where a policy is written. Should some be there all the same, or no policy at all, it must not
        // open anything.
        let is_policy =
            node.entry.values(tree.schema().known().object_class).any(|class| class.eq_ignore_ascii_case(b"pwdPolicy"));
        let read_policy = || Policy::read(&node.entry, dn.as_str(), tree.schema()).ok();
        let policy = Arc::new(is_policy.then(read_policy).flatten().unwrap_or_else(|| strict(dn)));
        read.insert(id, (node.version, Arc::clone(&policy)));
        drop(read);
        Ok(Some(policy))
    }
}

/// What holds where a policy cannot be read.
fn strict(dn: &Dn) -> Policy {
    Policy {
        origin: dn.to_string(),
        pwd_min_length: 15,
        pwd_check_quality: CheckQuality::Enforced,
        pwd_safe_modify: true,
        pwd_lockout: true,
        pwd_max_failure: 10,
        pwd_lockout_duration: Some(Duration::from_secs(900)),
        pwd_must_change: true,
        ..Policy::default()
    }
}
