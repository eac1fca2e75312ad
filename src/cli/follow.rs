//! Reading on in a store that another process writes to.

use std::error::Error;
use std::io;
use std::time::Duration;

use super::CliError;
use crate::store::Store;

/// So many records are read at once.
pub(super) const AT_ONCE: usize = 1_000;
/// How often a follower looks for more.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// When to stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Until {
    /// When everything has been read that is there by now.
    Now,
    /// When somebody ends the program.
    Ended,
}

impl From<bool> for Until {
    fn from(follow: bool) -> Self {
        if follow { Self::Ended } else { Self::Now }
    }
}

/// Hands over what is read, piece by piece, until nobody takes it any more.
pub(super) fn read_on<T, E: Error>(
    store: &Store,
    until: Until,
    mut next: impl FnMut() -> Result<Vec<T>, E>,
    mut write: impl FnMut(&[T]) -> io::Result<()>,
) -> Result<(), CliError> {
    loop {
        let piece = next().map_err(|error| unreadable(&error))?;
        if write(&piece).is_err() {
            return Ok(());
        }
        if piece.is_empty() {
            if until == Until::Now {
                return Ok(());
            }
            pause();
            store.catch_up().map_err(|error| unreadable(&error))?;
        }
    }
}

/// What is told of a store that cannot be read.
pub(super) fn unreadable(error: &dyn Error) -> CliError {
    CliError::Message(format!("the store cannot be read: {error}"))
}

#[expect(clippy::disallowed_methods, reason = "there is nothing that tells a reader when another process writes")]
fn pause() {
    std::thread::sleep(LOOK_EVERY);
}
