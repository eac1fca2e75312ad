//! The object identifiers of extended operations, controls and features that the server answers to.

/// Password Modify (RFC 3062).
pub const PASSWORD_MODIFY: &str = "1.3.6.1.4.1.4203.1.11.1";
/// Who am I? (RFC 4532).
pub const WHO_AM_I: &str = "1.3.6.1.4.1.4203.1.11.3";
/// `StartTLS` (RFC 4511 §4.14).
pub const START_TLS: &str = "1.3.6.1.4.1.1466.20037";
/// Cancel (RFC 3909).
pub const CANCEL: &str = "1.3.6.1.1.8";
/// Start Transaction (RFC 5805 §2.1).
pub const START_TRANSACTION: &str = "1.3.6.1.1.21.1";
/// End Transaction (RFC 5805 §2.3).
pub const END_TRANSACTION: &str = "1.3.6.1.1.21.3";
/// Password policy state of `UnboundID`.
pub const ACCOUNT_STATE: &str = "1.3.6.1.4.1.30221.1.6.1";
/// The same as `OpenDS` calls it: manage account.
pub const ACCOUNT_STATE_OF_OPENDS: &str = "1.3.6.1.4.1.26027.1.6.1";
/// Get password quality requirements (`UnboundID`).
pub const PASSWORD_DEMANDS: &str = "1.3.6.1.4.1.30221.2.6.43";
/// The answer to it.
pub const PASSWORD_DEMANDS_RESPONSE: &str = "1.3.6.1.4.1.30221.2.6.44";
/// Generate password (`UnboundID`).
pub const GENERATE_PASSWORD: &str = "1.3.6.1.4.1.30221.2.6.62";
/// The answer to it.
pub const GENERATE_PASSWORD_RESPONSE: &str = "1.3.6.1.4.1.30221.2.6.63";
/// Aborted Transaction Notice (RFC 5805 §2.4).
pub const ABORTED_TRANSACTION: &str = "1.3.6.1.1.21.4";
/// Notice of Disconnection (RFC 4511 §4.4.1).
pub const NOTICE_OF_DISCONNECTION: &str = "1.3.6.1.4.1.1466.20036";

