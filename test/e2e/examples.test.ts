/**
 * Every program of `examples/` for real: without any right, through a tunnel to a kernel host with the servers that it talks to.
 *
 * Topology: `test/lab/example-network.ts`.
 */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';

import { ExampleNetwork } from '../lab/example-network.js';
import { CHECKOUT, type Implementation, subject, wireguardGo } from '../lab/implementation.js';
import { whyNoServers } from '../lab/throw-away-servers.js';
import { pingUntilAnswered } from '../lab/traffic.js';
import { LEFT, RIGHT } from '../lab/two-hosts.js';
import { waitFor } from '../lab/wait.js';

const HOST = LEFT.inner4;
const HELLO = `hello ${RIGHT.inner4}`;
const ROWS = `{ us: '${RIGHT.inner4}', numbers: '1000' }\n[ 200010000, 400020000, 600030000, 800040000 ]\n`;
const DATABASE = `postgres://example:example@${HOST}:5432/postgres`;

/** An example that runs to its end: its arguments behind the configuration, and everything that it prints. */
type Run = readonly [name: string, args: (network: ExampleNetwork) => readonly string[], output: string | RegExp];

const RUNS: readonly Run[] = [
  ['http-keep-alive.js', () => [`http://${HOST}/`], `${`200 ${HELLO}\n`.repeat(3)}1 connection\n`],
  ['https.js', ({ files }) => [`https://${HOST}/`, files.certificate], `200 TLSv1.3 ${HELLO}\n`],
  ['fetch.js', () => [`http://${HOST}/`], `200 ${HELLO}\n`],
  ['undici.js', () => [`http://${HOST}/`], `10 200 ${HELLO}\n`],
  ['http2-client.js', () => [`http://${HOST}:8080/`], '200 hello /one\n200 hello /two\n200 hello /three\n'],
  ['tls-client.js', ({ files }) => [HOST, '8443', files.certificate, 'example.internal'], 'TLSv1.3 HELLO OVER TLS\n\n'],
  ['ws-client.js', () => [`ws://${HOST}:8081/`], 'echo: hello\necho: over a WebSocket\n'],
  ['pg.js', () => [DATABASE], ROWS],
  ['pg.js', () => [`${DATABASE}?sslmode=no-verify`], ROWS],
  ['ioredis.js', () => [HOST, '6379'], 'hello from inside\n499500\n'],
  [
    'ssh2.js',
    ({ files }) => [HOST, '22', 'root', files.sshKey, 'echo from the other side', files.certificate],
    /^from the other side\n\n.*cert\.pem has [1-9]\d+ bytes\n$/,
  ],
  ['udp.js', () => [HOST, '7', 'hello'], `${HOST}:7 says hello\n`],
  ['dns.js', () => ['db.internal'], `servers: ${HOST}\nIPv4: ${HOST}\nTXT: inside only (60 s)\n`],
  ['ping.js', () => [HOST], /^(192\.168\.241\.1: \d+\.\d ms\n){4}$/],
];

/** An example that serves: its arguments behind the configuration, what the kernel host runs, and what that prints. */
type Service = readonly [
  name: string,
  args: (network: ExampleNetwork) => readonly string[],
  ask: (network: ExampleNetwork) => Promise<string>,
  answer: string,
];

const SERVICES: readonly Service[] = [
  ['express.js', () => ['80'], askWeb, `{"you":"${HOST}","server":"express"}{"characters":5000000}`],
  ['fastify.js', () => ['80'], askWeb, `{"you":"${HOST}","server":"fastify"}{"characters":12}`],
  [
    'http2-server.js',
    () => ['8080'],
    ({ kernel }) => kernel.run('curl', ['-s', '-m', '30', '--http2-prior-knowledge', `http://${RIGHT.inner4}:8080/a`]),
    '/a by HTTP/2.0\n',
  ],
  [
    'tls-server.js',
    ({ files }) => ['8443', files.key, files.certificate],
    ({ kernel, files }) =>
      kernel.run(
        'socat',
        ['-', `OPENSSL:${RIGHT.inner4}:8443,cafile=${files.certificate},commonname=example.internal`],
        {
          input: 'hello',
        },
      ),
    'HELLO',
  ],
  ['ws-server.js', () => ['8080'], askWebSocket, 'echo: from the kernel\n'],
];

const settings: readonly (readonly [string, Implementation, boolean])[] = [
  ['behind our daemon', subject, true],
  ['behind our daemon, without the addon', subject, false],
  ['behind wireguard-go', wireguardGo, true],
];

