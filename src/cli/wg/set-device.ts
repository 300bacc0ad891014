import { formatChange } from '../../control/uapi-change-text.js';
import { parseSetReply } from '../../control/uapi-reply.js';
import { askDaemon, toSystemFailure } from './device-access.js';
import type { WgChange } from './wg-change.js';
import { SystemFailure, type WgContext } from './wg-context.js';

/**
 * Changes a device: that of a daemon if one answers, else the kernel's. The keys in the change stay the caller's.
 *
 * @throws {SystemFailure} A stock `wg` negates the number that the daemon returned, so that a daemon
 *   that answers with a positive number shows "Unknown error".
 */
export async function setDevice(context: WgContext, name: string, change: WgChange): Promise<void> {
  const body = formatChange(change);
  try {
    const reply = await askDaemon(context, name, [Buffer.from('set=1\n'), body, Buffer.from('\n')]);
    if (reply === undefined) return await setKernelDevice(context, name, change);
    const said = readErrno(reply);
    if (said === 0) return;
    const errno = context.isStock ? -said | 0 : Math.abs(said);
    throw new SystemFailure(errno, `the daemon answers with errno ${said}`, { isDaemons: true });
  } finally {
    body.fill(0);
  }
}

async function setKernelDevice(context: WgContext, name: string, change: WgChange): Promise<void> {
  const { askKernel } = await import('./kernel-access.js');
  const { toDeviceChange } = await import('../../control/change-of-text.js');
  const { SystemZoneNames } = await import('../../control/zone-names.js');
  await askKernel(context, name, (kernel) => kernel.set(name, toDeviceChange(change, new SystemZoneNames())));
}

function readErrno(reply: Buffer): number {
  try {
    return parseSetReply(reply);
  } catch (error) {
    throw toSystemFailure(error);
  }
}
