//! Keystead
pub mod directory;