/// Paged results (RFC 2696).
pub const PAGED_RESULTS: &str = "1.2.840.113556.1.4.319";
/// `ManageDsaIT` (RFC 3296).
pub const MANAGE_DSA_IT: &str = "2.16.840.1.113730.3.4.2";
/// Password policy (draft-behera-ldap-password-policy-10 §6).
pub const PASSWORD_POLICY: &str = "1.3.6.1.4.1.42.2.27.8.5.1";
/// Sun: whether accounts can be used.
pub const ACCOUNT_USABILITY: &str = "1.3.6.1.4.1.42.2.27.9.5.8";
/// Netscape: the password has expired.
pub const PASSWORD_EXPIRED: &str = "2.16.840.1.113730.3.4.4";
/// Netscape: the password will expire soon.
pub const PASSWORD_EXPIRING: &str = "2.16.840.1.113730.3.4.5";
/// Get effective rights (draft-ietf-ldapext-acl-model-08 §5).
pub const EFFECTIVE_RIGHTS: &str = "1.3.6.1.4.1.42.2.27.9.5.2";
/// Proxied authorization (RFC 4370).
pub const PROXIED_AUTHORIZATION: &str = "2.16.840.1.113730.3.4.18";
/// Subentries (RFC 3672 §3).
pub const SUBENTRIES: &str = "1.3.6.1.4.1.4203.1.10.1";
/// Transaction specification (RFC 5805 §2.2).
pub const TRANSACTION: &str = "1.3.6.1.1.21.2";
/// Assertion (RFC 4528).
pub const ASSERTION: &str = "1.3.6.1.1.12";
/// Pre-read (RFC 4527 §3.1).
pub const PRE_READ: &str = "1.3.6.1.1.13.1";
/// Post-read (RFC 4527 §3.2).
pub const POST_READ: &str = "1.3.6.1.1.13.2";
/// Permissive modify (MS-ADTS 3.1.1.3.4.1.8).
pub const PERMISSIVE_MODIFY: &str = "1.2.840.113556.1.4.1413";
/// Tree delete (draft-armijo-ldap-treedelete).
pub const TREE_DELETE: &str = "1.2.840.113556.1.4.805";
/// Relax rules (draft-zeilenga-ldap-relax).
pub const RELAX: &str = "1.3.6.1.4.1.4203.666.5.12";
/// Authorization identity, request (RFC 3829).
pub const AUTHORIZATION_IDENTITY: &str = "2.16.840.1.113730.3.4.16";
/// Authorization identity, response.
pub const AUTHORIZATION_IDENTITY_RESPONSE: &str = "2.16.840.1.113730.3.4.15";
/// Don't use copy (RFC 6171).
pub const DONT_USE_COPY: &str = "1.3.6.1.1.22";
/// Server side sorting, request (RFC 2891).
pub const SORT: &str = "1.2.840.113556.1.4.473";
/// Server side sorting, response.
pub const SORT_RESPONSE: &str = "1.2.840.113556.1.4.474";
/// Virtual list view, request (draft-ietf-ldapext-ldapv3-vlv).
pub const LIST_VIEW: &str = "2.16.840.1.113730.3.4.9";
/// Virtual list view, response.
pub const LIST_VIEW_RESPONSE: &str = "2.16.840.1.113730.3.4.10";
/// Matched values (RFC 3876).
pub const MATCHED_VALUES: &str = "1.2.826.0.1.3344810.2.3";
/// Dereference (draft-masarati-ldap-deref).
pub const DEREFERENCE: &str = "1.3.6.1.4.1.4203.666.5.16";
/// Domain scope (MS-ADTS 3.1.1.3.4.1.4).
pub const DOMAIN_SCOPE: &str = "1.2.840.113556.1.4.1339";
/// Search options (MS-ADTS 3.1.1.3.4.1.12).
pub const SEARCH_OPTIONS: &str = "1.2.840.113556.1.4.1340";
/// Real attributes only (Netscape).
pub const REAL_ATTRIBUTES_ONLY: &str = "2.16.840.1.113730.3.4.17";
/// Virtual attributes only (Netscape).
pub const VIRTUAL_ATTRIBUTES_ONLY: &str = "2.16.840.1.113730.3.4.19";
/// Persistent search (draft-ietf-ldapext-psearch).
pub const PERSISTENT_SEARCH: &str = "2.16.840.1.113730.3.4.3";
/// Entry change notification.
pub const ENTRY_CHANGE: &str = "2.16.840.1.113730.3.4.7";
/// Content synchronization, request (RFC 4533 §2.2).
pub const SYNC_REQUEST: &str = "1.3.6.1.4.1.4203.1.9.1.1";
/// Content synchronization, state of an entry.
pub const SYNC_STATE: &str = "1.3.6.1.4.1.4203.1.9.1.2";
/// Content synchronization, end.
pub const SYNC_DONE: &str = "1.3.6.1.4.1.4203.1.9.1.3";
/// Content synchronization, information.
pub const SYNC_INFO: &str = "1.3.6.1.4.1.4203.1.9.1.4";
/// Session tracking (draft-wahl-ldap-session).
pub const SESSION_TRACKING: &str = "1.3.6.1.4.1.21008.108.63.1";
/// No-op (draft-zeilenga-ldap-noop).
pub const NO_OP: &str = "1.3.6.1.4.1.4203.1.10.2";
/// No-op, as the tools of `OpenLDAP` call it.
pub const NO_OP_OF_OPENLDAP: &str = "1.3.6.1.4.1.4203.666.5.2";
/// Keystead: why a password is set or its state changed, as text.
pub const PASSWORD_REASON: &str = "2.25.271882395885119902382355470247459148908.3.1";
/// Keystead: how somebody else's password is set, as text.
pub const RESET_OPTIONS: &str = "2.25.271882395885119902382355470247459148908.3.2";

/// Modify-increment (RFC 4525).
pub const FEATURE_INCREMENT: &str = "1.3.6.1.1.14";
/// All operational attributes, `+` (RFC 3673).
pub const FEATURE_ALL_OPERATIONAL: &str = "1.3.6.1.4.1.4203.1.5.1";
/// Attributes by object class, `@class` (RFC 4529).
pub const FEATURE_BY_OBJECT_CLASS: &str = "1.3.6.1.4.1.4203.1.5.2";
/// The scope `subordinates` (draft-sermersheim-ldap-subordinate-scope).
pub const FEATURE_SUBORDINATES: &str = "1.3.6.1.4.1.4203.666.8.1";
/// Absolute true and false filters (RFC 4526).
pub const FEATURE_TRUE_FALSE: &str = "1.3.6.1.4.1.4203.1.5.3";
/// Language tags (RFC 3866).
pub const FEATURE_LANGUAGE_TAGS: &str = "1.3.6.1.4.1.4203.1.5.4";
/// Language ranges (RFC 3866).
pub const FEATURE_LANGUAGE_RANGES: &str = "1.3.6.1.4.1.4203.1.5.5";

/// Whether an extended request is about the state of an account.
pub fn is_about_account_state(name: &[u8]) -> bool {
    [ACCOUNT_STATE.as_bytes(), ACCOUNT_STATE_OF_OPENDS.as_bytes()].contains(&name)
}

/// Whether an extended request begins or ends a transaction.
pub fn is_about_transactions(name: &[u8]) -> bool {
    [START_TRANSACTION.as_bytes(), END_TRANSACTION.as_bytes()].contains(&name)
}
