import { writeFileSync } from 'node:fs';

import { formatKey, parseKey } from '../../control/key-text.js';
import { WireGuardError } from '../../core/errors.js';
import { generateKeyPair } from '../../crypto/key-pair.js';
import type { SignedFields } from '../../gateway/mesh-model.js';
import { fromBase64, networkSignedBytes } from '../../mesh/records/node-record.js';
import type { NodeBody } from '../../server/operations/mesh-schemas.js';
import type { CommandIo } from '../command.js';
import { qrText } from '../gateway/actions.js';
import { GatewayClient } from '../gateway/gateway-client.js';
import { socketPath } from '../gateway/gateway-folder.js';
import { parseAmount } from '../gateway/gateway-options.js';
import { formatJson } from '../json-text.js';
import { exportText } from './export-text.js';
import { findNode, type MeshBody } from './mesh-body.js';
import { hubFolder } from './mesh-folder.js';
import type { MeshAction, MeshLine } from './node-actions.js';
import { nodesText } from './nodes-text.js';
import { readSigningKey } from './run-hub.js';
import { type StockBody, tellIntroductions } from './stock-body.js';

const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 365;
/** Takes the approval of all routes back. */
const NOTHING = 'none';

/** The actions of the administrator on the host of the hub, by name. */
export const HUB_ACTIONS: Readonly<Record<string, MeshAction>> = {
  invite: async ({ values }, io) => {
    const made = await hub(values).call<{ text: string; expiresAtUnixMs: number }>(
      'POST',
      '/mesh/invitations',
      invitationOf(values),
    );
    if (values.json === true) return void io.write(formatJson(made));
    io.write(`${made.text}\n`);
    io.writeError(
      `Whoever has this text can join until ${new Date(made.expiresAtUnixMs).toISOString().slice(0, 16)}Z.\n`,
    );
  },

  nodes: async ({ values }, io) => {
    const { nodes } = await hub(values).call<MeshBody>('GET', '/mesh');
    io.write(values.json === true ? formatJson(nodes) : nodesText(nodes));
  },

  revoke: async (line, io) => {
    const node = await find(line);
    await hub(line.values).call('DELETE', `/devices/${node.id}`);
    io.writeError(`Revoked ${node.name}: every node that is connected has dropped its keys.\n`);
  },

  approve: async (line, io) => {
    const node = await find(line);
    const [, ...chosen] = line.words;
    const offered = [...node.routes, ...node.offeredRoutes];
    const routes = chosen.length === 0 ? offered : chosen.filter((word) => word !== NOTHING);
    await hub(line.values).call('PUT', `/mesh/nodes/${node.id}/routes`, { routes });
    io.writeError(`${node.name} leads to ${routes.join(', ') || 'nothing'} now.\n`);
  },

  explain: async (line, io) => {
    const node = await find(line);
    const found = await hub(line.values).call<{ pairs: { sentence: string }[] }>(
      'GET',
      `/mesh/nodes/${node.id}/explain`,
    );
    if (line.values.json === true) return void io.write(formatJson(found));
    io.write(`${node.name} is ${node.state}${node.observed === undefined ? '' : ` at ${node.observed}`}.\n`);
    if (node.hasSharedKey) io.write(`Two hosts use its key: revoke ${node.name}, and let each host join by itself.\n`);
    for (const { sentence } of found.pairs) io.write(`${sentence}\n`);
  },

  'add-device': async (line, io) => {
    const { values, words } = line;
    const keys = values['public-key'] === undefined ? generateKeyPair() : undefined;
    const made = await hub(values).call<StockBody>('POST', '/mesh/nodes', {
      name: need(words[0], 'add-device: the name'),
      publicKey:
        keys === undefined ? formatKey(parseKey(values['public-key']!, '--public-key')) : formatKey(keys.publicKey),
      tags: values.tag ?? [],
      with: await idsOf(values.with ?? [], values),
      isHubExit: values['hub-exit'] === true,
      ...(values.endpoint === undefined ? {} : { endpoint: values.endpoint }),
    });
    await deliver(made, keys?.privateKey, line, io);
  },

  sign: async ({ values }, io) => {
    const client = hub(values);
    const { networkId, nodes } = await client.call<{ networkId: string; nodes: Unsigned[] }>('GET', '/mesh/unsigned');
    if (nodes.length === 0) return void io.writeError('Every node is signed.\n');
    const { name } = await client.call<MeshBody>('GET', '/mesh');
    const key = readSigningKey(values['signing-key'] ?? `${name}-signing.key`);
    const days = values.days === undefined ? DEFAULT_DAYS : parseAmount('days', values.days);
    const signatures = nodes.map(({ id, serial, ...fields }) => {
      const signed = { ...fields, notAfterUnixMs: Date.now() + days * DAY_MS, serial: serial + 1 };
      const signature = Buffer.from(key.sign(networkSignedBytes(fromBase64(networkId), id, signed))).toString('base64');
      return { id, notAfterUnixMs: signed.notAfterUnixMs, serial: signed.serial, signature };
    });
    for (const node of nodes)
      io.write(
        `${node.name}: ${node.addresses.join(', ')}${node.tags.length === 0 ? '' : `; tags ${node.tags.join(', ')}`}\n`,
      );
    await client.call('POST', '/mesh/signatures', { signatures });
    io.writeError(`Signed ${nodes.length === 1 ? 'one node' : `${nodes.length} nodes`} for ${days} days.\n`);
  },

  export: async (line, io) => {
    const { values } = line;
    const client = hub(values);
    const text = await exportText(
      { format: values.format ?? 'json', node: line.words[0], invitation: invitationOf(values) },
      client,
      io,
    );
    if (values.output === undefined) return void io.write(text);
    writeFileSync(values.output, text, { mode: 0o600, flag: 'wx' });
    io.writeError(`Wrote ${values.output}.\n`);
  },
};

