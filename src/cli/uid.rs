//! Finding an entry by a uid that somebody types in the place of its name.

use super::CliError;
use crate::directory::tree::{EntryId, Tree};

/// The entry with that uid, if there is one; several are a mistake.
pub(super) fn entry_of_uid(uid: &str, tree: &dyn Tree) -> Result<Option<EntryId>, CliError> {
    let schema = tree.schema();
    let known = schema.known();
    let form = schema.attribute_type(known.uid).equality_or_fallback().normal_form();
    let Ok(normal) = form.of_value(schema, uid.as_bytes()) else { return Ok(None) };
    let found = tree.equal(known.uid, &normal);
    match found.map_err(|error| CliError::Message(format!("the store cannot be read: {error}")))?.as_slice() {
        [] => Ok(None),
        [only] => Ok(Some(*only)),
        several => {
            Err(CliError::Message(format!("{} entries have the uid {uid:?}; give the whole name", several.len())))
        }
    }
}

/// Whether somebody means a uid by it, and no distinguished name.
pub(super) fn is_uid(text: &str) -> bool {
    !text.contains(['=', ','])
}
