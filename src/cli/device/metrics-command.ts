import { WireGuardError } from '../../core/errors.js';
import { type Manual, RUNNING } from '../manual.js';
import { listInterfaces } from '../wg/device-access.js';
import { getDevice } from '../wg/get-device.js';
import type { WgContext } from '../wg/wg-context.js';
import { clearDevice, type WgDevice } from '../wg/wg-device.js';
import { parseOptions } from './command-options.js';
import { deviceCommand } from './device-command.js';
import { deviceMetrics, type InterfaceReading } from './device-metrics.js';
import { dropReader } from './drop-reader.js';
import { explained } from './explained.js';
import { formatExposition } from './exposition-text.js';
import { isLoopback, parseListenAddress, serveMetrics } from './metrics-server.js';
import { CONFIG_FOLDER, readPeerNames } from './peer-names.js';

const OPTIONS = {
  listen: {
    type: 'string',
    value: '[ADDRESS:]PORT',
    about: 'serve the metrics at http://ADDRESS:PORT/metrics until Ctrl-C; without ADDRESS at 127.0.0.1',
    choices: ['9586', '127.0.0.1:9586'],
  },
} as const;

const MANUAL: Manual = {
  usage: '[INTERFACE] [--listen [ADDRESS:]PORT]',
  about: `
Writes the counters of an interface, or of all that run, as Prometheus reads them: bytes, last handshake, online or not,
and with wiretyped, packets that were dropped, by reason. Peers have their names as labels. With --listen they are served
over HTTP, without a password: anyone who can reach the address can read them.
`,
  words: [{ ...RUNNING, about: 'default: all running interfaces' }],
  options: OPTIONS,
  notes: `
Names come from the comments in ${CONFIG_FOLDER}/INTERFACE.conf. wireguard_sent_bytes_total,
wireguard_received_bytes_total and wireguard_latest_handshake_seconds have the labels of prometheus_wireguard_exporter.
docs/metrics.md has recipes for Prometheus, node_exporter and Grafana.
`,
  examples: ['wiretype metrics wg0', 'wiretype metrics --listen 9586'],
};

/** Writes or serves counters for Prometheus. */
export const metrics = deviceCommand({
  name: 'metrics',
  manual: MANUAL,

  async runIn(context, args) {
    const { positionals, values } = parseOptions(args, OPTIONS, [0, 1], MANUAL.words);
    const [name] = positionals;
    if (values.listen === undefined) {
      const names = name === undefined ? await listInterfaces(context) : [name];
      context.io.write(await readAll(context, names, (interfaceName) => readDevice(context, interfaceName)));
      return;
    }
    const address = parseListenAddress(values.listen);
    const read = async () => {
      const names = name === undefined ? await listInterfaces(context) : [name];
      return await readAll(context, names, (interfaceName) => tryDevice(context, interfaceName));
    };
    await serveMetrics(address, read, context.io.interruption(), (url) => {
      context.io.writeError(`Serving metrics at ${url}\n`);
      if (!isLoopback(address.host)) {
        context.io.writeError(
          `Anyone who can reach ${address.host} can read them: keys, names and addresses of peers.\n`,
        );
      }
    });
  },
});

async function readAll(
  context: WgContext,
  names: readonly string[],
  read: (name: string) => Promise<WgDevice | undefined>,
): Promise<string> {
  const readings: InterfaceReading[] = [];
  for (const name of names) {
    const device = await read(name);
    const explanation = device === undefined ? undefined : await dropReader(context, name)();
    readings.push({ name, device, explanation, names: await readPeerNames(name, context.configDirectory) });
  }
  return formatExposition(deviceMetrics(readings, context.unixTimeMs()));
}

/** @returns The device without its secret keys. @throws {WireGuardError} The errors of `explained`. */
async function readDevice(context: WgContext, name: string): Promise<WgDevice> {
  const device = await explained(name, () => getDevice(context, name));
  clearDevice(device);
  return device;
}

/** Reads a device, which may come and go while metrics are served. */
async function tryDevice(context: WgContext, name: string): Promise<WgDevice | undefined> {
  try {
    return await readDevice(context, name);
  } catch (error) {
    if (error instanceof WireGuardError) return undefined;
    throw error;
  }
}
