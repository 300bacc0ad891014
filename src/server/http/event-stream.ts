import type { DeviceView, GatewayEvent, GatewayService } from '../../gateway/gateway-service.js';
import type { Caller } from '../operations/caller.js';
import { deviceBody, etagOf, maySee } from '../operations/device-bodies.js';

const ROUND_MS = 1_000;
const HEARTBEAT_ROUNDS = 20;

/** One viewer of the stream. */
interface Viewer {
  readonly caller: Caller;
  readonly send: (text: string) => void;
}

/**
 * Live data for pages, as server-sent events: each second what has changed, in one round for all viewers. Nothing runs
 * while nobody watches.
 */
export class EventStream {
  readonly #gateway: GatewayService;
  readonly #viewers = new Set<Viewer>();
  readonly #sent = new Map<string, string>();
  readonly #removed = new Set<string>();
  readonly #kinds = new Set<GatewayEvent['kind']>();
  #timer: NodeJS.Timeout | undefined;
  #reading: AbortController | undefined;
  #rounds = 0;

  constructor(gateway: GatewayService) {
    this.#gateway = gateway;
  }

  /** @returns A function that ends the viewing. */
  add(caller: Caller, send: (text: string) => void): () => void {
    const viewer = { caller, send };
    this.#viewers.add(viewer);
    send(`retry: 2000\n${message('hello', { nowUnixMs: Date.now() })}`);
    if (this.#timer === undefined) this.#start();
    return () => {
      this.#viewers.delete(viewer);
      if (this.#viewers.size === 0) this.#stop();
    };
  }

  close(): void {
    this.#viewers.clear();
    this.#stop();
  }

  #start(): void {
    for (const view of this.#gateway.devices()) this.#sent.set(view.device.id, fingerprint(view));
    this.#timer = setInterval(() => this.#round(), ROUND_MS);
    this.#reading = new AbortController();
    void this.#read(this.#reading.signal);
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#reading?.abort();
    this.#sent.clear();
  }

  async #read(signal: AbortSignal): Promise<void> {
    for await (const event of this.#gateway.events(signal)) {
      if (event.kind === 'device-removed') this.#removed.add(event.id);
      else if (event.kind !== 'device-changed') this.#kinds.add(event.kind);
    }
  }

  #round(): void {
    const texts: string[] = [];
    for (const id of this.#removed) texts.push(message('device-removed', { id }));
    for (const kind of this.#kinds) texts.push(message(kind, {}));
    this.#removed.clear();
    this.#kinds.clear();
    if (++this.#rounds % HEARTBEAT_ROUNDS === 0) texts.push(': still here\n\n');
    const changed = this.#gateway.devices().flatMap((view) => {
      const seen = fingerprint(view);
      if (this.#sent.get(view.device.id) === seen || view.device.deletedAtUnixMs !== undefined) return [];
      this.#sent.set(view.device.id, seen);
      return [{ view, text: `event: device-changed\ndata: ${JSON.stringify(deviceBody(view))}\n\n` }];
    });
    for (const { caller, send } of this.#viewers) {
      const own = changed.filter(({ view }) => maySee(caller, view)).map(({ text }) => text);
      const text = [...texts, ...own].join('');
      if (text !== '') send(text);
    }
  }
}

/** Differs where a viewer would see a difference. It costs a tenth of the JSON. */
function fingerprint({ device, condition, reason, drops, proof, ...numbers }: DeviceView): string {
  const { lastHandshakeUnixMs, endpoint, receivedBytes, sentBytes, receivedBytesPerSecond, sentBytesPerSecond } =
    numbers;
  const counts = Object.values(drops).join();
  const traffic = `${receivedBytes} ${sentBytes} ${receivedBytesPerSecond} ${sentBytesPerSecond} ${counts}`;
  const steps = Object.keys(proof).length;
  return `${etagOf(device)} ${condition} ${reason.code} ${reason.seconds} ${lastHandshakeUnixMs} ${endpoint} ${traffic} ${steps}`;
}

function message(event: string, data: object): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
