//! References to other servers (RFC 3296): entries that say where others are kept, and where to ask for what is not kept
//! here at all.

use crate::directory::Dn;
use crate::directory::tree::{EntryId, Found, Node, Scope};
use crate::directory::url::LdapUrl;

use super::{Context, Refusal};

impl Context<'_> {
    /// Refers elsewhere a request about an entry that is kept there.
    pub(super) fn divert(&self, name: &[u8]) -> Result<(), Refusal> {
        // What is no name is told by the operation.
        let Ok(dn) = self.parse_dn(name) else { return Ok(()) };
        self.referral_for(&dn, None)?.map_or(Ok(()), Err)
    }

    /// The referral for a name, if it is kept elsewhere; `scope` is that of a search.
    pub(super) fn referral_for(&self, dn: &Dn, scope: Option<Scope>) -> Result<Option<Refusal>, Refusal> {
        match self.tree.find(dn)? {
            Found::Entry(id) | Found::Missing(Some(id)) => self.reference_above(id, dn, scope),
            Found::Missing(None) => Ok(None),
            Found::Outside => Ok(self.default_referral(dn, scope)),
        }
    }

    /// The referral of the entry, or of the nearest one above it that has one.
    fn reference_above(&self, id: EntryId, dn: &Dn, scope: Option<Scope>) -> Result<Option<Refusal>, Refusal> {
        let Some(node) = self.tree.node(id)? else { return Ok(None) };
        if !self.is_reference(&node) || !self.decider().decide(&node, self.tree)?.is_visible() {
            return Ok(None);
        }
        let Some(own) = self.tree.dn(id)? else { return Ok(None) };
        let urls = self.urls(&node).map(|url| continued(url, &own, dn, scope)).collect();
        Ok(Some(Refusal::Referral { matched: own.to_string(), urls }))
    }

    /// The referral of a reference for a name at or below it.
    pub(super) fn referral_of(&self, reference: &Node, dn: &Dn) -> Result<Refusal, Refusal> {
        let own = self.tree.dn(reference.id)?.ok_or(Refusal::Busy)?;
        let urls = self.urls(reference).map(|url| continued(url, &own, dn, None)).collect();
        Ok(Refusal::Referral { matched: own.to_string(), urls })
    }

    /// Where to ask for what is below none of the suffixes.
    fn default_referral(&self, dn: &Dn, scope: Option<Scope>) -> Option<Refusal> {
        let urls = &self.services.referrals;
        let ask = |url: &String| continued(url, &Dn::root(), dn, scope);
        let is_known = !urls.is_empty() && !dn.is_root();
        is_known.then(|| Refusal::Referral { matched: String::new(), urls: urls.iter().map(ask).collect() })
    }

    /// Whether an entry stands for others that are kept elsewhere.
    pub(super) fn is_reference(&self, node: &Node) -> bool {
        let known = self.schema().known();
        let is_referral = |class: &[u8]| class.eq_ignore_ascii_case(b"referral");
        node.entry.has(known.referral) && node.entry.values(known.object_class).any(is_referral)
    }

    fn urls<'n>(&self, node: &'n Node) -> impl Iterator<Item = &'n str> {
        node.entry.values(self.schema().known().referral).filter_map(|url| std::str::from_utf8(url).ok())
    }

    /// Where a search goes on for what is below a reference (RFC 4511 §4.5.3).
    pub(super) fn continuation(&self, node: &Node, scope: Scope) -> Result<Vec<String>, Refusal> {
        let Some(own) = self.tree.dn(node.id)? else { return Ok(Vec::new()) };
        let below = if scope == Scope::SingleLevel { Scope::BaseObject } else { Scope::WholeSubtree };
        Ok(self.urls(node).map(|url| continued(url, &own, &own, Some(below))).collect())
    }
}

/// The URL at which to ask for `target`, given that of what is kept at `reference` (RFC 3296 §5.2). A label that follows
/// the URL is left out, and one that is no LDAP URL stays as it is.
fn continued(url: &str, reference: &Dn, target: &Dn, scope: Option<Scope>) -> String {
    let url = url.split(' ').next().unwrap_or(url);
    let Ok(parsed) = LdapUrl::parse(url) else { return url.to_owned() };
    let below = target.depth().saturating_sub(reference.depth());
    let dn = if parsed.dn.is_empty() {
        target.to_string()
    } else {
        let mut parts: Vec<&str> = target.rdns().take(below).map(|(text, _)| text).collect();
        parts.push(&parsed.dn);
        parts.join(",")
    };
    LdapUrl { dn, scope, filter: None, ..parsed }.to_string()
}
