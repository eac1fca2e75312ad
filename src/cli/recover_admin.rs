//! `keystead recover-admin`

use std::path::PathBuf;

use clap::Args;

use super::accounts::Workplace;
use super::{CliError, complain_of_access, files, open_store, output};
use crate::config::Config;
use crate::directory::modification::ModificationKind;
use crate::operations::extended::password_modify::password_modify;
use crate::operations::modify::modify;
use crate::password::generate;
use crate::protocol::extended::PasswordModify;
use crate::protocol::request::{ModifyRequest, RequestedChange};
use crate::server::random::SystemRandom;
use crate::store::Existence;

#[derive(Debug, Args)]
pub(super) struct RecoverAdminArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The administrator's name; otherwise cn=admin below the first suffix.
    #[arg(long, value_name = "DN")]
    admin: Option<String>,
    /// A file that holds the new password; otherwise one is generated and printed.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

const PASSWORD_LENGTH: usize = 23;

/// Sets the password, unlocks the account, and does not ask for a change at the first bind, since whoever can run this is
/// the one who will use it.
pub(super) fn run(args: &RecoverAdminArgs) -> Result<(), CliError> {
    let config = Config::read(&args.config)?;
    let suffix = config.suffixes.first().cloned().unwrap_or_default();
    let admin = args.admin.clone().unwrap_or_else(|| format!("cn=admin,{suffix}"));
    let store = open_store(&config, Existence::Required)?;
    complain_of_access(&config);
    let workplace = Workplace::new(&store, &config)?;
    let password = match &args.password_file {
        Some(path) => files::read_secret(path)?,
        None => generate::password(PASSWORD_LENGTH, &SystemRandom),
    };
    let set = PasswordModify {
        user_identity: Some(admin.clone().into()),
        old_passwd: None,
        new_passwd: Some(password.expose().to_vec().into()),
    };
    workplace.perform(&admin, |ctx| password_modify(ctx, &set))?;
    let change = RequestedChange {
        kind: ModificationKind::Replace,
        attribute: "pwdReset".to_owned(),
        values: vec![b"FALSE".to_vec()],
    };
    let free = ModifyRequest { object: admin.clone(), changes: vec![change] };
    workplace.perform(&admin, |ctx| modify(ctx, &free))?;
    output::say(&format!("{admin} has a new password."));
    if args.password_file.is_none() {
        output::say(&String::from_utf8_lossy(password.expose()));
    }
    Ok(())
}
