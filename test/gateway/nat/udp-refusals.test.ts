import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { parseIpAddress } from '../../../src/control/ip-text.js';
import { Burst } from '../../../src/gateway/nat/burst.js';
import { MappedSocket } from '../../../src/gateway/nat/mapped-socket.js';
import { findAddon } from '../../../src/rootless/engine.js';

const TIME_LIMIT = { timeout: 20_000 };
const HOST = '127.0.0.1';

interface Arrived {
  readonly from: { readonly port: number };
  readonly text: string;
}

class Mapped implements Disposable {
  readonly messages: string[] = [];
  readonly refusals: (string | undefined)[] = [];
  hasFailed = false;
  readonly socket: MappedSocket;

  constructor(burst?: Burst) {
    const events = {
      onMessage: (message: Buffer) => void this.messages.push(String(message)),
      onRefused: (code?: string) => void this.refusals.push(code),
      onFailed: () => {
        this.hasFailed = true;
      },
    };
    this.socket = new MappedSocket(4, events, burst);
  }

  send(text: string, port: number, isFirst: boolean, address = HOST): void {
    const onError = (code?: string): void => void this.refusals.push(code);
    const target = { address: parseIpAddress(address)!, port, onError };
    this.socket.send(Buffer.from(text), address, target, isFirst);
  }

  [Symbol.dispose](): void {
    this.socket.close();
  }
}

async function server(): Promise<Socket> {
  const socket = createSocket('udp4').bind(0, HOST);
  await once(socket, 'listening');
  return socket;
}

async function closedPort(): Promise<number> {
  const socket = await server();
  const { port } = socket.address();
  socket.close();
  return port;
}

async function next(socket: Socket): Promise<Arrived> {
  const [message, from] = (await once(socket, 'message')) as [Buffer, { port: number }];
  return { from, text: String(message) };
}

async function until(isDone: () => boolean): Promise<void> {
  while (!isDone()) await delay(5);
}

const addon = findAddon();
for (const [how, burst] of [
  ['datagram by datagram', undefined],
  ...(addon === undefined ? [] : [['in bursts', new Burst(addon)] as const]),
] as const)
  describe(`the socket of a mapping, ${how}`, () => {
    it('tells that the port of its first target is closed, each time, and lives on', TIME_LIMIT, async () => {
      using mapped = new Mapped(burst);
      const port = await closedPort();
      for (let count = 1; count <= 3; count++) {
        mapped.send('x', port, true);
        await until(() => mapped.refusals.length === count);
      }
      assert.deepEqual([mapped.refusals, mapped.hasFailed], [Array(3).fill('ECONNREFUSED'), false]);
    });

    it('keeps its port for all targets, whatever it was connected to (RFC 4787 REQ-1)', TIME_LIMIT, async () => {
      using mapped = new Mapped(burst);
      const [one, two] = [await server(), await server()];
      mapped.send('a', one.address().port, true);
      const first = await next(one);
      mapped.send('b', two.address().port, false);
      const second = await next(two);
      mapped.send('c', one.address().port, false);
      const third = await next(one);
      assert.deepEqual([second.from.port, third.from.port], [first.from.port, first.from.port]);
      for (const socket of [one, two]) socket.send('back', first.from.port, HOST);
      await until(() => mapped.messages.length === 2);
      for (const socket of [one, two]) socket.close();
    });

    it(
      'hears other ports of its target after the first answer, or after a second (RFC 4787 REQ-8)',
      TIME_LIMIT,
      async () => {
        for (const hasAnswer of [true, false]) {
          using mapped = new Mapped(burst);
          const [target, other] = [await server(), await server()];
          mapped.send('a', target.address().port, true);
          const { from } = await next(target);
          if (hasAnswer) target.send('answer', from.port, HOST);
          if (hasAnswer) await until(() => mapped.messages.length === 1);
          while (mapped.messages.at(-1) !== 'other') {
            other.send('other', from.port, HOST);
            await delay(20);
          }
          for (const socket of [target, other]) socket.close();
        }
      },
    );

    it('fails nothing where there is no route: the sending tells why', TIME_LIMIT, async () => {
      using mapped = new Mapped(burst);
      mapped.send('x', 9, true, '255.255.255.255');
      await until(() => mapped.refusals.length > 0);
      assert.equal(mapped.hasFailed, false);
      const target = await server();
      const arrived = next(target);
      mapped.send('y', target.address().port, false);
      assert.equal((await arrived).text, 'y');
      target.close();
    });
  });
