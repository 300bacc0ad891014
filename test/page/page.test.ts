import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import jsqr from 'jsqr';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { PNG } from 'pngjs';

import { parseConfig } from '../../src/control/config/index.js';
import { PASSWORD, ServerLab } from '../server/server-lab.js';

const PAGE_FOLDER = fileURLToPath(new URL('../../web', import.meta.url));
const CHROMIUM = '/usr/bin/chromium';
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const WIDTHS = [390, 768, 1_280];
const PAGES = ['devices', 'devices/ID', 'rules', 'settings', 'people', 'audit'];
const FIRST_PAINT_BYTES = 80_000;
const TIME_LIMIT = { timeout: 150_000 };

let browser: Browser;
let lab: ServerLab;
let owner: { cookie: string };
let origin: string;

/** Opens a page that is signed in. Errors of its scripts, and what its policy forbids, are kept. */
async function open(
  options: { locale?: string; colorScheme?: 'light' | 'dark'; width?: number } = {},
): Promise<{ page: Page; context: BrowserContext; errors: string[] }> {
  const { locale = 'en-US', colorScheme = 'light', width = 1_280 } = options;
  const context = await browser.newContext({ locale, colorScheme, viewport: { width, height: 900 } });
  const [name, value] = owner.cookie.split('=') as [string, string];
  await context.addCookies([{ name, value, url: origin, httpOnly: true, sameSite: 'Strict' }]);
  const page = await context.newPage();
  const errors: string[] = [];
  page.on('pageerror', ({ message }) => errors.push(message));
  page.on('console', (entry) => entry.type() === 'error' && errors.push(entry.text()));
  page.on(
    'request',
    (made) => !made.url().startsWith(origin) && !made.url().startsWith('blob:') && errors.push(`asks ${made.url()}`),
  );
  return { page, context, errors };
}

async function idOf(name: string): Promise<string> {
  const { devices } = (await lab.call('GET', '/devices', undefined, owner)).body;
  return devices.find((device: { name: string }) => device.name === name).id;
}

before(async () => {
  lab = await ServerLab.open(PAGE_FOLDER);
  origin = lab.origin.replace('127.0.0.1', 'localhost');
  owner = await lab.setUp();
  for (const [name, tags] of [
    ['phone', ['mobile']],
    ['laptop', []],
    ['tablet', ['guest']],
  ] as const)
    await lab.addDevice(owner, name, { tags });
  await lab.call('POST', `/devices/${await idOf('laptop')}/block`, {}, owner);
  await lab.call(
    'PUT',
    '/rules',
    { rules: [{ action: 'allow', from: { kind: 'everyone' }, to: { kind: 'prefix', prefix: '192.168.1.10' } }] },
    owner,
  );
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
}, TIME_LIMIT);

after(async () => {
  await browser?.close();
  await lab?.[Symbol.asyncDispose]();
});

