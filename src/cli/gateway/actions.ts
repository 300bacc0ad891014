import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { formatKey } from '../../control/key-text.js';
import { WireGuardError } from '../../core/errors.js';
import { generateKeyPair } from '../../crypto/key-pair.js';
import type { ConfigBody } from '../../server/operations/config-operations.js';
import type { DeviceBody } from '../../server/operations/device-schemas.js';
import type { CommandIo } from '../command.js';
import { formatJson } from '../json-text.js';
import { drawQrCode } from '../setup/drawn-qr-code.js';
import { encodeQrCode } from '../setup/qr-code.js';
import { conditionText, deviceTable, reasonSentence } from './device-text.js';
import type { GatewayClient } from './gateway-client.js';
import { parseAmount } from './gateway-options.js';

const DAY_MS = 86_400_000;
const BITS_PER_MBIT = 1_000_000;
const BYTES_PER_GB = 1_000_000_000;
const MAX_INPUT_BYTES = 256 * 1024 ** 2;

/** The words and options of an action. */
export interface ActionLine {
  /** The words behind the name of the action. */
  readonly words: readonly string[];
  readonly values: {
    readonly json?: boolean | undefined;
    readonly tag?: string[] | undefined;
    readonly expires?: string | undefined;
    readonly 'public-key'?: string | undefined;
    readonly up?: string | undefined;
    readonly down?: string | undefined;
    readonly quota?: string | undefined;
    readonly output?: string | undefined;
    readonly scope?: string[] | undefined;
    readonly 'dry-run'?: boolean | undefined;
  };
}

export interface ActionContext {
  readonly client: GatewayClient;
  readonly io: CommandIo;
}

type Action = (line: ActionLine, context: ActionContext) => Promise<void>;

