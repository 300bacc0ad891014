import type { Advice, InterfaceAdvice, PeerAdvice } from './advice.js';

/**
 * Writes advice for users.
 *
 * ```text
 * wg0: link up, UDP port 51820
 *
 * peer xTIBA5rb… (office)
 *   No answer for 35 s: the peer may be off, …
 *   There is no route to 203.0.113.9.
 *     → Look at the network: ip route get 203.0.113.9
 * ```
 */
export function formatAdvice(about: InterfaceAdvice): string {
  const port = about.listenPort === null ? 'no UDP port' : `UDP port ${about.listenPort}`;
  const head = `${about.interface}: link ${linkText(about.isUp)}, ${port}${about.isKernels ? ", the kernel's own" : ''}`;
  const lines = [
    head,
    ...about.notAvailable.map(({ what, why }) => `  Not available: ${what}: ${why}.`),
    ...about.advice.flatMap(adviceLines),
  ];
  if (about.peers.length === 0)
    lines.push('  The interface has no peers.', '    → Add one: wiretype add-peer, or [Peer] in its file');
  return `${[...lines, ...about.peers.flatMap(peerLines)].join('\n')}\n`;
}

function linkText(isUp: boolean | null): string {
  if (isUp === null) return 'elsewhere';
  return isUp ? 'up' : 'down';
}

function peerLines({ publicKey, name, reason, advice }: PeerAdvice): string[] {
  return ['', `peer ${publicKey}${name === null ? '' : ` (${name})`}`, `  ${reason}`, ...advice.flatMap(adviceLines)];
}

function adviceLines({ problem, nextStep }: Advice): string[] {
  return [`  ${problem}`, `    → ${nextStep}`];
}
