//! Finding the entries that may match a filter, by the indexes.
//!
//! What is found is a superset, since every candidate is tested afterwards; what must not happen is that a match is
//! missing. So a part of a filter that no index answers is "any entry", a negation is too, an intersection may stop as
//! soon as few are left, and a part for which the budget does not suffice is given up. A plan says what it did.

use std::collections::BTreeSet;

use bytes::Bytes;
use roaring::RoaringBitmap;

use super::StoreError;
use super::engine::Go;
use super::index::{IndexKind, LONG, pieces_of_assertion};
use super::key::{self, Postings};
use super::recent::SHORT;
use super::view::View;
use crate::directory::filter::{Chain, Filter, Matcher, Pieces, Portion, Region, Selector, Truth};
use crate::directory::schema::NormalForm;
use crate::directory::tree::{Candidates, EntryId, Plan, PlanBudget, PlanStep, TreeError};
use crate::directory::url::LdapUrl;
use crate::directory::{AttributeTypeId, Dn};

/// With so few candidates, testing them costs less than asking another index.
const FEW: u64 = 32;
/// To follow more postings than so many for each candidate costs more than to test the candidates.
const WORTH: u64 = 8;
/// What it costs to find a place in an index, in postings.
const SEEK: u64 = 8;
/// What it costs to find an entry by its name.
const LOOKUP: u64 = 4;
/// So many steps are told.
const TOLD: usize = 64;

/// Plans one search.
pub(super) struct Planner<'v> {
    view: &'v View,
    /// What is left of the budget.
    left: u64,
    /// Of which so much is for others than the part at hand.
    kept: u64,
    is_curtailed: bool,
    steps: Vec<PlanStep>,
}

impl<'v> Planner<'v> {
    pub(super) fn plan(view: &'v View, matcher: &Matcher, budget: PlanBudget) -> Result<Plan, TreeError> {
        let mut planner = Self::with(view, budget);
        let candidates = planner.candidates(matcher)?;
        Ok(Plan { candidates, is_curtailed: planner.is_curtailed, steps: planner.steps })
    }

    /// The entries that have an attribute of the type, if there is an index of that.
    pub(super) fn having(view: &'v View, id: AttributeTypeId) -> Result<Candidates, TreeError> {
        if !view.indexes().has(id, IndexKind::Presence) {
            return Ok(if view.is_unused(id) { Candidates::These(RoaringBitmap::new()) } else { Candidates::All });
        }
        if view.has_no(id, IndexKind::Presence)? {
            return Ok(Candidates::These(RoaringBitmap::new()));
        }
        Self::with(view, PlanBudget::IN_FULL).read(&Postings::presence(id))
    }

    const fn with(view: &'v View, budget: PlanBudget) -> Self {
        Self { view, left: budget.0, kept: 0, is_curtailed: false, steps: Vec::new() }
    }

    /// What the part at hand may cost.
    const fn spare(&self) -> u64 {
        self.left.saturating_sub(self.kept)
    }

    /// Pays for work that is to be done, if there is enough for it.
    fn pays(&mut self, cost: u64) -> bool {
        let enough = cost <= self.spare();
        if enough {
            self.left -= cost;
        } else {
            self.is_curtailed = true;
        }
        enough
    }

    /// Does what may cost no more than `most`, nor more than there is.
    fn within<R>(&mut self, most: u64, work: impl FnOnce(&mut Self) -> R) -> R {
        let before = self.kept;
        self.kept = before.max(self.left.saturating_sub(most));
        let result = work(self);
        self.kept = before;
        result
    }

