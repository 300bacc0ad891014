import { formatConfigEndpoint } from '../../control/config/peer-values.js';
import { printable } from '../../control/config/secret-text.js';
import { formatKey } from '../../control/key-text.js';
import { parseOptions } from '../device/command-options.js';
import { explained } from '../device/explained.js';
import { handshakeTime } from '../device/show-json.js';
import { jsonOption, type Manual, TARGET } from '../manual.js';
import { getDevice } from '../wg/get-device.js';
import { choosePalette, PLAIN } from '../wg/palette.js';
import { formatAgo } from '../wg/show-units.js';
import { SystemFailure, type WgContext } from '../wg/wg-context.js';
import { clearDevice, type WgPeer } from '../wg/wg-device.js';
import { readServerFile } from './server-file.js';
import { setupCommand } from './setup-command.js';

const OPTIONS = jsonOption('list-peers');

const MANUAL: Manual = {
  usage: 'INTERFACE|FILE [--json]',
  about: 'Lists the peers of a file: name, key, allowed IPs, and of a running interface the last handshake.',
  words: [TARGET],
  options: OPTIONS,
  examples: ['wiretype list-peers wg0', "wiretype list-peers wg0 --json | jq -r '.peers[].name'"],
};

/** A peer of the file, and what the running interface knows of it. */
interface ListedPeer {
  readonly name: string | null;
  readonly publicKey: string;
  readonly allowedIps: readonly string[];
  readonly endpoint: string | null;
  /** ISO 8601; `null`: never, or the interface does not run. */
  readonly latestHandshake: string | null;
}

/** Lists the peers of a server. */
export const listPeers = setupCommand({
  name: 'list-peers',
  manual: MANUAL,

  async runOn(_host, context, args) {
    const { positionals, values } = parseOptions(args, OPTIONS, [1, 1]);
    const { interfaceName, document } = await readServerFile(positionals[0]!);
    const running = await readRunning(context, interfaceName);
    const peers = document.peers.map((peer): ListedPeer => {
      const live = running?.get(peer.publicKeyText);
      const endpoint = peer.endpoint === undefined ? null : formatConfigEndpoint(peer.endpoint);
      return {
        name: peer.name ?? null,
        publicKey: peer.publicKeyText,
        allowedIps: peer.allowedIps.map(({ text }) => text),
        endpoint: live?.endpoint ?? endpoint,
        latestHandshake: live === undefined ? null : (handshakeTime(live)?.toISOString() ?? null),
      };
    });
    if (values.json === true) {
      const listed = { interface: interfaceName, isRunning: running !== undefined, peers };
      context.io.write(`${JSON.stringify(listed, undefined, 2)}\n`);
    } else {
      context.io.write(formatTable(context, peers, running));
    }
  },
});

/** @returns The peers by their key; `undefined` if nothing answers for the interface. */
async function readRunning(context: WgContext, name: string): Promise<Map<string, WgPeer> | undefined> {
  try {
    const device = await getDevice(context, name);
    clearDevice(device);
    return new Map(device.peers.map((peer) => [formatKey(peer.publicKey), peer]));
  } catch (error) {
    if (!(error instanceof SystemFailure)) throw error;
    if (!error.isDaemons) return undefined;
    return await explained(name, () => Promise.reject(error));
  }
}

function formatTable(
  context: WgContext,
  peers: readonly ListedPeer[],
  running: ReadonlyMap<string, WgPeer> | undefined,
): string {
  const palette = choosePalette(context);
  const nowSeconds = BigInt(Math.floor(context.unixTimeMs() / 1_000));
  const age = (publicKey: string) => {
    const seconds = running?.get(publicKey)?.lastHandshakeSeconds ?? 0n;
    return seconds === 0n ? '-' : formatAgo(seconds, nowSeconds, PLAIN);
  };
  const head = ['NAME', 'PUBLIC KEY', 'ALLOWED IPS', 'LATEST HANDSHAKE'];
  const rows = peers.map(({ name, publicKey, allowedIps }) => [
    printable(name ?? '-'),
    publicKey,
    allowedIps.join(', '),
    age(publicKey),
  ]);
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]!.length)));
  const lines = [head, ...rows].map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd(),
  );
  return lines.map((line, i) => `${i === 0 ? palette.bold(line) : line}\n`).join('');
}
