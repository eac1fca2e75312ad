//! Access control: who may do what to which entries and attributes.
//!
//! Pure: it knows the directory's vocabulary and nothing else of the crate.
//!
//! Nothing is allowed that no rule grants, and an explicit deny wins over every grant; the order of rules does not
//! matter, so each can be read alone. Secret attributes are beyond every rule.
//!
//! Reading order: a [`Right`] is what people do; a [`Rule`] says [`who`] may do it to [what](reach) and [`when`];
//! an [`Actor`] is somebody with the groups they are in, under the [`Circumstances`] in which they ask; a [`Decider`]
//! decides for one actor, entry after entry; [`escalation`] keeps those who reset passwords from taking over those who may
//! do more, [`bearers`] those who write tokens, and [`proxy`] those who act for others; [`explain`] answers by which rule, and who else.
//!
//! An [`assertion`] says what rules must never grant, and a [`violation`] by whom it is; [`paths`] finds
//! the ways to become an administrator. A rule that breaks one by what entries hold is [`withheld`]. What a client
//! causes of such [`work`] is bounded.

pub mod actor;
pub mod assertion;
mod attributes;
pub mod bearers;
pub mod circumstances;
pub mod decide;
pub mod delegated;
pub mod escalation;
pub mod explain;
pub mod names;
pub mod paths;
pub mod proxy;
pub mod reach;
pub mod right;
pub mod rule;
pub mod rule_book;
pub mod searchable;
mod strangers;
pub mod values;
pub mod violation;
pub mod when;
pub mod who;
pub mod withheld;
pub mod work;

pub use actor::Actor;
pub use circumstances::Circumstances;
pub use decide::{Decider, Decision};
pub use right::{Right, Rights};
pub use rule::{Rule, RuleError, RuleText, Rules};
pub use rule_book::RuleBook;
