<?php
// What PHP applications do: LTB self-service-password, Nextcloud, LAM, phpLDAPadmin.
//
// Standard input holds lines NAME=VALUE: where the server is, the file of its authority's certificate, and passwords.
declare(strict_types=1);

$task = [];
foreach (file('php://stdin', FILE_IGNORE_NEW_LINES) as $line) {
    [$name, $value] = explode('=', $line, 2);
    $task[$name] = $value;
}
const SUFFIX = 'dc=example,dc=com';
const PEOPLE = 'ou=people,' . SUFFIX;
const ADMIN = 'cn=admin,' . SUFFIX;
const ALICE = 'uid=alice,' . PEOPLE;
const BOB = 'uid=bob,' . PEOPLE;
// For all connections: PHP reads it when the first is made.
ldap_set_option(null, LDAP_OPT_X_TLS_CACERTFILE, $task['ca']);
ldap_set_option(null, LDAP_OPT_X_TLS_REQUIRE_CERT, LDAP_OPT_X_TLS_HARD);

function is(mixed $got, mixed $wanted): void
{
    if ($got !== $wanted) {
        $line = debug_backtrace()[0]['line'];
        throw new Exception("line $line: " . var_export($got, true) . ' is not ' . var_export($wanted, true));
    }
}

function connect(string $url = 'ldaps'): LDAP\Connection
{
    global $task;
    $ldap = ldap_connect($task[$url]);
    ldap_set_option($ldap, LDAP_OPT_PROTOCOL_VERSION, 3);
    ldap_set_option($ldap, LDAP_OPT_REFERRALS, 0);
    ldap_set_option($ldap, LDAP_OPT_NETWORK_TIMEOUT, 20);
    return $ldap;
}

function bound(string $name, ?string $password = null): LDAP\Connection
{
    global $task;
    $ldap = connect();
    $short = preg_replace('/^\w+=(\w+),.*/', '$1', $name);
    is(ldap_bind($ldap, $name, $password ?? $task[$short]), true);
    return $ldap;
}

function names(LDAP\Connection $ldap, LDAP\Result $found): array
{
    $entries = ldap_get_entries($ldap, $found);
    unset($entries['count']);
    return array_column($entries, 'dn');
}

function transports(): void
{
    global $task;
    $ldap = connect('ldap');
    is(@ldap_bind($ldap, ALICE, $task['alice']), false);
    is(ldap_errno($ldap), 13);
    $ldap = connect('ldap');
    is(ldap_start_tls($ldap), true);
    is(ldap_bind($ldap, ALICE, $task['alice']), true);
    is(ldap_exop_whoami($ldap), 'dn:' . ALICE);
    is(@ldap_bind($ldap, ALICE, 'a guess'), false);
    is(ldap_errno($ldap), 49);
    is(ldap_bind($ldap, ALICE, $task['alice']), true);
    // C2: a name without a password is nobody.
    is(@ldap_bind($ldap, ALICE, ''), false);
}

function searches(): void
{
    $ldap = bound(ADMIN);
    $text = ldap_escape('alice@example.com', '', LDAP_ESCAPE_FILTER);
    $found = ldap_search($ldap, SUFFIX, "(&(objectClass=inetOrgPerson)(|(uid=$text)(mail=$text)))", ['mail', 'dn']);
    is(names($ldap, $found), [ALICE]);
    is(ldap_get_values($ldap, ldap_first_entry($ldap, $found), 'mail')[0], 'alice@example.com');
    $whole = names($ldap, ldap_search($ldap, SUFFIX, '(objectClass=*)', ['1.1']));
    [$paged, $cookie] = [[], ''];
    do {
        $control = ['oid' => LDAP_CONTROL_PAGEDRESULTS, 'iscritical' => true, 'value' => ['size' => 3, 'cookie' => $cookie]];
        $found = ldap_search($ldap, SUFFIX, '(objectClass=*)', ['1.1'], 0, -1, -1, LDAP_DEREF_NEVER, [$control]);
        ldap_parse_result($ldap, $found, $code, $matched, $words, $referrals, $controls);
        $paged = [...$paged, ...names($ldap, $found)];
        $cookie = $controls[LDAP_CONTROL_PAGEDRESULTS]['value']['cookie'];
    } while ($cookie !== '');
    is($paged, $whole);
    is(@ldap_read($ldap, 'uid=nobody,' . PEOPLE, '(objectClass=*)'), false);
    is(ldap_errno($ldap), 32);
    // phpLDAPadmin's way of asking for everything.
    $found = ldap_read($ldap, '', '(objectClass=*)', ['+', '*'], 0, 0, 0, LDAP_DEREF_ALWAYS);
    is(ldap_get_entries($ldap, $found)[0]['namingcontexts'][0], SUFFIX);
}

