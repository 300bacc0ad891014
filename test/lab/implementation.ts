/**
 * The WireGuard programs under test.
 *
 * `E2E_SUBJECT=wireguard-go` runs every test on Debian's wireguard-go: what fails there too is no fault of ours.
 * `E2E_SUBJECT=plain` runs every test on ours without offloads.
 */
import { fileURLToPath } from 'node:url';

/** A userspace WireGuard: called with the name of an interface, it makes it and goes to the background. */
export interface Implementation {
  readonly title: string;
  readonly command: string;
  /** Words of the command line before all others. */
  readonly words?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** The root of the checkout; this file runs as `dist/test/lab/implementation.js`. */
export const CHECKOUT = fileURLToPath(new URL('../../../', import.meta.url));

export const wiretype: Implementation = { title: 'wiretype', command: `${CHECKOUT}bin/wiretyped` };
/** Ours with one system call per packet: no TSO, USO, GSO or GRO. */
export const plainWiretype: Implementation = {
  ...wiretype,
  title: 'wiretype without offloads',
  env: { WIRETYPE_OFFLOADS: '0' },
};
export const wireguardGo: Implementation = { title: 'wireguard-go', command: '/usr/bin/wireguard-go' };

/** The implementation under test. */
export const subject: Implementation = subjectOf(process.env['E2E_SUBJECT']);

/** The implementations under test, with offloads and without. */
export const subjects: readonly Implementation[] = subject === wiretype ? [wiretype, plainWiretype] : [subject];

function subjectOf(name: string | undefined): Implementation {
  if (name === wireguardGo.title) return wireguardGo;
  return name === 'plain' ? plainWiretype : wiretype;
}
