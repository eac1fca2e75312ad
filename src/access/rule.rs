//! Rules: as they are written, and made ready by the schema.

use std::fmt;
use std::sync::Arc;

use super::attributes::read_attributes;
use super::reach::Reach;
use super::values::{Values, are_names};
use super::when::{When, WhenText};
use super::who::Who;
use super::{Right, Rights};
use crate::directory::filter::{Filter, Matcher};
use crate::directory::schema::{AttributeSet, Schema};
use crate::directory::{Dn, Timestamp};

/// A rule as it is written, in the configuration or in an entry.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RuleText {
    /// What it is called, in explanations and messages.
    pub name: String,
    /// Where it stands.
    pub source: Source,
    /// Who: `anonymous`, `authenticated`, `everyone`, `self`, `local-root`, `dn:NAME`, `group:NAME`, `role:NAME`, `below:NAME`, or
    /// `attribute:TYPE` for those whose name, or the name of a group of theirs, the entry holds in that attribute.
    pub who: Vec<String>,
    /// To which entries: `everything`, `entry:NAME`, `children:NAME`, `subtree:NAME` or `below:NAME`; several join.
    pub to: Vec<String>,
    /// And only to those that match this filter.
    pub filter: Option<String>,
    /// And only while this holds.
    pub when: Option<WhenText>,
    /// To which attributes: names, `*` for all user attributes, `+` for operational ones but those of passwords,
    /// `password-state` for those, `@class` for those of an object class; `!` in front takes away. Absent: `*`.
    pub attributes: Vec<String>,
    /// To which of their values, for the right to write: `self` for the name of whoever writes, `value:VALUE`, or
    /// `below:NAME` for names below that one. Absent: all.
    pub values: Vec<String>,
    /// What they may do, by [`Right::name`]; `all` for everything.
    pub allow: Vec<String>,
    /// What they must not do, whatever other rules grant.
    pub deny: Vec<String>,
    /// Why it is there, in words for whoever reviews it.
    pub reason: Option<String>,
    /// Under which number that was decided.
    pub ticket: Option<String>,
}

/// Where a rule stands.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Source {
    /// Nowhere: the program made it.
    #[default]
    Made,
    /// In the configuration, on that line, from 1.
    Line(usize),
    /// In an entry of the directory.
    Entry(Arc<Dn>),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Made => f.write_str("built in"),
            Self::Line(line) => write!(f, "line {line}"),
            Self::Entry(dn) => write!(f, "the entry {dn}"),
        }
    }
}

/// A rule that cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("access rule {rule:?}: {fault}")]
pub struct RuleError {
    /// The rule's name.
    pub rule: String,
    /// What is wrong.
    pub fault: RuleFault,
}

/// What is wrong with a rule.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RuleFault {
    /// It names nobody.
    #[error("`who` is missing")]
    NoWho,
    /// It names no entry.
    #[error("`to` is missing")]
    NoTarget,
    /// It grants and denies nothing.
    #[error("it allows and denies nothing")]
    NoRight,
    /// A word is not known where it stands.
    #[error("{word:?} is not known in `{key}`")]
    UnknownWord {
        /// Where it stands.
        key: &'static str,
        /// The word.
        word: String,
    },
    /// A name is malformed.
    #[error("{text:?} in `{key}`: {reason}")]
    BadName {
        /// Where it stands.
        key: &'static str,
        /// The name.
        text: String,
        /// Why it is none.
        reason: String,
    },
    /// The filter is malformed.
    #[error("`filter`: {0}")]
    BadFilter(String),
    /// The filter asks for something that the schema lacks, so it would never match.
    #[error("`filter` asks for an attribute or value that the schema does not know")]
    UndecidableFilter,
    /// The filter asks for something that stands in no entry, so a deny would never match.
    #[error("`filter` asks for an attribute that the server works out or keeps with the password, and no entry stores")]
    UnstoredInFilter,
    /// It ends before it begins.
    #[error("`when.until` is not after `when.from`")]
    Never,
    /// Values can only be written, one by one.
    #[error("`values` is only for the right write")]
    ValuesNotWritten,
    /// None of the attributes holds names.
    #[error("`values` asks for names, and none of the attributes holds names")]
    ValuesNotNames,
    /// Nobody is named by values that are no names.
    #[error(
        "`attribute:{0}`: values of {0} are no names of entries; say one whose values are, such as `manager` or `owner`"
    )]
    HoldsNoNames(String),
    /// Secret attributes are beyond rules.
    #[error("{0:?} is secret: no rule can grant it. Use the rights change-password, reset-password and import-hash")]
    Secret(String),
}

