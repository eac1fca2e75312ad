//! Certificates are found by their number and their issuer (RFC 4523 §2.1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keystead::directory::ResultCode::{AttributeOrValueExists, CompareFalse, CompareTrue};

use crate::scene::answer::element;
use crate::sentences;

const COMMON_NAME: &[u8] = b"\x55\x04\x03";
const ORGANIZATION: &[u8] = b"\x55\x04\x0a";
const UTF8: u8 = 0x0c;
const PRINTABLE: u8 = 0x13;

/// A certificate in base64, as far as it matters: with a number, an issuer, and something that tells it from others.
fn certificate(number: &[u8], issuer: &[(&[u8], u8, &str)], other: &str) -> String {
    let name: Vec<u8> = issuer
        .iter()
        .flat_map(|(kind, tag, text)| {
            element(0x31, &element(0x30, &[element(6, kind), element(*tag, text.as_bytes())].concat()))
        })
        .collect();
    let version = element(0xa0, &element(2, b"\x02"));
    let algorithm = element(0x30, &element(6, b"\x2a\x03"));
    let signed =
        [version, element(2, number), algorithm, element(0x30, &name), element(0x30, other.as_bytes())].concat();
    STANDARD.encode(element(0x30, &element(0x30, &signed)))
}

sentences! {
    /// "the two match if and only if the attribute value's serialNumber and issuer are equal to the presented": by
    /// integerMatch and distinguishedNameMatch.
    fn a_certificate_is_found_by_its_number_and_its_issuer(scene) {
        let root = scene.root();
        let issuer: &[(&[u8], u8, &str)] = &[(ORGANIZATION, PRINTABLE, "Example, Ltd."), (COMMON_NAME, UTF8, "The  CA")];
        let large = b"\x00\xff\xee\xdd\xcc\xbb\xaa\x99\x88\x77\x66\x55\x44\x33\x22\x11";
        let organization = issuer.split_last().unwrap().1;
        for (who, number, issuer) in [("alice", &b"\x11"[..], issuer), ("bob", large, issuer), ("hanna", b"\x11", organization)] {
            let value = certificate(number, issuer, "x");
            root.change(&format!("dn: {who}\nchangetype: modify\nadd: userCertificate\nuserCertificate:: {value}\n-\n")).unwrap();
        }
        let ca = "CN=the ca,O=EXAMPLE\\, Ltd.";
        for (number, issuer, found) in [
            ("17", ca, &["uid=alice,ou=people"][..]),
            ("1328880485197782561564485803532558865", ca, &["uid=bob,ou=people"]),
            ("1328880485197782561564485803532558866", ca, &[]),
            ("17", "o=Example\\, Ltd.", &["uid=hanna,ou=people"]),
            ("17", "cn=the ca", &[]),
            ("18", ca, &[]),
        ] {
            for text in [format!("{{ serialNumber {number}, issuer rdnSequence:\"{issuer}\" }}"), format!("{number}${issuer}")] {
                let value = text.replace('\\', "\\5c");
                assert_eq!(root.find(&format!("(userCertificate={value})")), found, "{text}");
                assert_eq!(root.find(&format!("(userCertificate:certificateExactMatch:={value})")), found, "{text}");
            }
        }
        let zeros = "(userCertificate={ serialNumber 017, issuer rdnSequence:\"o=example\\5c, ltd.\" })";
        assert_eq!(root.find(zeros), ["uid=hanna,ou=people"]);
        // A negation finds all others that have one.
        let negated = "(&(userCertificate=*)(!(userCertificate=17$o=Example\\5c, Ltd.)))";
        assert_eq!(root.find(negated), ["uid=alice,ou=people", "uid=bob,ou=people"]);
        let compare = |value: &str| root.compare_with("alice", "userCertificate", value, &[]).result.code;
        assert_eq!(compare(&format!("{{ serialNumber 17, issuer rdnSequence:\"{ca}\" }}")), CompareTrue);
        assert_eq!(compare(&format!("{{ serialNumber 18, issuer rdnSequence:\"{ca}\" }}")), CompareFalse);
    }

    /// What has the same number and issuer is the same value, however else it differs; what is malformed is Undefined.
    fn a_certificate_is_there_once(scene) {
        let root = scene.root();
        let issuer: &[(&[u8], u8, &str)] = &[(COMMON_NAME, UTF8, "ca")];
        let add = |number: &[u8], issuer: &[(&[u8], u8, &str)], other: &str| {
            let value = certificate(number, issuer, other);
            root.change(&format!("dn: alice\nchangetype: modify\nadd: userCertificate\nuserCertificate:: {value}\n-\n"))
        };
        assert_eq!(add(b"\x01", issuer, "one"), Ok(()));
        assert_eq!(add(b"\x01", issuer, "two"), Err(AttributeOrValueExists));
        assert_eq!(add(b"\x01", &[(COMMON_NAME, PRINTABLE, "CA")], "three"), Err(AttributeOrValueExists));
        assert_eq!(add(b"\x02", issuer, "one"), Ok(()));
        // A whole certificate with another signature is the same, too.
        let octets = STANDARD.decode(certificate(b"\x01", issuer, "another")).unwrap();
        let escaped = octets.iter().map(|octet| format!("\\{octet:02x}")).collect::<Vec<_>>().concat();
        assert_eq!(root.find(&format!("(userCertificate={escaped})")), ["uid=alice,ou=people"]);
        for bad in ["{ serialNumber 1 }", "1", "1$nonsense", "{ serialNumber 1, issuer rdnSequence:\"\" }", "x$cn=ca"] {
            assert_eq!(root.find(&format!("(userCertificate={bad})")), [""; 0], "{bad}");
            assert_eq!(root.find(&format!("(&(uid=alice)(!(userCertificate={bad})))")), [""; 0], "{bad}");
        }
    }
}
