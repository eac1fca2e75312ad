//! Signals, and files that change while the server runs.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{CliError, assertions, log, rule_names};
use crate::config::Config;
use crate::directory::tree::{Directory, Tree};
use crate::operations::Services;
use crate::server::tls::TlsFiles;
use crate::server::{Refit, Shared, tell_withheld};

/// How often the certificate's files are looked at.
const WATCH: Duration = Duration::from_secs(5);

/// Waits for signals until the server stops: SIGTERM and SIGINT stop it, SIGHUP has it read its configuration again.
/// `started` is the file with which it was started.
pub(super) fn watch(shared: &Arc<Shared>, started: Config, log_level: log::Level) {
    let watcher = Watcher {
        shared: Arc::clone(shared),
        log_level,
        changed: started.tls.as_ref().and_then(TlsFiles::changed),
        tls: started.tls.clone(),
        told: started.warnings.clone(),
        started,
    };
    let built = tokio::runtime::Builder::new_current_thread().enable_all().build();
    // From here on a signal no longer ends the process by itself, before anybody is told that the server listens.
    let heard = built.and_then(|runtime| {
        let signals = runtime.block_on(async { Signals::listen() })?;
        Ok((runtime, signals))
    });
    let run = move || match heard {
        Ok((runtime, signals)) => runtime.block_on(watcher.run(signals)),
        Err(error) => tracing::error!(%error, "signals are not heard"),
    };
    // Without this thread nobody could stop the server but by killing it, which is safe as well.
    let _ = std::thread::Builder::new().name("signals".to_owned()).spawn(run);
}

struct Watcher {
    shared: Arc<Shared>,
    started: Config,
    log_level: log::Level,
    /// Of what the configuration was warned about.
    told: Vec<String>,
    tls: Option<TlsFiles>,
    changed: Option<Vec<SystemTime>>,
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }
}

impl Watcher {
    async fn run(mut self, mut signals: Signals) {
        let stop = self.shared.stop.clone();
        loop {
            tokio::select! {
                _ = signals.terminate.recv() => stop.cancel(),
                _ = signals.interrupt.recv() => stop.cancel(),
                _ = signals.hangup.recv() => self.reload(),
                () = stop.cancelled() => return,
                () = tokio::time::sleep(WATCH) => self.renew_certificate(),
            }
        }
    }

    /// Reads the configuration again. A new file in which something is wrong changes nothing.
    fn reload(&mut self) {
        match reload(&self.shared, &self.started.path) {
            Ok(config) => {
                self.log_level.set(&config.log.level);
                tell_reload(&config.waiting(&self.started));
                for warning in config.warnings.iter().filter(|warning| !self.told.contains(warning)) {
                    tracing::warn!("{warning}");
                }
                self.told = config.warnings;
                self.tls = config.tls;
                self.changed = None;
                self.renew_certificate();
            }
            Err(error) => tracing::error!(%error, "the new configuration cannot be used; the old one stays in force"),
        }
    }

    /// Takes the certificate into use if its files have changed.
    fn renew_certificate(&mut self) {
        let Some(files) = &self.tls else { return };
        let changed = files.changed();
        if changed == self.changed || changed.is_none() {
            return;
        }
        match files.load() {
            Ok(ready) => {
                self.shared.tls.store(Some(ready));
                self.changed = changed;
                tracing::info!(certificate = %files.certificate.display(), "the certificate was read");
            }
            // Perhaps only one of the two files has been renewed so far.
            Err(error) => tracing::warn!(%error, "the renewed certificate cannot be used yet"),
        }
    }
}

/// Tells that the configuration was read again, and which keys have to wait.
fn tell_reload(waiting: &[&str]) {
    match waiting {
        [] => tracing::info!("the configuration was read again"),
        [key] => tracing::warn!("the configuration was read again; {key} waits for a restart"),
        keys => tracing::warn!("the configuration was read again; {} wait for a restart", keys.join(", ")),
    }
}

/// How services are made ready for a schema that clients have changed.
pub(super) fn refit(config: Config) -> Refit {
    Box::new(move |schema, before| config.services_for(schema, before).map_err(|error| error.to_string()))
}

fn reload(shared: &Shared, path: &Path) -> Result<Config, CliError> {
    let config = Config::read_for(path, shared.store.view().schema().extension())?;
    let before = shared.services.load();
    let (meter, journal) = (Arc::clone(&before.meter), Arc::clone(&before.journal));
    let view = shared.store.view();
    let services = config.services(view.schema(), meter, journal);
    let services = services.map_err(|error| CliError::Message(error.to_string()))?;
    let services = Services { monitor: Arc::clone(&before.monitor), ..services };
    if let Some(id) = services.integrity.found_by().find(|id| !view.finds_by(*id)) {
        let name = view.schema().attribute_type(id).name();
        return Err(CliError::Message(format!("entries cannot be found by {name} yet; restart to have it indexed")));
    }
    let in_force = services.rules.in_force(&view).map_err(|error| CliError::Message(error.to_string()))?;
    let tell = |told: &str| tracing::warn!(target: "access", "{told}");
    rule_names::require(&in_force.rules, &view, &tell)?;
    let withheld =
        assertions::withheld_anew(&services.rules, &services.assertions, before.rules.withheld(), &view, &tell)?;
    tell_withheld(&withheld);
    let services = Services { rules: services.rules.withholding(withheld), ..services };
    shared.replace_services(services, view.schema(), refit(config.clone()));
    Ok(config)
}
