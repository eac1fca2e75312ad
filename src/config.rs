//! The configuration file: read as it is written, then made into each module's own settings.
//!
//! What is wrong is told with its key and line, all of it at once, and nothing is in force until everything is right.

mod access;
mod additions;
mod fault;
mod heading;
mod integrity;
mod judged;
mod mapping;
mod raw;
pub mod reach;
mod resolve;
mod waiting;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use additions::Additions;
pub use fault::{ConfigError, Fault, ServicesError};
pub use integrity::IntegrityText;
use judged::Names;

use crate::access::assertion::{Assertion, AssertionText};
use crate::access::{RuleBook, RuleText, Rules};
use crate::directory::schema::{AttributeSet, AttributeTypeId, Extension, Schema, SchemaBuilder, SchemaError};
use crate::operations::context::{AddedPassword, AnonymousBind, ExpiredChange};
use crate::operations::identity_map::MappingText;
use crate::operations::journal::Journal;
use crate::operations::{Configured, IdentityMap, Limits, Services};
use crate::password::meter::radar::Thresholds;
use crate::password::quality::BreachList;
use crate::password::scheme::NewScheme;
use crate::password::{Meter, StoredPassword};
use crate::server::Settings;
use crate::server::breach_file::BreachFile;
use crate::server::tls::TlsFiles;
use crate::store::{IndexedAttribute, OpenError};

/// A configuration in which nothing is wrong.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file that it was read from.
    pub path: PathBuf,
    /// The names below which entries are kept.
    pub suffixes: Vec<String>,
    /// The folder of the store.
    pub data: PathBuf,
    /// Schema files of the site's own, name and text.
    pub schema_files: Vec<(String, String)>,
    /// Which attributes are indexed; absent for the usual ones.
    pub indexes: Option<Vec<IndexedAttribute>>,
    /// Memory for the store, in octets.
    pub cache_octets: usize,
    /// What the server is told.
    pub server: Settings,
    /// Where certificate and key are; absent for no TLS.
    pub tls: Option<TlsFiles>,
    /// Who may do what.
    pub rules: Vec<RuleText>,
    /// What rules must never grant.
    pub assertions: Vec<AssertionText>,
    /// Who is whom by other names.
    pub mappings: Vec<MappingText>,
    /// What holds between entries.
    pub integrity: IntegrityText,
    /// Where to ask for what is below none of the suffixes, as LDAP URLs.
    pub referrals: Vec<String>,
    /// Other servers that hold the same, as LDAP URLs.
    pub alt_servers: Vec<String>,
    /// Bounds on operations.
    pub limits: Limits,
    /// What new passwords are kept as.
    pub new_passwords: NewScheme,
    /// How exactly the time of the last successful bind is kept.
    pub last_success_precision: Duration,
    /// Where lost passwords are recovered.
    pub recovery_attributes: Vec<String>,
    /// Whether somebody may go on without authenticating.
    pub anonymous: AnonymousBind,
    /// Whether the owner of an expired password may change it unbound.
    pub expired_change: ExpiredChange,
    /// What a password is that is added to an entry that has one.
    pub added_password: AddedPassword,
    /// From when on many wrong passwords are an attack.
    pub spray: Thresholds,
    /// Passwords that are publicly known; absent if there is no list of them.
    pub breached: Option<Arc<BreachFile>>,
    /// What is logged and how.
    pub log: LogSettings,
    /// What the administrator should know at every start.
    pub warnings: Vec<String>,
    /// Where in the file stands what names something of the schema.
    pub(crate) names: Arc<Names>,
}

/// What is logged and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogSettings {
    /// How much.
    pub level: String,
    /// In which form.
    pub format: LogFormat,
}

/// The form of log lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

