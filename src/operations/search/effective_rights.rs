//! What somebody may do with each entry that a search finds, in the letters of 389 Directory Server.
//!
//! `entryLevelRights` has `v` to see that it exists, `a` to add, `d` to delete and `n` to rename it. `attributeLevelRights`
//! has for each attribute `r` to read, `s` to search, `c` to compare, `w` to write and `o` to delete values, and `W` and `O`
//! where that holds for some values only. `aclRights` says the same as `OpenDJ` does, and `aclRightsInfo` by which rule, if
//! they are asked for by their names.

mod barred;
mod reasons;

use barred::Barred;
use bytes::Bytes;

use crate::access::values::Effect;
use crate::access::work::{Budget, Stopped};
use crate::access::{Actor, Decider, Decision, Right, Rights, escalation};
use crate::directory::entry::encode_values;
use crate::directory::filter::Steps;
use crate::directory::schema::{AttributeSet, Schema};
use crate::directory::tree::Node;
use crate::directory::{AttributeTypeId, Entry, Identity};
use crate::operations::login_name::UserName;
use crate::operations::{Context, Refusal, approval};
use crate::protocol::control::EffectiveRights;

/// A question what somebody may do, which the requester may ask.
#[derive(Clone, Debug)]
pub(super) struct Question {
    whose: Identity,
    attributes: Wanted,
    form: Form,
}

/// With which attributes.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Wanted {
    /// With those that the entry has, as far as the requester may know of them.
    Present,
    /// With those that its classes allow it to have.
    Allowed,
    /// With these.
    These(AttributeSet),
}

/// How the answer is written, besides in letters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Form {
    /// As `aclRights`.
    words: Told,
    /// As `aclRightsInfo`, which names the rules.
    reasons: Told,
}

/// Whether something is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Told {
    Yes,
    No,
}

impl From<bool> for Told {
    fn from(wanted: bool) -> Self {
        if wanted { Self::Yes } else { Self::No }
    }
}

impl Question {
    /// Reads a question. Everybody may ask about themselves, and about those who have not authenticated; about others,
    /// whoever has the right `explain` to them.
    pub(super) fn read(ctx: &Context<'_>, asked: &EffectiveRights, list: &[Bytes]) -> Result<Self, Refusal> {
        let whose = whose(ctx, &asked.authz_id)?;
        let has = |word: &[u8]| asked.attributes.iter().chain(list).any(|name| name.eq_ignore_ascii_case(word));
        let listed = asked.attributes.iter().chain(list).filter_map(|name| std::str::from_utf8(name).ok());
        let described = listed.filter_map(|name| ctx.schema().describe(name));
        let mut named: AttributeSet = described.map(|description| description.attribute_type).collect();
        named.subtract(&ours(ctx.schema()));
        let attributes = if has(b"*") {
            Wanted::Allowed
        } else if named.is_empty() {
            Wanted::Present
        } else {
            Wanted::These(named)
        };
        let is_own = whose == ctx.requester.identity;
        let form = Form {
            words: has(b"aclRights").into(),
            // What rules are called is for those who may ask about others.
            reasons: (has(b"aclRightsInfo") && (!is_own || explains_oneself(ctx)?)).into(),
        };
        Ok(Self { whose, attributes, form })
    }

    /// Whose rights are asked for, with the groups that they are in now, from where the requester asks.
    pub(super) fn subject(&self, ctx: &Context<'_>) -> Result<Actor, Refusal> {
        let circumstances = ctx.requester.circumstances(ctx.now);
        Ok(Actor::find(self.whose.clone(), &circumstances, ctx.rules, ctx.tree)?)
    }

