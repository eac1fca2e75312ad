//! Applications act for the people who use them, and machines authenticate by their certificates.

use rcgen::{CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, Issuer, KeyPair};

use crate::said::Said;
use crate::server::{Server, full, text};

/// The application acts for people; certificates and users of the machine are people.
const ACTING: &str = r#"
[[access]]
name = "the application acts for people"
who = "dn:cn=app,ou=services,dc=example,dc=com"
to = "below:ou=people,dc=example,dc=com"
allow = "proxy"

[[map]]
from = "certificate"
pattern = "CN={name},OU=People,O=Example"
entry = "uid={name},ou=people,dc=example,dc=com"

[[map]]
from = "certificate"
pattern = "CN={name},OU=Services,O=Example"
base = "ou=services,dc=example,dc=com"
filter = "(&(objectClass=applicationProcess)(cn={name}))"
"#;

/// An authority that the server knows, or does not.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Makes a certificate and its key; the settings by which the tools use them.
    fn issue(&self, server: &Server, name: &str, unit: &str) -> [String; 2] {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        for (kind, value) in
            [(DnType::OrganizationName, "Example"), (DnType::OrganizationalUnitName, unit), (DnType::CommonName, name)]
        {
            params.distinguished_name.push(kind, value);
        }
        let issuer: &Issuer<'_, _> = &self.0;
        let certificate = params.signed_by(&key, issuer).unwrap();
        let number = std::fs::read_dir(server.path("")).unwrap().count();
        let file = format!("{name}-{number}");
        let certificate = server.file(&format!("{file}.crt"), &certificate.pem());
        let key = server.file(&format!("{file}.key"), &key.serialize_pem());
        [format!("LDAPTLS_CERT={}", text(&certificate)), format!("LDAPTLS_KEY={}", text(&key))]
    }
}

/// Runs a tool with a client certificate, by SASL EXTERNAL.
fn external(server: &Server, settings: &[String], url: &str, arguments: &[&str]) -> Said {
    let mut all: Vec<&str> = settings.iter().map(String::as_str).collect();
    all.extend(["ldapwhoami", "-Q", "-Y", "EXTERNAL", "-H", url]);
    all.extend_from_slice(arguments);
    server.run("env", &all, "")
}

#[test]
fn an_application_acts_for_the_people_who_use_it() {
    let mut server = Server::start_with(ACTING);
    let app = "cn=app,ou=services";
    let whoami = |who: &str, authz_id: &str| server.ldap("ldapwhoami", who, &["-e", &format!("!authzid={authz_id}")]);
    let alice = format!("dn:{}\n", full("alice"));
    for name in ["u:alice", alice.trim()] {
        assert_eq!(whoami(app, name).ok().out, alice, "{name}");
    }
    assert_eq!(whoami(app, "").ok().out, "anonymous\n");
    // What alice may not see, the application does not see for her; and she sees how her password stands.
    let search = |more: &[&str]| {
        let mut all = vec!["-LLL", "-b", "ou=people,dc=example,dc=com", "(uid=alice)", "pwdChangedTime"];
        all.splice(0..0, more.iter().copied());
        server.ldap("ldapsearch", app, &all).ok().values("pwdChangedTime").len()
    };
    assert_eq!((search(&[]), search(&["-e", "!authzid=u:alice"]), search(&["-e", "!authzid=u:bob"])), (0, 1, 0));
    // Nobody else may, nor as anybody else, nor without saying that it matters.
    whoami("alice", "u:bob").fails_with(1).tells("Proxied Authorization Denied (123)");
    for other in ["u:admin", "dn:cn=admin,dc=example,dc=com", "u:hanna", "u:nobody", "alice"] {
        whoami(app, other).fails_with(1).tells("you may not act as that identity");
    }
    server.ldap("ldapsearch", app, &["-e", "!authzid=u:hanna", "-b", "dc=example,dc=com"]).fails_with(123);
    // Whoever acts as alice does not know her password by that.
    let new = "chosen by the application";
    let arguments = ["-e", "!authzid=u:alice", "-s", new];
    server.ldap("ldappasswd", app, &arguments).refuses_with(50);
    let password = server.password("alice");
    server.ldap("ldappasswd", app, &[&arguments[..], &["-a", &password]].concat()).ok();
    assert_eq!(server.bind("alice", new), 0);
    let log = server.stop();
    let both = format!("who=\"{}\" by=\"{}\"", full("alice"), full(app));
    assert!(log.contains(&both), "{log}");
    assert!(!log.contains(new) && !log.contains(&password));
}

