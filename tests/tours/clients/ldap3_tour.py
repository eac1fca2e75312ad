"""What programs that use ldap3 do, with its reading and checking of the schema switched on.

Standard input holds lines NAME=VALUE: where the server is, the file of its authority's certificate, and passwords.
"""

import ssl
import sys

from ldap3 import ALL_ATTRIBUTES, ALL_OPERATIONAL_ATTRIBUTES, BASE, MODIFY_ADD, MODIFY_DELETE, MODIFY_INCREMENT
from ldap3 import MODIFY_REPLACE, SCHEMA, SUBTREE, ALL, AttrDef, Connection, ObjectDef, Reader, Server, Tls, Writer
from ldap3.core.exceptions import LDAPAttributeError, LDAPObjectClassError

task = dict(line.rstrip("\n").split("=", 1) for line in sys.stdin)
SUFFIX = "dc=example,dc=com"
PEOPLE = "ou=people," + SUFFIX
ADMIN, ALICE, BOB = "cn=admin," + SUFFIX, "uid=alice," + PEOPLE, "uid=bob," + PEOPLE


def server(url="ldaps", info=ALL):
    return Server(task[url], tls=Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=task["ca"]), get_info=info)


def bound(name, password=None, **more):
    short = name.split(",")[0].split("=")[1]
    return Connection(server(), name, password or task[short], auto_bind=True, check_names=True, **more)


def result(connection, done):
    """The result code; `done` is what the library returned."""
    assert done == (connection.result["result"] in (0, 5, 6)), connection.result
    return connection.result["result"]


def transports():
    plain = Connection(server("ldap"), ALICE, task["alice"])
    assert not plain.bind() and plain.result["result"] == 13, plain.result
    assert plain.start_tls() and plain.bind(), plain.result
    assert plain.extend.standard.who_am_i() == "dn:" + ALICE
    # C5: good, bad, good.
    assert not plain.rebind(ALICE, "a guess") and plain.result["result"] == 49, plain.result
    assert plain.rebind(ALICE, task["alice"]), plain.result


def information():
    connection = bound(ADMIN)
    info, schema = connection.server.info, connection.server.schema
    assert info.naming_contexts == [SUFFIX] and info.vendor_name == ["Keystead"], info
    assert info.schema_entry == ["cn=Subschema"], info.schema_entry
    oids = [control[0] for control in info.supported_controls]
    assert "1.2.840.113556.1.4.319" in oids, oids
    person = schema.object_classes["inetOrgPerson"]
    assert "mail" in person.may_contain and "uid" in schema.attribute_types
    # C33: whatever is returned is in the schema.
    connection.search(SUFFIX, "(objectClass=*)", SUBTREE, attributes=[ALL_ATTRIBUTES, ALL_OPERATIONAL_ATTRIBUTES])
    names = {name for entry in connection.response for name in entry["attributes"]}
    missing = [name for name in names if name not in schema.attribute_types]
    assert names and not missing, missing
    created = connection.entries[0].createTimestamp.value
    assert created.tzinfo is not None, created  # C34: times are times


def searches():
    connection = bound(ADMIN)
    assert connection.search(PEOPLE, "(&(objectClass=person)(uid=alice))", attributes=["mail", "MAIL", "uidNumber"])
    [entry] = connection.entries
    assert entry.mail == "alice@example.com" and entry.uidNumber.value == 5001, entry
    for filter, error in [("(shoeSize=44)", LDAPAttributeError), ("(objectClass=giant)", LDAPObjectClassError)]:
        try:
            connection.search(PEOPLE, filter)
            raise AssertionError("ldap3 looks names up in the schema")
        except error:
            pass
    found = connection.extend.standard.paged_search(SUFFIX, "(objectClass=*)", SUBTREE, paged_size=2, paged_criticality=True)
    paged = [entry["dn"] for entry in found]
    connection.search(SUFFIX, "(objectClass=*)", SUBTREE)
    # It takes the entries of each page from the end.
    assert sorted(paged) == sorted(entry["dn"] for entry in connection.response) and len(paged) > 8, paged
    missing = connection.search("uid=nobody," + PEOPLE, "(objectClass=*)", BASE)
    assert result(connection, missing) == 32 and connection.result["dn"] == PEOPLE, connection.result


def writes():
    connection = bound(ADMIN)
    name, thing = f"cn=printer 1,ou=services,{SUFFIX}", {"serialNumber": ["1", "2"], "description": "Ärger \\ * ( )"}
    assert connection.add(name, ["device", "top"], thing), connection.result
    assert result(connection, connection.add(name, ["device"], thing)) == 68
    changes = {
        "serialNumber": [(MODIFY_DELETE, ["1"]), (MODIFY_ADD, ["3"])],
        "description": [(MODIFY_REPLACE, ["new"])],
    }
    assert connection.modify(name, changes), connection.result
    assert connection.search(name, "(serialNumber=3)", BASE, attributes=ALL_ATTRIBUTES)
    assert sorted(connection.entries[0].serialNumber.values) == ["2", "3"], connection.entries
    assert result(connection, connection.modify(name, {"serialNumber": [(MODIFY_ADD, ["3"])]})) == 20
    assert connection.modify(ALICE, {"uidNumber": [(MODIFY_INCREMENT, [10])]}), connection.result
    assert connection.compare(ALICE, "uidNumber", 5011), connection.result
    assert not connection.compare(ALICE, "uidNumber", 5001) and connection.result["result"] == 5
    assert connection.modify_dn(name, "cn=printer 2"), connection.result
    moved = f"cn=printer 2,{PEOPLE}"
    assert connection.modify_dn(f"cn=printer 2,ou=services,{SUFFIX}", "cn=printer 2", new_superior=PEOPLE)
    assert connection.delete(moved) and result(connection, connection.delete(moved)) == 32


def objects():
    """The library's own mapping of entries, which lives on the schema."""
    connection = bound(ADMIN)
    person = ObjectDef("inetOrgPerson", connection)
    reader = Reader(connection, person, PEOPLE, "uid: bob")
    reader.search()
    writer = Writer.from_cursor(reader)
    writer[0].title = "Baker"
    assert writer.commit(), connection.result
    assert connection.compare(BOB, "title", "baker")


def passwords():
    alice = bound(ALICE)
    modify = alice.extend.standard.modify_password
    assert not modify(ALICE, task["alice"], "short"), alice.result
    assert alice.result["result"] == 19 and "at least 15 characters" in alice.result["message"], alice.result
    assert not modify(ALICE, "a guess", "a much better secret") and alice.result["result"] == 49, alice.result
    assert modify(ALICE, task["alice"], "a much better secret"), alice.result
    made = bound(ALICE, "a much better secret").extend.standard.modify_password(ALICE, "a much better secret")
    assert len(made) >= 15, made
    change = {"userPassword": [(MODIFY_DELETE, [made]), (MODIFY_ADD, ["by modify, as some do"])]}
    assert bound(ALICE, made).modify(ALICE, change)
    bound(ALICE, "by modify, as some do")
    assert not Connection(server(), ALICE, made).bind()
    hanna = bound("uid=hanna," + PEOPLE)
    made = hanna.extend.standard.modify_password(BOB)
    assert Connection(server(), BOB, made).bind()
    assert not hanna.extend.standard.modify_password(ADMIN, None, "a much better secret")
    assert hanna.result["result"] == 50, hanna.result


for part in [transports, information, searches, writes, objects, passwords]:
    part()