type Unsigned = Omit<SignedFields, 'signature' | 'notAfterUnixMs'> & { readonly id: string };

function hub({ state }: MeshLine['values']): GatewayClient {
  return new GatewayClient(socketPath(hubFolder(state, process.env)), 'hub');
}

function invitationOf(values: MeshLine['values']): object {
  const { name, tag, uses, ephemeral, minutes } = values;
  return {
    ...(name === undefined ? {} : { name }),
    ...(tag === undefined ? {} : { tags: tag }),
    ...(uses === undefined ? {} : { uses: parseAmount('uses', uses) }),
    ...(ephemeral === undefined ? {} : { ephemeralMinutes: parseAmount('ephemeral', ephemeral) }),
    ...(minutes === undefined ? {} : { minutes: parseAmount('minutes', minutes) }),
  };
}

/** @throws {WireGuardError} ERR_NO_DEVICE */
async function find({ words, values }: MeshLine): Promise<NodeBody> {
  return await findNode(need(words[0], 'the node'), hub(values));
}

/** @throws {WireGuardError} ERR_NO_DEVICE */
async function idsOf(names: readonly string[], values: MeshLine['values']): Promise<string[]> {
  const nodes = await Promise.all(names.map((name) => findNode(name, hub(values))));
  return nodes.map(({ id }) => id);
}

function need(word: string | undefined, what: string): string {
  if (word === undefined) throw new WireGuardError('ERR_USAGE', `${what} is missing`);
  return word;
}

/** Hands the file of a stock node over, complete; the private key is kept nowhere. */
async function deliver(
  made: StockBody,
  privateKey: Uint8Array | undefined,
  { values }: MeshLine,
  io: CommandIo,
): Promise<void> {
  const { node, file, introductions } = made;
  const whole =
    privateKey === undefined ? file : file.replace('PrivateKey = ', `PrivateKey = ${formatKey(privateKey)}`);
  privateKey?.fill(0);
  if (values.output !== undefined) {
    writeFileSync(values.output, whole, { mode: 0o600, flag: 'wx' });
    io.writeError(`Wrote ${values.output} for ${node.name}.\n`);
  } else if (values.json === true) return void io.write(formatJson({ ...node, file: whole, introductions }));
  else if (values.qr === true || io.columns !== undefined) io.write(await qrText(whole, io));
  else io.write(whole);
  tellIntroductions(made, io);
}
