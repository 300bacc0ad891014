import { stringify } from 'yaml';

import { formatKey } from '../../control/key-text.js';
import { WireGuardError } from '../../core/errors.js';
import { generateKeyPair } from '../../crypto/key-pair.js';
import type { NodeBody } from '../../server/operations/mesh-schemas.js';
import type { CommandIo } from '../command.js';
import { qrText } from '../gateway/actions.js';
import type { GatewayClient } from '../gateway/gateway-client.js';
import { formatJson } from '../json-text.js';
import { findNode, type MeshBody } from './mesh-body.js';
import { type StockBody, tellIntroductions } from './stock-body.js';

export interface ExportLine {
  readonly format: string;
  /** Name or id of a stock node, for its file. */
  readonly node: string | undefined;
  /** Members of an invitation in the export. */
  readonly invitation: object;
}

/** Writes the network, an invitation, or the file of a stock node, as other tools read it. */
export async function exportText(line: ExportLine, client: GatewayClient, io: CommandIo): Promise<string> {
  switch (line.format) {
    case 'json':
      return formatJson(await client.call<object>('GET', '/mesh'));
    case 'ansible-inventory':
      return inventory(await client.call<MeshBody>('GET', '/mesh'));
    case 'k8s-secret':
      return await secret(line, client);
    case 'wg-quick':
      return await stockFile(line, client, io);
    case 'qr':
      return await qrText(await stockFile(line, client, io), io);
    default:
      throw new WireGuardError(
        'ERR_VALUE',
        `--format ${line.format}: wg-quick, json, qr, k8s-secret or ansible-inventory is expected`,
      );
  }
}

/** Groups are the tags; a host is reached by its address in the network. */
function inventory({ name, nodes }: MeshBody): string {
  const hosts = (some: readonly NodeBody[]): object =>
    Object.fromEntries(some.map((node) => [node.name, { ansible_host: node.addresses[0], wiretype_id: node.id }]));
  const tags = [...new Set(nodes.flatMap((node) => node.tags))].sort();
  const groups = tags.map((tag) => [
    tag.replace(/-/g, '_'),
    { hosts: hosts(nodes.filter((node) => node.tags.includes(tag))) },
  ]);
  return stringify({
    all: { hosts: hosts(nodes), vars: { wiretype_network: name }, children: Object.fromEntries(groups) },
  });
}

/** An invitation as a Secret: the agents that mount it join by it. */
async function secret({ invitation }: ExportLine, client: GatewayClient): Promise<string> {
  const { name } = await client.call<MeshBody>('GET', '/mesh');
  const { text } = await client.call<{ text: string }>('POST', '/mesh/invitations', invitation);
  const metadata = { name: `wiretype-${name}`, labels: { 'app.kubernetes.io/name': 'wiretype' } };
  return stringify({ apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', stringData: { invitation: text } });
}

/** A key is kept nowhere: the file has a new one, which takes the place of the old one when it is used. */
async function stockFile({ node, format }: ExportLine, client: GatewayClient, io: CommandIo): Promise<string> {
  if (node === undefined) throw new WireGuardError('ERR_USAGE', `export --format ${format}: the node is missing`);
  const found = await findNode(node, client);
  const { publicKey, privateKey } = generateKeyPair();
  const made = await client.call<StockBody>('POST', `/mesh/nodes/${found.id}/file`, {
    publicKey: formatKey(publicKey),
  });
  tellIntroductions(made, io);
  const whole = made.file.replace('PrivateKey = ', `PrivateKey = ${formatKey(privateKey)}`);
  privateKey.fill(0);
  return whole;
}
