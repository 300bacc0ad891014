import { formatConfigEndpoint } from '../../control/config/peer-values.js';
import { printable } from '../../control/config/secret-text.js';
import { formatKey } from '../../control/key-text.js';
import { parseOptions } from '../device/command-options.js';
import { explained } from '../device/explained.js';
import { handshakeAge, type PeerStatus, peerStatus, statusText } from '../device/peer-status.js';
import { handshakeTime } from '../device/show-json.js';
import { formatTextTable, type TableSacrifice } from '../device/text-table.js';
import { formatJson } from '../json-text.js';
import { jsonOption, type Manual, TARGET } from '../manual.js';
import { unlessInvalid } from '../unless-invalid.js';
import { getDevice } from '../wg/get-device.js';
import { choosePalette, PLAIN } from '../wg/palette.js';
import { formatAgo } from '../wg/show-units.js';
import { SystemFailure, type WgContext } from '../wg/wg-context.js';
import { clearDevice, type WgPeer } from '../wg/wg-device.js';
import { expiryOf, formatExpiry } from './expiry.js';
import { type FilePeer, filePeers } from './file-peers.js';
import { readServerFile, type ServerFile } from './server-file.js';
import { setupCommand } from './setup-command.js';

const OPTIONS = jsonOption('list-peers');

const MANUAL: Manual = {
  usage: 'INTERFACE|FILE [--json]',
  about: `
Lists the peers of a file, disabled ones included: name, state, allowed IPs, last handshake, key. A peer is online if its
last handshake is at most 180 seconds old, the life of a session; asleep if the last handshake is older; never seen if it
has had none since the interface came up. A narrow terminal shows less.
`,
  words: [TARGET],
  options: OPTIONS,
  examples: ['wiretype list-peers wg0', "wiretype list-peers wg0 --json | jq -r '.peers[].name'"],
};

const KEY_SHOWN = 13;
/** Columns that a narrow terminal gives up, in this order. */
const SACRIFICES: readonly TableSacrifice[] = [
  { title: 'PUBLIC KEY', minWidth: KEY_SHOWN },
  { title: 'PUBLIC KEY', minWidth: 0 },
  { title: 'ALLOWED IPS', minWidth: 16 },
  { title: 'NAME', minWidth: 12 },
  { title: 'ALLOWED IPS', minWidth: 0 },
  { title: 'LATEST HANDSHAKE', minWidth: 0 },
];

/** A peer of the file, with its state in the running interface. */
interface ListedPeer {
  readonly name: string | null;
  readonly publicKey: string;
  /** `null`: the interface does not run. */
  readonly status: PeerStatus | 'disabled' | 'expired' | null;
  readonly allowedIps: readonly string[];
  readonly endpoint: string | null;
  /** ISO 8601; `null`: never, or the interface does not run. */
  readonly latestHandshake: string | null;
  /** ISO 8601; `null`: never. */
  readonly expires: string | null;
}

type RunningPeers = ReadonlyMap<string, WgPeer>;

/** Lists the peers of a server. */
export const listPeers = setupCommand({
  name: 'list-peers',
  manual: MANUAL,

  async runOn(_host, context, args) {
    const { positionals, values } = parseOptions(args, OPTIONS, [1, 1], MANUAL.words);
    const file = await readServerFile(positionals[0]!);
    const { interfaceName } = file;
    const running = await readRunning(context, interfaceName);
    const peers = filePeers(file.document).map((found) => listPeer(file, found, running, context.unixTimeMs()));
    if (values.json === true) {
      const listed = { interface: interfaceName, isRunning: running !== undefined, peers };
      context.io.write(formatJson(listed));
    } else {
      context.io.write(formatTable(context, peers, running));
    }
  },
});

function listPeer(
  { path }: ServerFile,
  { peer, disabled }: FilePeer,
  running: RunningPeers | undefined,
  nowMs: number,
): ListedPeer {
  const { publicKeyText: publicKey, name = null } = peer;
  const live = running?.get(publicKey);
  const written = unlessInvalid(() => peer.endpoint); // a disabled peer was not checked
  const expiryMs = unlessInvalid(() => expiryOf(peer, path));
  return {
    name,
    publicKey,
    status: disabled === undefined ? liveStatus(live, running, nowMs) : disabledStatus(expiryMs, nowMs),
    allowedIps: unlessInvalid(() => peer.allowedIps)?.map(({ text }) => text) ?? [],
    endpoint: live?.endpoint ?? (written === undefined ? null : formatConfigEndpoint(written)),
    latestHandshake: live === undefined ? null : (handshakeTime(live)?.toISOString() ?? null),
    expires: expiryMs === undefined ? null : formatExpiry(expiryMs),
  };
}

function liveStatus(live: WgPeer | undefined, running: RunningPeers | undefined, nowMs: number): PeerStatus | null {
  if (running === undefined) return null;
  return peerStatus(live === undefined ? undefined : handshakeAge(live.lastHandshakeSeconds, nowMs));
}

function disabledStatus(expiryMs: number | undefined, nowMs: number): 'disabled' | 'expired' {
  return expiryMs !== undefined && expiryMs <= nowMs ? 'expired' : 'disabled';
}

/** @returns The peers by their key; `undefined` if nothing answers for the interface. */
async function readRunning(context: WgContext, name: string): Promise<RunningPeers | undefined> {
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

function formatTable(context: WgContext, peers: readonly ListedPeer[], running: RunningPeers | undefined): string {
  const palette = choosePalette(context);
  const nowSeconds = BigInt(Math.floor(context.unixTimeMs() / 1_000));
  const age = (publicKey: string) => {
    const seconds = running?.get(publicKey)?.lastHandshakeSeconds ?? 0n;
    return seconds === 0n ? '-' : formatAgo(seconds, nowSeconds, PLAIN);
  };
  const column = (title: string, cell: (peer: ListedPeer) => string) => ({ title, cells: peers.map(cell) });
  const columns = [
    column('NAME', ({ name }) => printable(name ?? '-')),
    column('STATE', ({ status }) => (status === null ? '-' : statusText(status))),
    column('ALLOWED IPS', ({ allowedIps }) => printable(allowedIps.join(', '))),
    column('LATEST HANDSHAKE', ({ publicKey }) => age(publicKey)),
    column('PUBLIC KEY', ({ publicKey }) => printable(publicKey)),
  ];
  const lines = formatTextTable(columns, context.io.columns || undefined, SACRIFICES);
  return lines.map((line, i) => `${i === 0 ? palette.bold(line) : line}\n`).join('');
}
