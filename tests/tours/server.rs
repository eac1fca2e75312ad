//! A server that a test starts, and the tools that talk to it.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::said::{Said, said};

/// The program under test.
pub const KEYSTEAD: &str = env!("CARGO_BIN_EXE_keystead");

pub const SUFFIX: &str = "dc=example,dc=com";

/// Nothing that a test waits for takes longer, unless it never comes. It is less than the 30 seconds after which the server
/// looks at every connection anyway, so that this does not hide what it has forgotten.
pub const PATIENCE: Duration = Duration::from_secs(25);

/// A directory made by `keystead init --example`, and the server of it.
pub struct Server {
    folder: TempDir,
    running: Option<Running>,
    /// `ldap://localhost:PORT`
    pub ldap: String,
    /// `ldaps://localhost:PORT`
    pub ldaps: String,
    /// `ldapi://...`
    pub ldapi: String,
}

/// The process of a server, and what reads its log.
struct Running {
    process: Child,
    log: Arc<Log>,
    reader: JoinHandle<()>,
}

/// What a server says on standard error, as it says it.
#[derive(Default)]
struct Log {
    heard: Mutex<Heard>,
    grown: Condvar,
}

#[derive(Default)]
struct Heard {
    text: String,
    /// Nothing more comes: the process has ended.
    ended: bool,
}

/// How a tool reaches the server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transport {
    /// `ldaps://`
    Ldaps,
    /// `ldap://` with `-ZZ`
    StartTls,
}

impl Transport {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Ldaps, Self::StartTls];
}

/// Who asks, and by which way.
pub struct Login<'s> {
    server: &'s Server,
    reach: Vec<String>,
    who: String,
    password: String,
}

impl Login<'_> {
    /// With another password than the one from the example.
    pub fn with(self, password: &str) -> Self {
        Self { password: password.to_owned(), ..self }
    }

    /// By one of the ways over TCP.
    pub fn over(self, transport: Transport) -> Self {
        match transport {
            Transport::Ldaps => self,
            Transport::StartTls => {
                let reach = ["-ZZ", "-H", &self.server.ldap].map(str::to_owned).to_vec();
                Self { reach, ..self }
            }
        }
    }

    /// At a URL, as it is.
    pub fn at(self, url: &str) -> Self {
        Self { reach: ["-H", url].map(str::to_owned).to_vec(), ..self }
    }

    /// Runs a tool of ldap-utils.
    pub fn run(&self, tool: &str, arguments: &[&str]) -> Said {
        self.run_in(tool, arguments, "")
    }

    /// The same with something on standard input.
    pub fn run_in(&self, tool: &str, arguments: &[&str], input: &str) -> Said {
        let file = self.server.secret(&self.password);
        let mut all: Vec<&str> = self.reach.iter().map(String::as_str).collect();
        all.extend(["-x", "-D", &self.who, "-y", text(&file)]);
        all.extend_from_slice(arguments);
        self.server.run(tool, &all, input)
    }
}

impl Server {
    /// Makes an example directory and serves it.
    pub fn start() -> Self {
        Self::start_with("")
    }

    /// The same with lines appended to the configuration.
    pub fn start_with(more_config: &str) -> Self {
        let mut server = Self::prepare();
        server.configure(more_config);
        server.serve();
        server
    }

