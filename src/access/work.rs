//! Work that is counted, since somebody waits for it.
//!
//! What is asked of rules may concern every entry. The operator's own questions take what they take; what a client causes is
//! bounded, and what is bounded says that it came to no answer rather than give one that was not looked for.

use std::cell::Cell;

use crate::directory::filter::{Facts, Matcher, Steps, Truth};
use crate::directory::tree::TreeError;

/// What it costs to look a name or a value up; compare [`Steps`].
pub const LOOKUP: u64 = 8;
/// What it costs to read an entry and its name.
pub const ENTRY: u64 = 16;

/// What counts work.
pub trait Work {
    /// Why no answer was found: always because the tree cannot be read, and because of what else there may be.
    type Stop: From<TreeError>;

    /// Does some steps.
    fn take(&self, steps: u64) -> Result<(), Self::Stop>;

    /// Tests the facts about an entry.
    fn test(&self, matcher: &Matcher, facts: &Facts<'_>) -> Result<Truth, Self::Stop>;
}

/// As much as it takes.
#[derive(Clone, Copy, Debug)]
pub struct Unbounded;

impl Work for Unbounded {
    type Stop = TreeError;

    fn take(&self, _steps: u64) -> Result<(), TreeError> {
        Ok(())
    }

    fn test(&self, matcher: &Matcher, facts: &Facts<'_>) -> Result<Truth, TreeError> {
        Ok(matcher.evaluate(facts))
    }
}

/// So many steps and no more.
#[derive(Debug)]
pub struct Budget(Cell<Steps>);

/// Why no answer was found within a [`Budget`].
#[derive(Debug, thiserror::Error)]
pub enum Stopped {
    /// The tree cannot be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// It takes more steps.
    #[error("this takes more steps than are allowed for it")]
    Spent,
}

impl Budget {
    /// Of so many steps.
    pub const fn new(steps: u64) -> Self {
        Self(Cell::new(Steps::new(steps)))
    }

    /// How many were taken.
    pub const fn taken(&self) -> u64 {
        self.0.get().taken()
    }
}

impl Work for Budget {
    type Stop = Stopped;

    fn take(&self, steps: u64) -> Result<(), Stopped> {
        let mut own = self.0.get();
        let left = own.take(steps);
        self.0.set(own);
        left.ok_or(Stopped::Spent)
    }

    fn test(&self, matcher: &Matcher, facts: &Facts<'_>) -> Result<Truth, Stopped> {
        let mut own = self.0.get();
        let truth = matcher.evaluate_within(facts, &mut own);
        self.0.set(own);
        truth.ok_or(Stopped::Spent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is spent stays spent, so that nothing is found out by a part of the work.
    #[test]
    fn a_budget_ends() {
        let budget = Budget::new(10);
        assert!(budget.take(6).is_ok() && budget.take(4).is_ok());
        assert!(matches!(budget.take(1), Err(Stopped::Spent)));
        assert!(matches!(budget.take(0), Err(Stopped::Spent)));
        assert!(Unbounded.take(u64::MAX).is_ok());
    }
}
