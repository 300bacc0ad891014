import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LOG_LEVELS, Log } from '../../../src/cli/daemon/log.js';

describe('log of the daemon', () => {
  for (const [level, expected] of [
    ['silent', []],
    ['error', ['error']],
    ['info', ['error', 'info']],
    ['debug', ['error', 'info', 'debug']],
  ] as const)
    it(`tells ${expected.join(', ') || 'nothing'} at level ${level}`, () => {
      const lines: string[] = [];
      const log = new Log(level, 'wg0', (line) => void lines.push(line));
      for (const event of LOG_LEVELS.slice(1)) log[event as 'error' | 'info' | 'debug'](event);
      assert.deepEqual(
        lines.map((line) => line.trim().split(': ')[1]),
        expected,
      );
    });

  it('writes one line an event: when, how grave, which interface, what', () => {
    let written = '';
    new Log('info', 'wg0', (line) => {
      written += line;
    }).info('link up');
    assert.match(written, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z info {2}wg0: link up\n$/);
  });
});
