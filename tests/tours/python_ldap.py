"""What programs that use python-ldap do.

The argument names a function below. Standard input holds JSON: where the server is ("ldap", "ldaps", "ldapi"), the file of
the authority's certificate ("ca") and passwords by name.
"""

import datetime
import json
import sys

import ldap
import ldap.filter
import ldap.modlist
import ldap.sasl
import ldap.schema
from ldap.controls.deref import DereferenceControl
from ldap.controls.libldap import SimplePagedResultsControl
from ldap.controls.ppolicy import PasswordPolicyControl
from ldap.controls.psearch import CHANGE_TYPES_STR, PersistentSearchControl
from ldap.controls.readentry import PostReadControl, PreReadControl
from ldap.controls.simple import RelaxRulesControl
from ldap.controls.sss import SSSRequestControl, SSSResponseControl
from ldap.controls.vlv import VLVRequestControl, VLVResponseControl
from ldap.extop import ExtendedRequest
from ldap.ldapobject import ReconnectLDAPObject
from ldap.syncrepl import SyncreplConsumer
from pyasn1.codec.ber import decoder, encoder
from pyasn1.type import tag, univ

SUFFIX = "dc=example,dc=com"
PEOPLE = "ou=people," + SUFFIX
task = json.load(sys.stdin)


def person(uid):
    return f"uid={uid},{PEOPLE}"


def connect(url="ldaps"):
    connection = ldap.initialize(task[url])
    connection.set_option(ldap.OPT_NETWORK_TIMEOUT, 20)
    connection.set_option(ldap.OPT_TIMEOUT, 20)
    connection.set_option(ldap.OPT_X_TLS_CACERTFILE, task["ca"])
    connection.set_option(ldap.OPT_X_TLS_REQUIRE_CERT, ldap.OPT_X_TLS_DEMAND)
    connection.set_option(ldap.OPT_X_TLS_NEWCTX, 0)
    return connection


def bound(name, password=None):
    connection = connect()
    connection.simple_bind_s(name, password or task["passwords"][name])
    return connection


def refused(error, work, *arguments, **named):
    """The message of an error that must come."""
    try:
        work(*arguments, **named)
    except error as raised:
        return raised.args[0]
    raise AssertionError(f"{error} did not come")


def bind_over_every_transport():
    alice, password = person("alice"), task["passwords"][person("alice")]
    for url in ["ldaps", "ldap", "ldapi"]:
        connection = connect(url)
        if url == "ldap":
            told = refused(ldap.CONFIDENTIALITY_REQUIRED, connection.simple_bind_s, alice, password)
            assert "use ldaps:// or StartTLS" in told["info"], told
            connection.start_tls_s()
        connection.simple_bind_s(alice, password)
        assert connection.whoami_s() == "dn:" + alice
        told = refused(ldap.INVALID_CREDENTIALS, connection.simple_bind_s, alice, "a guess")
        assert connection.whoami_s() == "", told
        connection.unbind_s()
    local = connect("ldapi")
    local.sasl_interactive_bind_s("", ldap.sasl.external())
    assert local.whoami_s().endswith(",cn=peercred,cn=external,cn=auth")


def paged(connection, size, *search):
    """What a search finds, page by page."""
    control = SimplePagedResultsControl(True, size=size, cookie="")
    found, is_first = [], True
    while is_first or control.cookie:
        is_first = False
        _, page, _, controls = connection.result3(connection.search_ext(*search, serverctrls=[control]))
        assert len(page) <= size, page
        [answer] = [one for one in controls if one.controlType == control.controlType]
        control.cookie = answer.cookie
        found += page
    return found


