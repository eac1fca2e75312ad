//! How many files this process may open, and how many of them connections get. Were they to take all, the store could not
//! open what it needs and would write no more.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::store;

/// The kernel gives no process more, whatever its limit says (`fs.nr_open`).
const MOST: u64 = 1 << 20;

/// For logs, listeners, certificates and runtimes, and for what the store opens beside its tables.
const RESERVE: u64 = 256;

/// Raises the limit as far as it goes. To be called before a store is opened, which takes its share of it.
pub(super) fn raise_limit() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let highest = maximum.unwrap_or(MOST).min(MOST);
    if current.is_some_and(|current| current < highest) {
        // If it cannot be raised, fewer connections are taken.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(highest), maximum });
    }
}

/// How many connections there may be at once, and a warning if these are fewer than are wanted.
pub(super) fn connections(wanted: usize) -> (usize, Option<String>) {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let left = usize::try_from(left_by(limit, store::open_files())).unwrap_or(usize::MAX);
    if wanted <= left {
        return (wanted, None);
    }
    let warning = format!(
        "this process may open {limit} files, which is enough for {left} connections at once and not for {wanted}, as \
         limits.connections says; raise LimitNOFILE= of the service (systemd) or `ulimit -n`"
    );
    (left, Some(warning))
}

/// What a limit leaves for connections, which is a quarter of it at least.
fn left_by(limit: u64, store: u64) -> u64 {
    limit.saturating_sub(store).saturating_sub(RESERVE.min(limit / 4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_the_store_its_share() {
        assert_eq!(left_by(100_000, 1024), 98_720);
        assert_eq!(left_by(1024, 512), 256);
        assert_eq!(left_by(64, 32), 16);
        assert_eq!(left_by(0, 0), 0);
    }

    #[test]
    fn who_wants_fewer_gets_them() {
        assert_eq!(connections(1), (1, None));
        let (fewer, warning) = connections(usize::MAX);
        assert!(fewer > 1);
        assert!(warning.unwrap().contains(&format!("enough for {fewer} connections")));
    }
}
