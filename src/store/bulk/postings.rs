//! Postings that wait to be sorted: an entry has tens of them, so they are most of the work.
//!
//! They are kept index by index, as numbers, which sort several times faster than keys do. What does not fit into memory
//! goes to a scratch file, sorted; in the end these are merged. So the keys come out in one order, in files that do not
//! overlap, and nothing is left to be tidied up.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::files::Files;
use crate::directory::tree::EntryId;
use crate::store::StoreError;
use crate::store::engine::{Engine, Family, SortedFile};
use crate::store::index::IndexKind;
use crate::store::key::{INDEX, Key, Postings};

/// Which index: the attribute and the kind, as its keys begin.
type Index = [u8; INDEX];

/// So many octets of postings are worth a thread of their own.
const PART: usize = 16 << 20;
/// So many keys go into one file.
const KEYS: usize = 4 << 20;
/// What a scratch file is read by, in octets.
const READ_AHEAD: usize = 256 << 10;

/// Postings that wait.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    columns: BTreeMap<Index, Column>,
    scratch: Vec<Scratch>,
}

/// The postings of one index: the list in the upper bits, the entry in the lower 32, as keys have them.
#[derive(Debug)]
enum Column {
    /// Lists that are told by 8 octets.
    Narrow(Vec<u128>),
    /// Lists that are told by 16.
    Wide(Vec<[u64; 3]>),
}

/// Sorted columns on disk.
#[derive(Debug)]
struct Scratch {
    path: PathBuf,
    places: BTreeMap<Index, Range<u64>>,
}

impl Waiting {
    /// Adds the postings of an entry.
    pub(super) fn push(&mut self, postings: &[Postings], id: EntryId) {
        for posting in postings {
            let Some((index, list)) = posting.parts() else { continue };
            self.columns.entry(index).or_insert_with(|| Column::of(list.len())).push(list, id);
        }
    }

    /// How much memory they take, in octets.
    pub(super) fn octets(&self) -> usize {
        self.columns.values().map(Column::octets).sum()
    }

    /// Makes room in memory.
    pub(super) fn spill(&mut self, folder: &Path) -> Result<(), StoreError> {
        let path = folder.join(format!("{:06}.postings", self.scratch.len()));
        let mut out = BufWriter::new(File::create(&path)?);
        let (mut places, mut end) = (BTreeMap::new(), 0);
        for (index, mut column) in std::mem::take(&mut self.columns) {
            column.sort();
            let start = end;
            column.try_for_each(&mut |key| {
                end += key.len() as u64;
                Ok(out.write_all(key)?)
            })?;
            places.insert(index, start..end);
        }
        out.flush()?;
        self.scratch.push(Scratch { path, places });
        Ok(())
    }

    /// Writes them all, sorted, to files that do not overlap.
    pub(super) fn write(mut self, engine: &Engine, files: &mut Files) -> Result<(), StoreError> {
        let written = if self.scratch.is_empty() {
            let parts = parts(self.columns.into_iter().map(|(index, column)| (column.octets(), (index, column))));
            in_parallel(parts, engine, files.folder(), &|part, out| {
                part.into_iter().try_for_each(|(index, column)| write_column(index, column, out))
            })
        } else {
            self.spill(files.folder())?;
            let merged = |part: Vec<Index>, out: &mut Output<'_>| {
                part.into_iter().try_for_each(|index| merge(index, &self.scratch, out))
            };
            in_parallel(parts(self.indexes_on_disk()), engine, files.folder(), &merged)
        };
        written?.into_iter().for_each(|path| files.take(Family::Index, path));
        Ok(())
    }

    /// The indexes in scratch files, in order, and how much there is of each, in octets.
    fn indexes_on_disk(&self) -> impl Iterator<Item = (usize, Index)> + use<> {
        let mut sizes: BTreeMap<Index, usize> = BTreeMap::new();
        for (index, place) in self.scratch.iter().flat_map(|scratch| &scratch.places) {
            let size = usize::try_from(place.end - place.start).unwrap_or(usize::MAX);
            *sizes.entry(*index).or_default() += size;
        }
        sizes.into_iter().map(|(index, size)| (size, index))
    }
}

