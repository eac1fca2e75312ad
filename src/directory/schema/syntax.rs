//! The syntaxes (RFC 4517 §3.3, and those that common schemas add): which octets are a legal value.

use super::definition::Definition;
use super::{Schema, matching_rule::MatchingRule};
use crate::directory::{Csn, Dn, Timestamp};

macro_rules! syntaxes {
    ($($variant:ident = $oid:literal, $name:literal;)*) => {
        /// A syntax.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum Syntax { $(#[doc = concat!("`", $name, "`")] $variant,)* }

        impl Syntax {
            /// Every syntax.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The object identifier.
            pub const fn oid(self) -> &'static str {
                match self { $(Self::$variant => $oid,)* }
            }

            /// What it is called.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

syntaxes! {
    AciItem = "1.3.6.1.4.1.1466.115.121.1.1", "ACI Item";
    AttributeTypeDescription = "1.3.6.1.4.1.1466.115.121.1.3", "Attribute Type Description";
    Audio = "1.3.6.1.4.1.1466.115.121.1.4", "Audio";
    Binary = "1.3.6.1.4.1.1466.115.121.1.5", "Binary";
    BitString = "1.3.6.1.4.1.1466.115.121.1.6", "Bit String";
    Boolean = "1.3.6.1.4.1.1466.115.121.1.7", "Boolean";
    Certificate = "1.3.6.1.4.1.1466.115.121.1.8", "Certificate";
    CertificateList = "1.3.6.1.4.1.1466.115.121.1.9", "Certificate List";
    CertificatePair = "1.3.6.1.4.1.1466.115.121.1.10", "Certificate Pair";
    CountryString = "1.3.6.1.4.1.1466.115.121.1.11", "Country String";
    Dn = "1.3.6.1.4.1.1466.115.121.1.12", "DN";
    DataQuality = "1.3.6.1.4.1.1466.115.121.1.13", "Data Quality";
    DsaQuality = "1.3.6.1.4.1.1466.115.121.1.19", "DSA Quality";
    DeliveryMethod = "1.3.6.1.4.1.1466.115.121.1.14", "Delivery Method";
    DirectoryString = "1.3.6.1.4.1.1466.115.121.1.15", "Directory String";
    DitContentRuleDescription = "1.3.6.1.4.1.1466.115.121.1.16", "DIT Content Rule Description";
    DitStructureRuleDescription = "1.3.6.1.4.1.1466.115.121.1.17", "DIT Structure Rule Description";
    EnhancedGuide = "1.3.6.1.4.1.1466.115.121.1.21", "Enhanced Guide";
    FacsimileTelephoneNumber = "1.3.6.1.4.1.1466.115.121.1.22", "Facsimile Telephone Number";
    Fax = "1.3.6.1.4.1.1466.115.121.1.23", "Fax";
    GeneralizedTime = "1.3.6.1.4.1.1466.115.121.1.24", "Generalized Time";
    Guide = "1.3.6.1.4.1.1466.115.121.1.25", "Guide";
    Ia5String = "1.3.6.1.4.1.1466.115.121.1.26", "IA5 String";
    Integer = "1.3.6.1.4.1.1466.115.121.1.27", "INTEGER";
    Jpeg = "1.3.6.1.4.1.1466.115.121.1.28", "JPEG";
    MatchingRuleDescription = "1.3.6.1.4.1.1466.115.121.1.30", "Matching Rule Description";
    MatchingRuleUseDescription = "1.3.6.1.4.1.1466.115.121.1.31", "Matching Rule Use Description";
    MhsOrAddress = "1.3.6.1.4.1.1466.115.121.1.33", "MHS OR Address";
    NameAndOptionalUid = "1.3.6.1.4.1.1466.115.121.1.34", "Name And Optional UID";
    NameFormDescription = "1.3.6.1.4.1.1466.115.121.1.35", "Name Form Description";
    NumericString = "1.3.6.1.4.1.1466.115.121.1.36", "Numeric String";
    ObjectClassDescription = "1.3.6.1.4.1.1466.115.121.1.37", "Object Class Description";
    Oid = "1.3.6.1.4.1.1466.115.121.1.38", "OID";
    OtherMailbox = "1.3.6.1.4.1.1466.115.121.1.39", "Other Mailbox";
    OctetString = "1.3.6.1.4.1.1466.115.121.1.40", "Octet String";
    PostalAddress = "1.3.6.1.4.1.1466.115.121.1.41", "Postal Address";
    ProtocolInformation = "1.3.6.1.4.1.1466.115.121.1.42", "Protocol Information";
    PresentationAddress = "1.3.6.1.4.1.1466.115.121.1.43", "Presentation Address";
    PrintableString = "1.3.6.1.4.1.1466.115.121.1.44", "Printable String";
    SubtreeSpecification = "1.3.6.1.4.1.1466.115.121.1.45", "SubtreeSpecification";
    SupportedAlgorithm = "1.3.6.1.4.1.1466.115.121.1.49", "Supported Algorithm";
    TelephoneNumber = "1.3.6.1.4.1.1466.115.121.1.50", "Telephone Number";
    TeletexTerminalIdentifier = "1.3.6.1.4.1.1466.115.121.1.51", "Teletex Terminal Identifier";
    TelexNumber = "1.3.6.1.4.1.1466.115.121.1.52", "Telex Number";
    UtcTime = "1.3.6.1.4.1.1466.115.121.1.53", "UTC Time";
    LdapSyntaxDescription = "1.3.6.1.4.1.1466.115.121.1.54", "LDAP Syntax Description";
    SubstringAssertion = "1.3.6.1.4.1.1466.115.121.1.58", "Substring Assertion";
    NisNetgroupTriple = "1.3.6.1.1.1.0.0", "NIS netgroup triple";
    BootParameter = "1.3.6.1.1.1.0.1", "Boot parameter";
    CertificateExactAssertion = "1.3.6.1.1.15.1", "X.509 Certificate Exact Assertion";
    CertificateAssertion = "1.3.6.1.1.15.2", "X.509 Certificate Assertion";
    CertificatePairExactAssertion = "1.3.6.1.1.15.3", "X.509 Certificate Pair Exact Assertion";
    CertificatePairAssertion = "1.3.6.1.1.15.4", "X.509 Certificate Pair Assertion";
    CertificateListExactAssertion = "1.3.6.1.1.15.5", "X.509 Certificate List Exact Assertion";
    CertificateListAssertion = "1.3.6.1.1.15.6", "X.509 Certificate List Assertion";
    AlgorithmIdentifier = "1.3.6.1.1.15.7", "X.509 Algorithm Identifier";
    Uuid = "1.3.6.1.1.16.1", "UUID";
    AuthPassword = "1.3.6.1.4.1.4203.1.1.2", "Authentication Password";
    Csn = "1.3.6.1.4.1.4203.666.11.2.1", "Change Sequence Number";
    CsnSid = "1.3.6.1.4.1.4203.666.11.2.4", "Change Sequence Number SID";
}

impl Syntax {
    /// The syntax of that object identifier.
    pub fn find(oid: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|syntax| syntax.oid() == oid)
    }

    /// The definition as the subschema publishes it (RFC 4512 §4.1.5).
    pub fn definition(self) -> String {
        let flags = if self.is_text() { "" } else { " X-NOT-HUMAN-READABLE 'TRUE'" };
        format!("( {} DESC '{}'{flags} )", self.oid(), self.name())
    }

    /// Whether values are for people to read.
    const fn is_text(self) -> bool {
        !matches!(
            self,
            Self::Audio
                | Self::Binary
                | Self::Certificate
                | Self::CertificateList
                | Self::CertificatePair
                | Self::Fax
                | Self::Jpeg
                | Self::OctetString
                | Self::SupportedAlgorithm
                | Self::AlgorithmIdentifier
        )
    }

    /// Whether values are asked for and answered by the option `binary` (RFC 4522 §4, RFC 4523 §2, RFC 2798 §2.8). The option then
    /// says nothing, so an attribute with it is the one without.
    pub const fn is_binary(self) -> bool {
        matches!(
            self,
            Self::Binary | Self::Certificate | Self::CertificateList | Self::CertificatePair | Self::SupportedAlgorithm
        )
    }

    /// Whether `value` is legal; the error says in words what a legal one looks like.
    pub fn validate(self, schema: &Schema, value: &[u8]) -> Result<(), &'static str> {
        let (legal, words) = self.judge(schema, value);
        if legal { Ok(()) } else { Err(words) }
    }

    fn judge(self, schema: &Schema, value: &[u8]) -> (bool, &'static str) {
        match self {
            Self::Boolean => (matches!(value, b"TRUE" | b"FALSE"), "must be TRUE or FALSE"),
            Self::Integer => (is_integer(value), "must be a whole number without leading zeros"),
            Self::DirectoryString => (!value.is_empty() && is_utf8(value), "must be UTF-8 text that is not empty"),
            Self::Dn => (is_dn(schema, value), "must be a distinguished name (RFC 4514)"),
            Self::NameAndOptionalUid => (is_name_and_uid(schema, value), "must be a distinguished name (RFC 4514)"),
            Self::GeneralizedTime => (Timestamp::parse(value).is_some(), "must be a time such as 20260131235959Z"),
            Self::UtcTime => (is_utc_time(value), "must be a time such as 260131235959Z"),
            Self::Ia5String | Self::NisNetgroupTriple | Self::BootParameter => {
                (value.is_ascii(), "may hold ASCII characters only")
            }
            Self::PrintableString => (is_printable(value), "may hold letters, digits, space and '()+,-./:?= only"),
            Self::CountryString => (value.len() == 2 && is_printable(value), "must be a country code of two letters"),
            Self::TelephoneNumber => (is_printable(value), "must be a telephone number such as +1 512 315 0280"),
            Self::FacsimileTelephoneNumber | Self::TelexNumber | Self::TeletexTerminalIdentifier => {
                let number = value.split(|octet| *octet == b'$').next().unwrap_or_default();
                (is_printable(number), "must begin with a number such as +1 512 315 0280")
            }
            Self::NumericString => (is_numeric(value), "may hold digits and spaces only"),
            Self::Oid => (is_oid(value), "must be an object identifier or the name of one"),
            Self::BitString => (is_bit_string(value), "must be a bit string such as '0101'B"),
            Self::PostalAddress => (!value.is_empty() && is_utf8(value), "must be lines of UTF-8 text separated by $"),
            Self::Uuid => (uuid::Uuid::try_parse_ascii(value).is_ok() && value.len() == 36, "must be a UUID"),
            Self::Csn => (Csn::parse(value).is_some(), "must be a change sequence number"),
            Self::DeliveryMethod => (is_delivery_method(value), "must be delivery methods separated by $"),
            Self::OtherMailbox => (is_other_mailbox(value), "must be a mailbox type, $, and a mailbox"),
            _ if self.is_definition() => (is_definition(value), "must be a definition such as ( 1.2.3 NAME 'x' )"),
            _ => (true, ""),
        }
    }

    const fn is_definition(self) -> bool {
        matches!(
            self,
            Self::AttributeTypeDescription
                | Self::ObjectClassDescription
                | Self::MatchingRuleDescription
                | Self::MatchingRuleUseDescription
                | Self::LdapSyntaxDescription
                | Self::DitContentRuleDescription
                | Self::DitStructureRuleDescription
                | Self::NameFormDescription
        )
    }

    /// The rule by which values are compared where the attribute type names none (RFC 4517 leaves that open): enough to
    /// tell duplicates apart and to delete a single value.
    pub const fn fallback_equality(self) -> MatchingRule {
        match self {
            Self::DirectoryString | Self::Ia5String | Self::PrintableString | Self::CountryString => {
                MatchingRule::CaseIgnore
            }
            Self::Dn => MatchingRule::DistinguishedName,
            Self::Integer => MatchingRule::Integer,
            _ => MatchingRule::OctetString,
        }
    }
}