impl Config {
    /// Reads and checks a file. What it names may be defined in its store, by clients.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        Self::parse(path, &text_of(path)?)
    }

    /// The same beside the open store, whose schema clients have extended by this.
    pub fn read_for(path: &Path, extension: &Extension) -> Result<Self, ConfigError> {
        Self::parse_with(path, &text_of(path)?, Additions::Known(extension))
    }

    /// The same before these definitions come into its store: what it names may be among them.
    pub fn read_before(path: &Path, coming: &Extension) -> Result<Self, ConfigError> {
        Self::parse_with(path, &text_of(path)?, Additions::Coming(coming))
    }

    /// Checks the text of a file; relative paths in it begin where the file is.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        Self::parse_with(path, text, Additions::InStore)
    }

    fn parse_with(path: &Path, text: &str, additions: Additions<'_>) -> Result<Self, ConfigError> {
        let faults = |faults| ConfigError::Faults { path: path.to_owned(), faults };
        let raw = raw::parse(text).map_err(faults)?;
        resolve::resolve(path, text, raw, additions).map_err(faults)
    }

    /// Builds the schema, with the numbers that attribute types have had in a store.
    pub fn build_schema(&self, numbering: Vec<(String, AttributeTypeId)>) -> Result<Schema, SchemaError> {
        let mut builder = SchemaBuilder::new().with_numbering(numbering).add_standard()?;
        for (name, text) in &self.schema_files {
            builder = builder.add_foreign(name, text)?;
        }
        builder.build()
    }

    /// What clients have added to the schema and what the configuration defines; absent if there is no store yet.
    pub fn stored_schema(&self) -> Result<Option<Arc<Schema>>, OpenError> {
        additions::stored(self)
    }

    /// Makes what operations share ready for another schema, which clients have made of the one before.
    pub fn services_for(&self, schema: &Schema, before: &Services) -> Result<Services, ServicesError> {
        Ok(Services {
            rules: RuleBook::new(Rules::prepare(&self.rules, schema)?, self.limits.rules)
                .withholding(before.rules.withheld().to_vec()),
            assertions: Assertion::prepare_all(&self.assertions, schema)?,
            identities: IdentityMap::prepare(&self.mappings, schema).map_err(|(_, error)| error)?,
            policies: crate::operations::policies::Policies::default(),
            recovery_attributes: self.recovery_attributes(schema),
            integrity: self.integrity.prepare(schema)?,
            meter: Arc::clone(&before.meter),
            journal: Arc::clone(&before.journal),
            reports: Arc::clone(&before.reports),
            monitor: Arc::clone(&before.monitor),
            breached: before.breached.clone(),
            configured: before.configured.clone(),
            fake_salts: before.fake_salts,
            spray: before.spray,
            new_passwords: before.new_passwords,
            no_password: before.no_password.clone(),
            last_success_precision: before.last_success_precision,
            referrals: before.referrals.clone(),
            alt_servers: before.alt_servers.clone(),
            limits: before.limits,
            anonymous: before.anonymous,
            expired_change: before.expired_change,
            added_password: before.added_password,
        })
    }

    /// Where lost passwords are recovered, as far as the schema knows it.
    pub fn recovery_attributes(&self, schema: &Schema) -> AttributeSet {
        self.recovery_attributes.iter().filter_map(|name| Some(schema.find_attribute_type(name)?.id)).collect()
    }

    /// Makes what operations share, with what outlives a reload. The rules are prepared again for the schema that is in
    /// force, and the breach filter is read as a whole, so that none is used that tells the wrong thing.
    pub fn services(
        &self,
        schema: &Schema,
        meter: Arc<Meter>,
        journal: Arc<Journal>,
    ) -> Result<Services, ServicesError> {
        let breached = self.breached.clone();
        breached.as_ref().map_or(Ok(()), |list| list.verify())?;
        let random = &crate::server::random::SystemRandom;
        let nothing = crate::password::generate::password(32, random);
        Ok(Services {
            rules: RuleBook::new(Rules::prepare(&self.rules, schema)?, self.limits.rules),
            assertions: Assertion::prepare_all(&self.assertions, schema)?,
            identities: IdentityMap::prepare(&self.mappings, schema).map_err(|(_, error)| error)?,
            meter,
            journal,
            policies: crate::operations::policies::Policies::default(),
            reports: Arc::new(crate::server::policy_log::PolicyLog),
            monitor: Arc::new(crate::operations::monitor::Unwatched),
            breached: breached.map(|list| list as Arc<dyn BreachList>),
            configured: Some(Arc::new(self.clone())),
            fake_salts: crate::server::fake_salts::read(&self.data),
            spray: self.spray,
            new_passwords: self.new_passwords,
            no_password: StoredPassword::create(&nothing, self.new_passwords, random),
            last_success_precision: self.last_success_precision,
            recovery_attributes: self.recovery_attributes(schema),
            integrity: self.integrity.prepare(schema)?,
            referrals: self.referrals.clone(),
            alt_servers: self.alt_servers.clone(),
            limits: self.limits,
            anonymous: self.anonymous,
            expired_change: self.expired_change,
            added_password: self.added_password,
        })
    }
}

impl Configured for Config {
    fn faults(&self, schema: &Schema) -> Vec<String> {
        judged::faults(self, schema)
    }
}

fn text_of(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(|cause| ConfigError::Unreadable { path: path.to_owned(), cause })
}