    fn candidates(&mut self, matcher: &Matcher) -> Result<Candidates, TreeError> {
        if !self.pays(1) {
            return Ok(self.all("the filter has too many parts"));
        }
        match matcher {
            Matcher::And(parts) => self.intersection(parts),
            Matcher::Or(parts) => self.union(parts),
            Matcher::Always(Truth::True) | Matcher::Not(_) | Matcher::InChain(Chain { linked: None, .. }) => {
                Ok(self.all("every entry"))
            }
            Matcher::InChain(Chain { linked: Some(linked), .. }) => {
                self.note("those from which the name is reached");
                Ok(Candidates::These(linked.values().map(|id| id.0).collect()))
            }
            Matcher::Always(_) => Ok(self.none("nothing can match")),
            Matcher::Within(region, inner) => self.confined(region, inner),
            Matcher::Present(selector) => self.by_types(selector, IndexKind::Presence, &|id| Postings::presence(id)),
            Matcher::Equal { selector, form, normal, raw } => self.equal(selector, *form, normal, raw),
            Matcher::Pieces(selector, form, pieces) => self.pieces(selector, *form, pieces),
            Matcher::AtLeast(selector, _, bound) => self.range(selector, bound, Bound::Least),
            Matcher::AtMost(selector, _, bound) => self.range(selector, bound, Bound::Most),
            Matcher::Word(..) | Matcher::Bits { .. } | Matcher::InName(..) => Ok(self.all("no index for such a rule")),
        }
    }

