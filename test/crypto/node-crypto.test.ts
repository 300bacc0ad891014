import { NodeCrypto } from '../../src/crypto/node-crypto.js';
import { describeCrypto } from '../conformance/crypto.js';

describeCrypto('NodeCrypto', () => new NodeCrypto());
