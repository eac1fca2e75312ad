//! Rules: as they are written, and made ready by the schema.

use std::collections::HashSet;

use super::{Right, Rights};
use crate::directory::filter::{Filter, Matcher};
use crate::directory::schema::{AttributeSet, Schema};
use crate::directory::{AttributeTypeId, Dn};

/// A rule as it is written, in the configuration or in an entry.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RuleText {
    /// What it is called, in explanations and messages.
    pub name: String,
    /// Who: `anonymous`, `authenticated`, `everyone`, `self`, `local-root`, `dn:NAME`, `group:NAME`, `below:NAME`, or
    /// `attribute:TYPE` for those whose name the entry holds in that attribute.
    pub who: Vec<String>,
    /// To which entries: `everything`, `entry:NAME`, `children:NAME`, `subtree:NAME` or `below:NAME`; several join.
    pub to: Vec<String>,
    /// And only to those that match this filter.
    pub filter: Option<String>,
    /// To which attributes: names, `*` for all user attributes, `+` for operational ones but those of passwords,
    /// `password-state` for those, `@class` for those of an object class; `!` in front takes away. Absent: `*`.
    pub attributes: Vec<String>,
    /// What they may do, by [`Right::name`]; `all` for everything.
    pub allow: Vec<String>,
    /// What they must not do, whatever other rules grant.
    pub deny: Vec<String>,
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
    /// Secret attributes are beyond rules.
    #[error("{0:?} is secret: no rule can grant it. Use the rights change-password, reset-password and import-hash")]
    Secret(String),
}

/// Somebody.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Who {
    /// Whoever has not authenticated.
    Anonymous,
    /// Whoever has.
    Authenticated,
    /// Both.
    Everyone,
    /// The entry itself.
    Oneself,
    /// The superuser of this machine, over a local socket.
    LocalRoot,
    /// The entry of that name.
    Entry(Dn),
    /// Members of that group, also of groups in it.
    Group(Dn),
    /// Entries below that name.
    Below(Dn),
    /// Those whose name the target holds in that attribute.
    HeldIn(AttributeTypeId),
}

/// Some entries.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reach {
    /// All.
    Everything,
    /// The one of that name.
    Entry(Dn),
    /// Those directly below it.
    Children(Dn),
    /// It and those below.
    Subtree(Dn),
    /// Those below it.
    Below(Dn),
}

/// A rule made ready.
#[derive(Clone, Debug)]
pub struct Rule {
    /// What it is called.
    pub name: String,
    /// To whom it applies: to each of these.
    pub who: Vec<Who>,
    /// To which entries: to each of these.
    pub to: Vec<Reach>,
    /// And only if they match this.
    pub filter: Option<Matcher>,
    /// To which attributes.
    pub attributes: AttributeSet,
    /// What it grants.
    pub allow: Rights,
    /// What it denies.
    pub deny: Rights,
}

/// The rules of a directory.
#[derive(Clone, Debug, Default)]
pub struct Rules(Vec<Rule>);

impl Rules {
    /// Makes rules ready, or says what is wrong with the first that cannot be used: then none is in force, so that a
    /// mistake opens nothing.
    pub fn prepare(texts: &[RuleText], schema: &Schema) -> Result<Self, RuleError> {
        let prepare =
            |text: &RuleText| Rule::prepare(text, schema).map_err(|fault| RuleError { rule: text.name.clone(), fault });
        texts.iter().map(prepare).collect::<Result<_, _>>().map(Self)
    }

    /// The rules, in the order in which they were written, which does not matter.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Rule> + Clone {
        self.0.iter()
    }
}

