import { fileURLToPath } from 'node:url';
import { attempt } from '../../test/lab/program.js';
import { PORT, RIGHT } from '../../test/lab/two-hosts.js';
import type { Measure } from '../measure.js';

const INITIATORS = fileURLToPath(new URL('../load/initiators.js', import.meta.url));
const RESPONDER_CORE = '0';
const INITIATORS_CORE = '1';
const TIMEOUT_MS = 120_000;

/** One responder on one core, and on the other core as many initiators as it can answer. */
export const handshakeRate: Measure = {
  id: 'handshakes',
  quantities: [
    {
      id: 'handshakes',
      title: 'handshakes, one responder on one core',
      unit: '1/s',
      digits: 0,
      goal: { atLeast: 2_500 },
    },
  ],
  suits: ({ kind }) => kind === 'wireguard',
  async take(site, { handshakes }) {
    const { left, wireguards, daemons } = await site.openPair();
    await attempt('taskset', ['-acp', RESPONDER_CORE, String(daemons[1]!.pid)]);
    const words = [INITIATORS, wireguards[1]!.name, RIGHT.outer4, String(PORT), String(handshakes)];
    const node = ['-c', INITIATORS_CORE, process.execPath, ...words];
    const { perSecond } = JSON.parse(await left.run('taskset', node, { timeoutMs: TIMEOUT_MS }));
    return { handshakes: perSecond };
  },
};
