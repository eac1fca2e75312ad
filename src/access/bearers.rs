//! Those who log in by a token, and the guard for them.
//!
//! Whoever writes the secret of a token has the codes of those who log in by it, and whoever writes its parameters says how
//! many codes are good. So that is for those who hold as much as they.

use std::collections::HashSet;

use super::rule::Rules;
use super::{Actor, escalation};
use crate::directory::Dn;
use crate::directory::tree::{EntryId, Tree, TreeError};

/// So many are looked at: whether they hold more.
const MOST: usize = 1_000;

/// Who logs in by the token of some name, or by tokens whose parameters are called so, besides the actor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bearers<'r> {
    /// Nobody who holds more than the actor.
    NoneStronger,
    /// Somebody does, by the rule of that name.
    Stronger(&'r str),
    /// More people than are looked at.
    TooMany,
}

/// Finds out who logs in by what is called `dn`.
pub fn bearers<'r>(dn: &Dn, actor: &Actor, rules: &'r Rules, tree: &dyn Tree) -> Result<Bearers<'r>, TreeError> {
    let Some(all) = those_with(dn, tree)? else { return Ok(Bearers::TooMany) };
    for id in all {
        let Some((node, dn)) = tree.node(id)?.zip(tree.dn(id)?) else { continue };
        if actor.identity.uuid() == Some(node.uuid) {
            continue;
        }
        if let Some(rule) = escalation::exceeds(node.uuid, &dn, actor, rules, tree)? {
            return Ok(Bearers::Stronger(rule));
        }
    }
    Ok(Bearers::NoneStronger)
}

fn those_with(dn: &Dn, tree: &dyn Tree) -> Result<Option<HashSet<EntryId>>, TreeError> {
    let known = tree.schema().known();
    let (by_token, by_params) =
        ([known.oath_totp_token, known.oath_hotp_token], [known.oath_totp_params, known.oath_hotp_params]);
    let mut all = HashSet::new();
    for (by_token, by_params) in by_token.into_iter().zip(by_params) {
        all.extend(tree.equal(by_token, dn.key())?);
        for (count, token) in tree.equal(by_params, dn.key())?.into_iter().enumerate() {
            if count >= MOST {
                return Ok(None);
            }
            if let Some(name) = tree.dn(token)? {
                all.extend(tree.equal(by_token, name.key())?);
            }
        }
    }
    Ok((all.len() <= MOST).then_some(all))
}
