//! Making settings of what was read.

mod bounds;
mod listen;
mod new_passwords;
mod spray;

use std::ops::Range;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use toml::Spanned;

use super::additions::Additions;
use super::judged::{Names, Spans, check_against_schema};
use super::raw::{RawAudit, RawConfig, RawDirectory, RawIndex, RawLog, RawPassword, RawTls, line_of};
use super::{Config, Fault, IntegrityText, LogFormat, LogSettings, access, integrity};
use crate::directory::url::LdapUrl;
use crate::operations::context::{AddedPassword, AnonymousBind, ExpiredChange};
use crate::server::Clock;
use crate::server::breach_file::BreachFile;
use crate::server::settings::Listen;
use crate::server::tls::{ClientCertificate, TlsFiles, TlsPart};
use crate::store::{DEFAULT_CACHE, IndexKind, IndexedAttribute, Retention};

/// Collects what is wrong, with the lines where it stands.
pub(super) struct Faults<'t> {
    pub(super) text: &'t str,
    pub(super) list: Vec<Fault>,
}

impl<'t> Faults<'t> {
    /// Nothing is wrong with the text of a file so far.
    pub(super) const fn in_text(text: &'t str) -> Self {
        Self { text, list: Vec::new() }
    }

    pub(super) fn add(&mut self, span: Option<Range<usize>>, key: &str, reason: impl Into<String>) {
        let line = span.map(|span| line_of(self.text, span.start));
        self.list.push(Fault { line, key: key.to_owned(), reason: reason.into() });
    }

    /// Takes a value that is there and right; tells about one that is wrong.
    pub(super) fn keep<T>(&mut self, span: Range<usize>, key: &str, result: Result<T, String>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(reason) => {
                self.add(Some(span), key, reason);
                None
            }
        }
    }
}

