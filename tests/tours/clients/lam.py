"""An administrator at LDAP Account Manager: logs in, browses, edits, adds, and sets a password in both of its ways.

The argument is the folder of LDAP Account Manager. Standard input holds lines NAME=VALUE: where the server is, the file of its
authority's certificate, and passwords. The pages go to the browser of `browser.py`; what its scripts would send is sent here.
"""

import json
import re
import shutil
import sys
import tempfile
import urllib.parse

from browser import ALICE, SUFFIX, read_task
from lam_site import configure, serve

task = read_task()


def log_in(browser, password):
    browser.open("/templates/login.php")
    return browser.press("checklogin", username=f"cn=admin,{SUFFIX}", passwd=password)


def listed(browser, type):
    return browser.open(f"/templates/lists/list.php?type={type}&norefresh=no").text


def account(browser, type, **more):
    return browser.open("/templates/account/edit.php?" + urllib.parse.urlencode({"type": type, **more}))


def save(browser, **values):
    return browser.press("accountContainerSaveAccount", **values).text


def browse(browser):
    people = listed(browser, "user")
    assert "User count: 4" in people and "alice@example.com" in people, people
    schema = browser.open("/templates/schema/schema.php?display=objectClass&sel=inetOrgPerson").text
    assert "2.16.840.1.113730.3.2.2" in schema, schema


def edit(browser):
    account(browser, "user", DN=ALICE)
    told = save(browser, title_0="Edited in the browser")
    assert "LDAP operation successful" in told, told
    fields = dict(account(browser, "user", DN=ALICE).forms[0].fields)
    assert fields["title_0"] == "Edited in the browser", fields


def add(browser):
    account(browser, "group")
    told = save(browser, cn="printers", description="Whoever may print")
    assert "LDAP operation successful" in told, told
    fields = dict(account(browser, "group", DN=f"cn=printers,ou=groups,{SUFFIX}").forms[0].fields)
    assert "Whoever may print" in fields.values(), fields


def set_password(browser, password):
    """What the window for it sends, and then the account as it is."""
    page = account(browser, "user", DN=ALICE)
    key = re.search(r"editKey=(\w+)", page.source)[1]
    token = dict(page.forms[0].fields)["sec_token"]
    asked = {"modules": ["posixAccount"], "password1": password, "password2": password, "random": "false"}
    window = f"/templates/misc/ajax.php?function=passwordChange&editKey={key}"
    told = json.loads(browser.open(window, {"jsonInput": json.dumps(asked), "sec_token": token}).source)
    assert told["errorsOccurred"] == "false", told
    browser.page = page
    return save(browser)


folder = tempfile.mkdtemp()
try:
    path, site = serve(sys.argv[1], folder, task, "PLAIN")
    with site as browser:
        told = log_in(browser, "a guess").text
        assert "Invalid credentials" in told, told
        told = log_in(browser, task["admin"]).text
        assert "User count" in told, told
        browse(browser)
        edit(browser)
        add(browser)
        # As an attribute that is added, since nobody is shown that there is one.
        told = set_password(browser, "short")
        assert "Constraint violation" in told, told
        told = set_password(browser, "set as an attribute")
        assert "LDAP operation successful" in told, told
        log_in(browser, "a guess")
        # By the operation for it (RFC 3062), which needs nothing of the server's configuration.
        configure(path, task, "LDAP_EXOP")
        log_in(browser, task["admin"])
        told = set_password(browser, "short")
        assert "needs at least 15 characters" in told, told
        told = set_password(browser, "set in a browser window")
        assert "LDAP operation successful" in told, told
finally:
    shutil.rmtree(folder)