def search_page_by_page():
    connection = bound("cn=admin," + SUFFIX)
    for number in range(25):
        entry = {"objectClass": [b"device"], "serialNumber": [b"%d" % number]}
        connection.add_s(f"cn=thing {number},ou=services,{SUFFIX}", ldap.modlist.addModlist(entry))
    whole = connection.search_s(SUFFIX, ldap.SCOPE_SUBTREE, "(objectClass=*)", ["1.1"])
    for size in [1, 7, 1000]:
        assert paged(connection, size, SUFFIX, ldap.SCOPE_SUBTREE, "(objectClass=*)", ["1.1"]) == whole, size
    # Whatever is asked for, the pages are the whole.
    for reader in [connection, bound(person("alice"))]:
        for base, scope, query, attributes in [
            (SUFFIX, ldap.SCOPE_SUBTREE, "(objectClass=*)", ["*", "+"]),
            (SUFFIX, ldap.SCOPE_ONELEVEL, "(objectClass=organizationalUnit)", None),
            ("ou=services," + SUFFIX, ldap.SCOPE_SUBTREE, "(|(serialNumber=1*)(cn=app))", ["cn", "serialNumber"]),
            (PEOPLE, ldap.SCOPE_SUBTREE, "(!(uid=bob))", ["uid", "memberOf"]),
            (PEOPLE, ldap.SCOPE_BASE, "(objectClass=*)", ["numSubordinates"]),
            (PEOPLE, ldap.SCOPE_SUBTREE, "(uid=nobody)", None),
        ]:
            whole = reader.search_s(base, scope, query, attributes)
            for size in [1, 2, 5]:
                assert paged(reader, size, base, scope, query, attributes) == whole, (base, query, size)
    [(name, entry)] = connection.search_s(SUFFIX, ldap.SCOPE_SUBTREE, "(serialNumber=7)", ["cn", "entryUUID"])
    assert name == f"cn=thing 7,ou=services,{SUFFIX}" and entry["cn"] == [b"thing 7"] and len(entry["entryUUID"][0]) == 36
    told = refused(ldap.SIZELIMIT_EXCEEDED, connection.search_ext_s, SUFFIX, ldap.SCOPE_SUBTREE, sizelimit=3)
    assert told["result"] == 4, told
    refused(ldap.FILTER_ERROR, connection.search_s, SUFFIX, ldap.SCOPE_SUBTREE, "(nonsense")


def found_with(connection, controls, base=PEOPLE, query="(uid=*)"):
    """The uids that a search finds, in their order, and the controls of its answer by OID."""
    message = connection.search_ext(base, ldap.SCOPE_SUBTREE, query, ["uid"], serverctrls=controls)
    kinds = {kind.controlType: kind for kind in [SSSResponseControl, VLVResponseControl]}
    _, entries, _, told = connection.result3(message, resp_ctrl_classes=kinds)
    return [entry["uid"][0].decode() for _, entry in entries], {one.controlType: one for one in told}


def sort():
    connection = bound("cn=admin," + SUFFIX)
    for keys, expected in [
        (["uidNumber"], ["alice", "bob", "carol", "hanna"]),
        (["-uidNumber:integerOrderingMatch"], ["hanna", "carol", "bob", "alice"]),
        (["gidNumber", "-sn"], ["hanna", "carol", "bob", "alice"]),
    ]:
        found, told = found_with(connection, [SSSRequestControl(True, keys)])
        answer = told[SSSResponseControl.controlType]
        assert found == expected and answer.sortResult == 0, (keys, found, answer.sortResult)
    # What has no order is told by name, and found all the same where sorting is only a wish.
    found, told = found_with(connection, [SSSRequestControl(False, ["uid", "jpegPhoto"])])
    answer = told[SSSResponseControl.controlType]
    told = (len(found), answer.sortResult, str(answer.attribute_type_error))
    assert told == (4, 18, "jpegPhoto"), told
    refused(ldap.UNAVAILABLE_CRITICAL_EXTENSION, found_with, connection, [SSSRequestControl(True, ["jpegPhoto"])])


def list_view():
    connection = bound("cn=admin," + SUFFIX)
    sorting = SSSRequestControl(True, ["uid"])

    def view(**target):
        found, told = found_with(connection, [sorting, VLVRequestControl(True, **target)])
        answer = told[VLVResponseControl.controlType]
        return found, answer.targetPosition, answer.contentCount, answer.result

    # A window of the list, as somebody scrolls and as they type.
    assert view(after_count=1, offset=1, content_count=0) == (["alice", "bob"], 1, 4, 0)
    assert view(before_count=1, after_count=1, offset=3, content_count=4) == (["bob", "carol", "hanna"], 3, 4, 0)
    assert view(after_count=9, greater_than_or_equal="CA") == (["carol", "hanna"], 3, 4, 0)
    assert view(before_count=1, greater_than_or_equal="z") == (["hanna"], 5, 4, 0)
    told = refused(ldap.LDAPError, found_with, connection, [VLVRequestControl(True, offset=1, content_count=0)])
    assert told["result"] == 60, told  # sortControlMissing


