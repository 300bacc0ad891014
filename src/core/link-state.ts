import { DEFAULT_MTU } from './constants.js';
import type { Identity } from './handshake/identity.js';

/** A read-only view of the device's state for its parts. */
export interface LinkView {
  /** `undefined`: no private key is set. */
  readonly identity: Identity | undefined;
  readonly isUp: boolean;
  /** Whether the link is up and a private key is set. Otherwise all traffic is dropped. */
  readonly isReady: boolean;
  /** MTU of the TUN. */
  readonly mtu: number;
  /** The port that outer datagrams leave from. */
  readonly listenPort: number;
}

/** The link of a device and its own key. Only `Device` and `DeviceConfiguration` may change it. */
export class LinkState implements LinkView {
  identity: Identity | undefined;
  isUp = false;
  mtu = DEFAULT_MTU;
  listenPort = 0;

  get isReady(): boolean {
    return this.isUp && this.identity !== undefined;
  }
}
