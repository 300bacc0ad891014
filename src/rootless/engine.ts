import type { Addon } from '../addon/interface.js';
import { AddonMissingError, loadAddon } from '../addon/load.js';
import { JsAead } from '../crypto/js-aead.js';
import { NativeAead } from '../crypto/native-aead.js';
import { nativeCrypto } from '../crypto/native-crypto.js';
import { NodeCrypto } from '../crypto/node-crypto.js';
import type { Clock } from '../host/clock.js';
import { DgramSocket } from '../host/dgram-socket.js';
import { NativeSegmenter } from '../host/native-segmenter.js';
import { NativeSocket } from '../host/native-socket.js';
import { SystemClock } from '../host/system-clock.js';
import type { OpenSocket, TunnelOptions } from '../host/tunnel.js';
import { JsSegmenter } from '../netstack/segments/js-segmenter.js';
import type { Segmenter } from '../netstack/segments/segmenter.js';

/** The parts that a tunnel is made from: those of the addon where it is loaded, else those of Node. */
export interface Engine {
  readonly clock: Clock;
  readonly segmenter: Segmenter;
  readonly parts: Pick<TunnelOptions, 'crypto' | 'aead' | 'openSocket' | 'clock'>;
}

export function createEngine(): Engine {
  const addon = findAddon();
  const clock = SystemClock.create(addon === undefined ? undefined : () => addon.bootTimeMs());
  const openSocket: OpenSocket =
    addon === undefined ? (port) => DgramSocket.open(port) : (port, mark) => NativeSocket.open(addon, port, { mark });
  const parts =
    addon === undefined
      ? { crypto: new NodeCrypto(), aead: new JsAead() }
      : { crypto: nativeCrypto(addon), aead: new NativeAead(addon) };
  const segmenter = addon === undefined ? new JsSegmenter() : new NativeSegmenter(addon);
  return { clock, segmenter, parts: { ...parts, openSocket, clock } };
}

/** Loads the addon, unless it is missing or `WIRETYPE_NO_ADDON=1` forbids it. */
export function findAddon(): Addon | undefined {
  if (process.env['WIRETYPE_NO_ADDON'] === '1') return undefined;
  try {
    return loadAddon();
  } catch (error) {
    if (error instanceof AddonMissingError) return undefined;
    throw error;
  }
}
