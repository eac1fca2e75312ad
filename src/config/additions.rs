//! What clients have added to the schema (RFC 4512 §4.4), which a configuration may name.

use std::sync::Arc;

use super::Config;
use crate::directory::Schema;
use crate::directory::schema::Extension;
use crate::directory::tree::{Directory, Tree};
use crate::server::Clock;
use crate::store::{Existence, OpenError, OpenOptions, Store};

/// Where it is known what clients have added to the schema.
#[derive(Clone, Copy, Debug)]
pub(super) enum Additions<'a> {
    /// In the store, which is opened to look if the configuration names something that it does not define itself.
    InStore,
    /// Here: the store is open.
    Known(&'a Extension),
    /// In the store, and in a file that is about to be imported.
    Coming(&'a Extension),
}

/// So much memory is enough to read what is in the store of its schema, in octets.
const CACHE: usize = 8 << 20;

impl Additions<'_> {
    /// What a configuration defines and what clients have added to that; absent if there is no store yet.
    pub(super) fn to(self, configured: &Schema, config: &Config) -> Result<Option<Arc<Schema>>, OpenError> {
        match self {
            Self::InStore => stored(config),
            Self::Known(extension) => {
                Ok(Some(Arc::new(configured.extended(extension.clone().without_defined(configured))?)))
            }
            Self::Coming(extension) => {
                let stored = stored(config)?;
                let before = stored.as_deref().unwrap_or(configured);
                Ok(Some(Arc::new(before.extended(before.with_additions(extension)?)?)))
            }
        }
    }
}

/// The schema of the store, which may be in use by another process meanwhile.
pub(super) fn stored(config: &Config) -> Result<Option<Arc<Schema>>, OpenError> {
    let options = OpenOptions {
        path: &config.data,
        existence: Existence::ReadOnly,
        suffixes: &[],
        indexes: None,
        cache_octets: CACHE,
        now: Clock::default().now(),
        schema: &|numbering| config.build_schema(numbering),
    };
    match Store::open(&options) {
        Ok(store) => Ok(Some(Arc::clone(store.view().schema()))),
        Err(OpenError::Missing(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
