/**
 * The functions of the C addon: only those that Node lacks, in batches.
 *
 * The addon handles byte offsets and no protocol. Every offset and length is checked against the arena
 * that was registered; a row that lies outside is a `RangeError`, an argument of a wrong kind a
 * `TypeError`. Numbers that come back negative are −errno. The only file that loads it is `load.ts`.
 */

/** The columns of a batch (`core/packets/packet-batch.ts`), by structure. */
export interface BatchColumns {
  readonly bytes: Uint8Array;
  readonly offset: Uint32Array;
  readonly length: Uint32Array;
  readonly verdict: Uint8Array;
  readonly keySlot: Int32Array;
  readonly trafficClass: Uint8Array;
  readonly endpoint: Int32Array;
  /** 44 bytes a record, as drawn in `wire/endpoint.ts`. */
  readonly endpointBytes: Uint8Array;
}

/** Opaque: the addon's record of the addresses of the columns. It keeps the arrays alive. */
export type NativeBatch = object & { readonly __nativeBatch: never };
/** Opaque: an open TUN interface. */
export type NativeTun = object & { readonly __nativeTun: never };
/** Opaque: the UDP sockets of both families. */
export type NativeUdp = object & { readonly __nativeUdp: never };
/** Opaque: a netlink subscription in one network namespace. */
export type NativeMonitor = object & { readonly __nativeMonitor: never };
/** Opaque: a table of AEAD keys. */
export type NativeAeadTable = object & { readonly __nativeAeadTable: never };

/** Events that the event loop can watch. */
export type NativeSource = NativeTun | NativeUdp | NativeMonitor;

/** Bits that `Addon.watch` hands to its callback. */
export const WATCH_READABLE = 1;
export const WATCH_WRITABLE = 2;
/** The descriptor has an error and is not watched until `watch` is called again. */
export const WATCH_ERROR = 4;

/** Bits of `tunOpen`, `tunAdopt` and `tunFeatures`. */
export const TUN_OFFLOAD_TCP = 1;
export const TUN_OFFLOAD_UDP = 2;

/** Bits of `udpOpen`. */
export const UDP_OFFLOAD_SEND = 1;
export const UDP_OFFLOAD_RECEIVE = 2;
/** Leave one family out, as on a system that lacks it. */
export const UDP_NO_IPV4 = 4;
export const UDP_NO_IPV6 = 8;

/** A bit of the results of `tunRead` and `udpReceive`: packets wait inside the addon, and no event will announce them. */
export const MORE_WAITS = 0x4000_0000;
/** The bits of results of `tunRead` and `udpReceive` that count rows. */
export const ROWS_MASK = 0x00ff_ffff;

/** Bits of `monitorOpen`. */
export const MONITOR_LINKS = 1;
export const MONITOR_ROUTES = 2;

/** Bits that `monitorRead` returns. */
export const LINK_CHANGED = 1;
export const LINK_DELETED = 2;
/** An address or a route came, changed or went. */
export const ROUTES_CHANGED = 4;

/** Length of the array of counters that `tunOpen` and `udpOpen` take. An error number is its own index. */
export const ERROR_COUNTERS = 256;

/** The functions of the addon, by group: batches, TUN, UDP, netlink, AEAD, handshake primitives, process. */
export interface Addon {
  /** Fetches the addresses of the columns once. @throws {TypeError} if lengths do not fit each other. */
  registerBatch(columns: BatchColumns): NativeBatch;

  /**
   * Calls `callback` with `WATCH_…` bits while the source has events. Keeps the loop alive
   * until `setReferenced(source, false)` or `close`.
   */
  watch(source: NativeSource, callback: (events: number) => void): void;
  /** Switches reading on or off. With `false`, the callback is called neither for input nor for errors. */
  setReading(source: NativeSource, isReading: boolean): void;
  setReferenced(source: NativeSource, isReferenced: boolean): void;
  /** Closes the descriptors. Every other function then returns −EBADF. */
  close(source: NativeSource): void;

