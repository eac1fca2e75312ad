//! The groups of groups, where `memberOf` tells these too.

use std::collections::HashSet;
use std::sync::Arc;

use super::Sources;
use crate::directory::Dn;
use crate::directory::tree::Node;
use crate::operations::integrity::MemberOf;
use crate::operations::{Context, Refusal};

/// Nobody is told of more groups, however deep these are nested.
const MOST_GROUPS: usize = 10_000;

impl Context<'_> {
    /// The groups that an entry is in and that the requester may know of; `None` if to find them takes too many steps. What is
    /// in a group that the requester may not know of is not in those which that one is in, as far as they are told.
    pub(super) fn groups_of(
        &self,
        node: &Node,
        dn: &Dn,
        sources: &mut Sources<'_, '_>,
    ) -> Result<Option<Vec<Arc<Dn>>>, Refusal> {
        let Some(mut groups) = self.direct_groups_of(node, dn, sources)? else { return Ok(None) };
        if self.services.integrity.member_of == MemberOf::Direct {
            return Ok(Some(groups));
        }
        let mut seen: HashSet<Box<[u8]>> = groups.iter().map(|group| group.key().into()).collect();
        let mut looked_at = 0;
        while let Some(group) = groups.get(looked_at).cloned() {
            looked_at += 1;
            let Some(id) = self.tree.find(&group)?.entry() else { continue };
            let Some(node) = self.tree.node(id)? else { continue };
            let Some(above) = self.direct_groups_of(&node, &group, sources)? else { return Ok(None) };
            groups.extend(above.into_iter().filter(|group| seen.insert(group.key().into())));
            if groups.len() > MOST_GROUPS {
                return Ok(None);
            }
        }
        Ok(Some(groups))
    }

    fn direct_groups_of(
        &self,
        node: &Node,
        dn: &Dn,
        Sources { decider, groups, steps }: &mut Sources<'_, '_>,
    ) -> Result<Option<Vec<Arc<Dn>>>, Refusal> {
        let Some(mut names) = groups.of(self, dn, decider, steps)? else { return Ok(None) };
        let Some(found) = groups.dynamic_of(self, node, decider, steps)? else { return Ok(None) };
        names.extend(found);
        Ok(Some(names))
    }
}