    /// Makes an example directory that nobody serves yet.
    pub fn prepare() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let init = Command::new(KEYSTEAD)
            .args(["init", "--example", "--suffix", SUFFIX, "--data"])
            .arg(&data)
            .args(["--listen", "ldap://127.0.0.1:0", "--listen", "ldaps://127.0.0.1:0", "--listen", "ldapi://socket"])
            .output()
            .unwrap();
        assert!(init.status.success(), "{}", String::from_utf8_lossy(&init.stderr));
        Self { folder, running: None, ldap: String::new(), ldaps: String::new(), ldapi: String::new() }
    }

    /// Appends lines to the configuration.
    pub fn configure(&self, more_config: &str) {
        let mut file = std::fs::OpenOptions::new().append(true).open(self.config()).unwrap();
        file.write_all(more_config.as_bytes()).unwrap();
    }

    /// Starts the program, and waits until it says where it listens.
    pub fn serve(&mut self) {
        let mut command = Command::new(KEYSTEAD);
        command.args(["serve", "--config"]).arg(self.config());
        drop(self.serve_by(command));
    }

    /// The same by a command of one's own, which ends in the program. What it says on standard output behind the addresses
    /// can be read.
    pub fn serve_by(&mut self, mut command: Command) -> impl Iterator<Item = String> + use<> {
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap()).lines();
        let log = Arc::new(Log::default());
        let (lines, written) = (BufReader::new(process.stderr.take().unwrap()).lines(), Arc::clone(&log));
        let reader = std::thread::spawn(move || {
            lines.map_while(Result::ok).for_each(|line| written.add(&line));
            written.end();
        });
        self.running = Some(Running { process, log, reader });
        for _ in 0..3 {
            let line = said.next().unwrap_or_else(|| panic!("the server did not start: {}", self.log())).unwrap();
            let url = line.strip_prefix("Listening on ").unwrap().to_owned();
            match url.split("://").next().unwrap() {
                "ldap" => self.ldap = url.replace("127.0.0.1", "localhost"),
                "ldaps" => self.ldaps = url.replace("127.0.0.1", "localhost"),
                _ => self.ldapi = url,
            }
        }
        said.map_while(Result::ok)
    }

    /// The folder that `keystead init` made.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A path beside that folder, for files of the test.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file beside that folder.
    pub fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    pub fn config(&self) -> PathBuf {
        self.data().join("keystead.toml")
    }

    /// What the running server has logged.
    pub fn log(&self) -> String {
        self.running.as_ref().map(|running| running.log.text()).unwrap_or_default()
    }

    /// Waits until the running server has logged a line with these words, so many times.
    #[track_caller]
    pub fn wait_for_log(&self, words: &str, times: usize) {
        let log = &self.running.as_ref().unwrap().log;
        let waited = log.wait_while(|heard| heard.text.matches(words).count() < times && !heard.ended);
        assert!(log.text().matches(words).count() >= times, "{words:?} was not logged in {waited:?}: {}", log.text());
    }

    /// The certificate of the authority that the server's is by.
    pub fn ca(&self) -> PathBuf {
        self.data().join("tls/ca.crt")
    }

    /// The address of `ldap://`.
    pub fn address(&self) -> String {
        self.ldap.strip_prefix("ldap://").unwrap().replace("localhost", "127.0.0.1")
    }

    /// The socket of `ldapi://`.
    pub fn socket(&self) -> PathBuf {
        self.data().join("socket")
    }

    /// The process id of the running server.
    pub fn pid(&self) -> u32 {
        self.running.as_ref().unwrap().process.id()
    }

    /// Stops the server as an administrator would, waits until it has ended, and returns its log.
    pub fn stop(&mut self) -> String {
        self.signal("TERM");
        self.wait_for_the_end()
    }

    /// Waits until a server that was told to end has done so, and returns its log.
    pub fn wait_for_the_end(&mut self) -> String {
        let log = Arc::clone(&self.running.as_ref().unwrap().log);
        let waited = log.wait_while(|heard| !heard.ended);
        assert!(log.heard.lock().unwrap().ended, "the server did not end in {waited:?}: {}", log.text());
        let mut running = self.running.take().unwrap();
        let status = running.process.wait().unwrap();
        let log = running.whole_log();
        assert!(status.success(), "{status}: {log}");
        log
    }

    /// Sends a signal to the server.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.pid().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Ends the server without warning, as a power cut would, and returns its log.
    pub fn kill(&mut self) -> String {
        let mut running = self.running.take().unwrap();
        running.process.kill().unwrap();
        running.process.wait().unwrap();
        running.whole_log()
    }

    /// The generated password of somebody in the example: `alice`, `cn=app,ou=services`, or `cn=admin`.
    #[track_caller]
    pub fn password(&self, name: &str) -> String {
        self.find_password(name).unwrap_or_else(|| panic!("no password of {name}"))
    }

    fn find_password(&self, name: &str) -> Option<String> {
        if name == "cn=admin" {
            return std::fs::read_to_string(self.data().join("admin-password")).ok();
        }
        let all = std::fs::read_to_string(self.data().join("example-passwords")).unwrap();
        let start = full(name) + "\t";
        all.lines().find_map(|line| line.strip_prefix(&start)).map(str::to_owned)
    }

    /// Somebody of the example with the password that they were given, over `ldaps://`.
    pub fn login(&self, who: &str) -> Login<'_> {
        let reach = ["-H", &self.ldaps].map(str::to_owned).to_vec();
        Login { server: self, reach, who: full(who), password: self.find_password(who).unwrap_or_default() }
    }

    /// Runs a tool of ldap-utils over `ldaps://` as somebody of the example.
    pub fn ldap(&self, tool: &str, who: &str, arguments: &[&str]) -> Said {
        self.login(who).run(tool, arguments)
    }

    /// The same with something on standard input.
    pub fn ldap_in(&self, tool: &str, who: &str, arguments: &[&str], input: &str) -> Said {
        self.login(who).run_in(tool, arguments, input)
    }

    /// The result code of a bind.
    pub fn bind(&self, who: &str, password: &str) -> i32 {
        self.login(who).with(password).run("ldapwhoami", &[]).code
    }

    /// Changes the default password policy as the administrator: `replace: pwdMinLength\npwdMinLength: 8` and the like.
    #[track_caller]
    pub fn change_policy(&self, changes: &[&str]) {
        let name = format!("dn: cn=default,ou=policies,{SUFFIX}\nchangetype: modify\n");
        let change = name + &changes.join("\n-\n") + "\n";
        self.ldap_in("ldapmodify", "cn=admin", &[], &change).ok();
    }

    /// Has wrong passwords answered at once, so that tests need not wait.
    #[track_caller]
    pub fn answer_wrong_passwords_at_once(&self) {
        self.change_policy(&["delete: pwdMinDelay", "delete: pwdMaxDelay"]);
    }

    /// Runs any tool with the environment that makes clients trust the server.
    pub fn run(&self, tool: &str, arguments: &[&str], input: &str) -> Said {
        let mut process = Command::new(tool)
            .args(arguments)
            .env("LDAPTLS_CACERT", self.ca())
            .env("LDAPCONF", "/dev/null")
            .env("LDAPTIMEOUT", PATIENCE.as_secs().to_string())
            .env("LDAPNETWORK_TIMEOUT", PATIENCE.as_secs().to_string())
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{tool} cannot be run ({error}); `make test` installs what is needed"));
        // A tool that has ended early reads nothing; what it said tells why.
        let _ = process.stdin.take().unwrap().write_all(input.as_bytes());
        said(process)
    }

    /// Runs one of the Python programs beside the tests, by the Python that the system's packages are for.
    pub fn python(&self, program: &str, arguments: &[&str], input: &str) -> Said {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tours").join(program);
        let all = [&[text(&path)], arguments].concat();
        self.run("/usr/bin/python3", &all, input)
    }

    /// Runs the program under test with this directory's configuration.
    pub fn keystead(&self, command: &str, arguments: &[&str]) -> Said {
        let config = self.config();
        let mut all = vec![command, "--config", text(&config)];
        all.extend_from_slice(arguments);
        self.run(KEYSTEAD, &all, "")
    }

    /// Has the program serve this directory, which it must refuse.
    #[track_caller]
    pub fn refuses_to_serve(&self) -> String {
        // `timeout` ends a server that starts all the same.
        let seconds = PATIENCE.as_secs().to_string();
        let said = self.run("timeout", &[&seconds, KEYSTEAD, "serve", "--config", text(&self.config())], "");
        assert_eq!(said.code, 1, "{}\n{}", said.out, said.err);
        assert_eq!(said.out, "");
        said.err
    }

    /// A file that holds a password, without a line break.
    pub fn secret(&self, password: &str) -> PathBuf {
        let mut name = String::from("secret-");
        for octet in password.as_bytes() {
            write!(name, "{octet:02x}").unwrap();
        }
        name.truncate(100);
        let path = self.path(&name);
        // Put in place as a whole: another thread may be using it. It is readable by its owner alone.
        let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap()).unwrap();
        file.write_all(password.as_bytes()).unwrap();
        file.persist(&path).unwrap();
        path
    }
}

impl Running {
    /// What it has logged until its end.
    fn whole_log(self) -> String {
        self.reader.join().unwrap();
        self.log.text()
    }
}

impl Log {
    fn add(&self, line: &str) {
        let mut heard = self.heard.lock().unwrap();
        heard.text.push_str(line);
        heard.text.push('\n');
        drop(heard);
        self.grown.notify_all();
    }

    fn end(&self) {
        self.heard.lock().unwrap().ended = true;
        self.grown.notify_all();
    }

    fn text(&self) -> String {
        self.heard.lock().unwrap().text.clone()
    }

    /// Waits as long as something is so, but not for ever; returns how long.
    fn wait_while(&self, is_so: impl Fn(&Heard) -> bool) -> Duration {
        let begun = Instant::now();
        drop(self.grown.wait_timeout_while(self.heard.lock().unwrap(), PATIENCE, |heard| is_so(heard)).unwrap());
        begun.elapsed()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.process.kill().unwrap();
            running.process.wait().unwrap();
        }
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
