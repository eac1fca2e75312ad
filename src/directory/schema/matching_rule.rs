//! The matching rules (RFC 4517 §4.2, and those that common schemas add).

use super::attribute_type::AttributeType;
use super::normal_form::NormalForm;

/// What an attribute type uses a rule for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RuleKind {
    /// `(a=v)`, compare, adding and deleting values.
    Equality,
    /// `(a>=v)`, `(a<=v)` and sorting.
    Ordering,
    /// `(a=x*y*z)`.
    Substring,
    /// Only in extensible filters.
    Extensible,
}

/// What an extensible-only rule tests.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Special {
    /// Nothing special: equal normal forms.
    Plain,
    /// One of the words of the value is the asserted one (RFC 4517 §4.2.33).
    Word,
    /// All asserted bits are set (MS-ADTS 3.1.1.3.4.4.1).
    BitAnd,
    /// One of the asserted bits is set (MS-ADTS 3.1.1.3.4.4.2).
    BitOr,
    /// The name, or one that it is nested in (MS-ADTS 3.1.1.3.4.4.3).
    InChain,
}

macro_rules! matching_rules {
    ($($variant:ident = $oid:literal, $name:literal, $syntax:literal, $kind:ident, $form:ident $(, $special:ident)?;)*) => {
        /// A matching rule.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum MatchingRule { $(#[doc = concat!("`", $name, "`")] $variant,)* }

        impl MatchingRule {
            /// Every rule, in the order of their names' publication.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The object identifier.
            pub const fn oid(self) -> &'static str {
                match self { $(Self::$variant => $oid,)* }
            }

            /// The name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The syntax of an assertion, behind `1.3.6.1.4.1.1466.115.121.1.` where it is a bare number.
            const fn assertion_syntax(self) -> &'static str {
                match self { $(Self::$variant => $syntax,)* }
            }

            /// What attribute types use it for.
            pub const fn kind(self) -> RuleKind {
                match self { $(Self::$variant => RuleKind::$kind,)* }
            }

            /// How it compares.
            pub const fn normal_form(self) -> NormalForm {
                match self { $(Self::$variant => NormalForm::$form,)* }
            }

            /// What it tests besides equal normal forms.
            pub const fn special(self) -> Special {
                match self { $(Self::$variant => matching_rules!(@special $($special)?),)* }
            }
        }
    };
    (@special) => { Special::Plain };
    (@special $special:ident) => { Special::$special };
}

