//! Values of an attribute that tell of something each and begin with its time. What is stored is looked at only when somebody
//! asks, since every bind reads the account.

use bytes::Bytes;

use crate::directory::entry::EncodedAttribute;
use crate::directory::{AttributeTypeId, Entry};

/// What is stored, and what was added since.
#[derive(Clone, Default)]
pub(super) struct Lines {
    /// The attribute as it is stored.
    stored: Option<Encoded>,
    /// What was added since, oldest first.
    added: Vec<String>,
}

#[derive(Clone)]
struct Encoded {
    attribute_type: AttributeTypeId,
    octets: Bytes,
}

impl Lines {
    /// Reads the attribute of credentials.
    pub(super) fn read(entry: &Entry, attribute_type: AttributeTypeId) -> Self {
        let found = entry.attributes().find(|attribute| attribute.attribute_type == attribute_type);
        let stored = found.map(|found| Encoded { attribute_type, octets: entry.octets().slice_ref(found.octets) });
        Self { stored, added: Vec::new() }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.stored.is_none() && self.added.is_empty()
    }

    pub(super) fn add(&mut self, line: String) {
        self.added.push(line);
    }

    /// All of them, oldest first.
    pub(super) fn all(&self) -> Vec<&str> {
        let stored = self.stored.iter().flat_map(|lines| {
            EncodedAttribute { attribute_type: lines.attribute_type, octets: &lines.octets }.values()
        });
        let stored = stored.filter_map(|value| std::str::from_utf8(value).ok());
        let mut lines: Vec<&str> = stored.chain(self.added.iter().map(String::as_str)).collect();
        // Values of an attribute have no order of their own; each of these begins with its time.
        lines.sort_by_key(|line| line.split([' ', '#']).next());
        lines
    }
}