    /// The answer for one entry, as attributes; `known` is what the requester may see of it. `None` if that takes too many
    /// steps.
    pub(super) fn answer(
        &self,
        ctx: &Context<'_>,
        decider: &mut Decider<'_>,
        (node, known): (&Node, &Decision),
        steps: &mut Steps,
    ) -> Result<Option<Vec<Vec<u8>>>, Refusal> {
        let schema = ctx.schema();
        let decision = decider.decide(node, ctx.tree)?;
        let budget = Budget::new(steps.left());
        let may_set = may_set_password(ctx, decider.actor(), (node, &decision), &budget);
        let asked = self.attributes(node, known, schema);
        let barred = Barred::find(ctx, decider.actor(), (node, &decision), &asked, &budget);
        if steps.take(budget.taken()).is_none() {
            return Ok(None);
        }
        let (may_set, barred) = match may_set.and_then(|may_set| Ok((may_set, barred?))) {
            Ok(found) => found,
            Err(Stopped::Tree(error)) => return Err(error.into()),
            Err(Stopped::Spent) => return Ok(None),
        };
        let may_set = may_set && sets_alone(ctx, &decider.actor().identity, node)?;
        let password = if may_set { Write::AllValues } else { Write::Nothing };
        let of = |id| {
            let rights = AttributeRights::of(id, &decision, password, schema);
            if barred.writes(id) { AttributeRights { write: Write::Nothing, ..rights } } else { rights }
        };
        let rights: Vec<(AttributeTypeId, AttributeRights)> = asked.iter().map(|id| (id, of(id))).collect();
        let letters =
            rights.iter().map(|(id, rights)| format!("{}:{}", schema.attribute_type(*id).name(), rights.letters()));
        let mut answer = vec![
            encode_values("entryLevelRights", &[entry_letters(&decision, &barred)]),
            encode_values("attributeLevelRights", &[letters.collect::<Vec<_>>().join(", ")]),
        ];
        if self.form.words == Told::Yes {
            answer.push(encode_values("aclRights;entryLevel", &[entry_words(&decision, &barred)]));
            answer.extend(rights.iter().map(|(id, rights)| {
                let name = format!("aclRights;attributeLevel;{}", schema.attribute_type(*id).name());
                encode_values(&name, &[rights.words(&decision)])
            }));
        }
        if self.form.reasons == Told::Yes {
            let told = self.reasons(ctx, decider, (node, &decision), &rights)?;
            if steps.take(told.len() as u64 * (1 + ctx.rules.iter().len() as u64 / 32)).is_none() {
                return Ok(None);
            }
            answer.extend(told);
        }
        Ok(Some(answer))
    }

    fn attributes(&self, node: &Node, known: &Decision, schema: &Schema) -> AttributeSet {
        match &self.attributes {
            Wanted::These(named) => named.clone(),
            Wanted::Present => {
                let mut knowable = known.read.clone();
                knowable.union(&known.search);
                let present = node.entry.attributes().map(|attribute| attribute.attribute_type);
                present.filter(|id| knowable.contains(*id)).collect()
            }
            Wanted::Allowed => allowed(&node.entry, schema),
        }
    }
}

fn whose(ctx: &Context<'_>, authz_id: &[u8]) -> Result<Identity, Refusal> {
    match authz_id {
        b"" => return Ok(ctx.requester.identity.clone()),
        b"dn:" => return Ok(Identity::Anonymous),
        _ => {}
    }
    let denied = || Refusal::InsufficientAccess("you may not ask what others may do");
    let user = UserName::read_authz_id(authz_id, ctx).ok_or(Refusal::Protocol("this is no authorization identity"))?;
    let found = user.find(ctx)?.map(|id| ctx.target_by_id(id)).transpose()?.flatten();
    let target = found.ok_or_else(denied)?;
    let is_own = ctx.requester.identity.uuid() == Some(target.node.uuid);
    if !is_own && !target.decision.allows(Right::Explain) {
        return Err(denied());
    }
    Ok(Identity::Entry { uuid: target.node.uuid, dn: target.dn })
}

/// Whether the requester may be told by which rules they may what they may.
fn explains_oneself(ctx: &Context<'_>) -> Result<bool, Refusal> {
    match &ctx.requester.identity {
        Identity::LocalRoot => Ok(true),
        Identity::Anonymous => Ok(false),
        Identity::Entry { dn, .. } => Ok(ctx.target(dn)?.decision.allows(Right::Explain)),
    }
}

/// What the answer itself consists of.
fn ours(schema: &Schema) -> AttributeSet {
    let names = ["entryLevelRights", "attributeLevelRights", "aclRights", "aclRightsInfo"];
    names.iter().filter_map(|name| schema.find_attribute_type(name)).map(|attribute| attribute.id).collect()
}

/// The attributes that the classes of an entry allow.
fn allowed(entry: &Entry, schema: &Schema) -> AttributeSet {
    let names = entry.values(schema.known().object_class).filter_map(|name| std::str::from_utf8(name).ok());
    let classes = names.filter_map(|name| schema.find_object_class(name));
    classes.flat_map(|class| class.must.iter().chain(&class.may)).copied().collect()
}

