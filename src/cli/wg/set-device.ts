import { exchange } from './device-access.js';
import { parseSetReply } from './device-reply.js';
import { formatWgChange, type WgChange } from './wg-change.js';
import { SystemFailure, type WgContext } from './wg-context.js';

/**
 * Has a daemon change its device. The keys in the change stay the caller's.
 *
 * @throws {SystemFailure} Of a stock `wg` the number is the negative of what the daemon said, so that a daemon
 *   that answers with a positive number shows "Unknown error".
 */
export async function setDevice(context: WgContext, name: string, change: WgChange): Promise<void> {
  const body = formatWgChange(change);
  try {
    const said = parseSetReply(await exchange(context, name, [Buffer.from('set=1\n'), body, Buffer.from('\n')]));
    if (said === 0) return;
    const errno = context.isStock ? -said : Math.abs(said);
    throw new SystemFailure(errno, `the daemon answers with errno ${said}`, { isDaemons: true });
  } finally {
    body.fill(0);
  }
}
