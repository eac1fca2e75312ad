//! The example of RFC 7677, and a client of our own that says whatever a test wants.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::*;
use crate::directory::Randomness;
use crate::password::Secret;

struct Ones;

impl Randomness for Ones {
    fn fill(&self, octets: &mut [u8]) {
        octets.fill(1);
    }
}

const PENCIL: &str = "W22ZaJ0SNY7soEsUEjb6gQ==";
const CLIENT_FIRST: &str = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
const SERVER_NONCE: &str = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
const SERVER_FIRST: &str = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
const CLIENT_FINAL: &str =
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
const SERVER_FINAL: &str = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

fn pencil() -> ScramKeys {
    ScramKeys::of(&Secret::new("pencil"), STANDARD.decode(PENCIL).unwrap(), 4096).unwrap()
}

/// Everything that a client says at the end who knows that password, computed as RFC 5802 §3 has it for clients.
fn client_final(first: &str, server_first: &str, password: &str, channel: &[u8]) -> String {
    let field = |name: &str| server_first.split(',').find_map(|field| field.strip_prefix(name)).unwrap();
    let salt = STANDARD.decode(field("s=")).unwrap();
    let mut salted = [0; 32];
    pbkdf2::pbkdf2_hmac::<Sha256>(password.as_bytes(), &salt, field("i=").parse().unwrap(), &mut salted);
    let client_key = hmac(&salted, &[b"Client Key"]);
    let stored_key: Hash = Sha256::digest(client_key.as_slice()).into();
    let bare_at = first.match_indices(',').nth(1).unwrap().0 + 1;
    let binding = STANDARD.encode([&first.as_bytes()[..bare_at], channel].concat());
    let without_proof = format!("c={binding},r={}", field("r="));
    let said = format!("{},{server_first},{without_proof}", &first[bare_at..]);
    let signature = hmac(&stored_key, &[said.as_bytes()]);
    let proof: Vec<u8> = client_key.iter().zip(signature.iter()).map(|(one, other)| one ^ other).collect();
    format!("{without_proof},p={}", STANDARD.encode(proof))
}

#[test]
fn the_example_of_rfc_7677() {
    let first = ClientFirst::read(CLIENT_FIRST.as_bytes()).unwrap();
    assert_eq!((first.username.as_str(), first.authz_id.as_str(), &first.flag), ("user", "", &Gs2Flag::CannotBind));
    let exchange = Exchange::with_nonce(&first, &pencil(), SERVER_NONCE);
    assert_eq!(exchange.server_first(), SERVER_FIRST);
    let proof = exchange.finish(CLIENT_FINAL.as_bytes(), b"").unwrap();
    assert!(proof.is_by(&pencil()));
    assert_eq!(proof.server_final(&pencil()), SERVER_FINAL.as_bytes());
    assert_eq!(client_final(CLIENT_FIRST, SERVER_FIRST, "pencil", b""), CLIENT_FINAL);
    let other = ScramKeys::of(&Secret::new("pen"), STANDARD.decode(PENCIL).unwrap(), 4096).unwrap();
    assert!(!proof.is_by(&other));
}

#[test]
fn keys_are_written_and_read() {
    let keys = pencil();
    let value = keys.to_value();
    assert_eq!(ScramKeys::parse(&value), Some(keys.clone()));
    assert!(value.starts_with(b"SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"));
    let text = String::from_utf8(value).unwrap();
    for bad in [
        String::new(),
        text.replace("256", "1"),
        text.replace("4096", "0"),
        text.replace("4096", "4000000000"),
        text.replace("4096", "x"),
        text.replace('$', ":"),
        text.replace("W22ZaJ0SNY7soEsUEjb6gQ==", ""),
        format!("{text}AAAA"),
        text[..text.len() - 1].to_owned(),
    ] {
        assert_eq!(ScramKeys::parse(bad.as_bytes()), None, "{bad}");
    }
    assert_eq!(format!("{keys:?}"), "ScramKeys(4096, ..)");
}

#[test]
fn what_nobody_has_is_always_the_same_and_no_password_is_right() {
    let nobody = |secret, name: &str| ScramKeys::of_nobody(&[secret; 32], name.as_bytes(), 4096);
    assert_eq!(nobody(1, "a"), nobody(1, "a"));
    assert_ne!(nobody(1, "a").salt(), nobody(1, "b").salt());
    assert_ne!(nobody(1, "a").salt(), nobody(2, "a").salt());
    assert_eq!(nobody(1, "a").salt().len(), ScramKeys::make(&Secret::new("a"), 4096, &Ones).unwrap().salt().len());
}

#[test]
fn a_password_is_prepared_as_clients_prepare_it() {
    let of = |password: &str| ScramKeys::of(&Secret::new(password), vec![1], 1);
    // RFC 4013 §3.
    assert_eq!(of("I\u{ad}X"), of("IX"));
    assert_eq!(of("\u{aa}"), of("a"));
    assert_eq!(of("\u{2168}"), of("IX"));
    assert_ne!(of("USER"), of("user"));
    assert_eq!(of("a\u{308}\u{a0}"), of("\u{e4} "));
    assert_eq!(ScramKeys::of(&Secret::new(vec![0xff]), vec![1], 1), None);
}

