//! The vocabulary of everything else: RFC 4512's data model, and what an operation may ask of a directory.
//!
//! Pure: no I/O, no clock, no randomness. It names no other module of the crate.
//!
//! Reading order: [`schema`] says which attributes exist and how their values compare; [`Dn`] and
//! [`AttributeDescription`] are names parsed against it; an [`Entry`] holds attributes in the very bytes that a search
//! answer carries; a [`filter`] tests entries; [`ldif`] reads and writes them as text; [`tree`] is the seam between
//! operations and whatever stores the entries.

pub mod attribute;
pub mod certificate;
pub mod csn;
pub mod dn;
pub mod entry;
pub mod filter;
pub mod identity;
pub mod ldif;
pub mod migration;
pub mod modification;
pub mod randomness;
pub mod result_code;
pub mod schema;
pub mod subtree;
pub mod timestamp;
pub mod tree;
pub mod url;
pub mod wire;

pub use attribute::{Attribute, AttributeDescription, Attributes};
pub use csn::Csn;
pub use dn::{Dn, Rdn};
pub use entry::Entry;
pub use filter::Filter;
pub use identity::Identity;
pub use modification::Modification;
pub use randomness::Randomness;
pub use result_code::ResultCode;
pub use schema::{AttributeTypeId, Schema};
pub use timestamp::Timestamp;
