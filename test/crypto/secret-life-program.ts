/**
 * Lives a `SecretLife` in steps: `node secret-life-program.js with-addon|without-addon THREADS`. It takes a step when a
 * line comes in, prints its name and waits, so that its memory can be looked at in between. Garbage is collected
 * in the last one, if Node was started so that it can be.
 */
import { createInterface } from 'node:readline';
import { setImmediate } from 'node:timers/promises';

import { loadAddon } from '../../src/addon/load.js';
import { implementationOf, SecretLife } from './secret-life.js';

const TURNS_AFTER_COLLECTION = 5;

const [kind, threads] = process.argv.slice(2);
const life = new SecretLife(implementationOf(kind === 'with-addon' ? loadAddon() : undefined, Number(threads)));
const steps: readonly [string, () => void | Promise<void>][] = [
  ['alive', () => life.live(5)],
  ['closed', () => life.close()],
  ['collected', collectGarbage],
];

let next = 0;
async function step(): Promise<void> {
  const [name, run] = steps[next++]!;
  await run();
  process.stdout.write(`${name} ${life.deliveredPackets}\n`);
}

/** Ends when what is done after a collection is done too: in a turn of its own each. */
async function collectGarbage(): Promise<void> {
  globalThis.gc?.();
  for (let turn = 0; turn < TURNS_AFTER_COLLECTION; turn++) await setImmediate();
}

createInterface({ input: process.stdin }).on('line', () => {
  if (next === steps.length) process.exit(0);
  void step();
});
