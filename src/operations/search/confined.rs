//! What indexes may be asked. The time that a search takes must not tell what the requester could not find: so parts of its filter
//! that they may search nowhere are Undefined (RFC 4511 §4.5.1.7) before any index is asked, and others are looked for where
//! they may be searched alone, as far as rules tell where that is.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use roaring::RoaringBitmap;
use smallvec::SmallVec;

use super::reach::{Base, Reach};
use crate::access::reach::Reach as RuleReach;
use crate::access::searchable::{Among, Area};
use crate::directory::filter::{Matcher, Portion, Region, Selector, Truth};
use crate::directory::schema::AttributeSet;
use crate::directory::tree::Found;
use crate::directory::{AttributeTypeId, Dn};
use crate::operations::{Context, Refusal};

/// So many entries are few: compare the same in plans.
const MOST_NAMED: usize = 32;
/// So often it is looked what stands below an entry, to find out whether these are few.
const MOST_LOOKS: usize = 4 * MOST_NAMED;
/// Of more names, an index is not asked who holds one.
const MOST_NAMES: usize = 16;

/// The filter as indexes are to be asked for it; `None` if as it is.
pub(super) fn confined(ctx: &Context<'_>, matcher: &Matcher, reach: &Reach) -> Result<Option<Matcher>, Refusal> {
    let known = ctx.schema().known();
    let base = match reach.base {
        Base::Entry { id, .. } if reach.also.is_empty() => ctx.tree.dn(id)?,
        _ => None,
    };
    let everywhere = ctx.actor.searches_everywhere(ctx.rules, base.as_ref());
    let mut hidden = matcher.mentioned();
    let asks_for_groups = [known.member_of, known.is_member_of].iter().any(|id| hidden.contains(*id));
    hidden.subtract(&everywhere);
    if hidden.is_empty() && !asks_for_groups {
        return Ok(None);
    }
    let mut confining = Confining { ctx, base, everywhere, known: HashMap::new(), looks: MOST_LOOKS };
    confining.confine(matcher).map(Some)
}

/// The entries in which the requester may search an attribute, and perhaps others, if rules name each of them.
pub(super) fn named_for(ctx: &Context<'_>, attribute: AttributeTypeId) -> Result<Option<RoaringBitmap>, Refusal> {
    let everywhere = ctx.actor.searches_everywhere(ctx.rules, None);
    let mut confining = Confining { ctx, base: None, everywhere, known: HashMap::new(), looks: MOST_LOOKS };
    Ok(match confining.place(&std::iter::once(attribute).collect())? {
        Place::Nowhere => Some(RoaringBitmap::new()),
        Place::Anywhere(_) => None,
        Place::Here(region, _) => {
            region.portions.iter().try_fold(RoaringBitmap::new(), |all, portion| Some(all | portion.among.as_ref()?))
        }
    })
}

impl Place {
    /// Whether rules name each entry of it.
    fn is_named(&self) -> bool {
        match self {
            Self::Nowhere => true,
            Self::Anywhere(_) => false,
            Self::Here(region, _) => region.portions.iter().all(|portion| portion.among.is_some()),
        }
    }
}

struct Confining<'c> {
    ctx: &'c Context<'c>,
    base: Option<Arc<Dn>>,
    everywhere: Arc<AttributeSet>,
    /// Where attributes may be searched.
    known: HashMap<SmallVec<[AttributeTypeId; 4]>, Place>,
    /// How often it may still be looked what stands below an entry.
    looks: usize,
}

/// Where one of some attributes may be searched.
#[derive(Clone, Debug)]
enum Place {
    Nowhere,
    /// As far as is known; these of the attributes alone.
    Anywhere(SmallVec<[AttributeTypeId; 4]>),
    /// Here alone.
    Here(Arc<Region>, SmallVec<[AttributeTypeId; 4]>),
}