/// Divides work, in order, into parts of about the same size, in octets: one for each core, if there is enough to do.
fn parts<T>(work: impl Iterator<Item = (usize, T)>) -> Vec<Vec<T>> {
    let work: Vec<_> = work.collect();
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let share = work.iter().map(|(size, _)| size).sum::<usize>().div_ceil(cores).max(PART);
    let (mut parts, mut last, mut size) = (Vec::new(), Vec::new(), 0);
    for (more, one) in work {
        size += more;
        last.push(one);
        if size >= share {
            parts.push(std::mem::take(&mut last));
            size = 0;
        }
    }
    parts.push(last);
    parts
}

/// Does each part on a thread, and tells the files that came of it, in order.
fn in_parallel<T: Send>(
    parts: Vec<Vec<T>>,
    engine: &Engine,
    folder: &Path,
    work: &(impl Fn(Vec<T>, &mut Output<'_>) -> Result<(), StoreError> + Sync),
) -> Result<Vec<PathBuf>, StoreError> {
    let one = |number, part| {
        let mut out = Output { engine, folder, part: number, file: None, count: 0, written: Vec::new() };
        work(part, &mut out)?;
        out.end()?;
        Ok(out.written)
    };
    std::thread::scope(|scope| {
        let mut threads = Vec::with_capacity(parts.len());
        for (number, part) in parts.into_iter().enumerate() {
            threads.push(scope.spawn(move || one(number, part)));
        }
        let died = |_| Err(StoreError("a thread that sorted an index has panicked".to_owned()));
        let written = threads.into_iter().map(|thread| thread.join().unwrap_or_else(died));
        written.collect::<Result<Vec<_>, _>>().map(|written| written.concat())
    })
}

fn write_column(index: Index, mut column: Column, out: &mut Output<'_>) -> Result<(), StoreError> {
    column.sort();
    column.try_for_each(&mut |rest| out.put(index, rest))
}

impl Column {
    fn of(list: usize) -> Self {
        if list <= size_of::<u64>() { Self::Narrow(Vec::new()) } else { Self::Wide(Vec::new()) }
    }

    const fn octets(&self) -> usize {
        match self {
            Self::Narrow(all) => all.len() * size_of::<u128>(),
            Self::Wide(all) => all.len() * size_of::<[u64; 3]>(),
        }
    }

    fn push(&mut self, list: &[u8], id: EntryId) {
        let mut octets = [0; 16];
        octets.iter_mut().zip(list).for_each(|(place, octet)| *place = *octet);
        let [high, low] = halves(octets);
        match self {
            Self::Narrow(all) => all.push(u128::from(high) << 32 | u128::from(id.0)),
            Self::Wide(all) => all.push([high, low, u64::from(id.0)]),
        }
    }

    /// Sorts; what two values of an entry share remains once.
    fn sort(&mut self) {
        match self {
            Self::Narrow(all) => {
                all.sort_unstable();
                all.dedup();
            }
            Self::Wide(all) => {
                all.sort_unstable();
                all.dedup();
            }
        }
    }

    /// Calls `visit` with what follows the index in each key.
    fn try_for_each(&self, visit: &mut dyn FnMut(&[u8]) -> Result<(), StoreError>) -> Result<(), StoreError> {
        match self {
            Self::Narrow(all) => all.iter().try_for_each(|posting| {
                let octets = posting.to_be_bytes();
                visit(octets.last_chunk::<NARROW>().map_or(&[], |key| key.as_slice()))
            }),
            Self::Wide(all) => all.iter().try_for_each(|[high, low, id]| {
                let mut key = Key::from_slice(&high.to_be_bytes());
                key.extend(low.to_be_bytes());
                key.extend(id.to_be_bytes().into_iter().skip(size_of::<u32>()));
                visit(&key)
            }),
        }
    }
}

/// How many octets follow the index in the keys of narrow columns, and of wide ones.
const NARROW: usize = 8 + 4;
const WIDE: usize = 16 + 4;

const fn halves(octets: [u8; 16]) -> [u64; 2] {
    let all = u128::from_be_bytes(octets);
    #[expect(clippy::cast_possible_truncation, reason = "the halves of a number of twice the width")]
    [(all >> 64) as u64, all as u64]
}

/// Merges what scratch files have of an index.
fn merge(index: Index, scratch: &[Scratch], out: &mut Output<'_>) -> Result<(), StoreError> {
    let sections: Vec<_> = scratch.iter().filter_map(|scratch| scratch.section(index)).collect::<Result<_, _>>()?;
    if index.last() == Some(&IndexKind::Ordering.number()) {
        merge_sections::<WIDE>(index, sections, out)
    } else {
        merge_sections::<NARROW>(index, sections, out)
    }
}

impl Scratch {
    fn section(&self, index: Index) -> Option<Result<impl Read + use<>, StoreError>> {
        let place = self.places.get(&index)?.clone();
        let open = || {
            let mut file = File::open(&self.path)?;
            file.seek(SeekFrom::Start(place.start))?;
            Ok(BufReader::with_capacity(READ_AHEAD, file.take(place.end - place.start)))
        };
        Some(open())
    }
}

fn merge_sections<const WIDTH: usize>(
    index: Index,
    mut sections: Vec<impl Read>,
    out: &mut Output<'_>,
) -> Result<(), StoreError> {
    let mut heap = BinaryHeap::new();
    for (number, section) in sections.iter_mut().enumerate() {
        heap.extend(next::<WIDTH>(section)?.map(|key| Reverse((key, number))));
    }
    // An entry belongs to one scratch file, so no key comes twice.
    while let Some(Reverse((rest, number))) = heap.pop() {
        out.put(index, &rest)?;
        if let Some(section) = sections.get_mut(number) {
            heap.extend(next::<WIDTH>(section)?.map(|key| Reverse((key, number))));
        }
    }
    Ok(())
}

fn next<const WIDTH: usize>(section: &mut impl Read) -> Result<Option<[u8; WIDTH]>, StoreError> {
    let mut key = [0; WIDTH];
    match section.read_exact(&mut key) {
        Ok(()) => Ok(Some(key)),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Sorted keys on their way into files of a bounded size.
struct Output<'e> {
    engine: &'e Engine,
    folder: &'e Path,
    part: usize,
    file: Option<SortedFile<'e>>,
    count: usize,
    written: Vec<PathBuf>,
}

impl Output<'_> {
    fn put(&mut self, index: Index, rest: &[u8]) -> Result<(), StoreError> {
        if self.count >= KEYS {
            self.end()?;
        }
        self.count += 1;
        let mut key = Key::from_slice(&index);
        key.extend_from_slice(rest);
        match &mut self.file {
            Some(file) => file.put(&key, b""),
            none => {
                let path = self.folder.join(format!("index-{}-{:06}.sst", self.part, self.written.len()));
                let file = self.engine.sorted_file(Family::Index, &path)?;
                self.written.push(path);
                none.insert(file).put(&key, b"")
            }
        }
    }

    fn end(&mut self) -> Result<(), StoreError> {
        self.count = 0;
        self.file.take().map_or(Ok(()), SortedFile::finish)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::directory::AttributeTypeId;
    use crate::store::engine::Go;

    /// Three indexes of different kinds; two values of each entry share a piece.
    fn postings_of(id: u32) -> Vec<Postings> {
        let (cn, time) = (AttributeTypeId(3), AttributeTypeId(0x0102));
        let value = (id % 7).to_be_bytes();
        vec![
            Postings::equality(cn, &value),
            Postings::piece(cn, [b'a', 0, value[3]]),
            Postings::piece(cn, [b'a', 0, value[3]]),
            Postings::ordered(time, format!("{:020}", id.wrapping_mul(97) % 1_000).as_bytes()),
            Postings::presence(time),
        ]
    }

    fn written(spill_every: u32) -> Vec<Vec<u8>> {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::open(&folder.path().join("store"), 16 << 20).unwrap();
        let mut files = Files::new(folder.path().join("loading")).unwrap();
        let mut waiting = Waiting::default();
        for id in 1..=1_000 {
            waiting.push(&postings_of(id), EntryId(id));
            if id % spill_every == 0 {
                waiting.spill(files.folder()).unwrap();
            }
        }
        waiting.write(&engine, &mut files).unwrap();
        for (family, path) in files.iter() {
            engine.ingest(family, std::slice::from_ref(path)).unwrap();
        }
        let mut keys = Vec::new();
        let visit = &mut |key: &[u8], _: &[u8]| {
            keys.push(key.to_vec());
            Go::On
        };
        engine.scan(Family::Index, &[], visit).unwrap();
        keys
    }

    #[test]
    fn all_postings_are_written_once_and_in_order_whether_they_fitted_into_memory_or_not() {
        let ids = (1..=1_000).flat_map(|id| postings_of(id).into_iter().map(move |one| one.key(EntryId(id)).to_vec()));
        let expected: Vec<Vec<u8>> = ids.collect::<BTreeSet<_>>().into_iter().collect();
        for spill_every in [u32::MAX, 1_000, 300, 100] {
            assert!(written(spill_every) == expected, "{spill_every}");
        }
    }
}