#[test]
fn names_are_escaped() {
    let name = |text: &str| ClientFirst::read(format!("n,,n={text},r=x").as_bytes()).map(|first| first.username);
    assert_eq!(name("uid=3Da=2Cdc=3Db").unwrap(), "uid=a,dc=b");
    assert_eq!(name("=3D=3D2C").unwrap(), "==2C");
    for bad in ["", "a=b", "=2c", "a=", "=3", "=41"] {
        assert_eq!(name(bad), Err(ScramFault::Malformed), "{bad}");
    }
    let authz_id = |text: &str| ClientFirst::read(format!("y,{text},n=a,r=x").as_bytes()).map(|first| first.authz_id);
    assert_eq!(authz_id("a=u:bob").unwrap(), "u:bob");
    assert_eq!((authz_id("a="), authz_id("u:bob")), (Err(ScramFault::Malformed), Err(ScramFault::Malformed)));
}

#[test]
fn what_is_no_first_message_is_refused() {
    for bad in [
        "",
        "n",
        "n,",
        "n,,",
        ",,n=a,r=x",
        "x,,n=a,r=x",
        "p=,,n=a,r=x",
        "p=tls exporter,,n=a,r=x",
        "N,,n=a,r=x",
        "n,,r=x,n=a",
        "n,,n=a",
        "n,,n=a,r=",
        "n,,n=a,r=x y",
        "n,,n=a,r=x,",
        "n,,n=a,r=x,e",
        "n,,n=a,r=\u{e4}",
        "n,,n=a\0,r=x",
        "n=a,r=x",
    ] {
        assert_eq!(ClientFirst::read(bad.as_bytes()), Err(ScramFault::Malformed), "{bad:?}");
    }
    assert_eq!(ClientFirst::read(b"n,,m=x,n=a,r=x"), Err(ScramFault::Extension));
    assert_eq!(ClientFirst::read(b"n,,n=\xff,r=x"), Err(ScramFault::Malformed));
    assert!(ClientFirst::read(b"n,,n=a,r=x,e=1").is_ok());
    let long = format!("n,,n=a,r={}", "x".repeat(5000));
    assert_eq!(ClientFirst::read(long.as_bytes()), Err(ScramFault::Malformed));
}

#[test]
fn the_last_message_must_belong_to_the_first() {
    let first = "p=tls-exporter,,n=user,r=abc";
    let exchange = Exchange::with_nonce(&ClientFirst::read(first.as_bytes()).unwrap(), &pencil(), "def");
    let last = client_final(first, exchange.server_first(), "pencil", b"the channel");
    assert!(exchange.finish(last.as_bytes(), b"the channel").unwrap().is_by(&pencil()));
    let fault = |message: &str, channel: &[u8]| exchange.finish(message.as_bytes(), channel).unwrap_err();
    assert_eq!(fault(&last, b"another channel"), ScramFault::OtherChannel);
    assert_eq!(fault(&last, b""), ScramFault::OtherChannel);
    assert_eq!(fault(&last.replace("abcdef", "abcdeg"), b"the channel"), ScramFault::OtherNonce);
    assert_eq!(fault(&last.replace("abcdef", "abc"), b"the channel"), ScramFault::OtherNonce);
    // Another header than the first time: somebody has taken the binding out.
    let unbound = client_final("n,,n=user,r=abc", exchange.server_first(), "pencil", b"");
    assert_eq!(fault(&unbound, b"the channel"), ScramFault::OtherChannel);
    for bad in
        ["", "c=biws", "c=biws,r=abcdef", "r=abcdef,c=biws,p=AAAA", "c=b!,r=abcdef,p=AAAA", "c=biws,r=abcdef,p=!"]
    {
        assert_eq!(fault(bad, b""), ScramFault::Malformed, "{bad}");
    }
    // A proof of another length is wrong, and nothing worse.
    let short = format!("{},p=AAAA", last.rsplit_once(",p=").unwrap().0);
    assert!(!exchange.finish(short.as_bytes(), b"the channel").unwrap().is_by(&pencil()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_right_password_proves_itself_and_no_other_does(
        password in "[ -~]{1,20}", guess in "[ -~]{1,20}", name in "[a-z]{1,9}", channel in proptest::collection::vec(any::<u8>(), 0..9),
    ) {
        let keys = ScramKeys::make(&Secret::new(password.as_str()), 3, &Ones).unwrap();
        let first = format!("p=tls-exporter,,n={name},r=fyko");
        let exchange = Exchange::begin(&ClientFirst::read(first.as_bytes()).unwrap(), &keys, &Ones);
        let proves = |password: &str| {
            let last = client_final(&first, exchange.server_first(), password, &channel);
            exchange.finish(last.as_bytes(), &channel).unwrap().is_by(&keys)
        };
        prop_assert!(proves(&password));
        prop_assert_eq!(proves(&guess), guess == password);
    }

    #[test]
    fn any_octets_are_read_or_refused(octets in proptest::collection::vec(any::<u8>(), 0..60), text in "[npy],(a=[a-z]*)?,[a-z=,0-9]{0,20}") {
        let _ = ClientFirst::read(&octets);
        let _ = ClientFirst::read(text.as_bytes());
        let exchange = Exchange::with_nonce(&ClientFirst::read(b"n,,n=a,r=x").unwrap(), &pencil(), "y");
        prop_assert!(exchange.finish(&octets, b"").is_err());
    }
}
