//! `keystead policy simulate`

use std::collections::HashSet;
use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::supposed::Supposed;
use super::tally::{Candidate, Names, Tally};
use crate::access::{RuleText, Rules};
use crate::cli::accounts::Workplace;
use crate::cli::{CliError, open_store, output};
use crate::config::Config;
use crate::directory::ldif::{Body, Reader, Record};
use crate::directory::tree::{Directory, EntryId, Node, Tree, TreeError};
use crate::directory::{Dn, Timestamp};
use crate::operations::policies::{Policies, unheeded_in};
use crate::operations::{Context, Outcome, Refusal, add, delete, modify};
use crate::password::Account;
use crate::password::outlook::Looked;
use crate::password::scheme::NewScheme;
use crate::password::standing::Validity;
use crate::protocol::request::{AddRequest, ModifyRequest, RequestedChange};
use crate::store::{Existence, View};

#[derive(Debug, Args)]
pub(in crate::cli) struct SimulateArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Policies and changes of policies, as LDIF.
    #[arg(value_name = "LDIF")]
    ldif: PathBuf,
    /// Only accounts at and below this name.
    #[arg(long, value_name = "DN")]
    base: Option<String>,
    /// Tell all names, and not only the first few.
    #[arg(long)]
    list: bool,
    /// Answer as JSON, for programs.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &SimulateArgs) -> Result<(), CliError> {
    let config = Config::read(&args.config)?;
    let store = open_store(&config, Existence::ReadOnly)?;
    let view = store.view();
    let base = args.base.as_deref().map(|base| parse(&view, base)).transpose()?;
    let workplace = Workplace::new(&store, &unrestricted(&config))?;
    let mut supposed = Supposed::of(&view);
    let touched = suppose_all(args, &workplace, &mut supposed)?;
    let powerful = powerful_groups(&config, &view)?;
    let names = if args.list { Names::All } else { Names::Some };
    let (usual, at) = (config.new_passwords, workplace.now());
    let simulation = Simulation { view: &view, supposed: &supposed, touched, base, usual, at };
    let tally = simulation.run(Tally::new(names, powerful)).map_err(|error| unreadable(&error))?;
    if args.json {
        output::say(&tally.to_json().to_string());
    } else {
        tally.lines().iter().for_each(|line| output::say(line));
    }
    Ok(())
}

/// The configuration of somebody who may do everything, since nothing is done; and without what takes long to look at.
fn unrestricted(config: &Config) -> Config {
    let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    let everything = RuleText {
        name: "a simulation".to_owned(),
        who: words(&["local-root"]),
        to: words(&["everything"]),
        attributes: words(&["*", "+", "password-state"]),
        allow: words(&["all"]),
        ..RuleText::default()
    };
    Config { rules: vec![everything], breached: None, ..config.clone() }
}

/// Supposes all that the file says, and returns the names of the policies that it is about.
fn suppose_all(
    args: &SimulateArgs,
    workplace: &Workplace<'_>,
    supposed: &mut Supposed<'_>,
) -> Result<HashSet<String>, CliError> {
    let file = File::open(&args.ldif).map_err(|cause| CliError::File { path: args.ldif.clone(), cause })?;
    let mut touched = HashSet::new();
    for record in Reader::new(BufReader::new(file)) {
        let record = record.map_err(|error| CliError::Message(format!("{}: {error}", args.ldif.display())))?;
        let what = format!("line {}: {}", record.line, record.dn);
        let dn = parse(supposed, &record.dn)?;
        let before = policy_at(supposed, &dn)?;
        let mut outcome = workplace.plan(&what, supposed, |ctx| perform(ctx, &record))?;
        supposed.suppose(std::mem::take(&mut outcome.change)).map_err(|error| unreadable(&error))?;
        let names = [before, policy_at(supposed, &dn)?];
        if names == [None, None] {
            return Err(CliError::Message(format!("{what}: this is no password policy (objectClass pwdPolicy)")));
        }
        touched.extend(names.into_iter().flatten());
    }
    for (node, dn) in supposed.changed() {
        for told in unheeded_in(&node.entry, dn, supposed.schema()) {
            output::complain(&format!("warning: {told}"));
        }
    }
    // What is only tried out is to be simulated as it would be in force.
    supposed.suppose_without(supposed.schema().known().pwd_report_only);
    Ok(touched)
}

