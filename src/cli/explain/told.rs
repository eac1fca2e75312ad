//! Rules as they are told: by name and place, and at the end the text of each.

use std::collections::BTreeSet;
use std::fs;

use super::Subject;
use crate::access::Rule;
use crate::access::rule::Source;
use crate::cli::output;
use crate::directory::tree::{Found, Tree};
use crate::directory::{Dn, ldif};

/// The rules that an answer names.
pub(super) struct Told<'s> {
    pub(super) subject: &'s Subject,
    positions: BTreeSet<usize>,
}

impl<'s> Told<'s> {
    pub(super) const fn new(subject: &'s Subject) -> Self {
        Self { subject, positions: BTreeSet::new() }
    }

    /// A rule, where it stands, under which conditions it applies, and why it is there. Its text is told at the end.
    pub(super) fn rule(&mut self, position: usize) -> String {
        let Some(rule) = self.subject.rules.get(position) else { return String::new() };
        self.positions.insert(position);
        let said = |before: &str, text: &Option<String>| text.as_ref().map(|text| format!("{before}{text:?}"));
        let parts = [
            (!rule.values.is_empty()).then(|| "for some values only".to_owned()),
            rule.when.as_ref().map(|when| format!("only {when}")),
            said("reason ", &rule.reason),
            said("ticket ", &rule.ticket),
        ];
        let named = format!("the rule {:?} ({})", rule.name, place(self.subject, rule));
        [Some(named)].into_iter().chain(parts).flatten().collect::<Vec<_>>().join(", ")
    }

    /// Says each rule that was named as it is written, once.
    pub(super) fn say_texts(&self) {
        let file = fs::read_to_string(&self.subject.config.path).unwrap_or_default();
        let mut said = BTreeSet::new();
        for rule in self.positions.iter().filter_map(|position| self.subject.rules.get(*position)) {
            let lines = match &rule.source {
                Source::Line(line) => table_at(&file, *line),
                Source::Entry(dn) => of_entry(self.subject, dn),
                Source::Made => Vec::new(),
            };
            let place = place(self.subject, rule);
            if !lines.is_empty() && said.insert(place.clone()) {
                output::say(&format!("\n{place}:"));
                for line in lines {
                    output::say(&format!("    {line}"));
                }
            }
        }
    }
}

/// Where a rule stands.
pub(super) fn place(subject: &Subject, rule: &Rule) -> String {
    match &rule.source {
        Source::Line(line) => format!("{}:{line}", subject.config.path.display()),
        elsewhere => elsewhere.to_string(),
    }
}

/// The lines of the table that begins on a line, from 1, or whose heading is the line before, up to the next table; without
/// what is empty or a comment at its end.
fn table_at(file: &str, line: usize) -> Vec<String> {
    let is_heading = |text: &&str| text.starts_with('[');
    let from = line.saturating_sub(1);
    let heading = file.lines().nth(from.saturating_sub(1)).filter(|text| from > 0 && is_heading(text));
    let first = file.lines().nth(from);
    let heading = heading.filter(|_| first.is_some_and(|text| !is_heading(&text)));
    let rest = file.lines().skip(from + 1).take_while(|text| !is_heading(text));
    let mut lines: Vec<&str> = heading.into_iter().chain(first).chain(rest).collect();
    while lines.last().is_some_and(|text| text.trim().is_empty() || text.trim_start().starts_with('#')) {
        lines.pop();
    }
    lines.into_iter().map(str::to_owned).collect()
}

/// What makes an entry a rule, as LDIF.
fn of_entry(subject: &Subject, dn: &Dn) -> Vec<String> {
    let view = &subject.view;
    let id = view.find(dn).ok().and_then(Found::entry);
    let Some(node) = id.and_then(|id| view.node(id).ok().flatten()) else { return Vec::new() };
    let mut out = Vec::new();
    for attribute in node.entry.decode().iter() {
        let name = attribute.description.to_text(view.schema());
        if name.starts_with("access") || name == "description" {
            attribute.values.iter().for_each(|value| ldif::write_attribute(&mut out, &name, value));
        }
    }
    String::from_utf8_lossy(&out).lines().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_ends_where_the_next_begins() {
        let file = "a = 1\n\n[[access]]\nname = \"x\"\nto = [\n  \"everything\",\n]\n\n# of others\n[[access]]\nname = \"y\"\n";
        assert_eq!(table_at(file, 3), ["[[access]]", "name = \"x\"", "to = [", "  \"everything\",", "]"]);
        assert_eq!(table_at(file, 10), ["[[access]]", "name = \"y\""]);
        assert_eq!(table_at(file, 11), ["[[access]]", "name = \"y\""]);
        assert!(table_at(file, 40).is_empty());
    }
}
