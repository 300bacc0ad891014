import { JsAead } from '../../src/crypto/js-aead.js';
import { describeAead } from '../conformance/aead.js';

describeAead('JsAead', () => new JsAead());
