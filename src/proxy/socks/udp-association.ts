import type { Destination, Exit, ExitUdpPort } from '../exit.js';
import { RouteError } from '../rules/route-error.js';
import type { AddressedRoute } from '../rules/router.js';
import type { DatagramDrop, ProxyCounters } from '../server/proxy-counters.js';
import { formatDatagramHeader, parseDatagram } from './udp-datagram.js';

/** The least that RFC 4787 §4.3 (REQ-5) recommends for a mapping without traffic. */
const FLOW_IDLE_MS = 300_000;
/** The answer "blocked" or "not found" is kept for this time. */
const REFUSED_MS = 5_000;
const MAX_FLOWS = 1_024;
/** Datagrams that wait for a lookup, in one association. */
const MAX_WAITING = 64;

/** A destination as the client writes it, and what became of it. */
interface Flow {
  lastUsedMs: number;
  isForgotten: boolean;
  /** `undefined` while the name is looked up. */
  target: FlowTarget | 'refused' | undefined;
}

interface FlowTarget {
  readonly mapping: Mapping;
  readonly to: Destination;
}

/** A port of an exit, and the flow that used it last for each address. */
interface Mapping {
  readonly port: ExitUdpPort;
  readonly flows: Map<string, Flow>;
}

export interface UdpAssociationPorts {
  readonly counters: ProxyCounters;
  /** Routes by the rules, and finds addresses; rejects with a `RouteError`. */
  route(to: Destination): Promise<AddressedRoute>;
  /** Sends to the client. */
  reply(header: Uint8Array, payload: Uint8Array): void;
  nowMs(): number;
}

/**
 * The datagrams of one client: out by the rules, and back.
 *
 * All destinations that leave by one exit share a port (endpoint-independent mapping, RFC 4787 §4.1). A datagram comes back only
 * from an address to which the client has sent (address-dependent filtering, §5), so that the rules hold both ways.
 */
export class UdpAssociation {
  readonly #ports: UdpAssociationPorts;
  /** The least recently used flow comes first. */
  readonly #flows = new Map<string, Flow>();
  readonly #mappings = new Map<Exit, Map<number, Promise<Mapping>>>();
  #waiting: { readonly key: string; readonly payload: Uint8Array }[] = [];
  #isClosed = false;

  constructor(ports: UdpAssociationPorts) {
    this.#ports = ports;
  }

  get flowCount(): number {
    return this.#flows.size;
  }

  /** Takes a datagram of the client. */
  take(bytes: Uint8Array): void {
    const drop = this.#relay(bytes);
    if (drop !== undefined) this.#drop(drop);
  }

