//! What is wrong with a configuration file.

use std::fmt;
use std::path::PathBuf;

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path}: {cause}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        cause: std::io::Error,
    },
    /// It says things that make no sense.
    #[error("{}", show(path, faults))]
    Faults {
        /// The file.
        path: PathBuf,
        /// All of them.
        faults: Vec<Fault>,
    },
}

/// Why what operations share cannot be made of a configuration.
#[derive(Debug, thiserror::Error)]
pub enum ServicesError {
    /// A rule does not fit the schema that is in force.
    #[error(transparent)]
    Rule(#[from] crate::access::RuleError),
    /// A mapping does not fit it.
    #[error("map: {0}")]
    Mapping(#[from] crate::operations::identity_map::MappingError),
    /// What is to hold between entries does not fit it.
    #[error(transparent)]
    Integrity(#[from] crate::operations::integrity::IntegrityError),
    /// The breach filter cannot be used.
    #[error("password.breach_filter: {0}")]
    BreachFilter(#[from] crate::server::breach_file::BreachFileError),
}

/// One thing that is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The line, from 1, where it can be told.
    pub line: Option<usize>,
    /// The key, where there is one.
    pub key: String,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.reason)
    }
}

fn show(path: &std::path::Path, faults: &[Fault]) -> String {
    let lines: Vec<String> = faults.iter().map(|fault| format!("{}: {fault}", path.display())).collect();
    lines.join("\n")
}
