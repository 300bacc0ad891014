import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import jsQR from 'jsqr';
import { PNG } from 'pngjs';

import { addPeer } from '../../../src/cli/setup/add-peer-command.js';
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
    assert.equal(jsQR.default(new Uint8ClampedArray(data), width, height)?.data, readFileSync(copy, 'utf8'));
    assert.equal(out, '');
    for (const path of [picture, copy]) assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  for (const columns of [undefined, 80]) {
    it(`draws a QR code that can be read from ${columns === undefined ? 'a file' : 'a terminal'}`, async () => {
      const copy = join(directory, 'drawn.conf');
      const args = [file, 'phone', '--full', '--qr', '--output', copy];
      const { out } = await runSetup(addPeer, directory, args, columns === undefined ? {} : { columns });
      const { data, width, height } = toPixels(out, columns !== undefined);
      assert.ok(
        data.subarray(0, 4 * 8 * width).every((value) => value === 255),
        'a quiet zone of two modules',
      );
      assert.equal(
        jsQR.default(data, width, height, { inversionAttempts: 'dontInvert' })?.data,
        readFileSync(copy, 'utf8'),
      );
    });
  }

  it('writes a QR code as SVG', async () => {
    const picture = join(directory, 'code.svg');
    await runSetup(addPeer, directory, [file, 'phone', '--qr-file', picture]);
    assert.match(readFileSync(picture, 'utf8'), /^<svg .*<\/svg>\n$/s);
  });
});
