//! `keystead explain`: answers about the directory as it is, also while a server is using it.

mod access;
mod circumstances;
mod login;
mod paths;
mod policy;
mod rules;
mod schemes;
mod told;

use std::path::Path;
use std::sync::Arc;

use clap::{Args, Subcommand};

use super::uid::{entry_of_uid, is_uid};
use super::{CliError, open_store, output};
use crate::access::assertion::Assertion;
use crate::access::{RuleBook, Rules};
use crate::config::Config;
use crate::directory::Dn;
use crate::directory::tree::{Directory, Node, Tree, TreeError};
use crate::server::Clock;
use crate::store::{Existence, View};

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    #[command(subcommand)]
    question: Question,
}

#[derive(Debug, Subcommand)]
enum Question {
    /// May somebody do something, and by which rule; who may do it; to whom may somebody do it.
    Access(access::AccessArgs),
    /// Can somebody log in, and why not.
    Login(login::LoginArgs),
    /// In which ways somebody could become an administrator.
    Paths(paths::PathsArgs),
    /// Which password policy governs an entry, and what each of its settings comes to.
    Policy(policy::PolicyArgs),
    /// Which rules begin or end at some time, and which are over.
    Rules(rules::RulesArgs),
    /// How many passwords are kept by which scheme and at what cost, without anybody reading a hash.
    Schemes(schemes::SchemesArgs),
}

pub(super) fn run(args: &ExplainArgs) -> Result<(), CliError> {
    match &args.question {
        Question::Access(args) => access::run(args),
        Question::Login(args) => login::run(args),
        Question::Paths(args) => paths::run(args),
        Question::Policy(args) => policy::run(args),
        Question::Rules(args) => rules::run(args),
        Question::Schemes(args) => schemes::run(args),
    }
}

/// The directory that is asked about.
struct Subject {
    config: Config,
    view: Arc<View>,
    rules: Arc<Rules>,
}

impl Subject {
    fn open(config: &Path) -> Result<Self, CliError> {
        let config = Config::read(config)?;
        let view = open_store(&config, Existence::ReadOnly)?.view();
        let file =
            Rules::prepare(&config.rules, view.schema()).map_err(|error| CliError::Message(error.to_string()))?;
        let assertions = Assertion::prepare_all(&config.assertions, view.schema())
            .map_err(|error| CliError::Message(error.to_string()))?;
        let book = RuleBook::new(file, config.limits.rules);
        let withheld = book.to_withhold(&assertions, Clock::default().now(), &view);
        let withheld = withheld.map_err(|error| unreadable(&error))?;
        for one in &withheld {
            output::complain(&one.to_string());
        }
        let in_force = book.withholding(withheld).in_force(&view).map_err(|error| unreadable(&error))?;
        for suspended in &in_force.suspended {
            output::complain(&suspended.to_string());
        }
        let rules = Arc::clone(&in_force.rules);
        Ok(Self { config, view, rules })
    }

    /// The entry that somebody means by a distinguished name or a uid.
    fn find(&self, name: &str) -> Result<(Node, Arc<Dn>), CliError> {
        let id = match Dn::parse(self.view.schema(), name) {
            Ok(dn) => self.view.find(&dn).map_err(|error| unreadable(&error))?.entry(),
            Err(_) if is_uid(name) => entry_of_uid(name, &self.view)?,
            Err(error) => return Err(CliError::Message(format!("{name:?}: {error}"))),
        };
        let missing = || CliError::Message(format!("there is no entry {name:?}"));
        let id = id.ok_or_else(missing)?;
        let node = self.view.node(id).map_err(|error| unreadable(&error))?.ok_or_else(missing)?;
        let dn = self.view.dn(id).map_err(|error| unreadable(&error))?.ok_or_else(missing)?;
        Ok((node, dn))
    }

    /// The name, if somebody means an entry that is not there by it.
    fn missing(&self, name: &str) -> Result<Option<Dn>, CliError> {
        let Ok(dn) = Dn::parse(self.view.schema(), name) else { return Ok(None) };
        let found = self.view.find(&dn).map_err(|error| unreadable(&error))?.entry();
        Ok(found.is_none().then_some(dn))
    }
}

fn unreadable(error: &TreeError) -> CliError {
    CliError::Message(format!("the store cannot be read: {error}"))
}
