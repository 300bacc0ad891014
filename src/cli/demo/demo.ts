import { once as eventOf } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { WireGuardError } from '../../core/errors.js';
import { SystemCommands } from '../../host/net/commands.js';
import type { Command } from '../command.js';
import type { Manual } from '../manual.js';
import { DemoNetwork, TOPOLOGY } from './demo-network.js';
import { DemoShow } from './demo-show.js';
import { ProxyDemo } from './proxy-demo.js';
import { checkRequirements, PROXY_TOOLS, TOOLS } from './requirements.js';
import { Screen } from './screen.js';

const REFRESH_MS = 1_000;

const OPTIONS = {
  once: { type: 'boolean', about: 'end after one round' },
  proxy: { type: 'boolean', about: 'show programs without root instead: the library, and wiretype proxy under curl' },
} as const;

const MANUAL: Manual = {
  usage: '[--proxy] [--once]',
  about: `
Makes two hosts out of network namespaces, joins them by a cable, starts a wiretyped in each, and shows the tunnel between
them at work: pings, a TCP transfer each way, and the state of both ends once a second until Ctrl-C. Then it removes
everything that it made. Needs root; does not touch the host's own network.
`,
  words: [],
  options: OPTIONS,
  notes: 'In a checkout: npm run lab, or npm run lab -- --once; npm run proxy-demo -- --once',
  examples: ['wiretype demo', 'wiretype demo --once', 'wiretype demo --proxy --once'],
};

/** Shows a tunnel between two temporary hosts, and removes both. */
export const demo: Command = {
  name: 'demo',
  manual: MANUAL,

  async run(args, io) {
    const { once = false, proxy = false } = parseDemoArguments(args);
    const commands = new SystemCommands(io.writeError);
    checkRequirements(commands, proxy ? PROXY_TOOLS : TOOLS);

    const interruption = io.interruption();
    const network = new DemoNetwork(commands);
    const screen = new Screen(io.write, () => (io.isDumb === true ? undefined : io.columns));
    const show = proxy ? new ProxyDemo(network, commands, (line) => screen.print(line)) : new DemoShow(network, screen);
    const progress = { isComplete: false };
    const settings = { once, interruption, progress };
    const work = show instanceof ProxyDemo ? playProxy(network, show, settings) : play(network, show, settings);
    try {
      await orInterrupted(work, interruption);
    } finally {
      screen.print('Removing both network namespaces.');
      await network.close();
      await Promise.allSettled([work]);
      await network.close(); // also a host that was still being made
      if (show instanceof ProxyDemo) show.close();
    }
    if (progress.isComplete) show.summary();
  },
};

interface Play {
  readonly once: boolean;
  readonly interruption: AbortSignal;
  /** Everything was shown at least once. */
  readonly progress: { isComplete: boolean };
}

async function playProxy(network: DemoNetwork, show: ProxyDemo, { once, interruption, progress }: Play): Promise<void> {
  show.title();
  const steps = [() => network.build(), () => show.prepare(), () => show.useLibrary(), () => show.useProxy()];
  for (const step of steps) {
    if (interruption.aborted) return;
    await step();
  }
  progress.isComplete = true;
  if (once) return;
  show.invite();
  if (!interruption.aborted) await eventOf(interruption, 'abort');
}

async function play(network: DemoNetwork, show: DemoShow, { once, interruption, progress }: Play): Promise<void> {
  show.title(TOPOLOGY);
  const steps = [
    () => network.build(),
    () => network.join(),
    () => show.pings(),
    () => show.transfers(),
    () => show.state(),
  ];
  for (const step of steps) {
    if (interruption.aborted) return;
    await step();
  }
  progress.isComplete = true;
  if (once) return;

  show.keepTrafficGoing();
  for (;;) {
    await sleep(REFRESH_MS);
    if (interruption.aborted) return;
    await show.state();
  }
}

/** Ends with the work, or as soon as the user interrupts: work in progress then fails when the hosts are removed. */
async function orInterrupted(work: Promise<void>, interruption: AbortSignal): Promise<void> {
  const isInterrupted = new Promise<void>((resolve) => {
    interruption.addEventListener('abort', () => resolve(), { once: true });
  });
  await Promise.race([work, isInterrupted]);
}

function parseDemoArguments(args: readonly string[]): { once?: boolean; proxy?: boolean } {
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values;
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new WireGuardError('ERR_USAGE', cause.message.split('. ', 1)[0]!, { cause });
  }
}
