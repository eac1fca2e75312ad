//! A server that a test starts, and the tools that talk to it.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// The program under test.
pub const KEYSTEAD: &str = env!("CARGO_BIN_EXE_keystead");

pub const SUFFIX: &str = "dc=example,dc=com";

/// A directory made by `keystead init --example`, and the server of it.
pub struct Server {
    folder: TempDir,
    process: Option<Child>,
    /// `ldap://127.0.0.1:PORT`
    pub ldap: String,
    /// `ldaps://localhost:PORT`
    pub ldaps: String,
    /// `ldapi://...`
    pub ldapi: String,
}

/// What a tool said.
#[derive(Clone, Debug)]
pub struct Said {
    /// Its exit status: for the tools of ldap-utils, the LDAP result code.
    pub code: i32,
    /// Its standard output.
    pub out: String,
    /// Its standard error.
    pub err: String,
}

impl Said {
    /// Asserts that it succeeded.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{}\n{}", self.out, self.err);
        self
    }

    /// Asserts how it failed.
    #[track_caller]
    pub fn fails_with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.err);
        self
    }

    /// The values of an attribute in LDIF output.
    pub fn values(&self, name: &str) -> Vec<String> {
        let prefix = format!("{name}: ");
        self.out.lines().filter_map(|line| line.strip_prefix(&prefix)).map(str::to_owned).collect()
    }
}

impl Server {
    /// Makes an example directory and serves it.
    pub fn start() -> Self {
        Self::start_with("")
    }

    /// The same with lines appended to the configuration.
    pub fn start_with(more_config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let init = Command::new(KEYSTEAD)
            .args(["init", "--example", "--suffix", SUFFIX, "--data"])
            .arg(&data)
            .args(["--listen", "ldap://127.0.0.1:0", "--listen", "ldaps://127.0.0.1:0", "--listen", "ldapi://socket"])
            .output()
            .unwrap();
        assert!(init.status.success(), "{}", String::from_utf8_lossy(&init.stderr));
        let config = data.join("keystead.toml");
        let mut file = std::fs::OpenOptions::new().append(true).open(config).unwrap();
        file.write_all(more_config.as_bytes()).unwrap();
        let (ldap, ldaps, ldapi) = Default::default();
        let mut server = Self { folder, process: None, ldap, ldaps, ldapi };
        server.serve();
        server
    }

    /// Starts the program, and waits until it says where it listens.
    pub fn serve(&mut self) {
        let log = std::fs::OpenOptions::new().append(true).create(true).open(self.data().join("log")).unwrap();
        let mut process = Command::new(KEYSTEAD)
            .args(["serve", "--config"])
            .arg(self.config())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap()).lines();
        self.process = Some(process);
        for _ in 0..3 {
            let line = said.next().unwrap_or_else(|| panic!("the server did not start: {}", self.log())).unwrap();
            let url = line.strip_prefix("Listening on ").unwrap().to_owned();
            match url.split("://").next().unwrap() {
                "ldap" => self.ldap = url,
                "ldaps" => self.ldaps = url.replace("127.0.0.1", "localhost"),
                _ => self.ldapi = url,
            }
        }
    }

    /// The folder that `keystead init` made.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn config(&self) -> PathBuf {
        self.data().join("keystead.toml")
    }

    /// What the server has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.data().join("log")).unwrap_or_default()
    }

    /// The certificate of the authority that the server's is by.
    pub fn ca(&self) -> PathBuf {
        self.data().join("tls/ca.crt")
    }

    /// The process id of the running server.
    pub fn pid(&self) -> u32 {
        self.process.as_ref().unwrap().id()
    }

    /// Stops the server as an administrator would, and waits until it has ended.
    pub fn stop(&mut self) {
        self.signal("TERM");
        let status = self.process.take().unwrap().wait().unwrap();
        assert!(status.success(), "{status}: {}", self.log());
    }

    /// Sends a signal to the server.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.pid().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Ends the server without warning, as a power cut would.
    pub fn kill(&mut self) {
        let mut process = self.process.take().unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
    }

    /// The generated password of somebody in the example: `alice`, `cn=app,ou=services`, or `cn=admin`.
    pub fn password(&self, name: &str) -> String {
        if name == "cn=admin" {
            return std::fs::read_to_string(self.data().join("admin-password")).unwrap();
        }
        let all = std::fs::read_to_string(self.data().join("example-passwords")).unwrap();
        let dn = full(name);
        let line = all.lines().find_map(|line| line.strip_prefix(&format!("{dn}\t")));
        line.unwrap_or_else(|| panic!("no password of {name}")).to_owned()
    }

    /// Runs a tool of ldap-utils over `ldaps://` as somebody of the example.
    pub fn ldap(&self, tool: &str, who: &str, arguments: &[&str]) -> Said {
        self.ldap_with(tool, &self.ldaps, who, &self.password(who), arguments, "")
    }

    /// The same with something on standard input.
    pub fn ldap_in(&self, tool: &str, who: &str, arguments: &[&str], input: &str) -> Said {
        self.ldap_with(tool, &self.ldaps, who, &self.password(who), arguments, input)
    }

    /// Runs a tool of ldap-utils with a URL, a name and a password.
    pub fn ldap_with(&self, tool: &str, url: &str, who: &str, password: &str, arguments: &[&str], input: &str) -> Said {
        let file = self.secret(password);
        let dn = full(who);
        let mut all = vec!["-x", "-H", url, "-D", &dn, "-y", file.to_str().unwrap()];
        all.extend_from_slice(arguments);
        self.run(tool, &all, input)
    }

    /// Runs any tool with the environment that makes clients trust the server.
    pub fn run(&self, tool: &str, arguments: &[&str], input: &str) -> Said {
        let mut process = Command::new(tool)
            .args(arguments)
            .env("LDAPTLS_CACERT", self.ca())
            .env("LDAPCONF", "/dev/null")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{tool} cannot be run ({error}); `make test` installs what is needed"));
        process.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        said(process)
    }

    /// Runs the program under test with this directory's configuration.
    pub fn keystead(&self, command: &str, arguments: &[&str]) -> Said {
        let config = self.config();
        let mut all = vec![command, "--config", config.to_str().unwrap()];
        all.extend_from_slice(arguments);
        self.run(KEYSTEAD, &all, "")
    }

    /// A file that holds a password, without a line break.
    pub fn secret(&self, password: &str) -> PathBuf {
        let mut name = String::from("secret-");
        for octet in password.as_bytes() {
            write!(name, "{octet:02x}").unwrap();
        }
        name.truncate(100);
        let path = self.folder.path().join(name);
        let file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path);
        file.unwrap().write_all(password.as_bytes()).unwrap();
        path
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }
}

/// Waits for a process and collects what it says.
pub fn said(process: Child) -> Said {
    let output = process.wait_with_output().unwrap();
    Said {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// `alice` is `uid=alice,ou=people,dc=example,dc=com`; `cn=admin` is `cn=admin,dc=example,dc=com`.
pub fn full(name: &str) -> String {
    if name.is_empty() || name.ends_with(SUFFIX) {
        name.to_owned()
    } else if name.contains('=') {
        format!("{name},{SUFFIX}")
    } else {
        format!("uid={name},ou=people,{SUFFIX}")
    }
}

/// A path as text.
pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
