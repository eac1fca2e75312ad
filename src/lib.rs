//! Keystead
pub mod access;
pub mod directory;
pub mod password;
pub mod protocol;
