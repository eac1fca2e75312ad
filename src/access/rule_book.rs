//! The rules of the configuration and of the tree, put together once for each change.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::Rules;
use super::delegated::{self, Amendment, InForce};
use crate::directory::tree::{Tree, TreeError, Version};

/// Where rules stand: those of the configuration are here, those of the tree are looked up when they may have changed.
#[derive(Debug, Default)]
pub struct RuleBook {
    file: Arc<Rules>,
    most: usize,
    shelf: Mutex<Shelf>,
    ready: Condvar,
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

    /// The rules that are in force in a tree: good for as long as [`Tree::membership_version`] stays the same. They are put
    /// together once, by the first who asks, while nothing is locked; others who ask for the same meanwhile wait for them.
    pub fn in_force(&self, tree: &dyn Tree) -> Result<Arc<InForce>, TreeError> {
        let version = tree.membership_version();
        let mut known = self.shelf();
        loop {
            if let Some(rules) = known.of(version) {
                return Ok(rules);
            }
            if !known.composing.contains(&version) {
                break;
            }
            known = self.ready.wait(known).unwrap_or_else(PoisonError::into_inner);
        }
        known.composing.push(version);
        drop(known);
        // However this ends, nobody waits for it any longer.
        let _composing = Composing { book: self, version };
        let rules = Arc::new(delegated::in_force(&self.file, self.most, tree)?);
        self.shelf().keep(version, &rules);
        Ok(rules)
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What has been put together, and what is being.
#[derive(Debug, Default)]
struct Shelf {
    last: Option<(Version, Arc<InForce>)>,
    composing: Vec<Version>,
}

impl Shelf {
    fn of(&self, version: Version) -> Option<Arc<InForce>> {
        self.last.as_ref().filter(|(of, _)| *of == version).map(|(_, rules)| Arc::clone(rules))
    }

    /// Whoever still looks at an earlier moment must not have everybody else look again.
    fn keep(&mut self, version: Version, rules: &Arc<InForce>) {
        if self.last.as_ref().is_none_or(|(of, _)| *of < version) {
            self.last = Some((version, Arc::clone(rules)));
        }
    }
}

/// Somebody who puts the rules of a moment together.
struct Composing<'b> {
    book: &'b RuleBook,
    version: Version,
}

impl Drop for Composing<'_> {
    fn drop(&mut self) {
        self.book.shelf().composing.retain(|version| *version != self.version);
        self.book.ready.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::*;
    use crate::directory::tree::Directory;
    use crate::directory::tree::memory::MemoryDirectory;
    use crate::directory::{Dn, Schema};

    /// However many ask at once, they get the same: it was put together once.
    #[test]
    fn rules_are_put_together_once() {
        let schema = Schema::standard();
        let suffix = Dn::parse(&schema, "dc=example").unwrap();
        let directory = MemoryDirectory::new(schema, vec![suffix]);
        for _ in 0..50 {
            let (book, start) = (RuleBook::new(Rules::default(), 10), Barrier::new(8));
            let ask = || {
                start.wait();
                book.in_force(&directory.view()).unwrap()
            };
            let found = thread::scope(|scope| {
                let asking = [(); 8].map(|()| scope.spawn(ask));
                asking.map(|one| one.join().unwrap())
            });
            assert!(found.windows(2).all(|pair| matches!(pair, [one, other] if Arc::ptr_eq(one, other))));
            assert!(book.shelf().composing.is_empty());
        }
    }
}
