//! Looking for ways in which somebody who is no administrator could become one.
//!
//! Everybody whom a rule names is a beginning: anonymous, whoever has authenticated, a member of each group, each entry that
//! rules name. From there one goes on by what the rules let them do: put themselves into a group, or make somebody a group and put
//! themselves into that; put themselves into an attribute by which a rule applies, make a group that a rule names and that is not there, reset a password, act as
//! somebody, or take over what recovers a password, by what somebody is found, or what slows the guessing of passwords; and by
//! writing what the filter of a rule looks at, or leaving a group to which something is denied.
//! Whatever is gained on the way is kept. Every step into an administrator ends a path; the way there is the
//! shortest. Circumstances are those that favour them most, and the guard against taking over somebody holds as always.
//!
//! Of people who are alike, being in the same groups and named by nothing else, one is followed.

mod bend;
mod group;
mod leave;
mod policy;
mod rename;
mod step;
mod terrain;
mod walk;

use std::fmt;

use super::rule::Rules;
use super::who::Who;
use super::{Actor, Right, Rights};
use crate::directory::schema::AttributeSet;
use crate::directory::tree::{Tree, TreeError};
use crate::directory::{Dn, Entry, Timestamp};
use step::shown;
use terrain::Terrain;
use walk::Walked;

/// A way to become an administrator.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Path {
    /// Who goes it, in words or by name.
    pub from: String,
    /// What they do, in sentences, in order.
    pub steps: Vec<String>,
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}:", self.from)?;
        for (number, step) in self.steps.iter().enumerate() {
            writeln!(f, "  {}. {step}", number + 1)?;
        }
        Ok(())
    }
}

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Survey {
    /// The ways.
    pub paths: Vec<Path>,
    /// How many entries that matter were not looked at, since there are more than can be: if any, there may be other ways.
    pub unseen: usize,
    /// By which rules others than administrators may give entries other names. What comes of it where others stand below these is
    /// not looked at.
    pub renaming: Vec<String>,
}

/// How many entries that matter are looked at.
const MOST: usize = 200_000;

/// The groups whose members may do everything: those that a rule allows all.
pub fn groups_of_administrators(rules: &Rules) -> Vec<Dn> {
    let mut groups: Vec<Dn> = Vec::new();
    for rule in rules.iter().filter(|rule| rule.allow == Rights::all()) {
        for who in &rule.who {
            if let Some(group) = who.body()
                && !groups.contains(group)
            {
                groups.push(group.clone());
            }
        }
    }
    groups
}

/// Who may do everything by their own name: those entries that a rule allows all.
pub fn administrators_by_name(rules: &Rules) -> Vec<Dn> {
    let mut names: Vec<Dn> = Vec::new();
    for who in rules.iter().filter(|rule| rule.allow == Rights::all()).flat_map(|rule| &rule.who) {
        if let Who::Entry(name) = who
            && !names.contains(name)
        {
            names.push(name.clone());
        }
    }
    names
}

/// What is asked.
#[derive(Clone, Copy)]
pub struct Inquiry<'q> {
    /// By which rules.
    pub rules: &'q Rules,
    /// Who administrators are: the members of these groups.
    pub administrators: &'q [Dn],
    /// And these, by their name.
    pub by_name: &'q [Dn],
    /// The attributes by which somebody is found who proves another name than that of their entry.
    pub naming: &'q AttributeSet,
    /// Where lost passwords are recovered: written of nobody who holds more.
    pub recovery: &'q AttributeSet,
    /// Whether an entry is a policy that says that it governs somebody who holds more than the actor: then it is not theirs
    /// to write.
    pub refuses_policy: RefusesPolicy<'q>,
    /// From when on.
    pub now: Timestamp,
}

/// What operations keep people from writing, of which this knows nothing by itself.
pub type RefusesPolicy<'q> = &'q dyn Fn(&Entry, &Dn, (&Actor, &Rules), &dyn Tree) -> Result<bool, TreeError>;

impl fmt::Debug for Inquiry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inquiry").field("administrators", &self.administrators).finish_non_exhaustive()
    }
}

/// Every way to become an administrator.
pub fn paths(inquiry: &Inquiry<'_>, tree: &dyn Tree) -> Result<Survey, TreeError> {
    survey(inquiry, MOST, tree)
}

fn survey(inquiry: &Inquiry<'_>, most: usize, tree: &dyn Tree) -> Result<Survey, TreeError> {
    let terrain = Terrain::survey(inquiry, most, tree)?;
    let mut paths: Vec<Path> = Vec::new();
    let mut unfinished = 0;
    for start in terrain.starts()? {
        let mut found = Vec::new();
        unfinished += usize::from(terrain.walk(&start, &mut found)? == Walked::InPart);
        // Who is in several groups may what members of each may: that is told of these.
        found.retain(|path| !paths.iter().any(|known| known.steps == path.steps));
        paths.extend(found);
    }
    Ok(Survey { paths, unseen: terrain.unseen + unfinished, renaming: renaming(inquiry) })
}

/// The rules by which others than administrators may give entries other names.
fn renaming(inquiry: &Inquiry<'_>) -> Vec<String> {
    let administers = |who: &Who| match who {
        Who::Group(body) | Who::Role(body) => inquiry.administrators.contains(body),
        Who::Entry(name) => inquiry.by_name.contains(name),
        Who::LocalRoot => true,
        _ => false,
    };
    let rules = inquiry.rules.iter().filter(|rule| rule.allow.has(Right::Rename) && !rule.is_over(inquiry.now));
    rules.filter(|rule| !rule.who.iter().all(administers)).map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::RuleText;
    use crate::directory::tree::Directory;
    use crate::directory::tree::Place as TreePlace;
    use crate::directory::tree::memory::MemoryDirectory;
    use crate::directory::tree::{Change, Write};
    use crate::directory::{Attribute, Attributes, Schema};
    use std::slice;
    use std::sync::Arc;
    use uuid::Uuid;

    /// Where not all can be looked at, that is said, and never that there is no way.
    #[test]
    fn what_was_not_looked_at_is_told() {
        let schema = Schema::standard();
        let suffix = Dn::parse(&schema, "cn=top").unwrap();
        let directory = MemoryDirectory::new(Arc::clone(&schema), vec![suffix.clone()]);
        let mut attributes = Attributes::new();
        for (name, value) in [("objectClass", "groupOfNames"), ("member", "cn=top")] {
            let description = schema.describe(name).unwrap();
            attributes.push(Attribute { description, values: vec![value.as_bytes().to_vec()] });
        }
        let entry = Entry::encode(&attributes, &schema);
        let write = Write::Insert {
            uuid: Uuid::from_u128(1),
            place: TreePlace::Suffix(suffix.clone()),
            entry,
            credentials: None,
        };
        directory.commit(Change { writes: vec![write], log: Vec::new(), ..Change::none() }).unwrap();
        let text = RuleText {
            name: "all".into(),
            who: vec!["group:cn=top".into()],
            to: vec!["everything".into()],
            allow: vec!["all".into()],
            ..RuleText::default()
        };
        let rules = Rules::prepare(&[text], &schema).unwrap();
        let unseen = |most| {
            let inquiry = Inquiry {
                rules: &rules,
                administrators: slice::from_ref(&suffix),
                by_name: &[],
                naming: &AttributeSet::EMPTY,
                recovery: &AttributeSet::EMPTY,
                refuses_policy: &|_, _, _, _| Ok(false),
                now: Timestamp::default(),
            };
            survey(&inquiry, most, &directory.view()).unwrap().unseen
        };
        assert_eq!((unseen(10), unseen(1), unseen(0)), (0, 0, 1));
    }
}
