"""LDAP Account Manager, as it is configured for tests."""

import os
import shutil

from browser import SUFFIX, Site

PEOPLE = f"ou=people,{SUFFIX}"
CONFIG = f"""ServerURL: @ldaps@
Admins: cn=admin,{SUFFIX}
Passwd: lam
tools: treeViewSuffix: {SUFFIX}
defaultLanguage: en_GB.utf8
cachetimeout: 0
searchLimit: 0
modules: posixAccount_user_minUID: 10000
modules: posixAccount_user_maxUID: 30000
modules: posixGroup_group_minGID: 10000
modules: posixGroup_group_maxGID: 20000
modules: posixAccount_user_uidGeneratorUsers: range
modules: posixAccount_group_gidGeneratorUsers: range
modules: posixGroup_pwdHash: PLAIN
modules: posixAccount_pwdHash: @hash@
activeTypes: user,group
types: suffix_user: {PEOPLE}
types: attr_user: #uid;#givenName;#sn;#mail
types: modules_user: inetOrgPerson,posixAccount,shadowAccount
types: suffix_group: ou=groups,{SUFFIX}
types: attr_group: #cn;#gidNumber;#description
types: modules_group: posixGroup
"""


def configure(site, task, hash):
    """Says where the server is, and how passwords are set: `PLAIN` as an attribute, `LDAP_EXOP` by the operation for it."""
    with open(os.path.join(site, "config/lam.conf"), "w") as file:
        file.write(CONFIG.replace("@hash@", hash).replace("@ldaps@", task["ldaps"]))


def serve(unpacked, folder, task, hash):
    """A copy of what was unpacked: where it is, and the site that PHP serves of it."""
    site = shutil.copytree(unpacked, os.path.join(folder, "site"))
    configure(site, task, hash)
    return site, Site(site, LDAPTLS_CACERT=task["ca"])
