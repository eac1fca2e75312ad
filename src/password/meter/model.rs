//! A model of what an attacker gains: guesses that were let try, while attempts begin and end in whatever order, counts are
//! written, the server starts anew, and an administrator unlocks the account.

use proptest::prelude::*;

use super::*;
use crate::directory::Timestamp;
use crate::password::account::Lock;

const PLACES: usize = 5;
const BEGINNING: i64 = 1_000;
/// How long a lock lasts, in seconds.
const DURATION: i64 = 900;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_micros(seconds * 1_000_000)
}

const ALICE: Uuid = Uuid::from_u128(7);

#[derive(Clone, Debug)]
enum Step {
    Begin(usize),
    End(usize),
    ComeToNothing(usize),
    Wait(i64),
    /// What was counted is taken, to be written.
    Take,
    /// It is written, unless somebody has set the credentials since.
    Write,
    /// The process ends, and another begins: what was counted is lost, what was written is kept.
    Restart,
    /// An administrator unlocks the account.
    SetByOthers,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        24 => (0..PLACES).prop_map(Step::Begin),
        15 => any::<usize>().prop_map(Step::End),
        3 => any::<usize>().prop_map(Step::ComeToNothing),
        3 => (1_i64..100).prop_map(Step::Wait),
        3 => Just(Step::Take),
        3 => Just(Step::Write),
        1 => Just(Step::Restart),
        1 => Just(Step::SetByOthers),
    ];
    proptest::collection::vec(step, 1..400)
}

/// What was tried, and what gives more tries.
#[derive(Debug, Default)]
struct Tried {
    from: [usize; PLACES],
    /// Locks that may have ended meanwhile.
    locks: usize,
    restarts: usize,
    unlocked: usize,
    /// Tries of which a process has ended without having written them.
    lost: usize,
}

/// A place that tries, and the attempt that it makes.
struct UnderWay<'m> {
    place: usize,
    /// Which of the processes it is tried at.
    process: usize,
    attempt: Attempt<'m>,
}

/// The account on disk, and the processes that have served it, of which the last one runs.
struct World<'m> {
    meters: &'m [Meter],
    process: usize,
    record: Account,
    /// What is being written, and how much had been counted when it was taken.
    taken: Vec<(Unwritten, usize)>,
    under_way: Vec<UnderWay<'m>>,
    now: i64,
    /// Wrong passwords so far: each is one that nobody has tried before.
    counted: usize,
    /// How many of these are on disk, or are over.
    on_disk: usize,
    tried: Tried,
}

impl<'m> World<'m> {
    fn of(meters: &'m [Meter], record: Account) -> Self {
        let (taken, under_way, tried) = (Vec::new(), Vec::new(), Tried::default());
        Self { meters, process: 0, record, taken, under_way, now: BEGINNING, counted: 0, on_disk: 0, tried }
    }

    fn meter(&self) -> &'m Meter {
        &self.meters[self.process]
    }

    fn run(mut self, policy: &Policy, steps: &[Step]) -> Tried {
        for step in steps {
            match *step {
                Step::Begin(place) => self.begin(policy, place),
                Step::End(which) => self.end(which),
                Step::ComeToNothing(which) => self.come_to_nothing(which),
                Step::Wait(seconds) => self.now += seconds,
                Step::Take => self.take(),
                Step::Write => self.write(),
                Step::Restart => self.restart(),
                Step::SetByOthers => self.set_by_others(),
            }
        }
        self.tried.locks = usize::try_from((self.now - BEGINNING) / DURATION).unwrap();
        self.tried
    }

    fn begin(&mut self, policy: &Policy, place: usize) {
        let trial = Trial { subject: Subject::Entry(ALICE), source: &source(place), now: at(self.now) };
        if let Begin::Go(attempt) = self.meter().begin(&trial, &self.record, policy) {
            self.tried.from[place] += 1;
            self.under_way.push(UnderWay { place, process: self.process, attempt });
        }
    }

    fn any_under_way(&mut self, which: usize) -> Option<UnderWay<'m>> {
        (!self.under_way.is_empty()).then(|| self.under_way.remove(which % self.under_way.len()))
    }

    /// The password was wrong.
    fn end(&mut self, which: usize) {
        if let Some(UnderWay { attempt, .. }) = self.any_under_way(which) {
            self.counted += 1;
            attempt.failed(&Secret::new(self.counted.to_string()), |_| {});
        }
    }

    /// It came to nothing: the client has gone away, or the queue was full.
    fn come_to_nothing(&mut self, which: usize) {
        if let Some(UnderWay { place, .. }) = self.any_under_way(which) {
            self.tried.from[place] -= 1;
        }
    }

    fn take(&mut self) {
        let counted = self.counted;
        self.taken.extend(self.meter().take_unwritten(100).into_iter().map(|unwritten| (unwritten, counted)));
    }

    fn write(&mut self) {
        for (unwritten, counted) in std::mem::take(&mut self.taken) {
            if unwritten.version == self.record.version {
                unwritten.live.apply(&mut self.record);
                self.record.version += 1;
                self.meter().written(&unwritten, self.record.version);
                self.on_disk = self.on_disk.max(counted);
            } else {
                self.meter().superseded(&unwritten);
            }
        }
    }

    /// Whoever was trying is not answered any more, so they have tried nothing.
    fn restart(&mut self) {
        if self.process + 1 == self.meters.len() {
            return;
        }
        for UnderWay { place, process, .. } in self.under_way.drain(..) {
            assert_eq!(process, self.process);
            self.tried.from[place] -= 1;
        }
        self.taken.clear();
        self.process += 1;
        self.tried.restarts += 1;
        self.tried.lost += self.counted - self.on_disk;
        self.on_disk = self.counted;
    }

    fn set_by_others(&mut self) {
        self.meter().overlay(ALICE, &mut self.record);
        self.record.locked = None;
        self.record.failures.clear();
        self.record.failures_in_a_row = 0;
        self.record.version += 1;
        self.meter().forget(ALICE);
        self.on_disk = self.counted;
        self.tried.unlocked += 1;
    }
}

