//! What somebody may know of a change: as much as of the entry that was changed.
//!
//! A rule for `cn=changelog` lets people ask for changes; it shows nothing of entries. So a change is there for whoever may know
//! of its entry, as it is now and by the name that it had then, and tells of the attributes that they may read.

use std::sync::Arc;

use crate::access::{Decider, Decision};
use crate::directory::tree::{Found, LogKind, LogRecord, LoggedChange};
use crate::directory::{Dn, Schema};
use crate::operations::{Context, Refusal};

/// Somebody who reads the change log.
pub(in crate::operations::search) struct Reader<'c> {
    ctx: &'c Context<'c>,
    decider: Decider<'c>,
}

/// What somebody may do with an entry as it is, and by the name that it had.
struct Sight(Vec<Arc<Decision>>);

impl<'c> Reader<'c> {
    pub(in crate::operations::search) fn new(ctx: &'c Context<'_>) -> Self {
        Self { decider: ctx.decider(), ctx }
    }

    /// The change as they may know of it; `None` if they may not know of its entry.
    pub(in crate::operations::search) fn shown(
        &mut self,
        change: &LoggedChange,
    ) -> Result<Option<LoggedChange>, Refusal> {
        let record = &change.record;
        let sight = self.sight(record)?;
        if !sight.is_visible() {
            return Ok(None);
        }
        let schema = self.ctx.schema();
        let changes = match record.kind {
            LogKind::ModifyDn => self.without_hidden_superior(&record.changes)?,
            LogKind::Modify => parts(&record.changes).filter(|part| sight.may_read(operand(part), schema)).collect(),
            LogKind::Add | LogKind::Delete => {
                lines(&record.changes).filter(|line| sight.may_read(name(line), schema)).collect()
            }
        };
        Ok(Some(LoggedChange { sequence: change.sequence, record: LogRecord { changes, ..record.clone() } }))
    }

    fn sight(&mut self, record: &LogRecord) -> Result<Sight, Refusal> {
        let tree = self.ctx.tree;
        let then = Dn::parse(self.ctx.schema(), &record.target)?;
        let mut sight = Sight(Vec::new());
        if let Some(id) = tree.find_uuid(record.uuid)?
            && let (Some(node), Some(now)) = (tree.node(id)?, tree.dn(id)?)
        {
            sight.0.push(self.decider.decide(&node, tree)?);
            if *now == then {
                return Ok(sight);
            }
        }
        sight.0.push(self.decider.decide_by_name(&then));
        Ok(sight)
    }

    /// The lines of a rename, without the name of a place that they may not know of.
    fn without_hidden_superior(&mut self, changes: &str) -> Result<String, Refusal> {
        let mut kept = String::new();
        for line in lines(changes) {
            let is_superior = name(&line).eq_ignore_ascii_case("newsuperior");
            if !is_superior || self.may_know_of(&unfolded_value(&line))? {
                kept.push_str(&line);
            }
        }
        Ok(kept)
    }

    fn may_know_of(&mut self, superior: &str) -> Result<bool, Refusal> {
        // One that is not written as it is, in BASE64, is looked at by nobody.
        let Ok(dn) = Dn::parse(self.ctx.schema(), superior) else { return Ok(false) };
        let node = match self.ctx.tree.find(&dn)? {
            Found::Entry(id) => self.ctx.tree.node(id)?,
            Found::Missing(_) | Found::Outside => None,
        };
        Ok(match node {
            Some(node) => self.decider.decide(&node, self.ctx.tree)?.is_visible(),
            None => self.decider.decide_by_name(&dn).is_visible(),
        })
    }
}

impl Sight {
    fn is_visible(&self) -> bool {
        self.0.iter().all(|decision| decision.is_visible())
    }

    /// Whether they may read an attribute. Of secret ones no values are in the log, and that they have been set is for those who
    /// may know when.
    fn may_read(&self, attribute: &str, schema: &Schema) -> bool {
        let Some(attribute) = schema.describe(attribute) else { return false };
        let is_secret = schema.attribute_type(attribute.attribute_type).is_secret();
        let id = if is_secret { schema.known().pwd_changed_time } else { attribute.attribute_type };
        self.0.iter().all(|decision| decision.read.contains(id))
    }
}

/// Lines, each with those that continue it.
fn lines(text: &str) -> impl Iterator<Item = String> {
    let mut all: Vec<String> = Vec::new();
    for line in text.split_inclusive('\n') {
        match all.last_mut() {
            Some(last) if line.starts_with(' ') => last.push_str(line),
            _ => all.push(line.to_owned()),
        }
    }
    all.into_iter()
}

/// The parts of a modification, each with the line `-` that ends it.
fn parts(text: &str) -> impl Iterator<Item = String> {
    let mut all: Vec<String> = Vec::new();
    let mut begins = true;
    for line in text.split_inclusive('\n') {
        match all.last_mut() {
            Some(last) if !begins => last.push_str(line),
            _ => all.push(line.to_owned()),
        }
        begins = line.trim_end() == "-";
    }
    all.into_iter()
}

/// What a line is about: the word in front of the colon.
fn name(line: &str) -> &str {
    line.split(':').next().unwrap_or_default()
}

/// What a part is about: the attribute in its first line.
fn operand(part: &str) -> &str {
    let first = part.lines().next().unwrap_or_default();
    first.split_once(": ").map_or("", |(_, attribute)| attribute)
}

fn unfolded_value(line: &str) -> String {
    let value = line.split_once(": ").map_or("", |(_, value)| value);
    value.replace("\n ", "").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stay_with_those_that_continue_them() {
        let text = "cn: a\n b\nsn:: eA==\n";
        assert_eq!(lines(text).collect::<Vec<_>>(), ["cn: a\n b\n", "sn:: eA==\n"]);
        assert_eq!(lines(text).map(|line| name(&line).to_owned()).collect::<Vec<_>>(), ["cn", "sn"]);
        assert_eq!(unfolded_value("newsuperior: ou=a,\n dc=b\n"), "ou=a,dc=b");
    }

    #[test]
    fn parts_end_with_a_line_of_their_own() {
        let text = "replace: cn\ncn: -\n -\n-\ndelete: sn\n-\nadd: mail;x\nmail;x: a\n-\n";
        let parts: Vec<String> = parts(text).collect();
        assert_eq!(parts, ["replace: cn\ncn: -\n -\n-\n", "delete: sn\n-\n", "add: mail;x\nmail;x: a\n-\n"]);
        assert_eq!(parts.iter().map(|part| operand(part)).collect::<Vec<_>>(), ["cn", "sn", "mail;x"]);
    }
}
