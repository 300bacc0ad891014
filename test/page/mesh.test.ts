/** The page of a mesh: nodes, and an invitation that is shown once. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

import { labHub } from '../server/lab-hub.js';
import { ServerLab } from '../server/server-lab.js';

const PAGE_FOLDER = fileURLToPath(new URL('../../web', import.meta.url));
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

describe('the page of a mesh', () => {
  it('shows nodes, takes them back, and invites hosts', { timeout: 150_000 }, async (t) => {
    const hub = labHub();
    const lab = await ServerLab.open(PAGE_FOLDER, { hub });
    const browser = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu'],
    });
    t.after(async () => {
      await browser.close();
      await hub.close();
      await lab[Symbol.asyncDispose]();
    });
    const owner = await lab.setUp();
    const publicKey = Buffer.alloc(32, 5).toString('base64');
    await lab.call('POST', '/mesh/nodes', { name: 'phone', publicKey, peers: [] }, owner);
    const origin = lab.origin.replace('127.0.0.1', 'localhost');
    const context = await browser.newContext();
    const [name, value] = owner.cookie.split('=') as [string, string];
    await context.addCookies([{ name, value, url: origin, httpOnly: true, sameSite: 'Strict' }]);
    const page = await context.newPage();
    const errors: string[] = [];
    page.on('pageerror', ({ message }) => errors.push(message));

    await page.goto(`${origin}/#/mesh`);
    await page.getByRole('heading', { name: 'Mesh home' }).waitFor();
    await page.getByRole('link', { name: 'phone' }).waitFor();
    await page.getByRole('button', { name: 'Make an invitation' }).click();
    const text = page.getByRole('textbox', { name: 'Run this on the host' });
    await text.waitFor();
    assert.match(await text.inputValue(), /^wiretype mesh join wiretype-invite:/);
    await page.evaluate(AXE);
    const faults = await page.evaluate(
      `axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ' ' + nodes[0].html))`,
    );
    assert.deepEqual(faults, []);
    const picture = process.env['PICTURES'];
    if (picture !== undefined) await page.screenshot({ path: `${picture}/mesh.png` });

    await page.getByRole('button', { name: 'Revoke' }).click();
    await page.getByText('No nodes yet').waitFor();
    assert.deepEqual(errors, []);
  });
});
