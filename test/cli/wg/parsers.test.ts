import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  addAllowedIps,
  parseFwmarkArgument,
  parseKeepaliveArgument,
  readKeyFile,
} from '../../../src/cli/wg/argument-values.js';
import { createContext } from '../../../src/cli/wg/create-context.js';
import { parseDeviceReply } from '../../../src/cli/wg/get-device.js';
import { parsePortArgument } from '../../../src/cli/wg/port-argument.js';
import { resolveEndpoint } from '../../../src/cli/wg/resolve-endpoint.js';
import { newPeerChange, readSetArguments } from '../../../src/cli/wg/set-arguments.js';
import { readStockConfig } from '../../../src/cli/wg/stock-config.js';
import { stockValues, type ValueReader } from '../../../src/cli/wg/value-reader.js';
import type { WgChange } from '../../../src/cli/wg/wg-change.js';
import { SystemFailure, type WgContext, WgFailure } from '../../../src/cli/wg/wg-context.js';
import { formatChange } from '../../../src/control/uapi-change-text.js';
import { parseSetReply } from '../../../src/control/uapi-reply.js';
import { WireGuardError } from '../../../src/core/errors.js';
import { arbitraryReply } from './arbitrary-reply.js';

const KEY = Buffer.alloc(32, 7).toString('base64');

describe('the parsers of wg', () => {
  it('read any bytes as an answer of a daemon, or call it a failure', () => {
    const reply = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc.tuple(arbitraryReply(1), fc.nat(), fc.integer({ min: 0, max: 255 })).map(([text, at, byte]) => {
        const bytes = Buffer.from(text);
        bytes[at % bytes.length] = byte;
        return bytes;
      }),
    );
    fc.assert(
      fc.property(reply, fc.boolean(), (bytes, acceptsNegative) => {
        failsOnlyWith(SystemFailure, () => parseDeviceReply(bytes, 'wg0', acceptsNegative));
        failsOnlyWith(WireGuardError, () => parseSetReply(bytes));
      }),
      { numRuns: 2_000 },
    );
  });

  it('read any text as a value, or call it a failure; what they take fits its field', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[-+ 0-9a-fx:./,]{0,24}$/));
    fc.assert(
      fc.property(text, (value) => {
        const port = failsOnlyWith(WgFailure, () => parsePortArgument(value)) ?? 0;
        const mark = failsOnlyWith(WgFailure, () => parseFwmarkArgument(value)) ?? 0;
        const seconds = failsOnlyWith(WgFailure, () => parseKeepaliveArgument(value)) ?? 0;
        const peer = newPeerChange(new Uint8Array(32));
        failsOnlyWith(WgFailure, () => addAllowedIps(peer, value, () => {}));

        assert.ok(Number.isInteger(port) && port >= 0 && port <= 0xffff);
        assert.ok(Number.isInteger(mark) && mark >= 0 && mark <= 0xffff_ffff);
        assert.ok(Number.isInteger(seconds) && seconds >= 0 && seconds <= 0xffff);
        assert.ok(peer.allowedIps.every((allowedIp) => /^-?[0-9a-f:.]+\/[0-9]{1,3}$/.test(allowedIp)));
      }),
      { numRuns: 3_000 },
    );
  });

  it('read any bytes as a key file, or call it a failure', () => {
    const folder = mkdtempSync(join(tmpdir(), 'wiretype-key-'));
    const file = join(folder, 'key');
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.tuple(fc.nat(50), fc.nat(255)).map(([at, byte]) => Buffer.from(`${KEY}\n\n\n\n\n\n\n`).fill(byte, at, at + 1)),
    );
    fc.assert(
      fc.property(bytes, (text) => {
        writeFileSync(file, text);
        const key = failsOnlyWith(WgFailure, () => readKeyFile(file));
        assert.equal(key?.length ?? 32, 32);
      }),
      { numRuns: 500 },
    );
    rmSync(folder, { recursive: true });
  });

  it('read any text as a file, or as arguments, and make requests of whole lines of it', async () => {
    const word = fc.oneof(
      fc.constantFrom(
        '[Interface]',
        '[Peer]',
        `PublicKey=${KEY}`,
        'ListenPort=5',
        'peer',
        KEY,
        'allowed-ips',
        '10.0.0.0/8',
      ),
      fc.string({ unit: 'binary', maxLength: 16 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(word, { maxLength: 8 }), async (words) => {
        for (const read of [
          (change: WgChange) => readStockConfig(offlineValues(), words, change),
          (change: WgChange) => readSetArguments(offlineValues(), words, change),
        ]) {
          const change: WgChange = { replacePeers: false, peers: [] };
          try {
            await read(change);
          } catch (error) {
            assert.ok(error instanceof WgFailure, String(error));
          }
          assert.match(formatChange(change).toString('latin1'), /^(?:[a-z_]+=[^\n=]*\n)*$/);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('tries a name again after 1 s, then after 6/5 of the last delay, at most 20 s', async () => {
    const delays: number[] = [];
    const context = offlineContext({ WG_ENDPOINT_RESOLUTION_RETRIES: '20' }, (ms) => delays.push(ms));
    await assert.rejects(resolveEndpoint(context, '1.2.3.4:no-such-service'), WgFailure);
    assert.equal(delays.length, 20);
    for (const [i, delayMs] of delays.entries()) {
      assert.ok(Math.abs(delayMs - Math.min(20_000, 1_000 * 1.2 ** i)) < 1e-6);
    }
  });
});

/** @returns `undefined` if it fails as it may. */
function failsOnlyWith<T>(type: new (...args: never[]) => Error, run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    assert.ok(error instanceof type, String(error));
    return undefined;
  }
}

function offlineContext(env: Record<string, string>, onSleep: (ms: number) => void): WgContext {
  const io = {
    readInput: async () => '',
    write() {},
    writeError() {},
    columns: undefined,
    deliver: async () => true,
    interruption: () => new AbortController().signal,
  };
  return createContext(io, true, { env, sleep: async (ms) => onSleep(ms) });
}

/** Values as `wg` reads them, without looking up names. */
function offlineValues(): ValueReader {
  return {
    ...stockValues(offlineContext({}, () => {})),
    endpoint: async () => '192.0.2.1:5',
    keyFile: () => new Uint8Array(32),
  };
}
