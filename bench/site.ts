/**
 * The site of one contender's measures: hosts, cables and tunnels, which are opened lazily.
 *
 * ```text
 * pair    left ══ cable ══ right              tunnel from left to right
 * chain   left ══ cable ══ middle ══ cable ══ right     a tunnel on each cable; middle opens, forwards and seals again
 * ```
 */
import { addAddresses, Lab } from '../test/lab/lab.js';
import type { Host } from '../test/lab/namespace.js';
import type { Program } from '../test/lab/program.js';
import { LEFT, PORT, RIGHT } from '../test/lab/two-hosts.js';
import { waitFor } from '../test/lab/wait.js';
import { Wireguard } from '../test/lab/wireguard.js';
import type { Contender } from './contender.js';

export const MTU = 1_420;
const TUN = 'tun0';
const MIDDLE = { outerLeft: '10.0.0.3', outerRight: '10.0.1.3', inner4: '192.168.241.3' };
const FAR_RIGHT_OUTER = '10.0.1.2';
const INNER_NETWORK = '192.168.241.0/24';

export type Family = 4 | 6;

/** Two hosts that reach each other through the contender's tunnel; with no tunnel, over the cable. */
export interface Pair {
  readonly left: Host;
  readonly right: Host;
  /** How each reaches the other. */
  readonly leftAddress: Readonly<Record<Family, string>>;
  readonly rightAddress: Readonly<Record<Family, string>>;
  /** The programs that carry the tunnel; absent without one. */
  readonly daemons: readonly Program[];
  /** The same for a contender that is a WireGuard. */
  readonly wireguards: readonly Wireguard[];
}

export class Site {
  readonly contender: Contender;
  readonly lab: Lab;
  readonly #closers: (() => void | Promise<void>)[];
  readonly #opened = new Map<string, Promise<unknown>>();

  constructor(contender: Contender) {
    const closers: (() => void | Promise<void>)[] = [];
    this.contender = contender;
    this.#closers = closers;
    this.lab = Lab.open({ after: (close) => void closers.push(close as () => Promise<void>) });
  }

  /** The pair of this site, whose tunnel goes over the cable by IPv4 or IPv6. */
  async pair(outer: Family = 4): Promise<Pair> {
    return await this.once(`pair ${outer}`, async () => await reach(await this.openPair(outer)));
  }

  async chain(): Promise<Pair> {
    return await this.once('chain', async () => await reach(await this.#openChain()));
  }

  /** Opens something that all measures of this site share. */
  async once<T>(name: string, open: () => Promise<T>): Promise<T> {
    const known = (this.#opened.get(name) as Promise<T> | undefined) ?? open();
    this.#opened.set(name, known);
    known.catch(() => this.#opened.delete(name)); // the next measure may have more luck
    return await known;
  }

  /** A pair of its own, for measures that leave it changed. */
  async openPair(outer: Family = 4): Promise<Pair> {
    const left = await this.lab.host('left');
    const right = await this.lab.host('right');
    await this.lab.cable([left, 'eth0'], [right, 'eth0']);
    await addAddresses(
      [left, 'eth0', `${LEFT.outer4}/24`, `${LEFT.outer6}/64`],
      [right, 'eth0', `${RIGHT.outer4}/24`, `${RIGHT.outer6}/64`],
    );
    const outerOf = (side: typeof LEFT): string => (outer === 4 ? side.outer4 : side.outer6);
    switch (this.contender.kind) {
      case 'cable':
        return bare(left, right);
      case 'limit':
        return tunnelled(left, right, [
          await this.#startLimit(left, LEFT, [RIGHT.inner4, outerOf(RIGHT)]),
          await this.#startLimit(right, RIGHT, [LEFT.inner4, outerOf(LEFT)]),
        ]);
      case 'wireguard': {
        const ends = [await this.#startWireguard(left), await this.#startWireguard(right)] as const;
        await connect(ends[0], ends[1], outerOf(RIGHT), `${RIGHT.inner4}/32,${RIGHT.inner6}/128`);
        await connect(ends[1], ends[0], outerOf(LEFT), `${LEFT.inner4}/32,${LEFT.inner6}/128`);
        await ends[0].up([`${LEFT.inner4}/24`, `${LEFT.inner6}/64`], MTU);
        await ends[1].up([`${RIGHT.inner4}/24`, `${RIGHT.inner6}/64`], MTU);
        return tunnelled(left, right, daemonsOf(ends), ends);
      }
      default:
        throw new Error(`${this.contender.title} has no interface`);
    }
  }

  /** A site of the same contender beside this one, which closes with it. */
  another(): Site {
    const site = new Site(this.contender);
    this.#closers.push(() => site.close());
    return site;
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0)) await close();
    this.#opened.clear();
  }

  async #openChain(): Promise<Pair> {
    const [left, middle, right] = [
      await this.lab.host('left'),
      await this.lab.host('middle'),
      await this.lab.host('right'),
    ];
    await this.lab.cable([left, 'eth0'], [middle, 'eth0']);
    await this.lab.cable([middle, 'eth1'], [right, 'eth0']);
    await addAddresses(
      [left, 'eth0', `${LEFT.outer4}/24`],
      [middle, 'eth0', `${MIDDLE.outerLeft}/24`],
      [middle, 'eth1', `${MIDDLE.outerRight}/24`],
      [right, 'eth0', `${FAR_RIGHT_OUTER}/24`],
    );
    await middle.run('sysctl', ['-qw', 'net.ipv4.ip_forward=1', 'net.ipv4.conf.all.send_redirects=0']);
    await middle.run('sysctl', ['-qw', 'net.ipv4.conf.default.send_redirects=0']);
    if (this.contender.kind === 'limit') return await this.#chainOfLimits(left, middle, right);
    return await this.#chainOfWireguards(left, middle, right);
  }

  async #chainOfLimits(left: Host, middle: Host, right: Host): Promise<Pair> {
    const ends = [LEFT.inner4, LEFT.outer4, RIGHT.inner4, FAR_RIGHT_OUTER] as const;
    return tunnelled(left, right, [
      await this.#startLimit(left, LEFT, [RIGHT.inner4, MIDDLE.outerLeft]),
      await this.#startLimit(right, RIGHT, [LEFT.inner4, MIDDLE.outerRight]),
      await this.#startLimit(middle, MIDDLE, ends),
    ]);
  }

  async #chainOfWireguards(left: Host, middle: Host, right: Host): Promise<Pair> {
    const [first, second, third] = [
      await this.#startWireguard(left),
      await this.#startWireguard(middle),
      await this.#startWireguard(right),
    ];
    await connect(first, second, MIDDLE.outerLeft, INNER_NETWORK);
    await connect(second, first, LEFT.outer4, `${LEFT.inner4}/32`);
    await connect(second, third, FAR_RIGHT_OUTER, `${RIGHT.inner4}/32`);
    await connect(third, second, MIDDLE.outerRight, INNER_NETWORK);
    await first.up([`${LEFT.inner4}/24`], MTU);
    await second.up([`${MIDDLE.inner4}/24`], MTU);
    await third.up([`${RIGHT.inner4}/24`], MTU);
    return tunnelled(left, right, daemonsOf([first, second, third]), [first, second, third]);
  }

