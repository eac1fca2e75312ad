//! What an operation is given.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use crate::access::assertion::Assertion;
use crate::access::circumstances::{Method, Protection, Remote};
use crate::access::{Actor, Circumstances, RuleBook, Rules, delegated};
use crate::directory::schema::{AttributeSet, Schema};
use crate::directory::tree::Tree;
use crate::directory::{Dn, Identity, Randomness, Timestamp};
use crate::password::Meter;
use crate::password::StoredPassword;
use crate::password::meter::radar::Thresholds;
use crate::password::quality::BreachList;
use crate::password::scheme::NewScheme;
use crate::protocol::control::{Flags, ResetWishes};

use super::channel::ChannelBindings;
use super::configured::Configured;
use super::external::External;
use super::identity_map::IdentityMap;
use super::integrity::Integrity;
use super::journal::Journal;
use super::monitor::Monitor;
use super::policies::Policies;
use super::reports::Reports;

/// Everything that one operation may look at.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The directory as it was when the operation began.
    pub tree: &'a dyn Tree,
    /// What all operations share.
    pub services: &'a Services,
    /// Who asks, and how they are connected.
    pub requester: &'a Requester,
    /// Who may do what: the rules that are in force in the tree.
    pub rules: &'a Rules,
    /// Who asks, with the groups that they are in.
    pub actor: &'a Actor,
    /// The time.
    pub now: Timestamp,
    /// Randomness.
    pub random: &'a dyn Randomness,
    /// The controls without values of the request.
    pub flags: Flags,
    /// What is said beside a new password.
    pub wishes: Option<&'a ResetWishes>,
}

impl Context<'_> {
    /// The schema in force.
    pub fn schema(&self) -> &Schema {
        self.tree.schema()
    }
}

impl std::fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("requester", &self.requester).field("now", &self.now).finish_non_exhaustive()
    }
}

/// What all operations share: made once and replaced as a whole when the configuration changes.
#[derive(Debug)]
pub struct Services {
    /// Who may do what.
    pub rules: RuleBook,
    /// What rules must never grant.
    pub assertions: Vec<Assertion>,
    /// Who is whom, by other names than those of entries.
    pub identities: IdentityMap,
    /// Counts wrong passwords. It outlives the rest.
    pub meter: Arc<Meter>,
    /// What has happened and waits to be written. It outlives the rest as well.
    pub journal: Arc<Journal>,
    /// The password policies.
    pub policies: Policies,
    /// Takes what policies that are only tried out would have done.
    pub reports: Arc<dyn Reports>,
    /// Knows how the server is doing. It outlives the rest as well.
    pub monitor: Arc<dyn Monitor>,
    /// Passwords that are publicly known, which no new one may be.
    pub breached: Option<Arc<dyn BreachList>>,
    /// What new passwords are kept as.
    pub new_passwords: NewScheme,
    /// Takes the place of a password where there is none, so that finding that out takes as long.
    pub no_password: StoredPassword,
    /// What the salts are made of that SCRAM shows for names without keys: known to this server only, and always the same.
    pub fake_salts: [u8; 32],
    /// From when on many wrong passwords are an attack on many accounts.
    pub spray: Thresholds,
    /// What the configuration names of the schema; absent if there is none.
    pub configured: Option<Arc<dyn Configured>>,
    /// How exactly the time of the last successful bind is kept.
    pub last_success_precision: Duration,
    /// Where lost passwords are recovered: to write there is to set the password.
    pub recovery_attributes: AttributeSet,
    /// What holds between entries.
    pub integrity: Integrity,
    /// Where to ask for what is below none of the suffixes, as LDAP URLs.
    pub referrals: Vec<String>,
    /// Other servers that hold the same, as LDAP URLs (RFC 4512 §5.1.2).
    pub alt_servers: Vec<String>,
    /// Bounds on what one operation may ask for.
    pub limits: Limits,
    /// Whether somebody may go on without authenticating.
    pub anonymous: AnonymousBind,
    /// Whether the owner of an expired password may change it without being bound.
    pub expired_change: ExpiredChange,
    /// What a password is that is added to an entry that has one.
    pub added_password: AddedPassword,
}

impl Services {
    /// The same with other rules.
    #[must_use]
    pub fn with_rules(&self, rules: RuleBook) -> Self {
        Self {
            rules,
            assertions: self.assertions.clone(),
            identities: self.identities.clone(),
            meter: Arc::clone(&self.meter),
            journal: Arc::clone(&self.journal),
            policies: Policies::default(),
            reports: Arc::clone(&self.reports),
            monitor: Arc::clone(&self.monitor),
            breached: self.breached.clone(),
            new_passwords: self.new_passwords,
            no_password: self.no_password.clone(),
            fake_salts: self.fake_salts,
            spray: self.spray,
            last_success_precision: self.last_success_precision,
            recovery_attributes: self.recovery_attributes.clone(),
            integrity: self.integrity.clone(),
            referrals: self.referrals.clone(),
            alt_servers: self.alt_servers.clone(),
            limits: self.limits,
            anonymous: self.anonymous,
            expired_change: self.expired_change,
            added_password: self.added_password,
            configured: self.configured.clone(),
        }
    }
}

/// Whether somebody may go on without authenticating.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum AnonymousBind {
    /// They may, and then do what rules grant to anonymous.
    #[default]
    Allowed,
    /// They may not.
    Refused,
}

/// Whether the owner of an expired password may change it without being bound, given the old one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ExpiredChange {
    /// They may.
    #[default]
    Allowed,
    /// They may not.
    Refused,
}

