//! How much the requests take that wait for transactions to be settled.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::operations::Refusal;

/// Octets that one transaction may keep.
const MOST_OF_ONE: usize = 16 << 20;
/// Octets that all transactions together may keep.
const MOST_OF_ALL: usize = 256 << 20;

/// What all transactions together keep.
static KEPT: AtomicUsize = AtomicUsize::new(0);

/// What one transaction keeps; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Room(usize);

impl Room {
    pub(super) const fn new() -> Self {
        Self(0)
    }

    pub(super) fn take(&mut self, octets: usize) -> Result<(), Refusal> {
        if self.0.saturating_add(octets) > MOST_OF_ONE {
            return Err(Refusal::AdminLimit("the transaction is too large; settle it in parts"));
        }
        if KEPT.fetch_add(octets, Ordering::Relaxed).saturating_add(octets) > MOST_OF_ALL {
            KEPT.fetch_sub(octets, Ordering::Relaxed);
            return Err(Refusal::Busy);
        }
        self.0 += octets;
        Ok(())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        KEPT.fetch_sub(self.0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_transaction_keeps_is_bounded_and_given_back() {
        let mut room = Room::new();
        let taken = (0..40).take_while(|_| room.take(1 << 20).is_ok()).count();
        assert_eq!(taken, 16);
        let before = KEPT.load(Ordering::Relaxed);
        drop(room);
        assert!(KEPT.load(Ordering::Relaxed) + (16 << 20) <= before);
    }
}
