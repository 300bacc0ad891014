import type { DeviceClient } from '../../control/device-client.js';
import type { Commands } from '../../host/net/commands.js';
import type { DnsBackend } from '../../host/net/dns/dns-settings.js';
import type { TunnelRecords } from '../../host/net/tunnel-record.js';

/** The host that the commands `up`, `down`, `save`, `strip` and `reload` work on. */
export interface QuickHost {
  readonly commands: Commands;
  readonly dnsBackends: readonly DnsBackend[];
  readonly records: TunnelRecords;
  /** Aborts on Ctrl-C, or when the system shuts down. */
  readonly interruption: AbortSignal;

  /** Returns the device behind an interface. */
  device(interfaceName: string): DeviceClient;

  /**
   * Runs a program that takes over the terminal while it runs, and waits for its end. A process that the program leaves
   * in the background is not waited for. An interruption is passed on to the program.
   *
   * @returns Its exit status, 128 + N after signal N, 127 if there is no such program.
   */
  runAttached(words: readonly string[], environment?: Readonly<Record<string, string>>): Promise<number>;
}