def dereference():
    connection = bound("cn=admin," + SUFFIX)
    control = DereferenceControl(True, {"member": ["uid", "cn", "userPassword"]})
    message = connection.search_ext(SUFFIX, ldap.SCOPE_SUBTREE, "(cn=staff)", ["member"], serverctrls=[control])
    _, [(_, entry, [told])], _, _, _, _ = connection.result4(message, add_ctrls=1)
    assert sorted(entry["member"]) == [person(uid).encode() for uid in ["alice", "bob"]], entry
    seen = sorted(told.derefRes["member"], key=lambda one: one[0])
    # A secret is not shown by this way either.
    expected = [("alice", "Alice Adams"), ("bob", "Bob Baker")]
    assert seen == [(person(uid), {"uid": [uid], "cn": [cn]}) for uid, cn in expected], seen


def read_entries():
    connection = bound("cn=admin," + SUFFIX)
    alice = person("alice")

    def told(message):
        return {one.controlType: (one.dn, one.entry) for one in connection.result3(message)[3]}

    before, after = PreReadControl(True, ["title", "userPassword"]), PostReadControl(True, ["title", "userPassword"])
    pre, post = before.controlType, after.controlType
    for old, new in [({}, b"Dr"), ({"title": [b"Dr"]}, b"Prof")]:
        change = [(ldap.MOD_REPLACE, "title", new)]
        both = told(connection.modify_ext(alice, change, serverctrls=[before, after]))
        assert both == {pre: (alice, old), post: (alice, {"title": [new]})}, both
    wanda, wilma = person("wanda"), person("wilma")
    entry = [("objectClass", [b"inetOrgPerson"]), ("cn", [b"W"]), ("sn", [b"W"])]
    made = told(connection.add_ext(wanda, entry, serverctrls=[PostReadControl(True, ["uid", "entryUUID"])]))[post][1]
    assert made["uid"] == [b"wanda"] and len(made["entryUUID"][0]) == 36, made
    both = told(connection.rename(wanda, "uid=wilma", serverctrls=[PreReadControl(True, ["uid"]), PostReadControl(True, ["uid"])]))
    assert both == {pre: (wanda, {"uid": [b"wanda"]}), post: (wilma, {"uid": [b"wilma"]})}, both
    gone = told(connection.delete_ext(wilma, serverctrls=[PreReadControl(True, ["entryUUID"])]))
    assert gone == {pre: (wilma, {"entryUUID": made["entryUUID"]})}, gone


def modify():
    connection = bound("cn=admin," + SUFFIX)
    alice = person("alice")
    odd = "Ärger * (mit) \\ Zeichen\0"
    connection.modify_s(alice, [(ldap.MOD_ADD, "description", [odd.encode(), b"plain"]), (ldap.MOD_REPLACE, "title", b"Dr")])
    query = ldap.filter.filter_format("(&(description=%s)(title=%s))", [odd, "dr"])
    [(name, entry)] = connection.search_s(SUFFIX, ldap.SCOPE_SUBTREE, query)
    assert name == alice and sorted(entry["description"]) == sorted([odd.encode(), b"plain"]), entry
    after = {**entry, "description": [b"changed"], "mobile": [b"+49 30 1234"]}
    connection.modify_s(alice, ldap.modlist.modifyModlist(entry, after))
    assert connection.compare_s(alice, "mobile", b"+49 301234") is True
    assert connection.compare_s(alice, "mobile", b"+49 30 9999") is False
    refused(ldap.TYPE_OR_VALUE_EXISTS, connection.modify_s, alice, [(ldap.MOD_ADD, "mobile", b"+49301234")])
    refused(ldap.NO_SUCH_ATTRIBUTE, connection.modify_s, alice, [(ldap.MOD_DELETE, "street", None)])
    told = refused(ldap.UNDEFINED_TYPE, connection.modify_s, alice, [(ldap.MOD_ADD, "shoeSize", b"44")])
    assert "shoeSize" in told["info"], told
    refused(ldap.OBJECT_CLASS_VIOLATION, connection.modify_s, alice, [(ldap.MOD_DELETE, "sn", None)])
    told = refused(ldap.NO_SUCH_OBJECT, connection.delete_s, person("nobody"))
    assert told["matched"] == PEOPLE, told
    connection.rename_s(alice, "uid=alicia", newsuperior="ou=services," + SUFFIX, delold=1)
    moved = f"uid=alicia,ou=services,{SUFFIX}"
    assert connection.read_s(moved)["uid"] == [b"alicia"]
    connection.delete_s(moved)
    refused(ldap.NO_SUCH_OBJECT, connection.read_s, moved)