fn is_utf8(value: &[u8]) -> bool {
    std::str::from_utf8(value).is_ok()
}

fn is_integer(value: &[u8]) -> bool {
    let digits = value.strip_prefix(b"-").unwrap_or(value);
    let canonical = digits == b"0" && value == digits || digits.first().is_some_and(|first| *first != b'0');
    canonical && digits.iter().all(u8::is_ascii_digit)
}

fn is_dn(schema: &Schema, value: &[u8]) -> bool {
    std::str::from_utf8(value).is_ok_and(|text| Dn::parse(schema, text).is_ok())
}

fn is_name_and_uid(schema: &Schema, value: &[u8]) -> bool {
    let split = memchr::memrchr(b'#', value).and_then(|at| value.split_at_checked(at));
    match split {
        Some((name, bits)) if bits.get(1..).is_some_and(is_bit_string) => is_dn(schema, name),
        _ => is_dn(schema, value),
    }
}

fn is_bit_string(value: &[u8]) -> bool {
    let bits = value.strip_prefix(b"'").and_then(|rest| rest.strip_suffix(b"'B"));
    bits.is_some_and(|bits| bits.iter().all(|bit| matches!(bit, b'0' | b'1')))
}

fn is_printable(value: &[u8]) -> bool {
    let printable = |octet: &u8| octet.is_ascii_alphanumeric() || b" '()+,-./:?=\"".contains(octet);
    !value.is_empty() && value.iter().all(printable)
}

