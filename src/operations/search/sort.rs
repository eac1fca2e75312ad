//! Results in an order (RFC 2891): all that match are found first, and sent when they are sorted.
//!
//! Of each is kept what it is sorted by and its number; it is looked at again when its turn comes, since it may have
//! changed. How much all searches together keep is bounded.

use std::cmp::Ordering;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering as Atomic};

use bytes::Bytes;
use smallvec::SmallVec;

use crate::access::Decision;
use crate::directory::filter::{Facts, Selector, ordering_form};
use crate::directory::schema::{MatchingRule, NormalForm, RuleKind, Schema};
use crate::directory::tree::EntryId;
use crate::directory::{AttributeTypeId, Dn, Entry, ResultCode};
use crate::protocol::control::{MOST_KEYS, SortKey, SortRequest};

/// What results are sorted by.
#[derive(Clone, Debug)]
pub(super) struct Order {
    keys: Vec<Key>,
}

#[derive(Clone, Debug)]
struct Key {
    selector: Selector,
    form: NormalForm,
    reverse: bool,
}

/// Why results cannot be sorted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Unsortable {
    pub(super) code: ResultCode,
    /// The attribute at fault.
    pub(super) attribute: Option<Bytes>,
}

impl From<ResultCode> for Unsortable {
    fn from(code: ResultCode) -> Self {
        Self { code, attribute: None }
    }
}

impl Order {
    pub(super) fn read(request: &SortRequest, schema: &Schema) -> Result<Self, Unsortable> {
        if request.keys.len() > MOST_KEYS {
            return Err(ResultCode::UnwillingToPerform.into());
        }
        let mut keys: Vec<Key> = Vec::with_capacity(request.keys.len());
        for asked in &request.keys {
            let fault = |code| Unsortable { code, attribute: Some(asked.attribute.clone()) };
            let key = Key::read(asked, schema).map_err(fault)?;
            if keys.iter().any(|other| other.selector == key.selector) {
                return Err(fault(ResultCode::UnwillingToPerform));
            }
            keys.push(key);
        }
        Ok(Self { keys })
    }

    /// The attributes that it looks at.
    pub(super) fn attributes(&self) -> impl Iterator<Item = AttributeTypeId> {
        self.keys.iter().flat_map(|key| key.selector.types.iter().copied())
    }

    /// What an entry is sorted by, as far as the requester may search and read it.
    pub(super) fn rank(&self, entries: &[&Entry], decision: &Decision, schema: &Schema) -> Rank {
        let mut searchable = decision.search.clone();
        searchable.intersect(&decision.read);
        let root = Dn::root();
        let facts = Facts { entries, searchable: &searchable, dn: &root, schema };
        self.keys.iter().map(|key| key.least(&facts)).collect()
    }

    /// What stands first of two.
    pub(super) fn compare(&self, a: &Rank, b: &Rank) -> Ordering {
        let keys = self.keys.iter().zip(a.iter().zip(b));
        keys.map(|(key, (a, b))| key.compare(a.as_deref(), b.as_deref()))
            .find(|it| it.is_ne())
            .unwrap_or(Ordering::Equal)
    }

    /// How a value of the weightiest key compares with what an entry is sorted by; `None` if the value cannot be compared.
    pub(super) fn place_of(&self, value: &[u8], schema: &Schema) -> Option<impl Fn(&Rank) -> Ordering> {
        let key = self.keys.first()?;
        let normal = key.form.of_assertion(schema, value).ok()?.into_owned();
        Some(move |rank: &Rank| key.compare(rank.first().and_then(Option::as_deref), Some(&normal)))
    }
}

impl Key {
    fn read(asked: &SortKey, schema: &Schema) -> Result<Self, ResultCode> {
        let name = std::str::from_utf8(&asked.attribute).ok();
        let description = name.and_then(|name| schema.describe(name)).ok_or(ResultCode::NoSuchAttribute)?;
        let attribute = schema.attribute_type(description.attribute_type);
        if attribute.is_secret() {
            return Err(ResultCode::InsufficientAccessRights);
        }
        let form = match &asked.rule {
            None => ordering_form(attribute),
            Some(name) => std::str::from_utf8(name)
                .ok()
                .and_then(MatchingRule::find)
                .filter(|rule| matches!(rule.kind(), RuleKind::Ordering | RuleKind::Equality) && rule.fits(attribute))
                .map(MatchingRule::normal_form),
        };
        let form = form.ok_or(ResultCode::InappropriateMatching)?;
        Ok(Self { selector: Selector::new(&description, schema), form, reverse: asked.reverse })
    }

    /// The least of the values (RFC 2891 §2.2).
    fn least(&self, facts: &Facts<'_>) -> Option<Box<[u8]>> {
        let values = self.selector.values(facts);
        let normal = values.filter_map(|value| self.form.of_value(facts.schema, value).ok());
        normal.min().map(|least| least.into_owned().into_boxed_slice())
    }

    /// What has no value stands behind everything that has one; the other way round if that is asked for.
    fn compare(&self, a: Option<&[u8]>, b: Option<&[u8]>) -> Ordering {
        let forwards = match (a, b) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(a), Some(b)) => a.cmp(b),
        };
        if self.reverse { forwards.reverse() } else { forwards }
    }
}