def change_passwords():
    alice, bob = person("alice"), person("bob")
    old = task["passwords"][alice]
    connection = bound(alice)
    told = refused(ldap.CONSTRAINT_VIOLATION, connection.passwd_s, alice, old, "short")
    assert "at least 15 characters" in told["info"], told
    connection.passwd_s(alice, old, "a much better secret")
    refused(ldap.INVALID_CREDENTIALS, connection.simple_bind_s, alice, old)
    connection.simple_bind_s(alice, "a much better secret")
    # Without a new one, the server makes one, and tells it.
    made = connection.passwd_s(None, "a much better secret", None, extract_newpw=True)[1].genPasswd
    assert len(made) >= 15, made
    bound(alice, made.decode())
    replace = [(ldap.MOD_DELETE, "userPassword", made), (ldap.MOD_ADD, "userPassword", b"by modify, as some do")]
    bound(alice, made.decode()).modify_s(alice, replace)
    bound(alice, "by modify, as some do")
    # The helpdesk needs no old one, and may reset people only.
    helpdesk = bound(person("hanna"))
    made = helpdesk.passwd_s(bob, None, None, extract_newpw=True)[1].genPasswd
    bound(bob, made.decode())
    refused(ldap.INSUFFICIENT_ACCESS, helpdesk.passwd_s, "cn=admin," + SUFFIX, None, "a much better secret")


def ask_about_passwords():
    """What is demanded of a password, passwords to choose from, and the state of an account, by the operations of UnboundID."""

    def ask(connection, name, value):
        return connection.extop_s(ExtendedRequest("1.3.6.1.4.1.30221." + name, encoder.encode(value)))[1]

    def field(number, text):
        return univ.OctetString(text).subtype(implicitTag=tag.Tag(tag.tagClassContext, tag.tagFormatSimple, number))

    def sequence(*fields):
        value = univ.Sequence()
        for position, one in enumerate(fields):
            value.setComponentByPosition(position, one)
        return value

    alice, hanna = bound(person("alice")), bound(person("hanna"))
    demands = ask(alice, "2.6.43", sequence(field(2, "")))
    assert b"It has at least 15 characters." in demands, demands
    refused(ldap.INSUFFICIENT_ACCESS, ask, alice, "2.6.62", sequence(field(2, person("bob"))))
    made = decoder.decode(ask(hanna, "2.6.62", sequence(field(2, person("alice")))))[0]
    made = bytes(made[1][0][0]).decode()
    hanna.passwd_s(person("alice"), None, made)
    bound(person("alice"), made)

    def state(*operations):
        told = decoder.decode(ask(hanna, "1.6.1", sequence(univ.OctetString(person("alice")), sequence(*operations))))[0]
        return [[bytes(value) for value in one[1]] for one in told[1]]

    def operation(number, *values):
        values = [sequence(*map(univ.OctetString, values))] if values else []
        return sequence(univ.Enumerated(number), *values)

    assert state(operation(26), operation(55)) == [[b"true"], [b"false"]], state(operation(26), operation(55))
    assert state(operation(2, "true")) == [[b"true"]]
    refused(ldap.INVALID_CREDENTIALS, bound, person("alice"), made)
    assert state(operation(3)) == [[b"false"]]
    bound(person("alice"), made)


