import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';

import { loadAddon } from '../../src/addon/load.js';
import { RouteMonitor } from '../../src/host/route-monitor.js';
import { Endpoint } from '../../src/wire/endpoint.js';
import { waitFor } from '../lab/wait.js';
import { inOwnNamespace, ip } from './own-namespace.js';

const addon = loadAddon();
const ENETUNREACH = 101;
const REMOTE = Uint8Array.of(198, 51, 100, 7);
const REMOTE6 = Uint8Array.of(0x20, 1, 0xd, 0xb8, ...new Array(11).fill(0), 7);
const NET = Uint8Array.of(10, 1, 0, 1);
const NET6 = Uint8Array.of(0xfd, 1, ...new Array(13).fill(0), 1);

it(...inOwnNamespace(import.meta.url, () => describe('RouteMonitor', defineRouteMonitor)));

/** The namespace has two interfaces, each with an address of each family; the default route is over the first. */
function defineRouteMonitor(): void {
  let monitor: RouteMonitor;
  before(() => {
    for (const i of [1, 2]) {
      ip(`link add wt${i} type veth peer name wtp${i}`);
      ip(`link set wtp${i} up`);
      ip(`addr add 10.${i}.0.1/24 dev wt${i}`);
      ip(`addr add fd0${i}::1/64 dev wt${i} nodad`);
      ip(`link set wt${i} up`);
    }
    ip('route add default via 10.1.0.254');
    ip('-6 route add default via fd01::fe dev wt1');
    monitor = RouteMonitor.open(addon);
  });
  after(() => monitor.close());

  it('returns the interface by which an endpoint is reached', () => {
    assert.equal(monitor.routeInterface(Endpoint.from(REMOTE, 1), 0), index('wt1'));
    assert.equal(monitor.routeInterface(Endpoint.from(REMOTE6, 1), 0), index('wt1'));
    assert.equal(monitor.routeInterface(Endpoint.from(Uint8Array.of(10, 2, 0, 9), 1), 0), index('wt2'));
    assert.equal(monitor.routeInterface(Endpoint.from(Uint8Array.of(127, 0, 0, 1), 1), 0), 1);
  });

  it('answers −ENETUNREACH where there is no route', () => {
    ip('route del default');
    assert.equal(monitor.routeInterface(Endpoint.from(REMOTE, 1), 0), -ENETUNREACH);
    ip('route add default via 10.1.0.254');
  });

  it('heeds the firewall mark, as the rules do', () => {
    ip('route add default via 10.2.0.254 table 77');
    ip('rule add fwmark 5 table 77');
    assert.equal(monitor.routeInterface(Endpoint.from(REMOTE, 1), 5), index('wt2'));
    assert.equal(monitor.routeInterface(Endpoint.from(REMOTE, 1), 6), index('wt1'));
    ip('rule del fwmark 5');
  });

  it('finds no endpoint stale that has no source', () => {
    assert.equal(monitor.isSourceStale(Endpoint.from(Uint8Array.of(203, 0, 113, 1), 1), 0), false);
  });

  it('finds a source stale whose address is gone', () => {
    for (const [remote, source, text] of [
      [REMOTE, Uint8Array.of(10, 1, 0, 5), '10.1.0.5/24'],
      [REMOTE6, Uint8Array.of(0xfd, 1, ...new Array(13).fill(0), 5), 'fd01::5/64'],
    ] as const) {
      ip(`addr add ${text} dev wt1`);
      const endpoint = withSource(Endpoint.from(remote, 1), index('wt1'), source);
      if (source.length === 4) assert.equal(monitor.isSourceStale(endpoint, 0), false);
      ip(`addr del ${text} dev wt1`);
      assert.equal(monitor.isSourceStale(endpoint, 0), true);
    }
  });

  it('finds an IPv4 source stale when the best route leaves by another interface, an IPv6 source not', () => {
    const v4 = withSource(Endpoint.from(REMOTE, 1), index('wt1'), NET);
    const v6 = withSource(Endpoint.from(REMOTE6, 1), index('wt1'), NET6);
    assert.deepEqual(
      [v4, v6].map((endpoint) => monitor.isSourceStale(endpoint, 0)),
      [false, false],
    );
    ip('route add 198.51.100.0/24 via 10.2.0.254');
    ip('-6 route add 2001:db8::/32 via fd02::fe dev wt2');
    assert.deepEqual(
      [v4, v6].map((endpoint) => monitor.isSourceStale(endpoint, 0)),
      [true, false],
    );
    ip('route del 198.51.100.0/24');
    ip('-6 route del 2001:db8::/32');
  });

  it('reports addresses and routes that come and go', async () => {
    for (const words of [
      'addr add 10.1.0.77/24 dev wt1',
      'route add 192.0.2.0/24 via 10.1.0.9',
      '-6 addr add fd01::77/64 dev wt1',
      '-6 route add 2001:db8:9::/48 dev wt1',
    ]) {
      for (const step of [words, words.replace(' add ', ' del ')]) {
        let changes = 0;
        await quiet(monitor);
        monitor.onChange = () => changes++;
        ip(step);
        await waitFor(step, () => changes > 0);
      }
    }
  });

  it('reports a burst of changes as few', async () => {
    let changes = 0;
    await quiet(monitor);
    monitor.onChange = () => changes++;
    for (let i = 0; i < 30; i++) ip(`route add 192.0.2.${i}/32 via 10.1.0.9`);
    await waitFor('the change', () => changes > 0);
    await quiet(monitor);
    assert.ok(changes <= 3, `${changes} calls`);
  });

  it('reports more and more rarely while changes keep coming, and loses none', async () => {
    const fresh = RouteMonitor.open(addon);
    const reports: number[] = [];
    fresh.onChange = () => reports.push(performance.now());
    const start = performance.now();
    let last = start;
    for (let i = 0; last - start < 1_500; i++) {
      const words = `route ${i % 2 === 0 ? 'add' : 'del'} 192.0.2.77/32 via 10.1.0.9`;
      await promisify(execFile)('ip', words.split(' '));
      last = performance.now();
    }
    await waitFor('a report of the last change', () => reports.at(-1)! > last);
    assert.ok(reports[0]! - start < 500, 'the first one soon');
    assert.ok(reports.length <= 8, `${reports.length} reports`);
    fresh.close();
  });
}

/** Waits until no change is reported for a while: announcements lag behind their commands. */
async function quiet(monitor: RouteMonitor): Promise<void> {
  let last = performance.now();
  const before = monitor.onChange;
  monitor.onChange = () => {
    last = performance.now();
    before();
  };
  await waitFor('silence', () => performance.now() - last > 60);
  monitor.onChange = before;
}

function index(name: string): number {
  return Number(/^([0-9]+):/.exec(ip(`-o link show ${name}`))![1]);
}

function withSource(endpoint: Endpoint, interfaceIndex: number, address: Uint8Array): Endpoint {
  endpoint.words[6] = interfaceIndex;
  endpoint.bytes.set(address, 28);
  return endpoint;
}
