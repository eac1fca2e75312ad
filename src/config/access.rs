//! Access rules, as the configuration writes them.

use toml::Spanned;

use super::raw::{Point, RawAssertion, RawRule, RawWhen, line_of};
use super::reach;
use crate::access::assertion::AssertionText;
use crate::access::reach::Reach;
use crate::access::rule::Source;
use crate::access::when::WhenText;
use crate::access::{Rule, RuleText, Rules};
use crate::directory::{Dn, Timestamp};

/// The rule that was read, with the line of `text` where it stands.
pub(super) fn rule_text(raw: Spanned<RawRule>, text: &str) -> RuleText {
    let source = Source::Line(line_of(text, raw.span().start));
    let raw = raw.into_inner();
    RuleText {
        name: raw.name,
        source,
        who: raw.who.into_vec(),
        to: raw.to.into_vec(),
        filter: raw.filter,
        when: raw.when.map(when_text),
        attributes: raw.attributes.into_vec(),
        values: raw.values.into_vec(),
        allow: raw.allow.into_vec(),
        deny: raw.deny.into_vec(),
        reason: raw.reason,
        ticket: raw.ticket,
    }
}

/// The assertion that was read, with the line of `text` where it stands.
pub(super) fn assertion_text(raw: Spanned<RawAssertion>, text: &str) -> AssertionText {
    let source = Source::Line(line_of(text, raw.span().start));
    let raw = raw.into_inner();
    AssertionText {
        name: raw.name,
        source,
        who: raw.who.into_vec(),
        except: raw.except.into_vec(),
        must_not: raw.must_not.into_vec(),
        to: raw.to.into_vec(),
        filter: raw.filter,
        attributes: raw.attributes.into_vec(),
    }
}

fn when_text(raw: RawWhen) -> WhenText {
    WhenText {
        network: raw.network.into_vec(),
        tls: raw.tls,
        authentication: raw.authentication.into_vec(),
        from: raw.from.map(Point::into_text),
        until: raw.until.map(Point::into_text),
        days: raw.days.into_vec(),
        hours: raw.hours,
        zone: raw.zone,
    }
}

/// What reaches none of the entries of a server with these suffixes, in a sentence.
pub(super) fn outside<'a>(to: impl IntoIterator<Item = &'a Reach>, suffixes: &[Dn]) -> Option<String> {
    let misled = to.into_iter().find(|reach| !reach::is_possible(reach, suffixes))?.base()?;
    let all: Vec<&str> = suffixes.iter().map(Dn::as_str).collect();
    Some(format!("\"{misled}\" in `to` is below none of the suffixes of this server ({})", all.join("; ")))
}

/// A warning of a rule that will never apply again.
pub(super) fn ended(rules: &Rules, now: Timestamp) -> Option<String> {
    let Rule { name, source, .. } = rules.iter().find(|rule| rule.is_over(now))?;
    Some(format!("the rule {name:?} ({source}) is over, and can be taken out of [[access]]"))
}