pub(super) fn resolve(path: &Path, text: &str, raw: RawConfig, additions: Additions<'_>) -> Result<Config, Vec<Fault>> {
    let mut faults = Faults::in_text(text);
    let path = &std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let base = path.parent().unwrap_or_else(|| Path::new("."));
    let at = |name: &str| base.join(name);
    let suffixes = suffixes(&raw.directory, &mut faults);
    let schema_files = schema_files(&raw.directory, base, &mut faults);
    let referrals = urls(&raw.directory.referrals, "directory.referrals", &mut faults);
    let alt_servers = urls(&raw.directory.alt_servers, "directory.alt_servers", &mut faults);
    let mut warnings = Vec::new();
    let listen = listen::listen(&raw.listen, base, &mut faults, &mut warnings);
    let tls = raw.tls.as_ref().map(|raw| tls_files(raw, base, &mut faults));
    let soon = Clock::default().now().saturating_add(RENEWAL);
    let ends = |tls: &TlsFiles| Some((tls.certificate.clone(), tls.expires().filter(|end| *end < soon)?));
    if let Some((path, end)) = tls.as_ref().and_then(ends) {
        warnings.push(format!("{} is good until {end} only, and then no client accepts it: renew it", path.display()));
    }
    for path in tls.iter().map(|tls| &tls.private_key).filter(|path| is_open_to_others(path)) {
        let path = path.display();
        warnings.push(format!("everybody on this machine may read {path}, which holds secrets: chmod o-rwx {path}"));
    }
    if tls.is_none() && listen.iter().any(|listen| matches!(listen, Listen::Ldaps { .. })) {
        faults.add(None, "tls", "ldaps:// needs [tls] with certificate and private_key");
    }
    if tls.is_none() && listen.iter().any(|listen| matches!(listen, Listen::Ldap { .. })) {
        warnings.push("there is no [tls], so nobody can bind with a password over ldap://".to_owned());
    }
    let new_passwords = new_passwords::new_passwords(&raw.password, &mut faults, &mut warnings);
    let spray = spray::thresholds(&raw.password, &mut faults);
    let breached = breach_filter(&raw.password, base, &mut faults);
    let mut server = bounds::settings(&raw.limits, &raw.password, listen, &mut faults);
    server.retention = retention(&raw.audit, &mut faults);
    let log = log(&raw.log, &mut faults);
    let index_spans = raw.index.iter().flatten().map(|index| index.attribute.span());
    let integrity_spans = integrity::Spans::of(&raw);
    let suffix_spans = raw.directory.suffix.iter().chain(&raw.directory.suffixes).map(Spanned::span);
    let spans = Spans {
        suffixes: suffix_spans.collect(),
        indexes: index_spans.collect(),
        rules: raw.access.iter().map(Spanned::span).collect(),
        assertions: raw.assert.iter().map(Spanned::span).collect(),
        integrity: integrity_spans,
    };
    let integrity = IntegrityText::resolve(&raw);
    let indexes = integrity.indexes(raw.index.map(|list| indexes(&list, &mut faults)));
    let cache_octets = match &raw.store.cache_mib {
        None => DEFAULT_CACHE,
        Some(mib) if (16..=1_048_576).contains(mib.get_ref()) => mib.get_ref() << 20,
        Some(mib) => {
            faults.add(Some(mib.span()), "store.cache_mib", "must be from 16 to 1048576");
            DEFAULT_CACHE
        }
    };
    let limits = bounds::limits(&raw.limits, &mut faults);
    let last_success = raw.password.last_success_precision_seconds.unwrap_or(3600);
    let mut config = Config {
        path: path.to_owned(),
        suffixes,
        data: at(raw.directory.data.get_ref()),
        schema_files,
        indexes,
        cache_octets,
        server,
        tls,
        rules: raw.access.into_iter().map(|rule| access::rule_text(rule, text)).collect(),
        assertions: raw.assert.into_iter().map(|one| access::assertion_text(one, text)).collect(),
        mappings: Vec::new(),
        integrity,
        referrals,
        alt_servers,
        limits,
        new_passwords,
        last_success_precision: Duration::from_secs(u64::from(last_success)),
        recovery_attributes: recovery_attributes(&raw.password),
        anonymous: match raw.limits.anonymous_bind {
            Some(false) => AnonymousBind::Refused,
            _ => AnonymousBind::Allowed,
        },
        expired_change: match raw.password.expired_change {
            Some(false) => ExpiredChange::Refused,
            _ => ExpiredChange::Allowed,
        },
        added_password: match raw.password.add_replaces {
            Some(true) => AddedPassword::Replaces,
            _ => AddedPassword::Refused,
        },
        breached,
        spray,
        log,
        warnings,
        names: Arc::new(Names { spans, map: raw.map, text: text.to_owned() }),
    };
    check_against_schema(&mut config, additions, &mut faults);
    if faults.list.is_empty() { Ok(config) } else { Err(faults.list) }
}

fn tls_files(raw: &RawTls, base: &Path, faults: &mut Faults<'_>) -> TlsFiles {
    let at = |name: &Spanned<String>| base.join(name.get_ref());
    let client_certificate = match raw.client_certificate.as_ref().map(|word| (word.get_ref().as_str(), word.span())) {
        None | Some(("optional", _)) => ClientCertificate::Optional,
        Some(("required", _)) => ClientCertificate::Required,
        Some((other, span)) => {
            let reason = format!("{other:?} is not known; use optional or required");
            faults.add(Some(span), "tls.client_certificate", reason);
            ClientCertificate::Optional
        }
    };
    if let (None, Some(word)) = (&raw.client_ca, &raw.client_certificate) {
        let reason = "without client_ca, clients are not asked for certificates";
        faults.add(Some(word.span()), "tls.client_certificate", reason);
    }
    let files = TlsFiles {
        certificate: at(&raw.certificate),
        private_key: at(&raw.private_key),
        client_ca: raw.client_ca.as_ref().map(at),
        client_certificate,
    };
    if let Err(error) = files.load() {
        let (key, name) = match (error.blames(&files), &raw.client_ca) {
            (TlsPart::ClientAuthority, Some(name)) => ("tls.client_ca", name),
            (TlsPart::PrivateKey, _) => ("tls.private_key", &raw.private_key),
            _ => ("tls.certificate", &raw.certificate),
        };
        faults.add(Some(name.span()), key, error.to_string());
    }
    files
}

