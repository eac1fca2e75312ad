//! What all connections share.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::access::Rules;
use crate::access::withheld::Withheld;
use crate::directory::tree::{Directory, Tree, TreeError, Version};
use crate::directory::{Schema, Timestamp};
use crate::operations::Services;
use crate::store::{Store, View};

use super::background::Bell;
use super::clock::Clock;
use super::counting::Locks;
use super::lanes::Lane;
use super::monitor::{Register, Seen, Tally, Watching};
use super::settings::Settings;
use super::tls::ReadyTls;

/// Makes services ready for another schema; the error is for the log.
pub type Refit = Box<dyn Fn(&Schema, &Services) -> Result<Services, String> + Send + Sync>;

/// For which schema the services have been made ready, and how that is done.
struct Fitting {
    schema: ArcSwap<Schema>,
    /// Held while services are replaced.
    refit: Mutex<Refit>,
}

impl std::fmt::Debug for Fitting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fitting")
    }
}

/// What all connections share.
#[derive(Debug)]
pub struct Shared {
    /// The directory.
    pub store: Store,
    /// The rules, the policies, the meter: replaced as a whole when the configuration is read again, or the schema changes.
    pub services: ArcSwap<Services>,
    fitting: Fitting,
    /// The certificate, likewise; none where TLS is not set up.
    pub tls: ArcSwapOption<ReadyTls>,
    /// The time.
    pub clock: Clock,
    /// Stops the server.
    pub stop: CancellationToken,
    /// Hears of each commit.
    pub(super) commits: watch::Receiver<()>,
    pub(super) settings: Settings,
    pub(super) hashing: Lane,
    pub(super) scans: Lane,
    pub(super) connections: Connections,
    /// The locks by wrong passwords that are to be written before they are told.
    pub(super) locks: Locks,
    /// What has been counted, by each worker.
    pub(super) tallies: Box<[Arc<Tally>]>,
    /// When the server was started, and the last commit before.
    pub(super) started: Timestamp,
    pub(super) first_version: Version,
    /// Calls for another look whether all that is asserted holds.
    pub(super) proving: Arc<Bell>,
    /// Up to which moment it has been told which access rules of the tree are suspended.
    told_of_rules: AtomicU64,
}

/// So many searches may wait for the lane where many entries are looked at.
pub(super) const SCAN_QUEUE: usize = 10_000;

impl Shared {
    /// Brings together what a server needs.
    pub fn new(
        store: Store,
        services: Services,
        refit: Refit,
        tls: Option<Arc<ReadyTls>>,
        settings: Settings,
    ) -> Arc<Self> {
        let view = store.view();
        let fitting = Fitting { schema: ArcSwap::new(Arc::clone(view.schema())), refit: Mutex::new(refit) };
        let clock = Clock::starting_at(view.csn().time);
        let hashing = Lane::start("hashing", settings.hashing_threads, settings.hashing_queue);
        let scans = Lane::start("scan", settings.workers, SCAN_QUEUE);
        let (announce, commits) = watch::channel(());
        store.announce_commits(move || announce.send_replace(()));
        Arc::new_cyclic(|shared| Self {
            started: clock.now(),
            clock,
            first_version: view.version(),
            store,
            services: ArcSwap::from_pointee(Services { monitor: Arc::new(Watching(shared.clone())), ..services }),
            fitting,
            tallies: Tally::for_workers(settings.workers),
            tls: ArcSwapOption::new(tls),
            stop: CancellationToken::new(),
            commits,
            settings,
            hashing,
            scans,
            connections: Connections::default(),
            locks: Locks::default(),
            proving: Arc::default(),
            told_of_rules: AtomicU64::new(0),
        })
    }

    /// The directory as it is now, and services that fit its schema.
    pub(super) fn now(&self) -> (Arc<View>, Arc<Services>) {
        let view = self.store.view();
        if Arc::ptr_eq(&self.fitting.schema.load(), view.schema()) {
            return (view, self.services.load_full());
        }
        self.refit();
        // If the schema has changed again by now, they are of a moment ago, which can only grant less.
        (self.store.view(), self.services.load_full())
    }

