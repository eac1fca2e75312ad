// What programs in JavaScript do, by ldapts.
//
// Standard input holds lines NAME=VALUE: where the server is, the file of its authority's certificate, and passwords.
// The argument is the folder of node_modules in which ldapts is.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(`${process.argv[2]}/`);
const { Attribute, Change, Client, Control } = require('ldapts');

const lines = readFileSync(0, 'utf8').trimEnd().split('\n');
const task = Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
const suffix = 'dc=example,dc=com';
const people = `ou=people,${suffix}`;
const [admin, alice, bob] = [`cn=admin,${suffix}`, `uid=alice,${people}`, `uid=bob,${people}`];
const tls = { ca: [readFileSync(task.ca)] };

const connect = (url = 'ldaps') =>
  new Client({ url: task[url], timeout: 20_000, ...(url === 'ldaps' && { tlsOptions: tls }) });

async function bound(name, password = task[name.split(',')[0].split('=')[1]]) {
  const client = connect();
  await client.bind(name, password);
  return client;
}

/** Asserts that something is refused with a result code, and returns what was said. */
async function refused(code, work) {
  const error = await work.then(
    () => assert.fail('it was not refused'),
    (error) => error,
  );
  assert.equal(error.code, code, error);
  return error.message;
}

const change = (operation, type, ...values) =>
  new Change({ operation, modification: new Attribute({ type, values }) });

async function transports() {
  const client = connect('ldap');
  await refused(13, client.bind(alice, task.alice));
  await client.startTLS({ ...tls });
  await client.bind(alice, task.alice);
  const { value } = await client.exop('1.3.6.1.4.1.4203.1.11.3');
  assert.equal(value, `dn:${alice}`);
  await refused(49, client.bind(alice, 'a guess'));
  await client.bind(alice, task.alice);
  // It does not notice the end of such a connection, so nobody waits for it.
  void client.unbind();
}

async function searches() {
  const client = await bound(admin);
  const one = await client.search(people, { filter: '(&(objectClass=person)(|(uid=alice)(mail=alice)))' });
  assert.deepEqual(one.searchEntries.map((entry) => entry.dn), [alice]);
  assert.equal(one.searchEntries[0].mail, 'alice@example.com');
  const { searchEntries: whole } = await client.search(suffix, { attributes: ['1.1'] });
  const { searchEntries: paged } = await client.search(suffix, { attributes: ['1.1'], paged: { pageSize: 3 } });
  assert.deepEqual(paged, whole);
  const pages = client.searchPaginated(suffix, { paged: { pageSize: 4 } });
  let count = 0;
  for await (const page of pages) count += page.searchEntries.length;
  assert.equal(count, whole.length);
  await refused(32, client.search(`uid=nobody,${people}`, { scope: 'base' }));
  const { searchEntries: [dse] } = await client.search('', { scope: 'base', attributes: ['+'] });
  assert.equal(dse.namingContexts, suffix);
  await client.unbind();
}

async function writes() {
  const client = await bound(admin);
  const name = `cn=Ärger\\, 1,ou=services,${suffix}`;
  await client.add(name, { objectClass: ['device'], serialNumber: ['1', '2'] });
  await refused(68, client.add(name, { objectClass: ['device'] }));
  await client.modify(name, [
    change('add', 'serialNumber', '3'),
    change('delete', 'serialNumber', '1'),
    change('replace', 'description', 'neu'),
  ]);
  const { searchEntries: [thing] } = await client.search(name, { scope: 'base' });
  assert.deepEqual([thing.serialNumber.sort(), thing.description], [['2', '3'], 'neu']);
  assert.equal(await client.compare(name, 'description', 'NEU'), true);
  assert.equal(await client.compare(name, 'description', 'alt'), false);
  await refused(17, client.modify(name, change('add', 'shoeSize', '44')));
  await client.modifyDN(name, `cn=moved,${people}`);
  await client.del(`cn=moved,${people}`);
  await client.unbind();
}

async function passwords() {
  // RFC 3062, whose request an application of ldapts encodes itself.
  const passwordModify = (client, ...fields) => {
    const field = (text, index) => {
      const octets = Buffer.from(text ?? '');
      return text === undefined ? octets : Buffer.concat([Buffer.from([0x80 | index, octets.length]), octets]);
    };
    const content = Buffer.concat(fields.map(field));
    return client.exop('1.3.6.1.4.1.4203.1.11.1', Buffer.concat([Buffer.from([0x30, content.length]), content]));
  };
  const first = await bound(alice);
  assert.match(await refused(19, passwordModify(first, alice, task.alice, 'short')), /at least 15 characters/);
  await refused(49, passwordModify(first, alice, 'a guess', 'a much better secret'));
  await passwordModify(first, alice, task.alice, 'a much better secret');
  const second = await bound(alice, 'a much better secret');
  await second.modify(alice, [
    change('delete', 'userPassword', 'a much better secret'),
    change('add', 'userPassword', 'by modify, as some do'),
  ]);
  const third = await bound(alice, 'by modify, as some do');
  const hanna = await bound(`uid=hanna,${people}`);
  await passwordModify(hanna, bob, undefined, 'given out by the helpdesk');
  await refused(50, passwordModify(hanna, admin, undefined, 'a much better secret'));
  const bobs = await bound(bob, 'given out by the helpdesk');
  await refused(50, bobs.search(suffix, { scope: 'sub' }));
  await Promise.all([first, second, third, hanna, bobs].map((client) => client.unbind()));
}

await transports();
await searches();
await writes();
await passwords();
