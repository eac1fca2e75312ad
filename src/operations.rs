//! What each LDAP operation does: it reads a [`Tree`](crate::directory::tree::Tree) and says what the answer is and what
//! is to be changed. It never waits, and what it proposes may be refused and planned again.
//!
//! Pure: time, randomness and the tree are arguments. It knows the directory, the protocol's vocabulary, passwords and
//! access, and nothing of sockets or disks.
//!
//! Reading order: [`Context`] is what an operation is given, [`Outcome`] what it comes to, and [`Refusal`] why it does
//! not; [`perform()`] finds the operation for a request. [`bind`](mod@bind) and [`search`](mod@search) are done in steps,
//! the first because hashing is slow, the second because answers are long.

pub mod add;
pub mod approval;
mod asserted;
mod assertion;
pub mod bind;
mod change_log;
pub mod channel;
pub mod compare;
pub mod configured;
pub mod context;
pub mod counted;
mod delegation;
pub mod delete;
mod derived;
mod end_of_lock;
mod events;
pub mod extended;
pub mod external;
pub mod hold;
mod holders;
pub mod identity_map;
pub mod integrity;
pub mod journal;
pub mod login_name;
pub mod modify;
pub mod modify_dn;
pub mod monitor;
pub mod notices;
mod old_password;
pub mod outcome;
pub mod perform;
pub mod policies;
pub mod proxy;
pub mod read_entry;
mod recheck;
pub mod recognition;
mod referral;
pub mod refusal;
mod rehash;
mod relax;
pub mod reports;
pub mod root_dse;
mod schema_change;
pub mod search;
pub mod second_factor;
mod selection;
pub mod set_password;
mod stamp;
mod superior;
pub mod takeover;
mod target;
mod terms;
pub mod transaction;
pub mod tree_delete;
mod usability;
mod verify_password;

pub use channel::ChannelBindings;
pub use configured::Configured;
pub use context::{Confidentiality, Context, Freedom, Limits, Proof, Requester, Services};
pub use external::External;
pub use hold::Hold;
pub use identity_map::IdentityMap;
pub use outcome::{Effect, Need, Outcome};
pub use perform::{Effort, effort, perform};
pub use refusal::Refusal;
pub use schema_change::SchemaFault;
