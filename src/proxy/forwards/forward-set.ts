import { WireGuardError } from '../../core/errors.js';
import type { StreamTraffic } from '../../rootless/join-streams.js';
import type { Exit } from '../exit.js';
import type { Forward } from '../proxy-config.js';
import { formatListenAddress } from '../server/listen-on.js';
import { type ForwardState, type ForwardWays, type OpenForward, openForward } from './open-forward.js';

export interface ForwardSetOptions {
  /** Called if a connection or flow of a forward does not come about. */
  onFailure(forward: Forward, error: Error): void;
  readonly traffic?: StreamTraffic;
}

interface Entry {
  readonly open: OpenForward;
  readonly state: ForwardState;
  /** The side that it listens on. */
  readonly side: Exit;
}

/** A change of all forwards that can be made or left. */
export interface ForwardChange {
  /** Closes what is gone, and uses the new targets and ways. */
  commit(): void;
  abort(): void;
}

/** The forwards of a proxy, which a reload replaces all together or not at all. Those that stay keep their connections. */
export class ForwardSet {
  readonly #options: ForwardSetOptions;
  #entries = new Map<string, Entry>();

  constructor(options: ForwardSetOptions) {
    this.#options = options;
  }

  get forwards(): readonly { readonly forward: Forward; readonly port: number }[] {
    return [...this.#entries.values()].map(({ state, open }) => ({ forward: state.forward, port: open.port }));
  }

  /**
   * Opens the forwards that are new, beside all others.
   *
   * @throws {WireGuardError} ERR_LISTEN; then nothing has changed.
   */
  async prepare(forwards: readonly Forward[], ways: ForwardWays): Promise<ForwardChange> {
    const next = new Map<string, Entry>();
    const opened: Entry[] = [];
    try {
      for (const forward of forwards) {
        const side = sideOf(forward, ways);
        const known = this.#entries.get(keyOf(forward));
        const isKept = known !== undefined && known.side === side;
        const entry = isKept ? known : await this.#open(forward, ways, side);
        if (!isKept) opened.push(entry);
        next.set(keyOf(forward), entry);
      }
    } catch (error) {
      for (const { open } of opened) open.destroy();
      throw error;
    }
    return {
      commit: () => this.#commit(next, forwards, ways),
      abort() {
        for (const { open } of opened) open.destroy();
      },
    };
  }

  /** Ends all forwards with their connections. */
  close(): void {
    for (const { open } of this.#entries.values()) open.destroy();
    this.#entries.clear();
  }

  async #open(forward: Forward, ways: ForwardWays, side: Exit): Promise<Entry> {
    const state: ForwardState = { forward, ways, ...this.#options };
    try {
      return { state, side, open: await openForward(state) };
    } catch (error) {
      throw listenError(forward, error);
    }
  }

  #commit(next: Map<string, Entry>, forwards: readonly Forward[], ways: ForwardWays): void {
    const kept = new Set(next.values());
    for (const entry of this.#entries.values()) if (!kept.has(entry)) entry.open.close();
    for (const forward of forwards) {
      const { state, open } = next.get(keyOf(forward))!;
      state.forward = forward;
      state.ways = ways;
      open.refresh();
    }
    this.#entries = next;
  }
}

/** Forwards that listen at one place are the same forward, whatever they lead to. */
function keyOf({ direction, protocol, from, tunnel }: Forward): string {
  return JSON.stringify([direction, protocol, from, direction === 'remote' ? tunnel : undefined]);
}

function sideOf({ direction, tunnel }: Forward, ways: ForwardWays): Exit {
  return direction === 'local' ? ways.direct : ways.tunnel(tunnel);
}

function listenError(forward: Forward, error: unknown): unknown {
  if (error instanceof WireGuardError || !(error instanceof Error) || !('code' in error)) return error;
  return new WireGuardError('ERR_LISTEN', `the forward from ${formatListenAddress(forward.from)}: ${error.message}`, {
    cause: error,
  });
}