    /// The cheapest parts first, and no more once few are left. A part may cost half of what there is, so that one that
    /// is given up leaves enough to ask the next.
    fn intersection(&mut self, parts: &[Matcher]) -> Result<Candidates, TreeError> {
        let mut ordered: Vec<&Matcher> = parts.iter().collect();
        ordered.sort_by_cached_key(|part| self.expense(part));
        let last = ordered.len().saturating_sub(1);
        let mut found = Candidates::All;
        for (position, part) in ordered.into_iter().enumerate() {
            let share = if position == last { self.spare() } else { self.spare() / 2 };
            let most = match &found {
                Candidates::These(ids) if ids.len() <= FEW => {
                    self.note("few are left");
                    return Ok(found);
                }
                Candidates::These(ids) => share.min(worth(ids)),
                Candidates::All if share == 0 => break,
                Candidates::All => share,
            };
            let more = self.within(most, |planner| planner.candidates(part))?;
            found = both(found, more);
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

    /// What can be found in some entries alone. If these are few they are the candidates, so that what others hold makes no
    /// difference.
    fn confined(&mut self, region: &Region, inner: &Matcher) -> Result<Candidates, TreeError> {
        let share = self.spare() / 2;
        let Candidates::These(allowed) = self.within(share, |planner| planner.region(region))? else {
            return self.candidates(inner);
        };
        if allowed.len() <= FEW {
            self.note("the few in which it may be searched");
            return Ok(Candidates::These(allowed));
        }
        Ok(match self.candidates(inner)? {
            Candidates::These(ids) => Candidates::These(ids & allowed),
            // Others are no better, but that more of them may be found to be none.
            Candidates::All if self.is_curtailed => Candidates::All,
            Candidates::All => Candidates::These(allowed),
        })
    }

    fn region(&mut self, region: &Region) -> Result<Candidates, TreeError> {
        let mut found = RoaringBitmap::new();
        for Portion { among, matching } in &region.portions {
            let mut portion = among.clone().map_or(Candidates::All, Candidates::These);
            for part in matching {
                let more = self.candidates(part)?;
                portion = both(portion, more);
            }
            match portion {
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
            Matcher::Within(_, inner) => self.expense(inner).min(1),
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
            match self.read(&postings(*id))? {
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
            let of_type = self.holding(*id, &triples)?;
            match (of_type, self.read(&Postings::piece(*id, LONG))?) {
                (Some(ids), Candidates::These(long)) => found |= ids | long,
                _ => return Ok(self.all("too many have those pieces")),
            }
        }
        self.found(selector, IndexKind::Substring, &found);
        Ok(Candidates::These(found))
    }

    /// The entries of which the index says that a value holds those pieces; `None` if each of them is in too many.
    fn holding(
        &mut self,
        id: AttributeTypeId,
        triples: &BTreeSet<[u8; 3]>,
    ) -> Result<Option<RoaringBitmap>, TreeError> {
        let mut found: Option<RoaringBitmap> = None;
        for triple in triples {
            let share = self.spare() / 2;
            let most = match &found {
                Some(ids) if ids.len() <= FEW => break,
                Some(ids) => share.min(worth(ids)),
                None => share,
            };
            let more = self.within(most, |planner| planner.read(&Postings::piece(id, *triple)))?;
            if let Candidates::These(ids) = more {
                found = Some(found.map_or_else(|| ids.clone(), |before| before & &ids));
            }
        }
        Ok(found)
    }

    fn range(&mut self, selector: &Selector, bound: &[u8], end: Bound) -> Result<Candidates, TreeError> {
        if !self.is_indexed(selector, IndexKind::Ordering) {
            return Ok(self.unindexed(selector, IndexKind::Ordering));
        }
        let mut found = RoaringBitmap::new();
        for id in &selector.types {
            match self.ordered(*id, bound, end)? {
                Candidates::These(ids) => found |= ids,
                Candidates::All => return Ok(self.all("too many lie in that range")),
            }
        }
        self.found(selector, IndexKind::Ordering, &found);
        Ok(Candidates::These(found))
    }

    fn ordered(&mut self, id: AttributeTypeId, bound: &[u8], end: Bound) -> Result<Candidates, TreeError> {
        let prefix = key::index_prefix(id, IndexKind::Ordering);
        let edge = Postings::ordered(id, bound);
        let start = if end == Bound::Least { edge.octets() } else { &prefix };
        let is_within = |key: &[u8]| {
            let beyond = end == Bound::Most && key.get(..edge.octets().len()) > Some(edge.octets());
            key.starts_with(&prefix) && !beyond
        };
        let view = self.view;
        self.follow(|visit| {
            let visit = &mut |key: &[u8], _: &[u8]| if is_within(key) { visit(key) } else { Go::Stop };
            view.snapshot().scan(super::engine::Family::Index, start, visit)
        })
    }

    /// `memberOf` is not stored: the group of that name says who its members are.
    fn members(&mut self, group: &Bytes) -> Result<Candidates, TreeError> {
        let mut found = RoaringBitmap::new();
        let known = self.view.schema().known();
        let node = match self.find(group)? {
            Some(id) => self.view.node(id)?,
            None => None,
        };
        let unique = node.iter().flat_map(|node| node.entry.values(known.unique_member));
        let unique = unique.map(|value| NormalForm::NameAndUid.name_in(value));
        for member in node.iter().flat_map(|node| node.entry.values(known.member)).chain(unique) {
            if !self.pays(LOOKUP) {
                return Ok(self.all("the group has too many members"));
            }
            found.extend(self.find(member)?.map(|id| id.0));
        }
        self.tell(PlanStep::Members(found.len()));
        for url in node.iter().flat_map(|node| node.entry.values(known.member_url)) {
            match self.found_by(url)? {
                Candidates::These(ids) => found |= ids,
                Candidates::All => return Ok(Candidates::All),
            }
        }
        Ok(Candidates::These(found))
    }

    /// The members of a group that are found by a search.
    fn found_by(&mut self, url: &[u8]) -> Result<Candidates, TreeError> {
        let url = std::str::from_utf8(url).ok().and_then(|url| LdapUrl::parse(url.split(' ').next()?).ok());
        let filter = url.and_then(|url| url.filter).and_then(|filter| Filter::parse(&filter).ok());
        match filter {
            Some(filter) => self.candidates(&Matcher::prepare(&filter, self.view.schema())),
            None => Ok(self.all("the members of the group are found by a search without a filter")),
        }
    }

    fn named(&mut self, name: &Bytes) -> Result<Candidates, TreeError> {
        let found = self.find(name)?.map(|id| id.0).into_iter().collect();
        self.note("the entry of that name");
        Ok(Candidates::These(found))
    }

    fn identified(&mut self, normal: &[u8]) -> Result<Candidates, TreeError> {
        let uuid = uuid::Uuid::from_slice(normal).ok();
        let found = match uuid {
            Some(uuid) => self.view.find_uuid(uuid)?,
            None => None,
        };
        self.note("the entry with that UUID");
        Ok(Candidates::These(found.map(|id| id.0).into_iter().collect()))
    }

    fn find(&self, name: &[u8]) -> Result<Option<EntryId>, TreeError> {
        let text = std::str::from_utf8(name).unwrap_or_default();
        match Dn::parse(self.view.schema(), text) {
            Ok(dn) => Ok(self.view.find(&dn)?.entry()),
            Err(_) => Ok(None),
        }
    }

    /// The entries of one posting list, or "any" if there are too many.
    fn read(&mut self, postings: &Postings) -> Result<Candidates, TreeError> {
        let view = self.view;
        let (recent, at) = (&view.fixed().recent, view.version());
        if let Some(list) = recent.postings(postings.octets(), at) {
            let enough = self.pays(1);
            return Ok(if enough { Candidates::These(list.iter().map(|id| id.0).collect()) } else { Candidates::All });
        }
        let found = self.follow(|visit| view.snapshot().scan_postings(postings.octets(), visit))?;
        if let Candidates::These(ids) = &found
            && ids.len() <= SHORT as u64
        {
            recent.keep_postings(postings.octets(), at, ids.iter().map(EntryId).collect());
        }
        Ok(found)
    }

    /// The entries of the postings that a scan visits, or "any" if there are more than can be paid for.
    fn follow(
        &mut self,
        scan: impl FnOnce(&mut dyn FnMut(&[u8]) -> Go) -> Result<(), StoreError>,
    ) -> Result<Candidates, TreeError> {
        if !self.pays(SEEK) {
            return Ok(Candidates::All);
        }
        let mut ids = RoaringBitmap::new();
        let mut full = false;
        scan(&mut |key| {
            full = !self.pays(1);
            if full {
                return Go::Stop;
            }
            ids.extend(key::posting_id(key).map(|id| id.0));
            Go::On
        })
        .map_err(|error| failed(&error))?;
        Ok(if full { Candidates::All } else { Candidates::These(ids) })
    }

    fn all(&mut self, why: &'static str) -> Candidates {
        self.note(why);
        Candidates::All
    }

    fn none(&mut self, why: &'static str) -> Candidates {
        self.note(why);
        Candidates::These(RoaringBitmap::new())
    }

    fn unindexed(&mut self, selector: &Selector, kind: IndexKind) -> Candidates {
        self.tell(PlanStep::Unindexed(selector.types.first().copied(), kind.word()));
        Candidates::All
    }

    fn found(&mut self, selector: &Selector, kind: IndexKind, ids: &RoaringBitmap) {
        self.tell(PlanStep::Found(ids.len(), selector.types.first().copied(), kind.word()));
    }

    fn note(&mut self, words: &'static str) {
        self.tell(PlanStep::Note(words));
    }

    fn tell(&mut self, step: PlanStep) {
        if self.steps.len() < TOLD {
            self.steps.push(step);
        }
    }
}

fn both(some: Candidates, others: Candidates) -> Candidates {
    match (some, others) {
        (Candidates::These(a), Candidates::These(b)) => Candidates::These(a & b),
        (Candidates::All, other) | (other, Candidates::All) => other,
    }
}

/// What another part may cost where so many candidates could be tested instead.
fn worth(ids: &RoaringBitmap) -> u64 {
    ids.len().saturating_mul(WORTH).saturating_add(SEEK)
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use uuid::Uuid;

    use super::*;
    use crate::directory::filter::Filter;
    use crate::directory::schema::SchemaBuilder;
    use crate::directory::tree::{Change, Directory, Place, Tree, Write};
    use crate::directory::{Attribute, Entry, Rdn, Schema};
    use crate::store::{Existence, OpenOptions, Store};

    const SUFFIX: &str = "dc=example,dc=com";
    const ENTRIES: u32 = 300;

    /// A store with a group, `cn=all`, of many people who have the numbers from 0 on.
    fn store(folder: &tempfile::TempDir) -> Store {
        let options = OpenOptions {
            path: folder.path(),
            existence: Existence::Forbidden,
            suffixes: &[SUFFIX.to_owned()],
            indexes: None,
            cache_octets: 16 << 20,
            now: crate::directory::Timestamp::default(),
            schema: &|numbering| SchemaBuilder::new().with_numbering(numbering).add_standard()?.build(),
        };
        let store = Store::open(&options).unwrap();
        let schema = Arc::clone(store.view().schema());
        let top = Uuid::from_u128(1);
        let suffix = Place::Suffix(Dn::parse(&schema, SUFFIX).unwrap());
        let mut writes = vec![insert(top, suffix, &[("objectClass", vec!["domain".into()])], &schema)];
        let below = |rdn: String| {
            let key = Rdn::parse(&schema, &rdn).unwrap().key().into();
            Place::Below { parent: top, rdn: rdn.into(), key }
        };
        for n in 0..ENTRIES {
            let attributes = [("objectClass", vec!["account".into()]), ("uidNumber", vec![n.to_string()])];
            let uuid = Uuid::from_u128(u128::from(n) + 10);
            writes.push(insert(uuid, below(format!("uid=u{n}")), &attributes, &schema));
        }
        let members = (0..ENTRIES).map(|n| format!("uid=u{n},{SUFFIX}")).collect();
        writes.push(insert(Uuid::from_u128(2), below("cn=all".into()), &[("member", members)], &schema));
        store.commit(Change { writes, ..Change::none() }).unwrap();
        store
    }

    fn insert(uuid: Uuid, place: Place, attributes: &[(&str, Vec<String>)], schema: &Schema) -> Write {
        let attribute = |(name, values): &(&str, Vec<String>)| Attribute {
            description: schema.describe(name).unwrap(),
            values: values.iter().map(|value| value.as_bytes().to_vec()).collect(),
        };
        let entry = Entry::encode(&attributes.iter().map(attribute).collect(), schema);
        Write::Insert { uuid, place, entry, credentials: None }
    }

    fn plan(store: &Store, filter: &str, budget: u64) -> Plan {
        let view = store.view();
        let matcher = Matcher::prepare(&Filter::parse(filter).unwrap(), View::schema(&view));
        view.plan(&matcher, PlanBudget(budget)).unwrap()
    }

    fn count(plan: &Plan) -> Option<u64> {
        match &plan.candidates {
            Candidates::These(ids) => Some(ids.len()),
            Candidates::All => None,
        }
    }

    #[test]
    fn a_plan_gives_up_what_its_budget_does_not_suffice_for() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder);
        let member_of = format!("(memberOf=cn=all,{SUFFIX})");
        for filter in ["(uidNumber>=0)", "(objectClass=account)", "(|(uidNumber<=5)(uidNumber>=7))", &member_of] {
            let curtailed = plan(&store, filter, 100);
            assert_eq!((count(&curtailed), curtailed.is_curtailed), (None, true), "{filter}");
            let whole = plan(&store, filter, 10_000);
            assert!(count(&whole).is_some_and(|found| found >= 299) && !whole.is_curtailed, "{filter}");
        }
    }

    #[test]
    fn parts_of_a_plan_share_its_budget() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder);
        let parts: Vec<String> = (0..1_000).map(|n| format!("(uidNumber>=-{n})")).collect();
        let view = store.view();
        let matcher = Matcher::prepare(&Filter::parse(&format!("(&{})", parts.concat())).unwrap(), View::schema(&view));
        let mut planner = Planner { view: &view, left: 5_000, kept: 0, is_curtailed: false, steps: Vec::new() };
        let found = planner.candidates(&matcher).unwrap();
        assert!(matches!(found, Candidates::These(ids) if ids.len() == u64::from(ENTRIES)));
        assert!(planner.is_curtailed && planner.steps.len() <= TOLD);
    }

    #[test]
    fn a_part_that_is_given_up_leaves_enough_for_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder);
        let plan = plan(&store, "(&(objectClass=account)(uidNumber>=298))", 200);
        assert_eq!(count(&plan), Some(2));
        let schema = Arc::clone(View::schema(&store.view()));
        let words = plan.explain(&schema).to_string();
        assert_eq!(words, "2 by the ordering index of uidNumber; few are left");
    }
}
