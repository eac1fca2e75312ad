"""Logs people in and lets them change their passwords by PAM, and finds them by NSS, through nslcd or sssd.

It runs as root in a mount namespace of its own (`unshare -m`), where it puts files over those of the machine. The
arguments are `nslcd` or `sssd`, and the folder of the modules for PAM and NSS. Standard input holds lines NAME=VALUE: where the server
is, the file of its authority's certificate, and passwords.
"""

import datetime
import os
import pty
import shutil
import signal
import subprocess
import sys
import tempfile

import ldap
from ldap.controls.simple import RelaxRulesControl

from daemons import start

signal.alarm(300)
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
base group ou=groups,{SUFFIX}
ssl start_tls
tls_reqcert demand
tls_cacertfile {task["ca"]}
binddn cn=app,ou=services,{SUFFIX}
bindpw {task["app"]}
# Whoever must change a password may not even search for themselves.
pam_authc_search NONE
"""

SSSD = f"""
[sssd]
services = nss, pam
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
    """Runs operations of PAM, one after the other, on a terminal of its own, and types the answers to what ends with a colon."""
    pid, terminal = pty.fork()
    if pid == 0:
        # Root would be taken for an administrator.
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        os.execvp("pamtester", ["pamtester", "keystead", user, *work])
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


def changed(user, old, new):
    """Changes a password, and returns the new one."""
    good(pam(user, ["chauthtok"], old, new, new))
    return new


def getent(*arguments):
    """What a look-up of the C library finds: the exit code, and the lines."""
    looked = subprocess.run(
        ["getent", *arguments], capture_output=True, text=True, env={**os.environ, "LD_LIBRARY_PATH": modules}
    )
    return looked.returncode, looked.stdout.splitlines()


def look_people_up(source):
    # There may be a group of the same name on this machine.
    put("/etc/nsswitch.conf", f"passwd: {source} files\ngroup: {source} files\ninitgroups: {source} files\n")
    alice = "alice:{}:5001:5000:Alice Adams:/home/alice:/bin/bash"
    for key in ["alice", "5001"]:
        code, [found] = getent("passwd", key)
        assert code == 0 and found in [alice.format("*"), alice.format("x")], found
    for key in ["staff", "5000"]:
        code, [found] = getent("group", key)
        assert code == 0 and found in ["staff:*:5000:alice,bob", "staff:*:5000:bob,alice"], found
    assert getent("initgroups", "alice") == (0, ["alice                 5000"]), getent("initgroups", "alice")
    # What is not there is not found, and stars are no wildcards.
    for key in ["nobody-at-all", "6001", "ali*", "(uid=alice)"]:
        assert getent("passwd", key) == (2, []), getent("passwd", key)


def connect(name):
    connection = ldap.initialize(task["ldaps"])
    connection.simple_bind_s(f"{name},{SUFFIX}", task[name.split("=")[1].split(",")[0]])
    return connection


def passwords_end():
    """What has expired can be changed with as many grace logins, and what was given out must be."""
    bob, policy = f"uid=bob,ou=people,{SUFFIX}", f"cn=default,ou=policies,{SUFFIX}"
    admin, helpdesk = connect("cn=admin"), connect("uid=hanna,ou=people")
    right, works = task["bob"], ["authenticate", "acct_mgmt"]
    # nslcd binds anew for each step.
    for grace in [0, 1, 3] if daemon == "sssd" else [3]:
        limits = [("pwdMaxAge", b"86400"), ("pwdGraceAuthNLimit", b"%d" % grace)]
        admin.modify_s(policy, [(ldap.MOD_REPLACE, name, value) for name, value in limits])
        # This needs no time to pass: an administrator says when it was set.
        then = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=2)
        change = [(ldap.MOD_REPLACE, "pwdChangedTime", then.strftime("%Y%m%d%H%M%SZ").encode())]
        admin.modify_ext_s(bob, change, serverctrls=[RelaxRulesControl(True)])
        told = pam("bob", works, right)
        if grace == 0:
            bad(told, "no longer valid; new one required")
        else:
            good(told)
            assert f"{grace - 1} grace login" in told[1], told
        right = changed("bob", right, f"another secret, after {grace}")
        good(pam("bob", works, right))
    helpdesk.passwd_s(bob, None, "given out by the helpdesk")
    bad(pam("bob", works, "given out by the helpdesk"), "no longer valid; new one required")
    good(pam("bob", works, changed("bob", "given out by the helpdesk", "chosen by bob himself")))


process = start_nslcd() if daemon == "nslcd" else start_sssd()
try:
    look_people_up("ldap" if daemon == "nslcd" else "sss")
    mount("-t", "tmpfs", "none", "/etc/pam.d")
    # Everybody may read it there, and not wherever the modules were unpacked.
    module = shutil.copy(os.path.join(modules, "pam_ldap.so" if daemon == "nslcd" else "pam_sss.so"), "/etc/pam.d")
    service = "".join(f"{kind} required {module}\n" for kind in ["auth", "account", "password", "session"])
    with open("/etc/pam.d/keystead", "w") as file:
        file.write(service)
    good(pam("alice", ["authenticate"], task["alice"]))
    good(pam("alice", ["acct_mgmt"]))
    bad(pam("alice", ["authenticate"], "a guess"))
    bad(pam("nobody", ["authenticate"], "a guess"))
    # What is wrong with a new password is told to whoever chose it.
    bad(pam("alice", ["chauthtok"], task["alice"], "short", "short"), "at least 15 characters")
    good(pam("alice", ["authenticate"], changed("alice", task["alice"], "a much better secret")))
    bad(pam("alice", ["authenticate"], task["alice"]))
    passwords_end()
finally:
    process.terminate()
    process.wait()
