//! Putting the rules of the tree together with those of the configuration: which of them are in force, and why others are
//! not.

use std::collections::{HashMap, hash_map};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use uuid::Uuid;

use super::{DelegationFault, LOCAL_ROOT, ROUNDS, author_noted, normal_class, not_held, read};
use crate::access::Actor;
use crate::access::actor::{Memberships, Moment, memberships_of};
use crate::access::rule::{Rule, Rules};
use crate::access::withheld::Withheld;
use crate::directory::tree::{Credentials, Node, Tree, TreeError};
use crate::directory::{Dn, Identity, Schema, Timestamp};

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

/// A rule of the tree as it stands there.
#[derive(Clone, Debug)]
pub struct RuleEntry {
    /// The entry.
    pub dn: Arc<Dn>,
    /// Who has written it.
    pub author: Option<String>,
    /// The part of it that grants and the part that denies.
    pub rules: Vec<Rule>,
}

/// What is to become of rules of the tree.
#[derive(Clone, Debug, Default)]
pub struct Amendment {
    /// Those of these names will not be there any more.
    pub gone: Vec<Arc<Dn>>,
    /// These will be.
    pub come: Vec<RuleEntry>,
}

/// What the rules of the tree are put together with.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The rules of the configuration.
    pub file: &'a Arc<Rules>,
    /// So many rules of the tree are considered.
    pub most: usize,
    /// These are not to grant.
    pub withheld: &'a [Withheld],
}

/// The rules of the configuration, with those of the tree that are in force, so many at most.
pub fn in_force(file: &Arc<Rules>, most: usize, tree: &dyn Tree) -> Result<InForce, TreeError> {
    in_force_after(&Amendment::default(), Frame { file, most, withheld: &[] }, tree)
}

/// The same, when that will have become of those of the tree.
pub fn in_force_after(amendment: &Amendment, frame: Frame<'_>, tree: &dyn Tree) -> Result<InForce, TreeError> {
    let mut suspended = Vec::new();
    let file = frame.file;
    let candidates = candidates(amendment, frame, tree, &mut suspended)?;
    if candidates.is_empty() {
        return Ok(InForce { rules: Arc::clone(file), suspended });
    }
    let denials = candidates.iter().flat_map(|candidate| &candidate.rules).filter(|rule| rule.is_denial());
    let mut rules = file.and(&denials.cloned().collect());
    let mut pending: Vec<&RuleEntry> = candidates.iter().filter(|one| one.grants().next().is_some()).collect();
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
                |(one, _): (&RuleEntry, _)| Suspended { dn: Arc::clone(&one.dn), fault: DelegationFault::TooDeep };
            suspended.extend(left.into_iter().map(too_deep));
            break;
        }
        pending = left.into_iter().map(|(candidate, _)| candidate).collect();
    }
    Ok(InForce { rules: Arc::new(rules), suspended })
}

impl RuleEntry {
    /// Reads the rule that an entry is.
    pub fn of(node: &Node, dn: &Arc<Dn>, schema: &Schema) -> Result<Self, DelegationFault> {
        let rules = read(&node.entry, dn, schema)?;
        Ok(Self { dn: Arc::clone(dn), author: author_noted(&node.entry, schema).map(str::to_owned), rules })
    }

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
        if is_closed(&author.identity, tree)? {
            return Ok(Some(DelegationFault::AuthorClosed));
        }
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

/// Whether an administrator has closed an account. That others can bring about by wrong passwords is none.
fn is_closed(author: &Identity, tree: &dyn Tree) -> Result<bool, TreeError> {
    let id = author.uuid().map(|uuid| tree.find_uuid(uuid)).transpose()?.flatten();
    let credentials = id.map(|id| tree.credentials(id)).transpose()?.flatten();
    Ok(credentials.is_some_and(|own| Credentials::are_locked_by_hand(&own.entry, tree.schema())))
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
fn candidates(
    amendment: &Amendment,
    Frame { most, withheld, .. }: Frame<'_>,
    tree: &dyn Tree,
    suspended: &mut Vec<Suspended>,
) -> Result<Vec<RuleEntry>, TreeError> {
    let mut found = Vec::new();
    for node in rule_nodes(tree)? {
        let Some(dn) = tree.dn(node.id)?.filter(|dn| !amendment.gone.contains(dn)) else { continue };
        let fault = match RuleEntry::of(&node, &dn, tree.schema()) {
            Ok(_) if found.len() >= most => DelegationFault::TooMany(most),
            Ok(mut entry) => {
                let example = withheld.iter().find(|one| one.is_of_entry(&dn, node.version));
                if let Some(Withheld { example, .. }) = example {
                    entry.rules.retain(Rule::is_denial);
                    let fault = DelegationFault::Violates(example.to_string());
                    suspended.push(Suspended { dn: Arc::clone(&dn), fault });
                }
                found.push(entry);
                continue;
            }
            Err(fault) => fault,
        };
        suspended.push(Suspended { dn, fault });
    }
    found.extend(amendment.come.iter().cloned());
    Ok(found)
}

/// The entries of the tree that are rules, in the order in which they were made.
pub fn rule_nodes(tree: &dyn Tree) -> Result<Vec<Node>, TreeError> {
    let Some(normal) = normal_class(tree.schema()) else { return Ok(Vec::new()) };
    let ids = tree.equal(tree.schema().known().object_class, &normal)?;
    ids.into_iter().filter_map(|id| tree.node(id).transpose()).collect()
}
