import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';

import { decode, encode, type Packet, TRUNCATED_RESPONSE } from 'dns-packet';

import { type RecordType as AskedType, TunnelResolver } from '../../src/rootless/tunnel-resolver.js';
import { CLIENT, SERVER, twoHosts, type VirtualHost, VirtualNet } from './virtual-net.js';

/** Answers DNS queries at a host, by UDP and TCP. */
function serveDns(
  host: VirtualHost,
  answer: (query: Packet, isTcp: boolean) => Packet | undefined,
): { asked: string[] } {
  const asked: string[] = [];
  const reply = (message: Uint8Array, isTcp: boolean): Uint8Array | undefined => {
    const query = decode(Buffer.from(message));
    asked.push(`${isTcp ? 'TCP' : 'UDP'} ${query.questions![0]!.type}`);
    const response = answer(query, isTcp);
    return response && encode({ type: 'response', id: query.id!, questions: query.questions!, ...response });
  };
  const udp = host.udp().on('message', (message: Buffer, { port, address }) => {
    const response = reply(message, false);
    if (response !== undefined) udp.send(response, port, address);
  });
  udp.bind(53);
  host.listen(53, (socket) => {
    socket.on('error', () => {}); // the resolver hangs up as soon as it has its answer
    socket.on('data', (data: Buffer) => {
      const response = reply(data.subarray(2), true)!;
      socket.write(Buffer.concat([Buffer.of(response.length >> 8, response.length), response]));
    });
  });
  return { asked };
}

function resolverOf(
  host: VirtualHost,
  servers: readonly string[] = [SERVER],
  search: readonly string[] = [],
): TunnelResolver {
  return new TunnelResolver(servers, search, {
    createUdpSocket: (type) => host.udp(type),
    connect: ({ host: to, port }) => host.connect(to, port),
  });
}

