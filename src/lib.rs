//! Keystead
pub mod access;
#[cfg(feature = "server")]
pub mod cli;
#[cfg(feature = "server")]
pub mod config;
pub mod directory;
pub mod operations;
pub mod password;
pub mod protocol;
#[cfg(feature = "server")]
pub mod server;
pub mod session;
#[cfg(feature = "server")]
pub mod store;
