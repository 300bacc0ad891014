import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';

const MODULE = new URL('../../src/cli/standard-stream.js', import.meta.url).href;
const TIMEOUT = { timeout: 30_000 };
/** The reader behind a pipe prints this when it sees the end: the shell in front of it keeps our end open. */
const END = ' (end)';

/** Standard output is a pair of sockets, as ssh makes it for a child, or a pipe of the shell. */
for (const kind of ['socket', 'pipe'] as const)
  describe(`standard input and output as one stream, over a ${kind}`, () => {
    it('show the reader their end while input goes on', TIMEOUT, async (t) => {
      const child = start(t, kind, "stream.end('bye'); stream.on('data', (d) => process.stderr.write(d));");

      assert.equal(await textUntilEnd(child.stdout), 'bye');
      child.stdin.end('heard');
      assert.equal(await text(child.stderr), 'heard');
    });

    it('write all of what is given before they end', TIMEOUT, async (t) => {
      const child = start(t, kind, "stream.end(Buffer.alloc(3_000_000, 'x')); stream.resume();");
      child.stdin.end();

      assert.equal((await textUntilEnd(child.stdout)).length, 3_000_000);
    });

    it('do not stop the process when the reader is slow', TIMEOUT, async (t) => {
      const later = "setTimeout(() => process.stderr.write('alive'), 100);";
      const child = start(t, kind, `stream.end(Buffer.alloc(3_000_000)); ${later}`, 'sleep 5');

      assert.equal(String((await once(child.stderr, 'data'))[0]), 'alive');
    });
  });

async function textUntilEnd(output: AsyncIterable<unknown>): Promise<string> {
  let seen = '';
  for await (const chunk of output) {
    seen += String(chunk);
    if (seen.endsWith(`${END}\n`)) break;
  }
  return seen.replace(`${END}\n`, '');
}

function start(t: TestContext, kind: 'socket' | 'pipe', body: string, reader = `cat; echo '${END}'`) {
  const program = `import { standardStream } from '${MODULE}'; const stream = standardStream(); ${body}`;
  const words = [process.execPath, '--input-type=module', '-e', program] as const;
  const [command, ...args] =
    kind === 'socket' ? words : (['sh', '-c', `"$@" | { ${reader}; }`, 'sh', ...words] as const);
  const child = spawn(command, args, { stdio: 'pipe', detached: true });
  // The whole pipeline has to go, which is a process group of its own.
  t.after(() => {
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
    if (child.exitCode === null) process.kill(-child.pid!, 'SIGKILL');
  });
  return child;
}
