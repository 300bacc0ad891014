import { PacketBatch } from '../../src/core/packets/packet-batch.js';
import { Verdict } from '../../src/core/packets/verdict.js';
import { connectDevices, nowMs } from './device-pair.js';
import type { StageClock } from './stage-clock.js';
import { fillWithTcp } from './tcp-packets.js';

const ROWS = 256;
const PORT = 51_820;
const LEFT = { innerNetwork: [10, 1, 0, 0], port: PORT };
const RIGHT = { innerNetwork: [10, 2, 0, 0], port: PORT };
const AEAD_STAGES = new Set(['seal', 'open']);
const FLOW = { source: [10, 1, 0, 2], destination: [10, 2, 0, 2] };

/** Sends full batches from one device to another, in memory, and times every stage on the way. */
export function timeCoreStages(clock: StageClock, packetBytes: number, rounds: number): void {
  pass(clock, packetBytes, rounds, 1, (stage) => stage);
}

/** The AEAD stage alone, shared by so many threads. @param suffix Of the names of the stages. */
export function timeAeadStages(
  clock: StageClock,
  packetBytes: number,
  rounds: number,
  { threads, suffix }: { readonly threads: number; readonly suffix: string },
): void {
  pass(clock, packetBytes, rounds, threads, (stage) => (AEAD_STAGES.has(stage) ? `${stage}, ${suffix}` : undefined));
}

/** @param nameOf What a stage is called, or `undefined` if it is not to be timed. */
function pass(
  clock: StageClock,
  packetBytes: number,
  rounds: number,
  threads: number,
  nameOf: (stage: string) => string | undefined,
): void {
  const time = (stage: string, work: () => void): void => {
    const name = nameOf(stage);
    if (name === undefined) work();
    else clock.time(name, ROWS, work);
  };
  const batch = new PacketBatch(ROWS, ROWS * (packetBytes + 128));
  const flow = { ...FLOW, packetBytes };
  fillWithTcp(batch, flow, 1, 0);
  const [left, right] = connectDevices([LEFT, RIGHT], batch, threads);

  fillWithTcp(batch, flow, ROWS, 0);
  for (let round = -rounds; round < rounds; round++) {
    if (round === 0) clock.restart();
    const now = nowMs();
    time('route', () => left.device.route(batch, now));
    time('seal', () => left.aead.seal(batch));
    time('classify', () => right.device.classify(batch, now));
    time('open', () => right.aead.open(batch));
    time('admit', () => right.device.admit(batch, now));
  }
  if (batch.verdict.some((verdict) => verdict !== Verdict.Pass)) throw new Error('a packet was dropped');
}
