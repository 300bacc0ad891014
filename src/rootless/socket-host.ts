import type { LookupAddress } from 'node:dns';
import type { StackLoop } from './stack-loop.js';

/** The parts of a tunnel that its sockets and servers need. */
export interface SocketHost {
  readonly loop: StackLoop;
  /** Finds all addresses of a name. */
  lookup(host: string): Promise<readonly LookupAddress[]>;
  /** Keeps the process alive for one more socket. */
  ref(): void;
  unref(): void;
}
