/**
 * A port mapping on Debian's router daemon, which speaks PCP and NAT-PMP: the internet reaches a socket behind the NAT.
 *
 * ```text
 *   this namespace         router (miniupnpd)            internet
 *   eth0 10.1.0.2/24 ═════ lan 10.1.0.1/24
 *                          wan 45.45.45.45/24 ══════════ eth0 45.45.45.1/24
 * ```
 *
 * The daemon maps nothing on addresses that are for documentation.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';

import { openPortMapping, type PortMapping } from '../../../src/mesh/port-mapping/port-mapping.js';
import { formatIpAddress } from '../../../src/wire/address-text.js';
import { inOwnNamespace, ip } from '../../addon/own-namespace.js';
import { addAddresses, Lab } from '../../lab/lab.js';
import type { Host } from '../../lab/namespace.js';
import type { Program } from '../../lab/program.js';
import { waitFor } from '../../lab/wait.js';

const PUBLIC = '45.45.45.45';
const TIME_LIMIT = { timeout: 100_000 };
const hasRouter = spawnSync('miniupnpd', ['--version']).error === undefined;

/** The chains that the daemon fills. Its rules accept what it has mapped; nothing else comes in unasked. */
const RULES = `table inet filter {
  chain mapped { }
  chain mapped_in { }
  chain mapped_out { }
  chain forward { type filter hook forward priority 0; policy drop; jump mapped; iifname "lan" accept; ct state established accept; }
  chain prerouting { type nat hook prerouting priority dstnat; jump mapped_in; }
  chain postrouting { type nat hook postrouting priority srcnat; jump mapped_out; oifname "wan" masquerade; }
}`;
const SETTINGS = `ext_ifname=wan
listening_ip=lan
ipv6_disable=yes
enable_upnp=no
enable_natpmp=yes
uuid=00000000-0000-0000-0000-000000000001
upnp_table_name=filter
upnp_nat_table_name=filter
upnp_forward_chain=mapped
upnp_nat_chain=mapped_in
upnp_nat_postrouting_chain=mapped_out
allow 1024-65535 10.1.0.0/24 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
`;
/** Drops requests whose first byte is 2, the version of PCP. */
const WITHOUT_PCP = `table inet old {
  chain input { type filter hook input priority 0; udp dport 5351 @th,64,8 2 drop; }
}`;

it(...inOwnNamespace(import.meta.url, defineTests));

function defineTests(): void {
  describe('a port mapping', { skip: !hasRouter && 'needs miniupnpd' }, () => {
    it('by PCP lets the internet in, until it is closed', TIME_LIMIT, async (t) => {
      const home = await Home.open(t);
      const mapping = await home.map();
      await waitFor('the mapping', () => mapping.mapping !== undefined);
      assert.match(home.daemon!.stderr, /PCP MAP: added mapping/);
      await home.assertReachable(mapping);

      await mapping.close();
      assert.equal(await home.countRules(), 0);
      assert.deepEqual(home.reported, [`${PUBLIC}:${home.port}`, 'none']);
    });

    it('is there again after the router has restarted', TIME_LIMIT, async (t) => {
      const home = await Home.open(t);
      const mapping = await home.map();
      await waitFor('the mapping', async () => (await home.countRules()) > 0);
      await home.daemon!.stop('SIGKILL');
      await home.router.nft('flush chain inet filter mapped; flush chain inet filter mapped_in;');

      await home.startDaemon('');
      await waitFor('the mapping to be there again', async () => (await home.countRules()) > 0);
      await home.assertReachable(mapping);
      assert.deepEqual(home.reported, [`${PUBLIC}:${home.port}`]);
      await mapping.close();
    });

    it('by NAT-PMP does the same, where the router does not answer to PCP', TIME_LIMIT, async (t) => {
      const home = await Home.open(t);
      await home.router.nft(WITHOUT_PCP);
      const mapping = await home.map();
      await waitFor('the mapping', () => mapping.mapping !== undefined);
      assert.doesNotMatch(home.daemon!.stderr, /PCP MAP: added mapping/);
      await home.assertReachable(mapping);

      await mapping.close();
      assert.equal(await home.countRules(), 0);
      assert.deepEqual(home.reported, [`${PUBLIC}:${home.port}`, 'none']);
    });

    it('is not there without a router', async () => {
      assert.equal(await openPortMapping({ internalPort: 1, onChange: () => {} }), undefined);
    });
  });
}