def password_policy():
    bob, hanna = person("bob"), person("hanna")

    def state(connection, message):
        """What the control says of an answer, whether it is good or not."""
        try:
            controls = connection.result3(message, resp_ctrl_classes={PasswordPolicyControl.controlType: PasswordPolicyControl})[3]
        except ldap.LDAPError as error:
            controls = ldap.controls.DecodeControlTuples(
                error.args[0]["ctrls"], {PasswordPolicyControl.controlType: PasswordPolicyControl}
            )
        return [(one.error, one.timeBeforeExpiration, one.graceAuthNsRemaining) for one in controls]

    def login(name, password):
        connection = connect()
        return connection, state(connection, connection.simple_bind(name, password, serverctrls=[PasswordPolicyControl()]))

    _, told = login(bob, task["passwords"][bob])
    assert told in ([], [(None, None, None)]), told
    bound(hanna).passwd_s(bob, None, "given out by the helpdesk")
    connection, told = login(bob, "given out by the helpdesk")
    assert told == [(2, None, None)], told  # changeAfterReset
    refused(ldap.INSUFFICIENT_ACCESS, connection.search_s, SUFFIX, ldap.SCOPE_SUBTREE)
    for new, error in [("short", 6), ("given out by the helpdesk", 8)]:  # passwordTooShort, passwordInHistory
        told = state(connection, connection.passwd(bob, "given out by the helpdesk", new, serverctrls=[PasswordPolicyControl()]))
        assert told == [(error, None, None)], (new, told)
    connection.passwd_s(bob, "given out by the helpdesk", "chosen by bob himself")
    assert connection.search_s(bob, ldap.SCOPE_BASE)[0][0] == bob
    for guess in range(10):
        login(person("carol"), f"guess number {guess}")
    _, told = login(person("carol"), task["passwords"][person("carol")])
    assert told == [(1, None, None)], told  # accountLocked

    # Warnings, before a password expires and after; what time would bring is brought by an administrator.
    admin = bound("cn=admin," + SUFFIX)
    policy = [("pwdMaxAge", b"86400"), ("pwdExpireWarning", b"3600"), ("pwdGraceAuthNLimit", b"2")]
    admin.modify_s("cn=default,ou=policies," + SUFFIX, [(ldap.MOD_REPLACE, name, value) for name, value in policy])
    right = "chosen by bob himself"

    def changed(seconds_ago):
        time = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=seconds_ago)
        change = [(ldap.MOD_REPLACE, "pwdChangedTime", time.strftime("%Y%m%d%H%M%SZ").encode())]
        admin.modify_ext_s(bob, change, serverctrls=[RelaxRulesControl(True)])

    changed(86_400 - 3_000)
    _, [(error, left, grace)] = login(bob, right)
    assert (error, grace) == (None, None) and 2_800 <= left <= 3_000, (error, left, grace)
    changed(86_400 + 1)
    _, told = login(bob, right)
    assert told == [(None, None, 1)], told
    connection, told = login(bob, right)
    assert told == [(None, None, 0)], told
    told = state(connection, connection.passwd(bob, right, "b" * 300, serverctrls=[PasswordPolicyControl()]))
    assert told == [(9, None, None)], told  # passwordTooLong
    _, told = login(bob, right)
    assert told == [(0, None, None)], told  # passwordExpired
    # That session is still good, also for a modify.
    change = [(ldap.MOD_REPLACE, "userPassword", b"and another one of his")]
    told = state(connection, connection.modify_ext(bob, change, serverctrls=[PasswordPolicyControl()]))
    assert told == [(4, None, None)], told  # mustSupplyOldPassword
    change = [(ldap.MOD_DELETE, "userPassword", right.encode()), (ldap.MOD_ADD, "userPassword", b"and another one of his")]
    told = state(connection, connection.modify_ext(bob, change, serverctrls=[PasswordPolicyControl()]))
    assert told in ([], [(None, None, None)]), told
    _, told = login(bob, "and another one of his")
    assert told in ([], [(None, None, None)]), told


