//! The server as its users meet it: the program itself, over real TLS, with the clients that people have.
//!
//! Each test starts servers of its own on free ports of 127.0.0.1 and ends them by their process ids.
#![cfg(feature = "server")]
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]
#![expect(unreachable_pub, reason = "nobody reaches anything of a test")]

mod ber;
mod client;
mod said;
mod server;

mod access;
mod acting;
mod approvals;
mod backup;
mod breached;
mod canary;
mod changes;
mod clients;
mod commands;
mod controls;
mod delegated;
mod effective_rights;
mod events;
mod everyday;
mod expire_notices;
mod files;
mod helpdesk;
mod idle;
mod live_connections;
mod lockout;
mod memory;
mod migration;
mod models;
mod open_files;
mod policies;
mod policy_attributes;
mod policy_control;
mod python_ldap;
mod reset;
mod restart;
mod sasl;
mod schema;
#[path = "../conformance/scram_client.rs"]
mod scram_client;
mod second_factor;
mod self_service;
mod sequence;
mod simulate;
mod supervisor;
mod transactions;
mod transport;
mod trouble;
mod watching;
mod wire;
