//! Bounds on connections and operations. One with which the server would serve nobody is a mistake.

use std::fmt::Display;
use std::time::Duration;

use toml::Spanned;

use super::Faults;
use crate::config::raw::{RawLimits, RawPassword};
use crate::operations::Limits;
use crate::protocol::Framing;
use crate::server::settings::{ConnectionLimits, Listen, Settings};
use crate::store::Retention;

/// Whoever cannot send so much in a message cannot bind with a long password, nor ask for much.
const LEAST_OCTETS: usize = 1024;

/// What a bound is, if it is given: not less than `least`.
fn bound<T: Copy + PartialOrd + Display>(
    (key, value): (&str, Option<&Spanned<T>>),
    least: T,
    default: T,
    faults: &mut Faults<'_>,
) -> T {
    let Some(value) = value else { return default };
    if *value.get_ref() < least {
        faults.add(Some(value.span()), key, format!("must be at least {least}"));
    }
    *value.get_ref()
}

fn seconds(named: (&str, Option<&Spanned<u32>>), default: Duration, faults: &mut Faults<'_>) -> Duration {
    let (key, value) = named;
    value.map_or(default, |value| Duration::from_secs(bound((key, Some(value)), 1, 1, faults).into()))
}

fn framing(named: (&str, Option<&Spanned<usize>>), default: Framing, faults: &mut Faults<'_>) -> Framing {
    Framing { max_octets: bound(named, LEAST_OCTETS, default.max_octets, faults), ..default }
}

pub(super) fn settings(
    raw: &RawLimits,
    password: &RawPassword,
    listen: Vec<Listen>,
    faults: &mut Faults<'_>,
) -> Settings {
    let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let threads = hashing_threads(cores);
    Settings {
        listen,
        connections: connections(raw, faults),
        workers: bound(("limits.threads", raw.threads.as_ref()), 1, cores, faults),
        hashing_threads: bound(("password.hashing_threads", password.hashing_threads.as_ref()), 1, threads, faults),
        hashing_queue: bound(("password.hashing_queue", password.hashing_queue.as_ref()), 1, 1_000, faults),
        shutdown: raw.shutdown_seconds.map_or(Duration::from_secs(10), |value| Duration::from_secs(value.into())),
        retention: Retention::default(),
    }
}

fn connections(raw: &RawLimits, faults: &mut Faults<'_>) -> ConnectionLimits {
    let default = ConnectionLimits::default();
    let per_address = ("limits.connections_per_address", raw.connections_per_address.as_ref());
    let before_bind = ("limits.message_octets_before_bind", raw.message_octets_before_bind.as_ref());
    let idle_before_bind = ("limits.idle_seconds_before_bind", raw.idle_seconds_before_bind.as_ref());
    ConnectionLimits {
        total: bound(("limits.connections", raw.connections.as_ref()), 1, default.total, faults),
        per_address: bound(per_address, 1, default.per_address, faults),
        outstanding: bound(("limits.outstanding", raw.outstanding.as_ref()), 1, default.outstanding, faults),
        before_bind: framing(before_bind, default.before_bind, faults),
        after_bind: framing(("limits.message_octets", raw.message_octets.as_ref()), default.after_bind, faults),
        idle_before_bind: seconds(idle_before_bind, default.idle_before_bind, faults),
        idle: seconds(("limits.idle_seconds", raw.idle_seconds.as_ref()), default.idle, faults),
        write: seconds(("limits.write_seconds", raw.write_seconds.as_ref()), default.write, faults),
        handshake: seconds(("limits.handshake_seconds", raw.handshake_seconds.as_ref()), default.handshake, faults),
    }
}

/// Several for each core: when searches and logins both want all of the machine, it is shared out by threads, and each of
/// these is worth less than one that serves connections, which wakes up often and goes first. Each needs memory, too.
const fn hashing_threads(cores: usize) -> usize {
    const MOST: usize = 16;
    if cores * 4 <= MOST {
        cores * 4
    } else if cores > MOST {
        cores
    } else {
        MOST
    }
}

pub(super) fn limits(raw: &RawLimits, faults: &mut Faults<'_>) -> Limits {
    let default = Limits::default();
    let entry_octets = ("limits.entry_octets", raw.entry_octets.as_ref());
    Limits {
        size: bound(("limits.size", raw.size.as_ref()), 1, default.size, faults),
        time: raw.time_seconds.map_or(default.time, |seconds| Duration::from_secs(u64::from(seconds))),
        page: bound(("limits.page", raw.page.as_ref()), 1, default.page, faults),
        attributes: bound(("limits.attributes", raw.attributes.as_ref()), 1, default.attributes, faults),
        sort: raw.sort.unwrap_or(default.sort),
        rename: raw.rename.unwrap_or(default.rename),
        tree_delete: raw.tree_delete.unwrap_or(default.tree_delete),
        entry_octets: bound(entry_octets, LEAST_OCTETS, default.entry_octets, faults),
        rules: raw.rules.unwrap_or(default.rules),
        rules_per_author: raw.rules_per_author.unwrap_or(default.rules_per_author),
        assertion_steps: raw.assertion_steps.unwrap_or(default.assertion_steps),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::Config;

    const SMALL: &str = "[directory]\nsuffix = \"dc=example,dc=com\"\ndata = \"db\"\n\
                         [[listen]]\nurl = \"ldap://127.0.0.1:3389\"\n";

    fn parse(lines: &str) -> Result<Config, String> {
        let config = Config::parse(Path::new("/nowhere/keystead.toml"), &[SMALL, lines].concat());
        config.map_err(|error| error.to_string())
    }

    #[test]
    fn a_bound_with_which_nobody_is_served_is_a_mistake() {
        for (section, key, least) in [
            ("limits", "connections", 1),
            ("limits", "connections_per_address", 1),
            ("limits", "outstanding", 1),
            ("limits", "message_octets_before_bind", 1024),
            ("limits", "message_octets", 1024),
            ("limits", "idle_seconds_before_bind", 1),
            ("limits", "idle_seconds", 1),
            ("limits", "write_seconds", 1),
            ("limits", "handshake_seconds", 1),
            ("limits", "threads", 1),
            ("limits", "size", 1),
            ("limits", "page", 1),
            ("limits", "attributes", 1),
            ("limits", "entry_octets", 1024),
            ("password", "hashing_threads", 1),
            ("password", "hashing_queue", 1),
        ] {
            let with = |value: u32| parse(&format!("[{section}]\n{key} = {value}\n"));
            let expected = format!("/nowhere/keystead.toml: line 7: {section}.{key}: must be at least {least}");
            assert_eq!([with(0).unwrap_err(), with(least - 1).unwrap_err()], [&*expected, &*expected]);
            assert!(with(least).is_ok(), "{key}");
        }
    }

    #[test]
    fn nothing_may_mean_what_it_says() {
        for key in ["time_seconds", "sort", "tree_delete", "rules", "rules_per_author", "shutdown_seconds"] {
            assert!(parse(&format!("[limits]\n{key} = 0\n")).is_ok(), "{key}");
        }
    }
}