/// A certificate that ends sooner than this is warned about.
const RENEWAL: Duration = Duration::from_secs(14 * 24 * 3600);

/// Whether others than owner and group may do anything with it.
fn is_open_to_others(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o007 != 0)
}

fn suffixes(raw: &RawDirectory, faults: &mut Faults<'_>) -> Vec<String> {
    let all: Vec<String> = raw.suffix.iter().chain(&raw.suffixes).map(|suffix| suffix.get_ref().clone()).collect();
    if all.is_empty() {
        faults.add(None, "directory.suffix", "is missing: the name below which entries are kept, as dc=example,dc=com");
    }
    all
}

fn schema_files(raw: &RawDirectory, base: &Path, faults: &mut Faults<'_>) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for name in &raw.schema {
        let read = std::fs::read_to_string(base.join(name.get_ref()));
        let read = read.map_err(|error| format!("{}: {error}", name.get_ref()));
        files.extend(faults.keep(name.span(), "directory.schema", read).map(|text| (name.get_ref().clone(), text)));
    }
    files
}

/// Where lost passwords are recovered; `mail` and `mobile` unless it is said.
fn recovery_attributes(raw: &RawPassword) -> Vec<String> {
    match &raw.recovery_attributes {
        Some(names) => names.iter().map(|name| name.get_ref().clone()).collect(),
        None => vec!["mail".to_owned(), "mobile".to_owned()],
    }
}

/// LDAP URLs, as they are written.
fn urls(raw: &[Spanned<String>], key: &'static str, faults: &mut Faults<'_>) -> Vec<String> {
    let mut urls = Vec::new();
    for url in raw {
        let parsed = LdapUrl::parse(url.get_ref()).map_err(|error| format!("{:?}: {error}", url.get_ref()));
        urls.extend(faults.keep(url.span(), key, parsed).map(|_| url.get_ref().clone()));
    }
    urls
}

fn breach_filter(raw: &RawPassword, base: &Path, faults: &mut Faults<'_>) -> Option<Arc<BreachFile>> {
    let name = raw.breach_filter.as_ref()?;
    let opened = BreachFile::open(&base.join(name.get_ref())).map_err(|error| error.to_string());
    faults.keep(name.span(), "password.breach_filter", opened).map(Arc::new)
}

fn retention(raw: &RawAudit, faults: &mut Faults<'_>) -> Retention {
    let default = Retention::default();
    for (key, span) in [
        ("audit.keep_days", raw.keep_days.as_ref().filter(|days| *days.get_ref() == 0).map(Spanned::span)),
        ("audit.keep_events", raw.keep_events.as_ref().filter(|count| *count.get_ref() == 0).map(Spanned::span)),
    ] {
        if span.is_some() {
            faults.add(span, key, "must be at least 1");
        }
    }
    let days = |days: &Spanned<u32>| Duration::from_secs(u64::from(*days.get_ref()) * 86_400);
    Retention {
        age: raw.keep_days.as_ref().map_or(default.age, days),
        count: raw.keep_events.as_ref().map_or(default.count, |count| *count.get_ref()),
    }
}

fn log(raw: &RawLog, faults: &mut Faults<'_>) -> LogSettings {
    let level = raw.level.as_ref().map_or("info", |level| level.get_ref());
    if !["off", "error", "warn", "info", "debug", "trace"].contains(&level) {
        let span = raw.level.as_ref().map(Spanned::span);
        faults.add(span, "log.level", format!("{level:?} is not known; use off, error, warn, info, debug or trace"));
    }
    let format = match raw.format.as_ref().map(|format| (format.get_ref().as_str(), format.span())) {
        None | Some(("text", _)) => LogFormat::Text,
        Some(("json", _)) => LogFormat::Json,
        Some((other, span)) => {
            faults.add(Some(span), "log.format", format!("{other:?} is not known; use text or json"));
            LogFormat::Text
        }
    };
    LogSettings { level: level.to_owned(), format }
}

