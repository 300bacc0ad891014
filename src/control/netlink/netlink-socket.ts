/** A netlink socket to the kernel. Buffers belong to the caller, which clears the keys in them. */
export interface NetlinkSocket {
  /** Sends one message. @returns 0 or −errno. */
  send(message: Uint8Array): number;
  /** Waits for one datagram of the kernel. @returns Its length in `into`, or −errno. */
  receive(into: Uint8Array): number;
  close(): void;
}

/** Opens a socket of a protocol. @returns −errno where the system refuses. */
export type OpenNetlink = (protocol: number) => NetlinkSocket | number;

/** NETLINK_ROUTE and NETLINK_GENERIC of linux/netlink.h. */
export const NETLINK_ROUTE = 0;
export const NETLINK_GENERIC = 16;
