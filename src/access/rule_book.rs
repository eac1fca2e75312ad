//! The rules of the configuration and of the tree, put together once for each change.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::assertion::Assertion;
use super::delegated::{self, Amendment, Frame, InForce};
use super::strangers::Strangers;
use super::violation::violations;
use super::withheld::Withheld;
use super::{Actor, Circumstances, Rules};
use crate::directory::Timestamp;
use crate::directory::tree::{Tree, TreeError, Version};

/// Where rules stand: those of the configuration are here, those of the tree are looked up when they may have changed.
#[derive(Debug, Default)]
pub struct RuleBook {
    written: Arc<Rules>,
    /// Of these, those that are in force.
    file: Arc<Rules>,
    withheld: Vec<Withheld>,
    most: usize,
    shelf: Mutex<Shelf>,
    ready: Condvar,
    strangers: Strangers,
}

impl RuleBook {
    /// With the rules of the configuration, and so many of the tree at most.
    pub fn new(file: Rules, most: usize) -> Self {
        let written = Arc::new(file);
        Self { file: Arc::clone(&written), written, most, ..Self::default() }
    }

    /// The same rules, of which these grant nothing, and all others are in force.
    #[must_use]
    pub fn withholding(&self, withheld: Vec<Withheld>) -> Self {
        let written = Arc::clone(&self.written);
        let grants = |rule: &&super::Rule| rule.is_denial() || !withheld.iter().any(|one| one.is_of(rule));
        let file = if withheld.is_empty() {
            Arc::clone(&written)
        } else {
            Arc::new(written.iter().filter(grants).cloned().collect())
        };
        Self { written, file, withheld, most: self.most, ..Self::default() }
    }

    /// The rules that grant nothing for the time being.
    pub fn withheld(&self) -> &[Withheld] {
        &self.withheld
    }

    /// The rules of the configuration, whether they are in force or not.
    pub fn written(&self) -> &Rules {
        &self.written
    }

    /// Which rules must grant nothing, so that all that is asserted holds in a tree. All of the others may be in force.
    pub fn to_withhold(
        &self,
        assertions: &[Assertion],
        now: Timestamp,
        tree: &dyn Tree,
    ) -> Result<Vec<Withheld>, TreeError> {
        let mut withheld = Vec::new();
        if assertions.is_empty() {
            return Ok(withheld);
        }
        // Whoever holds less by that may be reset by more people, so it is looked again. Each time there is one rule less.
        loop {
            let book = self.withholding(withheld);
            let rules = book.in_force_after(&Amendment::default(), tree)?.rules;
            withheld = book.withheld;
            let found = violations(&rules, assertions, now, tree)?;
            if found.is_empty() {
                return Ok(withheld);
            }
            for example in found {
                withheld.push(Withheld::by(example, tree)?);
            }
        }
    }

    fn frame(&self) -> Frame<'_> {
        Frame { file: &self.file, most: self.most, withheld: &self.withheld }
    }

    /// The rules that will be in force in a tree when that has become of those that stand in it.
    pub fn in_force_after(&self, amendment: &Amendment, tree: &dyn Tree) -> Result<InForce, TreeError> {
        delegated::in_force_after(amendment, self.frame(), tree)
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
        let rules = Arc::new(self.in_force_after(&Amendment::default(), tree)?);
        self.shelf().keep(version, &rules);
        Ok(rules)
    }

    /// Somebody who has not authenticated. `rules` are those in force in `tree`.
    pub fn stranger(
        &self,
        circumstances: &Circumstances,
        rules: &Rules,
        tree: &dyn Tree,
    ) -> Result<Arc<Actor>, TreeError> {
        self.strangers.find(circumstances, rules, tree)
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
