import type { KernelWireguard } from '../../control/netlink/kernel-wireguard.js';
import type { CommandIo } from '../command.js';

/** The parts of the process that a command of `wg` needs, so that tests need no process. */
export interface WgIo extends CommandIo {
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The name that the program was called by, and its surroundings. */
export interface WgContext {
  readonly io: WgIo;
  /** The name that usage texts begin with. */
  readonly program: string;
  /**
   * The program was called as `wg`: every byte is that of wireguard-tools 1.0.20260223, traps included. Else the same
   * commands refuse values that cannot be meant, and explain themselves.
   */
  readonly isStock: boolean;
  /** The directory of the control sockets. */
  readonly socketDirectory: string;
  /** Returns the kernel's own WireGuard. @throws {WireGuardError} ERR_ADDON_MISSING */
  kernel(): Promise<KernelWireguard>;
  /** The folder of configuration files, for names of peers; absent: /etc/wireguard. */
  readonly configDirectory?: string;
  /** Milliseconds since 1970. */
  unixTimeMs(): number;
  /** Sleeps; ends early, without an error, when `interruption` is aborted. */
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
  /** The daemon returned the number; else the system did, on the way to the daemon. */
  readonly isDaemons: boolean;

  constructor(errno: number, message: string, options?: ErrorOptions & { readonly isDaemons?: boolean }) {
    super(message, options);
    this.errno = errno;
    this.isDaemons = options?.isDaemons ?? false;
  }
}
