import type { DeviceState, PeerState } from '../../control/device-control.js';
import { formatSet, parseSet } from '../../control/uapi-set-text.js';
import type { ZoneNames } from '../../control/zone-names.js';
import type { DeviceChange, PeerChange } from '../../core/configuration.js';
import type { SavedState } from './saved-state.js';

/** Zones by number: an interface that is gone must not keep the rest from being restored. */
const NUMBERED_ZONES: ZoneNames = { indexOf: (name) => Number(name) || undefined, nameOf: () => undefined };
/** Saving takes at most this part of the time: a device with thousands of peers may be set up in as many changes. */
const REST_PER_WORK = 20;
/** The state is saved at once if the last save took no longer than this. */
const QUICK_MS = 2;
/** The delay of saves for roaming, since thousands of peers may roam at once. */
const SLIGHT_DELAY_MS = 5_000;

/** Keeps the configuration of a tunnel for the next daemon, in case this one dies. */
export class StateKeeper {
  readonly #saved: SavedState;
  readonly #readState: () => DeviceState;
  #lastDurationMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(saved: SavedState, readState: () => DeviceState) {
    this.#saved = saved;
    this.#readState = readState;
  }

  /** Returns the configuration that the previous daemon left; the caller clears it. `undefined`: there was none. */
  restored(): DeviceChange | undefined {
    const text = this.#saved.read();
    if (text === undefined) return undefined;
    try {
      const change = parseSet(text, NUMBERED_ZONES);
      if ('errno' in change) throw new Error(`the saved state cannot be read: ${change.key} ${change.reason}`);
      return change;
    } finally {
      text.fill(0);
    }
  }

  /** Saves the state now, or soon if saving takes long. */
  changed(): void {
    if (this.#lastDurationMs <= QUICK_MS) this.save();
    else this.#timer ??= setTimeout(() => this.save(), REST_PER_WORK * this.#lastDurationMs).unref();
  }

  /** Saves the state within some seconds. */
  changedSlightly(): void {
    this.#timer ??= setTimeout(
      () => this.save(),
      Math.max(SLIGHT_DELAY_MS, REST_PER_WORK * this.#lastDurationMs),
    ).unref();
  }

  save(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const startMs = performance.now();
    const text = formatSet(toChange(this.#readState()), NUMBERED_ZONES);
    this.#saved.write(text);
    text.fill(0);
    this.#lastDurationMs = performance.now() - startMs;
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}

/** Returns the change that gives the state to an empty device. The keys belong to the device. */
function toChange({ privateKey, listenPort, fwmark, peers }: DeviceState): DeviceChange {
  const keys = privateKey === undefined ? {} : { privateKey };
  return { ...keys, listenPort, fwmark, replacePeers: true, peers: [...peers].map(toPeerChange) };
}

function toPeerChange(peer: PeerState): PeerChange {
  const { publicKey, presharedKey, endpoint, persistentKeepaliveSeconds } = peer;
  return {
    publicKey,
    presharedKey,
    ...(endpoint === undefined ? {} : { endpoint }),
    persistentKeepaliveSeconds,
    isRemoval: false,
    isUpdateOnly: false,
    replaceAllowedIps: true,
    allowedIps: [...peer.allowedIps].map((prefix) => ({ ...prefix, isRemoval: false })),
  };
}
