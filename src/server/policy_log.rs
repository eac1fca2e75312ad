//! One line for each thing that a policy would have done that is only tried out, for each password in use that is found to be
//! publicly known, and for what is written into a policy in vain.

use tracing::{info, warn};

use crate::directory::Dn;
use crate::operations::reports::{Known, Report, Reports};
use crate::password::second_factor::TokenFault;

/// Writes them to the log, where they have a target of their own.
#[derive(Clone, Copy, Debug)]
pub struct PolicyLog;

impl Reports for PolicyLog {
    fn take(&self, report: &Report<'_>) {
        let Report { policy, target, would } = report;
        info!(target: "policy_report", policy, %target, would = %would, "report only");
    }

    fn take_known(&self, known: &Known<'_>) {
        let Known { policy, target, rule } = known;
        warn!(target: "publicly_known", policy, %target, rule, "a password in use is publicly known");
    }

    fn take_unheeded(&self, told: &str) {
        warn!(target: "policy", "{told}");
    }

    fn take_unusable_token(&self, target: &Dn, fault: &TokenFault) {
        warn!(target: "second_factor", %target, "nobody logs in by this token of the entry: {fault}");
    }
}
