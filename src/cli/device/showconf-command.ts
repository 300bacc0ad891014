import { WireGuardError } from '../../core/errors.js';
import { RUNNING } from '../manual.js';
import { showconf as showStockConf } from '../wg/showconf.js';
import { deviceCommand } from './device-command.js';
import { explained } from './explained.js';

/** Behaves like `wg showconf`. */
export const showconf = deviceCommand({
  name: 'showconf',
  manual: {
    usage: 'INTERFACE',
    about: 'Prints a running interface as a configuration file for setconf, with its private key.',
    words: [RUNNING],
    options: {},
    examples: ['(umask 077; wiretype showconf wg0 > wg0.backup)'],
  },
  async runIn(context, args) {
    const [name, ...rest] = args;
    if (name === undefined || rest.length > 0) throw new WireGuardError('ERR_USAGE', 'showconf takes one interface');
    await explained(name, () => showStockConf(context, name));
  },
});