    /// Makes the services ready for a schema that clients have changed.
    fn refit(&self) {
        let refit = self.fitting.refit.lock().unwrap_or_else(PoisonError::into_inner);
        let view = self.store.view();
        if Arc::ptr_eq(&self.fitting.schema.load(), view.schema()) {
            return;
        }
        match refit(view.schema(), &self.services.load()) {
            Ok(services) => self.services.store(Arc::new(services)),
            Err(error) => {
                tracing::error!(%error, "the configuration does not fit the new schema; what is new is not in it");
            }
        }
        self.fitting.schema.store(Arc::clone(view.schema()));
        drop(refit);
    }

    /// Takes other services into use, which were made ready for that schema.
    pub fn replace_services(&self, services: Services, schema: &Arc<Schema>, refit: Refit) {
        let mut current = self.fitting.refit.lock().unwrap_or_else(PoisonError::into_inner);
        *current = refit;
        self.services.store(Arc::new(services));
        self.fitting.schema.store(Arc::clone(schema));
        drop(current);
    }

    /// Has these rules grant nothing, and all others be in force, unless there are other services by now.
    pub(super) fn withhold(&self, of: &Arc<Services>, withheld: Vec<Withheld>) -> bool {
        let fitting = self.fitting.refit.lock().unwrap_or_else(PoisonError::into_inner);
        let are_same = Arc::ptr_eq(&self.services.load(), of);
        if are_same {
            self.services.store(Arc::new(of.with_rules(of.rules.withholding(withheld))));
        }
        drop(fitting);
        are_same
    }

    /// The access rules in force. Which of those in the tree are not is told once for each change.
    pub(super) fn rules_in_force(&self, services: &Services, view: &Arc<View>) -> Result<Arc<Rules>, TreeError> {
        let in_force = services.rules.in_force(view)?;
        let version = view.membership_version();
        if !in_force.suspended.is_empty() && self.told_of_rules.fetch_max(version, Ordering::Relaxed) < version {
            for suspended in &in_force.suspended {
                tracing::warn!(target: "access", "{suspended}");
            }
        }
        Ok(Arc::clone(&in_force.rules))
    }
}

/// The connections that are open.
#[derive(Debug, Default)]
pub(super) struct Connections {
    opened: AtomicU64,
    open: AtomicUsize,
    by_address: Mutex<HashMap<IpAddr, usize>>,
    pub(super) register: Register,
}

impl Connections {
    /// How many are open, and how many were opened.
    pub(super) fn counted(&self) -> (u64, u64) {
        (self.open.load(Ordering::Relaxed) as u64, self.opened.load(Ordering::Relaxed))
    }
}

/// A place among the connections, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    shared: Arc<Shared>,
    address: Option<IpAddr>,
    /// The number of the connection, for logs.
    pub(super) number: u64,
    /// The connection, as others see it.
    pub(super) seen: Arc<Seen>,
}

impl Place {
    /// Takes a place, unless there are too many connections, or too many from that address.
    pub(super) fn take(shared: &Arc<Shared>, address: Option<IpAddr>) -> Option<Self> {
        let limits = shared.settings.connections;
        let connections = &shared.connections;
        if connections.open.fetch_add(1, Ordering::Relaxed) >= limits.total {
            connections.open.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        let number = connections.opened.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(address) = address {
            let mut by_address = connections.by_address.lock().unwrap_or_else(PoisonError::into_inner);
            let count = by_address.entry(address).or_default();
            if *count >= limits.per_address {
                drop(by_address);
                connections.open.fetch_sub(1, Ordering::Relaxed);
                return None;
            }
            *count += 1;
            drop(by_address);
        }
        let from = address.map_or_else(|| "local".to_owned(), |address| address.to_canonical().to_string());
        let seen = connections.register.enter(number, from, shared.clock.now());
        Some(Self { shared: Arc::clone(shared), address, number, seen })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let connections = &self.shared.connections;
        connections.register.leave(self.number);
        connections.open.fetch_sub(1, Ordering::Relaxed);
        let Some(address) = self.address else { return };
        let mut by_address = connections.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = by_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                by_address.remove(&address);
            }
        }
        drop(by_address);
    }
}
