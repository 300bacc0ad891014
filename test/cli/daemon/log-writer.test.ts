import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';

import { logWriter } from '../../../src/cli/daemon/log-writer.js';
import { OutputStream } from '../../../src/cli/output-stream.js';

const LINE = `${'x'.repeat(99)}\n`;

describe('the log of a daemon', () => {
  it('loses lines while nobody reads, and says how many', async () => {
    const stream = new PassThrough({ highWaterMark: 1 });
    const write = logWriter(new OutputStream(() => stream));
    for (let i = 0; i < 10_000; i++) write(LINE);
    assert.ok(stream.writableLength < 100_000, `${stream.writableLength} bytes are kept`);

    const lines: string[] = [];
    stream.setEncoding('latin1');
    stream.on('data', (text: string) => lines.push(...text.trimEnd().split('\n')));
    await new Promise((resolve) => setImmediate(resolve));
    while (stream.writableLength > 0) await new Promise((resolve) => setImmediate(resolve));
    write('the end\n');
    await new Promise((resolve) => setImmediate(resolve));

    const [notice, last] = lines.slice(-2);
    const lost = Number(/^([0-9]+) lines were lost: the log was not read$/.exec(notice ?? '')?.[1]);
    assert.equal(lost + lines.length - 2, 10_000);
    assert.equal(last, 'the end');
  });
});