describe('the page of the gateway', () => {
  for (const locale of ['en-US', 'zh-CN'])
    for (const colorScheme of ['light', 'dark'] as const)
      it(
        `has no fault of accessibility or of scripts in ${locale}, ${colorScheme}, at three widths (WCAG 2.2 AA)`,
        TIME_LIMIT,
        async () => {
          const phone = await idOf('phone');
          const { page, context, errors } = await open({ locale, colorScheme });
          for (const name of PAGES) {
            await page.goto(`${origin}/#/${name.replace('ID', phone)}`);
            await page.locator('main h1').waitFor();
            for (const width of WIDTHS) {
              await page.setViewportSize({ width, height: 900 });
              await page.waitForLoadState('networkidle').catch(() => {});
              assert.deepEqual(await faultsOf(page), [], `${name} at ${width}`);
              assert.equal(await overflowOf(page), 0, `${name} at ${width} scrolls sideways`);
            }
          }
          assert.deepEqual(errors, []);
          await context.close();
        },
      );

  it('has a text for everything in Chinese', TIME_LIMIT, async () => {
    const { page, context } = await open({ locale: 'zh-CN' });
    await page.goto(`${origin}/#/devices`);
    await page.getByRole('heading', { name: '设备' }).waitFor();
    assert.equal(await page.locator('html').getAttribute('lang'), 'zh-CN');
    await context.close();
  });

  it(
    'adds a device whose QR code is a complete file, and whose private key the server never saw',
    TIME_LIMIT,
    async () => {
      const { page, context, errors } = await open();
      const sent: string[] = [];
      page.on('request', (made) => sent.push(made.postData() ?? ''));
      await page.goto(`${origin}/#/devices`);
      await page.getByRole('button', { name: 'Add a device' }).click();
      await page.getByLabel('Name').fill('Li’s new phone'.replace('’', ''));
      await page.getByLabel('Add a preshared key').check();
      await page.getByRole('button', { name: 'Make the code' }).click();
      const picture = await page.locator('.qr').screenshot();
      const { data, width, height } = PNG.sync.read(picture);
      const text = (jsqr as unknown as typeof import('jsqr').default)(new Uint8ClampedArray(data), width, height)!.data;
      const document = parseConfig(text, 'scanned');
      document.assertValid();
      const privateKey = /PrivateKey = (\S+)/.exec(text)![1]!;
      assert.ok(!sent.join('').includes(privateKey));
      assert.equal(document.peers.length, 1);
      await page.getByText('The app knows it as Lis-new-phone.').waitFor();
      await page.getByRole('button', { name: 'Done' }).click();
      await page.getByRole('link', { name: 'Lis new phone' }).waitFor();
      assert.deepEqual(errors, []);
      await context.close();
    },
  );

  it('can be used by the keyboard alone: add, rename, block, remove and undo', TIME_LIMIT, async () => {
    const { page, context, errors } = await open();
    await page.goto(`${origin}/#/devices`);
    await page.locator('.list').waitFor();
    await tabTo(page, 'Add a device');
    await page.keyboard.press('Enter');
    await page.locator('dialog').waitFor();
    await page.keyboard.type('keyboard');
    await page.keyboard.press('Enter');
    await page.locator('.qr').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
    await tabTo(page, 'keyboard');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'keyboard', level: 1 }).waitFor();
    await tabTo(page, 'Block');
    await page.keyboard.press('Enter');
    await page.getByText('Somebody blocked it').waitFor();
    await tabTo(page, 'Remove');
    await page.keyboard.press('Enter');
    await page.getByText('Removed keyboard').waitFor();
    await tabTo(page, 'Undo');
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'keyboard' }).waitFor();
    assert.deepEqual(errors, []);
    await context.close();
  });

  it('hands a device over by a link that works once', TIME_LIMIT, async () => {
    const { body } = await lab.call('POST', `/devices/${await idOf('tablet')}/link`, {}, owner);
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`${origin}/#/device-link/${body.link}`);
    await page.getByRole('heading', { name: 'Set up tablet' }).waitFor();
    assert.deepEqual(await faultsOf(page), []);
    await page.getByRole('button', { name: 'Show my code' }).click();
    await page.locator('.qr').waitFor();
    await page.reload();
    await page
      .getByRole('alert')
      .filter({ hasText: 'the link was used before' })
      .or(page.getByRole('alert'))
      .first()
      .waitFor();
    await context.close();
  });

  it('keeps its filters in the address', TIME_LIMIT, async () => {
    const { page, context } = await open();
    await page.goto(`${origin}/#/devices?search=guest`);
    await page.getByRole('link', { name: 'tablet' }).waitFor();
    assert.equal(await page.getByRole('link', { name: 'phone', exact: true }).count(), 0);
    await page.getByRole('button', { name: 'Blocked' }).click();
    assert.match(page.url(), /search=guest&condition=blocked/);
    await context.close();
  });

  it('says that the connection is cut, and goes on when it is back', TIME_LIMIT, async () => {
    await using proxy = await PrefixProxy.open(lab);
    const { page, context } = await open();
    await context.addCookies([proxy.cookieOf(owner)]);
    await page.goto(proxy.url);
    await page.locator('.list').waitFor();
    proxy.isCut = true;
    await page.getByRole('alert').filter({ hasText: 'The connection to the gateway is cut' }).waitFor();
    await lab.addDevice(owner, 'late');
    proxy.isCut = false;
    await page.getByRole('link', { name: 'late' }).waitFor();
    assert.equal(await page.getByRole('alert').count(), 0);
    await context.close();
  });

  it('works below a path of a reverse proxy', TIME_LIMIT, async () => {
    await using proxy = await PrefixProxy.open(lab);
    const { page, context } = await open();
    await context.addCookies([proxy.cookieOf(owner)]);
    await page.goto(proxy.url);
    await page.getByRole('heading', { name: 'Devices' }).waitFor();
    await page.getByRole('link', { name: 'Settings' }).click();
    await page.getByLabel('Endpoint').waitFor();
    await context.close();
  });

  it('shows and searches a thousand devices', TIME_LIMIT, async () => {
    const { page, context } = await open();
    const [sample] = (await lab.call('GET', '/devices', undefined, owner)).body.devices;
    const devices = Array.from({ length: 1_000 }, (_, i) => ({ ...sample, id: `d${i}`, name: `device ${i}` }));
    await page.route('**/api/v1/devices', (route) => route.fulfill({ json: { devices, nowUnixMs: Date.now() } }));
    await page.goto(`${origin}/#/devices`);
    await page.getByText('1,000 devices').waitFor();
    await page.locator('#search').fill('device 99');
    await page.getByText('19 of 1,000 devices').waitFor();
    await context.close();
  });

  it('asks for a name and a password, and for nothing that a wrong one would tell', TIME_LIMIT, async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(origin);
    await page.getByLabel('Name').fill('li');
    await page.getByLabel('Password').fill('wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').filter({ hasText: 'name or password is wrong' }).waitFor();
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Devices' }).waitFor();
    await context.close();
  });

  it(`needs at most ${FIRST_PAINT_BYTES / 1_000} KB to show the list`, TIME_LIMIT, async () => {
    const { page, context } = await open();
    let bytes = 0;
    page.on('response', async (answer) => {
      if (!answer.url().includes('/api/')) bytes += (await answer.request().sizes()).responseBodySize;
    });
    await page.goto(`${origin}/#/devices`);
    await page.locator('.list').waitFor();
    assert.ok(bytes > 10_000 && bytes <= FIRST_PAINT_BYTES, `${bytes} bytes`);
    await context.close();
  });
});

