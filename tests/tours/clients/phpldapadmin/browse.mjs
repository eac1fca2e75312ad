// An administrator at phpLDAPadmin, in headless Chromium: logs in, browses, edits, adds, and sets a password.
//
// Arguments: the URL of phpLDAPadmin, the folder of node_modules that holds playwright-core, a folder for screenshots.
// Standard input holds the administrator's password.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const [site, modules, shots] = process.argv.slice(2);
const { chromium } = createRequire(`${modules}/`)('playwright-core');
const suffix = 'dc=example,dc=com';
const alice = `uid=alice,ou=people,${suffix}`;
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
const page = await browser.newPage({ viewport: { width: 1200, height: 1000 } });
page.setDefaultTimeout(60_000);

const open = (command, more = {}) => page.goto(`${site}/cmd.php?${new URLSearchParams({ cmd: command, server_id: 1, ...more })}`);
const shoot = (name) => page.screenshot({ path: `${shots}/${name}.png` });
const press = (label) => Promise.all([page.waitForNavigation(), page.click(`input[type=submit][value="${label}"]`)]);

async function logIn() {
  await open('login_form');
  await page.fill('input[name=login]', `cn=admin,${suffix}`);
  await page.fill('input[name=login_pass]', readFileSync(0, 'utf8').trimEnd());
  await press('Authenticate');
  assert.match(await page.innerText('body'), /Successfully logged into server/);
  await shoot('1-logged-in');
}

async function browse() {
  // Opening a branch of the tree asks for hasSubordinates below it.
  await page.click('img[alt="+-"]');
  await page.waitForSelector('text=ou=people');
  await shoot('2-tree');
  await open('schema', { view: 'objectclasses', viewvalue: 'inetorgperson' });
  assert.match(await page.innerText('body'), /2\.16\.840\.1\.113730\.3\.2\.2/);
  await shoot('3-schema');
}

async function edit() {
  await open('template_engine', { dn: alice });
  await page.fill('input[name="new_values[displayname][0]"]', 'Alice in the browser');
  await press('Update Object');
  await press('Update Object');
  assert.equal(await page.inputValue('input[name="new_values[displayname][0]"]'), 'Alice in the browser');
  await shoot('4-edited');
}

async function add() {
  await open('template_engine', { container: suffix });
  await page.click('text=Generic: Organisational Unit');
  await page.fill('input[name="new_values[ou][0]"]', 'machines');
  await press('Create Object');
  // This is answered into the page as it is.
  await page.click('input[type=submit][value="Commit"]');
  await page.waitForSelector('text=Creation successful');
  await open('template_engine', { dn: `ou=machines,${suffix}` });
  assert.equal(await page.inputValue('input[name="new_values[ou][0]"]'), 'machines');
  await shoot('5-added');
}

/** phpLDAPadmin shows no password, since nobody is shown one, and sets one as an attribute that is added. */
async function setPassword(password) {
  await open('add_attr_form', { dn: alice });
  await page.selectOption('select[name=single_item_attr]', 'userpassword');
  await page.fill('[name=single_item_value]', password);
  await Promise.all([page.waitForNavigation(), page.locator('input[type=submit][value="Add"]').first().click()]);
  await press('Update Object');
  await shoot(`6-password-${password.length < 15 ? 'refused' : 'set'}`);
  return page.innerText('body');
}

await logIn();
await browse();
await edit();
await add();
// It shows the result code and not the server's words.
assert.match(await setPassword('short'), /Constraint violation/);
assert.doesNotMatch(await setPassword('set in a browser window'), /Could not perform/);
await browser.close();
