"""The servers that are compared: each is set up from the same LDIF, started, and ended by its process id."""

import contextlib
import json
import os
import pathlib
import resource
import shutil
import socket
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
KEYSTEAD = TARGET / "dist/keystead"
LDAPLOAD = TARGET / "bench/release/ldapload"

SUFFIX = "dc=example,dc=com"
SERVICE = (f"cn=svc,{SUFFIX}", "svc-secret")
ADMIN = (f"cn=admin,{SUFFIX}", "admin-secret")
# The first so many people have passwords hashed with Argon2id (m=19456, t=2, p=1), the others {SSHA}.
ARGON2_USERS = 500
# One of them is a service account, which binds again and again: Keystead's policy for it keeps a right password in mind.
SERVICE_USER = "user0000001"

# What Keystead's directory has besides: an administrator, and the policy that its passwords stand under.
OWN_ENTRIES = f"""dn: cn=admin,{SUFFIX}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: admin
userPassword: {ADMIN[1]}

dn: cn=administrators,ou=groups,{SUFFIX}
objectClass: groupOfNames
cn: administrators
member: cn=admin,{SUFFIX}

dn: ou=policies,{SUFFIX}
objectClass: organizationalUnit
ou: policies

dn: cn=default,ou=policies,{SUFFIX}
objectClass: namedPolicy
objectClass: pwdPolicy
objectClass: keysteadPolicy
cn: default
pwdAttribute: userPassword
pwdMinLength: 8
pwdCheckQuality: 2
pwdQualityProfile: none
pwdLockout: TRUE
pwdMaxFailure: 10
pwdLockoutDuration: 900

dn: cn=services,ou=policies,{SUFFIX}
objectClass: namedPolicy
objectClass: pwdPolicy
objectClass: keysteadPolicy
cn: services
pwdAttribute: userPassword
pwdMinLength: 8
pwdCheckQuality: 2
pwdQualityProfile: none
pwdAppliesToFilter: (uid={SERVICE_USER})
pwdVerifiedCacheSeconds: 60
"""


def ldapload(command, options, rest=()):
    """Runs the load generator and returns the line of JSON that it prints."""
    words = [str(LDAPLOAD), command] + [word for key, value in options.items() for word in (f"--{key}", str(value))]
    said = subprocess.run(words + list(rest), capture_output=True, text=True, check=False)
    lines = said.stdout.strip().splitlines()
    return json.loads(lines[-1]) if lines else {"fatal": said.stderr.strip()}


def prepare(folder, entries):
    """Generates the LDIF, once."""
    data = folder / f"people-{entries}.ldif"
    if not data.exists():
        options = {"entries": entries, "out": data, "argon2-users": min(ARGON2_USERS, entries), "seed": 1}
        ldapload("gen", options)
    return data


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _timed(words):
    """Runs a command; returns its time and the most memory that any command so far has used."""
    began = time.monotonic()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    seconds = time.monotonic() - began
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    return {"seconds": round(seconds, 2), "peak_mib_so_far": peak}


class Server:
    """A server: a context in which it runs."""

    name = ""
    pid = 0

    def __init__(self, folder, data):
        self.folder = folder / self.name
        self.data = data
        self.added = []
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        ports = _free_port(), _free_port()
        self.ldap, self.ldaps = f"ldap://127.0.0.1:{ports[0]}", f"ldaps://127.0.0.1:{ports[1]}"
        self.set_up()
        self.loaded = self.load()

    def __enter__(self):
        # Twice: with the files that it needs out of memory, as after a boot, and then with them in memory.
        self.started = {"cold": self._start(self._forget_files), "warm": None}
        self._stop()
        self.started["warm"] = self._start(lambda: None)
        return self

    def _forget_files(self):
        """Has the machine read files anew, where that may be asked for."""
        os.sync()
        with contextlib.suppress(OSError):
            pathlib.Path("/proc/sys/vm/drop_caches").write_text("3\n")

    def _start(self, prepare_machine):
        """Starts it, and returns the milliseconds until it gave its first right answer."""
        prepare_machine()
        options = {"url": self.ldap, "bind-dn": SERVICE[0], "password": SERVICE[1], "timeout": 120, "log": self.folder / "log"}
        started = ldapload("cold", options, ["--", *map(str, self.command())])
        if "pid" not in started:
            raise SystemExit(f"{self.name} did not start: {started}; see {self.folder / 'log'}")
        self.pid = started["pid"]
        return started["ready_ms"]

    def _stop(self):
        ldapload("stop", {"pid": self.pid, "timeout": 120})

    def __exit__(self, *_):
        self._stop()

    def memory(self):
        """Resident memory, MiB."""
        lines = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines())
        return {key: int(lines[key].split()[0]) // 1024 for key in ("VmRSS", "RssAnon", "VmHWM")}


class Keystead(Server):
    """Keystead, as people run it, but for passwords in the clear on loopback."""

    name = "keystead"

    def set_up(self):
        self.ca = self.folder / "data/tls/ca.crt"
        self.config = self.folder / "data/keystead.toml"
        subprocess.run([KEYSTEAD, "init", "--empty", "--data", self.folder / "data", "--suffix", SUFFIX, "--listen", self.ldap,
                        "--listen", self.ldaps], check=True, stdout=subprocess.DEVNULL)
        text = self.config.read_text()
        text = text.replace(f'"{self.ldap}"', f'"{self.ldap}"\ncleartext_credentials = true')
        self.config.write_text(text + '\n[password]\nscheme = "ssha"\n')

    def load(self):
        own = self.folder / "people.ldif"
        with own.open("wb") as out, self.data.open("rb") as people:
            shutil.copyfileobj(people, out)
            out.write(OWN_ENTRIES.encode())
        loaded = _timed([KEYSTEAD, "import", "--config", self.config, own])
        own.unlink()
        return loaded

    def command(self):
        return [KEYSTEAD, "serve", "--config", self.config]


class Slapd(Server):
    """OpenLDAP's slapd with back_mdb, as Debian has it."""

    def __init__(self, folder, data, threads):
        self.name, self.threads = f"slapd-{threads}", threads
        super().__init__(folder, data)

    def set_up(self):
        (self.folder / "db").mkdir()
        self.config = self.folder / "slapd.conf"
        self.ca = self.folder / "ca.crt"
        self._certificates()
        template = (HERE / "slapd.conf").read_text()
        self.config.write_text(template.format(folder=self.folder, threads=self.threads, suffix=SUFFIX, admin=ADMIN[0],
                                               admin_password=ADMIN[1], service=SERVICE[0]))
        self.config.chmod(0o600)

    def _certificates(self):
        """Keystead's own development certificates: both servers use keys of the same kind."""
        made = self.folder / "made"
        subprocess.run([KEYSTEAD, "init", "--empty", "--data", made, "--suffix", SUFFIX, "--certificates", self.folder], check=True,
                       stdout=subprocess.DEVNULL)
        shutil.rmtree(made)

    def load(self):
        return _timed(["/usr/sbin/slapadd", "-q", "-f", self.config, "-l", self.data])

    def command(self):
        return ["/usr/sbin/slapd", "-f", self.config, "-h", f"{self.ldap} {self.ldaps}", "-d", "0"]