impl Confining<'_> {
    fn confine(&mut self, matcher: &Matcher) -> Result<Matcher, Refusal> {
        let undefined = Matcher::Always(Truth::Undefined);
        let mut matcher = match matcher {
            Matcher::And(parts) => return self.all(parts).map(Matcher::And),
            Matcher::Or(parts) => return self.all(parts).map(Matcher::Or),
            // No index knows what holds nothing, so it is never asked.
            Matcher::Not(_) => return Ok(Matcher::Always(Truth::True)),
            Matcher::Equal { selector, raw, .. } if self.is_about_groups(selector) => {
                let needs_group = !self.place(&selector.types)?.is_named();
                if needs_group && !self.may_know_of(raw)? {
                    return Ok(undefined);
                }
                matcher.clone()
            }
            other => other.clone(),
        };
        let Some(selector) = selector_of(&mut matcher) else { return Ok(matcher) };
        Ok(match self.place(&selector.types)? {
            Place::Nowhere => undefined,
            Place::Anywhere(types) => {
                selector.types = types;
                matcher
            }
            Place::Here(region, types) => {
                selector.types = types;
                Matcher::Within(region, Box::new(matcher))
            }
        })
    }

    fn all(&mut self, parts: &[Matcher]) -> Result<Vec<Matcher>, Refusal> {
        parts.iter().map(|part| self.confine(part)).collect()
    }

    fn is_about_groups(&self, selector: &Selector) -> bool {
        let known = self.ctx.schema().known();
        [known.member_of, known.is_member_of].iter().any(|id| selector.types.contains(id))
    }

    /// Whether the requester may know of the group of that name; of others they are not told that somebody is in them.
    fn may_know_of(&self, name: &Bytes) -> Result<bool, Refusal> {
        let dn = std::str::from_utf8(name).ok().and_then(|name| Dn::parse(self.ctx.schema(), name).ok());
        let Some(Found::Entry(id)) = dn.map(|dn| self.ctx.tree.find(&dn)).transpose()? else { return Ok(false) };
        let Some(node) = self.ctx.tree.node(id)? else { return Ok(false) };
        Ok(self.ctx.sight().decide(&node, self.ctx.tree)?.is_visible())
    }

    fn place(&mut self, types: &SmallVec<[AttributeTypeId; 4]>) -> Result<Place, Refusal> {
        if types.iter().all(|id| self.everywhere.contains(*id)) {
            return Ok(Place::Anywhere(types.clone()));
        }
        if let Some(known) = self.known.get(types) {
            return Ok(known.clone());
        }
        let place = self.find_place(types)?;
        self.known.insert(types.clone(), place.clone());
        Ok(place)
    }

    fn find_place(&mut self, types: &[AttributeTypeId]) -> Result<Place, Refusal> {
        let base = self.base.clone();
        let base = base.as_deref();
        let searchable = self.ctx.actor.searchable(self.ctx.rules, base, &types.iter().copied().collect());
        let types = types.iter().copied().filter(|id| searchable.attributes.contains(*id)).collect();
        if searchable.areas.is_empty() {
            return Ok(Place::Nowhere);
        }
        let mut region = Region::default();
        for area in &searchable.areas {
            let portion = self.portion(area)?;
            if area.is_all_below(base) || portion.is_anywhere() {
                return Ok(Place::Anywhere(types));
            }
            region.portions.push(portion);
        }
        Ok(Place::Here(Arc::new(region), types))
    }

    fn portion(&mut self, area: &Area<'_>) -> Result<Portion, Refusal> {
        let mut portion = Portion { among: None, matching: area.filter.cloned().into_iter().collect() };
        match area.among {
            Among::All => {}
            Among::Own => portion.among = Some(self.own()?),
            Among::Holding(attribute) => portion.matching.extend(self.holding_a_name(attribute)),
        }
        // Whoever is the only one to be looked at need not be looked for.
        if area.among != Among::Own {
            portion.among = self.few(area.reach)?;
        }
        Ok(portion)
    }

    /// The entries that a rule names, if they are few.
    fn few(&mut self, reach: &RuleReach) -> Result<Option<RoaringBitmap>, Refusal> {
        let Some(top) = reach.base() else { return Ok(None) };
        let Some(top) = self.ctx.tree.find(top)?.entry() else { return Ok(Some(RoaringBitmap::new())) };
        let mut found = RoaringBitmap::new();
        if matches!(reach, RuleReach::Entry(_) | RuleReach::Subtree(_)) {
            found.insert(top.0);
        }
        let mut pending = if matches!(reach, RuleReach::Entry(_)) { Vec::new() } else { vec![top] };
        while let Some(at) = pending.pop() {
            let Some(left) = self.looks.checked_sub(1) else { return Ok(None) };
            self.looks = left;
            let below = self.ctx.tree.some_children(at, MOST_NAMED + 1)?;
            found.extend(below.iter().map(|id| id.0));
            if found.len() > MOST_NAMED as u64 {
                return Ok(None);
            }
            if !matches!(reach, RuleReach::Children(_)) {
                pending.extend(below);
            }
        }
        Ok(Some(found))
    }

    fn own(&self) -> Result<RoaringBitmap, Refusal> {
        let id = match self.ctx.actor.identity.uuid() {
            Some(uuid) => self.ctx.tree.find_uuid(uuid)?,
            None => None,
        };
        Ok(id.map(|id| id.0).into_iter().collect())
    }

    /// That an attribute holds what the requester, or a group of theirs, is called.
    fn holding_a_name(&self, attribute: AttributeTypeId) -> Option<Matcher> {
        let form = self.ctx.schema().attribute_type(attribute).equality_or_fallback().normal_form();
        let names = self.ctx.actor.names();
        (names.clone().count() <= MOST_NAMES).then(|| {
            let holds = |name: &[u8]| Matcher::Equal {
                selector: Selector { types: std::iter::once(attribute).collect(), options: "".into() },
                form,
                normal: name.to_vec(),
                raw: Bytes::new(),
            };
            Matcher::Or(names.map(holds).collect())
        })
    }
}

/// The attributes that a part of a filter looks at, which is about nothing else.
fn selector_of(matcher: &mut Matcher) -> Option<&mut Selector> {
    match matcher {
        Matcher::Present(selector)
        | Matcher::Equal { selector, .. }
        | Matcher::AtLeast(selector, ..)
        | Matcher::AtMost(selector, ..)
        | Matcher::Pieces(selector, ..)
        | Matcher::Word(selector, _)
        | Matcher::Bits { selector, .. } => Some(selector),
        // The others are not looked for by what attributes hold.
        Matcher::And(_)
        | Matcher::Or(_)
        | Matcher::Not(_)
        | Matcher::InName(..)
        | Matcher::InChain(_)
        | Matcher::Within(..)
        | Matcher::Always(_) => None,
    }
}