/** A home network: this namespace behind a router, and the internet beyond. */
class Home {
  readonly router: Host;
  readonly port: number;
  readonly reported: string[] = [];
  readonly #lab: Lab;
  readonly #internet: Host;
  readonly #socket: Socket;
  #daemon: Program | undefined;

  private constructor(lab: Lab, router: Host, internet: Host, socket: Socket) {
    this.#lab = lab;
    this.router = router;
    this.#internet = internet;
    this.#socket = socket;
    this.port = socket.address().port;
  }

  static async open(t: TestContext): Promise<Home> {
    const socket = createSocket('udp4').bind(0);
    let home: Home | undefined;
    // The cable goes before the namespace at its other end, which would take it along, but later. The daemon is killed
    // since it may overlook a gentler signal.
    t.after(async () => {
      socket.close();
      await home?.daemon?.stop('SIGKILL');
      spawnSync('ip', ['link', 'del', 'eth0']);
    });
    await once(socket, 'listening');
    const lab = Lab.open(t);
    const [router, internet] = [await lab.host('router'), await lab.host('internet')];
    ip(`link add eth0 type veth peer name lan netns ${router.namespace}`);
    ip('addr add 10.1.0.2/24 dev eth0');
    ip('link set eth0 up');
    await router.ip('link set lan up');
    await lab.cable([router, 'wan'], [internet, 'eth0']);
    await addAddresses(
      [router, 'lan', '10.1.0.1/24'],
      [router, 'wan', `${PUBLIC}/24`],
      [internet, 'eth0', '45.45.45.1/24'],
    );
    ip('route add default via 10.1.0.1');
    await router.forwards();
    await router.nft(RULES);

    home = new Home(lab, router, internet, socket);
    await home.startDaemon();
    return home;
  }

  get daemon(): Program | undefined {
    return this.#daemon;
  }

  /** @param more Settings. By default, the daemon says the age of the machine for its own: it seems to run for long. */
  async startDaemon(more = 'system_uptime=yes\n'): Promise<void> {
    const [settings, pid] = [join(this.#lab.folder, 'settings'), join(this.#lab.folder, 'pid')];
    writeFileSync(settings, SETTINGS + more);
    this.#daemon = this.router.start('miniupnpd', ['-d', '-f', settings, '-P', pid]);
    await this.#daemon.says(/Listening for NAT-PMP\/PCP traffic/);
  }

  async map(): Promise<PortMapping> {
    const mapping = await openPortMapping({
      internalPort: this.port,
      onChange: (held) =>
        this.reported.push(held === undefined ? 'none' : `${formatIpAddress(held.address)}:${held.port}`),
    });
    return mapping!;
  }

  /** Sends a datagram from the internet to the mapping, which must arrive here. */
  async assertReachable({ mapping }: PortMapping): Promise<void> {
    const arrived = once(this.#socket, 'message');
    const target = `UDP4-SENDTO:${formatIpAddress(mapping!.address)}:${mapping!.port}`;
    await this.#internet.run('socat', ['-u', 'STDIN', target], { input: 'hello' });
    const [bytes, from] = await arrived;
    assert.deepEqual([String(bytes), from.address], ['hello', '45.45.45.1']);
  }

  /** How many rules of the daemon lead to our port. */
  async countRules(): Promise<number> {
    const rules = await this.router.run('nft', ['list', 'chain', 'inet', 'filter', 'mapped_in']);
    return rules.split('\n').filter((line) => line.includes(`:${this.port}`)).length;
  }
}
