//! What new passwords are kept as.

use toml::Spanned;

use super::Faults;
use crate::config::raw::RawPassword;
use crate::password::policy::Hashing;
use crate::password::scheme::{Cost, NewScheme};

pub(super) fn new_passwords(raw: &RawPassword, faults: &mut Faults<'_>, warnings: &mut Vec<String>) -> NewScheme {
    let default = Cost::default();
    let cost = Cost {
        memory_kib: raw.argon2_memory_kib.as_ref().map_or(default.memory_kib, |value| *value.get_ref()),
        passes: raw.argon2_passes.as_ref().map_or(default.passes, |value| *value.get_ref()),
        lanes: raw.argon2_lanes.as_ref().map_or(default.lanes, |value| *value.get_ref()),
    };
    if !cost.is_sane() {
        let span = [&raw.argon2_memory_kib, &raw.argon2_passes, &raw.argon2_lanes].into_iter().flatten().next();
        let reason =
            "the cost is out of bounds: 8 KiB for each lane to 256 MiB, and at most 1 GiB in all passes together";
        faults.add(span.map(Spanned::span), "password.argon2_memory_kib", reason);
    }
    match raw.scheme.as_ref().map(|scheme| (scheme.get_ref().as_str(), scheme.span())) {
        None | Some(("argon2id", _)) => {
            warnings.extend(too_cheap(cost));
            NewScheme::Argon2id(cost)
        }
        Some((weak @ ("ssha512" | "ssha"), _)) => {
            warnings.push(format!("new passwords are kept as {weak}, which a thief of the data breaks quickly"));
            if weak == "ssha" { NewScheme::Ssha } else { NewScheme::Ssha512 }
        }
        Some((other, span)) => {
            faults.add(Some(span), "password.scheme", format!("{other:?} is not known; use argon2id, ssha512 or ssha"));
            NewScheme::default()
        }
    }
}

/// A warning of a cost that no policy may ask for.
fn too_cheap(cost: Cost) -> Option<String> {
    let Cost { memory_kib, passes, .. } = cost;
    let too_little = Hashing::too_little(cost)?;
    Some(format!(
        "new passwords are hashed with {memory_kib} KiB in {passes} passes, which a thief of the data breaks quickly; that is \
         {too_little} (password.argon2_memory_kib, password.argon2_passes)"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cheaper_than_a_policy_may_ask_for_is_warned_about() {
        let cost = |memory_kib, passes| Cost { memory_kib, passes, ..Cost::default() };
        for cheap in [cost(8, 1), cost(7167, 20), cost(7168, 4), cost(19_456, 1)] {
            let told = too_cheap(cheap).unwrap();
            assert!(told.contains("too little: at least 7168 KiB, and 35840 KiB in all passes together"), "{told}");
        }
        for enough in [Cost::default(), cost(7168, 5), cost(35_840, 1)] {
            assert_eq!(too_cheap(enough), None);
        }
    }
}
