/**
 * A hub that everybody reaches, and two hosts behind NATs of their own.
 *
 * ```text
 *   laptop (10.1.0.2) ══ router 1 (203.0.113.101) ══╗
 *                                                   ╠══ 203.0.113.10  hub
 *   server (10.2.0.2) ══ router 2 (203.0.113.102) ══╝
 * ```
 *
 * Each NAT is one of nftables (RFC 4787): `easy` maps all destinations to one port and lets in answers only (Linux
 * masquerade), `hard` takes another port for each destination, `restricted` lets in any port of an address that was sent to.
 */
import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

import type { AgentStatus } from '../../../src/mesh/agent/agent-status.js';
import { CHECKOUT } from '../../lab/implementation.js';
import { addAddresses, Lab } from '../../lab/lab.js';
import { Machine } from '../../lab/machine.js';
import type { Host } from '../../lab/namespace.js';
import type { Program } from '../../lab/program.js';
import { waitFor } from '../../lab/wait.js';

export type NatType = 'easy' | 'hard' | 'restricted';

export const HUB = '203.0.113.10';
export const HUB_PORT = 51_900;
const WIRETYPE = `${CHECKOUT}bin/wiretype`;

/** An agent runs with the one capability that its unit leaves it. */
const LIMITS = ['--bounding-set=-all,+net_admin', '--inh-caps=-all', '--no-new-privs'];

/** A host behind a NAT. */
export class Site {
  readonly machine: Machine;
  readonly router: Host;
  readonly state: string;
  readonly #lan: string;
  /** Variables of the environment for what runs here. */
  env: Readonly<Record<string, string>> = {};
  agent: Program | undefined;

  constructor(machine: Machine, router: Host, lan: string, state: string) {
    this.machine = machine;
    this.router = router;
    this.#lan = lan;
    this.state = state;
  }

  /** Forgets all mappings, and translates as another kind of NAT does. */
  async translate(type: NatType): Promise<void> {
    const client = `${this.#lan}.2`;
    const spoke = 'set spoke { type inet_service . ipv4_addr; flags dynamic,timeout; timeout 120s; }';
    const isRestricted = type === 'restricted';
    await this.router.run('nft', ['flush', 'ruleset']);
    await this.router.nft(`
      table ip nat {
        ${isRestricted ? spoke : ''}
        chain pre { type nat hook prerouting priority dstnat;
          ${isRestricted ? `iifname wan meta l4proto udp udp dport . ip saddr @spoke dnat to ${client}` : ''}
        }
        chain post { type nat hook postrouting priority srcnat;
          oifname wan masquerade ${type === 'hard' ? 'fully-random' : ''}
        }
        chain note { type filter hook forward priority -10;
          ${isRestricted ? 'iifname lan update @spoke { udp sport . ip daddr }' : ''}
        }
      }
      table inet fw {
        chain impair { }
        chain forward { type filter hook forward priority 0; policy drop;
          jump impair
          ct state established,related accept
          iifname lan accept
          ct status dnat accept
        }
        chain input { type filter hook input priority 0; policy accept;
          iifname wan ct state established,related accept
          iifname wan drop
        }
      }`);
    await this.router.attempt('conntrack', ['-F']);
  }

  /** Drops all UDP, as some networks do, or lets it through again. */
  async blockUdp(isBlocked: boolean): Promise<void> {
    await this.impair(isBlocked ? 'meta l4proto udp drop' : undefined);
  }

  /** Lets the router accept packets to itself, as Linux without a packet filter does. */
  async acceptOwn(): Promise<void> {
    await this.router.nft('flush chain inet fw input');
  }

  /** @param rule Of nftables, for what is forwarded. Absent: nothing is impaired any more. */
  async impair(rule: string | undefined): Promise<void> {
    await this.router.nft(`flush chain inet fw impair
      ${rule === undefined ? '' : `add rule inet fw impair ${rule}`}`);
  }

  /** Joins by an invitation, and starts the agent. */
  async join(invitation: string, name: string, ...words: readonly string[]): Promise<void> {
    await this.wiretype('join', invitation, '--name', name, '--enrol', ...words);
    await this.start(...words);
  }

  async start(...words: readonly string[]): Promise<void> {
    const command = [...LIMITS, WIRETYPE, 'mesh', 'agent', '--state', this.state, ...words];
    this.agent = this.machine.start('setpriv', command, { env: this.env });
    await this.agent.says(/connected to the hub/);
  }