matching_rules! {
    ObjectIdentifier = "2.5.13.0", "objectIdentifierMatch", "38", Equality, Oid;
    DistinguishedName = "2.5.13.1", "distinguishedNameMatch", "12", Equality, Dn;
    CaseIgnore = "2.5.13.2", "caseIgnoreMatch", "15", Equality, CaseIgnore;
    CaseIgnoreOrdering = "2.5.13.3", "caseIgnoreOrderingMatch", "15", Ordering, CaseIgnore;
    CaseIgnoreSubstrings = "2.5.13.4", "caseIgnoreSubstringsMatch", "58", Substring, CaseIgnore;
    CaseExact = "2.5.13.5", "caseExactMatch", "15", Equality, CaseExact;
    CaseExactOrdering = "2.5.13.6", "caseExactOrderingMatch", "15", Ordering, CaseExact;
    CaseExactSubstrings = "2.5.13.7", "caseExactSubstringsMatch", "58", Substring, CaseExact;
    NumericString = "2.5.13.8", "numericStringMatch", "36", Equality, Numeric;
    NumericStringOrdering = "2.5.13.9", "numericStringOrderingMatch", "36", Ordering, Numeric;
    NumericStringSubstrings = "2.5.13.10", "numericStringSubstringsMatch", "58", Substring, Numeric;
    CaseIgnoreList = "2.5.13.11", "caseIgnoreListMatch", "41", Equality, CaseIgnoreList;
    CaseIgnoreListSubstrings = "2.5.13.12", "caseIgnoreListSubstringsMatch", "58", Substring, CaseIgnoreList;
    Boolean = "2.5.13.13", "booleanMatch", "7", Equality, Boolean;
    Integer = "2.5.13.14", "integerMatch", "27", Equality, Integer;
    IntegerOrdering = "2.5.13.15", "integerOrderingMatch", "27", Ordering, Integer;
    BitString = "2.5.13.16", "bitStringMatch", "6", Equality, BitString;
    OctetString = "2.5.13.17", "octetStringMatch", "40", Equality, Octets;
    OctetStringOrdering = "2.5.13.18", "octetStringOrderingMatch", "40", Ordering, Octets;
    OctetStringSubstrings = "2.5.13.19", "octetStringSubstringsMatch", "58", Substring, Octets;
    TelephoneNumber = "2.5.13.20", "telephoneNumberMatch", "50", Equality, Telephone;
    TelephoneNumberSubstrings = "2.5.13.21", "telephoneNumberSubstringsMatch", "58", Substring, Telephone;
    UniqueMember = "2.5.13.23", "uniqueMemberMatch", "34", Equality, NameAndUid;
    ProtocolInformation = "2.5.13.24", "protocolInformationMatch", "42", Equality, Octets;
    GeneralizedTime = "2.5.13.27", "generalizedTimeMatch", "24", Equality, Time;
    GeneralizedTimeOrdering = "2.5.13.28", "generalizedTimeOrderingMatch", "24", Ordering, Time;
    IntegerFirstComponent = "2.5.13.29", "integerFirstComponentMatch", "27", Equality, IntegerFirstComponent;
    ObjectIdentifierFirstComponent =
        "2.5.13.30", "objectIdentifierFirstComponentMatch", "38", Equality, OidFirstComponent;
    DirectoryStringFirstComponent =
        "2.5.13.31", "directoryStringFirstComponentMatch", "15", Equality, TextFirstComponent;
    Word = "2.5.13.32", "wordMatch", "15", Extensible, CaseIgnore, Word;
    Keyword = "2.5.13.33", "keywordMatch", "15", Extensible, CaseIgnore, Word;
    CertificateExact = "2.5.13.34", "certificateExactMatch", "1.3.6.1.1.15.1", Equality, CertificateExact;
    Certificate = "2.5.13.35", "certificateMatch", "1.3.6.1.1.15.2", Equality, Der;
    CertificatePairExact = "2.5.13.36", "certificatePairExactMatch", "1.3.6.1.1.15.3", Equality, Der;
    CertificatePair = "2.5.13.37", "certificatePairMatch", "1.3.6.1.1.15.4", Equality, Der;
    CertificateListExact = "2.5.13.38", "certificateListExactMatch", "1.3.6.1.1.15.5", Equality, Der;
    CertificateList = "2.5.13.39", "certificateListMatch", "1.3.6.1.1.15.6", Equality, Der;
    AlgorithmIdentifier = "2.5.13.40", "algorithmIdentifierMatch", "1.3.6.1.1.15.7", Equality, Der;
    CaseExactIa5 = "1.3.6.1.4.1.1466.109.114.1", "caseExactIA5Match", "26", Equality, CaseExact;
    CaseIgnoreIa5 = "1.3.6.1.4.1.1466.109.114.2", "caseIgnoreIA5Match", "26", Equality, CaseIgnore;
    CaseIgnoreIa5Substrings =
        "1.3.6.1.4.1.1466.109.114.3", "caseIgnoreIA5SubstringsMatch", "58", Substring, CaseIgnore;
    CaseExactIa5Substrings =
        "1.3.6.1.4.1.4203.1.2.1", "caseExactIA5SubstringsMatch", "58", Substring, CaseExact;
    AuthPasswordExact = "1.3.6.1.4.1.4203.1.2.2", "authPasswordExactMatch", "40", Equality, Octets;
    AuthPassword = "1.3.6.1.4.1.4203.1.2.3", "authPasswordMatch", "40", Extensible, Octets;
    Uuid = "1.3.6.1.1.16.2", "uuidMatch", "1.3.6.1.1.16.1", Equality, Uuid;
    UuidOrdering = "1.3.6.1.1.16.3", "uuidOrderingMatch", "1.3.6.1.1.16.1", Ordering, Uuid;
    Csn = "1.3.6.1.4.1.4203.666.11.2.2", "CSNMatch", "1.3.6.1.4.1.4203.666.11.2.1", Equality, Csn;
    CsnOrdering = "1.3.6.1.4.1.4203.666.11.2.3", "CSNOrderingMatch", "1.3.6.1.4.1.4203.666.11.2.1", Ordering, Csn;
    CsnSid = "1.3.6.1.4.1.4203.666.11.2.5", "CSNSIDMatch", "1.3.6.1.4.1.4203.666.11.2.4", Equality, CsnSid;
    BitAnd = "1.2.840.113556.1.4.803", "integerBitAndMatch", "27", Extensible, Integer, BitAnd;
    BitOr = "1.2.840.113556.1.4.804", "integerBitOrMatch", "27", Extensible, Integer, BitOr;
    InChain = "1.2.840.113556.1.4.1941", "distinguishedNameInChainMatch", "12", Extensible, Dn, InChain;
}

