//! By which rule somebody may or may not do something, as `OpenDJ` tells it in `aclRightsInfo`.

use crate::access::{Decider, Decision, Right, Rule};
use crate::directory::entry::encode_values;
use crate::directory::tree::Node;
use crate::directory::{AttributeTypeId, Dn};
use crate::operations::{Context, Refusal};

use super::{AttributeRights, Question, Write};

/// The rights to an entry of which is told, by the names that clients know them by.
const OF_ENTRY: [(&str, Right); 5] = [
    ("add", Right::Add),
    ("delete", Right::Delete),
    ("read", Right::Read),
    ("write", Right::Write),
    ("proxy", Right::Proxy),
];
/// Those to an attribute.
const OF_ATTRIBUTE: [(&str, Right); 4] =
    [("search", Right::Search), ("read", Right::Read), ("compare", Right::Compare), ("write", Right::Write)];

impl Question {
    /// A sentence for each right to the entry and to its attributes.
    pub(super) fn reasons(
        &self,
        ctx: &Context<'_>,
        decider: &mut Decider<'_>,
        (node, decision): (&Node, &Decision),
        attributes: &[(AttributeTypeId, AttributeRights)],
    ) -> Result<Vec<Vec<u8>>, Refusal> {
        let applying = decider.applying(node, ctx.tree)?;
        let rules: Vec<&Rule> = applying.into_iter().filter_map(|position| ctx.rules.get(position)).collect();
        let dn = ctx.tree.dn(node.id)?;
        let about = About {
            rules,
            target: dn.as_deref().map(Dn::as_str).unwrap_or_default(),
            subject: if self.whose.is_anonymous() { "anonymous" } else { self.whose.name() },
        };
        let mut told = Vec::with_capacity(OF_ENTRY.len() + OF_ATTRIBUTE.len() * attributes.len());
        for (word, right) in OF_ENTRY {
            let may = match decision.attributes(right) {
                Some(some) => !some.is_empty(),
                None => decision.allows(right),
            };
            let name = format!("aclRightsInfo;logs;entryLevel;{word}");
            told.push(encode_values(&name, &[about.sentence((word, right), None, may.into())]));
        }
        for (id, rights) in attributes {
            let attribute = ctx.schema().attribute_type(*id).name();
            for (word, right) in OF_ATTRIBUTE {
                let may = if right == Right::Write { rights.write != Write::Nothing } else { rights.see.has(right) };
                let name = format!("aclRightsInfo;logs;attributeLevel;{word};{attribute}");
                told.push(encode_values(&name, &[about.sentence((word, right), Some((*id, attribute)), may.into())]));
            }
        }
        Ok(told)
    }
}

/// Whether somebody may.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Allowed,
    NotAllowed,
}

impl From<bool> for Access {
    fn from(may: bool) -> Self {
        if may { Self::Allowed } else { Self::NotAllowed }
    }
}

/// What is told of: the rules that apply, to whom and to what.
struct About<'t> {
    rules: Vec<&'t Rule>,
    target: &'t str,
    subject: &'t str,
}

impl About<'_> {
    fn sentence(
        &self,
        (word, right): (&str, Right),
        attribute: Option<(AttributeTypeId, &str)>,
        access: Access,
    ) -> String {
        let may = access == Access::Allowed;
        let concerns = |rule: &&&Rule| attribute.is_none_or(|(id, _)| rule.attributes.contains(id));
        let mut concerned = self.rules.iter().filter(concerns);
        let (effect, rule) = if may {
            ("allow", concerned.find(|rule| rule.allow.has(right)))
        } else {
            ("deny", concerned.find(|rule| rule.deny.has(right)))
        };
        let reason = match rule {
            Some(rule) => format!("evaluated {effect} , deciding_aci: {}", rule.name),
            // Of a password it is told who may set it, by rights that have no word here.
            None if may => "evaluated allow".to_owned(),
            None => "no acis matched the subject".to_owned(),
        };
        let not = if may { "" } else { "not " };
        let name = attribute.map_or("NULL", |(_, name)| name);
        let Self { target, subject, .. } = self;
        format!(
            "acl_summary(main): access {not}allowed({word}) on entry/attr({target}, {name}) to ({subject}) (not proxied) \
             ( reason: {reason} )"
        )
    }
}
