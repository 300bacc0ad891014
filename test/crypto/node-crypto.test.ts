import { Blake2s } from '../../src/crypto/blake2s.js';
import { NodeCrypto } from '../../src/crypto/node-crypto.js';
import { describeCrypto } from '../conformance/crypto.js';

describeCrypto('NodeCrypto', () => new NodeCrypto());
describeCrypto('NodeCrypto with BLAKE2s of noble', () => new NodeCrypto(new Blake2s(false)));
