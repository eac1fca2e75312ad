//! Where somebody may search attributes, as far as rules tell that without looking at entries: so that no index is asked
//! for what they may not find, since the time that it takes would tell what it holds.

use std::sync::Arc;

use super::reach::Reach;
use super::rule::{Rule, Rules};
use super::who::Who;
use super::{Actor, Right};
use crate::directory::filter::Matcher;
use crate::directory::schema::AttributeSet;
use crate::directory::{AttributeTypeId, Dn};

/// Where somebody may search one of several attributes: in these areas, and nowhere else. There may be entries among them
/// where they may not.
#[derive(Debug, Default)]
pub struct Searchable<'r> {
    /// The areas.
    pub areas: Vec<Area<'r>>,
    /// Those of the attributes that may be searched in some of them.
    pub attributes: AttributeSet,
}

/// Some entries, as a rule names them.
#[derive(Clone, Copy, Debug)]
pub struct Area<'r> {
    /// Where they stand.
    pub reach: &'r Reach,
    /// Which of those that stand there.
    pub among: Among,
    /// And only those that match this.
    pub filter: Option<&'r Matcher>,
}

/// Which entries, as the target of a rule decides whom it is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Among {
    /// Whichever.
    All,
    /// The actor's own entry.
    Own,
    /// Those that hold the name of the actor, or of one of their groups.
    Holding(AttributeTypeId),
}

impl Actor {
    /// The attributes that they may search for certain in each entry at or below `base`, or anywhere.
    pub fn searches_everywhere(&self, rules: &Rules, base: Option<&Arc<Dn>>) -> Arc<AttributeSet> {
        let key = base.cloned();
        if let Some(known) = self.decided.everywhere.find(&key) {
            return known;
        }
        let found = Arc::new(self.find_everywhere(rules, base.map(|base| &**base)));
        self.decided.everywhere.keep(key, Arc::clone(&found));
        found
    }

    /// Whether they hold a right to entries as a whole for certain on each entry at or below `base`.
    pub fn holds_everywhere(&self, right: Right, rules: &Rules, base: &Dn) -> bool {
        let base = Some(base);
        let grants = |delegated| {
            let mut grants = self.theirs(rules).filter(|(position, rule)| {
                rule.is_delegated() == delegated && rule.allow.has(right) && self.is_certain(*position, rule)
            });
            grants.any(|(_, rule)| rule.to.iter().any(|reach| covers(reach, base)))
        };
        // What is denied on one's own entry alone is nothing over others.
        let concerns_others =
            |position, rule: &Rule| self.has_rule(position) || rule.who.iter().any(|who| matches!(who, Who::HeldIn(_)));
        let denies = |delegated| {
            let mut denials = self.theirs(rules).filter(|(position, rule)| {
                rule.is_delegated() == delegated && rule.deny.has(right) && concerns_others(*position, rule)
            });
            denials.any(|(_, rule)| rule.to.iter().any(|reach| touches(reach, base)))
        };
        !denies(false) && (grants(false) || (grants(true) && !denies(true)))
    }

    fn find_everywhere(&self, rules: &Rules, base: Option<&Dn>) -> AttributeSet {
        let (mut own, mut delegated) = (AttributeSet::EMPTY, AttributeSet::EMPTY);
        let mut denials = (AttributeSet::EMPTY, AttributeSet::EMPTY);
        for (position, rule) in self.theirs(rules) {
            let covers = || rule.to.iter().any(|reach| covers(reach, base));
            if rule.allow.has(Right::Search) && self.is_certain(position, rule) && covers() {
                let grants = if rule.is_delegated() { &mut delegated } else { &mut own };
                grants.union(&rule.attributes);
            }
            if rule.deny.has(Right::Search) && rule.to.iter().any(|reach| touches(reach, base)) {
                let denials = if rule.is_delegated() { &mut denials.1 } else { &mut denials.0 };
                denials.union(&rule.attributes);
            }
        }
        // What rules of the tree deny is what such rules grant.
        own.subtract(&denials.0);
        delegated.subtract(&denials.0);
        delegated.subtract(&denials.1);
        own.union(&delegated);
        own
    }

    /// Where, at or below `base` or anywhere, they may search one of these attributes.
    pub fn searchable<'r>(&self, rules: &'r Rules, base: Option<&Dn>, attributes: &AttributeSet) -> Searchable<'r> {
        let mut found = Searchable::default();
        for (position, rule) in self.theirs(rules).filter(|(_, rule)| rule.allow.has(Right::Search)) {
            let mut among = Vec::new();
            if self.has_rule(position) {
                among.push(Among::All);
            } else {
                among.extend(rule.who.iter().filter_map(|who| match who {
                    Who::Oneself => Some(Among::Own),
                    Who::HeldIn(attribute) => Some(Among::Holding(*attribute)),
                    _ => None,
                }));
            }
            for reach in rule.to.iter().filter(|reach| touches(reach, base)) {
                let mut these = rule.attributes.clone();
                these.intersect(attributes);
                self.subtract_denied(&mut these, (rule, reach), rules, base);
                if !these.is_empty() {
                    let filter = rule.filter.as_ref();
                    found.areas.extend(among.iter().map(|among| Area { reach, among: *among, filter }));
                    found.attributes.union(&these);
                }
            }
        }
        found
    }

    /// Takes away what is denied for certain wherever a rule reaches.
    fn subtract_denied(
        &self,
        attributes: &mut AttributeSet,
        (rule, reach): (&Rule, &Reach),
        rules: &Rules,
        base: Option<&Dn>,
    ) {
        for (position, denial) in self.theirs(rules).filter(|(_, denial)| denial.deny.has(Right::Search)) {
            let concerns = !denial.is_delegated() || rule.is_delegated();
            let is_everywhere = |own: &Reach| covers(own, base) || own.includes(reach);
            if concerns && self.is_certain(position, denial) && denial.to.iter().any(is_everywhere) {
                attributes.subtract(&denial.attributes);
            }
        }
    }

    fn theirs<'r>(&self, rules: &'r Rules) -> impl Iterator<Item = (usize, &'r Rule)> {
        rules.iter().enumerate().filter(|(position, _)| self.may_have_rule(*position))
    }

    /// Whether a rule applies to each entry that it reaches.
    fn is_certain(&self, position: usize, rule: &Rule) -> bool {
        self.has_rule(position) && rule.filter.is_none()
    }
}

impl Area<'_> {
    /// Whether it is all that stands at or below `base`, or anywhere.
    pub fn is_all_below(&self, base: Option<&Dn>) -> bool {
        self.among == Among::All && self.filter.is_none() && covers(self.reach, base)
    }
}

/// Whether every entry at or below `base`, or anywhere, is one of these.
fn covers(reach: &Reach, base: Option<&Dn>) -> bool {
    match (reach, base) {
        (Reach::Everything, _) => true,
        (Reach::Subtree(own), Some(base)) => base.is_within(own),
        (Reach::Below(own), Some(base)) => base != own && base.is_within(own),
        _ => false,
    }
}

/// Whether an entry at or below `base`, or anywhere, may be one of these.
fn touches(reach: &Reach, base: Option<&Dn>) -> bool {
    match (reach, base) {
        (Reach::Everything, _) | (_, None) => true,
        (Reach::Entry(own), Some(base)) => own.is_within(base),
        (Reach::Children(own) | Reach::Subtree(own) | Reach::Below(own), Some(base)) => {
            own.is_within(base) || base.is_within(own)
        }
    }
}
