import type { DeviceSession } from '../gateway-model.js';
import type { GatewayStore } from '../gateway-store.js';

const TICK_MS = 60_000;
/** A session ends after this many minutes of silence: sessions of WireGuard live for three. */
const SILENT_TICKS = 3;

interface Totals {
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

interface Ongoing {
  readonly startUnixMs: number;
  readonly start: Totals;
  endUnixMs: number;
  silentTicks: number;
}

/** One minute of a device. */
interface Step {
  readonly before: Totals;
  readonly now: Totals;
  readonly hasMoved: boolean;
  readonly nowUnixMs: number;
}

const NOTHING: Totals = { receivedBytes: 0, sentBytes: 0 };

export interface TrafficRecorderOptions {
  readonly store: Pick<GatewayStore, 'addTraffic' | 'addSession'>;
  /** Counters of each device since the engine was opened. */
  readonly totals: () => Iterable<readonly [string, Totals]>;
  readonly nowUnixMs: () => number;
  /** Called with a failure to write: the numbers of that minute go with those of the next. */
  readonly onFailure: (error: unknown) => void;
  /** Called when the numbers of a minute were written. */
  readonly onWritten?: () => void;
  /** Called when a device has been silent for so long that its session is over. */
  readonly onSilence?: (device: string) => void;
}

/**
 * Writes down what devices carried, by the minute, and when they were connected.
 *
 * It runs from a handshake until nothing moved for three minutes: an idle gateway writes nothing and wakes for nothing.
 */
export class TrafficRecorder {
  readonly #options: TrafficRecorderOptions;
  readonly #written = new Map<string, Totals>();
  readonly #sessions = new Map<string, Ongoing>();
  #timer: NodeJS.Timeout | undefined;
  #lastUnixMs: number;
  #silentTicks = 0;

  constructor(options: TrafficRecorderOptions) {
    this.#options = options;
    this.#lastUnixMs = options.nowUnixMs();
  }

  get isRunning(): boolean {
    return this.#timer !== undefined;
  }

  /** A device has a session: something will move. */
  wake(): void {
    this.#silentTicks = 0;
    if (this.#timer !== undefined) return;
    this.#lastUnixMs = this.#options.nowUnixMs();
    this.#timer = setInterval(() => void this.tick(), TICK_MS).unref();
  }

  /** Writes what moved since the last time. */
  async tick(): Promise<void> {
    const nowUnixMs = this.#options.nowUnixMs();
    const startUnixMs = this.#lastUnixMs;
    const totals = [...this.#options.totals()];
    const moved = new Map(totals.flatMap(([device, now]) => this.#movedBy(device, now)));
    this.#silentTicks = moved.size === 0 ? this.#silentTicks + 1 : 0;
    if (this.#silentTicks >= SILENT_TICKS) this.#sleep();
    try {
      if (moved.size > 0) {
        const seconds = Math.max(1, Math.round((nowUnixMs - startUnixMs) / 1_000));
        await this.#options.store.addTraffic(startUnixMs, seconds, moved);
        this.#options.onWritten?.();
      }
      this.#lastUnixMs = nowUnixMs;
      for (const [device, now] of totals) {
        const before = this.#written.get(device) ?? NOTHING;
        this.#written.set(device, now);
        await this.#follow(device, { before, now, hasMoved: moved.has(device), nowUnixMs });
      }
    } catch (error) {
      this.#options.onFailure(error);
    }
  }

  /** Writes the rest. */
  async close(): Promise<void> {
    this.#sleep();
    await this.tick();
  }

  #sleep(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #movedBy(device: string, now: Totals): [string, { received: number; sent: number }][] {
    const before = this.#written.get(device);
    const received = now.receivedBytes - (before?.receivedBytes ?? 0);
    const sent = now.sentBytes - (before?.sentBytes ?? 0);
    return received > 0 || sent > 0 ? [[device, { received: Math.max(0, received), sent: Math.max(0, sent) }]] : [];
  }

  async #follow(device: string, { before, now, hasMoved, nowUnixMs }: Step): Promise<void> {
    const ongoing = this.#sessions.get(device);
    if (!hasMoved) {
      if (ongoing === undefined || ++ongoing.silentTicks < SILENT_TICKS) return;
      this.#sessions.delete(device);
      return this.#options.onSilence?.(device);
    }
    const session = ongoing ?? {
      startUnixMs: nowUnixMs - TICK_MS,
      start: before,
      endUnixMs: nowUnixMs,
      silentTicks: 0,
    };
    session.endUnixMs = nowUnixMs;
    session.silentTicks = 0;
    this.#sessions.set(device, session);
    await this.#options.store.addSession(sessionOf(device, session, now));
  }
}

function sessionOf(device: string, { startUnixMs, endUnixMs, start }: Ongoing, now: Totals): DeviceSession {
  const receivedBytes = now.receivedBytes - start.receivedBytes;
  const sentBytes = now.sentBytes - start.sentBytes;
  return { device, startUnixMs, endUnixMs, receivedBytes, sentBytes };
}
