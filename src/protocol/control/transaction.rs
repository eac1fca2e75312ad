//! The transaction specification control (RFC 5805 §2.2): which transaction a request is part of.

use bytes::Bytes;

use super::{Controls, RawControl};

/// Which transaction a request is part of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TransactionSpecification {
    /// What the server calls it.
    pub identifier: Bytes,
    /// Whether the control is critical, as it must be.
    pub is_critical: bool,
}

pub(super) fn read(controls: &mut Controls, control: &RawControl) -> Option<()> {
    let identifier = control.value.clone()?;
    controls.rare_mut().transaction = Some(TransactionSpecification { identifier, is_critical: control.critical });
    Some(())
}