/** Everything that can be done with a gateway that runs, by name. */
export const ACTIONS: Readonly<Record<string, Action>> = {
  list: async ({ values }, { client, io }) => {
    const { devices, nowUnixMs } = await client.call<{ devices: DeviceBody[]; nowUnixMs: number }>('GET', '/devices');
    io.write(values.json === true ? formatJson(devices) : deviceTable(devices, nowUnixMs));
  },

  add: async (line, context) => {
    const { values } = line;
    const keys = values['public-key'] === undefined ? generateKeyPair() : undefined;
    const days = values.expires === undefined ? undefined : parseAmount('expires', values.expires);
    const device = await context.client.call<DeviceBody & { file: string }>('POST', '/devices', {
      name: line.words[0],
      publicKey: keys === undefined ? values['public-key'] : formatKey(keys.publicKey),
      tags: values.tag ?? [],
      ...(days === undefined ? {} : { expiresAtUnixMs: Date.now() + days * DAY_MS }),
    });
    await deliverFile(device, keys?.privateKey, line, context);
  },

  // A key is kept nowhere: showing a code again means to make a new key.
  qr: async (line, context) => {
    const { id } = await find(line.words[0]!, context.client);
    const keys = generateKeyPair();
    const body = { publicKey: formatKey(keys.publicKey) };
    const device = await context.client.call<DeviceBody & { file: string }>('POST', `/devices/${id}/reissue`, body);
    context.io.writeError('The code has a new key. The old one goes on working until the new one is used.\n');
    await deliverFile(device, keys.privateKey, line, context);
  },

  remove: (line, context) =>
    change(line, context, 'DELETE', '', (name) => `Removed ${name}. It can be restored for seven days.`),
  block: (line, context) => change(line, context, 'POST', '/block', (name) => `Blocked ${name}.`),
  unblock: (line, context) => change(line, context, 'POST', '/unblock', (name) => `Unblocked ${name}.`),

  limit: async (line, context) => {
    const device = await find(line.words[0]!, context.client);
    const limits = { ...device.limits };
    setLimit(limits, 'upBitsPerSecond', 'up', line.values.up, BITS_PER_MBIT);
    setLimit(limits, 'downBitsPerSecond', 'down', line.values.down, BITS_PER_MBIT);
    setLimit(limits, 'quotaBytes', 'quota', line.values.quota, BYTES_PER_GB);
    const changed = await context.client.call<DeviceBody>('PATCH', `/devices/${device.id}`, { limits });
    if (line.values.json === true) context.io.write(formatJson(changed));
    else context.io.writeError(`Changed the limits of ${device.name}.\n`);
  },

  allow: async (line, context) => {
    const [name, target] = line.words;
    const device = name === 'everyone' ? undefined : await find(name!, context.client);
    const [, prefix, port] = /^(.+?)(?::(\d+))?$/.exec(target!) ?? [];
    const { rules } = await context.client.call<{ rules: object[] }>('GET', '/rules');
    const rule = {
      action: 'allow',
      from: device === undefined ? { kind: 'everyone' } : { kind: 'device', device: device.id },
      to: { kind: 'prefix', prefix },
      ...(port === undefined ? {} : { protocol: 'tcp', ports: { first: Number(port), last: Number(port) } }),
    };
    await context.client.call('PUT', '/rules', { rules: [...rules, rule] });
    context.io.writeError(`Allowed ${name} to reach ${target}.\n`);
  },

  status: async ({ values }, { client, io }) => {
    const status = await client.call<
      Record<string, unknown> & { deviceCounts: Record<string, number>; endpoint: string }
    >('GET', '/status');
    if (values.json === true) return void io.write(formatJson(status));
    const counts = Object.entries(status.deviceCounts).filter(([, count]) => count > 0);
    const devices = counts.map(
      ([condition, count]) => `${count} ${conditionText({ condition: condition as DeviceBody['condition'] })}`,
    );
    io.write(`Endpoint: ${status.endpoint}\nDevices:  ${devices.join(', ') || 'none'}\n`);
  },

  token: async ({ words, values }, { client, io }) => {
    const body = { name: words[0], scopes: values.scope ?? ['devices:read'] };
    const made = await client.call<{ id: string; token: string }>('POST', '/tokens', body);
    io.write(values.json === true ? formatJson(made) : `${made.token}\n`);
  },

  backup: async ({ words, values }, { client, io }) => {
    const path = resolve(words[0] ?? values.output ?? `wiretype-gateway-${new Date().toISOString().slice(0, 10)}.db`);
    await client.call('POST', '/backup', { path });
    io.writeError(`Wrote ${path}. It has the keys of no device, and the preshared keys.\n`);
  },

  apply: async ({ words, values }, { client, io }) => {
    const { applyFile } = await import('./apply-file.js');
    const [path = '-'] = words;
    await applyFile({ path, isDryRun: values['dry-run'] === true, isJson: values.json === true }, client, io);
  },

  export: async ({ values }, { client, io }) => {
    const { configText } = await import('./config-file.js');
    const config = await client.call<ConfigBody>('GET', '/config');
    const text = values.json === true ? formatJson(config) : configText(config);
    if (values.output === undefined) return void io.write(text);
    writeFileSync(values.output, text, { mode: 0o600, flag: 'wx' });
    io.writeError(`Wrote ${values.output}.\n`);
  },

  call: async ({ words }, { client, io }) => {
    const [method, path, body] = words;
    if (!path!.startsWith('/')) throw new WireGuardError('ERR_VALUE', `call: ${path} is no path, as in /devices`);
    const json = body === '-' ? Buffer.from(await io.readInput(MAX_INPUT_BYTES)).toString('utf8') : body;
    const input = json === undefined ? undefined : parseJson(json);
    io.write(formatJson(await client.call<object>(method!.toUpperCase(), path!, input)));
  },

  passwd: async ({ words }, { client, io }) => {
    const { people } = await client.call<{ people: { id: string; name: string }[] }>('GET', '/people');
    const person = people.find(({ name }) => name.toLowerCase() === words[0]!.toLowerCase());
    if (person === undefined) throw new WireGuardError('ERR_VALUE', `there is no person named ${words[0]}`);
    const { link } = await client.call<{ link: string }>('POST', `/people/${person.id}/recovery`, {});
    io.write(`#/link/${link}\n`);
    io.writeError('Put this behind the address of the page. It sets a new password, once, within a day.\n');
  },

  watch: async ({ values }, { client, io }) => {
    const seen = new Map<string, string>();
    await client.watch((event, data) => {
      if (values.json === true) io.write(`${JSON.stringify({ event, data })}\n`);
      else if (event === 'device-changed') writeChange(data as DeviceBody, seen, io);
    }, io.interruption());
  },
};

