//! Keystead
pub mod access;
pub mod directory;
pub mod operations;
pub mod password;
pub mod protocol;
pub mod session;
#[cfg(feature = "server")]
pub mod store;
