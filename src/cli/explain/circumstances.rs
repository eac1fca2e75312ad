//! Under which circumstances a question is asked.

use clap::Args;

use crate::access::Circumstances;
use crate::access::circumstances::{Method, Protection, Remote};
use crate::access::when::read_point;
use crate::directory::Timestamp;
use crate::server::Clock;

/// What is left out is not known: then a rule that allows something under a condition on it does not apply, and one that
/// denies does.
#[derive(Debug, Args)]
pub(in crate::cli) struct CircumstancesArgs {
    /// Asked from that address, or `local` for a socket of this machine.
    #[arg(long, value_name = "ADDRESS", value_parser = parse_remote)]
    from: Option<Remote>,
    /// Asked over TLS: `1.2` or `1.3`; `none` without.
    #[arg(long, value_name = "VERSION", value_parser = parse_protection)]
    tls: Option<Protection>,
    /// Asked at that time, as 2026-12-01T08:00:00Z; now, if absent.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    at: Option<Timestamp>,
    /// Authenticated by: `simple`, `external` or `anonymous`.
    #[arg(long, value_name = "METHOD", value_parser = parse_method)]
    authentication: Option<Method>,
}

impl CircumstancesArgs {
    pub(super) fn read(&self) -> Circumstances {
        Circumstances {
            now: self.at.unwrap_or_else(|| Clock::default().now()),
            remote: self.from,
            protection: self.tls,
            method: self.authentication,
        }
    }
}

fn parse_remote(text: &str) -> Result<Remote, String> {
    let address = || text.parse().map(Remote::Address).map_err(|_| "give an address or `local`".to_owned());
    if text == "local" { Ok(Remote::Local) } else { address() }
}

fn parse_protection(text: &str) -> Result<Protection, String> {
    let least = || {
        Protection::find(text)
            .ok_or_else(|| "give 1.2, 1.3 or none; with the strength of the cipher as 1.3/256".to_owned())
    };
    if text == "none" { Ok(Protection::Nothing) } else { least() }
}

fn parse_time(text: &str) -> Result<Timestamp, String> {
    read_point(text).ok_or_else(|| "give a time as 2026-12-01T08:00:00Z or a date".to_owned())
}

fn parse_method(text: &str) -> Result<Method, String> {
    Method::find(text).ok_or_else(|| "give simple, external or anonymous".to_owned())
}
