import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import path from 'node:path';

import type { DeviceClient } from '../../control/device-client.js';
import { WireGuardError } from '../../core/errors.js';
import { COMMAND_MISSING_STATUS, type Commands, SystemCommands, searchPathOf } from '../../host/net/commands.js';
import { systemDnsBackends } from '../../host/net/dns/dns.js';
import type { DnsBackend } from '../../host/net/dns/dns-settings.js';
import { TunnelRecords } from '../../host/net/tunnel-record.js';
import { attachedStdio } from '../attached-stdio.js';
import { SystemDevice } from '../system-device.js';
import type { QuickHost } from './quick-host.js';

/** The machine that the program runs on. */
export class SystemQuickHost implements QuickHost {
  readonly commands: Commands;
  readonly dnsBackends: readonly DnsBackend[];
  readonly records = new TunnelRecords();
  readonly interruption: AbortSignal;

  constructor(writeError: (text: string) => void, interruption: AbortSignal) {
    this.commands = new SystemCommands(writeError);
    this.dnsBackends = systemDnsBackends(this.commands);
    this.interruption = interruption;
  }

  device(interfaceName: string): DeviceClient {
    return new SystemDevice(interfaceName);
  }

  async runAttached(words: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<number> {
    const [program, ...args] = words;
    const env = { ...process.env, PATH: searchPath(), LC_ALL: 'C', ...environment };
    const stdio = [...(await attachedStdio())];
    return await new Promise((resolve, reject) => {
      const child = spawn(program!, args, { env, stdio });
      const interrupt = (): void => void child.kill('SIGTERM');
      this.interruption.addEventListener('abort', interrupt);
      child.once('exit', (status, signal) => {
        this.interruption.removeEventListener('abort', interrupt);
        resolve(status ?? 128 + constants.signals[signal!]);
      });
      child.once('error', (error: NodeJS.ErrnoException) => {
        this.interruption.removeEventListener('abort', interrupt);
        if (error.code === 'ENOENT') resolve(COMMAND_MISSING_STATUS);
        else reject(new WireGuardError('ERR_COMMAND_FAILED', `${program}: ${error.message}`, { cause: error }));
      });
    });
  }
}

/** Returns a PATH by which the user's commands find programs beside ours, such as a link named wg. */
function searchPath(): string {
  const own = path.dirname(process.argv[1] ?? '');
  return [own, searchPathOf(process.env)].filter((part) => part !== '').join(path.delimiter);
}