  /**
   * Makes a TUN interface, or joins a persistent one that no process holds.
   *
   * @param offload Requested `TUN_OFFLOAD_…` bits; those that the kernel refuses are omitted.
   * @param errors One counter per errno, for packets that could not be written.
   */
  tunOpen(name: string, offload: number, errors: Uint32Array): NativeTun | number;
  /** Takes over an open TUN descriptor. */
  tunAdopt(descriptor: number, offload: number, errors: Uint32Array): NativeTun | number;
  /**
   * A TUN without an interface, for tests: its other end is a socket of which each read and write is one
   * packet behind a virtio-net header of 10 bytes.
   *
   * @returns The TUN, and the descriptor of the socket.
   */
  tunPair(offload: number, errors: Uint32Array): [NativeTun, number] | number;
  /** Returns the current name of the interface, or −EBADFD when it is gone. */
  tunName(tun: NativeTun): string | number;
  /** @returns 0 or −errno. The interface must be in the caller's network namespace. */
  tunSetMtu(tun: NativeTun, mtu: number): number;
  /** Returns a descriptor of the interface's network namespace; the caller closes it. */
  tunNamespace(tun: NativeTun): number;
  /** Returns the TUN's own descriptor for a child process, or −EBADF. The addon keeps its ownership. */
  tunDescriptor(tun: NativeTun): number;
  /** Returns the `TUN_OFFLOAD_…` bits that the kernel accepted. */
  tunFeatures(tun: NativeTun): number;
  /** Fills the batch. @returns Rows, with `MORE_WAITS` where it applies, or −errno. */
  tunRead(tun: NativeTun, batch: NativeBatch): number;
  /** Writes the rows `[0, count)` with verdict 0 and a length. @returns 0, or −errno of the last refusal. */
  tunWrite(tun: NativeTun, batch: NativeBatch, count: number): number;

  /**
   * Binds a socket per family to one port; a family that the system lacks is left out.
   *
   * @param port 0: one that is free in both families.
   * @param errors Twice ERROR_COUNTERS: one counter per errno for sending, then for receiving.
   * @param refusedSource Receives the endpoint record whose source was last refused, unchanged.
   */
  udpOpen(port: number, flags: number, errors: Uint32Array, refusedSource: Uint8Array): NativeUdp | number;
  udpPort(udp: NativeUdp): number;
  /** SO_MARK. @returns 0 or −errno. */
  udpSetMark(udp: NativeUdp, mark: number): number;
  /** Fills the batch. @returns Rows, with `MORE_WAITS` where it applies, or −errno. Records in use: `endpoint[rows − 1] + 1`. */
  udpReceive(udp: NativeUdp, batch: NativeBatch): number;
  /** Sends the rows `[from, count)`. @returns The first unsent row, which waits for the writable event. */
  udpSend(udp: NativeUdp, batch: NativeBatch, from: number, count: number): number;

  /**
   * Appends to the batch, from `row` on, the segments of TCP that have these headers, until all have a row, the batch is full or
   * 1 MiB of blocks is used up.
   *
   * @param header IP header without options, and TCP header. Length, number and checksum of each segment are filled in.
   * @param segmentBytes Payload of each segment but the last.
   * @param blocks Payload, in blocks of one size, from byte `at` of block `first` on.
   * @returns The next free row.
   */
  splitSegments(
    batch: NativeBatch,
    row: number,
    header: Uint8Array,
    headerBytes: number,
    segmentBytes: number,
    blocks: readonly Uint8Array[],
    first: number,
    at: number,
    payloadBytes: number,
  ): number;

  /** Subscribes to `what` (`MONITOR_…`), in the namespace of the descriptor or, with −1, the caller's own. */
  monitorOpen(what: number, namespaceDescriptor: number): NativeMonitor | number;
  /** Reads all waiting messages. @param linkIndex The link to watch. @returns Bits, or −errno. */
  monitorRead(monitor: NativeMonitor, linkIndex: number): number;
  /** Writes interface index, MTU and interface flags into `out`. @returns 0 or −errno. */
  monitorLink(monitor: NativeMonitor, name: string, out: Int32Array): number;
  /** Returns the interface of the route to the endpoint from its source, or −errno. */
  monitorRoute(monitor: NativeMonitor, endpoint: Uint8Array, mark: number): number;

  /**
   * Opens a netlink socket to the kernel in the caller's network namespace, for requests.
   *
   * @returns A descriptor, which the caller closes, or −errno.
   */
  netlinkOpen(protocol: number): number;
  /** @returns 0 or −errno. */
  netlinkSend(descriptor: number, message: Uint8Array): number;
  /** Waits for one datagram. @returns Its length, or −errno: −ETIMEDOUT after the time, −EMSGSIZE if it does not fit. */
  netlinkReceive(descriptor: number, into: Uint8Array, timeoutMs: number): number;

