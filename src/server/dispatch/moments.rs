//! The two moments that a persistent search compares.

use std::sync::Arc;

use crate::store::View;

/// The two moments that a persistent search compares.
#[derive(Debug)]
pub(in crate::server) struct Moments {
    /// When everything had been told.
    before: Arc<View>,
    /// When it began to look at what has happened since; it looks at nothing later before it is done with that.
    now: Option<Arc<View>>,
    phase: Phase,
}

/// How far a persistent search is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// It tells what is there.
    Finding,
    /// It tells of changes.
    Watching,
}

impl Moments {
    /// For a search that begins, and first tells what is there.
    pub(super) const fn from(before: Arc<View>) -> Self {
        Self { before, now: None, phase: Phase::Finding }
    }

    /// Notes that everything has been told.
    pub(in crate::server) fn settle(&mut self) {
        self.phase = Phase::Watching;
        if let Some(now) = self.now.take() {
            self.before = now;
        }
    }

    /// Puts the directory in the place of `view` that is to be looked at, and returns the one that it is compared with if
    /// there is one. While something is being told, later changes are none: they would come between the two.
    pub(super) fn look(&mut self, view: &mut Arc<View>) -> Option<Arc<View>> {
        match self.phase {
            Phase::Finding => {
                *view = Arc::clone(&self.before);
                None
            }
            Phase::Watching => {
                *view = Arc::clone(self.now.get_or_insert_with(|| Arc::clone(view)));
                Some(Arc::clone(&self.before))
            }
        }
    }

    /// Whether something was committed since.
    pub(in crate::server) fn are_behind(&self, view: &View) -> bool {
        self.before.version() < view.version()
    }
}