impl Tried {
    /// How many may be tried of which so many lock the account: as many again after each lock, and each time that somebody
    /// unlocks it; and what a process has counted that ended before it was written.
    fn bound(&self, limit: usize) -> usize {
        limit * (self.locks + self.unlocked + 1) + self.lost
    }
}

fn source(place: usize) -> std::sync::Arc<str> {
    format!("10.0.0.{place}").into()
}

fn meters() -> Vec<Meter> {
    (0..20).map(|number| Meter::new([number; 16])).collect()
}

fn policy(limit: usize) -> Policy {
    Policy {
        pwd_lockout: true,
        pwd_max_failure: limit,
        pwd_lockout_duration: Some(Duration::from_secs(DURATION.unsigned_abs())),
        ..Policy::default()
    }
}

proptest! {
    /// However attempts begin and end, in whatever order and from wherever, no more different passwords are tried than the
    /// limit, and as many again after each lock.
    #[test]
    fn no_interleaving_gains_a_guess(limit in 1_usize..6, steps in steps()) {
        let tried = World::of(&meters(), Account::default()).run(&policy(limit), &steps);
        prop_assert!(tried.from.iter().sum::<usize>() <= tried.bound(limit), "{tried:?} of {limit}");
    }

    /// Nor is a guess gained where known sources go on during a lock: each of them has its few, in all locks together, and
    /// nobody else has any. After a restart, which forgets all but one, that one has its few again.
    #[test]
    fn known_sources_have_a_few_guesses_more(limit in 1_usize..6, known in 0_usize..3, steps in steps()) {
        let policy = Policy { known_source_max_age: Some(Duration::from_secs(1_000_000)), ..policy(limit) };
        let meters = meters();
        for place in 0..known {
            let trial = Trial { subject: Subject::Entry(ALICE), source: &source(place), now: at(BEGINNING) };
            let Begin::Go(attempt) = meters[0].begin(&trial, &Account::default(), &policy) else { panic!("{place}") };
            attempt.let_in(Duration::ZERO, None);
        }
        let tried = World::of(&meters, Account::default()).run(&policy, &steps);
        let (of_known, of_others) = (tried.from[..known].iter().sum::<usize>(), tried.from[known..].iter().sum::<usize>());
        let bound = tried.bound(limit);
        prop_assert!(of_others <= bound, "{tried:?} of {limit}, {known} known");
        let more = if known > 0 { (known + tried.restarts) * TRIES_OF_KNOWN_SOURCES } else { 0 };
        prop_assert!(of_known + of_others <= bound + more, "{tried:?} of {limit}, {known} known");
    }

    /// A hundred in a row are an end, whatever the policy forgets meanwhile: no more are tried, but for what a process has
    /// counted and not written, and for each time that an administrator unlocks the account.
    #[test]
    fn a_hundred_in_a_row_are_an_end_whatever_happens(steps in steps()) {
        let policy = Policy {
            pwd_failure_count_interval: Some(Duration::from_secs(1)),
            pwd_lockout_duration: Some(Duration::from_secs(1)),
            ..policy(5)
        };
        let near = ABSOLUTE_LIMIT - 20;
        let record = Account { version: 1, failures_in_a_row: near, ..Account::default() };
        let tried = World::of(&meters(), record).run(&policy, &steps);
        let bound = 20 + tried.unlocked * ABSOLUTE_LIMIT as usize + tried.lost;
        prop_assert!(tried.from.iter().sum::<usize>() <= bound, "{tried:?}");
    }
}

#[test]
fn a_lock_that_was_written_outlives_the_process_and_an_administrator_ends_it() {
    let meters = meters();
    let steps = |begin: usize| {
        let tries = (0..begin).flat_map(|_| [Step::Begin(0), Step::End(0)]);
        tries.chain([Step::Take, Step::Write, Step::Restart]).collect::<Vec<_>>()
    };
    let all = [steps(2), steps(9), steps(9), vec![Step::SetByOthers], steps(9), steps(9)].concat();
    let tried = World::of(&meters, Account::default()).run(&policy(3), &all);
    assert_eq!(tried.from[0], 6);
    assert_eq!(Policy::default().lock_ends(Lock::Exhausted), None);
}
