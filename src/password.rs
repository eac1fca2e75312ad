//! Passwords: how they are kept, judged, counted and made.
//!
//! Pure: no I/O, no clock, no randomness of its own. It knows the directory's vocabulary and nothing else of the crate.
//!
//! Reading order: a [`Secret`] is what somebody typed; a [`scheme`] keeps it as a hash; an [`Account`] is everything an
//! entry has of the kind, read from its credentials; a [`Policy`] says what shall hold; [`change`] is the one way to set
//! a password, [`quality`] what is demanded of it, and [`verdict`] in which words it is refused; [`report`]
//! is what a policy would do that is only tried out, [`outlook`] how accounts would stand under one; [`standing`] is what a
//! bind may expect, a [`notice`] what is told of its end to those who do not bind, and the [`meter`] counts wrong
//! passwords and remembers what was tried; [`verified`] passwords need no second hash for a while; [`scram`] is how a
//! client proves that it knows a password without sending it; [`logins`] are who was let in of late; a [`second_factor`] is a
//! token that makes a code to be typed behind the password, by [`one_time_password`].

pub mod account;
pub mod change;
pub mod condition;
pub mod generate;
pub mod ledger;
mod lines;
pub mod logins;
pub mod meter;
pub mod notice;
pub mod one_time_code;
pub mod one_time_password;
pub mod otpauth;
pub mod outlook;
pub mod policy;
pub mod prepare;
pub mod quality;
pub mod report;
pub mod requirement;
pub mod scheme;
pub mod scram;
pub mod second_factor;
pub mod secret;
pub mod stale;
pub mod standing;
pub mod verdict;
pub mod verified;

pub use account::Account;
pub use meter::Meter;
pub use policy::Policy;
pub use scheme::StoredPassword;
pub use secret::Secret;
