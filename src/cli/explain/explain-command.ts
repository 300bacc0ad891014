import { promises as dns } from 'node:dns';
import { SystemCommands } from '../../host/net/commands.js';
import type { Command } from '../command.js';
import { explainAbsence } from '../device/absent-interface.js';
import { parseOptions } from '../device/command-options.js';
import { formatJson } from '../json-text.js';
import { jsonOption, type Manual, RUNNING } from '../manual.js';
import { isRoot, runAsRoot } from '../quick/privilege.js';
import { clearDevice } from '../quick/require-device.js';
import { SystemDevice } from '../system-device.js';
import { type DaemonAnswers, explainInterface } from './explain-interface.js';
import { formatAdvice } from './format-advice.js';
import { probePort } from './port-probe.js';

const OPTIONS = jsonOption('explain');

const MANUAL: Manual = {
  usage: '[--json] INTERFACE [PEER]',
  about: `
Explains why a peer has no handshake, and names the next step. Uses the reports of the daemon or the kernel, and this
host's state: link, clock, packet filter, the route to the endpoint, whether anything listens there, names that have
moved, and whether packets for the peer reach the interface. Sends one byte to endpoints without a session; changes
nothing.
`,
  words: [
    RUNNING,
    {
      name: 'PEER',
      kinds: ['peer-name'],
      about: "a public key, the start of one, or the name in the comment of the interface's file",
    },
  ],
  options: OPTIONS,
  examples: ['wiretype explain wg0', 'wiretype explain wg0 laptop'],
};

/** Explains why a peer does not answer. */
export const explain: Command = {
  name: 'explain',
  manual: MANUAL,

  async run(args, io) {
    const { values, positionals } = parseOptions(args, OPTIONS, [1, 2], MANUAL.words);
    if (!isRoot()) return await runAsRoot('wiretype explain', ['explain', ...args]);

    const [interfaceName, peer] = positionals as [string, string | undefined];
    const answers = await readDaemon(interfaceName);
    const lookup = async (host: string) => await dns.lookup(host, { all: true, verbatim: true });
    const surroundings = { commands: new SystemCommands(() => {}), probe: probePort, lookup };
    const request = { interfaceName, peer, unixTimeMs: Date.now() };
    const advice = await explainInterface(surroundings, answers, request);
    io.write(values.json === true ? formatJson(advice) : formatAdvice(advice));
  },
};

/** @throws {WireGuardError} ERR_DAEMON_ENDED and the other errors of `explainAbsence`; the errors of `SystemDevice`. */
async function readDaemon(interfaceName: string): Promise<DaemonAnswers> {
  const client = new SystemDevice(interfaceName);
  try {
    const device = await client.get();
    const hasPrivateKey = device.privateKey !== undefined;
    clearDevice(device);
    return { device, hasPrivateKey, isKernels: client.isKernels, explanation: await client.explain() };
  } catch (error) {
    throw explainAbsence(interfaceName, error);
  }
}
