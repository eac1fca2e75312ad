//! Putting the rules of the tree together with those of the configuration: which of them are in force, and why others are
//! not.

use std::collections::{HashMap, hash_map};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use uuid::Uuid;

use super::{AUTHOR, CLASS, DelegationFault, LOCAL_ROOT, MOST, ROUNDS, not_held, read};
use crate::access::Actor;
use crate::access::actor::{Memberships, Moment, memberships_of};
use crate::access::rule::{Rule, Rules};
use crate::directory::tree::{Node, Tree, TreeError};
use crate::directory::{Dn, Identity, Timestamp};

/// The rules in force, and those of the tree that are not.
#[derive(Debug)]
pub struct InForce {
    /// Those of the configuration, and behind them those of the tree.
    pub rules: Arc<Rules>,
    /// The rules of the tree that are suspended.
    pub suspended: Vec<Suspended>,
}

/// A rule that is not in force.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Suspended {
    /// Its entry.
    pub dn: Arc<Dn>,
    /// Why.
    pub fault: DelegationFault,
}

impl fmt::Display for Suspended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the rule {} is not in force: {}", self.dn, self.fault)
    }
}

/// The rules of the configuration, with those of the tree that are in force.
pub fn in_force(file: &Arc<Rules>, tree: &dyn Tree) -> Result<InForce, TreeError> {
    let mut suspended = Vec::new();
    let candidates = candidates(tree, &mut suspended)?;
    if candidates.is_empty() {
        return Ok(InForce { rules: Arc::clone(file), suspended });
    }
    let denials = candidates.iter().flat_map(|candidate| &candidate.rules).filter(|rule| rule.is_denial());
    let mut rules = file.and(&denials.cloned().collect());
    let mut pending: Vec<&Candidate> = candidates.iter().filter(|one| one.grants().next().is_some()).collect();
    let mut authors = Authors::default();
    // What somebody holds by a rule of the tree they may pass on: so it is looked again until nothing more is added. Two
    // who have only each other's word for it are never added.
    for round in 1.. {
        let mut added = Vec::new();
        let mut left = Vec::new();
        authors.begin_round();
        for candidate in pending {
            match candidate.fault(&rules, tree, &mut authors)? {
                None => added.extend(candidate.grants().cloned()),
                Some(fault) => left.push((candidate, fault)),
            }
        }
        if added.is_empty() {
            suspended.extend(left.into_iter().map(|(one, fault)| Suspended { dn: Arc::clone(&one.dn), fault }));
            return Ok(InForce { rules: Arc::new(rules), suspended });
        }
        rules = rules.and(&added.into_iter().collect());
        if round >= ROUNDS {
            let too_deep =
                |(one, _): (&Candidate, _)| Suspended { dn: Arc::clone(&one.dn), fault: DelegationFault::TooDeep };
            suspended.extend(left.into_iter().map(too_deep));
            break;
        }
        pending = left.into_iter().map(|(candidate, _)| candidate).collect();
    }
    Ok(InForce { rules: Arc::new(rules), suspended })
}

/// A rule of the tree that may come into force.
struct Candidate {
    dn: Arc<Dn>,
    author: Option<String>,
    rules: Vec<Rule>,
}

impl Candidate {
    fn grants(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().filter(|rule| !rule.is_denial())
    }

    /// Why it is not in force, by those that are.
    fn fault(
        &self,
        rules: &Rules,
        tree: &dyn Tree,
        authors: &mut Authors,
    ) -> Result<Option<DelegationFault>, TreeError> {
        let Some(author) =
            self.author.as_deref().map(|author| authors.find(author, rules, tree)).transpose()?.flatten()
        else {
            return Ok(Some(DelegationFault::NoAuthor));
        };
        Ok(self.grants().find_map(|rule| not_held(rule, &author, rules)).map(DelegationFault::NotHeld))
    }
}

/// Who has written rules, and the groups that they are in.
#[derive(Default)]
struct Authors {
    known: HashMap<String, Option<(Identity, Memberships)>>,
    /// What each is by the rules of this round.
    actors: HashMap<String, Option<Rc<Actor>>>,
}

impl Authors {
    fn begin_round(&mut self) {
        self.actors.clear();
    }

    fn find(&mut self, author: &str, rules: &Rules, tree: &dyn Tree) -> Result<Option<Rc<Actor>>, TreeError> {
        if let Some(actor) = self.actors.get(author) {
            return Ok(actor.clone());
        }
        let known = match self.known.entry(author.to_owned()) {
            hash_map::Entry::Occupied(known) => known.into_mut(),
            hash_map::Entry::Vacant(place) => place.insert(identify(author, tree)?),
        };
        let ever = Moment::Ever(Timestamp::default());
        let actor = known.as_ref().map(|(identity, memberships)| {
            Actor::in_groups(identity.clone(), memberships, ever, rules, tree).map(Rc::new)
        });
        let actor = actor.transpose()?;
        self.actors.insert(author.to_owned(), actor.clone());
        Ok(actor)
    }
}

fn identify(author: &str, tree: &dyn Tree) -> Result<Option<(Identity, Memberships)>, TreeError> {
    if author == LOCAL_ROOT {
        return Ok(Some((Identity::LocalRoot, Memberships::default())));
    }
    let Some(uuid) = Uuid::parse_str(author).ok() else { return Ok(None) };
    let Some(dn) = tree.find_uuid(uuid)?.map(|id| tree.dn(id)).transpose()?.flatten() else { return Ok(None) };
    let memberships = memberships_of(&dn, tree)?;
    Ok(Some((Identity::Entry { uuid, dn }, memberships)))
}

/// The rules of the tree, in the order in which they were made.
fn candidates(tree: &dyn Tree, suspended: &mut Vec<Suspended>) -> Result<Vec<Candidate>, TreeError> {
    let mut found = Vec::new();
    for node in rule_nodes(tree)? {
        let Some(dn) = tree.dn(node.id)? else { continue };
        let fault = match read(&node.entry, &dn, tree.schema()) {
            Ok(_) if found.len() >= MOST => DelegationFault::TooMany,
            Ok(rules) => {
                let author = tree.schema().find_attribute_type(AUTHOR).and_then(|it| node.entry.first_text(it.id));
                found.push(Candidate { dn, author: author.map(str::to_owned), rules });
                continue;
            }
            Err(fault) => fault,
        };
        suspended.push(Suspended { dn, fault });
    }
    Ok(found)
}

fn rule_nodes(tree: &dyn Tree) -> Result<Vec<Node>, TreeError> {
    let schema = tree.schema();
    let object_class = schema.known().object_class;
    let form = schema.attribute_type(object_class).equality_or_fallback().normal_form();
    let Ok(normal) = form.of_assertion(schema, CLASS.as_bytes()) else { return Ok(Vec::new()) };
    let ids = tree.equal(object_class, &normal)?;
    ids.into_iter().filter_map(|id| tree.node(id).transpose()).collect()
}