impl Rule {
    fn prepare(text: &RuleText, schema: &Schema) -> Result<Self, RuleFault> {
        let who = text.who.iter().map(|word| Who::parse(word, schema)).collect::<Result<Vec<_>, _>>()?;
        let to = text.to.iter().map(|word| Reach::parse(word, schema)).collect::<Result<Vec<_>, _>>()?;
        let (allow, deny) = (rights("allow", &text.allow)?, rights("deny", &text.deny)?);
        if who.is_empty() {
            return Err(RuleFault::NoWho);
        }
        if to.is_empty() {
            return Err(RuleFault::NoTarget);
        }
        if allow.is_empty() && deny.is_empty() {
            return Err(RuleFault::NoRight);
        }
        let filter = match &text.filter {
            Some(filter) => Some(prepare_filter(filter, schema)?),
            None => None,
        };
        let attributes = attributes(&text.attributes, schema)?;
        Ok(Self { name: text.name.clone(), who, to, filter, attributes, allow, deny })
    }

    /// Whether, to whomever both apply, `self` grants at least what `other` grants: the same or more rights, entries and
    /// attributes.
    pub fn covers(&self, other: &Self) -> bool {
        let reaches = |reach: &Reach| self.to.iter().any(|own| own.includes(reach));
        let same_filter = self.filter.is_none() || self.filter == other.filter;
        let mut more = other.attributes.clone();
        more.subtract(&self.attributes);
        let per_attribute = other.allow.iter().any(Right::is_per_attribute);
        other.allow.is_within(self.allow)
            && same_filter
            && other.to.iter().all(reaches)
            && (!per_attribute || more.is_empty())
    }
}

impl Who {
    fn parse(word: &str, schema: &Schema) -> Result<Self, RuleFault> {
        let unknown = || RuleFault::UnknownWord { key: "who", word: word.to_owned() };
        let Some((kind, name)) = word.split_once(':') else {
            return match word {
                "anonymous" => Ok(Self::Anonymous),
                "authenticated" => Ok(Self::Authenticated),
                "everyone" => Ok(Self::Everyone),
                "self" => Ok(Self::Oneself),
                "local-root" => Ok(Self::LocalRoot),
                _ => Err(unknown()),
            };
        };
        match kind {
            "dn" => Ok(Self::Entry(dn("who", name, schema)?)),
            "group" => Ok(Self::Group(dn("who", name, schema)?)),
            "below" => Ok(Self::Below(dn("who", name, schema)?)),
            "attribute" => match schema.find_attribute_type(name) {
                Some(attribute) => Ok(Self::HeldIn(attribute.id)),
                None => Err(unknown()),
            },
            _ => Err(unknown()),
        }
    }

    /// Whether it depends on the entry that something is done to, and not on the actor alone.
    pub const fn depends_on_target(&self) -> bool {
        matches!(self, Self::Oneself | Self::HeldIn(_))
    }
}

impl Reach {
    fn parse(word: &str, schema: &Schema) -> Result<Self, RuleFault> {
        if word == "everything" {
            return Ok(Self::Everything);
        }
        let unknown = || RuleFault::UnknownWord { key: "to", word: word.to_owned() };
        let (kind, name) = word.split_once(':').ok_or_else(unknown)?;
        let name = dn("to", name, schema)?;
        match kind {
            "entry" => Ok(Self::Entry(name)),
            "children" => Ok(Self::Children(name)),
            "subtree" => Ok(Self::Subtree(name)),
            "below" => Ok(Self::Below(name)),
            _ => Err(unknown()),
        }
    }

    /// Whether every entry of `other` is one of these.
    fn includes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Everything, _) => true,
            (Self::Below(own), Self::Entry(name) | Self::Subtree(name)) => name != own && name.is_within(own),
            (
                Self::Subtree(own),
                Self::Entry(name) | Self::Children(name) | Self::Subtree(name) | Self::Below(name),
            )
            | (Self::Below(own), Self::Children(name) | Self::Below(name)) => name.is_within(own),
            (Self::Children(own), Self::Entry(name)) => name.parent().as_ref() == Some(own),
            (Self::Children(own), Self::Children(name)) | (Self::Entry(own), Self::Entry(name)) => own == name,
            _ => false,
        }
    }
}

