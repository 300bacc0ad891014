import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createContext } from '../../../src/cli/wg/create-context.js';
import { choosePalette } from '../../../src/cli/wg/palette.js';

describe('choosePalette', () => {
  for (const [isStock, columns, env, isColoured] of [
    [true, 80, {}, true],
    [true, undefined, {}, false],
    [true, 80, { NO_COLOR: '1' }, true],
    [false, 80, { NO_COLOR: '1' }, false],
    [false, 80, { NO_COLOR: '' }, true],
    [true, undefined, { WG_COLOR_MODE: 'always' }, true],
    [true, 80, { WG_COLOR_MODE: 'never' }, false],
    [true, 80, { WG_COLOR_MODE: 'auto' }, true],
    [true, 80, { WG_COLOR_MODE: 'bogus' }, true],
    [false, undefined, { WG_COLOR_MODE: 'always', NO_COLOR: '1' }, true],
  ] as const) {
    const name = isStock ? 'wg' : 'wiretype';
    const where = columns === undefined ? 'into a file' : 'on a terminal';
    it(`${isColoured ? 'has' : 'has no'} colours as ${name} ${where} with ${JSON.stringify(env)}`, () => {
      const io = {
        readInput: async () => '',
        write() {},
        writeError() {},
        columns,
        deliver: async () => true,
        interruption: () => new AbortController().signal,
      };
      const palette = choosePalette(createContext(io, isStock, { env }));
      assert.equal(palette.red('x') !== 'x', isColoured);
    });
  }
});