fn is_numeric(value: &[u8]) -> bool {
    !value.is_empty() && value.iter().all(|octet| octet.is_ascii_digit() || *octet == b' ')
}

/// A keystring or dotted numbers (RFC 4512 §1.4).
fn is_oid(value: &[u8]) -> bool {
    match value.first() {
        Some(first) if first.is_ascii_alphabetic() => {
            value.iter().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_'))
        }
        Some(_) => value.split(|octet| *octet == b'.').all(|number| is_integer(number) && !number.starts_with(b"-")),
        None => false,
    }
}

fn is_utc_time(value: &[u8]) -> bool {
    let mut full = b"20".to_vec();
    full.extend_from_slice(value);
    Timestamp::parse(&full).is_some() && !value.contains(&b'.')
}

fn is_delivery_method(value: &[u8]) -> bool {
    const METHODS: [&str; 10] =
        ["any", "mhs", "physical", "telex", "teletex", "g3fax", "g4fax", "ia5", "videotex", "telephone"];
    std::str::from_utf8(value).is_ok_and(|text| text.split('$').all(|method| METHODS.contains(&method.trim())))
}

fn is_other_mailbox(value: &[u8]) -> bool {
    let mut parts = value.splitn(2, |octet| *octet == b'$');
    parts.next().is_some_and(is_printable) && parts.next().is_some_and(<[u8]>::is_ascii)
}

