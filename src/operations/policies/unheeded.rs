//! What a policy says and nothing comes of, so that nobody relies on it.

use crate::directory::schema::Schema;
use crate::directory::tree::{Tree, TreeError};
use crate::directory::{Dn, Entry};

use super::named::all_misnamed;
use super::policy_entries;
use crate::password::Policy;
use crate::password::policy::Idle;

/// Settings that have no effect, the policies that have passwords judged by a module of `OpenLDAP`, and the entries that name
/// what is no policy, each as a sentence for a log.
pub fn unheeded(tree: &dyn Tree) -> Result<Vec<String>, TreeError> {
    let policies = policy_entries(tree)?;
    let told = policies.iter().flat_map(|(node, dn)| unheeded_in(&node.entry, dn, tree.schema()));
    Ok(told.chain(all_misnamed(tree)?).collect())
}

/// The same of one policy.
pub fn unheeded_in(entry: &Entry, dn: &Dn, schema: &Schema) -> Vec<String> {
    let idle = Policy::read(entry, dn.as_str(), schema).map(|policy| policy.idle).unwrap_or_default();
    let idle =
        idle.iter().map(|Idle { attribute, extent, reason }| format!("{attribute} of \"{dn}\" {extent}: {reason}"));
    idle.chain(module(entry, dn, schema)).collect()
}

fn module(policy: &Entry, dn: &Dn, schema: &Schema) -> Option<String> {
    let value = |name: &str| policy.first_text(schema.find_attribute_type(name)?.id);
    let attribute = match (value("pwdUseCheckModule"), value("pwdCheckModule")) {
        (Some("FALSE"), _) | (None, None) => return None,
        (Some(_), _) => "pwdUseCheckModule",
        (None, Some(_)) => "pwdCheckModule",
    };
    Some(format!(
        "{attribute} of \"{dn}\" is not heeded: no module is loaded here; say what passwords must be by pwdMinLength, \
         pwdQualityProfile, pwdForbiddenWord and pwdMinClasses, and remove it"
    ))
}
