//! Records of one family that wait to be sorted.

use std::path::Path;

use crate::store::StoreError;
use crate::store::engine::{Engine, Family};

/// Records: their octets one behind the other, and where each begins.
#[derive(Debug, Default)]
pub(super) struct Run {
    octets: Vec<u8>,
    places: Vec<Place>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    start: u32,
    key: u16,
    value: u32,
}

impl Run {
    /// How much memory it takes, in octets.
    pub(super) const fn octets(&self) -> usize {
        self.octets.len() + self.places.len() * size_of::<Place>()
    }

    pub(super) fn push(&mut self, key: &[u8], value: &[u8]) {
        let start = u32::try_from(self.octets.len()).unwrap_or(u32::MAX);
        let (key_len, value_len) =
            (u16::try_from(key.len()).unwrap_or(u16::MAX), u32::try_from(value.len()).unwrap_or(u32::MAX));
        self.octets.extend_from_slice(key);
        self.octets.extend_from_slice(value);
        self.places.push(Place { start, key: key_len, value: value_len });
    }

    fn key(&self, place: Place) -> &[u8] {
        let start = place.start as usize;
        self.octets.get(start..start + usize::from(place.key)).unwrap_or_default()
    }

    fn value(&self, place: Place) -> &[u8] {
        let start = place.start as usize + usize::from(place.key);
        self.octets.get(start..start + place.value as usize).unwrap_or_default()
    }

    /// Writes them in order, and is empty then.
    pub(super) fn write(&mut self, engine: &Engine, family: Family, path: &Path) -> Result<(), StoreError> {
        let mut places = std::mem::take(&mut self.places);
        // Most families come in order.
        if !places.is_sorted_by_key(|place| self.key(*place)) {
            places.sort_unstable_by(|a, b| self.key(*a).cmp(self.key(*b)));
        }
        let mut file = engine.sorted_file(family, path)?;
        for place in places {
            file.put(self.key(place), self.value(place))?;
        }
        file.finish()?;
        self.octets.clear();
        Ok(())
    }
}
