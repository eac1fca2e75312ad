//! Conditions of rules: under which circumstances they apply.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;

use super::circumstances::{Circumstances, Method, Protection, Remote};
use super::rule::RuleFault;
use crate::directory::Timestamp;
use crate::directory::filter::Truth;

/// The conditions of a rule as they are written. All of them must hold; what is left out always holds.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct WhenText {
    /// From where: networks as `10.0.0.0/8` or `2001:db8::/32`, addresses, or `local` for sockets of this machine; from one
    /// of these.
    pub network: Vec<String>,
    /// How well protected at least: `any`, `1.2` or `1.3`; with the strength of the cipher as `1.3/256`. A socket of this machine
    /// is as good as any TLS.
    pub tls: Option<String>,
    /// Authenticated by one of these: `simple`, `external`, or `anonymous`, not at all.
    pub authentication: Vec<String>,
    /// Not before: `2026-12-01`, `2026-12-01T08:00` (both in `zone`), `2026-12-01T08:00:00Z` or `20261201080000Z`.
    pub from: Option<String>,
    /// Not after; of a date alone, not after the end of that day.
    pub until: Option<String>,
    /// On these days: `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`.
    pub days: Vec<String>,
    /// Within these hours: `08:00-18:00`; `22:00-06:00` reaches over midnight.
    pub hours: Option<String>,
    /// The time zone of days, hours and dates, such as `Europe/Berlin`; absent: UTC.
    pub zone: Option<String>,
}

/// Conditions made ready.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct When {
    /// As they were written, to be told.
    text: WhenText,
    networks: Vec<Network>,
    protection: Option<Protection>,
    methods: Vec<Method>,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    days: Vec<Weekday>,
    /// From the first minute of the day to before the second.
    hours: Option<(u16, u16)>,
    zone: TimeZone,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Network {
    Local,
    Net(IpNet),
}

const MINUTE: Duration = Duration::from_secs(60);

impl When {
    /// Makes conditions ready, or says what is wrong with the first that cannot be used.
    pub fn prepare(text: &WhenText) -> Result<Self, RuleFault> {
        let zone = match &text.zone {
            Some(name) => TimeZone::get(name).map_err(|_| unknown("when.zone", name))?,
            None => TimeZone::UTC,
        };
        let point = |key, text: &Option<String>, end| match text {
            Some(text) => read_time(text, &zone, end).map(Some).ok_or_else(|| unknown(key, text)),
            None => Ok(None),
        };
        let (from, until) =
            (point("when.from", &text.from, Day::Begins)?, point("when.until", &text.until, Day::Ends)?);
        let protection = match &text.tls {
            Some(word) => Some(Protection::find(word).ok_or_else(|| unknown("when.tls", word))?),
            None => None,
        };
        let hours = match &text.hours {
            Some(hours) => Some(read_hours(hours).ok_or_else(|| unknown("when.hours", hours))?),
            None => None,
        };
        let when = Self {
            networks: read_each("when.network", &text.network, read_network)?,
            methods: read_each("when.authentication", &text.authentication, Method::find)?,
            days: read_each("when.days", &text.days, read_day)?,
            text: text.clone(),
            protection,
            from,
            until,
            hours,
            zone,
        };
        if from.zip(until).is_some_and(|(from, until)| until <= from) { Err(RuleFault::Never) } else { Ok(when) }
    }

    /// Whether the conditions hold. What is not known is Undefined.
    pub fn holds(&self, circumstances: &Circumstances) -> Truth {
        let known = |truth: Option<bool>| truth.map_or(Truth::Undefined, Truth::from);
        let network = self.networks.is_empty().then_some(true);
        let network = network.or_else(|| circumstances.remote.map(|remote| self.is_from(remote)));
        let protected = match self.protection {
            Some(least) => circumstances.protection.map_or(Truth::Undefined, |protection| protection.suffices(least)),
            None => Truth::True,
        };
        let method = self.methods.is_empty().then_some(true);
        let method = method.or_else(|| circumstances.method.map(|method| self.methods.contains(&method)));
        let others = [Some(self.is_time(circumstances.now)), network, method];
        others.into_iter().map(known).min().unwrap_or(Truth::True).min(protected)
    }

