import { BlockList, isIP, SocketAddress } from 'node:net';

import type { IpFamily } from '../../wire/endpoint.js';

/** An address range as `ip` writes it, with its address in canonical text. */
export interface Prefix {
  readonly family: IpFamily;
  readonly address: string;
  /** Bits. */
  readonly length: number;
}

/**
 * Reads an address range from what `ip` prints or takes: `ADDRESS`, `ADDRESS/LENGTH` or `default`.
 *
 * @param family Needed for `default` only.
 * @returns `undefined` for anything else, such as a zone or a name.
 */
export function parsePrefix(text: string, family: IpFamily = 4): Prefix | undefined {
  if (text === 'default') return { family, address: family === 4 ? '0.0.0.0' : '::', length: 0 };

  const [, addressText = '', lengthText] = /^([0-9a-fA-F.:]+)(?:\/([0-9]{1,3}))?$/.exec(text) ?? [];
  const version = isIP(addressText);
  if (version !== 4 && version !== 6) return undefined;

  const widest = widthOf(version);
  const length = lengthText === undefined ? widest : Number(lengthText);
  return length <= widest ? { family: version, address: canonical(addressText, version), length } : undefined;
}

export function formatPrefix({ address, length }: Prefix): string {
  return `${address}/${length}`;
}

/** Returns whether an address is in fe80::/10 (RFC 4291 §2.5.6). */
export function isLinkLocal({ family, address }: Prefix): boolean {
  return family === 6 && /^fe[89ab]/.test(address);
}

/**
 * Makes a test for many prefixes against one range.
 *
 * @returns Whether every address of the prefix lies in `outer`, host bits aside.
 */
export function coverTest(outer: Prefix): (inner: Prefix) => boolean {
  const range = new BlockList();
  range.addSubnet(outer.address, outer.length, familyName(outer.family));
  return ({ family, address, length }) =>
    family === outer.family && length >= outer.length && range.check(address, familyName(family));
}

/** Bits of an address. */
function widthOf(family: IpFamily): number {
  return family === 4 ? 32 : 128;
}

function canonical(address: string, family: IpFamily): string {
  return new SocketAddress({ address, family: familyName(family) }).address;
}

function familyName(family: IpFamily): 'ipv4' | 'ipv6' {
  return family === 4 ? 'ipv4' : 'ipv6';
}
