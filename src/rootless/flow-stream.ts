import type { AddressInfo } from 'node:net';
import { Duplex } from 'node:stream';

import { formatIpAddress } from '../control/ip-text.js';
import { addressBytes } from '../netstack/address.js';
import type { TcpFlow } from '../netstack/tcp/tcp-flow.js';

/** A stream over a TCP flow: the two ends of the flow, in the words of `net.Socket`. */
export class FlowStream extends Duplex {
  connecting = false;
  protected flow: TcpFlow | undefined;

  address(): AddressInfo | Record<string, never> {
    const { localAddress, localPort, localFamily } = this;
    return localAddress === undefined ? {} : { address: localAddress, port: localPort!, family: localFamily! };
  }

  get localAddress(): string | undefined {
    return this.flow && formatIpAddress(addressBytes(this.flow.local));
  }

  get localPort(): number | undefined {
    return this.flow?.localPort;
  }

  get localFamily(): string | undefined {
    return this.flow && (this.flow.isIpv4 ? 'IPv4' : 'IPv6');
  }

  get remoteAddress(): string | undefined {
    return this.flow && !this.connecting ? formatIpAddress(addressBytes(this.flow.remote)) : undefined;
  }

  get remotePort(): number | undefined {
    return this.connecting ? undefined : this.flow?.remotePort;
  }

  get remoteFamily(): string | undefined {
    return this.connecting ? undefined : this.localFamily;
  }
}
