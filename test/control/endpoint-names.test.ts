import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isHostName, type NameOptions, resolutionRetries, resolveEndpoint } from '../../src/control/endpoint-names.js';
import { formatEndpoint } from '../../src/control/endpoint-text.js';
import { SystemZoneNames } from '../../src/control/zone-names.js';

describe('resolveEndpoint', () => {
  it('takes the first address of a name, and addresses as they are', async () => {
    const lookup = async () => [
      { address: '2001:db8::1', family: 6 },
      { address: '192.0.2.1', family: 4 },
    ];

    assert.equal(await resolved({ host: 'vpn.example.com', port: 51820 }, { lookup }), '[2001:db8::1]:51820');
    assert.equal(await resolved({ host: '192.0.2.9', port: 1 }, {}), '192.0.2.9:1');
    assert.equal(await resolved({ host: 'fe80::1%lo', port: 1 }, {}), '[fe80::1%lo]:1');
    await assert.rejects(resolved({ host: 'fe80::1%no-such', port: 1 }, {}), { code: 'ERR_NAME_RESOLUTION' });
  });

  it('asks again after failures that may pass: after 1 s, then 6/5 of it, at most 20 s', async () => {
    const { options, pauses } = failing('EAI_AGAIN', 20);

    assert.equal(await resolved({ host: 'vpn', port: 1 }, { ...options, retries: 20 }), '192.0.2.1:1');

    assert.deepEqual(
      pauses.slice(0, 4).map((ms) => Math.round(ms)),
      [1_000, 1_200, 1_440, 1_728],
    );
    assert.deepEqual(pauses.slice(-2), [20_000, 20_000]);
  });

  it('gives up after the last retry, and at once where there is no such name', async () => {
    for (const [code, failures, pausesExpected] of [
      ['EAI_AGAIN', 99, 3],
      ['ENOTFOUND', 99, 0],
    ] as const) {
      const { options, pauses } = failing(code, failures);
      await assert.rejects(resolved({ host: 'vpn', port: 1 }, { ...options, retries: 3 }), {
        code: 'ERR_NAME_RESOLUTION',
      });
      assert.equal(pauses.length, pausesExpected);
    }
  });

  it('stops waiting when the user has had enough', async () => {
    const controller = new AbortController();
    const lookup = async () => {
      setImmediate(() => controller.abort('SIGINT'));
      throw Object.assign(new Error('later'), { code: 'EAI_AGAIN' });
    };
    const options = { retries: Number.POSITIVE_INFINITY, interruption: controller.signal, lookup };

    await assert.rejects(resolved({ host: 'vpn', port: 1 }, options), {
      code: 'ERR_INTERRUPTED',
      message: 'interrupted by SIGINT',
    });
  });
});

describe('resolutionRetries', () => {
  it('reads WG_ENDPOINT_RESOLUTION_RETRIES', () => {
    const read = (text?: string) =>
      resolutionRetries(text === undefined ? {} : { WG_ENDPOINT_RESOLUTION_RETRIES: text });

    assert.deepEqual(
      [read(), read(''), read('0'), read('7'), read('infinity')],
      [15, 15, 0, 7, Number.POSITIVE_INFINITY],
    );
    assert.throws(() => read('many'), { code: 'ERR_USAGE' });
    assert.throws(() => read('-1'), { code: 'ERR_USAGE' });
  });
});

describe('isHostName', () => {
  it('distinguishes names from addresses', () => {
    for (const host of ['vpn.example.com', 'localhost', 'a1']) assert.ok(isHostName({ host, port: 1 }), host);
    for (const host of ['10.0.0.1', '::1', 'fe80::1%eth0']) assert.ok(!isHostName({ host, port: 1 }), host);
  });
});

async function resolved(endpoint: { host: string; port: number }, options: Partial<NameOptions>): Promise<string> {
  const defaults = { retries: 0, interruption: new AbortController().signal, warn: () => {} };
  return formatEndpoint(await resolveEndpoint(endpoint, { ...defaults, ...options }), new SystemZoneNames());
}

/** A resolver that fails this many times, and a clock that only counts. */
function failing(code: string, failures: number): { options: Partial<NameOptions>; pauses: number[] } {
  const pauses: number[] = [];
  let left = failures;
  const lookup = async () => {
    if (left-- > 0) throw Object.assign(new Error(code), { code });
    return [{ address: '192.0.2.1', family: 4 }];
  };
  const pause = async (ms: number) => void pauses.push(ms);
  return { options: { lookup, pause }, pauses };
}
