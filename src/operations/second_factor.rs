//! The second factor of an account: a code that its owner types behind the password, on every way on which a password
//! opens something: a bind, a compare, and a change without a bind.
//!
//! An entry asks for one that names a token, or is of a class that says so. A token that is not there, or cannot be
//! read, opens nothing; the log tells why. A code is used up by the very change without which there is no success, on
//! condition that the token is still the one that was read: so of two who come with one code at once, one is let in.

mod guard;

use std::sync::Arc;

use crate::directory::schema::Schema;
use crate::directory::tree::{Node, Tree, TreeError, Write};
use crate::directory::{Attributes, Dn, Entry, Timestamp};
use crate::password::Secret;
use crate::password::condition::Condition;
use crate::password::second_factor::{Found, Kind, Parameters, Token, TokenFault};

use super::{Context, Refusal};
pub(super) use guard::{is_secret_of_token, require_whole};

/// What somebody has sent, taken apart.
#[derive(Debug)]
pub(super) struct Presented {
    /// What stands in front of the code, or all of it if there is none.
    pub(super) password: Secret,
    /// What stands behind it.
    pub(super) code: Code,
}

/// What was sent as a code.
#[derive(Debug)]
pub(super) enum Code {
    /// It is right, by a token of that kind; this writes that it is used.
    Right(Kind, Box<Write>),
    /// It is the last one that was used.
    Used,
    /// It is wrong, or there is none. If the password is right, this was tried: all that was sent, and the time step,
    /// since in another one it would be another guess.
    Wrong(Secret),
}

/// The tokens of an entry.
#[derive(Debug, Default)]
struct Tokens {
    usable: Vec<Own>,
    faults: Vec<TokenFault>,
}

/// A token that can be used.
#[derive(Debug)]
struct Own {
    kind: Kind,
    token: Token,
    node: Node,
    dn: Arc<Dn>,
}

/// The classes of entries that ask for a second factor.
const CLASSES: [&str; 3] = ["oathUser", "oathTOTPUser", "oathHOTPUser"];

fn is_class(value: &[u8]) -> bool {
    CLASSES.iter().any(|class| value.eq_ignore_ascii_case(class.as_bytes()))
}

/// Whether an entry asks for a second factor.
pub(super) fn is_asked_for(entry: &Entry, schema: &Schema) -> bool {
    Kind::ALL.iter().any(|kind| entry.has(kind.token(schema)))
        || entry.values(schema.known().object_class).any(is_class)
}

/// The same of attributes that an entry is to have.
fn is_asked_for_by(attributes: &Attributes, schema: &Schema) -> bool {
    Kind::ALL.iter().any(|kind| attributes.has(kind.token(schema)))
        || attributes.values(schema.known().object_class).iter().any(|value| is_class(value))
}

/// Requires that what an entry says of tokens can be meant: it is told where it is written, and not when nobody can log in.
pub(super) fn check(attributes: &Attributes, schema: &Schema) -> Result<(), Refusal> {
    let mut types = attributes.iter().map(|attribute| attribute.description.attribute_type);
    if !types.any(|id| schema.known().of_codes().contains(&id)) {
        return Ok(());
    }
    let entry = &Entry::encode(attributes, schema);
    Ok(Parameters { entry, schema }.check()?)
}

/// How an entry stands to its second factor, if it asks for one.
pub fn conditions(entry: &Entry, tree: &dyn Tree, now: Timestamp) -> Result<Vec<Condition>, TreeError> {
    if !is_asked_for(entry, tree.schema()) {
        return Ok(Vec::new());
    }
    let Tokens { usable, faults } = Tokens::of(entry, tree)?;
    if usable.is_empty() {
        return Ok(faults.iter().map(|fault| Condition::NoSecondFactor(fault.to_string())).collect());
    }
    let is_ahead = usable.iter().all(|own| own.token.is_ahead(now));
    let told = usable.iter().map(|own| Condition::SecondFactor { kind: own.kind, token: own.dn.to_string() });
    Ok(told.chain(is_ahead.then_some(Condition::SecondFactorAhead)).collect())
}

