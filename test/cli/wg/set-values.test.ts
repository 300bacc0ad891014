import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { FakeDaemon } from './fake-daemon.js';
import { hasStockWg, type RunOptions, runOurs, runStock } from './run-wg.js';

const KEY = Buffer.alloc(32, 7).toString('base64');
const PEER = ['wg0', 'peer', KEY];

/** Endpoints that cannot be resolved are not tried again, or the test would take minutes. */
const NO_RETRY = { env: { WG_ENDPOINT_RESOLUTION_RETRIES: '0' } };

describe('wg set and its values, byte for byte as the stock wg', {
  skip: !hasStockWg() && 'needs root and wireguard-tools',
}, () => {
  let directory: string;
  let daemon: FakeDaemon;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'wiretype-set-'));
    daemon = await FakeDaemon.start(directory, 'wg0');
  });

  after(async () => {
    await daemon.stop();
    rmSync(directory, { recursive: true });
  });

  for (const port of [
    '0',
    '1',
    '65535',
    '65536',
    '99999',
    '',
    '-1',
    '+5',
    ' 5',
    '5 ',
    '0x10',
    '010',
    'http',
    'domain',
    '1e1',
  ]) {
    it(`reads "${port}" as a port`, async () => await same(['wg0', 'listen-port', port]));
  }

  for (const port of [
    '2147483647',
    '2147483648',
    '4294967296',
    '-4294967291',
    '99999999999',
    '18446744073709551617',
    'off',
  ]) {
    it(`reads "${port}" as a port`, async () => await same(['wg0', 'listen-port', port]));
  }

  for (const mark of [
    '0',
    'off',
    'OFF',
    '1',
    '010',
    '0x1',
    '0X1',
    '0xffffffff',
    '0x0000000001',
    '4294967295',
    '4294967296',
  ]) {
    it(`reads "${mark}" as a mark`, async () => await same(['wg0', 'fwmark', mark]));
  }

  for (const mark of ['0x100000000', '', '-1', '+5', ' 5', '5 ', '0xg', '0x', '1e3', '9'.repeat(40)]) {
    it(`reads "${mark}" as a mark`, async () => await same(['wg0', 'fwmark', mark]));
  }

  for (const seconds of ['0', 'off', 'Off', '1', '65535', '65536', '', '-1', '+5', ' 5', '5 ', '0x10', '010', '1e1']) {
    it(`reads "${seconds}" as a keepalive`, async () => await same([...PEER, 'persistent-keepalive', seconds]));
  }

  for (const list of [
    '',
    '10.0.0.1',
    '10.0.0.1/24',
    '10.0.0.0/24,fd00::/8',
    ' 10.0.0.0/24 , fd00::/8 ',
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/',
    '/24',
    '10.0.0.0/-1',
    '10.0.0.0/+1',
    '10.0.0.0/ 8',
    '10.0.0.0/08',
    '10.0.0.0/0x8',
    '10.0.0.0/8/8',
    'x/8',
    '010.0.0.0/8',
    '10.0/8',
    ',',
    '10.0.0.0/8,',
    ',10.0.0.0/8',
    '10.0.0.0/8,,11.0.0.0/8',
    '1.2.3.4/32,1.2.3.5/31,1.2.3.4/0,::1/0,fd00::1/127,ff::/8',
    'fe80::1%lo/64',
    '::ffff:1.2.3.4/128',
    '::1.2.3.4',
    'FD00::1',
    '1 0.0.0.0/8',
    '10.0.0.0/4294967304',
    '10.0.0.0/00000000000000000008',
    '10.0.0.0/999999999999999999999999',
    '10.0.0.0/8a',
  ]) {
    it(`reads "${list}" as allowed IPs`, async () => await same([...PEER, 'allowed-ips', list]));
  }

  for (const endpoint of [
    '1.2.3.4:5',
    'fd00::1:51820',
    '[fd00::1]:51820',
    '[FD00:0::1]:51820',
    '[fd00::1]',
    '[fd00::1:5',
    '1.2.3.4',
    '1.2.3.4:http',
    '1.2.3.4:domain',
    '1.2.3.4:99999',
    '1.2.3.4:65536',
    '1.2.3.4:0',
    '1.2.3.4:',
    '1.2.3.4:-1',
    '1.2.3.4:+7',
    '1.2.3.4: 7',
    '1.2.3.4:0x10',
    '1.2.3.4:010',
    '',
    '[fe80::1%lo]:7',
    '[fe80::1%1]:7',
    '[fe80::1%nope]:7',
    '[fe80::1%]:7',
    '[fd00::1%lo]:7',
    '[fd00::1%1]:7',
    '[ff02::1%lo]:7',
    '[fe80::1%0]:7',
    'fe80::1%lo:7',
    '127.1:80',
    '0x7f000001:80',
    '010.0.0.1:80',
    'localhost:80',
    ':80',
    '[]:80',
    '[::ffff:1.2.3.4]:9',
    '[::1.2.3.4]:9',
    '[1.2.3.4]:9',
    '[fd00::1]x:7',
    '[fd00::1]7',
    'host name:5',
    '1.2.3.4:1e1',
    '1.2.3.4:4294967300',
  ]) {
    it(`reads "${endpoint}" as an endpoint`, async () => await same([...PEER, 'endpoint', endpoint], NO_RETRY));
  }

  for (const retries of [
    'x',
    '',
    '-1',
    '5x',
    'infinity',
    '2147483647',
    '2147483648',
    '99999999999',
    ' 5',
    '+5',
    '+',
    ' ',
  ]) {
    it(`reads WG_ENDPOINT_RESOLUTION_RETRIES="${retries}"`, async () => {
      await same([...PEER, 'endpoint', 'x'], { env: { WG_ENDPOINT_RESOLUTION_RETRIES: retries } });
    });
  }

  it('tries an endpoint again, and says so, where the failure may pass', async () => {
    await same([...PEER, 'endpoint', '1.2.3.4:http'], { env: { WG_ENDPOINT_RESOLUTION_RETRIES: '1' } });
  });

  async function same(words: readonly string[], options: RunOptions = {}): Promise<void> {
    const stock = await runStock(directory, ['set', ...words], options);
    const stockRequests = daemon.takeRequests();

    const ours = await runOurs(directory, ['set', ...words], options);

    assert.deepEqual(
      { ...ours, requests: daemon.takeRequests() },
      { ...stock, err: newUsage(stock.err), requests: stockRequests },
    );
  }
});

/** 1.0.20260223 has `[+|-]` before allowed IPs. */
function newUsage(text: string): string {
  return text.replace('<ip1>/<cidr1>[,<ip2>/<cidr2>]', '[+|-]<ip1>/<cidr1>[,[+|-]<ip2>/<cidr2>]');
}
