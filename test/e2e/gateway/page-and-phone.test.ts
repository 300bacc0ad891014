/**
 * A person sets the gateway up on its page, and a stock client is configured by the code on a picture of the page.
 *
 * Topology: gateway-lab.ts. The browser is on the gateway's host. With `PICTURES=FOLDER` the pictures of the README are kept.
 */
import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import jsqr from 'jsqr';
import { type Browser, chromium, type Page } from 'playwright-core';
import { PNG } from 'pngjs';

import { parseConfig } from '../../../src/control/config/index.js';
import { openGatewayLab, SERVER, STOCK_CLIENT } from './gateway-lab.js';

const TIMEOUT = { timeout: 240_000 };
const PATIENCE = { timeout: 60_000 };

/** Starts a browser inside a network namespace. */
async function browserIn(namespace: string, folder: string): Promise<Browser> {
  const program = join(folder, 'chromium');
  writeFileSync(program, `#!/bin/sh\nexec ip netns exec ${namespace} /usr/bin/chromium "$@"\n`);
  chmodSync(program, 0o755);
  return chromium.launch({ executablePath: program, args: ['--no-sandbox', '--disable-gpu'] });
}

async function picture(page: Page, name: string): Promise<Buffer> {
  const folder = process.env['PICTURES'];
  return page.screenshot(folder === undefined ? {} : { path: join(folder, `${name}.png`) });
}

/** Reads the QR code on a picture. */
function codeOn(png: Buffer): string {
  const { data, width, height } = PNG.sync.read(png);
  return jsqr.default(new Uint8ClampedArray(data), width, height)!.data;
}

describe('a person with a phone', () => {
  it(
    'opens the link of the first start, adds the phone, scans the code on the page, and browses',
    TIMEOUT,
    async (t) => {
      const { client, gateway, program, checksum, folder } = await openGatewayLab(t, {
        isRoot: false,
        words: [],
        hasClient: false,
      });
      const browser = await browserIn(gateway.namespace, folder);
      try {
        const page = await browser.newPage({ viewport: { width: 1_280, height: 1_000 } });
        const link = /http:\/\/localhost:8080\/#\/link\/\S+/.exec(program.stdout)![0];
        await page.goto(link);
        await page.getByLabel('Name').fill('li');
        await page.getByLabel('New password').fill('correct horse battery');
        await page.getByRole('button', { name: 'Continue' }).click();
        await page.getByRole('button', { name: 'Add a device' }).click();
        await page.getByRole('dialog').getByLabel('Name').fill('Li’s phone'.replace('’', "'"));
        await page.getByRole('button', { name: 'Make the code' }).click();
        await page.getByRole('img', { name: 'Scan this with the WireGuard app' }).waitFor();
        const file = codeOn(await picture(page, 'gateway-add'));
        parseConfig(file, 'code').assertValid();

        const path = '/etc/wireguard/phone.conf';
        await client.write(path, file.replace(/^DNS.*\n/m, ''));
        await client.run('wg-quick', ['up', path], {
          env: STOCK_CLIENT,
        });
        assert.equal(
          await client.run('curl', ['-sS', '--fail', `http://${SERVER}/page`]),
          'a page beyond the gateway\n',
        );
        const names = ['-c', '1', '-W', '5', 'gateway.internal'];
        const dns = /^DNS = ([0-9.]+)/m.exec(file)![1]!;
        await client.write('/etc/resolv.conf', `nameserver ${dns}\n`);
        await client.run('ping', names);
        const sum = await client.run('bash', ['-c', `curl -sS http://${SERVER}/big | sha256sum`]);
        assert.equal(sum.split(' ')[0], checksum);

        // The page has followed it step by step.
        await page.locator('li.done', { hasText: 'It reached a server' }).waitFor(PATIENCE);
        await picture(page, 'gateway-proof');
        await page.getByRole('button', { name: 'Done' }).click();
        await page.getByRole('link', { name: "Li's phone" }).click();
        await page.getByText('It has a session').waitFor(PATIENCE);
        await page.getByRole('img').first().waitFor();
        await picture(page, 'gateway');
        await page.goto('http://localhost:8080/#/devices');
        await page.getByText('Online').first().waitFor();
        await picture(page, 'gateway-devices');
      } finally {
        await browser.close();
      }
    },
  );
});
