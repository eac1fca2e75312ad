//! What would become of accounts, counted.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::access::actor::groups_of;
use crate::directory::Dn;
use crate::directory::tree::{EntryId, Tree, TreeError};
use crate::password::Policy;
use crate::password::outlook::{Looked, Outlook};
use crate::password::scheme::NewScheme;

/// How many names are told of each kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Names {
    Some,
    All,
}

/// So many are told unless all are asked for.
const SOME: usize = 5;

/// What is counted.
pub(super) struct Tally {
    names: Names,
    pub(super) accounts: u64,
    pub(super) governed: u64,
    pub(super) released: u64,
    kinds: Vec<(Outlook, Kind)>,
    /// Those among whom somebody is an administrator.
    powerful: HashSet<EntryId>,
    administrators: Vec<(String, Vec<Outlook>)>,
}

/// The accounts of which something holds.
#[derive(Default)]
struct Kind {
    now: u64,
    then: u64,
    begins: Vec<String>,
    ends: u64,
    ended: Vec<String>,
}

/// An account, and what governs it now and then.
pub(super) struct Candidate<'c> {
    pub(super) dn: &'c Dn,
    pub(super) looked: Looked<'c>,
    pub(super) now: &'c Policy,
    pub(super) then: &'c Policy,
}

impl Tally {
    pub(super) fn new(names: Names, powerful: HashSet<EntryId>) -> Self {
        let kinds = Outlook::ALL.into_iter().map(|outlook| (outlook, Kind::default())).collect();
        Self { names, accounts: 0, governed: 0, released: 0, kinds, powerful, administrators: Vec::new() }
    }

    /// Counts an account that the policies concern.
    pub(super) fn count(
        &mut self,
        candidate: &Candidate<'_>,
        usual: NewScheme,
        tree: &dyn Tree,
    ) -> Result<(), TreeError> {
        let Candidate { dn, looked, now, then } = candidate;
        let most = if self.names == Names::All { usize::MAX } else { SOME };
        let mut shut_out = Vec::new();
        for (outlook, kind) in &mut self.kinds {
            let (is_now, is_then) = (outlook.holds(looked, now, usual), outlook.holds(looked, then, usual));
            kind.count(dn, (is_now, is_then), most);
            if is_then && !is_now && outlook.shuts_out() {
                shut_out.push(*outlook);
            }
        }
        if !shut_out.is_empty() && !self.powerful.is_disjoint(&groups_of(dn, tree)?) {
            self.administrators.push((dn.to_string(), shut_out));
        }
        Ok(())
    }

    /// What was counted, in lines for people.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = vec![
            format!("{:>9}  accounts have a password", self.accounts),
            format!("{:>9}  would be governed by what the file says", self.governed),
        ];
        if self.released > 0 {
            lines.push(format!("{:>9}  would be governed by another policy than now", self.released));
        }
        lines.push("of those:".to_owned());
        for (outlook, kind) in &self.kinds {
            let Kind { now, then, begins, ends, ended } = kind;
            lines.push(format!("{then:>9}  {} ({now} now){}", outlook.words(), told(begins, then - (now - ends))));
            if *ends > 0 {
                lines.push(format!("{ends:>9}    no longer{}", told(ended, *ends)));
            }
        }
        for (name, shut_out) in &self.administrators {
            let why: Vec<&str> = shut_out.iter().map(|outlook| outlook.words()).collect();
            lines.push(format!("in a group that an access rule names: {name}: {}", why.join(", ")));
        }
        lines
    }

    /// What was counted, for programs.
    pub(super) fn to_json(&self) -> Value {
        let kind = |(outlook, kind): &(Outlook, Kind)| {
            let Kind { now, then, begins, ends, ended } = kind;
            let told = json!({
                "now": now, "then": then, "begins": then - (now - ends), "ends": ends,
                "begins_names": begins, "ends_names": ended,
            });
            (outlook.word().to_owned(), told)
        };
        let administrator = |(name, shut_out): &(String, Vec<Outlook>)| json!({ "entry": name, "because": shut_out.iter().map(|outlook| outlook.word()).collect::<Vec<_>>() });
        json!({
            "accounts": self.accounts,
            "governed": self.governed,
            "released": self.released,
            "outlook": self.kinds.iter().map(kind).collect::<serde_json::Map<_, _>>(),
            "administrators": self.administrators.iter().map(administrator).collect::<Vec<_>>(),
        })
    }
}

impl Kind {
    fn count(&mut self, dn: &Dn, (now, then): (bool, bool), most: usize) {
        self.now += u64::from(now);
        self.then += u64::from(then);
        let list = match (now, then) {
            (false, true) => &mut self.begins,
            (true, false) => {
                self.ends += 1;
                &mut self.ended
            }
            _ => return,
        };
        if list.len() < most {
            list.push(dn.to_string());
        }
    }
}

/// Names, and that there are more.
fn told(names: &[String], of: u64) -> String {
    if names.is_empty() {
        return String::new();
    }
    let more = of.saturating_sub(names.len() as u64);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!(": {}{more}", names.join("; "))
}
