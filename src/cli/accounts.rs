//! Working on a directory as its administrator, without a server.

use std::sync::Arc;

use crate::access::Actor;
use crate::access::circumstances::{Protection, Remote};
use crate::config::Config;
use crate::directory::tree::{CommitError, Directory, Tree};
use crate::directory::{Identity, ResultCode, Timestamp};
use crate::operations::context::Link;
use crate::operations::{Confidentiality, Context, Freedom, Outcome, Proof, Refusal, Requester, Services};
use crate::password::Meter;
use crate::protocol::control::Flags;
use crate::server::Clock;
use crate::server::random::SystemRandom;
use crate::store::Store;

use super::CliError;

/// A store that is worked on by the superuser of this machine: through the same operations as everybody else, so that the
/// same checks hold.
pub(super) struct Workplace<'s> {
    store: &'s Store,
    services: Services,
    requester: Requester,
    clock: Clock,
}

impl<'s> Workplace<'s> {
    pub(super) fn new(store: &'s Store, config: &Config) -> Result<Self, CliError> {
        let view = store.view();
        let services = config
            .services(view.schema(), Arc::new(Meter::new([0; 16])), Arc::default())
            .map_err(|error| CliError::Message(error.to_string()))?;
        let requester = Requester {
            identity: Identity::LocalRoot,
            freedom: Freedom::Full,
            proof: Proof::Connection,
            confidentiality: Confidentiality::Protected,
            proxied_by: None,
            proven_by: None,
            external: None,
            channel: None,
            link: Link { remote: Some(Remote::Local), protection: Some(Protection::Local) },
            source: "local".into(),
        };
        Ok(Self { store, services, requester, clock: Clock::starting_at(view.csn().time) })
    }

    /// The time.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Does one operation and makes its change.
    pub(super) fn perform(
        &self,
        what: &str,
        operation: impl Fn(&Context<'_>) -> Result<Outcome, Refusal>,
    ) -> Result<Outcome, CliError> {
        let mut outcome = self.plan(what, &self.store.view(), operation)?;
        let failed = |error: CommitError| CliError::Message(format!("{what}: {error}"));
        self.store.commit(std::mem::take(&mut outcome.change)).map_err(failed)?;
        Ok(outcome)
    }

    /// Finds out what one operation would change in a directory.
    pub(super) fn plan(
        &self,
        what: &str,
        tree: &dyn Tree,
        operation: impl Fn(&Context<'_>) -> Result<Outcome, Refusal>,
    ) -> Result<Outcome, CliError> {
        let failed = |reason: String| CliError::Message(format!("{what}: {reason}"));
        let identity = self.requester.identity.clone();
        let now = self.clock.now();
        let rules = self.services.rules.in_force(tree).map_err(|error| failed(error.to_string()))?;
        let actor = Actor::find(identity, &self.requester.circumstances(now), &rules.rules, tree)
            .map_err(|error| failed(error.to_string()))?;
        let ctx = Context {
            tree,
            services: &self.services,
            requester: &self.requester,
            rules: &rules.rules,
            actor: &actor,
            now,
            random: &SystemRandom,
            flags: Flags::default(),
            wishes: None,
        };
        let outcome = operation(&ctx).map_err(|refusal| failed(refusal.to_string()))?;
        if outcome.response.result.code != ResultCode::Success {
            return Err(failed(outcome.response.result.diagnostic_message));
        }
        Ok(outcome)
    }
}
