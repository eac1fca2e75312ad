//! Places from which the password before is still sent: devices that nobody has told of the change.

use std::sync::Arc;

use crate::directory::Timestamp;

/// So many places are remembered; the one that was silent for longest makes room.
pub const MOST: usize = 4;

/// A place from which the password before was sent: a value of `pwdStaleSource`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StaleSource {
    /// Which place: an address.
    pub source: Arc<str>,
    /// How often.
    pub count: u32,
    /// When it was sent last.
    pub last: Timestamp,
}

impl StaleSource {
    /// Reads `TIME#COUNT#SOURCE`.
    pub(super) fn parse(value: &[u8]) -> Option<Self> {
        let mut fields = std::str::from_utf8(value).ok()?.splitn(3, '#');
        let last = Timestamp::parse(fields.next()?.as_bytes())?;
        let count = fields.next()?.parse().ok()?;
        Some(Self { source: fields.next()?.into(), count, last })
    }

    pub(super) fn to_value(&self) -> Vec<u8> {
        format!("{}#{}#{}", self.last, self.count, self.source).into_bytes()
    }
}

/// Notes that it was sent from there. `places` are ordered by time.
pub(super) fn note(places: &mut Vec<StaleSource>, source: &Arc<str>, now: Timestamp) {
    let at = places.iter().position(|place| place.source == *source);
    let known = at.map(|at| places.remove(at));
    let count = known.map_or(0, |place| place.count).saturating_add(1);
    if places.len() >= MOST {
        places.remove(0);
    }
    places.push(StaleSource { source: Arc::clone(source), count, last: now });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_micros(seconds * 1_000_000)
    }

    #[test]
    fn each_place_is_counted_by_itself_and_few_are_remembered() {
        let mut places = Vec::new();
        for (time, source) in ["a", "b", "a", "c", "d", "a", "e"].into_iter().enumerate() {
            note(&mut places, &source.into(), at(i64::try_from(time).unwrap()));
        }
        let told: Vec<_> = places.iter().map(|place| (&*place.source, place.count, place.last)).collect();
        assert_eq!(told, [("c", 1, at(3)), ("d", 1, at(4)), ("a", 3, at(5)), ("e", 1, at(6))]);
    }

    #[test]
    fn writing_and_reading_are_inverse() {
        for source in ["10.2.3.4", "2001:db8::1", "local uid 1000", "with # inside", ""] {
            let place = StaleSource { source: source.into(), count: 14, last: at(100) };
            assert_eq!(StaleSource::parse(&place.to_value()), Some(place));
        }
        for nonsense in ["", "#", "19700101000000Z#x#a", "19700101000000Z#1", "now#1#a"] {
            assert_eq!(StaleSource::parse(nonsense.as_bytes()), None, "{nonsense:?}");
        }
    }
}