impl Tokens {
    fn of(entry: &Entry, tree: &dyn Tree) -> Result<Self, TreeError> {
        let mut tokens = Self::default();
        for kind in Kind::ALL {
            let Some(name) = entry.first(kind.token(tree.schema())) else { continue };
            match Own::find(kind, &String::from_utf8_lossy(name), tree)? {
                Ok(own) => tokens.usable.push(own),
                Err(fault) => tokens.faults.push(fault),
            }
        }
        if tokens.usable.is_empty() && tokens.faults.is_empty() {
            tokens.faults.push(TokenFault::NotSetUp);
        }
        Ok(tokens)
    }

    /// Takes apart what was sent. Which token a code is of is found out first, so that one password is left to be verified.
    fn examine(&self, sent: &Secret, now: Timestamp, schema: &Schema) -> Presented {
        let (mut used, mut wrong) = (None, None);
        for own in &self.usable {
            let Some((rest, code)) = own.token.split(sent) else { continue };
            let password = Secret::new(rest);
            match own.token.find(code, now) {
                Found::Right(number) => {
                    let code = Code::Right(own.kind, Box::new(own.used(number, schema)));
                    return Presented { password, code };
                }
                Found::Used => used = used.or(Some(password)),
                Found::Wrong => wrong = wrong.or(Some(password)),
            }
        }
        match (used, wrong) {
            (Some(password), _) => Presented { password, code: Code::Used },
            (None, Some(password)) => Presented { password, code: Code::Wrong(self.tried(sent, now)) },
            (None, None) => Presented { password: sent.clone(), code: Code::Wrong(sent.clone()) },
        }
    }

    /// What was tried by a code that is wrong now.
    fn tried(&self, sent: &Secret, now: Timestamp) -> Secret {
        let mut tried = sent.expose().to_vec();
        for step in self.usable.iter().filter_map(|own| own.token.step(now)) {
            tried.push(0);
            tried.extend(step.to_be_bytes());
        }
        Secret::new(tried)
    }
}

impl Own {
    fn find(kind: Kind, name: &str, tree: &dyn Tree) -> Result<Result<Self, TokenFault>, TreeError> {
        let schema = tree.schema();
        let Some((node, dn)) = entry_called(name, tree)? else { return Ok(Err(TokenFault::NoToken(name.to_owned()))) };
        let Some(params) = node.entry.first(kind.params(schema)) else {
            return Ok(Err(TokenFault::NoParams(dn.to_string())));
        };
        let params = String::from_utf8_lossy(params);
        let Some((params, _)) = entry_called(&params, tree)? else {
            return Ok(Err(TokenFault::ParamsMissing(params.into_owned())));
        };
        let token = Token::read(kind, &node.entry, &params.entry, schema);
        Ok(token.map(|token| Self { kind, token, node, dn }))
    }

    /// Writes that a code is used, and every one before it.
    fn used(&self, number: u64, schema: &Schema) -> Write {
        let mut attributes = self.node.entry.decode();
        attributes.remove(self.kind.last(schema));
        attributes.set_one(self.kind.last(schema), number.to_string());
        Write::Replace { uuid: self.node.uuid, version: self.node.version, entry: Entry::encode(&attributes, schema) }
    }
}

fn entry_called(name: &str, tree: &dyn Tree) -> Result<Option<(Node, Arc<Dn>)>, TreeError> {
    let Ok(dn) = Dn::parse(tree.schema(), name) else { return Ok(None) };
    let Some(id) = tree.find(&dn)?.entry() else { return Ok(None) };
    Ok(tree.node(id)?.zip(tree.dn(id)?))
}

impl Context<'_> {
    /// Takes apart what was sent as the password of an entry that asks for a second factor; nothing if it does not. What is
    /// wrong with its tokens is told in the log.
    pub(super) fn present(&self, entry: &Entry, dn: &Dn, sent: &Secret) -> Result<Option<Presented>, Refusal> {
        if !is_asked_for(entry, self.schema()) {
            return Ok(None);
        }
        let tokens = Tokens::of(entry, self.tree)?;
        tokens.faults.iter().for_each(|fault| self.services.reports.take_unusable_token(dn, fault));
        Ok(Some(tokens.examine(sent, self.now, self.schema())))
    }
}
