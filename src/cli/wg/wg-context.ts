import type { KernelWireguard } from '../../control/netlink/kernel-wireguard.js';
import type { CommandIo } from '../command.js';

/** What a command of `wg` needs of the world, so that tests need no process. */
export interface WgIo extends CommandIo {
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** How the program was called, and where it looks. */
export interface WgContext {
  readonly io: WgIo;
  /** The name that usage texts begin with. */
  readonly program: string;
  /**
   * Called as `wg`: every byte as wireguard-tools 1.0.20260223 has it, traps included. Else the same
   * commands refuse what cannot be meant and explain themselves.
   */
  readonly isStock: boolean;
  /** The directory of the control sockets. */
  readonly socketDirectory: string;
  /** Interfaces of the kernel's own WireGuard. @throws {WireGuardError} ERR_ADDON_MISSING */
  kernel(): Promise<KernelWireguard>;
  /** The folder of configuration files, for names of peers; absent: /etc/wireguard. */
  readonly configDirectory?: string;
  /** Milliseconds since 1970. */
  unixTimeMs(): number;
  /** Ends early, without an error, when `interruption` is aborted. */
  sleep(ms: number, interruption?: AbortSignal): Promise<void>;
}

/** A command that ends with status 1 after these words, which are whole lines, on standard error. */
export class WgFailure extends Error {
  override readonly name = 'WgFailure';
  /** Ends the program at once: no line about the place of the failure follows. */
  readonly isWhole: boolean;

  constructor(message: string, options?: ErrorOptions & { readonly isWhole?: boolean }) {
    super(message, options);
    this.isWhole = options?.isWhole ?? false;
  }
}

/** A refusal, by its number on Linux. */
export class SystemFailure extends Error {
  override readonly name = 'SystemFailure';
  readonly errno: number;
  /** The daemon said the number; else the system did, on the way to the daemon. */
  readonly isDaemons: boolean;

  constructor(errno: number, message: string, options?: ErrorOptions & { readonly isDaemons?: boolean }) {
    super(message, options);
    this.errno = errno;
    this.isDaemons = options?.isDaemons ?? false;
  }
}
