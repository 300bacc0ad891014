import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';

import type { Destination, ExitUdpPort } from '../../../src/proxy/exit.js';
import { DatagramForward } from '../../../src/proxy/forwards/datagram-forward.js';

const SENDER = { host: '127.0.0.1', port: 4_000 };
const TARGET = { host: '10.0.0.1', port: 53 };

describe('a forward of datagrams', () => {
  it('returns the answers of its target to the sender, and drops those of anybody else', async (t) => {
    const { inside, outside } = await open(t);
    inside.arrive('question', SENDER);
    await turn();

    outside[0]!.arrive('answer', { ...TARGET, host: '::ffff:10.0.0.1' });
    outside[0]!.arrive('forged', { ...TARGET, port: 54 });
    outside[0]!.arrive('forged', { ...TARGET, host: '10.0.0.2' });

    assert.deepEqual(outside[0]!.sent, [['question', TARGET]]);
    assert.deepEqual(inside.sent, [['answer', SENDER]]);
  });

  it('keeps up to 32 datagrams while the way is being opened, in their order', async (t) => {
    const { inside, outside } = await open(t);
    for (let i = 0; i < 40; i++) inside.arrive(String(i), SENDER);
    await turn();
    inside.arrive('later', SENDER);

    const expected = Array.from({ length: 32 }, (_, i) => String(i));
    assert.deepEqual(
      outside[0]!.sent.map(([message]) => message),
      [...expected, 'later'],
    );
    assert.equal(outside.length, 1);
  });

  it('forgets a sender whose target cannot be reached, and says why', async (t) => {
    const { inside, forward, failures } = await open(t, new Error('the name was not found'));

    inside.arrive('question', SENDER);
    await turn();

    assert.deepEqual(failures, ['the name was not found']);
    assert.equal(forward.flowCount, 0);
  });

  it('holds 1,024 senders; of more, the one that was silent for longest loses its port', async (t) => {
    const { inside, outside, forward } = await open(t);
    for (let i = 0; i < 1_025; i++) inside.arrive('x', { host: '127.0.0.1', port: 1 + i });
    await turn();

    assert.equal(forward.flowCount, 1_024);
    assert.deepEqual(
      outside.flatMap(({ isClosed }, i) => (isClosed ? [i] : [])),
      [0],
    );
  });

  it('closes all of its ports', async (t) => {
    const { inside, outside, forward } = await open(t);
    inside.arrive('question', SENDER);
    await turn();

    forward.close();

    assert.ok(inside.isClosed && outside[0]!.isClosed);
  });
});

class FakePort implements ExitUdpPort {
  readonly address = '127.0.0.1';
  readonly port = 1;
  readonly sent: [string, Destination][] = [];
  isClosed = false;
  onMessage: ExitUdpPort['onMessage'] = () => {};

  arrive(message: string, from: Destination): void {
    this.onMessage(Buffer.from(message), from);
  }

  send(message: Uint8Array, to: Destination): void {
    this.sent.push([Buffer.from(message).toString(), to]);
  }

  close(): void {
    this.isClosed = true;
  }
}

async function open(t: TestContext, failure?: Error) {
  const inside = new FakePort();
  const outside: FakePort[] = [];
  const failures: string[] = [];
  const forward = await DatagramForward.open({
    open: async () => [inside],
    async openFlow() {
      if (failure !== undefined) throw failure;
      outside.push(new FakePort());
      return { port: outside.at(-1)!, to: TARGET };
    },
    onFailure: ({ message }) => failures.push(message),
  });
  t.after(() => forward.close());
  return { inside, outside, failures, forward };
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