/// A rule made ready: it grants or it denies.
#[derive(Clone, Debug)]
pub struct Rule {
    /// What it is called.
    pub name: String,
    /// Where it stands.
    pub source: Source,
    /// To whom it applies: to each of these.
    pub who: Vec<Who>,
    /// To which entries: to each of these.
    pub to: Vec<Reach>,
    /// And only if they match this.
    pub filter: Option<Matcher>,
    /// And only while this holds.
    pub when: Option<When>,
    /// To which attributes.
    pub attributes: AttributeSet,
    /// To which of their values; all, if empty.
    pub values: Vec<Values>,
    /// What it grants; nothing, if it denies.
    pub allow: Rights,
    /// What it denies; nothing, if it grants.
    pub deny: Rights,
    /// Why it is there.
    pub reason: Option<String>,
    /// Under which number that was decided.
    pub ticket: Option<String>,
}

/// The rules of a directory.
#[derive(Clone, Debug, Default)]
pub struct Rules(Vec<Rule>);

impl Rules {
    /// Makes rules ready, or says what is wrong with the first that cannot be used: then none is in force, so that a
    /// mistake opens nothing. Of a rule that grants and denies, two are made.
    pub fn prepare(texts: &[RuleText], schema: &Schema) -> Result<Self, RuleError> {
        let mut rules = Vec::with_capacity(texts.len());
        for text in texts {
            let prepared = Rule::prepare(text, schema);
            rules.extend(prepared.map_err(|fault| RuleError { rule: text.name.clone(), fault })?);
        }
        Ok(Self(rules))
    }

    /// The rules, in the order in which they were written, which does not matter.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Rule> + Clone {
        self.0.iter()
    }

    /// The rule of that position.
    pub fn get(&self, position: usize) -> Option<&Rule> {
        self.0.get(position)
    }

    /// These and others: such as those of the configuration and those of the tree.
    #[must_use]
    pub fn and(&self, others: &Self) -> Self {
        Self(self.iter().chain(others.iter()).cloned().collect())
    }
}

impl FromIterator<Rule> for Rules {
    fn from_iter<I: IntoIterator<Item = Rule>>(rules: I) -> Self {
        Self(rules.into_iter().collect())
    }
}

impl Rule {
    /// The names of the single entries that it is about.
    pub fn entries(&self) -> impl Iterator<Item = &Dn> {
        self.to.iter().filter_map(Reach::entry)
    }

    /// Makes a rule ready: the part of it that grants and the part that denies.
    pub fn prepare(text: &RuleText, schema: &Schema) -> Result<impl Iterator<Item = Self> + use<>, RuleFault> {
        let who = text.who.iter().map(|word| Who::parse("who", word, schema)).collect::<Result<Vec<_>, _>>()?;
        let to = text.to.iter().map(|word| Reach::parse(word, schema)).collect::<Result<Vec<_>, _>>()?;
        let (allow, deny) = (read_rights("allow", &text.allow)?, read_rights("deny", &text.deny)?);
        if who.is_empty() {
            return Err(RuleFault::NoWho);
        }
        if to.is_empty() {
            return Err(RuleFault::NoTarget);
        }
        if allow.is_empty() && deny.is_empty() {
            return Err(RuleFault::NoRight);
        }
        let filter = text.filter.as_ref().map(|filter| prepare_filter(filter, schema)).transpose()?;
        let when = text.when.as_ref().map(When::prepare).transpose()?;
        let attributes = read_attributes(&text.attributes, schema)?;
        let values = read_values(text, &attributes, schema)?;
        let rule = Self {
            name: text.name.clone(),
            source: text.source.clone(),
            who,
            to,
            filter,
            when,
            attributes,
            values,
            allow,
            deny,
            reason: text.reason.clone(),
            ticket: text.ticket.clone(),
        };
        let halves = [Self { deny: Rights::NONE, ..rule.clone() }, Self { allow: Rights::NONE, ..rule }];
        Ok(halves.into_iter().filter(|half| !half.allow.is_empty() || !half.deny.is_empty()))
    }

    /// Whether it stands in the tree, where people write rules who are no operators of the server.
    pub const fn is_delegated(&self) -> bool {
        matches!(self.source, Source::Entry(_))
    }

    /// Whether it takes rights away.
    pub const fn is_denial(&self) -> bool {
        !self.deny.is_empty()
    }

