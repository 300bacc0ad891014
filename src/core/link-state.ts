import { DEFAULT_MTU } from './constants.js';
import type { Identity } from './handshake/identity.js';

/** The state of the whole device at a moment, as its parts see it. */
export interface LinkView {
  /** `undefined`: no private key is set. */
  readonly identity: Identity | undefined;
  readonly isUp: boolean;
  /** Nothing is sent and nothing believed before the link is up and a private key is set. */
  readonly isReady: boolean;
  /** MTU of the TUN. */
  readonly mtu: number;
  /** The port that outer datagrams leave from. */
  readonly listenPort: number;
}

/** The link of a device and its own key. `Device` and `DeviceConfiguration` change it, nobody else. */
export class LinkState implements LinkView {
  identity: Identity | undefined;
  isUp = false;
  mtu = DEFAULT_MTU;
  listenPort = 0;

  get isReady(): boolean {
    return this.isUp && this.identity !== undefined;
  }
}
