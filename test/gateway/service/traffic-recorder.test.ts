import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { DeviceSession } from '../../../src/gateway/gateway-model.js';
import { TrafficRecorder } from '../../../src/gateway/service/traffic-recorder.js';

const MINUTE_MS = 60_000;

/** A store that keeps what it is given, or refuses it. */
class Written {
  nowUnixMs = 1_000_000;
  received = 0;
  isFull = false;
  readonly traffic: number[] = [];
  readonly sessions: DeviceSession[] = [];
  readonly failures: unknown[] = [];
  readonly recorder = new TrafficRecorder({
    store: {
      addTraffic: async (_start, _seconds, traffic) => {
        if (this.isFull) throw new Error('the disk is full');
        this.traffic.push(traffic.get('d')!.received);
      },
      addSession: async (session) => {
        this.sessions.push(session);
      },
    },
    totals: () => [['d', { receivedBytes: this.received, sentBytes: 0 }]],
    nowUnixMs: () => this.nowUnixMs,
    onFailure: (error) => this.failures.push(error),
  });

  async minute(bytes: number): Promise<void> {
    this.nowUnixMs += MINUTE_MS;
    this.received += bytes;
    await this.recorder.tick();
  }
}

describe('the record of traffic', () => {
  it('has each byte once, by the minute', async () => {
    const written = new Written();
    written.recorder.wake();
    for (const bytes of [10, 0, 5]) await written.minute(bytes);
    assert.deepEqual(written.traffic, [10, 5]);
    await written.recorder.close();
  });

  it('loses nothing while the disk is full: those bytes go with the next minute', async () => {
    const written = new Written();
    written.recorder.wake();
    written.isFull = true;
    await written.minute(10);
    written.isFull = false;
    await written.minute(5);
    assert.deepEqual([written.traffic, written.failures.length], [[15], 1]);
    await written.recorder.close();
  });

  it('ends a session after three minutes of silence, and sleeps then', async () => {
    const written = new Written();
    written.recorder.wake();
    for (const bytes of [10, 20, 0, 0, 0]) await written.minute(bytes);
    assert.equal(written.recorder.isRunning, false);
    written.recorder.wake();
    await written.minute(7);
    assert.deepEqual(
      written.sessions.map(({ receivedBytes }) => receivedBytes),
      [10, 30, 7],
    );
    assert.equal(written.sessions[0]!.startUnixMs, written.sessions[1]!.startUnixMs, 'it goes on');
    assert.notEqual(written.sessions[1]!.startUnixMs, written.sessions[2]!.startUnixMs);
    await written.recorder.close();
  });
});
