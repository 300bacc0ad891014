import type { DeviceControl, DeviceExplanation, DeviceState, PeerExplanation } from '../../control/device-control.js';
import type { DeviceChange } from '../../core/configuration.js';
import type { Device } from '../../core/device.js';
import type { DatagramSocket } from '../../host/datagram-socket.js';
import type { Driver } from '../../host/driver.js';

export interface TunnelControlOptions {
  readonly device: Device;
  readonly driver: Driver;
  /** @throws {WireGuardError} ERR_PORT_IN_USE and others. */
  readonly openSocket: (port: number, mark: number) => DatagramSocket;
}

/**
 * Device and socket as one thing that is configured as a whole.
 *
 * What can fail comes first: the check of the peers, then the new socket beside the old one, or the
 * new mark on it. Only then the device changes, and the old socket is closed.
 */
export class TunnelControl implements DeviceControl {
  readonly #device: Device;
  readonly #driver: Driver;
  readonly #openSocket: TunnelControlOptions['openSocket'];
  #fwmark = 0;

  constructor({ device, driver, openSocket }: TunnelControlOptions) {
    this.#device = device;
    this.#driver = driver;
    this.#openSocket = openSocket;
    device.setListenPort(driver.socket.port);
  }

  get fwmark(): number {
    return this.#fwmark;
  }

  get state(): DeviceState {
    return {
      privateKey: this.#device.privateKey,
      listenPort: this.#driver.socket.port,
      fwmark: this.#fwmark,
      peers: this.#device.peers,
    };
  }

  explain(): DeviceExplanation {
    return { verdicts: this.#device.counters.verdicts, peers: this.#explainPeers() };
  }

  apply(change: DeviceChange): void {
    this.#device.checkChange(change);
    const mark = change.fwmark ?? this.#fwmark;
    const socket = this.#isPortNew(change.listenPort) ? this.#openSocket(change.listenPort, mark) : undefined;
    if (socket === undefined && mark !== this.#fwmark) this.#driver.socket.setMark(mark);

    this.#device.applyChange(change, nowMs());
    if (socket !== undefined) this.#useSocket(socket);
    // Routes may differ by mark, so the system chooses the source addresses again.
    if (socket !== undefined || mark !== this.#fwmark) this.#device.forgetSources(() => true);
    this.#fwmark = mark;
    this.#driver.settle();
  }

  *#explainPeers(): Iterable<PeerExplanation> {
    for (const peer of this.#device.peers) {
      yield {
        publicKey: peer.publicKey,
        reason: this.#device.explain(peer, nowMs()),
        verdicts: peer.counters.verdicts,
      };
    }
  }

  /** Port 0 asks for another random one each time. */
  #isPortNew(port: number | undefined): port is number {
    return port !== undefined && port !== this.#driver.socket.port;
  }

  #useSocket(socket: DatagramSocket): void {
    this.#driver.replaceSocket(socket);
    this.#device.setListenPort(socket.port);
  }
}

function nowMs(): number {
  return Math.floor(performance.now());
}