describe('the resolver of a tunnel', { timeout: 120_000 }, () => {
  const records: Record<AskedType, unknown> = {
    A: '192.0.2.1',
    AAAA: '2001:db8::1',
    CNAME: 'other.example',
    MX: { preference: 10, exchange: 'mail.example' },
    NS: 'ns.example',
    PTR: 'host.example',
    SOA: { mname: 'ns.example', rname: 'root.example', serial: 1, refresh: 2, retry: 3, expire: 4, minimum: 5 },
    SRV: { priority: 1, weight: 2, port: 443, target: 'srv.example' },
    TXT: [Buffer.from('text')],
  };

  it('hands on every type of record as the server has it, and an empty answer as empty (row 61)', async () => {
    const { client, server } = twoHosts();
    serveDns(server, ({ questions }) => {
      const { name, type } = questions![0]!;
      if (name === 'empty.example') return {};
      return { answers: [{ name, type, ttl: 60, data: records[type as AskedType] } as never] };
    });
    const resolver = resolverOf(client);
    for (const type of Object.keys(records) as AskedType[]) {
      const [record, ...more] = await resolver.query('x.example', type);
      assert.deepEqual(more, []);
      assert.equal(record!.type, type);
      const data = record!.data as unknown;
      if (typeof records[type] === 'string') assert.equal(data, records[type]);
      else if (Array.isArray(records[type])) assert.equal(String(data), 'text');
      else assert.deepEqual({ ...(data as object), ...(records[type] as object) }, data);
      assert.deepEqual(await resolver.query('empty.example', type), []);
    }
  });

  it('asks for 1,232 bytes by EDNS, and by TCP for what does not fit: 10 KB arrive whole (row 61)', async () => {
    const { client, server } = twoHosts();
    let size: number | undefined;
    const long = Array.from({ length: 40 }, (_, i) => Buffer.alloc(250, 65 + (i % 26)));
    const { asked } = serveDns(server, (query, isTcp) => {
      const { name } = query.questions![0]!;
      const additional = query.additionals?.[0] as { udpPayloadSize?: number } | undefined;
      size = additional?.udpPayloadSize;
      const data = name === 'fits.example' ? long.slice(0, 4) : long;
      if (name !== 'fits.example' && !isTcp) return { flags: TRUNCATED_RESPONSE, answers: [] };
      return { answers: [{ type: 'TXT', name, ttl: 1, data }] };
    });
    const resolver = resolverOf(client);

    const [fits] = await resolver.query('fits.example', 'TXT');
    assert.ok((fits!.data as Buffer[]).length === 4, 'more than 512 bytes in one datagram');
    const [whole] = await resolver.query('long.example', 'TXT');

    assert.ok(Buffer.concat(whole!.data as Buffer[]).equals(Buffer.concat(long)));
    assert.equal(size, 1_232);
    assert.deepEqual(asked, ['UDP TXT', 'UDP TXT', 'TCP TXT']);
  });

  it('goes on to the next server after a failure, by UDP or by TCP, and after a refused port (row 61)', async () => {
    const virtual = new VirtualNet();
    const [client, server] = virtual.pair([CLIENT], [SERVER, '10.0.0.3', '10.0.0.4']);
    const good: Packet = { answers: [{ type: 'A', name: 'x.example', ttl: 1, data: '192.0.2.1' }] };
    let isFailing = true;
    const udp = server.udp().on('message', (message: Buffer, { port, address }) => {
      const query = decode(message);
      const response: Packet = isFailing ? { flags: 2 } : good; // SERVFAIL
      isFailing = false;
      udp.send(encode({ type: 'response', id: query.id!, questions: query.questions!, ...response }), port, address);
    });
    udp.bind(53);
    assert.deepEqual(await resolverOf(client, [SERVER, '10.0.0.3']).resolve4('x.example'), ['192.0.2.1']);

    udp.removeAllListeners('message').on('message', (message: Buffer, { port, address }) => {
      const query = decode(message);
      const response: Packet = { flags: isFailing ? 2 : TRUNCATED_RESPONSE };
      udp.send(encode({ type: 'response', id: query.id!, questions: query.questions!, ...response }), port, address);
    });
    await assert.rejects(resolverOf(client).query('x.example', 'A'), { code: 'ETIMEOUT' }, 'nobody listens on TCP');
    isFailing = true;
    await assert.rejects(resolverOf(client).query('x.example', 'A'), { code: 'ESERVFAIL' });
    udp.close();
    await assert.rejects(resolverOf(client).query('x.example', 'A'), { code: 'ETIMEOUT' }, 'the port is closed');
  });

  it('refuses names that DNS cannot carry, and tries a long list of search domains in turn (row 61)', async () => {
    const { client, server } = twoHosts();
    const search = Array.from({ length: 40 }, (_, i) => `${'d'.repeat(60)}.${'e'.repeat(60)}.${i}.example`);
    const { asked } = serveDns(server, ({ questions }) => {
      const { name } = questions![0]!;
      return name.endsWith('.39.example') ? { answers: [{ type: 'A', name, ttl: 1, data: '192.0.2.9' }] } : {};
    });
    const resolver = resolverOf(
      client,
      [SERVER],
      [...search.slice(0, 5), `${'x.'.repeat(130)}example`, ...search.slice(5)],
    );
    assert.deepEqual(await resolver.lookup('www'), [{ address: '192.0.2.9', family: 4 }]);
    assert.equal(asked.length, 80);
    for (const name of ['a'.repeat(64), `${'a.'.repeat(130)}b`, 'a..b', '.', ''])
      await assert.rejects(resolver.query(name, 'A'), { code: 'ENOTFOUND' }, `"${name.slice(0, 20)}"`);
    assert.equal(asked.length, 80);
  });

  it('holds no port after a day of queries, one each second, and after all kinds of failures (row 62)', async () => {
    const { virtual, client, server } = twoHosts();
    serveDns(server, ({ questions }) => {
      const { name } = questions![0]!;
      return name === 'silent.example' ? undefined : { answers: [{ type: 'A', name, ttl: 1, data: '192.0.2.1' }] };
    });
    const resolver = resolverOf(client);
    for (let second = 0; second < 86_400; second++) {
      await resolver.query('x.example', 'A');
      virtual.nowMs += 1_000;
    }
    mock.timers.enable({ apis: ['setTimeout'] });
    for (const [asking, name] of [
      [resolver, 'silent.example'],
      [resolverOf(client, ['10.0.0.77']), 'unreachable.example'],
    ] as const)
      for (let i = 0; i < 200; i++) {
        const failed = assert.rejects(asking.query(name, 'A'), { code: 'ETIMEOUT' });
        for (let round = 0; round < 3; round++) {
          await virtual.settle();
          mock.timers.tick(2_000);
        }
        await failed;
      }
    mock.timers.reset();

    const { udp } = client.loop.stack;
    for (let port = 32_768; port <= 60_999; port++)
      assert.ok(udp.bind(undefined, port) !== undefined, `port ${port} is still bound`);
  });
});
