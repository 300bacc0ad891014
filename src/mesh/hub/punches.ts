import type { CandidateText, HubMessage, Report } from '../map/messages.js';

/** A punch between two nodes is not repeated before this. */
const AGAIN_MS = 1_000;
/** Later attempts let one side go first, by so much: its packet opens its NAT before the other's arrives. */
const FIRST_MS = 1_000;
const MAX_CANDIDATES = 16;
const FORGET_MS = 60_000;

/** A connected agent, as the hub knows it. */
export interface PunchNode {
  readonly id: string;
  readonly report: Pick<Report, 'candidates' | 'rttMs'> | undefined;
  /** Public `ADDRESS:PORT` as the hub sees it. Absent: it comes by a carrier. */
  readonly observed: string | undefined;
  send(message: HubMessage): void;
}

/** Tells both ends where the other may be, and lets their first probes cross on the way (mesh.md §4). */
export class Punches {
  readonly #lastMs = new Map<string, number>();

  /** @param attempt Counts from 0 in the agent that asked. */
  punch(asker: PunchNode, other: PunchNode, attempt: number, nowMs: number): void {
    const name = [asker.id, other.id].sort().join();
    if (nowMs - (this.#lastMs.get(name) ?? -Infinity) < AGAIN_MS) return;
    this.#forgetOld(nowMs);
    this.#lastMs.set(name, nowMs);
    const [askerRtt, otherRtt] = [asker.report?.rttMs ?? 0, other.report?.rttMs ?? 0];
    const slowest = Math.max(askerRtt, otherRtt);
    const [askerWaits, otherWaits] = waits(attempt, asker.id < other.id);
    send(asker, other, (slowest - askerRtt) / 2 + askerWaits);
    send(other, asker, (slowest - otherRtt) / 2 + otherWaits);
  }

  #forgetOld(nowMs: number): void {
    for (const [name, atMs] of this.#lastMs) {
      if (nowMs - atMs < FORGET_MS) return;
      this.#lastMs.delete(name);
    }
  }
}

/**
 * The first two attempts cross. Later ones let one end go first, and the other end the next time, whichever of them asks: an end whose
 * NAT keeps stray entries has to go first, and nobody knows which that is. Every third one crosses, for pairs of such NATs.
 */
function waits(attempt: number, isAskerLower: boolean): readonly [number, number] {
  const turn = (attempt - 2) % 3;
  if (attempt < 2 || turn === 2) return [0, 0];
  return isAskerLower === (turn === 0) ? [0, FIRST_MS] : [FIRST_MS, 0];
}

function send(to: PunchNode, about: PunchNode, inMs: number): void {
  to.send({ type: 'punch', node: about.id, candidates: candidatesOf(about, to), inMs });
}

/** Addresses of the site are of use to hosts behind the same public address only. */
function candidatesOf(node: PunchNode, for_: PunchNode): CandidateText[] {
  const isSameSite = node.observed !== undefined && hostOf(node.observed) === hostOf(for_.observed ?? '');
  const reported = (node.report?.candidates ?? []).filter(({ kind }) => kind !== 'lan' || isSameSite);
  const observed = node.observed === undefined ? [] : [{ address: node.observed, kind: 'observed' as const }];
  return [...observed, ...reported].slice(0, MAX_CANDIDATES);
}

function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(':'));
}
