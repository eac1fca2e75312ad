//! What a server says of itself: the root DSE (RFC 4512 §5.1) and the subschema subentry (RFC 4512 §4.2).

use std::sync::{Arc, Mutex, PoisonError};

use crate::directory::schema::Schema;
use crate::directory::{Attribute, Attributes, Dn, Entry};
use crate::protocol::{control, extended, oid};

use super::bind::Mechanism;
use super::{Context, change_log, monitor};

/// The name of the subschema subentry.
pub const SUBSCHEMA: &str = "cn=Subschema";

/// What this server is, for `vendorName` and `vendorVersion` (RFC 3045).
const VENDOR: &str = "Keystead";
pub(super) const NAME_AND_VERSION: &str = concat!("Keystead ", env!("CARGO_PKG_VERSION"));

const FEATURES: &[&str] = &[
    oid::FEATURE_INCREMENT,
    oid::FEATURE_ALL_OPERATIONAL,
    oid::FEATURE_BY_OBJECT_CLASS,
    oid::FEATURE_TRUE_FALSE,
    oid::FEATURE_SUBORDINATES,
    oid::FEATURE_LANGUAGE_TAGS,
    oid::FEATURE_LANGUAGE_RANGES,
];

/// The entries that no tree holds and everybody may read.
pub(super) fn apart(ctx: &Context<'_>, dn: &Dn) -> Option<Entry> {
    if dn.is_root() {
        return Some(root_dse(ctx));
    }
    is_subschema(ctx.schema(), dn).then(|| subschema(ctx.tree.schema()))
}

/// Whether a name is that of the subschema subentry.
pub(super) fn is_subschema(schema: &Schema, dn: &Dn) -> bool {
    // Names of one part are few, so that mostly nothing is to be compared.
    dn.depth() == 1 && Dn::parse(schema, SUBSCHEMA).is_ok_and(|name| name == *dn)
}

/// The root DSE, as it is for somebody who is connected in that way.
pub fn root_dse(ctx: &Context<'_>) -> Entry {
    let tree = ctx.tree;
    let schema = tree.schema();
    let suffixes = tree.suffixes().iter().map(Dn::as_str);
    let list = [
        ("objectClass", vec!["top", "extensibleObject"]),
        ("structuralObjectClass", vec!["extensibleObject"]),
        ("namingContexts", suffixes.clone().collect()),
        ("defaultNamingContext", suffixes.take(1).collect()),
        ("subschemaSubentry", vec![SUBSCHEMA]),
        ("supportedLDAPVersion", vec!["3"]),
        ("supportedControl", control::supported().collect()),
        ("supportedExtension", extended::SUPPORTED.to_vec()),
        ("supportedFeatures", FEATURES.to_vec()),
        ("vendorName", vec![VENDOR]),
        ("vendorVersion", vec![NAME_AND_VERSION]),
    ];
    // Only what would succeed is listed, since clients take the first that they know.
    let mechanisms = Mechanism::offered(ctx).collect();
    let csn = tree.csn().to_string();
    let mut attributes = Attributes::new();
    for (name, values) in list {
        put(&mut attributes, name, values, schema);
    }
    put(&mut attributes, "supportedSASLMechanisms", mechanisms, schema);
    let alt_servers = ctx.services.alt_servers.iter().map(String::as_str);
    put(&mut attributes, "altServer", alt_servers.collect(), schema);
    put(&mut attributes, "contextCSN", vec![&csn], schema);
    put(&mut attributes, "entryDN", vec![""], schema);
    put_change_log(ctx, &mut attributes);
    if matches!(monitor::is_visible(ctx), Ok(true)) {
        put(&mut attributes, "monitorContext", vec![monitor::MONITOR], schema);
    }
    Entry::encode(&attributes, schema)
}

/// Where the change log is and how far it goes (draft-good-ldap-changelog §3), for those who may know of it.
fn put_change_log(ctx: &Context<'_>, attributes: &mut Attributes) {
    if !matches!(change_log::is_visible(ctx), Ok(true)) {
        return;
    }
    put(attributes, "changelog", vec![change_log::CHANGE_LOG], ctx.schema());
    let Ok(Some(numbers)) = ctx.tree.change_numbers() else { return };
    put(attributes, "firstChangeNumber", vec![&numbers.start().to_string()], ctx.schema());
    put(attributes, "lastChangeNumber", vec![&numbers.end().to_string()], ctx.schema());
}

/// The subschema subentry, made once for each schema.
pub fn subschema(schema: &Arc<Schema>) -> Entry {
    static MADE: Mutex<Option<(Arc<Schema>, Entry)>> = Mutex::new(None);
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((of, entry)) = made.as_ref()
        && Arc::ptr_eq(of, schema)
    {
        return entry.clone();
    }
    let entry = make_subschema(schema);
    *made = Some((Arc::clone(schema), entry.clone()));
    drop(made);
    entry
}

fn make_subschema(schema: &Schema) -> Entry {
    let extension = schema.extension();
    let (created, modified) = (extension.created.to_string(), extension.modified.to_string());
    let published = schema.publish();
    let strs = |list: &[String]| -> Vec<String> { list.to_vec() };
    let mut attributes = Attributes::new();
    let fixed = [
        ("objectClass", vec!["top", "subentry", "subschema", "extensibleObject"]),
        ("structuralObjectClass", vec!["subentry"]),
        ("cn", vec!["Subschema"]),
        ("subschemaSubentry", vec![SUBSCHEMA]),
        ("entryDN", vec![SUBSCHEMA]),
        ("createTimestamp", vec![created.as_str()]),
        ("modifyTimestamp", vec![modified.as_str()]),
    ];
    for (name, values) in fixed {
        put(&mut attributes, name, values, schema);
    }
    if !extension.modifier.is_empty() {
        put(&mut attributes, "modifiersName", vec![&extension.modifier], schema);
    }
    for (name, values) in [
        ("ldapSyntaxes", strs(&published.syntaxes)),
        ("matchingRules", strs(&published.matching_rules)),
        ("matchingRuleUse", strs(&published.matching_rule_use)),
        ("attributeTypes", strs(&published.attribute_types)),
        ("objectClasses", strs(&published.object_classes)),
        ("dITContentRules", strs(&published.content_rules)),
    ] {
        put(&mut attributes, name, values.iter().map(String::as_str).collect(), schema);
    }
    Entry::encode(&attributes, schema)
}

fn put(attributes: &mut Attributes, name: &str, values: Vec<&str>, schema: &Schema) {
    if let (Some(description), false) = (schema.describe(name), values.is_empty()) {
        let values = values.into_iter().map(|value| value.as_bytes().to_vec()).collect();
        attributes.push(Attribute { description, values });
    }
}
