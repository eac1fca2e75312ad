//! Change sequence numbers, in the form that OpenLDAP writes (draft-chu-ldap-csn, with microseconds).

use std::fmt;

use super::Timestamp;

/// When and where a change was made: `YYYYmmddHHMMSS.uuuuuuZ#count#sid#mod`. Later changes compare greater, as values
/// and as text, because every field has a fixed width.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Csn {
    /// The time of the change.
    pub time: Timestamp,
    /// Tells changes of one microsecond apart; 24 bits.
    pub count: u32,
    /// The server that made it, 001 to fff.
    pub sid: u16,
}

impl Csn {
    /// How many octets the text form takes, always.
    pub const TEXT_LEN: usize = 40;

    /// Reads the text form. The last field is always zero in practice and not kept.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let mut fields = text.split('#');
        let time = Timestamp::parse(fields.next()?.as_bytes())?;
        let count = hex(fields.next()?, 6)?;
        let sid = u16::try_from(hex(fields.next()?, 3)?).ok()?;
        hex(fields.next()?, 6)?;
        fields.next().is_none().then_some(Self { time, count, sid })
    }

    /// The number that follows `previous` at the time `now`: never earlier, even if the clock went back.
    #[must_use]
    pub fn following(previous: Self, now: Timestamp) -> Self {
        if now > previous.time {
            return Self { time: now, count: 0, sid: previous.sid };
        }
        if previous.count < 0x00ff_ffff {
            return Self { count: previous.count + 1, ..previous };
        }
        let time = Timestamp::from_unix_micros(previous.time.unix_micros() + 1);
        Self { time, count: 0, sid: previous.sid }
    }
}

impl fmt::Display for Csn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{:06x}#{:03x}#000000", self.time.precise(), self.count, self.sid)
    }
}

fn hex(text: &str, len: usize) -> Option<u32> {
    let valid = text.len() == len && text.bytes().all(|octet| octet.is_ascii_hexdigit());
    valid.then(|| u32::from_str_radix(text, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_the_fields_and_width_of_openldap() {
        let text = "20261122133100.123456Z#00000a#001#000000";
        let csn = Csn::parse(text.as_bytes()).unwrap();
        assert_eq!((csn.count, csn.sid), (10, 1));
        assert_eq!(csn.to_string(), text);
        assert_eq!(text.len(), Csn::TEXT_LEN);
    }

    #[test]
    fn a_clock_that_goes_back_still_yields_a_later_number() {
        let now = Timestamp::from_unix_micros(1_000_000);
        let first = Csn { time: now, count: 0x00ff_fffe, sid: 1 };
        let second = Csn::following(first, Timestamp::from_unix_micros(5));
        let third = Csn::following(second, Timestamp::from_unix_micros(5));
        assert!(first < second && second < third);
        assert!(second.to_string() < third.to_string());
    }
}