fn dn(key: &'static str, text: &str, schema: &Schema) -> Result<Dn, RuleFault> {
    Dn::parse(schema, text).map_err(|error| RuleFault::BadName {
        key,
        text: text.to_owned(),
        reason: error.to_string(),
    })
}

fn rights(key: &'static str, words: &[String]) -> Result<Rights, RuleFault> {
    if words.iter().any(|word| word == "all") {
        return Ok(Rights::all());
    }
    let find = |word: &String| Right::find(word).ok_or_else(|| RuleFault::UnknownWord { key, word: word.clone() });
    words.iter().map(find).collect()
}

fn prepare_filter(text: &str, schema: &Schema) -> Result<Matcher, RuleFault> {
    let filter = Filter::parse(text).map_err(|error| RuleFault::BadFilter(error.to_string()))?;
    let matcher = Matcher::prepare(&filter, schema);
    // A part that can never be decided would make a grant that never grants, or worse a deny that never denies.
    if matcher.is_undecidable() { Err(RuleFault::UndecidableFilter) } else { Ok(matcher) }
}

/// The attributes that words stand for. Secret ones are never among them.
fn attributes(words: &[String], schema: &Schema) -> Result<AttributeSet, RuleFault> {
    let mut set = AttributeSet::EMPTY;
    if words.iter().all(|word| word.starts_with('!')) {
        set.union(&group("*", schema).unwrap_or_default());
    }
    let (less, more): (Vec<_>, Vec<_>) = words.iter().partition(|word| word.starts_with('!'));
    for word in more {
        set.union(&named(word, schema)?);
    }
    for word in less {
        set.subtract(&named(word.trim_start_matches('!'), schema)?);
    }
    set.subtract(schema.secret());
    Ok(set)
}

fn named(word: &str, schema: &Schema) -> Result<AttributeSet, RuleFault> {
    if let Some(set) = group(word, schema) {
        return Ok(set);
    }
    let unknown = || RuleFault::UnknownWord { key: "attributes", word: word.to_owned() };
    let attribute = schema.find_attribute_type(word).ok_or_else(unknown)?;
    if attribute.is_secret() {
        return Err(RuleFault::Secret(word.to_owned()));
    }
    Ok(schema.subtypes(attribute.id).iter().copied().collect())
}

fn group(word: &str, schema: &Schema) -> Option<AttributeSet> {
    let all = || AttributeSet::first(schema.attribute_types().len());
    match word {
        "*" => {
            let mut user = all();
            user.subtract(schema.operational());
            Some(user)
        }
        "+" => {
            let mut operational = schema.operational().clone();
            operational.subtract(&password_state(schema));
            Some(operational)
        }
        "password-state" => Some(password_state(schema)),
        _ => {
            let class = schema.find_object_class(word.strip_prefix('@')?)?;
            Some(class.must.iter().chain(&class.may).flat_map(|id| schema.subtypes(*id)).copied().collect())
        }
    }
}

/// What is said of passwords without being one: when it was changed, whether it is locked, and the like.
fn password_state(schema: &Schema) -> AttributeSet {
    let names: HashSet<&str> = HashSet::from(["authTimestamp"]);
    let is_state = |name: &str| name.starts_with("pwd") || names.contains(name);
    let operational = schema.operational().iter().map(|id| schema.attribute_type(id));
    operational.filter(|attribute| is_state(attribute.name())).map(|attribute| attribute.id).collect()
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
        assert!(fault(RuleText { to: vec!["subtree:x".into()], ..text() }).contains("\"x\" in `to`"));
        assert!(fault(RuleText { attributes: vec!["nosuch".into()], ..text() }).contains("\"nosuch\""));
        assert!(fault(RuleText { attributes: vec!["userPassword".into()], ..text() }).contains("secret"));
        assert!(fault(RuleText { filter: Some("(a".into()), ..text() }).contains("malformed"));
        assert!(fault(RuleText { filter: Some("(nosuch=a)".into()), ..text() }).contains("does not know"));
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
    }
}
