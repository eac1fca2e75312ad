//! The schema files that are built into the binary.

use std::sync::{Arc, LazyLock};

use super::{Schema, SchemaBuilder};

/// Name and text of each file, in the order in which they build on each other.
pub(super) const FILES: &[(&str, &str)] = &[
    ("00-core.ldif", include_str!("../../../schema/00-core.ldif")),
    ("01-cosine.ldif", include_str!("../../../schema/01-cosine.ldif")),
    ("02-inetorgperson.ldif", include_str!("../../../schema/02-inetorgperson.ldif")),
    ("03-posix.ldif", include_str!("../../../schema/03-posix.ldif")),
    ("04-ppolicy.ldif", include_str!("../../../schema/04-ppolicy.ldif")),
    ("05-dyngroup.ldif", include_str!("../../../schema/05-dyngroup.ldif")),
    ("06-misc.ldif", include_str!("../../../schema/06-misc.ldif")),
    ("07-keystead.ldif", include_str!("../../../schema/07-keystead.ldif")),
    ("08-monitor.ldif", include_str!("../../../schema/08-monitor.ldif")),
    ("09-oath.ldif", include_str!("../../../schema/09-oath.ldif")),
];

static STANDARD: LazyLock<Arc<Schema>> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the files are part of the binary; a test builds them")]
    let schema = SchemaBuilder::new().add_standard().and_then(SchemaBuilder::build).expect("built-in schema");
    Arc::new(schema)
});

pub(super) fn schema() -> Arc<Schema> {
    Arc::clone(&STANDARD)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::schema::{ObjectClassKind, Usage};

    #[test]
    fn the_built_in_files_make_a_schema() {
        let schema = schema();
        assert!(schema.attribute_types().len() > 270);
        assert!(schema.object_classes().len() > 75);
        assert_eq!(schema.find_object_class("inetOrgPerson").unwrap().kind, ObjectClassKind::Structural);
        assert_eq!(schema.find_attribute_type("entryUUID").unwrap().usage, Usage::DirectoryOperation);
    }

    #[test]
    fn what_proves_who_somebody_is_stays_secret() {
        let schema = schema();
        let names = ["userPassword", "pwdHistory", "pwdReplaced", "pwdResetCode", "pwdScramSha256"];
        for name in names.into_iter().chain(["authPassword", "nisSecretKey", "oathSecret"]) {
            assert!(schema.find_attribute_type(name).unwrap().is_secret(), "{name}");
        }
    }
}
