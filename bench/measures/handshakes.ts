import { fileURLToPath } from 'node:url';
import { addAddresses } from '../../test/lab/lab.js';
import { attempt } from '../../test/lab/program.js';
import { PORT, RIGHT } from '../../test/lab/two-hosts.js';
import { makeInitiations } from '../load/initiations.js';
import { tcp } from '../load/iperf.js';
import { residentMegabytes } from '../load/process-figures.js';
import type { Measure } from '../measure.js';
import { reach } from '../site.js';
import { datagramsTool } from '../tools.js';

const INITIATORS = fileURLToPath(new URL('../load/initiators.js', import.meta.url));
const RESPONDER_CORE = '0';
const INITIATORS_CORE = '1';
const TIMEOUT_MS = 120_000;

const FLOOD_PER_SECOND = 100_000;
const FLOOD_CABLE = { stranger: '10.0.9.1', right: '10.0.9.2' };

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

/** A TCP stream while strangers who know the public key send initiations. */
export const initiationFlood: Measure = {
  id: 'flood',
  quantities: [
    {
      id: 'flood-kept',
      title: 'TCP kept under 100,000 initiations/s',
      unit: '%',
      digits: 0,
      goal: { atLeast: 70 },
    },
    {
      id: 'flood-memory',
      title: 'RSS added by the flood',
      unit: 'MB',
      digits: 1,
      isMoreBetter: false,
      goal: { atMost: 20 },
    },
  ],
  suits: ({ kind }) => kind === 'wireguard',
  async take(site, { seconds }) {
    const pair = await site.openPair();
    const { left, right, rightAddress, daemons, wireguards } = pair;
    const stranger = await site.lab.host('stranger');
    await site.lab.cable([stranger, 'eth0'], [right, 'eth1']);
    await addAddresses([stranger, 'eth0', `${FLOOD_CABLE.stranger}/24`], [right, 'eth1', `${FLOOD_CABLE.right}/24`]);
    const { path, bytes } = makeInitiations(site.lab.folder, wireguards[1]!.publicKey);
    await reach(pair);

    const quiet = await tcp(left, right, rightAddress[4], { seconds });
    const before = residentMegabytes(daemons[1]!);
    const flood = [FLOOD_CABLE.right, PORT, bytes, FLOOD_PER_SECOND, seconds + 1.5, path].map(String);
    const sender = stranger.start(await datagramsTool(), ['send', ...flood]);
    const flooded = await tcp(left, right, rightAddress[4], { seconds });
    await sender.exited;
    return {
      'flood-kept': (100 * flooded) / quiet,
      'flood-memory': Math.max(0, residentMegabytes(daemons[1]!) - before),
    };
  },
};
