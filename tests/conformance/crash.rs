//! What a crash leaves of a change of a password: all of it or nothing (issue C, "Show"). The log that a store writes ahead is cut
//! off at each of many octets, as if the machine had ended there, and the store is opened.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use keystead::directory::tree::{Directory, Tree};
use keystead::store::{Existence, Store};

use crate::scene::{Scene, open_store};

const ALICE: &str = "alice's password";
const NEW: &str = "a much better secret";

/// Everything that a store holds: entries, credentials, the change log, events, and what waits in the outbox.
fn whole(store: &Store) -> Vec<String> {
    let view = store.view();
    let mut all = Vec::new();
    for node in view.nodes_after(None, usize::MAX).unwrap() {
        let dn = view.dn(node.id).unwrap().unwrap();
        all.push(format!("{dn} {:?} {} {} {:?}", node.id, node.uuid, node.version, node.entry.octets()));
        let credentials = view.credentials(node.id).unwrap();
        all.extend(credentials.map(|it| format!("{dn}: {} {:?}", it.version, it.entry.octets())));
    }
    all.extend(view.changes_after(0, usize::MAX).unwrap().iter().map(|change| format!("{change:?}")));
    all.extend(store.events_after(0, usize::MAX).unwrap().iter().map(|event| format!("{event:?}")));
    all.extend(store.outbox("mail").next(usize::MAX).unwrap().iter().map(|event| format!("to tell: {event:?}")));
    all
}

/// The log that is being written, and its length.
fn log_of(folder: &Path) -> (PathBuf, usize) {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let log = files.filter(|path| path.extension().is_some_and(|extension| extension == "log")).max().unwrap();
    let octets = usize::try_from(fs::metadata(&log).unwrap().len()).unwrap();
    (log, octets)
}

/// Up to which octets the log is there: around where the record of the change begins and where it ends, and at some between.
fn ends(begins: usize, ends: usize) -> BTreeSet<usize> {
    let between = (begins..ends).step_by((ends - begins).div_ceil(24));
    (begins..begins + 9).chain(between).chain(ends - 4..=ends).collect()
}

/// Asserts that a change is there as a whole or not at all, wherever the log of it ends.
fn assert_whole_or_nothing(change: impl Fn(&Scene<Store>)) {
    let scene = Scene::on_disk();
    let before = whole(&scene.directory);
    let (log, begins) = log_of(scene.folder());
    change(&scene);
    let after = whole(&scene.directory);
    assert_eq!(log_of(scene.folder()).0, log);
    let octets = fs::read(&log).unwrap();
    let changed = after.iter().filter(|line| !before.contains(line)).count();
    assert!(changed > 2, "{changed} records of {} octets", octets.len() - begins);
    for end in ends(begins, octets.len()) {
        // It is not there, or what the disk had there before.
        for rest in [0, octets.len() - end] {
            let copy = tempfile::tempdir().unwrap();
            for file in fs::read_dir(scene.folder()).unwrap().map(Result::unwrap) {
                fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
            }
            let mut left = octets.clone();
            left.truncate(end);
            left.resize(end + rest, 0);
            fs::write(copy.path().join(log.file_name().unwrap()), left).unwrap();
            let store = open_store(copy.path(), Existence::Required);
            let expected = if end == octets.len() { &after } else { &before };
            let is_as_expected = whole(&store) == *expected;
            assert!(is_as_expected, "cut off at {end} of {begins} to {}, then {rest} zeros", octets.len());
            assert_eq!(store.verify(&mut |_| {}).unwrap().faults, [""; 0], "{end}");
        }
    }
}

#[test]
fn a_change_by_its_owner_is_whole_or_has_not_happened() {
    assert_whole_or_nothing(|scene| {
        assert_eq!(scene.client("alice").password_modify(None, Some(ALICE), Some(NEW)), Ok(None));
    });
}

#[test]
fn a_reset_is_whole_or_has_not_happened() {
    assert_whole_or_nothing(|scene| {
        assert_eq!(scene.client("hanna").password_modify(Some("alice"), None, Some(NEW)), Ok(None));
    });
}

#[test]
fn a_lock_is_whole_or_has_not_happened() {
    assert_whole_or_nothing(|scene| {
        for number in 0..3 {
            assert!(scene.anonymous().bind("alice", &format!("guess {number}")).is_err());
        }
        scene.settle();
    });
}