fn is_definition(value: &[u8]) -> bool {
    std::str::from_utf8(value).is_ok_and(|text| Definition::parse(text).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn legal(syntax: Syntax, value: &str) -> bool {
        syntax.validate(&Schema::standard(), value.as_bytes()).is_ok()
    }

    #[test]
    fn legal_values_of_rfc_4517_are_accepted() {
        for (syntax, value) in [
            (Syntax::Boolean, "TRUE"),
            (Syntax::Integer, "-1321"),
            (Syntax::Integer, "0"),
            (Syntax::DirectoryString, "This is a value of Directory String containing #!%#@."),
            (Syntax::Dn, "OU=Sales+CN=J.  Smith,DC=example,DC=net"),
            (Syntax::Dn, ""),
            (Syntax::NameAndOptionalUid, "1.3.6.1.4.1.1466.0=#04024869,O=Test,C=GB#'0101'B"),
            (Syntax::BitString, "'0101111101'B"),
            (Syntax::PrintableString, "This is a PrintableString."),
            (Syntax::TelephoneNumber, "+1 512 315 0280"),
            (Syntax::NumericString, "15 079 672 281"),
            (Syntax::Oid, "1.2.3.4"),
            (Syntax::Oid, "cn"),
            (Syntax::PostalAddress, "1234 Main St.$Anytown, CA 12345$USA"),
            (Syntax::DeliveryMethod, "telephone $ videotex"),
            (Syntax::Uuid, "597ae2f6-16a6-1027-98f4-d28b5365dc14"),
        ] {
            assert!(legal(syntax, value), "{syntax:?} {value}");
        }
    }

    #[test]
    fn illegal_values_are_refused() {
        for (syntax, value) in [
            (Syntax::Boolean, "true"),
            (Syntax::Integer, "007"),
            (Syntax::Integer, "-0"),
            (Syntax::Integer, ""),
            (Syntax::DirectoryString, ""),
            (Syntax::Dn, "not a name"),
            (Syntax::BitString, "0101"),
            (Syntax::PrintableString, "a@b"),
            (Syntax::CountryString, "USA"),
            (Syntax::NumericString, "12a"),
            (Syntax::Oid, "1..2"),
            (Syntax::Oid, "-cn"),
            (Syntax::GeneralizedTime, "2026-01-01T00:00:00Z"),
            (Syntax::Uuid, "597ae2f616a6102798f4d28b5365dc14"),
        ] {
            assert!(!legal(syntax, value), "{syntax:?} {value}");
        }
    }
}
