import type { BindOptions } from 'node:dgram';

import { checkPort } from './connect-options.js';

export interface BindCall {
  readonly port: number;
  readonly address: string | undefined;
  readonly callback: (() => void) | undefined;
}

/** Reads the overloads of `dgram.Socket.bind`: (port?, address?, callback?) and (options, callback?). @throws {WireGuardError} ERR_SOCKET_ARGUMENT */
export function readBindArgs(args: readonly unknown[]): BindCall {
  const callback = args.find((word) => typeof word === 'function') as (() => void) | undefined;
  const [first, second] = args;
  if (typeof first === 'object' && first !== null) {
    const { port = 0, address } = first as BindOptions;
    return { port: checkPort(port, 0), address, callback };
  }
  const port = first === undefined || first === null || typeof first === 'function' ? 0 : first;
  return { port: checkPort(port, 0), address: typeof second === 'string' ? second : undefined, callback };
}
