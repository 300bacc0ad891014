import { printable } from '../../../control/config/secret-text.js';
import { formatKey } from '../../../control/key-text.js';
import type { Command, CommandIo } from '../../command.js';
import { formatJson } from '../../json-text.js';
import { jsonOption, type Manual, TARGET } from '../../manual.js';
import { findConfig } from '../config-path.js';
import { Interruption } from '../interruption.js';
import { isRoot, runAsRoot } from '../privilege.js';
import { readQuickConfig } from '../quick-config.js';
import { requireDevice } from '../require-device.js';
import { type EndpointDevice, type PeerMove, reresolve as reresolveEndpoints } from '../reresolve.js';
import { SystemQuickHost } from '../system-quick-host.js';
import { parseCommandArguments } from './command-arguments.js';

const MANUAL: Manual = {
  usage: '[--json] INTERFACE|FILE',
  about: `
Resolves the endpoint names of peers that have been silent for 135 seconds again, and sets the addresses that have changed.
Our daemon does that by itself for interfaces set up by "wiretype up". For another userspace WireGuard,
or the kernel's own, let a timer run this command: systemctl enable --now wiretype-reresolve@wg0.timer
`,
  words: [TARGET],
  options: jsonOption('reresolve'),
  examples: ['wiretype reresolve wg0'],
};

/** Looks up the names of silent peers again. */
export const reresolve: Command = {
  name: 'reresolve',
  manual: MANUAL,

  async run(args, io) {
    const { target, flags } = parseCommandArguments(args, MANUAL.options);
    if (!isRoot()) return await runAsRoot('wiretype reresolve', ['reresolve', ...args]);

    const interruption = new Interruption();
    try {
      const where = findConfig(target);
      const host = new SystemQuickHost((text) => io.writeError(text), interruption.signal);
      const { document } = await readQuickConfig(where, (text) => io.writeError(text), { isLenient: true });
      const client = host.device(where.interfaceName);
      const device: EndpointDevice = {
        peers: async () => (await requireDevice(host, where.interfaceName)).peers,
        apply: async (change) => await client.set(change),
      };
      const warn = (text: string) => host.commands.warn(text);
      const names = { retries: 0, interruption: interruption.signal, warn };
      const moves = await reresolveEndpoints(document, device, { names, unixTimeMs: Date.now() });
      const named = moves.map((move): NamedMove => {
        const publicKey = formatKey(move.publicKey);
        const name = document.peer(publicKey)?.name;
        return { ...move, publicKey, name: name === undefined ? null : printable(name) };
      });
      (flags.has('json') ? showJson : showText)(io, where.interfaceName, named);
    } finally {
      interruption.dispose();
    }
  },
};

/** A move, with the key and the name of the peer. */
type NamedMove = Omit<PeerMove, 'publicKey'> & { readonly publicKey: string; readonly name: string | null };

function showText(io: CommandIo, interfaceName: string, moves: readonly NamedMove[]): void {
  for (const { name, publicKey, endpoint, from, to } of moves) {
    const peer = name === null ? publicKey : `${name} (${publicKey})`;
    io.write(`${interfaceName}: peer ${peer}: ${endpoint} moved from ${from ?? '(none)'} to ${to}\n`);
  }
}

function showJson(io: CommandIo, interfaceName: string, moves: readonly NamedMove[]): void {
  const shown = moves.map(({ name, publicKey, endpoint, from, to }) => ({
    name,
    publicKey,
    endpoint,
    from: from ?? null,
    to,
  }));
  io.write(formatJson({ interface: interfaceName, moves: shown }));
}