/// What an entry is sorted by: a normal form for each key, where it has a value.
pub(super) type Rank = SmallVec<[Option<Box<[u8]>>; 1]>;

/// What has been found of a search that is to be sorted.
#[derive(Clone, Debug)]
pub(super) struct Collected {
    order: Order,
    rows: Vec<(Rank, EntryId)>,
    room: Room,
}

impl Collected {
    pub(super) fn new(order: Order) -> Self {
        Self { order, rows: Vec::new(), room: Room::default() }
    }

    pub(super) const fn order(&self) -> &Order {
        &self.order
    }

    /// Keeps an entry, if that is not more than one search, or all together, may keep.
    pub(super) fn push(&mut self, rank: Rank, id: EntryId, most: usize) -> Result<(), Unsortable> {
        if self.rows.len() >= most {
            return Err(ResultCode::AdminLimitExceeded.into());
        }
        let octets = rank.iter().flatten().map(|normal| normal.len() + ROW).sum::<usize>() + ROW;
        self.room.take(octets)?;
        self.rows.push((rank, id));
        Ok(())
    }

    /// All that were found, in their order.
    pub(super) fn sorted(mut self) -> (Order, Vec<(Rank, EntryId)>) {
        self.rows.sort_by(|(a, _), (b, _)| self.order.compare(a, b));
        (self.order, self.rows)
    }
}

/// About what a row or a value takes besides its octets.
const ROW: usize = 32;
/// Octets that one search may keep.
const MOST_OF_ONE: usize = 8 << 20;
/// Octets that all searches together may keep.
const MOST_OF_ALL: usize = 256 << 20;

/// What all searches together keep.
static KEPT: AtomicUsize = AtomicUsize::new(0);

/// What one search keeps. It is given back when the last copy of it is gone.
#[derive(Clone, Debug, Default)]
struct Room(Arc<Taken>);

#[derive(Debug, Default)]
struct Taken(AtomicUsize);

impl Room {
    fn take(&self, octets: usize) -> Result<(), Unsortable> {
        if self.0.0.load(Atomic::Relaxed) + octets > MOST_OF_ONE {
            return Err(ResultCode::AdminLimitExceeded.into());
        }
        if KEPT.fetch_add(octets, Atomic::Relaxed) + octets > MOST_OF_ALL {
            KEPT.fetch_sub(octets, Atomic::Relaxed);
            return Err(ResultCode::Busy.into());
        }
        self.0.0.fetch_add(octets, Atomic::Relaxed);
        Ok(())
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        KEPT.fetch_sub(self.0.load(Atomic::Relaxed), Atomic::Relaxed);
    }
}

/// Entries in the order in which they are to be sent.
#[derive(Clone, Debug)]
pub(super) struct Sorted {
    ids: Arc<[EntryId]>,
    next: usize,
}

impl Sorted {
    pub(super) fn new(ids: impl Iterator<Item = EntryId>) -> Self {
        Self { ids: ids.collect(), next: 0 }
    }

    pub(super) fn next(&self) -> Option<EntryId> {
        self.ids.get(self.next).copied()
    }

    pub(super) const fn advance(&mut self) {
        self.next += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(keys: &[(&str, bool)]) -> Order {
        let key = |(name, reverse): &(&str, bool)| SortKey {
            attribute: Bytes::copy_from_slice(name.as_bytes()),
            rule: None,
            reverse: *reverse,
        };
        let request = SortRequest { keys: keys.iter().map(key).collect(), critical: false };
        Order::read(&request, &Schema::standard()).unwrap()
    }

    fn rank(values: &[Option<&str>]) -> Rank {
        values.iter().map(|value| value.map(|value| value.as_bytes().into())).collect()
    }

    #[test]
    fn what_has_no_value_stands_behind_or_in_reverse_before() {
        let (some, none) = (rank(&[Some("a")]), rank(&[None]));
        assert_eq!(order(&[("sn", false)]).compare(&some, &none), Ordering::Less);
        assert_eq!(order(&[("sn", true)]).compare(&some, &none), Ordering::Greater);
    }

    #[test]
    fn later_keys_decide_where_earlier_ones_are_equal() {
        let order = order(&[("sn", false), ("cn", true)]);
        let (a, b) = (rank(&[Some("x"), Some("a")]), rank(&[Some("x"), Some("b")]));
        assert_eq!(order.compare(&a, &b), Ordering::Greater);
    }

    #[test]
    fn what_one_search_keeps_is_bounded_and_given_back() {
        let mut collected = Collected::new(order(&[("sn", false)]));
        let large = || rank(&[Some(&"x".repeat(1 << 20))]);
        let pushed = (0..20).take_while(|_| collected.push(large(), EntryId(1), 100).is_ok()).count();
        assert!((6..8).contains(&pushed), "{pushed}");
        let before = KEPT.load(Atomic::Relaxed);
        drop(collected);
        assert!(KEPT.load(Atomic::Relaxed) + (6 << 20) <= before);
    }

    #[test]
    fn more_entries_than_may_be_are_not_sorted() {
        let mut collected = Collected::new(order(&[("sn", false)]));
        assert_eq!(collected.push(rank(&[None]), EntryId(1), 1), Ok(()));
        assert_eq!(collected.push(rank(&[None]), EntryId(2), 1), Err(ResultCode::AdminLimitExceeded.into()));
    }
}
