//! Keystead, an LDAP directory server whose heart is the password.
//!
//! One package: this library, and a thin program that hands its arguments to [`cli`]. The core is pure: no sockets, no
//! disk, no clock, no randomness, no logging, no async. The shell around it touches the world, and is behind the cargo
//! feature `server`, so that the core builds and is tested in seconds without it.
//!
//! # The map, in reading order
//!
//! The core:
//!
//! * [`directory`] is the vocabulary of everything else: names, entries, filters, schema, LDIF (RFC 4512 to 4519), and
//!   [`directory::tree`], the seam between operations and what stores entries;
//! * [`password`]: how passwords are kept, judged, counted and made;
//! * [`access`]: who may do what to which entries and attributes;
//! * [`protocol`]: LDAP on the wire (RFC 4511), and the only door to `ldap3_proto`;
//! * [`operations`]: what each operation does, as a plan on a tree that stands still;
//! * [`session`]: one connection as a state machine.
//!
//! The shell:
//!
//! * [`store`]: the tree on RocksDB;
//! * [`server`]: sockets, TLS, threads, time;
//! * [`config`]: the configuration file;
//! * [`cli`]: the commands.
//!
//! `directory` names nothing above it. `protocol`, `password` and `access` stand on it and do not know each other; nor do
//! `session`, `operations` and `store`, which stand on those; `server` introduces them. `tests/architecture.rs` holds
//! all of this.
//!
//! # Invariants
//!
//! * **Operations see a [tree](directory::tree::Tree), never a database.** The reference tree in memory and the store
//!   run the same tests and agree.
//! * **An operation locks nothing.** It plans on a tree that stands still and returns a
//!   [`Change`](directory::tree::Change): after-images, each conditional on the version it read. The store commits a
//!   change whole or not at all; one whose condition no longer holds is planned again. So no hashing happens inside a
//!   lock, and two racing password changes cannot interleave.
//! * **One path sets a password**, whoever asks and by whichever operation
//!   ([`operations::set_password`]), and **one meter counts every wrong one** ([`password::Meter`]).
//! * **What was acknowledged is on disk**: entry, credentials, indexes and change log are one synced write.
//! * **Secrets are never shown.** What the schema marks as secret can be verified, changed and reset, and is never
//!   searched, read, compared or logged, whatever a rule says. [`password::Secret`] has no `Display`, a redacted `Debug`,
//!   and is wiped when dropped.
//! * **Rights come before secrets.** Whether somebody may is decided before any password is looked at.
//! * **A client cannot harm others**: nothing that it sends panics, blocks a thread for long, or takes memory out of
//!   proportion to what it sent.
//! * **Every refusal has a code**: one exhaustive match makes result codes of
//!   [refusals](operations::Refusal); internal causes go to the log, never to the client.
//!
//! # Where do I look for
//!
//! | what | where |
//! |---|---|
//! | a result code | [`operations::refusal`] |
//! | why a bind failed | [`operations::bind`], then [`password::standing`]; in words, [`password::condition`] |
//! | a copy of a directory that is in use | [`store::backup`] |
//! | what stands behind a password | [`password::second_factor`], [`operations::second_factor`] |
//! | whether a value is legal | [`directory::schema`] (`check`, `syntax`) |
//! | how two values compare | [`directory::schema`] (`matching_rule`, `normal_form`, `prepare`) |
//! | which index a search uses | [`store::planner`]: a plan prints itself |
//! | octets on disk | [`store::key`], [`store::record`] |
//! | a key of the configuration | `config::raw` |
//! | who may do it | [`access::decide`] |
//! | the order of messages | [`session`] |
//! | an OID that we answer to | [`protocol::oid`] |
//! | what is told of passwords that end | [`password::notice`], [`operations::notices`] |
//! | what an answer waits for | [`operations::hold`], `server::counting` |
//! | what is done together or not at all | [`operations::transaction`], [`directory::tree`] (`overlay`) |
//! | what a server tells of itself | [`operations::monitor`] |
//! | who waits for changes | [`operations::search`] (`persistent`, `sync`) |
#![cfg_attr(not(feature = "server"), allow(rustdoc::broken_intra_doc_links, reason = "the map names the shell, too"))]

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
