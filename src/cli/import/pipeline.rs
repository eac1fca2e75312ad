//! The way of records through an import: one thread reads them, one for each core makes entries of them, and they come
//! out in the order in which they went in.

use std::io::BufRead;
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use crate::directory::Csn;
use crate::directory::ldif::{LdifError, Reader, Record};

/// So many records are handed on at once.
const BATCH: usize = 256;
/// So many batches may wait before and behind each thread that makes entries.
const AHEAD: usize = 2;

/// A record as it was read, and the number that its entry gets if it brings none.
type Read = Result<(Record, Csn), LdifError>;

/// What has become of a record.
pub(super) struct Made<T> {
    /// Where it stands: its line and its name.
    pub(super) line: usize,
    pub(super) dn: String,
    pub(super) csn: Csn,
    /// What was made of it, or why nothing was.
    pub(super) result: Result<T, String>,
}

/// Has `make` make something of each record, on several threads, and hands the results to `take` in the order of the
/// records, until it breaks off. Behind what is no LDIF nothing can be told for certain, so that comes last.
pub(super) fn run<R: BufRead + Send, T: Send>(
    records: Reader<R>,
    number: impl FnMut() -> Csn + Send,
    make: impl Fn(&mut Record, Csn) -> Result<T, String> + Sync,
    mut take: impl FnMut(Result<Made<T>, LdifError>) -> ControlFlow<()>,
) {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        let (mut to_makers, mut results_of) = (Vec::new(), Vec::new());
        for _ in 0..cores {
            let (to_maker, from_reader) = sync_channel::<Vec<Read>>(AHEAD);
            let (ready, results) = sync_channel(AHEAD);
            let make = &make;
            scope.spawn(move || make_all(&from_reader, make, &ready));
            to_makers.push(to_maker);
            results_of.push(results);
        }
        scope.spawn(move || read(records, number, &to_makers));
        // The threads are served in turn, by the reader and here alike: so order remains.
        for maker in results_of.iter().cycle() {
            let Ok(batch) = maker.recv() else { return };
            for made in batch {
                if take(made).is_break() {
                    return;
                }
            }
        }
    });
}

/// Reads until the end, or a fault, or nobody wants more.
fn read<R: BufRead>(records: Reader<R>, mut number: impl FnMut() -> Csn, makers: &[SyncSender<Vec<Read>>]) {
    let mut makers = makers.iter().cycle();
    let mut records = records.map(|record| record.map(|record| (record, number()))).fuse();
    loop {
        let batch: Vec<Read> = records.by_ref().take(BATCH).collect();
        let Some(maker) = makers.next().filter(|_| !batch.is_empty()) else { return };
        if maker.send(batch).is_err() {
            return;
        }
    }
}

fn make_all<T>(
    from: &Receiver<Vec<Read>>,
    make: impl Fn(&mut Record, Csn) -> Result<T, String>,
    to: &SyncSender<Vec<Result<Made<T>, LdifError>>>,
) {
    let one = |read: Read| {
        let (mut record, csn) = read?;
        let result = make(&mut record, csn);
        Ok(Made { line: record.line, dn: record.dn, csn, result })
    };
    while let Ok(batch) = from.recv() {
        if to.send(batch.into_iter().map(one).collect()).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::Timestamp;

    fn ldif(count: usize) -> String {
        (0..count).map(|number| format!("dn: cn={number}\ncn: {number}\n\n")).collect::<Vec<_>>().concat()
    }

    fn taken(text: &str, most: usize) -> Vec<Result<String, String>> {
        let mut taken = Vec::new();
        let make = |record: &mut Record, _| Ok(record.dn.clone());
        let csn = Csn { time: Timestamp::default(), count: 0, sid: 1 };
        run(
            Reader::new(text.as_bytes()),
            || csn,
            make,
            |made| {
                taken.push(made.map_err(|error| error.to_string()).and_then(|made| made.result));
                if taken.len() == most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            },
        );
        taken
    }

    #[test]
    fn results_come_in_the_order_of_the_records() {
        for count in [0, 1, BATCH, 5 * BATCH + 1] {
            let expected: Vec<_> = (0..count).map(|number| Ok(format!("cn={number}"))).collect();
            assert_eq!(taken(&ldif(count), usize::MAX), expected);
        }
    }

    #[test]
    fn a_fault_comes_last() {
        let text = format!("{}dn: cn=x\nno colon\n\n{}", ldif(600), ldif(600));
        let taken = taken(&text, usize::MAX);
        assert_eq!(taken.len(), 601);
        assert!(taken[600].as_ref().is_err_and(|fault| fault.contains("colon")));
    }

    #[test]
    fn whoever_breaks_off_ends_all_threads() {
        assert_eq!(taken(&ldif(20_000), 10).len(), 10);
    }
}