/** The rules that a page breaks, with the elements that break them. */
async function faultsOf(page: Page): Promise<string[]> {
  // The policy of the page allows no script but its own: this one comes through the debugger.
  await page.evaluate(AXE);
  const { violations } = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>(
    "axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'] })",
  );
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' ')}`);
}

function overflowOf(page: Page): Promise<number> {
  return page.evaluate<number>('Math.max(0, document.documentElement.scrollWidth - innerWidth)');
}

/** Presses Tab until the control with a name has the focus. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let i = 0; i < 80; i++) {
    await page.keyboard.press('Tab');
    if ((await page.evaluate<string>('document.activeElement?.textContent?.trim()')) === name) return;
  }
  assert.fail(`the keyboard does not reach ${name}`);
}

/** A reverse proxy below `/a/b/` whose connections can be cut. */
class PrefixProxy implements AsyncDisposable {
  readonly url: string;
  readonly #server: Server;
  #isCut = false;

  static async open(target: ServerLab): Promise<PrefixProxy> {
    const { port } = new URL(target.origin);
    const server = createServer((incoming, outgoing) => {
      const path = incoming.url!.replace(/^\/a\/b/, '');
      const headers = { ...incoming.headers, host: `localhost:${port}` };
      incoming.pipe(
        request({ host: '127.0.0.1', port, path, method: incoming.method, headers }, (answer) => {
          outgoing.writeHead(answer.statusCode!, answer.headers);
          answer.pipe(outgoing);
          outgoing.once('close', () => answer.destroy());
        }).on('error', () => outgoing.destroy()),
      );
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new PrefixProxy(server);
  }

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://localhost:${(server.address() as AddressInfo).port}/a/b/`;
    server.on('connection', (socket) => {
      if (this.#isCut) socket.destroy();
    });
  }

  set isCut(isCut: boolean) {
    this.#isCut = isCut;
    if (isCut) this.#server.closeAllConnections();
  }

  cookieOf({ cookie }: { cookie: string }): { name: string; value: string; url: string } {
    const [name, value] = cookie.split('=') as [string, string];
    return { name, value, url: this.url };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
