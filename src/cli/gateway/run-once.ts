import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { formatKey } from '../../control/key-text.js';
import { generateKeyPair } from '../../crypto/key-pair.js';
import { GATEWAY_NAME } from '../../gateway/engine/open-gateway-engine.js';
import type { ProofStep } from '../../gateway/gateway-service.js';
import type { RunningGateway } from '../../gateway/service/running-gateway.js';
import { openTunnel } from '../../rootless/open-tunnel.js';
import type { CommandIo } from '../command.js';
import { type GatewayRun, runGateway } from './run-gateway.js';

const PATIENCE_MS = 10_000;
const STEPS: Readonly<Partial<Record<ProofStep, string>>> = {
  handshake: 'the keys fit',
  'first-packet': 'its first packet came',
};

/**
 * Shows a gateway once: starts it in a folder of its own, connects a device that lives in this program, by the file that the
 * gateway made for it, and says what happened.
 *
 * @param run Without a folder, a temporary one is used, and removed.
 */
export async function runOnce(
  run: Omit<GatewayRun, 'folder' | 'onReady'> & { readonly folder?: string },
  io: CommandIo,
): Promise<number> {
  const folder = run.folder ?? mkdtempSync(join(tmpdir(), 'wiretype-gateway-'));
  try {
    return await runGateway({ ...run, folder, onReady: ({ gateway }) => show(gateway, io) }, io);
  } finally {
    if (run.folder === undefined) rmSync(folder, { recursive: true, force: true });
  }
}

async function show(gateway: RunningGateway, io: CommandIo): Promise<void> {
  const say = (line: string): void => io.write(`${line}\n`);
  const { publicKey, privateKey } = generateKeyPair();
  const name = `trial ${Date.now()}`;
  const { device } = await gateway.addDevice({ name, publicKey: formatKey(publicKey) }, 'gateway');
  const { listenPort } = gateway.status();
  const file = gateway
    .deviceFile(device.id, formatKey(privateKey))
    .replace(/^Endpoint = .*$/m, `Endpoint = 127.0.0.1:${listenPort}`);
  privateKey.fill(0);
  say('A device of this program connects by the file that the gateway made for it:');
  try {
    await using tunnel = await openTunnel(file);
    const [address] = await tunnel.resolver.resolve4(GATEWAY_NAME);
    say(`  it resolved ${GATEWAY_NAME} as ${address}`);
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const answer = await fetch(`http://${GATEWAY_NAME}/api/v1/session`, {
      dispatcher: tunnel.dispatcher,
      signal,
    } as RequestInit);
    const { device: seen } = (await answer.json()) as { device: { name: string } };
    say(`  it opened the page inside of the tunnel, which knows it as "${seen.name}"`);
    const view = gateway.device(device.id)!;
    for (const [step, sentence] of Object.entries(STEPS))
      if (view.proof[step as ProofStep] !== undefined) say(`  ${sentence}`);
    say(
      `The gateway has it as ${view.condition}, with ${view.receivedBytes} bytes from it and ${view.sentBytes} to it.`,
    );
  } finally {
    await gateway.deleteDevice(device.id, 'gateway');
  }
  say('Next: wiretype gateway --endpoint HOST keeps it running; docs/gateway.md says more.');
}