/** The least and the greatest number of words of each action, besides its name. */
export const ACTION_WORDS: Readonly<Record<string, readonly [number, number]>> = {
  list: [0, 0],
  add: [1, 1],
  qr: [1, 1],
  remove: [1, 1],
  block: [1, 1],
  unblock: [1, 1],
  limit: [1, 1],
  allow: [2, 2],
  status: [0, 0],
  token: [1, 1],
  backup: [0, 1],
  apply: [1, 1],
  export: [0, 0],
  call: [2, 3],
  passwd: [1, 1],
  watch: [0, 0],
};

/** @throws {WireGuardError} ERR_NO_DEVICE */
async function find(nameOrId: string, client: GatewayClient): Promise<DeviceBody> {
  const { devices } = await client.call<{ devices: DeviceBody[] }>('GET', '/devices');
  const device = devices.find(({ id, name }) => id === nameOrId || name.toLowerCase() === nameOrId.toLowerCase());
  if (device === undefined) throw new WireGuardError('ERR_NO_DEVICE', `there is no device named ${nameOrId}`);
  return device;
}

async function change(
  { words, values }: ActionLine,
  { client, io }: ActionContext,
  method: string,
  path: string,
  sentence: (name: string) => string,
): Promise<void> {
  const { id, name } = await find(words[0]!, client);
  const changed = await client.call<object>(method, `/devices/${id}${path}`, method === 'POST' ? {} : undefined);
  if (values.json === true) io.write(formatJson(changed));
  else io.writeError(`${sentence(name)}\n`);
}

/** Hands the file over, complete, to a file or a terminal; the private key is cleared after that. */
async function deliverFile(
  device: DeviceBody & { file: string },
  privateKey: Uint8Array | undefined,
  { values }: ActionLine,
  { io }: ActionContext,
): Promise<void> {
  const file =
    privateKey === undefined
      ? device.file
      : device.file.replace('PrivateKey = ', `PrivateKey = ${formatKey(privateKey)}`);
  privateKey?.fill(0);
  if (values.output !== undefined) {
    writeFileSync(values.output, file, { mode: 0o600, flag: 'wx' });
    io.writeError(`Wrote ${values.output} for ${device.name}.\n`);
  } else if (values.json === true) io.write(formatJson({ ...device, file }));
  else if (io.columns === undefined) io.write(file);
  else io.write(await qrText(file, io));
}

/** Draws the QR code of a file. */
export async function qrText(file: string, io: CommandIo): Promise<string> {
  const terminal = { isColoured: io.columns !== undefined && io.isDumb !== true, columns: io.columns };
  return drawQrCode(await encodeQrCode(file), terminal);
}

function parseJson(text: string): object {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new WireGuardError('ERR_VALUE', `call: the body is no JSON: ${(cause as Error).message}`, { cause });
  }
}

function setLimit(
  limits: Record<string, number | undefined>,
  name: string,
  option: string,
  text: string | undefined,
  unit: number,
): void {
  if (text === undefined) return;
  const amount = parseAmount(option, text);
  if (amount === 0) delete limits[name];
  else limits[name] = Math.round(amount * unit);
}

function writeChange(device: DeviceBody, seen: Map<string, string>, io: CommandIo): void {
  if (seen.get(device.id) === device.condition) return;
  seen.set(device.id, device.condition);
  const reason = reasonSentence(device);
  io.write(
    `${new Date().toISOString().slice(11, 19)} ${device.name}: ${conditionText(device)}${reason === '' ? '' : ` (${reason})`}\n`,
  );
}
