//! `keystead breach build`

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::ProgressBar;

use super::gather::{Gathering, MOST_HELD};
use super::list::{Lines, ListError, ListReader};
use super::write::{FilterWriter, beside};
use crate::cli::{CliError, output};
use crate::password::quality::filter::{Header, SHARDS};
use crate::server::Clock;

#[derive(Debug, Args)]
pub(in crate::cli) struct BuildArgs {
    /// The list: a SHA-1 in hex on each line, perhaps with a colon and a count; `-` for standard input.
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// The filter that is made; one that is there is replaced when the new one is whole.
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// The list holds passwords and not hashes, one on each line, in any order.
    #[arg(long, conflicts_with = "min_count")]
    plain: bool,
    /// The hashes come in any order.
    #[arg(long)]
    unordered: bool,
    /// Leave out passwords that were seen less often.
    #[arg(long, value_name = "N", default_value_t = 0)]
    min_count: u64,
    /// What the list is called, for those who ask the filter; otherwise the name of its file.
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
}

/// Why a filter is not made.
#[derive(Debug, thiserror::Error)]
enum BuildError {
    /// The list is not as it should be.
    #[error("{0}")]
    List(#[from] ListError),
    /// A hash stands in the wrong place.
    #[error("line {0} is not in the order of the hashes; a list in another order is read with --unordered")]
    NotInOrder(u64),
    /// Nothing is in the list.
    #[error("there is no password in it")]
    Empty,
    /// The filter cannot be written.
    #[error("the filter cannot be written: {0}")]
    Write(#[source] io::Error),
}

pub(super) fn run(args: &BuildArgs) -> Result<(), CliError> {
    refuse_the_list_itself(args)?;
    let (source, bar) = open(&args.from)?;
    let lines = if args.plain { Lines::Passwords } else { Lines::Hashes { min_count: args.min_count } };
    let list = ListReader::new(BufReader::with_capacity(1 << 20, bar.wrap_read(source)), lines);
    let built = build(args, list, &bar);
    bar.finish_and_clear();
    let header = built.map_err(|error| {
        // What is not whole is of no use, and may be large.
        let _ = std::fs::remove_file(beside(&args.to, "partial"));
        CliError::Message(format!("{}: {error}; nothing was built", args.from.display()))
    })?;
    let (to, passwords) = (args.to.display(), header.passwords);
    let plural = if passwords == 1 { "" } else { "s" };
    output::say(&format!("{to} holds {passwords} password{plural} in {} octets.", header.file_len()));
    Ok(())
}

/// A filter in the place of the list would be the end of the list, which took hours to download.
fn refuse_the_list_itself(args: &BuildArgs) -> Result<(), CliError> {
    let (from, to) = (args.from.canonicalize(), args.to.canonicalize());
    if from.is_ok_and(|from| to.is_ok_and(|to| from == to)) {
        return Err(CliError::Message(format!("{} is the list itself; name another file in --to", args.to.display())));
    }
    Ok(())
}

fn open(path: &Path) -> Result<(Box<dyn Read>, ProgressBar), CliError> {
    if path == Path::new("-") {
        return Ok((Box::new(io::stdin()), output::progress(0, "{spinner} {bytes} read ({bytes_per_sec})")));
    }
    let failed = |cause| CliError::File { path: path.to_owned(), cause };
    let file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    Ok((Box::new(file), output::progress(length, "{bar:40} {percent}% of {total_bytes} ({eta} left) {msg}")))
}

fn build<R: BufRead>(args: &BuildArgs, list: ListReader<R>, bar: &ProgressBar) -> Result<Header, BuildError> {
    let mut writer = FilterWriter::create(&args.to).map_err(BuildError::Write)?;
    let found = if args.plain || args.unordered {
        let gathering = Gathering::new(&beside(&args.to, "keys"), MOST_HELD).map_err(BuildError::Write)?;
        build_unordered(list, gathering, &mut writer, bar)?
    } else {
        build_ordered(list, &mut writer)?
    };
    if found == 0 {
        return Err(BuildError::Empty);
    }
    let of_file = || args.from.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = args.name.clone().or_else(of_file).unwrap_or_default();
    writer.finish(&name, Clock::default().now()).map_err(BuildError::Write)
}

/// The shards come one after the other, and each is written when the next begins.
fn build_ordered<R: BufRead>(mut list: ListReader<R>, writer: &mut FilterWriter) -> Result<u64, BuildError> {
    let (mut found, mut shard, mut keys) = (0, 0, Vec::new());
    while let Some(key) = list.next_key()? {
        let next = usize::from(key.shard());
        if next < shard {
            return Err(BuildError::NotInOrder(list.line_number()));
        }
        while shard < next {
            writer.add_shard(std::mem::take(&mut keys)).map_err(BuildError::Write)?;
            shard += 1;
        }
        keys.push(key.number());
        found += 1;
    }
    while shard < SHARDS {
        writer.add_shard(std::mem::take(&mut keys)).map_err(BuildError::Write)?;
        shard += 1;
    }
    Ok(found)
}

fn build_unordered<R: BufRead>(
    mut list: ListReader<R>,
    mut gathering: Gathering,
    writer: &mut FilterWriter,
    bar: &ProgressBar,
) -> Result<u64, BuildError> {
    let mut found = 0;
    while let Some(key) = list.next_key()? {
        gathering.add(key).map_err(BuildError::Write)?;
        found += 1;
    }
    bar.set_message("and building");
    for keys in gathering.into_shards() {
        keys.and_then(|keys| writer.add_shard(keys)).map_err(BuildError::Write)?;
    }
    Ok(found)
}
