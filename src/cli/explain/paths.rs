//! `keystead explain paths`

use std::path::PathBuf;

use clap::Args;

use super::{Subject, unreadable};
use crate::access::paths::{Inquiry, Survey, administrators_by_name, groups_of_administrators, paths};
use crate::cli::{CliError, output};
use crate::directory::Dn;
use crate::directory::filter::{Filter, Matcher};
use crate::directory::schema::AttributeSet;
use crate::directory::tree::Tree;
use crate::operations::identity_map::DestinationText;
use crate::operations::policies::refuses_policy;
use crate::server::Clock;

/// Every way in which somebody who is no administrator could become one; fails if there is any, and with 3 if not all could
/// be looked at.
#[derive(Debug, Args)]
pub(in crate::cli) struct PathsArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// A group of administrators; may be given several times. Without it and --who: each group, and each entry by its name, that
    /// a rule allows everything.
    #[arg(long, value_name = "NAME")]
    group: Vec<String>,
    /// An administrator by their own name or uid; may be given several times.
    #[arg(long, alias = "dn", value_name = "NAME")]
    who: Vec<String>,
}

pub(super) fn run(args: &PathsArgs) -> Result<(), CliError> {
    let subject = Subject::open(&args.config)?;
    let (groups, people) = administrators(args, &subject)?;
    let now = Clock::default().now();
    let inquiry = Inquiry {
        rules: &subject.rules,
        administrators: &groups,
        by_name: &people,
        naming: &naming(&subject),
        recovery: &subject.config.recovery_attributes(subject.view.schema()),
        refuses_policy: &refuses_policy,
        now,
    };
    let Survey { paths, unseen, renaming } = paths(&inquiry, &subject.view).map_err(|error| unreadable(&error))?;
    for path in &paths {
        output::say(path.to_string().trim_end());
    }
    if !renaming.is_empty() {
        output::say(
            "not looked at: what comes of it when an entry that others stand below gets another name, as these rules let people who \
             are no administrators:",
        );
        for rule in &renaming {
            output::say(&format!("    {rule}"));
        }
    }
    match (paths.len(), unseen) {
        (0, 0) => {
            output::say("nobody else can become an administrator");
            Ok(())
        }
        (0, unseen) => Err(CliError::Incomplete(format!(
            "there are so many people whom rules name that {unseen} were not looked at: there may be ways to become an \
             administrator"
        ))),
        (1, _) => Err(CliError::Message("there is a way to become an administrator".to_owned())),
        (ways, _) => Err(CliError::Message(format!("there are {ways} ways to become an administrator"))),
    }
}

/// Who administrators are: the members of groups, and people by their names.
fn administrators(args: &PathsArgs, subject: &Subject) -> Result<(Vec<Dn>, Vec<Dn>), CliError> {
    let find = |names: &[String]| -> Result<Vec<Dn>, CliError> {
        names.iter().map(|name| subject.find(name).map(|(_, dn)| Dn::clone(&dn))).collect()
    };
    let (mut groups, mut people) = (find(&args.group)?, find(&args.who)?);
    if groups.is_empty() && people.is_empty() {
        groups = groups_of_administrators(&subject.rules);
        people = administrators_by_name(&subject.rules);
    }
    if groups.is_empty() && people.is_empty() {
        return Err(CliError::Message(
            "no rule allows a group or an entry everything; say who administrators are by --group or --who".to_owned(),
        ));
    }
    Ok((groups, people))
}

/// The attributes by which the mappings of the configuration find somebody.
fn naming(subject: &Subject) -> AttributeSet {
    let mut set = AttributeSet::EMPTY;
    for mapping in &subject.config.mappings {
        if let DestinationText::Search { filter, .. } = &mapping.to
            && let Ok(filter) = Filter::parse(filter)
        {
            set.union(&Matcher::prepare(&filter, subject.view.schema()).mentioned());
        }
    }
    set.subtract(&[subject.view.schema().known().object_class].into_iter().collect());
    set
}
