//! What was decided for an actor before.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::below::BelowNamed;
use super::ground::Ground;
use super::question::Question;
use super::rule_mask::RuleMask;
use super::{Decision, Purpose};
use crate::directory::Dn;
use crate::directory::schema::AttributeSet;
use crate::directory::tree::EntryId;

/// What was decided for an actor before, by the rules that they were found for.
#[derive(Debug, Default)]
pub(in crate::access) struct Decided {
    pub(super) questions: OnceLock<Vec<Question>>,
    /// By the number of the parent.
    pub(super) below: Kept<Option<EntryId>, BelowNamed>,
    everything: DecidedFor,
    sight: DecidedFor,
    /// By the name at which a search begins.
    pub(in crate::access) everywhere: Kept<Option<Arc<Dn>>, Arc<AttributeSet>>,
}

/// What was decided for one purpose.
#[derive(Debug, Default)]
pub(super) struct DecidedFor {
    /// By the rules that reach the entries.
    pub(super) ground: Kept<RuleMask, Arc<Ground>>,
    /// By the rules that apply.
    pub(super) combined: Kept<RuleMask, Arc<Decision>>,
}

impl Decided {
    pub(super) const fn of(&self, purpose: Purpose) -> &DecidedFor {
        match purpose {
            Purpose::Everything => &self.everything,
            Purpose::Sight => &self.sight,
        }
    }
}

/// Something that was found out lately.
#[derive(Debug)]
pub(in crate::access) struct Kept<K, V>(Mutex<HashMap<K, V, foldhash::fast::RandomState>>);

/// So much is kept of a kind; then it begins anew.
const MOST_KEPT: usize = 1_000;

impl<K: Eq + Hash, V: Clone> Kept<K, V> {
    pub(in crate::access) fn find(&self, key: &K) -> Option<V> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    pub(in crate::access) fn keep(&self, key: K, value: V) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST_KEPT {
            kept.clear();
        }
        kept.insert(key, value);
    }
}

impl<K, V> Default for Kept<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}
