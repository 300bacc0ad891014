/**
 * The containers of deploy/kubernetes as programs of one host: their commands, their variables and files, and nothing else. Probes are
 * asked as the kubelet asks them, by the address of the pod.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseAllDocuments } from 'yaml';

import { CHECKOUT } from '../../lab/implementation.js';
import { addAddresses, Lab } from '../../lab/lab.js';
import type { Host } from '../../lab/namespace.js';
import type { Program } from '../../lab/program.js';
import { waitFor } from '../../lab/wait.js';

const TIMEOUT = { timeout: 120_000 };
const POD = '10.244.0.7';
const HUB_NAME = 'hub.example.net';
const FOLDERS = ['/var/lib/wiretype', '/state', '/invitation'];

interface Container {
  readonly image: string;
  readonly command: string[];
  readonly args?: string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly lifecycle?: { readonly preStop: { readonly exec: { readonly command: string[] } } };
  readonly livenessProbe: { readonly httpGet: { readonly path: string; readonly port: string } };
  readonly readinessProbe: { readonly httpGet: { readonly path: string; readonly port: string } };
}

describe('the containers of Kubernetes', () => {
  it('are a hub and an agent by variables and files alone, and answer probes', TIMEOUT, async (t) => {
    const lab = Lab.open(t);
    const host = await lab.host('pod');
    await addAddresses([host, 'lo', `${POD}/32`]);
    for (const folder of FOLDERS) mkdirSync(join(lab.folder, folder), { recursive: true });
    const hub = new Pod(host, lab.folder, 'hub.yaml');
    const agent = new Pod(host, lab.folder, 'agent.yaml');

    let running = hub.start();
    await running.says(/The page is at/);
    await running.stop();
    running = hub.start();
    await running.says(/The page is at/);
    assert.doesNotMatch(running.stdout, /wiretype-invite:/, 'the second start found the network of the first');
    assert.deepEqual(await hub.probes(), { live: 200, ready: 200, text: 'ok\n' });

    await refuses(agent, { WIRETYPE_PROXY: 'tcp://10.96.0.9:1080' }, 2, /^wiretype mesh: WIRETYPE_PROXY: .*Kubernetes/);
    await refuses(agent, { WIRETYPE_INVITATION: 'x' }, 2, /WIRETYPE_INVITATION and WIRETYPE_INVITATION_FILE are both/);
    await refuses(agent, {}, 2, /WIRETYPE_INVITATION_FILE \(.*\): there is no such file/);
    writeFileSync(join(lab.folder, 'invitation/invitation'), `${await hub.run('wiretype', 'mesh', 'invite')}\n`);
    const node = agent.start();
    await node.says(/connected to the hub/);
    assert.deepEqual(await agent.probes(), { live: 200, ready: 200, text: '{"hub":true,"peers":0}\n' });
    await refuses(agent, { WIRETYPE_STATE: join(lab.folder, 'other') }, 3, /the invitation was used .*ERR_INVITATION/);

    await running.stop();
    await waitFor('the agent to miss the hub', async () => (await agent.probes()).ready === 503);
    const alone = await agent.probes();
    assert.equal(alone.live, 200, 'nothing that a restart would mend');
    assert.match(alone.text, /"reason":"neither the hub nor any node is reached"/);

    const [leave, ...words] = agent.container.lifecycle!.preStop.exec.command;
    await agent.run(leave!, ...words);
    assert.equal(await node.exited, 0, 'a pod can be deleted while the hub is away');
  });
});

async function refuses(pod: Pod, more: Record<string, string>, status: number, message: RegExp): Promise<void> {
  const program = pod.start(more);
  assert.equal(await program.exited, status, program.stderr);
  assert.match(program.stderr, message);
}

/** The container of ours in the pod of a manifest. */
class Pod {
  readonly container: Container;
  readonly #host: Host;
  readonly #env: Record<string, string>;

  constructor(host: Host, folder: string, file: string) {
    const [{ spec }] = parseAllDocuments(readFileSync(`deploy/kubernetes/${file}`, 'utf8')).map((each) =>
      each.toJS(),
    ) as [{ spec: { template: { spec: { containers: Container[] } } } }];
    this.#host = host;
    this.container = spec.template.spec.containers.find(({ image }) => image.startsWith('wiretype'))!;
    const place = (value: string): string =>
      FOLDERS.some((each) => value.startsWith(each)) ? join(folder, value) : value.replace(HUB_NAME, POD);
    const PATH = `${CHECKOUT}bin:${process.env['PATH']}`;
    const variables = this.container.env.map(({ name, value }) => [name, place(value)]);
    this.#env = { PATH, ...Object.fromEntries(variables) };
  }

  start(more: Record<string, string> = {}): Program {
    const { command, args = [] } = this.container;
    const [program, ...words] = [...command, ...args];
    return this.#host.start(program!, words, { env: { ...this.#env, ...more } });
  }

  /** Runs a command in the container. */
  async run(command: string, ...words: readonly string[]): Promise<string> {
    return (await this.#host.run(command, words, { env: this.#env })).trim();
  }

  /** The answers of the probes. @returns The statuses, and the text of the one about readiness. */
  async probes(): Promise<{ live: number; ready: number; text: string }> {
    const { livenessProbe, readinessProbe } = this.container;
    const [live, ready] = [await this.#ask(livenessProbe.httpGet), await this.#ask(readinessProbe.httpGet)];
    return { live: live.status, ready: ready.status, text: ready.text };
  }

  async #ask({ path, port }: { readonly path: string; readonly port: string }) {
    const { containerPort } = this.container.ports.find(({ name }) => name === port)!;
    const words = ['-sS', '--max-time', '10', '-w', '%{http_code}', `http://${POD}:${containerPort}${path}`];
    const answer = await this.#host.run('curl', words);
    return { status: Number(answer.slice(-3)), text: answer.slice(0, -3) };
  }
}
