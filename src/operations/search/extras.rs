//! What controls ask of a search besides its entries: an order, a part of the list, some values only, names to follow.

use super::Following;
use super::examine::FoundEntry;
use super::list_view::Window;
use super::matched_values::MatchedValues;
use super::sort::{Collected, Order, Sorted, Unsortable};
use crate::directory::ResultCode;
use crate::directory::schema::{AttributeSet, Schema};
use crate::directory::tree::{EntryId, Node};
use crate::operations::Context;
use crate::protocol::control::{
    Controls, ListView, Rare, ResponseControl, SortRequest, list_view_response, sort_response,
};
use crate::protocol::{LdapResult, Response};

/// What controls ask of a search. Most ask for nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Extras {
    pub(super) sorting: Sorting,
    list_view: Option<ListView>,
    pub(super) matched_values: Option<MatchedValues>,
    pub(super) following: Option<Following>,
    /// Whether entries that are not sorted are of no use.
    must_sort: bool,
    /// Controls of the answer.
    pub(super) told: Vec<ResponseControl>,
    /// The answer, if controls make the search impossible.
    pub(super) refused: Option<Response>,
}

/// How far the sorting is.
#[derive(Clone, Debug, Default)]
pub(super) enum Sorting {
    /// Entries are sent as they are found.
    #[default]
    Unwanted,
    /// They are being found.
    Collecting(Collected),
    /// They are being sent.
    Sending(Sorted),
}

impl Extras {
    /// Finds out what controls ask for; `None` if it is nothing.
    pub(super) fn read(controls: &Controls, schema: &Schema) -> Option<Box<Self>> {
        let Rare { sort, list_view, matched_values, dereference, .. } = controls.rare.as_deref()?;
        let mut extras = Self {
            list_view: list_view.clone(),
            matched_values: matched_values.as_ref().map(|items| MatchedValues::read(items, schema)),
            following: (!dereference.is_empty()).then(|| Following::read(dereference, schema)),
            ..Self::default()
        };
        match (sort, list_view) {
            (None, Some(_)) => extras.refuse_view(ResultCode::SortControlMissing, ResultCode::SortControlMissing),
            (Some(_), Some(_)) if controls.paged.is_some() => {
                extras.refuse_view(ResultCode::VirtualListViewError, ResultCode::UnwillingToPerform);
            }
            (Some(sort), _) => extras.begin_to_sort(sort, schema),
            (None, None) => {}
        }
        Some(Box::new(extras))
    }

    fn begin_to_sort(&mut self, sort: &SortRequest, schema: &Schema) {
        self.must_sort = sort.critical;
        match Order::read(sort, schema) {
            Ok(order) => self.sorting = Sorting::Collecting(Collected::new(order)),
            Err(fault) => self.give_up_sorting(&fault),
        }
    }

    /// The attributes that are looked at, whether or not they are sent.
    pub(super) fn looked_at(&self) -> AttributeSet {
        let followed = self.following.iter().flat_map(Following::attributes);
        let sorted_by = match &self.sorting {
            Sorting::Collecting(collected) => Some(collected.order().attributes()),
            Sorting::Unwanted | Sorting::Sending(_) => None,
        };
        followed.chain(sorted_by.into_iter().flatten()).collect()
    }

    /// Results come unsorted, or not at all (RFC 2891 §2, cases 3 and 4).
    pub(super) fn give_up_sorting(&mut self, fault: &Unsortable) {
        self.sorting = Sorting::Unwanted;
        self.told.push(sort_response(fault.code, fault.attribute.as_deref()));
        if self.list_view.is_some() {
            self.refuse_view(ResultCode::VirtualListViewError, fault.code);
        } else if self.must_sort {
            let words = "the results cannot be sorted like that";
            self.refuse(LdapResult::with_message(ResultCode::UnavailableCriticalExtension, words));
        }
    }

    fn refuse_view(&mut self, code: ResultCode, why: ResultCode) {
        self.told.push(list_view_response(0, 0, why));
        self.refuse(LdapResult::with_message(code, "this part of the list cannot be shown"));
    }

    fn refuse(&mut self, result: LdapResult) {
        self.refused = Some(Response { controls: std::mem::take(&mut self.told), ..result.into() });
    }

    /// Keeps an entry until it is known where it stands.
    pub(super) fn collect(&mut self, node: &Node, found: &FoundEntry, ctx: &Context<'_>) -> Result<(), Unsortable> {
        let Sorting::Collecting(collected) = &mut self.sorting else { return Ok(()) };
        let rank = collected.order().rank(&[&node.entry, &found.derived], &found.decision, ctx.schema());
        collected.push(rank, node.id, ctx.services.limits.sort)
    }

    /// Sorts what has been found, and begins to send it.
    pub(super) fn sort(&mut self, schema: &Schema) {
        let Sorting::Collecting(collected) = std::mem::take(&mut self.sorting) else { return };
        let (order, rows) = collected.sorted();
        let mut range = 0..rows.len();
        if !rows.is_empty() {
            self.told.push(sort_response(ResultCode::Success, None));
        }
        if let Some(view) = &self.list_view {
            match Window::find(view, &order, &rows, schema) {
                Ok(window) => {
                    self.told.push(list_view_response(window.position, window.count, ResultCode::Success));
                    range = window.range;
                }
                Err(why) => return self.refuse_view(ResultCode::VirtualListViewError, why),
            }
        }
        let ids = rows.get(range).unwrap_or_default().iter().map(|(_, id)| *id);
        self.sorting = Sorting::Sending(Sorted::new(ids));
    }

    /// Whether entries are kept until they can be sorted.
    pub(super) const fn is_collecting(&self) -> bool {
        matches!(self.sorting, Sorting::Collecting(_))
    }

    /// The entry that is to be sent next.
    pub(super) fn next(&self) -> Option<EntryId> {
        match &self.sorting {
            Sorting::Sending(sorted) => sorted.next(),
            Sorting::Unwanted | Sorting::Collecting(_) => None,
        }
    }

    pub(super) const fn advance(&mut self) {
        if let Sorting::Sending(sorted) = &mut self.sorting {
            sorted.advance();
        }
    }
}
