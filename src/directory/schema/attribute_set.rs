//! Sets of attribute types, made for asking often.

use super::AttributeTypeId;

/// A set of attribute types, as bits.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct AttributeSet {
    words: Vec<u64>,
}

impl AttributeSet {
    /// The set of no type.
    pub const EMPTY: Self = Self { words: Vec::new() };

    /// The set of all types below `count`.
    pub fn first(count: usize) -> Self {
        let mut words = vec![u64::MAX; count / 64];
        if !count.is_multiple_of(64) {
            words.push((1 << (count % 64)) - 1);
        }
        Self { words }
    }

    /// Whether `id` is in the set.
    pub fn contains(&self, id: AttributeTypeId) -> bool {
        self.words.get(id.index() / 64).is_some_and(|word| word & bit(id) != 0)
    }

    /// Puts `id` into the set.
    pub fn insert(&mut self, id: AttributeTypeId) {
        let at = id.index() / 64;
        if self.words.len() <= at {
            self.words.resize(at + 1, 0);
        }
        if let Some(word) = self.words.get_mut(at) {
            *word |= bit(id);
        }
    }

    /// Takes `id` out of the set.
    pub fn remove(&mut self, id: AttributeTypeId) {
        if let Some(word) = self.words.get_mut(id.index() / 64) {
            *word &= !bit(id);
        }
    }

    /// Adds all of `other`.
    pub fn union(&mut self, other: &Self) {
        if self.words.len() < other.words.len() {
            self.words.resize(other.words.len(), 0);
        }
        for (word, more) in self.words.iter_mut().zip(&other.words) {
            *word |= more;
        }
    }

    /// Takes all of `other` away.
    pub fn subtract(&mut self, other: &Self) {
        for (word, less) in self.words.iter_mut().zip(&other.words) {
            *word &= !less;
        }
    }

    /// Keeps only what is in `other` as well.
    pub fn intersect(&mut self, other: &Self) {
        self.words.truncate(other.words.len());
        for (word, kept) in self.words.iter_mut().zip(&other.words) {
            *word &= kept;
        }
    }

    /// Whether some type is in both sets.
    pub fn intersects(&self, other: &Self) -> bool {
        self.words.iter().zip(&other.words).any(|(a, b)| a & b != 0)
    }

    /// Whether no type is in the set.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// The types of the set, by number.
    pub fn iter(&self) -> impl Iterator<Item = AttributeTypeId> + '_ {
        (0..=u16::MAX).take(self.words.len() * 64).map(AttributeTypeId).filter(|id| self.contains(*id))
    }
}

impl FromIterator<AttributeTypeId> for AttributeSet {
    fn from_iter<I: IntoIterator<Item = AttributeTypeId>>(ids: I) -> Self {
        let mut set = Self::EMPTY;
        for id in ids {
            set.insert(id);
        }
        set
    }
}

const fn bit(id: AttributeTypeId) -> u64 {
    1 << (id.index() % 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(ids: &[u16]) -> AttributeSet {
        ids.iter().copied().map(AttributeTypeId).collect()
    }

    #[test]
    fn sets_are_joined_and_taken_away() {
        let mut all = AttributeSet::first(130);
        assert!(all.contains(AttributeTypeId(129)) && !all.contains(AttributeTypeId(130)));
        all.subtract(&set(&[0, 64, 129]));
        assert_eq!(all.iter().count(), 127);
        let mut few = set(&[1]);
        few.union(&set(&[200]));
        assert!(few.intersects(&set(&[200, 3])) && !few.intersects(&set(&[3])));
        few.intersect(&set(&[1]));
        assert_eq!(few.iter().collect::<Vec<_>>(), [AttributeTypeId(1)]);
    }
}