/// What a password is that a modify adds to an entry that has one, as browsers do that see none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum AddedPassword {
    /// One too many (RFC 4511 §4.6).
    #[default]
    Refused,
    /// A new one in the place of the old one.
    Replaces,
}

/// Bounds on what one operation may ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Entries that one search returns.
    pub size: u32,
    /// How long one search takes.
    pub time: Duration,
    /// Entries of one page.
    pub page: u32,
    /// Attributes that a search may list.
    pub attributes: usize,
    /// Entries that one search sorts.
    pub sort: usize,
    /// Entries that one rename gives other names, the one that was named included.
    pub rename: usize,
    /// Entries that go with one tree delete, the one that was named included.
    pub tree_delete: usize,
    /// Octets of one entry.
    pub entry_octets: usize,
    /// Access rules in the tree.
    pub rules: usize,
    /// Of these, those of one author.
    pub rules_per_author: usize,
    /// Steps that it may take to prove that a rule in the tree breaks no assertion: compare
    /// [`Steps`](crate::directory::filter::Steps).
    pub assertion_steps: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            size: 100_000,
            time: Duration::from_secs(60),
            page: 5_000,
            attributes: 1_000,
            sort: 50_000,
            rename: 10_000,
            tree_delete: 10_000,
            entry_octets: 16 << 20,
            rules: delegated::MOST,
            rules_per_author: 200,
            assertion_steps: 10_000_000,
        }
    }
}

/// Whether others can listen in on the connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Confidentiality {
    /// Nobody can: TLS, or a socket of this machine.
    Protected,
    /// Others may: no password may pass.
    Open,
    /// Others may, and the administrator has allowed passwords to pass all the same.
    OpenButTrusted,
}

impl Confidentiality {
    /// Whether a password may pass.
    pub const fn admits_passwords(self) -> bool {
        matches!(self, Self::Protected | Self::OpenButTrusted)
    }
}

/// How much somebody may do, rules aside.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Freedom {
    /// Whatever rules grant.
    #[default]
    Full,
    /// Nothing but change their own password, which somebody else has set.
    PasswordChange,
}

/// What somebody has proven by who they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Proof {
    /// What the connection itself proves, or nothing.
    #[default]
    Connection,
    /// The password that was set at that time, if that is known.
    Password(Option<Timestamp>),
}

/// Who asks, and how they are connected.
#[derive(Clone, Debug)]
pub struct Requester {
    /// Who they are.
    pub identity: Identity,
    /// How much they may do until they have changed their password.
    pub freedom: Freedom,
    /// What they have proven it by.
    pub proof: Proof,
    /// Whether others can listen in.
    pub confidentiality: Confidentiality,
    /// Who has authenticated, where they act as somebody else: for logs, since nothing is decided by it.
    pub proxied_by: Option<Identity>,
    /// What that is proven by, where they act as somebody else: circumstances stay those of whoever has authenticated.
    pub proven_by: Option<Method>,
    /// What their connection proves, for SASL EXTERNAL (RFC 4422 appendix A): the owner of a local socket, or of a client
    /// certificate.
    pub external: Option<External>,
    /// What tells the channel of the connection from every other; absent outside TLS.
    pub channel: Option<Arc<ChannelBindings>>,
    /// What access rules may ask of the connection.
    pub link: Link,
    /// Where they come from, for logs and for counting: an address, or `local`.
    pub source: Arc<str>,
}

/// What access rules may ask of a connection; absent where it is not known.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Link {
    /// Where it comes from.
    pub remote: Option<Remote>,
    /// What keeps others from listening in.
    pub protection: Option<Protection>,
}

impl Requester {
    /// Somebody who has not authenticated.
    pub const fn anonymous(confidentiality: Confidentiality, source: Arc<str>) -> Self {
        Self {
            identity: Identity::Anonymous,
            freedom: Freedom::Full,
            proof: Proof::Connection,
            confidentiality,
            proxied_by: None,
            proven_by: None,
            external: None,
            channel: None,
            link: Link { remote: None, protection: None },
            source,
        }
    }

    /// Who they are, and who acts as them if somebody does: for records.
    pub fn signature(&self) -> String {
        match &self.proxied_by {
            Some(by) => format!("{} by {}", self.identity.name(), by.name()),
            None => self.identity.name().to_owned(),
        }
    }

    /// Whoever they are, and whoever acts as them if somebody does, whatever these are called by now.
    pub fn hands(&self) -> Vec<Uuid> {
        self.identity.uuid().into_iter().chain(self.proxied_by.as_ref().and_then(Identity::uuid)).collect()
    }

    /// What access rules may ask of them but for who they are.
    pub fn circumstances(&self, now: Timestamp) -> Circumstances {
        let own = match (&self.identity, self.proof) {
            (Identity::Anonymous, _) => Method::Anonymous,
            (_, Proof::Password(_)) => Method::Simple,
            (_, Proof::Connection) => Method::External,
        };
        let method = Some(self.proven_by.unwrap_or(own));
        Circumstances { now, remote: self.link.remote, protection: self.link.protection, method }
    }

    /// The same while they try a password.
    pub fn trying_a_password(&self, now: Timestamp) -> Circumstances {
        Circumstances { method: Some(Method::Simple), ..self.circumstances(now) }
    }

    /// The name of the entry that they are, if they are one.
    pub fn dn(&self) -> Option<&Dn> {
        self.identity.dn().map(AsRef::as_ref)
    }
}
