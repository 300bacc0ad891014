import { randomBytes } from 'node:crypto';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { readFileSync } from 'node:fs';

import type { Clock } from '../../host/clock.js';
import { SystemClock } from '../../host/system-clock.js';
import { formatIpAddress, parseIpAddress } from '../../wire/address-text.js';
import { parseDefaultGateway } from './default-gateway.js';
import { type ExternalAddress, PCP_NONCE_BYTES } from './pcp.js';
import { PortMapper } from './port-mapper.js';

/** Routers listen here (RFC 6887 §8, RFC 6886 §3.1). */
const ROUTER_PORT = 5351;
/** Routers announce a restart here (RFC 6887 §14.1, RFC 6886 §3.2.1). */
const ANNOUNCEMENT_PORT = 5350;
const ALL_HOSTS = '224.0.0.1';
/**
 * Timers of Node stop while the machine sleeps: a sleep is noticed at most this long after waking up. Mappings are renewed
 * at half of their time, so that this does no harm; a shorter time would wake an idle host for nothing.
 */
const MAX_TIMER_MS = 600_000;
const MAX_RESTART_DELAY_MS = 5_000;

export interface PortMappingOptions {
  /** The UDP port of this host to which the router is to forward. */
  readonly internalPort: number;
  /** The IPv4 address of the router. Default: that of the default route. */
  readonly gateway?: string | undefined;
  /** Is called with each new mapping, and with `undefined` when there is none any more. */
  readonly onChange: (mapping: ExternalAddress | undefined) => void;
  /**
   * Twelve bytes that nobody else can know, by which a router that speaks PCP tells the owner of a mapping. A program
   * that takes the same ones after a crash takes over its mapping; otherwise the router refuses it until the mapping
   * has expired (RFC 6887 §11.3). Default: random bytes.
   */
  readonly nonce?: Uint8Array;
  readonly clock?: Pick<Clock, 'nowMs'>;
}

export interface PortMapping {
  readonly mapping: ExternalAddress | undefined;
  /** Deletes the mapping on the router; takes at most two seconds. */
  close(): Promise<void>;
}

/**
 * Asks the home router to forward a UDP port, by PCP or NAT-PMP, and keeps the forwarding until `close`.
 *
 * Whether and when the router agrees shows in `onChange`. The answer belongs to the network of this moment: after a
 * change of the network, close and open again. Neither socket nor timer keeps the process alive.
 *
 * @returns `undefined` if there is no router that could be asked.
 */
export async function openPortMapping(options: PortMappingOptions): Promise<PortMapping | undefined> {
  const gateway = options.gateway ?? defaultGateway();
  const socket = gateway === undefined ? undefined : await connect(gateway);
  if (gateway === undefined || socket === undefined) return undefined;
  return new OpenPortMapping(options, socket, await listen(gateway));
}

class OpenPortMapping implements PortMapping {
  readonly #mapper: PortMapper;
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #socket: Socket;
  readonly #announcements: Announcements | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;
  /** Resolves `#closing`. */
  #finish: (() => void) | undefined;
  #isFinished = false;

  constructor(options: PortMappingOptions, socket: Socket, announcements: Announcements | undefined) {
    const { internalPort, onChange, nonce = randomBytes(PCP_NONCE_BYTES), clock = SystemClock.create() } = options;
    const clientAddress = parseIpAddress(socket.address().address)!;
    const restartDelayMs = Math.floor(Math.random() * MAX_RESTART_DELAY_MS);
    this.#clock = clock;
    this.#mapper = new PortMapper({ internalPort, clientAddress, nonce, restartDelayMs }, clock.nowMs());
    this.#mapper.onChange = onChange;
    this.#socket = socket;
    this.#announcements = announcements;
    socket.on('message', this.#arrived);
    if (announcements !== undefined) announcements.onMessage = this.#arrived;
    this.#runDue();
  }

  get mapping(): ExternalAddress | undefined {
    return this.#mapper.mapping;
  }

  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      this.#finish = resolve;
      this.#announcements?.socket.close();
      this.#socket.ref();
      this.#mapper.close(this.#clock.nowMs());
      this.#settle();
    });
    return this.#closing;
  }

  readonly #arrived = (bytes: Uint8Array): void => {
    if (this.#mapper.isClosed) return;
    this.#mapper.handle(bytes, this.#clock.nowMs());
    this.#settle();
  };

  readonly #runDue = (): void => {
    this.#mapper.runDue(this.#clock.nowMs());
    this.#settle();
  };

  /** Sends what waits, and sets the timer. A datagram that cannot be sent is a lost one. */
  #settle(): void {
    if (this.#isFinished) return;
    for (const bytes of this.#mapper.outbox.splice(0)) this.#socket.send(bytes, () => {});
    clearTimeout(this.#timer);
    if (this.#mapper.isClosed) {
      this.#isFinished = true;
      this.#socket.close();
      this.#finish?.();
      return;
    }
    const delayMs = Math.max(this.#mapper.nextDeadline() - this.#clock.nowMs(), 0);
    this.#timer = setTimeout(this.#runDue, Math.min(delayMs, MAX_TIMER_MS));
    if (this.#finish === undefined) this.#timer.unref();
  }
}

interface Announcements {
  readonly socket: Socket;
  onMessage: (bytes: Uint8Array) => void;
}

function defaultGateway(): string | undefined {
  try {
    const gateway = parseDefaultGateway(readFileSync('/proc/net/route', 'latin1'));
    return gateway === undefined ? undefined : formatIpAddress(gateway);
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined;
    throw error;
  }
}

/** Opens a socket to which only the router can send. */
async function connect(gateway: string): Promise<Socket | undefined> {
  const socket = createSocket('udp4').unref();
  return await new Promise((resolve) => {
    socket.once('error', () => resolve(closed(socket)));
    socket.once('connect', () => {
      socket.removeAllListeners('error');
      socket.on('error', () => {}); // an ICMP answer to a request: the next one may find the router again
      resolve(socket);
    });
    socket.connect(ROUTER_PORT, gateway);
  });
}

/** Listens to the router's announcements, beside other programs that do. Mappings are renewed without them, too. */
async function listen(gateway: string): Promise<Announcements | undefined> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true }).unref();
  const announcements: Announcements = { socket, onMessage: () => {} };
  socket.on('message', (bytes: Uint8Array, from: RemoteInfo) => {
    if (from.address === gateway && from.port === ROUTER_PORT) announcements.onMessage(bytes);
  });
  return await new Promise((resolve) => {
    socket.once('error', () => resolve(closed(socket)));
    socket.bind({ port: ANNOUNCEMENT_PORT, address: ALL_HOSTS }, () => {
      socket.removeAllListeners('error');
      socket.on('error', () => {}); // announcements are a help, not a need
      resolve(announcements);
    });
  });
}

function closed(socket: Socket): undefined {
  socket.close();
  return undefined;
}
