//! What the RFCs say, sentence by sentence, held against the reference tree in memory and against the store on disk.
//!
//! Each test is named for the sentence that it holds; its comment says where the sentence stands. Fixtures and
//! expectations are LDIF.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![expect(unreachable_pub, reason = "nobody reaches anything of a test")]

mod scene;

mod access;
mod access_bypasses;
mod access_conditions;
mod access_proof;
mod access_targets;
mod account_state;
mod account_usability;
mod add;
#[cfg(feature = "server")]
mod agreement;
mod allocation;
mod approvals;
mod asked_again;
mod asserted;
mod assertion;
mod assertion_proof;
mod assertions;
mod authorization_identity;
mod bind;
mod blocked_accounts;
mod bounds;
mod breach_recheck;
mod breached_passwords;
mod certificates;
mod chains;
mod change_log;
mod collective;
mod compare;
mod composition_rules;
mod constraints;
mod content_synchronization;
#[cfg(feature = "server")]
mod crash;
mod delegated_rules;
mod delete;
mod dereference;
mod disclosure;
mod dry_run;
mod dynamic_groups;
mod effective_policy;
mod effective_rights;
mod events;
mod expire_notices;
mod filter;
mod known_requests;
mod known_sources;
mod last_seen;
mod ledger;
mod list_view;
mod live_connections;
mod lock_causes;
mod matched_values;
mod modify;
mod monitor;
mod must_change;
mod netscape_controls;
mod next_password;
mod one_person;
mod password_expiry;
mod password_lockout;
mod password_messages;
mod password_modify;
mod password_policy;
mod paths_proof;
mod permissive_modify;
mod persistent_search;
mod policy_hashing;
mod policy_selection;
mod properties;
mod proxied_authorization;
mod quality_profiles;
mod questions;
mod read_entry;
mod references;
mod relax;
mod rename;
mod report_only;
mod request_rules;
mod reset;
mod rights_paths;
mod root_dse;
mod rule_writes;
mod sasl_plain;
mod sasl_scram;
mod schema_change;
mod scram_client;
mod search;
mod second_factor;
mod second_factor_rights;
mod secrets;
mod selection;
mod sort;
mod special;
mod spray;
mod takeover;
mod told_by_time;
mod told_by_work;
mod transactions;
mod tree_delete;
mod unbound_change;
mod uniqueness;
mod verified_cache;
mod visibility;
mod walked_paths;

/// Defines sentences: functions that check a scene, each run on the reference tree and on the store.
macro_rules! sentences {
    ($($(#[$attribute:meta])* fn $name:ident($scene:ident) $body:block)*) => {$(
        $(#[$attribute])*
        fn $name<D: keystead::directory::tree::Directory>($scene: &crate::scene::Scene<D>) $body

        mod $name {
            #[test]
            fn in_memory() {
                super::$name(&crate::scene::Scene::in_memory());
            }

            #[cfg(feature = "server")]
            #[test]
            fn on_disk() {
                super::$name(&crate::scene::Scene::on_disk());
            }
        }
    )*};
}
pub(crate) use sentences;
