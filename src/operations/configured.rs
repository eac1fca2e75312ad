//! What the configuration names of the schema.

use std::fmt::Debug;

use crate::directory::Schema;

/// A configuration that names attributes and classes.
pub trait Configured: Debug + Send + Sync {
    /// What of it makes no sense by this schema, each with its key and where it stands.
    fn faults(&self, schema: &Schema) -> Vec<String>;
}
