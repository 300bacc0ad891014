import { formatKey } from '../../control/key-text.js';
import type { Palette } from '../wg/palette.js';
import type { PeerNames } from './peer-names.js';
import { peerStatus, statusText } from './peer-status.js';
import type { Dropped, Hint, PeerRates } from './rates.js';
import { formatTextTable, type TableSacrifice, type TextColumn } from './text-table.js';
import { cutText } from './text-width.js';

const HINTS: Readonly<Record<Exclude<Hint, 'dropping'>, string>> = {
  'no-handshake': 'sent, but never answered: is the endpoint right, is its port open?',
  unanswered: 'nothing comes back: the peer or the way to it is down',
  expired: 'the session has expired and is not renewed',
};

const DROP_REASONS: Readonly<Record<string, string>> = {
  replayed: 'they arrived twice, or far too late',
  disallowed_source: 'their source is not among the allowed IPs',
  keypair_expired: 'the session has expired',
  bad_tag: 'they were altered in transit',
  staged_overflow: 'too many waited for a session',
  handshake_given_up: 'no handshake succeeded',
  no_endpoint: 'there is no endpoint to send them to',
  routing_loop: 'the route to the endpoint leads into the tunnel',
};

const KEY_SHOWN = 12;
/** Columns that a narrow terminal gives up, in this order. */
const SACRIFICES: readonly TableSacrifice[] = [
  { title: 'ENDPOINT', minWidth: 0 },
  { title: 'STATE', minWidth: 0 },
  { title: 'PEER', minWidth: 16 },
  { title: 'SENT', minWidth: 0 },
  { title: 'RECEIVED', minWidth: 0 },
  { title: 'PEER', minWidth: 8 },
];

/** A table of peers: its line of titles, and an entry for each peer. */
export interface WatchTable {
  readonly head: string;
  readonly entries: readonly WatchEntry[];
}

/** The row of one peer, with hints below it. */
export interface WatchEntry {
  readonly lines: readonly string[];
  /** The peer neither sent nor received since the last look, and has no hint. */
  readonly isIdle: boolean;
}

/** Sorts peers: the busiest first, then peers with a hint, then by their last handshake. */
export function sortByActivity(rates: readonly PeerRates[]): PeerRates[] {
  const age = ({ handshakeAgeSeconds }: PeerRates) => handshakeAgeSeconds ?? Number.MAX_SAFE_INTEGER;
  return [...rates].sort(
    (a, b) =>
      b.rxRate + b.txRate - (a.rxRate + a.txRate) ||
      Number(b.hint !== undefined) - Number(a.hint !== undefined) ||
      age(a) - age(b),
  );
}

/**
 * Writes the peers as a table, one line each, with hints below the peers that look wrong.
 *
 * @param width Columns of the terminal, to which the table is cut; `undefined`: unlimited.
 */
export function formatWatchTable(
  rates: readonly PeerRates[],
  names: PeerNames,
  width: number | undefined,
  palette: Palette,
): WatchTable {
  const [head, ...lines] = formatTextTable(toColumns(rates, names), width, SACRIFICES);
  const entries = rates.map((peer, i): WatchEntry => {
    const hint = formatHint(peer);
    const shown = hint === undefined ? [] : [palette.yellow(cutText(`  → ${hint}`, width ?? Number.POSITIVE_INFINITY))];
    return { lines: [lines[i]!, ...shown], isIdle: hint === undefined && peer.rxRate + peer.txRate === 0 };
  });
  return { head: palette.bold(head!), entries };
}

function formatHint({ hint, dropped }: PeerRates): string | undefined {
  return hint === 'dropping' ? formatDropped(dropped!) : hint && HINTS[hint];
}

function toColumns(rates: readonly PeerRates[], names: PeerNames): TextColumn[] {
  const column = (title: string, cell: (peer: PeerRates) => string) => ({ title, cells: rates.map(cell) });
  const right = (title: string, cell: (peer: PeerRates) => string) => ({ ...column(title, cell), isRight: true });
  return [
    column('PEER', ({ peer }) => nameOf(formatKey(peer.publicKey), names)),
    column('ENDPOINT', ({ peer }) => peer.endpoint ?? '-'),
    column('STATE', ({ handshakeAgeSeconds }) => statusText(peerStatus(handshakeAgeSeconds))),
    right('HANDSHAKE', ({ handshakeAgeSeconds: age }) => (age === undefined ? 'never' : formatAge(age))),
    right('RECEIVED', ({ peer }) => formatAmount(Number(peer.rxBytes))),
    right('RX/S', ({ rxRate }) => formatAmount(rxRate)),
    right('SENT', ({ peer }) => formatAmount(Number(peer.txBytes))),
    right('TX/S', ({ txRate }) => formatAmount(txRate)),
  ];
}

function nameOf(publicKey: string, names: PeerNames): string {
  return names.get(publicKey) ?? `${publicKey.slice(0, KEY_SHOWN)}…`;
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

/** Writes an amount with three digits and a unit, in powers of 1024. */
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
