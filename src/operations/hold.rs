//! How an answer is held back.

use std::time::Duration;

use uuid::Uuid;

/// What an answer waits for; no thread does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hold {
    /// At least so long.
    pub delay: Duration,
    /// Until that is on disk, if it can be written.
    pub written: Awaited,
}

/// What is on disk before an answer is given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Awaited {
    /// Nothing in particular.
    Nothing,
    /// That wrong passwords have locked this account.
    Lock(Uuid),
    /// What has been noted in the journal.
    Noted,
}

impl Hold {
    /// Not at all.
    pub const NONE: Self = Self::back(Duration::ZERO);

    /// For so long.
    pub const fn back(delay: Duration) -> Self {
        Self { delay, written: Awaited::Nothing }
    }

    /// Until what has been noted in the journal is on disk.
    pub const NOTED: Self = Self { delay: Duration::ZERO, written: Awaited::Noted };

    /// Whether it is not held back.
    pub const fn is_none(&self) -> bool {
        self.delay.is_zero() && matches!(self.written, Awaited::Nothing)
    }
}
