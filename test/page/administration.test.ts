import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

import { parseConfig } from '../../src/control/config/index.js';
import { ServerLab } from '../server/server-lab.js';
import { SmallInterfaces } from './small-interfaces.js';

const PAGE_FOLDER = fileURLToPath(new URL('../../web', import.meta.url));
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TIME_LIMIT = { timeout: 150_000 };

let browser: Browser;
let lab: ServerLab;
let owner: { cookie: string };
let context: BrowserContext;
let page: Page;
let origin: string;
const errors: string[] = [];

before(async () => {
  lab = await ServerLab.open(PAGE_FOLDER, { interfaces: new SmallInterfaces() });
  origin = lab.origin.replace('127.0.0.1', 'localhost');
  owner = await lab.setUp();
  for (const name of ['phone', 'laptop', 'tablet']) await lab.addDevice(owner, name);
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
  context = await browser.newContext({ permissions: ['clipboard-read', 'clipboard-write'] });
  const [name, value] = owner.cookie.split('=') as [string, string];
  await context.addCookies([{ name, value, url: origin, httpOnly: true, sameSite: 'Strict' }]);
  page = await context.newPage();
  page.on('pageerror', ({ message }) => errors.push(message));
}, TIME_LIMIT);

after(async () => {
  await browser?.close();
  await lab?.[Symbol.asyncDispose]();
});

async function faults(): Promise<string[]> {
  await page.evaluate(AXE);
  const found = await page.evaluate(
    `axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ' ' + nodes[0].html))`,
  );
  return found as string[];
}