    /// Whether it will never apply again.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.when.as_ref().is_some_and(|when| when.is_over(now))
    }

    /// Whether, to whomever both apply, `self` grants at least what `other` grants: the same or more rights, entries,
    /// attributes and values, whenever `other` does.
    pub fn covers(&self, other: &Self) -> bool {
        let reaches = |reach: &Reach| self.to.iter().any(|own| own.includes(reach));
        let same_filter = self.filter.is_none() || self.filter == other.filter;
        let as_long = self.when.is_none() || self.when == other.when;
        let same_values = self.values.is_empty() || self.values == other.values;
        let mut more = other.attributes.clone();
        more.subtract(&self.attributes);
        let per_attribute = other.allow.iter().any(Right::is_per_attribute);
        other.allow.is_within(self.allow)
            && same_filter
            && as_long
            && same_values
            && other.to.iter().all(reaches)
            && (!per_attribute || more.is_empty())
    }
}

pub(super) fn read_dn(key: &'static str, text: &str, schema: &Schema) -> Result<Dn, RuleFault> {
    Dn::parse(schema, text).map_err(|error| RuleFault::BadName {
        key,
        text: text.to_owned(),
        reason: error.to_string(),
    })
}

pub(super) fn read_rights(key: &'static str, words: &[String]) -> Result<Rights, RuleFault> {
    if words.iter().any(|word| word == "all") {
        return Ok(Rights::all());
    }
    let find = |word: &String| Right::find(word).ok_or_else(|| RuleFault::UnknownWord { key, word: word.clone() });
    words.iter().map(find).collect()
}

fn read_values(text: &RuleText, attributes: &AttributeSet, schema: &Schema) -> Result<Vec<Values>, RuleFault> {
    let values = text.values.iter().map(|word| Values::parse(word, schema)).collect::<Result<Vec<_>, _>>()?;
    let mut rights = text.allow.iter().chain(&text.deny);
    if !values.is_empty() && rights.any(|word| word != Right::Write.name()) {
        return Err(RuleFault::ValuesNotWritten);
    }
    let mut forms = attributes.iter().map(|id| schema.attribute_type(id).equality_or_fallback().normal_form());
    if values.iter().any(Values::are_names) && !forms.any(are_names) {
        return Err(RuleFault::ValuesNotNames);
    }
    Ok(values)
}

