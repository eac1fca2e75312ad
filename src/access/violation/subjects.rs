//! Those for whom an assertion is tried: whom a rule names, as far as one of each kind is enough.

use std::slice;
use std::sync::Arc;

use uuid::Uuid;

use super::{Focus, Inquiry, Touched};
use crate::access::actor::{Memberships, Moment, is_one_of, memberships_within};
use crate::access::escalation::actor_cost;
use crate::access::explain::{entry_called, members_within, occupants_within};
use crate::access::who::Who;
use crate::access::work::{ENTRY, LOOKUP, Work};
use crate::access::{Actor, Right};
use crate::directory::tree::{EntryId, Node};
use crate::directory::{Dn, Identity};

/// Somebody, with their groups.
pub(super) struct Subject {
    pub(super) identity: Identity,
    memberships: Memberships,
    pub(super) shown: String,
}

/// Somebody who may be one of those, to be looked up when it is their turn.
pub(super) enum Candidate {
    Known(Subject),
    Member(EntryId),
}

impl Subject {
    pub(super) fn actor<W: Work>(&self, inquiry: &Inquiry<'_, W>) -> Result<Actor, W::Stop> {
        let moment = Moment::Ever(inquiry.now);
        inquiry.work.take(actor_cost(inquiry.rules))?;
        Ok(Actor::in_groups(self.identity.clone(), &self.memberships, moment, inquiry.rules, inquiry.tree)?)
    }
}

