/**
 * The WireGuard programs under test.
 *
 * `E2E_SUBJECT=wireguard-go` runs every test on Debian's wireguard-go: what fails there too is no fault of ours.
 */
import { fileURLToPath } from 'node:url';

/** A userspace WireGuard: called with the name of an interface, it makes it and goes to the background. */
export interface Implementation {
  readonly title: string;
  readonly command: string;
  /** Words of the command line before all others. */
  readonly words?: readonly string[];
}

/** The root of the checkout; this file runs as `dist/test/lab/implementation.js`. */
export const CHECKOUT = fileURLToPath(new URL('../../../', import.meta.url));

export const wiretype: Implementation = { title: 'wiretype', command: `${CHECKOUT}bin/wiretyped` };
export const wireguardGo: Implementation = { title: 'wireguard-go', command: '/usr/bin/wireguard-go' };

/** What the tests are about. */
export const subject: Implementation = process.env['E2E_SUBJECT'] === wireguardGo.title ? wireguardGo : wiretype;
