//! Finding the entries that may match a filter, by the indexes.
//!
//! What is found is a superset, since every candidate is tested afterwards; what must not happen is that a match is
//! missing. So a part of a filter that no index answers is "any entry", a negation is too, and an intersection may stop
//! as soon as few are left. A plan says in words what it did.

use std::fmt::Write;

use bytes::Bytes;
use roaring::RoaringBitmap;

use super::StoreError;
use super::engine::Go;
use super::index::{IndexKind, LONG, pieces_of_assertion};
use super::key::{self, Postings};
use super::recent::SHORT;
use super::view::View;
use crate::directory::filter::{Matcher, Pieces, Selector, Truth};
use crate::directory::schema::NormalForm;
use crate::directory::tree::{Candidates, EntryId, Plan, TreeError};
use crate::directory::{AttributeTypeId, Dn};

/// With so few candidates, testing them costs less than asking another index.
const FEW: u64 = 32;

/// Postings of one value are followed so far; where more stand, the value tells too little to be worth it.
const MANY: u64 = 200_000;

/// Plans one search.
pub(super) struct Planner<'v> {
    view: &'v View,
    /// How many postings are followed before they are given up.
    most: u64,
    explanation: String,
}

impl<'v> Planner<'v> {
    pub(super) fn plan(view: &'v View, matcher: &Matcher) -> Result<Plan, TreeError> {
        let mut planner = Self { view, most: MANY, explanation: String::new() };
        let candidates = planner.candidates(matcher)?;
        Ok(Plan { candidates, explanation: planner.explanation })
    }

    fn candidates(&mut self, matcher: &Matcher) -> Result<Candidates, TreeError> {
        match matcher {
            Matcher::And(parts) => self.intersection(parts),
            Matcher::Or(parts) => self.union(parts),
            Matcher::Always(Truth::True) | Matcher::Not(_) | Matcher::InChain(..) => Ok(self.all("every entry")),
            Matcher::Always(_) => Ok(self.none("nothing can match")),
            Matcher::Present(selector) => self.by_types(selector, IndexKind::Presence, &|id| Postings::presence(id)),
            Matcher::Equal { selector, form, normal, raw } => self.equal(selector, *form, normal, raw),
            Matcher::Pieces(selector, form, pieces) => self.pieces(selector, *form, pieces),
            Matcher::AtLeast(selector, _, bound) => self.range(selector, bound, Bound::Least),
            Matcher::AtMost(selector, _, bound) => self.range(selector, bound, Bound::Most),
            Matcher::Word(..) | Matcher::Bits { .. } | Matcher::InName(..) => Ok(self.all("no index for such a rule")),
        }
    }

    /// The cheapest parts first, and no more once few are left.
    fn intersection(&mut self, parts: &[Matcher]) -> Result<Candidates, TreeError> {
        let mut ordered: Vec<&Matcher> = parts.iter().collect();
        ordered.sort_by_key(|part| self.expense(part));
        let mut found = Candidates::All;
        for part in ordered {
            let limit = match &found {
                Candidates::These(ids) if ids.len() <= FEW => {
                    self.say("few are left");
                    return Ok(found);
                }
                // To follow many more postings than there are candidates costs more than to test the candidates.
                Candidates::These(ids) => self.most.min(ids.len().saturating_mul(8)),
                Candidates::All => self.most,
            };
            let before = std::mem::replace(&mut self.most, limit);
            let more = self.candidates(part)?;
            self.most = before;
            found = match (found, more) {
                (Candidates::These(a), Candidates::These(b)) => Candidates::These(a & b),
                (Candidates::All, other) | (other, Candidates::All) => other,
            };
        }
        Ok(found)
    }

    fn union(&mut self, parts: &[Matcher]) -> Result<Candidates, TreeError> {
        let mut found = RoaringBitmap::new();
        for part in parts {
            match self.candidates(part)? {
                Candidates::These(ids) => found |= ids,
                Candidates::All => return Ok(Candidates::All),
            }
        }
        Ok(Candidates::These(found))
    }

    /// How much it costs to ask for a part, and how little it may narrow: the order within an intersection.
    fn expense(&self, part: &Matcher) -> u8 {
        let known = self.view.schema().known();
        match part {
            Matcher::Always(_) => 0,
            Matcher::Equal { selector, .. } if selector.types.contains(&known.object_class) => 6,
            Matcher::Equal { selector, .. } if selector.types.contains(&known.member_of) => 5,
            Matcher::Equal { .. } => 1,
            Matcher::Pieces(..) => 2,
            Matcher::AtLeast(..) | Matcher::AtMost(..) => 3,
            Matcher::And(_) | Matcher::Or(_) => 4,
            Matcher::Present(_) => 7,
            _ => 8,
        }
    }

