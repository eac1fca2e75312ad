//! The command line: what a person or a script can ask of the program.
//!
//! Secrets never come from the arguments, which everybody on the machine can see, but from files, standard input or a
//! prompt. What goes wrong is told in one sentence on standard error, and the exit status is not 0.

mod accounts;
mod assertions;
mod backup;
mod breach;
mod certificates;
mod changes;
mod check;
mod events;
mod example;
mod explain;
mod export;
mod files;
mod follow;
mod hash_password;
mod import;
mod init;
mod json;
mod log;
mod log_line;
mod manual;
mod open_files;
mod output;
mod policy;
mod recover_admin;
mod reload;
mod rule_names;
mod serve;
mod supervisor;
mod token;
mod uid;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use rustix::fs::Mode;

use crate::config::{Config, ConfigError};
use crate::store::{Existence, OpenError, OpenOptions, Store};

/// An LDAP directory server whose heart is the password.
#[derive(Debug, Parser)]
#[command(name = "keystead", version, about, long_about = None)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a new directory: its folder, its configuration, its administrator.
    Init(init::InitArgs),
    /// Serve the directory.
    Serve(serve::ServeArgs),
    /// Check a configuration file; every mistake is told with its key and line.
    Check(ConfigArgs),
    /// Load an LDIF file into a directory that no server is using.
    Import(import::ImportArgs),
    /// Write the directory as LDIF (RFC 2849), with operational attributes and password hashes.
    Export(export::ExportArgs),
    /// Copy the directory as it is at this moment, also while it is served, with all that has happened in it.
    Backup(backup::BackupArgs),
    /// Put such a copy in the place of a store that is lost.
    Restore(backup::RestoreArgs),
    /// Look whether everything in the store fits together; nothing is changed.
    Verify(verify::VerifyArgs),
    /// Read what has happened to passwords: changed, reset, locked, refused, by whom and from where.
    Events(events::EventsArgs),
    /// Read what has been changed in the directory, as LDIF without secrets.
    Changes(changes::ChangesArgs),
    /// Ask who may do what, and which password policy holds for whom.
    Explain(explain::ExplainArgs),
    /// Tell what would become of a password policy before it is in force.
    Policy(policy::PolicyArgs),
    /// Hash a password as the configuration says, for an import.
    HashPassword(hash_password::HashPasswordArgs),
    /// Make the secret of a token, for codes behind the password.
    Token(token::TokenArgs),
    /// Make and ask a filter of passwords that are publicly known, which no new password may be.
    Breach(breach::BreachArgs),
    /// Write man pages and completions for shells.
    Manual(manual::ManualArgs),
    /// Give an administrator a new password when nobody has one; the server must be stopped.
    RecoverAdmin(recover_admin::RecoverAdminArgs),
}

/// The configuration file.
#[derive(Debug, Args)]
struct ConfigArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
enum CliError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The store cannot be opened.
    #[error("{}", explain_open(.0))]
    Open(#[from] OpenError),
    /// A file cannot be read or written.
    #[error("{path}: {cause}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        cause: std::io::Error,
    },
    /// A password is publicly known, which was asked.
    #[error("this password is publicly known")]
    Listed,
    /// What was to be found out was not, as a whole.
    #[error("{0}")]
    Incomplete(String),
    /// Anything else, in a sentence.
    #[error("{0}")]
    Message(String),
}

/// RocksDB's own words for a locked folder help nobody.
fn explain_open(error: &OpenError) -> String {
    let text = error.to_string();
    if text.contains("LOCK") || text.contains("lock ") {
        return match error {
            OpenError::Engine { path, .. } => {
                format!("{} is in use by a running server; stop it first", path.display())
            }
            _ => text,
        };
    }
    text
}

/// Runs the command that the arguments name.
pub fn main() -> ExitCode {
    // Whatever is written may hold hashes. What others are to read is opened to them by name.
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    let result = match Cli::parse().command {
        Command::Init(args) => init::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Import(args) => import::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Backup(args) => backup::back_up(&args),
        Command::Restore(args) => backup::restore(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Events(args) => events::run(&args),
        Command::Changes(args) => changes::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Policy(args) => policy::run(&args),
        Command::HashPassword(args) => hash_password::run(&args),
        Command::Token(args) => token::run(&args),
        Command::Breach(args) => breach::run(&args),
        Command::Manual(args) => manual::run(&args),
        Command::RecoverAdmin(args) => recover_admin::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::complain(&error.to_string());
            match error {
                CliError::Incomplete(_) => ExitCode::from(3),
                CliError::Listed => ExitCode::from(4),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

/// Opens the store that a configuration names.
fn open_store(config: &Config, existence: Existence) -> Result<Store, CliError> {
    let schema = |numbering| config.build_schema(numbering);
    Ok(Store::open(&open_options(config, existence, &schema))?)
}

/// Tells whoever runs a command how others can get at the store.
fn complain_of_access(config: &Config) {
    for warning in files::access_by_others(&config.data) {
        output::complain(&format!("warning: {warning}"));
    }
}

fn open_options<'a>(config: &'a Config, existence: Existence, schema: &'a SchemaOf<'a>) -> OpenOptions<'a> {
    OpenOptions {
        path: &config.data,
        existence,
        suffixes: &config.suffixes,
        indexes: config.indexes.as_deref(),
        cache_octets: config.cache_octets,
        now: crate::server::Clock::default().now(),
        schema,
    }
}

type SchemaOf<'a> = dyn Fn(
        Vec<(String, crate::directory::AttributeTypeId)>,
    ) -> Result<crate::directory::Schema, crate::directory::schema::SchemaError>
    + 'a;
