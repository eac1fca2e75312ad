//! LDAP on the wire (RFC 4511), and the only door to `ldap3_proto`.
//!
//! Pure: octets in, [`Message`]s out, and answers into a buffer. What cannot be framed is [`Fatal`], after which the
//! connection ends; what can be framed but not understood is a message whose request is [`Request::Malformed`], which
//! still has a message id to answer to.
//!
//! `ldap3_proto` decodes the requests that write, and its encoder is what ours is tested against. In front of it stand a
//! strict framing and a check of the whole message, because it takes a truncated request for a shorter one; and search
//! and bind requests and all answers are ours, because it needs text where LDAP has octets and copies each value many
//! times.

pub mod ber;
pub mod control;
pub mod entry_writer;
pub mod extended;
pub mod frame;
pub mod oid;
pub mod request;
pub mod response;

pub use control::RawControl;
pub use frame::{Fatal, Framing};
pub use request::{Message, MessageId, Operation, Request};
pub use response::{LdapResult, Response};