    /// Whether they will never hold again.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| now >= until)
    }

    /// Before which they never hold.
    pub const fn begins(&self) -> Option<Timestamp> {
        self.from
    }

    /// From when on they never hold.
    pub const fn ends(&self) -> Option<Timestamp> {
        self.until
    }

    /// The next time at which they may begin or cease to hold.
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let ends = [self.from, self.until].into_iter().flatten();
        let of_day = !self.days.is_empty() || self.hours.is_some();
        // Days and hours change with a minute, wherever.
        let minute = i64::try_from(MINUTE.as_micros()).unwrap_or(i64::MAX);
        let next = now.unix_micros().div_euclid(minute).saturating_add(1).saturating_mul(minute);
        let next_minute = of_day.then(|| Timestamp::from_unix_micros(next));
        ends.chain(next_minute).filter(|time| *time > now).min()
    }

    fn is_from(&self, remote: Remote) -> bool {
        self.networks.iter().any(|network| match (network, remote) {
            (Network::Local, Remote::Local) => true,
            (Network::Net(net), Remote::Address(address)) => net.contains(&address.to_canonical()),
            _ => false,
        })
    }

    fn is_time(&self, now: Timestamp) -> bool {
        if self.from.is_some_and(|from| now < from) || self.is_over(now) {
            return false;
        }
        if self.days.is_empty() && self.hours.is_none() {
            return true;
        }
        let Ok(there) = jiff::Timestamp::from_microsecond(now.unix_micros()) else { return false };
        let there = self.zone.to_datetime(there);
        let minute = u16::from(there.hour().unsigned_abs()) * 60 + u16::from(there.minute().unsigned_abs());
        let in_hours = self.hours.is_none_or(|(begin, end)| {
            let (begun, ends) = (minute >= begin, minute < end);
            if begin < end { begun && ends } else { begun || ends }
        });
        in_hours && (self.days.is_empty() || self.days.contains(&there.weekday()))
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = &self.text;
        let listed =
            |before: &str, words: &[String]| (!words.is_empty()).then(|| format!("{before}{}", words.join(", ")));
        let said = |before: &str, word: &Option<String>| word.as_ref().map(|word| format!("{before}{word}"));
        let parts = [
            listed("from the network ", &text.network),
            text.tls.as_ref().map(|least| {
                let (version, bits) = least.split_once('/').map_or((least.as_str(), None), |(a, b)| (a, Some(b)));
                let version =
                    if version == "any" { "over TLS".to_owned() } else { format!("over TLS {version} or later") };
                version + &bits.map(|bits| format!(" with {bits} bits or more")).unwrap_or_default()
            }),
            listed("authenticated by ", &text.authentication),
            said("from ", &text.from),
            said("until ", &text.until),
            listed("on ", &text.days),
            said("at ", &text.hours),
            said("by the time of ", &text.zone),
        ];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}

/// Which end of a day a date stands for.
#[derive(Clone, Copy)]
enum Day {
    Begins,
    Ends,
}

fn unknown(key: &'static str, word: &str) -> RuleFault {
    RuleFault::UnknownWord { key, word: word.to_owned() }
}

fn read_each<T>(key: &'static str, words: &[String], read: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, RuleFault> {
    words.iter().map(|word| read(word).ok_or_else(|| unknown(key, word))).collect()
}

fn read_network(word: &str) -> Option<Network> {
    if word == "local" {
        return Some(Network::Local);
    }
    let of_address = || word.parse::<IpAddr>().ok().map(IpNet::from);
    word.parse().ok().or_else(of_address).map(|net: IpNet| Network::Net(canonical(net)))
}

/// Addresses of IPv4 that are written as IPv6 count as what they are.
fn canonical(net: IpNet) -> IpNet {
    match net.addr().to_canonical() {
        IpAddr::V4(address) if net.addr().is_ipv6() && net.prefix_len() >= 96 => {
            IpNet::new(address.into(), net.prefix_len() - 96).unwrap_or(net)
        }
        _ => net,
    }
}

fn read_day(word: &str) -> Option<Weekday> {
    let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let at = names.iter().position(|name| *name == word)?;
    Weekday::from_monday_zero_offset(i8::try_from(at).ok()?).ok()
}

fn read_hours(text: &str) -> Option<(u16, u16)> {
    let minute = |text: &str| {
        let (hour, minute) = text.trim().split_once(':')?;
        let of = |digits: &str| (digits.len() == 2).then(|| digits.parse::<u16>().ok()).flatten();
        let (hour, minute) = (of(hour)?, of(minute)?);
        (minute < 60 && (hour < 24 || (hour, minute) == (24, 0))).then_some(hour * 60 + minute)
    };
    let (begin, end) = text.split_once('-')?;
    let hours = (minute(begin)?, minute(end)?);
    (hours.0 != hours.1).then_some(hours)
}

/// Reads a point in time as rules write it, in UTC where it does not say.
pub fn read_point(text: &str) -> Option<Timestamp> {
    read_time(text, &TimeZone::UTC, Day::Begins)
}

