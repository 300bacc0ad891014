import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';

import { loadAddon } from '../../src/addon/load.js';
import { parseIpAddress } from '../../src/control/ip-text.js';

const TIME_LIMIT = { timeout: 60_000 };
const EAGAIN = 11;

class Ends implements Disposable {
  readonly arrived: Buffer[] = [];
  readonly #sender: Socket;
  readonly #receiver: Socket;
  readonly #address: Uint8Array;

  static async open(host: string): Promise<Ends> {
    const type = host.includes(':') ? 'udp6' : 'udp4';
    const [sender, receiver] = [
      createSocket(type).bind(0, host),
      createSocket({ type, recvBufferSize: 4 << 20 }).bind(0, host),
    ];
    await Promise.all([once(sender, 'listening'), once(receiver, 'listening')]);
    return new Ends(sender, receiver, parseIpAddress(host)!);
  }

  private constructor(sender: Socket, receiver: Socket, address: Uint8Array) {
    this.#sender = sender;
    this.#receiver = receiver;
    this.#address = address;
    receiver.on('message', (message) => this.arrived.push(message));
  }

  send(payloads: readonly Uint8Array[], lengths = Uint16Array.from(payloads, ({ length }) => length)): number {
    const descriptor = (this.#sender as unknown as { _handle: { fd: number } })._handle.fd;
    const { port } = this.#receiver.address();
    return loadAddon().datagramsSend(descriptor, Buffer.concat(payloads), lengths, lengths.length, this.#address, port);
  }

  [Symbol.dispose](): void {
    this.#sender.close();
    this.#receiver.close();
  }
}

describe('datagramsSend', () => {
  for (const host of ['127.0.0.1', '::1'])
    it(`sends datagrams of any lengths, whole and in order, to ${host}`, TIME_LIMIT, async () => {
      using ends = await Ends.open(host);
      const length = fc.oneof(fc.constantFrom(0, 1, 64, 1_200), fc.integer({ min: 0, max: 2_000 }));
      await fc.assert(
        fc.asyncProperty(fc.array(length, { minLength: 1, maxLength: 150 }), async (lengths) => {
          ends.arrived.length = 0;
          const payloads = lengths.map((bytes, i) => Buffer.alloc(bytes, i));
          const sent = ends.send(payloads);
          assert.equal(sent, payloads.length);
          while (ends.arrived.length < sent) await delay(1);
          assert.deepEqual(ends.arrived, payloads);
        }),
        { numRuns: 60 },
      );
    });

  it('says why the first one could not be sent, and refuses arguments that make no sense', TIME_LIMIT, async () => {
    using ends = await Ends.open('127.0.0.1');
    const result = loadAddon().datagramsSend(
      -1,
      Buffer.from('x'),
      Uint16Array.of(1),
      1,
      Uint8Array.of(127, 0, 0, 1),
      9,
    );
    assert.ok(result < 0 && result !== -EAGAIN);
    assert.throws(() => ends.send([Buffer.from('x')], Uint16Array.of(2)), RangeError);
    const one = [0, Buffer.from('x'), Uint16Array.of(1), 1] as const;
    assert.throws(() => loadAddon().datagramsSend(...one, new Uint8Array(5), 9), RangeError);
    assert.throws(() => loadAddon().datagramsSend(...one, new Uint8Array(4), 70_000), RangeError);
    assert.throws(() => loadAddon().datagramsSend(0, Buffer.from('x'), Uint16Array.of(1), 2, new Uint8Array(4), 9));
  });
});
