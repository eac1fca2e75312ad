//! The attribute types that the server itself works with, found once.

use super::{AttributeTypeId, Schema};

macro_rules! well_known {
    ($($field:ident = $name:literal;)*) => {
        /// The numbers of the attribute types that the server itself works with.
        #[derive(Clone, Copy, Debug)]
        pub struct WellKnown { $(#[doc = concat!("`", $name, "`")] pub $field: AttributeTypeId,)* }

        impl Default for WellKnown {
            fn default() -> Self {
                Self { $($field: AttributeTypeId(u16::MAX),)* }
            }
        }

        impl WellKnown {
            /// Finds them all, or names the one that the schema lacks.
            pub(super) fn find(schema: &Schema) -> Result<Self, &'static str> {
                Ok(Self { $($field: schema.find_attribute_type($name).ok_or($name)?.id,)* })
            }
        }
    };
}

well_known! {
    access_author = "accessAuthor";
    object_class = "objectClass";
    structural_object_class = "structuralObjectClass";
    entry_uuid = "entryUUID";
    entry_csn = "entryCSN";
    entry_dn = "entryDN";
    context_csn = "contextCSN";
    create_timestamp = "createTimestamp";
    creators_name = "creatorsName";
    creator_uuid = "creatorUUID";
    modify_timestamp = "modifyTimestamp";
    modifiers_name = "modifiersName";
    subschema_subentry = "subschemaSubentry";
    has_subordinates = "hasSubordinates";
    num_subordinates = "numSubordinates";
    member_of = "memberOf";
    is_member_of = "isMemberOf";
    member = "member";
    unique_member = "uniqueMember";
    role_occupant = "roleOccupant";
    member_url = "memberURL";
    referral = "ref";
    aliased_object_name = "aliasedObjectName";
    subtree_specification = "subtreeSpecification";
    collective_exclusions = "collectiveExclusions";
    collective_attribute_subentries = "collectiveAttributeSubentries";
    uid = "uid";
    cn = "cn";
    sn = "sn";
    given_name = "givenName";
    display_name = "displayName";
    mail = "mail";
    user_password = "userPassword";
    shadow_last_change = "shadowLastChange";
    preferred_language = "preferredLanguage";
    oath_secret = "oathSecret";
    oath_totp_token = "oathTOTPToken";
    oath_hotp_token = "oathHOTPToken";
    oath_totp_params = "oathTOTPParams";
    oath_hotp_params = "oathHOTPParams";
    oath_otp_length = "oathOTPLength";
    oath_hmac_algorithm = "oathHMACAlgorithm";
    oath_totp_time_step_period = "oathTOTPTimeStepPeriod";
    oath_totp_time_step_window = "oathTOTPTimeStepWindow";
    oath_totp_last_time_step = "oathTOTPLastTimeStep";
    oath_hotp_counter = "oathHOTPCounter";
    oath_hotp_look_ahead = "oathHOTPLookAhead";
    pwd_attribute = "pwdAttribute";
    pwd_changed_time = "pwdChangedTime";
    pwd_account_locked_time = "pwdAccountLockedTime";
    pwd_failure_time = "pwdFailureTime";
    pwd_history = "pwdHistory";
    pwd_grace_use_time = "pwdGraceUseTime";
    pwd_reset = "pwdReset";
    pwd_policy_subentry = "pwdPolicySubentry";
    pwd_applies_to_group = "pwdAppliesToGroup";
    pwd_applies_to_subtree = "pwdAppliesToSubtree";
    pwd_applies_to_filter = "pwdAppliesToFilter";
    pwd_report_only = "pwdReportOnly";
    pwd_start_time = "pwdStartTime";
    pwd_end_time = "pwdEndTime";
    pwd_last_success = "pwdLastSuccess";
    pwd_last_success_from = "pwdLastSuccessFrom";
    pwd_last_failure = "pwdLastFailure";
    pwd_last_failure_from = "pwdLastFailureFrom";
    pwd_login_history = "pwdLoginHistory";
    pwd_stale_source = "pwdStaleSource";
    pwd_locked_by = "pwdLockedBy";
    pwd_failures_in_a_row = "pwdFailuresInARow";
    pwd_replaced = "pwdReplaced";
    pwd_account_tmp_lockout_end = "pwdAccountTmpLockoutEnd";
    pwd_temporary_valid_from = "pwdTemporaryValidFrom";
    pwd_temporary_expiry = "pwdTemporaryExpiry";
    pwd_temporary_uses = "pwdTemporaryUses";
    pwd_ledger = "pwdLedger";
    pwd_scram_iterations = "pwdScramIterations";
    pwd_reset_approval_max_age = "pwdResetApprovalMaxAge";
    pwd_scram_sha256 = "pwdScramSha256";
    pwd_reset_code = "pwdResetCode";
    pwd_reset_code_expiry = "pwdResetCodeExpiry";
    pwd_scheme = "pwdScheme";
    pwd_hash_cost = "pwdHashCost";
    pwd_checked_against = "pwdCheckedAgainst";
    pwd_expire_noticed = "pwdExpireNoticed";
    pwd_effective_policy = "pwdEffectivePolicy";
}

impl WellKnown {
    /// What the server derives of other things when it is asked for, and no entry stores.
    pub const fn derived(&self) -> [AttributeTypeId; 8] {
        [
            self.entry_dn,
            self.subschema_subentry,
            self.member_of,
            self.is_member_of,
            self.has_subordinates,
            self.num_subordinates,
            self.pwd_effective_policy,
            self.collective_attribute_subentries,
        ]
    }

    /// By what a password policy says something for others than those whose entries name it: whom it governs, and that keys are
    /// kept for some, or that two people set a password.
    pub const fn selecting(&self) -> [AttributeTypeId; 5] {
        let applies = (self.pwd_applies_to_group, self.pwd_applies_to_subtree, self.pwd_applies_to_filter);
        [applies.0, applies.1, applies.2, self.pwd_scram_iterations, self.pwd_reset_approval_max_age]
    }

    /// By what an entry says when, by which policy and by which token its owner may authenticate: to write that is power
    /// over them.
    pub const fn closing(&self) -> [AttributeTypeId; 5] {
        let tokens = (self.oath_totp_token, self.oath_hotp_token);
        [self.pwd_start_time, self.pwd_end_time, self.pwd_policy_subentry, tokens.0, tokens.1]
    }

    /// By what entries name the tokens by which somebody logs in, and tokens their parameters.
    pub const fn of_tokens(&self) -> [AttributeTypeId; 4] {
        [self.oath_totp_token, self.oath_hotp_token, self.oath_totp_params, self.oath_hotp_params]
    }

    /// What entries say of which codes are good.
    pub const fn of_codes(&self) -> [AttributeTypeId; 10] {
        [
            self.oath_secret,
            self.oath_totp_params,
            self.oath_hotp_params,
            self.oath_otp_length,
            self.oath_hmac_algorithm,
            self.oath_totp_time_step_period,
            self.oath_totp_time_step_window,
            self.oath_totp_last_time_step,
            self.oath_hotp_counter,
            self.oath_hotp_look_ahead,
        ]
    }

    /// What is kept as credentials, beside the entry: passwords and their state, and scheme and cost, which follow from these.
    pub const fn credentials(&self) -> [AttributeTypeId; 27] {
        [
            self.user_password,
            self.pwd_changed_time,
            self.pwd_history,
            self.pwd_failure_time,
            self.pwd_account_locked_time,
            self.pwd_grace_use_time,
            self.pwd_reset,
            self.pwd_last_success,
            self.pwd_last_success_from,
            self.pwd_last_failure,
            self.pwd_last_failure_from,
            self.pwd_login_history,
            self.pwd_stale_source,
            self.pwd_locked_by,
            self.pwd_failures_in_a_row,
            self.pwd_replaced,
            self.pwd_temporary_valid_from,
            self.pwd_temporary_expiry,
            self.pwd_temporary_uses,
            self.pwd_checked_against,
            self.pwd_expire_noticed,
            self.pwd_ledger,
            self.pwd_scram_sha256,
            self.pwd_reset_code,
            self.pwd_reset_code_expiry,
            self.pwd_scheme,
            self.pwd_hash_cost,
        ]
    }
}