    fn equal(
        &mut self,
        selector: &Selector,
        form: NormalForm,
        normal: &[u8],
        raw: &Bytes,
    ) -> Result<Candidates, TreeError> {
        let known = self.view.schema().known();
        if let [only] = selector.types.as_slice() {
            if *only == known.member_of || *only == known.is_member_of {
                return self.members(raw);
            }
            if *only == known.entry_dn {
                return self.named(raw);
            }
            if *only == known.entry_uuid {
                return self.identified(normal);
            }
        }
        let same_form =
            |id: &AttributeTypeId| self.view.schema().attribute_type(*id).equality_or_fallback().normal_form() == form;
        if !selector.types.iter().all(same_form) {
            return Ok(self.all("no index for another rule than the attribute's own"));
        }
        self.by_types(selector, IndexKind::Equality, &|id| Postings::equality(id, normal))
    }

    /// Entries that have, in some of the types, the postings that `postings` makes.
    fn by_types(
        &mut self,
        selector: &Selector,
        kind: IndexKind,
        postings: &dyn Fn(AttributeTypeId) -> Postings,
    ) -> Result<Candidates, TreeError> {
        if !self.is_indexed(selector, kind) {
            return Ok(self.unindexed(selector, kind));
        }
        let mut found = RoaringBitmap::new();
        for id in &selector.types {
            match self.read(&postings(*id), self.most)? {
                Candidates::These(ids) => found |= ids,
                Candidates::All => return Ok(self.all("too many have that value")),
            }
        }
        self.found(selector, kind, &found);
        Ok(Candidates::These(found))
    }

    fn is_indexed(&self, selector: &Selector, kind: IndexKind) -> bool {
        selector.types.iter().all(|id| self.view.indexes().has(*id, kind) || self.view.is_unused(*id))
    }

    fn pieces(&mut self, selector: &Selector, form: NormalForm, pieces: &Pieces) -> Result<Candidates, TreeError> {
        let triples = pieces_of_assertion(pieces);
        let own_form = |id: &AttributeTypeId| {
            let rule = self.view.schema().attribute_type(*id).substring;
            rule.is_some_and(|rule| rule.normal_form() == form)
        };
        if triples.is_empty() || !selector.types.iter().all(own_form) {
            return Ok(self.all("no piece is long enough for the index"));
        }
        if !self.is_indexed(selector, IndexKind::Substring) {
            return Ok(self.unindexed(selector, IndexKind::Substring));
        }
        let mut found = RoaringBitmap::new();
        for id in &selector.types {
            let mut of_type: Option<RoaringBitmap> = None;
            for triple in &triples {
                let limit =
                    of_type.as_ref().map_or(self.most, |ids| self.most.min(ids.len().saturating_mul(8)).max(FEW));
                if of_type.as_ref().is_some_and(|ids| ids.len() <= FEW) {
                    break;
                }
                if let Candidates::These(ids) = self.read(&Postings::piece(*id, *triple), limit)? {
                    of_type = Some(of_type.map_or_else(|| ids.clone(), |before| before & &ids));
                }
            }
            let long = self.read(&Postings::piece(*id, LONG), self.most)?;
            match (of_type, long) {
                (Some(ids), Candidates::These(long)) => found |= ids | long,
                _ => return Ok(self.all("too many have those pieces")),
            }
        }
        self.found(selector, IndexKind::Substring, &found);
        Ok(Candidates::These(found))
    }

    fn range(&mut self, selector: &Selector, bound: &[u8], end: Bound) -> Result<Candidates, TreeError> {
        if !self.is_indexed(selector, IndexKind::Ordering) {
            return Ok(self.unindexed(selector, IndexKind::Ordering));
        }
        let most = self.most;
        let mut found = RoaringBitmap::new();
        for id in &selector.types {
            let prefix = key::index_prefix(*id, IndexKind::Ordering);
            let edge = Postings::ordered(*id, bound);
            let start = if end == Bound::Least { edge.octets() } else { &prefix };
            let mut full = false;
            self.view
                .snapshot()
                .scan(super::engine::Family::Index, start, &mut |key, _| {
                    let beyond = end == Bound::Most && key.get(..edge.octets().len()) > Some(edge.octets());
                    if !key.starts_with(&prefix) || beyond {
                        return Go::Stop;
                    }
                    found.extend(key::posting_id(key).map(|id| id.0));
                    full = found.len() > most;
                    if full { Go::Stop } else { Go::On }
                })
                .map_err(|error| failed(&error))?;
            if full {
                return Ok(self.all("too many lie in that range"));
            }
        }
        self.found(selector, IndexKind::Ordering, &found);
        Ok(Candidates::These(found))
    }

