//! Looks again whether all that is asserted holds, after changes of what rules and assertions ask for: two changes at once may
//! break together what neither breaks alone, and of some it takes long to know.
//!
//! A rule that breaks an assertion is out of force from then on, and in force again when no longer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::{error, info, warn};

use crate::access::withheld::Withheld;
use crate::directory::tree::TreeError;

use super::Shared;
use super::background::{Background, Bell, Woken};

/// So many times as long as it took it rests, so that nobody who waits for an answer notices.
const REST: u32 = 19;
/// And so long at least, since changes come together.
const PAUSE: Duration = Duration::from_secs(1);

/// Starts the thread that looks, whenever it is called.
pub(super) fn start(shared: Arc<Shared>) -> Background {
    let bell = Arc::clone(&shared.proving);
    Background::start("proving", bell, move |bell| {
        while bell.sleep(Duration::MAX) != Woken::Stop {
            let begun = Instant::now();
            if let Err(error) = prove(&shared) {
                warn!(%error, "it could not be looked whether all that is asserted holds");
            }
            if rest(bell, (begun.elapsed() * REST).max(PAUSE)) == Woken::Stop {
                return;
            }
        }
    })
}

/// Sleeps for so long, whoever calls.
fn rest(bell: &Bell, time: Duration) -> Woken {
    let begun = Instant::now();
    let mut called = false;
    let woken = loop {
        match bell.sleep(time.saturating_sub(begun.elapsed())) {
            Woken::Call => called = true,
            other => break other,
        }
    };
    if called {
        bell.call();
    }
    woken
}

fn prove(shared: &Shared) -> Result<(), TreeError> {
    let (view, services) = shared.now();
    let withheld = services.rules.to_withhold(&services.assertions, shared.clock.now(), &view)?;
    let known = services.rules.withheld();
    let is_in = |one: &Withheld, others: &[Withheld]| others.iter().any(|other| one.is_as(other));
    let come: Vec<Withheld> = withheld.iter().filter(|one| !is_in(one, known)).cloned().collect();
    let gone: Vec<Withheld> = known.iter().filter(|one| !is_in(one, &withheld)).cloned().collect();
    if come.is_empty() && gone.is_empty() || !shared.withhold(&services, withheld) {
        return Ok(());
    }
    tell_withheld(&come);
    for Withheld { example, .. } in gone {
        info!(target: "access", rule = example.rule, assertion = example.assertion, "a rule is in force again");
    }
    Ok(())
}

/// Tells of rules that grant nothing for the time being.
pub fn tell_withheld(withheld: &[Withheld]) {
    for one in withheld {
        error!(target: "access", "{one}");
    }
}
