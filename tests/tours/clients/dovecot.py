"""Mailboxes are opened by Dovecot: it looks people up and binds as them.

It runs as root, as Dovecot does. Standard input holds lines NAME=VALUE: where the server is, the file of its authority's
certificate, and passwords.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile

from daemons import start

signal.alarm(300)
task = dict(line.rstrip("\n").split("=", 1) for line in sys.stdin)
folder = tempfile.mkdtemp()
SUFFIX = "dc=example,dc=com"

DOVECOT = f"""
base_dir = {folder}/run
state_dir = {folder}/run
log_path = /dev/stderr
protocols =
ssl = no
auth_failure_delay = 0
# It makes nobody wait who guesses: that is the directory's work.
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service auth {{
  user = root
}}
passdb {{
  driver = ldap
  args = {folder}/ldap.conf
}}
userdb {{
  driver = ldap
  args = {folder}/ldap.conf
}}
"""

LDAP = f"""
uris = {task["ldap"]}
tls = yes
tls_ca_cert_file = {task["ca"]}
tls_require_cert = demand
dn = cn=app,ou=services,{SUFFIX}
dnpass = {task["app"]}
base = ou=people,{SUFFIX}
auth_bind = yes
pass_attrs = uid=user
pass_filter = (&(objectClass=posixAccount)(|(uid=%u)(mail=%u)))
user_attrs = uid=user,homeDirectory=home,uidNumber=uid,gidNumber=gid
user_filter = (&(objectClass=posixAccount)(|(uid=%u)(mail=%u)))
iterate_attrs = uid=user
iterate_filter = (objectClass=posixAccount)
"""


def doveadm(*arguments):
    done = subprocess.run(
        ["doveadm", "-c", f"{folder}/dovecot.conf", *arguments], capture_output=True, text=True, timeout=60
    )
    return done.returncode, done.stdout + done.stderr


def good(answer, *words):
    assert answer[0] == 0 and all(one in answer[1] for one in words), answer


def bad(answer, words):
    assert answer[0] != 0 and words in answer[1], answer


for name, content in [("dovecot.conf", DOVECOT), ("ldap.conf", LDAP)]:
    with open(os.path.join(folder, name), "w") as file:
        file.write(content)
process = start(["dovecot", "-F", "-c", f"{folder}/dovecot.conf"], "starting up")
try:
    good(doveadm("auth", "test", "alice", task["alice"]), "auth succeeded")
    # By an address, too, and what is told of somebody is the name of the entry.
    good(doveadm("auth", "login", "bob@example.com", task["bob"]), "home=/home/bob", "uid=5002")
    for name, password in [("alice", "a guess"), ("alice", task["bob"]), ("nobody", task["alice"]), ("*", task["alice"])]:
        bad(doveadm("auth", "test", name, password), "auth failed")
    good(doveadm("user", "alice"), "5001", "/home/alice")
    bad(doveadm("user", "nobody"), "doesn't exist")
    assert doveadm("user", "*") == (0, "alice\nbob\ncarol\nhanna\n"), doveadm("user", "*")
finally:
    process.terminate()
    process.wait()
    shutil.rmtree(folder)
