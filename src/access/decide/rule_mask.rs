//! Sets of rules, by position.

use smallvec::SmallVec;

/// A set of rules, by position: so many that have room in four words cost no memory of their own.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct RuleMask(SmallVec<[u64; 4]>);

impl RuleMask {
    pub(super) fn has(&self, position: usize) -> bool {
        self.0.get(position / 64).is_some_and(|word| word & 1 << (position % 64) != 0)
    }

    pub(super) fn insert(&mut self, position: usize) {
        if self.0.len() <= position / 64 {
            self.0.resize(position / 64 + 1, 0);
        }
        if let Some(word) = self.0.get_mut(position / 64) {
            *word |= 1 << (position % 64);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// Whether some rule is in both.
    pub(super) fn intersects(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| a & b != 0)
    }

    /// Adds all of `other`.
    pub(super) fn union(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        self.0.iter_mut().zip(&other.0).for_each(|(word, more)| *word |= more);
    }

    /// Takes all of `other` away.
    pub(super) fn subtract(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, less)| *word &= !less);
    }

    /// Keeps only what is in `other` as well.
    pub(super) fn intersect(&mut self, other: &Self) {
        self.0.truncate(other.0.len());
        self.0.iter_mut().zip(&other.0).for_each(|(word, kept)| *word &= kept);
    }

    /// The positions, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(at, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let position = (left != 0).then(|| at * 64 + left.trailing_zeros() as usize)?;
                left &= left - 1;
                Some(position)
            })
        })
    }
}

impl FromIterator<usize> for RuleMask {
    fn from_iter<I: IntoIterator<Item = usize>>(positions: I) -> Self {
        let mut mask = Self::default();
        positions.into_iter().for_each(|position| mask.insert(position));
        mask
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_rules_are_joined_and_taken_away() {
        let mut some: RuleMask = [0, 63, 64, 300].into_iter().collect();
        let few: RuleMask = [63, 300].into_iter().collect();
        assert!(some.has(64) && !some.has(65) && some.intersects(&few));
        assert_eq!(some.iter().collect::<Vec<_>>(), [0, 63, 64, 300]);
        let mut both = few.clone();
        both.union(&[5].into_iter().collect());
        both.intersect(&some);
        assert_eq!(both.iter().collect::<Vec<_>>(), [63, 300]);
        some.subtract(&few);
        assert_eq!(some.iter().collect::<Vec<_>>(), [0, 64]);
        some.subtract(&[0, 64].into_iter().collect());
        assert!(some.is_empty() && !some.intersects(&few));
    }
}