    /// `memberOf` is not stored: the group of that name says who its members are.
    fn members(&mut self, group: &Bytes) -> Result<Candidates, TreeError> {
        let mut found = RoaringBitmap::new();
        let known = self.view.schema().known();
        let node = match self.find(group)? {
            Some(id) => self.view.node(id)?,
            None => None,
        };
        if let Some(node) = node {
            for id in [known.member, known.unique_member] {
                for member in node.entry.values(id) {
                    found.extend(self.find(member)?.map(|id| id.0));
                }
            }
        }
        self.say(&format!("{} members of the group", found.len()));
        Ok(Candidates::These(found))
    }

    fn named(&mut self, name: &Bytes) -> Result<Candidates, TreeError> {
        let found = self.find(name)?.map(|id| id.0).into_iter().collect();
        self.say("the entry of that name");
        Ok(Candidates::These(found))
    }

    fn identified(&mut self, normal: &[u8]) -> Result<Candidates, TreeError> {
        let uuid = uuid::Uuid::from_slice(normal).ok();
        let found = match uuid {
            Some(uuid) => self.view.find_uuid(uuid)?,
            None => None,
        };
        self.say("the entry with that UUID");
        Ok(Candidates::These(found.map(|id| id.0).into_iter().collect()))
    }

    fn find(&self, name: &[u8]) -> Result<Option<EntryId>, TreeError> {
        let text = std::str::from_utf8(name).unwrap_or_default();
        match Dn::parse(self.view.schema(), text) {
            Ok(dn) => Ok(self.view.find(&dn)?.entry()),
            Err(_) => Ok(None),
        }
    }

    /// The entries of one posting list, or "any" if there are more than `most`.
    fn read(&self, postings: &Postings, most: u64) -> Result<Candidates, TreeError> {
        let (recent, at) = (&self.view.fixed().recent, self.view.version());
        if let Some(list) = recent.postings(postings.octets(), at) {
            return Ok(Candidates::These(list.iter().map(|id| id.0).collect()));
        }
        let mut ids = RoaringBitmap::new();
        let mut full = false;
        let visit = &mut |key: &[u8]| {
            ids.extend(key::posting_id(key).map(|id| id.0));
            full = ids.len() > most;
            if full { Go::Stop } else { Go::On }
        };
        self.view.snapshot().scan_postings(postings.octets(), visit).map_err(|error| failed(&error))?;
        if full {
            return Ok(Candidates::All);
        }
        if ids.len() <= SHORT as u64 {
            recent.keep_postings(postings.octets(), at, ids.iter().map(EntryId).collect());
        }
        Ok(Candidates::These(ids))
    }

    fn all(&mut self, why: &str) -> Candidates {
        self.say(why);
        Candidates::All
    }

    fn none(&mut self, why: &str) -> Candidates {
        self.say(why);
        Candidates::These(RoaringBitmap::new())
    }

    fn unindexed(&mut self, selector: &Selector, kind: IndexKind) -> Candidates {
        let text = format!("{} has no {} index", self.name(selector), kind.word());
        self.all(&text)
    }

    fn found(&mut self, selector: &Selector, kind: IndexKind, ids: &RoaringBitmap) {
        let text = format!("{} by the {} index of {}", ids.len(), kind.word(), self.name(selector));
        self.say(&text);
    }

    fn name(&self, selector: &Selector) -> String {
        selector.types.first().map_or("?", |id| self.view.schema().attribute_type(*id).name()).to_owned()
    }

    fn say(&mut self, text: &str) {
        let separator = if self.explanation.is_empty() { "" } else { "; " };
        let _ = write!(self.explanation, "{separator}{text}");
    }
}

/// Which end of a range is given.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bound {
    Least,
    Most,
}

pub(super) fn failed(error: &StoreError) -> TreeError {
    TreeError::new("reading an index", error.to_string())
}
