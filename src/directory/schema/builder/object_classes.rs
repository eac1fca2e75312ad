//! Object classes, made of their definitions: each behind those that it derives from.

use super::{SchemaError, SchemaErrorKind, Source, attributes, error, names, unique};
use crate::directory::schema::{Names, ObjectClass, ObjectClassId, ObjectClassKind, Schema};

/// Orders object classes so that each stands behind those that it derives from; `names` has those that came before.
pub(super) fn in_order(sources: Vec<Source>, names: &mut Names<()>) -> Result<Vec<Source>, SchemaError> {
    let mut ordered = Vec::new();
    let mut pending = sources;
    while !pending.is_empty() {
        let before = pending.len();
        let (ready, waiting): (Vec<_>, Vec<_>) = pending
            .into_iter()
            .partition(|source| source.definition.all("SUP").iter().all(|name| names.find(name).is_some()));
        if let (Some(source), true) = (waiting.first(), waiting.len() == before) {
            let missing = source.definition.all("SUP").iter().find(|name| names.find(name).is_none());
            let kind = SchemaErrorKind::Undefined("the object class", missing.cloned().unwrap_or_default());
            return Err(error(source, kind));
        }
        for source in ready {
            for name in source.definition.all("NAME").iter().chain([&source.definition.oid]) {
                names.insert(name, ());
            }
            ordered.push(source);
        }
        pending = waiting;
    }
    Ok(ordered)
}

pub(super) fn object_class(source: &Source, schema: &Schema) -> Result<ObjectClass, SchemaErrorKind> {
    let definition = &source.definition;
    let kind = match (definition.has("ABSTRACT"), definition.has("AUXILIARY")) {
        (true, _) => ObjectClassKind::Abstract,
        (_, true) => ObjectClassKind::Auxiliary,
        _ => ObjectClassKind::Structural,
    };
    let id = ObjectClassId(u16::try_from(schema.object_classes.len()).map_err(|_| SchemaErrorKind::TooMany)?);
    let mut lineage = vec![id];
    let mut must = attributes(definition, "MUST", schema)?;
    let mut may = attributes(definition, "MAY", schema)?;
    for name in definition.all("SUP") {
        let parent = schema
            .find_object_class(name)
            .ok_or_else(|| SchemaErrorKind::Undefined("the object class", name.clone()))?;
        if !may_derive(kind, parent.kind) {
            return Err(SchemaErrorKind::BadSuperclass(kind.word(), parent.kind.word()));
        }
        lineage.extend(&parent.lineage);
        must.extend(&parent.must);
        may.extend(&parent.may);
    }
    Ok(ObjectClass {
        id,
        oid: definition.oid.as_str().into(),
        names: names(definition),
        kind,
        lineage: unique(lineage),
        must: unique(must),
        may: unique(may),
        structural_when_alone: definition.is_marked("X-STRUCTURAL-WHEN-ALONE"),
        definition: source.text.as_str().into(),
    })
}

/// RFC 4512 §2.4.
const fn may_derive(kind: ObjectClassKind, parent: ObjectClassKind) -> bool {
    match parent {
        ObjectClassKind::Abstract => true,
        ObjectClassKind::Structural => matches!(kind, ObjectClassKind::Structural),
        ObjectClassKind::Auxiliary => matches!(kind, ObjectClassKind::Auxiliary),
    }
}
