import { addAddresses } from '../../test/lab/lab.js';
import type { Program } from '../../test/lab/program.js';
import { PORT } from '../../test/lab/two-hosts.js';
import { makeInitiations } from '../load/initiations.js';
import { tcp } from '../load/iperf.js';
import { MemoryWatch } from '../load/memory-watch.js';
import type { Measure } from '../measure.js';
import { type Pair, reach, type Site } from '../site.js';
import { mean } from '../statistics.js';
import { datagramsTool } from '../tools.js';

const FLOOD_CABLE = { stranger: '10.0.9.1', right: '10.0.9.2' };
/** The flood goes on until the transfer, which takes time to begin, has ended. */
const MAX_MARGIN_SECONDS = 1.5;

/** A TCP stream while strangers that know the public key send initiations, beside one before it and one after it. */
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
    { id: 'flood-sent', title: 'initiations sent meanwhile', unit: '1/s', digits: 0 },
    {
      id: 'flood-memory',
      title: 'RSS added by the flood, at most',
      unit: 'MB',
      digits: 1,
      isMoreBetter: false,
      goal: { atMost: 20 },
    },
  ],
  suits: ({ kind }) => kind === 'wireguard',
  async take(site, { seconds, initiations }) {
    const pair = await reach(await site.openPair());
    const { left, right, rightAddress, daemons } = pair;
    const transfer = async (): Promise<number> => await tcp(left, right, rightAddress[4], { seconds });
    const startFlood = await prepareFlood(site, pair);

    const before = await transfer();
    const watch = new MemoryWatch(daemons.slice(1));
    const floodSeconds = seconds + Math.min(MAX_MARGIN_SECONDS, 3 * seconds);
    const sender = startFlood(initiations, floodSeconds);
    const flooded = await transfer();
    await sender.exited;
    const { start, greatest } = watch.stop();
    const after = await transfer();
    return {
      'flood-kept': (100 * flooded) / mean([before, after]),
      'flood-sent': Number(sender.stdout) / floodSeconds,
      'flood-memory': greatest - start,
    };
  },
};

/** A stranger on a cable of its own to the host on the right. */
async function prepareFlood(
  site: Site,
  { right, wireguards }: Pair,
): Promise<(perSecond: number, seconds: number) => Program> {
  const stranger = await site.lab.host('stranger');
  await site.lab.cable([stranger, 'eth0'], [right, 'eth1']);
  await addAddresses([stranger, 'eth0', `${FLOOD_CABLE.stranger}/24`], [right, 'eth1', `${FLOOD_CABLE.right}/24`]);
  const { path, bytes } = makeInitiations(site.lab.folder, wireguards[1]!.publicKey);
  const tool = await datagramsTool();
  return (perSecond, seconds) => {
    const words = ['send', FLOOD_CABLE.right, PORT, bytes, perSecond, seconds, path];
    return stranger.start(tool, words.map(String));
  };
}
