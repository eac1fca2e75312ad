//! Attributes and the descriptions that name them (RFC 4512 §2.5).

use std::borrow::Cow;

use super::Schema;
use super::schema::AttributeTypeId;

/// An attribute description: a type and options such as `;lang-en` or `;binary`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct AttributeDescription {
    /// The type.
    pub attribute_type: AttributeTypeId,
    /// Each option with a `;` in front, lower-cased, sorted, without repetition; empty for most.
    options: Box<str>,
}

impl AttributeDescription {
    /// The description of a type without options.
    pub fn plain(attribute_type: AttributeTypeId) -> Self {
        Self { attribute_type, options: "".into() }
    }

    /// Reads a description such as `cn;lang-en`; `None` if the type is not in the schema or an option is malformed. The option
    /// `binary` belongs to certificates and their like, with or without being written; to other types it is unknown
    /// (RFC 4522 §3).
    pub fn parse(schema: &Schema, text: &str) -> Option<Self> {
        let (name, options) = text.split_once(';').map_or((text, None), |(name, options)| (name, Some(options)));
        let defined = schema.find_attribute_type(name)?;
        let options = match (options, defined.syntax.is_binary()) {
            (None, false) => "".into(),
            (None, true) => BINARY.into(),
            (Some(options), true) => normal_options(&format!("{options}{BINARY}"))?.into_boxed_str(),
            (Some(options), false) => {
                let options = normal_options(options)?.into_boxed_str();
                if has_options(&options, BINARY) {
                    return None;
                }
                options
            }
        };
        Some(Self { attribute_type: defined.id, options })
    }

    /// This description with options that are known to be in their normal form.
    #[must_use]
    pub(super) fn with_normal_options(mut self, options: &str) -> Self {
        self.options = options.into();
        self
    }

    /// The options, each with a `;` in front.
    pub fn options(&self) -> &str {
        &self.options
    }

    /// Whether an option ends with `-`, and so stands for all that it begins (RFC 3866 §2.1).
    pub fn is_range(&self) -> bool {
        self.options.split(';').any(|option| option.ends_with('-'))
    }

    /// The options by which the attribute differs from others of its type: what all have is left out.
    pub fn telling_options(&self, schema: &Schema) -> Cow<'_, str> {
        if schema.attribute_type(self.attribute_type).syntax.is_binary() {
            Cow::Owned(self.options.replacen(BINARY, "", 1))
        } else {
            Cow::Borrowed(&self.options)
        }
    }

    /// As answers carry it: the schema's spelling of the name, and the options.
    pub fn to_text<'s>(&self, schema: &'s Schema) -> Cow<'s, str> {
        let name = schema.attribute_type(self.attribute_type).name();
        if self.options.is_empty() { Cow::Borrowed(name) } else { Cow::Owned(format!("{name}{}", self.options)) }
    }

    /// Whether this is the attribute that `asked` describes, or a subtype of it (RFC 4512 §2.5.1): its type is the same
    /// or derives from it, and it has at least its options.
    pub fn is_subtype_of(&self, asked: &Self, schema: &Schema) -> bool {
        let derives = self.attribute_type == asked.attribute_type
            || schema.subtypes(asked.attribute_type).contains(&self.attribute_type);
        derives && has_options(&self.options, &asked.options)
    }
}

/// RFC 4522.
const BINARY: &str = ";binary";

/// Whether `options` include all of `asked`. An option that ends with `-` asks for every one that it begins
/// (RFC 3866 §2.1).
pub fn has_options(options: &str, asked: &str) -> bool {
    let mut wanted = asked.split(';').filter(|option| !option.is_empty());
    wanted.all(|wanted| {
        options.split(';').any(|option| match wanted.strip_suffix('-') {
            Some(range) => option == range || option.starts_with(wanted),
            None => option == wanted,
        })
    })
}

fn normal_options(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let mut options: Vec<&str> = lower.split(';').collect();
    let well_formed = |option: &&str| {
        !option.is_empty() && option.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
    };
    if !options.iter().all(well_formed) {
        return None;
    }
    options.sort_unstable();
    options.dedup();
    Some(options.iter().flat_map(|option| [";", option]).collect())
}

/// An attribute: a description and its values, in the order in which they came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attribute {
    /// What it is.
    pub description: AttributeDescription,
    /// What it says; never empty in an entry.
    pub values: Vec<Vec<u8>>,
}

/// The attributes of an entry, taken apart to be changed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Attributes(Vec<Attribute>);

