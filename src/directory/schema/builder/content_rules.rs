//! DIT content rules, made of their definitions.

use super::{SchemaErrorKind, Source, attributes, names, unique};
use crate::directory::schema::{ContentRule, ObjectClassKind, Schema};

pub(super) fn content_rule(source: &Source, schema: &Schema) -> Result<ContentRule, SchemaErrorKind> {
    let definition = &source.definition;
    let find = |name: &str| {
        schema.find_object_class(name).ok_or_else(|| SchemaErrorKind::Undefined("the object class", name.to_owned()))
    };
    let class = find(&definition.oid)?;
    if class.kind != ObjectClassKind::Structural && !class.structural_when_alone {
        return Err(SchemaErrorKind::NotStructural(class.name().to_owned()));
    }
    let mut aux = Vec::new();
    for name in definition.all("AUX") {
        let auxiliary = find(name)?;
        if auxiliary.kind != ObjectClassKind::Auxiliary {
            return Err(SchemaErrorKind::NotAuxiliary(name.clone()));
        }
        aux.extend(&auxiliary.lineage);
    }
    let must = attributes(definition, "MUST", schema)?;
    let not = attributes(definition, "NOT", schema)?;
    if let Some(required) = not.iter().find(|id| class.must.contains(id) || must.contains(id)) {
        return Err(SchemaErrorKind::Required(schema.attribute_type(*required).name().to_owned()));
    }
    Ok(ContentRule {
        class: class.id,
        names: names(definition),
        aux: unique(aux),
        must,
        may: attributes(definition, "MAY", schema)?,
        not,
        definition: source.text.as_str().into(),
    })
}