def browse():
    connection = connect("ldap")
    root = connection.read_rootdse_s()
    assert connection.get_naming_contexts() == [SUFFIX.encode()]
    assert root["supportedLDAPVersion"] == [b"3"] and b"EXTERNAL" not in root.get("supportedSASLMechanisms", [])
    for name in ["objectClass", "subschemaSubentry", "supportedControl", "supportedExtension", "supportedFeatures"]:
        assert root[name], name
    [(_, plain)] = connection.search_s("", ldap.SCOPE_BASE, "(objectClass=*)")
    assert "supportedControl" not in plain, "operational attributes are for those who ask for them"

    subentry = connection.search_subschemasubentry_s()
    attributes = connection.read_subschemasubentry_s(subentry)
    schema = ldap.schema.SubSchema(attributes, check_uniqueness=2)
    counts = {kind.schema_attribute: len(schema.listall(kind)) for kind in ldap.schema.SCHEMA_CLASS_MAPPING.values()}
    for name, count in counts.items():
        told = len(attributes.get(name, []))
        assert count == told, f"{name}: {count} of {told} can be read"
    for name, least in [("attributeTypes", 150), ("objectClasses", 40), ("matchingRules", 20), ("ldapSyntaxes", 20)]:
        assert counts[name] >= least, counts
    kinds = ldap.schema.models
    syntaxes = set(schema.listall(kinds.LDAPSyntax))
    rules = {name for oid in schema.listall(kinds.MatchingRule) for name in schema.get_obj(kinds.MatchingRule, oid).names}
    for oid in schema.listall(kinds.MatchingRule):
        assert schema.get_obj(kinds.MatchingRule, oid).syntax in syntaxes, oid
    for oid in schema.listall(kinds.AttributeType):
        kind = schema.get_obj(kinds.AttributeType, oid)
        assert str(kind) and kind.names, oid
        inherited = schema.get_inheritedobj(kinds.AttributeType, oid, ["syntax", "equality", "substr", "ordering"])
        assert inherited.syntax in syntaxes, (kind.names, inherited.syntax)
        for rule in filter(None, [inherited.equality, inherited.substr, inherited.ordering]):
            assert rule in rules, (kind.names, rule)
        assert all(schema.get_obj(kinds.AttributeType, above) for above in kind.sup), kind.names
    for oid in schema.listall(kinds.ObjectClass):
        kind = schema.get_obj(kinds.ObjectClass, oid)
        for name in kind.must + kind.may:
            assert schema.get_obj(kinds.AttributeType, name), (kind.names, name)
        assert all(schema.get_obj(kinds.ObjectClass, above) for above in kind.sup), kind.names
    must, _ = schema.attribute_types(["inetOrgPerson", "posixAccount"])
    must = {kind.names[0] for kind in must.values()}
    assert {"cn", "sn", "uid", "uidNumber", "gidNumber", "homeDirectory"} <= must, must

    # Down the tree, as a browser opens it.
    connection = bound("cn=admin," + SUFFIX)
    pending, seen = [SUFFIX], []
    while pending:
        base = pending.pop()
        seen.append(base)
        [(_, entry)] = connection.search_s(base, ldap.SCOPE_BASE, "(objectClass=*)", ["*", "+"])
        children = connection.search_s(base, ldap.SCOPE_ONELEVEL, "(objectClass=*)", ["1.1"])
        assert entry["hasSubordinates"] == [b"TRUE" if children else b"FALSE"], entry
        assert entry["subschemaSubentry"] == [subentry.encode()] and entry["entryDN"] == [base.encode()], entry
        for name in entry:
            assert schema.get_obj(kinds.AttributeType, name), name
        pending += [name for name, _ in children]
    assert sorted(seen) == sorted(name for name, _ in connection.search_s(SUFFIX, ldap.SCOPE_SUBTREE, attrlist=["1.1"]))


def next_notice(watching, search):
    """The next entry of a persistent search: its name, its attributes, and what has happened to it."""
    _, entries, _, _, _, _ = watching.result4(search, all=0, timeout=20, add_ctrls=1)
    [(name, attributes, controls)] = entries
    told = [(CHANGE_TYPES_STR[it.changeType], it.previousDN, it.changeNumber) for it in controls]
    return name, attributes, told


