//! What programs in other languages do, with the client libraries and daemons that they have; see the folder `clients`.
//!
//! `scripts/need clients` installs them. A test whose client is not on this machine says so and is left out; which clients
//! have run can be read in a file, so that nobody takes a run without any for a good one.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::said::Said;
use crate::server::{KEYSTEAD, Server, text};

/// Runs a program of the folder `clients` against a server of its own, where its client is.
#[track_caller]
fn works(client: &str, probe: &[&str], command: &[&str]) {
    if let Some(server) = server_for(client, probe) {
        tour(&server, command).ok();
        has_run(client);
    }
}

/// A server with an example directory, if the command that looks for the client succeeds.
fn server_for(client: &str, probe: &[&str]) -> Option<Server> {
    server_with("", client, probe)
}

/// The same, with more in its configuration.
fn server_with(more_config: &str, client: &str, probe: &[&str]) -> Option<Server> {
    let status = Command::new(probe[0]).args(&probe[1..]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !status.is_ok_and(|status| status.success()) {
        // Past the capture of tests that succeed.
        left_out(client);
        return None;
    }
    let server = Server::start_with(more_config);
    server.answer_wrong_passwords_at_once();
    Some(server)
}

/// Says that a test does nothing, past the capture of tests that succeed.
pub fn left_out(client: &str) {
    let told = format!("left out: {client} is not here; `scripts/need clients` installs it\n");
    std::io::stderr().write_all(told.as_bytes()).unwrap();
}

/// Adds a client that has done everything to the file that `KEYSTEAD_CLIENTS_RAN` names, where `.ci/run` counts them.
fn has_run(client: &str) {
    if let Some(path) = std::env::var_os("KEYSTEAD_CLIENTS_RAN") {
        let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
        file.write_all(format!("{client}\n").as_bytes()).unwrap();
    }
}

/// Runs a program with what it needs to know on standard input.
fn tour(server: &Server, command: &[&str]) -> Said {
    let secret = |name: &str| format!("{}={}\n", name.split(',').next().unwrap(), server.password(name));
    let people: String = ["alice", "bob", "carol", "hanna"].map(secret).concat();
    let (admin, app) = (server.password("cn=admin"), server.password("cn=app,ou=services"));
    let task = format!(
        "ldap={}\nldaps={}\nca={}\nadmin={admin}\napp={app}\n{people}",
        server.ldap,
        server.ldaps,
        text(&server.ca()),
    );
    server.run(command[0], &command[1..], &task)
}

fn program(name: &str) -> String {
    text(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tours/clients").join(name)).to_owned()
}

/// Where `scripts/need clients` puts what no package of the system has.
fn unpacked(name: &str) -> PathBuf {
    Path::new(KEYSTEAD).parent().and_then(Path::parent).unwrap().join("clients").join(name)
}

#[test]
fn ldap3_reads_writes_and_changes_passwords_with_the_schema_checked() {
    works(
        "python3-ldap3",
        &["/usr/bin/python3", "-c", "import ldap3"],
        &["/usr/bin/python3", &program("ldap3_tour.py")],
    );
}

#[test]
fn net_ldap_of_perl_reads_writes_and_changes_passwords() {
    let probe = ["perl", "-e", "use Net::LDAP; use IO::Socket::SSL"];
    works("libnet-ldap-perl", &probe, &["perl", &program("net_ldap.pl")]);
}

#[test]
fn php_reads_writes_and_changes_passwords() {
    let probe = ["php", "-r", "exit(function_exists('ldap_exop_passwd') ? 0 : 1);"];
    works("php-ldap", &probe, &["php", &program("php_ldap.php")]);
}

#[test]
fn jndi_reads_writes_and_changes_passwords() {
    works("a JDK", &["javac", "-version"], &["java", &program("Jndi.java")]);
}

#[test]
fn ldapts_reads_writes_and_changes_passwords() {
    let modules = unpacked("node_modules");
    let library = modules.join("ldapts");
    let probe = ["node", "-e", "require(process.argv[1])", text(&library)];
    works("ldapts", &probe, &["node", &program("ldapts/tour.mjs"), text(&modules)]);
}

/// Where programs are that are for administrators.
const PATH: &str = "PATH=/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin";

/// PAM and NSS through a daemon, in a namespace where it finds our configuration in the place of the machine's.
#[track_caller]
fn logs_people_in(daemon: &str, pam: &str, nss: &str) {
    const APART: [&str; 6] = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
    let modules = unpacked("pam");
    let [pam, nss] = [pam, nss].map(|name| modules.join(name));
    let here = format!("command -v {daemon} pamtester && test -e {} && test -e {}", text(&pam), text(&nss));
    let probe = [&["env", PATH], &APART[..], &["sh", "-c", &here]].concat();
    let program = program("pam.py");
    let command = [&["env", PATH], &APART[..], &["/usr/bin/python3", &program, daemon, text(&modules)]].concat();
    works(&format!("{daemon} (as root, with namespaces)"), &probe, &command);
}

#[test]
fn nslcd_finds_people_logs_them_in_and_changes_passwords() {
    logs_people_in("nslcd", "pam_ldap.so", "libnss_ldap.so.2");
}

#[test]
fn sssd_finds_people_logs_them_in_and_changes_passwords() {
    logs_people_in("sssd", "pam_sss.so", "libnss_sss.so.2");
}

#[test]
fn dovecot_finds_people_and_logs_them_in() {
    let here =
        "test $(id -u) = 0 && command -v dovecot doveadm && test -e /usr/lib/dovecot/modules/auth/libauthdb_ldap.so";
    let probe = ["env", PATH, "sh", "-c", here];
    works("dovecot-ldap (as root)", &probe, &["env", PATH, "/usr/bin/python3", &program("dovecot.py")]);
}

#[test]
fn freeradius_finds_people_and_their_groups_and_logs_them_in() {
    let here = "command -v freeradius radtest && test -e /usr/lib/freeradius/rlm_ldap.so";
    let probe = ["env", PATH, "sh", "-c", here];
    works("freeradius-ldap", &probe, &["env", PATH, "/usr/bin/python3", &program("freeradius.py")]);
}

#[test]
fn phpldapadmin_browses_edits_adds_and_sets_passwords() {
    let site = unpacked("phpldapadmin");
    let probe = ["php", "-r", "exit(function_exists('xml_parse') && is_dir($argv[1]) ? 0 : 1);", text(&site)];
    let Some(server) = server_for("phpLDAPadmin", &probe) else { return };
    tour(&server, &["/usr/bin/python3", &program("phpldapadmin.py"), text(&site)]).ok();
    assert_eq!(server.bind("alice", "set in a browser window"), 0);
    has_run("phpLDAPadmin");
}

/// For browsers that do not see that there is a password, and so add one.
const ADD_REPLACES: &str = "[password]\nadd_replaces = true\n";

#[test]
fn jxplorer_browses_edits_adds_and_sets_passwords() {
    const JARS: &str = "/usr/share/jxplorer/jxplorer.jar:/usr/share/java/jhall.jar";
    let here = "test -e /usr/share/jxplorer/jxplorer.jar && command -v Xvfb javac";
    let Some(server) = server_with(ADD_REPLACES, "JXplorer (on Xvfb)", &["sh", "-c", here]) else { return };
    let (screen, program) = (program("on_a_screen"), program("Jxplorer.java"));
    let home = server.path("jxplorer");
    let command = ["sh", &screen, "java", "-cp", JARS, &program, "/usr/share/jxplorer", text(&home)];
    tour(&server, &command).ok();
    assert_eq!(server.bind("alice", "set in a window of Java"), 0);
    has_run("JXplorer");
}

/// Whether PHP has what LDAP Account Manager needs, and that is there.
const LAM_RUNS: &str =
    "foreach (['curl', 'gd', 'gmp', 'ldap', 'mbstring', 'xml', 'zip'] as $name) extension_loaded($name) || exit(1);
    exit(is_dir($argv[1]) ? 0 : 1);";

#[test]
fn ldap_account_manager_browses_edits_adds_and_sets_passwords() {
    let site = unpacked("lam");
    let Some(server) = server_with(ADD_REPLACES, "LDAP Account Manager", &["php", "-r", LAM_RUNS, text(&site)]) else {
        return;
    };
    tour(&server, &["/usr/bin/python3", &program("lam.py"), text(&site)]).ok();
    assert_eq!(server.bind("alice", "set in a browser window"), 0);
    has_run("LDAP Account Manager");
}

#[test]
fn ldap_account_manager_does_so_in_chromium() {
    let site = unpacked("lam");
    let here = ["sh", "-c", "command -v chromium chromedriver && php -r \"$0\" \"$1\"", LAM_RUNS, text(&site)];
    let Some(server) = server_for("Chromium (or chromedriver, or LDAP Account Manager)", &here) else { return };
    let shots = server.path("chromium");
    std::fs::create_dir(&shots).unwrap();
    tour(&server, &["/usr/bin/python3", &program("lam_in_chromium.py"), text(&site), text(&shots)]).ok();
    assert_eq!(server.bind("alice", "set in a window of Chromium"), 0);
    assert_eq!(
        std::fs::read_dir(&shots)
            .unwrap()
            .filter(|one| one.as_ref().unwrap().path().extension().is_some_and(|end| end == "png"))
            .count(),
        8
    );
    has_run("LDAP Account Manager in Chromium");
}

#[test]
fn postfix_looks_addresses_up() {
    let Some(server) = server_for("postfix-ldap", &["sh", "-c", "postconf -m | grep -x ldap"]) else { return };
    let table = format!(
        "server_host = {}\nversion = 3\nstart_tls = yes\ntls_ca_cert_file = {}\ntls_require_cert = yes\n\
         search_base = ou=people,dc=example,dc=com\nquery_filter = (&(objectClass=inetOrgPerson)(mail=%s))\n\
         result_attribute = uid\nbind = yes\nbind_dn = cn=app,ou=services,dc=example,dc=com\nbind_pw = {}\n",
        server.ldap,
        text(&server.ca()),
        server.password("cn=app,ou=services"),
    );
    server.file("main.cf", "");
    let table = format!("ldap:{}", text(&server.file("people.cf", &table)));
    let folder = server.path("");
    let query = |address: &str| server.run("postmap", &["-c", text(&folder), "-q", address, &table], "");
    assert_eq!(query("alice@example.com").ok().out, "alice\n");
    query("nobody@example.com").fails_with(1);
    has_run("postfix-ldap");
}

#[test]
fn curl_asks_whether_the_server_is_there() {
    let Some(server) = server_for("curl", &["sh", "-c", "curl --version | grep -w ldap"]) else { return };
    let url = format!("{}/?namingContexts?base", server.ldap);
    server.run("curl", &["-sS", "--max-time", "20", &url], "").ok().tells("namingContexts: dc=example,dc=com");
    has_run("curl");
}
