//! How an answer is held back.

use std::time::Duration;

use uuid::Uuid;

/// What an answer waits for; no thread does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hold {
    /// At least so long.
    pub delay: Duration,
    /// Until it is on disk that wrong passwords have locked this account, if it can be written.
    pub lock: Option<Uuid>,
}

impl Hold {
    /// Not at all.
    pub const NONE: Self = Self::back(Duration::ZERO);

    /// For so long.
    pub const fn back(delay: Duration) -> Self {
        Self { delay, lock: None }
    }

    /// Whether it is not held back.
    pub const fn is_none(&self) -> bool {
        self.delay.is_zero() && self.lock.is_none()
    }
}
