import { loadAddon } from '../../src/addon/load.js';
import { NativeAead } from '../../src/crypto/native-aead.js';
import { describeAead } from '../conformance/aead.js';

const addon = loadAddon();

describeAead('NativeAead', () => new NativeAead(addon));