fn indexes(raw: &[RawIndex], faults: &mut Faults<'_>) -> Vec<IndexedAttribute> {
    let mut all = Vec::new();
    for one in raw {
        let mut kinds = Vec::new();
        for kind in &one.kinds {
            let known = IndexKind::of_word(kind.get_ref()).ok_or_else(|| {
                format!("{:?} is not known; use presence, equality, substring or ordering", kind.get_ref())
            });
            kinds.extend(faults.keep(kind.span(), "index.kinds", known));
        }
        all.push(IndexedAttribute { attribute: one.attribute.get_ref().clone(), kinds });
    }
    all
}

#[cfg(test)]
mod tests {
    use super::super::ConfigError;
    use super::*;
    use crate::password::scheme::{Cost, NewScheme};

    fn parse(text: &str) -> Result<Config, Vec<String>> {
        Config::parse(Path::new("/nowhere/keystead.toml"), text).map_err(|error| match error {
            ConfigError::Faults { faults, .. } => faults.iter().map(ToString::to_string).collect(),
            ConfigError::Unreadable { .. } => Vec::new(),
        })
    }

    const SMALL: &str =
        "[directory]\nsuffix = \"dc=example,dc=com\"\ndata = \"db\"\n[[listen]]\nurl = \"ldap://127.0.0.1:3389\"\n";

    #[test]
    fn what_is_left_out_has_a_safe_default() {
        let config = parse(SMALL).unwrap();
        assert_eq!(config.data, Path::new("/nowhere/db"));
        assert_eq!(config.new_passwords, NewScheme::Argon2id(Cost::default()));
        assert_eq!(config.server.listen.len(), 1);
        assert!(config.rules.is_empty());
    }

    #[test]
    fn every_mistake_is_told_with_its_key_and_line() {
        let text = SMALL.replace("ldap://127", "http://127")
            + "[password]\nscheme = \"md5\"\n[log]\nlevel = \"loud\"\n[[access]]\nname = \"r\"\nwho = \"users\"\nto = \"everything\"\nallow = \"read\"\n";
        let faults = parse(&text).unwrap_err();
        assert_eq!(faults.len(), 4, "{faults:?}");
        assert!(faults[0].starts_with("line 5: listen.url: \"http\" is not known"), "{faults:?}");
        assert!(faults[1].starts_with("line 7: password.scheme: \"md5\" is not known"), "{faults:?}");
        assert!(faults[2].starts_with("line 9: log.level"), "{faults:?}");
        assert!(faults[3].contains("\"users\" is not known in `who`"), "{faults:?}");
    }

    #[test]
    fn unknown_keys_and_wrong_types_are_told_together() {
        let text = SMALL.to_owned() + "[limits]\nsise = 5\ntime_seconds = \"long\"\n";
        let faults = parse(&text).unwrap_err();
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert!(faults[0].starts_with("line 7: unknown field `sise`"), "{faults:?}");
        assert!(faults[1].starts_with("line 8:"), "{faults:?}");
    }