fn perform(ctx: &Context<'_>, record: &Record) -> Result<Outcome, Refusal> {
    match &record.body {
        Body::Content(attributes) | Body::Add(attributes) => {
            let attributes = attributes.iter().map(|(name, value)| (name.clone(), vec![value.clone()])).collect();
            add::add(ctx, &AddRequest { entry: record.dn.clone(), attributes })
        }
        Body::Modify(changes) => {
            let change = |change: &crate::directory::ldif::AttributeChange| RequestedChange {
                kind: change.kind,
                attribute: change.attribute.clone(),
                values: change.values.clone(),
            };
            let changes = changes.iter().map(change).collect();
            modify::modify(ctx, &ModifyRequest { object: record.dn.clone(), changes })
        }
        Body::Delete => delete::delete(ctx, record.dn.as_bytes()),
        Body::ModifyDn { .. } => Err(Refusal::Unwilling("a simulation takes no renaming")),
    }
}

/// The name of a policy as its entry has it, if that is one.
fn policy_at(tree: &dyn Tree, dn: &Dn) -> Result<Option<String>, CliError> {
    let find = || -> Result<Option<String>, TreeError> {
        let Some(id) = tree.find(dn)?.entry() else { return Ok(None) };
        let (Some(node), Some(name)) = (tree.node(id)?, tree.dn(id)?) else { return Ok(None) };
        let mut classes = node.entry.values(tree.schema().known().object_class);
        Ok(classes.any(|class| class.eq_ignore_ascii_case(b"pwdPolicy")).then(|| name.to_string()))
    };
    find().map_err(|error| unreadable(&error))
}

/// The groups and roles that access rules name: who is in one of them may do what others may not.
fn powerful_groups(config: &Config, view: &Arc<View>) -> Result<HashSet<EntryId>, CliError> {
    let rules = Rules::prepare(&config.rules, view.schema()).map_err(|error| CliError::Message(error.to_string()))?;
    let mut groups = HashSet::new();
    for who in rules.iter().flat_map(|rule| &rule.who) {
        if let Some(dn) = who.body() {
            groups.extend(view.find(dn).map_err(|error| unreadable(&error))?.entry());
        }
    }
    Ok(groups)
}

/// What is looked at, account by account.
struct Simulation<'s> {
    view: &'s Arc<View>,
    supposed: &'s Supposed<'s>,
    /// The names of the policies that the file is about.
    touched: HashSet<String>,
    base: Option<Dn>,
    usual: NewScheme,
    at: Timestamp,
}

/// So many entries are read at once.
const BATCH: usize = 1_000;

impl Simulation<'_> {
    fn run(&self, mut tally: Tally) -> Result<Tally, TreeError> {
        let (now, then) = (Policies::default(), Policies::default());
        let bar = output::progress(0, "{spinner} {pos} entries ({per_sec})");
        let mut after = None;
        loop {
            let nodes = self.view.nodes_after(after, BATCH)?;
            let Some(last) = nodes.last() else { break };
            after = Some(last.id);
            for node in &nodes {
                self.look_at(node, [&now, &then], &mut tally)?;
            }
            bar.inc(nodes.len() as u64);
        }
        bar.finish_and_clear();
        Ok(tally)
    }

    fn look_at(&self, node: &Node, [now, then]: [&Policies; 2], tally: &mut Tally) -> Result<(), TreeError> {
        let Some(credentials) = self.view.credentials(node.id)? else { return Ok(()) };
        let account = Account::read(Some(&credentials), self.view.schema());
        let Some(dn) = self.view.dn(node.id)? else { return Ok(()) };
        if account.password.is_none() || self.base.as_ref().is_some_and(|base| !dn.is_within(base)) {
            return Ok(());
        }
        tally.accounts += 1;
        let now = now.governing(&node.entry, &dn, self.view)?;
        let then = then.governing(&node.entry, &dn, self.supposed)?;
        match (self.touched.contains(&now.origin), self.touched.contains(&then.origin)) {
            (_, true) => tally.governed += 1,
            (true, false) => tally.released += 1,
            (false, false) => return Ok(()),
        }
        let validity = Validity::of(&node.entry, self.view.schema());
        let looked = Looked { account: &account, validity, at: self.at };
        tally.count(&Candidate { dn: &dn, looked, now: &now, then: &then }, self.usual, self.view)
    }
}

fn parse(tree: &dyn Tree, name: &str) -> Result<Dn, CliError> {
    Dn::parse(tree.schema(), name).map_err(|error| CliError::Message(format!("{name:?}: {error}")))
}

fn unreadable(error: &TreeError) -> CliError {
    CliError::Message(format!("the store cannot be read: {error}"))
}
