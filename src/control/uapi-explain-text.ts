/**
 * The answer to `explain`, our own addition to the configuration protocol.
 *
 * ```text
 * dropped_no_peer=3                    packets of the whole device, by verdict; 0 is left out
 * public_key=c5321303…
 * reason_code=no-answer                stable, for programs
 * reason=No answer for 35 s: …         one line
 * dropped_disallowed_source=7          packets of this peer
 * errno=0
 * ```
 *
 * Other daemons end the connection without an answer, as they do with every unknown operation.
 */
import { isLoss, VERDICT_NAMES } from '../core/packets/verdict.js';
import type { DeviceExplanation } from './device-control.js';
import { explainText } from './explain-text.js';
import { readHexKey } from './key-hex.js';
import { invalidReply, readReply, refusal } from './uapi-reply.js';
import { UapiWriter } from './uapi-writer.js';

/** Counts of packets by the names of `Verdict` in lower case, as in `disallowed_source`. */
export type DropCounts = ReadonlyMap<string, number>;

export interface ReceivedExplanation {
  readonly drops: DropCounts;
  readonly peers: readonly ReceivedReason[];
}

export interface ReceivedReason {
  readonly publicKey: Uint8Array;
  /** Empty: the daemon reports no code. */
  readonly reasonCode: string;
  /** One sentence. */
  readonly reason: string;
  readonly drops: DropCounts;
}

const NAMES = VERDICT_NAMES.map((name) => name.replace(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter}`).toLowerCase());

/** Writes the answer without the closing `errno`, in chunks of some 64 KiB. */
export function* formatExplanation({ verdicts, peers }: DeviceExplanation): Generator<Buffer, void, undefined> {
  const writer = new UapiWriter();
  writeDrops(writer, verdicts);
  for (const peer of peers) {
    writer.keyLine('public_key', peer.publicKey);
    writer.line('reason_code', peer.reason.code);
    writer.line('reason', toAscii(explainText(peer.reason)));
    writeDrops(writer, peer.verdicts);
    if (writer.isFull) yield writer.take();
  }
  yield writer.take();
}

/** Reads the answer. @throws {WireGuardError} ERR_CONTROL_REPLY, ERR_CONTROL_REFUSED */
export function parseExplanation(reply: Buffer): ReceivedExplanation {
  const drops = new Map<string, number>();
  const peers: { publicKey: Uint8Array; reasonCode: string; reason: string; drops: Map<string, number> }[] = [];
  const errno = readReply(reply, (key, start, end) => {
    const peer = peers.at(-1);
    const value = reply.toString('latin1', start, end);
    if (key === 'public_key')
      peers.push({ publicKey: readKey(reply, start, end), reasonCode: '', reason: '', drops: new Map() });
    else if (key === 'reason_code' && peer !== undefined) peer.reasonCode = value;
    else if (key === 'reason' && peer !== undefined) peer.reason = value;
    else if (key.startsWith('dropped_')) (peer?.drops ?? drops).set(key.slice('dropped_'.length), Number(value));
  });
  if (errno !== 0) throw refusal('answers', errno);
  return { drops, peers };
}

function writeDrops(writer: UapiWriter, verdicts: ArrayLike<number>): void {
  for (const [verdict, name] of NAMES.entries()) {
    const count = verdicts[verdict] ?? 0;
    if (count > 0 && isLoss(verdict)) writer.line(`dropped_${name}`, count);
  }
}

/** Returns a sentence in ASCII, as the protocol requires. */
function toAscii(sentence: string): string {
  return sentence.replaceAll('…', '...').replace(/[^ -~]+/g, ' ');
}

function readKey(bytes: Buffer, start: number, end: number): Uint8Array {
  const key = readHexKey(bytes, start, end);
  if (key === undefined) throw invalidReply('a key makes no sense');
  return key;
}
