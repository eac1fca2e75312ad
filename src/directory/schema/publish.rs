//! The schema as clients read it: the values of the subschema subentry (RFC 4512 §4.2).

use std::fmt::Write;

use super::{AttributeType, MatchingRule, Schema, Syntax};

/// The values of the subschema subentry's attributes.
#[derive(Clone, Debug, Default)]
pub struct Publication {
    /// `attributeTypes`
    pub attribute_types: Vec<String>,
    /// `objectClasses`
    pub object_classes: Vec<String>,
    /// `dITContentRules`
    pub content_rules: Vec<String>,
    /// `matchingRules`
    pub matching_rules: Vec<String>,
    /// `matchingRuleUse`
    pub matching_rule_use: Vec<String>,
    /// `ldapSyntaxes`
    pub syntaxes: Vec<String>,
}

impl Schema {
    /// Writes out the whole schema. Every rule and syntax that a definition names is among what is published, since
    /// browsers drop a definition that they cannot resolve.
    pub fn publish(&self) -> Publication {
        let defined = || self.attribute_types.iter().filter(|attribute| !attribute.definition.is_empty());
        Publication {
            attribute_types: defined().map(|attribute| one_line(&attribute.definition)).collect(),
            object_classes: self.object_classes.iter().map(|class| one_line(&class.definition)).collect(),
            content_rules: self.content_rules.iter().map(|rule| one_line(&rule.definition)).collect(),
            matching_rules: MatchingRule::ALL.iter().map(|rule| rule.definition()).collect(),
            matching_rule_use: MatchingRule::ALL.iter().filter_map(|rule| rule_use(*rule, &mut defined())).collect(),
            syntaxes: Syntax::ALL.iter().map(|syntax| syntax.definition()).collect(),
        }
    }
}

/// A definition without the line breaks and runs of spaces that its file may have.
fn one_line(definition: &str) -> String {
    definition.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

/// Which attribute types the rule applies to (RFC 4512 §4.1.4): those that an extensible filter may ask about by it.
fn rule_use(rule: MatchingRule, attributes: &mut dyn Iterator<Item = &AttributeType>) -> Option<String> {
    let names: Vec<&str> = attributes.filter(|attribute| rule.fits(attribute)).map(AttributeType::name).collect();
    if names.is_empty() {
        return None;
    }
    let mut text = String::new();
    write!(text, "( {} NAME '{}' APPLIES ", rule.oid(), rule.name()).ok()?;
    match names.as_slice() {
        [only] => write!(text, "{only} )").ok()?,
        _ => write!(text, "( {} ) )", names.join(" $ ")).ok()?,
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::super::definition::Definition;
    use super::*;

    #[test]
    fn every_published_definition_can_be_read_and_resolved() {
        let schema = Schema::standard();
        let published = schema.publish();
        let lists = [
            &published.attribute_types,
            &published.object_classes,
            &published.matching_rules,
            &published.matching_rule_use,
            &published.syntaxes,
        ];
        for text in lists.into_iter().flatten() {
            Definition::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert!(!text.contains("  ") && !text.contains('\n'), "{text}");
        }
        for text in &published.attribute_types {
            let definition = Definition::parse(text).unwrap();
            for keyword in ["EQUALITY", "ORDERING", "SUBSTR"] {
                let rule = definition.one(keyword);
                assert!(rule.is_none_or(|rule| published.matching_rules.iter().any(|r| r.contains(rule))), "{text}");
            }
            if let Some((syntax, _)) = definition.syntax() {
                assert!(published.syntaxes.iter().any(|s| s.contains(&format!("( {syntax} "))), "{text}");
            }
        }
    }

    #[test]
    fn a_rule_use_lists_the_attributes() {
        let published = Schema::standard().publish();
        let uses = published.matching_rule_use.iter().find(|text| text.contains("'integerOrderingMatch'")).unwrap();
        assert!(uses.contains("uidNumber $") || uses.contains("$ uidNumber"), "{uses}");
    }

    #[test]
    fn a_rule_use_lists_all_that_filters_may_ask_about_by_the_rule() {
        let published = Schema::standard().publish();
        for (rule, attribute) in [
            ("caseExactMatch", "cn"),
            ("caseIgnoreMatch", "mail"),
            ("wordMatch", "description"),
            ("keywordMatch", "description"),
            ("distinguishedNameInChainMatch", "uniqueMember"),
            ("distinguishedNameInChainMatch", "manager"),
            ("integerBitAndMatch", "uidNumber"),
        ] {
            let uses = published.matching_rule_use.iter().find(|text| text.contains(&format!("'{rule}'"))).unwrap();
            assert!(uses.split(' ').any(|name| name == attribute), "{rule} {attribute}: {uses}");
        }
    }
}
