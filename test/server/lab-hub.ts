import { generateKeyPair } from '../../src/crypto/key-pair.js';
import { NodeCrypto } from '../../src/crypto/node-crypto.js';
import { SystemClock } from '../../src/host/system-clock.js';
import { MeshHub } from '../../src/mesh/hub/mesh-hub.js';
import { SIGNING_KEY } from './server-lab.js';

/** A hub for a gateway of the laboratory. */
export function labHub(): MeshHub {
  const { privateKey } = generateKeyPair();
  return new MeshHub({
    crypto: new NodeCrypto(),
    clock: SystemClock.create(),
    privateKey,
    readSigningKey: () => SIGNING_KEY,
  });
}