describe('the administration on the page', () => {
  it('goes anywhere by Ctrl-K and a few letters', TIME_LIMIT, async () => {
    await page.goto(`${origin}/#/devices`);
    await page.getByRole('heading', { name: 'Devices' }).waitFor();
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Go to…' }).fill('tab');
    assert.deepEqual(await faults(), []);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'tablet' }).waitFor();
    await page.getByRole('heading', { name: 'Flows at this moment' }).waitFor();
  });

  it('offers what was done for curl and for the command line, without a secret', TIME_LIMIT, async () => {
    await page.getByRole('button', { name: 'Block', exact: true }).click();
    await page.getByRole('button', { name: 'Copy as command' }).click();
    assert.equal(await page.evaluate('navigator.clipboard.readText()'), 'wiretype gateway block tablet');
    await page.getByRole('button', { name: 'Copy as curl' }).click();
    const curl = String(await page.evaluate('navigator.clipboard.readText()'));
    assert.match(
      curl,
      /^curl -X POST -H "Authorization: Bearer \$WIRETYPE_TOKEN" .* -d '\{\}' http:\/\/localhost:\d+\/api\/v1\/devices\/[0-9a-f]{12}\/block$/,
    );
    assert.ok(!curl.includes(owner.cookie.split('=')[1]!));
  });

  it('changes many devices by one request, with undo', TIME_LIMIT, async () => {
    await page.goto(`${origin}/#/devices`);
    for (const name of ['phone', 'laptop']) await page.getByRole('checkbox', { name: `Select ${name}` }).check();
    await page.getByRole('toolbar').getByRole('button', { name: 'Remove' }).click();
    await page.getByRole('link', { name: 'phone' }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByRole('link', { name: 'phone' }).waitFor();
    assert.equal(lab.gateway.devices().filter(({ device }) => device.deletedAtUnixMs === undefined).length, 3);
  });

  it('brings settings back to what they were', TIME_LIMIT, async () => {
    await page.goto(`${origin}/#/settings`);
    const mtu = page.getByLabel('MTU');
    await mtu.fill('1380');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('button', { name: 'Back to before this' }).waitFor();
    assert.equal(lab.gateway.settings.mtu, 1_380);
    assert.deepEqual(await faults(), []);
    await page.getByRole('button', { name: 'Back to before this' }).click();
    while ((await mtu.inputValue()) !== '1420') await delay(20);
    assert.equal(lab.gateway.settings.mtu, 1_420);
  });

  it('makes and tries webhooks', TIME_LIMIT, async () => {
    await page.getByLabel('URL').fill('http://127.0.0.1:9/hook');
    await page
      .locator('section', { has: page.getByRole('heading', { name: 'Webhooks' }) })
      .getByLabel('Name')
      .fill('chat');
    await page.getByRole('button', { name: 'Add a webhook' }).click();
    assert.match(await page.getByLabel('This secret is shown this once:').inputValue(), /^whsec_/);
    await page.getByRole('button', { name: 'Try it' }).click();
    await page.getByText('test', { exact: true }).waitFor();
    assert.deepEqual(await faults(), []);
  });

  it('downloads a backup, and begins again with one that is whole', TIME_LIMIT, async () => {
    const saving = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download a backup' }).click();
    const download = await saving;
    assert.match(download.suggestedFilename(), /^wiretype-gateway-\d{4}-\d\d-\d\d\.db$/);
    const path = await download.path();
    assert.equal(readFileSync(path).subarray(0, 15).toString(), 'SQLite format 3');

    const chooser = page.getByLabel('A backup to go back to:');
    await chooser.setInputFiles({
      name: 'bad.db',
      mimeType: 'application/x',
      buffer: Buffer.from('SQLite format 3\0 and no more'),
    });
    await page.getByRole('button', { name: 'Restore' }).click();
    await page.getByText(/the backup is damaged/).waitFor();
    assert.deepEqual(lab.restored, []);
    await chooser.setInputFiles(path);
    const again = page.waitForEvent('load'); // the page loads itself again, when the gateway has begun again
    await page.getByRole('button', { name: 'Restore' }).click();
    await page.getByText(/The backup is whole/).waitFor();
    await again;
    assert.equal(lab.restored.length, 1);
    assert.equal(statSync(lab.restored[0]!).mode & 0o777, 0o600);
  });

  it('lets a member add an own device where the settings allow it', TIME_LIMIT, async () => {
    await lab.call('PATCH', '/settings', { membersMayAdd: true }, owner);
    const [name, value] = (await lab.invite(owner, 'wang', 'member')).cookie.split('=') as [string, string];
    const members = await browser.newContext();
    await members.addCookies([{ name, value, url: origin, httpOnly: true, sameSite: 'Strict' }]);
    const own = await members.newPage();
    await own.goto(`${origin}/#/devices`);
    await own.getByRole('button', { name: 'Add a device' }).click();
    assert.equal(await own.getByLabel('Tags').count(), 0);
    await own.getByRole('dialog').getByLabel('Name').fill('wang phone');
    await own.getByRole('button', { name: 'Make the code' }).click();
    await own.getByRole('button', { name: 'Done' }).click();
    await own.getByRole('link', { name: 'wang phone' }).click();
    await own.getByRole('button', { name: 'Show a new code' }).click();
    await own.getByRole('button', { name: 'Done' }).click();
    await own.getByRole('button', { name: 'Remove' }).click();
    await own.getByRole('link', { name: 'wang phone' }).waitFor({ state: 'detached' });
    await members.close();
  });

  it('shows the interfaces of the host, and changes their peers', TIME_LIMIT, async () => {
    await page.goto(`${origin}/#/devices`);
    await page.getByRole('link', { name: 'Interfaces' }).click();
    await page.getByRole('link', { name: 'wg0' }).click();
    await page.getByRole('button', { name: 'Why? laptop' }).click();
    await page.getByText('It has never made a handshake.').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Disable phone' }).click();
    await page.getByRole('button', { name: 'Enable phone' }).waitFor();
    await page.getByRole('button', { name: 'Rename phone' }).click();
    await page.getByRole('dialog').getByLabel('Name').fill('old phone');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('cell', { name: 'old phone', exact: true }).waitFor();
    for (const width of [390, 1_280]) {
      await page.setViewportSize({ width, height: 900 });
      assert.deepEqual(await faults(), [], String(width));
    }
    await page.getByRole('button', { name: 'Add a peer' }).click();
    await page.getByRole('dialog').getByLabel('Name').fill('tablet');
    const saving = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Make the code' }).click();
    await page.getByRole('button', { name: 'Save the file' }).click();
    const document = parseConfig(readFileSync(await (await saving).path(), 'utf8'), 'tablet.conf');
    document.assertValid();
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByRole('cell', { name: 'tablet', exact: true }).waitFor();
    await page.getByText('Limits, quotas, access rules').waitFor();
    assert.deepEqual(errors, []);
  });
});
