//! Where to listen.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};

use toml::Spanned;

use super::Faults;
use crate::config::raw::{RawListen, line_of};
use crate::server::settings::{Cleartext, Listen};

pub(super) fn listen(
    raw: &[RawListen],
    base: &Path,
    faults: &mut Faults<'_>,
    warnings: &mut Vec<String>,
) -> Vec<Listen> {
    if raw.is_empty() {
        faults.add(None, "listen", "is missing: at least one [[listen]] with a url such as ldaps://0.0.0.0:636");
    }
    let mut all: Vec<(Listen, &Spanned<String>)> = Vec::new();
    for one in raw {
        if one.cleartext_credentials {
            warnings.push(format!(
                "{} takes passwords in the clear: everybody on the way can read them",
                one.url.get_ref()
            ));
        }
        let parsed = parse_url(one.url.get_ref(), one.cleartext_credentials.into(), base);
        let Some(parsed) = faults.keep(one.url.span(), "listen.url", parsed) else { continue };
        if let Some((_, other)) = all.iter().find(|(other, _)| is_same_place(other, &parsed)) {
            let (url, line) = (other.get_ref(), line_of(faults.text, other.span().start));
            let reason =
                format!("{:?} listens where {url:?} does (line {line}): take one of them out", one.url.get_ref());
            faults.add(Some(one.url.span()), "listen.url", reason);
        }
        all.push((parsed, &one.url));
    }
    all.into_iter().map(|(listen, _)| listen).collect()
}

impl From<bool> for Cleartext {
    fn from(allowed: bool) -> Self {
        if allowed { Self::Allowed } else { Self::Refused }
    }
}

/// Whether only one of the two can be had.
fn is_same_place(one: &Listen, other: &Listen) -> bool {
    match (address_of(one), address_of(other)) {
        (Some(one), Some(other)) => one.port() == other.port() && one.port() != 0 && overlap(one.ip(), other.ip()),
        _ => matches!((one, other), (Listen::Ldapi { path }, Listen::Ldapi { path: other }) if path == other),
    }
}

/// Whether two addresses of the same port are of one socket. That of all addresses of IPv6 is that of all of IPv4, too.
fn overlap(one: IpAddr, other: IpAddr) -> bool {
    let includes = |wide: IpAddr, narrow: IpAddr| match wide {
        IpAddr::V4(wide) => wide.is_unspecified() && narrow.is_ipv4(),
        IpAddr::V6(wide) => wide.is_unspecified(),
    };
    one == other || includes(one, other) || includes(other, one)
}

const fn address_of(listen: &Listen) -> Option<SocketAddr> {
    match listen {
        Listen::Ldap { address, .. } | Listen::Ldaps { address } => Some(*address),
        Listen::Ldapi { .. } => None,
    }
}

fn parse_url(url: &str, cleartext_credentials: Cleartext, base: &Path) -> Result<Listen, String> {
    let (scheme, rest) =
        url.split_once("://").ok_or_else(|| format!("{url:?} must begin with ldap://, ldaps:// or ldapi://"))?;
    match scheme {
        "ldap" => Ok(Listen::Ldap { address: address(rest, 389)?, cleartext_credentials }),
        "ldaps" => Ok(Listen::Ldaps { address: address(rest, 636)? }),
        "ldapi" => {
            let path = PathBuf::from(rest.replace("%2F", "/").replace("%2f", "/"));
            if path.as_os_str().is_empty() {
                Err("ldapi:// needs the path of a socket".to_owned())
            } else {
                Ok(Listen::Ldapi { path: base.join(path) })
            }
        }
        _ => Err(format!("{scheme:?} is not known; use ldap, ldaps or ldapi")),
    }
}

fn address(text: &str, default_port: u16) -> Result<SocketAddr, String> {
    let text = text.trim_end_matches('/');
    let has_port = text.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) && !text.ends_with(']');
    let full = if has_port { text.to_owned() } else { format!("{text}:{default_port}") };
    let resolved = full.to_socket_addrs().ok().and_then(|mut addresses| addresses.next());
    resolved.ok_or_else(|| format!("{text:?} is no address of this machine, such as 0.0.0.0:{default_port}"))
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    use super::*;

    fn parse(urls: [&str; 2]) -> Result<Config, String> {
        let small = "[directory]\nsuffix = \"dc=example\"\ndata = \"db\"\n";
        let listen = urls.map(|url| format!("[[listen]]\nurl = {url:?}\n")).concat();
        let config = Config::parse(Path::new("/nowhere/keystead.toml"), &[small, &listen].concat());
        config.map_err(|error| error.to_string())
    }

    #[test]
    fn the_same_place_twice_is_a_mistake_of_the_file() {
        for twice in [
            ["ldap://127.0.0.1:3389", "ldap://127.0.0.1:3389"],
            ["ldap://127.0.0.1:3389", "ldap://0.0.0.0:3389"],
            ["ldap://0.0.0.0", "ldap://127.0.0.1:389"],
            ["ldap://[::]:3389", "ldap://127.0.0.1:3389"],
            ["ldap://[::]:3389", "ldap://[::1]:3389"],
            ["ldapi://socket", "ldapi://%2Fnowhere%2Fsocket"],
        ] {
            let told = parse(twice).unwrap_err();
            let [one, other] = twice;
            assert!(
                told.ends_with(&format!(
                    "line 7: listen.url: {other:?} listens where {one:?} does (line 5): take one of them out"
                )),
                "{told}"
            );
        }
    }

    #[test]
    fn different_places_are_no_mistake() {
        for both in [
            ["ldap://127.0.0.1:0", "ldap://127.0.0.1:0"],
            ["ldap://127.0.0.1:3389", "ldap://127.0.0.2:3389"],
            ["ldap://127.0.0.1:3389", "ldap://127.0.0.1:3390"],
            ["ldap://0.0.0.0:3389", "ldap://[::1]:3389"],
            ["ldapi://socket", "ldapi://socket2"],
        ] {
            assert!(parse(both).is_ok(), "{both:?}");
        }
    }
}
