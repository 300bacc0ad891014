import type { RunningGateway } from '../../gateway/service/running-gateway.js';
import type { MapPublisher } from './map-publisher.js';
import type { NodeDevice } from './node-devices.js';
import type { NodeDirectory } from './node-directory.js';

const ROUND_MS = 60_000;

export interface HubRoundOptions {
  readonly gateway: RunningGateway;
  readonly nodes: NodeDirectory;
  readonly publisher: MapPublisher;
  readonly connectionOf: (id: string) => unknown;
  readonly onExpired: (id: string) => void;
  readonly nowUnixMs: () => number;
}

/** The minute's work of a hub: renews records, lets expired nodes and invitations go, and removes ephemeral nodes that are away. */
export class HubRound {
  readonly #options: HubRoundOptions;
  readonly #timer: NodeJS.Timeout;

  constructor(options: HubRoundOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.run(), ROUND_MS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async run(): Promise<void> {
    const { gateway, nodes, publisher, onExpired, nowUnixMs } = this.#options;
    const now = nowUnixMs();
    for (const device of [...nodes.devices.values()])
      if ((device.expiresAtUnixMs ?? Infinity) <= now) onExpired(device.id);
      else if (this.#isLongAway(device, now)) await gateway.deleteDevice(device.id, 'hub').catch(() => {});
    const due = nodes.dueRecords(now);
    if (due.length > 0) publisher.changed(due, now);
    await this.#expireInvitations(now);
  }

  async #expireInvitations(nowUnixMs: number): Promise<void> {
    const { gateway } = this.#options;
    const old = gateway.state().invitations.filter(({ expiresAtUnixMs }) => expiresAtUnixMs < nowUnixMs);
    if (old.length === 0) return;
    const plan = { devices: [], removeInvitations: old.map(({ id }) => id) };
    await gateway.transact(() => ({ plan, operation: 'invitation.expire', result: undefined }), 'hub').catch(() => {});
  }

  #isLongAway({ id, node, createdAtUnixMs }: NodeDevice, nowUnixMs: number): boolean {
    const { gateway, connectionOf } = this.#options;
    if (node.ephemeralMinutes === undefined || connectionOf(id) !== undefined) return false;
    const seen = gateway.device(id)?.lastHandshakeUnixMs ?? createdAtUnixMs;
    return nowUnixMs - seen > node.ephemeralMinutes * 60_000;
  }
}
