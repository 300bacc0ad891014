/**
 * Lives a `SecretLife` in steps: `node secret-life-program.js with-addon|without-addon THREADS`. It takes a step when a
 * line comes in, prints its name and waits, so that its memory can be looked at in between. Garbage is collected
 * in the last one, if Node was started so that it can be.
 */
import { createInterface } from 'node:readline';

import { loadAddon } from '../../src/addon/load.js';
import { implementationOf, SecretLife } from './secret-life.js';

const [kind, threads] = process.argv.slice(2);
const life = new SecretLife(implementationOf(kind === 'with-addon' ? loadAddon() : undefined, Number(threads)));
const steps: readonly [string, () => void][] = [
  ['alive', () => life.live(5)],
  ['closed', () => life.close()],
  ['collected', () => globalThis.gc?.()],
];

let next = 0;
function step(): void {
  const [name, run] = steps[next++]!;
  run();
  process.stdout.write(`${name} ${life.deliveredPackets}\n`);
}

createInterface({ input: process.stdin }).on('line', () => {
  if (next === steps.length) process.exit(0);
  step();
});
