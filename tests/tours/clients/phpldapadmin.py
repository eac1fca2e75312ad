"""An administrator at phpLDAPadmin: logs in, browses, edits, adds, and sets a password.

The argument is the folder of phpLDAPadmin. Standard input holds lines NAME=VALUE: where the server is, the file of its
authority's certificate, and passwords. The pages go to the browser of `browser.py`; the script in the folder `phpldapadmin`
does the same by hand, in Chromium and with screenshots.
"""

import os
import re
import shutil
import sys
import tempfile
import urllib.parse

from browser import ALICE, SUFFIX, Site, read_task

task = read_task()
UPDATE = "Update Object"
CONFIG = f"""<?php
$servers = new Datastore();
$servers->newServer('ldap_pla');
$servers->setValue('server', 'host', 'localhost');
$servers->setValue('server', 'port', {task["ldap"].rsplit(":", 1)[1]});
$servers->setValue('server', 'tls', true);
$servers->setValue('login', 'auth_type', 'session');
$servers->setValue('appearance', 'pla_password_hash', 'clear');
"""


def show(browser, command, **more):
    return browser.open("cmd.php?" + urllib.parse.urlencode({"cmd": command, "server_id": 1, **more}))


def value(browser, name):
    return dict(browser.form(UPDATE)[0].fields)[f"new_values[{name}][0]"]


def log_in(browser, password):
    show(browser, "login_form")
    return browser.press("Authenticate", login=f"cn=admin,{SUFFIX}", login_pass=password).text


def browse(browser):
    # Opening a branch of the tree asks for hasSubordinates below it.
    opened = show(browser, "expand", dn=SUFFIX)
    assert "ou=people (4)" in opened.links, opened.links
    schema = show(browser, "schema", view="objectclasses", viewvalue="inetorgperson")
    assert "2.16.840.1.113730.3.2.2" in schema.text, schema.text
    show(browser, "query_engine")
    found = browser.press("Search", filter="(mail=alice@*)")
    assert "alice@example.com" not in found.text and "uid=alice" in found.text, found.text


def edit(browser):
    show(browser, "template_engine", dn=ALICE)
    browser.press(UPDATE, **{"new_values[displayname][0]": "Alice in the browser"})
    browser.press(UPDATE)
    assert value(browser, "displayname") == "Alice in the browser", browser.page.text


def add(browser):
    kinds = show(browser, "template_engine", container=SUFFIX).source
    [kind] = re.findall(r'for="(ou:\d+)">Generic: Organisational Unit', kinds)
    show(browser, "template_engine", container=SUFFIX, template=kind)
    browser.press("Create Object", **{"new_values[ou][0]": "machines"})
    created = browser.press("Commit").text
    assert "Creation successful" in created, created
    show(browser, "template_engine", dn=f"ou=machines,{SUFFIX}")
    assert value(browser, "ou") == "machines", browser.page.text


def set_password(browser, password):
    """phpLDAPadmin shows no password, since nobody is shown one, and sets one as an attribute that is added."""
    show(browser, "add_attr_form", dn=ALICE)
    browser.press("Add", single_item_attr="userpassword", single_item_value=password)
    return browser.press(UPDATE).text


folder = tempfile.mkdtemp()
try:
    site = shutil.copytree(sys.argv[1], os.path.join(folder, "site"))
    with open(os.path.join(site, "config/config.php"), "w") as file:
        file.write(CONFIG)
    with Site(os.path.join(site, "htdocs"), LDAPTLS_CACERT=task["ca"]) as browser:
        told = log_in(browser, "a guess")
        assert "Invalid credentials" in told, told
        told = log_in(browser, task["admin"])
        assert "Successfully logged into server" in told, told
        browse(browser)
        edit(browser)
        add(browser)
        # It shows the result code and not the server's words.
        told = set_password(browser, "short")
        assert "Constraint violation" in told, told
        told = set_password(browser, "set in a browser window")
        assert "Could not perform" not in told, told
finally:
    shutil.rmtree(folder)
