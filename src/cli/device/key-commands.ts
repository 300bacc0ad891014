import { WireGuardError } from '../../core/errors.js';
import type { Manual } from '../manual.js';
import { generateKey, writePublicKey } from '../wg/keys.js';
import { WgFailure } from '../wg/wg-context.js';
import { deviceCommand } from './device-command.js';

/** Behaves like `wg genkey`. */
export const genkey = deviceCommand({
  name: 'genkey',
  manual: keyManual('', 'Generates a private key and prints it.', [
    '(umask 077; wiretype genkey | tee private.key | wiretype pubkey > public.key)',
  ]),
  async runIn(context, args) {
    refuseWords('genkey', args);
    generateKey(context, 'private');
  },
});

/** Behaves like `wg genpsk`. */
export const genpsk = deviceCommand({
  name: 'genpsk',
  manual: keyManual(
    '',
    'Generates a preshared key, 32 random bytes that both peers mix into the handshake, and prints it.',
    ['(umask 077; wiretype genpsk > preshared.key)'],
  ),
  async runIn(context, args) {
    refuseWords('genpsk', args);
    generateKey(context, 'preshared');
  },
});

/** Behaves like `wg pubkey`. */
export const pubkey = deviceCommand({
  name: 'pubkey',
  manual: keyManual('< private.key', 'Reads a private key from standard input and prints its public key.', [
    'wiretype pubkey < private.key > public.key',
  ]),
  async runIn(context, args) {
    refuseWords('pubkey', args);
    await explainKey(() => writePublicKey(context));
  },
});

function keyManual(usage: string, about: string, examples: readonly string[]): Manual {
  return { usage, about, words: [], options: {}, examples };
}

function refuseWords(name: string, args: readonly string[]): void {
  if (args.length > 0) throw new WireGuardError('ERR_USAGE', `${name} takes no words`);
}

async function explainKey(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof WgFailure)) throw error;
    throw new WireGuardError('ERR_KEY_FORMAT', 'standard input: not a key', { cause: error });
  }
}
