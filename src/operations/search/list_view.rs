//! Virtual list views (draft-ietf-ldapext-ldapv3-vlv-09): which part of a sorted list is sent.

use std::cmp::Ordering;
use std::ops::Range;

use super::sort::{Order, Rank};
use crate::directory::ResultCode;
use crate::directory::schema::Schema;
use crate::directory::tree::EntryId;
use crate::protocol::control::{ListView, ViewTarget};

/// The part of a list that a window shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Window {
    /// The place of the target, from 1; one more than there are entries if there is none.
    pub(super) position: usize,
    /// How many entries there are.
    pub(super) count: usize,
    /// Those to be sent.
    pub(super) range: Range<usize>,
}

impl Window {
    pub(super) fn find(
        view: &ListView,
        order: &Order,
        rows: &[(Rank, EntryId)],
        schema: &Schema,
    ) -> Result<Self, ResultCode> {
        let place = match &view.target {
            ViewTarget::Offset { offset, count } => place(*offset as usize, *count as usize, rows.len())?,
            ViewTarget::AtLeast(value) => {
                let compare = order.place_of(value, schema).ok_or(ResultCode::InappropriateMatching)?;
                rows.partition_point(|(rank, _)| compare(rank) == Ordering::Less)
            }
        };
        let start = place.saturating_sub(view.before as usize);
        let end = place.saturating_add(1).saturating_add(view.after as usize).min(rows.len());
        let position = if rows.is_empty() { 0 } else { place + 1 };
        Ok(Self { position, count: rows.len(), range: start..end.max(start) })
    }
}

/// The place of the target, from 0 (§5): what the client says is taken in proportion to what it believes that there are.
fn place(offset: usize, believed: usize, count: usize) -> Result<usize, ResultCode> {
    let target = match (offset, believed) {
        (0, _) => return Err(ResultCode::OffsetRangeError),
        (offset, believed) if believed != 0 && offset > believed => return Err(ResultCode::OffsetRangeError),
        (offset, believed) if offset == believed => count,
        (1, _) => 1,
        (offset, 0) => offset,
        (offset, believed) => (2 * offset * count + believed) / (2 * believed),
    };
    if count == 0 {
        return Ok(0);
    }
    if target > count {
        return Err(ResultCode::OffsetRangeError);
    }
    Ok(target.max(1) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_taken_in_proportion() {
        assert_eq!((place(1, 0, 10), place(1, 20, 10)), (Ok(0), Ok(0)));
        assert_eq!((place(20, 20, 10), place(10, 20, 10), place(5, 0, 10)), (Ok(9), Ok(4), Ok(4)));
        assert_eq!(place(1, 1, 10), Ok(9));
        assert_eq!(place(7, 0, 0), Ok(0));
        for (offset, believed) in [(0, 0), (0, 5), (6, 5), (11, 0)] {
            assert_eq!(place(offset, believed, 10), Err(ResultCode::OffsetRangeError), "{offset} of {believed}");
        }
    }
}
