//! Why a schema cannot be built.

use crate::directory::schema::definition::DefinitionError;

/// A definition that cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{origin}: {definition}: {kind}")]
pub struct SchemaError {
    /// The file, and the line where that is known.
    pub origin: String,
    /// The name or the beginning of the definition.
    pub definition: String,
    /// What is wrong with it.
    pub kind: SchemaErrorKind,
}

/// What is wrong with a definition.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SchemaErrorKind {
    /// The file is not LDIF.
    #[error("{0}")]
    Ldif(String),
    /// The text is no definition.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// It names something that no definition defines.
    #[error("{0} {1:?} is not defined")]
    Undefined(&'static str, String),
    /// Its number or one of its names is taken.
    #[error("{0:?} is defined already")]
    Taken(String),
    /// A name is malformed.
    #[error("{0:?} is no name: a letter, then letters, digits and hyphens")]
    BadName(String),
    /// An attribute type has neither a syntax nor a supertype.
    #[error("it needs a SYNTAX or a SUP")]
    NoSyntax,
    /// A word has no meaning where it stands.
    #[error("{0:?} is not known here")]
    BadWord(String),
    /// A class derives from one that it may not derive from.
    #[error("a {0} class may not derive from a {1} one")]
    BadSuperclass(&'static str, &'static str),
    /// A content rule is about a class that is not structural.
    #[error("a content rule is about a structural class, and {0:?} is none")]
    NotStructural(String),
    /// A content rule lets entries be of a class that is not auxiliary.
    #[error("AUX lists auxiliary classes, and {0:?} is none")]
    NotAuxiliary(String),
    /// A content rule takes away what must be there.
    #[error("NOT lists {0:?}, which entries of this class must have")]
    Required(String),
    /// There are more definitions than numbers for them.
    #[error("there are too many definitions")]
    TooMany,
}
