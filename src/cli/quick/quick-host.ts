import type { DeviceClient } from '../../control/device-client.js';
import type { Commands } from '../../host/net/commands.js';
import type { DnsBackend } from '../../host/net/dns/dns-settings.js';
import type { TunnelRecords } from '../../host/net/tunnel-record.js';

/** What the commands `up`, `down`, `save`, `strip` and `reload` work on. */
export interface QuickHost {
  readonly commands: Commands;
  readonly dnsBackends: readonly DnsBackend[];
  readonly records: TunnelRecords;
  /** Aborts when the user has had enough: Ctrl-C, or the end of the system. */
  readonly interruption: AbortSignal;

  /** The device behind an interface. */
  device(interfaceName: string): DeviceClient;

  /**
   * Runs a program that takes over the terminal while it runs, and waits for its end. A process that it leaves in
   * the background is not waited for. An interruption is passed on to it.
   *
   * @returns Its exit status, 128 + N after signal N, 127 if there is no such program.
   */
  runAttached(words: readonly string[], environment?: Readonly<Record<string, string>>): Promise<number>;
}
