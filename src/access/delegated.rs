//! Rules that stand in the tree, written over LDAP by whoever may: entries of the class `accessRule`.
//!
//! Such a rule reaches the entry above it, its *point*, and what stands below that. It grants what its author holds, and is
//! suspended for as long as they do not: so whoever loses a right takes it from all to whom they have passed it on. It
//! denies what other rules of the tree grant, and nothing of what the configuration grants: so nobody locks out an
//! administrator.

mod composition;

use std::sync::Arc;

use super::reach::Reach;
use super::rule::{Rule, RuleFault, RuleText, Rules, Source};
use super::when::WhenText;
use super::{Actor, Right, Rights};
use crate::directory::schema::Schema;
use crate::directory::{Dn, Entry, Identity};

pub use composition::{Amendment, Frame, InForce, RuleEntry, Suspended, in_force, in_force_after, rule_nodes};

/// The class of rules in the tree.
pub const CLASS: &str = "accessRule";
/// Whose rights a rule passes on: the `entryUUID` of its author.
pub const AUTHOR: &str = "accessAuthor";
/// The author of rules that were written as the superuser of the machine.
const LOCAL_ROOT: &str = "local-root";
/// So many rules of the tree are in force at most, unless the configuration says otherwise.
pub const MOST: usize = 1_000;
/// So often it is looked for rules that rest on those that were found in force.
const ROUNDS: usize = 16;

/// What is wrong with a rule of the tree.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DelegationFault {
    /// It is no rule.
    #[error("{0}")]
    Rule(#[from] RuleFault),
    /// It is for entries that are none of its business.
    #[error("a rule is for entries at or below the one that it stands below, {point}: {word:?} in `accessTo` is not")]
    Outside {
        /// The entry that it stands below.
        point: String,
        /// What reaches further.
        word: String,
    },
    /// It says by a specification what it must say by `accessTo`.
    #[error("`subtreeSpecification` must be {{}}; say by `accessTo` and `accessFilter` which entries it is for")]
    Specification,
    /// It denies single values, which would take something from what the configuration grants.
    #[error("a rule in the tree cannot deny single values; leave out `accessValues` or `accessDeny`")]
    DeniesValues,
    /// It grants something that the operator says nobody may.
    #[error("{0}")]
    Violates(String),
    /// It grants something that its author does not hold.
    #[error("its author does not hold the right {0} to all that it grants it to")]
    NotHeld(Right),
    /// Nobody is known to have written it.
    #[error(
        "nobody is known to have written it; it is in force when somebody writes it again who holds what it grants"
    )]
    NoAuthor,
    /// Whoever has written it must not use the server any longer.
    #[error(
        "the account of its author is locked by an administrator; it is in force when that is lifted, or when somebody writes it \
         again who holds what it grants"
    )]
    AuthorClosed,
    /// It rests on rules that rest on rules, further than this server follows.
    #[error("its author holds what it grants by more than {ROUNDS} rules of the tree, each resting on the one before")]
    TooDeep,
    /// It denies something to a group that has no members that rules could know.
    #[error("it denies something to {0}, which does not exist or names no members: so to nobody")]
    DeniesNobody(Dn),
    /// There are more than this server considers.
    #[error("there are more than {0} rules in the tree (`rules` in [limits]); delete some that are not needed")]
    TooMany(usize),
}

/// Whether an entry is a rule.
pub fn is_rule(entry: &Entry, schema: &Schema) -> bool {
    entry.values(schema.known().object_class).any(|class| class.eq_ignore_ascii_case(CLASS.as_bytes()))
}

/// How the author of a rule is noted.
pub fn author_of(identity: &Identity) -> Option<String> {
    match identity {
        Identity::Entry { uuid, .. } => Some(uuid.to_string()),
        Identity::LocalRoot => Some(LOCAL_ROOT.to_owned()),
        Identity::Anonymous => None,
    }
}

/// Who is noted as the author of a rule.
pub fn author_noted<'e>(entry: &'e Entry, schema: &Schema) -> Option<&'e str> {
    entry.first_text(schema.known().access_author)
}

/// The class of rules as it is looked for.
pub fn normal_class(schema: &Schema) -> Option<Vec<u8>> {
    let form = schema.attribute_type(schema.known().object_class).equality_or_fallback().normal_form();
    form.of_assertion(schema, CLASS.as_bytes()).ok().map(|normal| normal.to_vec())
}

