/** A stock node: wireguard-go and wg-quick of Debian with a file of `wiretype mesh add-device`. */
import { CHECKOUT, wireguardGo } from '../../lab/implementation.js';
import type { Machine } from '../../lab/machine.js';
import { waitFor } from '../../lab/wait.js';
import type { MeshLab } from './mesh-lab.js';

const WIRETYPE = `${CHECKOUT}bin/wiretype`;
const STOCK = {
  WG_QUICK_USERSPACE_IMPLEMENTATION: wireguardGo.command,
  WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD: '1',
};
/** Stands for openresolv: the machine asks the name servers of the file, and those alone. */
const RESOLVCONF = 'if [ "$1" = -a ]; then test -e /etc/of-the-laboratory && cat > /etc/resolv.conf; fi';

export class StockNode {
  readonly name: string;
  readonly machine: Machine;
  /** The file as it is now. */
  file: string;

  private constructor(name: string, machine: Machine, file: string) {
    this.name = name;
    this.machine = machine;
    this.file = file;
  }

  static async create(name: string, machine: Machine, file: string): Promise<StockNode> {
    await machine.install('resolvconf', RESOLVCONF);
    return new StockNode(name, machine, file);
  }

  /** The address in the network. */
  get address(): string {
    return /^Address = ([\d.]+)/m.exec(this.file)![1]!;
  }

  /** Brings the interface up, and waits for the session with the hub, which knows the address from then on. */
  async up(): Promise<void> {
    await this.machine.write(`/etc/wireguard/${this.name}.conf`, this.file);
    await this.machine.run('wg-quick', ['up', this.name], { env: STOCK });
    await waitFor(`a session of ${this.name} with the hub`, async () =>
      /\t[1-9]\d*$/m.test(await this.machine.run('wg', ['show', this.name, 'latest-handshakes'])),
    );
  }

  async down(): Promise<void> {
    await this.machine.run('wg-quick', ['down', this.name], { env: STOCK });
  }

  /** Adds a section, as a person does in an editor. */
  append(section: string): void {
    this.file = `${this.file}\n${section}`;
  }

  async publicKey(): Promise<string> {
    return (await this.machine.run('wg', ['show', this.name, 'public-key'])).trim();
  }

  /** The address that a peer is at, as stock `wg` says. */
  async endpointOf(publicKey: string): Promise<string | undefined> {
    const lines = (await this.machine.run('wg', ['show', this.name, 'endpoints'])).split('\n');
    return lines.map((line) => line.split('\t')).find(([key]) => key === publicKey)?.[1];
  }

  async answers(address: string): Promise<boolean> {
    return (await this.machine.attempt('ping', ['-n', '-c', '1', '-W', '1', address])).status === 0;
  }

  async waitForAnswer(address: string): Promise<void> {
    await waitFor(`an answer of ${address}`, () => this.answers(address));
  }

  /** Sends a text by TCP to a listener on another node. @returns What arrived there. */
  async send(text: string, to: StockNode, port: number): Promise<string> {
    const listener = to.machine.start('socat', ['-u', '-d', '-d', `TCP-LISTEN:${port},bind=${to.address}`, '-']);
    await listener.says(/listening on/);
    await this.machine.run('socat', ['-u', '-', `TCP:${to.address}:${port}`], { input: text });
    await listener.exited;
    return listener.stdout;
  }
}

export interface HubDevice {
  readonly id: string;
  readonly name: string;
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** Calls the API at the hub. */
export async function callHub<T>({ hubHost, hubState }: MeshLab, ...words: readonly string[]): Promise<T> {
  return JSON.parse(await hubHost.run(WIRETYPE, ['gateway', 'call', ...words, '--state', hubState]));
}

/** Counts what the hub has received from its own peers, and sent to them, in its sessions with them. */
export async function hubDevices(mesh: MeshLab): Promise<readonly HubDevice[]> {
  return (await callHub<{ devices: HubDevice[] }>(mesh, 'GET', '/devices')).devices;
}