impl MatchingRule {
    /// The rule of that name (in any case) or object identifier.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.name().eq_ignore_ascii_case(name) || rule.oid() == name)
    }

    /// Whether values of the attribute's syntax can be compared by the rule (RFC 4512 §4.1.4): the rule is its own, or of
    /// the same make.
    pub fn fits(self, attribute: &AttributeType) -> bool {
        let own = [attribute.equality, attribute.ordering, attribute.substring];
        if own.contains(&Some(self)) {
            return true;
        }
        let text = |form| matches!(form, NormalForm::CaseExact | NormalForm::CaseIgnore);
        let form = self.normal_form();
        let attribute_form = attribute.equality.map(Self::normal_form);
        match self.special() {
            Special::Word => attribute_form.is_some_and(text),
            Special::BitAnd | Special::BitOr => attribute_form == Some(NormalForm::Integer),
            Special::InChain => matches!(attribute_form, Some(NormalForm::Dn | NormalForm::NameAndUid)),
            Special::Plain => attribute_form.is_some_and(|own| {
                let octets = match own {
                    NormalForm::Der => form == NormalForm::Octets,
                    NormalForm::CertificateExact => matches!(form, NormalForm::Octets | NormalForm::Der),
                    _ => false,
                };
                own == form || (text(own) && text(form)) || octets
            }),
        }
    }

    /// The definition as the subschema publishes it (RFC 4512 §4.1.3).
    pub fn definition(self) -> String {
        let syntax = self.assertion_syntax();
        let prefix = if syntax.contains('.') { "" } else { "1.3.6.1.4.1.1466.115.121.1." };
        format!("( {} NAME '{}' SYNTAX {prefix}{syntax} )", self.oid(), self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_and_numbers_are_unique() {
        let names: HashSet<_> = MatchingRule::ALL.iter().map(|rule| rule.name()).collect();
        let oids: HashSet<_> = MatchingRule::ALL.iter().map(|rule| rule.oid()).collect();
        assert_eq!((names.len(), oids.len()), (MatchingRule::ALL.len(), MatchingRule::ALL.len()));
    }

    #[test]
    fn a_rule_is_found_by_name_in_any_case_and_by_number() {
        assert_eq!(MatchingRule::find("CASEIGNOREMATCH"), Some(MatchingRule::CaseIgnore));
        assert_eq!(MatchingRule::find("2.5.13.2"), Some(MatchingRule::CaseIgnore));
        assert_eq!(MatchingRule::find("noSuchMatch"), None);
    }
}
