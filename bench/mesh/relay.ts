import { CHECKOUT } from '../../test/lab/implementation.js';
import { HUB, HUB_JS } from '../contender.js';
import { processorSeconds } from '../load/process-figures.js';
import type { Measure } from '../measure.js';
import { environmentOf } from './hub-site.js';

const BYTES = 1_300;
const PROGRAM = `${CHECKOUT}dist/bench/mesh/relay-program.js`;
const LOAD = `${CHECKOUT}dist/bench/mesh/relay-load.js`;

/** The relay alone, with datagrams of 1,300 bytes from one node to another. */
export const relay: Measure = {
  id: 'mesh-relay',
  quantities: [
    { id: 'mesh-relay', title: 'relay, datagrams of 1,300 bytes', unit: 'Gbit/s', digits: 2 },
    {
      id: 'mesh-relay-core',
      title: 'the same, by time of its core',
      unit: 'Gbit/s',
      digits: 2,
      goal: { atLeast: 2 },
    },
  ],
  suits: ({ title }) => title === HUB || title === HUB_JS,
  async take(site, { seconds }) {
    const host = await site.lab.host('relay');
    const load = host.start(process.execPath, [LOAD, String(BYTES)], { isInteractive: true });
    await load.says(/ports \d+ \d+\n/);
    const ports = /ports (\d+) (\d+)/.exec(load.stdout)!.slice(1);
    const program = host.start(process.execPath, [PROGRAM, ...ports], {
      isInteractive: true,
      env: environmentOf(site),
    });
    await program.says(/port \d+\n/);
    load.write(`${/port (\d+)/.exec(program.stdout)![1]} ${seconds}\n`);
    const before = processorSeconds(program);
    await load.says(/received \d+/);
    const bits = 8 * Number(/received (\d+)/.exec(load.stdout)![1]);
    const used = processorSeconds(program) - before;
    await program.stop();
    return { 'mesh-relay': bits / seconds / 1e9, 'mesh-relay-core': bits / used / 1e9 };
  },
};
