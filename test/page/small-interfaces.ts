/** An interface of a host with two peers, in memory. */
import type { HostInterfaceDetail, HostInterfaces, HostPeer } from '../../src/server/host-interfaces.js';

const KEY = (digit: string): string => `${digit.repeat(42)}A=`;

export class SmallInterfaces implements HostInterfaces {
  readonly #peers: HostPeer[] = [peer('laptop', '1'), peer('phone', '2')];

  async list() {
    return [{ name: 'wg0', isRunning: true, hasFile: true }];
  }

  async get(name: string): Promise<HostInterfaceDetail> {
    return { name, isRunning: true, hasFile: true, listenPort: 51_820, peers: [...this.#peers] };
  }

  async explain() {
    const advice = [{ problem: 'Nothing has come from it so far.', nextStep: 'check its endpoint' }];
    return { reason: 'It has never made a handshake.', advice };
  }

  async addPeer(_: string, { name, publicKey }: { name: string; publicKey: string }): Promise<string> {
    this.#peers.push({ ...peer(name, '3'), publicKey });
    return `[Interface]\nPrivateKey = \nAddress = 10.66.0.9/32\n\n[Peer]\nPublicKey = ${KEY('4')}\nAllowedIPs = 0.0.0.0/0\n`;
  }

  async renamePeer(_: string, publicKey: string, name: string): Promise<void> {
    this.#change(publicKey, { name });
  }

  async setDisabled(_: string, publicKey: string, isDisabled: boolean): Promise<void> {
    this.#change(publicKey, { state: isDisabled ? 'disabled' : 'never-seen' });
  }

  async removePeer(_: string, publicKey: string): Promise<void> {
    const at = this.#peers.findIndex((each) => each.publicKey === publicKey);
    this.#peers.splice(at, 1);
  }

  #change(publicKey: string, change: Partial<HostPeer>): void {
    const at = this.#peers.findIndex((each) => each.publicKey === publicKey);
    this.#peers[at] = { ...this.#peers[at]!, ...change };
  }
}

function peer(name: string, digit: string): HostPeer {
  return {
    name,
    publicKey: KEY(digit),
    state: 'never-seen',
    allowedIps: [`10.66.0.${digit}/32`],
    receivedBytes: 0,
    sentBytes: 0,
    isInFile: true,
  };
}
