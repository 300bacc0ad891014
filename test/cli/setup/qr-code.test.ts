import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import jsQR from 'jsqr';
import { PNG } from 'pngjs';

import { addPeer } from '../../../src/cli/setup/add-peer-command.js';
import { encodeQrCode } from '../../../src/cli/setup/qr-code.js';
import { drawPicture } from '../../../src/cli/setup/qr-picture.js';
import { toPixels } from '../../lab/drawn-qr-code.js';
import { runSetup } from './run-setup.js';

const SERVER = `[Interface]
# ClientEndpoint = vpn.example.net:51820
# ClientDNS = 9.9.9.9
Address = 10.9.0.1/24, fd09::1/64
ListenPort = 51820
PrivateKey = ${Buffer.alloc(32, 0x48).toString('base64')}
`;

describe('QR codes of add-peer', () => {
  let directory: string;
  let file: string;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'wiretype-qr-'));
    file = join(directory, 'wg0.conf');
  });

  beforeEach(() => writeFileSync(file, SERVER, { mode: 0o600 }));

  after(() => rmSync(directory, { recursive: true }));

  it('writes a QR code as PNG that an independent decoder reads', async () => {
    const [picture, copy] = ['code.png', 'client.conf'].map((name) => join(directory, name)) as [string, string];
    const { out } = await runSetup(addPeer, directory, [
      file,
      'phone',
      '--full',
      '--qr-file',
      picture,
      '--output',
      copy,
    ]);

    const { data, width, height } = PNG.sync.read(readFileSync(picture));
    assert.equal(jsQR.default(new Uint8ClampedArray(data), width, height)?.data, withoutComments(copy));
    assert.equal(out, '');
    for (const path of [picture, copy]) assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  for (const columns of [undefined, 80]) {
    it(`draws a QR code that can be read from ${columns === undefined ? 'a file' : 'a terminal'}`, async () => {
      const copy = join(directory, `drawn-${columns}.conf`);
      const args = [file, 'phone', '--full', '--qr', '--output', copy];
      const { out } = await runSetup(addPeer, directory, args, columns === undefined ? {} : { columns });
      const { data, width, height } = toPixels(out, columns !== undefined);
      assert.ok(
        data.subarray(0, 4 * 8 * width).every((value) => value === 255),
        'a quiet zone of two modules',
      );
      assert.equal(jsQR.default(data, width, height, { inversionAttempts: 'dontInvert' })?.data, withoutComments(copy));
    });
  }

  it('writes a QR code as SVG', async () => {
    const picture = join(directory, 'code.svg');
    await runSetup(addPeer, directory, [file, 'phone', '--qr-file', picture]);
    assert.match(readFileSync(picture, 'utf8'), /^<svg .*<\/svg>\n$/s);
  });

  it('refuses a terminal that is too narrow for the code, and changes nothing', async () => {
    const { code, message, out } = await runSetup(addPeer, directory, [file, 'phone', '--full', '--qr'], {
      columns: 60,
    });
    assert.equal(code, 'ERR_QR_CODE');
    assert.match(message!, /needs \d+ × \d+ characters, and the terminal has 60 columns/);
    assert.equal(out, '');
    assert.equal(readFileSync(file, 'utf8'), SERVER);
  });

  it('refuses a configuration that no code holds, and changes nothing', async () => {
    const reach = Array.from({ length: 250 }, (_, i) => `172.16.${i}.0/24`).join(',');
    const { code } = await runSetup(addPeer, directory, [file, 'phone', '--reach', reach, '--qr-file', 'x.png']);
    assert.equal(code, 'ERR_QR_CODE');
    assert.equal(readFileSync(file, 'utf8'), SERVER);
  });

  it('keeps letters of any script in the code', async () => {
    const text = 'DNS = b\u00fccher.example, \u4e2d\u6587\n';
    const { data, width, height } = PNG.sync.read(Buffer.from(drawPicture(await encodeQrCode(text), 'x.png')));
    assert.equal(jsQR.default(new Uint8ClampedArray(data), width, height)?.data, text);
  });

  it('refuses a code without a private key, which no app can import', async () => {
    const key = Buffer.alloc(32, 77).toString('base64');
    for (const option of [['--qr'], ['--qr-file', join(directory, 'x.png')]]) {
      const { code } = await runSetup(addPeer, directory, [file, 'phone', '--public-key', key, ...option]);
      assert.equal(code, 'ERR_USAGE');
    }
  });
});

/** Apps drop comments, so the code does without. */
function withoutComments(path: string): string {
  return readFileSync(path, 'utf8').replace(/^#.*\n/gm, '');
}
