"""An administrator at LDAP Account Manager in Chromium: logs in, browses lists, the tree and the schema, edits, adds, and sets a
password, with all that the scripts of the pages do.

Arguments: the folder of LDAP Account Manager, and a folder for screenshots. Standard input holds lines NAME=VALUE: where the
server is, the file of its authority's certificate, and passwords.
"""

import sys
import urllib.parse

from browser import ALICE, SUFFIX, read_task
from chromium import Chromium
from lam_site import serve

task = read_task()
unpacked, folder = sys.argv[1:]


class Administrator:
    def __init__(self, chromium, site):
        self._chromium, self._site = chromium, site

    def open(self, page, **query):
        self._chromium.open(f"{self._site}templates/{page}?{urllib.parse.urlencode(query)}")

    def press(self, name):
        self._chromium.find(f"button[name={name}]").click()

    def see(self, words, shot):
        """Waits for words on the page, and keeps what it looks like."""
        self._chromium.find_text(words)
        self._chromium.shoot(shot)

    def log_in(self):
        self.open("login.php")
        self._chromium.find("input[name=passwd]").type(task["admin"])
        self.press("checklogin")
        self.see("User count: 4", "1-logged-in")

    def browse(self):
        self.open("tools/treeView.php")
        # Opening a branch of the tree asks what is below it, and its name for what it has.
        self._chromium.find_path("//a[contains(., 'ou=people')]/preceding-sibling::i").click()
        self._chromium.find_path("//a[contains(., 'uid=alice')]").click()
        self._chromium.find("input[value=Adams]")
        self._chromium.shoot("2-tree")
        self.open("schema/schema.php", display="objectClass", sel="inetOrgPerson")
        self.see("2.16.840.1.113730.3.2.2", "3-schema")

    def save(self, shot):
        self.press("accountContainerSaveAccount")
        self.see("LDAP operation successful", shot)

    def edit(self):
        self.open("account/edit.php", type="user", DN=ALICE)
        self._chromium.find("[name=title_0]").type("Edited in Chromium")
        self.save("4-edited")
        self.open("account/edit.php", type="user", DN=ALICE)
        assert self._chromium.find("[name=title_0]").value() == "Edited in Chromium"

    def add(self):
        self.open("account/edit.php", type="group")
        self._chromium.find("[name=cn]").type("printers")
        self._chromium.find("[name=description]").type("Whoever may print")
        self.save("5-added")
        self.open("account/edit.php", type="group", DN=f"cn=printers,ou=groups,{SUFFIX}")
        assert self._chromium.find("[name=description]").value() == "Whoever may print"

    def choose_password(self, password):
        self.open("account/edit.php", type="user", DN=ALICE)
        self.press("accountContainerPassword")
        for field in ("newPassword1", "newPassword2"):
            self._chromium.find("#" + field).type(password)
        self.press("changePwdOk")
        self.see("The new password will be stored in the directory after you save this account", "6-chosen")
        self._chromium.find(".swal2-confirm").click()
        self.press("accountContainerSaveAccount")


# By the operation for it (RFC 3062), whose refusals are shown in words.
_, site = serve(unpacked, folder, task, "LDAP_EXOP")
with site as browser, Chromium(folder) as chromium:
    administrator = Administrator(chromium, browser.page.url)
    administrator.log_in()
    administrator.browse()
    administrator.edit()
    administrator.add()
    administrator.choose_password("short")
    administrator.see("needs at least 15 characters", "7-refused")
    administrator.choose_password("set in a window of Chromium")
    administrator.see("LDAP operation successful", "8-set")
