import { WireGuardError } from '../../core/errors.js';
import { type Keywords, type Manual, RUNNING } from '../manual.js';
import { readSetArguments } from '../wg/set-arguments.js';
import { setDevice } from '../wg/set-device.js';
import { clearChange, type WgChange } from '../wg/wg-change.js';
import { checkedValues } from './checked-values.js';
import { deviceCommand } from './device-command.js';
import { explained } from './explained.js';

const INTERFACE_KEYWORDS: Keywords = {
  'listen-port': { value: 'PORT', about: '0 to 65535; 0 lets the system choose' },
  fwmark: { value: 'MARK', about: 'a number, 0x and hexadecimal digits, or "off"', choices: ['off'] },
  'private-key': { value: 'FILE', about: 'a file with the key; /dev/null removes the key', kinds: ['file'] },
  peer: { value: 'KEY', about: 'the public key of the peer that the next words apply to', kinds: ['peer-key'] },
};

const PEER_KEYWORDS: Keywords = {
  remove: { about: 'removes the peer' },
  'preshared-key': { value: 'FILE', about: 'a file with the key; /dev/null removes the key', kinds: ['file'] },
  endpoint: { value: 'HOST:PORT', about: 'where the peer is reached' },
  'persistent-keepalive': { value: 'SECONDS', about: '1 to 65535, or "off"', choices: ['25', 'off'] },
  'allowed-ips': {
    value: 'LIST',
    about:
      'addresses separated by commas, which replace those of the peer; with "+" or "-" before each, added to ' +
      'or removed from those of the peer',
  },
};

const MANUAL: Manual = {
  usage: `INTERFACE [listen-port PORT] [fwmark MARK] [private-key FILE]
[peer KEY [remove] [preshared-key FILE] [endpoint HOST:PORT]
          [persistent-keepalive SECONDS] [allowed-ips LIST]]...`,
  about: 'Changes a running interface. Settings that are not named stay. A failed change leaves everything as it was.',
  words: [RUNNING],
  options: {},
  keywords: { interface: INTERFACE_KEYWORDS, peer: PEER_KEYWORDS },
  examples: [
    'wiretype set wg0 listen-port 51820 private-key /etc/wireguard/private.key',
    'wiretype set wg0 peer "$KEY" endpoint vpn.example.net:51820 allowed-ips 10.0.0.0/24',
    'wiretype set wg0 peer "$KEY" allowed-ips +10.0.1.0/24',
    'wiretype set wg0 peer "$KEY" remove',
  ],
};

/** Behaves like `wg set`, but refuses values that cannot be meant. */
export const set = deviceCommand({
  name: 'set',
  manual: MANUAL,

  async runIn(context, [name, ...words]) {
    if (name === undefined || words.length === 0) throw new WireGuardError('ERR_USAGE', 'nothing to set');

    const change: WgChange = { replacePeers: false, peers: [] };
    try {
      await explained(name, async () => {
        await readSetArguments(checkedValues(context), words, change);
        await setDevice(context, name, change);
      });
    } finally {
      clearChange(change);
    }
  },
});
