import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium } from 'playwright-core';

import { PASSWORD, ServerLab } from '../server/server-lab.js';

const PAGE_FOLDER = fileURLToPath(new URL('../../web', import.meta.url));
const TIME_LIMIT = { timeout: 150_000 };

let browser: Browser;
let lab: ServerLab;

before(async () => {
  lab = await ServerLab.open(PAGE_FOLDER);
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
}, TIME_LIMIT);

after(async () => {
  await browser?.close();
  await lab?.[Symbol.asyncDispose]();
});

describe('passkeys', () => {
  it('are made on the account page, sign in without a name, and prove an identity once more', TIME_LIMIT, async () => {
    await lab.setUp();
    const origin = lab.origin.replace('127.0.0.1', 'localhost');
    const context = await browser.newContext();
    const page = await context.newPage();
    const devTools = await context.newCDPSession(page);
    await devTools.send('WebAuthn.enable');
    await devTools.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });

    await page.goto(`${origin}/#/people`);
    await page.getByLabel('Name', { exact: true }).fill('li');
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('link', { name: 'People' }).click();
    await page.getByLabel('Name of the passkey').fill('laptop');
    await page.getByRole('button', { name: 'Add a passkey' }).click();
    await page.getByRole('button', { name: 'Remove laptop' }).waitFor();

    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Use a passkey' }).click();
    await page.getByRole('heading', { name: 'Devices' }).waitFor();

    // A passkey that the gateway has forgotten signs nobody in.
    await page.getByRole('link', { name: 'People' }).click();
    await page.getByRole('button', { name: 'Remove laptop' }).click();
    await page.getByRole('button', { name: 'Remove laptop' }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Use a passkey' }).click();
    await page.getByRole('alert').waitFor();
    await context.close();
  });

  it('are not offered by a page without a name or TLS, and the server says why', TIME_LIMIT, async () => {
    const { status, body } = await lab.call('POST', '/sign-in/passkey/options', {});
    assert.deepEqual([status, body.code], [501, 'ERR_UNAVAILABLE']);
    const page = await browser.newPage();
    await page.goto(`${lab.origin}/#/devices`);
    await page.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
    assert.equal(await page.getByRole('button', { name: 'Use a passkey' }).count(), 0);
    await page.close();
  });
});
