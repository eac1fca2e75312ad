//! `keystead serve`

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::{CliError, assertions, files, log, open_files, open_store, output, reload, rule_names, supervisor};
use crate::config::Config;
use crate::directory::Randomness;
use crate::directory::tree::{Directory, Tree};
use crate::operations::Services;
use crate::operations::policies::unheeded;
use crate::password::Meter;
use crate::server::random::SystemRandom;
use crate::server::{Bound, Server, Shared, fake_salts, tell_withheld};
use crate::store::Existence;

#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Print commands to try, for a directory made by `keystead init --example`.
    #[arg(long)]
    show_examples: bool,
}

pub(super) fn run(args: &ServeArgs) -> Result<(), CliError> {
    let written = Config::read(&args.config)?;
    let mut config = written.clone();
    let (_written_at_the_end, log_level) = log::start(&config.log);
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    open_files::raise_limit();
    let store = open_store(&config, Existence::Required)?;
    limit_connections(&mut config);
    for warning in files::access_by_others(&config.data) {
        tracing::warn!("{warning}");
    }
    if let Err(error) = fake_salts::keep(&config.data) {
        tracing::warn!(%error, "what SCRAM shows for names without keys will be something else after a restart");
    }
    let mut key = [0; 16];
    SystemRandom.fill(&mut key);
    let services = config
        .services(store.view().schema(), Arc::new(Meter::new(key)), Arc::default())
        .map_err(|error| CliError::Message(error.to_string()))?;
    let unheeded = unheeded(&store.view()).map_err(|error| CliError::Message(error.to_string()))?;
    for warning in unheeded {
        tracing::warn!("{warning}");
    }
    let in_force = services.rules.in_force(&store.view()).map_err(|error| CliError::Message(error.to_string()))?;
    let tell = |told: &str| tracing::warn!(target: "access", "{told}");
    rule_names::require(&in_force.rules, &store.view(), &tell)?;
    let withheld = assertions::withheld_at_start(&services.rules, &services.assertions, &store.view(), &tell)?;
    tell_withheld(&withheld);
    let services = Services { rules: services.rules.withholding(withheld), ..services };
    let tls = match &config.tls {
        Some(files) => Some(files.load().map_err(|error| CliError::Message(error.to_string()))?),
        None => None,
    };
    let shared = Shared::new(store, services, reload::refit(config.clone()), tls, config.server.clone());
    let server =
        Server::open(Arc::clone(&shared), &config.server).map_err(|error| CliError::Message(error.to_string()))?;
    reload::watch(&shared, written, log_level);
    let bound = server.bound();
    for one in &bound {
        output::say(&format!("Listening on {}", one.url));
    }
    supervisor::tell_ready(&bound);
    if args.show_examples {
        show_examples(&config, &bound);
    }
    server.run();
    tracing::info!("stopped");
    Ok(())
}

fn limit_connections(config: &mut Config) {
    let limits = &mut config.server.connections;
    let (total, warning) = open_files::connections(limits.total);
    limits.total = total;
    if let Some(warning) = warning {
        tracing::warn!("{warning}");
    }
}

/// Lines that work as they stand when they are pasted into another terminal.
fn show_examples(config: &Config, bound: &[Bound]) {
    let folder = config.path.parent().unwrap_or_else(|| Path::new("."));
    let suffix = config.suffixes.first().map_or("", String::as_str);
    let Some(tls) = &config.tls else { return };
    let ca = tls.certificate.with_file_name("ca.crt");
    let port = bound.iter().filter(|one| one.url.starts_with("ldaps")).find_map(|one| one.address).map(|a| a.port());
    let Some(port) = port else { return };
    let password = folder.join("admin-password");
    let common = format!("-x -H ldaps://localhost:{port} -D cn=admin,{suffix} -y {}", password.display());
    let environment = format!("LDAPTLS_CACERT={}", ca.display());
    output::say("");
    output::say(&format!("Administrator: cn=admin,{suffix}"));
    if let Ok(secret) = std::fs::read_to_string(&password) {
        output::say(&format!("Password:      {secret}   (also in {})", password.display()));
    }
    output::say(&format!("Other people's passwords are in {}", folder.join("example-passwords").display()));
    output::say("");
    output::say("Find Alice:");
    output::say(&format!("  {environment} ldapsearch {common} -b {suffix} '(uid=alice)'"));
    output::say("Give Bob a new password, which the server makes:");
    output::say(&format!("  {environment} ldappasswd {common} uid=bob,ou=people,{suffix}"));
    output::say("");
    output::say("Stop with Ctrl-C; everything is kept.");
}
