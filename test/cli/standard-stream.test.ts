import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';

const MODULE = new URL('../../src/cli/standard-stream.js', import.meta.url).href;
const TIMEOUT = { timeout: 30_000 };

describe('standard input and output as one stream', () => {
  it('show the reader their end while input goes on', TIMEOUT, async () => {
    const child = start("stream.end('bye'); stream.on('data', (d) => process.stderr.write(d));");

    assert.equal(await text(child.stdout), 'bye');
    child.stdin.end('heard');
    assert.equal(await text(child.stderr), 'heard');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
  });

  it('write all of what is given before they end', TIMEOUT, async () => {
    const child = start("stream.end(Buffer.alloc(3_000_000, 'x')); stream.resume();");
    child.stdin.end();

    assert.equal((await text(child.stdout)).length, 3_000_000);
  });

  it('do not stop the process when the reader is slow', TIMEOUT, async () => {
    const child = start("stream.end(Buffer.alloc(3_000_000)); setTimeout(() => process.stderr.write('alive'), 1);");

    assert.equal(String((await once(child.stderr, 'data'))[0]), 'alive');
    child.kill('SIGKILL');
  });
});

function start(body: string) {
  const program = `import { standardStream } from '${MODULE}'; const stream = standardStream(); ${body}`;
  return spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'pipe' });
}
