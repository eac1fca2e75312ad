//! Extended operations (RFC 4511 §4.12). `StartTLS` and cancel belong to the connection and are done there.

pub mod account_state;
pub mod next_password;
pub mod password_modify;
mod reset_code;
mod unbound_change;
pub mod who_am_i;
