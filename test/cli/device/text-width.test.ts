import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import { formatTextTable } from '../../../src/cli/device/text-table.js';
import { cutText, padText, textWidth } from '../../../src/cli/device/text-width.js';

describe('columns of a terminal', () => {
  for (const [text, width] of [
    ['phone', 5],
    ['手机', 4],
    ['ｗｇ０', 6],
    ['한국', 4],
    ['Jürgen', 6],
    ['Ju\u0308rgen', 6],
    ['📱', 2],
    ['👩‍💻', 2],
    ['🇩🇪', 2],
    ['ก็', 1],
    ['', 0],
  ] as const) {
    it(`are ${width} for ${JSON.stringify(text)}`, () => assert.equal(textWidth(text), width));
  }

  it('hold a text that was cut or filled, and no half character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 30 }), fc.nat(20), (text, width) => {
        const cut = cutText(text, width);
        assert.ok(textWidth(cut) <= Math.max(width, 0));
        assert.ok(!/[\ud800-\udbff](?![\udc00-\udfff])/.test(cut));
        assert.ok(textWidth(padText(cut, width)) >= width);
        if (textWidth(text) <= width) assert.equal(cut, text);
      }),
      { numRuns: 500 },
    );
  });

  it('align the rows of a table whatever letters are in it', () => {
    const lines = formatTextTable(
      [
        { title: 'NAME', cells: ['手机', 'Ju\u0308rgen', 'phone'] },
        { title: 'N', cells: ['1', '22', '3'], isRight: true },
      ],
      undefined,
      [],
    );
    assert.deepEqual(lines.map(textWidth), [10, 10, 10, 10]);
  });

  it('are never exceeded by a table', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'grapheme', maxLength: 20 })),
        fc.integer({ min: 1, max: 60 }),
        (cells, width) => {
          const sacrifices = [
            { title: 'B', minWidth: 0 },
            { title: 'A', minWidth: 4 },
          ];
          const lines = formatTextTable(
            [
              { title: 'A', cells },
              { title: 'B', cells },
            ],
            width,
            sacrifices,
          );
          assert.equal(lines.length, cells.length + 1);
          assert.ok(lines.every((line) => textWidth(line) <= width));
        },
      ),
    );
  });
});