/// Reads the rule that an entry is: the part of it that grants and the part that denies.
pub fn read(entry: &Entry, dn: &Arc<Dn>, schema: &Schema) -> Result<Vec<Rule>, DelegationFault> {
    let point = dn.parent().unwrap_or_else(Dn::root);
    let written = Written { entry, schema };
    if written.first("subtreeSpecification").is_some_and(|text| text.replace(' ', "") != "{}") {
        return Err(DelegationFault::Specification);
    }
    let text = written.text(dn, &point);
    if !text.values.is_empty() && !text.deny.is_empty() {
        return Err(DelegationFault::DeniesValues);
    }
    let whole = Reach::Subtree(point.clone());
    for word in &text.to {
        if !whole.includes(&Reach::parse(word, schema)?) {
            return Err(DelegationFault::Outside { point: point.to_string(), word: word.clone() });
        }
    }
    Ok(Rule::prepare(&text, schema)?.collect())
}

/// The attributes of a rule as they are written.
struct Written<'e> {
    entry: &'e Entry,
    schema: &'e Schema,
}

impl Written<'_> {
    fn all(&self, name: &str) -> Vec<String> {
        let Some(attribute) = self.schema.find_attribute_type(name) else { return Vec::new() };
        self.entry.values(attribute.id).map(|value| String::from_utf8_lossy(value).into_owned()).collect()
    }

    fn first(&self, name: &str) -> Option<String> {
        self.all(name).into_iter().next()
    }

    fn text(&self, dn: &Arc<Dn>, point: &Dn) -> RuleText {
        let mut to = self.all("accessTo");
        if to.is_empty() {
            to.push(format!("subtree:{point}"));
        }
        RuleText {
            name: self.first("cn").unwrap_or_default(),
            source: Source::Entry(Arc::clone(dn)),
            who: self.all("accessWho"),
            to,
            filter: self.first("accessFilter"),
            when: self.when(),
            attributes: self.all("accessAttributes"),
            values: self.all("accessValues"),
            allow: self.all("accessAllow"),
            deny: self.all("accessDeny"),
            reason: self.first("description"),
            ticket: self.first("accessTicket"),
        }
    }

    fn when(&self) -> Option<WhenText> {
        let when = WhenText {
            network: self.all("accessNetwork"),
            tls: self.first("accessTls"),
            authentication: self.all("accessAuthentication"),
            from: self.first("accessFrom"),
            until: self.first("accessUntil"),
            days: self.all("accessDays"),
            hours: self.first("accessHours"),
            zone: self.first("accessZone"),
        };
        (when != WhenText::default()).then_some(when)
    }
}

/// The first right of a rule that `author` does not hold, to every entry, attribute and value that it grants it to.
pub fn not_held(rule: &Rule, author: &Actor, rules: &Rules) -> Option<Right> {
    rule.allow.iter().find(|right| {
        let one = |reach: &Reach| Rule {
            allow: Rights::NONE.union([*right].into_iter().collect()),
            to: vec![reach.clone()],
            ..rule.clone()
        };
        !rule.to.iter().map(one).all(|part| is_held(&part, author, rules))
    })
}

fn is_held(part: &Rule, author: &Actor, rules: &Rules) -> bool {
    let mut theirs = rules.iter().enumerate().filter(|(position, _)| author.is_named_by(*position)).map(|(_, own)| own);
    // A denial by `self` or `attribute:` takes something from them on some entries, and nobody knows yet on which.
    let binds = |position: usize| author.is_named_by(position) || author.may_have_rule(position);
    let binding = rules.iter().enumerate().filter(|(position, _)| binds(*position)).map(|(_, own)| own);
    // What the tree denies binds what the tree grants, and nothing else.
    let binds_grant = |denial: &Rule, grant: &Rule| grant.is_delegated() || !denial.is_delegated();
    theirs.any(|own| {
        own.covers(part) && !binding.clone().any(|denial| binds_grant(denial, own) && may_deny(denial, part))
    })
}

/// Whether a denial takes away something that `part` grants.
fn may_deny(denial: &Rule, part: &Rule) -> bool {
    let shared = Right::ALL.iter().copied().filter(|right| denial.deny.has(*right) && part.allow.has(*right));
    let mut concerns =
        shared.filter(|right| !right.is_per_attribute() || denial.attributes.intersects(&part.attributes));
    let meets = |own: &Reach, other: &Reach| match (own.base(), other.base()) {
        (Some(own), Some(other)) => own.is_within(other) || other.is_within(own),
        _ => true,
    };
    concerns.next().is_some() && denial.to.iter().any(|own| part.to.iter().any(|other| meets(own, other)))
}