  /** @param peers Inner and outer address of each, in turn. */
  async #startLimit(
    host: Host,
    own: { readonly inner4: string; readonly inner6?: string },
    peers: readonly string[],
  ): Promise<Program> {
    const words: string[] = [];
    for (let i = 0; i < peers.length; i += 2) words.push(`${peers[i]}/${peers[i + 1]}/${PORT}`);
    const peerWords = this.contender.isPairOnly === true ? [peers[1]!, String(PORT)] : words;
    const program = host.start(this.contender.command, [TUN, String(PORT), ...peerWords]);
    await waitFor('the TUN of limit', async () => {
      if (!program.isRunning) throw new Error(`${program.title} ended\n${program.stderr}`);
      return (await host.attempt('ip', ['link', 'show', TUN])).status === 0;
    });
    const addresses = [`${own.inner4}/24`, ...(own.inner6 === undefined ? [] : [`${own.inner6}/64`])];
    await addAddresses([host, TUN, ...addresses]);
    await host.ip(`link set ${TUN} mtu ${MTU} up`);
    return program;
  }

  async #startWireguard(host: Host): Promise<Wireguard> {
    return await Wireguard.create(this.lab, host, this.contender, PORT);
  }
}

/** Waits until packets get through, so that no measure pays for the handshake. */
export async function reach(pair: Pair): Promise<Pair> {
  await waitFor(`an answer from ${pair.rightAddress[4]}`, async () => {
    const { status } = await pair.left.attempt('ping', ['-c', '1', '-W', '1', pair.rightAddress[4]]);
    return status === 0;
  });
  return pair;
}

async function connect(from: Wireguard, to: Wireguard, outer: string, allowedIps: string): Promise<void> {
  const endpoint = outer.includes(':') ? `[${outer}]:${PORT}` : `${outer}:${PORT}`;
  await from.setPeer({ publicKey: to.publicKey, endpoint, allowedIps });
}

function daemonsOf(wireguards: readonly Wireguard[]): Program[] {
  return wireguards.flatMap(({ daemon }) => daemon ?? []);
}

function bare(left: Host, right: Host): Pair {
  return {
    left,
    right,
    leftAddress: { 4: LEFT.outer4, 6: LEFT.outer6 },
    rightAddress: { 4: RIGHT.outer4, 6: RIGHT.outer6 },
    daemons: [],
    wireguards: [],
  };
}

function tunnelled(left: Host, right: Host, daemons: readonly Program[], wireguards: readonly Wireguard[] = []): Pair {
  return {
    left,
    right,
    leftAddress: { 4: LEFT.inner4, 6: LEFT.inner6 },
    rightAddress: { 4: RIGHT.inner4, 6: RIGHT.inner6 },
    daemons,
    wireguards,
  };
}
