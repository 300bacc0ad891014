import { formatKey, parseKey } from '../../control/key-text.js';
import { generateKeyPair } from '../../crypto/key-pair.js';
import type { Tunnel } from '../../host/tunnel.js';
import type { AgentMessage } from '../map/messages.js';
import type { ProbeKeys } from '../probes/probe-keys.js';
import { fromBase64, keySignedBytes } from '../records/node-record.js';
import { SigningKey } from '../records/signing.js';
import type { StateKeeper } from './state-keeper.js';

const ROTATE_AFTER_MS = 90 * 86_400_000;

/** The WireGuard key of an agent, and the one that comes next. */
export class DeviceKey {
  readonly #keeper: StateKeeper;
  readonly #tunnel: Tunnel;
  readonly #probeKeys: ProbeKeys;

  constructor(keeper: StateKeeper, tunnel: Tunnel, probeKeys: ProbeKeys) {
    this.#keeper = keeper;
    this.#tunnel = tunnel;
    this.#probeKeys = probeKeys;
  }

  /** Whether the key is to be changed: it is old, or a change of it was begun. */
  isDue(nowUnixMs: number): boolean {
    const { keyMadeUnixMs, next } = this.#keeper.state;
    // Nobody knows the age of a key that a wrong clock dated into the future.
    return next !== undefined || Math.abs(nowUnixMs - keyMadeUnixMs) > ROTATE_AFTER_MS;
  }

  /** Makes the next key. @returns Its announcement, signed by the identity of the node. */
  next(): Extract<AgentMessage, { type: 'rotate' }> {
    const { id, networkId, identity, keySeq: present } = this.#keeper.state;
    const keys = generateKeyPair();
    const [publicKey, privateKey] = [formatKey(keys.publicKey), formatKey(keys.privateKey)];
    keys.privateKey.fill(0);
    const keySeq = present + 1;
    this.#keeper.change({ next: { privateKey, keySeq } });
    const signed = keySignedBytes(fromBase64(networkId), id, publicKey, keySeq);
    const signature = Buffer.from(SigningKey.fromPem(identity).sign(signed)).toString('base64');
    return { type: 'rotate', publicKey, keySeq, signature };
  }

  /** Gives the device the key, and at the start the port that it had. @throws {WireGuardError} Where the device refuses it. */
  async apply(): Promise<void> {
    const privateKey = parseKey(this.#keeper.state.privateKey, 'private key');
    this.#probeKeys.setPrivateKey(privateKey);
    const { listenPort } = this.#keeper.state;
    const change = { privateKey, replacePeers: false, peers: [] };
    const isPortWanted = listenPort !== 0 && this.#tunnel.state.listenPort !== listenPort;
    await this.#tunnel.apply(isPortWanted ? { ...change, listenPort } : change).catch(async (error) => {
      if (!isPortWanted || error.code !== 'ERR_PORT_IN_USE') throw error;
      await this.#tunnel.apply(change); // another port will do
    });
    privateKey.fill(0);
    this.#keeper.change({ listenPort: this.#tunnel.state.listenPort });
  }
}
