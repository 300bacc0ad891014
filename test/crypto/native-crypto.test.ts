import { loadAddon } from '../../src/addon/load.js';
import { nativeCrypto } from '../../src/crypto/native-crypto.js';
import { describeCrypto } from '../conformance/crypto.js';

const addon = loadAddon();

describeCrypto('nativeCrypto', () => nativeCrypto(addon));
