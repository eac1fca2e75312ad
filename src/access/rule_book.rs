//! The rules of the configuration and of the tree, put together once for each change.

use std::sync::{Arc, Mutex, PoisonError};

use super::Rules;
use super::delegated::{self, Amendment, InForce};
use crate::directory::tree::{Tree, TreeError, Version};

/// Where rules stand: those of the configuration are here, those of the tree are looked up when they may have changed.
#[derive(Debug, Default)]
pub struct RuleBook {
    file: Arc<Rules>,
    most: usize,
    read: Mutex<Option<(Version, Arc<InForce>)>>,
    composing: Mutex<()>,
}

impl RuleBook {
    /// With the rules of the configuration, and so many of the tree at most.
    pub fn new(file: Rules, most: usize) -> Self {
        Self { file: Arc::new(file), most, ..Self::default() }
    }

    /// The rules that will be in force in a tree when that has become of those that stand in it.
    pub fn in_force_after(&self, amendment: &Amendment, tree: &dyn Tree) -> Result<InForce, TreeError> {
        delegated::in_force_after(amendment, (&self.file, self.most), tree)
    }

    /// The rules that are in force in a tree: good for as long as [`Tree::membership_version`] stays the same.
    pub fn in_force(&self, tree: &dyn Tree) -> Result<Arc<InForce>, TreeError> {
        let version = tree.membership_version();
        if let Some(known) = self.known(version) {
            return Ok(known);
        }
        // One of those who wait puts them together; whoever has them already does not wait.
        let composing = self.composing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = self.known(version) {
            return Ok(known);
        }
        let rules = Arc::new(delegated::in_force(&self.file, self.most, tree)?);
        drop(composing);
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever still looks at an earlier moment must not have everybody else look again.
        if read.as_ref().is_none_or(|(of, _)| *of < version) {
            *read = Some((version, Arc::clone(&rules)));
        }
        drop(read);
        Ok(rules)
    }

    fn known(&self, version: Version) -> Option<Arc<InForce>> {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.as_ref().filter(|(of, _)| *of == version).map(|(_, rules)| Arc::clone(rules))
    }
}