  /** @param helpers Threads, 0 to 64, that share the work of large batches with the caller. */
  aeadCreate(helpers: number): NativeAeadTable;
  /** Copies both 32-byte keys. @returns The slot. */
  aeadInstall(table: NativeAeadTable, sendKey: Uint8Array, receiveKey: Uint8Array): number;
  /** Wipes the slot. @throws {RangeError} if it is not in use. */
  aeadWipe(table: NativeAeadTable, slot: number): void;
  aeadSeal(table: NativeAeadTable, batch: NativeBatch, count: number): void;
  aeadOpen(table: NativeAeadTable, batch: NativeBatch, count: number): void;

  /** Writes BLAKE2s over the parts into `out`, which has 32 bytes. */
  blake2s(out: Uint8Array, ...parts: readonly Uint8Array[]): void;
  /** Keyed BLAKE2s into `out`, whose length (16 or 32) decides. The key has 1 to 32 bytes. */
  blake2sMac(out: Uint8Array, key: Uint8Array, data: Uint8Array): void;
  /** HMAC-BLAKE2s into `out`, which has 32 bytes. */
  blake2sHmac(out: Uint8Array, key: Uint8Array, ...parts: readonly Uint8Array[]): void;
  /**
   * ChaCha20-Poly1305 with a nonce of 12 bytes into `out`, which has `plaintext.length + 16` bytes at least. No argument
   * may overlap `out`.
   */
  seal(out: Uint8Array, key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, associatedData: Uint8Array): void;
  /** Opens a sealed text into `out`, which has `sealed.length` bytes at least. @returns `false` if the tag is wrong. */
  open(out: Uint8Array, key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, associatedData: Uint8Array): boolean;
  /** X25519 into `out`, which has 32 bytes. @returns `false` when the result is all zero. */
  x25519(out: Uint8Array, privateKey: Uint8Array, publicKey: Uint8Array): boolean;
  x25519PublicKey(out: Uint8Array, privateKey: Uint8Array): void;

  /** CLOCK_BOOTTIME in whole milliseconds: unlike `performance.now()` it goes on while the machine sleeps. */
  bootTimeMs(): number;
  /**
   * Returns the number of the caller's network namespace, which is unique until the machine
   * restarts. −errno before Linux 5.14.
   */
  netnsCookie(): bigint | number;
  /**
   * Opens a socket for ICMP or ICMPv6 echoes without a right of root, where `net.ipv4.ping_group_range` has the caller's group.
   *
   * @param family 4 or 6.
   * @returns A descriptor, which `dgram` takes over by `bind({ fd })`, or −errno.
   */
  pingOpen(family: number): number;
  /**
   * Opens a socket with a firewall mark (SO_MARK), which needs CAP_NET_ADMIN.
   *
   * @param family 4 or 6.
   * @param protocol 6 (TCP) or 17 (UDP).
   * @returns A descriptor, which `net` or `dgram` takes over by `{ fd }`, or −errno.
   */
  markedOpen(family: number, protocol: number, mark: number): number;
  /**
   * Sends datagrams to one address by the descriptor of a UDP socket, which stays its owner's. Neighbours of one length
   * go together (UDP_SEGMENT).
   *
   * @param bytes The payloads, one after the other.
   * @param lengths The length of each.
   * @param address 4 or 16 bytes.
   * @returns How many were sent, or −errno if the first one could not be.
   */
  datagramsSend(
    descriptor: number,
    bytes: Uint8Array,
    lengths: Uint16Array,
    count: number,
    address: Uint8Array,
    port: number,
  ): number;
  /** PR_SET_DUMPABLE and RLIMIT_CORE to 0, for good. @returns 0 or −errno. */
  hardenProcess(): number;
  /**
   * Denies, in all threads and for good, the system calls that no tunnel needs: to start programs, to look into other
   * processes, to change mounts and namespaces, to load code into the kernel. They fail with EPERM afterwards.
   *
   * @returns 0 or −errno; −ENOSYS on a processor for which there is no list.
   */
  denySystemCalls(): number;
}