def persistent_search():
    admin = "cn=admin," + SUFFIX
    watching, working = bound(admin), bound(admin)
    control = PersistentSearchControl(criticality=True, changesOnly=False, returnECs=True)
    search = watching.search_ext(PEOPLE, ldap.SCOPE_SUBTREE, "(|(uid=alice)(uid=w*))", serverctrls=[control])
    # It has begun when it has told what is there.
    name, _, told = next_notice(watching, search)
    assert (name, told) == (person("alice"), []), (name, told)
    wanda, wilma, numbers = person("wanda"), person("wilma"), []
    entry = [("objectClass", [b"inetOrgPerson"]), ("cn", [b"W"]), ("sn", [b"W"])]
    for change, happened, expected, previous in [
        (lambda: working.add_s(wanda, entry), "add", wanda, None),
        (lambda: working.modify_s(wanda, [(ldap.MOD_REPLACE, "title", [b"watched"])]), "modify", wanda, None),
        (lambda: working.rename_s(wanda, "uid=wilma"), "modDN", wilma, wanda),
        (lambda: working.delete_s(wilma), "delete", wilma, None),
    ]:
        working.modify_s(person("bob"), [(ldap.MOD_REPLACE, "title", [happened.encode()])])
        change()
        name, attributes, [(kind, before, number)] = next_notice(watching, search)
        assert (name, kind, before) == (expected, happened, previous), (name, kind, before)
        assert attributes["cn"] == [b"W"] and "userPassword" not in attributes, attributes
        numbers.append(number)
    assert numbers == sorted(set(numbers)), numbers
    watching.cancel_s(search)
    assert watching.whoami_s() == "dn:" + admin



class Copy(SyncreplConsumer, ReconnectLDAPObject):
    """A copy of what a search finds: names by identity."""

    def begin(self):
        self.entries, self.present, self.cookie, self.is_up_to_date = {}, set(), None, False

    def syncrepl_get_cookie(self):
        return self.cookie

    def syncrepl_set_cookie(self, cookie):
        self.cookie = cookie

    def syncrepl_entry(self, dn, attributes, uuid):
        self.entries[uuid] = dn
        self.present.add(uuid)

    def syncrepl_delete(self, uuids):
        for uuid in uuids:
            del self.entries[uuid]

    def syncrepl_present(self, uuids, refreshDeletes=False):
        if uuids is not None:
            self.present.update(uuids)
        elif not refreshDeletes:
            self.entries = {uuid: dn for uuid, dn in self.entries.items() if uuid in self.present}
            self.present = set()

    def syncrepl_refreshdone(self):
        self.is_up_to_date = True


def content_synchronization():
    admin = "cn=admin," + SUFFIX
    working, copy = bound(admin), Copy(task["ldapi"])
    copy.simple_bind_s(admin, task["passwords"][admin])
    copy.begin()

    def found():
        return sorted(name for name, _ in working.search_s(PEOPLE, ldap.SCOPE_SUBTREE, attrlist=["1.1"]))

    def refresh():
        search = copy.syncrepl_search(PEOPLE, ldap.SCOPE_SUBTREE, mode="refreshOnly")
        while copy.syncrepl_poll(msgid=search, timeout=20):
            pass
        assert sorted(copy.entries.values()) == found(), copy.entries

    refresh()
    wanda, wilma = person("wanda"), person("wilma")
    entry = [("objectClass", [b"inetOrgPerson"]), ("cn", [b"W"]), ("sn", [b"W"])]
    changes = [
        lambda: working.add_s(wanda, entry),
        lambda: working.modify_s(wanda, [(ldap.MOD_REPLACE, "title", [b"watched"])]),
        lambda: working.rename_s(wanda, "uid=wilma"),
        lambda: working.delete_s(wilma),
    ]
    for change in changes:
        change()
        refresh()
    search = copy.syncrepl_search(PEOPLE, ldap.SCOPE_SUBTREE, mode="refreshAndPersist")
    while not copy.is_up_to_date:
        assert copy.syncrepl_poll(msgid=search, timeout=20)
    for change in changes:
        cookie = copy.cookie
        change()
        # It is told everything when it gets a cookie.
        while copy.cookie == cookie:
            assert copy.syncrepl_poll(msgid=search, timeout=20)
        assert sorted(copy.entries.values()) == found(), copy.entries
    copy.cancel_s(search)
    refresh()



{
    work.__name__: work
    for work in [
        bind_over_every_transport,
        search_page_by_page,
        sort,
        list_view,
        dereference,
        read_entries,
        modify,
        change_passwords,
        ask_about_passwords,
        password_policy,
        browse,
        persistent_search,
        content_synchronization,
    ]
}[sys.argv[1]]()
