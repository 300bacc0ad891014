import type { Firewall, HostNetwork } from '../../../src/cli/setup/host-network.js';
import { parseIpPrefix } from '../../../src/control/ip-text.js';

export interface FakeHostOptions {
  readonly firewall?: Firewall;
  readonly out4?: string;
  readonly out6?: string;
  readonly networks?: readonly string[];
  readonly usedPorts?: readonly number[];
  readonly address?: string;
  readonly seed?: number;
  /** `undefined`: all programs. */
  readonly programs?: readonly string[];
}

/** A machine as tests want it, whose random numbers come again. */
export function fakeHost(options: FakeHostOptions = {}): HostNetwork {
  let state = options.seed ?? 1;
  return {
    defaultInterface: (family) => (family === 4 ? options.out4 : options.out6),
    networks: () => (options.networks ?? []).map((text) => parseIpPrefix(text)!),
    addressOf: () => options.address,
    hasInterface: (name) => [options.out4, options.out6, 'lo'].includes(name),
    hasProgram: (name) => options.programs?.includes(name) ?? true,
    isUdpPortUsed: (port) => options.usedPorts?.includes(port) === true,
    firewall: async () => options.firewall ?? 'nft',
    random: (bytes) =>
      Uint8Array.from({ length: bytes }, () => {
        state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
        return state >> 16;
      }),
  };
}
