/** Options of a hand-written segment, and what a test reads out of an answer. */
import type { RawPeer, Reply } from '../raw-peer.js';

export const MSS_1380 = [2, 4, 0x05, 0x64] as const;
export const SACK_PERMITTED = [4, 2] as const;

/** The four bytes of a sequence number or a stamp. */
export function word(value: number): number[] {
  return [(value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}

export function timestamps(value: number, echo = 0): number[] {
  return [8, 10, ...word(value), ...word(echo)];
}

export function sack(...edges: number[]): number[] {
  return [5, 2 + 4 * edges.length, ...edges.flatMap(word)];
}

/** The stamp that a segment carries, and the one that it echoes; `undefined` without the option. */
export function stampsOf(reply: Reply): { value: number; echo: number } | undefined {
  const at = optionAt(reply, 8);
  if (at < 0) return undefined;
  const view = new DataView(reply.options.buffer, reply.options.byteOffset);
  return { value: view.getInt32(at + 2), echo: view.getInt32(at + 6) };
}

/** The edges of the SACK blocks that a segment carries. */
export function sacksOf(reply: Reply): number[][] {
  const at = optionAt(reply, 5);
  if (at < 0) return [];
  const view = new DataView(reply.options.buffer, reply.options.byteOffset);
  const blocks: number[][] = [];
  for (let i = at + 2; i < at + reply.options[at + 1]!; i += 8) blocks.push([view.getInt32(i), view.getInt32(i + 4)]);
  return blocks;
}

function optionAt(reply: Reply, kind: number): number {
  for (let at = 0; at < reply.options.length; at += reply.options[at] === 1 ? 1 : reply.options[at + 1]!) {
    if (reply.options[at] === 0) return -1;
    if (reply.options[at] === kind) return at;
  }
  return -1;
}

/** The data segments among what the stack sent since the last look. */
export function dataOf(peer: RawPeer): Reply[] {
  return peer.replies().filter((reply) => reply.data.length > 0);
}
