import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { attempt } from '../lab/program.js';
import { Consumer, packedFiles } from './packed.js';

/** The first block of code in a module's doc comment. */
const EXAMPLE = /\/\*\*[\s\S]*?```ts\n(.*?) \* ```/s;
/** The target of a link, or a path in a code span that begins with a folder of documents or is a document itself. */
const NAMED_FILE = /\]\((?!https?:)([^)#]+)\)|`((?:docs|man|schema|systemd)\/[\w./-]*|[A-Z]+\.md)`/g;
/** How a user's compiler may look for modules. */
const MODULE_RULES = [
  '--module node16',
  '--module nodenext',
  '--module preserve --moduleResolution bundler',
  '--module esnext --moduleResolution bundler',
];

describe('package', () => {
  it('has what a user needs: programs, modules with declarations, the addon, and what else they install', async () => {
    const files = await packedFiles();

    const wanted = [
      'bin/wiretype',
      'bin/wiretyped',
      'dist/src/index.js',
      'dist/src/index.d.ts',
      'LICENSE',
      'README.md',
    ];
    wanted.push('dist/src/control/config/index.js', 'dist/src/control/config/index.d.ts', 'package.json');
    for (const folder of ['schema', 'systemd', 'docs', 'man', 'completions']) wanted.push(...filesOf(folder));
    // `npm publish` refuses to go on without all of them.
    if (existsSync('prebuilds')) wanted.push(...filesOf('prebuilds'));
    assert.deepEqual(
      wanted.filter((file) => !files.has(file)),
      [],
    );
  });

  it('has nothing that only a checkout needs', async () => {
    const files = [...(await packedFiles())];

    assert.deepEqual(
      files.filter((file) =>
        /\.(?:map|tsbuildinfo)$|^(?:build|bench|scripts|src|native|docker|binding\.gyp|test|dist\/(?!(?:src|web)\/))/.test(
          file,
        ),
      ),
      [],
    );
  });

  it('installs without running a script', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };

    const atInstallation = ['preinstall', 'install', 'postinstall', 'prepare'];
    assert.deepEqual(
      atInstallation.filter((name) => name in scripts),
      [],
    );
  });

  for (const readme of ['README.md', 'README.zh-CN.md'])
    it(`has every file that ${readme} names`, async () => {
      const files = [...(await packedFiles())];

      const named = [...readFileSync(readme, 'utf8').matchAll(NAMED_FILE)].map((match) => match[1] ?? match[2]!);
      assert.ok(named.length > 10);
      assert.deepEqual(
        named.filter((name) => !files.some((file) => file === name || file.startsWith(name))),
        [],
      );
    });

  describe('in a folder of its user', () => {
    let consumer: Consumer;
    before(async () => {
      consumer = await Consumer.create();
    });
    after(() => consumer.close());

    it('is imported by name, and its declarations satisfy a strict compiler', async () => {
      consumer.copy('test/package/consumer-program.ts');

      const compiled = await consumer.compile('consumer-program.ts');
      assert.equal(compiled.stdout, '');
      const { status, stdout, stderr } = await consumer.node('consumer-program.js');
      assert.deepEqual(
        { status, stdout, stderr },
        {
          status: 0,
          stdout: '20 bytes from 10.0.0.1/32, 0 forged\n[Interface]\nListenPort = 2 # old\n\n1 7\n',
          stderr: '',
        },
      );
    });

    for (const [module, given] of [
      ['src/index.ts', ''],
      ['src/sim/index.ts', ''],
      ['src/control/config/index.ts', 'declare const text: string, publicKey: string;'],
    ] as const) {
      it(`compiles the example of ${module}`, async () => {
        consumer.write('example.ts', `${given}\n${exampleOf(module)}`);

        assert.equal((await consumer.compile('example.ts')).stdout, '');
      });
    }

    it('runs the example of src/index.ts to its end', async () => {
      consumer.write('example.ts', exampleOf('src/index.ts'));
      await consumer.compile('example.ts');

      assert.match((await consumer.node('example.js')).stdout, /^left is \S{44}\n20 bytes came through the tunnel\n$/);
    });

    for (const rules of MODULE_RULES)
      it(`satisfies a strict compiler under ${rules}`, async () => {
        consumer.write('import.ts', IMPORTS);

        assert.equal((await consumer.compile('import.ts', `${rules} --noEmit`)).stdout, '');
      });

    it('satisfies publint', async () => {
      const { status, stdout } = await attempt('node_modules/.bin/publint', ['run', '--strict', consumer.tarball]);

      assert.match(stdout, /All good!/);
      assert.equal(status, 0);
    });

    it('has the right types for every way to import it, of which it has one: as an ES module', async () => {
      const words = [consumer.tarball, '--profile', 'esm-only', '--format', 'ascii'];
      const { status, stdout } = await attempt('node_modules/.bin/attw', words);

      assert.equal(status, 0, stdout);
    });

    it('runs the example of README.md, which keeps what stands in the file', async () => {
      consumer.write('example.ts', /^```ts\n(.*?)^```/ms.exec(readFileSync('README.md', 'utf8'))![1]!);
      consumer.write('wg0.conf', `[Interface]\n# of the office\nPrivateKey = ${'A'.repeat(42)}E=\n`);

      assert.equal((await consumer.compile('example.ts')).stdout, '');
      assert.deepEqual(await consumer.node('example.js'), { status: 0, stdout: '', stderr: '' });
      const text = readFileSync(join(consumer.folder, 'wg0.conf'), 'utf8');
      assert.match(text, /# of the office\n.*# Name = laptop\n.*AllowedIPs = 10\.0\.0\.2\/32/s);
    });

    it('exports no module that is not named', async () => {
      consumer.write('private.js', "import 'wiretype/dist/src/core/device.js';");

      assert.match((await consumer.node('private.js')).stderr, /ERR_PACKAGE_PATH_NOT_EXPORTED/);
    });

    it('has both programs, which know their version', async () => {
      const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

      for (const program of ['wiretype', 'wiretyped']) {
        const { stdout } = await consumer.node(`node_modules/wiretype/bin/${program}`, '--version');
        assert.ok(stdout.includes(version), stdout);
      }
    });
  });
});

function exampleOf(module: string): string {
  return EXAMPLE.exec(readFileSync(module, 'utf8'))![1]!.replaceAll(/^ \* ?/gm, '');
}

const IMPORTS = `
  import { Endpoint, Tunnel, type TunnelOptions } from 'wiretype';
  import { parseConfig } from 'wiretype/config';
  import { Device, type DeviceOptions } from 'wiretype/engine';
  import { Simulation } from 'wiretype/sim';

  export const text: string = parseConfig('', 'wg0.conf').text;
  export const device = (options: DeviceOptions): Device => new Device(options);
  export const tunnel = (options: TunnelOptions): Promise<Tunnel> => Tunnel.create(options);
  export const simulation: Simulation = new Simulation({ seed: 1 });
  export const endpoint: Endpoint = new Endpoint();
`;

function filesOf(folder: string): string[] {
  assert.ok(existsSync(folder));
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => `${parentPath}/${name}`);
}
