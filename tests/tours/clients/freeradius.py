"""People get into the network by FreeRADIUS: it looks them up, asks for their groups, and binds as them.

Standard input holds lines NAME=VALUE: where the server is, the file of its authority's certificate, and passwords.
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
SECRET = "between the two"
# It cannot be told to take any port; an address of its own, after the number of the process, is as good.
ADDRESS = "127.{}.{}.{}".format(1 + (os.getpid() >> 16), os.getpid() >> 8 & 255, os.getpid() & 255)

RADIUS = f"""
prefix = /usr
libdir = /usr/lib/freeradius
raddbdir = {folder}
run_dir = {folder}
logdir = {folder}
log {{
  destination = stdout
}}
security {{
  reject_delay = 0
}}
client here {{
  ipaddr = 127.0.0.0/8
  secret = "{SECRET}"
}}
modules {{
  ldap {{
    server = "{task["ldap"]}"
    identity = "cn=app,ou=services,{SUFFIX}"
    password = "{task["app"]}"
    base_dn = "ou=people,{SUFFIX}"
    update {{
      reply:Reply-Message := "cn"
    }}
    user {{
      base_dn = "ou=people,{SUFFIX}"
      filter = "(uid=%{{User-Name}})"
    }}
    group {{
      base_dn = "ou=groups,{SUFFIX}"
      filter = "(objectClass=groupOfNames)"
      name_attribute = cn
      membership_filter = "(member=%{{control:Ldap-UserDn}})"
    }}
    tls {{
      start_tls = yes
      ca_file = {task["ca"]}
      require_cert = "demand"
    }}
    pool {{
      start = 1
      min = 1
      max = 4
      spare = 1
    }}
  }}
}}
server default {{
  listen {{
    type = auth
    ipaddr = {ADDRESS}
    port = 1812
  }}
  authorize {{
    ldap
    if (LDAP-Group == "staff") {{
      update reply {{
        Filter-Id := "for staff"
      }}
    }}
    update control {{
      Auth-Type := LDAP
    }}
  }}
  authenticate {{
    Auth-Type LDAP {{
      ldap
    }}
  }}
}}
"""


def radtest(name, password):
    done = subprocess.run(
        ["radtest", name, password, ADDRESS, "0", SECRET], capture_output=True, text=True, timeout=60
    )
    return done.stdout + done.stderr


with open(os.path.join(folder, "radiusd.conf"), "w") as file:
    file.write(RADIUS)
# It waits for nobody when it is looked at (-X), and says what it does.
process = start(["freeradius", "-X", "-d", folder, "-n", "radiusd"], "Ready to process requests")
try:
    for name, is_staff in [("alice", True), ("carol", False)]:
        told = radtest(name, task[name])
        assert "Received Access-Accept" in told and ("for staff" in told) == is_staff, told
    assert 'Reply-Message = "Alice Adams"' in radtest("alice", task["alice"])
    for name, password in [("alice", "a guess"), ("alice", task["bob"]), ("nobody", task["alice"]), ("*", task["alice"])]:
        told = radtest(name, password)
        assert "Received Access-Reject" in told, told
finally:
    process.terminate()
    process.wait()
    shutil.rmtree(folder)