fn read_time(text: &str, zone: &TimeZone, end: Day) -> Option<Timestamp> {
    if let Some(time) = Timestamp::parse(text.as_bytes()) {
        return Some(time);
    }
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Some(Timestamp::from_unix_micros(time.as_microsecond()));
    }
    // A date with a time is a date as well to the parser of dates.
    let there = match (text.contains(['T', ' ', ':']), end) {
        (true, _) => text.parse::<DateTime>().ok()?,
        (false, Day::Begins) => text.parse::<Date>().ok()?.to_datetime(Time::midnight()),
        (false, Day::Ends) => text.parse::<Date>().ok()?.tomorrow().ok()?.to_datetime(Time::midnight()),
    };
    let time = zone.to_timestamp(there).ok()?;
    Some(Timestamp::from_unix_micros(time.as_microsecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        Timestamp::parse(text.as_bytes()).unwrap()
    }

    /// Friday, 2026-11-27, noon in Greenwich, over TLS 1.3 from 10.1.2.3 with a password.
    fn friday() -> Circumstances {
        Circumstances {
            now: time("20261127120000Z"),
            remote: Some(Remote::Address("10.1.2.3".parse().unwrap())),
            protection: Some(Protection::Tls13 { bits: Some(256) }),
            method: Some(Method::Simple),
        }
    }

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    fn from_network(networks: &[&str], address: Option<&str>) -> Truth {
        let when = When::prepare(&WhenText { network: words(networks), ..WhenText::default() }).unwrap();
        let remote = address.map(|address| match address {
            "local" => Remote::Local,
            address => Remote::Address(address.parse().unwrap()),
        });
        when.holds(&Circumstances { remote, ..friday() })
    }

    fn at(text: &WhenText, now: &str) -> Truth {
        When::prepare(text).unwrap().holds(&Circumstances { now: time(now), ..friday() })
    }

    #[test]
    fn a_network_holds_its_addresses_and_no_others() {
        for (networks, address, truth) in [
            (&["10.0.0.0/8"][..], Some("10.1.2.3"), Truth::True),
            (&["10.0.0.0/8"], Some("::ffff:10.1.2.3"), Truth::True),
            (&["::ffff:10.0.0.0/104"], Some("10.1.2.3"), Truth::True),
            (&["10.0.0.0/8"], Some("11.1.2.3"), Truth::False),
            (&["10.0.0.0/8"], Some("2001:db8::1"), Truth::False),
            (&["10.0.0.0/8"], Some("local"), Truth::False),
            (&["10.0.0.0/8", "local"], Some("local"), Truth::True),
            (&["192.0.2.7", "2001:db8::/32"], Some("2001:db8:1::1"), Truth::True),
            (&["192.0.2.7"], Some("192.0.2.8"), Truth::False),
            (&["0.0.0.0/0"], Some("2001:db8::1"), Truth::False),
            (&["10.0.0.0/8"], None, Truth::Undefined),
            (&[], None, Truth::True),
        ] {
            assert_eq!(from_network(networks, address), truth, "{networks:?} {address:?}");
        }
    }

    #[test]
    fn protection_is_asked_for_by_its_least_version_and_strength() {
        let over = |least: &str, protection| {
            let when = When::prepare(&WhenText { tls: Some(least.into()), ..WhenText::default() }).unwrap();
            when.holds(&Circumstances { protection, ..friday() })
        };
        for (least, protection, truth) in [
            ("any", Some(Protection::Nothing), Truth::False),
            ("any", Some(Protection::Tls12 { bits: None }), Truth::True),
            ("1.2", Some(Protection::Tls13 { bits: Some(128) }), Truth::True),
            ("1.3", Some(Protection::Tls12 { bits: Some(256) }), Truth::False),
            ("1.3", Some(Protection::Local), Truth::True),
            ("any", None, Truth::Undefined),
            ("any/256", Some(Protection::Nothing), Truth::False),
            ("any/256", Some(Protection::Tls13 { bits: Some(128) }), Truth::False),
            ("any/256", Some(Protection::Tls12 { bits: Some(256) }), Truth::True),
            ("any/128", Some(Protection::Tls12 { bits: Some(256) }), Truth::True),
            ("1.3/256", Some(Protection::Tls12 { bits: Some(256) }), Truth::False),
            ("1.3/256", Some(Protection::Tls13 { bits: None }), Truth::Undefined),
            ("1.3/256", Some(Protection::Tls12 { bits: None }), Truth::False),
            ("1.3/256", Some(Protection::Local), Truth::True),
        ] {
            assert_eq!(over(least, protection), truth, "{least} {protection:?}");
        }
    }

    #[test]
    fn a_window_begins_with_its_first_moment_and_ends_before_its_last() {
        let text = WhenText {
            from: Some("2026-12-01T08:00:00Z".into()),
            until: Some("20261201100000Z".into()),
            ..WhenText::default()
        };
        assert_eq!(at(&text, "20261201075959Z"), Truth::False);
        assert_eq!(at(&text, "20261201080000Z"), Truth::True);
        assert_eq!(at(&text, "20261201095959Z"), Truth::True);
        assert_eq!(at(&text, "20261201100000Z"), Truth::False);
        let when = When::prepare(&text).unwrap();
        assert!(when.is_over(time("20261201100000Z")) && !when.is_over(time("20261201095959Z")));
        assert_eq!(when.next_change(time("20261127120000Z")), Some(time("20261201080000Z")));
        assert_eq!(when.next_change(time("20261201080000Z")), Some(time("20261201100000Z")));
        assert_eq!(when.next_change(time("20261201100000Z")), None);
    }

    #[test]
    fn a_date_alone_stands_for_its_whole_day_where_the_zone_says() {
        let day = WhenText {
            from: Some("2026-12-01".into()),
            until: Some("2026-12-01".into()),
            zone: Some("Europe/Berlin".into()),
            ..WhenText::default()
        };
        for (now, truth) in [
            ("20261130225959Z", Truth::False),
            ("20261130230000Z", Truth::True),
            ("20261201225959Z", Truth::True),
            ("20261201230000Z", Truth::False),
        ] {
            assert_eq!(at(&day, now), truth, "{now}");
        }
    }

    #[test]
    fn hours_and_days_follow_the_zone_through_summer_and_winter() {
        let office = WhenText {
            days: words(&["mon", "fri"]),
            hours: Some("08:00-18:00".into()),
            zone: Some("Europe/Berlin".into()),
            ..WhenText::default()
        };
        for (now, truth) in [
            ("20261127070000Z", Truth::True),
            ("20261127065959Z", Truth::False),
            ("20260626060000Z", Truth::True),
            ("20260626160000Z", Truth::False),
            ("20261126120000Z", Truth::False),
        ] {
            assert_eq!(at(&office, now), truth, "{now}");
        }
        let night = WhenText { hours: Some("22:00-06:00".into()), ..WhenText::default() };
        for (now, truth) in
            [("20261127220000Z", Truth::True), ("20261127055959Z", Truth::True), ("20261127060000Z", Truth::False)]
        {
            assert_eq!(at(&night, now), truth, "{now}");
        }
        assert_eq!(When::prepare(&night).unwrap().next_change(time("20261127120030Z")), Some(time("20261127120100Z")));
    }

    #[test]
    fn all_conditions_must_hold_and_what_is_not_known_is_undefined_unless_another_fails() {
        let both = WhenText { tls: Some("any".into()), authentication: words(&["external"]), ..WhenText::default() };
        let when = When::prepare(&both).unwrap();
        let of = |protection, method| when.holds(&Circumstances { protection, method, ..friday() });
        let tls = Some(Protection::Tls12 { bits: Some(128) });
        assert_eq!(of(tls, Some(Method::External)), Truth::True);
        assert_eq!(of(tls, Some(Method::Simple)), Truth::False);
        assert_eq!(of(None, Some(Method::External)), Truth::Undefined);
        assert_eq!(of(None, Some(Method::Simple)), Truth::False);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for text in [
            WhenText { network: words(&["10.0.0.0/33"]), ..WhenText::default() },
            WhenText { network: words(&["everywhere"]), ..WhenText::default() },
            WhenText { tls: Some("1.1".into()), ..WhenText::default() },
            WhenText { tls: Some("1.3/512".into()), ..WhenText::default() },
            WhenText { tls: Some("256".into()), ..WhenText::default() },
            WhenText { authentication: words(&["kerberos"]), ..WhenText::default() },
            WhenText { from: Some("tomorrow".into()), ..WhenText::default() },
            WhenText { until: Some("2026-02-30".into()), ..WhenText::default() },
            WhenText { days: words(&["friday"]), ..WhenText::default() },
            WhenText { hours: Some("8-18".into()), ..WhenText::default() },
            WhenText { hours: Some("08:00-08:00".into()), ..WhenText::default() },
            WhenText { hours: Some("08:00-24:01".into()), ..WhenText::default() },
            WhenText { zone: Some("Middle/Earth".into()), ..WhenText::default() },
        ] {
            assert!(matches!(When::prepare(&text), Err(RuleFault::UnknownWord { .. })), "{text:?}");
        }
        let never =
            WhenText { from: Some("2026-12-02".into()), until: Some("2026-12-01".into()), ..WhenText::default() };
        assert_eq!(When::prepare(&never), Err(RuleFault::Never));
    }
}
