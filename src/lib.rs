//! Keystead
pub mod access;
pub mod directory;
pub mod operations;
pub mod password;
pub mod protocol;
#[cfg(feature = "server")]
pub mod server;
pub mod session;
#[cfg(feature = "server")]
pub mod store;
