//! Points in time as a directory writes them: `GeneralizedTime` (RFC 4517 §3.3.13).

use std::fmt;
use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::Offset;

/// A point in time, to the microsecond. Printed as `GeneralizedTime` without a fraction, which is the form that clients
/// parse everywhere; [`Timestamp::precise`] prints the fraction too.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Timestamp(i64);

const MICROS: i64 = 1_000_000;

impl Timestamp {
    /// The time `micros` microseconds after 1970-01-01T00:00:00Z.
    pub const fn from_unix_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub const fn unix_micros(self) -> i64 {
        self.0
    }

    /// Whole days since 1970-01-01, the unit of `shadowLastChange` (RFC 2307 §4).
    pub const fn unix_days(self) -> i64 {
        self.0.div_euclid(86_400 * MICROS)
    }

    /// This time with its fraction of a second removed.
    #[must_use]
    pub const fn whole_seconds(self) -> Self {
        Self(self.0.div_euclid(MICROS) * MICROS)
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// This time plus `duration`, or the last time there is.
    #[must_use]
    pub fn saturating_add(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(micros))
    }

    /// This time minus `duration`, or the first time there is.
    #[must_use]
    pub fn saturating_sub(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(micros))
    }

    /// Reads `YYYYMMDDHH[MM[SS]][(.|,)fraction](Z|±HH[MM])`. Digits beyond the microsecond are dropped; a leap second
    /// counts as the second after it.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (date, rest) = digits(text, 8)?;
        let (hour, rest) = digits(rest, 2)?;
        let (minute, rest) = digits(rest, 2).map_or((None, rest), |(n, rest)| (Some(n), rest));
        let (second, rest) = match minute {
            Some(_) => digits(rest, 2).map_or((None, rest), |(n, rest)| (Some(n), rest)),
            None => (None, rest),
        };
        let unit = match (minute, second) {
            (None, _) => 3600 * MICROS,
            (_, None) => 60 * MICROS,
            _ => MICROS,
        };
        let (fraction, zone) = fraction(rest, unit)?;
        let leap = second == Some(60);
        let civil = civil(date, hour, minute.unwrap_or(0), second.unwrap_or(0).min(59))?;
        let utc = Offset::UTC.to_timestamp(civil).ok()?.as_microsecond();
        let whole = utc.checked_add(if leap { MICROS } else { 0 })?;
        Some(Self(whole.checked_add(fraction)?.checked_sub(zone_offset(zone)?)?))
    }

    /// Prints with six digits of fraction, so that values made within one second stay distinct.
    pub fn precise(self) -> Precise {
        Precise(self)
    }

    fn civil(self) -> DateTime {
        let furthest = if self.0 < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
        let clamped = jiff::Timestamp::from_microsecond(self.0).unwrap_or(furthest);
        Offset::UTC.to_datetime(clamped)
    }
}

/// A [`Timestamp`] that prints its microseconds, see [`Timestamp::precise`].
#[derive(Clone, Copy, Debug)]
pub struct Precise(Timestamp);

impl fmt::Display for Precise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_seconds(self.0, f)?;
        write!(f, ".{:06}Z", self.0.0.rem_euclid(MICROS))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_seconds(*self, f)?;
        f.write_str("Z")
    }
}

fn write_seconds(time: Timestamp, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let t = time.civil();
    let (date, clock) = (t.date(), t.time());
    let mut text = [0; 14];
    // There is no year before the first.
    let (year, rest) = text.split_at_mut(4);
    put_digits(year, u32::try_from(date.year()).unwrap_or_default());
    let parts = [date.month(), date.day(), clock.hour(), clock.minute(), clock.second()];
    for (place, part) in rest.chunks_exact_mut(2).zip(parts) {
        put_digits(place, u32::from(part.unsigned_abs()));
    }
    f.write_str(std::str::from_utf8(&text).unwrap_or_default())
}

/// Writes a number with as many digits as there is place for.
fn put_digits(place: &mut [u8], mut number: u32) {
    for octet in place.iter_mut().rev() {
        *octet = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
    }
}

/// The number made of the first `count` octets, which must all be digits, and what follows.
fn digits(text: &[u8], count: usize) -> Option<(u32, &[u8])> {
    let (head, rest) = text.split_at_checked(count)?;
    let mut number = 0;
    for octet in head {
        number = number * 10 + u32::from(octet.is_ascii_digit().then(|| octet - b'0')?);
    }
    Some((number, rest))
}

/// The fraction in microseconds of `unit`, and the zone that follows.
fn fraction(text: &[u8], unit: i64) -> Option<(i64, &[u8])> {
    let [b'.' | b',', rest @ ..] = text else { return Some((0, text)) };
    let end = rest.iter().position(|octet| !octet.is_ascii_digit())?;
    let (number, zone) = rest.split_at_checked(end)?;
    if number.is_empty() {
        return None;
    }
    let mut micros = 0;
    let mut weight = unit;
    for octet in number.iter().take(12) {
        let digit = i64::from(octet - b'0');
        micros += weight * digit / 10;
        weight /= 10;
    }
    Some((micros, zone))
}

fn civil(date: u32, hour: u32, minute: u32, second: u32) -> Option<DateTime> {
    let small = |n: u32| i8::try_from(n).ok();
    let year = i16::try_from(date / 10_000).ok()?;
    let date = jiff::civil::Date::new(year, small(date / 100 % 100)?, small(date % 100)?).ok()?;
    let time = jiff::civil::Time::new(small(hour)?, small(minute)?, small(second)?, 0).ok()?;
    Some(DateTime::from_parts(date, time))
}

fn zone_offset(zone: &[u8]) -> Option<i64> {
    let (sign, rest) = match zone {
        b"Z" => return Some(0),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let (hours, rest) = digits(rest, 2)?;
    let (minutes, rest) = if rest.is_empty() { (0, rest) } else { digits(rest, 2)? };
    let valid = rest.is_empty() && hours < 24 && minutes < 60;
    valid.then(|| sign * i64::from(hours * 60 + minutes) * 60 * MICROS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn micros(text: &str) -> Option<i64> {
        Timestamp::parse(text.as_bytes()).map(Timestamp::unix_micros)
    }

    #[test]
    fn the_examples_of_rfc_4517_name_one_moment() {
        let moment = micros("199412161032Z");
        assert_eq!(moment, Some(787_573_920_000_000));
        assert_eq!(micros("199412160532-0500"), moment);
        assert_eq!(micros("19941216103200Z"), moment);
        assert_eq!(micros("1994121610.5Z"), micros("199412161030Z"));
        assert_eq!(micros("19941216103200,25Z"), Some(787_573_920_250_000));
    }

    #[test]
    fn what_is_no_generalized_time_is_refused() {
        for bad in [
            "",
            "1994",
            "19941216Z",
            "199412161032",
            "19941316103200Z",
            "19941216243200Z",
            "19941216103260+",
            "19941216103200.Z",
            "19941216103200Zx",
            "19941216103200+2500",
            "1994121610320Z",
            "2023-01-01T00:00:00Z",
        ] {
            assert_eq!(micros(bad), None, "{bad}");
        }
    }

    #[test]
    fn printing_and_reading_are_inverse() {
        let time = Timestamp::from_unix_micros(1_700_000_000_123_456);
        assert_eq!(time.to_string(), "20231114221320Z");
        assert_eq!(time.precise().to_string(), "20231114221320.123456Z");
        assert_eq!(Timestamp::parse(time.precise().to_string().as_bytes()), Some(time));
        assert_eq!(Timestamp::parse(b"000001010000Z").map(|t| t.to_string()).as_deref(), Some("00000101000000Z"));
    }
}