function writes(): void
{
    $ldap = bound(ADMIN);
    $name = 'cn=' . ldap_escape('Plätze, 1. Reihe', '', LDAP_ESCAPE_DN) . ',ou=services,' . SUFFIX;
    is(ldap_add($ldap, $name, ['objectClass' => ['device'], 'serialNumber' => ['1', '2']]), true);
    is(@ldap_add($ldap, $name, ['objectClass' => ['device']]), false);
    is(ldap_errno($ldap), 68);
    is(ldap_modify_batch($ldap, $name, [
        ['attrib' => 'serialNumber', 'modtype' => LDAP_MODIFY_BATCH_REMOVE, 'values' => ['1']],
        ['attrib' => 'l', 'modtype' => LDAP_MODIFY_BATCH_ADD, 'values' => ['Berlin']],
        ['attrib' => 'description', 'modtype' => LDAP_MODIFY_BATCH_REPLACE, 'values' => ["Ärger\0"]],
        ['attrib' => 'l', 'modtype' => LDAP_MODIFY_BATCH_REMOVE_ALL],
    ]), true);
    $found = ldap_get_entries($ldap, ldap_read($ldap, $name, '(objectClass=*)'))[0];
    is([$found['serialnumber'][0], $found['description'][0], isset($found['l'])], ['2', "Ärger\0", false]);
    is(ldap_mod_add($ldap, $name, ['l' => 'Bern']), true);
    is(ldap_mod_replace($ldap, $name, ['l' => ['Wien']]), true);
    is(ldap_compare($ldap, $name, 'l', 'WIEN'), true);
    is(ldap_mod_del($ldap, $name, ['l' => []]), true);
    is(@ldap_compare($ldap, $name, 'l', 'WIEN'), -1);
    is(ldap_errno($ldap), 16);
    is(ldap_rename($ldap, $name, 'cn=moved', PEOPLE, true), true);
    is(ldap_delete($ldap, 'cn=moved,' . PEOPLE), true);
}

function passwords(): void
{
    global $task;
    $old = $task['alice'];
    // With the control for password policies, as LTB self-service-password sends it.
    $ldap = bound(ALICE);
    $asked = [['oid' => LDAP_CONTROL_PASSWORDPOLICYREQUEST]];
    ldap_set_option($ldap, LDAP_OPT_SERVER_CONTROLS, $asked);
    $answers = [];
    // PHP keeps no code of an exop that was asked for controls (its bug 80820), so applications look at these.
    is(@ldap_exop_passwd($ldap, ALICE, $old, 'short', $answers), false);
    is($answers[LDAP_CONTROL_PASSWORDPOLICYRESPONSE]['value']['error'], 6);
    is(@ldap_exop_passwd($ldap, ALICE, $old, 'short'), false);
    is(ldap_errno($ldap), 19);
    is(str_contains(error_get_last()['message'], 'at least 15 characters'), true);
    is(@ldap_exop_passwd($ldap, ALICE, 'a guess', 'a much better secret'), false);
    is(ldap_errno($ldap), 49);
    is(ldap_exop_passwd($ldap, ALICE, $old, 'a much better secret', $answers), true);
    $answers = [];
    $made = ldap_exop_passwd(bound(ALICE, 'a much better secret'), '', 'a much better secret', '', $answers);
    is(strlen($made) >= 15, true);
    // The way of Active Directory, as LTB and LdapRecord go it.
    $change = fn (string $from, string $to) => [
        ['attrib' => 'userPassword', 'modtype' => LDAP_MODIFY_BATCH_REMOVE, 'values' => [$from]],
        ['attrib' => 'userPassword', 'modtype' => LDAP_MODIFY_BATCH_ADD, 'values' => [$to]],
    ];
    $ldap = bound(ALICE, $made);
    is(@ldap_modify_batch($ldap, ALICE, $change('a guess', 'by modify, as some do')), false);
    is(ldap_errno($ldap), 49);
    is(@ldap_modify_batch($ldap, ALICE, $change($made, 'short')), false);
    is(ldap_errno($ldap), 19);
    is(ldap_modify_batch($ldap, ALICE, $change($made, 'by modify, as some do')), true);
    bound(ALICE, 'by modify, as some do');
    // What was refused by one way is refused by the other.
    $ldap = bound(ALICE, 'by modify, as some do');
    is(@ldap_exop_passwd($ldap, ALICE, 'by modify, as some do', 'short'), false);
    is(@ldap_mod_replace($ldap, ALICE, ['userPassword' => 'short']), false);
    bound(ALICE, 'by modify, as some do');
    // The helpdesk resets, and the bind tells that the password must be changed.
    $hanna = bound('uid=hanna,' . PEOPLE);
    $made = ldap_exop_passwd($hanna, BOB);
    $login = ldap_bind_ext(connect(), BOB, $made, $asked);
    ldap_parse_result($hanna, $login, $code, $matched, $words, $referrals, $controls);
    is([$code, $controls[LDAP_CONTROL_PASSWORDPOLICYRESPONSE]['value']['error']], [0, 2]);
    is(@ldap_exop_passwd($hanna, ADMIN, '', 'a much better secret'), false);
    is(ldap_errno($hanna), 50);
}

transports();
searches();
writes();
passwords();