for (const [title, behind, hasAddon] of settings)
  test(`the examples ${title}`, { timeout: 400_000, skip: whyNoServers() ?? false }, async (t) => {
    const env = { WIRETYPE_NO_ADDON: hasAddon ? '0' : '1' };
    const network = await ExampleNetwork.open(t, behind);

    for (const [name, args, output] of RUNS)
      await t.test(`${name} does what it says`, async () => {
        const program = network.start(name, [network.files.config, ...args(network)], { env });
        await ends(program);
        assert.equal(program.stderr, '');
        if (typeof output === 'string') assert.equal(program.stdout, output);
        else assert.match(program.stdout, output);
      });

    for (const [name, args, ask, answer] of SERVICES)
      await t.test(`${name} serves the kernel host`, async () => {
        const program = network.start(name, [network.files.config, ...args(network)], { env });
        await program.says(/listening/);
        await pingUntilAnswered(network.kernel, RIGHT.inner4);
        assert.equal(await ask(network), answer);
        await program.stop();
        assert.equal(program.stderr, '');
      });

    await t.test('forward.js gives other programs a local port', async () => {
      const program = network.start('forward.js', [network.files.config, '127.0.0.1:15432', `${HOST}:5432`], { env });
      await program.says(/listening on 127.0.0.1:15432/);
      const url = DATABASE.replace(`${HOST}:5432`, '127.0.0.1:15432');
      assert.equal((await network.runBeside('psql', ['-Atc', 'SELECT inet_client_addr()', url])).trim(), RIGHT.inner4);
      assert.equal(await program.stop(), 0);
    });

    await t.test('grpc.js serves a client behind a local port', async () => {
      const [a, b] = network.writePair();
      const server = network.start('grpc.js', [a, '50051'], { env });
      await server.says(/listening/);
      const forward = network.start('forward.js', [b, '127.0.0.1:50051', '10.5.0.1:50051'], { env });
      await forward.says(/listening/);
      const script = `const grpc = require('@grpc/grpc-js');
const client = new grpc.Client('127.0.0.1:50051', grpc.credentials.createInsecure());
client.makeUnaryRequest('/calculator.Calculator/Add', (value) => Buffer.from(JSON.stringify(value)), JSON.parse,
  { a: 2, b: 3 }, (error, answer) => console.log(error ?? answer.sum));`;
      assert.equal(await network.runBeside(...withPackages(script)), '5\n');
      await Promise.all([server.stop(), forward.stop()]);
      assert.equal(server.stderr + forward.stderr, '');
    });

    await t.test('chat.js talks to itself', async () => {
      const [a, b] = network.writePair();
      const alice = network.start('chat.js', [a, 'alice'], { env, isInteractive: true });
      await alice.says(/you are alice at 10\.5\.0\.1/);
      const bob = network.start('chat.js', [b, 'bob', '10.5.0.1'], { env, isInteractive: true });
      await alice.says(/bob is here/);
      await bob.says(/alice is here/);
      bob.write('hello\n');
      await alice.says(/bob: hello/);
      alice.write('and hello to you\n');
      await bob.says(/alice: and hello to you/);
      bob.end();
      await ends(bob);
      alice.end();
      await ends(alice);
      assert.equal(alice.stderr + bob.stderr, '');
    });
  });

test('every example has a test', () => {
  const tested = new Set([...RUNS, ...SERVICES].map(([name]) => name));
  const files = readdirSync(`${CHECKOUT}examples`).filter((file) => file.endsWith('.js'));
  assert.deepEqual(files.sort(), [...tested, 'forward.js', 'grpc.js', 'chat.js'].sort());
});

async function ends(program: { readonly title: string; readonly exitStatus: number | undefined }): Promise<void> {
  const status = await waitFor(`${program.title} to end`, () => program.exitStatus);
  assert.equal(status, 0, JSON.stringify(program));
}

async function askWeb({ kernel }: ExampleNetwork): Promise<string> {
  const url = `http://${RIGHT.inner4}`;
  const isExpress = (await kernel.run('curl', ['-s', '-m', '30', `${url}/`])).includes('express');
  const [type, body] = isExpress ? ['text/plain', 'x'.repeat(5_000_000)] : ['application/json', '{"some":"s"}'];
  const post = ['-s', '-m', '30', '-H', `Content-Type: ${type}`, '--data-binary', '@-', `${url}/length`];
  return (await kernel.run('curl', ['-s', '-m', '30', `${url}/`])) + (await kernel.run('curl', post, { input: body }));
}

async function askWebSocket({ kernel }: ExampleNetwork): Promise<string> {
  const script = `const socket = new (require('ws'))('ws://${RIGHT.inner4}:8080/');
socket.on('open', () => socket.send('from the kernel'));
socket.on('message', (message) => { console.log(String(message)); socket.close(); });`;
  return await kernel.run(...withPackages(script));
}

/** A script of Node that has the packages of the examples. */
function withPackages(script: string): [string, string[]] {
  const from = JSON.stringify(`${CHECKOUT}examples/package.json`);
  return [process.execPath, ['-e', `require = require('node:module').createRequire(${from});\n${script}`]];
}
