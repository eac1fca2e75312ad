//! What policies that are only tried out report, kept for whoever asks.

use std::sync::Mutex;

use keystead::directory::Dn;
use keystead::operations::reports::{Known, Report, Reports};
use keystead::password::second_factor::TokenFault;

use super::short;

#[derive(Debug, Default)]
pub struct Reported {
    reports: Mutex<Vec<String>>,
    unheeded: Mutex<Vec<String>>,
}

impl Reported {
    pub fn take_all(&self) -> Vec<String> {
        std::mem::take(&mut *self.reports.lock().unwrap())
    }

    /// What was written into policies in vain.
    pub fn take_all_unheeded(&self) -> Vec<String> {
        std::mem::take(&mut *self.unheeded.lock().unwrap())
    }
}

impl Reports for Reported {
    fn take(&self, report: &Report<'_>) {
        let Report { policy, target, would } = report;
        self.reports.lock().unwrap().push(format!("{} {}: {would}", short(policy), short(target.as_str())));
    }

    fn take_known(&self, known: &Known<'_>) {
        let Known { policy, target, rule } = known;
        self.reports.lock().unwrap().push(format!("{} {}: known: {rule}", short(policy), short(target.as_str())));
    }

    fn take_unheeded(&self, told: &str) {
        self.unheeded.lock().unwrap().push(told.to_owned());
    }

    fn take_unusable_token(&self, target: &Dn, fault: &TokenFault) {
        self.reports.lock().unwrap().push(format!("{}: {fault}", short(target.as_str())));
    }
}
