import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';

import { Consumer, packedFiles } from './packed.js';

/** The first block of code in a module's doc comment. */
const EXAMPLE = /\/\*\*[\s\S]*?```ts\n(.*?) \* ```/s;

describe('package', () => {
  it('has what a user needs: programs, modules with declarations, the sources of the addon, and what else they install', async () => {
    const files = await packedFiles();

    const wanted = [
      'bin/wiretype',
      'bin/wiretyped',
      'dist/src/index.js',
      'dist/src/index.d.ts',
      'LICENSE',
      'README.md',
    ];
    wanted.push(
      'dist/src/control/config/index.js',
      'dist/src/control/config/index.d.ts',
      'package.json',
      'binding.gyp',
    );
    for (const folder of ['native', 'schema', 'systemd', 'docs', 'man', 'completions']) wanted.push(...filesOf(folder));
    assert.deepEqual(
      wanted.filter((file) => !files.has(file)),
      [],
    );
  });

  it('has nothing that only a checkout needs', async () => {
    const files = [...(await packedFiles())];

    assert.deepEqual(
      files.filter((file) => /\.(?:map|tsbuildinfo)$|^(?:build|bench|scripts|src|test|dist\/(?!src\/))/.test(file)),
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

function filesOf(folder: string): string[] {
  assert.ok(existsSync(folder));
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => `${parentPath}/${name}`);
}
