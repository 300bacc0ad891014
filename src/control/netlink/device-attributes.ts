/** The numbers of the kernel's WireGuard. Source: linux/wireguard.h. */

export const FAMILY_NAME = 'wireguard';
export const FAMILY_VERSION = 1;

export const KEY_BYTES = 32;

export const COMMAND = { getDevice: 0, setDevice: 1 } as const;

export const DEVICE = {
  name: 2,
  privateKey: 3,
  flags: 5,
  listenPort: 6,
  fwmark: 7,
  peers: 8,
} as const;

export const DEVICE_FLAG = { replacePeers: 1 } as const;

export const PEER = {
  publicKey: 1,
  presharedKey: 2,
  flags: 3,
  endpoint: 4,
  persistentKeepalive: 5,
  lastHandshakeTime: 6,
  rxBytes: 7,
  txBytes: 8,
  allowedIps: 9,
} as const;

export const PEER_FLAG = { removeMe: 1, replaceAllowedIps: 2, updateOnly: 4 } as const;

export const ALLOWED_IP = { family: 1, address: 2, prefixLength: 3, flags: 4 } as const;

/** The attribute exists since Linux 6.16; older kernels refuse it. */
export const ALLOWED_IP_FLAG = { removeMe: 1 } as const;
