//! Sets of attributes, as rules name them.

use std::collections::HashSet;

use super::rule::RuleFault;
use crate::directory::schema::{AttributeSet, Schema};

/// The attributes that words stand for. Secret ones are never among them.
pub(super) fn read_attributes(words: &[String], schema: &Schema) -> Result<AttributeSet, RuleFault> {
    let mut set = AttributeSet::EMPTY;
    if words.iter().all(|word| word.starts_with('!')) {
        set.union(&group("*", schema).unwrap_or_default());
    }
    let (less, more): (Vec<_>, Vec<_>) = words.iter().partition(|word| word.starts_with('!'));
    for word in more {
        set.union(&named(word, schema)?);
    }
    for word in less {
        set.subtract(&named(word.trim_start_matches('!'), schema)?);
    }
    set.subtract(schema.secret());
    Ok(set)
}

fn named(word: &str, schema: &Schema) -> Result<AttributeSet, RuleFault> {
    if let Some(set) = group(word, schema) {
        return Ok(set);
    }
    let unknown = || RuleFault::UnknownWord { key: "attributes", word: word.to_owned() };
    let attribute = schema.find_attribute_type(word).ok_or_else(unknown)?;
    if attribute.is_secret() {
        return Err(RuleFault::Secret(word.to_owned()));
    }
    Ok(schema.subtypes(attribute.id).iter().copied().collect())
}

fn group(word: &str, schema: &Schema) -> Option<AttributeSet> {
    let all = || AttributeSet::first(schema.attribute_types().len());
    match word {
        "*" => {
            let mut user = all();
            user.subtract(schema.operational());
            Some(user)
        }
        "+" => {
            let mut operational = schema.operational().clone();
            operational.subtract(&password_state(schema));
            Some(operational)
        }
        "password-state" => Some(password_state(schema)),
        _ => {
            let class = schema.find_object_class(word.strip_prefix('@')?)?;
            Some(class.must.iter().chain(&class.may).flat_map(|id| schema.subtypes(*id)).copied().collect())
        }
    }
}

/// What is said of passwords without being one: when it was changed, whether it is locked, and the like.
fn password_state(schema: &Schema) -> AttributeSet {
    let names: HashSet<&str> = HashSet::from(["authTimestamp"]);
    let is_state = |name: &str| name.starts_with("pwd") || names.contains(name);
    let operational = schema.operational().iter().map(|id| schema.attribute_type(id));
    operational.filter(|attribute| is_state(attribute.name())).map(|attribute| attribute.id).collect()
}