#[test]
fn people_and_services_authenticate_by_their_certificates() {
    let mut server = Server::prepare();
    let (known, stranger) = (Authority::new("Known"), Authority::new("Stranger"));
    let authority = server.file("clients.crt", &known.0.pem());
    let config = std::fs::read_to_string(server.config()).unwrap();
    let tls = format!("[tls]\nclient_ca = {:?}\n", text(&authority));
    std::fs::write(server.config(), config.replace("[tls]\n", &tls)).unwrap();
    server.configure(ACTING);
    server.serve();
    let alice = known.issue(&server, "alice", "People");
    let app = known.issue(&server, "app", "Services");
    let alice_dn = format!("dn:{}\n", full("alice"));
    let ldaps = server.ldaps.clone();
    assert_eq!(external(&server, &alice, &ldaps, &[]).ok().out, alice_dn);
    assert_eq!(external(&server, &alice, &server.ldap, &["-ZZ"]).ok().out, alice_dn);
    assert_eq!(external(&server, &app, &ldaps, &[]).ok().out, format!("dn:{}\n", full("cn=app,ou=services")));
    // As somebody else, whoever may: from the bind on.
    assert_eq!(external(&server, &app, &ldaps, &["-X", "u:alice"]).ok().out, alice_dn);
    external(&server, &app, &ldaps, &["-X", "dn:cn=admin,dc=example,dc=com"]).fails_with(49);
    external(&server, &alice, &ldaps, &["-X", "u:bob"]).fails_with(49);
    // Nobody here is called that; or nobody whom we trust says so.
    for (name, unit) in [("mallory", "People"), ("alice", "Elsewhere")] {
        external(&server, &known.issue(&server, name, unit), &ldaps, &[]).fails_with(48);
    }
    assert_ne!(external(&server, &stranger.issue(&server, "alice", "People"), &ldaps, &[]).code, 0);
    // Without a certificate, all is as it was.
    assert_eq!(server.bind("alice", &server.password("alice")), 0);
    // An account that is closed is closed to a certificate as well.
    let close = format!(
        "dn: {}\nchangetype: modify\nreplace: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n",
        full("alice")
    );
    server.ldap_in("ldapmodify", "cn=admin", &[], &close).ok();
    external(&server, &alice, &ldaps, &[]).fails_with(48);
    let log = server.stop();
    let both = format!("who=\"{}\" by=\"{}\"", full("alice"), full("cn=app,ou=services"));
    assert!(log.contains(&both), "{log}");
}

#[test]
fn where_certificates_are_required_nothing_goes_without() {
    let mut server = Server::prepare();
    let known = Authority::new("Known");
    let authority = server.file("clients.crt", &known.0.pem());
    let config = std::fs::read_to_string(server.config()).unwrap();
    let with = |word: &str, path: &str| {
        config.replace("[tls]\n", &format!("[tls]\nclient_ca = {path:?}\nclient_certificate = {word:?}\n"))
    };
    std::fs::write(server.config(), with("always", text(&authority))).unwrap();
    server.keystead("check", &[]).fails_with(1).tells("\"always\" is not known; use optional or required");
    std::fs::write(server.config(), with("required", "/nowhere/ca.crt")).unwrap();
    server.keystead("check", &[]).fails_with(1).tells("tls.client_ca: /nowhere/ca.crt");
    std::fs::write(server.config(), with("required", text(&authority))).unwrap();
    server.configure("\n[[map]]\nfrom = \"certificate\"\npattern = \"CN={a}{b}\"\nentry = \"uid={a}\"\n");
    server.keystead("check", &[]).fails_with(1).tells("something must stand between two placeholders");
    std::fs::write(server.config(), with("required", text(&authority))).unwrap();
    server.serve();
    let password = server.password("alice");
    assert_ne!(server.bind("alice", &password), 0);
    let shown = known.issue(&server, "anybody", "People");
    let file = server.secret(&password);
    let mut all: Vec<&str> = shown.iter().map(String::as_str).collect();
    let who = full("alice");
    all.extend(["ldapwhoami", "-x", "-D", &who, "-y", text(&file), "-H", &server.ldaps]);
    server.run("env", &all, "").ok();
}
