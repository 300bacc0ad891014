import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { decode, encode } from 'dns-packet';

import { parseIpPrefix } from '../../../src/control/ip-text.js';
import { generateKeyPair } from '../../../src/crypto/key-pair.js';
import { inOwnNamespace, ip } from '../../addon/own-namespace.js';
import { EngineLab, GATEWAY4 } from './engine-lab.js';
import { errorOf, listen } from './servers.js';

/** Public addresses that this namespace answers for, and that are no interface's own. */
const SERVER = '45.45.0.7';
const LAN_SERVER = '192.168.77.7';
const TIME_LIMIT = { timeout: 120_000 };

async function until(isDone: () => boolean): Promise<void> {
  while (!isDone()) await delay(5);
}

it(...inOwnNamespace(import.meta.url, defineTests));

function defineTests(): void {
  ip('route add local 45.45.0.0/24 dev lo');
  ip('route add local 192.168.77.0/24 dev lo');
  writeFileSync('/proc/sys/net/ipv4/ping_group_range', '0 2147483647');

  describe('the engine of a gateway', () => {
    it('carries TCP of a device to a server beyond, and notes how the device proves itself', TIME_LIMIT, async () => {
      await using lab = await EngineLab.open();
      const { host } = await lab.addDevice('phone', 2);
      const page = Buffer.alloc(2_000_000, 'page');
      const { server, port } = await listen(SERVER, (socket) => socket.on('error', () => {}).end(page));
      const socket = host.connect({ host: SERVER, port });
      assert.ok((await buffer(socket)).equals(page));
      socket.end();
      const status = lab.engine.status('phone')!;
      assert.equal(status.reason.code, 'session');
      assert.deepEqual(Object.keys(status.proof).sort(), ['connected', 'first-packet', 'handshake']);
      assert.ok(status.sentBytes > page.length && status.report.counts.sentBytes > page.length);
      assert.deepEqual(lab.events.map((event) => (event.kind === 'proof' ? event.step : event.kind)).toSorted(), [
        'connected',
        'first-packet',
        'handshake',
        'handshake',
      ]);
      server.close();
    });

    it('refuses the LAN and this host by default, with the reason for people to see', TIME_LIMIT, async () => {
      await using lab = await EngineLab.open();
      const { host } = await lab.addDevice('phone', 2);
      assert.match(String(await errorOf(host.connect({ host: LAN_SERVER, port: 22 }))), /EHOSTUNREACH|EACCES/);
      assert.match(String(await errorOf(host.connect({ host: '169.254.169.254', port: 80 }))), /EHOSTUNREACH|EACCES/);
      assert.deepEqual(
        lab.engine.denials().map(({ flow, decision }) => [flow.destination, flow.port, decision.reason]),
        [
          ['169.254.169.254', 80, 'metadata'],
          [LAN_SERVER, 22, 'switch'],
        ],
      );
      assert.ok(lab.events.some(({ kind }) => kind === 'denied'));
    });

    it('ends a flow as soon as a rule forbids it', TIME_LIMIT, async () => {
      await using lab = await EngineLab.open();
      const { host } = await lab.addDevice('phone', 2);
      const { server, port } = await listen(SERVER, (socket) => socket.on('error', () => {}));
      const socket = host.connect({ host: SERVER, port });
      await once(socket, 'connect');
      assert.equal(lab.engine.flows('phone').length, 1);
      const failed = errorOf(socket);
      const prefix = parseIpPrefix('45.45.0.0/16')!;
      lab.engine.setRules([{ id: 'r1', action: 'deny', from: { kind: 'everyone' }, to: { kind: 'prefix', prefix } }]);
      assert.equal(await failed, 'ECONNRESET');
      assert.equal(lab.engine.flows('phone').length, 0);
      server.close();
    });

    it('lets a blocked device reach its own page and name, and nothing else', TIME_LIMIT, async () => {
      await using lab = await EngineLab.open();
      lab.engine.listenInside(80, (stream) => stream.end(`hello ${stream.device}`));
      const { host } = await lab.addDevice('phone', 2, { isBlocked: true });
      assert.equal(String(await buffer(host.connect({ host: GATEWAY4, port: 80 }))), 'hello phone');
      assert.deepEqual(await host.resolver.resolve4('gateway.internal'), [GATEWAY4]);
      await assert.rejects(host.resolver.resolve4('example.net'), { code: 'ESERVFAIL' });
      assert.ok(lab.engine.counters()['dnsRefused']! > 0);
      const socket = host.connect({ host: SERVER, port: 80 });
      const outcome = await Promise.race([errorOf(socket), delay(500, 'silence')]);
      assert.ok(outcome !== undefined);
      socket.destroy();
      assert.ok(lab.engine.status('phone')!.report.counts.standingDrops > 0);
    });

    it('passes packets between devices where both may, and not otherwise', TIME_LIMIT, async () => {
      await using lab = await EngineLab.open();
      const switches = { internet: true, lan: false, devices: true };
      const phone = await lab.addDevice('phone', 2, { switches });
      const laptop = await lab.addDevice('laptop', 3, { switches });
      const guest = await lab.addDevice('guest', 4);
      const server = laptop.host.createServer((socket) => socket.end('from the laptop')).listen(8_080);
      await laptop.host.ping(GATEWAY4);
      assert.equal(String(await buffer(phone.host.connect({ host: '10.77.0.3', port: 8_080 }))), 'from the laptop');
      const denied = guest.host.connect({ host: '10.77.0.3', port: 8_080 });
      denied.on('error', () => {});
      await until(() => lab.engine.denials().length > 0);
      assert.deepEqual(lab.engine.denials()[0]!.flow.device, 'guest');
      denied.destroy();
      server.close();
    });

    it('pings hosts beyond, its own address, and answers a traceroute as the first hop', TIME_LIMIT, async () => {
      await using lab = await EngineLab.open();
      const { host } = await lab.addDevice('phone', 2);
      assert.equal(lab.engine.limitations.length, 0);
      assert.ok((await host.ping(GATEWAY4)).roundTripMs >= 0);
      assert.ok((await host.ping(SERVER)).roundTripMs >= 0);
    });

    it(
      'answers that a name cannot be resolved, and lives on, where no route leads to the resolver',
      TIME_LIMIT,
      async () => {
        await using lab = await EngineLab.open(['192.0.2.53', '2001:db8::53']);
        assert.deepEqual(lab.engine.hasRoute, { ipv4: false, ipv6: false });
        const { host } = await lab.addDevice('phone', 2);
        await assert.rejects(host.resolver.resolve4('example.com'), { code: 'ESERVFAIL' });
        await host.ping(GATEWAY4);
        assert.ok(lab.engine.counters()['dnsFailed']! > 0);
      },
    );

    it('resolves names by the resolver of the host, over UDP and, if too long, over TCP', TIME_LIMIT, async () => {
      const resolver = createSocket('udp4');
      resolver.on('message', (message, { port, address }) => {
        const { id, questions } = decode(message);
        const data = questions![0]!.type === 'A' ? '45.45.0.7' : '2001:db8::7';
        const answer = { type: questions![0]!.type as 'A', name: questions![0]!.name, ttl: 5, data };
        resolver.send(encode({ type: 'response', id: id!, questions: questions!, answers: [answer] }), port, address);
      });
      resolver.bind(53, '127.0.0.1');
      await once(resolver, 'listening');
      await using lab = await EngineLab.open(['127.0.0.1']);
      const { host } = await lab.addDevice('phone', 2);
      assert.deepEqual(await host.resolver.resolve4('example.net'), ['45.45.0.7']);
      assert.ok(lab.engine.status('phone')!.proof['name-resolved'] !== undefined);
      resolver.close();
    });

    it('gives a new key the place of the old one with its first handshake', TIME_LIMIT, async () => {
      await using lab = await EngineLab.open();
      const { engineDevice, host } = await lab.addDevice('phone', 2);
      await host.ping(GATEWAY4);
      const next = generateKeyPair();
      await lab.engine.putDevice({ ...engineDevice, nextPublicKey: next.publicKey });
      await host.ping(GATEWAY4); // the old key goes on working
      const renewed = await lab.connect(next.privateKey, engineDevice);
      // The packet that confirms the session comes from an address that is still the old key's: it alone is lost.
      await assert.rejects(renewed.ping(GATEWAY4, { timeoutMs: 200 }));
      await until(() => lab.events.some(({ kind }) => kind === 'rekeyed'));
      await renewed.ping(GATEWAY4);
      assert.equal(lab.engine.status('phone')!.reason.code, 'session');
    });

    it('carries UDP both ways', TIME_LIMIT, async () => {
      await using lab = await EngineLab.open();
      const { host } = await lab.addDevice('phone', 2);
      const server = createSocket('udp4');
      server.on('message', (message, { port, address }) => server.send(`echo ${String(message)}`, port, address));
      server.bind(0, SERVER);
      await once(server, 'listening');
      const socket = host.createUdpSocket('udp4');
      socket.send('hi', server.address().port, SERVER);
      assert.equal(String(((await once(socket, 'message')) as [Buffer])[0]), 'echo hi');
      assert.deepEqual(
        lab.engine.flows('phone').map(({ protocol, destination }) => [protocol, destination]),
        [['udp', SERVER]],
      );
      socket.close();
      server.close();
    });
  });
}