/// Whether somebody may set the password of an entry: their own by knowing it, that of others by resetting it.
fn may_set_password(
    ctx: &Context<'_>,
    actor: &Actor,
    (node, decision): (&Node, &Decision),
    budget: &Budget,
) -> Result<bool, Stopped> {
    if actor.identity.uuid() == Some(node.uuid) {
        return Ok(decision.allows(Right::ChangePassword));
    }
    if !decision.allows(Right::ResetPassword) {
        return Ok(false);
    }
    let Some(dn) = ctx.tree.dn(node.id)? else { return Ok(false) };
    Ok(escalation::exceeds_within((node.uuid, &dn), actor, ctx.rules, ctx.tree, budget)?.is_none())
}

/// Whether that takes nobody else.
fn sets_alone(ctx: &Context<'_>, whose: &Identity, node: &Node) -> Result<bool, Refusal> {
    match ctx.target_by_id(node.id)? {
        Some(target) => approval::needs_nobody_else(ctx, whose, &target),
        None => Ok(false),
    }
}

fn entry_letters(decision: &Decision, barred: &Barred) -> String {
    let may = |right| decision.allows(right) && !barred.has(right);
    let letters = [
        ('v', decision.is_visible()),
        ('a', decision.allows(Right::Add)),
        ('d', may(Right::Delete)),
        ('n', may(Right::Rename)),
    ];
    granted(&letters)
}

fn entry_words(decision: &Decision, barred: &Barred) -> String {
    let (read, write) = (!decision.read.is_empty(), !decision.write.is_empty() || !decision.limited.is_empty());
    flags(&[
        ("add", decision.allows(Right::Add)),
        ("delete", decision.allows(Right::Delete) && !barred.has(Right::Delete)),
        ("read", read),
        ("write", write),
        ("proxy", decision.allows(Right::Proxy)),
    ])
}

/// What somebody may do with one attribute of one entry.
#[derive(Clone, Copy, Debug)]
struct AttributeRights {
    /// Of the rights to read, search and compare it, those that they have.
    see: Rights,
    write: Write,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Write {
    Nothing,
    SomeValues,
    AllValues,
}

impl AttributeRights {
    fn of(id: AttributeTypeId, decision: &Decision, password: Write, schema: &Schema) -> Self {
        let sets =
            [(Right::Read, &decision.read), (Right::Search, &decision.search), (Right::Compare, &decision.compare)];
        let see = sets.into_iter().filter(|(_, set)| set.contains(id)).map(|(right, _)| right).collect();
        let some_values = decision.limited.iter().any(|limited| limited.concerns(id, Effect::Grant));
        let write = match id {
            id if id == schema.known().user_password => password,
            id if decision.write.contains(id) => Write::AllValues,
            _ if some_values => Write::SomeValues,
            _ => Write::Nothing,
        };
        Self { see, write }
    }

    fn letters(self) -> String {
        let (all, some) = (self.write == Write::AllValues, self.write == Write::SomeValues);
        let see = [('r', Right::Read), ('s', Right::Search), ('c', Right::Compare)]
            .map(|(letter, it)| (letter, self.see.has(it)));
        granted(&[&see[..], &[('w', all), ('o', all), ('W', some), ('O', some)]].concat())
    }

    fn words(self, decision: &Decision) -> String {
        let some = self.write == Write::SomeValues;
        flags(&[
            ("search", self.see.has(Right::Search)),
            ("read", self.see.has(Right::Read)),
            ("compare", self.see.has(Right::Compare)),
            ("write", self.write == Write::AllValues),
            ("selfwrite_add", some),
            ("selfwrite_delete", some),
            ("proxy", decision.allows(Right::Proxy)),
        ])
    }
}

fn granted(letters: &[(char, bool)]) -> String {
    let granted: String = letters.iter().filter(|(_, has)| *has).map(|(letter, _)| letter).collect();
    if granted.is_empty() { "none".to_owned() } else { granted }
}

fn flags(words: &[(&str, bool)]) -> String {
    let flag = |(word, has): &(&str, bool)| format!("{word}:{}", u8::from(*has));
    words.iter().map(flag).collect::<Vec<_>>().join(",")
}