impl<W: Work> Inquiry<'_, W> {
    /// Whether the assertion is about somebody, as far as the target does not matter.
    pub(super) fn may_be_meant(&self, subject: &Subject) -> Result<bool, W::Stop> {
        let (identity, memberships) = (&subject.identity, &subject.memberships);
        let depends = self.assertion.who.iter().any(Who::depends_on_target);
        Ok((depends || is_one_of(&self.assertion.who, identity, memberships, self.tree)?)
            && !is_one_of(&self.assertion.except, identity, memberships, self.tree)?)
    }

    /// Whether the assertion is about somebody and a target.
    pub(super) fn is_meant(&self, subject: &Subject, target: &Node) -> Result<bool, W::Stop> {
        let (identity, memberships) = (&subject.identity, &subject.memberships);
        self.work.take(self.meaning_cost(subject, target))?;
        let is = |whos: &[Who]| -> Result<bool, W::Stop> {
            Ok(is_one_of(whos, identity, memberships, self.tree)? || self.is_by_target(whos, subject, target))
        };
        Ok(is(&self.assertion.who)? && !is(&self.assertion.except)?)
    }

    fn meaning_cost(&self, subject: &Subject, target: &Node) -> u64 {
        let whos = self.assertion.who.iter().chain(&self.assertion.except);
        let cost = |who: &Who| match who {
            Who::Group(_) | Who::Role(_) => LOOKUP,
            Who::HeldIn(attribute) => {
                (target.entry.values(*attribute).count() * (1 + subject.memberships.names.len())) as u64
            }
            _ => 1,
        };
        whos.map(cost).sum()
    }

    fn is_by_target(&self, whos: &[Who], subject: &Subject, target: &Node) -> bool {
        let names = || subject.identity.dn().into_iter().chain(&subject.memberships.names);
        whos.iter().any(|who| match who {
            Who::Oneself => subject.identity.uuid() == Some(target.uuid),
            Who::HeldIn(attribute) => {
                let schema = self.tree.schema();
                let form = schema.attribute_type(*attribute).equality_or_fallback().normal_form();
                let mut values = target.entry.values(*attribute);
                values.any(|value| names().any(|name| form.matches(schema, value, name.key())))
            }
            _ => false,
        })
    }

    /// Those whom a word of a rule names, as far as one of each kind is enough. Who is not meant is left out when it is their
    /// turn.
    pub(super) fn candidates(&self, who: &Who) -> Result<Vec<Candidate>, W::Stop> {
        if let Focus::Subjects(touched) = self.focus {
            return self.touched(touched);
        }
        match who {
            Who::Entry(_) | Who::Group(_) | Who::Role(_) | Who::LocalRoot | Who::Oneself | Who::HeldIn(_) => {
                self.named_by(who)
            }
            Who::Anonymous | Who::Authenticated | Who::Everyone | Who::Below(_) => self.of_kind(who),
        }
    }

    /// These, and whoever may come to have a name that is free; and of what of them is a group or a role that the rule names, whoever
    /// might be put into it.
    fn touched(&self, Touched { people, gone, .. }: &Touched) -> Result<Vec<Candidate>, W::Stop> {
        let known = self.tree.schema().known();
        let mut candidates = Vec::with_capacity(people.len());
        for name in gone {
            if self.assertion.who.iter().any(|who| matches!(who, Who::Entry(dn) if *dn == **name)) {
                candidates.extend(self.newcomer(name)?);
            }
        }
        for id in people {
            self.work.take(ENTRY)?;
            let (Some(node), Some(dn)) = (self.tree.node(*id)?, self.tree.dn(*id)?) else { continue };
            candidates.push(Candidate::Member(*id));
            let is_granted = self.rule.who.iter().any(|who| matches!(who, Who::Group(group) if *group == *dn));
            if is_granted && (node.entry.has(known.member) || node.entry.has(known.unique_member)) {
                candidates.push(Candidate::Known(self.anybody_in((*id, &dn))?));
            } else if self.rule.who.iter().any(|who| matches!(who, Who::Role(role) if *role == *dn)) {
                candidates.push(Candidate::Known(occupant_of((*id, &dn))));
            }
        }
        Ok(candidates)
    }

    /// Of a kind of people: somebody of whom nothing else is known, and those of them whom the assertion names. Where the guard
    /// asks what somebody holds, also those whom other rules name.
    fn of_kind(&self, kind: &Who) -> Result<Vec<Candidate>, W::Stop> {
        let mut candidates = self.named_by(kind)?;
        for who in &self.assertion.who {
            candidates.extend(self.named_by(who)?);
            if let Who::Entry(dn) = who {
                candidates.extend(self.newcomer(dn)?);
            }
        }
        if self.asks_for_resets() {
            for who in self.rules.iter().filter(|rule| !rule.is_over(self.now)).flat_map(|rule| &rule.who) {
                self.work.take(1)?;
                candidates.extend(self.named_by(who)?);
            }
        }
        Ok(candidates)
    }

    /// Those whom a word names, whatever the target is.
    fn named_by(&self, who: &Who) -> Result<Vec<Candidate>, W::Stop> {
        let known = |identity, shown: &str| {
            Candidate::Known(Subject { identity, memberships: Memberships::default(), shown: shown.to_owned() })
        };
        let anonymous = || known(Identity::Anonymous, "whoever has not authenticated");
        let authenticated = || Candidate::Known(stranger(&Dn::root(), "whoever has authenticated"));
        Ok(match who {
            Who::Anonymous => vec![anonymous()],
            Who::LocalRoot => vec![known(Identity::LocalRoot, "the superuser of this machine")],
            Who::Authenticated => vec![authenticated()],
            Who::Everyone => vec![anonymous(), authenticated()],
            Who::Below(base) => vec![Candidate::Known(stranger(base, &format!("whoever stands below {base}")))],
            Who::Entry(dn) => self.tree.find(dn)?.entry().map(Candidate::Member).into_iter().collect(),
            Who::Group(dn) => self.in_group(dn)?,
            Who::Role(dn) => self.in_role(dn)?,
            Who::Oneself | Who::HeldIn(_) => Vec::new(),
        })
    }

    /// The entry of a name, if there is none yet: it may be in groups already.
    fn newcomer(&self, dn: &Dn) -> Result<Option<Candidate>, W::Stop> {
        self.work.take(LOOKUP)?;
        if self.tree.find(dn)?.entry().is_some() {
            return Ok(None);
        }
        let memberships = memberships_within(dn, self.tree, self.work)?;
        let identity = Identity::Entry { uuid: Uuid::nil(), dn: Arc::new(dn.clone()) };
        Ok(Some(Candidate::Known(Subject { identity, memberships, shown: format!("{dn}, if it is added,") })))
    }

    /// Whether a word names somebody, whatever the target is.
    pub(super) fn is_named(&self, who: &Who, subject: &Subject) -> Result<bool, W::Stop> {
        let (identity, memberships) = (&subject.identity, &subject.memberships);
        self.work.take(LOOKUP)?;
        Ok(is_one_of(slice::from_ref(who), identity, memberships, self.tree)?)
    }

    pub(super) fn asks_for_resets(&self) -> bool {
        self.rights().any(|right| right == Right::ResetPassword)
    }

    /// Who a candidate is; nobody, if the entry is gone.
    pub(super) fn subject(&self, candidate: Candidate) -> Result<Option<Subject>, W::Stop> {
        match candidate {
            Candidate::Known(subject) => Ok(Some(subject)),
            Candidate::Member(id) => self.somebody(id),
        }
    }

    /// Those in a group, and whoever might be put into it. If that is excepted, so are all.
    fn in_group(&self, group: &Dn) -> Result<Vec<Candidate>, W::Stop> {
        let Some(id) = self.tree.find(group)?.entry() else { return Ok(Vec::new()) };
        let anybody = self.anybody_in((id, group))?;
        if is_one_of(&self.assertion.except, &anybody.identity, &anybody.memberships, self.tree)? {
            return Ok(Vec::new());
        }
        if matches!(self.focus, Focus::Targets(_)) && !self.needs_every_member() {
            return Ok(vec![Candidate::Known(anybody)]);
        }
        let mut ids: Vec<EntryId> = members_within(group, self.tree, self.work)?.into_iter().collect();
        ids.sort_unstable();
        let enough = if self.needs_every_member() { usize::MAX } else { NAMED };
        let members = ids.into_iter().take(enough).map(Candidate::Member);
        Ok(members.chain([Candidate::Known(anybody)]).collect())
    }

    /// Whoever might be put into a group.
    fn anybody_in(&self, (id, group): (EntryId, &Dn)) -> Result<Subject, W::Stop> {
        let mut memberships = memberships_within(group, self.tree, self.work)?;
        memberships.groups.insert(id);
        memberships.names.push(Arc::new(group.clone()));
        let shown = format!("whoever is put into {group}");
        Ok(Subject { memberships, ..stranger(&Dn::root(), &shown) })
    }

    /// Those who occupy a role, and whoever might come to. If that is excepted, so are all.
    fn in_role(&self, role: &Dn) -> Result<Vec<Candidate>, W::Stop> {
        let Some(id) = self.tree.find(role)?.entry() else { return Ok(Vec::new()) };
        let anybody = occupant_of((id, role));
        if is_one_of(&self.assertion.except, &anybody.identity, &anybody.memberships, self.tree)? {
            return Ok(Vec::new());
        }
        let mut ids: Vec<EntryId> = occupants_within(role, self.tree, self.work)?.into_iter().collect();
        ids.sort_unstable();
        Ok(ids.into_iter().map(Candidate::Member).chain([Candidate::Known(anybody)]).collect())
    }

    /// Whether more may be true of a member than of whoever is in the group and in nothing else: they may hold enough to
    /// pass the guard, or be meant for another reason.
    fn needs_every_member(&self) -> bool {
        let is_about_all = |who: &Who| matches!(who, Who::Everyone | Who::Authenticated);
        self.asks_for_resets() || !self.assertion.who.iter().any(is_about_all)
    }

    /// Those whom a target makes subjects of the rule.
    pub(super) fn candidates_of(&self, who: &Who, node: &Node, dn: &Arc<Dn>) -> Result<Vec<Candidate>, W::Stop> {
        let Who::HeldIn(attribute) = who else {
            let identity = Identity::Entry { uuid: node.uuid, dn: Arc::clone(dn) };
            let memberships = memberships_within(dn, self.tree, self.work)?;
            return Ok(vec![Candidate::Known(Subject { identity, memberships, shown: format!("{dn} itself") })]);
        };
        let mut candidates = Vec::new();
        for value in node.entry.values(*attribute) {
            self.work.take(LOOKUP)?;
            let Some(id) = entry_called(value, self.tree)? else { continue };
            candidates.push(Candidate::Member(id));
            if let Some(name) = self.tree.dn(id)? {
                let in_it = self.in_group(&name)?.into_iter();
                candidates.extend(in_it.filter(|candidate| matches!(candidate, Candidate::Member(_))));
            }
        }
        Ok(candidates)
    }

    fn somebody(&self, id: EntryId) -> Result<Option<Subject>, W::Stop> {
        self.work.take(ENTRY)?;
        let (Some(node), Some(dn)) = (self.tree.node(id)?, self.tree.dn(id)?) else { return Ok(None) };
        let memberships = memberships_within(&dn, self.tree, self.work)?;
        let shown = dn.to_string();
        Ok(Some(Subject { identity: Identity::Entry { uuid: node.uuid, dn }, memberships, shown }))
    }
}

/// Whoever might come to occupy a role.
fn occupant_of((id, role): (EntryId, &Dn)) -> Subject {
    let memberships = Memberships { roles: [id].into(), ..Memberships::default() };
    Subject { memberships, ..stranger(&Dn::root(), &format!("whoever is given the role {role}")) }
}

/// So many members are tried to have a name to tell.
const NAMED: usize = 20;

/// A name that nobody has.
const NEW: &str = "cn=somebody";
const NEW_KEY: &[u8] = b"\0somebody new\0";

/// The name of nobody, below a name.
pub(in crate::access) fn nobody_below(base: &Dn) -> Dn {
    Dn::child(base, NEW, NEW_KEY)
}

/// Somebody of whom nothing is known but below what they stand.
fn stranger(base: &Dn, shown: &str) -> Subject {
    let dn = Arc::new(nobody_below(base));
    Subject {
        identity: Identity::Entry { uuid: Uuid::nil(), dn },
        memberships: Memberships::default(),
        shown: shown.to_owned(),
    }
}
