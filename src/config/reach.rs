//! Whether what an access rule names can be there at all, where entries are kept below these suffixes.

use crate::access::reach::Reach;
use crate::directory::Dn;

/// Whether an entry of this server can be one of these: of its suffixes, or of what stands beside them. Rules may name what is
/// above a suffix.
pub fn is_possible(reach: &Reach, suffixes: &[Dn]) -> bool {
    let Some(base) = reach.base() else { return true };
    is_beside(base) || suffixes.iter().any(|suffix| base.is_within(suffix) || reach.has(suffix))
}

/// Whether that is the root DSE, or stands in the change log, in what the server tells of itself, or in the schema.
pub fn is_beside(dn: &Dn) -> bool {
    dn.is_root() || !Reach::Everything.has(dn)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::Schema;

    #[test]
    fn what_is_below_no_suffix_cannot_be_there() {
        let schema = Schema::standard();
        let suffixes = ["dc=example,dc=com", "o=other"].map(|name| Dn::parse(&schema, name).unwrap());
        let possible = |word: &str| is_possible(&Reach::parse(word, &schema).unwrap(), &suffixes);
        for yes in [
            "everything",
            "subtree:dc=example,dc=com",
            "children:O=Other",
            "entry:uid=a,ou=people,dc=example,dc=com",
            "subtree:dc=com",
            "below:dc=com",
            "children:dc=com",
            "subtree:",
            "entry:",
            "subtree:cn=changelog",
            "subtree:cn=monitor",
            "entry:cn=Subschema",
            "below:cn=Store,cn=Monitor",
        ] {
            assert!(possible(yes), "{yes}");
        }
        for no in [
            "entry:dc=com",
            "subtree:dc=exmaple,dc=com",
            "subtree:ou=people,dc=example,dc=org",
            "children:o=another",
            "below:cn=monitors",
        ] {
            assert!(!possible(no), "{no}");
        }
    }
}