/// Filters are tested against what entries store, and a part that can never be decided would make a grant that never
/// grants, or worse a deny that never denies.
pub(super) fn prepare_filter(text: &str, schema: &Schema) -> Result<Matcher, RuleFault> {
    let filter = Filter::parse(text).map_err(|error| RuleFault::BadFilter(error.to_string()))?;
    let matcher = Matcher::prepare(&filter, schema);
    if matcher.is_undecidable() {
        return Err(RuleFault::UndecidableFilter);
    }
    let known = schema.known();
    let unstored: AttributeSet = known.derived().into_iter().chain(known.credentials()).collect();
    if matcher.mentioned().intersects(&unstored) { Err(RuleFault::UnstoredInFilter) } else { Ok(matcher) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text() -> RuleText {
        RuleText {
            name: "test".into(),
            who: vec!["self".into()],
            to: vec!["everything".into()],
            allow: vec!["read".into()],
            ..RuleText::default()
        }
    }

    fn prepare(text: RuleText) -> Result<Rule, String> {
        let schema = Schema::standard();
        Rules::prepare(&[text], &schema).map(|rules| rules.iter().next().unwrap().clone()).map_err(|e| e.to_string())
    }

    fn has(rule: &Rule, name: &str) -> bool {
        rule.attributes.contains(Schema::standard().find_attribute_type(name).unwrap().id)
    }

    #[test]
    fn attributes_are_all_user_attributes_unless_said_otherwise() {
        let rule = prepare(text()).unwrap();
        assert!(has(&rule, "cn") && !has(&rule, "entryUUID") && !has(&rule, "userPassword"));
        let rule = prepare(RuleText { attributes: vec!["!mail".into()], ..text() }).unwrap();
        assert!(has(&rule, "cn") && !has(&rule, "mail"));
        let rule = prepare(RuleText { attributes: vec!["name".into(), "+".into()], ..text() }).unwrap();
        assert!(has(&rule, "sn") && has(&rule, "memberOf") && !has(&rule, "mail") && !has(&rule, "pwdFailureTime"));
        let rule = prepare(RuleText { attributes: vec!["password-state".into(), "@posixAccount".into()], ..text() });
        let rule = rule.unwrap();
        assert!(
            has(&rule, "pwdFailureTime") && has(&rule, "uidNumber") && !has(&rule, "pwdHistory") && !has(&rule, "sn")
        );
    }

    #[test]
    fn a_rule_that_makes_no_sense_is_refused_with_the_reason() {
        let fault = |text| prepare(text).unwrap_err();
        assert!(fault(RuleText { who: vec![], ..text() }).contains("`who` is missing"));
        assert!(fault(RuleText { to: vec![], ..text() }).contains("`to` is missing"));
        assert!(fault(RuleText { allow: vec![], ..text() }).contains("allows and denies nothing"));
        assert!(fault(RuleText { allow: vec!["reed".into()], ..text() }).contains("\"reed\" is not known in `allow`"));
        assert!(fault(RuleText { who: vec!["users".into()], ..text() }).contains("\"users\""));
        let told = fault(RuleText { who: vec!["attribute:mail".into()], ..text() });
        assert!(told.contains("values of mail are no names of entries"), "{told}");
        for names in ["attribute:manager", "attribute:uniqueMember"] {
            assert!(prepare(RuleText { who: vec![names.into()], ..text() }).is_ok(), "{names}");
        }
        assert!(fault(RuleText { to: vec!["subtree:x".into()], ..text() }).contains("\"x\" in `to`"));
        assert!(fault(RuleText { attributes: vec!["nosuch".into()], ..text() }).contains("\"nosuch\""));
        assert!(fault(RuleText { attributes: vec!["userPassword".into()], ..text() }).contains("secret"));
        assert!(fault(RuleText { filter: Some("(a".into()), ..text() }).contains("malformed"));
        assert!(fault(RuleText { filter: Some("(nosuch=a)".into()), ..text() }).contains("does not know"));
    }

    #[test]
    fn a_rule_that_allows_and_denies_is_two() {
        let text = RuleText { allow: vec!["read".into()], deny: vec!["write".into()], ..text() };
        let rules = Rules::prepare(&[text], &Schema::standard()).unwrap();
        let rights: Vec<_> = rules.iter().map(|rule| (rule.allow, rule.deny, rule.is_denial())).collect();
        let (read, write) = ([Right::Read].into_iter().collect(), [Right::Write].into_iter().collect());
        assert_eq!(rights, [(read, Rights::NONE, false), (Rights::NONE, write, true)]);
    }

    #[test]
    fn values_are_for_the_right_to_write_what_can_have_them() {
        let values = |attribute: &str, value: &str, right: &str| {
            let (attributes, values, allow) = (vec![attribute.into()], vec![value.into()], vec![right.into()]);
            prepare(RuleText { attributes, values, allow, ..text() }).map(|rule| rule.values)
        };
        assert_eq!(values("member", "self", "write"), Ok(vec![Values::OwnName]));
        assert_eq!(values("title", "value:Dr.", "write"), Ok(vec![Values::Exactly("Dr.".into())]));
        assert!(values("member", "self", "read").unwrap_err().contains("only for the right write"));
        assert!(values("member", "self", "all").unwrap_err().contains("only for the right write"));
        assert!(values("title", "self", "write").unwrap_err().contains("holds names"));
        assert!(values("member", "me", "write").unwrap_err().contains("\"me\" is not known in `values`"));
    }

    #[test]
    fn a_filter_asks_for_what_entries_store() {
        for filter in ["(memberOf=cn=a)", "(!(hasSubordinates=TRUE))", "(pwdAccountLockedTime=*)", "(userPassword=*)"] {
            let fault = prepare(RuleText { filter: Some(filter.into()), ..text() }).unwrap_err();
            assert!(fault.contains("no entry stores") || fault.contains("does not know"), "{filter}: {fault}");
        }
    }

    #[test]
    fn a_rule_covers_what_reaches_no_further() {
        let rule = |to: &str, allow: &str| {
            prepare(RuleText { to: vec![to.into()], allow: vec![allow.into()], ..text() }).unwrap()
        };
        let all = rule("subtree:dc=x", "all");
        assert!(all.covers(&rule("entry:uid=a,dc=x", "write")) && all.covers(&rule("below:dc=x", "read")));
        assert!(
            !all.covers(&rule("everything", "read")) && !rule("below:dc=x", "all").covers(&rule("entry:dc=x", "read"))
        );
        assert!(!rule("subtree:dc=x", "read").covers(&rule("subtree:dc=x", "write")));
        let short = When::prepare(&WhenText { until: Some("2026-12-01".into()), ..WhenText::default() }).unwrap();
        let short = Rule { when: Some(short), ..all.clone() };
        assert!(all.covers(&short) && short.covers(&short) && !short.covers(&all));
        let one = Rule { values: vec![Values::OwnName], ..all.clone() };
        assert!(all.covers(&one) && one.covers(&one) && !one.covers(&all));
    }
}