    #[test]
    fn a_wrong_heading_is_told_once_with_the_right_one() {
        for (from, to, fault) in [
            ("[[listen]]", "[listen]", "line 4: write [[listen]], in two pairs of brackets: there may be several"),
            ("[[listen]]", "[[lisen]]", "line 4: [[lisen]] is not known; did you mean [[listen]]?"),
            ("[directory]", "[directry]", "line 1: [directry] is not known; did you mean [directory]?"),
            ("[log]", "[logs]", "line 6: [logs] is not known; did you mean [log]?"),
            ("[log]", "[[log]]", "line 6: write [log], in one pair of brackets: it stands once"),
            ("[[access]]", "[access]", "line 9: write [[access]], in two pairs of brackets: there may be several"),
        ] {
            let rest = "[log]\nlevel = \"warn\"\nformat = \"text\"\n[[access]]\nname = \"r\"\nwho = \"everyone\"\n\
                        to = \"everything\"\nallow = \"read\"\n";
            let faults = parse(&[SMALL, rest].concat().replace(from, to)).unwrap_err();
            assert_eq!(faults, [fault]);
        }
        let faults =
            parse(&SMALL.replace("[[listen]]", "[listen]\nurl = \"ldap://127.0.0.1:1\"\n[listen]")).unwrap_err();
        assert_eq!(faults.len(), 2, "{faults:?}");
        // What looks like a heading and is none is no fault.
        let text = "[[access]]\nname = \"r\"\nwho = \"everyone\"\nto = \"everything\"\nallow = \"read\"\n\
                    reason = \"\"\"\n[logs]\n\"\"\"\n";
        assert!(parse(&[SMALL, text].concat()).is_ok());
    }

    #[test]
    fn suffixes_stand_beside_each_other() {
        let suffixes = |list: &str| {
            parse(&SMALL.replace("suffix = \"dc=example,dc=com\"", &format!("suffixes = {list}")))
                .map(|config| config.suffixes)
        };
        assert!(suffixes("[\"dc=example,dc=com\", \"o=other\", \"dc=example,dc=org\"]").is_ok());
        for (list, words) in [
            (
                "[\"dc=example,dc=com\", \"DC=Example, dc=com\"]",
                "line 2: directory.suffix: \"DC=Example, dc=com\" stands twice",
            ),
            (
                "[\"dc=com\", \"dc=example,dc=com\"]",
                "line 2: directory.suffix: \"dc=example,dc=com\" and \"dc=com\": one is below",
            ),
            (
                "[\"dc=example,dc=com\", \"dc=com\"]",
                "line 2: directory.suffix: \"dc=com\" and \"dc=example,dc=com\": one is",
            ),
            ("[\"\"]", "line 2: directory.suffix: is empty"),
            ("[\"com\"]", "line 2: directory.suffix: \"com\": "),
        ] {
            let faults = suffixes(list).unwrap_err();
            assert_eq!(faults.len(), 1, "{faults:?}");
            assert!(faults[0].starts_with(words), "{faults:?}");
        }
    }

    #[test]
    fn what_a_rule_or_an_assertion_is_about_lies_below_a_suffix() {
        let rule = |to: &str, does: &str| {
            format!("{SMALL}[[access]]\nname = \"r\"\nwho = \"everyone\"\nto = {to}\n{does} = \"read\"\n")
        };
        for does in ["allow", "deny"] {
            let faults = parse(&rule("[\"everything\", \"subtree:ou=people,dc=exmaple,dc=com\"]", does)).unwrap_err();
            assert_eq!(
                faults,
                [
                    "line 6: access: access rule \"r\": \"ou=people,dc=exmaple,dc=com\" in `to` is below none of the suffixes of this \
                  server (dc=example,dc=com)"
                ]
            );
            for legal in
                ["subtree:cn=Monitor", "subtree:cn=changelog", "entry:cn=Subschema", "entry:", "subtree:dc=com"]
            {
                assert!(parse(&rule(&format!("{legal:?}"), does)).is_ok(), "{legal}");
            }
        }
        let assertion =
            "[[assert]]\nname = \"a\"\nmust_not = \"write\"\nto = [\"members:cn=x,o=y\", \"subtree:o=other\"]\n";
        let faults = parse(&[SMALL, assertion].concat()).unwrap_err();
        assert!(
            faults[0].starts_with("line 6: assert: \"o=other\" in `to` is below none of the suffixes"),
            "{faults:?}"
        );
        assert!(parse(&[SMALL, &assertion.replace("subtree:o=other", "everything")].concat()).is_ok());
    }

