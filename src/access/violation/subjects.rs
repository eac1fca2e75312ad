//! Those for whom an assertion is tried: whom a rule names, as far as one of each kind is enough.

use std::sync::Arc;

use uuid::Uuid;

use super::Inquiry;
use crate::access::actor::{Memberships, Moment, is_one_of, memberships_of};
use crate::access::explain::{entry_called, members};
use crate::access::who::Who;
use crate::access::{Actor, Right};
use crate::directory::tree::{EntryId, Node, TreeError};
use crate::directory::{Dn, Identity};

/// Somebody, with their groups.
pub(super) struct Subject {
    pub(super) identity: Identity,
    memberships: Memberships,
    pub(super) shown: String,
}

impl Subject {
    pub(super) fn actor(&self, inquiry: &Inquiry<'_>) -> Result<Actor, TreeError> {
        let moment = Moment::Ever(inquiry.now);
        Actor::in_groups(self.identity.clone(), &self.memberships, moment, inquiry.rules, inquiry.tree)
    }
}

impl Inquiry<'_> {
    /// Whether the assertion is about somebody, as far as the target does not matter.
    pub(super) fn may_be_meant(&self, subject: &Subject) -> Result<bool, TreeError> {
        let (identity, groups) = (&subject.identity, &subject.memberships.groups);
        let depends = self.assertion.who.iter().any(Who::depends_on_target);
        Ok((depends || is_one_of(&self.assertion.who, identity, groups, self.tree)?)
            && !is_one_of(&self.assertion.except, identity, groups, self.tree)?)
    }

    /// Whether the assertion is about somebody and a target.
    pub(super) fn is_meant(&self, subject: &Subject, target: &Node) -> Result<bool, TreeError> {
        let (identity, groups) = (&subject.identity, &subject.memberships.groups);
        let is = |whos: &[Who]| -> Result<bool, TreeError> {
            Ok(is_one_of(whos, identity, groups, self.tree)? || self.is_by_target(whos, subject, target))
        };
        Ok(is(&self.assertion.who)? && !is(&self.assertion.except)?)
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

    /// Those whom a rule names, as far as one of each kind is enough.
    pub(super) fn subjects(&self, who: &Who) -> Result<Vec<Subject>, TreeError> {
        let nameless =
            |identity, shown: &str| Subject { identity, memberships: Memberships::default(), shown: shown.to_owned() };
        Ok(match who {
            Who::Anonymous => vec![nameless(Identity::Anonymous, "whoever has not authenticated")],
            Who::LocalRoot => vec![nameless(Identity::LocalRoot, "the superuser of this machine")],
            Who::Authenticated => vec![stranger(&Dn::root(), "whoever has authenticated")],
            Who::Everyone => vec![
                nameless(Identity::Anonymous, "whoever has not authenticated"),
                stranger(&Dn::root(), "whoever has authenticated"),
            ],
            Who::Below(base) => vec![stranger(base, &format!("whoever stands below {base}"))],
            Who::Entry(dn) => match self.tree.find(dn)?.entry() {
                Some(id) => self.somebody(id)?.into_iter().collect(),
                None => Vec::new(),
            },
            Who::Group(dn) => self.in_group(dn)?,
            Who::Oneself | Who::HeldIn(_) => Vec::new(),
        })
    }

    /// Those in a group, and whoever might be put into it. If that is excepted, so are all.
    fn in_group(&self, group: &Dn) -> Result<Vec<Subject>, TreeError> {
        let Some(id) = self.tree.find(group)?.entry() else { return Ok(Vec::new()) };
        let mut memberships = memberships_of(group, self.tree)?;
        memberships.groups.insert(id);
        memberships.names.push(Arc::new(group.clone()));
        let shown = format!("whoever is put into {group}");
        let anybody = Subject { memberships, ..stranger(&Dn::root(), &shown) };
        if is_one_of(&self.assertion.except, &anybody.identity, &anybody.memberships.groups, self.tree)? {
            return Ok(Vec::new());
        }
        let mut ids: Vec<EntryId> = members(group, self.tree)?.into_iter().collect();
        ids.sort_unstable();
        let enough = if self.needs_every_member() { usize::MAX } else { NAMED };
        let mut subjects = Vec::new();
        for member in ids.into_iter().take(enough) {
            subjects.extend(self.somebody(member)?);
        }
        subjects.push(anybody);
        Ok(subjects)
    }

    /// Whether more may be true of a member than of whoever is in the group and in nothing else: they may hold enough to
    /// pass the guard, or be meant for another reason.
    fn needs_every_member(&self) -> bool {
        let is_about_all = |who: &Who| matches!(who, Who::Everyone | Who::Authenticated);
        self.rights().any(|right| right == Right::ResetPassword) || !self.assertion.who.iter().any(is_about_all)
    }

    /// Those whom a target makes subjects of the rule.
    pub(super) fn subjects_of(&self, who: &Who, node: &Node, dn: &Arc<Dn>) -> Result<Vec<Subject>, TreeError> {
        let Who::HeldIn(attribute) = who else {
            let identity = Identity::Entry { uuid: node.uuid, dn: Arc::clone(dn) };
            let memberships = memberships_of(dn, self.tree)?;
            return Ok(vec![Subject { identity, memberships, shown: format!("{dn} itself") }]);
        };
        let mut subjects = Vec::new();
        for value in node.entry.values(*attribute) {
            let Some(id) = entry_called(value, self.tree)? else { continue };
            subjects.extend(self.somebody(id)?);
            if let Some(name) = self.tree.dn(id)? {
                subjects.extend(
                    self.in_group(&name)?.into_iter().filter(|subject| subject.identity.uuid() != Some(Uuid::nil())),
                );
            }
        }
        Ok(subjects)
    }

    fn somebody(&self, id: EntryId) -> Result<Option<Subject>, TreeError> {
        let (Some(node), Some(dn)) = (self.tree.node(id)?, self.tree.dn(id)?) else { return Ok(None) };
        let memberships = memberships_of(&dn, self.tree)?;
        let shown = dn.to_string();
        Ok(Some(Subject { identity: Identity::Entry { uuid: node.uuid, dn }, memberships, shown }))
    }
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
