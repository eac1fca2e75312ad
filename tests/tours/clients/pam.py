"""Logs people in and lets them change their passwords by PAM, through nslcd or sssd.

It runs as root in a mount namespace of its own (`unshare -m`), where it puts files over those of the machine. The
arguments are `nslcd` or `sssd`, and the folder of the PAM modules. Standard input holds lines NAME=VALUE: where the server
is, the file of its authority's certificate, and passwords.
"""

import os
import pty
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

signal.alarm(60)
daemon, modules = sys.argv[1:3]
task = dict(line.rstrip("\n").split("=", 1) for line in sys.stdin)
folder = tempfile.mkdtemp()
SUFFIX = "dc=example,dc=com"
NOBODY = 65534

NSLCD = f"""
uri {task["ldap"]}
base {SUFFIX}
base passwd ou=people,{SUFFIX}
base shadow ou=people,{SUFFIX}
ssl start_tls
tls_reqcert demand
tls_cacertfile {task["ca"]}
binddn cn=app,ou=services,{SUFFIX}
bindpw {task["app"]}
"""

SSSD = f"""
[sssd]
services = pam
domains = example
debug_level = 0x0400

[pam]
pam_verbosity = 3

[domain/example]
id_provider = ldap
auth_provider = ldap
chpass_provider = ldap
access_provider = permit
ldap_uri = {task["ldap"]}
ldap_search_base = {SUFFIX}
ldap_schema = rfc2307bis
ldap_id_use_start_tls = true
ldap_tls_reqcert = demand
ldap_tls_cacert = {task["ca"]}
ldap_default_bind_dn = cn=app,ou=services,{SUFFIX}
ldap_default_authtok = {task["app"]}
ldap_pwd_policy = none
"""


def mount(*arguments):
    subprocess.run(["mount", *arguments], check=True)


def put(path, content):
    """Puts a file of our own over one of the machine."""
    own = os.path.join(folder, path.replace("/", "-"))
    with open(own, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(content)
    if not os.path.exists(path):
        mount("-t", "tmpfs", "none", os.path.dirname(path))
        open(path, "w").close()
    mount("--bind", own, path)


def start(command, ready):
    """Starts a daemon, and reads what it says until it says that it is ready."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    said = ""
    for line in process.stdout:
        said += line
        if ready in line:
            # It waits for somebody to read what else it says.
            threading.Thread(target=process.stdout.read, daemon=True).start()
            return process
    raise SystemExit(f"{command[0]} did not start: {said}")


def start_nslcd():
    mount("-t", "tmpfs", "none", "/run")
    os.mkdir("/run/nslcd")
    put("/etc/nslcd.conf", NSLCD)
    return start(["/usr/sbin/nslcd", "-d"], "accepting connections")


def start_sssd():
    for path in ["/run", "/var/lib/sss", "/var/log/sssd"]:
        mount("-t", "tmpfs", "none", path)
    for path in ["db", "mc", "keytabs", "gpo_cache", "secrets", "deskprofile", "pubconf", "pubconf/krb5.include.d"]:
        os.mkdir("/var/lib/sss/" + path, 0o755)
    os.mkdir("/var/lib/sss/pipes", 0o755)
    os.mkdir("/var/lib/sss/pipes/private", 0o700)
    put("/etc/sssd/sssd.conf", SSSD)
    return start(["/usr/sbin/sssd", "-i", "--logger=stderr"], "All services have successfully started")


def pam(user, work, *answers):
    """Runs an operation of PAM on a terminal of its own, and types the answers to what ends with a colon."""
    pid, terminal = pty.fork()
    if pid == 0:
        # Root would be taken for an administrator.
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        os.execvp("pamtester", ["pamtester", "keystead", user, work])
    shown, seen = b"", 0
    pending = list(answers)
    while True:
        try:
            octets = os.read(terminal, 4096)
        except OSError:
            break
        if not octets:
            break
        shown += octets
        if pending and b": " in shown[seen:]:
            seen = len(shown)
            os.write(terminal, pending.pop(0).encode() + b"\n")
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), shown.decode(errors="replace")


def good(answer):
    assert answer[0] == 0, answer


def bad(answer, words=""):
    assert answer[0] != 0 and words in answer[1], answer


process = start_nslcd() if daemon == "nslcd" else start_sssd()
try:
    mount("-t", "tmpfs", "none", "/etc/pam.d")
    # Everybody may read it there, and not wherever the modules were unpacked.
    module = shutil.copy(os.path.join(modules, "pam_ldap.so" if daemon == "nslcd" else "pam_sss.so"), "/etc/pam.d")
    service = "".join(f"{kind} required {module}\n" for kind in ["auth", "account", "password", "session"])
    with open("/etc/pam.d/keystead", "w") as file:
        file.write(service)
    good(pam("alice", "authenticate", task["alice"]))
    good(pam("alice", "acct_mgmt"))
    bad(pam("alice", "authenticate", "a guess"))
    bad(pam("nobody", "authenticate", "a guess"))
    # What is wrong with a new password is told to whoever chose it.
    bad(pam("alice", "chauthtok", task["alice"], "short", "short"), "at least 15 characters")
    good(pam("alice", "chauthtok", task["alice"], "a much better secret", "a much better secret"))
    good(pam("alice", "authenticate", "a much better secret"))
    bad(pam("alice", "authenticate", task["alice"]))
finally:
    process.terminate()
    process.wait()
