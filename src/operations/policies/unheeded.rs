//! What a policy that comes from elsewhere says and nothing here does, so that nobody relies on it.

use crate::directory::schema::Schema;
use crate::directory::tree::{Tree, TreeError};
use crate::directory::{Dn, Entry};

use super::policy_entries;

/// The policies that have passwords judged by a module of `OpenLDAP`, each as a sentence for a log.
pub fn unheeded(tree: &dyn Tree) -> Result<Vec<String>, TreeError> {
    let policies = policy_entries(tree)?;
    let told = policies.iter().filter_map(|(node, dn)| told(&node.entry, dn, tree.schema()));
    Ok(told.collect())
}

fn told(policy: &Entry, dn: &Dn, schema: &Schema) -> Option<String> {
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
