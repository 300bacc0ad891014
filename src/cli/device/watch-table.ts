import { formatKey } from '../../control/key-text.js';
import type { Palette } from '../wg/palette.js';
import type { Dropped, Hint, PeerRates } from './rates.js';

const HINTS: Readonly<Record<Exclude<Hint, 'dropping'>, string>> = {
  'no-handshake': 'sent, but never answered: is the endpoint right, is its port open?',
  unanswered: 'nothing comes back: the peer or the way to it is down',
  expired: 'the session has expired and is not renewed',
};

const DROP_REASONS: Readonly<Record<string, string>> = {
  replayed: 'they came twice, or far too late',
  disallowed_source: 'their source is not among the allowed IPs',
  keypair_expired: 'the session has expired',
  bad_tag: 'they were changed on the way',
  staged_overflow: 'too many waited for a session',
  handshake_given_up: 'no handshake came about',
  no_endpoint: 'there is no endpoint to send them to',
  routing_loop: 'the way to the endpoint leads into the tunnel',
};

const HEAD = ['PEER', 'ENDPOINT', 'HANDSHAKE', 'RECEIVED', 'RX/S', 'SENT', 'TX/S'];
/** Columns of numbers, written from the right. */
const RIGHT = new Set([2, 3, 4, 5, 6]);
const KEY_SHOWN = 12;

/**
 * Writes the peers as a table, one line each, and below a peer what looks wrong with it.
 *
 * @param names Of peers, by public key in base64. @param width Longer lines are cut; `undefined`: none is.
 */
export function formatWatchTable(
  rates: readonly PeerRates[],
  names: ReadonlyMap<string, string>,
  width: number | undefined,
  palette: Palette,
): string {
  const rows = [HEAD, ...rates.map((peer) => toCells(peer, names))];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) => {
    const cells = row.map((cell, column) =>
      RIGHT.has(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
    );
    return cells.join('  ').trimEnd().slice(0, width);
  });
  const [head, ...peers] = lines;
  const entries = peers.map((line, i) => {
    const hint = formatHint(rates[i]!);
    return hint === undefined ? line : `${line}\n${palette.yellow(`  → ${hint}`.slice(0, width))}`;
  });
  return [palette.bold(head!), ...entries].map((entry) => `${entry}\n`).join('');
}

function formatHint({ hint, dropped }: PeerRates): string | undefined {
  return hint === 'dropping' ? formatDropped(dropped!) : hint && HINTS[hint];
}

function toCells(
  { peer, rxRate, txRate, handshakeAgeSeconds }: PeerRates,
  names: ReadonlyMap<string, string>,
): string[] {
  const key = formatKey(peer.publicKey);
  return [
    names.get(key) ?? `${key.slice(0, KEY_SHOWN)}…`,
    peer.endpoint ?? '-',
    handshakeAgeSeconds === undefined ? 'never' : formatAge(handshakeAgeSeconds),
    formatAmount(Number(peer.rxBytes)),
    formatAmount(rxRate),
    formatAmount(Number(peer.txBytes)),
    formatAmount(txRate),
  ];
}

function formatDropped({ reason, packets }: Dropped): string {
  const why = DROP_REASONS[reason] ?? reason.replaceAll('_', ' ');
  return `${packets === 1 ? '1 packet' : `${packets} packets`} dropped: ${why}`;
}

function formatAge(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3_600)} h`;
}

/** Three digits and a unit, powers of 1024. */
function formatAmount(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1_024;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${units[unit]}`;
}