  /** Forgets flows without traffic. */
  expire(): void {
    const nowMs = this.#ports.nowMs();
    for (const [key, { lastUsedMs, target }] of this.#flows)
      if (nowMs - lastUsedMs >= (target === 'refused' ? REFUSED_MS : FLOW_IDLE_MS)) this.#forget(key);
  }

  close(): void {
    this.#isClosed = true;
    for (const key of this.#flows.keys()) this.#forget(key);
    for (const byFamily of this.#mappings.values())
      for (const opened of byFamily.values())
        opened.then(
          ({ port }) => port.close(),
          () => {},
        );
    this.#mappings.clear();
  }

  #relay(bytes: Uint8Array): DatagramDrop | undefined {
    const datagram = parseDatagram(bytes);
    if (datagram === undefined) return 'malformed';
    // RFC 1928 §7: a relay that does not reassemble must drop all fragments.
    if (datagram.fragment !== 0) return 'fragment';
    const { destination, payload } = datagram;
    const key = `${destination.host} ${destination.port}`;
    const flow = this.#touch(key, destination);
    if (flow.target === 'refused') return 'blocked';
    if (flow.target !== undefined) return this.#send(flow, flow.target, payload);
    if (this.#waiting.length >= MAX_WAITING) return 'full';
    this.#waiting.push({ key, payload });
    return undefined;
  }

  /** Finds or makes a flow, and makes it the most recently used one. A refusal is not prolonged by use. */
  #touch(key: string, destination: Destination): Flow {
    const nowMs = this.#ports.nowMs();
    const known = this.#flows.get(key);
    const isOver = known?.target === 'refused' && nowMs - known.lastUsedMs >= REFUSED_MS;
    if (known !== undefined && !isOver) {
      this.#flows.delete(key);
      this.#flows.set(key, known);
      if (known.target !== 'refused') known.lastUsedMs = nowMs;
      return known;
    }
    if (known !== undefined) this.#forget(key);
    if (this.#flows.size >= MAX_FLOWS) this.#forget(this.#flows.keys().next().value!);
    const flow: Flow = { lastUsedMs: nowMs, isForgotten: false, target: undefined };
    this.#flows.set(key, flow);
    this.#ports.counters.datagrams.flows++;
    void this.#open(key, flow, destination);
    return flow;
  }

  #forget(key: string): void {
    const flow = this.#flows.get(key);
    if (flow === undefined) return;
    this.#flows.delete(key);
    flow.isForgotten = true;
    this.#ports.counters.datagrams.flows--;
    const { target } = flow;
    if (target === undefined || target === 'refused' || target.mapping.flows.get(target.to.host) !== flow) return;
    // Another flow may go to another port of the same address.
    const { mapping, to } = target;
    const other = [...this.#flows.values()].find((other) => leadsTo(other, mapping, to.host));
    if (other === undefined) mapping.flows.delete(to.host);
    else mapping.flows.set(to.host, other);
  }

  async #open(key: string, flow: Flow, destination: Destination): Promise<void> {
    try {
      const { exit, port, addresses } = await this.#ports.route(destination);
      const { address, family } = addresses[0]!;
      flow.target = { mapping: await this.#mapping(exit, family), to: { host: address, port } };
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      flow.target = 'refused';
      this.#dropWaiting(key, error instanceof RouteError && error.failure === 'blocked' ? 'blocked' : 'unresolved');
      return;
    }
    const { target } = flow;
    for (const { payload } of this.#takeWaiting(key)) {
      const drop = this.#send(flow, target, payload);
      if (drop !== undefined) this.#drop(drop);
    }
  }

  #mapping(exit: Exit, family: number): Promise<Mapping> {
    const byFamily = this.#mappings.get(exit) ?? new Map<number, Promise<Mapping>>();
    const known = byFamily.get(family);
    if (known !== undefined) return known;
    if (this.#isClosed) return Promise.reject(new Error('the association has ended'));
    const opened = exit.openUdp({ host: family === 6 ? '::' : '0.0.0.0', port: 0 }).then((port) => {
      const mapping = { port, flows: new Map<string, Flow>() };
      port.onMessage = (message, from) => this.#receive(mapping, message, from);
      return mapping;
    });
    opened.catch(() => byFamily.delete(family));
    this.#mappings.set(exit, byFamily.set(family, opened));
    return opened;
  }

  #send(flow: Flow, { mapping, to }: FlowTarget, payload: Uint8Array): DatagramDrop | undefined {
    // The flow may have been forgotten, or the association closed, while its name was looked up.
    if (this.#isClosed || flow.isForgotten) return 'unresolved';
    const { counters } = this.#ports;
    counters.datagrams.sent++;
    counters.sentBytes += payload.length;
    mapping.flows.set(to.host, flow);
    mapping.port.send(payload, to);
    return undefined;
  }

  #receive({ flows }: Mapping, message: Uint8Array, from: Destination): void {
    if (this.#isClosed) return;
    const flow = flows.get(from.host);
    if (flow === undefined) {
      this.#drop('foreign');
      return;
    }
    flow.lastUsedMs = this.#ports.nowMs();
    const { counters } = this.#ports;
    counters.datagrams.received++;
    counters.receivedBytes += message.length;
    this.#ports.reply(formatDatagramHeader(from), message);
  }

  #takeWaiting(key: string): { readonly key: string; readonly payload: Uint8Array }[] {
    const taken = this.#waiting.filter((waiting) => waiting.key === key);
    if (taken.length > 0) this.#waiting = this.#waiting.filter((waiting) => waiting.key !== key);
    return taken;
  }

  #dropWaiting(key: string, reason: DatagramDrop): void {
    for (const _ of this.#takeWaiting(key)) this.#drop(reason);
  }

  #drop(reason: DatagramDrop): void {
    this.#ports.counters.datagrams.dropped[reason]++;
  }
}

function leadsTo({ target }: Flow, mapping: Mapping, host: string): boolean {
  return target !== undefined && target !== 'refused' && target.mapping === mapping && target.to.host === host;
}
