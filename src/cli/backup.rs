//! `keystead backup` and `keystead restore`: one copies the store of a directory to a folder, the other such a copy to where the
//! directory has its store.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::ProgressBar;

use super::{CliError, complain_of_access, open_options, open_store, output};
use crate::config::Config;
use crate::directory::tree::{Directory, Tree};
use crate::server::fake_salts;
use crate::store::verify::Report;
use crate::store::{Existence, OpenOptions, Store};

#[derive(Debug, Args)]
pub(super) struct BackupArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The folder to make. It will hold password hashes, and only its owner can look into it.
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct RestoreArgs {
    /// The configuration file. Its store must not exist: move what is there away first.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The folder that `keystead backup` has made.
    #[arg(long, value_name = "FOLDER")]
    from: PathBuf,
}

/// Copies the store as it is at this moment, whether or not a server uses it.
pub(super) fn back_up(args: &BackupArgs) -> Result<(), CliError> {
    let config = Config::read(&args.config)?;
    let store = open_store(&config, Existence::ReadOnly)?;
    copy(&store, (&config.data, &args.to))?;
    output::say(&format!("Copied as of {} to {}", store.view().csn().time, args.to.display()));
    Ok(())
}

/// Copies it back, and looks whether everything in it fits together before it is put in its place.
pub(super) fn restore(args: &RestoreArgs) -> Result<(), CliError> {
    let config = Config::read(&args.config)?;
    let schema = |numbering| config.build_schema(numbering);
    let options = OpenOptions { path: &args.from, ..open_options(&config, Existence::ReadOnly, &schema) };
    let store = Store::open(&options)?;
    let report = verified(&store)?;
    copy(&store, (&args.from, &config.data))?;
    complain_of_access(&config);
    let moment = store.view().csn().time;
    output::say(&format!("{} entries are in {}, as of {moment}", report.entries, config.data.display()));
    Ok(())
}

/// Requires that everything in a store fits together.
fn verified(store: &Store) -> Result<Report, CliError> {
    let bar = output::progress(0, "{spinner} {pos} entries looked at ({per_sec})");
    let report = store.verify(&mut |entries| bar.set_position(entries));
    bar.finish_and_clear();
    let report = report.map_err(|error| CliError::Message(format!("the backup cannot be read: {error}")))?;
    report.faults.iter().for_each(|text| output::complain(text));
    match report.faults.len() {
        0 => Ok(report),
        count => Err(CliError::Message(format!("{count} faults were found in the backup; nothing was restored"))),
    }
}

/// Copies a store from one folder to another, which has its name only when all of it is there and on disk.
fn copy(store: &Store, (from, to): (&Path, &Path)) -> Result<(), CliError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |cause| CliError::File { path, cause }
    };
    if to.symlink_metadata().is_ok() {
        return Err(CliError::Message(format!("{} is there already; nothing was changed", to.display())));
    }
    let unfinished = beside(to, ".unfinished");
    if unfinished.exists() {
        // An earlier one did not come to its end.
        std::fs::remove_dir_all(&unfinished).map_err(failed(&unfinished))?;
    }
    let bar = output::progress(0, "{spinner} {binary_bytes} copied ({binary_bytes_per_sec})");
    let copied = fill(store, from, &unfinished, &bar);
    bar.finish_and_clear();
    if let Err(error) = copied {
        // What is left of it is of no use to anybody.
        let _ = std::fs::remove_dir_all(&unfinished);
        return Err(error);
    }
    std::fs::rename(&unfinished, to).map_err(failed(to))?;
    let above = to.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    File::open(above).and_then(|above| above.sync_all()).map_err(failed(above))
}

fn fill(store: &Store, from: &Path, to: &Path, bar: &ProgressBar) -> Result<(), CliError> {
    let copied = store.backup(to, &mut |octets| bar.set_position(octets));
    copied.map_err(|error| CliError::Message(format!("{} cannot be copied: {error}", from.display())))?;
    fake_salts::copy(from, to).map_err(|cause| CliError::File { path: to.to_owned(), cause })
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}