  /** Runs `wiretype mesh` with words for this node. */
  async wiretype(...words: readonly string[]): Promise<string> {
    return await this.machine.run(WIRETYPE, ['mesh', ...words, '--state', this.state], { env: this.env });
  }

  async status(): Promise<AgentStatus> {
    return JSON.parse(await this.wiretype('status', '--json'));
  }

  /** The path to the node with a name. */
  async pathTo(name: string): Promise<string | undefined> {
    return (await this.status()).peers.find((peer) => peer.name === name)?.path;
  }
}

export interface MeshLab {
  readonly lab: Lab;
  readonly hubHost: Host;
  /** The folder of its state. */
  readonly hubState: string;
  readonly hub: Program;
  readonly laptop: Site;
  readonly server: Site;
  /** Runs `wiretype mesh` with words at the hub. */
  readonly ask: (...words: readonly string[]) => Promise<string>;
  readonly invite: (...words: readonly string[]) => Promise<string>;
  /** Starts the hub again, with the same words. */
  readonly startHub: () => Promise<Program>;
}

/**
 * @param isLocked The signing key is `signing.key` in the folder of the laboratory.
 * @param hubEnv Variables of the environment for the hub.
 */
export async function openMeshLab(
  t: TestContext,
  nats: readonly [NatType, NatType],
  isLocked = false,
  hubEnv: Readonly<Record<string, string>> = {},
): Promise<MeshLab> {
  const lab = Lab.open(t);
  const hubHost = await lab.host('hub');
  await hubHost.ip('link add br0 type bridge');
  await hubHost.ip('link set br0 up');
  await addAddresses([hubHost, 'br0', `${HUB}/24`]);
  const laptop = await openSite(lab, hubHost, 'laptop', 1);
  const server = await openSite(lab, hubHost, 'server', 2);
  await Promise.all([laptop.translate(nats[0]), server.translate(nats[1])]);

  const state = join(lab.folder, 'hub');
  const start = async (...action: readonly string[]): Promise<Program> => {
    const place = ['--endpoint', HUB, '--port', String(HUB_PORT), '--page', `${HUB}:8080`, '--state', state];
    const program = hubHost.start(WIRETYPE, ['hub', ...action, ...place], { env: hubEnv });
    await program.says(/The page is at/);
    return program;
  };
  const locked = isLocked ? ['--locked', '--signing-key', join(lab.folder, 'signing.key')] : [];
  const hub = await start('init', 'home', ...locked);
  const ask = (...more: readonly string[]) => hubHost.run(WIRETYPE, ['mesh', ...more, '--state', state]);
  const invite = async (...more: readonly string[]): Promise<string> => (await ask('invite', ...more)).trim();
  return { lab, hubHost, hubState: state, hub, laptop, server, ask, invite, startHub: () => start('run') };
}

export async function openSite(lab: Lab, hubHost: Host, title: string, number: number): Promise<Site> {
  const machine = await Machine.create(lab, title);
  const router = await lab.host(`${title}-router`);
  const lan = `10.${number}.0`;
  await lab.cable([router, 'lan'], [machine.host, 'eth0']);
  await lab.cable([router, 'wan'], [hubHost, `port${number}`]);
  await hubHost.ip(`link set port${number} master br0`);
  await addAddresses(
    [machine.host, 'eth0', `${lan}.2/24`],
    [router, 'lan', `${lan}.1/24`],
    [router, 'wan', `203.0.113.10${number}/24`],
  );
  await machine.host.ip(`route add default via ${lan}.1`);
  await router.sysctl('net.ipv4.ip_forward', 1);
  return new Site(machine, router, lan, join(lab.folder, title, 'state'));
}

/** Waits until a site reaches a node by a kind of path. */
export async function waitForPath(site: Site, name: string, kind: string): Promise<void> {
  await waitFor(`the path ${kind} to ${name}`, async () => (await site.pathTo(name)) === kind);
}

/** Pings by name, so that names are tried too, once the name is known. @returns Packets that were lost. */
export async function countLost(site: Site, name: string, count: number, intervalSeconds = 0.05): Promise<number> {
  if (isIP(name) === 0)
    await waitFor(name, async () => (await site.machine.attempt('getent', ['hosts', name])).status === 0);
  const words = ['-D', '-n', '-c', String(count), '-i', String(intervalSeconds), '-W', '5', name];
  const { stdout } = await site.machine.attempt('ping', words);
  const received = /(\d+) received/.exec(stdout)?.[1];
  assert.notEqual(received, undefined, stdout);
  if (Number(received) < count) process.stdout.write(`${stdout}\n`);
  return count - Number(received);
}