impl Attributes {
    /// None yet.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Attribute> {
        self.0.iter()
    }

    /// The attribute of exactly that description.
    pub fn get(&self, description: &AttributeDescription) -> Option<&Attribute> {
        self.0.iter().find(|attribute| attribute.description == *description)
    }

    /// The values of the type without options.
    pub fn values(&self, attribute_type: AttributeTypeId) -> &[Vec<u8>] {
        self.plain(attribute_type).map(|attribute| attribute.values.as_slice()).unwrap_or_default()
    }

    /// The first value of the type without options.
    pub fn first(&self, attribute_type: AttributeTypeId) -> Option<&[u8]> {
        self.values(attribute_type).first().map(Vec::as_slice)
    }

    fn plain(&self, attribute_type: AttributeTypeId) -> Option<&Attribute> {
        let is_it = |a: &&Attribute| a.description.attribute_type == attribute_type && a.description.options.is_empty();
        self.0.iter().find(is_it)
    }

    /// Whether there is an attribute of the type, with whatever options.
    pub fn has(&self, attribute_type: AttributeTypeId) -> bool {
        self.0.iter().any(|attribute| attribute.description.attribute_type == attribute_type)
    }

    /// The values of that description, to be changed; made if there are none. Call [`Attributes::prune`] afterwards if
    /// they may have become none again.
    pub fn values_mut(&mut self, description: &AttributeDescription) -> &mut Vec<Vec<u8>> {
        let found = self.0.iter().position(|attribute| attribute.description == *description);
        let at = found.unwrap_or(self.0.len());
        if found.is_none() {
            self.0.push(Attribute { description: description.clone(), values: Vec::new() });
        }
        #[expect(clippy::indexing_slicing, reason = "the position was found or made above")]
        &mut self.0[at].values
    }

    /// Sets the values of a type without options; no values remove it.
    pub fn set(&mut self, attribute_type: AttributeTypeId, values: Vec<Vec<u8>>) {
        *self.values_mut(&AttributeDescription::plain(attribute_type)) = values;
        self.prune();
    }

    /// Sets the only value of a type without options.
    pub fn set_one(&mut self, attribute_type: AttributeTypeId, value: impl Into<Vec<u8>>) {
        self.set(attribute_type, vec![value.into()]);
    }

    /// Removes every attribute of the type.
    pub fn remove(&mut self, attribute_type: AttributeTypeId) {
        self.0.retain(|attribute| attribute.description.attribute_type != attribute_type);
    }

    /// Removes attributes that have no values left.
    pub fn prune(&mut self) {
        self.0.retain(|attribute| !attribute.values.is_empty());
    }

    /// Appends an attribute without looking whether there is one of its description.
    pub fn push(&mut self, attribute: Attribute) {
        self.0.push(attribute);
    }

    /// Splits off the attributes whose type `belongs` elsewhere.
    #[must_use]
    pub fn split_off(&mut self, belongs: impl Fn(AttributeTypeId) -> bool) -> Self {
        let (gone, kept) = std::mem::take(&mut self.0)
            .into_iter()
            .partition(|attribute| belongs(attribute.description.attribute_type));
        self.0 = kept;
        Self(gone)
    }
}

impl FromIterator<Attribute> for Attributes {
    fn from_iter<I: IntoIterator<Item = Attribute>>(attributes: I) -> Self {
        Self(attributes.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_compare_without_case_and_order_of_options() {
        let schema = Schema::standard();
        let one = schema.describe("CN;lang-en;X-Bold").unwrap();
        assert_eq!(Some(&one), schema.describe("commonName;x-bold;lang-EN;x-bold").as_ref());
        assert_eq!(one.to_text(&schema), "cn;lang-en;x-bold");
        assert_eq!(Some(&one), schema.describe("2.5.4.3;x-bold;lang-en").as_ref());
    }

    #[test]
    fn a_certificate_is_one_attribute_with_and_without_binary() {
        let schema = Schema::standard();
        for name in ["userCertificate", "cACertificate", "certificateRevocationList", "userSMIMECertificate"] {
            let plain = schema.describe(name).unwrap();
            assert_eq!(plain.to_text(&schema), format!("{name};binary"));
            assert_eq!(schema.describe(&format!("{name};BINARY")), Some(plain.clone()));
            assert_eq!(plain.telling_options(&schema), "");
        }
        let tagged = schema.describe("userCertificate;lang-en").unwrap();
        assert_eq!(tagged.to_text(&schema), "userCertificate;binary;lang-en");
        assert_eq!(tagged.telling_options(&schema), ";lang-en");
        for other in ["cn;binary", "jpegPhoto;binary", "member;x-a;binary"] {
            assert_eq!(schema.describe(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_no_description_is_refused() {
        let schema = Schema::standard();
        for bad in ["", "nosuch", "cn;", "cn;a b", "cn;;x", "1.2.3.4", "userCertificate;", "userCertificate;;x"] {
            assert_eq!(schema.describe(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_subtype_has_the_type_or_derives_from_it_and_has_the_options() {
        let schema = Schema::standard();
        let is = |text: &str, asked: &str| {
            schema.describe(text).unwrap().is_subtype_of(&schema.describe(asked).unwrap(), &schema)
        };
        assert!(is("cn", "name") && is("cn;lang-en", "cn") && is("sn;lang-en;x-a", "name;x-a"));
        assert!(!is("name", "cn") && !is("cn", "cn;lang-en") && !is("cn", "sn"));
        assert!(is("cn;lang-en-us", "cn;lang-en-") && is("cn;lang-en", "cn;lang-en-"));
        assert!(!is("cn;lang-enx", "cn;lang-en-"));
    }
}
