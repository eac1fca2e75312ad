//! What of a configuration that is read again waits for a restart.

use super::Config;

impl Config {
    /// The keys that a server takes at its start only, and whose values are not those with which it was started.
    pub fn waiting(&self, started: &Self) -> Vec<&'static str> {
        let (here, there) = (&self.server, &started.server);
        let (limits, before) = (here.connections, there.connections);
        [
            ("directory.suffix", self.suffixes != started.suffixes),
            ("directory.data", self.data != started.data),
            ("directory.schema", self.schema_files != started.schema_files),
            ("listen", here.listen != there.listen),
            ("tls", self.tls.is_none() && started.tls.is_some()),
            ("limits.connections", limits.total != before.total),
            ("limits.connections_per_address", limits.per_address != before.per_address),
            ("limits.outstanding", limits.outstanding != before.outstanding),
            ("limits.message_octets_before_bind", limits.before_bind != before.before_bind),
            ("limits.message_octets", limits.after_bind != before.after_bind),
            ("limits.idle_seconds_before_bind", limits.idle_before_bind != before.idle_before_bind),
            ("limits.idle_seconds", limits.idle != before.idle),
            ("limits.write_seconds", limits.write != before.write),
            ("limits.handshake_seconds", limits.handshake != before.handshake),
            ("limits.shutdown_seconds", here.shutdown != there.shutdown),
            ("limits.threads", here.workers != there.workers),
            ("password.hashing_threads", here.hashing_threads != there.hashing_threads),
            ("password.hashing_queue", here.hashing_queue != there.hashing_queue),
            ("store.cache_mib", self.cache_octets != started.cache_octets),
            ("index", self.indexes != started.indexes),
            ("audit.keep_days", here.retention.age != there.retention.age),
            ("audit.keep_events", here.retention.count != there.retention.count),
            ("log.format", self.log.format != started.log.format),
        ]
        .into_iter()
        .filter_map(|(key, differs)| differs.then_some(key))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn parse(text: &str) -> Config {
        Config::parse(Path::new("/nowhere/keystead.toml"), text).unwrap()
    }

    const SMALL: &str =
        "[directory]\nsuffix = \"dc=example\"\ndata = \"db\"\n[[listen]]\nurl = \"ldap://127.0.0.1:1389\"\n";

    #[test]
    fn what_a_start_alone_takes_waits_and_is_named() {
        let started = parse(SMALL);
        for (key, more) in [
            ("limits.connections", "[limits]\nconnections = 5\n"),
            ("limits.connections_per_address", "[limits]\nconnections_per_address = 5\n"),
            ("limits.outstanding", "[limits]\noutstanding = 5\n"),
            ("limits.message_octets_before_bind", "[limits]\nmessage_octets_before_bind = 5000\n"),
            ("limits.message_octets", "[limits]\nmessage_octets = 5000\n"),
            ("limits.idle_seconds_before_bind", "[limits]\nidle_seconds_before_bind = 5\n"),
            ("limits.idle_seconds", "[limits]\nidle_seconds = 5\n"),
            ("limits.write_seconds", "[limits]\nwrite_seconds = 5\n"),
            ("limits.handshake_seconds", "[limits]\nhandshake_seconds = 5\n"),
            ("limits.shutdown_seconds", "[limits]\nshutdown_seconds = 5\n"),
            ("limits.threads", "[limits]\nthreads = 777\n"),
            ("password.hashing_threads", "[password]\nhashing_threads = 777\n"),
            ("password.hashing_queue", "[password]\nhashing_queue = 5\n"),
            ("store.cache_mib", "[store]\ncache_mib = 17\n"),
            ("index", "[[index]]\nattribute = \"cn\"\nkinds = [\"equality\"]\n"),
            ("audit.keep_days", "[audit]\nkeep_days = 5\n"),
            ("audit.keep_events", "[audit]\nkeep_events = 5\n"),
            ("log.format", "[log]\nformat = \"json\"\n"),
            ("listen", "[[listen]]\nurl = \"ldapi://socket\"\n"),
        ] {
            let changed = parse(&[SMALL, more].concat());
            assert_eq!((changed.waiting(&started), started.waiting(&changed)), (vec![key], vec![key]));
        }
        for (key, from, to) in [
            ("directory.suffix", "dc=example", "dc=other"),
            ("directory.data", "\"db\"", "\"store\""),
            ("listen", "1389", "1390"),
        ] {
            assert_eq!(parse(&SMALL.replace(from, to)).waiting(&started), [key]);
        }
    }

    #[test]
    fn what_is_taken_at_once_waits_for_nothing() {
        let started = parse(SMALL);
        assert_eq!(parse(SMALL).waiting(&started), [""; 0]);
        for more in [
            "[log]\nlevel = \"debug\"\n",
            "[limits]\nsize = 5\ntime_seconds = 5\nanonymous_bind = false\n",
            "[password]\nscheme = \"ssha512\"\nspray_delay_seconds = 5\n",
            "[[access]]\nname = \"r\"\nwho = \"everyone\"\nto = \"everything\"\nallow = \"read\"\n",
        ] {
            assert_eq!(parse(&[SMALL, more].concat()).waiting(&started), [""; 0], "{more}");
        }
    }
}
