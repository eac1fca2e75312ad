//! `keystead changes`

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;

use super::follow::{AT_ONCE, read_on};
use super::{CliError, open_store};
use crate::config::Config;
use crate::directory::ldif;
use crate::directory::tree::{Directory, LoggedChange, Tree, TreeError};
use crate::store::Existence;

#[derive(Debug, Args)]
pub(super) struct ChangesArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Only what came behind the change of this number.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    after: u64,
    /// Go on with what is changed from now on, until somebody ends this.
    #[arg(long)]
    follow: bool,
}

const HEAD: &[u8] =
    b"# Changes as Keystead has recorded them, for people to read. Values of passwords and other secrets are left\n\
                      # out, so applying this would delete them.\n\
                      version: 1\n";

pub(super) fn run(args: &ChangesArgs) -> Result<(), CliError> {
    let config = Config::read(&args.config)?;
    let store = open_store(&config, Existence::ReadOnly)?;
    if write(HEAD).is_err() {
        return Ok(());
    }
    let mut after = args.after;
    let next = || {
        let changes = store.view().changes_after(after, AT_ONCE)?;
        after = changes.last().map_or(after, |last| last.sequence);
        Ok::<_, TreeError>(changes)
    };
    let tell = |changes: &[LoggedChange]| {
        let mut out = Vec::new();
        for change in changes {
            put(&mut out, change);
        }
        write(&out)
    };
    read_on(&store, args.follow.into(), next, tell)
}

fn write(octets: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(octets)?;
    out.flush()
}

/// A change as a record of LDIF, with a comment that says which one it is, when it was made and by whom.
fn put(out: &mut Vec<u8>, change: &LoggedChange) {
    let LoggedChange { sequence, record } = change;
    let actor = if record.actor.is_empty() { "anonymous" } else { &record.actor };
    let comment = format!("# {sequence} at {} by {actor}, entryUUID {}", record.time, record.uuid);
    let comment: String = comment.chars().filter(|character| !character.is_control()).collect();
    out.push(b'\n');
    ldif::write_line(out, comment.as_bytes());
    ldif::write_dn(out, &record.target);
    ldif::write_attribute(out, "changetype", record.kind.word().as_bytes());
    out.extend_from_slice(record.changes.as_bytes());
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::directory::Timestamp;
    use crate::directory::tree::{LogKind, LogRecord};

    #[test]
    fn a_change_is_a_record_and_a_comment_stays_one() {
        let record = LogRecord {
            time: Timestamp::parse(b"20260601120000Z").unwrap(),
            actor: "cn=a\nb".to_owned(),
            target: "uid=alice,dc=example".to_owned(),
            uuid: Uuid::nil(),
            kind: LogKind::Modify,
            changes: "replace: title\ntitle: boss\n-\n".to_owned(),
        };
        let mut out = Vec::new();
        put(&mut out, &LoggedChange { sequence: 7, record });
        let text = String::from_utf8(out).unwrap().replace("\n ", "");
        let expected = "\n# 7 at 20260601120000Z by cn=ab, entryUUID 00000000-0000-0000-0000-000000000000\n\
                        dn: uid=alice,dc=example\nchangetype: modify\nreplace: title\ntitle: boss\n-\n";
        assert_eq!(text, expected);
    }
}