    #[test]
    fn an_index_that_would_hide_entries_is_told_of() {
        let index = |name: &str, kind: &str| format!("[[index]]\nattribute = \"{name}\"\nkinds = [\"{kind}\"]\n");
        let text = SMALL.to_owned()
            + &index("mail", "equality")
            + &index("pwdAccountLockedTime", "presence")
            + &index("jpegPhoto", "ordering")
            + &index("hasSubordinates", "equality");
        let faults = parse(&text).unwrap_err();
        assert_eq!(faults.len(), 3, "{faults:?}");
        assert!(
            faults[0].starts_with("line 10: index.attribute: the attribute \"pwdAccountLockedTime\""),
            "{faults:?}"
        );
        assert!(faults[0].contains("kept with the password"), "{faults:?}");
        assert!(faults[1].contains("no such matching rule"), "{faults:?}");
        assert!(faults[2].contains("no entry stores it"), "{faults:?}");
    }

    #[test]
    fn conditions_of_a_rule_are_read_and_its_end_is_warned_about() {
        let rule = "[[access]]\nname = \"r\"\nwho = \"everyone\"\nto = \"everything\"\nallow = \"read\"\n";
        let when =
            "when = { network = [\"10.0.0.0/8\"], tls = \"1.3\", from = 2020-01-01, until = 2020-02-01T08:00:00Z }\n";
        let config = parse(&format!("{SMALL}{rule}{when}reason = \"audit\"\nticket = \"T1\"\n")).unwrap();
        let read = config.rules[0].when.clone().unwrap();
        assert_eq!((read.from.as_deref(), read.until.as_deref()), (Some("2020-01-01"), Some("2020-02-01T08:00:00Z")));
        assert_eq!(config.rules[0].source, crate::access::rule::Source::Line(6));
        assert!(
            config.warnings.iter().any(|warning| warning.contains("the rule \"r\" (line 6) is over")),
            "{config:?}"
        );
        for (key, value) in [("network", "10.0.0.0/40"), ("tls", "1.1"), ("until", "soon"), ("zone", "Nowhere")] {
            let faults = parse(&format!("{SMALL}{rule}when = {{ {key} = \"{value}\" }}\n")).unwrap_err();
            assert!(faults[0].starts_with("line 6: access: "), "{faults:?}");
            assert!(faults[0].contains(&format!("{value:?} is not known in `when.{key}`")), "{faults:?}");
        }
        let faults = parse(&format!("{SMALL}{rule}when = {{ weather = \"fair\" }}\n")).unwrap_err();
        assert!(faults[0].contains("unknown field `weather`"), "{faults:?}");
    }

    #[test]
    fn broken_toml_is_told_with_its_line() {
        let faults = parse("[directory\n").unwrap_err();
        assert!(faults[0].starts_with("line 1:"), "{faults:?}");
        let faults = parse("[directory]\ndata = \"x\"\n").unwrap_err();
        assert!(faults.iter().any(|fault| fault.starts_with("directory.suffix: is missing")), "{faults:?}");
        assert!(faults.iter().any(|fault| fault.starts_with("listen: is missing")), "{faults:?}");
    }

    #[test]
    fn a_breach_filter_that_cannot_be_used_is_told_with_its_line_and_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("breached.filter");
        let fault = || parse(&format!("{SMALL}[password]\nbreach_filter = {path:?}\n")).unwrap_err().concat();
        assert!(fault().starts_with("line 7: password.breach_filter: "), "{}", fault());
        std::fs::write(&path, "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:3\n").unwrap();
        assert!(fault().ends_with("this is no breach filter; `keystead breach build` makes one"), "{}", fault());
    }

    #[test]
    fn passwords_in_the_clear_are_warned_about() {
        let config = parse(&(SMALL.to_owned() + "cleartext_credentials = true\n")).unwrap();
        assert!(config.warnings.iter().any(|warning| warning.contains("in the clear")));
    }
}
